// The support desk: find an order, see all of it on one screen, act from there.
import { caseList } from "./caselist.js";
import { find } from "./find.js";
import { traced } from "./traced.js";
import { pages } from "./ui.js";

pages({ "": find, cases: caseList, "orders/:number": traced, "learners/:learner": find }, (route) => (route === "cases" ? "cases" : "find"));
