// Parcels that are stopped on their way: the learner's wish, and what staff make of it (O8).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { withClaims } from "./effects.js";
import { get, fresh } from "./http.js";
import { REASONS } from "./reasons.js";
import { calledBack } from "./strays.js";
import { after, badge, busily, empty, field, moreButton } from "./ui.js";
import { ago, exact, names, t, when, word } from "./words.js";

const { role } = document.body.dataset;
/** Where a parcel may be by its track while it lies in the house; what is signed for comes as a return. */
const UNDER_WAY = ["handed_over", "in_transit", "customs", "out_for_delivery", "awaiting_pickup", "delivery_failed", "forwarded", "lost"];
/** Nobody called it back: its learner may want it still. */
const cameByItself = (one) => one.in_hand || one.state === "turned_back";

/** What a parcel's carrier was asked, and the button that asks it; nothing where neither is there. */
export function stopping(order, parcel, changed, may = true) {
  const action = parcel.actions?.intercept;
  const said = parcel.intercept;
  const possible = may && action?.possible;
  if (!said && !possible) return null;
  return h("div", { class: "stopping", dataset: { stopping: parcel.number } },
    said ? h("p", { class: "small" }, calledBack(parcel) ?? t("intercept.now", { way: word("intercept_way", said.way), state: word("intercept_state", said.state) })) : null,
    possible ? h("button", { class: "button compact", type: "button", onclick: () => callBack(order, parcel, action.orders, changed) }, t("intercept.open")) : null);
}

function callBack(order, parcel, orders, changed) {
  const others = orders.filter((one) => one !== order.number);
  askFor({
    title: t("intercept.open"), path: `/v1/parcels/${encodeURIComponent(parcel.number)}/interception`, label: t("intercept.confirm"), danger: true,
    fields: [h("p", null, t("intercept.open_how")), others.length ? h("p", null, t("intercept.with", { orders: others.join(t("app.and")) })) : null,
      role !== "learner" ? field("reason", t("cancel.reason"), { required: true, maxlength: 200 }) : field("reason", t("cancel.reason"), { required: true, options: ["changed_mind", "ordered_twice", "too_late", "wrong_address"].map((one) => [one, t(`reason.${one}`)]) })],
    read: (form) => ({ orders, reason: form.reason.value.trim() }), said: () => t("intercept.asked"), done: (answer) => changed(answer.position),
  });
}

/** The list for staff: what carriers owe word of, what failed, what comes back. */
export async function intercepts(changed, signal) {
  const ask = (cursor) => get(fresh(after("/v1/intercepts", cursor)), { signal });
  const page = await ask();
  if (!page.intercepts.length) return empty(t("intercept.none"), t("intercept.none_hint"));
  const rows = h("tbody", null, page.intercepts.map((one) => row(one, changed)));
  return [h("div", { class: "panel flush" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, ["delays.parcel", "intercept.way", "intercept.state", "delays.state", "delays.since"].map((key) => h("th", { scope: "col" }, t(key))), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("intercept.goods_back"))))), rows)),
  moreButton(rows, page.next, ask, (more) => rows.append(...more.intercepts.map((one) => row(one, changed))))];
}

function row(one, changed) {
  const waits = ["asked", "taken"].includes(one.state);
  return h("tr", { dataset: { intercept: one.parcel } },
    h("td", { class: "full" }, h("a", { class: "mono strong-link", href: `#/packing/${one.orders[0]}` }, one.parcel), h("p", { class: "quiet small" }, word("carrier", one.carrier), " ", h("span", { class: "mono" }, one.waybill))),
    h("td", null, word("intercept_way", one.way)),
    h("td", null, h("span", { class: `badge ${one.give_up ? "s-failed" : "s-open"}` }, word("intercept_state", one.state)), one.refusal ? h("p", { class: "quiet small" }, one.refusal) : null, waits ? h("p", { class: "quiet small" }, t("intercept.waits", { when: when(one.answer_by) })) : null),
    h("td", null, badge("parcel", one.parcel_state)),
    h("td", { class: "quiet" }, h("time", { datetime: one.asked_at, title: exact(one.asked_at) }, ago(one.asked_at))),
    h("td", { class: "full" }, h("div", { class: "row" }, ["asked", "taken", "refused", "timed_out"].includes(one.state) ? h("button", { class: "tool", type: "button", onclick: () => said(one, changed) }, t("intercept.said")) : null,
      one.ask_again ? h("button", { class: "button compact", type: "button", onclick: () => askAgain(one, changed) }, t("intercept.again")) : null,
      one.give_up ? h("button", { class: "tool", type: "button", onclick: () => giveUp(one, changed) }, t("intercept.give_up")) : null,
      one.way === "return" && (one.paid_back || one.parcel_state !== "signed") ? h("button", { class: "button compact", type: "button", onclick: () => goodsBack(one, changed) }, t("intercept.goods_back")) : null)));
}

function said(one, changed) {
  const choices = ["yes", "no"].filter((word_) => one.state !== { yes: "taken", no: "refused" }[word_]);
  askFor({
    title: t("intercept.said_title"), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/interception/word`, label: t("form.save"), done: () => changed(),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t("intercept.said_how")),
      field("taken", t("intercept.said_what"), { required: true, options: choices.map((word_) => [word_, t(`intercept.said_${word_}`)]) }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ taken: form.taken.value === "yes", reason: form.reason.value.trim() }),
  });
}

function askAgain(one, changed) {
  askFor({
    title: t("intercept.again_title"), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/interception/again`, label: t("intercept.again_confirm"), said: () => t("intercept.asked_again"), done: (answer) => changed(answer.position),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t(`intercept.again_${one.way}`)),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }),
  });
}

