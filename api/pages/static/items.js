// The catalogue as operations keep it: list, create, revise, put on and off sale.
import { calmly, fill, h, icon } from "./dom.js";
import { askFor, whole } from "./asking.js";
import { fresh, get } from "./http.js";
import { picture } from "./picture.js";
import { after, broken, empty, field, loading, moreButton, pagesOf } from "./ui.js";
import { names, number, t, yuan } from "./words.js";

const CLASSES = ["paper", "metal", "stone", "wood", "rattan", "general"];
const HARMS = ["fragile", "moisture", "dryness", "heat", "frost", "corrosion"];
const NOT_TERMS = ["sku", "on_sale", "available", "stock"];

/** The list of items. */
export async function items(view, _, signal) {
  const list = h("div", null, loading(5));
  const search = h("input", { type: "search", "aria-label": t("mall.search"), placeholder: t("mall.search"), autocomplete: "off" });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.items")),
    h("button", { class: "primary compact", type: "button", onclick: () => edit(null, () => again()) }, icon("plus"), t("items.new"))),
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
    h("td", { class: "right" }, h("button", { class: "tool", type: "button", "aria-label": t("items.edit_of", { name: names(item.name).main }), onclick: () => edit(item, changed) }, t("items.edit"))));
}

function edit(item, done) {
  const old = item ?? { kind: "parcel", storage_class: "general", sensitive_to: [], on_sale: true, unit: "件" };
  const value = (name) => (old[name] === null || old[name] === undefined ? "" : String(old[name]));
  const count = (name, required, props = {}) => field(name, t(`items.${name}`), { type: "number", min: 0, inputmode: "numeric", required, value: value(name), ...props });
  const yuanField = (name, label, required) => field(name, label, { type: "number", min: 0, step: "0.01", inputmode: "decimal", required, value: old[name] === undefined ? "" : String(old[name] / 100) });
  const harms = HARMS.map((harm) => h("label", { class: "check" }, h("input", { type: "checkbox", name: "sensitive_to", value: harm, checked: old.sensitive_to.includes(harm) }), t(`harm.${harm}`)));
  const onSale = h("label", { class: "check" }, h("input", { type: "checkbox", name: "on_sale", checked: old.on_sale }), t("items.sell"));
  askFor({
    title: item ? t("items.edit_of", { name: names(item.name).main }) : t("items.new"), path: "/v1/items", wide: true, done,
    fields: [
      h("div", { class: "grid-2" }, field("sku", "SKU", { required: true, maxlength: 64, value: value("sku"), readonly: Boolean(item) }, { hint: item ? null : t("items.sku_hint") }), field("kind", t("mall.kind"), { required: true, value: old.kind, options: [["parcel", t("kind.parcel")], ["course", t("kind.course")]] })),
      field("name", t("items.name"), { required: true, maxlength: 200, value: value("name") }, { hint: t("items.name_hint") }),
      h("div", { class: "grid-2" }, field("specification", t("items.specification"), { maxlength: 200, value: value("specification") }), field("unit", t("items.unit"), { maxlength: 20, value: value("unit") })),
      h("div", { class: "grid-3" }, count("points", true), yuanField("cash_fen", t("items.cash"), false), yuanField("market_value_fen", t("items.market_value"), true)),
      h("div", { class: "grid-3" }, count("weight_grams", false), count("limit_per_learner", false, { min: 1 }), field("storage_class", t("items.storage_class"), { required: true, value: old.storage_class, options: CLASSES.map((one) => [one, t(`class.${one}`)]) })),
      h("fieldset", null, h("legend", { class: "legend" }, t("items.sensitive")), h("div", { class: "row" }, harms)),
      onSale,
    ],
    read: (form) => ({
      ...Object.fromEntries(Object.entries(item ?? {}).filter(([name]) => !NOT_TERMS.includes(name))),
      sku: form.sku.value.trim(), kind: form.kind.value, name: form.name.value.trim(),
      specification: form.specification.value.trim(), unit: form.unit.value.trim() || "件",
      points: whole(form.points), cash_fen: Math.round(Number(form.cash_fen.value) * 100), market_value_fen: Math.round(Number(form.market_value_fen.value) * 100),
      weight_grams: whole(form.weight_grams) ?? 0, limit_per_learner: whole(form.limit_per_learner), storage_class: form.storage_class.value,
      sensitive_to: [...form.sensitive_to].filter((one) => one.checked).map((one) => one.value),
      on_sale: form.on_sale.checked,
    }),
  });
}
