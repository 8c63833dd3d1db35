// Waves: what the next ones hold, parcels that orders share, and what the latest waves did (S4, S5).
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { contentsTable } from "./parcels.js";
import { after, announce, broken, dialog, empty, field, loading, moreButton } from "./ui.js";
import { ago, names, number, t, warehouseName, when } from "./words.js";

/** The view: next waves, shared parcels, latest waves. */
export async function waves(view, _, signal) {
  const places = { next: h("div", null, loading(2)), shared: h("div", null, loading(1)), latest: h("div", null, loading(2)) };
  const { warehouses } = await get(fresh("/v1/warehouses"), { signal });
  const name = (code) => warehouseName(code, warehouses);
  const drawn = async (place, read) => {
    try {
      fill(place, await read());
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem, draw));
    }
  };
  const draw = () => Promise.all([
    drawn(places.next, async () => nextWaves(await get(fresh("/v1/waves/next"), { signal }), name, draw, signal)),
    drawn(places.shared, async () => sharedParcels(await get(fresh("/v1/parcels?stage=planned&shared=true"), { signal }), name, draw, signal)),
    drawn(places.latest, async () => latestWaves(await get(fresh("/v1/waves?limit=20"), { signal }), name)),
  ]);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.waves")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("div", { class: "stack sections" }, Object.entries(places).map(([key, place]) =>
    h("section", { "aria-labelledby": `waves-${key}` }, h("h2", { id: `waves-${key}`, class: "section-head" }, t(`waves.${key}`)), place))));
  await draw();
}

function nextWaves({ warehouses: found }, name, changed, signal) {
  return h("ul", { class: "stack" }, found.map((one) => h("li", { class: "panel wave", dataset: { warehouse: one.warehouse } },
    h("div", { class: "spread" }, h("h3", null, name(one.warehouse)), h("p", { class: "quiet small" }, t("waves.cut_off", { when: when(one.cut_off) }))),
    h("p", { class: "row" }, h("strong", null, t("waves.orders", { n: one.orders })),
      one.urgent ? h("span", { class: "badge s-open" }, t("waves.urgent", { n: one.urgent })) : null,
      one.in_review ? h("a", { href: "#/reviews" }, t("waves.in_review", { n: one.in_review })) : null,
      one.since ? h("span", { class: "quiet small" }, t("waves.oldest", { ago: ago(one.since) })) : null),
    one.orders ? waiting(one, name, changed, signal) : null)));
}

/** The orders of a warehouse, read once somebody unfolds them; released all at once, or those that are ticked. */
function waiting(one, name, changed, signal) {
  const rows = h("tbody");
  const place = h("div", { class: "stack" });
  const ask = (cursor) => get(fresh(after(`/v1/waves/next/${encodeURIComponent(one.warehouse)}`, cursor)), { signal });
  const chosen = () => [...rows.querySelectorAll("input:checked")].map((box) => box.value);
  const some = h("button", { class: "button compact", type: "button", disabled: true, onclick: () => release(one, name, chosen(), changed) }, t("waves.release_some"));
  rows.addEventListener("change", () => { some.disabled = !chosen().length; });
  const more = h("details", null, h("summary", null, t("waves.show")), place);
  more.addEventListener("toggle", async () => {
    if (!more.open || place.childElementCount) return;
    try {
      const page = await ask();
      rows.append(...page.orders.map(row));
      fill(place, h("table", { class: "cards" }, h("thead", null, h("tr", null, ["choose", "packing.order", "packing.items", "packing.placed"].map((key) => h("th", { scope: "col" }, t(key === "choose" ? "waves.choose" : key))))), rows),
        moreButton(rows, page.next, ask, (found) => rows.append(...found.orders.map(row))), h("p", null, some));
    } catch (problem) {
      if (!signal.aborted) fill(place, broken(problem));
    }
  });
  const ready = one.orders - one.in_review;
  return h("div", { class: "stack" }, h("p", { class: "row" }, h("button", { class: "primary compact", type: "button", disabled: !ready, onclick: () => release(one, name, null, changed) }, t("waves.release_all")),
    ready ? null : h("span", { class: "quiet small" }, t("waves.all_in_review"))), more);
}

function row(one) {
  return h("tr", { dataset: { order: one.number } },
    h("td", null, one.in_review ? h("span", { class: "badge s-open" }, t("waves.reviewed_first")) : h("input", { type: "checkbox", value: one.number, "aria-label": t("waves.choose_of", { number: one.number }) })),
    h("td", null, h("a", { class: "mono strong-link", href: `#/packing/${one.number}` }, one.number), one.urgent ? [" ", h("span", { class: "badge s-open" }, t("waves.express"))] : null),
    h("td", { class: "full" }, one.lines.map((line) => `${names(line.name).main} × ${number(line.quantity)}`).join(t("app.and"))),
    h("td", { class: "quiet" }, when(one.placed_at)));
}

