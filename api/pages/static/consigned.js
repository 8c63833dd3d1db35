// Third parties' warehouses: parcels they were asked to send, and what they count otherwise than the books (W2, C3).
import { askFor } from "./asking.js";
import { counted } from "./counted.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { calledBack, strayBadge, strayButtons } from "./strays.js";
import { after, announce, broken, empty, field, loading, moreButton } from "./ui.js";
import { ago, causeWords, exact, has, names, number, t, warehouseName, when, word } from "./words.js";

const { role } = document.body.dataset;
const BAD = ["refused"];
const OVER = ["shipped", "cancelled"];

/** The view: what waits for somebody else's hands, the longest first. */
export async function consigned(view, _, signal) {
  const place = h("div", null, loading(2));
  const stock = h("div");
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const name = (code) => warehouseName(code, warehouses);
  let all = false;
  const draw = async () => {
    try {
      const [parcels, differences] = await Promise.all([list(name, all, draw, signal), counted(name, all, draw, signal)]);
      fill(place, parcels);
      fill(stock, differences);
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  const left = h("label", { class: "check" }, h("input", { type: "checkbox", onchange: (event) => { all = event.target.checked; draw(); } }), t("consigned.all"));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.consigned")),
    h("div", { class: "row" }, left, h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh")))),
    h("div", { class: "stack sections" }, h("section", { class: "stack" }, h("h2", null, t("consigned.parcels")), place), h("section", { class: "stack" }, h("h2", null, t("counted.title")), stock)));
  await draw();
}

async function list(name, all, changed, signal) {
  const ask = (cursor) => get(fresh(after(`/v1/consignments${all ? "?all=true" : ""}`, cursor)), { signal });
  const page = await ask();
  if (!page.consignments.length) return empty(t("consigned.none"), t("consigned.none_hint"));
  const rows = h("tbody", null, page.consignments.map((one) => row(one, name, changed)));
  return [h("div", { class: "panel flush" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, ["parcel", "wanted", "state", "answer", "since"].map((key) => h("th", { scope: "col" }, t(`consigned.${key}`))), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("consigned.again"))))), rows)),
  moreButton(rows, page.next, ask, (more) => rows.append(...more.consignments.map((one) => row(one, name, changed))))];
}

function row(one, name, changed) {
  const tone = BAD.includes(one.state) ? "s-failed" : OVER.includes(one.state) ? "s-completed" : "s-open";
  return h("tr", { dataset: { consigned: one.parcel } },
    h("td", { class: "full" }, h("a", { class: "mono strong-link", href: `#/packing/${one.orders[0]}` }, one.parcel), h("p", { class: "quiet small" }, name(one.warehouse))),
    h("td", { class: "full" }, wanted(one)),
    h("td", null, h("span", { class: `badge ${tone}` }, word("consigned_state", one.state)), strayBadge(one), h("p", { class: "small" }, calledBack(one))),
    h("td", { class: "full" }, answer(one)),
    h("td", { class: "quiet" }, h("time", { datetime: one.asked_at, title: exact(one.asked_at) }, ago(one.asked_at))),
    h("td", { class: "full" }, ["operations", "administrator"].includes(role) ? h("div", { class: "row" }, buttons(one, changed)) : null));
}

const buttons = (one, changed) => [...strayButtons(one, changed),
  one.ask_again ? h("button", { class: "button compact", type: "button", onclick: () => askAgain(one, changed) }, t("consigned.again")) : null];

/** What it is asked to do now. */
function wanted(one) {
  const units = one.units.map((unit) => h("li", null, names(unit.name).main, ` × ${number(unit.quantity)} `, h("span", { class: "mono quiet" }, unit.sku)));
  return [units.length ? h("ul", { class: "plain small" }, units) : h("strong", null, t("consigned.nothing")),
    one.held ? h("p", { class: "small bad-words" }, t("consigned.held")) : null,
    one.revision > 1 ? h("p", { class: "quiet small" }, t("consigned.revision", { n: one.revision }), one.reason ? `${t("app.colon")}${why(one.reason)}` : "") : null];
}

/** The house's own reasons in words, a learner's as in their cancel, and what somebody typed as it is. */
function why(reason) {
  const list = ["consigned_why", "reason"].find((one) => has(`${one}.${reason}`));
  return list ? word(list, reason) : reason;
}

/** What came of asking: their refusal, what keeps the next try, or where it went. */
function answer(one) {
  if (one.refusal) return h("p", { class: "bad-words" }, h("span", { class: "mono" }, one.refusal.code), one.refusal.words ? ` · ${one.refusal.words}` : "");
  if (one.behind) return h("p", { class: "bad-words" }, t("consigned.behind"));
  if (one.cause) return [h("p", { class: "bad-words" }, causeWords(one.cause), ` · ${t("consigned.tries", { n: one.tries })}`), h("p", { class: "quiet small" }, t("consigned.next", { when: when(one.next_at) }))];
  if (one.waybill) return [word("carrier", one.carrier), " ", h("span", { class: "mono" }, one.waybill)];
  return one.told_at ? h("span", { class: "quiet" }, t("consigned.told", { ago: ago(one.told_at) })) : h("span", { class: "quiet" }, t("consigned.unheard"));
}

function askAgain(one, changed) {
  askFor({
    title: t("consigned.again_title"), path: `/v1/consignments/${encodeURIComponent(one.parcel)}/push`, label: t("consigned.again"),
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t("consigned.again_how")),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }), said: () => t("consigned.again_done"), done: () => changed(),
  });
}
