// The catalogue as operations keep it: list, create, revise, put on and off sale.
import { calmly, fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { editItem } from "./item_form.js";
import { picture } from "./picture.js";
import { after, broken, empty, loading, moreButton, pagesOf } from "./ui.js";
import { names, number, t, yuan } from "./words.js";

/** The list of items. */
export async function items(view, _, signal) {
  const list = h("div", null, loading(5));
  const search = h("input", { type: "search", "aria-label": t("mall.search"), placeholder: t("mall.search"), autocomplete: "off" });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.items")),
    h("button", { class: "primary compact", type: "button", onclick: () => editItem(null, () => again()) }, icon("plus"), t("items.new"))),
  h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, h("div", { class: "search-box" }, icon("search"), search)), list);
  let rows = h("tbody");
  const again = () => draw(rows.childElementCount);
  const draw = async (least = 0) => {
    const path = `/v1/items?q=${encodeURIComponent(search.value.trim())}`;
    const ask = (cursor) => get(fresh(after(path, cursor)), { signal });
    try {
      const { rows: found, next } = await pagesOf(ask, "items", least);
      rows = h("tbody", null, found.map((item) => row(item, again)));
      fill(list, found.length ? table(rows) : empty(t("mall.none"), ""),
        moreButton(rows, next, ask, (page) => rows.append(...page.items.map((item) => row(item, again)))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, () => draw()));
    }
  };
  search.addEventListener("input", calmly(200, () => draw()));
  await draw();
}

function table(rows) {
  return h("div", { class: "panel flush" }, h("table", { class: "items-table" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("items.name")), h("th", { scope: "col", class: "wide-only" }, t("mall.kind")), h("th", { scope: "col", class: "right" }, t("items.price")), h("th", { scope: "col", class: "right wide-only" }, t("stock.free")), h("th", { scope: "col" }, t("packing.state")), h("th", null, h("span", { class: "visually-hidden" }, t("items.edit"))))),
    rows));
}

function row(item, changed) {
  return h("tr", { dataset: { sku: item.sku } },
    h("td", null, h("div", { class: "item-cell" }, h("div", { class: "stamp tiny" }, picture(item)), h("div", null, h("strong", null, names(item.name).main), h("p", { class: "mono quiet" }, item.sku)))),
    h("td", { class: "wide-only" }, t(`kind.${item.kind}`)),
    h("td", { class: "right" }, number(item.points), item.cash_fen ? h("p", { class: "quiet small" }, `+ ${yuan(item.cash_fen)}`) : null),
    h("td", { class: "right wide-only" }, item.available === null ? "∞" : number(item.available)),
    h("td", null, h("span", { class: `badge ${item.on_sale ? "s-ok" : ""}` }, t(item.on_sale ? "items.on_sale" : "items.off_sale"))),
    h("td", { class: "right" }, h("button", { class: "tool", type: "button", "aria-label": t("items.edit_of", { name: names(item.name).main }), onclick: () => editItem(item, changed) }, t("items.edit"))));
}
