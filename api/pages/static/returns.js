// Goods that come back: asked for, with the label and what is to be done next, as their learner sees it (D3).
import { askFor } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { scanWords } from "./scans.js";
import { badge, field, stepper } from "./ui.js";
import { inPrint, language, lastDay, names, number, t, when, word } from "./words.js";

const REMEDIES = ["refund", "exchange", "refund_only"];
const REASONS = ["damaged", "wrong_goods", "missing_parts", "not_as_described", "late", "changed_mind"];
/** Carriers abroad that can be asked where a parcel is, by Kuaidi100's codes; of others nobody knows. */
const CARRIERS_ABROAD = ["ems", "japanposten", "koreapost", "hkpost", "singpost", "usps", "royalmail", "dhl", "fedex", "ups", "shunfeng", "other"];
const CARRIERS = ["shunfeng", "jd", "zhongtong", "yuantong", "shentong", "yunda", "ems", "jtexpress"];

const hasReturns = (found) => found.timeline.some((one) => one.fact === "orders.UnitsUnderReturn");

/** The returns of an order, each whole; nobody is asked where it has none. */
export async function returnsOf(found, position, signal) {
  if (!hasReturns(found)) return [];
  const { returns } = await get(fresh(`/v1/returns?order=${encodeURIComponent(found.number)}`, position), { signal });
  return Promise.all(returns.map((one) => get(fresh(`/v1/returns/${encodeURIComponent(one.id)}`), { signal })));
}

/** A panel that stays while the order is drawn anew; `tell` hands it the order as it is now. */
export function returnsPanel(signal, changed) {
  const list = h("ul", { class: "stack" });
  const panel = h("section", { class: "panel returns", "aria-labelledby": "returns", hidden: true }, h("h2", { id: "returns" }, icon("box"), t("returns.title")), list);
  const tell = async (found, position) => {
    panel.hidden = !hasReturns(found);
    if (panel.hidden) return;
    try {
      fill(list, (await returnsOf(found, position, signal)).map((one) => card(one, changed)));
    } catch (problem) {
      if (!signal.aborted) fill(list, h("li", { class: "quiet small" }, problem.words));
    }
  };
  return { panel, tell };
}

function card(one, changed) {
  return h("li", { class: "return", dataset: { return: one.id, state: one.state } },
    h("div", { class: "spread" }, h("h3", null, t(`remedy.${one.remedy}`)), badge("return_state", one.state)),
    h("p", null, one.units.map((unit) => `${names(unit.name).main} × ${number(unit.quantity)}${unit.verdict ? ` (${t(`verdict.${unit.verdict}`)})` : ""}`).join(t("app.and"))),
    h("p", { class: "quiet small" }, `${t(`fault.${one.reason}`)} · ${when(one.opened_at)}`),
    next(one),
    one.label && ["awaiting_goods", "under_way"].includes(one.state) ? label(one) : null,
    ended(one),
    choices(one, changed));
}

/** Its label as it is printed, while its goods may still come. */
export function printed(one) {
  if (!one.label || !["awaiting_goods", "under_way"].includes(one.state)) return null;
  return h("a", { class: "button compact", href: `/v1/returns/${encodeURIComponent(one.id)}/label.pdf`, target: "_blank", rel: "noopener" }, t("returns.print"));
}

/** What happens next, in one sentence. */
function next(one) {
  if (one.state === "awaiting_goods") return [h("p", null, t("returns.send_by", { day: lastDay(one.send_by) })), one.from_abroad ? fromAbroad(one) : null];
  if (one.outcome) return null; // goods that came after they were paid back as lost change nothing for their learner
  if (["under_way", "to_inspect", "requested", "awaiting_approval", "lapsed", "lost", "withdrawn"].includes(one.state)) return h("p", null, t(`returns.is_${one.state}`));
  return null;
}

/** How goods come back from abroad, where no label of the house is taken (T7). */
const fromAbroad = (one) => h("ol", { class: "steps-abroad small" },
  ["carrier", "customs", "number", one.payer === "learner" ? "you_pay" : "we_pay"].map((step) => h("li", null, t(`returns.abroad_${step}`))));

/** What belongs on the parcel, and what the goods are held against. */
function label(one) {
  const { label: to } = one;
  const [scan] = to.scans;
  return h("div", { class: "return-label" },
    printed(one),
    h("dl", { class: "about" },
      h("dt", null, t("returns.to")), h("dd", null, to.address ? [h("strong", null, to.contact), h("br"), to.address, h("br"), h("span", { class: "num" }, to.phone)] : `${to.to} · ${to.province}${to.city}`),
      h("dt", null, t("returns.write")), h("dd", null, h("strong", { class: "mono" }, to.parcel)),
      to.waybill ? [h("dt", null, word("carrier", to.carrier)), h("dd", { class: "mono" }, to.waybill)] : null,
      scan ? [h("dt", null, when(scan.time)), h("dd", null, scanWords(scan))] : null),
    one.criteria.length ? [h("p", { class: "small" }, t("returns.criteria")), h("ul", { class: "criteria small" }, one.criteria.map((each) => h("li", null, t(`criterion.${each}`))))] : null,
    one.payer === "learner" && ["refund", "exchange"].includes(one.remedy) && one.freight_points ? h("p", { class: "small" }, t(`returns.freight${one.remedy === "exchange" ? "_exchange" : ""}`, { n: one.freight_points })) : null);
}

