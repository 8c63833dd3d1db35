// Where an order goes: its masked recipient, and another address while nothing has left.
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { recipientFields, recipientOf, recipientWords } from "./recipient.js";
import { regionName, t } from "./words.js";

/** A panel that stays while the order is drawn anew; `tell` hands it the order as it is now. */
export function addressPanel(path, signal, changed) {
  const words = h("p", { class: "recipient-words" });
  const may = h("div");
  const panel = h("section", { class: "panel address", "aria-labelledby": "address" }, h("h2", { id: "address" }, t("recipient.title")), words, may);
  let known;

  const tell = async (found) => {
    fill(may, offer(found, changed));
    const moves = found.timeline.filter((one) => one.fact === "orders.AddressChanged").length;
    if (known === moves) return;
    known = moves;
    try {
      const { recipient } = await get(fresh(`${path}/recipient`), { signal });
      fill(words, recipientWords(recipient));
    } catch (problem) {
      if (!signal.aborted) fill(words, h("span", { class: "quiet small" }, problem.words));
    }
  };
  return { panel, tell };
}

function offer(found, changed) {
  const { address } = found.actions;
  if (address.parcels) return h("button", { class: "button compact", type: "button", onclick: () => openAddress(found, changed) }, t("intercept.redirect"));
  if (address.possible) return h("button", { class: "button compact", type: "button", onclick: () => openAddress(found, changed) }, t("address.open"));
  return h("p", { class: "quiet small" }, t(["cancelled", "closed"].includes(found.status) ? "cancel.over" : "address.not_now"));
}

/** The dialog that sends what has not left to another address; in another province where it can be planned anew. */
export function openAddress(found, changed) {
  const { address } = found.actions;
  const how = address.parcels ? "intercept.redirect_how" : address.elsewhere?.possible && address.country === "CN" ? "address.how" : "address.how_near";
  const box = askFor({
    title: t("address.title"), path: `/v1/orders/${encodeURIComponent(found.number)}/address`, wide: true,
    label: t("address.confirm"), said: () => t("address.done"), done: (answer) => changed(answer.position),
    fields: [h("p", { class: "quiet" }, t(how, { province: regionName(address.province) })),
      recipientFields(placeOf(address), { fixed: how === "address.how_near", stays: !address.parcels })],
    read: recipientOf,
  });
  box.querySelector("[name=name]").focus();
}

/** What of a place stays as it is; abroad the province is no part of that. */
function placeOf({ province, country = "CN" }) {
  return country === "CN" ? { province: province ?? "" } : { country };
}
