"""价目表单 Rate cards as rows that `rate_files` reads: to be changed in a spreadsheet (W3)."""

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from application.csv_cells import as_csv
from application.rate_files import COLUMNS
from domain.rate_facts import Rate, RateCard


def rate_sheet(cards: Iterable[RateCard], *, zone: ZoneInfo) -> bytes:
    """The cards as a CSV file; read again, they are the same cards."""
    rows = [[row.get(name, "") for name in COLUMNS] for card in cards for row in _rows(card, zone)]
    return as_csv([[*COLUMNS], *rows])


def _rows(card: RateCard, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """A row a term of the card; each names it, so that rows can be sorted."""
    begins = card.effective_from.astimezone(zone)
    midnight = not (begins.hour or begins.minute or begins.second or begins.microsecond)
    named = {
        "carrier": card.carrier,
        "effective_from": f"{begins:%Y-%m-%d}" if midnight else begins.isoformat(),
    }
    of_card = {
        "name": card.name,
        "service": card.service.value,
        "volume_divisor": card.volume_divisor,
        "max_kg": _thousandth(card.max_parcel_grams),
    }
    for row in (*_lanes(card), *_terms(card)):
        yield {**named, **of_card, **row}
        of_card = {}


def _lanes(card: RateCard) -> Iterator[dict[str, Any]]:
    for lane in card.lanes:
        ends = {"origin": lane.origin, "destinations": " ".join(lane.destinations)}
        if lane.rate is None:
            yield {"kind": "lane", **ends, "served": "no"}
        else:
            yield {"kind": "lane", **ends, **_rate(lane.rate)}
        if lane.same_city is not None:
            yield {"kind": "same_city", **ends, **_rate(lane.same_city)}


def _terms(card: RateCard) -> Iterator[dict[str, Any]]:
    for one in card.surcharges:
        yield {
            "kind": "surcharge",
            "surcharge": one.kind.value,
            "destinations": " ".join(one.destinations),
            "over_cm": "" if one.over_longest_mm is None else _plain(one.over_longest_mm, 10),
            "over_kg": "" if one.over_grams is None else _thousandth(one.over_grams),
            "over_yuan": "" if one.over_value_fen is None else _yuan(one.over_value_fen),
            "fragile": "yes" if one.fragile else "",
            "yuan": _yuan(one.fen) if one.fen else "",
            "yuan_per_kg": _yuan(one.fen_per_kg) if one.fen_per_kg else "",
            "permille": one.permille_of_value or "",
        }
    for tier in card.tiers:
        yield {"kind": "tier", "parcels": tier.parcels, "percent_off": tier.percent_off}
    if any(card.risk.model_dump().values()):
        yield {"kind": "risk", **card.risk.model_dump()}


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "first_kg": _thousandth(rate.first_grams),
        "first_yuan": _yuan(rate.first_fen),
        "additional_kg": _thousandth(rate.additional_grams),
        "additional_yuan": _yuan(rate.additional_fen),
        "hours": rate.hours,
    }


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _thousandth(grams: int) -> str:
    return _plain(grams, 1_000)


def _plain(amount: int, parts: int) -> str:
    """So many parts of a whole, without zeros at the end."""
    whole, rest = divmod(amount, parts)
    digits = len(str(parts)) - 1
    return f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".") if rest else str(whole)
