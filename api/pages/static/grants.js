// Granting points from a sheet: paste or choose a file, look before it is sent, a report by row.
import { $, calmly, fill, h } from "./dom.js";
import { readCsv } from "./csv.js";
import { Intent } from "./http.js";
import { badge, busily, empty, field, problemBox, toast, waitingWords } from "./ui.js";
import { daysAfter, has, number, t, zoned } from "./words.js";

const COLUMNS = ["learner", "points", "reason", "source", "happened_at", "expires_at", "carried_over"];
const NEEDED = COLUMNS.slice(0, 4);
const REASONS = ["course_completed", "task", "campaign", "manual", "compensation"];
const AT_ONCE = 10000;
const SHOWN = 200;
const EXAMPLE = "learner,points,reason,source\nlin,120,course_completed,PY-101\nchen,80,task,streak-2026-03";

/** The grants view. */
export async function grants(view) {
  const text = field("sheet", t("grants.sheet"), { rows: 7, spellcheck: "false", placeholder: EXAMPLE, required: true });
  const box = $("textarea", text);
  box.classList.add("mono");
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "grants-file", class: "visually-hidden" });
  const chosen = h("span", { class: "quiet small" });
  const report = h("div", { class: "stack", role: "status", "aria-live": "polite" });
  const send = h("button", { class: "primary", type: "button", disabled: true }, t("grants.send"));
  let rows = [];
  const look = () => {
    rows = box.value.trim() ? check(readCsv(box.value)) : [];
    const good = rows.filter((row) => !row.wrong.length);
    send.disabled = good.length === 0 || good.length < rows.length;
    fill(report, rows.length ? dryLook(rows, good) : empty(t("grants.nothing"), t("grants.nothing_hint")));
  };
  box.addEventListener("input", calmly(200, look));
  file.addEventListener("change", async () => {
    if (!file.files[0]) return;
    chosen.textContent = file.files[0].name;
    box.value = await file.files[0].text();
    look();
  });
  send.addEventListener("click", () => busily(send, async () => {
    const said = await deliver(rows, report);
    if (said) { send.disabled = true; }
  }));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.grants"))),
    h("div", { class: "two" },
      h("section", { class: "panel stack" }, h("p", { class: "quiet" }, t("grants.how")), text,
        h("div", { class: "row" }, h("label", { for: "grants-file", class: "button file" }, file, t("grants.file")), chosen),
        h("p", { class: "quiet small" }, t("grants.by_hand", { n: Number(view.dataset.fourEyes) }), h("a", { class: "after", href: "#/accounts" }, t("tab.accounts"))),
        h("div", { class: "row" }, send, h("button", { class: "button", type: "button", onclick: () => { box.value = EXAMPLE; look(); } }, t("grants.example")))),
      h("section", { class: "panel" }, h("h2", null, t("grants.look")), report)));
  look();
}

/** Each row with what it would be and what is wrong with it. */
function check(cells) {
  const heads = cells[0].map((one) => one.toLowerCase());
  const headed = NEEDED.every((name) => heads.includes(name));
  const names = headed ? heads : COLUMNS;
  const seen = new Map();
  return cells.slice(headed ? 1 : 0).map((row, place) => {
    const raw = Object.fromEntries(names.map((name, at) => [name, row[at] ?? ""]));
    const wrong = NEEDED.filter((name) => !raw[name]).map((name) => t("grants.lacks", { field: name }));
    const points = Number(raw.points.replace(/[,,\s]/g, ""));
    if (raw.points && !(Number.isInteger(points) && points > 0)) wrong.push(t("grants.bad_points"));
    if (raw.reason && !REASONS.includes(raw.reason)) wrong.push(t("grants.bad_reason", { reasons: REASONS.join(", ") }));
    const grant = { learner: raw.learner, points, reason: raw.reason, source: raw.source };
    for (const name of ["happened_at", "expires_at"]) {
      if (!raw[name]) continue;
      const at = moment(raw[name], name === "expires_at");
      if (at) grant[name] = at; else wrong.push(t("grants.bad_time", { field: name }));
    }
    if (["1", "true", "yes", "是"].includes((raw.carried_over ?? "").toLowerCase())) grant.carried_over = true;
    const identity = `${raw.learner}|${raw.reason}|${raw.source}`;
    const twin = seen.get(identity);
    seen.set(identity, twin ?? place + 1);
    return { number: place + 1, raw, grant, wrong, twin };
  });
}

