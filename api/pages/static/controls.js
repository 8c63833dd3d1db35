// The standing controls: what was found, by control, each finding with the facts it is found by (A9).
import { fill, h, icon } from "./dom.js";
import { get } from "./http.js";
import { addressOf } from "./replay.js";
import { broken, field, loading, showProblem, wrongIn } from "./ui.js";
import { exact, factWords, number, t, when, word } from "./words.js";

/** So many findings of a control are shown; the file has all of them. */
const SHOWN = 40;
const SAMPLE = "random_sample";
const asked = { sample: 25, seed: "tallypost", dated_back_days: 7 };

/** The report on the log as it is now, run anew when its figures change. */
export async function controls(view, _, signal) {
  const place = h("div", null, loading(4));
  const draw = async () => {
    fill(place, loading(4));
    try {
      drawReport(place, await get(`/v1/audit/reports/controls?${new URLSearchParams(asked)}`, { signal }));
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.controls"))), h("p", { class: "quiet lead" }, t("controls.how")), form(draw), place);
  await draw();
}

function form(draw) {
  const problems = h("div", { class: "problem", hidden: true });
  const box = h("form", { class: "panel controls-form", novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const reasons = wrongIn(box);
    problems.hidden = true;
    if (reasons.length) { showProblem(box, { words: t("problem.invalid"), reasons }, problems); return; }
    for (const name of Object.keys(asked)) asked[name] = box.elements[name].value;
    draw();
  } },
  field("sample", t("controls.sample"), { type: "number", min: 0, max: 500, required: true, value: String(asked.sample), inputmode: "numeric" }),
  field("seed", t("controls.seed"), { required: true, maxlength: 100, value: asked.seed, autocomplete: "off", spellcheck: "false" }),
  field("dated_back_days", t("controls.days"), { type: "number", min: 0, max: 3650, required: true, value: String(asked.dated_back_days), inputmode: "numeric" }),
  h("button", { class: "primary", type: "submit" }, t("controls.run")), problems);
  return box;
}

function drawReport(place, report) {
  const found = findings(report);
  const names = report.parameters.controls;
  const count = names.filter((name) => name !== SAMPLE).reduce((sum, name) => sum + found.get(name).length, 0);
  fill(place,
    h("div", { class: "spread controls-head" },
      h("p", { class: `verdict-line${count ? "" : " good"}` }, icon(count ? "search" : "check"), t(count ? "controls.found" : "controls.clean", { n: count })),
      h("p", { class: "row" }, ["json", "csv"].map((format) => download(report, format)))),
    h("p", { class: "quiet small mono hash" }, t("books.head", { n: report.position, at: exact(report.head.recorded_at), root: report.head.root })),
    names.map((name) => control(name, found.get(name), report)));
}

/** By control, its findings: each the events that it is found by. */
function findings(report) {
  const found = new Map(report.parameters.controls.map((name) => [name, []]));
  let last = null;
  for (const row of report.rows) {
    const one = Object.fromEntries(report.columns.map((name, at) => [name, row[at]]));
    const of = found.get(one.control);
    if (last !== `${one.control} ${one.finding}`) of.push([]);
    last = `${one.control} ${one.finding}`;
    of.at(-1).push(one);
  }
  return found;
}

function download(report, format) {
  const query = new URLSearchParams({ ...asked, position: report.position, format });
  return h("a", { class: "tool", href: `/v1/audit/reports/controls?${query}`, download: `controls-${report.position}.${format}`, "aria-label": `${t("report.controls")}, ${format.toUpperCase()}` }, icon("down"), format.toUpperCase());
}

function control(name, found, report) {
  const count = found.length;
  const how = t(`controls.${name}_how`, { points: report.parameters.four_eyes_points, days: report.parameters.dated_back_days, seed: report.parameters.seed });
  return h("details", { class: "panel control", dataset: { control: name }, open: count > 0 && name !== SAMPLE },
    h("summary", null, h("h2", null, t(`controls.${name}`)), h("span", { class: `badge ${count && name !== SAMPLE ? "s-open" : "s-ok"}` }, number(count))),
    h("p", { class: "quiet" }, how),
    count ? h("ol", { class: "findings" }, found.slice(0, SHOWN).map(finding)) : null,
    count > SHOWN ? h("p", { class: "quiet small" }, t("controls.more", { n: count - SHOWN })) : null);
}

const finding = (facts) => h("li", null, facts.map(fact));

function fact(one) {
  const told = one.stored.event ?? {};
  return h("div", { class: "finding" },
    h("strong", null, factWords(one.fact)),
    h("a", { class: "mono", href: addressOf(one.stream) }, one.stream),
    h("span", { class: "quiet" }, told.actor),
    told.happened_at ? h("time", { class: "quiet num small", datetime: told.happened_at, title: exact(told.happened_at) }, when(told.happened_at)) : null,
    h("span", { class: "quiet num small finding-position" }, `#${number(one.position)}`),
    told.reason ? h("q", { class: "finding-reason" }, word("reason", told.reason)) : null);
}
