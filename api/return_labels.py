"""退货面单 The label of goods that come back, for who sends them and who waits for them (D3)."""

import asyncio
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from api.auth import Reader, Role
from api.pages import WORDS
from api.printing import PDF, pdf_answer
from api.reading import MinPosition, wait_for
from api.return_sheets import ReturnFace, return_label_pdf
from api.returns import Back
from api.seen_cases import recipient_of
from application.offices import office_of
from application.ordering_labels import whole_address
from application.recipients import Recipient
from domain.refusals import NotFound
from domain.returns import COMING, comes_from_abroad
from projections import catalogue_queries, order_queries
from projections.returns import ReturnRow, return_row

router = APIRouter(prefix="/v1", tags=["returns"])


@router.get(
    "/returns/{return_id}/label.pdf",
    response_class=Response,
    responses=PDF,
    summary="A return's label, to be printed",
)
async def label(
    request: Request, caller: Reader, return_id: Back, min_position: MinPosition = None
) -> Response:
    """100 by 150 mm, masked, while its goods may still come: where to, what, which number (D3).

    There is none where the goods stay, or are at the warehouse.
    """
    await wait_for(request, min_position, "returns", "parcel_tracking", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = await return_row(connection, tenant.schema, return_id)
        if row is None or (caller.role is Role.LEARNER and row.learner != caller.subject):
            raise NotFound(what="return")
        if row.warehouse is None or row.back.state not in COMING:
            raise NotFound(what="label")
        asking = order_queries.Asking(connection, tenant.schema)
        order = await asking.order(row.order_number)
        assert order is not None  # a return is an order's
        box = dict(await asking.parcels(row.order_number))[row.id]
        places = await catalogue_queries.warehouses(connection, tenant.schema)
        recipient = await recipient_of(connection, tenant, order)
    place = next(one for one in places if one["code"] == row.warehouse)
    own = office_of(tenant.settings, row.warehouse, place.get("office"))
    abroad = comes_from_abroad(order.order)
    home = "CHINA 中国  " if abroad else ""
    masked = None if recipient is None else recipient.masked()
    face = ReturnFace(
        number=row.id,
        order=row.order_number,
        warehouse=own.name if own else place["name"],
        phone=own.phone if own else "",
        address=home + (own.address if own else f"{place['province']}{place['city']}"),
        sender=_who(masked),
        sender_place="" if masked is None else whole_address(masked),
        send_by=_send_by(row, tenant.rules.zone),
        carrier="" if box.carrier is None else WORDS["zh"].get(f"carrier.{box.carrier}", ""),
        waybill=box.waybill or "",
        customs="RETURNED GOODS 退运货物" if abroad else "",
        items=tuple((order.order.line(one.line).name, one.quantity) for one in row.back.units),
    )
    return pdf_answer(await asyncio.to_thread(return_label_pdf, face), row.id)


def _who(masked: Recipient | None) -> str:
    return "" if masked is None else f"{masked.name}  {masked.phone}"


def _send_by(row: ReturnRow, zone: ZoneInfo) -> str:
    if row.send_by is None:
        return ""
    return f"请在 {row.send_by.astimezone(zone):%Y-%m-%d} 前寄出"
