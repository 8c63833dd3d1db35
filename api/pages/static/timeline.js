// All that concerns an order, newest first; each entry leads to the one it came of (D1, A1).
import { $$, fill, h, icon, keepingFocus, unique } from "./dom.js";
import { Intent } from "./http.js";
import { may } from "./may.js";
import { revealWords } from "./reveal.js";
import { busily, field, keepAsSent, showProblem, toast, waitingWords, wrongIn } from "./ui.js";
import { actor, exact, inPrint, language, t, when } from "./words.js";

const GROUPS = {
  all: null,
  order: ["order", "ledger", "stock"],
  parcel: ["parcel", "scan"],
  case: ["dispute", "claim", "return", "approval", "message", "note", "privacy"],
  system: ["webhook", "query"],
};
/** So much later than it happened, an entry was known late: scans are told to the second only. */
const LATE_MS = 60_000;
/** So many of the newest are shown at first. */
const NEWEST = 15;

/** The panel; `draw` shows the entries: what is typed, marked and at hand stays. */
export function timelinePanel(order, changed) {
  const list = h("ol", { class: "track timeline" });
  const next = h("ol", { class: "ahead-list" });
  const ahead = h("section", { class: "ahead", "aria-labelledby": "ahead" }, h("h3", { id: "ahead" }, t("ahead.title")), next);
  const more = h("button", { class: "button compact older", type: "button", onclick: () => { chosen.down = told.entries[0].id; show(); } });
  const chosen = { group: "all", down: null };
  const lists = h("div", { class: "stack" }, ahead, list, more);
  let told = { entries: [], ahead: [] };
  const show = () => keepingFocus(lists, () => {
    const marked = list.querySelector(".marked")?.id;
    const kinds = GROUPS[chosen.group];
    const byId = new Map(told.entries.map((one) => [one.id, one]));
    ahead.hidden = !told.ahead.length || Boolean(kinds && chosen.group !== "system");
    fill(next, told.ahead.map((one) => coming(one, byId.get(one.because_of), follow)));
    const kept = told.entries.filter((one) => !kinds || kinds.includes(one.kind)).reverse();
    // News push nothing out that was shown.
    const shown = kept.slice(0, Math.max(NEWEST, kept.findIndex((one) => one.id === chosen.down) + 1));
    chosen.down = shown.at(-1)?.id;
    more.hidden = shown.length === kept.length;
    more.textContent = t("timeline.more", { n: kept.length - shown.length });
    fill(list, shown.map((one, at) => line(one, at, byId.get(one.because_of), follow, changed)));
    if (marked) point(list, marked);
  });
  const name = unique("kinds");
  const filter = h("fieldset", { class: "chips small-chips" }, h("legend", { class: "visually-hidden" }, t("timeline.kinds")),
    Object.keys(GROUPS).map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name, value: one, checked: one === chosen.group }), h("span", null, t(`timeline.${one}`)))));
  filter.addEventListener("change", (event) => { Object.assign(chosen, { group: event.target.value, down: null }); show(); });
  const follow = (id) => {
    if (!list.querySelector(`#${CSS.escape(id)}`)) {
      filter.querySelector("[value=all]").checked = true;
      Object.assign(chosen, { group: "all", down: told.entries[0].id });
      show();
    }
    mark(list, id);
  };
  return {
    panel: h("section", { class: "panel traced-timeline", "aria-labelledby": "timeline" },
      h("h2", { id: "timeline" }, t("timeline.title")), may("note") ? noteForm(order, changed) : null, filter, lists),
    draw: (found) => {
      if (JSON.stringify(found) === JSON.stringify(told)) return;
      told = found;
      show();
    },
  };
}

/** Show where something came from: scroll there, mark it, and go on reading from it. */
function mark(list, id) {
  for (const one of $$(".marked", list)) one.classList.remove("marked");
  const cause = point(list, id);
  cause?.focus({ preventScroll: true });
  cause?.scrollIntoView({ block: "center", behavior: "smooth" });
}

