// Building the page from values: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("p", {class: "quiet", onclick}, "text", child, [children], null). */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name in PROPERTIES) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

const PROPERTIES = { value: 1, checked: 1, disabled: 1, hidden: 1, selected: 1, indeterminate: 1 };

function flat(children) {
  return children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false);
}

/** Put these children into an element instead of what it has. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** One of the icons of icons.svg. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** An SVG element with attributes, for drawings. */
export function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...flat(children));
  return element;
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Draw something anew; who is at an entry, a button or a field in it stays there. */
export function keepingFocus(root, draw) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const home = active?.closest("[id]");
  draw();
  if (!active) return;
  const place = home && root.querySelector(`#${CSS.escape(home.id)}`);
  const drawn = () => (active === home ? place : $$("a, button", place ?? root).find((one) => one.textContent === active.textContent));
  const same = active.isConnected ? active : drawn();
  same?.focus({ preventScroll: true });
}

/** Put these rows into their list; those that are there already are not touched, so the focus stays. */
export function reorder(list, rows) {
  for (const one of [...list.children]) if (!rows.includes(one)) one.remove();
  rows.forEach((row, at) => { if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null); });
}

/** Draws rows of what was read; a row stays the very same one as long as nothing about it changed. */
export function keepingRows(key, draw) {
  const had = new Map();
  return (found) => found.map((one) => {
    const shown = JSON.stringify({ ...one, age_seconds: null });  // its age alone draws nothing anew
    const known = had.get(one[key]);
    if (known?.shown === shown) return known.row;
    const row = draw(one);
    had.set(one[key], { shown, row });
    return row;
  });
}

/** Call again and again while the signal allows and the page is seen. */
export function again(call, { signal, ms = 3000 }) {
  const timer = setInterval(() => { if (!document.hidden) call(); }, ms);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

let serial = 0;
/** An id nobody else has. */
export const unique = (stem) => `${stem}-${++serial}`;

/** Wait, but no longer than the signal allows. */
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Call at most once in a while, with the last arguments. */
export function calmly(ms, call) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...args), ms);
  };
}
