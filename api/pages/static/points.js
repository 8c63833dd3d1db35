// The learner's points: balance and statement with the running balance.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { drawBalance, me } from "./ledger.js";
import { after, empty, loading, moreButton } from "./ui.js";
import { exact, factWords, has, number, signed, t, when } from "./words.js";

const PAGE = 20;

/** Balance and statement. */
export async function points(view, _, signal) {
  const top = h("div", { class: "points-top" }, loading(1));
  const list = h("div", null, loading(4));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("points.title"))), top,
    h("section", { class: "panel statement" }, h("h2", null, t("points.statement")), list));
  await Promise.all([drawBalance(top, signal, { full: true }), draw(list, signal)]);
}

async function page(cursor, signal) {
  try {
    return await get(fresh(after(`/v1/learners/${encodeURIComponent(me)}/statement?limit=${PAGE}`, cursor)), { signal });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return { entries: [], next: null };
  }
}

async function draw(list, signal) {
  const { entries, next } = await page(null, signal);
  if (!entries.length) {
    fill(list, empty(t("points.none"), t("points.none_hint")));
    return;
  }
  const body = h("tbody", null, entries.map(row));
  fill(list, h("table", { class: "cards ledger" },
    h("thead", null, h("tr", null, ["points.when", "points.what"].map((key) => h("th", { scope: "col" }, t(key))),
      ["points.change", "points.balance"].map((key) => h("th", { scope: "col", class: "right" }, t(key))))),
    body), moreButton(body, next, (cursor) => page(cursor, signal), (more) => body.append(...more.entries.map(row)), t("points.older")));
}

function row(entry) {
  const kind = entry.points > 0 ? "in" : entry.points < 0 ? "out" : "none";
  return h("tr", { class: kind, dataset: { fact: entry.fact } },
    h("td", { class: "ledger-when" }, h("time", { datetime: entry.happened_at, title: exact(entry.happened_at) }, when(entry.happened_at))),
    h("td", { class: "ledger-what" }, h("p", null, factWords(entry.fact)), note(entry)),
    h("td", { class: "right ledger-change num" }, entry.points ? signed(entry.points) : "0", held(entry)),
    h("td", { class: "right num ledger-balance", "data-label": t("points.balance") }, number(entry.balance)));
}

function note(entry) {
  const reason = entry.reason && (has(`reason.${entry.reason}`) ? t(`reason.${entry.reason}`) : entry.reason);
  if (!entry.order && !reason) return null;
  return h("p", { class: "quiet small" },
    entry.order ? h("a", { href: `#/orders/${entry.order}`, class: "mono" }, entry.order) : null,
    entry.order && reason ? " · " : "", reason || "");
}

function held(entry) {
  if (entry.held) return h("span", { class: "quiet small" }, ` ${t("points.held", { n: signed(entry.held) })}`);
  if (entry.debt) return h("span", { class: "quiet small" }, ` ${t("points.debt", { n: signed(entry.debt) })}`);
  return null;
}
