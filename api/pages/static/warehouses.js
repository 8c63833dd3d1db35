// The warehouses: where they are, what they keep and serve, what they cost and manage a day (C2).
import { askFor, whole } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { empty, field, loading } from "./ui.js";
import { countryOf, number, regionName, t, warehouseName, yuan } from "./words.js";

const CLASSES = ["paper", "metal", "stone", "wood", "rattan", "general"];
const EVERYWHERE = "*";
const OFFICE = ["name", "phone", "address"];
const NEW = { serves: [EVERYWHERE], stores: [], packaging_fen: 0, handling_fen: 0, storage_fen_per_unit_month: 0, cut_off: "16:00", daily_capacity: 1000, service_hours: 24 };

/** The list of warehouses. */
export async function warehouses(view, _, signal) {
  const list = h("div", null, loading(3));
  const draw = async () => {
    const [{ warehouses: found }, { countries }] = await Promise.all([get(fresh("/v1/warehouses"), { signal }), get("/v1/addresses/countries", { signal })]);
    const reached = new Map(countries.map((one) => [one.code, one.warehouses]));
    fill(list, found.length ? h("ul", { class: "stack" }, found.map((one) => card(one, found, reached, draw))) : empty(t("warehouses.none"), t("warehouses.none_hint")));
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.warehouses")),
    h("button", { class: "primary compact", type: "button", onclick: () => edit(null, draw) }, icon("plus"), t("warehouses.new"))), list);
  await draw();
}

function card(one, all, reached, changed) {
  // By no card of its own: that another warehouse's goes there helps this one nothing.
  const stuck = one.serves.filter((each) => countryOf(each) && !reached.get(countryOf(each))?.includes(one.code));
  const row = (key, value, className = null) => [h("dt", { class: className }, t(`warehouses.${key}`)), h("dd", { class: className }, value)];
  const name = warehouseName(one.code, all);
  return h("li", { class: "panel warehouse", dataset: { warehouse: one.code } },
    h("div", { class: "spread" }, h("div", null, h("h2", null, name), h("p", { class: "quiet small" }, h("span", { class: "mono" }, one.code), ` · ${one.province} ${one.city}`, one.third_party ? ` · ${t("warehouses.third_party")}` : "")),
      h("button", { class: "button compact", type: "button", "aria-label": t("warehouses.edit_of", { name }), onclick: () => edit(one, changed) }, t("items.edit"))),
    h("dl", { class: "about warehouse-facts" },
      row("serves", one.serves.map((each) => (each === EVERYWHERE ? t("warehouses.everywhere") : regionName(each))).join(t("app.and")), "long"),
      stuck.length ? row("no_card", h("span", { class: "bad-words" }, stuck.map(regionName).join(t("app.and"))), "long") : null,
      row("stores", one.stores.length ? one.stores.map((each) => t(`class.${each}`)).join(t("app.and")) : t("warehouses.stores_all"), "long"),
      row("office", one.office ? `${one.office.name} · ${one.office.phone} · ${one.office.address}` : h("span", { class: "bad-words" }, t("warehouses.office_missing")), "long"),
      row("cut_off", one.cut_off.slice(0, 5)), row("daily_capacity", number(one.daily_capacity)), row("service_hours", number(one.service_hours)),
      one.max_weight_grams ? row("max_weight_grams", number(one.max_weight_grams)) : null,
      row("packaging_fen", yuan(one.packaging_fen)), row("handling_fen", yuan(one.handling_fen)), row("storage_fen_per_unit_month", yuan(one.storage_fen_per_unit_month))));
}

