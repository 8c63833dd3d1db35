// The books: the trial balance, which is zero, and the other sealed reports.
import { fill, h, icon } from "./dom.js";
import { get } from "./http.js";
import { broken, field, loading } from "./ui.js";
import { exact, has, number, plainDay, signed, t } from "./words.js";

const REPORTS = ["trial-balance", "liability", "breakage", "controls", "costs", "week"];

/** Trial balance and reports. */
export async function books(view, _, signal) {
  const balance = h("div", null, loading(2));
  const liability = h("div", null, loading(1));
  const until = field("until", t("books.until"), { type: "date" });
  const draw = async () => {
    const asked = until.querySelector("input").value;
    try {
      drawBalance(balance, await get(`/v1/audit/reports/trial-balance${asked ? `?until=${asked}` : ""}`, { signal }));
    } catch (problem) {
      if (!signal.aborted) fill(balance, broken(problem, draw));
    }
  };
  until.querySelector("input").addEventListener("change", draw);
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.books"))),
    h("section", { class: "panel" }, h("div", { class: "spread" }, h("h2", null, t("books.trial")), until), balance),
    h("div", { class: "two books-two" }, h("section", { class: "panel" }, h("h2", null, t("books.liability")), liability),
      h("section", { class: "panel" }, h("h2", null, t("books.reports")), h("p", { class: "quiet small" }, t("books.reports_how")),
        h("ul", { class: "reports" }, REPORTS.map((name) => h("li", null, h("span", null, t(`report.${name}`)),
          h("span", { class: "row" }, ["json", "csv"].map((format) => h("a", { class: "tool", href: `/v1/audit/reports/${name}?format=${format}`, download: `${name}.${format}`, "aria-label": `${t(`report.${name}`)}, ${format.toUpperCase()}` }, icon("down"), format.toUpperCase()))))))),
    ));
  await Promise.all([draw(), get("/v1/audit/reports/liability", { signal }).then((report) => drawLiability(liability, report))]);
}

function drawBalance(place, report) {
  const zero = report.sums.total === 0 && report.rows.every((row) => row.at(-1) === 0);
  const names = report.columns.slice(1);
  fill(place, h("p", { class: `verdict-line ${zero ? "good" : "bad-words"}` }, icon(zero ? "check" : "warn"), t(zero ? "books.zero" : "books.not_zero", { n: report.position })),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("books.trial") }, h("table", { class: "dense trial" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("books.day")), names.map((name) => h("th", { scope: "col", class: "right" }, has(`account.${name}`) ? t(`account.${name}`) : name)))),
      h("tbody", null, report.rows.slice(-60).map((row) => h("tr", null, h("th", { scope: "row", class: "num" }, plainDay(row[0])), row.slice(1).map((value) => h("td", { class: `right${value ? "" : " quiet"}` }, value ? signed(value) : "0"))))),
      h("tfoot", null, h("tr", null, h("th", { scope: "row" }, t("books.sum")), names.map((name) => h("td", { class: "right" }, report.sums[name] ? signed(report.sums[name]) : "0")))))),
    h("p", { class: "quiet small mono hash" }, t("books.head", { n: report.position, at: exact(report.head.recorded_at), root: report.head.root })));
}

function drawLiability(place, report) {
  const most = Math.max(1, ...report.rows.map(([, points]) => points));
  fill(place, report.rows.length ? h("table", { class: "liability" }, h("thead", { class: "visually-hidden" }, h("tr", null, h("th", { scope: "col" }, t("books.month")), h("th", { scope: "col" }, t("stock.share")), h("th", { scope: "col" }, t("redeem.points")))),
    h("tbody", null, report.rows.map(([month, points]) => h("tr", null, h("th", { scope: "row", class: "num" }, month === "never" ? t("books.never") : month), h("td", { "aria-hidden": "true" }, bar(points / most)), h("td", { class: "right num" }, number(points)))))) : h("p", { class: "quiet" }, t("books.no_liability")));
}

function bar(share) {
  const one = h("i", { class: "bar-free" });
  one.style.width = `${share * 100}%`;
  return h("div", { class: "bar" }, one);
}
