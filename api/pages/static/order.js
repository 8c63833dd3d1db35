// One order: how far each item is, its parcels live, cancelling, points coming back.
import { fill, h, icon, keepingFocus, s } from "./dom.js";
import { fresh, get } from "./http.js";
import { addressPanel } from "./address.js";
import { agreed, isAgreed } from "./appointment.js";
import { backWords, openCancel } from "./cancel.js";
import { Complaints } from "./complaint.js";
import { stopping } from "./intercept.js";
import { legsOf, legWords } from "./legs.js";
import { notPossible } from "./whynot.js";
import { payButton } from "./pay.js";
import { picture } from "./picture.js";
import { ratingPanel, ratingWords } from "./rating.js";
import { returnButton, returnsPanel } from "./returns.js";
import { shortagePanel, waitingParts } from "./shortage.js";
import { strayBadge } from "./strays.js";
import { follow } from "./live.js";
import { scanOriginal, scanState } from "./scans.js";
import { announce, badge, loading, progress, progressWords } from "./ui.js";
import { ago, clock, dayKey, exact, factWords, has, inPrint, language, lastDay, lastWeekday, names, number, price, t, warehouseName, weekday, when, word, yuan } from "./words.js";

const STEPS = ["pending_payment", "pending_shipment", "pending_receipt", "completed"];
const TIMELINE = ["orders.OrderPlaced", "orders.PaymentCaptured", "orders.AddressChanged", "orders.UnitsFellShort", "orders.WaitChosen", "orders.WaitEnded", "orders.PartPacked", "orders.PartHandedOver", "orders.PartReceived", "orders.EntitlementGranted", "orders.EntitlementRevoked", "orders.UnitsCancelled", "orders.UnitsRefunded", "orders.OrderCancelled", "orders.OrderClosed", "orders.OrderCompleted", "orders.CashRefundRequested", "orders.CashRefundConfirmed", "orders.CashRefundFailed", "orders.PaymentFailed", "orders.LineRated", "orders.SendingDelayed", "orders.LatenessMadeGood"];

/** The view of one order. */
export async function order(view, [, number_], signal) {
  fill(view, loading(4));
  const path = `/v1/orders/${encodeURIComponent(number_)}`;
  let known = null;
  const lamp = h("p", { class: "lamp", dataset: { state: "connecting" } }, h("i", { "aria-hidden": "true" }), h("span", null, t("live.connecting")));
  const body = h("div", { class: "order" });
  const address = addressPanel(path, signal, (position) => draw(position));
  const complaints = new Complaints(number_, signal, (position) => draw(position));

  const back = returnsPanel(signal, (position) => draw(position));
  const track = { whole: false };

  const draw = async (position) => {
    const found = await get(fresh(path, position), { signal });
    found.story = hasStory(found) ? (await get(fresh(`${path}/story`, position), { signal })).entries : [];
    await complaints.look(found, position);
    await back.tell(found, position);
    if (known && (found.position < known.position || JSON.stringify(found) === JSON.stringify(known))) return;
    const news = known ? newMoments(known, found) : [];
    const sent = hasGoods(found);
    known = found;
    const unfolded = body.querySelector("details[open]");
    keepingFocus(body, () => fill(body, page(found, { lamp, fresh: news, changed: draw, address: sent ? address.panel : null, back: back.panel, complaints, track })));
    if (sent) address.tell(found);
    if (unfolded) body.querySelector("details")?.setAttribute("open", "");
    if (news.length) announce(t("live.news", { news: news.map((one) => one.words).slice(-3).join("; ") }));
  };
  await draw();
  fill(view, body);
  follow(`${path}/live`, { signal, onnews: draw, onstate: (state) => {
    lamp.dataset.state = state;
    lamp.lastChild.textContent = t(`live.${state}`);
  } });
}

/** Whether there is more to tell than of the order itself: a case, or goods that come back. */
const hasStory = (found) => found.timeline.some((one) => one.fact === "orders.UnitsUnderReturn") || found.parcels.some((one) => one.actions.dispute.case);

/** What the later answer tells that the earlier one did not. */
function newMoments(before, after) {
  const seen = new Set(moments(before).map((one) => one.key));
  return moments(after).filter((one) => !seen.has(one.key)).reverse();
}

