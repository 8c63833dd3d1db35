// A parcel on the desk: where it is, how old that is, its pick-up card, and what may be said against it.
import { agreed } from "./appointment.js";
import { askFor } from "./asking.js";
import { h, icon } from "./dom.js";
import { stopping } from "./intercept.js";
import { legsOf } from "./legs.js";
import { may } from "./may.js";
import { REASONS } from "./reasons.js";
import { scanWords } from "./scans.js";
import { strayBadge } from "./strays.js";
import { CARRIERS } from "./steps.js";
import { badge, copyButton, field } from "./ui.js";
import { whyNot } from "./whynot.js";
import { ago, exact, inPrint, language, t, when, word } from "./words.js";

/** The card of a parcel; `entries` of the timeline say how old what is shown is. */
export function tracedParcel(one, order, entries, changed) {
  const { dispute } = one.actions;
  return h("section", { class: "panel parcel traced-parcel", dataset: { parcel: one.number } },
    h("div", { class: "spread" }, h("h2", null, t("order.parcel"), " ", h("span", { class: "mono small" }, one.number)), badge("parcel", one.state)),
    one.carrier ? h("p", { class: "row" }, h("span", null, word("carrier", one.carrier)), h("span", { class: "mono" }, one.waybill), copyButton(one.waybill)) : h("p", { class: "quiet" }, t("order.no_carrier")),
    strayBadge(one),
    stopping(order, one, changed, may("intercept")),
    legsOf(one),
    one.shared_with.length ? h("p", { class: "quiet small" }, t("desk.shared", { orders: one.shared_with.join(t("app.and")) })) : null,
    one.scans.length ? h("p", null, scanWords(one.scans[0])) : null,
    h("p", { class: "quiet small" }, age(one, entries)),
    one.delay ? h("p", { class: "small warn-words" }, inPrint(language === "zh" ? one.delay.message_zh : one.delay.message)) : null,
    agreed(one),
    pickup(one),
    receipt(one, changed),
    renumber(one, changed),
    disputeWords(one, dispute, order, changed));
}

/** When the carrier saw it last, when we were told, when we last asked. */
function age(one, entries) {
  const mine = entries.filter((entry) => entry.stream === `parcel:${one.number}`);
  const last = (fact) => mine.filter((entry) => entry.fact === fact).at(-1);
  const [scan, asked, by_hand] = ["ParcelScanned", "TrackConfirmed", "ReceiptConfirmedByHand"].map((fact) => last(`parcels.${fact}`));
  const told = scan && mine.filter((entry) => entry.kind === "scan").map((entry) => entry.recorded_at).sort().at(-1);
  return [
    scan ? h("time", { datetime: scan.happened_at, title: exact(scan.happened_at) }, t("desk.scanned", { ago: ago(scan.happened_at) })) : t("desk.no_scans"),
    told ? [" · ", h("time", { datetime: told, title: exact(told) }, t("desk.told", { ago: ago(told) }))] : null,
    " · ", asked ? h("time", { datetime: asked.happened_at, title: exact(asked.happened_at) }, t("desk.confirmed", { ago: ago(asked.happened_at) })) : t(by_hand ? "desk.by_hand" : "desk.not_confirmed")];
}

/** Where no query tells of a receipt that holds up the order: who knows better says so (rule 23). */
function receipt(one, changed) {
  if (!one.actions.confirm_receipt?.possible || !may("confirm_receipt")) return null;
  return h("p", null, h("button", { class: "button compact", type: "button", onclick: () => askFor({
    title: t("desk.confirm_receipt"), path: `/v1/parcels/${encodeURIComponent(one.number)}/receipt`, label: t("desk.confirm_receipt"),
    said: () => t("desk.confirm_receipt_said"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet small" }, t("desk.confirm_receipt_how")), field("reason", t("cancel.reason"), { required: true, maxlength: 500, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }),
  }) }, t("desk.confirm_receipt")));
}

/** A number that was typed wrongly and left with its parcel (T1). */
function renumber(one, changed) {
  if (!one.actions.correct_waybill?.possible || !may("correct_waybill")) return null;
  return h("p", null, h("button", { class: "tool", type: "button", onclick: () => askFor({
    title: t("desk.correct_waybill"), path: `/v1/parcels/${encodeURIComponent(one.number)}/waybill/correction`, label: t("desk.correct_waybill"),
    said: () => t("desk.correct_waybill_said"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet small" }, t("desk.correct_waybill_how")),
      field("carrier", t("packing.carrier"), { required: true, value: one.carrier, options: [...new Set([one.carrier, ...CARRIERS])].map((each) => [each, word("carrier", each)]) }),
      field("waybill", t("packing.waybill_number"), { required: true, maxlength: 32, autocomplete: "off", spellcheck: "false" }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 500 })],
    read: (form) => ({ carrier: form.carrier.value, waybill: form.waybill.value.trim(), reason: form.reason.value.trim() }),
  }) }, t("desk.correct_waybill")));
}

function pickup(one) {
  if (!one.pickup) return null;
  return h("div", { class: "pickup" }, h("p", null, one.pickup.station ?? t("desk.pickup")),
    one.pickup.code ? h("p", { class: "pickup-code num" }, one.pickup.code) : null,
    one.pickup.deadline ? h("p", { class: "small" }, t("desk.pickup_by", { when: when(one.pickup.deadline) })) : null);
}

function disputeWords(one, dispute, order, changed) {
  if (dispute.case) return h("p", { class: "small quiet row" }, icon("warn"), t("desk.case_above"));
  if (!dispute.possible) return h("p", { class: "small quiet" }, `${t("action.dispute")}${t("app.colon")}${whyNot(dispute)}`);
  if (!may("dispute")) return null;
  const open = (reason) => () => openDispute(one, order, reason, changed);
  return h("div", { class: "row" },
    one.signed_at ? h("button", { class: "primary compact", type: "button", dataset: { dispute: "not_received" }, onclick: open("not_received") }, t("desk.never_got_it")) : null,
    h("button", { class: "button compact", type: "button", dataset: { dispute: "other" }, onclick: open(one.signed_at ? "damaged" : "lost") }, t("desk.something_wrong")));
}

function openDispute(one, order, reason, changed) {
  askFor({
    title: t("desk.open_case"), path: `/v1/orders/${encodeURIComponent(order.number)}/disputes`,
    label: t("desk.open_case_confirm"), said: () => t("desk.case_opened"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet" }, t("desk.open_case_how")),
      field("reason", t("case.reason"), { required: true, value: reason, options: REASONS.map((key) => [key, word("reason", key)]) }),
      field("words", t("desk.their_words"), { rows: 3, maxlength: 2000 }, { hint: t("desk.sealed_hint") })],
    read: (form) => ({ parcel: one.number, reason: form.reason.value, ...(form.words.value.trim() ? { words: form.words.value.trim() } : {}) }),
  });
}
