"""订单状态 Orders as they stand and as they stood, and the lists of them (O3, S2, A5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from application.envelope import decode
from application.streams import ORDER
from domain.late_promises import is_told_unsent, open_since, unsent_by
from domain.order_facts import OrderFact, OrderPlaced, State, Upgrade
from domain.orders import ENDED, Order
from projections.happening import as_happened
from projections.reading import Event, Tables, View


class Moment(NamedTuple):
    """One fact of an order, as its timeline shows it."""

    at: datetime
    position: int
    fact: OrderFact


class Start(NamedTuple):
    """When a state of an order began, and from which position to which we knew it so (A5)."""

    state: State
    at: datetime
    known_from: int
    known_until: int | None = None


class _Row:
    """An order's row while a batch is folded into it."""

    __slots__ = ("folded", "last_fact_at", "late", "placed", "position", "review_since",
                 "starts", "timeline", "version")  # fmt: skip

    def __init__(self) -> None:
        self.folded = Order()
        self.placed: tuple[OrderPlaced, datetime] | None = None
        self.timeline: list[dict[str, Any]] = []
        self.starts: list[Start] = []
        self.version = 0
        self.position = 0
        self.last_fact_at: datetime | None = None
        self.review_since: datetime | None = None
        self.late: list[tuple[int, int]] = []
        """Version and position of each fact that happened before one recorded earlier."""

    def begin(self, at: datetime, position: int) -> None:
        """The order's state began, in the usual case: facts come in the order they happen."""
        self.starts.append(Start(self.folded.state, at, position))

    def correct(self, position: int) -> None:
        """A late fact: what we knew of the states until now ends here; it is folded anew."""
        self.late.append((self.version, position))
        self.starts = [
            start if start.known_until is not None else start._replace(known_until=position)
            for start in self.starts
        ]


class OrderStatus(View):
    """The domain's own fold of each order, and the periods of its states."""

    name = "order_status"
    tables = ("orders", "order_periods")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the orders they belong to."""
        mine, known = self.mine(events, ORDER.name)
        if not mine:
            return
        rows: dict[str, _Row] = {}
        if known:
            loaded = await tables.rows(_LOAD, known)
            for number, folded, timeline, version, last, since in loaded:
                row = rows[number] = _Row()
                row.folded = ORDER.states.validate_json(folded)
                row.timeline = from_json(timeline)
                row.version = version
                row.last_fact_at = last
                row.review_since = since
        for one in mine:
            row = rows.setdefault(one.key, _Row())
            fact = cast("OrderFact", one.fact)
            before = row.folded.state if row.folded.placed else None
            row.folded = ORDER.evolve(row.folded, fact)
            if isinstance(fact, OrderPlaced):
                row.placed = (fact, one.happened_at)
            if not _in_review(row.folded):
                row.review_since = None
            elif row.review_since is None:
                row.review_since = one.happened_at
            row.timeline.append(entry(one.happened_at, fact, one.position, one.context.reason))
            row.version, row.position = one.version, one.position
            if row.last_fact_at is not None and one.happened_at < row.last_fact_at:
                row.correct(one.position)
            elif row.folded.state is not before:
                row.begin(one.happened_at, one.position)
            row.last_fact_at = max(one.happened_at, row.last_fact_at or one.happened_at)
        await self._save(rows, tables)
        await self._save_periods(rows, tables)

    async def _save(self, rows: dict[str, _Row], tables: Tables) -> None:
        new = [
            (*_changing(number, row), *_fixed(*row.placed))
            for number, row in rows.items()
            if row.placed
        ]
        changed = [_changing(number, row) for number, row in rows.items() if not row.placed]
        await tables.unnest(_INSERT, new)
        await tables.unnest(_UPDATE, changed)

    async def _save_periods(self, rows: dict[str, _Row], tables: Tables) -> None:
        starts: list[tuple[Any, ...]] = []
        for number, row in rows.items():
            if row.late:
                await tables.run(_CLOSE, row.late[0][1], number)
                row.starts += await self._refolded(number, row, tables)
            starts += [(number, row.folded.learner, *start) for start in row.starts]
        await tables.unnest(_PERIODS, starts)

    async def _refolded(self, number: str, row: _Row, tables: Tables) -> list[Start]:
        """What we knew of the states after each late fact, until the next one (A5)."""
        stream = ORDER.stream(number)
        history = [
            decode(position, stream, version, name, stored)
            for position, version, name, stored in await tables.rows(_HISTORY, stream, row.version)
        ]
        known_until = [position for _, position in row.late[1:]]
        return [
            Start(state, at, position, until)
            for (version, position), until in zip(row.late, [*known_until, None], strict=True)
            for state, at in periods(
                Moment(happened, one.position, cast("OrderFact", one.fact))
                for happened, one in as_happened(one for one in history if one.version <= version)
            )
        ]


def periods(moments: Iterable[Moment]) -> list[tuple[State, datetime]]:
    """When each state of an order began, in the order in which its facts happened.

    One state an instant, the last one: a state that ended when it began was at no moment.
    """
    order = ORDER.initial
    starts: list[tuple[State, datetime]] = []
    for moment in sorted(moments):
        order = ORDER.evolve(order, moment.fact)
        if starts and starts[-1][1] == moment.at and starts[-1][0] is not order.state:
            starts.pop()
        if order.placed and (not starts or starts[-1][0] is not order.state):
            starts.append((order.state, moment.at))
    return starts


def entry(at: datetime, fact: OrderFact, position: int, reason: str) -> dict[str, Any]:
    """One line of the order's timeline, without anything that names a person."""
    fields = vars(fact)
    entry: dict[str, Any] = {"at": at, "fact": fact.fact_name, "position": position}
    for name in ("part", "parcel", "points", "cash_fen", "amount_fen", "fault"):
        value = fields.get(name)
        if value is not None:
            entry[name] = value
    why = fields.get("reason") or reason
    return {**entry, "reason": why} if why else entry


