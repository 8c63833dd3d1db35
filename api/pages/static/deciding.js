// Deciding a case: what each outcome would do is seen before it is done; over the limit it is asked for (D6, A8).
import { askFor } from "./asking.js";
import { calmly, fill, h } from "./dom.js";
import { effectsOfCase, withClaims } from "./effects.js";
import { ask } from "./http.js";
import { field } from "./ui.js";
import { whyNot } from "./whynot.js";
import { inPrint, language, t } from "./words.js";

export const OUTCOMES = ["refund", "reship", "compensation", "found", "rejected"];
const WITH_POINTS = ["refund", "reship", "compensation"];

/** One row an outcome: what it would do to the `lines` of the order, or why it is not possible now. */
export function outcomes(found, lines, changed) {
  return h("ul", { class: "outcomes" }, OUTCOMES.map((outcome) => {
    const action = found.actions[outcome];
    const open = action.possible || action.code === "unconfirmed";
    return h("li", { class: open ? "" : "closed", dataset: { outcome } },
      h("div", null, h("p", null, h("strong", null, t(`outcome.${outcome}_title`))),
        h("p", { class: "quiet small" }, wouldDo(outcome, action, lines))),
      open ? h("button", { class: outcome === "refund" ? "primary compact" : "button compact", type: "button", onclick: () => decide(found, outcome, lines, changed) }, t("case.decide")) : null);
  }));
}

function wouldDo(outcome, action, lines) {
  if (action.code === "unconfirmed") return t("case.needs_why");
  if (!action.possible) return whyNot(action);
  return outcome === "compensation" ? t("case.as_many_points") : effectsOfCase(action, lines).join(" · ") || t("effect.nothing");
}

function decide(found, outcome, lines, changed) {
  const path = `/v1/disputes/${encodeURIComponent(found.id)}/decision`;
  const unconfirmed = found.actions[outcome].code === "unconfirmed";
  const effects = h("div", { class: "effects", role: "status" });
  const body = (form) => ({
    outcome, reason: form.reason.value.trim() || "…",
    ...(form.points?.value ? { points: Number(form.points.value) } : {}),
    ...(form.unconfirmed_because?.value.trim() ? { unconfirmed_because: form.unconfirmed_because.value.trim() } : {}),
    ...(form.zh.value.trim() ? { message: { zh: form.zh.value.trim(), en: form.en.value.trim() } } : {}),
  });
  const box = askFor({
    title: t(`outcome.${outcome}_title`), path, label: t("case.decide_confirm"), wide: true, belongs: { unconfirmed: "unconfirmed_because" },
    said: (answer) => withClaims(t(answer.status === "pending_approval" ? "case.asked_second" : "case.decided"), answer.claims), done: (answer) => changed(answer.position),
    fields: [
      unconfirmed ? field("unconfirmed_because", t("case.unconfirmed"), { required: true, maxlength: 500 }, { hint: t("case.unconfirmed_hint") }) : null,
      WITH_POINTS.includes(outcome) ? field("points", t(outcome === "compensation" ? "case.points" : "case.points_beside"), { type: "number", min: outcome === "compensation" ? 1 : 0, max: 1_000_000, inputmode: "numeric", required: outcome === "compensation" }, { hint: fourEyes() }) : null,
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, list: "reasons-to-decide" }, { hint: t("desk.reason_hint") }),
      h("datalist", { id: "reasons-to-decide" }, ["a", "b", "c"].map((one) => h("option", { value: t(`case.because_${one}`) }))),
      effects, ownWords()],
    read: body,
    wrong: (form) => (Boolean(form.zh.value.trim()) === Boolean(form.en.value.trim()) ? [] : [{ field: form.zh.value.trim() ? "en" : "zh", words: t("case.both_languages") }]),
  });
  const form = box.querySelector("form");
  const look = async () => {
    if (unconfirmed && !form.elements.unconfirmed_because.value.trim()) {
      fill(effects, h("p", { class: "quiet small" }, t("case.unconfirmed_why")));
      return;
    }
    if (outcome === "compensation" && !Number(form.elements.points.value)) { fill(effects); return; }
    try {
      fill(effects, foretold(await ask(`${path}/preview`, body(form.elements)), lines));
    } catch { fill(effects); /* sending it says what is wrong */ }
  };
  form.addEventListener("input", calmly(300, look));
  look();
  form.querySelector("input").focus();
}

const fourEyes = () => t("learner.needs_two", { n: Number(document.querySelector("#view").dataset.fourEyes) });

/** What it would do exactly, and what the learner is told. */
function foretold(action, lines) {
  if (!action.possible) return h("p", { class: "warn-words" }, whyNot(action));
  return [h("ul", null, effectsOfCase(action, lines).map((one) => h("li", null, one))),
    action.message ? h("p", null, h("span", { class: "quiet small" }, `${t("case.message")} `), inPrint(action.message[language])) : null];
}

function ownWords() {
  return h("details", { class: "further" }, h("summary", null, t("case.own_words")), h("div", { class: "stack" },
    field("zh", t("case.message_zh"), { rows: 2, maxlength: 2000 }), field("en", t("case.message_en"), { rows: 2, maxlength: 2000 })));
}
