// Cash that goes back for an order: what became of it, and asking again where it failed (rules.md 8).
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { badge, busily, problemBox, toast, waitingWords } from "./ui.js";
import { t } from "./words.js";

/** The order's cash refunds, for staff; nothing where there are none. */
export function cashRefunds(found, changed) {
  if (!found.cash_refunds.length) return null;
  return h("section", { class: "panel refunds", "aria-labelledby": "refunds" }, h("h2", { id: "refunds" }, t("view.cash_refunds")),
    h("ul", null, found.cash_refunds.map((one) => h("li", { class: "spread", dataset: { refund: one.refund } },
      h("span", { class: "mono" }, one.refund), badge("refund", one.state), one.state === "failed" ? again(found, one, changed) : null))));
}

function again(found, one, changed) {
  const intent = new Intent(`/v1/orders/${encodeURIComponent(found.number)}/cash-refunds/${encodeURIComponent(one.refund)}/retry`);
  const problem = h("div", { role: "status" });
  const button = h("button", { class: "button compact", type: "button", onclick: () => busily(button, async () => {
    try {
      const answer = await intent.send({}, { onWaiting: waitingWords() });
      toast(t("refund.asked"));
      await changed(answer.position);
    } catch (wrong) {
      problem.replaceChildren(problemBox(wrong.words ?? t("problem.error")));
    }
  }) }, t("refund.again"));
  return [button, problem];
}
