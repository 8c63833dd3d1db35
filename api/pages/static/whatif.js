// What if: another rule over all that happened, before it is switched on (M6).
import { askFor } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { after, announce, broken, busily, empty, field, loading, keepAsSent, pagesOf, showProblem, waitingWords, wrongIn } from "./ui.js";
import { actor, ago, exact, names, number, percent, plainDay, t, warehouseName, word, yuan } from "./words.js";
import { resultOf } from "./whatif_result.js";

const PATH = "/v1/what-if";
const RULES = ["split", "carrier", "prices", "placement", "expiry"];
const OPEN = ["waiting", "running"];
const LOOK_MS = 1500;
/** So many items can be chosen from. */
const ITEMS = 1000;

/** The form, what runs now, and what was rehearsed before. */
export async function whatIf(view, _, signal) {
  const place = h("div", null, loading(3));
  const known = await terms(signal);
  const draw = async () => {
    try {
      const { rehearsals } = await get(PATH, { signal });
      fill(place, rehearsals.length ? h("ul", { class: "stack" }, rehearsals.map((one) => card(one, known, draw))) : empty(t("whatif.none"), t("whatif.none_hint")));
      if (rehearsals.some((one) => OPEN.includes(one.state))) later(draw, signal);
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.whatif"))), h("p", { class: "quiet lead" }, t("whatif.how")),
    form(known, draw), h("h2", { class: "section-head" }, t("whatif.asked")), place);
  await draw();
}

/** One rehearsal: how far it is, then what would have differed. */
export async function rehearsal(view, [, id], signal) {
  const place = h("div", null, loading(4));
  const known = await terms(signal);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("whatif.one")), h("a", { class: "tool", href: "#/whatif" }, t("whatif.all"))), place);
  const draw = async () => {
    const one = await get(`${PATH}/${encodeURIComponent(id)}`, { signal });
    fill(place, card(one, known, draw, true), one.result ? resultOf(one.result, known.warehouses) : null);
    if (OPEN.includes(one.state)) later(draw, signal);
    else announce(word("rehearsal", one.state));
  };
  await draw();
}

function later(draw, signal) {
  const timer = setTimeout(() => draw().catch((problem) => { if (!signal.aborted) throw problem; }), LOOK_MS);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

async function terms(signal) {
  const [{ warehouses }, items, { cards }] = await Promise.all([
    get(fresh("/v1/warehouses"), { signal }), pagesOf((cursor) => get(fresh(after("/v1/items?limit=100", cursor)), { signal }), "items", ITEMS), get("/v1/rate-cards", { signal })]);
  return { warehouses, items: items.rows.filter((one) => one.kind === "parcel"), cards: cards.filter((one) => one.in_force) };
}

function form(known, done) {
  const intent = new Intent(PATH);
  const fields = h("div", { class: "whatif-fields" });
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "primary", type: "submit" }, t("whatif.run"));
  const rule = () => box.elements.rule.value;
  const choose = () => fill(fields, asked(rule(), known));
  const usable = RULES.filter((one) => one !== "prices" || known.cards.length);
  const box = h("form", { class: "panel whatif-form", novalidate: true },
    h("fieldset", { class: "chips" }, h("legend", null, t("whatif.rule")), usable.map((one, at) => h("label", { class: "chip" }, h("input", { type: "radio", name: "rule", value: one, checked: at === 0 }), h("span", null, t(`whatif.${one}`))))),
    fields,
    h("div", { class: "whatif-fields" }, field("since", t("whatif.since"), { type: "date" }, { hint: t("whatif.since_hint") }), field("until", t("whatif.until"), { type: "date" })),
    problems, h("p", null, submit));
  box.addEventListener("change", (event) => { if (event.target.name === "rule") choose(); });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = wrongIn(box, () => [...badShares(box), ...backwards(box.elements)]);
    problems.hidden = true;
    if (wrong.length) { showProblem(box, { words: t("problem.invalid"), reasons: wrong }, problems); return; }
    busily(submit, async () => {
      try {
        const { id } = await intent.send({ ...change(rule(), box.elements, known), ...period(box.elements) }, { onWaiting: waitingWords() });
        location.hash = `#/whatif/${id}`;
      } catch (problem) {
        keepAsSent(box, intent);
        showProblem(box, problem, problems);
        await done();
      }
    });
  });
  choose();
  return box;
}

/** A period that ends before it begins. */
const backwards = ({ since, until }) => (since.value && until.value && until.value < since.value ? [{ field: "until", words: t("whatif.ends_before") }] : []);

/** Where an item lies has to come to all of it. */
function badShares(box) {
  const shares = [...box.querySelectorAll("[data-share]")];
  const sum = shares.reduce((all, one) => all + Number(one.value || 0), 0);
  return shares.length && sum !== 100 ? [{ field: shares[0].name, words: t("whatif.shares_wrong", { sum }) }] : [];
}

