// A case on the desk: evidence, what was asked and said, the carrier, the decision; all of it to act on.
import { askFor } from "./asking.js";
import { outcomes } from "./deciding.js";
import { h, icon, keepingFocus } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { may } from "./may.js";
import { REASONS } from "./reasons.js";
import { revealFile, revealPack, revealWords } from "./reveal.js";
import { waitsForSecond } from "./secondperson.js";
import { badge, busily, field, toast, waitingWords } from "./ui.js";
import { whyNot } from "./whynot.js";
import { inPrint, language, lastDay, number, t, until, when, word, yuan } from "./words.js";

const RESULTS = ["delivered", "misdelivered", "found", "lost", "damaged", "unknown"];
const ANSWERS = ["yes", "no", "unknown"];

/** The panels of an order's cases; one that did not change stays as it is. */
export class CasePanels {
  constructor(order, signal, changed) {
    this.order = order;
    this.signal = signal;
    this.changed = changed;
    this.place = h("div", { class: "stack cases" });
    this.known = new Map();
  }

  /** The cases as they are now. */
  async look(position) {
    const { disputes } = await get(fresh(`/v1/disputes?order=${encodeURIComponent(this.order)}`, position), { signal: this.signal });
    return Promise.all(disputes.map((one) => get(fresh(`/v1/disputes/${encodeURIComponent(one.id)}`, position), { signal: this.signal })));
  }

  /** Draw what is new of them; their goods are those of the order's `lines`. */
  draw(found, lines) {
    for (const one of found) {
      const text = JSON.stringify(one);
      const had = this.known.get(one.id);
      if (had?.text === text) continue;
      const panel = casePanel(one, lines, this.changed);
      if (had) keepingFocus(this.place, () => had.panel.replaceWith(panel));
      else this.place.append(panel);
      this.known.set(one.id, { text, panel, live: ["open", "awaiting_approval"].includes(one.state) });
    }
  }

  /** The case that something is looked at for: one that is still to be decided. */
  open() {
    return [...this.known].find(([, one]) => one.live)?.[0];
  }
}

function casePanel(found, lines, changed) {
  const live = ["open", "awaiting_approval"].includes(found.state);
  return h("section", { class: `panel case${live ? " live" : ""}`, dataset: { case: found.id, state: found.state }, "aria-label": t("case.title", { reason: word("reason", found.reason) }) },
    h("div", { class: "spread" }, h("h2", null, t("case.title", { reason: word("reason", found.reason) })), h("p", { class: "row" }, badge("case_state", found.state), found.overdue ? h("span", { class: "badge s-lost" }, t("case.overdue")) : null)),
    h("p", { class: "quiet small" }, h("span", { class: "mono" }, found.id), live ? [" · ", t("case.decide_by", { when: when(found.decide_by), left: until(found.decide_by) }), " · ", h("strong", null, t(`case.waits_${found.waits_for}`))] : null),
    decided(found), proposed(found, changed), evidence(found), asked(found, changed), words(found, changed), files(found, changed), carrier(found, changed),
    live && may("decide") && found.state === "open" ? h("div", null, h("h3", null, t("case.decision")), outcomes(found, lines, changed)) : null,
    reopen(found, changed),
    may("pack") ? h("p", { class: "row" }, h("a", { class: "small", href: `/v1/disputes/${encodeURIComponent(found.id)}/pack`, download: `${found.id}.zip` }, t("case.pack")),
      may("reveal") ? h("button", { class: "tool", type: "button", onclick: () => revealPack(found.id, changed) }, t("case.pack_revealed")) : null) : null);
}

function decided(found) {
  if (!found.decision) return null;
  const { outcome, points, reason } = found.decision;
  return h("div", { class: "decided" }, h("p", null, icon("check"), h("strong", null, t(`outcome.${outcome}`)), points ? ` · ${t("effect.compensated", { n: points })}` : "", h("span", { class: "quiet" }, ` ${reason}`)),
    found.messages.map((one) => (one[language] ? h("p", { class: "small" }, h("span", { class: "quiet" }, `${t("case.message")} `), inPrint(one[language])) : null)));
}

