"""逾期未发 Orders whose promised time passed before all of them was handed over (T5, O6, M5)."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.streams import ORDER
from domain.late_promises import in_the_house
from projections.order_answers import stage
from projections.reading import compose


class UnsentOrder(NamedTuple):
    """An order that somebody should hurry."""

    order: str
    promised_by: datetime
    told: bool
    """Whether its learner was told."""
    stages: list[str]
    """How far what is still in the house has come, each once."""
    warehouses: list[str]
    """Where that is, each once."""


async def unsent_orders(
    connection: AsyncConnection[Any], schema: str, *, now: datetime, limit: int = 200
) -> list[UnsentOrder]:
    """The longest first."""
    query = compose(_UNSENT, schema, ("orders",), "")
    cursor = await connection.execute(query, (now, limit), prepare=True)
    return [_unsent(*row) for row in await cursor.fetchall()]


def _unsent(number: str, by: datetime, told: bool, folded: bytes) -> UnsentOrder:
    order = ORDER.states.validate_json(folded)
    parts = in_the_house(order)
    stages = dict.fromkeys(stage(order, part) for part in parts)
    places = dict.fromkeys(part.warehouse for part in parts if part.warehouse)
    return UnsentOrder(number, by, told, list(stages), list(places))


_UNSENT = """
SELECT number, unsent_by, unsent_told, folded FROM {orders}
WHERE unsent_by <= %b ORDER BY unsent_by, number LIMIT %b
"""
