// Cancelling before shipping: all of it or some units, with what comes back told before.
import { fill, h } from "./dom.js";
import { Intent } from "./http.js";
import { busily, dialog, field, showProblem, stepper, toast, waitingWords } from "./ui.js";
import { names, number, price, t } from "./words.js";

const REASONS = ["changed_mind", "ordered_twice", "too_late", "wrong_address"];

/** The dialog that cancels units of an order. */
export function openCancel(order, changed) {
  const intent = new Intent(`/v1/orders/${encodeURIComponent(order.number)}/cancellation`);
  const open = openLines(order);
  const wanted = new Map(open.map((line) => [line.sku, line.open]));
  const back = h("p", { class: "cancel-back", role: "status" });
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "danger", type: "submit" }, t("cancel.confirm"));
  const paid = order.status !== "pending_payment";
  const draw = () => {
    fill(back, t("cancel.comes_back", { back: price(worth(open, wanted, paid)) }));
    submit.disabled = ![...wanted.values()].some((quantity) => quantity > 0);
  };
  const form = h("form", null, h("div", { class: "dialog-body" },
    h("p", { class: "quiet" }, t(paid ? "cancel.how" : "cancel.how_unpaid")),
    h("ul", { class: "basket-lines" }, open.map((line) => {
      const name = names(line.name).main;
      return h("li", null, h("div", { class: "basket-name" }, h("strong", null, name), paid ? h("p", { class: "quiet small" }, t("cancel.of", { n: line.open })) : null),
        !paid ? h("span", { class: "num" }, `× ${number(line.open)}`) : stepper({ value: line.open, min: 0, max: line.open, label: t("cancel.quantity_of", { name }), onchange: (next) => { wanted.set(line.sku, next); draw(); } }));
    })),
    field("reason", t("cancel.reason"), { required: true, options: REASONS.map((one) => [one, t(`reason.${one}`)]) }),
    back, problems),
  h("footer", { class: "dialog-foot" }, h("button", { class: "button", type: "button", onclick: () => box.close() }, t("cancel.keep")), submit));
  const box = dialog(t("cancel.title"), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busily(submit, () => send(form, { open, wanted, paid, intent, box, problems, changed }));
  });
  draw();
}

/** What comes back; nothing was paid of an unpaid order but points on hold. */
const worth = (open, wanted, paid) => ({
  points: open.reduce((sum, line) => sum + line.unit_points * wanted.get(line.sku), 0),
  cash_fen: paid ? open.reduce((sum, line) => sum + line.unit_cash_fen * wanted.get(line.sku), 0) : 0,
});

async function send(form, { open, wanted, paid, intent, box, problems, changed }) {
  const all = open.every((line) => wanted.get(line.sku) === line.open);
  const lines = open.filter((line) => wanted.get(line.sku) > 0).map((line) => ({ sku: line.sku, quantity: wanted.get(line.sku) }));
  const back = price(worth(open, wanted, paid));
  box.dataset.locked = "yes";
  try {
    const said = await intent.send({ reason: form.elements.reason.value, ...(all ? {} : { lines }) }, { onWaiting: waitingWords() });
    box.close();
    toast(t("cancel.done", { back }));
    await changed(said.position);
  } catch (problem) {
    if (!intent.unknown) delete box.dataset.locked;
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
