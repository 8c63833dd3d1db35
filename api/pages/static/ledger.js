// The learner's balance: read, remembered until it changes, drawn as a passbook.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { number, plainDay, t } from "./words.js";

export const me = document.body.dataset.subject;

/** Ask for the balance, at least as new as a change of ours. */
export function balance(signal) {
  return get(fresh(`/v1/learners/${encodeURIComponent(me)}/balance`), { signal });
}

/** The passbook: what can be spent, what is held or owed, what expires when. */
export function passbook(figures, { full = false } = {}) {
  const soon = figures.expiring.slice(0, full ? 12 : 2);
  return h("section", { class: "passbook", "aria-labelledby": "available" },
    h("div", { class: "passbook-main" },
      h("h2", { id: "available", class: "passbook-label" }, t("balance.available")),
      h("p", { class: "passbook-figure num" }, number(figures.available), h("span", { class: "unit" }, t("unit.points", { n: figures.available }))),
      figures.status === "frozen" ? h("p", { class: "passbook-warn" }, t("balance.frozen")) : null),
    h("dl", { class: "passbook-more" },
      line("balance.held", figures.held, t("balance.held_hint")),
      figures.debt ? line("balance.debt", figures.debt, t("balance.debt_hint"), "owed") : null,
      soon.map((one) => h("div", { class: "expiring" },
        h("dt", null, t("balance.expires", { day: plainDay(one.on) })),
        h("dd", { class: "num" }, number(one.points))))),
    !soon.length ? h("p", { class: "quiet small passbook-note" }, t("balance.nothing_expires")) : null);
}

function line(key, value, hint, kind = "") {
  return h("div", { class: kind, title: hint }, h("dt", null, t(key)), h("dd", { class: "num" }, number(value)));
}

/** Draw the balance into a place, now and after changes. */
export async function drawBalance(place, signal, options) {
  const figures = await balance(signal);
  fill(place, passbook(figures, options));
  return figures;
}
