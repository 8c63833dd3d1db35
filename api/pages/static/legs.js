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

/** Who has the parcel abroad, as far as that was told. */
const overseas = (one) => one.legs.find((leg) => leg.leg === "abroad");

/** Write down who has a parcel abroad, where no carrier tells it, or to answer for what one told. */
export function nameOverseas(one, changed) {
  const known = overseas(one);
  return h("button", { class: "button compact", type: "button", onclick: () => askFor({
    title: t("legs.name"), path: `/v1/parcels/${encodeURIComponent(one.number)}/overseas`, said: () => t("legs.named"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet small" }, t("legs.name_how")),
      field("carrier", t("legs.carrier"), { required: true, maxlength: 40, value: known.carrier ?? "", autofocus: true }, { hint: t("legs.carrier_hint") }),
      field("waybill", t("legs.waybill"), { required: true, maxlength: 32, value: known.waybill ?? "" })],
    read: (form) => ({ carrier: carrierOf(form.carrier), waybill: form.waybill.value.trim() }),
  }) }, t("legs.name"));
}

/** Say that the number abroad is not this parcel's, and which one is, if that is known. */
export function takeBackOverseas(one, changed) {
  const { waybill } = overseas(one);
  if (!waybill) return null;
  return h("button", { class: "tool", type: "button", onclick: () => askFor({
    title: t("legs.wrong"), path: `/v1/parcels/${encodeURIComponent(one.number)}/overseas/taking-back`, label: t("legs.wrong"), danger: true,
    said: () => t("legs.taken_back"), done: (answer) => changed(answer.position),
    fields: [h("p", null, h("strong", { class: "mono" }, waybill)), h("p", { class: "quiet small" }, t("legs.wrong_how")),
      field("reason", t("legs.wrong_why"), { required: true, maxlength: 200, autofocus: true }),
      field("instead.carrier", t("legs.right_carrier"), { maxlength: 40 }, { hint: t("legs.carrier_hint") }),
      field("instead.waybill", t("legs.right_waybill"), { maxlength: 32 }, { hint: t("legs.right_hint") })],
    read: (form) => {
      const right = { carrier: carrierOf(form["instead.carrier"]), waybill: form["instead.waybill"].value.trim() };
      return { waybill, reason: form.reason.value.trim(), ...(right.carrier || right.waybill ? { instead: right } : {}) };
    },
  }) }, t("legs.wrong"));
}

const OVER = ["signed", "returned", "lost"];

/** Say that customs keep a parcel that its carrier has: it waits under Customs from then on. */
export function stoppedAbroad(one, changed) {
  if (OVER.includes(one.state)) return null;
  return h("button", { class: "tool", type: "button", onclick: () => askFor({
    title: t("legs.stopped"), path: `/v1/parcels/${encodeURIComponent(one.number)}/declaration/answer`, label: t("legs.stopped"), danger: true,
    said: () => t("declarations.answered"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet small" }, t("legs.stopped_how")), field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ answer: "stopped", reason: form.reason.value.trim() }),
  }) }, t("legs.stopped"));
}

const carrierOf = (box) => box.value.trim().toLowerCase();
