// The groups of a page with many views: beside it where there is room, else behind a button.
import { $, $$ } from "./dom.js";

/** Opens and closes the groups; the button says which view is shown. */
export function menu() {
  const button = $("#menu");
  const groups = $("#groups");
  const open = (yes) => button.setAttribute("aria-expanded", String(yes));
  const isOpen = () => button.getAttribute("aria-expanded") === "true";
  button.addEventListener("click", () => open(!isOpen()));
  groups.addEventListener("click", (event) => { if (event.target.closest("a")) open(false); });
  document.addEventListener("click", (event) => { if (!event.target.closest("#tabs")) open(false); });
  $("#tabs").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    open(false);
    button.focus();
  });
  new MutationObserver(() => {
    const now = $$("a[aria-current]", groups)[0];
    $("#menu-now").textContent = now ? now.textContent : "";
  }).observe(groups, { subtree: true, attributes: true, attributeFilter: ["aria-current"] });
}