/** Facts and scans, newest first, as one story. */
function moments(found) {
  const facts = found.timeline.filter((one) => TIMELINE.includes(one.fact) && !receiptOfCourse(one, found)).map((one, place) => ({
    at: one.at, key: `f${one.position}`, rank: one.position, kind: one.points && /Cancelled|Refunded|LatenessMadeGood/.test(one.fact) ? "money" : "fact",
    words: factWords(one.fact), detail: detail(one, found), place,
  }));
  const scans = found.parcels.flatMap((parcel) => parcel.scans.map((scan, place) => ({
    at: scan.time, key: `s${parcel.number}|${scan.time}|${scan.text}`, rank: 1e9 - place, kind: "scan",
    words: scanState(scan), original: scanOriginal(scan), detail: [legWords(scan), found.parcels.length > 1 ? carrierOf(parcel) : null].filter(Boolean).join(" · ") || null,
  })));
  const story = found.story.map((one) => ({
    at: one.at, key: `o${one.position}`, rank: one.position, kind: one.kind === "scan" ? "scan" : "own",
    words: one.kind === "scan" && language === "zh" ? inPrint(one.details.zh) : one.words[language],
    original: one.kind === "scan" ? scanOriginal({ text: one.details.zh }) : null,
    detail: one.kind === "scan" ? t("order.way_back") : one.details && inPrint(one.details[language]),
  }));
  return [...facts, ...scans, ...story].sort((a, b) => new Date(b.at) - new Date(a.at) || b.rank - a.rank);
}

/** A course is opened, and nobody receives it. */
const receiptOfCourse = (one, found) => one.fact === "orders.PartReceived" && !found.parts.find((part) => part.part === one.part)?.warehouse;

/** Whether there are goods in it, and not courses alone. */
const hasGoods = (found) => found.lines.some((line) => line.kind === "parcel");

function detail(one, found) {
  const words = [];
  const parcel = found.parcels.findIndex((each) => each.number === one.parcel);
  if (parcel >= 0 && found.parcels.length > 1) words.push(t("order.parcel_n", { n: parcel + 1 }));
  if (one.points && /Cancelled|Refunded/.test(one.fact)) words.push(t("order.points_back", { n: one.points }));
  if (one.points && one.fact === "orders.LatenessMadeGood") words.push(t("order.points_given", { n: one.points }));
  if (one.cash_fen && /Cancelled|Refunded/.test(one.fact)) words.push(t("order.cash_back", { cash: yuan(one.cash_fen) }));
  if (one.amount_fen) words.push(yuan(one.amount_fen));
  // Why a picker found too few is the warehouse's own affair.
  if (one.reason && !/OrderCancelled|UnitsFellShort/.test(one.fact)) words.push(has(`reason.${one.reason}`) ? t(`reason.${one.reason}`) : one.reason);
  return words.join(" · ") || null;
}

function page(found, { lamp, fresh, changed, address, back, complaints, track }) {
  const freshKeys = new Set(fresh.map((one) => one.key));
  return [
    h("a", { class: "back", href: "#/orders" }, icon("back"), t("orders.title")),
    h("header", { class: "order-head panel" },
      h("div", { class: "order-title" },
        h("h1", null, h("span", { class: "visually-hidden" }, `${t("order.title")} `), h("span", { class: "mono order-number" }, found.number)),
        h("p", { class: "row" }, badge("status", found.status), found.partly_shipped ? h("span", { class: "badge" }, t("order.partly_shipped")) : null),
        h("p", { class: "quiet small" }, t("order.placed", { when: when(found.placed_at) }))),
      postmark(found),
      steps(found),
      promise(found)),
    shortagePanel(found, changed),
    ratingPanel(found, changed),
    found.parcels.filter((one) => one.state === "awaiting_pickup").map(pickup),
    h("div", { class: "order-columns" },
      h("div", { class: "stack" }, lines(found), ...found.parcels.map((one, place, all) => parcel(one, { place, all, complaint: complaints.of(one.number), stop: stopping(found, one, changed) })), back, address, totals(found), options(found, changed, address)),
      h("section", { class: "panel order-story", "aria-labelledby": "story" },
        h("div", { class: "spread" }, h("h2", { id: "story" }, t("order.story")), lamp),
        story(found, freshKeys, track))),
  ];
}

