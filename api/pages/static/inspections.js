// Goods that came back: what waits for them, the inspection against the stated criteria, what became of them (D3).
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { returnFacts } from "./returncard.js";
import { after, announce, broken, empty, loading, moreButton } from "./ui.js";
import { ago, exact, t } from "./words.js";

const VIEWS = ["to_inspect", "under_way", "awaiting_goods", "requested", "awaiting_approval", "settled", "lost"];
let chosen = VIEWS[0];

/** The queue of returns by how far they are. */
export async function inspections(view, _, signal) {
  const list = h("div", null, loading(3));
  const ask = (cursor) => get(fresh(after(`/v1/returns?state=${chosen}`, cursor)), { signal });
  const draw = async () => {
    try {
      const page = await ask();
      const rows = h("ul", { class: "stack" }, page.returns.map((one) => card(one, draw, signal)));
      fill(list, page.returns.length ? rows : empty(t(`inspections.none_${chosen}`), ""),
        moreButton(rows, page.next, ask, (more) => rows.append(...more.returns.map((one) => card(one, draw, signal)))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("packing.state")),
    VIEWS.map((state) => h("label", { class: "chip" }, h("input", { type: "radio", name: "state", value: state, checked: state === chosen }), h("span", null, t(`return_state.${state}`)))));
  filter.addEventListener("change", (event) => { chosen = event.target.value; draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.inspections")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("div", { class: "filters" }, filter), list);
  await draw();
}

function card(row, changed, signal) {
  const place = h("li", { class: "panel approval", dataset: { return: row.id } }, loading(2));
  const draw = async () => {
    try {
      fill(place, page(await get(fresh(`/v1/returns/${encodeURIComponent(row.id)}`), { signal }), changed));
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  draw();
  return place;
}

function page(one, changed) {
  return [
    h("div", { class: "spread" },
      h("h2", { class: "mono order-number-small" }, h("a", { href: `#/packing/${one.order}` }, one.id)),
      h("time", { class: "quiet small", datetime: one.moved_at, title: exact(one.moved_at) }, t("reviews.waits", { ago: ago(one.moved_at) }))),
    returnFacts(one, changed, [h("dt", null, t("packing.learner")), h("dd", null, h("a", { href: `#/accounts/${encodeURIComponent(one.learner)}` }, one.learner))])];
}
