"""退款 Cash on its way back to learners, visible with its age until it arrived (O5; rules.md 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from domain.paying import ask_again_after
from domain.payment_facts import (
    CashRefundAskedAgain,
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
)
from projections.reading import Event, Tables, View, compose

_Telling = CashRefundAskedAgain | CashRefundConfirmed | CashRefundFailed | CashRefundRequested
_TELLING = (CashRefundAskedAgain, CashRefundConfirmed, CashRefundFailed, CashRefundRequested)


class CashRefunds(View):
    """One row a refund of cash."""

    name = "cash_refunds"
    tables = ("cash_refunds",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add what was requested, settle what the provider answered."""
        mine = [one.envelope for one in events if isinstance(one.envelope.fact, _TELLING)]
        if not mine:
            return
        rows: dict[tuple[str, str], _Row] = {
            (row[0], row[1]): _Row(*row)
            for row in await tables.rows(_LOAD, list({one.key for one in mine}))
        }
        changed: set[tuple[str, str]] = set()
        for one in mine:
            fact = cast("_Telling", one.fact)
            key = (one.key, fact.refund)
            row = rows.get(key)
            if isinstance(fact, CashRefundRequested):
                row = _Row(*key, fact.attempt, fact.amount_fen, one.happened_at)
            elif row is None:
                continue
            elif isinstance(fact, CashRefundConfirmed):
                row = row._replace(state="confirmed", cause=None, ask_again_at=None)
            elif isinstance(fact, CashRefundAskedAgain):
                row = row._replace(state="requested", ask_again_at=None)
            else:
                pause = ask_again_after(row.failures + 1)
                row = row._replace(
                    state="failed",
                    cause=fact.cause,
                    failures=row.failures + 1,
                    ask_again_at=None if pause is None else one.happened_at + pause,
                )
            rows[key] = row._replace(version=one.version, position=one.position)
            changed.add(key)
        await tables.unnest(_SAVE, [rows[key] for key in sorted(changed)])


class _Row(NamedTuple):
    """A refund while a batch is folded into it."""

    order: str
    refund: str
    attempt: str
    amount_fen: int
    requested_at: datetime
    state: str = "requested"
    cause: str | None = None
    failures: int = 0
    ask_again_at: datetime | None = None
    version: int = 0
    position: int = 0


class OpenRefund(NamedTuple):
    """Cash somebody is waiting for."""

    order: str
    refund: str
    attempt: str
    amount_fen: int
    state: str
    cause: str | None
    requested_at: datetime
    failures: int
    ask_again_at: datetime | None
    """When it is asked for again by itself; None: it is under way, or a human has to."""


async def open_refunds(
    connection: AsyncConnection[Any], schema: str, *, limit: int = 200
) -> list[OpenRefund]:
    """Refunds requested or failed, oldest first: what a human or a provider still has to do."""
    query = compose(_OPEN, schema, CashRefunds.tables, "")
    cursor = await connection.execute(query, (limit,), prepare=True, binary=True)
    return [OpenRefund(*row) for row in await cursor.fetchall()]


_COLUMNS = """
    order_number, refund, attempt, amount_fen, requested_at, state, cause, failures, ask_again_at,
    version, position
"""
_LOAD = f"SELECT {_COLUMNS} FROM {{cash_refunds}} WHERE order_number = ANY(%b)"
_SAVE = f"""
INSERT INTO {{cash_refunds}} ({_COLUMNS})
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[],
    %b::text[], %b::text[], %b::bigint[], %b::timestamptz[], %b::bigint[], %b::bigint[])
ON CONFLICT (order_number, refund) DO UPDATE SET state = excluded.state, cause = excluded.cause,
    attempt = excluded.attempt, amount_fen = excluded.amount_fen, failures = excluded.failures,
    ask_again_at = excluded.ask_again_at, version = excluded.version, position = excluded.position
"""
_OPEN = """
SELECT order_number, refund, attempt, amount_fen, state, cause, requested_at, failures, ask_again_at
FROM {cash_refunds}
WHERE state <> 'confirmed' ORDER BY requested_at LIMIT %b
"""
