// Who gets the parcels: the fields to fill in, and the words of one that is kept.
import { calmly, fill, h } from "./dom.js";
import { ask, failureWords, get } from "./http.js";
import { clearField, field } from "./ui.js";
import { countryName, isTerritory, t } from "./words.js";

const PLACE = ["province", "city", "district"];
export const HOME = "CN";
let served;
/** The countries abroad that the mall sends to; asked for once a page. */
const abroad = () => served ??= get("/v1/addresses/countries").then((found) => found.countries.map((one) => one.code), () => { served = undefined; return []; });

/** The fields of a recipient; a province that is `fixed` can be read but not changed, a country that `stays` is not asked for. */
export function recipientFields(kept, { fixed = false, stays = fixed } = {}) {
  const one = (name, props = {}, more) => field(name, t(`recipient.${name}`), { value: kept[name] ?? "", required: true, maxlength: 100, ...props }, more);
  const understood = h("div", { class: "understood field-hint", role: "status", "aria-live": "polite" });
  const lists = Object.fromEntries(["city", "district"].map((name) => [name, h("datalist", { id: `choose-${name}` })]));
  const countries = h("select", { autocomplete: "shipping country" });
  const country = field("country", t("recipient.country"), { required: true }, { control: countries });
  const postcode = one("postcode", { required: false, autocomplete: "shipping postal-code", maxlength: 12 });
  const fields = h("fieldset", { class: "recipient stack" }, h("legend", { class: "legend" }, t("recipient.title")), country,
    h("div", { class: "grid-2" },
      one("name", { autocomplete: "shipping name" }),
      one("phone", { type: "tel", autocomplete: "shipping tel", inputmode: "tel", maxlength: 40 })),
    one("address", { autocomplete: "shipping street-address", maxlength: 300 }, { hint: t("recipient.address_how") }),
    understood,
    h("div", { class: "grid-3" },
      one("province", { list: "provinces", autocomplete: "shipping address-level1", maxlength: 40, readonly: fixed }),
      one("city", { required: false, list: "choose-city", autocomplete: "shipping address-level2", maxlength: 40 }),
      one("district", { required: false, list: "choose-district", autocomplete: "shipping address-level3", maxlength: 40 }), postcode),
    Object.values(lists),
    h("p", { class: "field-hint" }, t("recipient.privacy")));
  const look = understanding(fields, understood, lists);
  fields.addEventListener("input", (event) => {
    if (event.target === countries) written(fields, { fixed });
    if (countries.value === HOME) look(event);
    else fill(understood);
  });
  choices(countries, stays ? [] : [HOME], kept.country ?? HOME);
  written(fields, { fixed });
  if (!stays) abroad().then((codes) => { choices(countries, [HOME, ...codes], countries.value); written(fields, { fixed }); });
  return fields;
}

/** The countries to choose from; a single one need not be asked about. */
function choices(box, codes, chosen) {
  const all = codes.includes(chosen) ? codes : [...codes, chosen];
  fill(box, all.map((code) => h("option", { value: code }, countryName(code))));
  box.value = chosen;
  box.closest(".field").hidden = all.length < 2 && chosen === HOME;
}

/** Which fields an address has, as it is written in the chosen country. */
function written(fields, { fixed }) {
  const part = (name) => fields.querySelector(`.field[data-field=${name}]`);
  const box = (name) => fields.querySelector(`[name=${name}]`);
  const code = box("country").value;
  const home = code === HOME;
  const territory = isTerritory(code);
  part("district").hidden = !home;
  part("province").hidden = territory || (fixed && !home);
  part("postcode").hidden = home;
  box("province").required = home;
  box("city").required = !home && !territory;
  for (const name of ["province", "city"]) mark(part(name), box(name));
  for (const [name, list] of [["province", "provinces"], ["city", "choose-city"]]) {
    if (home) box(name).setAttribute("list", list);
    else box(name).removeAttribute("list");
  }
  part("province").querySelector("label").firstChild.textContent = t(home ? "recipient.province" : "recipient.state");
  part("address").querySelector(".field-hint").textContent = t(home ? "recipient.address_how" : "recipient.address_abroad");
}

