// Changes of an account by hand: with a reason, and over the limit by two people (L5, A8).
import { askFor, whole } from "./asking.js";
import { h } from "./dom.js";
import { field } from "./ui.js";
import { number, t } from "./words.js";

const REASONS = ["course_completed", "task", "campaign", "manual", "compensation"];
/** From so many points a second person has to approve; nothing happens before. */
const limit = () => Number(document.querySelector("#view").dataset.fourEyes);

const why = () => field("why", t("cancel.reason"), { required: true, maxlength: 500 }, { hint: t("learner.why_hint") });

/** What became of it: done, or asked for. */
const said = (done) => (answer) => (answer.status === "pending_approval" ? t("learner.asked_toast") : done(answer));

/** Give or take points by hand. */
export function adjust({ learner, available }, changed) {
  const notice = h("p", { class: "notice", role: "status", hidden: true }, t("learner.needs_two", { n: limit() }));
  const box = askFor({
    title: t("learner.adjust_title", { learner }), path: "/v1/points/adjustments", label: t("learner.adjust_confirm"),
    fields: [
      h("p", { class: "quiet" }, t("learner.adjust_how", { n: available })),
      field("direction", t("learner.direction"), { required: true, options: [["1", t("learner.give")], ["-1", t("learner.take")]] }),
      field("points", t("redeem.points"), { type: "number", min: 1, max: 1000000000, inputmode: "numeric", required: true }),
      field("source", t("approval.source"), { required: true, maxlength: 200, autocomplete: "off" }, { hint: t("learner.source_hint") }),
      why(), notice],
    read: (form) => ({ learner, points: whole(form.points) * Number(form.direction.value), source: form.source.value.trim(), why: form.why.value.trim() }),
    // Which way points go is said apart: a sign here would turn it round.
    wrong: (form) => (whole(form.points) > 0 ? [] : [{ field: "points", words: t("learner.above_zero") }]),
    belongs: { insufficient_points: "points" },
    said: said((answer) => t("learner.adjusted", { n: answer.available })), done: changed,
  });
  const points = box.querySelector("[name=points]");
  points.addEventListener("input", () => { notice.hidden = !(Number(points.value) >= limit()); });
  points.focus();
}

/** Take a mistaken grant back, found by its reason and source. */
export function clawBack({ learner, reason, source = "", points }, changed) {
  const box = askFor({
    title: t("learner.claw_back_title", { learner }), path: "/v1/points/clawbacks", label: t("learner.claw_back_confirm"), danger: true,
    fields: [
      h("p", { class: "quiet" }, t("learner.claw_back_how")),
      points ? h("p", null, h("strong", null, t("learner.claw_back_grant", { n: points }))) : null,
      field("reason", t("learner.grant_reason"), { required: true, value: REASONS.includes(reason) ? reason : REASONS[0], options: REASONS.map((one) => [one, t(`reason.${one}`)]) }),
      field("source", t("learner.grant_source"), { required: true, value: source, maxlength: 200, autocomplete: "off", spellcheck: "false" }, { hint: t("learner.grant_source_hint") }),
      why(),
      !points || points >= limit() ? h("p", { class: "notice" }, t("learner.needs_two", { n: limit() })) : null],
    read: (form) => ({ learner, reason: form.reason.value, source: form.source.value.trim(), why: form.why.value.trim() }),
    belongs: { grant_unknown: "source" },
    said: said((answer) => t(answer.status === "duplicate" ? "learner.clawed_back_before" : answer.debt ? "learner.clawed_back_owed" : "learner.clawed_back", { n: answer.points, debt: number(answer.debt) })), done: changed,
  });
  box.querySelector(source ? "[name=why]" : "[name=source]").focus();
}

/** Stop an account from spending, or let it spend again. */
export function freeze(learner, frozen, changed) {
  const key = frozen ? "freeze" : "unfreeze";
  askFor({
    title: t(`learner.${key}_title`, { learner }), path: pathOf(learner), method: "PUT", label: t(`learner.${key}_confirm`), danger: frozen,
    fields: [h("p", { class: "quiet" }, t(`learner.${key}_how`)), field("reason", t("cancel.reason"), { required: true, maxlength: 500, autofocus: true })],
    read: (form) => ({ status: frozen ? "frozen" : "active", reason: form.reason.value.trim() }),
    said: () => t(`learner.${key}_done`), done: changed,
  });
}

/** Make an account for a learner before anything is granted. */
export function register(learner, changed) {
  askFor({
    title: t("learner.register_title", { learner }), path: pathOf(learner), method: "PUT", label: t("learner.register"),
    fields: [h("p", { class: "quiet" }, t("learner.register_how")), field("reason", t("cancel.reason"), { required: true, maxlength: 500, autofocus: true })],
    read: (form) => ({ status: "active", reason: form.reason.value.trim() }),
    said: () => t("learner.registered"), done: changed,
  });
}

const pathOf = (learner) => `/v1/learners/${encodeURIComponent(learner)}`;
