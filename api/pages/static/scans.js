// What a carrier saw, in the page's language, with its own words behind it.
import { h } from "./dom.js";
import { inPrint, language, t } from "./words.js";

/** The state that a scan tells of; in Chinese the carrier's words say it themselves. */
export const scanState = (scan) => (language === "zh" ? inPrint(scan.text) : t(`scan.${scan.kind}`));

/** The carrier's words, where they are not what is read already. */
export const scanOriginal = (scan) => (language === "zh" ? null : h("span", { class: "quiet small original", lang: "zh-CN" }, inPrint(scan.text)));

/** Both, one after the other. */
export const scanWords = (scan) => [h("span", null, scanState(scan)), scanOriginal(scan) && [" ", scanOriginal(scan)]];
