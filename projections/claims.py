"""理赔视图 Inquiries and claims by parcel, with their ages (D2)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from application.streams import CLAIM
from domain.claims import CLOSED, Claim, ClaimFact, ClaimFiled, ClaimState, InquiryOpened
from projections.reading import Event, Tables, View, compose


class _Row:
    """A parcel's row while a batch is folded into it."""

    __slots__ = ("carrier", "filed_at", "folded", "inquiry_at", "moved_at", "orders", "position",
                 "reason", "version", "waybill")  # fmt: skip

    def __init__(self) -> None:
        self.folded = Claim()
        self.orders: list[str] = []
        self.carrier = self.waybill = ""
        self.reason: str | None = None
        self.inquiry_at: datetime | None = None
        self.filed_at: datetime | None = None
        self.moved_at: datetime | None = None
        self.version = self.position = 0

    def values(self, parcel: str) -> tuple[Any, ...]:
        """The row as it is saved."""
        one, asked = self.folded, self.folded.inquiry
        return (
            parcel, "\n".join(self.orders), self.carrier, self.waybill,
            asked.state if asked else None, self.inquiry_at, asked.answer_by if asked else None,
            asked.result if asked else None, one.state, self.reason, one.claimed_fen,
            one.accepted_fen, one.paid_fen, one.file_by, self.filed_at, self.moved_at,
            CLAIM.states.dump_json(one), self.version, self.position,
        )  # fmt: skip


class Claims(View):
    """The domain's own fold of what is asked of a carrier about each parcel."""

    name = "claims"
    tables = ("claims",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the parcels they are about."""
        mine, known = self.mine(events, CLAIM.name)
        if not mine:
            return
        rows: dict[str, _Row] = {}
        for parcel, *found in await tables.rows(_LOAD, known) if known else ():
            row = rows[parcel] = _Row()
            (row.orders, row.carrier, row.waybill, row.reason, row.inquiry_at, row.filed_at,
             folded) = found  # fmt: skip
            row.folded = CLAIM.states.validate_json(folded)
        for one in mine:
            fact = cast("ClaimFact", one.fact)
            row = rows.setdefault(one.key, _Row())
            row.folded = CLAIM.evolve(row.folded, fact)
            if isinstance(fact, InquiryOpened | ClaimFiled):
                row.orders, row.carrier, row.waybill = [*fact.orders], fact.carrier, fact.waybill
            if isinstance(fact, InquiryOpened):
                row.inquiry_at = one.happened_at
            elif isinstance(fact, ClaimFiled):
                row.reason, row.filed_at = fact.reason, one.happened_at
            row.moved_at, row.version, row.position = one.happened_at, one.version, one.position
        await tables.unnest(_SAVE, [row.values(parcel) for parcel, row in rows.items()])


class ClaimRow(NamedTuple):
    """What was asked and claimed of a carrier about a parcel."""

    parcel: str
    orders: list[str]
    carrier: str
    waybill: str
    inquiry: str | None
    inquiry_at: datetime | None
    inquiry_answer_by: datetime | None
    inquiry_result: str | None
    state: str | None
    reason: str | None
    claimed_fen: int
    accepted_fen: int
    paid_fen: int
    file_by: datetime | None
    filed_at: datetime | None
    moved_at: datetime
    version: int
    position: int

    @property
    def open(self) -> bool:
        """Whether the carrier still owes an answer or money."""
        return self.state is not None and self.state not in CLOSED

    @property
    def claim(self) -> Claim:
        """What deciding about the claim needs."""
        return Claim(
            state=None if self.state is None else ClaimState(self.state),
            claimed_fen=self.claimed_fen,
            accepted_fen=self.accepted_fen,
            paid_fen=self.paid_fen,
            file_by=self.file_by,
        )


async def claims(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    open_only: bool,
    state: str | None,
    carrier: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[ClaimRow]:
    """Filed claims, oldest first, after a cursor."""
    at, parcel = after or (None, None)
    query = compose(_LISTED, schema, Claims.tables, "")
    values = {
        "carrier": carrier, "open": open_only, "state": state, "at": at, "parcel": parcel,
        "limit": limit,
    }  # fmt: skip
    cursor = await connection.execute(query, values, prepare=True)
    return [ClaimRow(*row) for row in await cursor.fetchall()]


async def claim_row(connection: AsyncConnection[Any], schema: str, parcel: str) -> ClaimRow | None:
    """What was asked and claimed about this parcel."""
    query = compose(_ONE, schema, Claims.tables, "")
    row = await (await connection.execute(query, (parcel,), prepare=True)).fetchone()
    return None if row is None else ClaimRow(*row)


_LOAD = """
SELECT parcel, orders, carrier, waybill, reason, inquiry_at, filed_at, folded
FROM {claims} WHERE parcel = ANY(%b)
"""
# unnest takes no array of arrays: the orders of a parcel come as lines.
_SAVE = """
INSERT INTO {claims} (parcel, orders, carrier, waybill, inquiry, inquiry_at, inquiry_answer_by,
    inquiry_result, state, reason, claimed_fen, accepted_fen, paid_fen, file_by, filed_at,
    moved_at, folded, version, position)
SELECT parcel, string_to_array(orders, E'\\n'), carrier, waybill, inquiry, inquiry_at,
    inquiry_answer_by, inquiry_result, state, reason, claimed_fen, accepted_fen, paid_fen,
    file_by, filed_at, moved_at, folded, version, position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
    %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::bytea[],
    %b::bigint[], %b::bigint[])
    AS c(parcel, orders, carrier, waybill, inquiry, inquiry_at, inquiry_answer_by,
         inquiry_result, state, reason, claimed_fen, accepted_fen, paid_fen, file_by, filed_at,
         moved_at, folded, version, position)
ON CONFLICT (parcel) DO UPDATE SET orders = excluded.orders, carrier = excluded.carrier,
    waybill = excluded.waybill, inquiry = excluded.inquiry, inquiry_at = excluded.inquiry_at,
    inquiry_answer_by = excluded.inquiry_answer_by, inquiry_result = excluded.inquiry_result,
    state = excluded.state, reason = excluded.reason, claimed_fen = excluded.claimed_fen,
    accepted_fen = excluded.accepted_fen, paid_fen = excluded.paid_fen,
    file_by = excluded.file_by, filed_at = excluded.filed_at, moved_at = excluded.moved_at,
    folded = excluded.folded, version = excluded.version, position = excluded.position
"""
_COLUMNS = """
    parcel, orders, carrier, waybill, inquiry, inquiry_at, inquiry_answer_by, inquiry_result,
    state, reason, claimed_fen, accepted_fen, paid_fen, file_by, filed_at, moved_at, version,
    position
"""
_LISTED = f"""
SELECT {_COLUMNS} FROM {{claims}}
WHERE filed_at IS NOT NULL AND (%(carrier)s::text IS NULL OR carrier = %(carrier)s::text)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (NOT %(open)s::boolean OR state NOT IN ('paid', 'written_off'))
  AND (%(at)s::timestamptz IS NULL
       OR (filed_at, parcel) > (%(at)s::timestamptz, %(parcel)s::text))
ORDER BY filed_at, parcel LIMIT %(limit)s
"""
_ONE = f"SELECT {_COLUMNS} FROM {{claims}} WHERE parcel = %s"
