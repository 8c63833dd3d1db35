"""四眼 What waits for a second person, and what became of it (A8)."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection
from pydantic_core import from_json, to_json

from domain.approvals import ApprovalDenied, ApprovalGiven, ApprovalRequested, Kind
from projections.reading import Event, Tables, View, compose

FIELDS = (
    "id", "kind", "learner", "points", "subject", "about", "maker", "maker_role", "reason",
    "alone_points", "alone_times", "cash_fen", "goods_back", "goods", "requested_at",
    "state", "checker", "checker_role", "decided_at", "valid_until",
)  # fmt: skip


class Approvals(View):
    """One row a request."""

    name = "approvals"
    tables = ("approvals",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add what was asked for, close what was decided. They are few: one statement each."""
        for envelope in (event.envelope for event in events):
            fact = envelope.fact
            if isinstance(fact, ApprovalRequested):
                await tables.run(
                    _ASKED,
                    envelope.key,
                    fact.kind,
                    fact.learner,
                    fact.points,
                    fact.subject,
                    fact.about,
                    fact.maker,
                    fact.maker_role,
                    fact.reason,
                    fact.alone_points,
                    fact.alone_times,
                    fact.cash_fen,
                    fact.goods_back,
                    to_json(fact.goods),
                    envelope.happened_at,
                    envelope.position,
                )
            elif isinstance(fact, ApprovalGiven | ApprovalDenied):
                until = fact.valid_until if isinstance(fact, ApprovalGiven) else None
                await tables.run(
                    _DECIDED,
                    "given" if isinstance(fact, ApprovalGiven) else "denied",
                    fact.checker,
                    fact.checker_role,
                    envelope.happened_at,
                    until,
                    envelope.position,
                    envelope.key,
                )


async def approvals(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    state: str,
    kind: Kind | None = None,
    learner: str | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Requests in a state, oldest first; of one kind and learner, where these are named."""
    query = compose(_LISTED, schema, Approvals.tables, "")
    values = (state, kind, kind, learner, learner, limit)
    cursor = await connection.execute(query, values, prepare=True)
    found = [dict(zip(FIELDS, row, strict=True)) for row in await cursor.fetchall()]
    return [{**one, "goods": from_json(one["goods"])} for one in found]


_ASKED = """
INSERT INTO {approvals} (id, kind, learner, points, subject, about, maker, maker_role, reason,
    alone_points, alone_times, cash_fen, goods_back, goods, requested_at, state, position)
VALUES (%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, 'open', %b)
"""
_DECIDED = """
UPDATE {approvals} SET state = %b, checker = %b, checker_role = %b, decided_at = %b,
    valid_until = %b, position = %b
WHERE id = %b
"""
_LISTED = """
SELECT id, kind, learner, points, subject, about, maker, maker_role, reason, alone_points,
    alone_times, cash_fen, goods_back, goods, requested_at, state, checker, checker_role,
    decided_at, valid_until
FROM {approvals} WHERE state = %b AND (%b::text IS NULL OR kind = %b)
    AND (%b::text IS NULL OR learner = %b)
ORDER BY requested_at, id LIMIT %b
"""
