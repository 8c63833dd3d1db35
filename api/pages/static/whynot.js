// Why something is not possible now, as the order itself says it (D6).
import { h } from "./dom.js";
import { inPrint, language, t, timesIn, word } from "./words.js";

const STATES = /\b(pending_payment|pending_shipment|pending_receipt|pending_end|completed|cancelled|closed|expired)\b/g;

/** An English reason without the command's name, and with words for states. */
export const reasonAlone = (why) => why.replace(/^\w+ is not possible: /, "").replace(STATES, (state) => t(`status.${state}`).toLowerCase());

/** The reason alone: what is not possible is said beside it. */
export function whyNot(action) {
  if (language === "zh") return inPrint(timesIn(action.why_zh)).replace(/^无法[^：]*：/, "");
  const words = timesIn(reasonAlone(action.why));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What an order does not allow now, each with its reason; nothing where all is allowed. */
export function notPossible(actions, { but = [] } = {}) {
  const others = Object.entries(actions).filter(([name, one]) => !one.possible && !but.includes(name));
  if (!others.length) return null;
  return h("details", { class: "small not-possible" }, h("summary", null, t("action.not_now")),
    h("dl", { class: "about" }, others.map(([name, one]) => [h("dt", null, word("action", name)), h("dd", { dataset: { action: name } }, whyNot(one))])));
}
