"""价目 What carriers ask for, and what the house noted about using them (W3, W4)."""

from enum import StrEnum
from operator import not_
from typing import Final

from pydantic import AwareDatetime, Field

from domain.facts import Fact, NonNegativeInt, PositiveInt, Value

ANYWHERE: Final = "*"
"""A lane's end that is any province no other lane of the card names; never a country abroad."""

CARRIERS: Final = (
    "shunfeng", "jd", "zhongtong", "yuantong", "shentong", "yunda", "ems", "jtexpress",
)  # fmt: skip
"""The eight the house works with, as Kuaidi100 writes them; a card may name another one."""

CARRIER_PATTERN: Final = r"^[a-z0-9]{2,40}$"


class Service(StrEnum):
    """What a carrier is taken for (W4)."""

    FAST = "fast"
    """For valuable and urgent parcels."""
    ECONOMICAL = "economical"


class Wanted(StrEnum):
    """What matters about an order's parcels (W4)."""

    URGENT = "urgent"
    """Its learner paid for speed."""
    VALUABLE = "valuable"
    ECONOMICAL = "economical"


class Why(StrEnum):
    """What decided between the carriers that came into question (W4)."""

    ONLY_ONE = "only_one"
    """Nobody else serves the lane, or nobody else is fast there."""
    LEAST_COST = "least_cost"
    KEPT = "kept"
    """The lane's carrier, though another one is cheaper by less than the house's share."""
    WORTH_CHANGING = "worth_changing"
    """Cheaper than the lane's carrier by more than that share."""


class SurchargeKind(StrEnum):
    """What a surcharge is called on the carrier's bill."""

    REMOTE = "remote"
    OVERSIZE = "oversize"
    OVERWEIGHT = "overweight"
    FRAGILE = "fragile"
    INSURED = "insured"
    OTHER = "other"


class Rate(Value):
    """The price of a chargeable weight, and how long the way takes."""

    first_grams: PositiveInt = Field(default=1_000, description="the first weight")
    first_fen: NonNegativeInt = Field(description="up to the first weight")
    additional_grams: PositiveInt = Field(default=1_000, description="an additional weight")
    additional_fen: NonNegativeInt = Field(description="for each started additional weight")
    hours: PositiveInt = Field(le=2_000, description="promised, from hand-over to receipt")


class Lane(Value):
    """From one province to others; the lane that names both ends most closely counts."""

    origin: str = Field(max_length=20, description='a province\'s full name, or "*" for any other')
    destinations: tuple[str, ...] = Field(
        min_length=1,
        max_length=40,
        description='provinces\' full names, or "*" for any other; countries abroad by their codes',
    )
    rate: Rate | None = Field(description="None: the carrier does not serve this lane")
    same_city: Rate | None = Field(
        default=None, description="instead, where both ends are in one city"
    )


class Surcharge(Value):
    """What comes on top when all of the conditions that are given hold."""

    kind: SurchargeKind
    destinations: tuple[str, ...] = Field(
        default=(), max_length=40, description="provinces' full names; none: wherever it goes"
    )
    over_longest_mm: PositiveInt | None = Field(default=None, description="an edge is longer")
    over_grams: PositiveInt | None = Field(default=None, description="chargeable weight is more")
    over_value_fen: PositiveInt | None = Field(default=None, description="the goods are worth more")
    fragile: bool = Field(default=False, description="only if something in it is fragile")
    fen: NonNegativeInt = Field(default=0, description="each parcel")
    fen_per_kg: NonNegativeInt = Field(default=0, description="each started kg that is charged")
    permille_of_value: NonNegativeInt = Field(default=0, le=1_000, description="insurance")


class Tier(Value):
    """A discount on first and additional weights for whoever sends much."""

    parcels: PositiveInt = Field(description="sent with the carrier in the calendar month before")
    percent_off: int = Field(
        strict=True, ge=1, le=90, description="of first and additional weights"
    )


class Risk(Value):
    """What goes wrong with a carrier's parcels: estimates, until they are measured (T9)."""

    lost_per_million: NonNegativeInt = Field(default=0, le=1_000_000, description="of its parcels")
    damaged_per_million: NonNegativeInt = Field(
        default=0, le=1_000_000, description="of its parcels"
    )
    late_per_thousand: NonNegativeInt = Field(
        default=0, le=1_000, description="of its parcels, after the promised hours"
    )


class RateCard(Value):
    """One carrier's prices from a moment on, until its next card (W3)."""

    carrier: str = Field(pattern=CARRIER_PATTERN, description="code as Kuaidi100 writes it")
    effective_from: AwareDatetime = Field(description="in force from then on")
    name: str = Field(default="", max_length=100, description="of the contract")
    service: Service = Service.ECONOMICAL
    volume_divisor: PositiveInt = Field(default=6_000, description="cubic centimetres for one kg")
    max_parcel_grams: PositiveInt = Field(default=30_000, description="heavier ones are not taken")
    lanes: tuple[Lane, ...] = Field(max_length=1_200, description="none: no longer used")
    surcharges: tuple[Surcharge, ...] = Field(default=(), max_length=50)
    tiers: tuple[Tier, ...] = Field(default=(), max_length=20)
    risk: Risk = Risk()


class RateCardPublished(Fact, name="rates.RateCardPublished"):
    """A carrier's prices from a moment on; one for the same moment takes its place (W3)."""

    card: RateCard


class VolumeCounted(Fact, name="rates.VolumeCounted"):
    """How much was sent with a carrier in a month: next month's tier follows from it (W3)."""

    carrier: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$", description="in the business time zone")
    parcels: NonNegativeInt = Field(description="handed over to the carrier in that month")
    counted: bool = Field(
        default=False,
        exclude_if=not_,
        description="by the house itself; else as the carrier's bill has it, which counts for good",
    )


class LaneSettled(Fact, name="rates.LaneSettled"):
    """A warehouse's parcels to a province go with this carrier until another one is worth it (W4).

    The order of the same commit says why, and what the others would have cost.
    """

    warehouse: str
    province: str
    service: Service
    carrier: str
    instead_of: str | None = Field(default=None, description="the carrier before")


RateFact = RateCardPublished | VolumeCounted | LaneSettled
