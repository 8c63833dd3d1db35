"""周报 What a week brought, in figures that name nobody, with the week before beside (T9).

A figure is a count or a sum of fen; shares and averages are made of them where they are shown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from pydantic import Field, NonNegativeInt

from domain.attempts import first_attempt
from domain.costs import KINDS, PartSent
from domain.countries import HOME
from domain.facts import Fact, Value
from domain.lanes import arrived_at
from domain.parcels import Parcel
from domain.scans import ScanKind

PLACES_MAX = 20
"""Districts that are told: those where most first attempts failed."""
WHOLE = "week"
"""The section of what is told of the week as a whole."""

Name = tuple[str, str, str]
"""Section, key in it, and what is counted."""
Tally = Counter[Name]


class Figure(Value):
    """One figure of a week, and of the week before."""

    section: str = Field(description="week, carrier, district, hour, failure, delay, claim …")
    key: str = Field(description="of what in the section: a carrier's code, an hour; or nothing")
    name: str = Field(description="what is counted or summed up")
    value: int = Field(description="in the week; a count, or fen, points or stars summed up")
    before: int = Field(description="in the week before")


class WeekReviewed(Fact, name="weeks.WeekReviewed"):
    """A week was over and was looked back at; made again at its position it is the same (T9)."""

    week: str = Field(description="ISO 8601, as 2026-W47")
    first_day: date
    last_day: date
    upto: NonNegativeInt = Field(description="log position that the figures are as of")
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Whether a week was reviewed."""

    reviewed: bool = False

    def review(self, review: WeekReviewed) -> list[WeekReviewed]:
        """Keep what a week brought; once."""
        return [] if self.reviewed else [review]


def evolve(week: Week, fact: WeekReviewed) -> Week:
    """The week after one more fact."""
    match fact:
        case WeekReviewed():
            return Week(reviewed=True)
        case _:
            assert_never(fact)


class Days(NamedTuple):
    """The seven days of a week in the business time zone, and their ends."""

    name: str
    first: date
    last: date
    begin: datetime
    end: datetime

    def has(self, moment: datetime | None) -> bool:
        """Whether something happened in these days."""
        return moment is not None and self.begin <= moment < self.end

    def before(self, zone: ZoneInfo) -> "Days":
        """The week before."""
        return week_of(self.first - timedelta(days=1), zone)


def week_of(day: date, zone: ZoneInfo) -> Days:
    """The week of a day, from Monday to Sunday."""
    year, week, weekday = day.isocalendar()
    first = day - timedelta(days=weekday - 1)
    begin, end = (
        datetime(one.year, one.month, one.day, tzinfo=zone)
        for one in (first, first + timedelta(days=7))
    )
    return Days(f"{year}-W{week:02}", first, first + timedelta(days=6), begin, end)


def count_parcel(
    tally: Tally, parcel: Parcel, days: Days, *, promised_by: datetime | None, zone: ZoneInfo
) -> None:
    """Count what became of a parcel in these days: left, tried at the door, arrived.

    `promised_by`: by when, for the first of its orders; None: nobody promised it, and it is neither
    on time nor late. Abroad clocks show other hours than the house's: none is told of there.
    """
    track, carrier = parcel.track(), parcel.carrier or ""

    def count(name: str, times: int = 1) -> None:
        tally[WHOLE, "", name] += times
        tally["carrier", carrier, name] += times

    if days.has(parcel.tracking.handed_over_at):
        count("handed_over")
    arrived = arrived_at(track)
    if days.has(arrived):
        count("arrived")
        count("promised", int(promised_by is not None))
        if promised_by is not None and arrived is not None and arrived <= promised_by:
            count("on_time")
    attempt = first_attempt(track)
    if attempt is not None and days.has(attempt.at):
        places: list[tuple[str, str]] = []
        if parcel.country == HOME:
            places.append(("hour", str(attempt.at.astimezone(zone).hour)))
        if parcel.lane is not None and parcel.lane.division is not None:
            places.append(("district", parcel.lane.division))
        for name in ("tried", *(["first_try"] if attempt.well else [])):
            count(name)
            for section, key in places:
                tally[section, key, name] += 1
    for scan in track.scans:
        if scan.kind in _FAILURES and days.has(scan.time):
            tally["failure", str(scan.kind), "times"] += 1


_FAILURES = frozenset({ScanKind.FAILED_ATTEMPT, ScanKind.REFUSED})
"""What recipients put off failed nobody, as in `domain.attempts`."""


def count_costs(tally: Tally, parts: Iterable[PartSent]) -> None:
    """Sum up what was sent in the week."""
    for one in parts:
        for name in ("value", *KINDS):
            tally[WHOLE, "", f"{name}_fen"] += getattr(one, name)
        tally["carrier", one.carrier, "freight_fen"] += one.freight
        tally[WHOLE, "", "parts"] += 1
        tally["carrier", one.carrier, "parts"] += 1


def beside(tally: Mapping[Name, int], before: Mapping[Name, int]) -> tuple[Figure, ...]:
    """Figures of both weeks in a fixed order; of districts, where most first attempts failed."""
    told = _told_places(tally)
    return tuple(
        Figure(
            section=section,
            key=key,
            name=name,
            value=tally.get((section, key, name), 0),
            before=before.get((section, key, name), 0),
        )
        for section, key, name in sorted({*tally, *before})
        if section != "district" or key in told
    )


def _told_places(tally: Mapping[Name, int]) -> set[str]:
    places = {key for section, key, _ in tally if section == "district"}

    def failed(key: str) -> int:
        tried = tally.get(("district", key, "tried"), 0)
        return tried - tally.get(("district", key, "first_try"), 0)

    return set(sorted(places, key=lambda key: (-failed(key), key))[:PLACES_MAX])
