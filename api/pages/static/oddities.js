// What is odd about parcels' tracks: shown with the scans that show it, decided with a reason.
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { announce, badge, broken, empty, field, loading, moreButton } from "./ui.js";
import { exact, inPrint, t, when, word } from "./words.js";

const DECISIONS = ["accepted", "voided", "another_parcel"];
const FOREIGN = "foreign_number";
/** What accepting and leaving out mean where the scans did not count before. */
const HOW = { [FOREIGN]: "foreign_", dated_ahead: "ahead_" };

/** The view: those that wait, the oldest first; with the box ticked, those that were decided, too. */
export async function oddities(view, _, signal) {
  const list = h("ul", { class: "stack oddities" });
  const place = h("div", null, loading(3));
  const all = h("input", { type: "checkbox", name: "all" });
  let latest = 0;
  const path = (next) => `/v1/oddities?all=${all.checked}${next ? `&cursor=${encodeURIComponent(next)}` : ""}`;
  const draw = async (position = latest) => {
    latest = position ?? 0;
    try {
      const { oddities: found, next } = await get(fresh(path(), latest), { signal });
      fill(list, found.map((one) => card(one, draw)));
      fill(place, found.length ? [list, more(list, next, (after) => get(path(after), { signal }), draw)] : empty(t("oddity.none"), t("oddity.none_hint")));
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  all.addEventListener("change", () => draw());
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.oddities")),
    h("div", { class: "row" }, h("label", { class: "row small" }, all, t("oddity.all")),
      h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh")))),
  h("p", { class: "quiet small lead" }, t("oddity.how")), place);
  await draw();
}

function more(list, next, ask, draw) {
  return moreButton(list, next, ask, (page) => list.append(...page.oddities.map((one) => card(one, draw))));
}

function card(one, changed) {
  return h("li", { class: "panel oddity", dataset: { oddity: one.oddity, parcel: one.parcel } },
    h("div", { class: "spread" }, h("h2", null, t(`oddity.${one.kind}`)), badge("parcel", one.state)),
    h("p", { class: "small" }, h("a", { class: "mono", href: `#/packing/${one.orders[0]}` }, one.parcel), " · ", word("carrier", one.carrier), " ", h("span", { class: "mono" }, one.waybill)),
    one.kind === FOREIGN && h("p", { class: "small" }, t("oddity.foreign"), " ", h("span", { class: "mono" }, one.number)),
    h("ol", { class: "odd-scans" }, one.scans.map((scan) => h("li", null,
      h("time", { datetime: scan.time, class: "num quiet small", title: exact(scan.time) }, when(scan.time)), " ", h("span", null, inPrint(scan.text))))),
    one.decision ? h("p", { class: "quiet small" }, `${t(`oddity.${one.decision}`)} · ${when(one.decided_at)}`)
      : h("div", { class: "row" }, DECISIONS.map((decision) => h("button", { class: `${decision === "accepted" ? "primary" : "button"} compact`, type: "button", onclick: () => decide(one, decision, changed) }, t(`oddity.${decision}`)))));
}

function decide(one, decision, changed) {
  askFor({
    title: t(`oddity.${decision}`), path: `/v1/parcels/${encodeURIComponent(one.parcel)}/oddities/${one.oddity}`, danger: false,
    label: t(`oddity.${decision}`), said: () => t("oddity.done"), done: (answer) => changed(answer.position),
    fields: [h("p", null, h("strong", null, t(`oddity.${one.kind}`)), " · ", h("span", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t(`oddity.${HOW[one.kind] ?? ""}${decision}_how`)),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ decision, reason: form.reason.value.trim() }),
  });
}
