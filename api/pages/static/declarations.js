// Parcels that go abroad: what customs are told of them, and what customs answered (T7).
import { askFor, hsCode, whole } from "./asking.js";
import { again, fill, h, keepingRows, reorder } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, announce, broken, empty, field, loading, moreButton, pagesOf } from "./ui.js";
import { ago, countryName, exact, names, number, t, word, yuan } from "./words.js";

const { role } = document.body.dataset;
const TONES = { draft: "s-open", submitted: "s-pending_shipment", cleared: "s-completed", stopped: "s-failed" };
const ASKED = ["hs_code", "english_name", "origin"];
const MISSING = [...ASKED, "unit_value_fen", "net_weight_grams"];

/** The view: parcels in the house that go abroad, the longest in their standing first. */
export async function declarations(view, _, signal) {
  const place = h("div", null, loading(2));
  const list = h("ul", { class: "stack" });
  const tail = h("div");
  const cards = keepingRows("parcel", (one) => card(one, draw));
  const ask = (cursor) => get(fresh(after("/v1/declarations", cursor)), { signal });
  const read = async () => {
    const { rows, next } = await pagesOf(ask, "declarations", list.childElementCount);
    reorder(list, cards(rows));
    fill(tail, moreButton(list, next, ask, (more) => list.append(...cards(more.declarations))));
    if (!rows.length) fill(place, empty(t("declarations.none"), t("declarations.none_hint")));
    else if (!list.isConnected) fill(place, list, tail);
  };
  const draw = async () => {
    try {
      await read();
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  // Customs answer whenever they like, and a colleague, or their agent's program, writes it down.
  again(() => read().catch(() => null), { signal });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.declarations")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))), place);
  await draw();
}

function card(one, changed) {
  const path = `/v1/parcels/${encodeURIComponent(one.parcel)}/declaration`;
  return h("li", { class: "panel approval", dataset: { declaration: one.parcel, standing: one.standing } },
    h("div", { class: "spread" },
      h("h2", { class: "mono order-number-small" }, h("a", { href: `#/packing/${one.orders[0]}` }, one.parcel)),
      h("p", { class: "row" }, h("span", { class: `badge ${TONES[one.standing]}` }, word("declaration", one.standing)),
        h("time", { class: "quiet small", datetime: one.since, title: exact(one.since) }, ago(one.since)))),
    h("dl", { class: "about" },
      h("dt", null, t("recipient.country")), h("dd", null, countryName(one.country)),
      one.waybill ? [h("dt", null, t("packing.carrier")), h("dd", null, word("carrier", one.carrier), " ", h("span", { class: "mono" }, one.waybill))] : null,
      h("dt", null, t("declarations.gross")), h("dd", { class: "num" }, t("declarations.grams", { n: number(one.gross_weight_grams) })),
      one.reference ? [h("dt", null, t("declarations.reference")), h("dd", { class: "mono" }, one.reference)] : null),
    h("ul", { class: "plain" }, one.lines.map(line)),
    one.missing.includes("gross_weight_grams") ? h("p", { class: "small bad-words" }, t("declarations.gross_wrong")) : null,
    one.reason ? h("p", { class: "bad-words" }, t("declarations.because", { reason: one.reason })) : null,
    one.outdated ? h("p", { class: "bad-words" }, t("declarations.outdated")) : null,
    one.handed_over ? h("p", { class: "bad-words" }, t("declarations.under_way")) : null,
    h("div", { class: "row" }, ["operations", "administrator"].includes(role) ? steps(one, path, changed) : null,
      one.handed_over ? null : h("a", { class: "button compact", href: `${path}.pdf`, target: "_blank", rel: "noopener" }, t("declarations.print"))));
}

/** An item as customs are told of it; what is still missing is named. */
function line(one) {
  const gaps = MISSING.filter((name) => !one[name]);
  return h("li", { class: "declared" },
    h("strong", null, names(one.name).main), ` × ${number(one.quantity)}`,
    h("p", { class: "small" }, [one.hs_code, one.english_name, one.origin && countryName(one.origin)].filter(Boolean).join(" · ")),
    h("p", { class: "quiet small num" }, `${t("declarations.each", { value: yuan(one.unit_value_fen) })} · ${t("declarations.net", { n: number(one.net_weight_grams) })}`),
    gaps.length ? h("p", { class: "small bad-words" }, t("declarations.missing", { fields: gaps.map((name) => t(`declarations.${name}`)).join(t("app.and")) })) : null);
}

/** What can be done now: the service has the last word. */
function steps(one, path, changed) {
  const button = (key, tone, act) => h("button", { class: tone, type: "button", onclick: act }, t(`declarations.${key}`));
  const ready = one.standing === "draft" && !one.missing.length && !one.outdated;
  return [
    ready ? button("submit", "primary compact", () => submit(one, path, changed)) : null,
    one.standing === "submitted" || one.standing === "stopped" ? button("cleared", one.standing === "stopped" ? "button compact" : "primary compact", () => answer(one, path, "cleared", changed)) : null,
    one.standing === "submitted" || one.standing === "cleared" ? button("stopped", "danger compact", () => answer(one, path, "stopped", changed)) : null,
    one.standing !== "submitted" && !one.handed_over ? button("complete", ready || one.standing === "cleared" ? "button compact" : "primary compact", () => complete(one, path, changed)) : null];
}

function complete(one, path, changed) {
  askFor({
    title: t("declarations.complete"), path, wide: true, label: t("form.save"), said: () => t("declarations.completed"), done: changed,
    fields: [h("p", { class: "quiet small" }, t("declarations.complete_how")), one.outdated ? h("p", { class: "notice small" }, t("declarations.outdated_how")) : null,
      one.lines.map((each, nth) => h("fieldset", { class: "stack" }, h("legend", { class: "legend" }, `${names(each.name).main} × ${number(each.quantity)}`),
        h("div", { class: "grid-2" },
          asked(nth, "hs_code", each.hs_code, t("items.hs_code_hint")),
          asked(nth, "origin", each.origin, t("items.origin_hint"))),
        asked(nth, "english_name", each.english_name),
        h("div", { class: "grid-2" },
          field(named(nth, "unit_value_fen"), t("declarations.unit_value"), { type: "number", min: 0.01, max: 100000000, step: "0.01", inputmode: "decimal", required: true, value: String(each.unit_value_fen / 100) }),
          field(named(nth, "net_weight_grams"), t("declarations.net_weight"), { type: "number", min: 1, max: 1000000, inputmode: "numeric", required: true, value: String(each.net_weight_grams || "") })))),
      field("gross_weight_grams", t("declarations.gross_weight"), { type: "number", min: 1, max: 1000000, inputmode: "numeric", value: String(one.gross_weight_grams || "") }, { hint: t("declarations.gross_hint"), later: true })],
    wrong: (form) => wrong(form, one.lines),
    read: (form) => ({ lines: one.lines.map((each, nth) => told(form, each, nth)), gross_weight_grams: whole(form.gross_weight_grams) }),
  });
}

/** A field is called as the service calls it, so what it says of one is shown there. */
const named = (nth, name) => `lines.${nth}.${name}`;

/** What may wait, but not for ever: it is needed before customs are asked. */
const asked = (nth, name, value, hint) => field(named(nth, name), t(`declarations.${name}`), { value: value ?? "", inputmode: name === "hs_code" ? "numeric" : null }, { hint, later: true });

/** What would keep the declaration here anyway is said at once, where it is. */
function wrong(form, lines) {
  const box = (nth, name) => form[named(nth, name)];
  const found = lines.flatMap((_, nth) =>
    (/^(\d{6,10})?$/.test(hsCode(box(nth, "hs_code")) ?? "") ? [] : [{ field: named(nth, "hs_code"), words: t("items.hs_code_hint") }]));
  const net = lines.reduce((sum, _, nth) => sum + Number(box(nth, "net_weight_grams").value), 0);
  const gross = whole(form.gross_weight_grams);
  return gross !== null && gross < net ? [...found, { field: "gross_weight_grams", words: t("declarations.gross_wrong") }] : found;
}

function told(form, each, nth) {
  const words = (name) => form[named(nth, name)].value.trim();
  return {
    sku: each.sku, hs_code: hsCode(form[named(nth, "hs_code")]), english_name: words("english_name") || null, origin: words("origin").toUpperCase() || null,
    unit_value_fen: Math.round(Number(words("unit_value_fen")) * 100), net_weight_grams: Number(words("net_weight_grams")),
  };
}

function submit(one, path, changed) {
  askFor({
    title: t("declarations.submit"), path: `${path}/submission`, label: t("declarations.submit"), said: () => t("declarations.submitted"), done: changed,
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t("declarations.submit_how")),
      field("reference", t("declarations.reference"), { required: true, autofocus: true })],
    read: (form) => ({ reference: form.reference.value.trim() }),
  });
}

function answer(one, path, said, changed) {
  const stopped = said === "stopped";
  askFor({
    title: t(`declarations.${said}`), path: `${path}/answer`, label: t(`declarations.${said}`), danger: stopped, said: () => t("declarations.answered"), done: changed,
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel)), h("p", { class: "quiet small" }, t(`declarations.${said}_${one.handed_over ? "under_way" : "how"}`)),
      stopped ? field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true }) : field("reference", t("declarations.reference"), { maxlength: 100, autofocus: true })],
    read: (form) => (stopped ? { answer: said, reason: form.reason.value.trim() } : { answer: said, reference: form.reference.value.trim() || null }),
  });
}
