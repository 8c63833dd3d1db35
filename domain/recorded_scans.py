"""扫描记录 A scan as the fact that records it, and back (T1, T2)."""

from domain.parcel_facts import ParcelScanned
from domain.scans import Coordinates, Scan
from domain.sealed import Sealed


def as_fact(scan: Scan, *, source: str, payload: Sealed | None) -> ParcelScanned:
    """The fact that a source told of a scan; the payload as it came is in the vault alone."""
    return ParcelScanned(
        waybill=scan.number,
        time=scan.time,
        dated=scan.dated,
        text=scan.text,
        carrier=scan.carrier,
        kind=scan.kind,
        division=scan.division,
        longitude=scan.coordinates.longitude if scan.coordinates else None,
        latitude=scan.coordinates.latitude if scan.coordinates else None,
        status=scan.status,
        code=scan.code,
        source=source,
        card=payload.card if payload else None,
        digest=payload.digest if payload else None,
    )


def as_scan(fact: ParcelScanned) -> Scan:
    """The scan a recorded fact tells."""
    coordinates = None
    if fact.longitude is not None and fact.latitude is not None:
        coordinates = Coordinates(fact.longitude, fact.latitude)
    return Scan(
        number=fact.waybill,
        time=fact.time,
        dated=fact.dated,
        text=fact.text,
        carrier=fact.carrier,
        kind=fact.kind,
        division=fact.division,
        coordinates=coordinates,
        status=fact.status,
        code=fact.code,
    )
