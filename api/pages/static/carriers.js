// How carriers do: whether parcels arrive when learners were told.
import { fill, h } from "./dom.js";
import { get } from "./http.js";
import { broken, empty, loading } from "./ui.js";
import { number, t, word } from "./words.js";

const PERIODS = [30, 90, 365];

/** The view: one period for all that is told. */
export async function carriers(view, _, signal) {
  let days = PERIODS[1];
  const held = h("div", null, loading(3));
  const period = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("carriers.period")),
    PERIODS.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "days", value: one, checked: one === days }), h("span", null, t("carriers.days", { n: one })))));
  const draw = () => drawn(held, signal, draw, async () => accuracy(await get(`/v1/carriers/arrivals?days=${days}`, { signal })));
  period.addEventListener("change", (event) => { days = Number(event.target.value); draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.carriers")), period),
    h("div", { class: "stack sections" },
      h("section", { "aria-labelledby": "accuracy" }, h("h2", { id: "accuracy", class: "section-head" }, t("carriers.accuracy")), held)));
  await draw();
}

async function drawn(place, signal, again, read) {
  try {
    fill(place, await read());
  } catch (problem) {
    if (!signal.aborted) fill(place, broken(problem, again));
  }
}

function accuracy({ aim_percent: aim, carriers: found }) {
  if (!found.length) return empty(t("carriers.accuracy_none"), t("carriers.accuracy_none_hint"));
  const figures = ["parcels", "inside", "early", "late", "width"];
  return [
    h("p", { class: "quiet small lead" }, t("carriers.accuracy_how", { n: aim })),
    h("div", { class: "panel flush" }, h("table", { class: "cards paired accuracy" },
      h("thead", null, h("tr", null, ["carrier", "said"].map((key) => h("th", { scope: "col" }, t(`carriers.${key}`))), figures.map((key) => h("th", { scope: "col", class: "right" }, t(`carriers.${key}`))))),
      h("tbody", null, found.map((one) => h("tr", { dataset: { carrier: one.carrier, milestone: one.milestone } },
        h("td", null, h("strong", null, word("carrier", one.carrier))),
        h("td", { "data-label": t("carriers.said") }, word("milestone", one.milestone)),
        cell("parcels", number(one.parcels)),
        cell("inside", t("carriers.percent", { n: one.percent }), one.percent < aim ? "warn-words" : ""),
        cell("early", number(one.early)),
        cell("late", number(one.late)),
        cell("width", t("carriers.hours", { n: one.window_hours }))))))),
  ];
}

const cell = (key, words, more = "") => h("td", { class: `right num ${more}`.trim(), "data-label": t(`carriers.${key}`) }, words);
