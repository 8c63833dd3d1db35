"""推送轨迹 What partners push of parcels: recorded once, or kept until a parcel claims it (T1, T2).

A carrier that pushes a whole account tells of waybills that are on no parcel, or not yet. Those
are sealed, each under a key of its own (rules.md 30), and wait in sight of staff (M5); once the
waybill is on a parcel, they are recorded as if they came then. What nobody claims is forgotten.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import shipping, watched_parcels
from application.asking_partners import Asker
from application.envelope import Context
from application.gateways.tracking import DirectTracker, Told
from application.house import House
from application.streams import PARCEL
from application.traffic import way_gone
from application.unit import Command, Unit
from application.vault import seal, unseal
from domain.own_numbers import SecondNumber
from domain.refusals import Refusal
from domain.scans import Scan

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=7)
"""A waybill is on its parcel before it is handed over: what nobody claims for so long is not ours;
were it ours after all, a query tells it."""
KEPT_MAX = 10_000
"""Of one mall; beyond it carriers are asked to push again."""
UNCLAIMED_AFTER = timedelta(hours=1)
"""From when on staff are told of what is kept (M5)."""
BATCH = 100
_FIELD = "push"


class WatchEnd(NamedTuple):
    """A partner's word that it watches a parcel no longer (wire 1.6)."""

    gave_up: bool
    words: str
    waybill: str | None


class Unclaimed(NamedTuple):
    """What is kept of one carrier's pushes."""

    partner: str
    waybills: int
    since: datetime


async def record_push(
    house: House,
    partner: str,
    parcel: str,
    scans: Sequence[Scan],
    *,
    sent: bytes,
    raw: bytes,
    corrected_to: str | None = None,
    corrected_from: str | None = None,
    second: SecondNumber | None = None,
    ended: WatchEnd | None = None,
) -> str | None:
    """Record what a push told of one parcel, once for the bytes that were sent (R34).

    None, or the code of the refusal.
    """
    digest = hashlib.sha256(sent).digest()
    principal = f"partner:{partner}"

    def decide(unit: Unit) -> dict[str, Any]:
        told = shipping.record_scans(
            unit,
            parcel=parcel,
            scans=scans,
            source=f"{partner}.push",
            raw=raw,
            corrected_to=corrected_to,
            corrected_from=corrected_from,
            second=second,
            rules=house.rules,
        )
        if ended is not None:
            watched_parcels.end_watch(unit, parcel=parcel, partner=partner, **ended._asdict())
        return told

    command = Command(
        principal=principal,
        key=f"{parcel}:{digest.hex()[:32]}",
        digest=digest,
        context=Context(actor=principal, command=f"push:{digest.hex()[:16]}"),
        decide=decide,
        streams=[PARCEL.stream(parcel)],
    )
    try:
        await house.store.execute(command)
    except Refusal as refusal:
        logger.warning("a push was refused: %s", refusal.code)
        return refusal.code
    return None


async def record_all(
    house: Asker, partner: str, told: Sequence[Told], parcels: Mapping[str, str], *, real: bool
) -> str | None:
    """Take in a carrier's push: each waybill for itself, so that one holds up no other (T1).

    `parcels` are those known by their waybills; `real`: the carrier told it, not the sandbox in
    its place. None once all is stored, or why it has to be pushed again.
    """
    again = None
    for one in told:
        parcel = parcels.get(one.number)
        if parcel is None:
            why = None if await _keep(house, partner, one, real=real) else "too many unknown"
        else:
            why = await _record(house, partner, parcel, one, real=real)
        again = again or why
    return again


async def _record(house: Asker, partner: str, parcel: str, told: Told, *, real: bool) -> str | None:
    if (await way_gone(house, partner, parcel)).real is not real:
        # The carrier's own parcel with a number of the sandbox's, or the other way round (M3).
        logger.warning("%s pushed of parcel %s, which went the other way", partner, parcel)
        return None
    return await record_push(house, partner, parcel, told.scans, sent=told.raw, raw=told.raw)


async def _keep(house: House, partner: str, told: Told, *, real: bool) -> bool:
    """Keep what is told of a waybill on no parcel; False where there is no more room."""
    text = b"\0".join((partner.encode(), told.number.encode(), b"1" if real else b"0", told.raw))
    name = hashlib.sha256(text).hexdigest()[:32]
    key, wrapped = house.vault.new_subject_key(_subject(name))
    values = {
        "id": name, "partner": partner, "waybill": told.number, "real": real,
        "sealed": seal(key, _subject(name), _FIELD, told.raw), "now": house.store.clock(),
        "subject": _subject(name), "wrapped": wrapped, "max": KEPT_MAX,
    }  # fmt: skip
    async with house.pool.connection() as connection:
        # The key first: who reads a row has its key.
        ((kept,),) = await _rows(connection, house.schema, _KEEP, values)
    return bool(kept)