/** A time as people type it, in the mall's zone where none is said; a day alone is its beginning or its end, as in files. */
function moment(text, endOfDay) {
  const [, date, clock, zone] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?(Z|[+-]\d{2}:?\d{2})?$/.exec(text) ?? [];
  if (!date || Number.isNaN(Date.parse(date)) || daysAfter(date, 0) !== date) return null;
  const local = `${endOfDay && !clock ? daysAfter(date, 1) : date}T${clock ?? "00:00"}`;
  const whole = zone ? local + zone : zoned(local);
  return Number.isNaN(Date.parse(whole)) ? null : whole;
}

function dryLook(rows, good) {
  const total = good.reduce((sum, row) => sum + row.grant.points, 0);
  const bad = rows.length - good.length;
  return [
    h("p", null, t("grants.would", { n: good.length, points: total })),
    bad ? problemBox(t("grants.mend", { n: bad })) : null,
    table(rows, (row) => (row.wrong.length ? h("span", { class: "bad-words" }, row.wrong.join("; ")) : row.twin ? h("span", { class: "quiet" }, t("grants.twin", { n: row.twin })) : h("span", { class: "quiet" }, t("grants.ready")))),
  ];
}

function table(rows, last) {
  const shown = rows.slice(0, SHOWN);
  return [h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("grants.look") }, h("table", { class: "dense" },
    h("thead", null, h("tr", null, ["#", "learner", "points", "reason", "source"].map((name) => h("th", { scope: "col", class: name === "points" ? "right" : "" }, name)), h("th", { scope: "col" }, t("grants.outcome")))),
    h("tbody", null, shown.map((row) => h("tr", { class: row.wrong.length ? "bad-row" : "" },
      h("td", { class: "quiet num" }, number(row.number)), h("td", null, row.raw.learner), h("td", { class: "right" }, row.raw.points), h("td", null, row.raw.reason), h("td", null, row.raw.source), h("td", null, last(row))))))),
  rows.length > SHOWN ? h("p", { class: "quiet small" }, t("grants.shown", { n: SHOWN, all: rows.length })) : null];
}

/** Which row of all it is about: "grants.3.learner" is of the fourth that was sent with it. */
function inRow({ path, field, words }, sent) {
  const [, place] = /^grants\.(\d+)\./.exec(path) ?? [];
  return place === undefined ? words : t("grants.in_row", { n: sent + Number(place) + 1, field, words });
}

const intents = new Map();

/** Send all rows, 10,000 at once; a batch keeps its key until it is answered. */
async function deliver(rows, report) {
  const results = [];
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    const part = rows.slice(at, at + AT_ONCE);
    const body = { grants: part.map((row) => row.grant) };
    const text = JSON.stringify(body);
    const intent = intents.get(text) ?? new Intent("/v1/points/grants");
    intents.set(text, intent);
    try {
      const said = await intent.send(body, { onWaiting: waitingWords() });
      intents.delete(text);
      results.push(...said.results);
    } catch (problem) {
      if (!intent.unknown) intents.delete(text);
      report.prepend(problemBox(problem.words, (problem.reasons ?? []).slice(0, 20).map((one) => inRow(one, at))));
      return false;
    }
  }
  const count = (status) => results.filter((one) => one.status === status).length;
  fill(report, h("ul", { class: "outcome-counts" }, ["granted", "duplicate", "refused"].map((status) => h("li", null, h("strong", { class: "num" }, number(count(status))), badge("grant", status)))),
    table(rows, (row) => { const one = results[row.number - 1]; return [badge("grant", one.status), one.code ? ` ${has(`refusal.${one.code}`) ? t(`refusal.${one.code}`) : one.code}` : ""]; }));
  toast(t("grants.done", { n: count("granted") }));
  return true;
}
