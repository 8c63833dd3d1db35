// Replaying an order, an account or any stream: a slider over its events, two clocks, the proof.
import { $, calmly, fill, h, icon } from "./dom.js";
import { get } from "./http.js";
import { canVerify, proves } from "./proof.js";
import { search } from "./search.js";
import { changedTable, headline, tree } from "./state.js";
import { busily, copyButton, empty, field, loading, showProblem } from "./ui.js";
import { clock, exact, factWords, has, number, t, when, zoned, zoneName } from "./words.js";

/** So much later than it happened, an event was recorded late: scans are told to the second only. */
const LATE_MS = 60_000;

/** Where any history is found. */
export async function searchPage(view, _, signal) {
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("audit.title"))), searchForm(signal),
    h("div", { class: "hints" }, [["audit.hint_order", "audit.hint_order_text"], ["audit.hint_account", "audit.hint_account_text"], ["audit.hint_stream", "audit.hint_stream_text"]].map(([title, text]) =>
      h("section", { class: "panel" }, h("h2", null, t(title)), h("p", { class: "quiet" }, t(text))))),
    h("section", { class: "panel" }, h("h2", null, t("audit.lately")), await lately(signal)));
  $("input", view).focus();
}

async function lately(signal) {
  const { events } = await get("/v1/audit/events", { signal });
  const streams = [...new Map(events.map((one) => [one.stream, one])).values()].filter((one) => /^(order|account|parcel):/.test(one.stream)).slice(0, 8);
  if (!streams.length) return empty(t("audit.no_events"), "");
  return h("ul", { class: "lately" }, streams.map((one) => h("li", null, h("a", { href: addressOf(one.stream), class: "mono" }, one.stream), h("span", null, factWords(one.fact)), h("span", { class: "quiet small" }, when(one.recorded_at)))));
}

/** The page of a stream; an order is shown with everything that concerns it. */
export function addressOf(stream) {
  return stream.startsWith("order:") ? `#/order/${encodeURIComponent(stream.slice(6))}` : `#/stream/${encodeURIComponent(stream)}`;
}

function searchForm(signal, value = "") {
  const box = h("input", { type: "search", name: "wanted", value, placeholder: t("audit.search"), autocomplete: "off", spellcheck: "false", "aria-label": t("audit.search") });
  const button = h("button", { class: "primary", type: "submit" }, t("audit.replay"));
  const problems = h("div", { class: "problem", hidden: true, role: "alert" });
  return h("form", { class: "filters", role: "search", onsubmit: (event) => {
    event.preventDefault();
    busily(button, () => open(box.value.trim(), problems, signal));
  } }, h("div", { class: "search-box" }, icon("search"), box), button, problems);
}

/** An order's number, a waybill or phone, a learner, or a stream by its name. */
async function open(wanted, problems, signal) {
  problems.hidden = true;
  if (!wanted) return;
  if (wanted.includes(":") && has(`stream.${wanted.split(":")[0]}`)) { location.hash = addressOf(wanted); return; }
  const tries = [];
  if (wanted.length >= 4) tries.push(async () => (await search(wanted, { signal })).orders[0]?.number);
  for (const one of tries) {
    const number_ = await one().catch(() => null);
    if (number_) { location.hash = `#/order/${encodeURIComponent(number_)}`; return; }
  }
  try {
    await get(`/v1/learners/${encodeURIComponent(wanted)}/balance`, { signal });
    location.hash = `#/stream/${encodeURIComponent(`account:${wanted}`)}`;
  } catch (problem) {
    fill(problems, h("p", { class: "bad-words" }, problem.status === 404 || problem.status === 422 ? t("audit.not_found", { wanted }) : problem.words));
    problems.hidden = false;
  }
}

export const replayOrder = (view, [, number_], signal) => replay(view, signal, { title: number_, kind: t("order.title"), path: `/v1/audit/orders/${encodeURIComponent(number_)}`, stream: `order:${number_}` });
export const replayStream = (view, [, stream], signal) => replay(view, signal, { title: stream, kind: t("audit.stream"), path: `/v1/audit/streams/${encodeURIComponent(stream).replaceAll("%3A", ":")}`, stream });