function ended(one) {
  const words = one.message?.[language === "zh" ? "zh" : "en"];
  const linked = one.outcome?.replacement;
  return [words ? h("p", { class: "return-words" }, inPrint(words)) : null,
    linked ? h("p", { class: "small" }, h("a", { href: `#/orders/${linked}` }, t("returns.replacement", { number: linked }))) : null];
}

function choices(one, changed) {
  const { send, withdraw } = one.actions;
  if (!send?.possible && !withdraw?.possible) return null;
  return h("div", { class: "row" },
    send?.possible ? h("button", { class: "primary compact", type: "button", onclick: () => openSending(one, changed) }, t("returns.sent")) : null,
    withdraw?.possible ? h("button", { class: "button compact", type: "button", onclick: () => openWithdrawal(one, changed) }, t("returns.keep")) : null);
}

function openSending(one, changed) {
  const known = one.label.waybill;
  askFor({
    title: t("returns.sent_title"), path: `/v1/returns/${encodeURIComponent(one.id)}/sending`, label: t("returns.sent"),
    fields: known
      ? h("p", null, t("returns.sent_known", { carrier: word("carrier", one.label.carrier), waybill: known }))
      : [h("p", { class: "quiet" }, t("returns.sent_how")), field("carrier", t("returns.carrier"), { required: true, options: (one.from_abroad ? CARRIERS_ABROAD : CARRIERS).map((code) => [code, word("carrier", code)]) }),
        field("waybill", t("returns.waybill"), { required: true, maxlength: 40, autocomplete: "off", class: "mono" })],
    read: (form) => (known ? {} : { carrier: form.carrier.value, waybill: form.waybill.value.trim() }),
    said: () => t("returns.sent_done"), done: (answer) => changed(answer.position),
  });
}

function openWithdrawal(one, changed) {
  askFor({
    title: t("returns.keep_title"), path: `/v1/returns/${encodeURIComponent(one.id)}/withdrawal`, label: t("returns.keep"),
    fields: h("p", null, t("returns.keep_how")), read: () => undefined,
    said: () => t("returns.keep_done"), done: (answer) => changed(answer.position),
  });
}

/** The button that begins a return, where the order allows one. */
export function returnButton(found, changed) {
  if (!found.actions.return?.possible) return null;
  const { until } = found.actions.return;
  return [until ? h("p", { class: "quiet small" }, t("returns.until", { day: lastDay(until) })) : null,
    h("button", { class: "button compact", type: "button", onclick: () => openReturn(found, changed) }, t("returns.open"))];
}

function openReturn(found, changed) {
  const { units } = found.actions.return;
  const wanted = new Map(units.map((unit, place) => [place, place === 0 ? unit.quantity : 0]));
  const rows = units.map((unit, place) => {
    const line = found.lines[unit.line - 1];
    const name = names(line.name).main;
    return h("li", null, h("div", { class: "basket-name" }, h("strong", null, name), h("p", { class: "quiet small" }, t("returns.of", { n: unit.quantity }))),
      stepper({ value: wanted.get(place), min: 0, max: unit.quantity, label: t("returns.quantity_of", { name }), onchange: (to) => wanted.set(place, to) }));
  });
  const lines = () => [...wanted].filter(([, quantity]) => quantity > 0).map(([place, quantity]) => ({ sku: units[place].sku, quantity }));
  askFor({
    title: t("returns.open"), path: `/v1/orders/${encodeURIComponent(found.number)}/returns`, label: t("returns.confirm"), wide: true,
    fields: [h("ul", { class: "basket-lines" }, rows),
      field("remedy", t("returns.remedy"), { required: true, options: REMEDIES.map((one) => [one, t(`remedy.${one}`)]) }, { hint: t("returns.remedy_hint") }),
      field("reason", t("cancel.reason"), { required: true, options: REASONS.map((one) => [one, t(`fault.${one}`)]) }, { hint: t("returns.reason_hint") }),
      field("words", t("returns.words"), { rows: 3, maxlength: 2000 })],
    read: (form) => ({ remedy: form.remedy.value, reason: form.reason.value, lines: lines(), ...(form.words.value.trim() ? { words: form.words.value.trim() } : {}) }),
    wrong: () => (lines().length ? [] : [{ words: t("returns.nothing") }]),
    said: () => t("returns.opened"), done: (answer) => changed(answer.position),
  });
}
