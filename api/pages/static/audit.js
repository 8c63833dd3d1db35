// The audit page: any history replayed, the books, the controls, who did what.
import { books } from "./books.js";
import { controls } from "./controls.js";
import { logbook } from "./logbook.js";
import { replayOrder, replayStream, searchPage } from "./replay.js";
import { pages } from "./ui.js";

const TABS = { "": "replay", "order/:number": "replay", "stream/:stream": "replay", books: "books", controls: "controls", log: "log" };
pages({ "": searchPage, "order/:number": replayOrder, "stream/:stream": replayStream, books, controls, log: logbook }, (route) => TABS[route]);
