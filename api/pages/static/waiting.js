// What waits for a person: approvals by a second one, and everything that is stuck, with its age.
import { alertsOf } from "./alerts.js";
import { howFar, whyKept } from "./delays.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { decideOn, howItEnds, would } from "./secondperson.js";
import { aim, figure } from "./targets.js";
import { announce, broken, empty, loading } from "./ui.js";
import { ago, causeWords, countryName, exact, lastDay, names, number, partnerName, t, warehouseName, when, word, yuan } from "./words.js";

const STATES = ["open", "given", "denied"];
const { role, subject } = document.body.dataset;

/** The view: approvals by state above, troubles below. */
export async function waiting(view, _, signal) {
  const asked = h("div", null, loading(2));
  const stuck = h("div", null, loading(2));
  let state = STATES[0];
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("packing.state")),
    STATES.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "state", value: one, checked: one === state }), h("span", null, t(`approval.${one}`)))));
  const drawAsked = () => drawn(asked, signal, drawAsked, async () => {
    const { approvals } = await get(fresh(`/v1/approvals?state=${state}`), { signal });
    return approvals.length ? h("ul", { class: "stack" }, approvals.map((one) => card(one, drawAsked, signal))) : empty(t(`approval.none_${state}`), "");
  });
  const drawStuck = () => drawn(stuck, signal, drawStuck, async () => {
    const { troubles } = await get("/v1/troubles", { signal });
    const others = troubles.filter((one) => one.kind !== "approval");  // they are above
    return others.length ? table(others) : empty(t("trouble.none"), t("trouble.none_hint"));
  });
  const told = h("div", null, loading(1));
  const drawTold = () => drawn(told, signal, drawTold, async () => alertsOf(await get("/v1/staff-alerts", { signal }), { changed: () => Promise.all([drawStuck(), drawTold()]) }));
  const draw = () => Promise.all([drawAsked(), drawStuck(), drawTold()]);
  filter.addEventListener("change", (event) => { state = event.target.value; drawAsked(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.waiting")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("div", { class: "stack sections" },
    h("section", { "aria-labelledby": "asked" }, h("div", { class: "spread section-head" }, h("h2", { id: "asked" }, t("approval.title")), filter), asked),
    h("section", { "aria-labelledby": "stuck" }, h("h2", { id: "stuck", class: "section-head" }, t("trouble.title")), stuck),
    h("section", { "aria-labelledby": "told" }, h("h2", { id: "told", class: "section-head" }, t("alerts.title")), told)));
  await draw();
}

async function drawn(place, signal, again, read) {
  try {
    fill(place, await read());
  } catch (problem) {
    if (!signal.aborted) fill(place, broken(problem, again));
  }
}

function card(one, changed, signal) {
  const now = h("dd", { class: "num" }, "…");
  const moves = one.kind !== "reveal" && one.state === "open";
  if (moves) tellBalance(now, one, signal);
  return h("li", { class: "panel approval", dataset: { approval: one.id } },
    h("h3", null, h("a", { href: `#/accounts/${encodeURIComponent(one.learner)}` }, would(one))),
    h("dl", { class: "about" },
      moves ? [h("dt", null, t("approval.balance")), now] : null,
      h("dt", null, t(SUBJECT[one.kind] ?? "approval.source")), h("dd", { class: "mono" }, one.kind === "refund" ? h("a", { href: `#/packing/${one.subject}` }, one.subject) : one.subject),
      one.cash_fen ? [h("dt", null, t("approval.cash")), h("dd", { class: "num" }, yuan(one.cash_fen))] : null,
      one.goods.length ? [h("dt", null, t("approval.goods")), h("dd", null, one.goods.map((each) => `${names(each.name).main} × ${number(each.quantity)}`).join(t("app.and"))),
        h("dt", null, t("approval.goods_where")), h("dd", null, t(`approval.goods_${one.goods_back ? "back" : "stay"}`))] : null,
      one.about && one.kind !== "refund" ? [h("dt", null, t("approval.about")), h("dd", { class: "mono" }, one.about)] : null,
      h("dt", null, t("cancel.reason")), h("dd", null, one.reason),
      h("dt", null, t("approval.maker")), h("dd", null, `${person(one.maker, one.maker_role)} · ${when(one.requested_at)} · ${ago(one.requested_at)}`),
      one.alone_times ? [h("dt", null, t("approval.alone")), h("dd", { class: "alone" }, t("approval.alone_sum", { n: one.alone_points, times: one.alone_times }))] : null,
      one.checker ? [h("dt", null, t("approval.checker")), h("dd", null, `${person(one.checker, one.checker_role)} · ${when(one.decided_at)}`)] : null,
      one.valid_until ? [h("dt", null, t("approval.valid_until")), h("dd", null, when(one.valid_until))] : null),
    one.state === "open" ? choice(one, changed) : null);
}

