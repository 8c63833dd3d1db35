// Bills of partners: imported from files after a look, listed with what of them nobody decided yet (W6).
import { fill, h } from "./dom.js";
import { fresh, get, Intent } from "./http.js";
import { after, announce, badge, broken, busily, empty, field, loading, moreButton, showProblem, toast, waitingWords, wrongIn } from "./ui.js";
import { ago, exact, number, plainDay, t, warehouseName, word, yuan } from "./words.js";

const STATES = ["all", "open", "contested", "settled"];
export const KINDS = ["carrier", "warehouse", "payment", "channel"];
let chosen = STATES[0];

/** The view: bills by state, and a file to be imported. */
export async function bills(view, _, signal) {
  const list = h("div", null, loading(3));
  const draw = async () => {
    try {
      const path = chosen === "all" ? "/v1/bills" : `/v1/bills?state=${chosen}`;
      const ask = (cursor) => get(fresh(after(path, cursor)), { signal });
      const page = await ask();
      const rows = h("ul", { class: "stack" }, page.bills.map(card));
      fill(list, page.bills.length ? rows : empty(t("bills.none"), t("bills.none_hint")), moreButton(rows, page.next, ask, (more) => rows.append(...more.bills.map(card))));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  const filter = h("fieldset", { class: "chips" }, h("legend", { class: "visually-hidden" }, t("packing.state")),
    STATES.map((one) => h("label", { class: "chip" }, h("input", { type: "radio", name: "state", value: one, checked: one === chosen }), h("span", null, t(`bill_state.${one}`)))));
  filter.addEventListener("change", (event) => { chosen = event.target.value; draw(); });
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.bills")),
    h("button", { class: "tool", type: "button", onclick: () => draw().then(() => announce(t("app.refreshed"))) }, t("app.refresh"))),
  h("details", { class: "panel bill-import" }, h("summary", null, t("bills.import")), importForm(draw)),
  h("div", { class: "filters" }, filter), list);
  await draw();
}

/** Who sent a bill, in words. */
export const partnerWords = (one) => (one.kind === "carrier" ? word("carrier", one.partner) : one.kind === "channel" ? word("channel", one.partner) : one.kind === "warehouse" ? warehouseName(one.partner) : word("partner", one.partner));

function card(one) {
  const over = one.total_fen - one.ours_fen;
  return h("li", { class: "panel approval", dataset: { bill: one.bill } },
    h("div", { class: "spread" }, h("h2", { class: "order-number-small" }, h("a", { class: "strong-link", href: `#/bills/${encodeURIComponent(one.bill)}` }, `${partnerWords(one)} ${one.number}`)),
      h("p", { class: "row" }, badge("bill_state", one.state), one.revision > 1 ? h("span", { class: "badge" }, t("bills.revision", { n: one.revision })) : null)),
    h("p", { class: "quiet small" }, word("bill_kind", one.kind), " · ", t("bills.lines", { n: one.lines }), one.refused ? [" · ", h("strong", { class: "bad-words" }, t("bills.refused", { n: one.refused }))] : null, " · ",
      one.first_day ? `${plainDay(one.first_day)} – ${plainDay(one.last_day)} · ` : null, h("time", { datetime: one.received_at, title: exact(one.received_at) }, ago(one.received_at))),
    h("dl", { class: "account-figures bill-sums" }, sum("total", one.total_fen), one.matched_at ? [sum("ours", one.ours_fen), sum("over", over), sum("open", one.open_fen, one.open), one.contested ? sum("contested", one.contested_fen, one.contested) : null] : null));
}

/** One sum of a bill with its name. */
export const sum = (key, fen, count) => h("div", { dataset: { sum: key } }, h("dt", { class: "quiet small" }, t(`bills.${key}`), count ? ` (${number(count)})` : ""), h("dd", { class: "num" }, h("strong", null, yuan(fen))));

function importForm(changed) {
  const file = h("input", { type: "file", accept: ".csv,.txt,.xlsx", required: true });
  const report = h("div", { class: "stack", role: "status", "aria-live": "polite" });
  const form = h("form", { class: "stack", novalidate: true },
    h("p", { class: "quiet small" }, t("bills.import_how")),
    h("div", { class: "step-form" },
      field("kind", t("bills.kind"), { options: KINDS.map((one) => [one, word("bill_kind", one)]), required: true }),
      field("from", t("bills.partner"), { required: true, maxlength: 40, spellcheck: "false", autocapitalize: "none" }, { hint: t("bills.partner_hint") }),
      field("number", t("bills.number"), { required: true, maxlength: 64, spellcheck: "false" }, { hint: t("bills.number_hint") }),
      field("first_day", t("bills.first_day"), { type: "date" }), field("last_day", t("bills.last_day"), { type: "date" }),
      field("file", t("bills.file"), { required: true }, { control: file })),
    h("div", { class: "row" }, h("button", { class: "primary", type: "submit", value: "take" }, t("bills.take")), h("button", { class: "button", type: "submit", value: "look" }, t("bills.look"))),
    report);
  let intent = null;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const look = event.submitter?.value === "look";
    const wrong = wrongIn(form);
    if (wrong.length) {
      showProblem(form, { words: t("problem.invalid"), reasons: wrong }, report);
      return;
    }
    const asked = new URLSearchParams({ name: file.files[0].name });
    for (const name of ["kind", "from", "number", "first_day", "last_day"]) if (form.elements[name].value.trim()) asked.set(name, form.elements[name].value.trim());
    if (look) asked.set("dry_run", "true");
    const path = `/v1/bills?${asked}`;
    if (intent?.path !== path || !intent.unknown) intent = new Intent(path);
    busily(event.submitter, async () => {
      try {
        const body = new Blob([file.files[0]], { type: file.files[0].type || "application/octet-stream" });
        const taken = await intent.send(body, { onWaiting: waitingWords() });
        fill(report, takenWords(taken));
        if (taken.dry_run) return;
        toast(t(`bills.status_${taken.status}`));
        await changed();
      } catch (problem) {
        showProblem(form, problem, report);
      }
    });
  });
  return form;
}

function takenWords(taken) {
  return [
    h("p", null, taken.dry_run ? `${t("bills.only_looked")} ` : null, t(`bills.status_${taken.status}`), " ", t("bills.lines", { n: taken.lines }), " · ", yuan(taken.total_fen)),
    taken.left_out.length ? h("p", { class: "quiet small" }, t("bills.left_out", { names: taken.left_out.join(", ") })) : null,
    taken.refused ? [h("p", { class: "bad-words" }, t("bills.refused_lacks", { n: taken.refused })), refusedTable(taken.refused_rows)] : null,
  ];
}

/** Rows that are no lines, with field and reason. */
export function refusedTable(rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("bills.refused_rows") }, h("table", { class: "dense" },
    h("thead", null, h("tr", null, ["row", "column", "why"].map((key) => h("th", { scope: "col" }, t(`bills.${key}`))))),
    h("tbody", null, rows.map((one) => h("tr", null, h("td", { class: "num" }, number(one.row)), h("td", null, word("bill_column", one.column)), h("td", null, word("bill_refused", one.code)))))));
}

/** Which boxes are ticked in a list. */
export const ticked = (list) => [...list.querySelectorAll("input:checked")].map((box) => box.value);
