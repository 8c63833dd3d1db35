// What third parties count otherwise than the books say, until somebody says what it is (C3, W2).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, empty, field, moreButton } from "./ui.js";
import { actor, ago, exact, names, number, signed, t, when, word } from "./words.js";

const { role } = document.body.dataset;
const HEADS = ["item", "theirs", "ours", "difference", "explains"];
const SHELF = ["on_the_way", "in_hand", "reserved", "withheld"];

/** The differences as a table; `name` says a warehouse's code in words. */
export async function counted(name, all, changed, signal) {
  const ask = (cursor) => get(fresh(after(`/v1/stock/differences${all ? "?all=true" : ""}`, cursor)), { signal });
  const page = await ask();
  if (!page.differences.length) return empty(t("counted.none"), t("counted.none_hint"));
  const body = h("tbody", null, page.differences.map((one) => row(one, name, changed)));
  return [h("div", { class: "panel flush" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, HEADS.map((key) => h("th", { scope: "col", class: FIGURES.includes(key) ? "right" : null }, t(`counted.${key}`))), h("th", { scope: "col" }, t("consigned.since")), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("counted.book"))))), body)),
  moreButton(body, page.next, ask, (more) => body.append(...more.differences.map((one) => row(one, name, changed))))];
}

const FIGURES = ["theirs", "ours", "difference"];
const title = (one) => (one.name ? names(one.name).main : one.sku);

function row(one, name, changed) {
  const figure = (key, n) => h("td", { class: "right", "data-label": t(`counted.${key}`) }, n);
  return h("tr", { dataset: { counted: `${one.warehouse}:${one.sku}` } },
    h("td", { class: "full" }, h("strong", null, title(one)), h("p", { class: "quiet small" }, one.name ? [h("span", { class: "mono" }, one.sku), " · "] : null, name(one.warehouse)),
      one.unexpected ? h("p", null, h("span", { class: "badge s-failed" }, word("counted_why", one.unexpected))) : null),
    figure("theirs", number(one.counted)), figure("ours", number(one.expected)), figure("difference", h("strong", null, signed(one.difference))),
    h("td", { class: "full small" }, one.state === "waits" ? explains(one) : settled(one)),
    h("td", { class: "quiet" }, h("time", { datetime: one.since, title: exact(one.since) }, ago(one.since))),
    h("td", { class: "full" }, one.state === "waits" && ["operations", "administrator"].includes(role) ? h("div", { class: "row" }, buttons(one, changed)) : null));
}

/** What is under way, and what it means for sale. */
function explains(one) {
  const lines = SHELF.filter((key) => one[key]).map((key) => h("li", null, t(`counted.${key}`, { n: one[key] })));
  if (one.free < 0) lines.push(h("li", { class: "bad-words" }, t("counted.too_few", { n: -one.free })));
  return lines.length ? h("ul", { class: "plain" }, lines) : h("span", { class: "quiet" }, t("counted.unexplained"));
}

const settled = (one) => [h("span", { class: "badge s-completed" }, word("counted_state", one.state)),
  one.settled_by ? h("p", { class: "quiet" }, t("counted.by", { who: actor(one.settled_by), when: when(one.settled_at) })) : null, one.reason ? h("p", null, one.reason) : null];

/** What is no item of the house has no books that could follow. */
const buttons = (one, changed) => ["book", "dismiss"].filter((decision) => decision === "dismiss" || one.name).map((decision) =>
  h("button", { class: "button compact", type: "button", "aria-label": t(`counted.${decision}_of`, { name: title(one) }), onclick: () => settle(one, decision, changed) }, t(`counted.${decision}`)));

function settle(one, decision, changed) {
  const { warehouse, sku, difference } = one;
  const how = decision === "dismiss" ? t("counted.dismiss_how") : t(difference < 0 ? "counted.book_less" : "counted.book_more", { n: Math.abs(difference) });
  askFor({
    title: t(`counted.${decision}_title`), path: "/v1/stock/differences", label: t(`counted.${decision}`),
    fields: [h("p", null, h("strong", null, title(one)), " ", h("span", { class: "mono quiet small" }, signed(difference))), h("p", { class: "quiet small" }, how),
      decision === "book" && difference > 0 && one.on_the_way ? h("p", { class: "bad-words" }, t("counted.on_the_way_how", { n: one.on_the_way })) : null,
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ warehouse, sku, difference, decision, reason: form.reason.value.trim() }),
    said: () => t(`counted.${decision === "book" ? "booked" : "dismissed"}`), done: () => changed(),
  });
}
