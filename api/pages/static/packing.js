// The packing desk: what has to leave, step by step: pack, waybill, hand over.
import { contents } from "./contents.js";
import { calmly, fill, h, icon } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { follow } from "./live.js";
import { picture } from "./picture.js";
import { recipientWords } from "./recipient.js";
import { cashRefunds } from "./refunds.js";
import { search as searched } from "./search.js";
import { shortPickButton, waitWords } from "./shortpick.js";
import { after, badge, broken, busily, copyButton, empty, field, loading, moreButton, problemBox, showProblem, toast, waitingWords } from "./ui.js";
import { ago, exact, inPrint, names, number, t, weekday, when, word } from "./words.js";

export const CARRIERS = ["shunfeng", "jd", "zhongtong", "yuantong", "shentong", "yunda", "ems", "jtexpress"];
const VIEWS = ["pending_shipment", "pending_receipt", "pending_payment"];
let chosen = VIEWS[0];

/** The list of orders that wait for hands. */
export async function packing(view, _, signal) {
  const list = h("div", null, loading(4));
  const search = h("input", { type: "search", "aria-label": t("packing.search"), placeholder: t("packing.search"), autocomplete: "off" });
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("orders.status")),
    VIEWS.map((status) => h("label", { class: "chip" }, h("input", { type: "radio", name: "status", value: status, checked: status === chosen }), h("span", null, t(`packing.${status}`)))));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.packing")),
    h("button", { class: "tool", type: "button", onclick: () => draw() }, t("app.refresh"))),
  h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, h("div", { class: "search-box" }, icon("search"), search), filter), list);
  const draw = async () => {
    const text = search.value.trim();
    const path = `/v1/orders?status=${chosen}`;
    try {
      const page = text.length >= 4 ? await searched(text, { signal }) : await get(fresh(path), { signal });
      const { table, add } = ordersTable(page.orders, signal);
      fill(list, page.orders.length ? table : empty(t(text ? "packing.none_found" : "packing.none"), t(text ? "packing.none_found_hint" : "packing.none_hint")),
        moreButton(table.querySelector("tbody"), page.next, (cursor) => get(after(path, cursor), { signal }), (more) => add(more.orders)));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  filter.addEventListener("change", (event) => { chosen = event.target.value; search.value = ""; draw(); });
  search.addEventListener("input", calmly(250, draw));
  await draw();
}

/** Orders as rows that lead to the desk; `add` puts more of them below. */
export function ordersTable(orders, signal, { learner = true } = {}) {
  const row = (one) => orderRow(one, signal, learner);
  const rows = h("tbody", null, orders.map(row));
  const table = h("div", { class: "panel flush" }, h("table", { class: "cards orders-table" },
    h("thead", null, h("tr", null, ["packing.order", "packing.state", "packing.items", learner && "packing.learner", "packing.placed"].filter(Boolean).map((key) => h("th", { scope: "col" }, t(key))), h("th", { scope: "col", class: "right" }, t("unit.points", { n: 2 })))),
    rows));
  return { table, add: (more) => rows.append(...more.map(row)) };
}

function orderRow(one, signal, learner) {
  return h("tr", null,
    h("td", null, h("a", { class: "mono strong-link", href: `#/packing/${one.number}` }, one.number)),
    h("td", null, badge("status", one.state)),
    h("td", { class: "full order-items" }, contents(one.number, signal)),
    learner ? h("td", null, h("a", { href: `#/accounts/${encodeURIComponent(one.learner)}` }, one.learner)) : null,
    h("td", { class: "quiet" }, when(one.placed_at)),
    h("td", { class: "right", "data-label": t("unit.points", { n: 2 }) }, number(one.points)));
}

/** One order on the desk: each part with its next step. */
export async function packingOrder(view, [, wanted], signal) {
  fill(view, loading(3));
  const path = `/v1/orders/${encodeURIComponent(wanted)}`;
  const place = h("div", { class: "stack" });
  const lamp = h("p", { class: "lamp", dataset: { state: "connecting" } }, h("i", { "aria-hidden": "true" }), h("span", null, t("live.connecting")));
  let known;
  const recipient = { words: null };
  const draw = async (position) => {
    const found = await get(fresh(path, position), { signal });
    if (known && found.position < known.position) return;
    const typing = place.contains(document.activeElement) && document.activeElement.matches("input, select");
    if (known && typing && stepsOf(found) === stepsOf(known)) return;  // nobody loses what they type
    known = found;
    fill(place, detail(found, { lamp, changed: draw, recipient: recipient.words }));
  };
  await draw();
  fill(view, place);
  follow(`${path}/live`, { signal, onnews: draw, onstate: (state) => { lamp.dataset.state = state; lamp.lastChild.textContent = t(`live.${state}`); } });
  if (known.lines.some((line) => line.kind === "parcel")) {
    try {
      recipient.words = (await get(`${path}/recipient`, { signal })).recipient;
      if (!place.contains(document.activeElement)) fill(place, detail(known, { lamp, changed: draw, recipient: recipient.words }));
      else fill(place.querySelector(".recipient-words"), recipientWords(recipient.words));
    } catch { /* erased, held or not there: the desk works without */ }
  }
}

/** What decides which step each part is at. */
const stepsOf = (found) => JSON.stringify([found.status, found.parts, found.parcels.map((one) => [one.number, one.waybill])]);

function detail(found, { lamp, changed, recipient }) {
  const parcels = new Map(found.parcels.map((one) => [one.number, one]));
  return [
    h("a", { class: "back", href: "#/packing" }, icon("back"), t("tab.packing")),
    h("header", { class: "panel desk-head" },
      h("div", null, h("h1", { class: "mono order-number" }, found.number),
        h("p", { class: "row" }, badge("status", found.state), h("span", null, found.learner), lamp)),
      h("p", { class: "recipient-words small" }, recipient ? recipientWords(recipient) : null),
      h("p", { class: "quiet small" }, t("order.placed", { when: when(found.placed_at) }), " · ", t("order.promise", { day: weekday(found.promised_by) }))),
    h("ol", { class: "stack" }, found.parts.filter((part) => part.units.length).map((part) => partCard(part, found, parcels.get(part.parcel), changed))),
    found.parts.every((part) => !part.units.length) ? empty(t("packing.nothing_left"), "") : null,
    cashRefunds(found, changed),
  ];
}

function partCard(part, found, parcel, changed) {
  return h("li", { class: "panel part", dataset: { part: part.part } },
    h("div", { class: "spread" }, h("h2", null, t("packing.part", { n: part.part }), " · ", part.waits ? t("shortage.badge") : part.warehouse ? word("warehouse", part.warehouse) : t("kind.course")),
      part.waits ? h("span", { class: "badge s-open" }, t(`short.${part.waits}`)) : badge("status", part.state)),
    h("ul", { class: "part-units" }, part.units.map((unit) => {
      const line = found.lines[unit.line - 1];
      return h("li", null, h("div", { class: "stamp tiny" }, picture(line)), h("p", null, h("strong", null, names(line.name).main), h("span", { class: "quiet small" }, ` ${line.specification}`)), h("p", { class: "num part-count" }, `× ${number(unit.quantity)}`));
    })),
    part.warehouse ? step(part, found, parcel, changed) : h("p", { class: "quiet small" }, t("packing.course")));
}

function step(part, found, parcel, changed) {
  if (part.waits) return waitWords(part);
  if (found.status === "pending_payment") return h("p", { class: "quiet small" }, t("packing.unpaid"));
  if (!parcel) return packForm(part, found, changed);
  if (!parcel.waybill) return waybillForm(parcel, changed);
  if (part.state === "pending_shipment") return handOver(parcel, changed);
  return tracked(parcel);
}

function stepForm(key, fields, intent, read, changed, said) {
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "primary", type: "submit" }, t(`packing.${key}`));
  const form = h("form", { class: "step-form", novalidate: true, dataset: { step: key } }, fields, submit, problems);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const gaps = [...form.querySelectorAll("[required]")].filter((one) => !one.value.trim());
    if (gaps.length) {
      showProblem(form, { words: t("problem.invalid"), reasons: gaps.map((one) => ({ field: one.name, words: t("invalid.missing") })) }, problems);
      return;
    }
    busily(submit, async () => {
      problems.hidden = true;
      try {
        const answer = await intent.send(read(form.elements), { onWaiting: waitingWords() });
        toast(t(said));
        await changed(answer.position);
      } catch (problem) {
        showProblem(form, problem, problems);
      }
    });
  });
  return form;
}

