// Something is wrong with a parcel: a learner's case, from their first words to the decision (D1).
import { answersForm } from "./answers.js";
import { askFor } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { evidenceBox } from "./evidence.js";
import { fresh, get } from "./http.js";
import { REASONS } from "./reasons.js";
import { badge, field } from "./ui.js";
import { whyNot } from "./whynot.js";
import { inPrint, language, lastDay, t, until, when, word } from "./words.js";

/** One place a parcel; it stays while the order is drawn anew, and so does what is typed into it. */
export class Complaints {
  constructor(order, signal, changed) {
    this.order = order;
    this.signal = signal;
    this.changed = changed;
    this.places = new Map();
  }

  /** Where a parcel's case is shown. */
  of(parcel) {
    if (!this.places.has(parcel)) this.places.set(parcel, { element: h("div", { class: "complaint" }), text: null });
    return this.places.get(parcel).element;
  }

  /** Look at each parcel again; what did not change stays as it is. */
  async look(found, position) {
    await Promise.all(found.parcels.map(async (parcel) => {
      this.of(parcel.number);
      const { dispute } = parcel.actions;
      const case_ = dispute.case ? await get(fresh(`/v1/disputes/${encodeURIComponent(dispute.case)}`, position), { signal: this.signal }) : null;
      const place = this.places.get(parcel.number);
      const text = JSON.stringify([dispute, case_ && shown(case_)]);
      if (place.text === text) return;
      place.text = text;
      fill(place.element, case_ ? this.case(case_) : this.offer(parcel));
    }));
  }

  offer(parcel) {
    const { dispute } = parcel.actions;
    if (!dispute.possible) return parcel.signed_at ? h("p", { class: "quiet small" }, `${t("action.dispute")}${t("app.colon")}${whyNot(dispute)}`) : null;
    return h("p", { class: "complaint-offer" }, h("button", { class: "button compact", type: "button", dataset: { dispute: parcel.number }, onclick: () => this.open(parcel) }, t("complaint.open")),
      dispute.until ? h("span", { class: "quiet small" }, t("complaint.until", { day: lastDay(dispute.until) })) : null);
  }

  open(parcel) {
    askFor({
      title: t("complaint.title"), path: `/v1/orders/${encodeURIComponent(this.order)}/disputes`,
      label: t("complaint.confirm"), said: () => t("complaint.opened"), done: (answer) => this.changed(answer.position),
      fields: [h("p", { class: "quiet" }, t("complaint.how")),
        reasonField(parcel.signed_at ? "not_received" : "lost"),
        field("words", t("complaint.words"), { rows: 4, maxlength: 2000 }, { hint: t("complaint.words_hint") })],
      read: (form) => ({ parcel: parcel.number, reason: form.reason.value, ...(form.words.value.trim() ? { words: form.words.value.trim() } : {}) }),
    });
  }

  case(found) {
    const path = `/v1/disputes/${encodeURIComponent(found.id)}`;
    return h("section", { class: "case mine", dataset: { case: found.id, state: found.state }, "aria-label": t("case.title", { reason: word("reason", found.reason) }) },
      h("div", { class: "spread" }, h("h3", null, t("case.title", { reason: word("reason", found.reason) })), badge("case_state", found.state)),
      standing(found),
      found.said.map((one) => h("blockquote", { class: "said" }, one.text ?? t("timeline.gone"))),
      answersForm(found, path, this.changed),
      evidenceBox(found, path, this.changed),
      this.ways(found, path));
  }

  /** Taking it back, or asking to look at it once more. */
  ways(found, path) {
    const { withdraw, reopen } = found.actions;
    if (withdraw.possible) return h("p", null, h("button", { class: "button compact", type: "button", onclick: () => this.words(`${path}/withdrawal`, "withdraw") }, t("complaint.withdraw")));
    if (reopen.possible) return h("p", null, h("button", { class: "button compact", type: "button", onclick: () => this.words(`${path}/reopening`, "reopen", found.reason) }, t("complaint.reopen")));
    return null;
  }

  words(path, kind, reason) {
    askFor({
      title: t(`complaint.${kind}_title`), path, label: t(`complaint.${kind}_confirm`), said: () => t(`complaint.${kind}_done`), done: (answer) => this.changed(answer.position),
      fields: [h("p", { class: "quiet" }, t(`complaint.${kind}_how`)), reason ? reasonField(reason) : null, field("words", t("complaint.words"), { rows: 3, maxlength: 2000 }, { hint: t("complaint.words_hint") })],
      read: (form) => ({ ...(reason ? { reason: form.reason.value } : {}), ...(form.words.value.trim() ? { words: form.words.value.trim() } : {}) }),
    });
  }
}

const reasonField = (value) => field("reason", t("case.reason"), { required: true, value, options: REASONS.map((one) => [one, word("reason", one)]) });

/** What is drawn of a case: scans and times that are counted anew each time are not. */
function shown({ state, questions, files, said, messages, decision, answer_by, decide_by, overdue, waits_for, actions }) {
  return [state, questions, files, said, messages, decision, answer_by, decide_by, overdue, waits_for, Object.values(actions).map((one) => one.possible)];
}

/** How it stands, in plain words: what is waited for and until when, or what was decided. */
function standing(found) {
  if (found.decision) {
    const told = found.messages.at(-1)?.[language];
    return h("div", { class: "decided" }, h("p", null, icon("check"), h("strong", null, t(`outcome.${found.decision.outcome}`)), found.decision.points ? h("span", null, t("effect.compensated", { n: found.decision.points })) : null),
      told ? h("p", null, inPrint(told)) : null);
  }
  if (found.state === "withdrawn") return h("p", { class: "quiet" }, t("complaint.withdrawn"));
  const deadline = found.waits_for === "learner" ? t("complaint.answer_by", { when: when(found.answer_by), left: until(found.answer_by) }) : t(`complaint.waits_${found.waits_for}`);
  return h("div", { class: "standing" }, h("p", { class: found.waits_for === "learner" ? "warn-words" : "" }, deadline),
    h("p", { class: "quiet small" }, t("complaint.decide_by", { when: when(found.decide_by) }), found.overdue ? ` ${t("complaint.overdue")}` : ""));
}
