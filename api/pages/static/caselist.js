// Cases that are to be decided, the nearest deadline first; or those that are over.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, badge, broken, empty, loading, moreButton } from "./ui.js";
import { ago, t, until, when, word } from "./words.js";

const VIEWS = ["live", "decided", "withdrawn"];
let chosen = VIEWS[0];

/** The list of cases. */
export async function caseList(view, _, signal) {
  const list = h("div", null, loading(4));
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("case.state")),
    VIEWS.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "state", value: one, checked: one === chosen }), h("span", null, t(`cases.${one}`)))));
  const draw = async () => {
    const path = `/v1/disputes?state=${chosen}`;
    try {
      const page = await get(fresh(path), { signal });
      const rows = h("ul", { class: "panel flush case-list" }, page.disputes.map(row));
      fill(list, page.disputes.length ? rows : empty(t("cases.none"), t("cases.none_hint")),
        moreButton(rows, page.next, (cursor) => get(after(path, cursor), { signal }), (more) => rows.append(...more.disputes.map(row))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  filter.addEventListener("change", (event) => { chosen = event.target.value; draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("cases.title")), h("button", { class: "tool", type: "button", onclick: draw }, t("app.refresh"))),
    h("div", { class: "filters" }, filter), list);
  await draw();
}

function row(one) {
  return h("li", { dataset: { case: one.id } }, h("a", { href: `#/orders/${one.order}` },
    h("span", { class: "case-reason" }, h("strong", null, word("reason", one.reason)), " ", badge("case_state", one.state), one.overdue ? [" ", h("span", { class: "badge s-lost" }, t("case.overdue"))] : null),
    h("span", null, one.waits_for ? t(`case.waits_${one.waits_for}`) : one.outcome ? word("outcome", one.outcome) : ""),
    h("span", { class: "quiet small" }, h("span", { class: "mono" }, one.parcel), " · ", one.learner),
    h("span", { class: "quiet small" }, one.decide_by ? t("case.decide_by", { when: when(one.decide_by), left: until(one.decide_by) }) : ago(one.closed_at ?? one.opened_at))));
}
