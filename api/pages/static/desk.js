// One order on the packing desk, step by step: pack, waybill, hand over.
import { fill, h, icon, reorder } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { inHand } from "./intercept.js";
import { legsOf, legWords, nameOverseas, stoppedAbroad, takeBackOverseas } from "./legs.js";
import { follow } from "./live.js";
import { may } from "./may.js";
import { picture } from "./picture.js";
import { HOME, recipientWords } from "./recipient.js";
import { cashRefunds } from "./refunds.js";
import { shortPickButton, waitWords } from "./shortpick.js";
import { customsOf, handOver, stepForm, waybillForm, waybillWords } from "./steps.js";
import { scanWords } from "./scans.js";
import { badge, empty, field, loading, orderBadge, progress } from "./ui.js";
import { ago, exact, lastWeekday, names, number, t, warehouseName, when, word } from "./words.js";

/** One order: each part with its next step. What did not change stays as it is, with what is typed into it. */
export async function packingOrder(view, [, wanted], signal) {
  fill(view, loading(3));
  const path = `/v1/orders/${encodeURIComponent(wanted)}`;
  const lamp = h("p", { class: "lamp", dataset: { state: "connecting" } }, h("i", { "aria-hidden": "true" }), h("span", null, t("live.connecting")));
  const recipient = h("p", { class: "recipient-words small" });
  const head = h("header", { class: "panel desk-head" });
  const parts = h("ol", { class: "stack" });
  const tail = h("div", { class: "stack" });
  const cards = new Map();
  let known;
  let whose;  // read once: erased, held or not there, the desk works without
  const draw = async (position) => {
    const found = await get(fresh(path, position), { signal });
    if (known && found.position < known.position) return;
    known = found;
    whose ??= found.lines.some((line) => line.kind === "parcel") ? get(`${path}/recipient`, { signal }).then((answer) => answer.recipient, () => null) : Promise.resolve(null);
    fill(head, ...headWords(found, lamp, recipient));
    const left = found.parts.filter((part) => part.units.length);
    const [to, ...parcels] = await Promise.all([whose, ...left.map((part) => parcelOf(part, found, { position, signal }))]);
    if (found !== known) return;  // there is newer already
    const abroad = (to?.country ?? HOME) !== HOME;
    reorder(parts, left.map((part, nth) => cardOf(cards, part, { ...found, abroad }, parcels[nth], draw)));
    fill(tail, left.length ? null : empty(t("packing.nothing_left"), ""), cashRefunds(found, draw));
  };
  await draw();
  fill(view, h("div", { class: "stack" }, h("a", { class: "back", href: "#/packing" }, icon("back"), t("tab.packing")), head, parts, tail));
  follow(`${path}/live`, { signal, onnews: draw, onstate: (state) => { lamp.dataset.state = state; lamp.lastChild.textContent = t(`live.${state}`); } });
  const to = await whose;
  if (to) fill(recipient, recipientWords(to));
}

function headWords(found, lamp, recipient) {
  return [h("div", null, h("h1", { class: "mono order-number" }, found.number),
    h("p", { class: "row" }, orderBadge(found), h("a", { href: `#/accounts/${encodeURIComponent(found.learner)}` }, found.learner), lamp)),
  recipient,
  h("p", { class: "quiet small" }, t("order.placed", { when: when(found.placed_at) }), " · ", t("order.promise", { day: lastWeekday(found.promised_by) }))];
}

/** The parcel that a part travels in, if any, and how far customs are with one that waits for them. */
async function parcelOf(part, found, asked) {
  const parcel = found.parcels.find((one) => one.number === part.parcel);
  const waits = parcel?.legs && parcel.waybill && part.state === "pending_shipment";
  return waits ? { ...parcel, customs: await customsOf(parcel, asked) } : parcel;
}

/** The card of a part: the same one as long as nothing about it changed. */
function cardOf(cards, part, found, parcel, changed) {
  const shown = JSON.stringify([found.status, found.review, found.abroad, part, parcel ?? null]);
  const had = cards.get(part.part);
  if (had?.shown === shown) return had.card;
  const card = partCard(part, found, parcel, changed);
  cards.set(part.part, { shown, card });
  return card;
}

