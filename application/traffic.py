"""灰度 Which way a parcel or an order goes at a partner: to the real one, or to the sandbox (M3).

A house that is rehearsing has both set. The first call about a parcel (or an order, for payments)
decides by the share of then, and is kept: a number that the sandbox gave out is never asked of the
real partner, money that was really paid goes really back, whatever the share is by now.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, Protocol

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.envelope import decode
from application.gateways.labelling import Labeller
from application.gateways.payment import PaymentProvider
from application.gateways.tracking import Tracker
from application.settings import Settings
from application.streams import TRAFFIC
from application.trackers import Trackers
from application.unit import Unit
from domain.refusals import NotFound
from domain.traffic import TrafficShifted, goes_real


class Switching(Protocol):
    """A tenant that knows which way is gone."""

    schema: str
    settings: Settings
    pool: AsyncConnectionPool[Any]


class Rehearsing(Switching, Protocol):
    """A tenant with both ways to its partners."""

    trackers: Trackers
    payments: PaymentProvider
    rehearsed_payments: PaymentProvider | None


class Shift(NamedTuple):
    """One change of a partner's share."""

    percent: int
    at: datetime
    actor: str
    reason: str


class Share(NamedTuple):
    """How much of a partner's traffic is real."""

    partner: str
    percent: int
    real: int
    """Parcels or orders that went there so far."""
    sandbox: int
    shifts: list[Shift]
    """The newest first."""


class Way(NamedTuple):
    """Which of the two a call goes to."""

    settings: Settings
    real: bool

    def called(self, partner: str) -> str:
        """Under which name its calls are paced, counted and left alone."""
        return partner if self.real else f"{partner}_sandbox"


def shift_traffic(unit: Unit, *, partner: str, percent: int, settings: Settings) -> dict[str, Any]:
    """Make a share of a partner's traffic real from now on. Raises `NotFound`."""
    if partner not in settings.rehearsal:
        raise NotFound(what="partner")
    after = unit.record(TRAFFIC, partner, unit.read(TRAFFIC, partner).shift(percent))
    return {"partner": partner, "percent": after.percent}


async def way_of(house: Switching, partner: str, key: str) -> Way:
    """Where calls about this parcel or order go, from the first one on."""
    if partner not in house.settings.rehearsal:
        return Way(house.settings, real=True)
    async with house.pool.connection() as connection:
        real = await _kept(connection, house.schema, partner, key)
        if real is None:
            share = await _percent(connection, house.schema, partner)
            values = {
                "partner": partner,
                "key": key,
                "real": goes_real(partner, key, percent=share),
            }
            await _run(connection, house.schema, _KEEP, values)
            # Two at once may have read different shares: the first one's word counts.
            real = await _kept(connection, house.schema, partner, key)
    return Way(house.settings if real else house.settings.rehearsed(partner), bool(real))


async def way_gone(house: Switching, partner: str, key: str) -> Way:
    """Where calls about this one went; to the real partner if none did: it proves more."""
    if partner not in house.settings.rehearsal:
        return Way(house.settings, real=True)
    async with house.pool.connection() as connection:
        real = await _kept(connection, house.schema, partner, key)
    return Way(
        house.settings.rehearsed(partner) if real is False else house.settings, real is not False
    )


async def tracker_of(house: Rehearsing, carrier: str, parcel: str) -> tuple[Tracker | None, Way]:
    """Who is asked where a carrier's parcel is."""
    tracker = house.trackers.of(carrier)
    if tracker is None:
        return None, Way(house.settings, real=True)
    way = await way_of(house, tracker.name, parcel)
    return (tracker if way.real else Trackers(way.settings).of(carrier)), way


async def labeller_of(house: Rehearsing, carrier: str, parcel: str) -> tuple[Labeller, Way]:
    """Who gives out the waybill of a parcel."""
    labeller = house.trackers.labeller(carrier)
    way = await way_of(house, labeller.issuer, parcel)
    return (labeller if way.real else Trackers(way.settings).labeller(carrier)), way


async def payments_of(house: Rehearsing, order: str) -> PaymentProvider:
    """Who takes an order's money and gives it back."""
    way = await way_of(house, "payment", order)
    return (
        house.payments if way.real or house.rehearsed_payments is None else house.rehearsed_payments
    )


async def shares(house: Switching) -> list[Share]:
    """How much of each partner's traffic is real, and who said so; those with both ways alone."""
    found = []
    async with house.pool.connection() as connection:
        for partner in sorted(house.settings.rehearsal):
            shifts = await _shifts(connection, house.schema, partner)
            rows = await _run(connection, house.schema, _COUNT, {"partner": partner})
            ways: Mapping[bool, int] = dict(await rows.fetchall())
            percent = shifts[0].percent if shifts else 0
            found.append(Share(partner, percent, ways.get(True, 0), ways.get(False, 0), shifts))
    return found


async def _percent(connection: AsyncConnection[Any], schema: str, partner: str) -> int:
    shifts = await _shifts(connection, schema, partner, limit=1)
    return shifts[0].percent if shifts else 0


async def _shifts(
    connection: AsyncConnection[Any], schema: str, partner: str, *, limit: int = 10
) -> list[Shift]:
    """As the log has them: shares change seldom, and nobody waits for a view of them."""
    values = {"stream": TRAFFIC.stream(partner), "limit": limit}
    found = []
    for row in await (await _run(connection, schema, _SHIFTS, values)).fetchall():
        one = decode(*row)
        assert isinstance(one.fact, TrafficShifted)
        who = one.context
        found.append(Shift(one.fact.percent, one.happened_at, who.actor, who.reason))
    return found


async def _kept(
    connection: AsyncConnection[Any], schema: str, partner: str, key: str
) -> bool | None:
    cursor = await _run(connection, schema, _KEPT, {"partner": partner, "key": key})
    row = await cursor.fetchone()
    return None if row is None else bool(row[0])


async def _run(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> Any:
    names = ("partner_ways", "tallypost_events")
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await connection.execute(query, values, prepare=True)


_KEPT = "SELECT goes_real FROM {partner_ways} WHERE partner = %(partner)s AND key = %(key)s"
_KEEP = """
INSERT INTO {partner_ways} (partner, key, goes_real) VALUES (%(partner)s, %(key)s, %(real)s)
ON CONFLICT DO NOTHING
"""
_COUNT = """
SELECT goes_real, count(*) FROM {partner_ways} WHERE partner = %(partner)s GROUP BY goes_real
"""
_SHIFTS = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %(stream)s ORDER BY originator_version DESC LIMIT %(limit)s
"""
