// Paying the cash part: an attempt at the provider, whose own page is opened beside this one.
import { fill, h } from "./dom.js";
import { Intent } from "./http.js";
import { busily, problemBox, waitingWords } from "./ui.js";
import { t, yuan } from "./words.js";

/** The button that leads to the provider; the order's page learns live that it was paid. */
export function payButton(order) {
  const intent = new Intent(`/v1/orders/${encodeURIComponent(order.number)}/payments`);
  const place = h("div", { class: "pay", role: "status" });
  const button = h("button", { class: "primary compact", type: "button", onclick: () => busily(button, async () => {
    try {
      const said = await intent.send({}, { onWaiting: waitingWords() });
      const address = new URL(said.pay_url);
      if (!["http:", "https:"].includes(address.protocol)) throw new Error("not a page");
      fill(place, h("a", { class: "button primary compact", href: address.href, target: "_blank", rel: "noopener noreferrer" }, t("pay.go")), h("p", { class: "quiet small" }, t("pay.waits")));
      place.firstChild.focus();
      open(address.href, "_blank", "noopener,noreferrer");
    } catch (problem) {
      fill(place, button, problemBox(problem.words ?? t("problem.error")));
    }
  }) }, t("pay.start", { cash: yuan(order.cash_fen) }));
  return fill(place, button);
}
