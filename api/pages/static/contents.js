// What is in an order, where a list has its number alone: read once it comes into sight.
import { fill, h } from "./dom.js";
import { fresh, get } from "./http.js";
import { picture } from "./picture.js";
import { names, number, t } from "./words.js";

const PICTURES = 3;
const drawers = new WeakMap();
const sight = new IntersectionObserver((seen) => {
  for (const one of seen) {
    if (!one.isIntersecting) continue;
    sight.unobserve(one.target);
    drawers.get(one.target)();
  }
}, { rootMargin: "200px" });

/** The items of an order in words, with their pictures if wanted; what needs a choice is said. */
export function contents(order, signal, { pictures = false } = {}) {
  const place = h("span", { class: "contents" }, "…");
  drawers.set(place, async () => {
    try {
      const found = await get(fresh(`/v1/orders/${encodeURIComponent(order)}`), { signal });
      fill(place, pictures ? h("span", { class: "contents-pictures" }, found.lines.slice(0, PICTURES).map((line) => h("span", { class: "stamp tiny" }, picture(line)))) : null,
        h("span", { class: "contents-words" }, wordsOf(found.lines),
          found.parts.some((part) => part.waits === "choice" && part.units.length) ? [" ", h("span", { class: "badge s-open" }, t("shortage.badge"))] : null));
    } catch (problem) {
      if (!signal.aborted) place.textContent = "";  // the row says the rest
    }
  });
  sight.observe(place);
  return place;
}

const wordsOf = (lines) => lines.map((line) => (line.quantity > 1 ? `${names(line.name).main} × ${number(line.quantity)}` : names(line.name).main)).join(t("app.and"));
