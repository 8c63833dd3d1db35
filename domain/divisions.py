"""行政区划 Provinces, cities and counties with their codes (GB/T 2260), by any of their names.

Counties are all that lies below a city: districts, counties, banners, county-level cities.
Municipalities (北京市 …) are provinces without cities; a few counties lie straight under theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from domain.division_names import forms_of, is_generic, short_form, slips_of
from domain.former_divisions import also_under, former_names
from domain.namesakes import NEEDS, Needs

MUNICIPALITIES: Final = ("11", "12", "31", "50")


class Level(IntEnum):
    """How far down a division lies."""

    PROVINCE = 1
    CITY = 2
    COUNTY = 3


@dataclass(frozen=True, slots=True)
class Division:
    """One division; `code` has six digits, `prefix` is what the codes below it begin with."""

    code: str
    name: str
    level: Level
    prefix: str = field(repr=False)
    also_under: str | None = field(default=None, repr=False)
    """Prefix of a city that it is customarily written under without being a part of it."""

    def covers(self, other: "Division") -> bool:
        """Whether the other is this or a part of it, by law or by custom."""
        return other.code.startswith(self.prefix) or (
            self.level is Level.CITY and other.also_under == self.prefix
        )

    @property
    def is_municipality(self) -> bool:
        """Whether it is a city straight under the state: both its province and its city."""
        return self.prefix in MUNICIPALITIES


class Named(NamedTuple):
    """A division as one of its names means it."""

    division: Division
    hard: bool
    """Whether the name says that it is a division: 杭州市 does, 杭州 doesn't."""
    needs: Needs = Needs.NOTHING
    former: bool = False
    told_by: tuple[str, ...] = ()
    """A divided former division: the towns that tell that this part of it is meant."""
    lesser: bool = False
    """A divided former division: whether another part is most of it."""


class Chain(NamedTuple):
    """A division with all that it lies in."""

    province: Division
    city: Division | None = None
    county: Division | None = None

    @property
    def last(self) -> Division:
        """The smallest one."""
        return self.county or self.city or self.province


class Divisions:
    """All divisions, by code and by name. Built once a process; never changed."""

    def __init__(self, official: Iterable[tuple[str, str]]) -> None:
        """From codes and full names; raises `ValueError` where a county's province is missing."""
        under = also_under()
        self.by_code: dict[str, Division] = {}
        for code, name in official:
            self.by_code[code] = _division(code, name, under)
        self._children: dict[str, list[Division]] = {}
        for one in self.by_code.values():
            if one.level is not Level.PROVINCE:
                chain = self.chain(one)
                above = chain.city if chain.county and chain.city else chain.province
                self._children.setdefault(above.code, []).append(one)
        self.names: dict[str, tuple[Named, ...]] = {}
        self.official: dict[tuple[str, str, str], Chain] = {}
        self._name_them()
        self._note_official()
        starts: dict[str, set[int]] = {}
        for name in self.names:
            starts.setdefault(name[:2], set()).add(len(name))
        self.starts = {two: tuple(sorted(lengths, reverse=True)) for two, lengths in starts.items()}
        """First two letters of every name → how long the names are, longest first."""

    def chain(self, division: Division) -> Chain:
        """The division with all that it lies in."""
        province = self.by_code.get(division.code[:2] + "0000")
        if province is None:
            raise ValueError(f"{division.code} lies in no province")
        if division.level is Level.PROVINCE:
            return Chain(province)
        city = self.by_code.get(division.code[:4] + "00")
        return Chain(province, city, division if division.level is Level.COUNTY else None)

    def provinces(self) -> list[Division]:
        """The 34 provinces, by code."""
        return [one for one in self.by_code.values() if one.level is Level.PROVINCE]

    def below(self, division: Division) -> list[Division]:
        """What the division is divided into; empty where it isn't: 东莞市."""
        return self._children.get(division.code, [])

    def _name_them(self) -> None:
        names: dict[str, list[Named]] = {}
        for one in self.by_code.values():
            forms = forms_of(one.code, one.name)
            for name in forms.full:
                names.setdefault(name, []).append(Named(one, not is_generic(name)))
            needs = NEEDS.get(one.code, Needs.NOTHING)
            for name in forms.short:
                names.setdefault(name, []).append(Named(one, hard=False, needs=needs))
        for old in former_names():
            today = self.by_code.get(old.code)
            if today is None:
                continue
            hard = not is_generic(old.name)
            named = Named(today, hard, former=True, told_by=old.told_by, lesser=old.lesser)
            names.setdefault(old.name, []).append(named)
            bare = short_form(old.name)
            known = names.setdefault(bare, [])
            if bare != old.name and all(other.division != today for other in known):
                # Nothing says whether a town has the name of what is gone.
                known.append(named._replace(hard=False, needs=Needs.CITY))
        for name in list(names):
            for slip in slips_of(name):
                if slip not in names:
                    names[slip] = names[name]
        self.names = {name: tuple(named) for name, named in names.items() if named}

    def _note_official(self) -> None:
        """Fields that need no reading: as the official names stand in forms and address books."""
        for one in self.by_code.values():
            chain = self.chain(one)
            province, city, county = (part.name if part else "" for part in chain)
            self.official[province, city, county] = chain
            if chain.province.is_municipality:
                for city in (province, "市辖区", "县"):
                    self.official[province, city, county] = chain
            elif county and not city:  # straight under its province: forms ask for a city
                self.official[province, county, ""] = chain
                self.official[province, county, county] = chain


def _division(code: str, name: str, under: dict[str, str]) -> Division:
    if code.endswith("0000"):
        return Division(code, name, Level.PROVINCE, code[:2])
    if code.endswith("00"):
        return Division(code, name, Level.CITY, code[:4])
    also = under.get(code)
    return Division(code, name, Level.COUNTY, code, also[:4] if also else None)
