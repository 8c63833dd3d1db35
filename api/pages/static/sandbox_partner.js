// One played partner: how it behaves, what it can be let tell, and what went to and fro (M3).
import { again, fill, h, keepingRows, reorder } from "./dom.js";
import { ask, get } from "./http.js";
import { chips, wellness } from "./sandbox_overview.js";
import { busily, empty, field, showProblem, toast, wrongIn } from "./ui.js";
import { exact, t, word } from "./words.js";

/** A partner's page. */
export async function sandboxPartner(view, [name], signal) {
  const found = async () => {
    const one = (await get("/state", { signal })).partners.find(({ partner }) => partner === name);
    if (!one) throw Object.assign(new Error(name), { words: t("sandbox.nobody"), status: 404 });
    return one;
  };
  const first = await found();
  const now = h("div", { class: "stack now", id: "now" });
  const hand = h("div", { class: "stack", id: "hand" });
  const calls = h("ol", { class: "calls", id: "calls" });
  const rows = keepingRows("number", callRow);
  const look = async (one) => {
    const { behaviour, about, calls: had } = one ?? await found();
    fill(now, wellness(behaviour), chips(behaviour));
    if (hand.dataset.about !== JSON.stringify(about)) {
      hand.dataset.about = JSON.stringify(about);
      fill(hand, handForm(name, { ...first, about }, look));
    }
    if (had.length) reorder(calls, rows(had));
    else fill(calls, h("li", null, empty(t("sandbox.no_calls"), "")));
  };
  await look(first);
  fill(view,
    h("a", { class: "back", href: "#/" }, "‹ ", t("sandbox.title")),
    h("header", { class: "page-head" }, h("h1", null, word("partner", name)), now),
    h("div", { class: "two partner-two" },
      h("section", { class: "panel", "aria-labelledby": "behaviour" }, h("h2", { id: "behaviour" }, t("sandbox.behaviour")), behaviourForm(name, first.fields, look)),
      h("div", { class: "stack" },
        first.events.length ? h("section", { class: "panel", "aria-labelledby": "by-hand" }, h("h2", { id: "by-hand" }, t("sandbox.by_hand")), hand) : null,
        name === "crm" ? secretForm() : null,
        h("section", { "aria-labelledby": "to-and-fro" }, h("h2", { id: "to-and-fro", class: "section-head" }, t("sandbox.calls")), calls))));
  again(look, { signal, ms: 2000 });
}

function behaviourForm(partner, fields, look) {
  const problems = h("div", { class: "problem", hidden: true });
  const save = h("button", { class: "primary", type: "submit" }, t("sandbox.save"));
  const form = h("form", { class: "stack", id: "behaviour-form", novalidate: true }, h("p", { class: "quiet small" }, t("sandbox.often_hint")), h("div", { class: "behaviour-fields" }, fields.map(control)), problems, h("div", { class: "row" }, save));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = wrongIn(form);
    if (wrong.length) { showProblem(form, { words: t("problem.invalid"), reasons: wrong }, problems); return; }
    busily(save, async () => {
      problems.hidden = true;
      try {
        await ask(`/partners/${partner}/behaviour`, Object.fromEntries(fields.map((one) => [one.name, form.elements[one.name].value])));
        toast(t("sandbox.saved"));
        await look();
      } catch (problem) {
        const wrong = Array.isArray(problem.body?.detail) ? problem.body.detail : [];
        const reasons = wrong.map((one) => ({ field: one.loc?.at(-1), words: t("sandbox.wrong_here") }));
        showProblem(form, { words: t(reasons.length ? "problem.invalid" : "problem.error"), reasons }, problems);
      }
    });
  });
  return form;
}

function control({ name, kind, choices, value }) {
  const label = word("behaviour", name);
  if (kind === "choice") return field(name, label, { required: true, value, options: choices.map((one) => [one, word(`behaviour_${name}`, one)]) });
  if (kind === "bool") return field(name, label, { required: true, value: String(value), options: ["false", "true"].map((one) => [one, t(one === "true" ? "sandbox.yes" : "sandbox.no")]) });
  if (kind === "often") return field(name, label, { required: true, value, maxlength: 20, autocomplete: "off", spellcheck: "false" });
  return field(name, label, { required: true, type: "number", step: kind === "int" ? 1 : "any", min: 0, value });
}

function handForm(partner, { about, events }, look) {
  if (!about.length) return h("p", { class: "quiet" }, t("sandbox.nothing_known"));
  const box = field("about", t("sandbox.about"), { required: true, options: about.map((one) => [one, one]) });
  const tell = (event) => async ({ currentTarget }) => busily(currentTarget, async () => {
    try {
      await ask(`/partners/${partner}/events`, { about: box.querySelector("select").value, event });
      toast(t("sandbox.told"));
      await look();
    } catch (problem) {
      toast(problem.words ?? t("problem.error"), "bad");
    }
  });
  return [box, h("div", { class: "row" }, events.map((event) => h("button", { class: "button compact", type: "button", dataset: { event }, onclick: tell(event) }, word("sandbox_event", event))))];
}

/** As the sandbox takes a secret (api/sandbox/crm.py). */
const SECRET = /^whsec_(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function secretForm() {
  const problems = h("div", { class: "problem", hidden: true });
  const form = h("form", { class: "stack", id: "secret-form", novalidate: true, method: "post", action: "/crm/secrets" },
    field("secret", t("sandbox.secret_of"), { required: true, maxlength: 200, placeholder: "whsec_…", autocomplete: "off" }, { hint: t("sandbox.secret_how") }),
    problems, h("div", { class: "row" }, h("button", { class: "button", type: "submit" }, t("form.save"))));
  form.addEventListener("submit", (event) => {
    const wrong = wrongIn(form, ({ secret }) => (SECRET.test(secret.value) ? [] : [{ field: "secret", words: t("sandbox.secret_wrong") }]));
    if (!wrong.length) return;
    event.preventDefault();
    showProblem(form, { words: t("problem.invalid"), reasons: wrong }, problems);
  });
  return h("section", { class: "panel" }, h("h2", null, t("sandbox.secret")), form);
}

const SIGNED = { true: ["s-ok", "sandbox.signed"], false: ["s-failed", "sandbox.forged"], null: ["", "sandbox.unsigned"] };

function callRow(one) {
  const [colour, verdict] = SIGNED[one.signed];
  return h("li", null, h("details", { class: "panel call" },
    h("summary", null,
      h("span", { class: "call-way" }, t(one.way === "asked" ? "sandbox.asked" : "sandbox.pushed")),
      h("time", { class: "num quiet", datetime: one.at }, exact(one.at).slice(11)),
      h("span", { class: "num" }, one.status ?? t("sandbox.no_answer")),
      h("code", { class: "call-what" }, one.what),
      h("span", { class: `badge ${colour}` }, t(verdict)),
      one.trouble ? h("span", { class: "badge s-waiting" }, word("sandbox_trouble", one.trouble)) : null),
    h("h3", null, t("sandbox.sent")), h("pre", null, one.sent || "–"),
    h("h3", null, t("sandbox.answered")), h("pre", null, one.answered || "–")));
}
