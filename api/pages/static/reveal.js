// Seeing what is masked: a reason first, which is recorded; what is shown stays in its dialog (A4).
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { recipientWords } from "./recipient.js";
import { dialog, field, toast } from "./ui.js";
import { t } from "./words.js";

/** The recipient of an order in full, for a case where there is one. */
export function revealRecipient(number, case_, changed) {
  ask("/v1/audit/reveals", changed, (answer) => h("p", { class: "revealed" }, recipientWords(answer.recipient)), { order: number, ...(case_ ? { case: case_ } : {}) });
}

/** Words or a note as they were written. */
export function revealWords(path, changed) {
  ask(path, changed, (answer) => h("p", { class: "revealed" }, answer.text));
}

/** A file of a case: pictures are shown, everything can be kept. */
export function revealFile(path, name, changed) {
  ask(path, changed, (answer) => fileShown(answer.file, name));
}

/** A parcel's label with name and address, where its carrier knows neither (W5). */
export function revealLabel(parcel, changed) {
  ask(`/v1/parcels/${encodeURIComponent(parcel)}/label/reveals`, changed, (answer) => fileShown(answer.file, `${parcel}.pdf`));
}

/** A case's evidence pack with all that the vault keeps of it, to be kept as a file. */
export function revealPack(case_, changed) {
  ask(`/v1/disputes/${encodeURIComponent(case_)}/pack`, changed, (answer) => fileShown(answer.file, `${case_}.zip`));
}

function ask(path, changed, show, about = {}) {
  askFor({
    title: t("reveal.title"), path, file: true, label: t("reveal.confirm"),
    fields: [h("p", { class: "quiet" }, t("reveal.how")), field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true }, { hint: t("desk.reason_hint") })],
    read: (form) => ({ ...about, reason: form.reason.value.trim() }),
    said: () => null,
    done: (answer) => {
      if (answer.status === "pending_approval") toast(t("reveal.second"));
      else dialog(t("reveal.shown"), h("div", { class: "dialog-body" }, show(answer)));
      changed(answer.position);
    },
  });
}

/** The policy of the page lets pictures in as data only, so a picture is turned into that. */
function fileShown(file, name) {
  const place = h("div", { class: "stack" });
  const reader = new FileReader();
  reader.addEventListener("load", () => fill(place,
    file.type.startsWith("image/") ? h("img", { class: "evidence-picture", src: reader.result, alt: t("case.file", { name }) }) : null,
    h("a", { class: "button", href: reader.result, download: name }, t("reveal.keep"))));
  reader.readAsDataURL(file);
  return place;
}