function release(one, name, orders, changed) {
  askFor({
    title: t("waves.release_title", { warehouse: name(one.warehouse) }), path: "/v1/waves", label: t("waves.release"),
    done: (ran) => { changed(); if (ran.left.length) tellLeft(ran.left); },
    fields: [h("p", null, orders ? t("waves.release_these", { n: orders.length }) : t("waves.release_everything", { n: one.orders - one.in_review })), h("p", { class: "quiet small" }, t("waves.release_how"))],
    read: () => ({ warehouse: one.warehouse, ...(orders ? { orders } : {}) }),
    said: (ran) => t("waves.released", { parts: ran.parts, n: ran.parcels.length, review: ran.to_review }),
  });
}

/** Those that were chosen and did not go, each with the reason; it stays until somebody has read it. */
function tellLeft(left) {
  const box = dialog(t("waves.left", { n: left.length }), [
    h("div", { class: "dialog-body" }, h("ul", { class: "stack left-out" }, left.map(({ order, why }) => h("li", { dataset: { order } },
      h("a", { class: "mono strong-link", href: `#/packing/${encodeURIComponent(order)}` }, order), ` · ${t(`waves.left_${why}`)}`)))),
    h("footer", { class: "dialog-foot" }, h("button", { class: "primary", type: "button", onclick: () => box.close() }, t("app.close")))]);
}

function sharedParcels(page, name, changed, signal) {
  if (!page.parcels.length) return empty(t("waves.none_shared"), "");
  const list = h("ul", { class: "stack" }, page.parcels.map((one) => shared(one, name, changed)));
  const ask = (cursor) => get(after("/v1/parcels?stage=planned&shared=true", cursor), { signal });
  return [list, moreButton(list, page.next, ask, (more) => list.append(...more.parcels.map((one) => shared(one, name, changed))))];
}

function shared(one, name, changed) {
  return h("li", { class: "panel part", dataset: { parcel: one.number } },
    h("div", { class: "spread" }, h("h3", { class: "mono" }, one.number), h("p", { class: "quiet small" }, name(one.warehouse), one.hand_over_by ? ` · ${t("picking.due", { when: when(one.hand_over_by) })}` : "")),
    contentsTable(one),
    h("p", null, h("button", { class: "button compact", type: "button", onclick: () => separate(one, changed) }, t("waves.separate"))));
}

function separate(one, changed) {
  askFor({
    title: t("waves.separate_title"), path: `/v1/parcels/${encodeURIComponent(one.number)}/separation`, label: t("waves.separate"), done: () => changed(),
    fields: [h("p", { class: "quiet small" }, t("waves.separate_how")), field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ reason: form.reason.value.trim() }), said: (answer) => t("waves.separated", { n: answer.parcels.length }),
  });
}

function latestWaves({ waves: found }, name) {
  if (!found.length) return empty(t("waves.none"), t("waves.none_hint"));
  const columns = ["wave", "opened", "parts", "parcels", "merged", "to_review", "labels"];
  return h("div", { class: "panel flush" }, h("table", { class: "cards waves-table" },
    h("thead", null, h("tr", null, columns.map((key, at) => h("th", { scope: "col", class: at > 1 ? "right" : null }, t(`waves.${key}`))))),
    h("tbody", null, found.map((one) => h("tr", { dataset: { wave: one.id } },
      h("td", { class: "full" }, name(one.warehouse), " ", h("span", { class: "quiet small" }, one.cut_off ? t("waves.at_cut_off") : t("waves.by_hand"))),
      h("td", { class: "quiet full" }, when(one.opened_at), one.closed_at ? "" : [" ", h("span", { class: "badge s-open" }, t("waves.running"))]),
      ...["parts", "parcels", "merged", "to_review"].map((key) => h("td", { class: "right", "data-label": t(`waves.${key}`) }, number(one[key]))),
      h("td", { class: "right full" }, h("button", { class: "button compact", type: "button", disabled: !one.parcels, "aria-label": t("waves.labels_of", { wave: one.id }), onclick: () => openLabels(one) }, t("waves.print"))))))));
}

/** How many labels there are, and the documents that they are printed in. */
function openLabels(wave) {
  const place = h("div", { class: "dialog-body" }, loading(1));
  const path = `/v1/waves/${encodeURIComponent(wave.id)}`;
  dialog(t("waves.labels_of", { wave: wave.id }), place);
  const draw = async () => {
    try {
      const found = await get(fresh(`${path}/labels`));
      fill(place, h("p", null, t("waves.labelled", { n: found.labelled, all: found.parcels })),
        Array.from({ length: found.documents }, (_, at) => h("p", null, h("a", { class: "primary", href: `${path}/labels.pdf?part=${at + 1}`, target: "_blank", rel: "noopener" }, t(found.documents > 1 ? "waves.document_n" : "waves.document", { n: at + 1 })))),
        found.labelled < found.parcels ? h("p", { class: "quiet small" }, t("waves.unlabelled")) : null);
    } catch (problem) {
      fill(place, broken(problem, draw));
    }
  };
  draw();
}
