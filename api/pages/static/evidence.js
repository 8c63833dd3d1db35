// Pictures and documents of a case: what there is, and adding more (D1, A4).
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { busily, problemBox, toast, waitingWords } from "./ui.js";
import { number, t } from "./words.js";

/** What a case takes; the service looks at the first bytes, not at the name. */
const KINDS = ["image/jpeg", "image/png", "image/webp", "application/pdf"];
const SIZE_MAX = 4_000_000;
const FILES_MAX = 10;

/** The files with their own download, and a button for more while the case takes some. */
export function evidenceBox(found, path, changed) {
  const more = found.actions.add_evidence.possible && found.files.length < FILES_MAX;
  if (!found.files.length && !more) return null;
  return h("div", { class: "evidence" }, h("h4", null, t("complaint.files")),
    h("ul", { class: "files" }, found.files.map((one) => h("li", null,
      h("a", { href: `${path}/evidence/${one.file}`, download: "" }, t("case.file", { name: one.file })), h("span", { class: "quiet small" }, ` ${one.media_type} · ${number(Math.ceil(one.size_bytes / 1024))} KB`)))),
    more ? adding(found, path, changed) : null);
}

function adding(found, path, changed) {
  const problems = h("div", { role: "status" });
  const choose = h("input", { type: "file", class: "visually-hidden", accept: KINDS.join(","), multiple: true, "aria-label": t("complaint.add_file") });
  const label = h("label", { class: "button compact file" }, t("complaint.add_file"), choose);
  choose.addEventListener("change", () => busily(label, async () => {
    problems.replaceChildren();
    const files = [...choose.files];
    choose.value = "";
    await sendAll(files, found, { path, problems, changed });
  }));
  return h("div", { class: "stack" }, h("p", { class: "quiet small" }, t("complaint.files_how", { n: found.files.length, most: FILES_MAX })), h("p", null, label), problems);
}

/** One after another; what cannot be taken is said, the others are. */
async function sendAll(files, found, { path, problems, changed }) {
  let position;
  for (const file of files.slice(0, FILES_MAX - found.files.length)) {
    const wrong = unusable(file);
    try {
      if (wrong) throw { words: wrong };
      position = (await new Intent(`${path}/evidence`).send(file, { onWaiting: waitingWords() })).position;
      toast(t("complaint.file_added", { name: file.name }));
    } catch (problem) {
      problems.append(problemBox(`${file.name}${t("app.colon")}${problem.reasons?.[0]?.words ?? problem.words ?? t("problem.error")}`));
    }
  }
  if (position) await changed(position);
}

/** What is wrong with a file before it is sent. */
function unusable(file) {
  if (!KINDS.includes(file.type)) return t("complaint.file_kind");
  if (file.size > SIZE_MAX) return t("complaint.file_size");
  return file.size ? null : t("complaint.file_empty");
}
