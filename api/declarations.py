"""海关申报 Declarations to customs over HTTP: completed, submitted, answered (T7)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from pydantic_core import from_json

from api.auth import Asked, Operator, store_of
from api.bodies import GRAMS_MAX, Body, EnglishName, Fen, Grams, ItemSku, Why, Words
from api.changing import Change, answered
from api.declaration_sheets import Declared, declaration_pdf
from api.fulfilment import Desk
from api.labels import masked_recipients, sender_words
from api.pages import WORDS
from api.paths import ParcelNumber
from api.printing import PDF, pdf_answer
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.shown.declarations import (
    CarriedOnOut,
    DeclarationChangedOut,
    DeclarationOut,
    DeclarationsOut,
    TakenBackOut,
)
from api.shown.fields import example
from application import declaring, possible, shipping
from application.country_names import country_name
from application.ordering_labels import whole_address
from application.recipients import Recipient
from application.settings import Settings
from application.streams import PARCEL
from application.unit import Unit
from domain.countries import Country
from domain.customs_terms import HsCode
from domain.declarations import DeclaredLine, Standing
from domain.house_rules import HouseRules
from domain.rate_facts import CARRIER_PATTERN
from domain.refusals import InvalidRequest, NotFound
from projections.declarations import declarations
from projections.label_faces import Labelled, labelled

router = APIRouter(prefix="/v1", tags=["customs"])

PAGE = 50
OverseasWaybill = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{6,32}$")]
_VIEWS = ("declarations", "parcel_tracking", "order_status")


class DeclaredLineIn(Body):
    """What customs are told of one item; its quantity is what is in the parcel."""

    sku: ItemSku
    hs_code: HsCode | None = Field(
        default=None, description="of the Harmonized System, 6 to 10 digits without dots"
    )
    english_name: EnglishName | None = Field(default=None, description="what it is")
    origin: Country | None = Field(default=None, description="where it was made")
    unit_value_fen: Fen = Field(description="worth of a unit, fen")
    net_weight_grams: Grams = Field(description="of all units without packaging, grams")


class DeclarationIn(Body):
    """What customs are told, every item of the parcel once."""

    model_config = example(
        lines=[
            {
                "sku": "mug",
                "hs_code": "732394",
                "english_name": "Enamel mug",
                "origin": "CN",
                "unit_value_fen": 4_900,
                "net_weight_grams": 600,
            }
        ],
        gross_weight_grams=900,
    )
    lines: list[DeclaredLineIn] = Field(min_length=1, max_length=200, description="an item each")
    gross_weight_grams: Annotated[int, Field(strict=True, ge=1, le=GRAMS_MAX)] | None = Field(
        default=None, description="of the parcel as it is weighed now; left out: as it was"
    )


class SubmissionIn(Body):
    """Customs, or whoever declares for the house, have the declaration."""

    model_config = example(reference="CN-2026-000123")
    reference: Words = Field(description="number of the declaration there")


class CustomsAnswerIn(Body):
    """What customs say of the parcel."""

    model_config = example(answer="stopped", reason="country of origin is missing")
    answer: Literal["cleared", "stopped"] = Field(description="whether it may go")
    reason: Why | None = Field(default=None, description="why not; needed when it was stopped")
    reference: Words | None = Field(default=None, description="of the release")


class OverseasIn(Body):
    """Who brings the parcel in the country it goes to."""

    model_config = example(carrier="japanposten", waybill="RR123456789JP")
    carrier: Annotated[
        str, Field(pattern=CARRIER_PATTERN, description="its code as Kuaidi100 writes it")
    ]
    waybill: OverseasWaybill = Field(
        description="its number there; the one on the label, where it stays the same"
    )


class TakingBackIn(Body):
    """A second number that is not the parcel's, and the right one, if it is known."""

    model_config = example(
        waybill="RR123456798JP",
        reason="two digits were exchanged",
        instead={"carrier": "japanposten", "waybill": "RR123456789JP"},
    )
    waybill: OverseasWaybill = Field(description="the wrong number, as it was told")
    reason: Why = Field(description="why it is not the parcel's")
    instead: OverseasIn | None = Field(default=None, description="who has it, under which number")


