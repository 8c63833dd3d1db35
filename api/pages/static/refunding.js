// Refunding an order after shipping, by somebody of the staff: whose fault, why, whether goods are back.
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { effectsOfOrder, withClaims } from "./effects.js";
import { REASONS } from "./reasons.js";
import { waitsForSecond } from "./secondperson.js";
import { field } from "./ui.js";
import { names, number, t, word, yuan } from "./words.js";

const FAULTS = [...REASONS, "changed_mind"];

/** The button of the dialog; what it would do stands in both places. */
export function refundButton(found, changed) {
  return h("button", { class: "danger compact", type: "button", onclick: () => askFor({
    title: t("refunding.title"), path: `/v1/orders/${encodeURIComponent(found.number)}/refunds`, danger: true,
    label: t("refunding.confirm"), said: (answer) => withClaims(t(answer.status === "pending_approval" ? "refunding.asked" : "refunding.done"), answer.claims), done: (answer) => changed(answer.position),
    fields: [h("p", null, effectsOfOrder(found.actions.refund, found.lines)),
      field("fault", t("refunding.fault"), { required: true, options: FAULTS.map((one) => [one, word("reason", one)]) }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200 }, { hint: t("desk.reason_hint") }),
      h("label", { class: "check" }, h("input", { type: "checkbox", name: "goods_back" }), h("span", null, t("refunding.goods_back")))],
    read: (form) => ({ fault: form.fault.value, reason: form.reason.value.trim(), goods_back: form.goods_back.checked }),
  }) }, t("refunding.open"));
}

/** Refunds of the order that wait for a second person; nothing where there are none (A8). */
export function proposedRefunds(found, changed) {
  return found.proposed_refunds.map((one) => waitsForSecond(one, [
    t("refunding.proposed", { n: one.points, maker: one.maker }), one.cash_fen ? yuan(one.cash_fen) : null,
    goodsOf(one.units, found.lines), t(`approval.goods_${one.goods_back ? "back" : "stay"}`)].filter(Boolean).join(" · "), changed));
}

const goodsOf = (units, lines) => units.map((one) => `${names(lines[one.line - 1].name).main} × ${number(one.quantity)}`).join(t("app.and"));
