// Redeeming: the basket, its quote with every failing check, the recipient, one order.
import { $, calmly, fill, h, icon } from "./dom.js";
import { ask, failureWords, Intent } from "./http.js";
import { me } from "./ledger.js";
import { picture } from "./picture.js";
import { recipientFields, recipientOf } from "./recipient.js";
import { busily, dialog, keepAsSent, problemBox, showProblem, stepper, toast, waitingWords } from "./ui.js";
import { lastWeekday, names, number, t, warehouseName, yuan } from "./words.js";

const NEEDS_RECIPIENT = ["recipient_missing", "province_missing"];

/** What is wished for, until it is ordered; the recipient is kept only while the page is open. */
export const basket = {
  lines: [],
  recipient: {},
  onchange: () => {},
  get count() { return this.lines.reduce((sum, line) => sum + line.quantity, 0); },
  get points() { return this.lines.reduce((sum, line) => sum + line.quantity * line.item.points, 0); },
  get hasParcel() { return this.lines.some((line) => line.item.kind === "parcel"); },
  add(item) {
    if (!this.lines.some((line) => line.item.sku === item.sku)) this.lines.push({ item, quantity: 1 });
    this.onchange();
  },
  remove(line) {
    this.lines = this.lines.filter((one) => one !== line);
    this.onchange();
  },
  clear() {
    this.lines = [];
    this.onchange();
  },
};

/** The dialog in which the basket becomes an order. */
export function openRedeem() {
  const intent = new Intent("/v1/orders");
  const lines = h("ul", { class: "basket-lines" });
  const told = h("div", { class: "quote", role: "status", "aria-live": "polite" });
  const problems = h("div", { class: "problem", hidden: true });
  const recipient = recipientFields(basket.recipient);
  const submit = h("button", { class: "primary", type: "submit" }, t("redeem.confirm"));
  const later = h("button", { class: "button", type: "button", onclick: () => box.close() }, t("redeem.keep_looking"));
  const form = h("form", { novalidate: true, autocomplete: "on" },
    h("div", { class: "dialog-body" }, lines, recipient, told, problems),
    h("footer", { class: "dialog-foot" }, later, submit));
  const box = dialog(t("redeem.title"), form, { wide: true, onclose: () => asking?.abort() });

  let asking;
  /** The price that stands in the dialog, and the wish it is of. */
  let shown = { of: null, price: null };
  const quote = async () => {
    asking?.abort();
    if (!basket.lines.length) { box.close(); return; }
    asking = new AbortController();
    const whole = complete(form);
    const wanted = wish(form, whole);
    told.classList.add("asking");
    try {
      const said = await ask("/v1/quotes", wanted, { signal: asking.signal });
      shown = { of: JSON.stringify(wanted), price: [said.points, said.cash_fen, said.freight_fen] };
      drawQuote(told, said, { waiting: basket.hasParcel && !whole });
    } catch (problem) {
      if (problem.name === "AbortError") return;
      shown = { of: JSON.stringify(wanted), price: [basket.points, cash()] };
      if (problem.status === 422) fill(told, quoteTotals({ points: basket.points, cash_fen: cash() }));
      else fill(told, problemBox(problem.words));
    } finally {
      told.classList.remove("asking");
    }
  };
  const soon = calmly(250, quote);
  const draw = () => {
    fill(lines, basket.lines.map((line) => lineRow(line, () => { draw(); quote(); }, soon)));
    recipient.hidden = !basket.hasParcel;
    recipient.disabled = !basket.hasParcel;
  };
  form.addEventListener("input", (event) => {
    if (event.target.closest(".recipient")) {
      basket.recipient = recipientOf(form.elements);
      soon();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!check(form)) return;
    busily(submit, async () => {
      const { price } = shown;
      const current = () => shown.of === JSON.stringify(wish(form, true));
      // What the address says may still be filled in, which asks for another quote meanwhile.
      for (let tries = 0; tries < 5 && !current(); tries++) await quote();
      if (!current() || !price) showProblem(form, { words: t("redeem.total_pending") }, problems);
      else if (shown.price.some((figure, n) => figure !== (price[n] ?? 0))) showProblem(form, { words: t("redeem.total_changed") }, problems);
      else await place(form, { intent, box, problems, quote, freight: price[2] });
    });
  });
  draw();
  quote();
  return box;
}

