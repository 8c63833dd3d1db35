// States and what an event changed in them, as people read them.
import { h } from "./dom.js";
import { badge } from "./ui.js";
import { exact, has, number, t, word, yuan } from "./words.js";

/** Fields that states keep as bare rows, by name. */
const ROWS = { refunds: ["refund", "state"] };
const KEYS = ["id", "lot", "number", "line", "part", "sku", "order", "warehouse", "refund"];
/** Where the words of a field's values are; each list is looked into in turn. */
const LISTS = { state: ["status", "parcel", "refund", "label_state", "return_state", "claim_state"], ended: ["status"], status: ["standing"], review: ["review", "reason"], reviewed: ["review", "reason"], doubts: ["refusal", "review", "reason"], warehouse: ["warehouse"], carrier: ["carrier"], labelled: ["carrier"], reason: ["reason"], kind: ["kind"], stage: ["stage", "parcel"], waits: ["short"], cause: ["delay"] };

/** A field's name in words; one that has none is at least readable. */
const fieldWords = (name) => (has(`field.${name}`) ? t(`field.${name}`) : name.replaceAll("_", " "));

function textWords(text, field) {
  if (TIME.test(text)) return exact(text);
  const list = (LISTS[field] ?? []).find((one) => has(`${one}.${text}`));
  return list ? word(list, text) : text;
}

const figure = (value, field) => (field.endsWith("_fen") ? yuan(value) : number(value));

const isEmpty = (value) => value === null || value === undefined || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;

/** A value in one line. */
export function brief(value, field = "") {
  if (value === null || value === undefined || value === "") return h("span", { class: "nothing" }, "—");
  if (typeof value === "number") return figure(value, field);
  if (typeof value === "boolean") return t(value ? "audit.yes" : "audit.no");
  if (typeof value === "string") return TIME.test(value) ? h("time", { datetime: value }, exact(value)) : textWords(value, field);
  if (Array.isArray(value)) return value.length ? (value.every((one) => typeof one !== "object" || one === null) ? value.map((one) => (typeof one === "string" ? textWords(one, field) : one)).join(", ") : t("audit.entries", { n: value.length })) : h("span", { class: "nothing" }, "—");
  return inWords(value) || t("audit.entries", { n: Object.keys(value).length });
}

/** The plain fields of an object, on one line; what names it already is left out. */
function inWords(value, name) {
  const shown = Object.entries(value).filter(([key, one]) => one !== null && one !== "" && typeof one !== "object" && !(KEYS.includes(key) && String(one) === name));
  return shown.slice(0, 6).map(([key, one]) => `${fieldWords(key)} ${typeof one === "number" ? figure(one, key) : typeof one === "boolean" ? t(one ? "audit.yes" : "audit.no") : textWords(one, key)}`).join(" · ");
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

const cell = (value, path) => {
  const named_ = [...path].reverse().find((one) => has(`field.${one}`)) ?? "";
  return value && typeof value === "object" && !Array.isArray(value) ? inWords(value, path.at(-1)) || brief(value) : brief(value, named_);
};

/** What an event changed: field, before, after. */
export function changedTable(changed) {
  const rows = Object.entries(changed).flatMap(([name, [before, after]]) => differences(before, after, [name], name)).filter(([, was, is]) => !(isEmpty(was) && isEmpty(is)));
  if (!rows.length) return h("p", { class: "quiet" }, t("audit.changed_nothing"));
  return h("table", { class: "changes" }, h("thead", null, h("tr", null, ["field", "before", "after"].map((key) => h("th", { scope: "col" }, t(`audit.${key}`))))),
    h("tbody", null, rows.map(([path, before, after]) => h("tr", null,
      h("th", { scope: "row" }, path.map(fieldWords).join(" › ")), [["was", before], ["is", after]].map(([kind, value]) => h("td", { class: kind, "data-label": t(kind === "was" ? "audit.before" : "audit.after") }, cell(value, path)))))));
}

/** A whole value, nested as deep as it is. */
export function tree(value, field = "") {
  const entries = named(field, value);
  if (!entries) return h("span", null, brief(value, field));
  const keys = Object.keys(entries).filter((key) => !isEmpty(entries[key]));
  if (!keys.length) return h("span", { class: "nothing" }, "—");
  return h("dl", { class: "tree" }, keys.map((key) => {
    const one = entries[key];
    const deep = one !== null && typeof one === "object" && Object.keys(one).length > 0 && !(Array.isArray(one) && one.every((each) => typeof each !== "object"));
    return deep
      ? h("div", { class: "deep" }, h("details", { open: keys.length < 4 }, h("summary", null, h("span", null, fieldWords(key)), " ", h("span", { class: "quiet small" }, brief(one))), tree(one, key)))
      : h("div", null, h("dt", null, fieldWords(key)), h("dd", null, brief(one, has(`field.${key}`) ? key : field)));
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
    return h("ul", { class: "headline-parts" }, parts.map((part) => h("li", null, t("packing.part", { n: part.number }), " ", badge("status", state.ended ?? (state.paid ? part.state : "pending_payment")))));
  }
  return null;
}

function heldOf(state) {
  const holds = state.holds ?? state.held;
  if (typeof holds === "number") return holds;
  return Object.values(holds ?? {}).reduce((all, one) => all + (Array.isArray(one) ? one.reduce((sum, share) => sum + (share.points ?? 0), 0) : one?.points ?? (one?.lots ?? []).reduce((sum, share) => sum + share.points, 0)), 0);
}