/** What a second person has to allow. */
function proposed(found, changed) {
  const one = found.proposed;
  return one ? waitsForSecond(one, t("case.proposed", { outcome: t(`outcome.${one.outcome}`), n: one.points, maker: one.maker }), changed) : null;
}

function evidence(found) {
  const one = found.evidence;
  if (!one) return null;
  const row = (key, value) => [h("dt", null, t(`evidence.${key}`)), h("dd", null, value)];
  return h("div", null, h("h3", null, t("evidence.title")), h("dl", { class: "about" },
    row("signer", [t(`signer.${one.signer_match}`), one.signer ? h("span", { class: "quiet" }, one.signer) : null]),
    one.signed_at ? row("signed_at", when(one.signed_at)) : null,
    row("track", [word("parcel", one.state), h("span", { class: "quiet" }, t("evidence.scans", { n: one.scans }))]),
    row("confirmed", t(one.confirmed ? "evidence.is_confirmed" : "evidence.not_confirmed")),
    one.same_address ? row("address", t("evidence.same_address", { orders: one.same_address.orders, accounts: one.same_address.accounts, disputes: one.same_address.disputes, not_received: one.same_address.not_received })) : null,
    row("value", yuan(found.value_fen))));
}

function asked(found, changed) {
  if (!found.questions.length && !found.actions.ask.possible) return null;
  const again = found.actions.ask.possible && may("decide") && (!found.questions.length || found.questions.some((one) => one.timed_out));
  return h("div", null, h("div", { class: "spread" }, h("h3", null, t("case.questions")), found.answer_by ? h("p", { class: "quiet small" }, t("case.answer_by", { when: when(found.answer_by), left: until(found.answer_by) })) : null),
    h("ul", { class: "questions" }, found.questions.map((one) => question(one, found, changed))),
    again ? once("case.ask", `/v1/disputes/${encodeURIComponent(found.id)}/questions`, { questions: ["family", "door", "locker"] }, changed) : null);
}

function question(one, found, changed) {
  const path = `/v1/disputes/${encodeURIComponent(found.id)}/answers`;
  return h("li", { dataset: { question: one.question } }, h("span", null, t(`question.${one.question}`)),
    one.answer ? h("strong", null, t(`answer.${one.answer}`))
      : found.actions.answer.possible && may("answer") ? h("span", { class: "row" }, one.timed_out ? h("span", { class: "quiet small" }, t("case.timed_out")) : null, ANSWERS.map((answer) => once(`answer.${answer}`, path, { answers: [{ question: one.question, answer }] }, changed)))
        : h("span", { class: "quiet small" }, t(one.timed_out ? "case.timed_out" : "case.not_answered")));
}

/** A button that makes one change as it stands. */
function once(key, path, body, changed) {
  const intent = new Intent(path);
  const button = h("button", { class: "button compact", type: "button", onclick: () => busily(button, async () => {
    try {
      const answer = await intent.send(body, { onWaiting: waitingWords() });
      await changed(answer.position);
    } catch (problem) {
      toast(problem.words ?? t("problem.error"), "bad");
    }
  }) }, t(key));
  return button;
}

function words(found, changed) {
  if (!found.said.length) return null;
  return h("div", null, h("h3", null, t("case.said")), found.said.map((one) => h("blockquote", { class: "said" }, h("span", { class: "quiet small" }, `${t(`case.said_${one.about}`)} `), one.text === null ? t("timeline.gone") : inPrint(one.text),
    one.text !== null && may("reveal") ? h("button", { class: "tool", type: "button", onclick: () => revealWords(`/v1/disputes/${encodeURIComponent(found.id)}/words/${one.position}/reveals`, changed) }, t("reveal.open")) : null)));
}

function files(found, changed) {
  if (!found.files.length) return null;
  return h("div", null, h("h3", null, t("case.files")), h("ul", { class: "files" }, found.files.map((one) => h("li", { class: "spread" },
    h("span", null, h("strong", null, one.file), h("span", { class: "quiet small" }, ` ${one.media_type} · ${number(Math.ceil(one.size_bytes / 1024))} KB`)),
    may("reveal") ? h("button", { class: "tool", type: "button", onclick: () => revealFile(`/v1/disputes/${encodeURIComponent(found.id)}/evidence/${one.file}/reveals`, `${found.id}-${one.file}`, changed) }, t("reveal.open")) : null))));
}

