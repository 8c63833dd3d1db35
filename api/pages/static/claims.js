// Claims against carriers: what they still owe, and what became of each (D2).
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, announce, badge, broken, empty, field, loading, moreButton } from "./ui.js";
import { ago, exact, t, when, word, yuan } from "./words.js";

const VIEWS = ["open", "filed", "acknowledged", "accepted", "rejected", "paid", "written_off"];
const STEPS = ["corrected", "acknowledged", "accepted", "rejected", "paid", "written_off"];
const MONEY = { corrected: (one) => one.claimed_fen, accepted: (one) => one.claimed_fen, paid: (one) => one.accepted_fen - one.paid_fen };
let chosen = VIEWS[0];

/** The list of claims in a state; `open` is all that carriers still owe an answer or money for. */
export async function claims(view, _, signal) {
  const list = h("div", null, loading(3));
  const path = () => (chosen === "open" ? "/v1/claims" : `/v1/claims?state=${chosen}`);
  const draw = async () => {
    try {
      const ask = (cursor) => get(fresh(after(path(), cursor)), { signal });
      const page = await ask();
      const rows = h("ul", { class: "stack" }, page.claims.map((one) => card(one, draw)));
      fill(list, page.claims.length ? rows : empty(t("claims.none"), t("claims.none_hint")),
        moreButton(rows, page.next, ask, (more) => rows.append(...more.claims.map((one) => card(one, draw)))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("packing.state")),
    VIEWS.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "state", value: one, checked: one === chosen }), h("span", null, t(`claim_state.${one}`)))));
  filter.addEventListener("change", (event) => { chosen = event.target.value; draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.claims")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("div", { class: "filters" }, filter), list);
  await draw();
}

function card(one, changed) {
  const possible = STEPS.filter((step) => one.actions[step].possible);
  return h("li", { class: "panel approval", dataset: { parcel: one.parcel } },
    h("div", { class: "spread" }, h("h2", { class: "mono order-number-small" }, one.parcel),
      h("p", { class: "row" }, badge("claim_state", one.state), h("time", { class: "quiet small", datetime: one.filed_at, title: exact(one.filed_at) }, t("claims.filed", { ago: ago(one.filed_at) })))),
    h("dl", { class: "about" },
      h("dt", null, t("packing.carrier")), h("dd", null, word("carrier", one.carrier), h("span", { class: "mono" }, one.waybill)),
      h("dt", null, t("claims.reason")), h("dd", null, word("claim_fault", one.reason)),
      h("dt", null, t("claims.money")), h("dd", { class: "num" }, [["asked", one.claimed_fen], ["owed", one.accepted_fen], ["came", one.paid_fen]].filter(([, fen]) => fen).map(([key, fen]) => t(`claims.${key}`, { sum: yuan(fen) })).join(" · ")),
      one.inquiry ? [h("dt", null, t("claims.inquiry")), h("dd", null, word("inquiry_state", one.inquiry), one.inquiry_result ? ` · ${word("inquiry_said", one.inquiry_result)}` : "")] : null,
      one.file_by ? [h("dt", null, t("claims.file_by")), h("dd", null, when(one.file_by))] : null,
      h("dt", null, t("claims.orders")), h("dd", null, one.orders.map((order) => h("a", { class: "mono", href: `#/packing/${order}` }, order)))),
    possible.length ? h("div", { class: "row" }, possible.map((step) => h("button", { class: `${step === "written_off" || step === "rejected" ? "danger" : "button"} compact`, type: "button", onclick: () => take(one, step, changed) }, t(`claims.step_${step}`)))) : null);
}

function take(one, step, changed) {
  const most = MONEY[step]?.(one);
  askFor({
    title: t(`claims.step_${step}`), path: `/v1/claims/${encodeURIComponent(one.parcel)}/steps`, label: t("form.save"), done: changed, danger: step === "written_off",
    fields: [h("p", null, h("strong", { class: "mono" }, one.parcel), " ", word("carrier", one.carrier)),
      MONEY[step] ? field("amount", t("claims.amount"), { type: "number", min: 0.01, max: step === "corrected" ? 100000000 : most / 100, step: "0.01", inputmode: "decimal", required: true, value: String(most / 100) }) : null,
      step === "acknowledged" ? field("reference", t("claims.reference"), { maxlength: 60 }) : null,
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ step, reason: form.reason.value.trim(),
      ...(form.amount ? { amount_fen: Math.round(Number(form.amount.value) * 100) } : {}),
      ...(form.reference?.value.trim() ? { reference: form.reference.value.trim() } : {}) }),
    belongs: { invalid: "amount", amount_fen: "amount" },
  });
}