def _waiting(order: Order) -> list[str]:
    """Warehouses whose parts are still to be sent."""
    return [
        part.warehouse
        for part in order.parts
        if part.state is State.PENDING_SHIPMENT and part.live and part.warehouse and not part.waits
    ]


def _in_review(order: Order) -> bool:
    """Whether a human is to look at it now: what is unpaid, sent or over needs nobody."""
    return bool(order.review and order.paid and _waiting(order))


def _changing(number: str, row: _Row) -> tuple[Any, ...]:
    order, last = row.folded, row.last_fact_at
    windows = [
        part.window_until
        for part in order.parts
        if part.live
        and part.state is State.PENDING_END
        and part.window_until is not None
        and not part.paused_by  # a case holds it: nothing falls due
    ]
    waiting = _waiting(order)
    releasable = [part.warehouse or "" for part in order.parts if part.releasable]
    review = ",".join(order.review) if _in_review(order) else None
    return (
        number,
        order.state,
        ",".join(waiting) if waiting and order.paid else None,
        ",".join(releasable) if releasable and order.paid and order.ended is None else None,
        review,
        row.review_since,
        order.pay_by,
        min(windows, default=None) if order.ended is None else None,
        open_since(order),
        order.promise.stands if order.promise else None,
        unsent_by(order),
        is_told_unsent(order),
        last if order.state in ENDED else None,
        order.destination.card if order.destination else None,
        ORDER.states.dump_json(order),
        to_json(row.timeline),
        row.version,
        row.position,
        last,
    )


def _fixed(placed: OrderPlaced, at: datetime) -> tuple[Any, ...]:
    return (
        placed.learner,
        placed.channel,
        at,
        placed.points,
        placed.cash_fen,
        placed.upgrade is Upgrade.EXPRESS,
        placed.external_number,
    )


_LOAD = """
SELECT number, folded, timeline, version, last_fact_at, review_since FROM {orders}
WHERE number = ANY(%b)
"""

_HISTORY = """
SELECT notification_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %b AND originator_version <= %b ORDER BY originator_version
"""

_INSERT = """
INSERT INTO {orders} (number, state, waiting_at, releasable_at, review, review_since, pay_by,
    window_until, late_from, promised_by, unsent_by, unsent_told, ended_at, card, folded, timeline,
    version, position, last_fact_at, learner, channel, placed_at, points, cash_fen, urgent,
    external_number)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[],
    %b::timestamptz[], %b::timestamptz[], %b::boolean[], %b::timestamptz[], %b::text[],
    %b::bytea[], %b::bytea[], %b::bigint[], %b::bigint[], %b::timestamptz[], %b::text[],
    %b::text[], %b::timestamptz[], %b::bigint[], %b::bigint[], %b::boolean[], %b::text[])
"""

_UPDATE = """
UPDATE {orders} o SET state = n.state, waiting_at = n.waiting_at,
    releasable_at = n.releasable_at, review = n.review, review_since = n.review_since,
    pay_by = n.pay_by, window_until = n.window_until, late_from = n.late_from,
    promised_by = n.promised_by, unsent_by = n.unsent_by, unsent_told = n.unsent_told,
    ended_at = n.ended_at, card = n.card, folded = n.folded, timeline = n.timeline,
    version = n.version, position = n.position, last_fact_at = n.last_fact_at
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[],
    %b::timestamptz[], %b::timestamptz[], %b::boolean[], %b::timestamptz[], %b::text[],
    %b::bytea[], %b::bytea[], %b::bigint[], %b::bigint[], %b::timestamptz[])
    AS n(number, state, waiting_at, releasable_at, review, review_since, pay_by,
         window_until, late_from, promised_by, unsent_by, unsent_told, ended_at, card, folded,
         timeline, version, position, last_fact_at)
WHERE o.number = n.number
"""

_PERIODS = """
INSERT INTO {order_periods} (number, learner, state, valid_from, known_from, known_until)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bigint[],
    %b::bigint[])
"""

_CLOSE = """
UPDATE {order_periods} SET known_until = %b WHERE number = %b AND known_until IS NULL
"""
