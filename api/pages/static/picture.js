// An item's picture; the server has a neutral one for items without.
import { h } from "./dom.js";

/** Pictures come from this service alone (the page's policy); others are not asked for. */
export function picture(item) {
  const own = item.pictures?.find((one) => one.startsWith("/"));
  return h("img", { src: own ?? `/static/items/${item.sku}.svg`, alt: "", width: 240, height: 180, decoding: "async" });
}