const SUBJECT = { clawback: "approval.grant", reveal: "approval.card", compensation: "approval.case", refund: "approval.order", return: "approval.return" };

/** Somebody with the role they acted in, where it was recorded. */
function person(name, acting) {
  return acting ? `${name} · ${word("role", acting)}` : name;
}

async function tellBalance(place, one, signal) {
  const change = one.kind === "clawback" ? -one.points : one.points;
  try {
    const { available } = await get(fresh(`/v1/learners/${encodeURIComponent(one.learner)}/balance`), { signal });
    const rest = available + change;
    const lacks = rest < 0 && one.kind === "adjustment";
    fill(place, lacks ? number(available) : `${number(available)} → ${number(Math.max(0, rest))}`,
      rest < 0 ? h("span", { class: "warn-words" }, t(lacks ? "approval.lacks" : "approval.would_owe", { n: -rest })) : null);
  } catch (problem) {
    if (!signal.aborted) place.textContent = problem.words;
  }
}

function choice(one, changed) {
  if (one.maker === subject) return h("p", { class: "quiet small" }, t("approval.yours"));
  return h("div", { class: "row" },
    h("button", { class: "primary compact", type: "button", onclick: () => decide(one, "allow", changed) }, t("approval.allow")),
    h("button", { class: "danger compact", type: "button", onclick: () => decide(one, "deny", changed) }, t("approval.deny")));
}

function decide(one, decision, changed) {
  decideOn({ approval: one.id, decision, words: would(one), how: howItEnds(one, decision), done: changed });
}

function table(troubles) {
  return h("div", { class: "panel flush" }, h("table", { class: "cards troubles" },
    h("thead", null, h("tr", null, ["kind", "what", "cause", "since"].map((key) => h("th", { scope: "col" }, t(`trouble.${key}`))))),
    h("tbody", null, troubles.map((one) => h("tr", { dataset: { kind: one.kind } },
      h("td", null, h("strong", null, word("trouble_kind", one.kind))),
      h("td", { class: "full" }, what(one)),
      ["overdue_case", "waiting_return", "claim_window", "delivered_claim"].includes(one.kind) ? h("td", { class: "full" }, word("fault", one.about.reason)) :
      one.kind === "delayed_parcel" ? h("td", { class: "full" }, whyKept(one.about)) :
      one.kind === "late_order" ? h("td", { class: "full" }, howFar(one.about)) :
      one.kind === "contradicted_receipt" ? h("td", { class: "full" }, t(one.about.fell_away ? "trouble.receipt_fell_how" : "trouble.contradicted_how")) :
      one.kind === "missed_target" ? h("td", { class: "full" }, missed(one.about)) :
        h("td", { class: "full quiet" }, TOLD.includes(one.kind) ? "" : causeWords(one.cause)),
      h("td", { class: "num" }, one.since ? h("time", { datetime: one.since, title: exact(one.since) }, ago(one.since)) : t("trouble.ageless")))))));
}

/** Their cause is a figure, which is told with what they are. */
const TOLD = ["arrived_after_all", "standing_wave", "late_policy", "dead_job", "late_parcel", "waiting_declaration", "stock_difference"];

const missed = ({ target: name, value, aim: target }) => `${figure({ name, value })} · ${t("targets.aim", { aim: aim({ name, target }) })}`;

