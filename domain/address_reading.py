"""地址识别 Reading an address: which province, city and county its words settle, and what is left.

Nothing is guessed. Names are matched longest first against the official divisions, former ones
and customary short forms; every name narrows what can be meant; what several places share is
settled, the rest is asked for with the candidates (M4, O1, O7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.address_doubts import Doubt, has_detail, is_zone
from domain.address_names import Meant, State, Walk, known, narrowed
from domain.divisions import Chain, Division, Divisions, Level, Named
from domain.namesakes import Needs

CANDIDATES_MAX: Final = 12
"""Most places that are named when one is asked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an address says. Parts that its words don't settle are None."""

    province: Division | None = None
    city: Division | None = None
    county: Division | None = None
    detail: str = ""
    """Street, house and room: the text after the names of divisions."""
    doubts: tuple[Doubt, ...] = ()
    candidates: tuple[Chain, ...] = ()
    """Which places can be meant, where several can."""

    @property
    def division(self) -> Division | None:
        """The smallest division that is settled."""
        return self.county or self.city or self.province

    county_name: str = ""
    """The county's name; known before it is settled whose county it is where all have that name."""

    @property
    def names(self) -> tuple[str, str, str]:
        """Province, city and county as a label says them; a municipality is its own city."""
        province, city = self.province, self.city
        if province is not None and city is None and province.is_municipality:
            city = province
        return (
            province.name if province else "",
            city.name if city else "",
            self.county_name,
        )


class Fields(NamedTuple):
    """What a caller said apart from the text; empty where she said nothing."""

    province: str = ""
    city: str = ""
    county: str = ""


NO_FIELDS: Final = Fields()


class AddressReader:
    """Reads addresses against one set of divisions."""

    def __init__(self, divisions: Divisions) -> None:
        self.divisions = divisions

    def read(self, text: str, fields: Fields = NO_FIELDS) -> Reading:
        """What fields and text say together; fields win, and text that differs is a doubt.

        The detail is the text without the divisions that it begins with; all of it where these
        contradict each other or the fields.
        """
        chain = self.divisions.official.get(fields)
        if chain is None or self.divisions.below(chain.last):
            return self._understood(text, self._stated(fields))
        if text[:2] in self.divisions.starts:
            return self._understood(text, _Stated(known(chain.last)))
        # As address books have it, and most orders come: nothing is left to understand.
        province, city, county = chain
        return Reading(
            province,
            city,
            county,
            detail=text,
            doubts=() if has_detail(text) else (Doubt.NO_DETAIL,),
            county_name=county.name if county else "",
        )

    def _stated(self, fields: Fields) -> "_Stated":
        """What the fields mean: any name goes, for a field says that it is one."""
        state: State = {}
        doubts: list[Doubt] = []
        for level, written in zip(Level, fields, strict=True):
            text = "".join([letter for letter in written if letter.isalnum()])
            if not text:
                continue
            named = self._field(text, level)
            if named is None:
                doubts.append(Doubt.UNKNOWN_DIVISION)
            elif further := narrowed(state, named) if named else state:
                state = further
            else:
                doubts.append(Doubt.CONTRADICTION)
        return _Stated(state, tuple(doubts))

    def _field(self, text: str, level: Level) -> list[Named] | None:
        """Divisions that a field can mean; none: it says that there is none; None: unknown."""
        if text in _NO_DIVISION:
            return []
        named = self.divisions.names.get(text, ())
        if not named:
            readings, end = Walk(self.divisions, text, frozenset()).beginning({})
            if len(readings) > 1 or end < len(text):
                return None
            return [_certain(one.division, former=one.former) for one in readings[0].values()]
        fitting = [one for one in named if one.division.level is level] or named
        return [one._replace(hard=True, needs=Needs.NOTHING) for one in fitting]

    def _understood(self, text: str, stated: "_Stated") -> Reading:
        squeezed = _Squeezed.of(text)
        walk = Walk(self.divisions, squeezed.text, squeezed.breaks)
        readings, end = walk.beginning(stated.state)
        doubts = list(stated.doubts)
        if len(readings) > 1:
            doubts.append(Doubt.CONTRADICTION)
            if stated.state:
                readings = [stated.state]
            return self._settled(readings, doubts, detail=text)
        state = readings[0]
        if not any(one.certain for one in state.values()) and not self._alone(state):
            later = walk.further({}, 0)
            if any(one.certain for one in later.values()):
                return self._settled([later], doubts, detail=text)
            return self._asked(state, doubts, detail=text)
        if not self._whole(state):
            state = walk.further(state, end)
        return self._settled([state], doubts, detail=text[squeezed.at[end] :] if end else text)

    def _alone(self, state: State) -> bool:
        """Whether a single bare name is enough: no other place is called so, not even a town."""
        tops = _tops(list(state.values()))
        return len(tops) == 1 and tops[0].needs is Needs.NOTHING

    def _whole(self, state: State) -> bool:
        return len(state) == 1 and not any(
            self.divisions.below(one.division) for one in state.values()
        )

    def _settled(self, readings: list[State], doubts: list[Doubt], *, detail: str) -> Reading:
        tops = _tops(_preferred([one for state in readings for one in state.values()]))
        chains = [self.divisions.chain(one.division) for one in tops]
        if len(chains) > 1 and Doubt.CONTRADICTION not in doubts:
            doubts.append(Doubt.AMBIGUOUS)
        if any(one.former for one in tops):
            doubts.append(Doubt.FORMER_NAME)
        shared = _shared([chain for chain, one in zip(chains, tops, strict=True) if not one.lesser])
        names = {chain.county.name if chain.county else "" for chain in chains}
        if shared.county is not None:
            names = {shared.county.name}
        return self._read(
            shared,
            doubts,
            candidates=chains if len(chains) > 1 else [],
            detail=detail,
            county_name=names.pop() if len(names) == 1 else "",
        )

    def _asked(self, state: State, doubts: list[Doubt], *, detail: str) -> Reading:
        """Nothing is certain: what it can be is told."""
        chains = [self.divisions.chain(one.division) for one in _tops(list(state.values()))]
        if chains:
            doubts.append(Doubt.AMBIGUOUS)
        return self._read(_NOTHING, doubts, candidates=chains, detail=detail, county_name="")

    def _missing(self, settled: "_Settled", detail: str) -> Doubt | None:
        """Which part nothing was said of; a zone such as 高新区 stands for a district."""
        last = settled.county or settled.city or settled.province
        if last is None:
            return Doubt.INCOMPLETE
        if not self.divisions.below(last) or is_zone(detail):
            return None
        in_city = last.level is Level.CITY or last.is_municipality
        return Doubt.NO_DISTRICT if in_city else Doubt.INCOMPLETE

    def _read(
        self,
        settled: "_Settled",
        doubts: list[Doubt],
        *,
        candidates: list[Chain],
        detail: str,
        county_name: str,
    ) -> Reading:
        detail = detail.strip(_STRIPPED)
        if _ASKING.isdisjoint(doubts) and (missing := self._missing(settled, detail)):
            doubts.append(missing)
        if not has_detail(detail):
            doubts.append(Doubt.NO_DETAIL)
        return Reading(
            *settled,
            detail=detail,
            doubts=tuple(dict.fromkeys(doubts)),
            candidates=tuple(candidates[:CANDIDATES_MAX]),
            county_name=county_name,
        )


