// Orders that a human looks at before they go: why, to whom, and the decision (O7).
import { openAddress } from "./address.js";
import { askFor } from "./asking.js";
import { fill, h } from "./dom.js";
import { failureWords, fresh, get } from "./http.js";
import { recipientWords } from "./recipient.js";
import { after, announce, broken, empty, field, loading, moreButton } from "./ui.js";
import { ago, exact, lastWeekday, names, number, price, t, word } from "./words.js";

const { role } = document.body.dataset;

/** The review queue, longest first. */
export async function reviews(view, _, signal) {
  const list = h("div", null, loading(3));
  const ask = (cursor) => get(fresh(after("/v1/reviews", cursor)), { signal });
  const draw = async () => {
    try {
      const page = await ask();
      const rows = h("ul", { class: "stack" }, page.orders.map((one) => card(one, draw, signal)));
      fill(list, page.orders.length ? rows : empty(t("reviews.none"), t("reviews.none_hint")),
        moreButton(rows, page.next, ask, (more) => rows.append(...more.orders.map((one) => card(one, draw, signal)))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.reviews")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))), list);
  await draw();
}

function card(one, changed, signal) {
  const recipient = h("p", { class: "small" }, "…");
  tellRecipient(recipient, one, signal);
  return h("li", { class: "panel approval", dataset: { order: one.number } },
    h("div", { class: "spread" },
      h("h2", { class: "mono order-number-small" }, h("a", { href: `#/packing/${one.number}` }, one.number)),
      h("time", { class: "quiet small", datetime: one.since, title: exact(one.since) }, t("reviews.waits", { ago: ago(one.since) }))),
    h("p", { class: "row" }, one.reasons.map((reason) => h("span", { class: "badge s-open" }, word("review", reason)))),
    one.doubts.length ? h("ul", { class: "doubts small" }, one.doubts.map((doubt) => h("li", null, failureWords(doubt)))) : null,
    h("dl", { class: "about" },
      h("dt", null, t("packing.items")), h("dd", null, one.lines.map((line) => `${names(line.name).main} × ${number(line.quantity)}`).join(t("app.and"))),
      h("dt", null, t("packing.learner")), h("dd", null, h("a", { href: `#/accounts/${encodeURIComponent(one.learner)}` }, one.learner)),
      one.province ? [h("dt", null, t("recipient.title")), h("dd", null, recipient)] : null,
      h("dt", null, t("reviews.paid")), h("dd", { class: "num" }, price(one)),
      h("dt", null, t("reviews.promised")), h("dd", null, lastWeekday(one.promised_by))),
    role === "service" ? null : h("div", { class: "row" },
      h("button", { class: "primary compact", type: "button", onclick: () => decide(one, "approve", changed) }, t("reviews.approve")),
      one.province && role === "operations" ? h("button", { class: "button compact", type: "button", onclick: () => correct(one, changed) }, t("reviews.correct")) : null,
      h("button", { class: "danger compact", type: "button", onclick: () => decide(one, "reject", changed) }, t("reviews.reject"))));
}

async function tellRecipient(place, one, signal) {
  if (!one.province) return;
  try {
    fill(place, recipientWords((await get(fresh(`/v1/orders/${encodeURIComponent(one.number)}/recipient`), { signal })).recipient));
  } catch (problem) {
    if (!signal.aborted) place.textContent = problem.words;
  }
}

const correct = (one, changed) => openAddress({ number: one.number, actions: { address: { province: one.province, country: one.country } } }, changed);

function decide(one, decision, changed) {
  askFor({
    title: t(`reviews.${decision}_title`), path: `/v1/orders/${encodeURIComponent(one.number)}/review`,
    label: t(`reviews.${decision}`), danger: decision === "reject", said: () => t(`reviews.${decision}_done`), done: changed,
    fields: [h("p", null, h("strong", { class: "mono" }, one.number)), h("p", { class: "quiet small" }, t(`reviews.${decision}_how`, { back: price(one) })),
      field("reason", t("cancel.reason"), { required: true, maxlength: 200, autofocus: true }, { hint: decision === "reject" ? t("reviews.reason_hint") : null })],
    read: (form) => ({ decision, reason: form.reason.value.trim() }),
  });
}
