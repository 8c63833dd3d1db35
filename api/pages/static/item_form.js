// The form of one item: what it is, what it costs, how it is kept and sent (C1).
import { askFor, hsCode, whole } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { localTime, names, t, zoned } from "./words.js";

const CLASSES = ["paper", "metal", "stone", "wood", "rattan", "general"];
const HARMS = ["fragile", "moisture", "dryness", "heat", "frost", "corrosion"];
const SIDES = ["size_length", "size_width", "size_height"];  // `length` alone is how many controls a form has
const NOT_TERMS = ["sku", "on_sale", "available", "stock"];
const NEW = { kind: "parcel", storage_class: "general", packaging_class: "standard", sensitive_to: [], on_sale: true, unit: "件" };

/** Revise an item, or list a new one. */
export function editItem(item, done) {
  const old = item ?? NEW;
  const value = (name) => (old[name] === null || old[name] === undefined ? "" : String(old[name]));
  const text = (name, maxlength, required = false, more) => field(name, t(`items.${name}`), { maxlength, required, value: value(name) }, more);
  const count = (name, required, props = {}) => field(name, t(`items.${name}`), { type: "number", min: 0, inputmode: "numeric", required, value: value(name), ...props });
  const yuan = (name, label, required) => field(name, label, { type: "number", min: 0, max: 100000000, step: "0.01", inputmode: "decimal", required, value: old[name] === undefined ? "" : String(old[name] / 100) });
  const check = (name, label, checked) => h("label", { class: "check" }, h("input", { type: "checkbox", name, checked: Boolean(checked) }), label);
  const moment = (name) => field(name, t(`items.${name}`), { type: "datetime-local", value: old[name] ? localTime(old[name]) : "" });
  const further = h("details", { class: "further" }, h("summary", null, t("items.further")), h("div", { class: "stack" },
    h("div", { class: "grid-3" }, SIDES.map((side, place) => field(side, t(`items.${side}`), { type: "number", min: 1, max: 10000, inputmode: "numeric", value: old.size_millimetres ? String(old.size_millimetres[place]) : "" }))),
    h("div", { class: "grid-2" }, text("material", 100), text("packaging_class", 40)),
    h("div", { class: "grid-2" }, moment("sale_from"), moment("sale_until")),
    field("pictures", t("items.pictures"), { rows: 2, spellcheck: "false", value: (old.pictures ?? []).join("\n") }, { hint: t("items.pictures_hint") }),
    customsFields(old.customs ?? {}),
    text("freight_override", 200, false, { hint: t("items.freight_override_hint") }),
    h("div", { class: "row" }, check("learner_pays_freight", t("items.learner_pays_freight"), old.learner_pays_freight), check("seat_quota", t("items.seat_quota"), old.seat_quota))));
  askFor({
    title: item ? t("items.edit_of", { name: names(item.name).main }) : t("items.new"), path: "/v1/items", wide: true, done,
    fields: [
      h("div", { class: "grid-2" }, field("sku", "SKU", { required: true, maxlength: 64, value: value("sku"), readonly: Boolean(item) }, { hint: item ? null : t("items.sku_hint") }), field("kind", t("mall.kind"), { required: true, value: old.kind, options: [["parcel", t("kind.parcel")], ["course", t("kind.course")]] })),
      text("name", 200, true, { hint: t("items.name_hint") }),
      h("div", { class: "grid-2" }, text("specification", 200), text("unit", 20)),
      h("div", { class: "grid-3" }, count("points", true, { max: 1000000000 }), yuan("cash_fen", t("items.cash"), false), yuan("market_value_fen", t("items.market_value"), true)),
      h("div", { class: "grid-3" }, count("weight_grams", false, { max: 1000000 }), count("limit_per_learner", false, { min: 1, max: 1000000 }), field("storage_class", t("items.storage_class"), { required: true, value: old.storage_class, options: CLASSES.map((one) => [one, t(`class.${one}`)]) })),
      h("fieldset", null, h("legend", { class: "legend" }, t("items.sensitive")), h("div", { class: "row" }, HARMS.map((harm) =>
        h("label", { class: "check" }, h("input", { type: "checkbox", name: "sensitive_to", value: harm, checked: old.sensitive_to.includes(harm) }), t(`harm.${harm}`))))),
      further, check("on_sale", t("items.sell"), old.on_sale)],
    wrong: (form) => {
      const given = SIDES.filter((side) => form[side].value.trim());
      const gaps = given.length ? SIDES.filter((side) => !given.includes(side)) : [];
      return gaps.map((side) => ({ field: side, words: t("items.all_sides") }));
    },
    belongs: { freight_too_dear: "freight_override" }, read: (form) => terms(form, item),
  });
}

/** What customs ask of an item that is sent abroad (T7). */
function customsFields(old) {
  const one = (name, props = {}, more) => field(`customs.${name}`, t(`items.${name}`), { value: old[name] ?? "", ...props }, more);
  return h("fieldset", { class: "stack" }, h("legend", { class: "legend" }, t("items.customs")),
    h("div", { class: "grid-2" }, one("hs_code", { inputmode: "numeric" }, { hint: t("items.hs_code_hint") }), one("origin", {}, { hint: t("items.origin_hint") })),
    one("english_name"),
    one("barred_from", { value: (old.barred_from ?? []).join(", ") }, { hint: t("items.barred_from_hint") }));
}

function customsOf(form) {
  const words = (name) => form[`customs.${name}`].value.trim();
  const found = {
    hs_code: hsCode(form["customs.hs_code"]), english_name: words("english_name") || null, origin: words("origin").toUpperCase() || null,
    barred_from: words("barred_from").toUpperCase().split(/[\s,，、;；]+/).filter(Boolean),
  };
  return Object.values(found).some((one) => one?.length) ? found : null;
}

/** What was typed, with whatever else the item has. */
function terms(form, item) {
  const words = (name) => form[name].value.trim();
  const fen = (name) => Math.round(Number(form[name].value) * 100);
  return {
    ...Object.fromEntries(Object.entries(item ?? {}).filter(([name]) => !NOT_TERMS.includes(name))),
    sku: words("sku"), kind: form.kind.value, name: words("name"), specification: words("specification"), unit: words("unit") || NEW.unit,
    points: whole(form.points), cash_fen: fen("cash_fen"), market_value_fen: fen("market_value_fen"),
    weight_grams: whole(form.weight_grams) ?? undefined, limit_per_learner: whole(form.limit_per_learner), storage_class: form.storage_class.value,
    sensitive_to: [...form.sensitive_to].filter((one) => one.checked).map((one) => one.value),
    size_millimetres: words("size_length") ? SIDES.map((side) => whole(form[side])) : null,
    material: words("material"), packaging_class: words("packaging_class") || NEW.packaging_class,
    sale_from: zoned(words("sale_from")), sale_until: zoned(words("sale_until")),
    pictures: words("pictures").split(/\s+/).filter(Boolean),
    customs: customsOf(form), freight_override: words("freight_override") || null, learner_pays_freight: form.learner_pays_freight.checked, seat_quota: form.seat_quota.checked,
    on_sale: form.on_sale.checked,
  };
}
