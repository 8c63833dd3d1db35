// Units that were cancelled after they were picked: back to their shelf, out of a closed parcel too (W1).
import { askFor } from "./asking.js";
import { contentsTable } from "./parcels.js";
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { CARRIERS, stepForm } from "./steps.js";
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
    stepForm("put_back", weight, new Intent(`/v1/parcels/${encodeURIComponent(one.number)}/put-back`), (form) => (one.reopen ? { weight_grams: Number(form.weight_grams.value) } : {}), changed, "putback.done"),
    h("p", null, h("button", { class: "tool", type: "button", onclick: () => hasLeft(one, changed) }, t("putback.left"))));
}

/** The box is not there: with its carrier, and the number on it where it was given up. */
function hasLeft(one, changed) {
  const label = one.stage === "dissolved" && !one.waybill ? [
    field("carrier", t("packing.carrier"), { required: true, options: CARRIERS.map((each) => [each, word("carrier", each)]) }),
    field("waybill", t("packing.waybill_number"), { required: true, maxlength: 32, autocomplete: "off", spellcheck: "false" })] : [];
  askFor({
    title: t("putback.left"), path: `/v1/parcels/${encodeURIComponent(one.number)}/put-back`, label: t("putback.left"), danger: true, said: () => t("putback.left_noted"), done: changed,
    fields: [h("p", { class: "quiet small" }, t(one.stage === "dissolved" ? "putback.left_whole" : "putback.left_some")), ...label],
    read: (form) => ({ sent: true, ...(label.length ? { carrier: form.carrier.value, waybill: form.waybill.value.trim() } : {}) }),
  });
}
