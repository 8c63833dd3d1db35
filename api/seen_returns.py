"""退货画面 A return as its reader may see it: what one screen needs (D3)."""

from typing import Any

from psycopg import AsyncConnection

from api.seen_cases import recipient_of
from application.cards import open_cards
from application.case_words import without_names
from application.offices import office_of
from application.sealed_words import Message, content_of
from domain.orders import Order
from domain.returns import Return, comes_from_abroad
from projections import catalogue_queries, order_answers, order_queries
from projections.claims import claim_row
from projections.returns import ReturnRow


async def seen_return(
    connection: AsyncConnection[Any], tenant: Any, row: ReturnRow, *, staff: bool
) -> dict[str, Any]:
    """What is known of a return beyond its row."""
    back = row.back
    order = await order_queries.Asking(connection, tenant.schema).order(row.order_number)
    assert order is not None  # a return is an order's
    said, message = await _told(connection, tenant, back)
    if said is not None and staff:
        said = without_names(said, await recipient_of(connection, tenant, order))
    return {
        "payer": back.payer,
        "from_abroad": comes_from_abroad(order.order),
        "criteria": list(back.criteria),
        "freight_points": back.freight_points,
        "freight_fen": back.freight_fen,
        "units": _units(back, order.order),
        "words": said,
        "label": await _label(connection, tenant, row),
        "outcome": _outcome(back),
        "proposed": _proposed(back) if staff else None,
        "claim": await _claim(connection, tenant.schema, row.id) if staff else None,
        "message": message,
        "position": row.position,
        "version": row.version,
    }


def _units(back: Return, order: Order) -> list[dict[str, Any]]:
    inspected: list[dict[str, Any]] = [
        {
            "part": one.part,
            "line": one.line,
            "quantity": one.quantity,
            "verdict": one.verdict,
            "failed": list(one.failed),
        }
        for one in back.goods
    ]
    units = inspected or [one.model_dump() for one in back.units]
    lines = (order.line(one["line"]) for one in units)
    return [
        {**one, "sku": line.sku, "name": line.name} for one, line in zip(units, lines, strict=True)
    ]


def _proposed(back: Return) -> dict[str, Any] | None:
    """What waits for a second person: what it would give, who asked, where they decide (A8)."""
    told = ("approval", "maker", "points", "cash_fen", "reason")
    asked = back.proposed
    return None if asked is None else {name: getattr(asked, name) for name in told}


def _outcome(back: Return) -> dict[str, Any] | None:
    settled = back.settled
    if settled is None:
        return None
    return {
        "remedy": settled.remedy,
        "points": settled.points_refunded,
        "cash_fen": settled.cash_fen_refunded,
        "points_kept": settled.points_kept,
        "cash_fen_kept": settled.cash_fen_kept,
        "replacement": settled.replacement,
        "sent_back_in": settled.sent_back_in,
    }


async def _claim(connection: AsyncConnection[Any], schema: str, name: str) -> dict[str, Any] | None:
    """What was asked of the house's own carrier that lost it, and what it paid (D2)."""
    found = await claim_row(connection, schema, name)
    if found is None or found.state is None:
        return None
    known = ("carrier", "state", "claimed_fen", "accepted_fen", "paid_fen")
    return {one: getattr(found, one) for one in known}


async def _told(
    connection: AsyncConnection[Any], tenant: Any, back: Return
) -> tuple[str | None, dict[str, str | None] | None]:
    """What the learner said, and what they were told; nothing of what is gone."""
    ended = back.settled or back.rejected
    message = None if ended is None else ended.message
    cards = [one.card for one in (back.words, message) if one is not None]
    found = await open_cards(connection, tenant.schema, tenant.vault, cards)
    said = found.get(back.words.card) if back.words else None
    words = None if said is None else content_of(said).decode()
    if message is None:
        return words, None
    told = found.get(message.card)
    if told is None:
        return words, {"zh": None, "en": None}
    return words, Message.from_bytes(content_of(told))._asdict()


async def _label(
    connection: AsyncConnection[Any], tenant: Any, row: ReturnRow
) -> dict[str, Any] | None:
    """What belongs on the parcel, and its way."""
    if row.warehouse is None:
        return None
    asking = order_queries.Asking(connection, tenant.schema)
    box = dict(await asking.parcels(row.order_number)).get(row.id)
    places = await catalogue_queries.warehouses(connection, tenant.schema)
    place = next((one for one in places if one["code"] == row.warehouse), {})
    office = office_of(tenant.settings, row.warehouse, place.get("office"))
    way = {} if box is None else order_answers.tracked(box)
    return {
        "parcel": row.id,
        "to": place.get("name", row.warehouse),
        "province": place.get("province", ""),
        "city": place.get("city", ""),
        "contact": office and office.name,
        "address": office and office.address,
        "phone": office and office.phone,
        "carrier": way.get("carrier"),
        "waybill": way.get("waybill"),
        "state": way.get("state", "labelled"),
        "scans": way.get("scans", []),
    }
