// The operations page: packing desk, stock, items, warehouses, accounts, grants, what waits, webhooks, health.
import { account, accounts } from "./accounts.js";
import { carriers } from "./carriers.js";
import { packingOrder } from "./desk.js";
import { grants } from "./grants.js";
import { health } from "./health.js";
import { items } from "./items.js";
import { packing } from "./packing.js";
import { stock } from "./stock.js";
import { pages } from "./ui.js";
import { waiting } from "./waiting.js";
import { warehouses } from "./warehouses.js";
import { webhook, webhooks } from "./webhooks.js";

pages({ "": packing, packing, "packing/:number": packingOrder, stock, items, warehouses, accounts, "accounts/:learner": account, grants, waiting, carriers, webhooks, "webhooks/:id": webhook, health },
  (route) => route.split("/")[0] || "packing");
