"""What callers send about carriers' prices: as the domain has it, within bounds (W3)."""

from typing import Annotated

from pydantic import Field

from api.bodies import FEN_MAX, GRAMS_MAX, MILLIMETRES_MAX, Fen, Quantity, Whole
from api.shown.fields import example
from domain.days import Moment
from domain.rate_facts import Lane, Rate, RateCard, Surcharge, Tier

EXAMPLE = {
    "carrier": "zhongtong",
    "effective_from": "2026-11-01T00:00:00+08:00",
    "name": "2026 H2",
    "service": "economical",
    "volume_divisor": 8_000,
    "max_parcel_grams": 50_000,
    "lanes": [
        {
            "origin": "浙江省",
            "destinations": ["浙江省"],
            "rate": {"first_fen": 380, "additional_fen": 80, "hours": 40},
            "same_city": {"first_fen": 350, "additional_fen": 60, "hours": 30},
        },
        {
            "origin": "浙江省",
            "destinations": ["*"],
            "rate": {"first_fen": 520, "additional_fen": 200, "hours": 64},
        },
        {"origin": "浙江省", "destinations": ["西藏自治区"], "rate": None},
    ],
    "surcharges": [{"kind": "oversize", "over_longest_mm": 1_200, "fen": 1_000}],
    "tiers": [{"parcels": 3_000, "percent_off": 3}],
    "risk": {"lost_per_million": 200, "damaged_per_million": 500, "late_per_thousand": 25},
}
VOLUME_MAX = 1_000_000_000
"""Most parcels with one carrier in a month."""

Weight = Annotated[Whole, Field(ge=1, le=GRAMS_MAX)]


class RateIn(Rate):
    """The price of a chargeable weight, and how long the way takes."""

    first_grams: Weight = Field(default=1_000, description="the first weight")
    first_fen: Fen = Field(description="up to the first weight")
    additional_grams: Weight = Field(default=1_000, description="an additional weight")
    additional_fen: Fen = Field(description="for each started additional weight")


class LaneIn(Lane):
    """From one province to others; the lane that names both ends most closely counts."""

    rate: RateIn | None = Field(description="None: the carrier does not serve this lane")
    same_city: RateIn | None = Field(
        default=None, description="instead, where both ends are in one city"
    )


class SurchargeIn(Surcharge):
    """What comes on top when all of the conditions that are given hold."""

    over_longest_mm: Annotated[Whole, Field(ge=1, le=MILLIMETRES_MAX)] | None = Field(
        default=None, description="an edge is longer"
    )
    over_grams: Weight | None = Field(default=None, description="chargeable weight is more")
    over_value_fen: Annotated[Whole, Field(ge=1, le=FEN_MAX)] | None = Field(
        default=None, description="the goods are worth more"
    )
    fen: Fen = Field(default=0, description="each parcel")
    fen_per_kg: Fen = Field(default=0, description="each started kg that is charged")


class TierIn(Tier):
    """A discount on first and additional weights for whoever sends much."""

    parcels: Annotated[Whole, Field(ge=1, le=VOLUME_MAX)] = Field(
        description="sent with the carrier in the calendar month before"
    )


class RateCardIn(RateCard):
    """A carrier's prices from a moment on: an upsert by carrier and moment (W3)."""

    model_config = example(**EXAMPLE)
    effective_from: Moment = Field(description="in force from then on, until the carrier's next")
    volume_divisor: Quantity = Field(default=6_000, description="cubic centimetres for one kg")
    max_parcel_grams: Weight = Field(default=30_000, description="heavier ones are not taken")
    lanes: tuple[LaneIn, ...] = Field(max_length=1_200, description="none: no longer used")
    surcharges: tuple[SurchargeIn, ...] = Field(default=(), max_length=50)
    tiers: tuple[TierIn, ...] = Field(default=(), max_length=20)
