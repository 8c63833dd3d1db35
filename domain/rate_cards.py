"""价目表 Rate cards: what a parcel costs with each carrier, on a lane and at a time (W3)."""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.cargo import Cargo
from domain.countries import is_abroad
from domain.rate_facts import (
    ANYWHERE,
    Lane,
    LaneSettled,
    Rate,
    RateCard,
    RateCardPublished,
    RateFact,
    Service,
    Surcharge,
    VolumeCounted,
)
from domain.refusals import InvalidRequest

_TARIFFS_KEPT = 16


class Quote(NamedTuple):
    """What a carrier asks for one parcel."""

    fen: int
    chargeable_grams: int
    """The greater of what it weighs and what its volume counts for."""


class Breakdown(NamedTuple):
    """How a quote comes about: its parts add up to it, to the fen (W3)."""

    chargeable_grams: int
    by_volume: bool
    """Whether the volume counts for more than the weight."""
    first_fen: int
    additional_weights: int
    """How many of them are started."""
    additional_fen: int
    percent_off: int
    off_fen: int
    surcharges: tuple[tuple[str, int], ...]
    """(kind, fen) of those whose conditions hold."""

    @property
    def fen(self) -> int:
        """What the parcel costs."""
        return (
            self.first_fen
            + self.additional_fen
            - self.off_fen
            + sum(fen for _, fen in self.surcharges)
        )


class _Usual(NamedTuple):
    """Up to where no surcharge holds for goods that are not fragile: most parcels pay none."""

    longest_mm: int
    grams: int
    value_fen: int

    @classmethod
    def under(cls, surcharges: Iterable[Surcharge]) -> "_Usual":
        """Each surcharge is kept out by the first of its conditions; by weight, if it has none."""
        longest = grams = value = 1 << 62
        for one in surcharges:
            if one.fragile:
                continue
            if one.over_longest_mm is not None:
                longest = min(longest, one.over_longest_mm)
            elif one.over_value_fen is not None:
                value = min(value, one.over_value_fen)
            else:
                grams = min(grams, -1 if one.over_grams is None else one.over_grams)
        return cls(longest, grams, value)


class Offer:
    """One carrier's terms on one lane, made ready for quoting thousands of parcels."""

    __slots__ = (
        "_additional", "_first", "_off", "_surcharges", "_usual", "carrier", "divisor", "hours",
        "max_grams", "risk", "service",
    )  # fmt: skip

    def __init__(self, card: RateCard, rate: Rate, *, destination: str, percent_off: int) -> None:
        self.carrier = card.carrier
        self.service = card.service
        self.hours = rate.hours
        self.risk = card.risk
        self.max_grams = card.max_parcel_grams
        self.divisor = card.volume_divisor
        """Cubic centimetres a kilogramme, which are cubic millimetres a gramme."""
        self._first = rate.first_grams, rate.first_fen
        self._additional = rate.additional_grams, rate.additional_fen
        self._off = percent_off
        self._surcharges = tuple(
            one
            for one in card.surcharges
            if not one.destinations or destination in one.destinations
        )
        self._usual = _Usual.under(self._surcharges)

    def edges(self) -> Iterable[int]:
        """The weights up to which each price holds, ascending; the last one is the limit."""
        yield from range(self._first[0], self.max_grams, self._additional[0])
        yield self.max_grams

    def takes(self, cargo: Cargo) -> bool:
        """Whether it is not too heavy for this carrier."""
        return cargo.grams <= self.max_grams

    def quote(self, cargo: Cargo) -> Quote | None:
        """The price of one parcel; None: too heavy for this carrier. More never costs less."""
        if not self.takes(cargo):
            return None
        chargeable = max(cargo.grams, _started(cargo.mm3, self.divisor))
        grams, fen = self._first
        if chargeable > grams:
            step, price = self._additional
            fen += _started(chargeable - grams, step) * price
        if self._off:
            fen -= fen * self._off // 100
        usual = self._usual
        if (
            cargo.fragile
            or cargo.longest_mm > usual.longest_mm
            or chargeable > usual.grams
            or cargo.value_fen > usual.value_fen
        ):
            for surcharge in self._surcharges:
                fen += _surcharged(surcharge, cargo, chargeable)
        return Quote(fen, chargeable)

    def explain(self, cargo: Cargo) -> Breakdown | None:
        """How `quote` comes about, part by part; None: too heavy for this carrier."""
        if not self.takes(cargo):
            return None
        by_volume = _started(cargo.mm3, self.divisor)
        chargeable = max(cargo.grams, by_volume)
        (grams, first), (step, price) = self._first, self._additional
        weights = _started(max(0, chargeable - grams), step)
        each = [(one.kind, _surcharged(one, cargo, chargeable)) for one in self._surcharges]
        return Breakdown(
            chargeable_grams=chargeable,
            by_volume=by_volume > cargo.grams,
            first_fen=first,
            additional_weights=weights,
            additional_fen=weights * price,
            percent_off=self._off,
            off_fen=(first + weights * price) * self._off // 100,
            surcharges=tuple((kind, fen) for kind, fen in each if fen),
        )


