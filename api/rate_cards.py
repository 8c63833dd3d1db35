"""运价 Rate cards over HTTP: what carriers ask for, published and read by staff (W3, W4)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import STAFF, Asked, Caller, Manager, allow, store_of
from api.bodies import Body, Moment, Whole
from api.changing import Change, answered
from api.shown import example
from application import pricing
from application.streams import MALL, RATES
from domain.rate_facts import CARRIER_PATTERN, RateCard

router = APIRouter(prefix="/v1/rate-cards", tags=["rate cards"])

Staff = Annotated[Caller, allow(*STAFF)]
Carrier = Annotated[
    str, Field(pattern=CARRIER_PATTERN, description="its code as Kuaidi100 writes it")
]
Month = Annotated[
    str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="in the business time zone")
]

_CARD = {
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


class RateCardIn(RateCard):
    """A carrier's prices from a moment on: an upsert by carrier and moment (W3)."""

    model_config = example(**_CARD)
    effective_from: Moment = Field(description="in force from then on, until the carrier's next")


class RateCardPutOut(BaseModel):
    """A rate card that was published."""

    model_config = example(
        carrier="zhongtong", effective_from="2026-10-31T16:00:00Z", changed=True, position=42
    )
    carrier: str = Field(description="whose it is")
    effective_from: datetime = Field(description="from when on it counts")
    changed: bool = Field(description="false: it was there already")
    position: int = Field(description="log position: reads with `min_position` of it see the card")


class RateCardOut(RateCard):
    """A rate card as it was published."""

    in_force: bool = Field(description="whether prices are quoted from it now")


class VolumeOut(BaseModel):
    """What was sent with a carrier in a month."""

    carrier: str = Field(description="as Kuaidi100 writes it")
    month: str = Field(description="in the business time zone")
    parcels: int = Field(description="handed over to it; the next month's tier follows from it")


class LaneCarrierOut(BaseModel):
    """Who takes a warehouse's parcels to a province (W4)."""

    warehouse: str = Field(description="the warehouse's code")
    province: str = Field(description="its full name")
    service: str = Field(description="`fast` or `economical` parcels")
    carrier: str = Field(description="kept until another one is cheaper by the house's share")


class RateCardsOut(BaseModel):
    """All rate cards, and what follows from them."""

    model_config = example(
        cards=[{**_CARD, "in_force": True}],
        volumes=[{"carrier": "zhongtong", "month": "2026-10", "parcels": 4_120}],
        lanes=[
            {
                "warehouse": "zhejiang",
                "province": "江苏省",
                "service": "economical",
                "carrier": "zhongtong",
            }
        ],
    )
    cards: list[RateCardOut] = Field(description="in the order of their beginnings")
    volumes: list[VolumeOut] = Field(description="by carrier and month")
    lanes: list[LaneCarrierOut] = Field(description="lanes that parcels were planned on")


class VolumeIn(Body):
    """What was sent with a carrier in a month, where its own count differs from the house's."""

    model_config = example(carrier="zhongtong", month="2026-10", parcels=4_120)
    carrier: Carrier
    month: Month
    parcels: Annotated[Whole, Field(ge=0, le=1_000_000_000, description="on the carrier's bill")]


class VolumePutOut(VolumeOut):
    """What was noted of a month."""

    model_config = example(
        carrier="zhongtong", month="2026-10", parcels=4_120, changed=True, position=42
    )
    changed: bool = Field(description="false: it was known already")
    position: int = Field(description="log position of what is known now")


@router.post("", response_model=RateCardPutOut, summary="Publish a carrier's rate card")
async def publish(request: Request, caller: Manager, change: Change, body: RateCardIn) -> Response:
    """For what is decided from its moment on; orders keep what they were quoted (W3)."""
    card = RateCard.model_validate(body.model_dump())
    command = change.command(
        lambda unit: pricing.publish_rate_card(unit, card=card), streams=[RATES.stream(MALL)]
    )
    return answered(await store_of(request).execute(command))


@router.get("", response_model=RateCardsOut, summary="Rate cards, volumes and lanes")
async def cards(
    request: Request,
    caller: Staff,
    carrier: Annotated[
        str | None, Query(pattern=CARRIER_PATTERN, description="cards of this one alone")
    ] = None,
) -> Response:
    """Every card there was and will be, which of them count now, and who takes which lane (W4)."""
    rules = request.state.tenant.rules

    def answer(unit: Any) -> dict[str, Any]:
        return pricing.rate_cards(unit, carrier=carrier, rules=rules)

    question = Asked(request, caller, "rate-cards", b"").question(
        answer, streams=[RATES.stream(MALL)]
    )
    return answered(await store_of(request).execute(question))


@router.post("/volumes", response_model=VolumePutOut, summary="Note a month's volume")
async def volume(request: Request, caller: Manager, change: Change, body: VolumeIn) -> Response:
    """The house counts by itself when a month is over; a carrier's bill may say otherwise (W3)."""
    command = change.command(
        lambda unit: pricing.count_volume(
            unit, carrier=body.carrier, month=body.month, parcels=body.parcels
        ),
        streams=[RATES.stream(MALL)],
    )
    return answered(await store_of(request).execute(command))
