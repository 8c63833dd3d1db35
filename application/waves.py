"""波次 Running a wave: what waits in a warehouse is released, merged by recipient (S4, S5).

A wave may break off anywhere and be run again: what it released stays, the rest follows, and its
number tells it from tomorrow's. At a cut-off it waits for the view to show all that was placed by
then: what a wave misses that closes waits a day, though its promise counted on it (rules.md 10).
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from pydantic_core import from_json

from application.cards import open_cards
from application.envelope import Context
from application.house import House
from application.issuing import issue
from application.recipients import Recipient
from application.releasing import release_together
from application.screening import screen
from application.streams import MALL, NETWORK, ORDER, WAVE
from application.unit import Command, Unit
from application.wave_orders import Left, left_out, orders_now
from domain.addresses import canonical_place
from domain.orders import Order
from domain.parcel_facts import Content
from domain.promising import last_wave
from domain.waves import Wave

EXPRESS = "express"
"""Stands for the wave in what skips the waves, because its learner paid for it (O6)."""
LATE = timedelta(hours=6)
"""A cut-off missed for longer, by a house that stood still, waits for the next one."""
CUT_OFF_ACTOR: Final = "policy:release_at_cutoff"
SHOWN_WITHIN: Final = 5.0
"""Seconds that a wave waits for the view of orders; then it stays open, and comes again."""
STANDS_AFTER = timedelta(minutes=5)
"""A wave takes seconds; one that is not closed by then is shown to somebody."""


class Waiting(NamedTuple):
    """A part that waits to be released."""

    content: Content
    learner: str
    card: str | None
    warehouse: str | None
    version: int
    """Of its order, as the view had it."""


class Standing(NamedTuple):
    """A wave that was begun and is not closed."""

    wave: str
    warehouse: str
    cut_off: datetime


class Ran(NamedTuple):
    """What a wave did."""

    wave: str
    parts: int
    parcels: list[str]
    merged: int
    to_review: int
    left: list[Left]
    """Of the orders that were named, those of which it released nothing."""


def wave_id(warehouse: str, cut_off: datetime) -> str:
    """A wave's number: its warehouse and its moment in warehouse time."""
    return f"{warehouse}-{cut_off:%Y%m%d-%H%M}"


async def release_at_cutoff(house: House) -> list[Ran]:
    """Run the wave of every warehouse whose cut-off has come (S5; rules.md 11).

    One that was begun is run until it closes, however late that is.
    """
    now = house.store.clock()
    async with house.pool.connection() as connection:
        due = {
            wave: (code, cut_off)
            for wave, code, cut_off in await _rows(connection, house.schema, _STANDING, now)
        }
        latest = await _latest(connection, house, now)
        known = {row[0] for row in await _rows(connection, house.schema, _CLOSED, now - LATE)}
    due |= {
        wave: (code, moment)
        for wave, (code, moment) in latest.items()
        if wave not in known and now - moment < LATE
    }
    upto = await _begin_all(house, due)
    return [
        await run_wave(house, code, wave=wave, cut_off=moment, upto=upto[wave])
        for wave, (code, moment) in due.items()
    ]


async def _begin_all(house: House, due: Mapping[str, tuple[str, datetime]]) -> dict[str, int]:
    """By wave: the last position before it began, which the view has to show.

    The writer decides in turn, so nothing that was placed by the cut-off comes after it.
    """
    upto: dict[str, int] = {}
    fresh = 0
    for wave, (code, moment) in due.items():
        began = await house.store.execute(_opening(CUT_OFF_ACTOR, wave, code, moment))
        # What this very call began before it is nothing that a wave could miss.
        upto[wave] = began.position - 1 - (0 if began.repeated else fresh)
        fresh += not began.repeated
    return upto


async def standing_waves(
    connection: AsyncConnection[Any], house: House, *, now: datetime
) -> list[Standing]:
    """Waves that should have closed a while ago, and did not (S5).

    Today's are looked up in the log itself: what holds them up may be the views.
    """
    before = now - STANDS_AFTER
    latest = await _latest(connection, house, now)
    begun = await _rows(connection, house.schema, _BEGUN, [WAVE.stream(one) for one in latest])
    standing = {
        wave: Standing(wave, *latest[wave]) for (wave,) in begun if latest[wave][1] < before
    }
    for row in await _rows(connection, house.schema, _STANDING, before):
        one = Standing(*row)
        if one.wave not in latest:
            standing[one.wave] = one
    return list(standing.values())


async def _latest(
    connection: AsyncConnection[Any], house: House, now: datetime
) -> dict[str, tuple[str, datetime]]:
    """By wave: each warehouse and its last cut-off that has come."""
    found: dict[str, tuple[str, datetime]] = {}
    for code, cut_off in await _rows(connection, house.schema, _WAREHOUSES):
        moment = last_wave(cut_off, when=now, zone=house.rules.zone)
        found[wave_id(code, moment)] = (code, moment)
    return found