/** The fields of a rule. */
function asked(rule, known) {
  const figure = (name, value, props = {}, more = {}) => field(name, t(`whatif.${name}`), { type: "number", inputmode: "numeric", value: String(value), required: true, ...props }, more);
  switch (rule) {
    case "split": return [figure("max_parts", 2, { min: 1, max: 20 })];
    case "carrier": return [figure("carrier_gain_percent", 10, { min: 0, max: 100 }), figure("valuable", 300, { min: 0, max: 100000000, step: "0.01", inputmode: "decimal" })];
    case "prices": return [field("carrier", t("whatif.carrier_of"), { required: true, options: known.cards.map((one) => [one.carrier, word("carrier", one.carrier)]) }), figure("percent", -10, { min: -90, max: 300 })];
    case "placement": return [field("sku", t("whatif.item"), { required: true, options: known.items.map((one) => [one.sku, names(one.name).main]) }),
      known.warehouses.map((one, at) => field(`share-${one.code}`, t("whatif.share_of", { warehouse: warehouseName(one.code, known.warehouses) }), { type: "number", min: 0, max: 100, inputmode: "numeric", value: at ? "0" : "100", required: true, "data-share": one.code }))];
    default: return [field("days", t("whatif.days"), { type: "number", min: 1, max: 36500, inputmode: "numeric", value: "365" }, { hint: t("whatif.days_hint") })];
  }
}

/** What the API takes: only what is to be otherwise. */
function change(rule, form, known) {
  switch (rule) {
    case "split": return { max_parts: Number(form.max_parts.value) };
    case "carrier": return { carrier_gain_percent: Number(form.carrier_gain_percent.value), valuable_fen: Math.round(Number(form.valuable.value) * 100) };
    case "prices": return { rate_cards: [dearer(known.cards.find((one) => one.carrier === form.carrier.value), Number(form.percent.value))] };
    case "placement": return { placement: { [form.sku.value]: Object.fromEntries([...form].filter((one) => one.dataset?.share && Number(one.value)).map((one) => [one.dataset.share, Number(one.value)])) } };
    default: return { expiry: { days: form.days.value ? Number(form.days.value) : null } };
  }
}

/** A carrier's card with weights that cost so many per cent more. */
function dearer({ in_force: _, ...card }, percent) {
  const by = (fen) => Math.round((fen * (100 + percent)) / 100);
  const priced = (rate) => rate && { ...rate, first_fen: by(rate.first_fen), additional_fen: by(rate.additional_fen) };
  return { ...card, name: `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`, lanes: card.lanes.map((lane) => ({ ...lane, rate: priced(lane.rate), same_city: priced(lane.same_city) })) };
}

const period = (form) => Object.fromEntries(["since", "until"].filter((name) => form[name].value).map((name) => [name, form[name].value]));

function card(one, known, changed, alone = false) {
  const open = OPEN.includes(one.state);
  const words = inWords(one.change, known);
  return h(alone ? "section" : "li", { class: "panel whatif-card", dataset: { rehearsal: one.id, state: one.state } },
    h("div", { class: "spread" }, h(alone ? "h2" : "h3", null, alone ? words : h("a", { href: `#/whatif/${one.id}` }, words)), h("p", null, h("span", { class: `badge s-${{ done: "ok", failed: "failed", cancelled: "cancelled" }[one.state] ?? "open"}` }, word("rehearsal", one.state)))),
    h("p", { class: "quiet small" }, t("whatif.by", { who: actor(one.asked_by) }), " · ", h("time", { datetime: one.asked_at, title: exact(one.asked_at) }, ago(one.asked_at))),
    one.why ? h("p", { class: "bad-words" }, icon("warn"), word("rehearsal_why", one.why)) : null,
    open ? h("div", { class: "spread" },
      h("label", { class: "whatif-progress" }, t(one.of ? "whatif.reached" : "whatif.begins", { at: one.position, of: one.of }), h("progress", one.of ? { max: one.of, value: one.position } : null)),
      h("button", { class: "button compact", type: "button", onclick: () => cancel(one, changed) }, t("whatif.cancel"))) : null);
}

function cancel(one, changed) {
  askFor({ title: t("whatif.cancel_title"), path: `${PATH}/${encodeURIComponent(one.id)}`, method: "DELETE", label: t("whatif.cancel"), danger: true, done: changed, said: () => word("rehearsal", "cancelled"),
    fields: [h("p", null, t("whatif.cancel_how"))], read: () => ({}) });
}

/** A change as somebody would say it. */
function inWords(change, known) {
  const said = [];
  if (change.max_parts) said.push(t("whatif.says_split", { n: change.max_parts }));
  if (change.carrier_gain_percent !== undefined) said.push(t("whatif.says_gain", { percent: change.carrier_gain_percent }));
  if (change.valuable_fen !== undefined) said.push(t("whatif.says_valuable", { sum: yuan(change.valuable_fen) }));
  for (const one of change.rate_cards ?? []) said.push(t("whatif.says_prices", { carrier: word("carrier", one.carrier), name: one.name || t("whatif.own_card") }));
  for (const one of change.warehouses ?? []) said.push(warehouseName(one.code, known.warehouses));
  for (const [sku, shares] of Object.entries(change.placement ?? {})) {
    said.push(t("whatif.says_placement", { item: names(known.items.find((one) => one.sku === sku)?.name ?? sku).main, shares: Object.entries(shares).map(([code, share]) => `${warehouseName(code, known.warehouses)} ${percent(share)}`).join(t("app.and")) }));
  }
  if (change.expiry) said.push(change.expiry.days ? t("whatif.says_expiry", { n: change.expiry.days }) : t("whatif.says_for_ever"));
  if (!said.length) said.push(t("whatif.says_nothing"));
  const days = [change.since && t("whatif.from_day", { day: plainDay(change.since) }), change.until && t("whatif.to_day", { day: plainDay(change.until) })].filter(Boolean);
  return [...said, ...days].join(" · ");
}
