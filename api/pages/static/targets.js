// What was promised to whoever calls, held against what is: ours, and what partners do for us (M1).
import { h } from "./dom.js";
import { ago, causeWords, exact, number, partnerName, percent, t } from "./words.js";

const SHARES = ["answers_within_200_ms", "errors"];

/** Figures beside their targets: this process's own, and each partner's of the last hour. */
export function targetsOf({ answers, targets, partners }) {
  return h("section", { class: "stack", "aria-labelledby": "targets" }, h("h2", { id: "targets", class: "section-head" }, t("targets.title")),
    h("ul", { class: "tiles" }, targets.map((one) => h("li", { class: `panel tile${one.met === false ? " bad-tile" : ""}` },
      h("p", { class: "quiet small" }, t(`targets.${one.name}`)), h("p", { class: "tile-figure num" }, figure(one)), h("p", { class: "quiet small" }, t("targets.aim", { aim: aim(one) }), one.met === null ? ` · ${t("targets.few")}` : null)))),
    h("p", { class: "quiet small" }, t("targets.answers", { n: answers })),
    partners.length ? h("div", { class: "panel flush" }, h("table", { class: "cards paired", id: "partners" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("targets.partner")), ["calls", "mean", ...SHARES].map((key) => h("th", { scope: "col", class: "right" }, t(`targets.${key}`))))),
      h("tbody", null, partners.map(row)))) : null);
}

function row(one) {
  const cell = (key, words, bad) => h("td", { class: `right${bad ? " bad-words" : ""}`, "data-label": t(`targets.${key}`) }, words);
  return h("tr", { dataset: { partner: one.partner } },
    h("td", null, h("strong", null, partnerName(one.partner)),
      one.away_since ? h("p", { class: "bad-words small" }, t("targets.away"), " ", h("time", { datetime: one.away_since, title: exact(one.away_since) }, ago(one.away_since))) : null,
      one.cause ? h("p", { class: "quiet small" }, causeWords(one.cause)) : null),
    cell("calls", number(one.calls)), cell("mean", milliseconds(one.mean_seconds)),
    ...one.targets.map((target) => cell(target.name, [figure(target), target.met === null ? h("p", { class: "quiet small" }, t("targets.few")) : null], target.met === false)));
}

/** What is not kept to, the furthest from its target first: ours before partners'. */
export function missedOf({ targets = [], partners = [] }) {
  const of = (whose, figures) => figures.filter((one) => one.met === false).map((one) => ({ whose, ...one }));
  const far = (one) => (one.name === "answers_within_200_ms" ? 1 - one.value : one.value);
  return [...of("tallypost", targets), ...partners.flatMap((one) => of(one.partner, one.targets)).sort((one, other) => far(other) - far(one))];
}

const share = (value) => percent(Math.round(value * 10_000) / 100);
const milliseconds = (seconds) => t("targets.ms", { n: Math.round(seconds * 1000) });
/** What is, in its unit. */
export const figure = ({ name, value }) => (SHARES.includes(name) ? share(value) : t("targets.seconds", { n: Math.round(value * 10) / 10 }));
/** What was promised, in the same unit. */
export const aim = ({ name, target }) => `${name === "answers_within_200_ms" ? "≥" : "≤"} ${figure({ name, value: target })}`;
