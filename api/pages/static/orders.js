// The learner's orders, newest first.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { contents } from "./contents.js";
import { after, badge, empty, loading, moreButton } from "./ui.js";
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
  const path = `/v1/orders${chosen ? `?status=${chosen}` : ""}`;
  const page = await get(fresh(path), { signal });
  if (!page.orders.length) {
    fill(list, empty(t("orders.none"), t("orders.none_hint"), h("a", { class: "button", href: "#/" }, t("orders.to_mall"))));
    return;
  }
  const rows = h("ul", { class: "order-list" }, page.orders.map(row));
  fill(list, rows, moreButton(rows, page.next, (cursor) => get(after(path, cursor), { signal }), (more) => rows.append(...more.orders.map(row))));
}

function row(order) {
  return h("li", null, h("a", { href: `#/orders/${order.number}` },
    contents(order, { pictures: true }),
    badge("status", order.status),
    h("span", { class: "quiet small order-row-when" }, when(order.placed_at), " · ", h("span", { class: "mono" }, order.number)),
    h("span", { class: "num order-row-points" }, `${number(order.points)} ${t("unit.points", { n: order.points })}`,
      order.cash_fen ? ` + ${yuan(order.cash_fen)}` : "")));
}
