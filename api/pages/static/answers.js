// The questions a learner is asked about a parcel, and their answers (D1).
import { h, unique } from "./dom.js";
import { Intent } from "./http.js";
import { busily, field, keepAsSent, showProblem, toast, waitingWords } from "./ui.js";
import { t } from "./words.js";

const ANSWERS = ["yes", "no", "unknown"];

/** What was answered, and a form for what was not; nothing where nothing was asked. */
export function answersForm(found, path, changed) {
  const open = found.actions.answer.possible ? found.questions.filter((one) => !one.answer) : [];
  if (!open.length && !found.questions.some((one) => one.answer)) return null;
  return h("div", null, h("h4", null, t("complaint.questions")),
    h("ul", { class: "questions" }, found.questions.filter((one) => one.answer || (one.timed_out && !open.includes(one))).map((one) => h("li", { dataset: { question: one.question } }, h("span", null, t(`question.${one.question}`)),
      h("strong", null, one.answer ? t(`answer.${one.answer}`) : t("case.timed_out"))))),
    open.length ? form(open, path, changed) : null);
}

function form(open, path, changed) {
  const intent = new Intent(`${path}/answers`);
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "primary compact", type: "submit" }, t("complaint.answer"));
  const box = h("form", { class: "answers", novalidate: true }, open.map((one) => question(one)), field("words", t("complaint.more"), { rows: 2, maxlength: 2000 }), h("div", { class: "row" }, submit), problems);
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = box.elements.words.value.trim();
    const answers = open.map((one) => ({ question: one.question, answer: box.querySelector(`[data-question=${one.question}] input:checked`)?.value })).filter((one) => one.answer);
    if (!answers.length) {
      showProblem(box, { words: t("complaint.none_answered"), reasons: [] }, problems);
      return;
    }
    // Their words go with the last answer: they are about all of it.
    if (words) answers.at(-1).words = words;
    busily(submit, async () => {
      problems.hidden = true;
      try {
        const said = await intent.send({ answers }, { onWaiting: waitingWords() });
        toast(t("complaint.answered"));
        await changed(said.position);
      } catch (problem) {
        keepAsSent(box, intent);
        showProblem(box, problem, problems);
      }
    });
  });
  return box;
}

function question(one) {
  const name = unique(one.question);
  return h("fieldset", { dataset: { question: one.question } }, h("legend", null, t(`question.${one.question}`), one.timed_out ? h("span", { class: "quiet small" }, ` ${t("case.timed_out")}`) : null),
    h("div", { class: "chips" }, ANSWERS.map((answer) => h("label", { class: "chip" }, h("input", { type: "radio", name, value: answer }), h("span", null, t(`answer.${answer}`))))));
}
