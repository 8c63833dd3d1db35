// All played partners at a glance, and the script that changes how they behave over time (M3).
import { again, fill, h } from "./dom.js";
import { ask, get } from "./http.js";
import { busily, field, showProblem, toast, wrongIn } from "./ui.js";
import { number, t, word } from "./words.js";

const EXAMPLE = `seed 7
at 5s            kuaidi100   refuse=30% delay_seconds=2
after 10 calls   sf          lose_answers=3x
from 20s to 1m   payment     outage
at 2m            all         well`;

/** What is a matter of pace, not of trouble. */
const MANNERS = ["pace_seconds", "repeat", "hang_seconds"];

/** The page that it begins with. */
export async function sandboxOverview(view, _, signal) {
  const cards = h("ul", { class: "played" });
  const stage = h("div", { class: "stack", id: "stage" });
  const look = async () => {
    const { partners, script } = await get("/state", { signal });
    fill(cards, partners.map(card));
    fill(stage, stageOf(script));
  };
  await look();
  fill(view,
    h("header", { class: "page-head" }, h("h1", null, t("sandbox.title")),
      h("button", { class: "button compact", type: "button", id: "reset", onclick: (event) => busily(event.currentTarget, async () => {
        await ask("/reset", {});
        toast(t("sandbox.reset_done"));
        await look();
      }) }, t("sandbox.reset"))),
    h("p", { class: "quiet lead" }, t("sandbox.lead")),
    h("div", { class: "stack sections" },
      h("section", { "aria-labelledby": "played" }, h("h2", { id: "played", class: "section-head" }, t("sandbox.partners")), cards),
      h("section", { "aria-labelledby": "script" }, h("h2", { id: "script", class: "section-head" }, t("sandbox.script")),
        h("div", { class: "two" }, scriptForm(look), h("div", { class: "panel" }, stage)))));
  again(look, { signal, ms: 2000 });
}

function card({ partner, behaviour, asked, pushed, calls }) {
  const [last] = calls;
  return h("li", { class: "panel played-card", dataset: { partner } },
    h("div", { class: "spread" }, h("a", { class: "strong-link", href: `#/${partner}` }, word("partner", partner)), wellness(behaviour)),
    h("p", { class: "quiet small" }, t("sandbox.counts", { asked: number(asked), pushed: number(pushed) })),
    last ? h("p", { class: "small mono played-last" }, last.what) : null,
    chips(behaviour));
}

/** Whether a partner is as it is by itself. */
export const wellness = (behaviour) => (Object.keys(behaviour).some((name) => !MANNERS.includes(name))
  ? h("span", { class: "badge s-failed" }, t("sandbox.misbehaves")) : h("span", { class: "badge s-ok" }, t("sandbox.well")));

/** What is out of the ordinary, as a script writes it. */
export function chips(behaviour) {
  const told = Object.entries(behaviour);
  return told.length ? h("ul", { class: "row chips" }, told.map(([name, value]) => h("li", { class: "badge mono", title: word("behaviour", name) }, `${name}=${value}`))) : null;
}

function scriptForm(look) {
  const box = field("script", t("sandbox.script_text"), { rows: 9, class: "mono", spellcheck: "false", autocomplete: "off", required: true, maxlength: 20000 }, { hint: t("sandbox.script_how") });
  const problems = h("div", { class: "problem", hidden: true });
  const play = h("button", { class: "primary", type: "submit" }, t("sandbox.play"));
  const form = h("form", { class: "panel stack", id: "script-form", novalidate: true }, box, problems,
    h("div", { class: "row" }, play, h("button", { class: "button", type: "button", onclick: () => { form.elements.script.value = EXAMPLE; } }, t("sandbox.example"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = wrongIn(form);
    if (wrong.length) { showProblem(form, { words: t("problem.invalid"), reasons: wrong }, problems); return; }
    busily(play, async () => {
      problems.hidden = true;
      try {
        await ask("/script", { script: form.elements.script.value });
        toast(t("sandbox.played"));
        await look();
      } catch (problem) {
        const wrong = Array.isArray(problem.body?.detail) ? problem.body.detail : [];
        const reasons = wrong.filter((one) => one.line).map((one) => ({ words: t(`sandbox.wrong_${one.code}`, one) }));
        showProblem(form, { words: reasons.length ? t("sandbox.script_wrong") : t("problem.error"), reasons }, problems);
      }
    });
  });
  return form;
}

function stageOf(script) {
  if (!script) return h("p", { class: "quiet" }, t("sandbox.no_script"));
  return [h("p", { class: "quiet small" }, t("sandbox.script_since", { seconds: number(Math.floor(script.seconds)), seed: script.seed })),
    h("ol", { class: "stage-steps" }, script.steps.map((step) => h("li", { dataset: { state: step.state } },
      h("code", null, step.line), h("span", { class: `badge s-${{ waits: "waiting", lasts: "under_way", done: "ok" }[step.state]}` }, word("sandbox_step", step.state)))))];
}
