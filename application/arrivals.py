"""到达 Saying when parcels should arrive, at each milestone, from what others took (T4).

What has to be said is found on the view, and what was measured, too; the word itself is a fact,
so that it stays what was said however the measures move. Saying twice has its effect once.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.envelope import Context
from application.house import House
from application.issuing import Issued, NotYet, issue
from application.streams import PARCEL
from application.unit import Command, Unit
from domain.arriving import Basis, Measured, Travelled, estimate
from domain.house_rules import HouseRules
from domain.lanes import Milestone

BATCH = 200
MEASURED_MAX = 100
"""So many of the latest arrivals of a way are measured: seasons change how long it takes."""
UNDER_WAY_MAX = 1_000
"""Parcels that did not arrive yet, the latest of a way, that count as far as they came."""
_SINCE: dict[Milestone, LiteralString] = {
    Milestone.HANDED_OVER: "handed_over_at",
    Milestone.UNDER_WAY: "under_way_at",
    Milestone.NEAR: "near_at",
    Milestone.AT_THE_DOOR: "at_the_door_at",
}


class Way(NamedTuple):
    """What parcels have in common that should take equally long from here."""

    carrier: str
    origin: str
    province: str
    destination: str
    milestone: Milestone


async def estimate_arrivals(house: House) -> Issued:
    """Say of every parcel that reached a milestone when it should arrive (T4)."""
    async with house.pool.connection() as connection:
        rows = await _rows(connection, house.schema, _DUE, BATCH)
        measured: dict[Way, list[Measured]] = {}
        commands: list[Command] = []
        for parcel, since, version, carrier, origin, province, destination, milestone in rows:
            way = Way(carrier, origin, province, destination, Milestone(milestone))
            if way not in measured:
                measured[way] = await _measured(connection, house, way)
            known = measured[way]
            commands.append(_command(parcel, way.milestone, since, version, known, house.rules))
    return await issue(house, commands)


def _command(
    parcel: str,
    milestone: Milestone,
    since: datetime,
    version: int,
    measured: Sequence[Measured],
    rules: HouseRules,
) -> Command:
    stream = PARCEL.stream(parcel)

    def decide(unit: Unit) -> dict[str, Any]:
        box = unit.read(PARCEL, parcel)
        facts = estimate(box, milestone, measured, rules=rules)
        if not facts and unit.version(PARCEL, parcel) != version:
            raise NotYet  # it has moved on, and the view will say how far
        unit.record(PARCEL, parcel, facts)
        return {"parcel": parcel, "milestone": milestone}

    key = f"{stream}@{version}:{milestone}"
    return Command(
        principal="policy:estimate_arrivals",
        key=key,
        digest=hashlib.sha256(f"{key}:{since.isoformat()}".encode()).digest(),
        context=Context(
            actor="policy:estimate_arrivals",
            command=f"estimate_arrivals:{key}",
            causation=f"{stream}@{version}",
        ),
        decide=decide,
        streams=(stream,),
    )


async def _measured(connection: AsyncConnection[Any], house: House, way: Way) -> list[Measured]:
    """How long parcels took that went the same way, the nearest kind of way first."""
    since, now = _SINCE[way.milestone], house.store.clock()
    found: list[Measured] = []
    for basis, condition, values in (
        (Basis.CITY, "origin = %b AND destination = %b", (way.origin, way.destination)),
        (Basis.PROVINCE, "origin = %b AND province = %b", (way.origin, way.province)),
        (Basis.CARRIER, "origin IS NOT NULL", ()),
    ):
        asked = (
            (_TOOK, (way.carrier, *values, MEASURED_MAX)),
            (_UNDER_WAY, (now, now, way.carrier, *values, now, UNDER_WAY_MAX)),
        )
        took, going = [
            await _rows(
                connection,
                house.schema,
                text.replace("<since>", since).replace("<way>", condition),
                *given,
            )
            for text, given in asked
        ]
        arrived, under_way = [[Travelled(*row) for row in rows] for rows in (took, going)]
        found.append(Measured(basis, arrived, under_way))
    return found


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    query = SQL(text).format(journeys=Identifier(schema, "journeys"))
    return await (await connection.execute(query, values, prepare=True)).fetchall()


_DUE = """
SELECT parcel, due_since, version, carrier, origin, province, destination, due_milestone
FROM {journeys} WHERE due_milestone IS NOT NULL ORDER BY due_since, parcel LIMIT %b
"""
_TOOK: LiteralString = """
SELECT greatest(0, extract(epoch FROM arrived_at - <since>))::bigint, handed_over_at, arrived_at
FROM {journeys}
WHERE carrier = %b AND <way> AND arrived_at IS NOT NULL AND <since> IS NOT NULL
ORDER BY arrived_at DESC, parcel LIMIT %b
"""
# Only those that still should arrive have an end of their window that is to come, or was missed.
_UNDER_WAY: LiteralString = """
SELECT extract(epoch FROM %b::timestamptz - <since>)::bigint, handed_over_at, %b::timestamptz
FROM {journeys}
WHERE late_at IS NOT NULL AND carrier = %b AND <way> AND <since> <= %b
ORDER BY <since> DESC, parcel LIMIT %b
"""
