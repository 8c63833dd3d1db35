"""承运商选择 Which carrier takes a parcel, and why not the others (W4)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from domain.cargo import Cargo
from domain.house_rules import HouseRules
from domain.rate_cards import Offer, Quote
from domain.rate_facts import Service, Wanted, Why


class Choice(NamedTuple):
    """The carrier of a parcel, and what each that serves the lane would have cost."""

    carrier: str
    quote: Quote
    hours: int
    service: Service
    """Among which carriers was chosen: the lane keeps one of each."""
    wanted: Wanted
    why: Why
    takers: Sequence[Offer]
    """Those who take such a parcel there."""
    cargo: Cargo
    rules: HouseRules

    @property
    def costs_fen(self) -> dict[str, int]:
        """By carrier: its quote and what is expected to go wrong. Asked for the parcels that go."""
        return {
            one.carrier: expected_cost_fen(one, quote, self.cargo, rules=self.rules)
            for one in self.takers
            if (quote := one.quote(self.cargo)) is not None
        }


def wanted_for(*, urgent: bool, value_fen: int, rules: HouseRules) -> Wanted:
    """What matters about an order's parcels.

    The value is the order's, not the parcel's: else two parcels instead of one would evade the
    fast carrier.
    """
    if urgent:
        return Wanted.URGENT
    return Wanted.VALUABLE if value_fen >= rules.valuable_fen else Wanted.ECONOMICAL


def expected_cost_fen(offer: Offer, quote: Quote, cargo: Cargo, *, rules: HouseRules) -> int:
    """The quote, and what lost, damaged and late parcels of this carrier cost on average."""
    risk = offer.risk
    harm = cargo.value_fen * (risk.lost_per_million + risk.damaged_per_million)
    late = rules.late_parcel_fen * risk.late_per_thousand
    return quote.fen - (-harm // 1_000_000) - (-late // 1_000)


def coming_into_question(
    serving: Sequence[Offer], wanted: Wanted
) -> tuple[Service, Sequence[Offer]]:
    """The fast ones if speed or safety matters and any of these is fast, else all of them."""
    if wanted is not Wanted.ECONOMICAL:
        fast = [one for one in serving if one.service is Service.FAST]
        if fast:
            return Service.FAST, fast
    return Service.ECONOMICAL, serving


def choose(
    offers: Iterable[Offer],
    cargo: Cargo,
    *,
    wanted: Wanted,
    kept: Mapping[Service, str],
    rules: HouseRules,
) -> Choice | None:
    """The carrier at the least expected cost; the lane's own one unless changing is worth it.

    `kept` names the carriers that this lane's parcels went with last. None: nobody takes such a
    parcel there.
    """
    takers = [one for one in offers if one.takes(cargo)]
    if not takers:
        return None
    service, able = coming_into_question(takers, wanted)
    quotes = {one: quote for one in able if (quote := one.quote(cargo)) is not None}
    costs = {
        one: expected_cost_fen(one, quote, cargo, rules=rules) for one, quote in quotes.items()
    }
    best = min(able, key=lambda one: (costs[one], one.hours))
    chosen, why = best, Why.LEAST_COST if len(able) > 1 else Why.ONLY_ONE
    own = next((one for one in able if one.carrier == kept.get(service)), None)
    if own is not None and own is not best:
        gain = costs[own] - costs[best]
        if gain * 100 > rules.carrier_gain_percent * costs[own]:
            why = Why.WORTH_CHANGING
        else:
            chosen, why = own, Why.KEPT
    return Choice(
        carrier=chosen.carrier,
        quote=quotes[chosen],
        hours=chosen.hours,
        service=service,
        wanted=wanted,
        why=why,
        takers=takers,
        cargo=cargo,
        rules=rules,
    )
