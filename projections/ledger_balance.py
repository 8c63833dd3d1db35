"""积分账 The ledger: entries in double entry, balances, lots (L6; rules.md 18, 19)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

from application.envelope import Envelope
from application.streams import ACCOUNT, BOOKS
from domain.books import Books, BooksClosed
from domain.house_rules import HouseRules
from domain.ledger import postings
from domain.lots import INSTANT
from domain.past_balances import lot_changes
from domain.point_facts import (
    AccountFact,
    AccountFrozen,
    AccountUnfrozen,
    GrantClawedBack,
    LearnerErased,
    LotExpired,
)
from projections.reading import Event, Tables, View

NEVER = datetime.max.replace(tzinfo=UTC)
"""Stored in place of "no expiry", so that an expiry is always a moment."""

ACCOUNTS = ("issuance", "learner", "held", "redeemed", "expired", "clawed_back", "owed")


def status_after(fact: AccountFact) -> str | None:
    """The account's status a fact leads to; None where it says nothing about it."""
    match fact:
        case AccountFrozen():
            return "frozen"
        case AccountUnfrozen():
            return "active"
        case LearnerErased():
            return "erased"
        case _:
            return None


class LedgerBalance(View):
    """Entries, balances and lots of all learners."""

    name = "ledger_balance"
    tables = ("ledger_entries", "balances", "lots")

    def __init__(self, rules: HouseRules) -> None:
        self._rules = rules

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the entries of these events and move balances and lots by their sums."""
        books = await self._books(events, tables)
        entries: list[tuple[Any, ...]] = []
        balances: dict[str, list[Any]] = {}
        lots: dict[tuple[str, str, datetime], int] = {}
        for event in events:
            envelope = event.envelope
            if envelope.category == BOOKS.name and isinstance(envelope.fact, BooksClosed):
                books = Books(envelope.fact.until)
            if envelope.category != ACCOUNT.name:
                continue
            fact = cast("AccountFact", envelope.fact)
            learner = envelope.key
            amounts = postings(fact)
            if amounts:
                entries.append(
                    (
                        envelope.position,
                        learner,
                        fact.fact_name,
                        envelope.happened_at,
                        books.booking_day(_ended(envelope), rules=self._rules),
                        *(amounts.get(name, 0) for name in ACCOUNTS),
                        vars(fact).get("order"),
                        _reason(envelope.context.reason, fact),
                        _source(fact),
                    )
                )
            for lot, expires_at, points in lot_changes(fact):
                key = (learner, lot, expires_at or NEVER)
                lots[key] = lots.get(key, 0) + points
            moved = balances.setdefault(learner, [None, 0, 0, 0, 0])
            moved[0] = status_after(fact) or moved[0]
            moved[1] += amounts.get("learner", 0)
            moved[2] += amounts.get("held", 0)
            moved[3] -= amounts.get("owed", 0)
            moved[4] = envelope.position
        await tables.unnest(_ENTRIES, entries)
        await tables.unnest(_BALANCES, [(k, *v) for k, v in balances.items()])
        changed = [(*key, points) for key, points in lots.items() if points]
        await tables.unnest(_LOTS, changed)

    async def _books(self, events: Sequence[Event], tables: Tables) -> Books:
        """How far the books were closed before these events: read from the log itself."""
        rows = await tables.rows(_CLOSED, BOOKS.stream("mall"), events[0].envelope.position)
        closed: date | None = date.fromisoformat(rows[0][0]) if rows else None
        return Books(closed)


def _ended(envelope: Envelope) -> datetime:
    """When it happened, for the books: a lot's last day is the day that ends at its midnight.

    Else the breakage of a month's last day would be booked to the month after (A7; rules.md 15).
    """
    expired = isinstance(envelope.fact, LotExpired)
    return envelope.happened_at - INSTANT if expired else envelope.happened_at


def _reason(reason: str, fact: AccountFact) -> str:
    return reason or str(vars(fact).get("reason", ""))


def _source(fact: AccountFact) -> str | None:
    """What it came from; of a grant that is taken back its lot, which no other grant has."""
    if isinstance(fact, GrantClawedBack):
        return fact.lot
    source: str | None = vars(fact).get("source")
    return source


_CLOSED = """
SELECT convert_from(state, 'UTF8')::json -> 'fact' ->> 'until'
FROM {tallypost_events} WHERE originator_id = %b AND notification_id < %b
ORDER BY originator_version DESC LIMIT 1
"""

_ENTRIES = """
INSERT INTO {ledger_entries} (position, learner, fact, happened_at, booked_on, issuance, available,
    held, redeemed, expired, clawed_back, owed, order_number, reason, source)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::timestamptz[], %b::date[],
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::text[], %b::text[], %b::text[])
"""

# MERGE and not ON CONFLICT: a change may be negative, which the table's checks refuse as a row.
_BALANCES = """
MERGE INTO {balances} AS b
USING unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS moved(learner, status, available, held, debt, position)
ON b.learner = moved.learner
WHEN MATCHED THEN UPDATE SET status = coalesce(moved.status, b.status),
    available = b.available + moved.available, held = b.held + moved.held,
    debt = b.debt + moved.debt, position = moved.position
WHEN NOT MATCHED THEN INSERT (learner, status, available, held, debt, position)
    VALUES (moved.learner, coalesce(moved.status, 'active'), moved.available, moved.held,
            moved.debt, moved.position)
"""

_LOTS = """
INSERT INTO {lots} AS l (learner, lot, expires_at, points)
SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::bigint[])
ON CONFLICT (learner, lot, expires_at) DO UPDATE SET points = l.points + excluded.points
"""
