// Rate cards: what counts now, what a parcel costs and why, sheets in and out, volumes (W3).
import { askFor } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { ask, get, Intent } from "./http.js";
import { announce, broken, busily, empty, field, loading, problemBox, showProblem, toast, waitingWords, wrongIn } from "./ui.js";
import { dayKey, language, number, plainDay, t, word, yuan } from "./words.js";

const PATH = "/v1/rate-cards";
const KINDS = ".csv,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/** Cards, the calculator, import, volumes. */
export async function rates(view, _, signal) {
  const cards = h("div", { class: "stack" }, loading(3));
  const volumes = h("div", { class: "stack" }, loading(1));
  const draw = async () => {
    try {
      const found = await get(PATH, { signal });
      const now = found.cards.filter((one) => one.in_force);
      const others = found.cards.filter((one) => !one.in_force);
      fill(cards, now.length ? now.map(card) : empty(t("rates.none"), t("rates.none_hint")),
        others.length ? h("details", null, h("summary", null, t("rates.others", { n: others.length })), h("div", { class: "stack" }, others.map(card))) : null);
      fill(volumes, volumesOf(found.volumes, draw));
    } catch (problem) {
      if (!signal.aborted) fill(cards, broken(problem, draw));
    }
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.rates"))),
    h("div", { class: "two rates-two" },
      h("section", { class: "panel stack", "aria-labelledby": "rates-calculator" }, h("h2", { id: "rates-calculator" }, t("rates.calculator")), await calculator(signal)),
      h("div", { class: "stack" }, h("section", { class: "panel stack", "aria-labelledby": "rates-import" }, h("h2", { id: "rates-import" }, t("rates.import")), importing(draw)),
        h("section", { class: "panel stack", "aria-labelledby": "rates-volumes" }, h("h2", { id: "rates-volumes" }, t("rates.volumes")), volumes))),
    h("h2", { class: "section-head" }, t("rates.cards")), cards);
  await draw();
}

// --- the calculator ---

async function calculator(signal) {
  const { divisions } = await get("/v1/addresses/divisions", { signal });
  const provinces = divisions.map((one) => [one.name, one.name]);
  const place = h("div", { class: "stack", role: "status", "aria-live": "polite" });
  const problems = h("div", { class: "problem", hidden: true });
  const figure = (name, props) => field(name, t(`rates.${name}`), { type: "number", min: 0, step: "any", inputmode: "decimal", ...props });
  const submit = h("button", { class: "primary", type: "submit" }, t("rates.quote"));
  const box = h("form", { class: "stack", novalidate: true },
    h("div", { class: "whatif-fields" },
      field("origin", t("rates.origin"), { required: true, options: provinces, value: "浙江省" }), field("destination", t("rates.destination"), { required: true, options: provinces, value: "广东省" }),
      figure("kg", { required: true, max: 1000, value: "1" }), figure("value", { max: 100000000, value: "" })),
    h("div", { class: "edges" }, ["length", "width", "height"].map((name) => figure(name, { max: 1000, value: "" }))),
    h("div", { class: "row" }, [["same_city", "rates.same_city"], ["fragile", "rates.fragile"]].map(([name, key]) => h("label", { class: "check" }, h("input", { type: "checkbox", name }), h("span", null, t(key))))),
    problems, h("p", null, submit));
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    const { elements } = box;
    problems.hidden = true;
    const wrong = wrongIn(box, () => (Number(elements.kg.value) > 0 ? [] : [{ field: "kg", words: t("rates.no_weight") }]));
    if (wrong.length) { showProblem(box, { words: t("problem.invalid"), reasons: wrong }, problems); return; }
    busily(submit, async () => {
      try {
        const found = await ask(`${PATH}/quotes`, {
          origin: elements.origin.value, destination: elements.destination.value, same_city: elements.same_city.checked, fragile: elements.fragile.checked,
          grams: Math.round(Number(elements.kg.value) * 1000), value_fen: Math.round(Number(elements.value.value || 0) * 100),
          ...Object.fromEntries(["length", "width", "height"].map((name) => [`${name}_mm`, Math.round(Number(elements[name].value || 0) * 10)])),
        }, { signal });
        fill(place, offers(found));
      } catch (problem) {
        if (!signal.aborted) showProblem(box, problem, problems, { grams: "kg", value_fen: "value", length_mm: "length", width_mm: "width", height_mm: "height" });
      }
    });
  });
  return [box, place];
}