/** Says of a field whether it may be left empty, as it is now. */
function mark(part, box) {
  const label = part.querySelector("label");
  label.querySelector(".optional")?.remove();
  if (!box.required) label.append(h("span", { class: "optional" }, t("form.optional")));
}

/** Fills in what the address says of province, city and district, and asks for what it does not. */
function understanding(fields, told, lists) {
  const box = (name) => fields.querySelector(`[name=${name}]`);
  const filled = {};
  let asking;

  // What somebody typed stays; what was filled in before goes with the text it came from.
  const free = (name) => !box(name).readOnly && (!box(name).value || box(name).value === filled[name]);
  const put = (place) => {
    const before = PLACE.map((name) => box(name).value).join();
    for (const name of PLACE.filter(free)) set(box(name), filled[name] = place[name]);
    if (before !== PLACE.map((name) => box(name).value).join()) box("city").dispatchEvent(new Event("input", { bubbles: true }));
  };
  const choose = (place) => {
    for (const name of PLACE) {
      delete filled[name];
      if (!box(name).readOnly) set(box(name), place[name]);
    }
    box("city").dispatchEvent(new Event("input", { bubbles: true }));
  };
  const look = calmly(400, async () => {
    asking?.abort();
    const address = box("address").value.trim();
    if (!address || !fields.isConnected) return;
    asking = new AbortController();
    const typed = PLACE.filter((name) => box(name).value.trim() && !free(name)).map((name) => [name, box(name).value.trim()]);
    try {
      const said = await ask("/v1/addresses/parsed", { address, ...Object.fromEntries(typed) }, { signal: asking.signal });
      put(said);
      fill(told, said.doubts.map((doubt) => h("p", null, failureWords(doubt))),
        said.candidates.map((place) => h("button", { class: "button compact", type: "button", onclick: () => choose(place) }, placeWords(place))));
      await offer(lists, said.division, asking.signal);
    } catch (problem) {
      if (problem.name !== "AbortError") fill(told);  // placing says what cannot be used
    }
  });
  return (event) => {
    if (["address", ...PLACE].includes(event.target.name)) look();
  };
}

/** The cities of the province that is understood, and the districts of the city. */
async function offer(lists, division, signal) {
  if (!division) return;
  const [province, city] = [`${division.slice(0, 2)}0000`, `${division.slice(0, 4)}00`];
  const below = async (code) => (await get(`/v1/addresses/divisions?of=${code}`, { signal })).divisions;
  const cities = await below(province);
  const districts = city !== province && cities.some((one) => one.code === city) ? await below(city) : cities.filter((one) => !one.code.endsWith("00"));
  fill(lists.city, cities.filter((one) => one.code.endsWith("00")).map((one) => h("option", { value: one.name })));
  fill(lists.district, districts.map((one) => h("option", { value: one.name })));
}

/** A value that nobody typed: what was said of the empty field goes, too. */
function set(box, value) {
  box.value = value;
  if (value) clearField(box);
}

const placeWords = (place) => [...new Set(PLACE.map((name) => place[name]))].filter(Boolean).join(" ");

/** What was typed into them. */
export function recipientOf(fields) {
  const typed = Object.fromEntries(["name", "phone", "province", "city", "district", "address", "country", "postcode"].map((name) => [name, fields[name].value.trim()]));
  const home = typed.country === HOME;
  const hidden = home ? ["country", "postcode"] : isTerritory(typed.country) ? ["province", "district"] : ["district"];
  for (const name of hidden) delete typed[name];
  for (const name of home ? ["city", "district"] : ["province", "city", "postcode"]) if (!typed[name]) delete typed[name];
  return typed;
}

/** A recipient as two lines of text. */
export function recipientWords(one) {
  const far = one.country && one.country !== HOME;
  const place = far && !isTerritory(one.country) ? [one.address, one.city, one.province, one.postcode, countryName(one.country)] : [placeWords(one), one.address, one.postcode];
  return [h("strong", null, one.name), " ", h("span", { class: "num" }, one.phone), h("br"), place.filter(Boolean).join(" ")];
}
