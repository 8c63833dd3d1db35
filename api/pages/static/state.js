// States and what an event changed in them, as people read them.
import { h } from "./dom.js";
import { badge } from "./ui.js";
import { exact, number, t } from "./words.js";

/** Fields that states keep as bare rows, by name. */
const ROWS = { parts: ["part", "warehouse", "units", "state", "parcel", "shipped", "window_until", "waits", "paused_by", "paused_at", "planned", "hand_over_by", "address_pending", "carrier"], refunds: ["refund", "state"] };
const KEYS = ["id", "lot", "line", "part", "sku", "order", "warehouse", "refund"];
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;

/** A value in one line. */
export function brief(value) {
  if (value === null || value === undefined || value === "") return h("span", { class: "nothing" }, "—");
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean") return t(value ? "audit.yes" : "audit.no");
  if (typeof value === "string") return TIME.test(value) ? h("time", { datetime: value }, exact(value)) : value;
  if (Array.isArray(value)) return value.length ? (value.every((one) => typeof one !== "object" || one === null) ? value.join(", ") : t("audit.entries", { n: value.length })) : h("span", { class: "nothing" }, "—");
  return inWords(value) || t("audit.entries", { n: Object.keys(value).length });
}

/** The plain fields of an object, on one line; what names it already is left out. */
function inWords(value, name) {
  const shown = Object.entries(value).filter(([key, one]) => one !== null && one !== "" && typeof one !== "object" && !(KEYS.includes(key) && String(one) === name));
  return shown.slice(0, 6).map(([key, one]) => `${key} ${typeof one === "number" ? number(one) : TIME.test(one) ? exact(one) : one}`).join(" · ");
}

/** A list's entries by what names them, so that the same entry is found before and after. */
function named(field, value) {
  if (value === null || typeof value !== "object") return null;
  if (!Array.isArray(value)) return value;
  const rows = value.map((row) => (Array.isArray(row) && ROWS[field] ? Object.fromEntries(ROWS[field].map((name, at) => [name, row[at]])) : row));
  const key = KEYS.find((one) => rows.length && rows.every((row) => row && typeof row === "object" && !Array.isArray(row) && row[one] !== undefined));
  const names = rows.map((row, at) => (key ? String(row[key]) : String(at + 1)));
  if (new Set(names).size < names.length) return Object.fromEntries(rows.map((row, at) => [String(at + 1), row]));
  return Object.fromEntries(rows.map((row, at) => [names[at], row]));
}

/** The single values that differ: [path, before, after]. */
export function differences(before, after, path = [], field = "") {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [left, right] = [named(field, before), named(field, after)];
  if (path.length < 6 && (left || right) && (left || !before || before.length === 0) && (right || !after || after.length === 0)) {
    const keys = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])];
    const simple = (one) => one !== null && typeof one === "object";
    if (keys.length && (left && right)) return keys.flatMap((key) => (simple(left[key]) && simple(right[key]) ? differences(left[key], right[key], [...path, key], key) : JSON.stringify(left[key]) === JSON.stringify(right[key]) ? [] : [[[...path, key], left[key] ?? null, right[key] ?? null]]));
  }
  return [[path, before, after]];
}

const cell = (value, name) => (value && typeof value === "object" && !Array.isArray(value) ? inWords(value, name) || brief(value) : brief(value));

/** What an event changed: field, before, after. */
export function changedTable(changed) {
  const rows = Object.entries(changed).flatMap(([name, [before, after]]) => differences(before, after, [name], name));
  if (!rows.length) return h("p", { class: "quiet" }, t("audit.changed_nothing"));
  return h("table", { class: "changes" }, h("thead", null, h("tr", null, ["field", "before", "after"].map((key) => h("th", { scope: "col" }, t(`audit.${key}`))))),
    h("tbody", null, rows.map(([path, before, after]) => h("tr", null,
      h("th", { scope: "row", class: "mono" }, path.join(" › ")), [["was", before], ["is", after]].map(([kind, value]) => h("td", { class: kind, "data-label": t(kind === "was" ? "audit.before" : "audit.after") }, cell(value, path.at(-1))))))));
}

/** A whole value, nested as deep as it is. */
export function tree(value, field = "") {
  const entries = named(field, value);
  if (!entries) return h("span", null, brief(value));
  const keys = Object.keys(entries);
  if (!keys.length) return h("span", { class: "nothing" }, "—");
  return h("dl", { class: "tree" }, keys.map((key) => {
    const one = entries[key];
    const deep = one !== null && typeof one === "object" && Object.keys(one).length > 0 && !(Array.isArray(one) && one.every((each) => typeof each !== "object"));
    return deep
      ? h("div", { class: "deep" }, h("details", { open: keys.length < 4 }, h("summary", null, h("span", { class: "mono" }, key), " ", h("span", { class: "quiet small" }, brief(one))), tree(one, key)))
      : h("div", null, h("dt", { class: "mono" }, key), h("dd", null, brief(one)));
  }));
}

/** The figures that matter of a state, large. */
export function headline(stream, state) {
  const sum = (list) => (list ?? []).reduce((all, one) => all + (one.points ?? 0), 0);
  const figures = {
    account: () => [["balance.available", sum(state.lots)], ["balance.held", heldOf(state)], ["balance.debt", state.debt ?? 0]],
    stock: () => [["stock.free", state.free], ["stock.reserved", state.reserved], ["stock.picked", state.picked]],
  }[stream.split(":")[0]]?.().filter(([, value]) => Number.isFinite(value));
  if (figures?.length) return h("ul", { class: "headline" }, figures.map(([key, value]) => h("li", null, h("span", { class: "num headline-figure" }, number(value)), h("span", { class: "quiet small" }, t(key)))));
  if (stream.startsWith("order:") && Array.isArray(state.parts)) {
    const parts = Object.values(named("parts", state.parts));
    return h("ul", { class: "headline-parts" }, parts.map((part) => h("li", null, t("packing.part", { n: part.part }), " ", badge("status", state.ended ?? (state.paid ? part.state : "pending_payment")))));
  }
  return null;
}

function heldOf(state) {
  const holds = state.holds ?? state.held;
  if (typeof holds === "number") return holds;
  return Object.values(holds ?? {}).reduce((all, one) => all + (Array.isArray(one) ? one.reduce((sum, share) => sum + (share.points ?? 0), 0) : one?.points ?? (one?.lots ?? []).reduce((sum, share) => sum + share.points, 0)), 0);
}