async function replay(view, signal, about) {
  fill(view, loading(4));
  const board = h("div", { class: "board" });
  const times = clocks(async (asked) => { await show(asked); });
  const show = async (asked = {}) => {
    const query = new URLSearchParams({ proofs: "true", ...asked });
    const found = await get(`${about.path}?${query}`, { signal });
    fill(board, found.events.length ? player(found) : empty(t("audit.none_then"), t("audit.none_then_hint")));
  };
  await show();
  fill(view, searchForm(signal, ""),
    h("header", { class: "page-head" }, h("div", null, h("p", { class: "quiet small" }, about.kind), h("h1", { class: "mono stream-name" }, about.title)),
      h("a", { class: "button compact", href: `/v1/audit/streams/${encodeURIComponent(about.stream).replaceAll("%3A", ":")}/export`, download: `${about.stream.replace(/[^\w-]+/g, "-")}.json` }, icon("down"), t("audit.export"))),
    times, board);
}

/** The two clocks: as it stood, as we knew it. */
function clocks(show) {
  const one = (name) => field(name, t(`audit.${name}`), { type: "datetime-local", step: 1, required: true }, { hint: t(`audit.${name}_hint`) });
  const submit = h("button", { class: "button", type: "submit" }, t("audit.look"));
  const problems = h("div", { class: "problem", hidden: true });
  const form = h("form", { class: "panel clocks" }, one("as_of"), one("known_at"),
    h("div", { class: "row" }, submit, h("button", { class: "tool", type: "reset" }, t("audit.now"))), h("p", { class: "quiet small zone" }, t("audit.zone", { zone: zoneName })), problems);
  const look = () => busily(submit, async () => {
    problems.hidden = true;
    const asked = {};
    for (const name of ["as_of", "known_at"]) {
      const at = zoned(form.elements[name].value);
      if (at) asked[name] = at;
    }
    try { await show(asked); } catch (problem) { showProblem(form, problem, problems); }
  });
  for (const box of form.querySelectorAll("input")) box.required = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); look(); });
  form.addEventListener("reset", () => setTimeout(look));
  return form;
}

/** The slider, the list of events, and what one of them did. */
function player(found) {
  const steps = found.events;
  let at = steps.length - 1;
  const range = h("input", { type: "range", min: 1, max: steps.length, value: String(steps.length), step: 1, "aria-label": t("audit.slider") });
  const place = h("output", { class: "num" });
  const detail = h("section", { class: "panel step", "aria-live": "polite" });
  const state = h("section", { class: "panel state" });
  const button = (name, label, to) => h("button", { class: "tool icon-only", type: "button", "aria-label": label, onclick: () => go(to()) }, icon(name));
  const rows = steps.map((step, index) => h("li", null, h("button", { type: "button", class: "event-row", onclick: () => go(index) },
    h("i", { class: `dot c-${step.stream.split(":")[0]}`, "aria-hidden": "true" }),
    h("span", { class: "event-fact" }, factWords(step.fact)), h("span", { class: "quiet small num" }, `#${step.position}`),
    h("span", { class: "quiet small event-when" }, `${clock(step.happened_at)} · ${step.actor}`))));
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" }, steps.map((step) => h("i", { class: `c-${step.stream.split(":")[0]}` })));
  const list = h("ol", { class: "events", "aria-label": t("audit.events") }, days(steps, rows));
  const describe = calmly(60, () => drawStep(detail, steps[at], found.head));
  const reveal = () => { list.scrollTop = Math.max(0, rows[at].offsetTop - list.clientHeight / 2); };
  const go = (to) => {
    at = Math.min(steps.length - 1, Math.max(0, to));
    range.value = String(at + 1);
    range.setAttribute("aria-valuetext", t("audit.step_words", { n: at + 1, all: steps.length, fact: factWords(steps[at].fact), when: exact(steps[at].happened_at) }));
    place.textContent = t("audit.step", { n: at + 1, all: steps.length });
    rows.forEach((row, index) => {
      row.classList.toggle("later", index > at);
      if (index === at) row.firstChild.setAttribute("aria-current", "step");
      else row.firstChild.removeAttribute("aria-current");
    });
    [...ticks.children].forEach((tick, index) => tick.classList.toggle("later", index > at));
    reveal();
    describe();
    drawState(state, steps, at);
  };
  range.addEventListener("input", () => go(Number(range.value) - 1));
  go(at);
  new ResizeObserver(reveal).observe(list);  // it has a height once it is on the page
  return [
    h("div", { class: "panel slider" }, h("div", { class: "slider-row" },
      button("back", t("audit.previous"), () => at - 1), h("div", { class: "slider-track" }, ticks, range), button("next", t("audit.following"), () => at + 1)),
    h("div", { class: "spread" }, place, legend(steps), headWords(found))),
    h("div", { class: "board-columns" }, h("section", { class: "panel flush event-panel" }, list), h("div", { class: "stack" }, detail, state)),
  ];
}

