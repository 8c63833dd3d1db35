// The learner's points: balance and statement with the running balance.
import { fill, h } from "./dom.js";
import { drawBalance, me } from "./ledger.js";
import { drawStatement } from "./statement.js";
import { loading } from "./ui.js";
import { t } from "./words.js";

/** Balance and statement. */
export async function points(view, _, signal) {
  const top = h("div", { class: "points-top" }, loading(1));
  const list = h("div", null, loading(4));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("points.title"))), top,
    h("section", { class: "panel statement" }, h("h2", null, t("points.statement")), list));
  await Promise.all([drawBalance(top, signal, { full: true }),
    drawStatement(list, me, signal, { orderLink: (order) => `#/orders/${order}`, hint: t("points.none_hint") })]);
}