function packForm(part, found, changed) {
  const form = stepForm("pack", field("weight_grams", t("packing.weight"), { type: "number", min: 0, max: 1000000, inputmode: "numeric" }),
    new Intent("/v1/parcels"), (form) => ({ order: found.number, part: part.part, weight_grams: Number(form.weight_grams.value) || 0 }), changed, "packing.packed");
  form.querySelector(".primary").after(shortPickButton(part, found, changed));
  return form;
}

function waybillForm(parcel, changed) {
  const box = field("waybill", t("packing.waybill_number"), { required: true, maxlength: 32, autocomplete: "off", spellcheck: "false" });
  const invent = h("button", { class: "tool", type: "button", onclick: () => {
    box.querySelector("input").value = `SF${Array.from(crypto.getRandomValues(new Uint8Array(13)), (one) => one % 10).join("")}`;
  } }, t("packing.invent"));
  return stepForm("waybill", [field("carrier", t("packing.carrier"), { required: true, options: CARRIERS.map((one) => [one, t(`carrier.${one}`)]) }), box, invent],
    new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/waybill`), (form) => ({ carrier: form.carrier.value, waybill: form.waybill.value.trim() }), changed, "packing.labelled");
}

function handOver(parcel, changed) {
  return h("div", { class: "stack" }, waybillWords(parcel),
    stepForm("hand_over", [], new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/handover`), () => ({}), changed, "packing.handed_over"));
}

