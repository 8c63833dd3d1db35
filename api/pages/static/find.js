// Where a caller's order is found: one box for whatever they know of it.
import { contents } from "./contents.js";
import { fill, h, icon, unique } from "./dom.js";
import { fresh, get } from "./http.js";
import { search } from "./search.js";
import { after, broken, busily, empty, loading, moreButton, orderBadge } from "./ui.js";
import { t, when } from "./words.js";

/** So many orders are looked through at a glance. */
const AT_ONCE = 8;
const AGAIN = /-R\d+$/;

/** The desk's first view: the box, and what it found; or all orders of a learner. */
export async function find(view, [, learner], signal) {
  const list = h("div", { class: "found" }, empty(t("find.nothing_asked"), t("find.nothing_asked_hint")));
  const form = finder(list, signal, "field-hint");
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("find.title"))), form, list);
  const box = form.querySelector("input");
  box.focus();
  if (!learner) return;
  box.value = learner;
  const path = `/v1/orders?limit=${AT_ONCE}&learner=${encodeURIComponent(learner)}`;
  await drawn(list, learner, signal, () => get(fresh(path), { signal }), (cursor) => get(after(path, cursor), { signal }));
}

/** The box alone, for the screens behind it; what it finds is shown in `list`. */
export function finder(list, signal, hinted = "visually-hidden") {
  const help = unique("find");
  const box = h("input", { type: "search", name: "wanted", "aria-label": t("find.find"), "aria-describedby": help, placeholder: t("find.how"), autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 200 });
  const button = h("button", { class: "primary", type: "submit" }, t("find.find"));
  return h("form", { class: "filters finder", role: "search", onsubmit: (event) => {
    event.preventDefault();
    const wanted = box.value.trim();
    if (wanted) busily(button, () => draw(list, wanted, signal));
  } }, h("div", { class: "search-box" }, icon("search"), box), button, h("p", { class: hinted, id: help }, t("find.by")));
}

/** One order is opened at once; several are chosen from, by pages of what was found. */
async function draw(list, wanted, signal) {
  let all = [];
  const page = (from) => ({ orders: all.slice(from, from + AT_ONCE), next: from + AT_ONCE < all.length ? from + AT_ONCE : null });
  const found = await drawn(list, wanted, signal, async () => {
    all = grouped((await search(wanted, { signal })).orders);
    return page(0);
  }, async (from) => page(from));
  if (found?.length === 1) location.hash = `#/orders/${found[0].number}`;
}

/** Show what is found; returns its first page, or nothing where it could not be shown. */
async function drawn(list, wanted, signal, ask, further) {
  fill(list, loading(2));
  try {
    const page = await ask();
    const rows = h("ul", { class: "panel flush found-list" }, page.orders.map(row));
    fill(list, page.orders.length ? [rows, moreButton(rows, page.next, further, (more) => rows.append(...more.orders.map(row)))] : empty(t("find.none", { wanted }), t("find.none_hint")));
    return page.orders;
  } catch (problem) {
    if (!signal.aborted) fill(list, broken(problem, () => drawn(list, wanted, signal, ask, further)));
    return undefined;
  }
}

/** What is sent once more stands below what it is sent for; the rest stays newest first. */
function grouped(orders) {
  const groups = new Map();
  for (const one of orders) {
    const first = one.number.replace(AGAIN, "");
    groups.set(first, [...(groups.get(first) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => group.sort((one, other) => one.number.length - other.number.length));
}

/** What an outside shop calls it; where others are called the same, its caller may mean one of them. */
const outside = (one) => h("span", { class: "quiet small found-outside" }, `${t("order.outside")} `, h("span", { class: "mono" }, one.external_number),
  one.external_orders > 1 ? [" ", h("span", { class: "badge s-open" }, t("find.same_outside", { n: one.external_orders }))] : null);

/** An order; one that sends goods once more says so. */
function row(one) {
  return h("li", { class: AGAIN.test(one.number) ? "again" : "" }, h("a", { href: `#/orders/${one.number}` },
    h("span", { class: "found-number" }, h("span", { class: "mono strong-link" }, one.number), AGAIN.test(one.number) ? h("span", { class: "quiet small" }, ` ${t("outcome.reship")}`) : null),
    orderBadge(one),
    h("span", { class: "found-items" }, contents(one), one.external_number ? outside(one) : null),
    h("span", { class: "quiet small" }, one.learner, " · ", when(one.placed_at))));
}
