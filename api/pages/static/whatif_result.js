// What would have differed under another rule, as a table and as pictures (M6).
import { h, icon } from "./dom.js";
import { number, signed, t, warehouseName, word, yuan } from "./words.js";

const MONEY = ["freight_fen", "packaging_fen", "handling_fen", "total_fen"];
const SIDES = ["was", "would_be"];

/** The result of a rehearsal: deliveries, then points where their life was changed. */
export function resultOf({ deliveries, points, position }, warehouses) {
  return h("div", { class: "stack whatif-result" }, deliveriesOf(deliveries, warehouses), points ? pointsOf(points) : null,
    h("p", { class: "quiet small" }, t("whatif.at_position", { n: position })));
}

function deliveriesOf(found, warehouses) {
  const nothing = !found.differing && !found.impossible;
  return h("section", { class: "panel stack" }, h("h2", null, t("whatif.deliveries")),
    h("p", { class: "whatif-verdict" }, icon(nothing ? "check" : "search"), " ", t("whatif.differing", { n: found.differing, of: found.orders })),
    found.impossible ? h("p", { class: "bad-words" }, icon("warn"), " ", t("whatif.impossible", { n: found.impossible }), " ", found.impossible_orders.map((one) => [order(one), " "])) : null,
    found.unpriced ? h("p", { class: "quiet small" }, t("whatif.unpriced", { n: found.unpriced })) : null,
    sums([["parcels", number, signed], ...MONEY.map((name) => [name, yuan, gap(yuan)]), ["promised_hours", hours, gap(hours)]]
      .map(([name, shown, change]) => [t(`whatif.${name}`), found.was[name], found.would_be[name], shown, change])),
    h("div", { class: "two" }, picture(t("whatif.by_warehouse"), found.was.by_warehouse, found.would_be.by_warehouse, (code) => warehouseName(code, warehouses)),
      picture(t("whatif.by_carrier"), found.was.by_carrier, found.would_be.by_carrier, (code) => word("carrier", code))),
    found.examples.length ? examples(found.examples, warehouses) : null);
}

const hours = (value) => (value === null ? "–" : t("whatif.hours", { n: Math.round(value * 10) / 10 }));
const gap = (shown) => (value) => (value ? `${value > 0 ? "+" : "−"}${shown(Math.abs(value))}` : "0");
const order = (one) => h("a", { class: "mono", href: `#/packing/${encodeURIComponent(one)}` }, one);

/** Rows of words, both figures, and what lies between. */
function sums(rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("whatif.sums") }, h("table", { class: "dense" },
    h("thead", null, h("tr", null, h("th", null), ["was", "would_be", "change"].map((key) => h("th", { scope: "col", class: "right" }, t(`whatif.${key}`))))),
    h("tbody", null, rows.map(([label, was, would, shown, change]) => h("tr", null, h("th", { scope: "row" }, label),
      [was, would].map((value) => h("td", { class: "right num" }, value === null ? "–" : shown(value))),
      h("td", { class: "right num strong" }, was === null || would === null ? "–" : change(would - was)))))));
}

/** Pairs of bars, each as long as its share of the longest. */
function picture(title, was, would, name) {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(would)])].sort((a, b) => (would[b] ?? 0) - (would[a] ?? 0));
  const most = Math.max(1, ...Object.values(was), ...Object.values(would));
  if (!keys.length) return null;
  return h("figure", { class: "pairs" }, h("figcaption", null, title, h("span", { class: "quiet small pair-legend" }, SIDES.map((side) => h("span", null, h("i", { class: `swatch pair-${side}` }), t(`whatif.${side}`))))),
    h("dl", null, keys.map((key) => [h("dt", null, name(key)), SIDES.map((side) => {
      const value = (side === "was" ? was : would)[key] ?? 0;
      const bar = h("i", { class: `pair-${side}`, "aria-hidden": "true" });
      bar.style.width = `${(value / most) * 100}%`;
      return h("dd", null, h("span", { class: "visually-hidden" }, t(`whatif.${side}`)), h("span", { class: "pair-bar" }, bar), h("span", { class: "num" }, number(value)));
    })])));
}

function examples(found, warehouses) {
  const way = (parts) => h("ul", null, parts.map((one) => h("li", null, `${warehouseName(one.warehouse, warehouses)} → ${one.carrier ? word("carrier", one.carrier) : "–"} · ${t("whatif.units", { n: one.units })}${one.fen === null ? "" : ` · ${yuan(one.fen)}`}`)));
  return h("details", null, h("summary", null, t("whatif.examples", { n: found.length })),
    h("table", { class: "cards" }, h("thead", null, h("tr", null, [t("packing.order"), t("whatif.was"), t("whatif.would_be")].map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", null, found.map((one) => h("tr", null, h("td", { class: "full" }, order(one.order)), SIDES.map((side) => h("td", { class: "full", "data-label": t(`whatif.${side}`) }, way(one[side]))))))));
}

function pointsOf(found) {
  const { unaffordable } = found;
  return h("section", { class: "panel stack" }, h("h2", null, t("whatif.points")),
    sums([["expired", t("whatif.expired")], ["liability", t("whatif.liability")]].map(([name, label]) => [label, found[name].was, found[name].would_be, number, signed])),
    unaffordable.orders ? h("p", { class: "bad-words" }, icon("warn"), " ", t("whatif.unaffordable", { n: unaffordable.orders, points: unaffordable.points_short }), " ", unaffordable.examples.map((one) => [order(one), " "])) : h("p", null, t("whatif.all_affordable")),
    picture(t("whatif.by_month"), found.liability_by_month.was, found.liability_by_month.would_be, (month) => (month === "never" ? t("books.never") : month)));
}