function edit(one, done) {
  const old = one ?? NEW;
  const text = (name, props = {}, more) => field(name, t(`warehouses.${name}`), { value: old[name] ?? "", required: true, maxlength: 100, ...props }, more);
  const count = (name, max, required = true) => text(name, { type: "number", min: 1, max, inputmode: "numeric", required, value: old[name] === null || old[name] === undefined ? "" : String(old[name]) });
  const said = (name, props) => field(`office.${name}`, t(`warehouses.office_${name}`), { value: old.office?.[name] ?? "", required: false, ...props });
  const money = (name) => text(name, { type: "number", min: 0, max: 100000000, step: "0.01", inputmode: "decimal", value: String(old[name] / 100) });
  askFor({
    title: one ? t("warehouses.edit_of", { name: one.name }) : t("warehouses.new"), path: "/v1/warehouses", wide: true, done,
    fields: [
      h("div", { class: "grid-2" }, text("code", { readonly: Boolean(one), maxlength: 32 }, { hint: one ? null : t("warehouses.code_hint") }), text("name")),
      h("div", { class: "grid-2" }, text("province", { maxlength: 40 }), text("city", { maxlength: 40 })),
      h("fieldset", null, h("legend", { class: "legend" }, t("warehouses.office")),
        h("div", { class: "grid-2" }, said("name", { maxlength: 40 }), said("phone", { type: "tel", minlength: 5, maxlength: 20 })), said("address", { minlength: 5, maxlength: 200 }),
        h("p", { class: "field-hint" }, t("warehouses.office_hint"))),
      text("serves", { required: false, maxlength: 1000, value: old.serves.join() === EVERYWHERE ? "" : old.serves.join(", ") }, { hint: t("warehouses.serves_hint") }),
      h("fieldset", null, h("legend", { class: "legend" }, t("warehouses.stores")), h("div", { class: "row" }, CLASSES.map((each) =>
        h("label", { class: "check" }, h("input", { type: "checkbox", name: "stores", value: each, checked: old.stores.includes(each) }), t(`class.${each}`)))), h("p", { class: "field-hint" }, t("warehouses.stores_hint"))),
      h("div", { class: "grid-3" }, text("cut_off", { type: "time", value: old.cut_off.slice(0, 5) }), count("daily_capacity", 1000000), count("service_hours", 8760)),
      h("div", { class: "grid-3" }, money("packaging_fen"), money("handling_fen"), money("storage_fen_per_unit_month")),
      h("div", { class: "grid-2" }, count("max_weight_grams", 1000000, false), h("label", { class: "check" }, h("input", { type: "checkbox", name: "third_party", checked: Boolean(old.third_party) }), t("warehouses.third_party")))],
    wrong: (form) => halfOffice(form),
    read: (form) => terms(form, one),
  });
}

/** All of the office or nothing of it: whom a carrier calls, and where. */
function halfOffice(form) {
  const boxes = OFFICE.map((name) => form[`office.${name}`]);
  const gaps = boxes.filter((box) => !box.value.trim());
  return gaps.length < boxes.length ? gaps.map((box) => ({ field: box.name, words: t("warehouses.office_whole") })) : [];
}

function terms(form, one) {
  const fen = (name) => Math.round(Number(form[name].value) * 100);
  const office = Object.fromEntries(OFFICE.map((each) => [each, form[`office.${each}`].value.trim()]));
  const serves = form.serves.value.split(/[,，、;；]/).map((each) => each.trim()).filter(Boolean);
  return {
    ...one, code: form.code.value.trim(), name: form.name.value.trim(), province: form.province.value.trim(), city: form.city.value.trim(),
    office: Object.values(office).some(Boolean) ? office : null,
    serves: serves.length ? serves : [EVERYWHERE], stores: [...form.stores].filter((each) => each.checked).map((each) => each.value),
    third_party: form.third_party.checked, max_weight_grams: whole(form.max_weight_grams),
    packaging_fen: fen("packaging_fen"), handling_fen: fen("handling_fen"), storage_fen_per_unit_month: fen("storage_fen_per_unit_month"),
    cut_off: form.cut_off.value, daily_capacity: whole(form.daily_capacity), service_hours: whole(form.service_hours),
  };
}
