"""往日订单 Lists of orders in the states they were in at a moment, as known at a position (A5)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from projections.order_status import OrderStatus
from projections.reading import compose

LOOKED_AT = 10_000
"""Periods of states that one page looks at: whatever there is, a page takes only so long."""

Place = tuple[datetime, str, int]
"""A period: since when the order was in its state, its number, from which position on known."""
NEWEST: Place = (datetime.max.replace(tzinfo=UTC), "", 0)


class Then(NamedTuple):
    """A moment, and from when we look at it."""

    as_of: datetime
    known_at: int
    """A log position: facts recorded later are not known."""


class ListedThen(NamedTuple):
    """An order in a list of how orders stood at a moment."""

    number: str
    learner: str
    state: str
    since: datetime


class PastPage(NamedTuple):
    """A page of a list; short or even empty where few of the orders looked at are wanted."""

    orders: list[ListedThen]
    next: Place | None
    """After which period the next page begins; None: there is none."""


async def listed_then(
    connection: AsyncConnection[Any],
    schema: str,
    then: Then,
    *,
    learner: str | None,
    states: Sequence[str],
    after: Place | None,
    limit: int,
) -> PastPage:
    """Orders in one of these states then, those that came into it last first.

    A state that ended long before looks like one that lasts until its order's next one is met;
    so of rare and passing states a page finds what there is among the `LOOKED_AT` newest.
    """
    place = after or NEWEST
    walk = (*((learner,) if learner is not None else ()), then.as_of, *place)
    known = (then.known_at, then.known_at)
    listing, last = (_LISTED, _LAST) if learner is None else (_LISTED_OF, _LAST_OF)

    async def rows(text: Any, *values: object) -> list[Any]:
        query = compose(text, schema, OrderStatus.tables, "")
        cursor = await connection.execute(query, values, prepare=True, binary=True)
        return await cursor.fetchall()

    async with connection.transaction():
        # Both statements see the same rows, whatever is folded meanwhile.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = await rows(
            listing, *walk, LOOKED_AT, *known, list(states), then.as_of, *known, limit + 1
        )
        orders = [ListedThen(*row) for row in found[:limit]]
        if len(found) > limit:
            return PastPage(orders, (orders[-1].since, orders[-1].number, 0))
        end = await rows(last, *walk, LOOKED_AT - 1)
        return PastPage(orders, tuple(end[0]) if end else None)


_OF = "learner = %b AND "
_WALK = "valid_from <= %b AND (valid_from, number, known_from) < (%b, %b, %b::bigint)"
_NEWEST_FIRST = "ORDER BY valid_from DESC, number DESC, known_from DESC"
# The inner query is a walk along an index, cut off; a sub-select for each row keeps it a walk.
_STATES = f"""
) looked
WHERE known_from <= %b AND (known_until IS NULL OR known_until > %b) AND state = ANY(%b::text[])
  AND (valid_from, known_from) = (
      SELECT n.valid_from, n.known_from FROM {{order_periods}} n
      WHERE n.number = looked.number AND n.valid_from <= %b
        AND n.known_from <= %b AND (n.known_until IS NULL OR n.known_until > %b)
      ORDER BY n.valid_from DESC, n.known_from DESC LIMIT 1)
{_NEWEST_FIRST} LIMIT %b
"""
_HEAD = "SELECT number, learner, state, valid_from FROM (SELECT * FROM {order_periods} WHERE "
_LISTED = f"{_HEAD}{_WALK} {_NEWEST_FIRST} LIMIT %b{_STATES}"
_LISTED_OF = f"{_HEAD}{_OF}{_WALK} {_NEWEST_FIRST} LIMIT %b{_STATES}"
_FROM = "SELECT valid_from, number, known_from FROM {order_periods} WHERE "
_LAST = f"{_FROM}{_WALK} {_NEWEST_FIRST} OFFSET %b LIMIT 1"
_LAST_OF = f"{_FROM}{_OF}{_WALK} {_NEWEST_FIRST} OFFSET %b LIMIT 1"
