// What sending orders cost, by carrier, warehouse, channel or order, beside what was in them (W6).
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { broken, empty, loading } from "./ui.js";
import { daysAgo, number, plainDay, t, warehouseName, word, yuan } from "./words.js";

const PERIODS = [7, 30, 90, 365];
const BY = ["carrier", "warehouse", "channel", "order"];
const SUMS = ["freight", "packaging", "handling", "storage", "way_back", "sent_again", "total"];

/** The view: one period, summed up one way at a time. */
export async function costs(view, _, signal) {
  let [days, by] = [PERIODS[1], BY[0]];
  const place = h("div", null, loading(3));
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const names = { carrier: (key) => word("carrier", key), channel: (key) => word("channel", key), warehouse: (key) => warehouseName(key, warehouses) };
  const draw = async () => {
    try {
      fill(place, drawn(await get(fresh(`/v1/costs?by=${by}&since=${daysAgo(days - 1)}`), { signal }), names[by]));
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  const period = choice("days", t("carriers.period"), PERIODS.map((one) => [one, t("carriers.days", { n: one })]), days);
  const ways = choice("by", t("costs.by"), BY.map((one) => [one, t(`costs.by_${one}`)]), by);
  period.addEventListener("change", (event) => { days = Number(event.target.value); draw(); });
  ways.addEventListener("change", (event) => { by = event.target.value; draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.costs")), period), h("div", { class: "filters" }, ways), place);
  await draw();
}

function choice(name, legend, options, chosen) {
  return h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, legend),
    options.map(([value, words]) => h("label", { class: "chip" }, h("input", { type: "radio", name, value, checked: value === chosen }), h("span", null, words))));
}

function drawn(report, name) {
  if (!report.whole) return empty(t("costs.none"), t("costs.none_hint"));
  const { whole } = report;
  return [
    h("dl", { class: "panel account-figures bill-sums" }, figure("total", yuan(whole.total_fen)), figure("share", share(whole)), figure("each", yuan(Math.round(whole.total_fen / whole.orders))), figure("orders", number(whole.orders)), figure("billed", `${number(whole.billed)} / ${number(whole.parts)}`)),
    h("p", { class: "quiet small lead cost-lead" }, t("costs.how", { from: plainDay(report.since), until: plainDay(report.until) })),
    h("div", { class: "panel flush" }, h("table", { class: "cards paired costs-table" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t(`costs.by_${report.by}`)), ["orders", ...SUMS, "share"].map((key) => h("th", { scope: "col", class: "right" }, t(`costs.${key}`))))),
      h("tbody", null, report.costs.map((one) => row(one, name))))),
    report.left_out ? h("p", { class: "quiet small" }, t("costs.left_out", { n: report.left_out })) : null,
  ];
}

function row(one, name) {
  return h("tr", { dataset: { key: one.key } },
    h("td", null, name ? h("strong", null, one.key ? name(one.key) : "—") : h("a", { class: "mono", href: `#/packing/${one.key}` }, one.key)),
    cell("orders", number(one.orders)),
    SUMS.map((key) => cell(key, yuan(one[`${key}_fen`]), key === "freight" && one.rerouted ? planned(one) : null)),
    cell("share", share(one)));
}

const share = (one) => (one.permille_of_value === null ? "—" : t("carriers.percent", { n: one.permille_of_value / 10 }));
const figure = (key, words) => h("div", { dataset: { sum: key } }, h("dt", { class: "quiet small" }, t(`costs.${key}`)), h("dd", { class: "num" }, h("strong", null, words)));
const cell = (key, words, under) => h("td", { class: "right num", "data-label": t(`costs.${key}`) }, under ? h("span", null, words, under) : words);
/** What the plans were quoted, where parts went with another carrier (W4). */
const planned = (one) => h("span", { class: "quiet small planned" }, t("costs.planned", { fen: yuan(one.planned_fen), n: one.rerouted }));
