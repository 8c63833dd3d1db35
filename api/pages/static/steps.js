// The steps of a parcel on its way out of the house, as small forms: waybill, hand-over, and others.
import { h } from "./dom.js";
import { Intent } from "./http.js";
import { busily, copyButton, field, showProblem, toast, waitingWords } from "./ui.js";
import { t, word } from "./words.js";

/** Those that the house knows by name. */
export const CARRIERS = ["shunfeng", "jd", "zhongtong", "yuantong", "shentong", "yunda", "ems", "jtexpress"];

/** A form of one step; `key` names its button's words, `said` what is told once it is done. */
export function stepForm(key, fields, intent, read, changed, said) {
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "primary", type: "submit" }, t(`packing.${key}`));
  const form = h("form", { class: "step-form", novalidate: true, dataset: { step: key } }, fields, submit, problems);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const gaps = [...form.querySelectorAll("[required]")].filter((one) => !one.value.trim());
    if (gaps.length) {
      showProblem(form, { words: t("problem.invalid"), reasons: gaps.map((one) => ({ field: one.name, words: t("invalid.missing") })) }, problems);
      return;
    }
    busily(submit, async () => {
      problems.hidden = true;
      try {
        const answer = await intent.send(read(form.elements), { onWaiting: waitingWords() });
        toast(t(said));
        await changed(answer.position);
      } catch (problem) {
        showProblem(form, problem, problems);
      }
    });
  });
  return form;
}

/** The carrier's number, written down by hand. */
export function waybillForm(parcel, changed) {
  const box = field("waybill", t("packing.waybill_number"), { required: true, maxlength: 32, autocomplete: "off", spellcheck: "false" });
  const invent = h("button", { class: "tool", type: "button", onclick: () => {
    box.querySelector("input").value = `SF${Array.from(crypto.getRandomValues(new Uint8Array(13)), (one) => one % 10).join("")}`;
  } }, t("packing.invent"));
  return stepForm("waybill", [field("carrier", t("packing.carrier"), { required: true, options: CARRIERS.map((one) => [one, t(`carrier.${one}`)]) }), box, invent],
    new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/waybill`), (form) => ({ carrier: form.carrier.value, waybill: form.waybill.value.trim() }), changed, "packing.labelled");
}

/** The parcel goes to its carrier. */
export const handOverForm = (parcel, changed) =>
  stepForm("hand_over", [], new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/handover`), () => ({}), changed, "packing.handed_over");

/** The same with the number that goes with it. */
export const handOver = (parcel, changed) => h("div", { class: "stack" }, waybillWords(parcel), handOverForm(parcel, changed));

/** Whose parcel it is, and its number. */
export function waybillWords(parcel) {
  return h("p", { class: "row" }, h("span", null, word("carrier", parcel.carrier)), h("span", { class: "mono" }, parcel.waybill), copyButton(parcel.waybill));
}
