"""账单视图 Bills with their lines, what of them differs, and every version there was (W6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from application.envelope import Envelope
from application.streams import BILL
from domain.bill_facts import (
    BillFact,
    BillReceived,
    Difference,
    DifferenceAccepted,
    DifferenceContested,
    DifferencesFound,
    DifferencesGone,
    LinesBilled,
    RowsRefused,
)
from domain.bills import Bill
from projections.reading import Event, Tables, View

_CHANGING = (DifferencesFound, DifferencesGone, DifferenceAccepted, DifferenceContested)


class _Row:
    """A bill while a batch is folded into it."""

    def __init__(self, bill: Bill, received: Sequence[Any], matched_at: datetime | None) -> None:
        self.folded = bill
        self.received = received
        self.matched_at = matched_at
        self.last: Envelope | None = None
        self.differs = False
        """Whether its differences have to be written anew."""


class Bills(View):
    """The domain's own fold of each bill."""

    name = "bills"
    tables = ("bills", "bill_revisions", "bill_lines", "bill_refused", "bill_differences")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the bills they belong to."""
        mine, known = self.mine(events, BILL.name)
        if not mine:
            return
        rows: dict[str, _Row] = {}
        for key, folded, matched_at, *received in await tables.rows(_LOAD, known) if known else ():
            rows[key] = _Row(BILL.states.validate_json(folded), received, matched_at)
        for one in mine:
            row = rows.setdefault(one.key, _Row(Bill(), (), None))
            before = row.folded.matched
            row.folded = BILL.evolve(row.folded, cast("BillFact", one.fact))
            row.last = one
            await _kept(tables, row, one)
            if row.folded.matched is not before:
                row.matched_at = one.happened_at if row.folded.matched is not None else None
        await _save(tables, rows)


async def _kept(tables: Tables, row: _Row, one: Envelope) -> None:
    """Keep what the fact says of lines and versions; what was there stays, with its end."""
    fact = one.fact
    if isinstance(fact, BillReceived):
        row.differs = True
        row.received = (
            fact.kind, fact.partner, fact.number, fact.revision, fact.file, one.happened_at,
            fact.first_day, fact.last_day, fact.lines, fact.refused, fact.total_fen,
        )  # fmt: skip
        await tables.run(_OVER, one.position, one.key)
        await tables.unnest(
            _REVISION,
            [
                (
                    one.key, fact.revision, fact.file, fact.lines, fact.refused, fact.total_fen,
                    one.happened_at, one.context.actor, one.position,
                )
            ],
        )  # fmt: skip
    elif isinstance(fact, LinesBilled):
        kind, partner, *_ = row.received
        await tables.unnest(
            _LINES,
            [
                (
                    one.key, fact.revision, line.row, str(kind), partner, line.number,
                    line.charge, line.fen, line.grams, line.quantity, line.day, one.position,
                )
                for line in fact.lines
            ],
        )  # fmt: skip
    elif isinstance(fact, RowsRefused):
        refused = [(one.key, fact.revision, r.row, r.column, r.code) for r in fact.rows]
        await tables.unnest(_REFUSED, refused)
    elif isinstance(fact, _CHANGING):
        row.differs = True


async def _save(tables: Tables, rows: dict[str, _Row]) -> None:
    differing = {key: row.folded for key, row in rows.items() if row.differs}
    await tables.unnest(_SAVE, [_values(key, row) for key, row in rows.items()])
    if differing:
        await tables.run(_FORGET, list(differing))
        await tables.unnest(
            _DIFFERENCES,
            [
                _difference(key, bill, one)
                for key, bill in differing.items()
                for one in bill.found.values()
            ],
        )


def _values(key: str, row: _Row) -> tuple[Any, ...]:
    bill, last = row.folded, row.last
    assert last is not None
    standing = [(bill.standing(one), one.fen) for one in bill.found.values()]
    counted = [
        figure
        for name in ("open", "contested")
        for figure in (
            sum(said == name for said, _ in standing),
            sum(fen for said, fen in standing if said == name),
        )
    ]
    matched = bill.matched
    return (
        key, *row.received, row.matched_at, matched.agreed if matched else 0,
        matched.ours_fen if matched else 0, *counted, bill.state, BILL.states.dump_json(bill),
        last.version, last.position,
    )  # fmt: skip


def _difference(key: str, bill: Bill, one: Difference) -> tuple[Any, ...]:
    said = bill.decision(one)
    return (
        key, one.id, one.cause, one.charge, one.number, one.row, one.billed_fen, one.ours_fen,
        one.fen, one.about, bill.standing(one), said.reason if said else "",
    )  # fmt: skip


_RECEIVED = """
    kind, partner, number, revision, file, received_at, first_day, last_day, lines, refused,
    total_fen
"""
_LOAD = f"SELECT id, folded, matched_at, {_RECEIVED} FROM {{bills}} WHERE id = ANY(%b)"
_SAVE = f"""
INSERT INTO {{bills}} (id, {_RECEIVED}, matched_at, agreed, ours_fen, open, open_fen, contested,
    contested_fen, state, folded, version, position)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
    %b::timestamptz[], %b::date[], %b::date[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::timestamptz[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::text[], %b::bytea[], %b::bigint[], %b::bigint[])
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, partner = excluded.partner,
    number = excluded.number, revision = excluded.revision, file = excluded.file,
    received_at = excluded.received_at, first_day = excluded.first_day,
    last_day = excluded.last_day, lines = excluded.lines, refused = excluded.refused,
    total_fen = excluded.total_fen, matched_at = excluded.matched_at, agreed = excluded.agreed,
    ours_fen = excluded.ours_fen, open = excluded.open, open_fen = excluded.open_fen,
    contested = excluded.contested, contested_fen = excluded.contested_fen,
    state = excluded.state, folded = excluded.folded, version = excluded.version,
    position = excluded.position
"""
_OVER = "UPDATE {bill_lines} SET until_position = %b WHERE bill = %b AND until_position IS NULL"
_REVISION = """
INSERT INTO {bill_revisions} (bill, revision, file, lines, refused, total_fen, received_at,
    received_by, position)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::timestamptz[], %b::text[], %b::bigint[])
"""
_LINES = """
INSERT INTO {bill_lines} (bill, revision, row_no, kind, partner, number, charge, fen, grams,
    quantity, day, position)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::date[], %b::bigint[])
"""
_REFUSED = """
INSERT INTO {bill_refused} (bill, revision, row_no, column_name, code)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
"""
_FORGET = "DELETE FROM {bill_differences} WHERE bill = ANY(%b)"
_DIFFERENCES = """
INSERT INTO {bill_differences} (bill, id, cause, charge, number, row_no, billed_fen, ours_fen, fen,
    about, standing, reason)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
    %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[])
"""
