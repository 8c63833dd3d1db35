// Stock by item and warehouse: goods arrive, are counted, move.
import { calmly, fill, h, icon } from "./dom.js";
import { askFor, whole } from "./asking.js";
import { fresh, get } from "./http.js";
import { picture } from "./picture.js";
import { after, broken, empty, field, loading, moreButton, pagesOf } from "./ui.js";
import { names, number, t, warehouseName } from "./words.js";

/** The shelves. */
export async function stock(view, _, signal) {
  const list = h("div", null, loading(5));
  const search = h("input", { type: "search", "aria-label": t("mall.search"), placeholder: t("mall.search"), autocomplete: "off" });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.stock"))),
    h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, h("div", { class: "search-box" }, icon("search"), search)), list);
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  let read = 0;
  const shelves = (items) => items.filter((item) => item.kind === "parcel" || item.stock.length || item.seat_quota).map((item) => shelf(item, warehouses, () => draw(read)));
  const draw = async (least = 0) => {
    const path = `/v1/items?q=${encodeURIComponent(search.value.trim())}`;
    const ask = (cursor) => get(fresh(after(path, cursor)), { signal });
    try {
      const { rows, next } = await pagesOf(ask, "items", least);
      read = rows.length;
      const shown = h("ul", { class: "shelves" }, shelves(rows));
      fill(list, rows.length ? shown : empty(t("mall.none"), ""), moreButton(shown, next, ask, (page) => {
        read += page.items.length;
        shown.append(...shelves(page.items));
      }));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, () => draw()));
    }
  };
  search.addEventListener("input", calmly(200, () => draw()));
  await draw();
}

function shelf(item, warehouses, changed) {
  const name = names(item.name);
  const rows = item.stock;
  const most = Math.max(1, ...rows.map((row) => row.free + row.reserved));
  return h("li", { class: "panel shelf", dataset: { sku: item.sku } },
    h("div", { class: "shelf-head" }, h("div", { class: "stamp tiny" }, picture(item)),
      h("div", null, h("h2", null, name.main), h("p", { class: "mono quiet" }, item.sku)),
      h("div", { class: "row shelf-actions" },
        h("button", { class: "button compact", type: "button", onclick: () => receive(item, warehouses, changed) }, t("stock.receive")),
        item.kind === "parcel" && rows.length ? h("button", { class: "button compact", type: "button", onclick: () => transfer(item, warehouses, changed) }, t("stock.transfer")) : null)),
    rows.length ? h("table", { class: "cards stock-table" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("stock.warehouse")), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("stock.share"))), ["free", "reserved", "picked"].map((key) => h("th", { scope: "col", class: "right" }, THERE.includes(key) ? h("i", { class: `key bar-${key}`, "aria-hidden": "true" }) : null, t(`stock.${key}`))), h("th", null, h("span", { class: "visually-hidden" }, t("stock.count"))))),
      h("tbody", null, rows.map((row) => h("tr", null,
        h("td", null, warehouseName(row.warehouse, warehouses)),
        h("td", { class: "full" }, bar(row, most)),
        ["free", "reserved", "picked"].map((key) => h("td", { class: "right", "data-label": t(`stock.${key}`) }, number(row[key]), key === "free" && row.withheld ? h("p", { class: "quiet small" }, t("stock.withheld", { n: row.withheld })) : null)),
        h("td", { class: "right stock-tools" }, [["count", count], ["scrap", scrap]].filter(([key]) => key === "count" || row.free > 0).map(([key, open]) =>
          h("button", { class: "tool", type: "button", "aria-label": t(`stock.${key}_of`, { name: name.main, warehouse: warehouseName(row.warehouse, warehouses) }), onclick: () => open(item, row, changed) }, t(`stock.${key}`)))))))) : h("p", { class: "quiet small" }, t("stock.nothing")));
}

/** What is on the shelf; what was picked so far only grows. */
const THERE = ["free", "reserved"];

function bar(row, most) {
  const part = (key) => {
    const one = h("i", { class: `bar-${key}` });
    one.style.width = `${(row[key] / most) * 100}%`;
    return one;
  };
  return h("div", { class: "bar", "aria-hidden": "true" }, THERE.map(part));
}

const choices = (item, warehouses) => (item.kind === "course" ? [["seats", t("warehouse.seats")]] : warehouses.map((one) => [one.code, warehouseName(one.code, warehouses)]));
const quantity = (label) => field("quantity", label, { type: "number", min: 1, max: 1000000, inputmode: "numeric", required: true });

function receive(item, warehouses, done) {
  askFor({ title: t("stock.receive_of", { name: names(item.name).main }), path: "/v1/stock/receipts", done, label: t("stock.receive"),
    fields: [field("warehouse", t("stock.warehouse"), { required: true, options: choices(item, warehouses) }), quantity(t("stock.quantity")), field("reference", t("stock.reference"), { maxlength: 200 })],
    read: (form) => ({ sku: item.sku, warehouse: form.warehouse.value, quantity: whole(form.quantity), ...(form.reference.value.trim() ? { reference: form.reference.value.trim() } : {}) }) });
}

function count(item, row, done) {
  askFor({ title: t("stock.count_title", { name: names(item.name).main }), path: "/v1/stock/counts", done, label: t("stock.count_save"),
    fields: [h("p", { class: "quiet" }, t("stock.count_how", { n: row.free })), field("counted", t("stock.counted"), { type: "number", min: 0, max: 10000000, inputmode: "numeric", required: true }), field("reason", t("cancel.reason"), { required: true, maxlength: 200 })],
    read: (form) => ({ sku: item.sku, warehouse: row.warehouse, counted: whole(form.counted), reason: form.reason.value.trim() }) });
}

function scrap(item, row, done) {
  askFor({ title: t("stock.scrap_title", { name: names(item.name).main }), path: "/v1/stock/scrappings", done, label: t("stock.scrap"), danger: true, belongs: { out_of_stock: "quantity" },
    fields: [h("p", { class: "quiet" }, t("stock.scrap_how", { n: row.free })), quantity(t("stock.quantity")), field("reason", t("cancel.reason"), { required: true, maxlength: 500 })],
    read: (form) => ({ sku: item.sku, warehouse: row.warehouse, quantity: whole(form.quantity), reason: form.reason.value.trim() }) });
}

function transfer(item, warehouses, done) {
  const from = item.stock.filter((row) => row.free > 0).map((row) => [row.warehouse, `${warehouseName(row.warehouse, warehouses)} (${number(row.free)})`]);
  askFor({ title: t("stock.transfer_of", { name: names(item.name).main }), path: "/v1/stock/transfers", done, label: t("stock.transfer"), belongs: { out_of_stock: "quantity" },
    fields: [field("from_warehouse", t("stock.from"), { required: true, options: from }), field("to_warehouse", t("stock.to"), { required: true, options: choices(item, warehouses) }), quantity(t("stock.quantity"))],
    read: (form) => ({ sku: item.sku, from_warehouse: form.from_warehouse.value, to_warehouse: form.to_warehouse.value, quantity: whole(form.quantity) }) });
}
