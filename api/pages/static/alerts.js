// What staff were told by their WeChat Work robot, how it is, and a test message (N1).
import { h } from "./dom.js";
import { ask } from "./http.js";
import { badge, busily, toast } from "./ui.js";
import { ago, causeWords, exact, number, t, when } from "./words.js";

const MAY_TEST = ["operations", "administrator"];
const SHOWN = 5;

/** The robot's state, what staff know of, and the newest messages. */
export function alertsOf({ robot, cause, next_at: next, language, again_hours: hours, told, messages }, { changed }) {
  if (robot === "off") return h("p", { class: "panel quiet" }, t("alerts.off"));
  return h("div", { class: "panel stack" },
    h("div", { class: "spread" }, h("p", null, badge("robot", robot), " ", t("alerts.known", { n: told.length })),
      MAY_TEST.includes(document.body.dataset.role) ? tester(changed) : null),
    cause ? h("p", { class: "bad-words" }, t("alerts.refused"), " ", causeWords(cause)) : null,
    next ? h("p", { class: "quiet small" }, t("alerts.next", { when: when(next) })) : null,
    h("p", { class: "quiet small" }, t(`alerts.in_${language}`), " · ", hours ? t("alerts.again", { n: number(hours) }) : t("alerts.never_again")),
    messages.length ? h("table", { class: "cards paired", id: "alert-messages" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("alerts.at")), ["fresh", "reminded", "solved"].map((key) => h("th", { scope: "col", class: "right" }, t(`alerts.${key}`))), h("th", { scope: "col" }, t("webhook.outcome")))),
      h("tbody", null, messages.slice(0, SHOWN).map(row))) : null);
}

function row(one) {
  const count = (key) => h("td", { class: "right num", "data-label": t(`alerts.${key}`) }, number(one[key]));
  return h("tr", null,
    h("td", { class: "num" }, h("time", { datetime: one.at, title: exact(one.at) }, ago(one.at))), count("fresh"), count("reminded"), count("solved"),
    h("td", { "data-label": t("webhook.outcome") }, badge("delivery", one.outcome), one.outcome === "delivered" ? "" : h("span", { class: "quiet small" }, " ", `${one.code ?? ""} ${causeWords(one.cause)}`.trim())));
}

function tester(changed) {
  const button = h("button", { class: "button compact", type: "button", onclick: () => busily(button, async () => {
    try {
      const said = await ask("/v1/staff-alerts/test", {});
      toast(said.delivered ? t("alerts.tested", { n: said.took_ms }) : t("alerts.not_tested", { why: `${said.code ?? ""} ${causeWords(said.cause)}`.trim() }), said.delivered ? "good" : "bad");
    } catch (problem) {
      toast(problem.words, "bad");
    }
    await changed();
  }) }, t("alerts.test"));
  return button;
}
