"""波次 Running a wave: what waits in a warehouse is released, merged by recipient (S4, S5).

A wave may break off anywhere and be run again: what it released stays, the rest follows, and its
number tells it from tomorrow's. What the views do not show yet waits for the next one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString, NamedTuple

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
from domain.addresses import canonical_place
from domain.orders import Order
from domain.parcel_facts import Content
from domain.promising import last_wave
from domain.waves import Wave

EXPRESS = "express"
"""Stands for the wave in what skips the waves, because its learner paid for it (O6)."""
LATE = timedelta(hours=6)
"""A cut-off missed for longer, by a house that stood still, waits for the next one."""


class Waiting(NamedTuple):
    """A part that waits to be released."""

    content: Content
    learner: str
    card: str | None
    warehouse: str | None
    version: int
    """Of its order, as the view had it."""


class Ran(NamedTuple):
    """What a wave did."""

    wave: str
    parts: int
    parcels: list[str]
    merged: int
    to_review: int


def wave_id(warehouse: str, cut_off: datetime) -> str:
    """A wave's number: its warehouse and its moment in warehouse time."""
    return f"{warehouse}-{cut_off:%Y%m%d-%H%M}"


async def release_at_cutoff(house: House) -> list[Ran]:
    """Run the wave of every warehouse whose cut-off has come (S5; rules.md 11)."""
    now = house.store.clock()
    async with house.pool.connection() as connection:
        rows = await _rows(connection, house.schema, _WAREHOUSES)
        known = {row[0] for row in await _rows(connection, house.schema, _CLOSED, now - LATE)}
    ran: list[Ran] = []
    for code, cut_off in rows:
        moment = last_wave(cut_off, when=now, zone=house.rules.zone)
        wave = wave_id(code, moment)
        if wave not in known and now - moment < LATE:
            ran.append(await run_wave(house, code, wave=wave, cut_off=moment))
    return ran


async def run_wave(
    house: House,
    warehouse: str,
    *,
    wave: str,
    cut_off: datetime | None,
    actor: str = "policy:release_at_cutoff",
    orders: Sequence[str] | None = None,
) -> Ran:
    """Release what waits in a warehouse, or these orders of it, in one wave.

    At a cut-off, what was placed by then: later orders wait for the next one (rules.md 11).
    """
    started = partial(_open, warehouse=warehouse, wave=wave, cut_off=cut_off)
    await house.store.execute(_command(actor, wave, "open", started, [WAVE.stream(wave)]))
    async with house.pool.connection() as connection:
        waiting = await _waiting(connection, house.schema, warehouse, orders, until=cut_off)
    unusual = await screen(house, sorted({one.content.order for one in waiting}))
    groups = await _by_recipient(house, waiting)
    issued = await issue(
        house, [_releasing(house, actor, wave, group, _digest(map(str, group))) for group in groups]
    )
    answers = [from_json(one.answer) for one in (*issued.done, *issued.repeated)]
    parts = sum(answer["parts"] for answer in answers)
    parcels = [parcel for answer in answers for parcel in answer["parcels"]]
    merged = sum(answer["merged"] for answer in answers)
    closed = partial(_close, wave=wave, parts=parts, parcels=len(parcels), merged=merged,
                     to_review=unusual)  # fmt: skip
    if not issued.undecided:  # else it comes again
        await house.store.execute(_command(actor, wave, "close", closed, [WAVE.stream(wave)]))
    return Ran(wave, parts, parcels, merged, unusual)


async def release_urgent(house: House) -> int:
    """What paid for express delivery skips the wave: released once it was looked up (S5, O7).

    Returns how many parts were. Each version of an order is asked about once, so that one that
    a human approved goes on, and one that cannot be released waits for what changes it.
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
    opened = await open_cards(connection, house.schema, house.vault, cards)
    found: dict[str, tuple[str, ...]] = {}
    for card, content in opened.items():
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


def _open(unit: Unit, *, warehouse: str, wave: str, cut_off: datetime | None) -> dict[str, Any]:
    unit.read(NETWORK, MALL).named(warehouse)
    state: Wave = unit.read(WAVE, wave)
    unit.record(WAVE, wave, state.open(warehouse, cut_off=cut_off))
    return {"wave": wave}


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
    orders: Sequence[str] | None,
    *,
    until: datetime | None,
) -> list[Waiting]:
    named = None if orders is None else list(orders)
    rows = await _rows(connection, schema, _WAITING, warehouse, named, named, until, until)
    return [one for one in _parts(rows) if one.warehouse == warehouse]


def _parts(rows: Iterable[tuple[str, str | None, int, bytes]]) -> list[Waiting]:
    found: list[Waiting] = []
    for number, card, version, folded in rows:
        order: Order = ORDER.states.validate_json(folded)
        found += [
            Waiting(
                Content(order=number, part=part.number),
                order.learner,
                card,
                part.warehouse,
                version,
            )
            for part in order.parts
            if part.releasable
        ]
    return found


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    names = {name: Identifier(schema, name) for name in _TABLES}
    cursor = await connection.execute(SQL(text).format(**names), values, prepare=True)
    return await cursor.fetchall()


_TABLES = ("orders", "parcels", "warehouses", "waves")
_WAREHOUSES = "SELECT code, (terms ->> 'cut_off')::time FROM {warehouses} ORDER BY code"
_CLOSED = "SELECT id FROM {waves} WHERE closed_at IS NOT NULL AND opened_at > %b"
_CARDS = """
SELECT DISTINCT o.card FROM {parcels} p JOIN {orders} o ON o.number = ANY(p.orders)
WHERE p.number = ANY(%b) AND o.card IS NOT NULL ORDER BY o.card
"""
_WAITING = """
SELECT number, card, version, folded FROM {orders}
WHERE releasable_at IS NOT NULL AND review IS NULL
  AND %b = ANY(string_to_array(releasable_at, ','))
  AND (%b::text[] IS NULL OR number = ANY(%b::text[]))
  AND (%b::timestamptz IS NULL OR placed_at <= %b::timestamptz)
ORDER BY placed_at, number
"""
_URGENT = """
SELECT number, card, version, folded FROM {orders}
WHERE urgent AND releasable_at IS NOT NULL AND review IS NULL ORDER BY placed_at, number
"""