function offers({ offers: found, refused }) {
  return [found.length ? h("ol", { class: "offers" }, found.map(offer)) : empty(t("rates.nobody"), ""),
    refused.length ? h("p", { class: "quiet small" }, refused.map((one) => `${word("carrier", one.carrier)}${t("app.colon")}${t(`rates.${one.why}`)}`).join(" · ")) : null];
}

function offer(one, place) {
  const kg = (grams) => `${number(grams / 1000)} kg`;
  const lines = [[t("rates.first"), yuan(one.first_fen)],
    one.additional_weights ? [t("rates.additional", { n: one.additional_weights }), yuan(one.additional_fen)] : null,
    one.off_fen ? [t("rates.off", { percent: one.percent_off }), `−${yuan(one.off_fen)}`] : null,
    ...one.surcharges.map(({ kind, fen }) => [word("surcharge", kind), yuan(fen)])].filter(Boolean);
  return h("li", { dataset: { carrier: one.carrier } }, h("details", { open: place === 0 },
    h("summary", null, h("strong", null, word("carrier", one.carrier)), h("span", { class: "quiet small" }, `${t(`rates.${one.service}`)} · ${t("whatif.hours", { n: one.hours })}`), h("span", { class: "num offer-sum" }, yuan(one.fen))),
    h("p", { class: "quiet small" }, t(one.by_volume ? "rates.by_volume" : "rates.by_weight", { kg: kg(one.chargeable_grams) })),
    h("dl", { class: "sum-lines" }, lines.map(([name, sum]) => [h("dt", null, name), h("dd", { class: "num" }, sum)]), h("dt", { class: "strong" }, t("rates.all")), h("dd", { class: "num strong" }, yuan(one.fen)))));
}

// --- sheets ---

function importing(changed) {
  const place = h("div", { class: "stack", role: "status", "aria-live": "polite" });
  const choose = h("input", { type: "file", class: "visually-hidden", accept: KINDS, "aria-label": t("rates.choose") });
  choose.addEventListener("change", async () => {
    const [file] = choose.files;
    choose.value = "";
    if (!file) return;
    fill(place, loading(1));
    // Whatever a browser calls a file, it is one: the service looks into it.
    const sent = new Blob([file], { type: "application/octet-stream" });
    try {
      fill(place, looked(file, await new Intent(`${PATH}/files?dry_run=true`).send(sent), sent, place, changed));
    } catch (problem) {
      fill(place, problemBox(`${file.name}${t("app.colon")}${problem.reasons?.[0]?.words ?? problem.words ?? t("problem.error")}`));
    }
  });
  return [h("p", { class: "quiet small" }, t("rates.import_how")),
    h("div", { class: "row" }, h("label", { class: "button compact file" }, t("rates.choose"), choose), h("a", { class: "tool", href: `${PATH}/sheet`, download: "rate-cards.csv" }, icon("down"), t("rates.sheet"))), place];
}

/** What a file would do, and the button that does it. */
function looked(file, found, sent, place, changed) {
  const fresh = found.cards.filter((one) => one.changed);
  const send = h("button", { class: "primary compact", type: "button" }, t("rates.publish", { n: fresh.length }));
  send.addEventListener("click", () => busily(send, async () => {
    try {
      const done = await new Intent(`${PATH}/files`).send(sent, { onWaiting: waitingWords() });
      toast(t("rates.published", { n: done.cards.filter((one) => one.changed).length }));
      fill(place, refused(done));
      await changed();
    } catch (problem) {
      fill(place, problemBox(problem.words ?? t("problem.error")));
    }
  }));
  return [h("p", null, h("strong", null, file.name), ` · ${t("rates.rows", { n: found.rows })}`),
    h("ul", { class: "plain" }, found.cards.map((one) => h("li", null, h("span", { class: `badge s-${one.changed ? "open" : "ok"}` }, t(one.changed ? "rates.new" : "rates.known")), ` ${word("carrier", one.carrier)} · ${t("rates.from", { day: plainDay(dayKey(one.effective_from)) })}`))),
    refused(found), fresh.length ? h("p", null, send) : null];
}