/** So many of the newest are shown at first; a single older one is not worth a button. */
const NEWEST = 10;

/** The newest moments, and the older ones once they are asked for: `track` remembers that. */
function story(found, fresh, track) {
  const all = moments(found);
  const shown = track.whole || all.length <= NEWEST + 1 ? all.length : NEWEST;
  const list = h("ol", { class: "track", id: "timeline" }, all.slice(0, shown).map((one, place) => moment(one, place, fresh)));
  const more = shown < all.length ? h("button", { class: "button compact wide", type: "button", onclick: () => {
    track.whole = true;
    list.append(...all.slice(shown).map((one, place) => moment(one, shown + place, fresh)));
    more.remove();
    list.children[shown].focus({ preventScroll: true });
  } }, t("timeline.more", { n: all.length - shown })) : null;
  return [list, more];
}

function moment(one, place, fresh) {
  // By its name the focus finds it again when news draw the track anew.
  return h("li", { id: `m-${one.key.replace(/\s/g, "_")}`, tabindex: -1, class: [place === 0 && "now", one.kind === "money" && "money", fresh.has(one.key) && "fresh"].filter(Boolean).join(" "), dataset: { kind: one.kind } },
    h("p", null, one.words), one.original ? h("p", null, one.original) : null, one.detail ? h("p", { class: "quiet small" }, one.detail) : null,
    h("time", { datetime: one.at, title: exact(one.at) }, place === 0 ? `${when(one.at)} · ${ago(one.at)}` : when(one.at)));
}

/** Where the order is on its way, for those who glance. */
function steps(found) {
  if (["cancelled", "closed"].includes(found.status)) return null;
  const goods = hasGoods(found);
  if (!goods && !found.cash_fen) return null;
  const shown = goods ? (found.cash_fen ? STEPS : STEPS.slice(1)) : [STEPS[0], STEPS.at(-1)];
  const at = shown.indexOf(found.status);
  return h("ol", { class: "steps" }, shown.map((status, place) =>
    h("li", { class: place < at || found.status === "completed" ? "done" : place === at ? "here" : "", "aria-current": place === at ? "step" : null },
      h("span", { class: "dot" }, place < at || found.status === "completed" ? icon("check") : null), h("span", null, t(!goods && status === "completed" ? "step.opened" : `step.${status}`)))));
}

function promise(found) {
  if (found.status === "pending_payment" && found.pay_by) {
    return h("div", { class: "stack promise-box" }, h("p", { class: "promise warn" }, icon("warn"), h("span", null, t("order.pay_by", { time: clock(found.pay_by), cash: yuan(found.cash_fen) }))), payButton(found));
  }
  if (found.status === "completed" && found.returnable_until) return h("p", { class: "promise" }, icon("check"), h("span", null, t(hasGoods(found) ? "order.returnable" : "course.refundable", { day: lastDay(found.returnable_until) })));
  if (["pending_shipment", "pending_receipt"].includes(found.status)) {
    const waiting = waitingParts(found).length;
    if (waiting && waiting === found.parts.filter((part) => part.units.length).length && !found.delay) return null;
    const turned = turnedBack(found.parcels);
    if (turned) return warning(t(turned));
    if (found.delay) return warning(inPrint(language === "zh" ? found.delay.message_zh : found.delay.message));
    // What its learner put off is not late yet (T8).
    if (new Date(found.promised_by) < Date.now()) return found.parcels.some(isAgreed) ? null : warning(t("order.promise_late", { day: lastWeekday(found.promised_by) }));
    return h("p", { class: "promise" }, icon("check"), h("span", null, t(waiting ? "order.promise_rest" : "order.promise", { day: lastWeekday(found.promised_by) })));
  }
  return null;
}

const warning = (words) => h("p", { class: "promise warn" }, icon("warn"), h("span", null, words));

