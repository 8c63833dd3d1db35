// The operations page: what leaves the house, what is in it, points, then the house itself.
import { account, accounts } from "./accounts.js";
import { bill } from "./bill.js";
import { bills } from "./bills.js";
import { carriers } from "./carriers.js";
import { claims } from "./claims.js";
import { consigned } from "./consigned.js";
import { costs } from "./costs.js";
import { declarations } from "./declarations.js";
import { delays } from "./delays.js";
import { packingOrder } from "./desk.js";
import { grants } from "./grants.js";
import { health } from "./health.js";
import { inspections } from "./inspections.js";
import { items } from "./items.js";
import { menu } from "./menu.js";
import { oddities } from "./oddities.js";
import { packing } from "./packing.js";
import { picking, pickList } from "./picking.js";
import { rates } from "./rates.js";
import { reviews } from "./reviews.js";
import { stock } from "./stock.js";
import { pages } from "./ui.js";
import { waiting } from "./waiting.js";
import { warehouses } from "./warehouses.js";
import { waves } from "./waves.js";
import { webhook, webhooks } from "./webhooks.js";
import { weekly } from "./weekly.js";
import { rehearsal, whatIf } from "./whatif.js";

menu();
pages({ "": packing, reviews, waves, picking, "picking/:list": pickList, packing, "packing/:number": packingOrder, consigned, declarations, delays, claims, inspections, stock, items, warehouses, rates, accounts, "accounts/:learner": account, grants, bills, "bills/:bill": bill, costs, weekly, "weekly/:week": weekly, waiting, oddities, carriers, webhooks, "webhooks/:id": webhook, health, whatif: whatIf, "whatif/:id": rehearsal },
  (route) => route.split("/")[0] || "packing");
