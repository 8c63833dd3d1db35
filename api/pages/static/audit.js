// The audit page: any history replayed, the books, who did what.
import { books } from "./books.js";
import { logbook } from "./logbook.js";
import { replayOrder, replayStream, searchPage } from "./replay.js";
import { pages } from "./ui.js";

const TABS = { "": "replay", "order/:number": "replay", "stream/:stream": "replay", books: "books", log: "log" };
pages({ "": searchPage, "order/:number": replayOrder, "stream/:stream": replayStream, books, log: logbook }, (route) => TABS[route]);