/** What to say of a parcel that does not come any more, the one that is furthest from its learner. */
function turnedBack(parcels) {
  const one = ["lost", "returned", "returning"].map((state) => parcels.find((each) => each.state === state)).find(Boolean);
  if (!one) return null;
  // It comes back whatever its carrier said of the wish: then the goods pay it back.
  const called = one.state !== "lost" && one.intercept?.way === "return" && one.intercept.state !== "turned_back";
  return `order.${called ? "called_back" : "not_coming"}_${one.state}`;
}

/** A postmark with the day of the order; the mall's seal on what was taken back. */
function postmark(found) {
  const [year, month, date] = dayKey(found.placed_at).split("-");
  const ended = ["cancelled", "closed"].includes(found.status);
  const ring = s("text", { "font-size": 9, "font-weight": 700, fill: "currentColor", "letter-spacing": .8 }, s("textPath", { href: "#postmark-ring", startOffset: "50%", "text-anchor": "middle" }, "TALLYPOST"));
  const text = (y, size, words) => s("text", { x: 50, y, "text-anchor": "middle", "font-size": size, "font-weight": 700, fill: "currentColor" }, words);
  return s("svg", { viewBox: "0 0 150 100", class: `postmark${ended ? " ended" : ""}`, "aria-hidden": "true" },
    s("g", { fill: "none", stroke: "currentColor", "stroke-width": 2.4 },
      s("circle", { cx: 50, cy: 50, r: 44 }), s("circle", { cx: 50, cy: 50, r: 31, "stroke-width": 1.4 }),
      ...[32, 44, 56, 68].map((y) => s("path", { d: `M97 ${y}q7-7 14 0t14 0 14 0 10 0`, "stroke-width": 2 }))),
    s("path", { id: "postmark-ring", d: "M15.500 50a34.500 34.500 0 0 1 69 0", fill: "none" }), ring, text(48, 15, `${month}.${date}`), text(62, 10, year), text(89, 8.5, ended ? "∅" : "★"));
}

function lines(found) {
  return h("section", { class: "panel", "aria-labelledby": "goods" }, h("h2", { id: "goods" }, t("order.goods")),
    h("ul", { class: "order-lines" }, found.lines.map((line) => {
      const name = names(line.name);
      const parts = found.parts.filter((part) => part.units.some((unit) => unit.line === line.line));
      return h("li", { dataset: { sku: line.sku } }, h("div", { class: "stamp tiny" }, picture(line)),
        h("div", { class: "order-line-words" },
          h("p", null, h("strong", null, name.main), " ", h("span", { class: "quiet num" }, `× ${number(line.quantity)}`)),
          h("p", { class: "quiet small" }, line.specification || name.other),
          ratingWords(line),
          line.gone ? h("p", { class: "small gone-words" }, t("order.gone", { n: line.gone })) : null,
          parts.length > 1 || parts.some((part) => part.waits || part.cancelling) ? h("ul", { class: "small quiet" }, parts.map((part) => h("li", null, partWords(part, line)))) : null),
        h("div", { class: "order-line-state" }, parts.some((part) => part.waits) ? h("span", { class: "badge s-open" }, t("shortage.badge")) : progress(line.kind, line.progress, parts[0]?.returnable_until),
          h("p", { class: "num small" }, `${number(line.unit_points * line.quantity)} ${t("unit.points", { n: line.unit_points * line.quantity })}`)));
    })));
}

function partWords(part, line) {
  const unit = part.units.find((one) => one.line === line.line);
  if (part.waits) return t(part.waits === "choice" ? "shortage.of_part" : "shortage.of_part_waited", { n: unit.quantity });
  if (part.cancelling) return t("order.cancelling");
  const from = part.warehouse ? t("redeem.from", { warehouse: warehouseName(part.warehouse) }) : t("kind.course");
  return `${from} × ${number(unit.quantity)} · ${progressWords(line.kind, part.state, part.returnable_until)}`;
}

function carrierOf(parcel) {
  return parcel.carrier ? `${word("carrier", parcel.carrier)} ${parcel.waybill}` : t("order.no_carrier");
}

