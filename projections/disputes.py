"""争议视图 Cases as they stand, and the lists of them by state, deadline and learner (D1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, cast

from psycopg import AsyncConnection

from application.streams import DISPUTE
from domain.dispute_facts import DisputeDecided, DisputeFact, DisputeOpened, DisputeWithdrawn
from domain.disputes import CaseState, Dispute
from projections.reading import Event, Tables, View, compose

TABLES = ("disputes", "claims")


class _Row:
    """A case's row while a batch is folded into it."""

    __slots__ = ("closed_at", "folded", "opened_at", "position", "version")

    def __init__(self, opened_at: datetime) -> None:
        self.folded = Dispute()
        self.opened_at = opened_at
        self.closed_at: datetime | None = None
        self.version = self.position = 0

    def values(self, case: str) -> tuple[Any, ...]:
        """The row as it is saved."""
        one = self.folded
        outcome = one.decision.outcome if one.state is CaseState.DECIDED and one.decision else None
        return (
            case, one.order, one.parcel, one.learner, one.reason, one.state, outcome,
            self.opened_at, self.closed_at, one.answer_by if one.asks_learner else None,
            one.decide_by if one.live else None, one.overdue, one.file_claim_by,
            DISPUTE.states.dump_json(one), self.version, self.position,
        )  # fmt: skip


