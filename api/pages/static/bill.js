// One bill: its sums, what differs by cause, every version of it; differences accepted or contested (W6).
import { askFor } from "./asking.js";
import { partnerWords, refusedTable, sum, ticked } from "./bills.js";
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { after, announce, badge, broken, empty, field, loading, moreButton } from "./ui.js";
import { actor, names, number, plainDay, t, when, word, yuan } from "./words.js";

const SHOWN = 100;

/** The view of one bill, its name in the address. */
export async function bill(view, [, key], signal) {
  const path = `/v1/bills/${encodeURIComponent(key)}`;
  const list = h("div", null, loading(3));
  let cause = "";
  const draw = async () => {
    const one = await get(fresh(path), { signal });
    fill(view, head(one, draw), causes(one, cause, (next) => { cause = next; drawList(one); }),
      h("section", { "aria-labelledby": "differences" }, h("h2", { id: "differences", class: "section-head" }, t("bills.differences")), list), versions(one));
    await drawList(one);
  };
  const drawList = async (one) => {
    try {
      const of = `${path}/differences?limit=${SHOWN}${cause ? `&cause=${cause}` : ""}`;
      const ask = (cursor) => get(fresh(after(of, cursor)), { signal });
      const page = await ask();
      fill(list, page.differences.length ? table(page, ask, path, draw) : empty(t(one.matched_at ? "bills.no_differences" : "bills.not_matched"), ""));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, () => drawList(one)));
    }
  };
  await draw();
}

function head(one, draw) {
  return [h("header", { class: "page-head" }, h("h1", null, `${partnerWords(one)} ${one.number}`),
    h("div", { class: "row" }, badge("bill_state", one.state), h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh")))),
  h("p", { class: "lead" }, h("a", { href: "#/bills" }, t("tab.bills")), h("span", { class: "quiet small" }, " · ", word("bill_kind", one.kind), " · ", t("bills.lines", { n: one.lines }), " · ", t("bills.agreed", { n: one.agreed }),
    one.first_day ? ` · ${plainDay(one.first_day)} – ${plainDay(one.last_day)}` : "")),
  h("dl", { class: "panel account-figures bill-sums" }, sum("total", one.total_fen), one.matched_at ? [sum("ours", one.ours_fen), sum("over", one.total_fen - one.ours_fen), sum("open", one.open_fen, one.open), sum("contested", one.contested_fen, one.contested)] : null)];
}

function causes(one, chosen, choose) {
  if (!one.causes.length) return null;
  const chips = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("bills.cause")),
    [["", t("bills.every_cause")], ...one.causes.map((it) => [it.cause, `${word("bill_cause", it.cause)} ${number(it.differences)} · ${yuan(it.fen)}`])]
      .map(([value, words]) => h("label", { class: "chip" }, h("input", { type: "radio", name: "cause", value, checked: value === chosen }), h("span", null, words))));
  chips.addEventListener("change", (event) => choose(event.target.value));
  return h("div", { class: "filters" }, chips);
}

function table(page, ask, path, changed) {
  const rows = h("tbody");
  const buttons = ["accepted", "contested"].map((decision) => h("button", { class: decision === "contested" ? "danger compact" : "button compact", type: "button", disabled: true, onclick: () => decide(path, ticked(rows), decision, changed) }, t(`bills.do_${decision}`)));
  const draw = () => { for (const one of buttons) one.disabled = !ticked(rows).length; };
  const add = (more) => rows.append(...more.differences.map(row));
  const all = h("input", { type: "checkbox", "aria-label": t("bills.choose_all"), onchange: () => { for (const box of rows.querySelectorAll("input")) box.checked = all.checked; draw(); } });
  rows.addEventListener("change", draw);
  add(page);
  return [h("div", { class: "panel flush" }, h("table", { class: "cards differences" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, all), ["cause", "what", "about"].map((key) => h("th", { scope: "col" }, t(`bills.${key}`))), ["billed", "ours", "difference"].map((key) => h("th", { scope: "col", class: "right" }, t(`bills.${key}`))), h("th", { scope: "col" }, t("packing.state")))),
    rows)), moreButton(rows, page.next, ask, add), h("p", { class: "row decide-row" }, buttons, h("span", { class: "quiet small" }, t("bills.decide_how")))];
}

function row(one) {
  const about = /^(.*)-P\d+$/.exec(one.about)?.[1] ?? one.about;
  const name = `${word("bill_cause", one.cause)}, ${one.number}`;
  return h("tr", { dataset: { difference: one.id } },
    h("td", { class: "tick" }, one.standing === "settled" ? null : h("label", null, h("input", { type: "checkbox", value: one.id, "aria-label": name }))),
    h("td", null, h("strong", null, word("bill_cause", one.cause)), h("br"), h("span", { class: "quiet small" }, word("charge", one.charge))),
    h("td", { class: "full" }, one.item ? [h("strong", null, names(one.item).main), " "] : null, h("span", { class: one.item ? "mono quiet small" : "mono" }, one.number), one.row ? h("span", { class: "quiet small" }, " ", t("bills.in_row", { n: one.row })) : null),
    h("td", { class: "full" }, one.about ? h("a", { class: "mono", href: `#/packing/${about}` }, one.about) : h("span", { class: "quiet" }, "—")),
    ...["billed", "ours", "difference"].map((key) => h("td", { class: "right num", "data-label": t(`bills.${key}`) }, key === "difference" ? h("strong", null, yuan(one.fen)) : yuan(one[`${key}_fen`]))),
    h("td", null, badge("difference", one.standing), one.reason ? h("p", { class: "quiet small" }, one.reason) : null));
}

function decide(path, differences, decision, done) {
  askFor({
    title: t(`bills.do_${decision}`), path: `${path}/decisions`, label: t(`bills.do_${decision}`), danger: decision === "contested", done,
    fields: [h("p", null, t("bills.chosen", { n: differences.length })), field("reason", t("cancel.reason"), { required: true, maxlength: 500, autofocus: true })],
    read: (form) => ({ differences, decision, reason: form.reason.value.trim() }),
  });
}

function versions(one) {
  return [one.refused_rows.length ? h("section", { class: "bill-foot", "aria-labelledby": "refused" }, h("h2", { id: "refused", class: "section-head" }, t("bills.refused_rows")), h("p", { class: "bad-words" }, t("bills.refused_lacks", { n: one.refused })), refusedTable(one.refused_rows)) : null,
    h("section", { class: "bill-foot", "aria-labelledby": "versions" }, h("h2", { id: "versions", class: "section-head" }, t("bills.versions")),
      h("ul", { class: "stack" }, one.revisions.map((it) => h("li", { class: "panel spread" },
        h("p", null, h("strong", null, t("bills.revision", { n: it.revision })), " ", h("span", { class: "mono small" }, it.file), it.revision === one.revision ? null : h("span", { class: "quiet small" }, " ", t("bills.replaced"))),
        h("p", { class: "quiet small" }, `${yuan(it.total_fen)} · ${t("bills.lines", { n: it.lines })} · ${actor(it.received_by)} · ${when(it.received_at)}`)))))];
}
