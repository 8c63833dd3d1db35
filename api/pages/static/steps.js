// The steps of a parcel on its way out of the house, as small forms: waybill, hand-over, and others.
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { busily, copyButton, field, keepAsSent, showProblem, toast, waitingWords, wrongIn } from "./ui.js";
import { t, word } from "./words.js";

/** Those that the house knows by name. */
export const CARRIERS = ["shunfeng", "jd", "zhongtong", "yuantong", "shentong", "yunda", "ems", "jtexpress"];

/** How numbers of the sandbox begin (api/sandbox/labels.py); those of others begin with 7. */
const PREFIXES = { shunfeng: "SF", jd: "JD", yuantong: "YT", jtexpress: "JT" };

/** A form of one step; `key` names its button's words, `said` what is told once it is done. */
export function stepForm(key, fields, intent, read, changed, said) {
  const problems = h("div", { class: "problem", hidden: true });
  const submit = h("button", { class: "primary", type: "submit" }, t(`packing.${key}`));
  const form = h("form", { class: "step-form", novalidate: true, dataset: { step: key } }, fields, submit, problems);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reasons = wrongIn(form);
    if (reasons.length) {
      showProblem(form, { words: t("problem.invalid"), reasons }, problems);
      return;
    }
    busily(submit, async () => {
      problems.hidden = true;
      try {
        const answer = await intent.send(read(form.elements), { onWaiting: waitingWords() });
        toast(t(said));
        keepAsSent(form, intent);
        await changed(answer.position, answer);
      } catch (problem) {
        keepAsSent(form, intent);
        showProblem(form, problem, problems);
      }
    });
  });
  return form;
}

/** The carrier's number, written down by hand; another carrier than the `planned` one is explained (W4). */
export function waybillForm(parcel, changed, planned = null) {
  const box = field("waybill", t("packing.waybill_number"), { required: true, maxlength: 32, autocomplete: "off", spellcheck: "false" });
  const invent = h("button", { class: "tool", type: "button", onclick: () => {
    const digits = Array.from(crypto.getRandomValues(new Uint8Array(13)), (one) => one % 10).join("");
    box.querySelector("input").value = `${PREFIXES[carrier.querySelector("select").value] ?? "7"}${digits}`;
  } }, t("packing.invent"));
  const names = planned && !CARRIERS.includes(planned) ? [planned, ...CARRIERS] : CARRIERS;
  const why = field("reason", t("packing.why_other"), { required: true, maxlength: 200 }, { hint: planned ? t("packing.why_other_hint", { carrier: word("carrier", planned) }) : null });
  const carrier = field("carrier", t("packing.carrier"), { required: true, value: planned ?? CARRIERS[0], options: names.map((one) => [one, word("carrier", one)]),
    onchange: (event) => explained(event.target.value) });
  const explained = (chosen) => {
    const other = planned !== null && chosen !== planned;
    why.hidden = !other;
    why.querySelector("input").required = other;
  };
  explained(planned);
  return stepForm("waybill", [carrier, why, box, invent],
    new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/waybill`), (form) => ({
      carrier: form.carrier.value, waybill: form.waybill.value.trim(), ...(why.hidden ? {} : { reason: form.reason.value.trim() }),
    }), async (position, answer) => {
      await changed(position);
      if (answer.reason_wanted) explain(answer, changed);
    }, "packing.labelled");
}

/** The house had chosen another carrier, and nobody said yet why it is this one (W4). */
function explain({ parcel, carrier, waybill, chosen }, changed) {
  askFor({
    title: t("packing.why_other"), path: `/v1/parcels/${encodeURIComponent(parcel)}/waybill`, label: t("packing.why_send"),
    fields: [field("reason", t("packing.why_other"), { required: true, maxlength: 200, autofocus: true }, { hint: t("packing.why_other_hint", { carrier: word("carrier", chosen) }) })],
    read: (form) => ({ carrier, waybill, reason: form.reason.value.trim() }),
    said: () => t("packing.explained"), done: (answer) => changed(answer.position),
  });
}

/** The parcel goes to its carrier. */
export const handOverForm = (parcel, changed) =>
  stepForm("hand_over", [], new Intent(`/v1/parcels/${encodeURIComponent(parcel.number)}/handover`), () => ({}), changed, "packing.handed_over");

/** The same with the number that goes with it; abroad once customs let it go (T7). */
export const handOver = (parcel, customs, changed) =>
  h("div", { class: "stack" }, waybillWords(parcel), !customs || customs.possible ? handOverForm(parcel, changed) : customsWords(parcel, customs));

/** How far customs are with a parcel abroad; null where the service has the last word. */
export async function customsOf(parcel, { position, signal }) {
  try {
    const found = await get(fresh(`/v1/parcels/${encodeURIComponent(parcel.number)}/declaration`, position), { signal });
    return { standing: found.standing, outdated: found.outdated, possible: found.actions.hand_over.possible };
  } catch (problem) {
    if (problem.status === 404) return null;  // it left just now
    throw problem;
  }
}

/** What the service would refuse is not offered. */
function customsWords(parcel, { standing, outdated }) {
  const why = standing === "cleared" && outdated ? t("declarations.outdated") : t("declarations.waits", { standing: word("declaration", standing) });
  return h("div", { class: "stack", dataset: { customs: standing } },
    h("p", { class: "small bad-words", id: `customs-${parcel.number}` }, why, " ", h("a", { href: "#/declarations" }, t("tab.declarations"))),
    h("div", { class: "row" }, h("button", { class: "button", type: "button", disabled: true, "aria-describedby": `customs-${parcel.number}` }, t("packing.hand_over"))));
}

/** Whose parcel it is, and its number. */
export function waybillWords(parcel) {
  return h("p", { class: "row" }, h("span", null, word("carrier", parcel.carrier)), h("span", { class: "mono" }, parcel.waybill), copyButton(parcel.waybill));
}