class Disputes(View):
    """The domain's own fold of each case."""

    name = "disputes"
    tables = ("disputes",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the cases they belong to."""
        mine, known = self.mine(events, DISPUTE.name)
        if not mine:
            return
        rows: dict[str, _Row] = {}
        if known:
            for case, opened_at, closed_at, folded in await tables.rows(_LOAD, known):
                row = rows[case] = _Row(opened_at)
                row.closed_at = closed_at
                row.folded = DISPUTE.states.validate_json(folded)
        for one in mine:
            fact = cast("DisputeFact", one.fact)
            if isinstance(fact, DisputeOpened):
                rows[one.key] = _Row(one.happened_at)
            row = rows[one.key]
            row.folded = DISPUTE.evolve(row.folded, fact)
            if isinstance(fact, DisputeDecided | DisputeWithdrawn):
                row.closed_at = one.happened_at
            elif row.folded.live:
                row.closed_at = None
            row.version, row.position = one.version, one.position
        await tables.unnest(_SAVE, [row.values(case) for case, row in rows.items()])


class CaseRow(NamedTuple):
    """A case as the view keeps it, with what was asked of the carrier about its parcel."""

    id: str
    order_number: str
    parcel: str
    learner: str
    reason: str
    state: str
    outcome: str | None
    opened_at: datetime
    closed_at: datetime | None
    answer_by: datetime | None
    decide_by: datetime | None
    overdue: bool
    file_claim_by: datetime | None
    version: int
    position: int
    inquiry: str | None
    inquiry_answer_by: datetime | None
    inquiry_result: str | None
    claim: str | None
    folded: bytes

    @property
    def dispute(self) -> Dispute:
        """The domain's own fold of the case."""
        return DISPUTE.states.validate_json(self.folded)

    @property
    def waits_for(self) -> str | None:
        """Whose turn it is: the learner's, a second person's, the carrier's, or staff's."""
        if self.state == CaseState.AWAITING_APPROVAL:
            return "approval"
        if self.state != CaseState.OPEN:
            return None
        if self.answer_by is not None:
            return "learner"
        return "carrier" if self.inquiry == "open" else "staff"

    def summary(self) -> dict[str, Any]:
        """The case as lists show it."""
        shown = self._asdict()
        for hidden in (
            "folded", "version", "position", "inquiry_answer_by", "inquiry_result", "order_number",
        ):  # fmt: skip
            del shown[hidden]
        return {
            **shown,
            "order": self.order_number,
            "waits_for": self.waits_for,
            "next_deadline": min(
                (one for one in (self.answer_by, self.decide_by) if one is not None), default=None
            ),
        }


class Wanted(NamedTuple):
    """Which cases a list is of."""

    live: bool | None = None
    """True: still to be decided, the nearest deadline first; else by opening, newest first."""
    state: str | None = None
    learner: str | None = None
    order: str | None = None
    overdue: bool | None = None


async def cases(
    connection: AsyncConnection[Any],
    schema: str,
    wanted: Wanted,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[CaseRow]:
    """A page of cases after a cursor."""
    at, case = after or (None, None)
    text = _BY_DEADLINE if wanted.live else _BY_OPENING
    values = {**wanted._asdict(), "at": at, "case": case, "limit": limit}
    return await _rows(connection, schema, text, values)


async def case_row(connection: AsyncConnection[Any], schema: str, case: str) -> CaseRow | None:
    """The case with this id."""
    rows = await _rows(connection, schema, _ONE, {"case": case})
    return rows[0] if rows else None


async def cases_of_order(
    connection: AsyncConnection[Any], schema: str, number: str
) -> list[CaseRow]:
    """An order's cases, first one first."""
    return await _rows(connection, schema, _OF_ORDER, {"number": number})


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> list[CaseRow]:
    query = compose(text, schema, TABLES, "")
    cursor = await connection.execute(query, values, prepare=True)
    return [CaseRow(*row) for row in await cursor.fetchall()]


_LOAD = "SELECT id, opened_at, closed_at, folded FROM {disputes} WHERE id = ANY(%b)"
_SAVE = """
INSERT INTO {disputes} (id, order_number, parcel, learner, reason, state, outcome, opened_at,
    closed_at, answer_by, decide_by, overdue, file_claim_by, folded, version, position)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[],
    %b::boolean[], %b::timestamptz[], %b::bytea[], %b::bigint[], %b::bigint[])
ON CONFLICT (id) DO UPDATE SET reason = excluded.reason,
    state = excluded.state, outcome = excluded.outcome,
    closed_at = excluded.closed_at, answer_by = excluded.answer_by,
    decide_by = excluded.decide_by, overdue = excluded.overdue,
    file_claim_by = excluded.file_claim_by, folded = excluded.folded,
    version = excluded.version, position = excluded.position
"""
_FIELDS: LiteralString = """
SELECT d.id, d.order_number, d.parcel, d.learner, d.reason, d.state, d.outcome, d.opened_at,
    d.closed_at, d.answer_by, d.decide_by, d.overdue, d.file_claim_by, d.version, d.position,
    c.inquiry, c.inquiry_answer_by, c.inquiry_result, c.state, d.folded
FROM {disputes} d LEFT JOIN {claims} c USING (parcel)
"""
_CHOSEN: LiteralString = """
WHERE (%(state)s::text IS NULL OR d.state = %(state)s::text)
  AND (%(learner)s::text IS NULL OR d.learner = %(learner)s::text)
  AND (%(order)s::text IS NULL OR d.order_number = %(order)s::text)
  AND (%(overdue)s::boolean IS NULL OR d.overdue = %(overdue)s::boolean)
"""
_BY_DEADLINE: LiteralString = f"""
{_FIELDS} {_CHOSEN} AND d.decide_by IS NOT NULL
  AND (%(at)s::timestamptz IS NULL OR (d.decide_by, d.id) > (%(at)s::timestamptz, %(case)s::text))
ORDER BY d.decide_by, d.id LIMIT %(limit)s
"""
_BY_OPENING: LiteralString = f"""
{_FIELDS} {_CHOSEN} AND (%(live)s::boolean IS NULL OR d.decide_by IS NULL)
  AND (%(at)s::timestamptz IS NULL OR (d.opened_at, d.id) < (%(at)s::timestamptz, %(case)s::text))
ORDER BY d.opened_at DESC, d.id DESC LIMIT %(limit)s
"""
_ONE: LiteralString = f"{_FIELDS} WHERE d.id = %(case)s"
_OF_ORDER: LiteralString = f"{_FIELDS} WHERE d.order_number = %(number)s ORDER BY d.opened_at, d.id"
