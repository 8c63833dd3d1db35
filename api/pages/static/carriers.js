// How carriers do: scorecards, whether parcels arrive when learners were told, where and when they do.
import { fill, h } from "./dom.js";
import { get } from "./http.js";
import { heatMap } from "./heat.js";
import { broken, empty, loading } from "./ui.js";
import { number, t, word, yuan } from "./words.js";

const PERIODS = [30, 90, 365];
const PLACES = ["district", "compound"];

/** The view: one period for all that is told. */
export async function carriers(view, _, signal) {
  let [days, by] = [PERIODS[1], PLACES[0]];
  const [scores, held, heat] = [1, 2, 3].map(() => h("div", null, loading(3)));
  const period = choice("days", t("carriers.period"), PERIODS.map((one) => [one, t("carriers.days", { n: one })]), days);
  const places = choice("by", t("carriers.by"), PLACES.map((one) => [one, t(`carriers.${one}`)]), by);
  const ask = async (path) => get(`/v1/carriers/${path}`, { signal });
  const drawHeat = () => drawn(heat, signal, drawHeat, async () => heatMap((await ask(`deliveries?days=${days}&by=${by}`)).places));
  const draw = () => Promise.all([
    drawn(scores, signal, draw, async () => scorecards((await ask(`scorecards?days=${days}`)).carriers)),
    drawn(held, signal, draw, async () => accuracy(await ask(`arrivals?days=${days}`))),
    drawHeat(),
  ]);
  period.addEventListener("change", (event) => { days = Number(event.target.value); draw(); });
  places.addEventListener("change", (event) => { by = event.target.value; drawHeat(); });
  const section = (id, place, ...beside) => h("section", { "aria-labelledby": id }, h("div", { class: "spread section-head" }, h("h2", { id }, t(`carriers.${id}`)), beside), place);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.carriers")), period),
    h("div", { class: "stack sections" }, section("scorecards", scores), section("accuracy", held), section("heat", heat, places)));
  await draw();
}

/** Chips of which one is chosen. */
function choice(name, legend, options, chosen) {
  return h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, legend),
    options.map(([value, words]) => h("label", { class: "chip" }, h("input", { type: "radio", name, value, checked: value === chosen }), h("span", null, words))));
}

async function drawn(place, signal, again, read) {
  try {
    fill(place, await read());
  } catch (problem) {
    if (!signal.aborted) fill(place, broken(problem, again));
  }
}

function scorecards(found) {
  if (!found.length) return empty(t("carriers.scorecards_none"), "");
  const percent = (value) => (value === null ? "—" : t("carriers.percent", { n: value }));
  const columns = {
    parcels: (one) => number(one.parcels),
    on_time: (one) => percent(one.on_time_percent),
    first_try: (one) => percent(one.first_try_percent),
    median: (one) => (one.median_hours === null ? "—" : t("carriers.hours", { n: one.median_hours })),
    lost: (one) => number(one.lost),
    damaged: (one) => number(one.damaged),
    complaints: (one) => number(one.complaints_per_1000),
    parcel_cost: (one) => (one.parcel_fen === null ? "—" : yuan(one.parcel_fen)),
    stars: (one) => (one.stars === null ? "—" : t("carriers.stars_of", { n: one.stars, of: one.ratings })),
    claims: (one) => `${yuan(one.claimed_fen)} / ${yuan(one.paid_fen)}`,
  };
  return h("div", { class: "panel flush" }, h("table", { class: "cards paired scorecards" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("carriers.carrier")), Object.keys(columns).map((key) => h("th", { scope: "col", class: "right" }, t(`carriers.${key}`))))),
    h("tbody", null, found.map((one) => h("tr", { dataset: { carrier: one.carrier } }, h("td", null, h("strong", null, word("carrier", one.carrier))),
      Object.entries(columns).map(([key, words]) => cell(key, words(one), key === "claims" ? "full" : "")))))));
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
