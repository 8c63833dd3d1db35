// Finding orders: whatever may be a phone number, or the beginning of one, goes into a body.
// Addresses are in the logs of every proxy on the way.

import { ask, fresh, get } from "./http.js";

const MAYBE_PHONE = /^[+\d０-９\s().·\-]{5,}$/;
const MOBILE = /1[3-9]\d{9}/;

/** Orders by number, waybill, phone or its last four digits. */
export async function search(text, { signal } = {}) {
  const byAddress = () => get(fresh(`/v1/search?q=${encodeURIComponent(text)}`), { signal });
  if (!MAYBE_PHONE.test(text)) return byAddress();
  try {
    return await ask(fresh("/v1/search"), { q: text }, { signal });
  } catch (problem) {
    // Auditors post nothing; to them, digits are a waybill.
    if (problem.status !== 403 || MOBILE.test(text.replace(/\D/g, ""))) throw problem;
    return byAddress();
  }
}
