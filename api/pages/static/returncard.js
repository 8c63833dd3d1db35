// A return as staff see it, with what each of them may do about it: at the inspections' desk and beside its order (D3).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { withClaims } from "./effects.js";
import { printed } from "./returns.js";
import { waitsForSecond } from "./secondperson.js";
import { badge, field } from "./ui.js";
import { inPrint, language, names, number, t, warehouseName, when, word, yuan } from "./words.js";

/** What a unit cannot be, if it fails no criterion and if it fails some: the service would name the whole list. */
const CONTRADICTIONS = { restock: [null, "restock_meets"], refuse: ["refuse_fails", null], missing: [null, "missing_meets"] };
const VERDICTS = ["restock", "scrap", "refuse", "missing"];
const PAYERS = ["mall", "carrier", "learner"];
const { role } = document.body.dataset;

/** What is known of it and the buttons; `changed` is told the position of what they did, `whose` are rows of one page alone. */
export function returnFacts(one, changed, whose = null) {
  return [
    h("p", { class: "row" }, badge("return_state", one.state), h("span", { class: "badge" }, t(`remedy.${one.remedy}`)), h("span", { class: "badge" }, t(`fault.${one.reason}`))),
    one.words ? h("blockquote", { class: "small" }, inPrint(one.words)) : null,
    h("dl", { class: "about" },
      h("dt", null, t("packing.items")), h("dd", null, one.units.map((unit) => h("span", null, unitWords(unit)))),
      whose,
      one.label ? [h("dt", null, t("inspections.to")), h("dd", null, warehouseName(one.warehouse))] : null,
      one.label?.waybill ? [h("dt", null, word("carrier", one.label.carrier)), h("dd", { class: "mono" }, one.label.waybill)] : null,
      h("dt", null, t("inspections.payer")), h("dd", null, [t(`payer.${one.payer}`), one.label && one.payer !== "learner" ? (one.from_abroad ? t("inspections.abroad_paid") : yuan(one.freight_fen)) : null].filter(Boolean).join(" · ")),
      one.criteria.length ? [h("dt", null, t("inspections.criteria")), h("dd", null, one.criteria.map((each) => t(`criterion.${each}`)).join(t("app.and")))] : null,
      one.claim ? [h("dt", null, t("inspections.claim")), h("dd", null, claimWords(one.claim))] : null,
      one.send_by ? [h("dt", null, t("inspections.send_by")), h("dd", null, when(one.send_by))] : null),
    one.proposed ? waitsForSecond(one.proposed, [t("refunding.proposed", { n: one.proposed.points, maker: one.proposed.maker }), one.proposed.cash_fen ? yuan(one.proposed.cash_fen) : null].filter(Boolean).join(" · "), changed) : null,
    one.message ? h("p", { class: "quiet small" }, inPrint(one.message[language === "zh" ? "zh" : "en"] ?? "")) : null,
    buttons(one, changed)];
}

/** What the carrier that lost it was asked, and has paid: beside goods that turn up after all (D2). */
const claimWords = (claim) => [word("carrier", claim.carrier), t(`claim_state.${claim.state}`), yuan(claim.claimed_fen), claim.paid_fen ? t("inspections.claim_paid", { cash: yuan(claim.paid_fen) }) : null].filter(Boolean).join(" · ");

const unitWords = (unit) => [`${names(unit.name).main} × ${number(unit.quantity)}`, ...(unit.verdict ? [t(`verdict.${unit.verdict}`)] : []), ...(unit.failed ?? []).map((each) => t(`unmet.${each}`))].join(" · ");

function buttons(one, changed) {
  const { arrive, inspect, agree } = one.actions;
  const lost = one.state === "under_way";
  const works = ["operations", "administrator", "service"].includes(role);
  const decides = ["support", "administrator"].includes(role);
  return h("div", { class: "row" },
    printed(one),
    works && one.state !== "to_inspect" && arrive?.possible ? h("button", { class: "button compact", type: "button", onclick: () => openArrival(one, changed) }, t("inspections.arrived")) : null,
    works && one.state === "to_inspect" ? h("button", { class: "primary compact", type: "button", onclick: () => openInspection(one, changed) }, t("inspections.inspect")) : null,
    works && inspect && !inspect.possible && one.state === "to_inspect" ? h("p", { class: "quiet small" }, language === "zh" ? inspect.why_zh : inspect.why) : null,
    decides && agree?.possible ? [true, false].map((yes) => h("button", { class: yes ? "primary compact" : "danger compact", type: "button", onclick: () => openDecision(one, yes, changed) }, t(lost ? (yes ? "inspections.lost_agree" : "inspections.lost_reject") : yes ? "inspections.agree" : "inspections.reject"))) : null);
}

