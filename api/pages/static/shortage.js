// Units that no warehouse found: their learner waits for them or has them refunded (S1).
import { askFor } from "./asking.js";
import { h, icon } from "./dom.js";
import { picture } from "./picture.js";
import { whyNot } from "./whynot.js";
import { names, number, price, t } from "./words.js";

/** The parts of an order that wait for units. */
export const waitingParts = (found) => found.parts.filter((part) => part.waits && part.units.length);

/** What is missing and what can be done about it; nothing where nothing is missing. */
export function shortagePanel(found, changed) {
  const waiting = waitingParts(found);
  if (!waiting.length) return null;
  const open = waiting.some((part) => part.waits === "choice");
  return h("section", { class: `panel shortage${open ? " open" : ""}`, "aria-labelledby": "shortage" },
    h("h2", { id: "shortage" }, icon(open ? "warn" : "box"), t(open ? "shortage.title" : "shortage.title_waited")),
    h("p", null, t(open ? "shortage.how" : "shortage.waited")),
    h("ul", null, waiting.map((part) => row(part, found, changed))));
}

function row(part, found, changed) {
  const [unit] = part.units;  // a part waits for units of one line
  const line = found.lines[unit.line - 1];
  const one = { part: part.part, name: names(line.name).main, n: unit.quantity, points: line.unit_points * unit.quantity, cash_fen: line.unit_cash_fen * unit.quantity };
  const { wait, refund_missing: refund } = found.actions;
  const chosen = part.waits === "stock";
  const ask = (choice) => () => choose(found, one, choice, changed);
  return h("li", { dataset: { part: part.part, waits: part.waits } },
    h("div", { class: "stamp tiny" }, picture(line)),
    h("div", { class: "shortage-words" },
      h("p", null, h("strong", null, one.name), " ", h("span", { class: "num" }, t("shortage.missing", { n: one.n }))),
      h("p", { class: "quiet small" }, chosen ? t("shortage.chosen") : t("shortage.worth", { back: price(one) })),
      !chosen && !wait.possible ? h("p", { class: "quiet small" }, `${t("action.wait")}${t("app.colon")}${whyNot(wait)}`) : null),
    h("div", { class: "row" },
      !chosen && wait.possible ? h("button", { class: "primary compact", type: "button", onclick: ask("wait") }, t("shortage.wait")) : null,
      refund.possible ? h("button", { class: "button compact", type: "button", onclick: ask("refund") }, t("shortage.refund")) : null));
}

function choose(found, one, choice, changed) {
  askFor({
    title: t(`shortage.${choice}_title`), path: `/v1/orders/${encodeURIComponent(found.number)}/shortage`,
    label: t(`shortage.${choice}_confirm`),
    fields: [h("p", null, h("strong", null, one.name), ` × ${number(one.n)}`), h("p", null, t(`shortage.${choice}_how`, { back: price(one) }))],
    read: () => ({ choice, part: one.part }),
    said: () => t(`shortage.${choice}_done`, { back: price(one) }), done: (answer) => changed(answer.position),
  });
}
