// One order on one screen: who, what, where it is, what was said, what can be done now.
import { addressPanel } from "./address.js";
import { openCancel } from "./cancel.js";
import { CasePanels } from "./casepanel.js";
import { fill, h, keepingFocus } from "./dom.js";
import { effectsOfOrder } from "./effects.js";
import { finder } from "./find.js";
import { fresh, get } from "./http.js";
import { follow } from "./live.js";
import { may } from "./may.js";
import { proposedRefunds, refundButton } from "./refunding.js";
import { cashRefunds } from "./refunds.js";
import { returnFacts } from "./returncard.js";
import { returnsOf } from "./returns.js";
import { revealRecipient } from "./reveal.js";
import { shortagePanel } from "./shortage.js";
import { timelinePanel } from "./timeline.js";
import { tracedParcel } from "./tracedparcel.js";
import { loading, orderBadge, progress } from "./ui.js";
import { notPossible } from "./whynot.js";
import { lastWeekday, names, number, price, t, when } from "./words.js";

/** The screen of one order; it is drawn anew with every news, dialogs stay as they are. */
export async function traced(view, [, number_], signal) {
  fill(view, loading(5));
  const path = `/v1/orders/${encodeURIComponent(number_)}`;
  const lamp = h("p", { class: "lamp", dataset: { state: "connecting" } }, h("i", { "aria-hidden": "true" }), h("span", null, t("live.connecting")));
  const place = { head: h("header", { class: "panel desk-head traced-head" }), parcels: h("div", { class: "stack" }), rest: h("div", { class: "stack" }) };
  const cases = new CasePanels(number_, signal, (position) => draw(position));
  const address = addressPanel(path, signal, (position) => draw(position));
  const timeline = timelinePanel(number_, (position) => draw(position));
  let known, drawn;

  const draw = async (position) => {
    const [found, told, disputes] = await Promise.all([
      get(fresh(path, position), { signal }),
      get(fresh(`/v1/support/orders/${encodeURIComponent(number_)}/timeline`, position), { signal }),
      cases.look(position),
    ]);
    const returns = await returnsOf(found, position, signal);
    cases.draw(disputes, found.lines);
    if (known && found.position < known.position) return;
    const seen = JSON.stringify([found, returns]);
    const changed = seen !== drawn;
    [known, drawn] = [found, seen];
    timeline.draw({ entries: told.entries, ahead: told.ahead });
    if (!changed && position === undefined) return;
    const sent = found.lines.some((line) => line.kind === "parcel");
    keepingFocus(view, () => {
      fill(place.head, ...head(found, lamp));
      fill(place.parcels, found.parcels.map((one) => tracedParcel(one, found, told.entries, draw)));
      fill(place.rest, sent ? address.panel : null, linesPanel(found), returns.map((one) => returnPanel(one, draw)), shortagePanel(found, draw), proposedRefunds(found, draw), actionsPanel(found, draw), cashRefunds(found, draw));
    });
    if (sent) {
      address.tell(found);
      if (may("reveal") && !address.panel.querySelector("[data-reveal]")) address.panel.append(h("button", { class: "button compact", type: "button", dataset: { reveal: "recipient" }, onclick: () => revealRecipient(number_, cases.open(), draw) }, t("reveal.open")));
    }
  };
  await draw();
  const list = h("div");
  fill(view, finder(list, signal), list, h("div", { class: "stack" }, place.head,
    h("div", { class: "traced" }, h("div", { class: "stack" }, cases.place, place.parcels, place.rest), timeline.panel)));
  follow(`${path}/live`, { signal, onnews: draw, onstate: (state) => { lamp.dataset.state = state; lamp.lastChild.textContent = t(`live.${state}`); } });
}

const returnPanel = (one, changed) => h("section", { class: "panel approval", "aria-label": one.id, dataset: { return: one.id, state: one.state } },
  h("div", { class: "spread" }, h("h2", null, t("desk.return")), h("span", { class: "mono quiet small" }, one.id)), returnFacts(one, changed));

function head(found, lamp) {
  return [h("div", null, h("h1", { class: "mono order-number" }, found.number),
    h("p", { class: "row" }, orderBadge(found), found.review.map((one) => h("span", { class: "badge s-open" }, t(`review.${one}`))), lamp)),
  h("dl", { class: "about" },
    h("dt", null, t("packing.learner")), h("dd", null, h("a", { href: `#/learners/${encodeURIComponent(found.learner)}` }, found.learner)),
    found.external_number ? [h("dt", null, t("order.outside")), h("dd", { class: "mono" }, found.external_number)] : null,
    h("dt", null, t("order.paid")), h("dd", { class: "num" }, price(found))),
  h("p", { class: "quiet small" }, t("order.placed", { when: when(found.placed_at) }), " · ", t("order.promise", { day: lastWeekday(found.promised_by) }), found.returnable_until ? ` · ${t("order.returnable", { day: lastWeekday(found.returnable_until) })}` : "")];
}

function linesPanel(found) {
  return h("section", { class: "panel", "aria-labelledby": "goods" }, h("h2", { id: "goods" }, t("order.goods")),
    h("ul", { class: "traced-lines" }, found.lines.map((line) => h("li", { dataset: { sku: line.sku } },
      h("p", null, h("strong", null, names(line.name).main), " ", h("span", { class: "quiet num" }, `× ${number(line.quantity)}`), line.gone ? h("span", { class: "small bad-words" }, ` ${t("order.gone", { n: line.gone })}`) : null),
      progress(line.kind, line.progress)))));
}

/** What the order's own commands would do now, and why the others are not possible (D6). */
function actionsPanel(found, changed) {
  const { cancel, refund } = found.actions;
  return h("section", { class: "panel traced-actions", "aria-labelledby": "actions" }, h("h2", { id: "actions" }, t("desk.actions")),
    cancel.possible && !cancel.parcels ? action(effectsOfOrder(cancel, found.lines), may("cancel") ? h("button", { class: "danger compact", type: "button", onclick: () => openCancel(found, changed) }, t("cancel.open")) : null, t("action.cancel")) : null,
    refund.possible ? action(effectsOfOrder(refund, found.lines), may("refund") ? refundButton(found, changed) : null, t("action.refund")) : null,
    notPossible(found.actions));
}

const action = (effects, button, name) => h("div", { class: "traced-action" }, h("div", null, h("p", null, h("strong", null, name)), h("p", { class: "quiet small" }, effects)), button);
