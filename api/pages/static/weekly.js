// What a week brought, with the week before beside: made on the Monday after and kept as it was told (T9).
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { day, number, plainDay, t, word, yuan } from "./words.js";

const SECTIONS = { failure: "week_failure", delay: "delay", claim: "claim_fault", dispute: "claim_fault", return: "claim_fault" };

/** The view: one week, the newest if none is named. */
export async function weekly(view, [, asked], signal) {
  const { weeks, running } = await get(fresh("/v1/weeks"), { signal });
  const chosen = asked ?? weeks[0]?.week ?? running.week;
  const option = (one, words) => h("option", { value: one.week }, `${one.week} · ${words}`);
  const pick = h("select", { "aria-label": t("weekly.week") }, weeks.some((one) => one.week === running.week) ? null : option(running, t("weekly.so_far")), weeks.map((one) => option(one, plainDay(one.first_day))));
  pick.value = chosen;
  pick.addEventListener("change", () => { location.hash = `#/weekly/${pick.value}`; });
  const head = h("header", { class: "page-head" }, h("h1", null, t("tab.weekly")), pick);
  const week = await get(fresh(`/v1/weeks/${chosen}`), { signal });
  const of = reader(week.figures);
  fill(view, head,
    h("p", { class: "quiet small lead" }, week.reviewed_at
      ? t("weekly.how", { from: plainDay(week.first_day), until: plainDay(week.last_day), when: day(week.reviewed_at), n: week.upto })
      : t("weekly.how_so_far", { from: plainDay(week.first_day), n: week.upto })),
    h("dl", { class: "tiles week-tiles" }, tiles(of)),
    h("div", { class: "stack sections" }, carriers(of), causes(of), hours(of), districts(of, week.places)));
}

/** Figures by section, key and name; `at` is 0 for the week and 1 for the week before. */
function reader(figures) {
  const known = new Map(figures.map((one) => [`${one.section}/${one.key}/${one.name}`, [one.value, one.before]]));
  const pair = (section, key, name) => known.get(`${section}/${key}/${name}`) ?? [0, 0];
  const keys = (section) => [...new Set(figures.filter((one) => one.section === section).map((one) => one.key))];
  // Reviews of before did not tell apart what nobody promised: refused goods that were sent again.
  const promised = figures.some((one) => one.name === "promised") ? "promised" : "arrived";
  return { pair, keys, promised, whole: (name) => pair("week", "", name) };
}

const both = (pair, other, make) => [0, 1].map((at) => make(pair[at], other?.[at]));
const share = (part, all) => (all ? t("carriers.percent", { n: Math.round((1000 * part) / all) / 10 }) : "—");
const average = (sum, n) => (n ? number(Math.round((100 * sum) / n) / 100) : "—");
const each = (sum, n) => (n ? yuan(Math.round(sum / n)) : "—");

function tiles({ promised, whole }) {
  const costs = [0, 1].map((at) => ["freight_fen", "packaging_fen", "handling_fen", "storage_fen", "way_back_fen", "sent_again_fen"].reduce((sum, name) => sum + whole(name)[at], 0));
  return [
    ["orders", both(whole("orders"), null, number)],
    ["handed_over", both(whole("handed_over"), null, number)],
    ["arrived", both(whole("arrived"), null, number)],
    ["on_time", both(whole("on_time"), whole(promised), share)],
    ["first_try", both(whole("first_try"), whole("tried"), share)],
    ["claims", both(whole("claims"), null, number)],
    ["claimed", both(whole("claimed_fen"), null, yuan)],
    ["returns", both(whole("returns"), null, number)],
    ["costs", both(costs, null, yuan)],
    ["cost_share", both(costs, whole("value_fen"), share)],
    ["stars", both(whole("delivery_stars"), whole("delivered"), average)],
    ["goods", both(whole("goods_stars"), whole("ratings"), average)],
  ].map(([key, [now, before]]) => h("div", { class: "panel tile", dataset: { figure: key } }, h("dt", { class: "quiet small" }, t(`weekly.${key}`)), h("dd", null, h("strong", { class: "tile-figure num" }, now), h("p", { class: "quiet small" }, t("weekly.before", { value: before })))));
}

const section = (id, ...content) => h("section", { "aria-labelledby": `week-${id}` }, h("h2", { id: `week-${id}`, class: "section-head" }, t(`weekly.${id}`)), content);

function table(first, columns, rows, className = "") {
  return h("div", { class: "panel flush" }, h("table", { class: `cards paired ${className}`.trim() },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, first), columns.map((key) => h("th", { scope: "col", class: "right" }, t(`weekly.${key}`))))),
    h("tbody", null, rows.map(([name, cells]) => h("tr", null, h("td", null, h("strong", null, name)), cells.map(([now, before], at) => h("td", { class: "right num", "data-label": t(`weekly.${columns[at]}`) }, now, " ", h("span", { class: "quiet small" }, t("weekly.beside", { value: before })))))))));
}

/** The worst first: by the share that arrived on time, then by that of first attempts. */
function carriers({ pair, keys, promised }) {
  const rate = (key, part, all) => { const [n] = pair("carrier", key, all); return n ? pair("carrier", key, part)[0] / n : 2; };
  const order = keys("carrier").sort((one, other) => rate(one, "on_time", promised) - rate(other, "on_time", promised) || rate(one, "first_try", "tried") - rate(other, "first_try", "tried") || one.localeCompare(other));
  if (!order.length) return null;
  const of = (key, part, all, make) => both(pair("carrier", key, part), all && pair("carrier", key, all), make);
  return section("carriers", h("p", { class: "quiet small lead" }, t("weekly.worst")), table(t("carriers.carrier"), ["handed_over", "on_time", "first_try", "claims", "freight_each", "stars"], order.map((key) => [word("carrier", key), [
    of(key, "handed_over", null, number), of(key, "on_time", promised, share), of(key, "first_try", "tried", share), of(key, "claims", null, number), of(key, "freight_fen", "parts", each), of(key, "delivery_stars", "delivered", average)]])));
}

function causes({ pair, keys }) {
  const rows = Object.entries(SECTIONS).flatMap(([name, words]) => keys(name).map((key) => [`${t(`weekly.${name}`)}${t("app.colon")}${word(words, key)}`, pair(name, key, "times")]))
    .sort((one, other) => other[1][0] - one[1][0]);
  return rows.length ? section("causes", table(t("bills.cause"), ["times"], rows.map(([name, times]) => [name, [both(times, null, number)]]))) : null;
}

function hours({ pair, keys }) {
  const known = keys("hour").sort((one, other) => one - other);
  return known.length ? section("hours", table(t("weekly.hour"), ["tried", "first_try"], known.map((key) => [`${key}:00`, [both(pair("hour", key, "tried"), null, number), both(pair("hour", key, "first_try"), pair("hour", key, "tried"), share)]]))) : null;
}

function districts({ pair, keys }, places) {
  const failed = (key) => pair("district", key, "tried")[0] - pair("district", key, "first_try")[0];
  const known = keys("district").sort((one, other) => failed(other) - failed(one));
  return known.length ? section("districts", table(t("carriers.district"), ["tried", "first_try"], known.map((key) => [places[key] ?? key, [both(pair("district", key, "tried"), null, number), both(pair("district", key, "first_try"), pair("district", key, "tried"), share)]]))) : null;
}
