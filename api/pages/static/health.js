// How the service is: the log, each view's lag, what is parked, the queue.
import { again, fill, h, icon, keepingFocus } from "./dom.js";
import { getAnyway } from "./http.js";
import { aim, figure, missedOf, targetsOf } from "./targets.js";
import { trafficOf } from "./traffic.js";
import { announce, broken, loading } from "./ui.js";
import { ago, causeWords, clock, has, number, partnerName, t, when, word } from "./words.js";

/** A view that is no further behind than it promises to be needs nobody (targets). */
const BEHIND_S = 5;
/** Whether the views that are well were asked for; they stay so while one looks. */
let unfolded = false;
const SHOWN_APART = ["status", "sick", "views", "position", "queue", "cause"];

/** The health view, looked at again and again while it is open. */
export async function health(view, _, signal) {
  fill(view, loading(3));
  let last = "";
  const look = async () => {
    if (signal.aborted) return;
    try {
      const [{ body }, aims, shares] = await Promise.all([getAnyway("/health"), getAnyway("/v1/targets"), getAnyway("/v1/traffic")]);
      if (signal.aborted) return;
      keepingFocus(view, () => fill(view, page(body, { aims: aims.body, traffic: shares.body, look })));
      if (last && last !== body.status) announce(word("health", body.status));
      last = body.status;
    } catch (problem) {
      if (!signal.aborted) fill(view, broken({ words: t("problem.offline") }, look));
    }
  };
  await look();
  again(look, { signal });
}

function page(body, { aims, traffic, look }) {
  const lag = Math.max(0, ...(body.views ?? []).map((one) => one.lag));
  const parked = (body.views ?? []).reduce((sum, one) => sum + one.parked, 0);
  return [
    h("header", { class: "page-head" }, h("h1", null, t("tab.health")), h("p", { class: "quiet small" }, t("health.looked", { time: clock(Date.now()) }))),
    verdict(body, aims),
    body.views ? h("ul", { class: "tiles" }, tile("health.position", body.position), tile("health.lag", lag, lag > 0), tile("health.queue", body.queue), tile("health.parked", parked, parked > 0), ...further(body)) : null,
    h("div", { class: "stack sections" }, aims.targets ? targetsOf(aims) : null,
    traffic.partners?.length ? trafficOf(traffic, { changed: look }) : null,
    body.views ? viewsOf(body) : null),
  ];
}

/** Those that need somebody, and behind a line those that are well. */
function viewsOf({ views, sick = [] }) {
  const ill = (one) => one.parked || one.outdated || one.lag_seconds > BEHIND_S || sick.includes(one.name);
  const well = views.filter((one) => !ill(one));
  return h("section", { "aria-labelledby": "views" }, h("h2", { id: "views", class: "section-head" }, t("health.views")), h("div", { class: "stack" },
    well.length < views.length ? viewTable(views.filter(ill)) : null,
    well.length ? h("details", { class: "panel views-well", open: unfolded, ontoggle: (event) => { if (event.target.isConnected) unfolded = event.target.open; } },
      h("summary", { id: "views-well" }, t("health.well", { n: well.length })), viewTable(well)) : null));
}

function viewTable(views) {
  return h("div", { class: "panel flush" }, h("table", { class: "cards paired" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("health.view")), ["position", "lag", "still", "parked"].map((key) => h("th", { scope: "col", class: "right" }, t(`health.${key}`))))),
    h("tbody", null, views.map((one) => h("tr", { dataset: { view: one.name } },
      h("td", null, h("strong", null, word("view", one.name)), h("p", { class: "mono quiet" }, one.name), one.outdated ? h("p", { class: "warn-words small" }, t("health.outdated")) : null),
      h("td", { class: "right", "data-label": t("health.position") }, number(one.position)),
      h("td", { class: `right${one.lag ? " warn-words" : ""}`, "data-label": t("health.lag") }, number(one.lag)),
      h("td", { class: "right quiet", "data-label": t("health.still") }, t("health.seconds", { n: Math.round(one.lag_seconds) })),
      h("td", { class: `right${one.parked ? " bad-words" : ""}`, "data-label": t("health.parked") }, number(one.parked)))))));
}

/** The worst first: the database, a view, a partner that is away, a target that is not met. */
function verdict(body, aims) {
  const away = (aims.partners ?? []).filter((one) => one.away_since);
  const missed = missedOf(aims);
  const worst = body.status !== "ok" ? body.status : away.length ? "away" : missed.length ? "missed" : "ok";
  return h("section", { class: `panel verdict v-${worst}` }, icon(worst === "ok" ? "check" : "warn"),
    h("div", null, h("p", { class: "verdict-words" }, t(`health.${worst}`)),
      body.sick?.length ? h("p", null, body.sick.map((one) => word("view", one)).join(", ")) : null, body.cause ? h("p", null, causeWords(body.cause)) : null,
      away.map((one) => h("p", { dataset: { away: one.partner } }, `${partnerName(one.partner)}${t("app.colon")}${t("health.no_answer", { when: when(one.away_since), ago: ago(one.away_since) })}`)),
      missed.map((one) => h("p", null, `${partnerName(one.whose)} · ${t(`targets.${one.name}`)} ${figure(one)} · ${t("targets.aim", { aim: aim(one) })}${one.whose === "tallypost" ? "" : ` · ${t("health.last_hour")}`}`))));
}

function tile(key, value, bad) {
  return h("li", { class: `panel tile${bad ? " bad-tile" : ""}` }, h("p", { class: "quiet small" }, t(key)), h("p", { class: "tile-figure num" }, number(value)));
}

/** Whatever figures the service has besides: jobs, webhooks, deadlines. */
function further(body) {
  return Object.entries(body).filter(([name]) => !SHOWN_APART.includes(name)).flatMap(([name, value]) => {
    if (typeof value === "number") return [plain(name, value)];
    if (value && typeof value === "object" && !Array.isArray(value)) return Object.entries(value).filter(([, one]) => typeof one === "number").map(([key, one]) => plain(`${name}.${key}`, one));
    return [];
  });
}

function plain(name, value) {
  const label = has(`health.${name}`) ? t(`health.${name}`) : name.replace(/[._]/g, " ");
  return h("li", { class: "panel tile" }, h("p", { class: "quiet small" }, label), h("p", { class: "tile-figure num" }, number(value)));
}
