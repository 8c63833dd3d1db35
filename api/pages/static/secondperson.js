// Four eyes: what somebody asked for and may not do alone; whoever may decide does it here (A8).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { may } from "./may.js";
import { field } from "./ui.js";
import { t } from "./words.js";

/** The dialog that allows or denies what waits under an id, told in `words`; `how` is what then happens. */
export function decideOn({ approval, decision, words, how, done }) {
  askFor({
    title: t(`approval.${decision}_title`), path: `/v1/approvals/${approval}`, danger: decision === "deny",
    label: t(`approval.${decision}_confirm`), said: () => t(`approval.${decision}_done`), done,
    fields: [h("p", null, h("strong", null, words)), how ? h("p", { class: "quiet small" }, how) : null, field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true })],
    read: (form) => ({ decision, reason: form.reason.value.trim() }),
  });
}

/** What waits, told in `words`, with who asked and why; the buttons for whoever may decide. */
export function waitsForSecond(one, words, changed) {
  const mine = one.maker === document.body.dataset.subject;
  const decide = (decision) => () => decideOn({ approval: one.approval, decision, words, done: (answer) => changed(answer.position) });
  return h("div", { class: "notice proposed", dataset: { approval: one.approval } },
    h("p", null, h("strong", null, words), " ", h("span", { class: "quiet" }, one.reason)),
    one.alone_times ? h("p", { class: "small alone" }, t("approval.alone"), " ", h("strong", null, t("approval.alone_sum", { n: one.alone_points, times: one.alone_times }))) : null,
    h("p", { class: "small" }, t(mine ? "case.second_not_you" : "case.second")),
    may("approve") && !mine ? h("div", { class: "row" }, h("button", { class: "primary compact", type: "button", onclick: decide("allow") }, t("approval.allow")), h("button", { class: "danger compact", type: "button", onclick: decide("deny") }, t("approval.deny"))) : null);
}

const REFUNDS = ["refund", "return"];

/** What a request for points would do, in words. */
export function would(one) {
  if (one.kind === "reveal") return t("approval.would_reveal", { learner: one.learner, maker: one.maker });
  const kind = REFUNDS.includes(one.kind) ? "refund" : one.kind === "clawback" ? "clawback" : one.points < 0 ? "take" : "add";
  return t(`approval.would_${kind}`, { n: Math.abs(one.points), learner: one.learner });
}

/** What becomes of it, by the decision. */
export function howItEnds(one, decision) {
  const what = one.kind === "reveal" ? "_reveal" : REFUNDS.includes(one.kind) && decision === "deny" ? "_refund" : "";
  return t(`approval.${decision}_how${what}`);
}