function parcel(one, { place, all, complaint, stop }) {
  return h("section", { class: "panel parcel", dataset: { parcel: one.number } },
    h("div", { class: "spread" }, h("h2", null, all.length > 1 ? t("order.parcel_n", { n: place + 1 }) : t("order.parcel")), badge("parcel", one.waybill ? one.state : "packed")),
    h("p", null, one.carrier ? [word("carrier", one.carrier), " ", h("span", { class: "mono" }, one.waybill)] : t("order.no_carrier")),
    one.strays.length ? [strayBadge(one), h("p", { class: "quiet small" }, t("stray.paid_back"))] : null,
    legsOf(one),
    one.since ? h("p", { class: "quiet small" }, t("order.since", { ago: ago(one.since) })) : null,
    one.delay ? h("p", { class: "promise warn delay" }, icon("warn"), h("span", null, inPrint(language === "zh" ? one.delay.message_zh : one.delay.message))) : null,
    agreed(one),
    one.arrival && one.arrival.basis !== "appointment" && !isAgreed(one) ? h("p", { class: "arrival" }, expected(one.arrival)) : null,
    stop, complaint);
}

/** What somebody at the station's counter needs, above all else on the page (T8). */
function pickup(one) {
  return h("section", { class: "pickup panel", "aria-label": word("parcel", one.state) }, h("p", null, one.pickup.station ?? t("order.pickup")),
    one.pickup.code ? h("p", { class: "pickup-code num" }, one.pickup.code) : null,
    one.pickup.deadline ? h("p", { class: "small" }, t("order.pickup_by", { when: when(one.pickup.deadline) })) : null);
}

/** The window in which a parcel should arrive; on one day, the day is said once. */
function expected({ earliest, latest }) {
  if (dayKey(earliest) === dayKey(latest)) return t("order.arrival_day", { day: weekday(earliest), from: clock(earliest), until: clock(latest) });
  return t("order.arrival", { from: when(earliest), until: when(latest) });
}

function totals(found) {
  const gone = found.timeline.filter((one) => /Cancelled|Refunded/.test(one.fact));
  const back = gone.reduce((sum, one) => sum + (one.points ?? 0), 0);
  const cash = gone.reduce((sum, one) => sum + (one.cash_fen ?? 0), 0);
  return h("section", { class: "panel", "aria-labelledby": "paid" }, h("h2", { id: "paid" }, t("order.paid")),
    h("dl", { class: "figures" },
      h("dt", null, t("redeem.points")), h("dd", { class: "num" }, price({ points: found.points })),
      found.cash_fen ? [h("dt", null, t("redeem.cash")), h("dd", { class: "num" }, yuan(found.cash_fen))] : null,
      back ? [h("dt", null, t("order.back")), h("dd", { class: "num back-figure", id: "points-back" }, `+${number(back)}`)] : null,
      cash ? [h("dt", null, t("order.cash_back_figure")), h("dd", { class: "num back-figure" }, `+${yuan(cash)}`)] : null),
    back ? h("p", { class: "small" }, h("a", { href: "#/points" }, t("order.see_statement"))) : null);
}

/** What is done from here, what it would do, and why the rest is not possible (D6). */
function options(found, changed, address) {
  const { cancel } = found.actions;
  const unpaid = found.status === "pending_payment";
  const disputable = found.parcels.some((one) => one.actions.dispute.possible);
  return h("section", { class: "panel options", "aria-labelledby": "options" }, h("h2", { id: "options" }, t("actions.title")),
    cancel.parcels ? h("p", { class: "quiet small" }, t("intercept.too_late")) : cancel.possible
      ? [h("p", { class: "quiet small" }, t(unpaid ? "actions.cancel_unpaid" : "actions.cancel_how", { back: backWords(cancel.lots, cancel.cash_fen) })),
        h("button", { class: "danger compact", type: "button", onclick: () => openCancel(found, changed) }, t("cancel.open"))]
      : h("p", { class: "quiet small" }, t(["cancelled", "closed"].includes(found.status) ? "cancel.over" : hasGoods(found) ? "cancel.not_now" : "course.not_now")),
    disputable && !cancel.possible ? h("p", { class: "quiet small" }, t("cancel.ask")) : null,
    returnButton(found, changed),
    notPossible(found.actions, { but: ["cancel", ...(address ? ["address"] : [])] }));
}
