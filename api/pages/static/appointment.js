// When a parcel's recipient and its carrier agreed that it is delivered (T8).
import { h } from "./dom.js";
import { clock, dayKey, t, weekday } from "./words.js";

/** Whether it is still to come as agreed. */
export const isAgreed = (one) => Boolean(one.appointment) && new Date(one.appointment.ends_at) > Date.now();

/** The line that says when; a day that ends with it, or is all of it, is not told by the clock. */
export function agreed(one) {
  if (!one.appointment) return null;
  const { starts_at: from, ends_at: until } = one.appointment;
  const lasts = dayKey(until) !== dayKey(from);
  const kind = !lasts ? "span" : clock(from) === "00:00" ? "day" : "from";
  return h("p", { class: "appointment" }, t(`appointment.${kind}`, { day: weekday(from), from: clock(from), until: clock(until) }));
}
