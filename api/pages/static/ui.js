// What all pages share: theme, tabs, dialogs, fields, toasts, empty and broken states.

import { $, $$, fill, h, icon, unique } from "./dom.js";
import { placeWords, t, word } from "./words.js";

/** Say something to those who listen rather than look. */
export function announce(text) {
  const news = $("#news");
  news.textContent = "";
  setTimeout(() => { news.textContent = text; }, 60);
}

/** A short message that goes away by itself, and is read out. */
export function toast(text, kind = "good") {
  const one = h("p", { class: `toast ${kind}` }, icon(kind === "good" ? "check" : "warn"), h("span", null, text));
  const dialog = $("dialog[open]");
  const place = $("#toasts");
  (dialog ?? document.body).append(place);
  place.append(one);
  announce(text);
  setTimeout(() => one.remove(), 6000);
}

/** What to say once, however often a change has to be sent again. */
export function waitingWords() {
  let said = false;
  return () => {
    if (!said) toast(t("app.waiting"), "bad");
    said = true;
  };
}

/** A labelled control: its name, its words, its attributes. */
export function field(name, label, props = {}, { hint, control, className, later } = {}) {
  const id = unique(name);
  const box = control ?? (props.options ? select(props) : h(props.rows ? "textarea" : "input", { type: props.rows ? null : "text", ...props }));
  box.id = id;
  box.name = name;
  const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const note = hint ? h("p", { class: "field-hint", id: `${id}-hint` }, hint) : null;
  box.setAttribute("aria-describedby", [note && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "));
  box.addEventListener("input", () => clearField(box));
  return h("div", { class: `field ${className ?? ""}`.trim(), dataset: { field: name } },
    h("label", { for: id }, label, props.required || later ? null : h("span", { class: "optional" }, t("form.optional"))),
    box, note, error);
}

function select({ options, value, ...props }) {
  delete props.type;
  const box = h("select", props, options.map(([key, text]) => h("option", { value: key }, text)));
  if (value !== undefined) box.value = value;
  return box;
}

/** Say what is wrong with a field, where it is. */
export function fieldError(box, text) {
  const place = box.closest(".field");
  const folded = box.closest("details");
  if (folded) folded.open = true;
  place.classList.add("bad");
  box.setAttribute("aria-invalid", "true");
  const error = $(".field-error", place);
  error.textContent = text;
  error.hidden = false;
}

export function clearField(box) {
  const place = box.closest(".field");
  if (!place?.classList.contains("bad")) return;
  place.classList.remove("bad");
  box.removeAttribute("aria-invalid");
  $(".field-error", place).hidden = true;
}

/** What is wrong with what was typed, as far as it can be seen before it is sent; `own` is what only this form knows. */
export function wrongIn(form, own = () => []) {
  const told = (reasonOf) => [...form.elements].filter((one) => one.willValidate && one.closest(".field"))
    .map((one) => ({ field: one.name, words: reasonOf(one) })).filter((one) => one.words);
  const gaps = told(gapIn);
  if (gaps.length) return gaps;
  const first = own(form.elements);
  return [...first, ...told(limitOf).filter((one) => !first.some((each) => each.field === one.field))];
}

/** Not there, or not what its kind is written like: a browser hands on letters in a number as nothing at all. */
function gapIn(box) {
  if (box.validity.badInput) return t(box.type === "number" ? "invalid.number" : "invalid.unfinished");
  return box.required && !box.value.trim() ? t("invalid.missing") : null;
}

/** Outside of what its field takes, in the field's own unit. */
function limitOf({ type, min, max, step, validity }) {
  if (type !== "number") return null;
  if (validity.rangeUnderflow) return t("invalid.at_least", { n: Number(min) });
  if (validity.rangeOverflow) return t("invalid.at_most", { n: Number(max) });
  return validity.stepMismatch ? t(step === "0.01" ? "invalid.hundredths" : "invalid.int_parsing") : null;
}

/** Show a problem at the fields it names, and the rest above the form's buttons; `belongs` names a field for a reason's code or path. */
export function showProblem(form, problem, place = $(".problem", form), belongs = {}) {
  const others = [];
  let first = null;
  for (const reason of problem.reasons ?? []) {
    // By its whole path where a form has several of its kind; one of a list may be typed in one field.
    const names = [belongs[reason.code], belongs[reason.path], reason.path, reason.path?.replace(/\.\d+$/, ""), reason.field].filter(Boolean);
    const box = names.map((name) => form.elements[name]).find((one) => one instanceof HTMLElement);
    if (box instanceof HTMLElement) {
      fieldError(box, reason.words);
      first ??= box;
    } else if (reason.words !== problem.words) others.push(reason.path && reason.path !== "body" ? `${placeWords(reason.path)}${t("app.colon")}${reason.words}` : reason.words);
  }
  // A problem that is its only reason is said once, with its place in words.
  const title = problem.words ?? String(problem);
  const alone = others.length === 1 && problem.reasons.length === 1 && title.endsWith(problem.reasons[0].words);
  fill(place, problemBox(first && !others.length ? t("problem.invalid") : alone ? others[0] : title, alone ? [] : others));
  place.hidden = false;
  if (first) first.focus();
  else place.scrollIntoView({ block: "nearest" });
}

/**
 * While nobody knows what became of a wish, it stays as it was sent: pressing again asks after that one,
 * and what was typed meanwhile would be lost.
 */
export function keepAsSent(form, { unknown }) {
  for (const one of form.querySelectorAll("input, select, textarea, button:not([type=submit])")) {
    if (unknown && !one.disabled) {
      one.disabled = true;
      one.dataset.sent = "yes";
    } else if (!unknown && one.dataset.sent) {
      one.disabled = false;
      delete one.dataset.sent;
    }
  }
}

/** What went wrong, with its reasons. */
export function problemBox(title, reasons = []) {
  return h("div", { class: "problem-box", role: "alert" }, icon("warn"),
    h("div", null, h("p", { class: "problem-title" }, title),
      reasons.length ? h("ul", null, reasons.map((one) => h("li", null, one))) : null));
}

/** Do something at a button's press, once at a time. */
export async function busily(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return undefined;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("busy");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("busy");
  }
}

/** A modal dialog with a title; closes by Escape, its button, or the shade around it. */
export function dialog(title, content, { wide = false, onclose } = {}) {
  const id = unique("dialog");
  const box = h("dialog", { class: wide ? "wide-dialog" : "", "aria-labelledby": id },
    h("div", { class: "dialog-inner" },
      h("header", { class: "dialog-head" }, h("h2", { id }, title),
        h("button", { class: "tool icon-only", type: "button", "aria-label": t("app.close"), onclick: () => box.close() }, icon("close"))),
      content));
  box.addEventListener("mousedown", (event) => { if (event.target === box && !box.dataset.locked) box.close(); });
  box.addEventListener("cancel", (event) => { if (box.dataset.locked) event.preventDefault(); });
  box.addEventListener("close", () => {
    document.body.append($("#toasts"));
    box.remove();
    onclose?.();
  });
  const goOn = comingBack();
  box.addEventListener("close", goOn);
  document.body.append(box);
  box.showModal();
  return box;
}

/** So long a view may take to draw what was changed in a dialog. */
const REDRAWN_MS = 3000;

/**
 * Browsers lead back to the button that opened a dialog. Where the change drew it anew, it goes on at the one
 * in its place, or at the page's heading: never at the top of the document.
 */
function comingBack() {
  const opener = document.activeElement;
  const view = $("#view");
  if (!view?.contains(opener)) return () => {};
  const alike = () => $$("a, button", view).filter((one) => one.textContent === opener.textContent);
  const at = alike().indexOf(opener);
  return () => {
    const goOn = (last) => {
      if (opener.isConnected) return;
      if (document.activeElement !== document.body || $("dialog[open]")) watch.disconnect();
      else {
        const found = alike();
        const place = found[Math.min(at, found.length - 1)] ?? (last ? $("h1", view) : null);
        if (place?.matches("h1")) place.tabIndex = -1;
        place?.focus({ preventScroll: true });
      }
    };
    const watch = new MutationObserver(() => goOn(false));
    watch.observe(view, { childList: true, subtree: true });
    setTimeout(() => { watch.disconnect(); goOn(true); }, REDRAWN_MS);
  };
}

/** Nothing here yet, said kindly. */
export function empty(title, text, action) {
  return h("div", { class: "empty" }, icon("box"), h("p", { class: "empty-title" }, title), text ? h("p", { class: "quiet" }, text) : null, action);
}

/** It could not be shown; try again. */
export function broken(problem, again) {
  return h("div", { class: "empty" }, icon("warn"), h("p", { class: "empty-title" }, problem.words ?? t("problem.error")),
    // What one may not see now, one may not see when asked again.
    again && problem.status !== 403 ? h("button", { class: "button", type: "button", onclick: again }, t("app.again")) : null);
}

/**
 * A button that asks for the next page until there is none; `draw` puts the page into its list.
 * Who pressed it by keyboard goes on at the first of the new rows when it is gone.
 */
export function moreButton(list, next, ask, draw, label = t("app.more")) {
  if (!next) return null;
  const button = h("button", { class: "button wide more", type: "button", onclick: () => busily(button, async () => {
    try {
      const page = await ask(next);
      const first = list.childElementCount;
      draw(page);
      next = page.next;
      if (next) return;
      button.remove();
      $("a, button", list.children[first])?.focus();
    } catch (problem) {
      if (problem.name !== "AbortError") toast(problem.words ?? t("problem.error"), "bad");
    }
  }) }, label);
  return button;
}

/** The rows there were before a change, page by page, and where the next page starts. */
export async function pagesOf(ask, field, least = 0) {
  const rows = [];
  let page = { next: null };
  do {
    page = await ask(page.next);
    rows.push(...page[field]);
  } while (page.next && rows.length < least);
  return { rows, next: page.next };
}

/** An address with the cursor of its next page. */
export const after = (path, cursor) => (cursor ? `${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : path);

/** The place where something will be. */
export const loading = (rows = 3) => h("div", { class: "skeleton", role: "status" },
  h("span", { class: "visually-hidden" }, t("app.loading")), Array.from({ length: rows }, () => h("i")));

/** A coloured word for a state. */
export const badge = (list, value) => h("span", { class: `badge s-${value}` }, word(list, value));

/** How far a line or part is: a course is opened, and nobody signs for it (rules.md 7). */
export function progressWords(kind, state, until) {
  if (kind !== "course" || !["pending_end", "completed"].includes(state)) return word("status", state);
  return t(state === "pending_end" || (until && new Date(until) > new Date()) ? "course.open" : "course.done");
}

/** How far an order is, as staff see it: nobody signs for courses alone. */
export function orderBadge({ lines, state }) {
  const course = lines.every((one) => one.kind === "course");
  return h("span", { class: `badge s-${state}` }, progressWords(course ? "course" : "parcel", state));
}

/** The same as a badge. */
export const progress = (kind, state, until) => h("span", { class: `badge s-${state}` }, progressWords(kind, state, until));

/** Number field with − and +, by mouse or keys; what is typed counts as it is typed. */
export function stepper({ value, min = 1, max = 99, label, onchange }) {
  const box = h("input", { type: "number", inputmode: "numeric", min, max, value: String(value), "aria-label": label,
    onchange: () => set(Number(box.value)),
    oninput: () => { if (box.value !== "") set(Number(box.value)); } });
  const set = (next) => {
    const kept = Math.min(max, Math.max(min, Math.trunc(next) || min));
    if (box.value !== String(kept)) box.value = String(kept);
    less.disabled = kept <= min;
    more.disabled = kept >= max;
    if (kept !== value) { value = kept; onchange?.(kept); }
  };
  const less = h("button", { type: "button", "aria-label": t("form.less"), disabled: value <= min, onclick: () => set(value - 1) }, icon("minus"));
  const more = h("button", { type: "button", "aria-label": t("form.more"), disabled: value >= max, onclick: () => set(value + 1) }, icon("plus"));
  return h("div", { class: "stepper" }, less, box, more);
}

/** A button that puts a text on the clipboard. */
export function copyButton(text, label = t("app.copy")) {
  return h("button", { class: "tool", type: "button", onclick: async () => {
    try { await navigator.clipboard.writeText(text); toast(t("app.copied")); } catch { toast(t("app.copy_failed"), "bad"); }
  } }, icon("copy"), h("span", null, label));
}

/**
 * Pages by address fragment: `routes` maps "orders/:number" to a function that gets the view's
 * element, the parts of the address, and a signal that ends with the page.
 */
export function pages(routes, tabOf) {
  let current;
  const [place] = document.title.split(" · ").slice(-1);
  const show = async (moved) => {
    current?.abort();
    current = new AbortController();
    const path = location.hash.replace(/^#\/?/, "").split("?")[0].split("/").filter(Boolean).map(decodeURIComponent);
    const name = Object.keys(routes).find((one) => {
      const parts = one.split("/").filter(Boolean);
      return parts.length === path.length && parts.every((part, n) => part.startsWith(":") || part === path[n]);
    }) ?? "";
    for (const open of $$("dialog[open]:not([data-locked])")) open.close();
    for (const tab of $$("#tabs a")) {
      if (tab.dataset.tab !== tabOf(name)) tab.removeAttribute("aria-current");
      else {
        tab.setAttribute("aria-current", "page");
        tab.scrollIntoView({ block: "nearest", inline: "center" });
      }
    }
    const view = $("#view");
    view.setAttribute("aria-busy", "true");
    const signal = current.signal;
    try {
      await routes[name](view, path, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!("words" in error)) console.error(error);
      // What cannot be a number of ours is not there either.
      const lost = [404, 422].includes(error.status);
      fill(view, h("h1", { class: "visually-hidden" }, t("app.not_shown")),
        lost ? empty(error.status === 404 ? error.words : t("problem.not_found"), "", h("a", { class: "button", href: "#/" }, t("app.home"))) : broken(error, () => show(false)));
    }
    if (signal.aborted) return;
    view.removeAttribute("aria-busy");
    const title = $("h1", view);
    if (title) document.title = `${title.textContent} · ${place}`;
    if (moved) {
      scrollTo(0, 0);
      if (title) { title.tabIndex = -1; title.focus({ preventScroll: true }); }
    }
  };
  addEventListener("hashchange", () => show(true));
  show(false);
}

// --- theme and language -----------------------------------------------------------------------

const THEMES = ["auto", "light", "dark"];
$("#theme")?.addEventListener("click", () => {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
  root.dataset.theme = next;
  const age = next === "auto" ? 0 : 31536000;
  document.cookie = `tallypost_theme=${next}; path=/; max-age=${age}; samesite=lax`;
  toast(t(`theme.${next}`));
});
$("#language")?.addEventListener("click", (event) => {
  event.currentTarget.href = `?lang=${event.currentTarget.hreflang}${location.hash}`;
});
$(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();  // the fragment is the page's address
  $("#main").focus();
});