function openArrival(one, changed) {
  askFor({
    title: t("inspections.arrived_title"), path: `/v1/returns/${encodeURIComponent(one.id)}/arrival`, label: t("inspections.arrived"),
    fields: [h("p", null, h("strong", { class: "mono" }, one.id)), h("p", { class: "quiet small" }, t("inspections.arrived_how"))],
    read: () => undefined, said: () => t("inspections.arrived_done"), done: (answer) => changed(answer.position),
  });
}

/** One row a unit: its verdict, and the criteria it does not meet. */
function openInspection(one, changed) {
  const units = one.units.flatMap((unit) => Array.from({ length: unit.quantity }, () => unit));
  const rows = units.map((unit, place) => {
    const name = `${names(unit.name).main}${units.length > 1 ? ` (${place + 1}/${units.length})` : ""}`;
    return h("fieldset", { class: "inspected", dataset: { place } }, h("legend", null, name),
      field(`verdict-${place}`, t("inspections.verdict"), { required: true, options: VERDICTS.filter((key) => !(one.outcome && key === "refuse")).map((key) => [key, t(`verdict.${key}`)]) }),
      h("div", { class: "row criteria" }, one.criteria.map((each) => h("label", { class: "small" }, h("input", { type: "checkbox", name: `failed-${place}`, value: each }), ` ${t(`unmet.${each}`)}`))));
  });
  const goods = (form) => together(units.map((unit, place) => ({
    sku: unit.sku, verdict: form[`verdict-${place}`].value,
    failed: [...document.querySelectorAll(`dialog [name="failed-${place}"]:checked`)].map((box) => box.value),
  })));
  askFor({
    title: t("inspections.inspect"), path: `/v1/returns/${encodeURIComponent(one.id)}/inspection`, label: t("inspections.settle"), wide: true,
    fields: [h("p", { class: "quiet small" }, t(one.outcome ? "inspections.how_paid_back" : `inspections.how_${one.remedy}`)), rows,
      field("payer", t("inspections.payer"), { required: true, value: one.payer, options: PAYERS.map((key) => [key, t(`payer.${key}`)]) }, { hint: t("inspections.payer_hint", { n: one.freight_points }) }),
      one.remedy === "exchange" && !one.outcome && !one.actions.inspect.possible ? field("instead", t("inspections.instead"), { required: true, options: [["refund", t("remedy.refund")]] }, { hint: language === "zh" ? one.actions.inspect.why_zh : one.actions.inspect.why }) : null,
      field("reason", t("cancel.reason"), { required: true, maxlength: 500 })],
    read: (form) => ({ goods: goods(form), reason: form.reason.value.trim(), payer: form.payer.value, ...(form.instead ? { instead: form.instead.value } : {}) }),
    wrong: (form) => units.flatMap((_, place) => {
      const key = CONTRADICTIONS[form[`verdict-${place}`].value]?.[document.querySelector(`dialog [name="failed-${place}"]:checked`) ? 1 : 0];
      return key ? [{ field: `verdict-${place}`, words: t(`inspections.${key}`) }] : [];
    }),
    said: (answer) => withClaims(t("inspections.settled", { n: answer.points ?? 0 }), answer.claims), done: (answer) => changed(answer.position),
  });
}

/** Units of the same item and the same finding, in one line. */
function together(found) {
  const rows = new Map();
  for (const one of found) {
    const key = JSON.stringify(one);
    rows.set(key, { ...one, quantity: (rows.get(key)?.quantity ?? 0) + 1 });
  }
  return [...rows.values()];
}

function openDecision(one, agree, changed) {
  const lost = one.state === "under_way" ? "lost_" : "";
  const title = t(`inspections.${lost}${agree ? "agree" : "reject"}`);
  askFor({
    title, path: `/v1/returns/${encodeURIComponent(one.id)}/decision`, danger: !agree,
    label: title,
    fields: [h("p", null, h("strong", { class: "mono" }, one.id)), h("p", { class: "quiet small" }, t(`inspections.${lost}${agree ? "agree" : "reject"}_how`)),
      field("reason", t("cancel.reason"), { required: true, maxlength: 500, autofocus: true })],
    read: (form) => ({ agree, reason: form.reason.value.trim() }),
    said: (answer) => withClaims(t(answer.status === "pending_approval" ? "inspections.asked" : agree ? "inspections.agreed" : "inspections.rejected"), answer.claims), done: (answer) => changed(answer.position),
  });
}