async def run_wave(
    house: House,
    warehouse: str,
    *,
    wave: str,
    cut_off: datetime | None,
    actor: str = CUT_OFF_ACTOR,
    orders: Sequence[str] | None = None,
    upto: int = 0,
) -> Ran:
    """Release what waits in a warehouse, or these orders of it, in one wave.

    At a cut-off, what was placed by then: later orders wait for the next one (rules.md 11). It
    releases nothing and stays open until the view shows the log `upto` a position. By hand there is
    none where nothing waits: no more than the days' cut-offs is noted of what released nothing.
    """
    shown = await _shown(house, upto)
    if orders is None:
        async with house.pool.connection() as connection:
            waiting = await _waiting(connection, house.schema, warehouse, until=cut_off)
    else:
        known = await orders_now(house, orders)
        waiting = [
            one
            for number, order in known.items()
            if order.paid and not order.review
            for one in _of(number, order)
            if one.warehouse == warehouse
        ]
    wanted = bool(cut_off or waiting or not shown)
    opened = await house.store.execute(_opening(actor, wave, warehouse, cut_off, wanted=wanted))
    if not (shown and from_json(opened.answer).get("begun", True)):
        return Ran(wave, 0, [], 0, 0, await left_out(house, warehouse, orders, ()))
    unusual = await screen(house, sorted({one.content.order for one in waiting}))
    groups = await _by_recipient(house, waiting)
    issued = await issue(
        house, [_releasing(house, actor, wave, group, _digest(map(str, group))) for group in groups]
    )
    answers = [from_json(one.answer) for one in (*issued.done, *issued.repeated)]
    parts = sum(answer["parts"] for answer in answers)
    parcels = [parcel for answer in answers for parcel in answer["parcels"]]
    merged = sum(answer["merged"] for answer in answers)
    did = {"parts": parts, "parcels": len(parcels), "merged": merged, "to_review": unusual}
    closed = partial(_close, wave=wave, **did)
    if not issued.undecided:  # else it comes again
        await house.store.execute(_command(actor, wave, "close", closed, [WAVE.stream(wave)]))
    left = await left_out(house, warehouse, orders, parcels)
    return Ran(wave, parts, parcels, merged, unusual, left)


def _opening(
    actor: str, wave: str, warehouse: str, cut_off: datetime | None, *, wanted: bool = True
) -> Command:
    begin = partial(_open, warehouse=warehouse, wave=wave, cut_off=cut_off, wanted=wanted)
    return _command(actor, wave, "open", begin, [WAVE.stream(wave)])


async def _shown(house: House, position: int) -> bool:
    """Whether the view of orders has come to this position of the log, within a bound."""
    clock = asyncio.get_running_loop().time
    until = clock() + SHOWN_WITHIN
    while True:
        async with house.pool.connection() as connection:
            rows = await _rows(connection, house.schema, _SHOWN)
        if rows and rows[0][0] >= position:
            return True
        if clock() >= until:
            return False
        await asyncio.sleep(0.05)


async def release_urgent(house: House) -> int:
    """What paid for express delivery skips the wave: released once it was looked up (S5, O7).

    Returns how many. Each version of an order is asked about once: one that a human approved goes
    on, and one that cannot be released waits for what changes it.
    """
    async with house.pool.connection() as connection:
        waiting = _parts(await _rows(connection, house.schema, _URGENT))
    if not waiting:
        return 0
    versions = {one.content.order: one.version for one in waiting}
    await screen(house, sorted(versions))
    by_warehouse: dict[str | None, list[Waiting]] = defaultdict(list)
    for one in waiting:
        by_warehouse[one.warehouse].append(one)
    commands = []
    for together in by_warehouse.values():
        for group in await _by_recipient(house, together):
            named = _digest(f"{content}@{versions[content.order]}" for content in group)
            commands.append(_releasing(house, "policy:release_urgent", EXPRESS, group, named))
    issued = await issue(house, commands)
    return sum(from_json(one.answer)["parts"] for one in issued.done)


async def _by_recipient(house: House, waiting: Iterable[Waiting]) -> list[list[Content]]:
    """What travels together: one learner's parts to one person, phone and place (S4; rule 27)."""
    by_learner: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting:
        by_learner[one.learner].append(one)
    shared = {one.card for mine in by_learner.values() if len(mine) > 1 for one in mine if one.card}
    async with house.pool.connection() as connection:
        known = await _recipients(connection, house, shared)
    groups: list[list[Content]] = []
    for mine in by_learner.values():
        together: dict[object, list[Content]] = defaultdict(list)
        for one in mine:
            together[known.get(one.card or "", one.card)].append(one.content)
        groups += together.values()
    return groups