function giveUp(one, changed) {
  askFor({
    title: t("intercept.give_up_title"), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/interception/end`, label: t("intercept.give_up_confirm"), danger: true, said: () => t("intercept.given_up"), done: (answer) => changed(answer.position),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t(one.paid_back ? "intercept.give_up_paid" : one.parcel_state === "signed" ? "intercept.give_up_signed" : "intercept.give_up_how")),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }),
  });
}

/** A parcel that lies here, whatever its track says: which goods, and what becomes of them (rules.md 3). */
export function inHand(parcel, number, changed) {
  if (parcel.intercept?.way === "return" || !UNDER_WAY.includes(parcel.state)) return null;
  const open = async () => {
    const orders = await Promise.all([number, ...parcel.shared_with].map((one) => get(fresh(`/v1/orders/${encodeURIComponent(one)}`))));
    goodsBack({ parcel: parcel.number, orders: orders.map((one) => one.number), goods: goodsIn(parcel.number, orders), in_hand: true }, (position) => changed(position));
  };
  const button = h("button", { class: "tool", type: "button", onclick: () => busily(button, open) }, t("intercept.in_hand"));
  return button;
}

/** What orders have in a parcel, an item a line. */
function goodsIn(parcel, orders) {
  const found = new Map();
  for (const order of orders) {
    for (const unit of order.parts.filter((part) => part.parcel === parcel).flatMap((part) => part.units)) {
      const line = order.lines[unit.line - 1];
      found.set(line.sku, { sku: line.sku, name: line.name, quantity: (found.get(line.sku)?.quantity ?? 0) + unit.quantity });
    }
  }
  return [...found.values()];
}

/** Parcels in which refused goods of a return go to their learner again (D3). */
const sentAgain = (one) => /-S\d*$/.test(one.parcel);

function goodsBack(one, changed) {
  const decides = one.state === "lies_here" && !one.paid_back;
  const lies = sentAgain(one) && !one.paid_back && !decides;
  const goes = decides || lies;
  const how = decides ? "lies_here_how" : lies ? "refused_back_how" : one.in_hand ? "in_hand_how" : one.paid_back ? "goods_back_paid" : "goods_back_how";
  askFor({
    title: t("intercept.goods_back_title"), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/goods-back`, label: t(one.paid_back ? "intercept.shelve" : goes ? "form.save" : "intercept.pay_back"), done: (answer) => changed(answer.position),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)),
      h("p", { class: "quiet small" }, t(`intercept.${how}`)),
      one.paid_back || !cameByItself(one) ? null : h("div", { class: "notice" }, h("p", null, t("intercept.once_more_how")), h("p", { class: "row" }, one.orders.map((number) => h("a", { class: "button compact", href: `/support#/orders/${number}` }, t("intercept.once_more"), one.orders.length > 1 ? h("span", { class: "mono small" }, ` ${number}`) : null)))),
      goes ? field("becomes", t("intercept.becomes"), { required: true, value: "here", options: [["here", t(lies ? "intercept.lay_down" : "intercept.pay_back")], ["send", t("intercept.send_again")]] }) : null,
      (lies ? [] : one.goods).map((item, place) => field(`broken-${place}`, t("intercept.broken", { name: names(item.name).main }), { type: "number", required: true, min: 0, max: item.quantity, value: 0, inputmode: "numeric" }, { hint: t("intercept.broken_of", { n: item.quantity }) })),
      one.paid_back || lies ? null : field("fault", t("refunding.fault"), { required: true, value: "changed_mind", options: ["changed_mind", ...REASONS].map((reason) => [reason, word("reason", reason)]) }, { hint: t("intercept.fault_how") }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    wrong: (form) => (lies ? [] : one.goods).flatMap((item, place) => within(form[`broken-${place}`], item.quantity)),
    read: (form) => (form.becomes?.value === "send" ? { intact: true, send_again: true, reason: form.reason.value.trim(), ...(one.in_hand ? { in_hand: true } : {}) } : { ...found((lies ? [] : one.goods).map((item, place) => ({ sku: item.sku, quantity: Number(form[`broken-${place}`].value) })), form.reason.value.trim()), ...(one.in_hand ? { in_hand: true } : {}), ...(decides ? { refund: true } : {}), ...(form.fault ? { fault: form.fault.value } : {}) }),
    said: (answer) => withClaims(answer.sent_again_in ? t("intercept.sent_again", { parcel: answer.sent_again_in }) : lies ? t("intercept.laid_down") : one.paid_back ? t("intercept.goods_back_shelved") : t("intercept.goods_back_done", { n: answer.points }), answer.claims),
  });
}

function within(box, most) {
  const units = Number(box.value);
  return Number.isInteger(units) && units >= 0 && units <= most ? [] : [{ field: box.name, words: t("intercept.broken_wrong", { n: most }) }];
}

/** What the inspection came to: what is not named goes back on its shelf. */
function found(units, reason) {
  const scrap = units.filter((one) => one.quantity > 0);
  return scrap.length ? { intact: false, scrap, reason } : { intact: true, reason };
}
