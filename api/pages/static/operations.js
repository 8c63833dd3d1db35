// The operations page: packing desk, stock, items, grants, health.
import { grants } from "./grants.js";
import { health } from "./health.js";
import { items } from "./items.js";
import { packing, packingOrder } from "./packing.js";
import { stock } from "./stock.js";
import { pages } from "./ui.js";

const TABS = { "": "packing", packing: "packing", "packing/:number": "packing", stock: "stock", items: "items", grants: "grants", health: "health" };
pages({ "": packing, packing, "packing/:number": packingOrder, stock, items, grants, health }, (route) => TABS[route]);