async def _recipients(
    connection: AsyncConnection[Any], house: House, cards: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """What is equal for two cards of one person at one place; a lost card has none."""
    found: dict[str, tuple[str, ...]] = {}
    for card, content in (await open_cards(connection, house.schema, house.vault, cards)).items():
        recipient = Recipient.from_bytes(content)
        found[card] = (recipient.name, recipient.phone, canonical_place(recipient))
    return found


async def one_recipient(house: House, parcels: Sequence[str]) -> list[str]:
    """The cards of these parcels' orders that name the same person and place as the first (S4)."""
    async with house.pool.connection() as connection:
        rows = await _rows(connection, house.schema, _CARDS, list(parcels))
        known = await _recipients(connection, house, [card for (card,) in rows])
    named = [(card, known.get(card, card)) for (card,) in rows]
    return [card for card, who in named if who == named[0][1]]


def _open(
    unit: Unit, *, warehouse: str, wave: str, cut_off: datetime | None, wanted: bool
) -> dict[str, Any]:
    unit.read(NETWORK, MALL).named(warehouse)
    state: Wave = unit.read(WAVE, wave)
    if wanted:
        unit.record(WAVE, wave, state.open(warehouse, cut_off=cut_off))
    return {"wave": wave, "begun": wanted}


def _close(
    unit: Unit, *, wave: str, parts: int, parcels: int, merged: int, to_review: int
) -> dict[str, Any]:
    facts = unit.read(WAVE, wave).close(
        parts=parts, parcels=parcels, merged=merged, to_review=to_review
    )
    unit.record(WAVE, wave, facts)
    return {"wave": wave, "parts": parts, "parcels": parcels}


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]


def _releasing(
    house: House, actor: str, wave: str, contents: Sequence[Content], named: str
) -> Command:
    return _command(
        actor,
        wave,
        named,
        partial(release_together, contents=contents, wave=wave, rules=house.rules),
        [ORDER.stream(content.order) for content in contents],
    )


def _command(actor: str, wave: str, what: str, decide: Any, streams: Sequence[str]) -> Command:
    key = f"{wave}:{what}"
    return Command(
        principal="policy:waves",
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=actor, command=f"waves:{key}", correlation=wave),
        decide=decide,
        streams=streams,
    )


async def _waiting(
    connection: AsyncConnection[Any],
    schema: str,
    warehouse: str,
    *,
    until: datetime | None,
) -> list[Waiting]:
    rows = await _rows(connection, schema, _WAITING, warehouse, until, until)
    return [one for one in _parts(rows) if one.warehouse == warehouse]


def _parts(rows: Iterable[tuple[str, str | None, int, bytes]]) -> list[Waiting]:
    found: list[Waiting] = []
    for number, card, version, folded in rows:
        order: Order = ORDER.states.validate_json(folded)
        found += _of(number, order, card=card, version=version)
    return found


def _of(number: str, order: Order, *, card: str | None = None, version: int = 0) -> list[Waiting]:
    """What of an order waits to be released."""
    if card is None and order.destination is not None:
        card = order.destination.card
    return [
        Waiting(
            Content(order=number, part=part.number), order.learner, card, part.warehouse, version
        )
        for part in order.parts
        if part.releasable
    ]


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    names = {name: Identifier(schema, name) for name in _TABLES}
    cursor = await connection.execute(SQL(text).format(**names), values, prepare=True)
    return await cursor.fetchall()


_TABLES = ("orders", "parcels", "warehouses", "waves", "views", "tallypost_events")
_WAREHOUSES = "SELECT code, (terms ->> 'cut_off')::time FROM {warehouses} ORDER BY code"
_CLOSED = "SELECT id FROM {waves} WHERE closed_at IS NOT NULL AND opened_at > %b"
_STANDING = """
SELECT id, warehouse, cut_off FROM {waves}
WHERE closed_at IS NULL AND cut_off IS NOT NULL AND cut_off < %b ORDER BY cut_off, id
"""
_BEGUN = """
SELECT substr(originator_id, length('wave:') + 1) FROM {tallypost_events}
WHERE originator_id = ANY(%b) GROUP BY originator_id HAVING count(*) = 1
"""
_SHOWN = "SELECT position FROM {views} WHERE name = 'order_status'"
_CARDS = """
SELECT DISTINCT o.card FROM {parcels} p JOIN {orders} o ON o.number = ANY(p.orders)
WHERE p.number = ANY(%b) AND o.card IS NOT NULL ORDER BY o.card
"""
_WAITING = """
SELECT number, card, version, folded FROM {orders}
WHERE releasable_at IS NOT NULL AND review IS NULL
  AND %b = ANY(string_to_array(releasable_at, ','))
  AND (%b::timestamptz IS NULL OR placed_at <= %b::timestamptz)
ORDER BY placed_at, number
"""
_URGENT = """
SELECT number, card, version, folded FROM {orders}
WHERE urgent AND releasable_at IS NOT NULL AND review IS NULL ORDER BY placed_at, number
"""
