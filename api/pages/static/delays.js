// What is late: parcels over their warehouse's clock, orders over their promise, and parcels that something keeps on their way (W1, T5).
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { intercepts } from "./intercept.js";
import { contentsTable, dueWords } from "./parcels.js";
import { after, announce, badge, broken, empty, loading, moreButton } from "./ui.js";
import { ago, exact, t, warehouseName, word } from "./words.js";

const { role } = document.body.dataset;
const SILENCES = ["no_first_scan", "no_movement", "customs_stall", "not_collected"];

/** Whatever keeps a parcel on its way, the longest first. */
export const whyKept = ({ causes, hours, told }) => [
  ...causes.map((one) => (SILENCES.includes(one) ? t(`silence.${one}`, { n: hours }) : t(`delay.${one}`))), told ? t("delay.told") : null,
].filter(Boolean).join(" · ");

/** How far an order has come in the house whose promised time is over. */
export const howFar = ({ stages, told }) => [...stages.map((one) => t(`unsent.${one}`)), told ? t("delay.told") : null].filter(Boolean).join(" · ");

/** The view: late in the house above, promised by now and not sent, silent or delayed on their way below. */
export async function delays(view, _, signal) {
  const late = h("div", null, loading(2));
  const unsent = h("div", null, loading(1));
  const silent = h("div", null, loading(2));
  const stopped = h("div", null, loading(1));
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const name = (code) => warehouseName(code, warehouses);
  const drawn = async (place, read) => {
    try {
      fill(place, await read());
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  const draw = () => {
    const shown = [drawn(late, () => lateParcels(name, signal))];
    if (role !== "service") {
      const troubles = get("/v1/troubles", { signal });
      shown.push(drawn(unsent, async () => unsentOrders(await troubles, name)), drawn(silent, async () => silentParcels(await troubles)), drawn(stopped, () => intercepts(draw, signal)));
    }
    return Promise.all(shown);
  };
  const section = (key, place) => h("section", { "aria-labelledby": key }, h("h2", { id: key, class: "section-head" }, t(`delays.${key}`)), place);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.delays")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("div", { class: "stack sections" }, section("late", late), role === "service" ? null : [section("unsent", unsent), section("silent", silent),
    h("section", { "aria-labelledby": "stopped" }, h("h2", { id: "stopped", class: "section-head" }, t("intercept.title")), stopped)]));
  await draw();
}

async function lateParcels(name, signal) {
  const ask = (cursor) => get(fresh(after("/v1/parcels?late=true", cursor)), { signal });
  const page = await ask();
  if (!page.parcels.length) return empty(t("delays.none_late"), t("delays.none_late_hint"));
  const card = (one) => h("li", { class: "panel part", dataset: { parcel: one.number } },
    h("div", { class: "spread" }, h("div", null, h("h3", { class: "mono" }, one.number), h("p", { class: "quiet small" }, name(one.warehouse), one.pick_list ? [" · ", h("a", { class: "mono", href: `#/picking/${one.pick_list}` }, one.pick_list)] : "")),
      h("p", { class: "row" }, h("span", { class: "badge s-failed" }, word("stage", one.stage)), dueWords(one))),
    one.in_review ? h("p", { class: "small bad-words" }, t("picking.in_review"), " ", h("a", { href: "#/reviews" }, t("tab.reviews"))) : null,
    one.address_pending ? h("p", { class: "small bad-words" }, t("picking.address_pending")) : null,
    contentsTable(one));
  const list = h("ul", { class: "stack" }, page.parcels.map(card));
  return [list, moreButton(list, page.next, ask, (more) => list.append(...more.parcels.map(card)))];
}

function unsentOrders({ troubles }, name) {
  const found = troubles.filter((one) => one.kind === "late_order");
  if (!found.length) return empty(t("delays.none_unsent"), "");
  return h("div", { class: "panel flush" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, ["order", "warehouse", "state", "promised"].map((key) => h("th", { scope: "col" }, t(`delays.${key}`))))),
    h("tbody", null, found.map(({ about, since }) => h("tr", { dataset: { order: about.order } },
      h("td", { class: "full" }, h("a", { class: "mono strong-link", href: `#/packing/${about.order}` }, about.order)),
      h("td", { class: "full" }, about.warehouses.map(name).join(" · ")),
      h("td", { class: "full" }, howFar(about)),
      h("td", { class: "quiet" }, h("time", { datetime: since, title: exact(since) }, ago(since))))))));
}

function silentParcels({ troubles }) {
  const found = troubles.filter((one) => one.kind === "delayed_parcel");
  if (!found.length) return empty(t("delays.none_silent"), t("delays.none_silent_hint"));
  return h("div", { class: "panel flush" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, ["parcel", "carrier", "state", "why", "since"].map((key) => h("th", { scope: "col" }, t(`delays.${key}`))))),
    h("tbody", null, found.map(({ about, since }) => h("tr", { dataset: { parcel: about.parcel } },
      h("td", { class: "full" }, h("a", { class: "mono strong-link", href: `#/packing/${about.order}` }, about.parcel)),
      h("td", { class: "full" }, word("carrier", about.carrier), " ", h("span", { class: "mono small" }, about.waybill)),
      h("td", null, badge("parcel", about.state)),
      h("td", { class: "full" }, whyKept(about)),
      h("td", { class: "quiet" }, h("time", { datetime: since, title: exact(since) }, ago(since))))))));
}
