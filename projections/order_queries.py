"""订单查询 Questions about orders: one with its parcels, lists, searches (O3, S2, A5)."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.streams import ORDER, PARCEL
from domain.order_facts import State
from domain.orders import Order
from domain.parcels import Parcel
from projections.reading import compose

TABLES = ("orders", "parcels", "disputes", "balances")
FOUND_MAX = 50
"""Of more orders that a search finds these many, the newest ones."""
TAIL_MIN = 4
"""Fewer letters than this are no end of a number."""
LAST_LETTER = "\x7f"
"""Stands after all that numbers are written in."""


class OrderRow(NamedTuple):
    """An order as the view keeps it."""

    number: str
    learner: str
    channel: str
    external_number: str | None
    """What an outside shop calls it."""
    state: str
    placed_at: datetime
    promised_by: datetime
    pay_by: datetime | None
    points: int
    cash_fen: int
    card: str | None
    folded: bytes
    timeline: bytes
    version: int
    position: int
    owed: int
    """What its learner owes just now, in points."""

    @property
    def order(self) -> Order:
        """The domain's own fold of the order."""
        return ORDER.states.validate_json(self.folded)

    @property
    def packed(self) -> bool:
        """Whether any of it ever went into a parcel."""
        return any(name in self.timeline for name in _PACKED)

    @property
    def sent(self) -> bool:
        """Whether a parcel of it ever left, so that there may be cases of it."""
        return any(name in self.timeline for name in _LEFT)


class Listed(NamedTuple):
    """An order in a list."""

    number: str
    learner: str
    state: str
    placed_at: datetime
    points: int
    cash_fen: int
    folded: bytes

    def contents(self) -> dict[str, Any]:
        """What is in it, and whether units of it wait for their learner's choice (rules.md 1)."""
        order = ORDER.states.validate_json(self.folded)
        return {
            "lines": [
                {
                    "sku": line.sku,
                    "name": line.name,
                    "kind": line.kind,
                    "quantity": line.quantity,
                    "gone": line.quantity - order.live_units(line.line),
                }
                for line in order.lines
            ],
            "choice": any(part.waits == "choice" and part.units for part in order.parts),
        }


