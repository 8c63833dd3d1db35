// Cancelling before shipping: all of it or some units, with what comes back told before.
import { calmly, fill, h } from "./dom.js";
import { backTo } from "./effects.js";
import { ask, Intent } from "./http.js";
import { busily, dialog, field, keepAsSent, problemBox, showProblem, stepper, toast, waitingWords } from "./ui.js";
import { whyNot } from "./whynot.js";
import { names, number, price, t } from "./words.js";

const REASONS = ["changed_mind", "ordered_twice", "too_late", "wrong_address"];

/** What comes back, in figures: points after what is owed, and cash. */
export const backWords = (lots, cash_fen) => price({ points: lots.reduce((sum, one) => sum + one.points, 0), cash_fen });

/** The dialog that cancels units of an order; it sends no wish whose outcome it has not shown. */
export function openCancel(order, changed) {
  const path = `/v1/orders/${encodeURIComponent(order.number)}/cancellation`;
  const intent = new Intent(path);
  const open = openLines(order);
  const wanted = new Map(open.map((line) => [line.sku, line.open]));
  const back = h("div", { class: "cancel-back", role: "status" });
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "danger", type: "submit", disabled: true }, t("cancel.confirm"));
  const paid = order.status !== "pending_payment";
  let asking;
  let shown = null;
  const draw = async () => {
    asking = new AbortController();
    const units = wish(open, wanted);
    try {
      const said = await ask(`${path}/preview`, { reason: REASONS[0], ...units }, { signal: asking.signal });
      shown = { units, said };
      fill(back, said.possible ? outcome(said) : problemBox(whyNot(said)));
      submit.disabled = !said.possible;
    } catch (problem) {
      if (problem.name !== "AbortError") fill(back, problemBox(problem.words));
    }
  };
  const soon = calmly(150, draw);
  const moved = () => {
    asking?.abort();
    submit.disabled = true;
    if ([...wanted.values()].some((quantity) => quantity > 0)) soon();
    else fill(back);
  };
  const form = h("form", null, h("div", { class: "dialog-body" },
    h("p", { class: "quiet" }, t(paid ? "cancel.how" : "cancel.how_unpaid")),
    h("ul", { class: "basket-lines" }, open.map((line) => {
      const name = names(line.name).main;
      return h("li", null, h("div", { class: "basket-name" }, h("strong", null, name), paid ? h("p", { class: "quiet small" }, t("cancel.of", { n: line.open })) : null),
        !paid ? h("span", { class: "num" }, `× ${number(line.open)}`) : stepper({ value: line.open, min: 0, max: line.open, label: t("cancel.quantity_of", { name }), onchange: (next) => { wanted.set(line.sku, next); moved(); } }));
    })),
    field("reason", t("cancel.reason"), { required: true, options: REASONS.map((one) => [one, t(`reason.${one}`)]) }),
    back, problems),
  h("footer", { class: "dialog-foot" }, h("button", { class: "button", type: "button", onclick: () => box.close() }, t("cancel.keep")), submit));
  const box = dialog(t("cancel.title"), form, { onclose: () => asking?.abort() });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busily(submit, () => send(form, { shown, intent, box, problems, changed }));
  });
  draw();
}

/** What is asked for: nothing is named where all of it is meant. */
function wish(open, wanted) {
  if (open.every((line) => wanted.get(line.sku) === line.open)) return {};
  return { lines: open.filter((line) => wanted.get(line.sku) > 0).map((line) => ({ sku: line.sku, quantity: wanted.get(line.sku) })) };
}

/** What the decision itself says: how much, and the first day on which some of it ends. */
function outcome(said) {
  const [, ...more] = backTo(said.points);
  return [h("p", null, t("cancel.comes_back", { back: backWords(said.points, said.cash_fen) })),
    more.length ? h("p", { class: "quiet small" }, more.join(" · ")) : null];
}

async function send(form, { shown, intent, box, problems, changed }) {
  const { units, said } = shown;
  box.dataset.locked = "yes";
  try {
    const answer = await intent.send({ reason: form.elements.reason.value, ...units }, { onWaiting: waitingWords() });
    box.close();
    toast(t("cancel.done", { back: backWords(said.points, said.cash_fen) }));
    await changed(answer.position);
  } catch (problem) {
    if (!intent.unknown) delete box.dataset.locked;
    keepAsSent(form, intent);
    showProblem(form, problem, problems);
  }
}

/** The units of each item that have not left yet. */
function openLines(order) {
  const units = new Map();
  for (const part of order.parts) {
    if (!["pending_shipment", "pending_payment"].includes(part.state)) continue;
    for (const unit of part.units) units.set(unit.line, (units.get(unit.line) ?? 0) + unit.quantity);
  }
  return order.lines.filter((line) => units.get(line.line)).map((line) => ({ ...line, open: units.get(line.line) }));
}
