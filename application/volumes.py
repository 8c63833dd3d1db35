"""月件量 What was sent with each carrier in the month before: its tier follows from it (W3).

Counted by the hour, because scans and hand-overs of the last evening come late; what a carrier's
bill says is left alone.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.sql import SQL, Identifier

from application.envelope import Context
from application.house import House
from application.streams import MALL, RATES
from application.unit import Command, Unit

NAME = "policy:count_volumes"


async def count_volumes(house: House, *, run: str) -> dict[str, int]:
    """Note what was handed over to each carrier last month; `run` names the counting.

    Returns what was not known before, by carrier.
    """
    month, first, end = _month_before(house.store.clock(), house.rules.zone)
    query = SQL(_SENT).format(journeys=Identifier(house.schema, "journeys"))
    async with house.pool.connection() as connection:
        cursor = await connection.execute(query, (first, end))
        sent: dict[str, int] = dict(await cursor.fetchall())
    noted: dict[str, int] = {}

    def decide(unit: Unit) -> dict[str, Any]:
        noted.clear()
        rates = unit.read(RATES, MALL)
        known = [of for of, counted, _ in rates.by_month() if counted == month]
        for carrier in sorted({*sent, *known}):
            facts = rates.count_volume(carrier, month, sent.get(carrier, 0), counted=True)
            unit.record(RATES, MALL, facts)
            if facts:
                noted[carrier] = sent.get(carrier, 0)
        return {"month": month, "noted": noted}

    key = f"{month}:{run}"
    command = Command(
        principal=NAME,
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=NAME, command=f"count_volumes:{key}"),
        decide=decide,
        streams=(RATES.stream(MALL),),
    )
    await house.store.execute(command)
    return noted


def _month_before(now: datetime, zone: ZoneInfo) -> tuple[str, datetime, datetime]:
    """The month that is over: its name, its beginning, its end."""
    end = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = (end - timedelta(days=1)).replace(day=1)
    return f"{first:%Y-%m}", first, end


_SENT = """
SELECT carrier, count(*) FROM {journeys}
WHERE handed_over_at >= %s AND handed_over_at < %s GROUP BY carrier
"""
