// Who gets the parcels: the fields to fill in, and the words of one that is kept.
import { h } from "./dom.js";
import { field } from "./ui.js";
import { t } from "./words.js";

/** The fields of a recipient; a province that is `fixed` can be read but not changed. */
export function recipientFields(kept, { fixed = false } = {}) {
  const one = (name, props = {}, more) => field(name, t(`recipient.${name}`), { value: kept[name] ?? "", required: true, maxlength: 100, ...props }, more);
  return h("fieldset", { class: "recipient stack" }, h("legend", { class: "legend" }, t("recipient.title")),
    h("div", { class: "grid-2" },
      one("name", { autocomplete: "shipping name" }),
      one("phone", { type: "tel", autocomplete: "shipping tel", inputmode: "tel", maxlength: 40 })),
    h("div", { class: "grid-3" },
      one("province", { list: "provinces", autocomplete: "shipping address-level1", maxlength: 40, readonly: fixed }),
      one("city", { autocomplete: "shipping address-level2", maxlength: 40 }),
      one("district", { required: false, autocomplete: "shipping address-level3", maxlength: 40 })),
    one("address", { autocomplete: "shipping street-address", maxlength: 300 }),
    h("p", { class: "field-hint" }, t("recipient.privacy")));
}

/** What was typed into them. */
export function recipientOf(fields) {
  const typed = Object.fromEntries(["name", "phone", "province", "city", "district", "address"].map((name) => [name, fields[name].value.trim()]));
  if (!typed.district) delete typed.district;
  return typed;
}

/** A recipient as two lines of text. */
export function recipientWords(one) {
  return [h("strong", null, one.name), " ", h("span", { class: "num" }, one.phone), h("br"), [one.province, one.city, one.district, one.address].filter(Boolean).join(" ")];
}
