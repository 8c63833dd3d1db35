// A parcel that is still in the house: what is in it, how urgent it is, and its next step (S4, W1).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { revealLabel } from "./reveal.js";
import { shortPickButton } from "./shortpick.js";
import { CARRIERS, handOverForm, stepForm, waybillForm } from "./steps.js";
import { field } from "./ui.js";
import { ago, exact, names, number, t, when, word } from "./words.js";

/** Whether it may not leave before customs let it go (T7). */
export const awaitsCustoms = (one) => Boolean(one.customs) && one.customs !== "cleared";

/** What is still to be sent in a parcel, order by order. */
export function contentsTable(one) {
  if (!one.units.length) return h("p", { class: "quiet small" }, t("packing.nothing_left"));
  return h("table", { class: "contents-table" }, h("caption", { class: "visually-hidden" }, t("picking.contents_of", { parcel: one.number })),
    h("tbody", null, one.units.map((unit) => h("tr", null,
      h("td", null, h("strong", null, names(unit.name).main), " ", h("span", { class: "quiet small" }, unit.specification)),
      h("td", { class: "right part-count" }, `× ${number(unit.quantity)}`),
      h("td", { class: "right" }, h("a", { class: "mono small", href: `#/packing/${unit.order}` }, unit.order))))));
}

/** When the parcel should be with its carrier, and whether that is over. */
export function dueWords(one) {
  if (!one.hand_over_by) return h("span", { class: "quiet small" }, t("picking.no_deadline"));
  const late = new Date(one.hand_over_by) < Date.now();
  return h("time", { class: `small ${late ? "bad-words" : "quiet"}`, datetime: one.hand_over_by, title: exact(one.hand_over_by) },
    late ? t("picking.late", { ago: ago(one.hand_over_by) }) : t("picking.due", { when: when(one.hand_over_by) }));
}

/** A parcel as a card with what is to be done next. */
export function parcelCard(one, name, changed) {
  return h("li", { class: "panel part", dataset: { parcel: one.number, stage: one.stage } },
    h("div", { class: "spread" }, h("div", null, h("h3", { class: "mono" }, one.number), h("p", { class: "quiet small" }, name(one.warehouse), one.wave ? ` · ${waveWords(one.wave)}` : "")),
      h("p", { class: "row" }, h("span", { class: "badge s-pending_shipment" }, word("stage", one.stage)), dueWords(one))),
    contentsTable(one),
    labelWords(one, changed),
    one.address_pending ? acknowledgement(one, name, changed) : null,
    one.in_review ? h("p", { class: "small bad-words" }, t("picking.in_review"), " ", h("a", { href: "#/reviews" }, t("tab.reviews"))) : nextStep(one, changed));
}

/** The carrier's number and its print; or what became of the request for one (W5). */
function labelWords(one, changed) {
  const path = `/v1/parcels/${encodeURIComponent(one.number)}`;
  if (one.waybill) {
    return h("p", { class: "row label-words" }, h("span", null, word("carrier", one.carrier)), h("span", { class: "mono" }, one.waybill),
      h("a", { class: "button compact", href: `${path}/label.pdf`, target: "_blank", rel: "noopener" }, t("label.print")),
      one.label?.state === "issued" ? null : h("button", { class: "tool", type: "button", onclick: () => revealLabel(one.number, changed) }, t("label.print_whole")),
      one.label?.state === "issued" ? h("button", { class: "tool", type: "button", onclick: () => giveBack(one, path, changed) }, t("label.give_back")) : null);
  }
  const { state, why, carrier } = one.label ?? {};
  if (state === "wanted") return h("p", { class: "small quiet" }, t("label.wanted", { carrier: word("carrier", carrier) }));
  const again = h("button", { class: "button compact", type: "button", onclick: () => order(one, path, changed) }, t(state ? "label.again" : "label.order"));
  if (state === "refused" || state === "unanswered") return h("div", { class: "row" }, h("p", { class: "small bad-words" }, word("label_state", state), why ? `: ${why}` : ""), again);
  return one.stage === "packed" ? h("p", null, again) : null;
}

function order(one, path, changed) {
  askFor({
    title: t("label.order"), path: `${path}/label`, label: t("label.order"), said: () => t("label.ordered"), done: changed,
    fields: [h("p", null, h("strong", { class: "mono" }, one.number)), field("carrier", t("packing.carrier"), { options: [["", t("label.chosen")], ...CARRIERS.map((each) => [each, t(`carrier.${each}`)])] })],
    read: (form) => (form.carrier.value ? { carrier: form.carrier.value } : {}),
  });
}

function giveBack(one, path, changed) {
  askFor({
    title: t("label.give_back"), path: `${path}/label/cancellation`, label: t("label.give_back"), danger: true, said: () => t("label.given_back"), done: changed,
    fields: [h("p", { class: "quiet small" }, t("label.give_back_how")), field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }),
  });
}

const waveWords = (wave) => (wave === "express" ? t("waves.express") : wave);

function nextStep(one, changed) {
  const path = `/v1/parcels/${encodeURIComponent(one.number)}`;
  if (one.stage === "picking") return h("div", { class: "row" }, stepForm("picked_all", [], new Intent(`${path}/picking`), () => ({}), changed, "packing.picked"), short(one, changed));
  if (one.stage === "picked") {
    const weight = field("weight_grams", t("packing.weight"), { type: "number", min: 1, max: 1000000, inputmode: "numeric", required: true });
    return stepForm("pack", [weight], new Intent(`${path}/packing`), (form) => ({ weight_grams: Number(form.weight_grams.value) }), changed, "packing.packed");
  }
  if (one.stage !== "packed") return null;
  if (!one.waybill) return waybillForm(one, changed);
  if (awaitsCustoms(one)) return h("p", { class: "small bad-words" }, t("declarations.waits", { standing: word("declaration", one.customs) }), " ", h("a", { href: "#/declarations" }, t("tab.declarations")));
  return handOverForm(one, changed);
}

/** What was not found is said of one part: each order in the parcel has its own. */
function short(one, changed) {
  const parts = new Map();
  for (const unit of one.units) {
    const key = `${unit.order}/${unit.part}`;
    if (!parts.has(key)) parts.set(key, { number: unit.order, lines: [], part: { part: unit.part, units: [] } });
    const found = parts.get(key);
    found.lines.push(unit);
    found.part.units.push({ line: found.lines.length, quantity: unit.quantity });
  }
  return [...parts.values()].map((found) => {
    const button = shortPickButton(found.part, found, () => changed());
    if (parts.size > 1) button.append(` · ${found.number}`);
    return button;
  });
}

function acknowledgement(one, name, changed) {
  return h("div", { class: "stack" }, h("p", { class: "notice small" }, t("picking.address_pending")),
    stepForm("acknowledge", [field("by", t("picking.by"), { required: true, maxlength: 200, value: name(one.warehouse) })],
      new Intent(`/v1/parcels/${encodeURIComponent(one.number)}/address-acknowledgement`), (form) => ({ by: form.by.value.trim() }), changed, "picking.acknowledged"));
}
