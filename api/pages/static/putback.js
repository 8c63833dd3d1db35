// Units that were cancelled after they were picked: back to their shelf, out of a closed parcel too (W1).
import { contentsTable } from "./parcels.js";
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { stepForm } from "./steps.js";
import { field } from "./ui.js";
import { ago, exact, t, word } from "./words.js";

/** What is to be put back, parcel by parcel; nothing, where there is nothing. */
export function putBacks({ parcels }, name, changed) {
  if (!parcels.length) return null;
  return h("section", { "aria-labelledby": "put-backs" }, h("div", { class: "section-head" }, h("h2", { id: "put-backs" }, t("putback.title"))),
    h("ul", { class: "stack" }, parcels.map((one) => card(one, name, changed))));
}

function card(one, name, changed) {
  const weight = one.reopen ? [field("weight_grams", t("packing.weight"), { type: "number", min: 1, max: 1000000, inputmode: "numeric", required: true })] : [];
  return h("li", { class: "panel part", dataset: { putback: one.number } },
    h("div", { class: "spread" }, h("div", null, h("h3", { class: "mono" }, one.number), h("p", { class: "quiet small" }, name(one.warehouse), one.waybill ? ` · ${word("carrier", one.carrier)} ${one.waybill}` : "")),
      h("p", { class: "row" }, h("span", { class: "badge" }, word("stage", one.stage)), h("time", { class: "small quiet", datetime: one.since, title: exact(one.since) }, ago(one.since)))),
    contentsTable(one),
    h("p", { class: one.reopen ? "notice small" : "quiet small" }, t(one.reopen ? "putback.reopen" : one.stage === "dissolved" ? "putback.unpack" : "putback.shelve")),
    stepForm("put_back", weight, new Intent(`/v1/parcels/${encodeURIComponent(one.number)}/put-back`), (form) => (one.reopen ? { weight_grams: Number(form.weight_grams.value) } : {}), changed, "putback.done"));
}
