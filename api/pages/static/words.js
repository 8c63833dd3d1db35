// The page's words, numbers and times, in its language and in the mall's own time zone.

const root = document.documentElement;
export const language = root.dataset.language;
const locale = root.lang;
const zone = root.dataset.zone;
const table = await (await fetch(`${root.dataset.static}words/${language}.json`)).json();
const plurals = new Intl.PluralRules(locale);

/** Whether there are words for a key. */
export const has = (key) => key in table;

/** The words for a key; `{name}` stands for a figure, numbers are written as the language does. */
export function t(key, figures = {}) {
  let words = table[key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  if (typeof words === "object") words = words[plurals.select(figures.n)] ?? words.other;
  return words.replace(/\{(\w+)\}/g, (_, name) => {
    const value = figures[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/** The words for a value of a list (`status.pending_receipt`); unknown values show as they are. */
export function word(list, value) {
  const key = `${list}.${value}`;
  return has(key) ? t(key) : String(value ?? "");
}

/** Why a call came to nothing: what the program calls it has words before it, anything else stays. */
export function causeWords(cause) {
  const name = /^\w+(?=:|$)/.exec(cause ?? "")?.[0];
  if (name !== undefined && has(`call.${name}`)) return t("call_told", { words: t(`call.${name}`), cause });
  return word("call", cause);
}

const BESIDE_CHINESE = /(?<=[\u3400-\u9fff\u3001-\u3011\uff01-\uff1f])\s*([,:;!?()])\s*|([,:;!?()])\s*(?=[\u3400-\u9fff\u300a-\u3011])/g;

/** Chinese as it is printed: programs write its punctuation in ASCII. */
export const inPrint = (text) => text
  .replace(BESIDE_CHINESE, (_, after, before) => String.fromCharCode((after ?? before).charCodeAt(0) + 0xfee0))
  .replace(/(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])/g, "")
  .replace(/（([^（）()]*)\)|\(([^（）()]*)）/g, (_, left, right) => `（${left ?? right}）`);

/** A sum of points, with cash where there is some: "1,200 points + ¥19.00". */
export function price({ points, cash_fen = 0 }) {
  const words = `${number(points)} ${t("unit.points", { n: points })}`;
  return cash_fen ? `${words} + ${yuan(cash_fen)}` : words;
}

const ROW = /^\d+$/;

/** A place in what was sent: the rows that it is in, by number, and its own name ("Lines 2 · Quantity"). */
export function placeWords(path) {
  const parts = path.split(".");
  const told = parts.map((one, at) => {
    if (ROW.test(one)) return null;
    if (ROW.test(parts[at + 1] ?? "")) return `${word("field", one)} ${number(Number(parts[at + 1]) + 1)}`;
    return at === parts.length - 1 ? word("field", one) : null;
  });
  return told.filter(Boolean).join(" · ");
}

/** What happened, in words: "orders.PartPacked" is "Packed". */
export function factWords(fact) {
  if (has(`fact.${fact}`)) return t(`fact.${fact}`);
  return fact.split(".").pop().replace(/([a-z])([A-Z])/g, "$1 $2");
}

const numbers = new Intl.NumberFormat(locale);
const signs = new Intl.NumberFormat(locale, { signDisplay: "exceptZero" });
const money = new Intl.NumberFormat(locale, { style: "currency", currency: "CNY", currencyDisplay: "narrowSymbol" });
const days = new Intl.DateTimeFormat(locale, { timeZone: zone, year: "numeric", month: "short", day: "numeric" });
const shortDays = new Intl.DateTimeFormat(locale, { timeZone: zone, month: "short", day: "numeric" });
const weekdays = new Intl.DateTimeFormat(locale, { timeZone: zone, month: "short", day: "numeric", weekday: "short" });
const clocks = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const plainDays = new Intl.DateTimeFormat("sv-SE", { timeZone: zone });
const relatives = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** A number as the language writes it; a little less than nothing, rounded, is nothing. */
export const number = (value) => numbers.format(value + 0);
export const signed = (value) => signs.format(value).replace("-", "−");
export const percent = (value) => `${number(value)}%`;
export const yuan = (fen) => money.format(fen / 100);
export const day = (at) => days.format(new Date(at));
export const clock = (at) => clocks.format(new Date(at));
export const moment = (at) => `${day(at)} ${clock(at)}`;
export const exact = (at) => `${plainDays.format(new Date(at))} ${seconds.format(new Date(at))}`;
export const weekday = (at) => weekdays.format(new Date(at));

/** The moment before an end, which is the first that is over: an end at midnight is of the day before. */
const before = (end) => new Date(end) - 1;
/** The last day of what is good until an end. */
export const lastDay = (end) => day(before(end));
export const lastWeekday = (end) => weekday(before(end));

export const dayKey = (at) => plainDays.format(new Date(at));

/** A day so many days after another one, "2026-03-31": days are no 24 hours where clocks change. */
export function daysAfter(text, n) {
  const at = new Date(`${text}T00:00Z`);
  at.setUTCDate(at.getUTCDate() + n);
  return at.toISOString().slice(0, 10);
}

/** The mall's day so many days ago. */
export const daysAgo = (n) => daysAfter(dayKey(Date.now()), -n);

/** A day without a time ("2026-03-31"), which has no zone to be moved by. */
export const plainDay = (text) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", year: "numeric", month: "short", day: "numeric" }).format(new Date(`${text}T00:00Z`));

/** Today: the clock; this year: day and clock; else the whole date. */
export function when(at) {
  const now = dayKey(Date.now());
  const then = dayKey(at);
  if (then === now) return `${t("time.today")} ${clock(at)}`;
  if (then.slice(0, 4) === now.slice(0, 4)) return `${shortDays.format(new Date(at))} ${clock(at)}`;
  return moment(at);
}

/** How long ago, in words: "3 minutes ago". Clocks differ: what is a little ahead of ours is now. */
export function ago(at) {
  const gone = Math.min(0, (new Date(at) - Date.now()) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(gone) >= size) return relatives.format(Math.trunc(gone / size), unit);
  }
  return relatives.format(Math.trunc(gone), "second");
}

/** How long until a moment, in words: "in 2 days"; what is over is told as past. */
export function until(at) {
  const left = (new Date(at) - Date.now()) / 1000;
  if (left <= 0) return ago(at);
  for (const [unit, size] of [["day", 86400], ["hour", 3600]]) {
    if (left >= size) return relatives.format(Math.trunc(left / size), unit);
  }
  return relatives.format(Math.ceil(left / 60), "minute");
}

/** The mall's offset at a moment, "+08:00". */
function offset(at) {
  const part = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(new Date(at)).find((one) => one.type === "timeZoneName").value.slice(3);
  return part || "+00:00";
}

const TIMES = /\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})/g;

/** A text of the service with its times as people of this page read them. */
export const timesIn = (text) => text.replace(TIMES, (at) => when(at.replace(" ", "T")));

/** A moment as a field for local times has it, in the mall's zone. */
export const localTime = (at) => exact(at).replace(" ", "T").slice(0, 16);

/**
 * A local time as it was typed, with the mall's offset then; nothing for nothing, and what is no time as it is.
 * Of a time that clocks show twice the first; one that they skip is reckoned on from before.
 */
export function zoned(value) {
  if (!value) return null;
  const whole = value.length === 16 ? `${value}:00` : value;
  const near = Date.parse(`${whole}Z`);
  if (Number.isNaN(near)) return whole;
  const [before, after] = [-1, 1].map((days) => offset(near + days * 86400000));
  const holds = (one) => offset(Date.parse(whole + one)) === one;
  return whole + (holds(before) || !holds(after) ? before : after);
}

/** The mall's name for its zone, for people who wonder. */
export const zoneName = zone;

/** An item's name in the page's language and in the other one, where it has both. */
export function names(name) {
  const both = /^(.*[\u3400-\u9fff])\s+([A-Za-z].*)$/u.exec(name);
  if (!both) return { main: name, other: "" };
  return language === "zh" ? { main: both[1], other: both[2] } : { main: both[2], other: both[1] };
}

const warehouses = JSON.parse(root.dataset.warehouses);

/** What a warehouse is called: in our words, by its own name, as it is known by now or was when the page was opened; its code. */
export function warehouseName(code, known = []) {
  if (has(`warehouse.${code}`)) return t(`warehouse.${code}`);
  return names(known.find((one) => one.code === code)?.name ?? warehouses[code] ?? code).main;
}

const THIRD_PARTY = "third-party:";

/** What a partner is called; a third party as its warehouse. */
export function partnerName(code) {
  return code.startsWith(THIRD_PARTY) ? `${t("partner.third_party")} · ${warehouseName(code.slice(THIRD_PARTY.length))}` : word("partner", code);
}

/** "support:wang" as people say it. */
export function actor(text) {
  const [role, ...subject] = text.split(":");
  if (role === "policy") return t("role.policy");
  return [word("role", role), role === "partner" ? partnerName(subject.join(":")) : subject.join(":")].filter(Boolean).join(" ");
}

const countries = new Intl.DisplayNames(locale, { type: "region" });

/** A country's or territory's name in the page's language. */
export const countryName = (code) => countries.of(code);

/** Customs territories that coverage and rate cards name as the divisions they are. */
const TERRITORIES = { 香港特别行政区: "HK", 澳门特别行政区: "MO", 台湾省: "TW" };

/** Whether a country's code is of such a territory: its addresses begin with no province or state. */
export const isTerritory = (code) => Object.values(TERRITORIES).includes(code);

/** The code of a region of coverage that is abroad; nothing for a province. */
export const countryOf = (region) => TERRITORIES[region] ?? (/^[A-Z]{2}$/.test(region) ? region : null);

/** A region of coverage: a province as it is called, what is abroad by its name in the page's language. */
export const regionName = (region) => (countryOf(region) ? countryName(countryOf(region)) : region);
