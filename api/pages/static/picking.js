// Picking and packing: pick lists by warehouse, and parcels step by step until they are handed over (W1).
import { askFor, whole } from "./asking.js";
import { again, fill, h, icon, keepingRows, reorder } from "./dom.js";
import { fresh, get } from "./http.js";
import { awaitsCustoms, dueWords, parcelCard } from "./parcels.js";
import { putBacks } from "./putback.js";
import { after, announce, broken, empty, field, loading, moreButton, pagesOf } from "./ui.js";
import { names, number, t, warehouseName } from "./words.js";

const STAGES = ["planned", "picking", "picked", "packed"];
let stage = "picked";
let place = "";

/** The view: pick lists above, parcels of a stage below. */
export async function picking(view, _, signal) {
  const back = h("div");
  const lists = h("div", null, loading(2));
  const parcels = h("div", null, loading(3));
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const name = (code) => warehouseName(code, warehouses);
  const of = (path) => (place ? `${path}${path.includes("?") ? "&" : "?"}warehouse=${encodeURIComponent(place)}` : path);
  const drawn = async (box, read) => {
    try {
      fill(box, await read());
    } catch (problem) {
      if (!signal.aborted) fill(box, broken(problem, draw));
    }
  };
  const drawLists = () => drawn(lists, async () => pickLists(await get(fresh(of("/v1/pick-lists")), { signal }), name));
  const drawBack = () => drawn(back, async () => putBacks(await get(fresh(of("/v1/put-backs")), { signal }), name, draw));
  let look = null;
  const drawParcels = () => drawn(parcels, async () => {
    look = null;
    const ask = (cursor) => get(fresh(after(of(`/v1/parcels?stage=${stage}`), cursor)), { signal });
    const page = await ask();
    if (!page.parcels.length) return empty(t("picking.none"), t(`picking.none_${stage}`));
    const cards = keepingRows("number", (one) => parcelCard(one, name, draw));
    const list = h("ul", { class: "stack" }, cards(page.parcels));
    look = page.parcels.some(awaitsCustoms) ? async () => reorder(list, cards((await pagesOf(ask, "parcels", list.childElementCount)).rows)) : null;
    return [list, moreButton(list, page.next, ask, (more) => list.append(...cards(more.parcels)))];
  });
  // Customs answer whenever they like: a parcel that waits for them is looked at until it may leave.
  again(() => look?.().catch(() => null), { signal });
  const draw = () => Promise.all([drawBack(), drawLists(), drawParcels()]);
  const where = h("select", { "aria-label": t("picking.warehouse") }, h("option", { value: "" }, t("picking.everywhere")), warehouses.map((one) => h("option", { value: one.code }, name(one.code))));
  where.value = place;
  where.addEventListener("change", () => { place = where.value; draw(); });
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("packing.state")),
    STAGES.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "stage", value: one, checked: one === stage }), h("span", null, t(`stage.${one}`)))));
  filter.addEventListener("change", (event) => { stage = event.target.value; drawParcels(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.picking")),
    h("div", { class: "row" }, where, h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh")))),
  h("div", { class: "stack sections" }, back,
    h("section", { "aria-labelledby": "lists" }, h("div", { class: "spread section-head" }, h("h2", { id: "lists" }, t("picking.lists")),
      h("button", { class: "primary compact", type: "button", onclick: () => drawList(warehouses, name) }, icon("plus"), t("picking.draw"))), lists),
    h("section", { "aria-labelledby": "parcels" }, h("div", { class: "spread section-head" }, h("h2", { id: "parcels" }, t("picking.parcels")), filter), parcels)));
  await draw();
}

function pickLists({ pick_lists: found }, name) {
  if (!found.length) return empty(t("picking.no_lists"), t("picking.no_lists_hint"));
  return h("ul", { class: "stack" }, found.map((one) => h("li", { class: "panel spread", dataset: { list: one.pick_list } },
    h("p", null, h("a", { class: "mono strong-link", href: `#/picking/${one.pick_list}` }, one.pick_list), " ", h("span", { class: "quiet small" }, name(one.warehouse))),
    h("p", { class: "row" }, h("span", null, t("picking.to_pick", { n: one.to_pick, all: one.parcels })), dueWords(one)))));
}

function drawList(warehouses, name) {
  askFor({
    title: t("picking.draw_title"), path: "/v1/pick-lists", label: t("picking.draw"),
    fields: [h("p", { class: "quiet small" }, t("picking.draw_how")),
      field("warehouse", t("picking.warehouse"), { required: true, options: warehouses.map((one) => [one.code, name(one.code)]), value: place || warehouses[0]?.code }),
      field("limit", t("picking.limit"), { type: "number", min: 1, max: 200, value: "30", inputmode: "numeric", required: true })],
    read: (form) => ({ warehouse: form.warehouse.value, limit: whole(form.limit) }),
    said: (answer) => t(answer.units.length ? "picking.drawn" : "picking.drawn_nothing", { n: new Set(answer.units.map((unit) => unit.parcel)).size }),
    done: (answer) => { if (answer.units.length) location.hash = `#/picking/${answer.pick_list}`; },
  });
}

/** One pick list: what to fetch in all, and parcel by parcel. */
export async function pickList(view, [, wanted], signal) {
  const path = `/v1/pick-lists/${encodeURIComponent(wanted)}`;
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const name = (code) => warehouseName(code, warehouses);
  const body = h("div", { class: "stack" });
  const read = async () => {
    try {
      return await get(fresh(path), { signal });
    } catch (problem) {
      if (problem.status !== 404 || !body.childElementCount) throw problem;
      return null;  // its last parcel has left just now
    }
  };
  const draw = async () => {
    const found = await read();
    if (!found) {
      fill(body, h("h1", { class: "mono" }, wanted), empty(t("picking.all_gone"), ""));
      return;
    }
    const open = found.parcels.filter((one) => one.stage === "picking");
    fill(body, h("header", { class: "page-head" }, h("h1", { class: "mono" }, found.pick_list), h("p", { class: "row" }, h("span", { class: "quiet" }, name(found.warehouse)),
      h("a", { class: "button compact", href: `${path}/sheet.pdf`, target: "_blank", rel: "noopener" }, t("picking.print")))),
      open.length ? fetching(open) : empty(t("picking.all_picked"), t("picking.all_picked_hint")),
      h("ul", { class: "stack" }, found.parcels.map((one) => parcelCard(one, name, draw))));
  };
  fill(view, h("div", { class: "stack" }, h("a", { class: "back", href: "#/picking" }, icon("back"), t("tab.picking")), body));
  await draw();
}

/** What is to be fetched for all parcels together. */
function fetching(parcels) {
  const sums = new Map();
  for (const unit of parcels.flatMap((one) => one.units)) {
    const known = sums.get(unit.sku) ?? { ...unit, quantity: 0 };
    sums.set(unit.sku, { ...known, quantity: known.quantity + unit.quantity });
  }
  return h("section", { class: "panel", "aria-labelledby": "fetch" }, h("h2", { id: "fetch" }, t("picking.fetch")),
    h("table", null, h("tbody", null, [...sums.values()].map((unit) => h("tr", { dataset: { sku: unit.sku } },
      h("td", null, h("strong", null, names(unit.name).main), " ", h("span", { class: "quiet small" }, unit.specification)),
      h("td", { class: "mono quiet" }, unit.sku), h("td", { class: "right part-count" }, `× ${number(unit.quantity)}`))))));
}
