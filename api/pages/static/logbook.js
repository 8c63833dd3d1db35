// Who did what, newest first, and the signed head to keep elsewhere.
import { calmly, fill, h, icon } from "./dom.js";
import { get } from "./http.js";
import { canVerify, signed } from "./proof.js";
import { addressOf } from "./replay.js";
import { after, broken, copyButton, empty, loading, moreButton } from "./ui.js";
import { exact, factWords, number, t, when } from "./words.js";

/** So many at first, and with each further press. */
const AT_ONCE = 20;

/** The log by actor. */
export async function logbook(view, _, signal) {
  const list = h("div", null, loading(5));
  const search = h("input", { type: "search", "aria-label": t("log.actor"), placeholder: t("log.actor"), autocomplete: "off", spellcheck: "false" });
  const head = h("div", null, loading(1));
  const draw = async () => {
    const actor = search.value.trim();
    const path = `/v1/audit/events?limit=${AT_ONCE}${actor ? `&actor=${encodeURIComponent(actor)}` : ""}`;
    try {
      const page = await get(path, { signal });
      fill(list, page.events.length ? table(page, path, signal) : empty(t("audit.no_events"), actor ? t("log.none_by", { actor }) : ""));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  search.addEventListener("input", calmly(250, draw));
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("log.title"))),
    h("section", { class: "panel head-panel" }, h("h2", null, t("log.head")), h("p", { class: "quiet small" }, t("log.head_how")), head),
    h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, h("div", { class: "search-box" }, icon("search"), search)), list);
  await Promise.all([draw(), get("/v1/audit/head", { signal }).then(async (made) => fill(head,
    h("dl", { class: "about" }, h("dt", null, t("audit.position")), h("dd", { class: "num" }, number(made.position)), h("dt", null, t("audit.root")), h("dd", { class: "mono hash" }, made.root), h("dt", null, t("audit.recorded")), h("dd", null, exact(made.recorded_at)), h("dt", null, t("log.key")), h("dd", { class: "mono hash" }, made.public_key)),
    await signature(made),
    h("div", { class: "row" }, h("a", { class: "button compact", href: "/v1/audit/head", download: `head-${made.position}.json` }, icon("down"), t("log.keep")), copyButton(JSON.stringify(made)))))]);
}

/** What this browser makes of a head's signature. */
async function signature(made) {
  const good = canVerify() ? await signed(made) : null;
  if (good === null) return h("p", { class: "quiet small" }, t(canVerify() ? "log.cannot_check" : "audit.no_crypto"));
  return h("p", { class: `verdict-line ${good ? "good" : "bad-words"}`, "data-signed": String(good) }, icon(good ? "check" : "warn"), t(good ? "log.signed" : "log.not_signed"));
}

function table(page, path, signal) {
  const body = h("tbody", null, page.events.map(row));
  return [h("div", { class: "panel flush" }, h("table", { class: "cards log-table" }, h("thead", null, h("tr", null, h("th", { scope: "col", class: "right" }, "#"), ["audit.what", "audit.who", "audit.stream", "audit.recorded"].map((key) => h("th", { scope: "col" }, t(key))))), body)),
    moreButton(body, page.next, (cursor) => get(after(path, cursor), { signal }), (more) => body.append(...more.events.map(row)))];
}

function row(one) {
  return h("tr", null, h("td", { class: "right num quiet log-position" }, number(one.position)), h("td", { class: "log-what" }, h("strong", null, factWords(one.fact))), h("td", { class: "log-who" }, one.actor),
    h("td", { class: "full log-stream" }, h("a", { class: "mono", href: addressOf(one.stream) }, one.stream)), h("td", { class: "quiet num log-when", title: exact(one.recorded_at) }, when(one.recorded_at)));
}
