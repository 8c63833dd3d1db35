"""退款 Cash on its way back to learners, visible with its age until it arrived (O5; rules.md 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from domain.order_facts import CashRefundConfirmed, CashRefundFailed, CashRefundRequested
from projections.reading import Event, Tables, View, compose


class CashRefunds(View):
    """One row a refund of cash."""

    name = "cash_refunds"
    tables = ("cash_refunds",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add what was requested, settle what the provider answered."""
        rows: dict[tuple[str, str], list[Any]] = {}
        settled: dict[tuple[str, str], tuple[str, str | None, int]] = {}
        for envelope in (event.envelope for event in events):
            fact = envelope.fact
            if isinstance(fact, CashRefundRequested):
                settled.pop((envelope.key, fact.refund), None)
                rows[envelope.key, fact.refund] = [
                    fact.attempt,
                    fact.amount_fen,
                    envelope.happened_at,
                    envelope.position,
                ]
            elif isinstance(fact, CashRefundConfirmed):
                settled[envelope.key, fact.refund] = ("confirmed", None, envelope.position)
            elif isinstance(fact, CashRefundFailed):
                settled[envelope.key, fact.refund] = ("failed", fact.cause, envelope.position)
        await tables.unnest(_REQUEST, [(*k, *v) for k, v in rows.items()])
        await tables.unnest(_SETTLE, [(*k, *v) for k, v in settled.items()])


class OpenRefund(NamedTuple):
    """Cash somebody is waiting for."""

    order: str
    refund: str
    attempt: str
    amount_fen: int
    state: str
    cause: str | None
    requested_at: datetime


async def open_refunds(
    connection: AsyncConnection[Any], schema: str, *, limit: int = 200
) -> list[OpenRefund]:
    """Refunds requested or failed, oldest first: what a human or a provider still has to do."""
    query = compose(_OPEN, schema, CashRefunds.tables, "")
    cursor = await connection.execute(query, (limit,), prepare=True, binary=True)
    return [OpenRefund(*row) for row in await cursor.fetchall()]


_REQUEST = """
INSERT INTO {cash_refunds}
    (order_number, refund, attempt, amount_fen, requested_at, position, state)
SELECT r.*, 'requested' FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[],
    %b::timestamptz[], %b::bigint[]) AS r
ON CONFLICT (order_number, refund) DO UPDATE SET state = 'requested', cause = NULL,
    attempt = excluded.attempt, amount_fen = excluded.amount_fen, position = excluded.position
"""
_SETTLE = """
UPDATE {cash_refunds} c SET state = s.state, cause = s.cause, position = s.position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
    AS s(order_number, refund, state, cause, position)
WHERE c.order_number = s.order_number AND c.refund = s.refund
"""
_OPEN = """
SELECT order_number, refund, attempt, amount_fen, state, cause, requested_at FROM {cash_refunds}
WHERE state <> 'confirmed' ORDER BY requested_at LIMIT %b
"""
