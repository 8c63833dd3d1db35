"""地址 One physical address, however it was written (O7, S4)."""

import re
import unicodedata
from typing import Final, Protocol

_SEPARATOR: Final = "|"


class Place(Protocol):
    """Where somebody is to be found: a vault card's recipient is one."""

    @property
    def province(self) -> str | None:
        """Full name of the province, where it is known."""

    @property
    def city(self) -> str | None:
        """Full name of the city, where there is one and it is known."""

    @property
    def district(self) -> str | None:
        """Full name of the district or county, where it is known."""

    @property
    def address(self) -> str:
        """Street, house and room; maybe with the divisions once more."""


class SettledPlace(Place, Protocol):
    """A place that was read against the official divisions."""

    @property
    def division(self) -> str | None:
        """Code (GB/T 2260) of the smallest division that is settled; None: none is."""


def canonical_place(place: Place) -> str:
    """One text for one address: `province|city|district|detail`, to be hashed with a key (O7).

    Full-width letters and digits become plain, case, spaces and punctuation go, divisions that
    the detail says once more go, too; Chinese numerals stay as they are written.
    Personal data: never in an event or a log as it is.
    """
    parts = [_bare(place.province or ""), _bare(place.city or ""), _bare(place.district or "")]
    detail = _bare(place.address)
    again = True
    while again:
        again = False
        for part in parts:
            if part and detail.startswith(part) and len(detail) > len(part):
                detail, again = detail[len(part) :], True
    return _SEPARATOR.join([*parts, detail])


_COMPOUND: Final = re.compile(
    r".+?(?:小区|社区|新村|花园|家园|公寓|大厦|广场|园区|大学|学院|学校|医院|苑(?!路|小区|社区|新村)|[0-9]+号(?:院|大院)?)"
)


def canonical_compound(place: Place) -> str | None:
    """The compound or the house that an address is in, without door and person (T9).

    As `canonical_place` writes it, up to the words that end a compound's name, or to the house's
    number; None where the address has neither. Personal data, too: to be hashed with a key.
    """
    *divisions, detail = canonical_place(place).split(_SEPARATOR)
    found = _COMPOUND.match(detail)
    return None if found is None else _SEPARATOR.join([*divisions, found.group()])


def canonical_name(name: str) -> str:
    """One text for one person's name, however it was typed: spaces, dots and case go (D1, A4).

    Personal data, too: to be hashed with a key.
    """
    return _bare(name)


def _bare(text: str) -> str:
    """Letters and digits alone."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join([letter for letter in plain if letter.isalnum()])