function days(steps, rows) {
  let day = "";
  return rows.flatMap((row, at) => {
    const next = exact(steps[at].happened_at).slice(0, 10);
    if (next === day) return [row];
    day = next;
    return [h("li", { class: "day" }, day), row];
  });
}

function legend(steps) {
  const kinds = [...new Set(steps.map((step) => step.stream.split(":")[0]))];
  return h("ul", { class: "legend-row small" }, kinds.map((kind) => h("li", null, h("i", { class: `dot c-${kind}` }), has(`stream.${kind}`) ? t(`stream.${kind}`) : kind)));
}

function headWords(found) {
  return found.head ? h("p", { class: "quiet small mono", title: found.head.root }, t("audit.against", { n: found.head.position, root: found.head.root.slice(0, 12) })) : null;
}

function drawStep(place, step, head) {
  const late = new Date(step.recorded_at) - new Date(step.happened_at) > LATE_MS;
  const row = (key, ...value) => [h("dt", null, t(`audit.${key}`)), h("dd", null, value)];
  fill(place, h("header", { class: "step-head" }, h("h2", null, factWords(step.fact)), h("p", { class: "mono quiet" }, step.fact)),
    h("dl", { class: "about" },
      row("who", h("strong", null, step.actor)),
      row("happened", h("time", { datetime: step.happened_at }, exact(step.happened_at))),
      row("recorded", h("time", { datetime: step.recorded_at }, exact(step.recorded_at)), late ? h("span", { class: "badge s-pending_payment" }, t("audit.late")) : null),
      step.reason ? row("why", has(`reason.${step.reason}`) ? t(`reason.${step.reason}`) : step.reason) : null,
      row("stream", h("a", { href: addressOf(step.stream), class: "mono" }, step.stream), h("span", { class: "quiet" }, ` v${step.version}`)),
      row("cause", causeWords(step))),
    h("h3", null, t("audit.changed")), step.changed ? changedTable(step.changed) : h("p", { class: "quiet" }, t("audit.too_long")),
    step.proof ? proofBox(step, head) : null,
    h("details", null, h("summary", null, t("audit.fact")), tree(step.data)));
}

function causeWords(step) {
  return [step.causation ? h("span", { class: "mono" }, step.causation, " → ") : null, h("span", { class: "mono" }, step.command), step.correlation ? h("span", { class: "quiet mono" }, ` (${step.correlation})`) : null];
}

/** Position, leaf, path; and a check that happens here, not at the server. */
function proofBox(step, head) {
  const said = h("p", { class: "proof-words", role: "status" });
  const check = h("button", { class: "button compact", type: "button", onclick: () => busily(check, async () => {
    const good = await proves(step, head);
    said.className = `proof-words ${good ? "good" : "bad-words"}`;
    fill(said, icon(good ? "check" : "warn"), t(good ? "audit.proved" : "audit.not_proved", { n: head.position }));
  }) }, icon("seal"), t("audit.verify"));
  return h("div", { class: "proof" }, h("h3", null, t("audit.proof")),
    h("dl", { class: "about" }, h("dt", null, t("audit.position")), h("dd", { class: "num" }, number(step.position)), h("dt", null, t("audit.leaf")), h("dd", { class: "mono hash" }, step.proof.leaf), h("dt", null, t("audit.root")), h("dd", { class: "mono hash" }, head.root)),
    h("div", { class: "row" }, canVerify() ? check : h("p", { class: "quiet small" }, t("audit.no_crypto")), copyButton(JSON.stringify({ position: step.position, ...step.proof, head }, null, 1), t("audit.copy_proof"))), said,
    h("details", null, h("summary", null, t("audit.path", { n: step.proof.inclusion.length })), h("ol", { class: "path" }, step.proof.inclusion.map((one) => h("li", { class: "mono hash" }, one)))));
}

/** How everything stood after the chosen event. */
function drawState(place, steps, at) {
  const states = new Map();
  for (const step of steps.slice(0, at + 1)) if (step.state) states.set(step.stream, step.state);
  const chosen = steps[at].stream;
  const order = [chosen, ...[...states.keys()].filter((one) => one !== chosen)];
  fill(place, h("h2", null, t("audit.state", { when: exact(steps[at].happened_at) })),
    order.filter((stream) => states.has(stream)).map((stream, index) => h("details", { open: index === 0, class: "state-of" },
      h("summary", null, h("i", { class: `dot c-${stream.split(":")[0]}`, "aria-hidden": "true" }), h("span", { class: "mono" }, stream)),
      headline(stream, states.get(stream)), tree(states.get(stream)))));
}
