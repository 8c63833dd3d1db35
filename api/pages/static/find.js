// Where a caller's order is found: one box for whatever they know of it.
import { contents } from "./contents.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { search } from "./search.js";
import { badge, broken, busily, empty, loading } from "./ui.js";
import { t, when } from "./words.js";

const SHORTEST = 4;

/** The desk's first view: the box, and what it found. */
export async function find(view, _, signal) {
  const list = h("div", { class: "found" }, empty(t("find.nothing_asked"), t("find.nothing_asked_hint")));
  const form = finder(list, signal);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("find.title"))), form, list);
  form.querySelector("input").focus();
}

/** The box alone, for the screens behind it; what it finds is shown in `list`. */
export function finder(list, signal) {
  const box = h("input", { type: "search", name: "wanted", "aria-label": t("find.how"), placeholder: t("find.how"), autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 60 });
  const button = h("button", { class: "primary", type: "submit" }, t("find.find"));
  return h("form", { class: "filters", role: "search", onsubmit: (event) => {
    event.preventDefault();
    const wanted = box.value.trim();
    if (wanted) busily(button, () => draw(list, wanted, signal));
  } }, h("div", { class: "search-box" }, icon("search"), box), button);
}

/** One order is opened at once; several are chosen from. */
async function draw(list, wanted, signal) {
  fill(list, loading(2));
  try {
    const found = wanted.length < SHORTEST ? await ofLearner(wanted, signal) : (await search(wanted, { signal })).orders;
    if (found.length === 1) location.hash = `#/orders/${found[0].number}`;
    fill(list, found.length ? h("ul", { class: "panel flush found-list" }, found.map(row)) : empty(t("find.none", { wanted }), t("find.none_hint")));
  } catch (problem) {
    if (!signal.aborted) fill(list, broken(problem, () => draw(list, wanted, signal)));
  }
}

/** What is too short to be searched for can still be somebody's id. */
const ofLearner = async (wanted, signal) => (await get(fresh(`/v1/orders?learner=${encodeURIComponent(wanted)}`), { signal })).orders;

function row(one) {
  return h("li", null, h("a", { href: `#/orders/${one.number}` },
    h("span", { class: "mono strong-link" }, one.number), badge("status", one.state),
    h("span", { class: "found-items" }, contents(one)),
    h("span", { class: "quiet small" }, one.learner, " · ", when(one.placed_at))));
}