class _Settled(NamedTuple):
    province: Division | None
    city: Division | None
    county: Division | None


_NOTHING: Final = _Settled(None, None, None)


class _Stated(NamedTuple):
    """What the fields mean, and what is doubtful about them."""

    state: State
    doubts: tuple[Doubt, ...] = ()


class _Squeezed(NamedTuple):
    """Letters and digits alone, and where each of them stood."""

    text: str
    at: Sequence[int]
    breaks: frozenset[int]
    """Places in `text` with something else before them."""

    @classmethod
    def of(cls, text: str) -> "_Squeezed":
        if text.isalnum():
            return cls(text, range(len(text) + 1), frozenset())
        letters: list[str] = []
        at: list[int] = []
        breaks: set[int] = set()
        for place, letter in enumerate(text):
            if letter.isalnum():
                if place and not text[place - 1].isalnum():
                    breaks.add(len(letters))
                letters.append(letter)
                at.append(place)
        at.append(len(text))
        return cls("".join(letters), at, frozenset(breaks))


_NO_DIVISION: Final = frozenset(
    {
        "市辖区",
        "县",
        "其它区",
        "其他区",
        "其它",
        "其他",
        "无",
        "null",
        "省直辖县级行政区划",
        "自治区直辖县级行政区划",
    }
)
_STRIPPED: Final = " ,，、。.;；:：|/\\_-~·"
_ASKING: Final = frozenset({Doubt.CONTRADICTION, Doubt.AMBIGUOUS, Doubt.UNKNOWN_DIVISION})


def _certain(division: Division, *, former: bool) -> Named:
    return Named(division, hard=True, former=former)


def _preferred(meant: list[Meant]) -> list[Meant]:
    """What is certain before what isn't; a county of today before a city of former days."""
    sure = [one for one in meant if one.certain] or meant
    if any(not one.former for one in sure):
        return [one for one in sure if not (one.former and one.division.level is Level.CITY)]
    return sure


def _tops(meant: list[Meant]) -> list[Meant]:
    """What can be meant; where one lies in another that can be meant, too, the other alone."""
    return [
        one
        for one in meant
        if not any(
            other.division is not one.division and other.division.covers(one.division)
            for other in meant
        )
    ]


def _shared(chains: list[Chain]) -> _Settled:
    """The part that all of them have in common."""
    if not chains:
        return _NOTHING
    first = chains[0]
    shared = [
        part if all(chain[: level + 1] == first[: level + 1] for chain in chains) else None
        for level, part in enumerate(first)
    ]
    return _Settled(*shared)