function carrier(found, changed) {
  const { inquire, answer_inquiry: answer, file_claim: claim } = found.actions;
  const about = found.inquiry_about;
  const path = `/v1/disputes/${encodeURIComponent(found.id)}/inquiry`;
  return h("div", { class: "carrier" }, h("h3", null, t("case.carrier")),
    about ? h("p", null, t(`inquiry.${about.state}`), about.result ? [t("app.colon"), h("strong", null, t(`inquiry_result.${about.result}`))] : about.answer_by ? h("span", { class: "quiet small" }, ` ${t("told.by", { when: when(about.answer_by) })}`) : null) : null,
    found.claim ? h("p", null, t(`claim.${found.claim}`)) : null,
    h("div", { class: "row" },
      inquire.possible && may("decide") && about?.state !== "open" ? once("case.inquire", path, {}, changed) : null,
      answer.possible && about?.state !== "answered" && may("decide") ? h("button", { class: "button compact", type: "button", onclick: () => noteAnswer(path, changed) }, t("case.note_answer")) : null,
      (claim.possible || claim.code === "unconfirmed") && may("claim") ? h("button", { class: "button compact", type: "button", onclick: () => fileClaim(found, changed) }, t("case.claim")) : null),
    !inquire.possible ? h("p", { class: "quiet small" }, `${t("case.inquire")}${t("app.colon")}${whyNot(inquire)}`) : null,
    found.file_claim_by && !found.claim ? h("p", { class: "quiet small" }, t("case.claim_by", { day: lastDay(found.file_claim_by) })) : null);
}

function noteAnswer(path, changed) {
  askFor({
    title: t("case.note_answer"), path: `${path}/answer`, label: t("form.save"), done: (answer) => changed(answer.position),
    fields: [field("result", t("case.result"), { required: true, options: RESULTS.map((one) => [one, t(`inquiry_result.${one}`)]) }),
      field("reference", t("case.reference"), { maxlength: 60 }), field("words", t("case.carrier_words"), { rows: 2, maxlength: 2000 }, { hint: t("desk.sealed_hint") })],
    read: (form) => ({ result: form.result.value, reference: form.reference.value.trim(), ...(form.words.value.trim() ? { words: form.words.value.trim() } : {}) }),
  });
}

function fileClaim(found, changed) {
  const unconfirmed = found.actions.file_claim.code === "unconfirmed";
  askFor({
    title: t("case.claim"), path: "/v1/claims", label: t("case.claim_confirm"), done: (answer) => changed(answer.position), belongs: { unconfirmed: "unconfirmed_because", claimed_fen: "yuan" },
    fields: [h("p", { class: "quiet" }, t("case.claim_how")),
      unconfirmed ? field("unconfirmed_because", t("case.unconfirmed"), { required: true, maxlength: 500 }, { hint: t("case.unconfirmed_hint") }) : null,
      field("yuan", t("case.claimed"), { type: "number", min: 0.01, max: 100000000, step: 0.01, value: (found.value_fen / 100).toFixed(2), required: true, inputmode: "decimal" })],
    read: (form) => ({ parcel: found.parcel, reason: found.reason, claimed_fen: Math.round(Number(form.yuan.value) * 100), ...(unconfirmed ? { unconfirmed_because: form.unconfirmed_because.value.trim() } : {}) }),
  });
}

function reopen(found, changed) {
  const action = found.actions.reopen;
  if (["open", "awaiting_approval"].includes(found.state)) return null;
  if (!action.possible) return h("p", { class: "quiet small" }, `${t("case.reopen")}${t("app.colon")}${whyNot(action)}`);
  return may("answer") ? h("div", null, h("button", { class: "button compact", type: "button", onclick: () => askFor({
    title: t("case.reopen"), path: `/v1/disputes/${encodeURIComponent(found.id)}/reopening`, label: t("case.reopen"), done: (answer) => changed(answer.position),
    fields: [field("reason", t("case.reason"), { required: true, value: found.reason, options: REASONS.map((one) => [one, word("reason", one)]) })],
    read: (form) => ({ reason: form.reason.value }),
  }) }, t("case.reopen"))) : null;
}
