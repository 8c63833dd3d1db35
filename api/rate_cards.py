"""运价 Rate cards over HTTP: what carriers ask for, published and read by staff (W3, W4)."""

import math
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import STAFF, Asked, Caller, Manager, allow, store_of
from api.bodies import GRAMS_MAX, MILLIMETRES_MAX, Body, Fen, Whole
from api.bodies_of_rates import EXAMPLE, VOLUME_MAX, RateCardIn
from api.changing import Change, answered
from api.shown.fields import example
from application import pricing
from application.streams import MALL, RATES
from domain.cargo import Cargo
from domain.days import Moment
from domain.rate_facts import CARRIER_PATTERN, RateCard

router = APIRouter(prefix="/v1/rate-cards", tags=["rate cards"])

Staff = Annotated[Caller, allow(*STAFF)]
Carrier = Annotated[
    str, Field(pattern=CARRIER_PATTERN, description="its code as Kuaidi100 writes it")
]
Month = Annotated[
    str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="in the business time zone")
]


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


class KnownVolumeOut(VolumeOut):
    """What was sent with a carrier in a month, and who says so."""

    counted: bool = Field(description="by the house itself; false: as the carrier's bill has it")


class LaneCarrierOut(BaseModel):
    """Who takes a warehouse's parcels to a province (W4)."""

    warehouse: str = Field(description="the warehouse's code")
    province: str = Field(description="its full name")
    service: str = Field(description="`fast` or `economical` parcels")
    carrier: str = Field(description="kept until another one is cheaper by the house's share")


class RateCardsOut(BaseModel):
    """All rate cards, and what follows from them."""

    model_config = example(
        cards=[{**EXAMPLE, "in_force": True}],
        volumes=[{"carrier": "zhongtong", "month": "2026-10", "parcels": 4_120, "counted": True}],
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
    volumes: list[KnownVolumeOut] = Field(description="by carrier and month")
    lanes: list[LaneCarrierOut] = Field(description="lanes that parcels were planned on")


class VolumeIn(Body):
    """What was sent with a carrier in a month, where its own count differs from the house's."""

    model_config = example(carrier="zhongtong", month="2026-10", parcels=4_120)
    carrier: Carrier
    month: Month
    parcels: Annotated[Whole, Field(ge=0, le=VOLUME_MAX, description="on the carrier's bill")]


class VolumePutOut(VolumeOut):
    """What was noted of a month."""

    model_config = example(
        carrier="zhongtong", month="2026-10", parcels=4_120, changed=True, position=42
    )
    changed: bool = Field(description="false: it was known already")
    position: int = Field(description="log position of what is known now")


Province = Annotated[str, Field(max_length=20, description="a province's full name")]


class QuoteRatesIn(Body):
    """A parcel, and where it goes."""

    model_config = example(
        origin="浙江省", destination="广东省", grams=1_400, length_mm=300, width_mm=200,
        height_mm=150, value_fen=12_800,
    )  # fmt: skip
    origin: Province
    destination: Province
    same_city: bool = Field(default=False, description="both ends are in one city")
    grams: Annotated[Whole, Field(ge=1, le=GRAMS_MAX, description="as it is weighed")]
    length_mm: Annotated[Whole, Field(ge=0, le=MILLIMETRES_MAX)] = Field(
        default=0, description="an edge"
    )
    width_mm: Annotated[Whole, Field(ge=0, le=MILLIMETRES_MAX)] = Field(
        default=0, description="an edge"
    )
    height_mm: Annotated[Whole, Field(ge=0, le=MILLIMETRES_MAX)] = Field(
        default=0, description="an edge"
    )
    value_fen: Fen = Field(
        default=0, description="what the goods are worth: insurance depends on it"
    )
    fragile: bool = Field(default=False, description="something in it is fragile")
    at: Moment | None = Field(default=None, description="by the cards of then; null: of now")


class SurchargedOut(BaseModel):
    """A surcharge whose conditions hold."""

    kind: str = Field(description="remote, oversize, overweight, fragile, insured or other")
    fen: int = Field(description="what it comes to")


class OfferOut(BaseModel):
    """What a carrier asks for the parcel: first + additional - off + surcharges."""

    carrier: str = Field(description="as Kuaidi100 writes it")
    service: str = Field(description="`fast` or `economical`")
    hours: int = Field(description="promised, from hand-over to receipt")
    fen: int = Field(description="all of it")
    chargeable_grams: int = Field(description="the greater of weight and volume")
    by_volume: bool = Field(description="the volume counts for more than the weight")
    first_fen: int = Field(description="the first weight")
    additional_weights: int = Field(description="how many of them are started")
    additional_fen: int = Field(description="for all of those")
    percent_off: int = Field(description="the tier of last month's volume; on weights alone")
    off_fen: int = Field(description="what that takes off")
    surcharges: list[SurchargedOut] = Field(description="on top")


class NoOfferOut(BaseModel):
    """A carrier with a card that does not take the parcel."""

    carrier: str = Field(description="as Kuaidi100 writes it")
    why: str = Field(description="`not_served` or `too_heavy`")


class QuotedRatesOut(BaseModel):
    """What every carrier asks for a parcel."""

    model_config = example(
        offers=[
            {
                "carrier": "zhongtong", "service": "economical", "hours": 64, "fen": 720,
                "chargeable_grams": 1_400, "by_volume": False, "first_fen": 520,
                "additional_weights": 1, "additional_fen": 200, "percent_off": 0, "off_fen": 0,
                "surcharges": [],
            }
        ],
        refused=[{"carrier": "ems", "why": "too_heavy"}],
    )  # fmt: skip
    offers: list[OfferOut] = Field(description="the cheapest first")
    refused: list[NoOfferOut] = Field(description="who has a card and does not take it")


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


@router.post("/quotes", response_model=QuotedRatesOut, summary="What a parcel costs")
async def quote(request: Request, caller: Staff, body: QuoteRatesIn) -> Response:
    """With every carrier, and how the freight comes about; changes nothing (W3)."""
    rules = request.state.tenant.rules
    edges = (body.length_mm, body.width_mm, body.height_mm)
    cargo = Cargo(
        grams=body.grams,
        mm3=math.prod(edges),
        longest_mm=max(edges),
        value_fen=body.value_fen,
        fragile=body.fragile,
    )

    def answer(unit: Any) -> dict[str, Any]:
        return pricing.quotes(
            unit,
            cargo=cargo,
            origin=body.origin,
            destination=body.destination,
            same_city=body.same_city,
            at=body.at,
            rules=rules,
        )

    question = Asked(request, caller, "rate-quotes", b"").question(
        answer, streams=[RATES.stream(MALL)]
    )
    return answered(await store_of(request).execute(question))
