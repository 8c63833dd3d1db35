// Cancelled units that were sent all the same: what a parcel carries of them, and what became of each (W2).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { names, t, word } from "./words.js";

const FATES = ["restock", "scrap", "given_up"];

/** Says so at a parcel that carries some; nothing at others. */
export function strayBadge(one) {
  const n = one.strays.reduce((sum, unit) => sum + unit.quantity, 0);
  return n ? h("p", null, h("span", { class: "badge s-failed" }, t("stray.badge", { n }))) : null;
}

/** How far its carrier is with bringing it back, if it is asked to because of them. */
export function calledBack({ strays, intercept }) {
  return strays.length && intercept?.way === "return" ? t("stray.called_back", { state: word("intercept_state", intercept.state) }) : null;
}

/** A button for each order whose units somebody has to see to. */
export function strayButtons(one, changed) {
  if (!one.settle) return [];
  const orders = [...new Set(one.strays.map((unit) => unit.order))];
  return orders.map((order) => h("button", {
    class: "button compact", type: "button", onclick: () => settle(one.parcel, order, one.strays.filter((unit) => unit.order === order), changed),
  }, t("stray.settle"), orders.length > 1 ? ` · ${order}` : ""));
}

/** One choice a unit; all of an order's units are settled at once. */
function settle(parcel, order, goods, changed) {
  const units = goods.flatMap((item) => Array.from({ length: item.quantity }, () => item));
  const choices = [["", t("stray.choose")], ...FATES.map((fate) => [fate, t(`fate.${fate}`)])];
  askFor({
    title: t("stray.settle_title"), path: `/v1/parcels/${encodeURIComponent(parcel)}/strays`, label: t("form.save"), said: () => t("stray.settled"), done: () => changed(),
    fields: [h("p", null, h("strong", { class: "mono" }, parcel), " ", h("span", { class: "mono quiet small" }, order)), h("p", { class: "quiet small" }, t("stray.settle_how")),
      units.map((unit, place) => field(`fate-${place}`, units.length > 1 ? `${names(unit.name).main} (${place + 1}/${units.length})` : names(unit.name).main, { required: true, options: choices })),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200 })],
    read: (form) => ({ order, goods: units.map((unit, place) => ({ sku: unit.sku, quantity: 1, fate: form[`fate-${place}`].value })), reason: form.reason.value.trim() }),
  });
}
