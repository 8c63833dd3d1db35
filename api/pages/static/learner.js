// The learner's page: mall, orders, one order live, points.
import { pages } from "./ui.js";
import { mall } from "./mall.js";
import { order } from "./order.js";
import { orders } from "./orders.js";
import { points } from "./points.js";

const TABS = { "": "mall", orders: "orders", "orders/:number": "orders", points: "points" };
pages({ "": mall, orders, "orders/:number": order, points }, (route) => TABS[route]);