def _surcharged(surcharge: Surcharge, cargo: Cargo, chargeable: int) -> int:
    if (
        (surcharge.fragile and not cargo.fragile)
        or cargo.longest_mm <= (surcharge.over_longest_mm or -1)
        or chargeable <= (surcharge.over_grams or -1)
        or cargo.value_fen <= (surcharge.over_value_fen or -1)
    ):
        return 0
    return (
        surcharge.fen
        + surcharge.fen_per_kg * _started(chargeable, 1_000)
        + _started(cargo.value_fen * surcharge.permille_of_value, 1_000)
    )


def _started(amount: int, step: int) -> int:
    """How many steps an amount begins."""
    return -(-amount // step)


class Tariff:
    """All cards that are in force at one time. Remembers the lanes that it was asked for."""

    def __init__(self, cards: Sequence[RateCard], percent_off: Mapping[str, int]) -> None:
        self.cards = tuple(cards)
        self._off = percent_off
        self._offers: dict[tuple[str, str, bool], tuple[Offer, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self.cards)

    def offers(self, origin: str, destination: str, *, same_city: bool) -> tuple[Offer, ...]:
        """Whoever serves the lane between two provinces, in the order of their codes."""
        key = (origin, destination, same_city)
        found = self._offers.get(key)
        if found is None:
            found = self._offers[key] = tuple(
                Offer(card, rate, destination=destination, percent_off=self._off[card.carrier])
                for card in self.cards
                if (rate := _rate(card, origin, destination, same_city)) is not None
            )
        return found

    @property
    def knows_cities(self) -> bool:
        """Whether anybody asks less within a city."""
        return any(lane.same_city for card in self.cards for lane in card.lanes)


def _rate(card: RateCard, origin: str, destination: str, same_city: bool) -> Rate | None:
    """What the lane costs that names both ends most closely, the origin before the destination.

    A country abroad has to be named: no price is meant for all the world (T7).
    """
    ends = (destination,) if is_abroad(destination) else (destination, ANYWHERE)
    for start in (origin, ANYWHERE):
        for end in ends:
            lane = _lane(card, start, end)
            if lane is not None:
                return lane.same_city if same_city and lane.same_city else lane.rate
    return None


def _lane(card: RateCard, origin: str, end: str) -> Lane | None:
    return next((x for x in card.lanes if x.origin == origin and end in x.destinations), None)


class LaneName(NamedTuple):
    """A lane as its carrier is kept."""

    warehouse: str
    province: str
    service: str


class _Known(NamedTuple):
    """A tariff, and from when until when it holds."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class RateCards:
    """Every card there was and will be, what was sent with whom, and the lanes' carriers."""

    cards: tuple[RateCard, ...] = ()
    """In the order of their beginnings."""
    volumes: dict[str, int] = field(default_factory=dict)
    """Parcels by `carrier:month`."""
    lanes: dict[str, str] = field(default_factory=dict)
    """The carrier that a lane's parcels went with last, by `lane_key` (W4)."""
    counted: tuple[str, ...] = ()
    """Of the volumes, those that the house counted itself: no bill has said otherwise yet."""
    _known: Annotated[list[Any], Field(exclude=True)] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """Tariffs that were asked for: every order asks for one."""
    worked_out: Annotated[dict[Any, Any], Field(exclude=True)] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By tariff: what somebody worked out from it and this state, to be looked up again."""

    def publish(self, card: RateCard) -> list[RateFact]:
        """A card from its moment on; the same card again changes nothing (W3)."""
        ends: set[tuple[str, str]] = set()
        for lane in card.lanes:
            for end in lane.destinations:
                if (lane.origin, end) in ends:
                    why = f"the lane from {lane.origin} to {end} is there twice"
                    raise InvalidRequest(field="lanes", reason=why)
                ends.add((lane.origin, end))
        return [] if card in self.cards else [RateCardPublished(card=card)]

    def count_volume(
        self, carrier: str, month: str, parcels: int, *, counted: bool = False
    ) -> list[RateFact]:
        """Note what was sent with a carrier in a month; the same again changes nothing.

        What the house `counted` may be counted anew, but never against the carrier's bill.
        """
        key = f"{carrier}:{month}"
        own = key in self.counted
        if counted and key in self.volumes and not own:
            return []
        if self.volumes.get(key) == parcels and counted is own:
            return []
        return [VolumeCounted(carrier=carrier, month=month, parcels=parcels, counted=counted)]

    def by_month(self) -> list[tuple[str, str, int]]:
        """(carrier, month, parcels), sorted."""
        split = ((key.partition(":"), parcels) for key, parcels in self.volumes.items())
        return sorted((carrier, month, parcels) for (carrier, _, month), parcels in split)

    def by_lane(self) -> list[tuple[LaneName, str]]:
        """Each lane and its carrier, sorted."""
        return sorted((LaneName(*key.split(":")), taken) for key, taken in self.lanes.items())

    def at(self, when: datetime, *, zone: ZoneInfo) -> Tariff:
        """The cards in force at a moment, with the tiers that last month's volume gives."""
        known: _Known
        for known in self._known:
            if known.since <= when < known.until and known.zone is zone:
                return known.tariff
        if len(self._known) >= _TARIFFS_KEPT:
            self.worked_out.pop(self._known.pop(0).tariff, None)
        known = self._made(when, zone)
        self._known.append(known)
        return known.tariff

    def _made(self, when: datetime, zone: ZoneInfo) -> _Known:
        first = when.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        next_month = (first + timedelta(days=32)).replace(day=1)
        last_month = f"{first - timedelta(days=1):%Y-%m}"
        begun = [card for card in self.cards if card.effective_from <= when]
        later = [card.effective_from for card in self.cards if card.effective_from > when]
        newest = {card.carrier: card for card in begun}
        in_force = [card for _, card in sorted(newest.items()) if card.lanes]
        off = {card.carrier: self._percent_off(card, last_month) for card in in_force}
        return _Known(
            max([first, *(card.effective_from for card in begun)]).astimezone(UTC),
            min([next_month, *later]).astimezone(UTC),
            zone,
            Tariff(in_force, off),
        )

    def _percent_off(self, card: RateCard, month: str) -> int:
        sent = self.volumes.get(f"{card.carrier}:{month}", 0)
        return max((tier.percent_off for tier in card.tiers if sent >= tier.parcels), default=0)


def lane_key(warehouse: str, province: str, service: Service) -> str:
    """The key of a lane's carrier: fast and economical ones are kept apart."""
    return f"{warehouse}:{province}:{service}"


def evolve(rates: RateCards, fact: RateFact) -> RateCards:
    """The rates after one more fact."""
    match fact:
        case RateCardPublished(card=card):
            place = (card.carrier, card.effective_from)
            cards = [one for one in rates.cards if (one.carrier, one.effective_from) != place]
            insort(cards, card, key=lambda one: (one.effective_from, one.carrier))
            return replace(rates, cards=tuple(cards))
        case VolumeCounted():
            key = f"{fact.carrier}:{fact.month}"
            others = tuple(one for one in rates.counted if one != key)
            return replace(
                rates,
                volumes={**rates.volumes, key: fact.parcels},
                counted=(*others, key) if fact.counted else others,
            )
        case LaneSettled():
            key = lane_key(fact.warehouse, fact.province, fact.service)
            after = replace(rates, lanes={**rates.lanes, key: fact.carrier})
            after._known.extend(rates._known)  # the prices are the same
            return after
        case _:
            assert_never(fact)
