// Refunding an order after shipping, by somebody of the staff: whose fault, why, whether goods are back.
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { effectsOfOrder, withClaims } from "./effects.js";
import { REASONS } from "./reasons.js";
import { field } from "./ui.js";
import { t, word } from "./words.js";

const FAULTS = [...REASONS, "changed_mind"];

/** The button of the dialog; what it would do stands in both places. */
export function refundButton(found, changed) {
  return h("button", { class: "danger compact", type: "button", onclick: () => askFor({
    title: t("refunding.title"), path: `/v1/orders/${encodeURIComponent(found.number)}/refunds`, danger: true,
    label: t("refunding.confirm"), said: (answer) => withClaims(t("refunding.done"), answer.claims), done: (answer) => changed(answer.position),
    fields: [h("p", null, effectsOfOrder(found.actions.refund, found.lines)),
      field("fault", t("refunding.fault"), { required: true, options: FAULTS.map((one) => [one, word("reason", one)]) }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200 }, { hint: t("desk.reason_hint") }),
      h("label", { class: "check" }, h("input", { type: "checkbox", name: "goods_back" }), h("span", null, t("refunding.goods_back")))],
    read: (form) => ({ fault: form.fault.value, reason: form.reason.value.trim(), goods_back: form.goods_back.checked }),
  }) }, t("refunding.open"));
}
