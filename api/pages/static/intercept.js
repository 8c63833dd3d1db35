// Parcels that are stopped on their way: the learner's wish, and what staff make of it (O8).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { get, fresh } from "./http.js";
import { calledBack } from "./strays.js";
import { after, badge, empty, field, moreButton } from "./ui.js";
import { ago, exact, names, t, when, word } from "./words.js";

const { role } = document.body.dataset;

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
    h("td", null, h("span", { class: `badge ${["refused", "failed", "timed_out"].includes(one.state) ? "s-failed" : "s-open"}` }, word("intercept_state", one.state)), waits ? h("p", { class: "quiet small" }, t("intercept.waits", { when: when(one.answer_by) })) : null),
    h("td", null, badge("parcel", one.parcel_state)),
    h("td", { class: "quiet" }, h("time", { datetime: one.asked_at, title: exact(one.asked_at) }, ago(one.asked_at))),
    h("td", { class: "full" }, h("div", { class: "row" }, ["asked", "taken", "refused", "timed_out"].includes(one.state) ? h("button", { class: "tool", type: "button", onclick: () => said(one, changed) }, t("intercept.said")) : null,
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

function goodsBack(one, changed) {
  askFor({
    title: t("intercept.goods_back_title"), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/goods-back`, label: t("form.save"), done: () => changed(),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)),
      h("p", { class: "quiet small" }, t(one.paid_back ? "intercept.goods_back_paid" : "intercept.goods_back_how")),
      one.goods.map((item, place) => field(`broken-${place}`, t("intercept.broken", { name: names(item.name).main }), { type: "number", required: true, min: 0, max: item.quantity, value: 0, inputmode: "numeric" }, { hint: t("intercept.broken_of", { n: item.quantity }) })),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    wrong: (form) => one.goods.flatMap((item, place) => within(form[`broken-${place}`], item.quantity)),
    read: (form) => found(one.goods.map((item, place) => ({ sku: item.sku, quantity: Number(form[`broken-${place}`].value) })), form.reason.value.trim()),
    said: (answer) => (one.paid_back ? t("intercept.goods_back_shelved") : t("intercept.goods_back_done", { n: answer.points })),
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
