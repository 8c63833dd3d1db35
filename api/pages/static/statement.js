// A learner's statement: every entry with the running balance, newest first.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, empty, moreButton } from "./ui.js";
import { exact, factWords, has, number, signed, t, when } from "./words.js";

const PAGE = 20;

/**
 * Draw the statement of a learner. `orderLink` is the address of an order's page; `tool` may add
 * something to do to an entry; `hint` says how the first entries come about.
 */
export async function drawStatement(place, learner, signal, { orderLink, tool = null, hint = "" }) {
  const ask = (cursor) => page(learner, cursor, signal);
  const row = (entry) => statementRow(entry, orderLink, tool);
  const { entries, next } = await ask(null);
  if (!entries.length) {
    fill(place, empty(t("points.none"), hint));
    return;
  }
  const body = h("tbody", null, entries.map(row));
  fill(place, h("table", { class: `cards ledger${tool ? " tooled" : ""}` },
    h("thead", null, h("tr", null, ["points.when", "points.what"].map((key) => h("th", { scope: "col" }, t(key))),
      ["points.change", "points.balance"].map((key) => h("th", { scope: "col", class: "right" }, t(key))),
      tool ? h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("actions.title"))) : null)),
    body), moreButton(body, next, ask, (more) => body.append(...more.entries.map(row)), t("points.older")));
}

function page(learner, cursor, signal) {
  return get(fresh(after(`/v1/learners/${encodeURIComponent(learner)}/statement?limit=${PAGE}`, cursor)), { signal });
}

function statementRow(entry, orderLink, tool) {
  const kind = entry.points > 0 ? "in" : entry.points < 0 ? "out" : "none";
  return h("tr", { class: kind, dataset: { fact: entry.fact } },
    h("td", { class: "ledger-when" }, h("time", { datetime: entry.happened_at, title: exact(entry.happened_at) }, when(entry.happened_at))),
    h("td", { class: "ledger-what" }, h("p", null, factWords(entry.fact)), note(entry, orderLink)),
    h("td", { class: "right ledger-change num" }, entry.points ? signed(entry.points) : "0", held(entry)),
    h("td", { class: "right num ledger-balance", "data-label": t("points.balance") }, number(entry.balance)),
    tool ? h("td", { class: "right ledger-tool" }, tool(entry)) : null);
}

function note(entry, orderLink) {
  const reason = entry.reason && (has(`reason.${entry.reason}`) ? t(`reason.${entry.reason}`) : entry.reason);
  if (!entry.order && !reason) return null;
  return h("p", { class: "quiet small" },
    entry.order ? h("a", { href: orderLink(entry.order), class: "mono" }, entry.order) : null,
    entry.order && reason ? " · " : "", reason || "");
}

function held(entry) {
  if (entry.held) return h("span", { class: "quiet small" }, ` ${t("points.held", { n: signed(entry.held) })}`);
  if (entry.debt) return h("span", { class: "quiet small" }, ` ${t("points.debt", { n: signed(entry.debt) })}`);
  return null;
}
