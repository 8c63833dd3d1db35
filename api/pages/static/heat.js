// A picture of hours and places: green where a delivery succeeds, red where it does not.
import { h } from "./dom.js";
import { empty } from "./ui.js";
import { t } from "./words.js";

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const USUAL = [8, 20];
const STEPS = 5;
const ENOUGH = 5;

/** A table of places and hours: the usual ones, and others in which somebody tried. */
export function heatMap(places) {
  if (!places.length) return empty(t("carriers.heat_none"), t("carriers.heat_none_hint"));
  const tried = places.flatMap((one) => one.hours.map((each) => each.hour));
  const hours = HOURS.slice(Math.min(USUAL[0], ...tried), Math.max(USUAL[1], ...tried) + 1);
  return [
    h("p", { class: "quiet small lead" }, t("carriers.heat_how")),
    h("div", { class: "panel flush heat", tabindex: 0, role: "region", "aria-label": t("carriers.heat") }, h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("carriers.district")), hours.map((hour) => h("th", { scope: "col", class: "num" }, String(hour))))),
      h("tbody", null, places.map((one) => row(one, hours))))),
  ];
}

function row(place, hours) {
  const known = new Map(place.hours.map((one) => [one.hour, one]));
  return h("tr", { dataset: { division: place.division } },
    h("th", { scope: "row" }, h("span", null, place.name), place.compound ? h("span", { class: "mono quiet small" }, ` ${place.compound}`) : null,
      h("span", { class: "quiet small prefer" }, place.prefer === null ? t("carriers.no_prefer") : t("carriers.prefer", { from: String(place.prefer), until: String(place.prefer + 1) }))),
    hours.map((hour) => cell(hour, known.get(hour), hour === place.prefer)));
}

function cell(hour, one, preferred) {
  if (!one) return h("td", { class: "none" });
  const share = one.well / one.tried;
  const words = t("carriers.cell", { hour: String(hour), well: one.well, tried: one.tried });
  const classes = [`h${Math.round(share * STEPS)}`, one.tried < ENOUGH && "few", preferred && "preferred"].filter(Boolean).join(" ");
  return h("td", { class: `${classes} num`, title: words }, h("span", { "aria-hidden": "true" }, String(Math.round(share * 100))), h("span", { class: "visually-hidden" }, words));
}
