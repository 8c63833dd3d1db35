// The learner's orders, newest first.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { badge, busily, empty, loading } from "./ui.js";
import { number, t, when, yuan } from "./words.js";

const STATUSES = ["", "pending_payment", "pending_shipment", "pending_receipt", "completed", "cancelled", "closed"];
let chosen = "";

/** The list of orders, by status. */
export async function orders(view, _, signal) {
  const list = h("div", null, loading(4));
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("orders.status")),
    STATUSES.map((status) => h("label", { class: "chip" },
      h("input", { type: "radio", name: "status", value: status, checked: status === chosen }),
      h("span", null, t(status ? `status.${status}` : "orders.all")))));
  filter.addEventListener("change", async (event) => { chosen = event.target.value; fill(list, loading(2)); await draw(list, signal); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("orders.title"))), filter, list);
  await draw(list, signal);
}

async function draw(list, signal) {
  const asked = chosen ? `?status=${chosen}` : "";
  const page = await get(fresh(`/v1/orders${asked}`), { signal });
  if (!page.orders.length) {
    fill(list, empty(t("orders.none"), t("orders.none_hint"), h("a", { class: "button", href: "#/" }, t("orders.to_mall"))));
    return;
  }
  const rows = h("ul", { class: "order-list" }, page.orders.map(row));
  fill(list, rows, page.next ? moreButton(rows, asked, page.next, signal) : null);
}

function moreButton(rows, asked, cursor, signal) {
  const button = h("button", { class: "button wide", type: "button", onclick: () => busily(button, async () => {
    const page = await get(`/v1/orders${asked ? `${asked}&` : "?"}cursor=${encodeURIComponent(cursor)}`, { signal });
    rows.append(...page.orders.map(row));
    cursor = page.next;
    if (!cursor) button.remove();
  }) }, t("app.more"));
  return button;
}

function row(order) {
  return h("li", null, h("a", { href: `#/orders/${order.number}` },
    h("span", { class: "order-row-number mono" }, order.number),
    badge("status", order.status),
    h("span", { class: "quiet small" }, when(order.placed_at)),
    h("span", { class: "num order-row-points" }, `${number(order.points)} ${t("unit.points", { n: order.points })}`,
      order.cash_fen ? ` + ${yuan(order.cash_fen)}` : "")));
}
