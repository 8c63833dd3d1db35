// The mall: what can be redeemed, found by text and kind, and the basket.
import { calmly, fill, h, icon } from "./dom.js";
import { contents } from "./contents.js";
import { picture } from "./picture.js";
import { basket, openRedeem } from "./redeem.js";
import { fresh, get } from "./http.js";
import { drawBalance } from "./ledger.js";
import { after, badge, broken, empty, loading, moreButton } from "./ui.js";
import { names, number, t, when, yuan } from "./words.js";

const LOW = 5;
/** A mall without anything is being filled: it is looked at again by itself. */
const LOOK_AGAIN_MS = 2000;
let lastSearch = { text: "", kind: "" };

/** The mall's view. */
export async function mall(view, _, signal) {
  const side = h("div", { class: "mall-balance" }, loading(1));
  const recent = h("div", { class: "mall-orders" });
  const list = h("div", { id: "items" }, loading(4));
  const count = h("p", { class: "quiet small", role: "status", "aria-live": "polite" });
  const search = h("input", { type: "search", id: "q", value: lastSearch.text, placeholder: t("mall.search"), autocomplete: "off", "aria-label": t("mall.search") });
  const kinds = [["", t("kind.all")], ["parcel", t("kind.parcel")], ["course", t("kind.course")]].map(([kind, label]) =>
    h("label", { class: "chip" }, h("input", { type: "radio", name: "kind", value: kind, checked: kind === lastSearch.kind }), h("span", null, label)));
  const filters = h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
    h("div", { class: "search-box" }, icon("search"), search),
    h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("mall.kind")), kinds));
  fill(view, h("div", { class: "mall" },
    h("div", { class: "mall-main" },
      h("header", { class: "page-head" }, h("h1", null, t("mall.title")), count), filters, list),
    h("aside", { class: "mall-side", "aria-label": t("mall.side") }, side, recent)), basketBar());

  let running;
  const look = async () => {
    running?.abort();
    running = new AbortController();
    signal.addEventListener("abort", () => running.abort(), { once: true });
    lastSearch = { text: search.value.trim(), kind: filters.elements.kind.value };
    await drawItems(list, count, lastSearch, running.signal, look);
  };
  filters.addEventListener("input", calmly(180, look));
  const balanceDrawn = async () => {
    await Promise.all([drawBalance(side, signal), drawRecent(recent, signal)])
      .catch((problem) => { if (!signal.aborted) fill(side, broken(problem, balanceDrawn)); });
  };
  await Promise.all([look(), balanceDrawn()]);
}

async function drawItems(list, count, { text, kind }, signal, again) {
  const asked = new URLSearchParams();
  if (text) asked.set("q", text);
  if (kind) asked.set("kind", kind);
  const path = `/v1/items?${asked}`;
  const tell = (n, next) => { count.textContent = t(next ? "mall.count_more" : "mall.count", { n }); };
  try {
    const page = await get(fresh(path), { signal });
    if (!page.items.length) {
      fill(list, empty(t("mall.none"), text ? t("mall.none_for", { text }) : t("mall.none_hint")));
      if (!text && !kind) setTimeout(() => { if (!signal.aborted) again(); }, LOOK_AGAIN_MS);
    } else {
      const grid = h("ul", { class: "items" }, page.items.map(card));
      fill(list, grid, moreButton(grid, page.next, (cursor) => get(after(path, cursor), { signal }), (more) => {
        grid.append(...more.items.map(card));
        tell(grid.childElementCount, more.next);
      }));
    }
    tell(page.items.length, page.next);
  } catch (problem) {
    if (signal.aborted) return;
    count.textContent = "";
    fill(list, broken(problem, again));
  }
}

/** An item as a stamp: its picture, its price as the denomination. */
function card(item) {
  const name = names(item.name);
  const gone = item.available !== null && item.available <= 0;
  const button = h("button", { class: "primary compact", type: "button", disabled: gone, "aria-describedby": `item-${item.sku}`,
    onclick: () => { basket.add(item); openRedeem(); } }, gone ? t("mall.sold_out") : t("mall.redeem"));
  return h("li", { class: `item${gone ? " gone" : ""}`, dataset: { sku: item.sku } },
    h("div", { class: "stamp" }, picture(item),
      h("p", { class: "denomination num" }, number(item.points), h("span", null, t("unit.points", { n: item.points })))),
    h("div", { class: "item-words", id: `item-${item.sku}` },
      h("h2", null, name.main),
      h("p", { class: "quiet small" }, [name.other, item.specification].filter(Boolean).flatMap((one, place) => [place ? " · " : "", h("span", { class: "whole" }, one)])),
      item.cash_fen ? h("p", { class: "small num" }, t("mall.plus_cash", { cash: yuan(item.cash_fen) })) : null),
    h("div", { class: "item-foot" }, h("p", { class: "small item-stock" }, stockWords(item)), button));
}

function stockWords(item) {
  const limit = item.limit_per_learner ? ` · ${t("mall.limit", { n: item.limit_per_learner })}` : "";
  if (item.available === null) return t("mall.always") + limit;
  if (item.available <= 0) return t("mall.none_left") + limit;
  const left = t(item.available <= LOW ? "mall.few_left" : "mall.left", { n: item.available });
  return left + limit;
}

async function drawRecent(place, signal) {
  const page = await get(fresh("/v1/orders"), { signal });
  const under_way = page.orders.filter((one) => ["pending_payment", "pending_shipment", "pending_receipt"].includes(one.status)).slice(0, 3);
  fill(place, under_way.length ? [
    h("h2", { class: "side-title" }, t("mall.under_way")),
    h("ul", { class: "mini-orders" }, under_way.map((one) => h("li", null,
      h("a", { href: `#/orders/${one.number}` }, contents(one), badge("status", one.status)),
      h("span", { class: "quiet small" }, when(one.placed_at), " · ", h("span", { class: "mono" }, one.number)))))] : null);
}

/** What is in the basket, at the foot of the page while there is something. */
function basketBar() {
  const words = h("span");
  const bar = h("div", { class: "basket-bar" }, h("button", { class: "primary", type: "button", onclick: () => openRedeem() }, icon("basket"), words));
  const draw = () => {
    bar.hidden = basket.lines.length === 0;
    words.textContent = t("basket.open", { n: basket.count, points: number(basket.points) });
  };
  basket.onchange = draw;
  draw();
  return bar;
}
