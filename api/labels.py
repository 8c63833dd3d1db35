"""面单 Labels over HTTP: ordered, given back, printed; pick lists on paper, too (W5, W1)."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import Caller, Operator, Role, allow, store_of
from api.bodies import Body, Why
from api.changing import Change, answered
from api.fulfilment import Desk, PickListId, listed
from api.label_sheets import Face, labels_pdf
from api.pages import WORDS
from api.paths import ParcelNumber
from api.pick_sheets import pick_list_pdf
from api.printing import PDF, pdf_answer
from api.reading import MinPosition, json_answer, wait_for
from api.revealing import ASKED, look
from api.shown.fields import example
from api.shown.labels import LabelAskedOut, WaveLabelsOut
from api.tenancy import Tenant
from application import labelling, revealing
from application.cards import open_cards, open_recipient
from application.offices import sending_office
from application.ordering_labels import whole_address
from application.recipients import Recipient
from application.settings import Settings
from application.streams import PARCEL
from domain.refusals import NotFound
from projections import catalogue_queries
from projections.label_faces import Labelled, labelled, labels_of_wave

router = APIRouter(prefix="/v1", tags=["fulfilment"])

Packer = Annotated[Caller, allow(Role.OPERATIONS, Role.ADMINISTRATOR)]
"""Whoever writes waybills by hand; no other system prints whom parcels go to."""
A_DOCUMENT = 500
"""Labels in one document; a larger wave is printed in several."""
WaveNumber = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", description="the wave's number")
]
CarrierCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,29}$")]


class LabelIn(Body):
    """Order a waybill for a parcel that no wave released, or once more after a refusal."""

    model_config = example(carrier="zhongtong")
    carrier: CarrierCode | None = Field(
        default=None, description="another carrier than the one that was chosen"
    )


class GiveBackIn(Body):
    """Why a label is given back."""

    model_config = example(reason="torn; print a new one")
    reason: Why


class LabelRevealIn(Body):
    """Why a label has to name its recipient."""

    model_config = example(reason="written by hand: the carrier knows no address")
    reason: Why


@router.post(
    "/parcels/{parcel}/label", response_model=LabelAskedOut, summary="Order a parcel's waybill"
)
async def order(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: LabelIn
) -> Response:
    """Asked of the aggregator a moment later; never twice for one parcel (W5).

    Waves order theirs by themselves. While one is asked for, asking again changes nothing.
    """
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: labelling.order_label(unit, parcel=parcel, rules=rules, carrier=body.carrier),
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/label/cancellation",
    response_model=LabelAskedOut,
    summary="Give a parcel's waybill back",
)
async def give_back(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: GiveBackIn
) -> Response:
    """The number is cancelled at the aggregator; a parcel of a wave gets another one (W5)."""
    command = change.command(
        lambda unit: labelling.give_back_label(unit, parcel=parcel, reason=body.reason),
        reason=body.reason,
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.get(
    "/parcels/{parcel}/label.pdf",
    response_class=Response,
    responses=PDF,
    summary="A parcel's label, to be printed",
)
async def label(
    request: Request, caller: Desk, parcel: ParcelNumber, min_position: MinPosition = None
) -> Response:
    """100 by 150 mm, masked, with barcodes; the same parcel is the same bytes (W5, A4)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await labelled(connection, tenant.schema, parcel=parcel)
    return await _printed(request, found, name=parcel)


@router.post(
    "/parcels/{parcel}/label/reveals",
    response_class=Response,
    responses={**PDF, **ASKED},
    summary="A label with name and address, where the waybill was written by hand",
)
async def reveal(
    request: Request, caller: Packer, change: Change, parcel: ParcelNumber, body: LabelRevealIn
) -> Response:
    """Its carrier knows no address: recorded with actor and reason before it is printed (W5, A4).

    The phone stays masked. A minor's is printed only after a second person allowed it; the same
    key prints it again for ten minutes (A9).
    """
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await labelled(connection, tenant.schema, parcel=parcel)
    if not found:  # nothing could be printed, so that nothing is opened either
        raise NotFound(what="label")
    decide = partial(revealing.reveal_label, parcel=parcel)
    seen = await look(request, change, decide, streams=[PARCEL.stream(parcel)], reason=body.reason)
    if seen.kept is None:
        return answered(seen.outcome, 202)
    card = seen.kept["card"]
    async with tenant.pool.connection() as connection:
        recipient = await open_recipient(connection, tenant.schema, tenant.vault, card)
    faces = [_face(one, recipient.on_whole_label(), tenant.settings) for one in found]
    return pdf_answer(await _paper(faces, name=parcel), parcel)