function refused(found) {
  if (!found.refused) return null;
  return [problemBox(t("rates.held_back", { n: found.held_back, rows: found.refused })),
    h("table", { class: "cards" }, h("thead", null, h("tr", null, ["rates.row", "rates.column", "rates.why"].map((key) => h("th", { scope: "col" }, t(key))))),
      h("tbody", null, found.refused_rows.map((one) => h("tr", null, h("td", { class: "num", "data-label": t("rates.row") }, number(one.row)), h("td", { class: "mono small" }, one.column), h("td", { class: "full" }, t(`rates.wrong_${one.code}`), one.code === "held_back" ? null : h("span", { class: "quiet small" }, ` ${language === "zh" ? one.why_zh : one.why}`))))))];
}

// --- cards and volumes ---

function card(one) {
  const lanes = h("tbody", null, one.lanes.map((lane) => h("tr", null, h("td", { class: "full" }, `${end(lane.origin)} → ${lane.destinations.map(end).join(t("app.and"))}`),
    price(lane.rate, "rates.price"), price(lane.same_city, "rates.in_city", true))));
  return h("section", { class: "panel rate-card", dataset: { carrier: one.carrier } },
    h("details", null, h("summary", null, h("h3", null, word("carrier", one.carrier)), h("span", { class: "quiet small" }, [t(`rates.${one.service}`), t("rates.from", { day: plainDay(dayKey(one.effective_from)) }), one.name].filter(Boolean).join(" · "))),
      h("p", { class: "quiet small" }, t("rates.terms", { divisor: one.volume_divisor, kg: number(one.max_parcel_grams / 1000), lanes: one.lanes.length })),
      one.tiers.length ? h("p", { class: "small" }, t("rates.tiers"), " ", one.tiers.map((tier) => t("rates.tier", { n: tier.parcels, percent: tier.percent_off })).join(" · ")) : null,
      one.surcharges.length ? h("p", { class: "small" }, t("rates.surcharges"), " ", one.surcharges.map(surcharge).join(" · ")) : null,
      h("table", { class: "cards" }, h("thead", null, h("tr", null, ["rates.lane", "rates.price", "rates.in_city"].map((key, at) => h("th", { scope: "col", class: at ? "right" : "" }, t(key))))), lanes)));
}

const end = (name) => (name === "*" ? t("rates.anywhere") : name);

function price(rate, label, optional = false) {
  if (!rate) return h("td", { class: "right quiet" }, optional ? "" : t("rates.not_served"));
  return h("td", { class: "right num", "data-label": t(label) }, `${yuan(rate.first_fen)} + ${yuan(rate.additional_fen)}`, h("span", { class: "quiet small" }, ` ${t("whatif.hours", { n: rate.hours })}`));
}

function surcharge(one) {
  const sums = [one.fen && yuan(one.fen), one.fen_per_kg && `${yuan(one.fen_per_kg)}/kg`, one.permille_of_value && `${number(one.permille_of_value)} ‰`].filter(Boolean);
  return `${word("surcharge", one.kind)} ${sums.join(" + ")}`;
}

function volumesOf(found, changed) {
  const months = [...found].sort((a, b) => b.month.localeCompare(a.month) || a.carrier.localeCompare(b.carrier)).slice(0, 24);
  return [h("p", { class: "quiet small" }, t("rates.volumes_how")),
    months.length ? h("table", { class: "dense" }, h("thead", null, h("tr", null, ["rates.month", "rates.carrier", "rates.parcels"].map((key, at) => h("th", { scope: "col", class: at === 2 ? "right" : "" }, t(key))))),
      h("tbody", null, months.map((one) => h("tr", null, h("th", { scope: "row", class: "num" }, one.month), h("td", null, word("carrier", one.carrier)), h("td", { class: "right num" }, number(one.parcels), h("span", { class: "quiet small" }, ` ${t(one.counted ? "rates.counted" : "rates.billed")}`)))))) : empty(t("rates.no_volumes"), ""),
    h("p", null, h("button", { class: "button compact", type: "button", onclick: () => note(changed) }, t("rates.note")))];
}

function note(changed) {
  askFor({ title: t("rates.note_title"), path: `${PATH}/volumes`, label: t("form.save"), done: () => { announce(t("app.refreshed")); changed(); },
    fields: [field("carrier", t("rates.carrier"), { required: true, pattern: "[a-z0-9]{2,40}", placeholder: "zhongtong" }), field("month", t("rates.month"), { type: "month", required: true }), field("parcels", t("rates.parcels"), { type: "number", min: 0, max: 1000000000, inputmode: "numeric", required: true })],
    read: (form) => ({ carrier: form.carrier.value.trim(), month: form.month.value, parcels: Number(form.parcels.value) }) });
}