class Asking:
    """Questions about orders on one connection of one tenant."""

    def __init__(self, connection: AsyncConnection[Any], schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def rows(self, text: Any, *values: object) -> list[Any]:
        """Run a query that names this room's tables in braces."""
        query = compose(text, self._schema, TABLES, "")
        cursor = await self._connection.execute(query, values, prepare=True, binary=True)
        return await cursor.fetchall()

    async def order(self, number: str) -> OrderRow | None:
        """The order with this number."""
        rows = await self.rows(_ORDER, number)
        return OrderRow(*rows[0]) if rows else None

    async def parcels(self, number: str) -> list[tuple[str, Parcel]]:
        """The parcels an order is in (S4)."""
        rows = await self.rows(_PARCELS, [number])
        return [(parcel, PARCEL.states.validate_json(folded)) for parcel, folded in rows]

    async def linked(self, order: Order) -> dict[str, Order]:
        """The orders that send units of this one once more, and the originals of what it replaces.

        By number; the originals only where some of its own units can still be cancelled (O8).
        """
        numbers = [one.number for one in order.replacements if one.state == "ordered"]
        left = any(part.waits or part.to_be_sent for part in order.parts if part.live)
        original = order.original if left else None
        found: dict[str, Order] = {}
        while numbers or original is not None:
            rows = await self.rows(_LINKED, numbers + ([original] if original else []))
            found |= {number: ORDER.states.validate_json(folded) for number, folded in rows}
            numbers, original = [], found[original].original if original else None
        return found

    async def is_parcel(self, number: str) -> bool:
        """Whether there is a parcel with this number."""
        return bool(await self.rows(_PARCEL, number))

    async def listed(
        self,
        *,
        learner: str | None,
        states: Sequence[str] | None,
        before: tuple[datetime, str] | None,
        limit: int,
        hidden: Sequence[str] = (),
    ) -> list[Listed]:
        """Orders, newest first, before a cursor."""
        at, number = before or (None, None)
        wanted = list(states) if states is not None else None
        rows = await self.rows(
            _LISTED, learner, learner, wanted, wanted, list(hidden), at, at, number, limit
        )
        return [Listed(*row) for row in rows]

    async def under_way(self, learner: str) -> list[Listed]:
        """A learner's orders that still have something to be sent or received."""
        open_states = ["pending_payment", "pending_shipment", "pending_receipt"]
        return await self.listed(learner=learner, states=open_states, before=None, limit=200)

    async def found(
        self, text: str, cards: Sequence[str], *, code: str | None = None, limit: int = FOUND_MAX
    ) -> list[tuple[Listed, dict[str, Any]]]:
        """Orders by their number, here or outside, or learner, a parcel's number or any number it
        travels under, a case, the end of an order's or waybill's number, a pick-up code, or by
        cards.

        The cards of the vault are what a phone, a name or an address led to. Beside each its
        outside number, and how many orders have that one: none is refused for it (G3).
        """
        # Numbers are written in capitals, and read out and typed as people like.
        spelt = [text, text.upper()]
        end = plain_number(text)
        tail = (None, None) if len(end) < TAIL_MIN else (end[::-1], end[::-1] + LAST_LETTER)
        numbers = [*[spelt] * 2, text, list(cards), *tail]
        rows = await self.rows(_FOUND, *numbers, spelt, end, *tail, code, spelt, limit)
        return [
            (Listed(*row), {"external_number": outside, "external_orders": orders})
            for *row, outside, orders in rows
        ]


def plain_number(text: str) -> str:
    """A number or code as it is compared: letters and digits alone, capitals, ASCII; or empty."""
    plain = unicodedata.normalize("NFKC", text).upper()
    letters = "".join([letter for letter in plain if letter.isalnum()])
    return letters if letters.isascii() else ""


_UNASKED = b'"orders.CancelledUnitsSent"'
_PACKED = (b'"orders.PartPacked"', _UNASKED)
_LEFT = (b'"orders.PartHandedOver"', b'"orders.PartReceived"', _UNASKED)
HIDDEN_FROM_CUSTOMERS = (State.EXPIRED,)

_ORDER = """
SELECT number, learner, channel, external_number, state, placed_at, promised_by, pay_by, points,
    cash_fen, card, folded, timeline, version, position,
    coalesce((SELECT debt FROM {balances} AS b WHERE b.learner = {orders}.learner), 0)
FROM {orders} WHERE number = %b
"""
_LINKED = "SELECT number, folded FROM {orders} WHERE number = ANY(%b::text[])"
_PARCELS = "SELECT number, folded FROM {parcels} WHERE orders @> %b::text[] ORDER BY number"
_PARCEL = "SELECT number FROM {parcels} WHERE number = %b"
_LISTED = """
SELECT number, learner, state, placed_at, points, cash_fen, folded FROM {orders}
WHERE (%b::text IS NULL OR learner = %b::text)
  AND (%b::text[] IS NULL OR state = ANY(%b::text[])) AND state <> ALL(%b::text[])
  AND (%b::timestamptz IS NULL OR (placed_at, number) < (%b::timestamptz, %b::text))
ORDER BY placed_at DESC, number DESC LIMIT %b
"""
_FOUND = """
SELECT number, learner, state, placed_at, points, cash_fen, folded, external_number,
    (SELECT count(*) FROM {orders} AS twin WHERE twin.external_number = {orders}.external_number)
FROM {orders}
WHERE number IN (
    SELECT number FROM {orders} WHERE number = ANY(%b::text[])
    UNION ALL SELECT number FROM {orders} WHERE external_number = ANY(%b::text[])
    UNION ALL SELECT number FROM {orders} WHERE learner = %b
    UNION ALL SELECT number FROM {orders} WHERE card = ANY(%b::text[])
    UNION ALL SELECT number FROM {orders}
        WHERE reverse(number) >= %b::text AND reverse(number) < %b::text
    UNION ALL SELECT unnest(orders) FROM {parcels}
        WHERE number = ANY(%b::text[]) OR numbers @> ARRAY[%b::text]
           OR (reverse(waybill) >= %b::text AND reverse(waybill) < %b::text)
           OR pickup_code = %b
    UNION ALL SELECT order_number FROM {disputes} WHERE id = ANY(%b::text[]))
ORDER BY placed_at DESC, number DESC LIMIT %b
"""
