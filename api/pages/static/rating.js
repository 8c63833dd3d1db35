// How goods and delivery were, asked once a line when the order is completed (O4).
import { askFor } from "./asking.js";
import { h } from "./dom.js";
import { names, t } from "./words.js";

const STARS = [1, 2, 3, 4, 5];

/** What is asked of a completed order; nothing where nothing is. */
export function ratingPanel(found, changed) {
  if (!found.actions.rate?.possible) return null;
  return h("section", { class: "panel rating", "aria-labelledby": "rating" }, h("h2", { id: "rating" }, t("rating.title")),
    h("p", { class: "quiet small" }, t("rating.how")),
    h("button", { class: "primary compact", type: "button", onclick: () => openRating(found, changed) }, t("action.rate")));
}

/** What was said of a line. */
export function ratingWords(line) {
  if (!line.rating) return null;
  const { goods, delivery } = line.rating;
  const said = [`${t("rating.goods")} ${t("rating.stars", { n: goods })}`, delivery ? `${t("rating.delivery")} ${t("rating.stars", { n: delivery })}` : null];
  return h("p", { class: "small quiet rated" }, t("rating.said", { goods: said.filter(Boolean).join(" · ") }));
}

function openRating(found, changed) {
  const lines = found.actions.rate.lines.map((nth) => found.lines[nth - 1]);
  const asked = (line) => (line.kind === "course" ? ["goods"] : ["goods", "delivery"]);
  const given = (line, what) => document.querySelector(`dialog [name="${what}-${line.line}"]:checked`);
  askFor({
    title: t("rating.title"), path: `/v1/orders/${encodeURIComponent(found.number)}/ratings`, label: t("rating.send"),
    fields: lines.flatMap((line) => asked(line).map((what) => stars(line, what))),
    wrong: () => lines.flatMap((line) => asked(line).filter((what) => !given(line, what))
      .map((what) => ({ words: t("rating.missing", { what: t("rating.of", { what: t(`rating.${what}`), name: names(line.name).main }) }) }))),
    read: () => ({ ratings: lines.map((line) => ({ line: line.line, ...Object.fromEntries(asked(line).map((what) => [what, Number(given(line, what).value)])) })) }),
    said: () => t("rating.done"), done: (answer) => changed(answer.position),
  });
}

/** One row of radio buttons: arrows choose, as with any of them. */
function stars(line, what) {
  const name = names(line.name).main;
  return h("fieldset", { class: "stars" }, h("legend", null, t("rating.of", { what: t(`rating.${what}`), name })),
    STARS.map((n) => h("label", null, h("input", { type: "radio", name: `${what}-${line.line}`, value: String(n) }), h("span", { "aria-hidden": "true" }, "★".repeat(n)), h("span", { class: "visually-hidden" }, t("rating.stars", { n })))));
}
