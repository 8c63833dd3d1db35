// Learners' accounts as operations see them: figures, statement, orders, and what changes them.
import { adjust, clawBack, freeze, register } from "./account_changes.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get } from "./http.js";
import { ordersTable } from "./packing.js";
import { would } from "./secondperson.js";
import { drawStatement } from "./statement.js";
import { after, badge, empty, loading, moreButton } from "./ui.js";
import { number, plainDay, t, when } from "./words.js";

const { role } = document.body.dataset;
const SEES_APPROVALS = role !== "service";

/** Where an account is asked for by its learner's id. */
export async function accounts(view) {
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.accounts"))), finder(""),
    empty(t("learner.none_asked"), t("learner.none_asked_hint")));
}

const addressOf = (learner) => `#/accounts/${encodeURIComponent(learner)}`;

function finder(learner) {
  const box = h("input", { type: "search", "aria-label": t("learner.find"), placeholder: t("learner.find"), value: learner, autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 100 });
  return h("form", { class: "filters", role: "search", onsubmit: (event) => {
    event.preventDefault();
    if (box.value.trim()) location.hash = addressOf(box.value.trim());
  } }, h("div", { class: "search-box" }, icon("search"), box), h("button", { class: "primary", type: "submit" }, t("learner.open")));
}

/** One account. */
export async function account(view, [, learner], signal) {
  const place = h("div", { class: "stack" }, loading(4));
  fill(view, finder(learner), place);
  const draw = async () => {
    const found = await balanceOf(learner, signal);
    if (!found) {
      fill(place, h("h1", { class: "stream-name" }, learner), unknown(learner, draw));
      return;
    }
    const asked = h("div", { class: "stack" });
    const statement = h("div", null, loading(3));
    const orders = h("div", null, loading(2));
    const open = found.status !== "erased";
    fill(place, head(found, draw), asked,
      h("section", { class: "panel statement", "aria-labelledby": "statement" }, h("h2", { id: "statement" }, t("points.statement")), statement),
      h("section", { "aria-labelledby": "orders" }, h("h2", { id: "orders", class: "section-head" }, t("tab.orders")), orders));
    await Promise.all([
      drawStatement(statement, learner, signal, { orderLink: (order) => `#/packing/${order}`, tool: open ? takers(learner, draw) : null }),
      drawOrders(orders, learner, signal),
      SEES_APPROVALS ? drawAsked(asked, learner, signal) : null]);
  };
  await draw();
}

async function balanceOf(learner, signal) {
  try {
    return await get(fresh(`/v1/learners/${encodeURIComponent(learner)}/balance`), { signal });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return null;
  }
}

function unknown(learner, changed) {
  return empty(t("learner.unknown", { learner }), t("learner.unknown_hint"),
    h("button", { class: "button", type: "button", onclick: () => register(learner, changed) }, t("learner.register")));
}

function head(found, changed) {
  const { learner, status, available, held, debt, expiring } = found;
  const frozen = status === "frozen";
  return h("section", { class: "panel account" },
    h("div", { class: "spread" }, h("h1", { class: "stream-name" }, learner), badge("standing", status)),
    h("dl", { class: "account-figures" }, figure("balance.available", available), figure("balance.held", held), figure("balance.debt", debt, debt > 0)),
    expiring.length ? h("p", { class: "quiet small" }, expiring.slice(0, 4).map((one) => `${t("balance.expires", { day: plainDay(one.on) })} ${number(one.points)}`).join(" · ")) : null,
    status === "erased" ? h("p", { class: "quiet" }, t("learner.erased"))
      : h("div", { class: "row" },
        h("button", { class: "primary compact", type: "button", onclick: () => adjust(found, changed) }, t("learner.adjust")),
        h("button", { class: "button compact", type: "button", onclick: () => clawBack({ learner }, changed) }, t("learner.claw_back")),
        h("button", { class: frozen ? "button compact" : "danger compact", type: "button", onclick: () => freeze(learner, !frozen, changed) }, t(frozen ? "learner.unfreeze" : "learner.freeze"))));
}

function figure(key, value, bad) {
  return h("div", null, h("dt", { class: "quiet small" }, t(key)), h("dd", { class: `num tile-figure${bad ? " bad-words" : ""}` }, number(value)));
}

/** A grant of the statement can be clawed back, once: newest first, the claw-back comes before it. */
function takers(learner, changed) {
  const gone = new Set();
  return (entry) => {
    if (entry.fact === "ledger.GrantClawedBack") gone.add(entry.source);
    return entry.grant_reason && !gone.has(`${entry.grant_reason}:${entry.source}`) ? taker(entry, learner, changed) : null;
  };
}

function taker(entry, learner, changed) {
  return h("button", { class: "tool", type: "button", onclick: () => clawBack({ learner, reason: entry.grant_reason, source: entry.source, points: entry.points }, changed) }, t("learner.claw_back"));
}

async function drawOrders(place, learner, signal) {
  const path = `/v1/orders?learner=${encodeURIComponent(learner)}&limit=10`;
  const ask = (cursor) => get(fresh(after(path, cursor)), { signal });
  const { orders, next } = await ask(null);
  if (!orders.length) {
    fill(place, empty(t("orders.none"), ""));
    return;
  }
  const { table, add } = ordersTable(orders, { learner: false });
  fill(place, table, moreButton(table.querySelector("tbody"), next, ask, (more) => add(more.orders)));
}

/** What was asked for and waits for a second person: nothing of it has happened yet. */
async function drawAsked(place, learner, signal) {
  const { approvals } = await get(fresh("/v1/approvals"), { signal });
  fill(place, approvals.filter((one) => one.learner === learner).map((one) => h("p", { class: "notice asked", dataset: { approval: one.id } },
    h("strong", null, would(one)),
    " ", t("learner.asked", { maker: one.maker, when: when(one.requested_at) }), h("a", { class: "after", href: "#/waiting" }, t("learner.asked_where")))));
}