async def claim(house: Asker) -> int:
    """Record what was kept of waybills that are on parcels by now; how many pushes those were.

    Recorded under the key that the push itself has, so that it counts once whoever comes first.
    """
    trackers = {one.name: one for one in house.trackers.all if isinstance(one, DirectTracker)}
    if not trackers:
        return 0
    async with house.pool.connection() as connection:
        values = {"partners": list(trackers), "limit": BATCH}
        found = await _rows(connection, house.schema, _CLAIMABLE, values)
    for name, partner, waybill, real, sealed, wrapped, parcel in found:
        key = house.vault.unwrap(_subject(name), bytes(wrapped))
        raw = unseal(key, _subject(name), _FIELD, bytes(sealed))
        for told in trackers[partner].read_routes(raw):
            if told.number == waybill:
                await _record(house, partner, parcel, told, real=real)
        await _forget(house, [name])
    return len(found)


async def forget_unclaimed(house: House) -> int:
    """Delete what nobody claimed in time, with its keys; how many pushes those were."""
    before = house.store.clock() - KEPT_FOR
    async with house.pool.connection() as connection:
        old = await _rows(connection, house.schema, _OLD, {"before": before})
    await _forget(house, [name for (name,) in old])
    return len(old)


async def unclaimed(
    connection: AsyncConnection[Any], schema: str, *, before: datetime
) -> list[Unclaimed]:
    """What was kept before a moment and is claimed by no parcel, by carrier."""
    return [
        Unclaimed(*row) for row in await _rows(connection, schema, _UNCLAIMED, {"before": before})
    ]


async def _forget(house: House, names: Sequence[str]) -> None:
    values = {"names": list(names), "subjects": [_subject(name) for name in names]}
    async with house.pool.connection() as connection:
        await _rows(connection, house.schema, _FORGET, values)


def _subject(name: str) -> str:
    # No learner is named like this: their ids have no colon.
    return f"push:{name}"


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: Mapping[str, Any]
) -> list[Any]:
    query = SQL(text).format(
        **{name: Identifier(schema, name) for name in ("unclaimed_pushes", "parcels")},
        subject_keys=Identifier(f"{schema}_keys", "subject_keys"),
    )
    return await (await connection.execute(query, values)).fetchall()


# One that is kept already stays as it is, with its key.
_KEEP = """
WITH room AS (
    SELECT known OR (SELECT count(*) FROM {unclaimed_pushes}) < %(max)s AS is_there, known
    FROM (SELECT EXISTS (SELECT FROM {unclaimed_pushes} WHERE id = %(id)s) AS known) k
), kept AS (
    INSERT INTO {unclaimed_pushes} (id, partner, waybill, goes_real, sealed, kept_at)
    SELECT %(id)s, %(partner)s, %(waybill)s, %(real)s, %(sealed)s, %(now)s
    FROM room WHERE is_there AND NOT known
    ON CONFLICT DO NOTHING RETURNING id
), key AS (
    INSERT INTO {subject_keys} (subject, wrapped) SELECT %(subject)s, %(wrapped)s FROM kept
)
SELECT is_there FROM room
"""
_CLAIMABLE = """
SELECT u.id, u.partner, u.waybill, u.goes_real, u.sealed, k.wrapped, p.number
FROM {unclaimed_pushes} u JOIN {subject_keys} k ON k.subject = 'push:' || u.id,
    LATERAL (SELECT number FROM {parcels} p WHERE p.waybill = u.waybill
             ORDER BY p.state = 'dissolved', p.position DESC LIMIT 1) p
WHERE u.partner = ANY(%(partners)s)
ORDER BY u.kept_at, u.id LIMIT %(limit)s
"""
_OLD = "SELECT id FROM {unclaimed_pushes} WHERE kept_at < %(before)s"
_FORGET = """
WITH key AS (DELETE FROM {subject_keys} WHERE subject = ANY(%(subjects)s))
DELETE FROM {unclaimed_pushes} WHERE id = ANY(%(names)s) RETURNING id
"""
_UNCLAIMED = """
SELECT partner, count(DISTINCT waybill), min(kept_at) FROM {unclaimed_pushes}
WHERE kept_at < %(before)s GROUP BY partner ORDER BY partner
"""
