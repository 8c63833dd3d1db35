// A dialog that asks for a few fields and makes one change with them.
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { busily, dialog, keepAsSent, showProblem, toast, waitingWords, wrongIn } from "./ui.js";
import { t } from "./words.js";

/**
 * `fields` are made with `field`; `read` turns the form into the body; `belongs` says
 * at which field a refusal of some code or path is shown, `wrong` what is not even sent. Resolves the answer through `done`.
 */
export function askFor({ title, fields, read, path, method, label, done, said, wide, danger, file, belongs, wrong }) {
  const intent = new Intent(path, { method, file });
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: danger ? "danger" : "primary", type: "submit" }, label ?? t("form.save"));
  const form = h("form", { novalidate: true }, h("div", { class: "dialog-body" }, fields, problems),
    h("footer", { class: "dialog-foot" }, h("button", { class: "button", type: "button", onclick: () => box.close() }, t("form.cancel")), submit));
  const box = dialog(title, form, { wide });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reasons = wrongIn(form, wrong);
    if (reasons.length) {
      showProblem(form, { words: t("problem.invalid"), reasons });
      return;
    }
    busily(submit, async () => {
      problems.hidden = true;
      box.dataset.locked = "yes";
      try {
        const answer = await intent.send(read(form.elements), { onWaiting: waitingWords() });
        box.close();
        const words = said ? said(answer) : t("form.saved");
        if (words) toast(words);
        done?.(answer);
      } catch (problem) {
        if (!intent.unknown) delete box.dataset.locked;
        keepAsSent(form, intent);
        showProblem(form, problem, problems, belongs);
      }
    });
  });
  return box;
}

/** An HS code as it was written, without the dots and spaces people put into it; or nothing. */
export const hsCode = (box) => box.value.replace(/[.．\s]/g, "") || null;

/** A whole number from a field, or nothing. */
export const whole = (box) => (box.value.trim() === "" ? null : Number(box.value));