/** Orders what is shown, at the price that is shown; another one is refused. */
async function place(form, { intent, box, problems, quote, freight }) {
  problems.hidden = true;
  box.dataset.locked = "yes";
  try {
    const said = await intent.send({ ...wish(form, true), freight_expected_fen: freight }, { onWaiting: waitingWords() });
    delete box.dataset.locked;
    basket.clear();
    box.close();
    toast(t("redeem.done", { number: said.number }));
    location.hash = `#/orders/${said.number}`;
  } catch (problem) {
    if (!intent.unknown) delete box.dataset.locked;
    keepAsSent(form, intent);
    // What the house refuses is told with the quote; only what that does not tell is told apart.
    if (problem.code === "order_refused") await quote();
    const told = problem.code === "order_refused" && $(".quote .problem-box", form);
    if (told) told.scrollIntoView({ block: "center" });
    else showProblem(form, problem, problems);
  }
}

function lineRow(line, removed, changed) {
  const name = names(line.item.name);
  const price = h("p", { class: "num" });
  const draw = () => { price.textContent = `${number(line.item.points * line.quantity)} ${t("unit.points", { n: line.item.points * line.quantity })}`; };
  draw();
  return h("li", null, h("div", { class: "stamp tiny" }, picture(line.item)),
    h("div", { class: "basket-name" }, h("p", null, h("strong", null, name.main)), h("p", { class: "quiet small" }, line.item.specification || name.other)),
    stepper({ value: line.quantity, max: 99, label: t("redeem.quantity_of", { name: name.main }),
      onchange: (next) => { line.quantity = next; draw(); basket.onchange(); changed(); } }),
    price,
    h("button", { class: "tool icon-only", type: "button", "aria-label": t("redeem.remove", { name: name.main }), onclick: () => { basket.remove(line); removed(); } }, icon("close")));
}

function wish(form, whole) {
  const body = {
    learner: me,
    channel: "web",
    lines: basket.lines.map(({ item, quantity }) => ({ sku: item.sku, quantity, points_expected: item.points })),
  };
  if (whole && basket.hasParcel) body.recipient = recipientOf(form.elements);
  return body;
}

const cash = () => basket.lines.reduce((sum, line) => sum + line.quantity * line.item.cash_fen, 0);

const PHONE_MIN = 5;

/** The recipient's fields that cannot be used yet, with the reason of each; none is told by its quote. */
function gaps(form) {
  const { phone } = form.elements;
  const empty = [...form.querySelectorAll(".recipient [required]")].filter((box) => !box.value.trim()).map((box) => ({ field: box.name, words: t("invalid.missing") }));
  const written = phone.value.trim().length;
  return written && written < PHONE_MIN ? [...empty, { field: phone.name, words: t("invalid.not_a_phone") }] : empty;
}

const complete = (form) => basket.hasParcel && !gaps(form).length;

/** Whether the recipient can be used; says where it cannot. */
function check(form) {
  if (!basket.hasParcel) return true;
  const reasons = gaps(form);
  if (!reasons.length) return true;
  showProblem(form, { words: t("recipient.incomplete"), reasons });
  return false;
}

function drawQuote(place, said, { waiting }) {
  const failures = said.failures.filter((one) => !(waiting && NEEDS_RECIPIENT.includes(one.code)));
  fill(place, quoteTotals(said),
    failures.length ? problemBox(t("redeem.not_possible"), failures.map(inNames)) : null,
    said.ok && said.promised_by ? h("p", { class: "promise" }, icon("check"), h("span", null, t("redeem.promise", { day: lastWeekday(said.promised_by) }))) : null,
    said.ok && said.parts.length > 1 ? partsOf(said.parts) : null,
    waiting && !failures.length ? h("p", { class: "quiet small" }, t("redeem.fill_recipient")) : null);
}

/** A failing check in words, with the item's name instead of its SKU. */
function inNames(failure) {
  const item = basket.lines.find((line) => line.item.sku === failure.sku)?.item;
  return item ? failureWords(failure).replace(item.sku, names(item.name).main) : failureWords(failure);
}

function quoteTotals(said) {
  return h("dl", { class: "figures totals" },
    h("dt", null, t("redeem.points")), h("dd", { class: "big num" }, `${number(said.points)} ${t("unit.points", { n: said.points })}`),
    said.cash_fen ? [h("dt", null, t("redeem.cash")), h("dd", { class: "num" }, yuan(said.cash_fen))] : null,
    "freight_fen" in said ? [h("dt", null, t("redeem.freight")), h("dd", { class: "num" }, said.freight_fen ? yuan(said.freight_fen) : t("redeem.free"))] : null);
}

function partsOf(parts) {
  return h("div", { class: "parts small" }, h("p", null, t("redeem.parts", { n: parts.length })),
    h("ol", null, parts.map((part) => h("li", null,
      h("strong", null, part.warehouse ? t("redeem.from", { warehouse: warehouseName(part.warehouse) }) : t("kind.course")), " · ",
      part.units.map((unit) => `${names(basket.lines[unit.line - 1]?.item.name ?? "").main} × ${number(unit.quantity)}`).join(", ")))));
}
