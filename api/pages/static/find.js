// Where a caller's order is found: one box for whatever they know of it.
import { contents } from "./contents.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { search } from "./search.js";
import { badge, broken, busily, empty, loading } from "./ui.js";
import { t, when } from "./words.js";

const SHORTEST = 4;

/** The desk's first view: the box, and what it found; or all orders of a learner. */
export async function find(view, [, learner], signal) {
  const list = h("div", { class: "found" }, empty(t("find.nothing_asked"), t("find.nothing_asked_hint")));
  const form = finder(list, signal);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("find.title"))), form, list);
  const box = form.querySelector("input");
  box.focus();
  if (!learner) return;
  box.value = learner;
  await drawn(list, learner, signal, () => ofLearner(learner, signal));
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
  const found = await drawn(list, wanted, signal, async () => (wanted.length < SHORTEST ? ofLearner(wanted, signal) : (await search(wanted, { signal })).orders));
  if (found?.length === 1) location.hash = `#/orders/${found[0].number}`;
}

/** Show what is found; returns it, or nothing where it could not be shown. */
async function drawn(list, wanted, signal, ask) {
  fill(list, loading(2));
  try {
    const found = await ask();
    fill(list, found.length ? h("ul", { class: "panel flush found-list" }, found.map(row)) : empty(t("find.none", { wanted }), t("find.none_hint")));
    return found;
  } catch (problem) {
    if (!signal.aborted) fill(list, broken(problem, () => drawn(list, wanted, signal, ask)));
    return undefined;
  }
}

/** What is too short to be searched for can still be somebody's id. */
const ofLearner = async (wanted, signal) => (await get(fresh(`/v1/orders?limit=100&learner=${encodeURIComponent(wanted)}`), { signal })).orders;

function row(one) {
  return h("li", null, h("a", { href: `#/orders/${one.number}` },
    h("span", { class: "mono strong-link" }, one.number), badge("status", one.state),
    h("span", { class: "found-items" }, contents(one)),
    h("span", { class: "quiet small" }, one.learner, " · ", when(one.placed_at))));
}
