// How much of each partner's traffic is real, who said so, and switching it by share (M3).
import { askFor, whole } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { actor, ago, exact, number, percent, t, word } from "./words.js";

const MAY_SWITCH = ["operations", "administrator"];

/** The partners that are rehearsed with, each with its share and how many went which way. */
export function trafficOf({ partners }, { changed }) {
  const may = MAY_SWITCH.includes(document.body.dataset.role);
  const heads = ["percent", "real", "sandbox"].map((key) => h("th", { scope: "col", class: "right" }, t(`traffic.${key}`)));
  return h("section", { "aria-labelledby": "traffic" }, h("h2", { id: "traffic", class: "section-head" }, t("traffic.title")),
    h("div", { class: "panel flush" }, h("table", { class: "cards paired", id: "shares" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("targets.partner")), heads, may ? h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("traffic.switch"))) : null)),
      h("tbody", null, partners.map((one) => row(one, may, changed))))));
}

function row(one, may, changed) {
  const cell = (key, words) => h("td", { class: "right num", "data-label": t(`traffic.${key}`) }, words);
  const [last] = one.shifts;
  return h("tr", { dataset: { share: one.partner } },
    h("td", null, h("strong", null, word("partner", one.partner)),
      last ? h("p", { class: "quiet small" }, last.reason, " \u00b7 ", actor(last.actor), " \u00b7 ", h("time", { datetime: last.at, title: exact(last.at) }, ago(last.at))) : h("p", { class: "quiet small" }, t("traffic.never"))),
    cell("percent", percent(one.percent)), cell("real", number(one.real)), cell("sandbox", number(one.sandbox)),
    may ? h("td", { class: "right" }, h("button", { class: "button compact", type: "button", onclick: () => shift(one, changed) }, t("traffic.switch"))) : null);
}

function shift(one, changed) {
  askFor({
    title: t("traffic.switch_title", { partner: word("partner", one.partner) }), path: `/v1/traffic/${one.partner}`, label: t("traffic.switch"),
    said: () => t("traffic.switched"), done: changed,
    fields: [h("p", null, t("traffic.how")),
      field("percent", t("traffic.share"), { type: "number", min: 0, max: 100, inputmode: "numeric", required: true, value: one.percent, autofocus: true }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200 })],
    read: (form) => ({ percent: whole(form.percent), reason: form.reason.value.trim() }),
  });
}
