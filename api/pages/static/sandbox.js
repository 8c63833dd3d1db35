// The sandbox's page: the partners that are played, what went to and fro, and how they behave (M3).
import { sandboxOverview } from "./sandbox_overview.js";
import { sandboxPartner } from "./sandbox_partner.js";
import { pages } from "./ui.js";

pages({ "": sandboxOverview, ":partner": sandboxPartner }, () => "");
