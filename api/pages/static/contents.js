// What is in an order of a list, in words and pictures.
import { h } from "./dom.js";
import { picture } from "./picture.js";
import { names, number, t } from "./words.js";

const PICTURES = 3;

/** The items of an order, with their pictures if wanted; what needs a choice is said. `left`: as many as there still are. */
export function contents({ lines, choice }, { pictures = false, left = false } = {}) {
  return h("span", { class: "contents" },
    pictures ? h("span", { class: "contents-pictures" }, lines.slice(0, PICTURES).map((line) => h("span", { class: "stamp tiny" }, picture(line)))) : null,
    h("span", { class: "contents-words" }, wordsOf(left ? remaining(lines) : lines), choice ? [" ", h("span", { class: "badge s-open" }, t("shortage.badge"))] : null));
}

/** What is left of an order; of one that is over, what it was. */
function remaining(lines) {
  const live = lines.filter((line) => line.quantity > line.gone);
  return live.length ? live.map((line) => ({ ...line, quantity: line.quantity - line.gone })) : lines;
}

const wordsOf = (lines) => lines.map((line) => (line.quantity > 1 ? `${names(line.name).main} × ${number(line.quantity)}` : names(line.name).main)).join(t("app.and"));