@router.get(
    "/waves/{wave}/labels",
    response_model=WaveLabelsOut,
    summary="How many labels of a wave can be printed",
)
async def counted(
    request: Request, caller: Desk, wave: WaveNumber, min_position: MinPosition = None
) -> Response:
    """Of the parcels that are still in the house; `documents` says in how many parts (W5)."""
    await wait_for(request, min_position, "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        parcels, there = await labels_of_wave(connection, tenant.schema, wave)
    documents = -(-there // A_DOCUMENT)
    told = {"wave": wave, "parcels": parcels, "labelled": there, "documents": documents}
    return json_answer(told)


@router.get(
    "/waves/{wave}/labels.pdf",
    response_class=Response,
    responses=PDF,
    summary="The labels of a wave, to be printed",
)
async def labels(
    request: Request,
    caller: Desk,
    wave: WaveNumber,
    part: Annotated[int, Query(ge=1, le=1_000, description="of the documents, from 1")] = 1,
    min_position: MinPosition = None,
) -> Response:
    """One page a parcel, by parcel number; those without a waybill yet are left out (W5)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await labelled(
            connection,
            tenant.schema,
            wave=wave,
            offset=(part - 1) * A_DOCUMENT,
            limit=A_DOCUMENT,
        )
    return await _printed(request, found, name=f"{wave}-{part}")


@router.get(
    "/pick-lists/{pick_list}/sheet.pdf",
    response_class=Response,
    responses=PDF,
    summary="A pick list, to be printed",
)
async def sheet(
    request: Request, caller: Desk, pick_list: PickListId, min_position: MinPosition = None
) -> Response:
    """A4: what to fetch in all, then parcel by parcel; it names nobody (W1)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    found = await listed(request, pick_list)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        known = await catalogue_queries.warehouses(connection, tenant.schema)
    names = {one["code"]: one["name"] for one in known}
    code = found["warehouse"]
    drawn = await asyncio.to_thread(
        pick_list_pdf, pick_list, warehouse=names.get(code, code), parcels=found["parcels"]
    )
    return pdf_answer(drawn, pick_list)


async def _printed(request: Request, found: Sequence[Labelled], *, name: str) -> Response:
    if not found:
        raise NotFound(what="label")
    return pdf_answer(await drawn(request.state.tenant, found, name=name), name)


async def drawn(tenant: Tenant, found: Sequence[Labelled], *, name: str) -> bytes:
    """Labels as a document, with the masked recipients that their cards tell (W5, A4)."""
    recipients = await masked_recipients(tenant, found)
    faces = [_face(one, recipients.get(one.card or ""), tenant.settings) for one in found]
    return await _paper(faces, name=name)


async def _paper(faces: Sequence[Face], *, name: str) -> bytes:
    # Drawing takes milliseconds a label: others must not wait for it.
    return await asyncio.to_thread(labels_pdf, faces, title=name)


async def masked_recipients(tenant: Tenant, found: Sequence[Labelled]) -> dict[str, Recipient]:
    """Whom parcels go to, by card, as paper may show it; without those who were erased (A4)."""
    cards = {one.card for one in found if one.card}
    async with tenant.pool.connection() as connection:
        opened = await open_cards(connection, tenant.schema, tenant.vault, cards)
    return {card: Recipient.from_bytes(content).masked() for card, content in opened.items()}


def sender_words(one: Labelled, settings: Settings) -> tuple[str, ...]:
    """Who sends from the parcel's warehouse: name, phone, address; its place, where nobody says."""
    sender = sending_office(settings, one.warehouse, one.office)
    return (sender.name, sender.phone, sender.address) if sender else (one.warehouse_place,)


def _face(one: Labelled, shown: Recipient | None, settings: Settings) -> Face:
    return Face(
        parcel=one.parcel,
        warehouse=one.warehouse_name,
        carrier=str(WORDS["zh"].get(f"carrier.{one.carrier}", one.carrier)),
        waybill=one.waybill,
        sorting=one.sorting,
        wave=one.wave or "",
        recipient=shown.name if shown else "",
        phone=shown.phone if shown else "",
        address=whole_address(shown) if shown else "",
        sender="  ".join(sender_words(one, settings)),
        orders=one.orders,
        items=one.items,
        grams=one.grams,
    )