@router.get(
    "/declarations",
    response_model=DeclarationsOut,
    summary="Parcels in the house that go abroad",
)
async def listed(
    request: Request,
    caller: Desk,
    standing: Annotated[Standing | None, Query(description="how far they are")] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """The longest first, with what is missing and what customs said (T7)."""
    await wait_for(request, min_position, *_VIEWS)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await declarations(
            connection,
            tenant.schema,
            standing=standing,
            after=decode_cursor(cursor, datetime, str),
            limit=limit + 1,
        )
    page, more = page_of(found, limit, lambda one: (one["since"], one["parcel"]))
    now = store_of(request).clock()
    for one in page:
        one["age_seconds"] = int((now - one["since"]).total_seconds())
    return json_answer({"declarations": page, "next": more})


@router.get(
    "/parcels/{parcel}/declaration",
    response_model=DeclarationOut,
    summary="What customs are told of a parcel",
)
async def read(
    request: Request, caller: Desk, parcel: ParcelNumber, min_position: MinPosition = None
) -> Response:
    """While the parcel is in the house, or stopped on its way (T7).

    With what can be done now, or why it cannot (D6).
    """
    found = await _declared(request, parcel, min_position)
    rules = request.state.tenant.rules
    question = Asked(request, caller, "actions", b"").question(
        lambda unit: {"actions": _actions(unit, parcel, rules)}, streams=[PARCEL.stream(parcel)]
    )
    actions = from_json((await store_of(request).execute(question)).answer)["actions"]
    age = int((store_of(request).clock() - found["since"]).total_seconds())
    return json_answer({**found, "age_seconds": age, "actions": actions})


@router.get(
    "/parcels/{parcel}/declaration.pdf",
    response_class=Response,
    responses=PDF,
    summary="What customs are told of a parcel, to be printed",
)
async def printed(
    request: Request, caller: Desk, parcel: ParcelNumber, min_position: MinPosition = None
) -> Response:
    """A4, as a CN 23, the recipient masked as on the label; the same is the same bytes (T7, A4)."""
    found = await _declared(request, parcel, min_position)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        faces = await labelled(connection, tenant.schema, parcel=parcel, numbered=False)
    if not faces:
        raise NotFound(what="declaration")
    masked = await masked_recipients(tenant, faces)
    sheet = _sheet(found, faces[0], masked.get(faces[0].card or ""), tenant.settings)
    return pdf_answer(await asyncio.to_thread(declaration_pdf, sheet), f"{parcel}-customs")


async def _declared(request: Request, parcel: str, min_position: int | None) -> dict[str, Any]:
    await wait_for(request, min_position, *_VIEWS)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await declarations(connection, tenant.schema, parcel=parcel, limit=1)
    if not found:
        raise NotFound(what="declaration")
    return found[0]


def _sheet(
    row: Mapping[str, Any], face: Labelled, masked: Recipient | None, settings: Settings
) -> Declared:
    english, chinese = (WORDS[one] for one in ("en", "zh"))
    standing = f"declaration.{row['standing']}"
    country = row["country"]
    return Declared(
        parcel=face.parcel,
        carrier=english.get(f"carrier.{face.carrier}", face.carrier),
        waybill=face.waybill,
        sender=sender_words(face, settings),
        recipient=masked.name if masked else "",
        phone=masked.phone if masked else "",
        address=whole_address(masked) if masked else "",
        country=f"{country}  {country_name(country, 'en')}  {country_name(country, 'zh')}",
        lines=tuple(DeclaredLine(**one) for one in row["lines"]),
        gross_weight_grams=row["gross_weight_grams"],
        reference=row["reference"],
        standing=f"{english[standing]}  {chinese[standing]}",
        draft=row["standing"] == Standing.DRAFT or row["outdated"],
    )


def _actions(unit: Unit, parcel: str, rules: HouseRules) -> dict[str, object]:
    declared = unit.read(PARCEL, parcel).declaration.lines
    told = [
        declaring.Told(
            one.sku, one.hs_code, one.english_name, one.origin,
            one.unit_value_fen, one.net_weight_grams,
        )
        for one in declared
    ]  # fmt: skip
    commands = {
        "complete": partial(declaring.complete, parcel=parcel, lines=told),
        "submit": partial(declaring.submit, parcel=parcel, reference="trial"),
        "clear": partial(declaring.clear, parcel=parcel, reference=""),
        "stop": partial(declaring.stop, parcel=parcel, reason="trial"),
        "hand_over": partial(shipping.hand_over, parcel=parcel, rules=rules),
    }
    return {name: possible.tried(unit, decide) for name, decide in commands.items()}


@router.post(
    "/parcels/{parcel}/declaration",
    response_model=DeclarationChangedOut,
    summary="Say what customs are told",
)
async def complete(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: DeclarationIn
) -> Response:
    """It was filled in from the order; what is missing may stay so until it is submitted (T7).

    What customs said of something else does not hold any more: it has to be submitted again.
    """
    lines = [declaring.Told(**one.model_dump()) for one in body.lines]
    command = change.command(
        lambda unit: declaring.complete(
            unit, parcel=parcel, lines=lines, gross_weight_grams=body.gross_weight_grams
        ),
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/declaration/submission",
    response_model=DeclarationChangedOut,
    summary="Customs have the declaration",
)
async def submit(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: SubmissionIn
) -> Response:
    """Refused while anything is missing, by name, and when the parcel's content changed (T7)."""
    command = change.command(
        lambda unit: declaring.submit(unit, parcel=parcel, reference=body.reference),
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/declaration/answer",
    response_model=DeclarationChangedOut,
    summary="What customs answered",
)
async def answer(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: CustomsAnswerIn
) -> Response:
    """Cleared, it may be handed over; stopped, it is declared otherwise or its order cancelled.

    A parcel that is stopped on its way is listed until it is cleared, or its way is over (M5).
    """
    if body.answer == "cleared":
        if body.reason is not None:
            raise InvalidRequest(field="reason", reason="goes together with stopped")
        decide = partial(declaring.clear, parcel=parcel, reference=body.reference or "")
    else:
        decide = partial(declaring.stop, parcel=parcel, reason=body.reason or "")
    command = change.command(decide, reason=body.reason or "", streams=[PARCEL.stream(parcel)])
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/overseas",
    response_model=CarriedOnOut,
    summary="Who has a parcel abroad, and under which number",
)
async def carry_on(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: OverseasIn
) -> Response:
    """Scans of both numbers are one track (T7); carriers tell it by themselves where they can."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: shipping.carry_on(
            unit, parcel=parcel, carrier=body.carrier, waybill=body.waybill, rules=rules
        ),
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/overseas/taking-back",
    response_model=TakenBackOut,
    summary="A second number is not the parcel's",
)
async def take_back(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: TakingBackIn
) -> Response:
    """Its scans are kept and count no more; no partner can say it again, only staff (T2, T7)."""
    rules = request.state.tenant.rules
    right = body.instead
    command = change.command(
        lambda unit: shipping.take_back_number(
            unit,
            parcel=parcel,
            waybill=body.waybill,
            reason=body.reason,
            instead=None if right is None else (right.carrier, right.waybill),
            rules=rules,
        ),
        reason=body.reason,
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))
