// The legs of a parcel that goes abroad: at home, at customs, and with whoever brings it there (T7).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { exact, t, when, word } from "./words.js";

/** Each leg with its carrier and number, and since when; nothing for a parcel that stays at home. */
export function legsOf(one) {
  if (!one.legs) return null;
  return h("ol", { class: "legs small", "aria-label": t("legs.title") }, one.legs.map((leg) => h("li", { class: leg.since ? "reached" : "quiet", dataset: { leg: leg.leg } },
    h("strong", null, t(`leg.${leg.leg}`)),
    leg.carrier ? h("span", null, word("carrier", leg.carrier), " ", h("span", { class: "mono" }, leg.waybill)) : null,
    leg.since ? h("time", { class: "quiet", datetime: leg.since, title: exact(leg.since) }, when(leg.since)) : h("span", { class: "quiet" }, t("leg.not_yet")))));
}

/** Which leg a scan is of, in words; nothing where there are none. */
export const legWords = (scan) => (scan.leg ? t(`leg.${scan.leg}`) : null);

/** Write down who has a parcel abroad, where no carrier tells it. */
export function nameOverseas(one, changed) {
  const known = one.legs.find((leg) => leg.leg === "abroad");
  return h("p", null, h("button", { class: "button compact", type: "button", onclick: () => askFor({
    title: t("legs.name"), path: `/v1/parcels/${encodeURIComponent(one.number)}/overseas`, said: () => t("legs.named"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet small" }, t("legs.name_how")),
      field("carrier", t("legs.carrier"), { required: true, maxlength: 40, value: known.carrier ?? "", autofocus: true }, { hint: t("legs.carrier_hint") }),
      field("waybill", t("legs.waybill"), { required: true, maxlength: 32, value: known.waybill ?? "" })],
    read: (form) => ({ carrier: form.carrier.value.trim().toLowerCase(), waybill: form.waybill.value.trim() }),
  }) }, t("legs.name")));
}
