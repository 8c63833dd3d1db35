// Orders that wait for hands, found by state or by what somebody knows of them.
import { contents } from "./contents.js";
import { calmly, fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { search as searched } from "./search.js";
import { after, broken, empty, loading, moreButton, orderBadge } from "./ui.js";
import { number, t, when } from "./words.js";

const VIEWS = ["pending_shipment", "pending_receipt", "pending_payment"];
let chosen = VIEWS[0];

/** The list of orders that wait for hands. */
export async function packing(view, _, signal) {
  const list = h("div", null, loading(4));
  const search = h("input", { type: "search", "aria-label": t("packing.search"), placeholder: t("packing.search"), autocomplete: "off" });
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("orders.status")),
    VIEWS.map((status) => h("label", { class: "chip" }, h("input", { type: "radio", name: "status", value: status, checked: status === chosen }), h("span", null, t(`packing.${status}`)))));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.packing")),
    h("button", { class: "tool", type: "button", onclick: () => draw() }, t("app.refresh"))),
  h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, h("div", { class: "search-box" }, icon("search"), search), filter), list);
  const draw = async () => {
    const text = search.value.trim();
    const path = `/v1/orders?status=${chosen}`;
    try {
      const page = text.length >= 4 ? await searched(text, { signal }) : await get(fresh(path), { signal });
      const { table, add } = ordersTable(page.orders);
      fill(list, page.orders.length ? table : empty(t(text ? "packing.none_found" : "packing.none"), t(text ? "packing.none_found_hint" : "packing.none_hint")),
        moreButton(table.querySelector("tbody"), page.next, (cursor) => get(after(path, cursor), { signal }), (more) => add(more.orders)));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  filter.addEventListener("change", (event) => { chosen = event.target.value; search.value = ""; draw(); });
  search.addEventListener("input", calmly(250, draw));
  await draw();
}

/** Orders as rows that lead to the desk; `add` puts more of them below. */
export function ordersTable(orders, { learner = true } = {}) {
  const row = (one) => orderRow(one, learner);
  const rows = h("tbody", null, orders.map(row));
  const table = h("div", { class: "panel flush" }, h("table", { class: "cards orders-table" },
    h("thead", null, h("tr", null, ["packing.order", "packing.state", "packing.items", learner && "packing.learner", "packing.placed"].filter(Boolean).map((key) => h("th", { scope: "col" }, t(key))), h("th", { scope: "col", class: "right" }, t("unit.points", { n: 2 })))),
    rows));
  return { table, add: (more) => rows.append(...more.map(row)) };
}

function orderRow(one, learner) {
  return h("tr", null,
    h("td", null, h("a", { class: "mono strong-link", href: `#/packing/${one.number}` }, one.number)),
    h("td", null, orderBadge(one)),
    h("td", { class: "full order-items" }, contents(one, { left: true })),
    learner ? h("td", null, h("a", { href: `#/accounts/${encodeURIComponent(one.learner)}` }, one.learner)) : null,
    h("td", { class: "quiet" }, when(one.placed_at)),
    h("td", { class: "right", "data-label": t("unit.points", { n: 2 }) }, number(one.points)));
}