function waybillWords(parcel) {
  return h("p", { class: "row" }, h("span", null, word("carrier", parcel.carrier)), h("span", { class: "mono" }, parcel.waybill), copyButton(parcel.waybill));
}

function tracked(parcel) {
  const place = h("div", { class: "stack" });
  const more = h("details", { class: "rehearsal" }, h("summary", null, t("packing.rehearse")), place);
  more.addEventListener("toggle", async () => {
    if (!more.open || place.childElementCount) return;
    try {
      fill(place, rehearsal(parcel, await get(`/v1/parcels/${encodeURIComponent(parcel.number)}/callback`)));
    } catch (problem) {
      fill(place, problemBox(problem.words));
    }
  });
  return h("div", { class: "stack" }, h("div", { class: "spread" }, waybillWords(parcel), badge("parcel", parcel.state)),
    parcel.scans.length ? h("ol", { class: "track" }, parcel.scans.slice(0, 4).map((scan, place_) => h("li", { class: place_ ? "" : "now" }, h("p", null, inPrint(scan.text)), h("time", { datetime: scan.time, title: exact(scan.time) }, `${when(scan.time)} · ${ago(scan.time)}`)))) : h("p", { class: "quiet small" }, t("packing.no_scans")),
    more);
}

/** A push as the carrier's aggregator would send it, to be pasted into a shell. */
function rehearsal(parcel, link) {
  const scans = [["在途", t("packing.say_transit"), "0"], ["派件", t("packing.say_out"), "5"], ["签收", t("packing.say_signed"), "3"]];
  const pick = h("select", { "aria-label": t("packing.say") }, scans.map(([, label], n) => h("option", { value: n }, label)));
  const code = h("code");
  const draw = () => { code.textContent = command(parcel, link, Number(pick.value)); };
  pick.addEventListener("change", draw);
  draw();
  return [h("p", { class: "quiet small" }, t("packing.rehearse_how")),
    h("dl", { class: "figures link-figures" }, h("dt", null, t("packing.callback_url")), h("dd", { class: "mono" }, link.callback_url), h("dt", null, t("packing.salt")), h("dd", { class: "mono" }, link.salt)),
    h("div", { class: "row" }, pick, h("button", { class: "tool", type: "button", onclick: () => navigator.clipboard.writeText(code.textContent).then(() => toast(t("app.copied")), () => toast(t("app.copy_failed"), "bad")) }, icon("copy"), t("app.copy"))),
    h("pre", { tabindex: 0 }, code)];
}

const STORY = [
  ["快件到达 【杭州转运中心】", "在途", "0"],
  ["快件正在派送中,派送员:王**,电话:1******8000", "派件", "5"],
  ["快件已签收,签收人:本人签收", "签收", "3"],
];

function command(parcel, link, upTo) {
  const now = Date.now();
  const stamp = (at) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium" }).format(at);
  const data = STORY.slice(0, upTo + 1).map(([context, status, statusCode], place) => ({ time: stamp(now - (upTo - place) * 60000), ftime: stamp(now - (upTo - place) * 60000), context, status, statusCode })).reverse();
  const param = JSON.stringify({ status: upTo === 2 ? "shutdown" : "polling", billstatus: "got", message: "", lastResult: { message: "ok", state: STORY[upTo][2], status: "200", condition: "F00", ischeck: upTo === 2 ? "1" : "0", com: parcel.carrier, nu: parcel.waybill, data } });
  return `param='${param}'\nsign=$(printf '%s' "$param${link.salt}" | md5sum | cut -c1-32 | tr a-f A-F)\ncurl --data-urlencode "param=$param" -d "sign=$sign" '${link.callback_url}'\n`;
}