function partCard(part, found, parcel, changed) {
  return h("li", { class: "panel part", dataset: { part: part.part } },
    h("div", { class: "spread" }, h("h2", null, t("packing.part", { n: part.part }), " · ", part.waits ? t("shortage.badge") : part.warehouse ? warehouseName(part.warehouse) : t("kind.course")),
      part.waits ? h("span", { class: "badge s-open" }, t(`short.${part.waits}`)) : progress(part.warehouse ? "parcel" : "course", part.state)),
    h("ul", { class: "part-units" }, part.units.map((unit) => {
      const line = found.lines[unit.line - 1];
      return h("li", null, h("div", { class: "stamp tiny" }, picture(line)), h("p", null, h("strong", null, names(line.name).main), h("span", { class: "quiet small" }, ` ${line.specification}`)), h("p", { class: "num part-count" }, `× ${number(unit.quantity)}`));
    })),
    part.warehouse ? step(part, found, parcel, changed) : h("p", { class: "quiet small" }, t("packing.course")));
}

function step(part, found, parcel, changed) {
  if (part.waits) return waitWords(part);
  if (part.state === "pending_payment") return h("p", { class: "quiet small" }, t("packing.unpaid"));
  if (found.review?.length) return h("p", { class: "small quiet" }, t("packing.in_review"), found.review.map((one) => word("review", one)).join(t("app.and")), " ", h("a", { href: "#/reviews" }, t("tab.reviews")));
  if (part.stage === "at_third_party") return h("p", { class: "quiet small" }, t("consigned.here"), " ", h("a", { href: "#/consigned" }, t("tab.consigned")), part.cancelling ? [" · ", t("field.cancelling")] : null);
  if (!parcel && part.parcel) return released(part);
  if (!parcel) return part.stage === "released" ? h("div", { class: "stack" }, released(part), packForm(part, found, changed)) : packForm(part, found, changed);
  if (!parcel.waybill) return waybillForm(parcel, changed, part.carrier);
  if (part.state === "pending_shipment") return handOver(parcel, parcel.customs, changed);
  return tracked(part, parcel, found, changed);
}

const released = (part) => h("p", { class: "small quiet" }, t("packing.released"), " ", h("span", { class: "mono" }, part.parcel ?? part.planned), " · ", h("a", { href: "#/picking" }, t("tab.picking")));

function packForm(part, found, changed) {
  // Customs are told what the parcel weighs with its packaging, and clear none without (T7).
  const weight = found.abroad
    ? field("weight_grams", t("declarations.gross_weight"), { type: "number", min: 1, max: 1000000, inputmode: "numeric", required: true }, { hint: t("packing.gross_how") })
    : field("weight_grams", t("packing.weight"), { type: "number", min: 0, max: 1000000, inputmode: "numeric" });
  const form = stepForm("pack", weight,
    new Intent("/v1/parcels"), (form) => ({ order: found.number, part: part.part, weight_grams: Number(form.weight_grams.value) || 0 }), changed, "packing.packed");
  form.querySelector(".primary").after(shortPickButton(part, found, changed));
  return form;
}

function tracked(part, parcel, found, changed) {
  return h("div", { class: "stack" }, h("div", { class: "spread" }, waybillWords(parcel), badge("parcel", parcel.state)), legsOf(parcel),
    parcel.scans.length ? h("ol", { class: "track" }, parcel.scans.slice(0, 4).map((scan, place_) => h("li", { class: place_ ? "" : "now" }, h("p", null, scanWords(scan)), h("time", { datetime: scan.time, title: exact(scan.time) }, [legWords(scan), when(scan.time), ago(scan.time)].filter(Boolean).join(" · "))))) : h("p", { class: "quiet small" }, t("packing.no_scans")),
    parcel.legs ? h("div", { class: "row" }, nameOverseas(parcel, changed), takeBackOverseas(parcel, changed), stoppedAbroad(parcel, changed)) : null,
    part.units.length && may("take_in") ? inHand(parcel, found.number, changed) : null);
}
