// A short pick: fewer units were found than were reserved (rules.md 1).
import { askFor, whole } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { names, t, warehouseName } from "./words.js";

/** The button that opens the form for one part of an order; only what nobody packed can be short. */
export function shortPickButton(part, found, changed) {
  return h("button", { class: "button", type: "button", onclick: () => openShortPick(part, found, changed) }, t("short.open"));
}

function openShortPick(part, found, changed) {
  const units = part.units.map((unit) => ({ ...found.lines[unit.line - 1], planned: unit.quantity }));
  const box = askFor({
    title: t("short.title", { n: part.part }), path: "/v1/parcels/shortages", label: t("short.confirm"),
    fields: [h("p", { class: "quiet" }, t("short.how")),
      field("sku", t("short.item"), { required: true, options: units.map((one) => [one.sku, t("short.planned", { name: names(one.name).main, n: one.planned })]) }),
      field("found", t("short.found"), { type: "number", min: 0, max: 10000000, inputmode: "numeric", required: true }),
      field("reason", t("cancel.reason"), { required: true, maxlength: 500 }, { hint: t("short.reason_hint") })],
    read: (form) => ({ order: found.number, part: part.part, sku: form.sku.value, found: whole(form.found), reason: form.reason.value.trim() }),
    said: outcome, done: (answer) => changed(answer.position),
  });
  box.querySelector("[name=found]").focus();
}

/** Where the missing units come from now, and how many nobody has. */
function outcome({ moved, waits }) {
  return [...moved.map((one) => t("short.moved", { n: one.quantity, warehouse: warehouseName(one.warehouse) })), waits ? t("short.waits", { n: waits }) : null].filter(Boolean).join(" · ");
}

/** Why nothing is to be done yet for a part that waits. */
export const waitWords = (part) => h("p", { class: "small quiet" }, t(part.waits === "choice" ? "short.waits_choice" : "short.waits_stock"));
