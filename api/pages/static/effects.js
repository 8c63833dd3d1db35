// What a command would do, in words, from what the decision itself says of it (D6).
import { language, lastDay, names, number, t, warehouseName, word, yuan } from "./words.js";

const points = (list) => list.reduce((sum, one) => sum + one.points, 0);

/** What an order's command would give back: points to which lots, cash, stock, items as its `lines` call them. */
export function effectsOfOrder(action, lines) {
  return [...backTo(action.lots ?? []), action.debt_paid ? t("effect.debt", { n: action.debt_paid }) : null, cash(action.cash_fen), action.freight_fen ? t("effect.freight", { cash: yuan(action.freight_fen) }) : null, ...(action.stock ?? []).map((one) => t("effect.free", shelf(one, lines))), action.needs_second_person ? t("effect.second") : null].filter(Boolean).join(" · ") || t("effect.nothing");
}

/** What a command on a case would do, items as the `lines` of its order call them. */
export function effectsOfCase(action, lines) {
  return [...backTo(action.points ?? []), cash(action.cash_fen),
    ...(action.stock ?? []).map((one) => t(`effect.${one.change}`, shelf(one, lines))),
    ...(action.claims ?? []).map((one) => t("effect.claim", { cash: yuan(one.claimed_fen), carrier: word("carrier", one.carrier) })),
    ...(action.orders ?? []).map((order) => t("effect.order", { number: order })),
    action.window_until ? t("effect.window", { day: lastDay(action.window_until) }) : null,
    action.needs_second_person ? t("effect.second") : null].filter(Boolean);
}

/** What became of the claims that a decision files by itself, after its own words. */
export function withClaims(words, claims) {
  const told = (claims ?? []).map((one) => (one.claim ? t("effect.claimed", { cash: yuan(one.claimed_fen) }) : t("effect.unclaimed", { why: language === "zh" ? one.why_zh : one.why })));
  return [words, ...told].join(" · ");
}

/** Points that come back, and the last day on which all of them are good. */
export function backTo(lots) {
  if (!lots.length) return [];
  const expiries = lots.filter((one) => one.expires_at).map((one) => one.expires_at).sort();
  return [t("effect.points", { n: points(lots) }) + (lots.length > 1 ? t("effect.lots", { n: lots.length }) : ""), ...(expiries.length ? [t("effect.expires", { day: lastDay(expiries[0]) })] : [])];
}

const cash = (fen) => (fen ? t("order.cash_back", { cash: yuan(fen) }) : null);

const shelf = (one, lines) => ({ n: number(one.quantity), item: names(lines.find((line) => line.sku === one.sku)?.name ?? one.sku).main, warehouse: warehouseName(one.warehouse) });
