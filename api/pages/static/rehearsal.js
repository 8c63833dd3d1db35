// Rehearsing what a carrier's aggregator pushes: its address, its salt, a command that sends it (M3).
import { fill, h, icon } from "./dom.js";
import { get } from "./http.js";
import { problemBox, toast } from "./ui.js";
import { t } from "./words.js";

/** Folded until somebody wants it: who has the salt can sign as the carrier. */
export function rehearsal(parcel) {
  const place = h("div", { class: "stack" });
  const more = h("details", { class: "rehearsal" }, h("summary", null, t("packing.rehearse")), place);
  more.addEventListener("toggle", async () => {
    if (!more.open || place.childElementCount) return;
    try {
      fill(place, push(parcel, await get(`/v1/parcels/${encodeURIComponent(parcel.number)}/callback`)));
    } catch (problem) {
      fill(place, problemBox(problem.words));
    }
  });
  return more;
}

/** A push as the carrier's aggregator would send it, to be pasted into a shell. */
function push(parcel, link) {
  const scans = [["在途", t("packing.say_transit"), "0"], ["派件", t("packing.say_out"), "5"], ["签收", t("packing.say_signed"), "3"]];
  const pick = h("select", { "aria-label": t("packing.say") }, scans.map(([, label], n) => h("option", { value: n }, label)));
  const code = h("code");
  const draw = () => { code.textContent = command(parcel, link, Number(pick.value)); };
  pick.addEventListener("change", draw);
  draw();
  return [h("p", { class: "quiet small" }, t("packing.rehearse_how")),
    h("dl", { class: "figures link-figures" }, h("dt", null, t("packing.callback_url")), h("dd", { class: "mono" }, link.callback_url), h("dt", null, t("packing.salt")), h("dd", { class: "mono" }, link.salt)),
    h("div", { class: "row" }, pick, h("button", { class: "tool", type: "button", onclick: () => navigator.clipboard.writeText(code.textContent).then(() => toast(t("app.copied")), () => toast(t("app.copy_failed"), "bad")) }, icon("copy"), t("app.copy"))),
    h("pre", { tabindex: 0 }, code)];
}

const STORY = [
  ["快件到达 【杭州转运中心】", "在途", "0"],
  ["快件正在派送中,派送员:王**,电话:1******8000", "派件", "5"],
  ["快件已签收,签收人:本人签收", "签收", "3"],
];

function command(parcel, link, upTo) {
  const now = Date.now();
  const stamp = (at) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium" }).format(at);
  const data = STORY.slice(0, upTo + 1).map(([context, status, statusCode], place) => ({ time: stamp(now - (upTo - place) * 60000), ftime: stamp(now - (upTo - place) * 60000), context, status, statusCode })).reverse();
  const param = JSON.stringify({ status: upTo === 2 ? "shutdown" : "polling", billstatus: "got", message: "", lastResult: { message: "ok", state: STORY[upTo][2], status: "200", condition: "F00", ischeck: upTo === 2 ? "1" : "0", com: parcel.carrier, nu: parcel.waybill, data } });
  return `param='${param}'\nsign=$(printf '%s' "$param${link.salt}" | md5sum | cut -c1-32 | tr a-f A-F)\ncurl --data-urlencode "param=$param" -d "sign=$sign" '${link.callback_url}'\n`;
}
