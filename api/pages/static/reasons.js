// What can be wrong with a parcel (rules.md 28).

/** Reasons of a case. Who changed their mind returns the goods instead. */
export const REASONS = ["not_received", "lost", "damaged", "wrong_goods", "missing_parts", "not_as_described", "late"];