const WHAT = {
  parked_event: ({ view, stream, position }) => [`${word("view", view)} · `, h("span", { class: "mono" }, stream), ` · ${t("audit.position")} ${number(position)}`],
  drift: ({ place, stream }) => [`${place} · `, h("span", { class: "mono" }, stream)],
  late_policy: ({ policy, waiting: n }) => [word("work", policy), " ", h("span", { class: "mono quiet small" }, policy), ` · ${t("trouble.waiting", { n })}`],
  dead_job: ({ task, attempts: n }) => [h("span", { class: "mono" }, task), ` · ${t("trouble.attempts", { n })}`],
  webhook: ({ webhook, url, failed_tries: tries, parked: n }) => [role === "administrator" ? h("a", { class: "mono", href: `#/webhooks/${webhook}` }, url) : h("span", { class: "mono" }, url), tries ? ` · ${t("webhook.failed_n", { n: tries })}` : "", n ? ` · ${t("webhook.parked_n", { n })}` : ""],
  cash_refund: ({ order, amount_fen }) => [h("a", { class: "mono", href: `#/packing/${order}` }, order), ` · ${yuan(amount_fen)}`],
  warehouse_load: ({ warehouse, waiting: n, capacity }) => `${warehouseName(warehouse)} · ${t("trouble.waiting", { n })} / ${number(capacity)}`,
  standing_wave: ({ warehouse, wave }) => [`${warehouseName(warehouse)} · `, h("span", { class: "mono" }, wave)],
  delayed_parcel: ({ order, parcel, carrier, waybill }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${word("carrier", carrier)} `, h("span", { class: "mono" }, waybill)],
  unreadable_push: ({ order, parcel, pushes: n }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${t("trouble.waiting", { n })}`],
  waiting_return: ({ back: id, state }) => [h("a", { class: "mono", href: "#/inspections" }, id), ` · ${word("return_state", state)}`],
  overdue_case: ({ case: id, order, waits_for }) => [h("a", { class: "mono", href: `#/packing/${order}` }, id), ` · ${t("trouble.waits_for", { who: word("waits_for", waits_for) })}`],
  claim_window: ({ order, parcel, file_by }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${t("case.claim_by", { day: lastDay(file_by) })}`],
  delivered_claim: ({ parcel }) => [h("a", { class: "mono", href: "#/claims" }, parcel), ` · ${t("trouble.delivered_claim_how")}`],
  arrived_after_all: ({ order, parcel }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${t("trouble.arrived_after_all_how")}`],
  waiting_declaration: ({ parcel, standing, country }) => [h("a", { class: "mono", href: "#/declarations" }, parcel), ` · ${countryName(country)} · ${word("declaration", standing)}`],
  contradicted_receipt: ({ order, parcel, waybill }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), " · ", h("span", { class: "mono" }, waybill)],
  late_order: ({ order, warehouses }) => [h("a", { class: "mono", href: `#/packing/${order}` }, order), ` · ${warehouses.map((one) => warehouseName(one)).join(" · ")}`],
  late_parcel: ({ order, parcel, warehouse, stage }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${warehouseName(warehouse)} · ${word("stage", stage)}`],
  uncompared_bill: ({ bill, failures: n }) => [h("a", { class: "mono", href: `#/bills/${encodeURIComponent(bill)}` }, bill), n ? ` · ${t("trouble.attempts", { n })}` : "", ` · ${t(n ? "trouble.uncompared_failed" : "trouble.uncompared_waits")}`],
  put_back_late: ({ parcel, warehouse }) => [h("a", { class: "mono", href: "#/picking" }, parcel), ` · ${warehouseName(warehouse)} · ${t("trouble.put_back_how")}`],
  missed_target: ({ whose, target }) => `${partnerName(whose)} · ${t(`targets.${target}`)}`,
  signals_closed: () => t("signals.closed"),
  robot_refused: () => t("alerts.robot"),
  partner_away: ({ partner, failed: n }) => [partnerName(partner), ` · ${t("trouble.attempts", { n })}`],
  label: ({ order, parcel, state }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${word("label_state", state)}`],
  shared_waybill: ({ carrier, waybill, parcels }) => [`${word("carrier", carrier)} `, h("span", { class: "mono" }, `${waybill} · ${parcels.join(" · ")}`)],
  third_party: ({ order, parcel, warehouse, state, tries: n }) => [h("a", { class: "mono", href: `#/packing/${order}` }, parcel), ` · ${warehouseName(warehouse)} · ${word("consigned_state", state)}`, n ? ` · ${t("trouble.attempts", { n })}` : "", " · ", h("a", { href: "#/consigned" }, t("tab.consigned"))],
  stock_difference: ({ warehouse, sku, name, counted, expected }) => [h("a", { href: "#/consigned" }, `${warehouseName(warehouse)} · ${name ? names(name).main : sku}`), ` · ${t("trouble.counted", { counted: number(counted), expected: number(expected) })}`],
  unclaimed_push: ({ partner, waybills: n }) => [partnerName(partner), ` · ${t("trouble.waybills", { n })}`],
  unwatched_parcel: ({ order, parcel }) => h("a", { class: "mono", href: `#/packing/${order}` }, parcel),
};

function what(one) {
  return WHAT[one.kind]?.(one.about) ?? one.what;
}