/** Mark an entry, so that it can be read on from. */
function point(list, id) {
  const entry = list.querySelector(`#${CSS.escape(id)}`);
  if (!entry) return null;
  entry.classList.add("marked");
  entry.tabIndex = -1;
  return entry;
}

const idOf = (id) => `t-${id}`;

/** What the house will do by itself, or what is stuck (M5). */
function coming(one, cause, follow) {
  return h("li", { id: idOf(one.id), class: `a-${one.standing}`, dataset: { work: one.work, standing: one.standing } },
    h("p", null, h("strong", null, one.words[language]), " ", h("span", { class: "quiet" }, inPrint(one.details[language]))),
    h("p", { class: "quiet small entry-foot" },
      one.standing === "stuck" ? h("span", { class: "badge s-lost" }, t("ahead.stuck")) : null,
      one.at ? h("time", { datetime: one.at, title: exact(one.at) }, moment(one)) : h("span", null, t("ahead.by_itself")),
      because(cause, follow)));
}

/** When it comes; what should have come is late where it is stuck, else it comes any moment. */
function moment(one) {
  const over = new Date(one.at) <= new Date();
  if (over) return one.standing === "stuck" ? t("ahead.since", { when: when(one.at) }) : t("ahead.now");
  return one.tries ? t("ahead.again", { when: when(one.at) }) : when(one.at);
}

const because = (cause, follow) => (cause ? h("button", { class: "cause", type: "button", dataset: { cause: cause.id }, onclick: () => follow(idOf(cause.id)) }, icon("back"), t("timeline.because", { what: cause.words[language] })) : null);

function line(one, at, cause, follow, changed) {
  const late = new Date(one.recorded_at) - new Date(one.happened_at) > LATE_MS;
  return h("li", { id: idOf(one.id), class: `k-${one.kind}${at ? "" : " now"}`, dataset: { kind: one.kind, fact: one.fact ?? "" } },
    h("p", null, h("strong", null, one.words[language]), one.details ? h("span", { class: one.kind === "message" ? "" : "quiet", lang: one.kind === "scan" ? "zh-CN" : null }, " ", inPrint(one.details[language])) : null),
    one.said ? said(one, changed) : null,
    h("p", { class: "quiet small entry-foot" },
      h("time", { datetime: one.happened_at, title: exact(one.happened_at) }, when(one.happened_at)),
      h("span", null, actor(one.actor)),
      late ? h("span", { title: exact(one.recorded_at) }, t("timeline.known", { when: when(one.recorded_at) })) : null,
      because(cause, follow)));
}

function said(one, changed) {
  if (one.said.text === null) return h("p", { class: "quiet small" }, t("timeline.gone"));
  return h("blockquote", { class: "said" }, inPrint(one.said.text),
    one.said.reveal && may("reveal") ? h("button", { class: "tool", type: "button", onclick: () => revealWords(one.said.reveal, changed) }, t("reveal.open")) : null);
}

function noteForm(order, changed) {
  const intent = new Intent(`/v1/support/orders/${encodeURIComponent(order)}/notes`);
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "button compact", type: "submit" }, t("note.add"));
  const form = h("form", { class: "note-form", novalidate: true }, field("words", t("note.words"), { rows: 2, maxlength: 2000, required: true }, { hint: t("note.hint") }), submit, problems);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reasons = wrongIn(form);
    if (reasons.length) {
      showProblem(form, { words: t("problem.invalid"), reasons }, problems);
      return;
    }
    const words = form.elements.words.value.trim();
    busily(submit, async () => {
      problems.hidden = true;
      try {
        const answer = await intent.send({ words }, { onWaiting: waitingWords() });
        keepAsSent(form, intent);
        form.reset();
        toast(t("note.added"));
        await changed(answer.position);
      } catch (problem) {
        keepAsSent(form, intent);
        showProblem(form, problem, problems);
      }
    });
  });
  return form;
}
