"""当时的日志 What the log says of parcels, and of anything, as of one of its positions (W6, A6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import AsyncConnection

from application.envelope import decode
from application.streams import PARCEL
from domain.parcel_facts import CarrierCorrected, ParcelScanned, WaybillCorrected, WaybillIssued
from domain.parcels import Parcel
from projections.reading import compose


@dataclass(frozen=True, slots=True)
class LogThen:
    """Asks one tenant's log as it was at a position."""

    connection: AsyncConnection[Any]
    schema: str
    position: int

    async def facts(self, streams: Iterable[str], *names: str) -> list[Any]:
        """Envelopes of these streams up to the position, of these names or all, in log order."""
        query = compose(_FACTS, self.schema, (), "")
        values = {
            "streams": sorted(set(streams)),
            "names": list(names) or None,
            "position": self.position,
        }
        cursor = await self.connection.execute(query, values)
        return [
            decode(at, stream, version, name, bytes(stored))
            for at, stream, version, name, stored in await cursor.fetchall()
        ]

    async def labels(self, parcels: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Carrier and waybill of each parcel that has both."""
        names = (
            WaybillIssued.fact_name, WaybillCorrected.fact_name, CarrierCorrected.fact_name,
        )  # fmt: skip
        found = await self.folded(parcels, *names)
        # Where corrections may disagree, whose scans are newer decides.
        several = [parcel for parcel, one in found.items() if len(one.corrections) > 1]
        found |= await self.folded(several, *names, ParcelScanned.fact_name)
        return {
            parcel: (one.carrier, one.waybill)
            for parcel, one in found.items()
            if one.carrier is not None and one.waybill is not None
        }

    async def folded(self, parcels: Sequence[str], *names: str) -> dict[str, Parcel]:
        """Parcels as these facts alone make them."""
        found: dict[str, Parcel] = {}
        for one in await self.facts(map(PARCEL.stream, parcels), *names):
            before = found.get(one.key, PARCEL.initial)
            found[one.key] = PARCEL.evolve(before, one.fact)
        return found


_FACTS: LiteralString = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s) AND notification_id <= %(position)s
  AND (%(names)s::text[] IS NULL OR topic = ANY(%(names)s::text[]))
ORDER BY notification_id
"""
