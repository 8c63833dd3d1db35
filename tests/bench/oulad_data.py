"""OULAD as a mall sees it: passes and withdrawals by calendar day (rules.md 20).

Open University Learning Analytics Dataset, Kuzilek, Hlosta, Zdrahal 2017, CC BY 4.0.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from domain.house_rules import SHANGHAI

PASSED = 40
POINTS_PER_WEIGHT = 10
POINTS_AT_LEAST = 10
FIRST_MONTH = {"B": 2, "J": 10}
"""Presentations start in February or October."""

Enrolment = tuple[str, str, str]
"""Module, presentation, student."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A submission that was passed."""

    enrolment: Enrolment
    assessment: str
    points: int
    reason: str
    banked: bool
    day: date

    @property
    def learner(self) -> str:
        """The student's id."""
        return self.enrolment[2]

    def as_grant(self) -> dict[str, Any]:
        """The grant as it is sent."""
        return {
            "learner": self.learner,
            "points": self.points,
            "reason": self.reason,
            "source": self.assessment,
            "happened_at": at(self.day, 8).isoformat(),
            "carried_over": self.banked,
        }


@dataclass
class Oulad:
    """What happens on each day."""

    passes: dict[date, list[Pass]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[Enrolment, date] = field(default_factory=dict)
    withdrawals: dict[date, list[Enrolment]] = field(default_factory=lambda: defaultdict(list))

    @property
    def days(self) -> list[date]:
        """Every day on which something happens."""
        return sorted({*self.passes, *self.withdrawals})

    @property
    def in_order(self) -> list[Pass]:
        """All passes in day order."""
        return [one for day in sorted(self.passes) for one in self.passes[day]]


def at(day: date, hour: int) -> datetime:
    """An hour of a day in the business zone."""
    return datetime.combine(day, time(hour), SHANGHAI)


def is_here(data: Path) -> bool:
    """Whether the data set is in this folder."""
    return (data / "oulad" / "submissions.csv.gz").exists()


def read(data: Path, *, limit: int | None = None) -> Oulad:
    """The data set; the first `limit` passes in day order, with the withdrawals up to then."""
    folder = data / "oulad"
    assessments = {row["id_assessment"]: row for row in _rows(folder / "assessments.csv")}
    passes = [
        _pass(row, assessments[row["id_assessment"]])
        for row in _rows(folder / "submissions.csv.gz")
        if row["score"] and float(row["score"]) >= PASSED
    ]
    passes.sort(key=lambda one: one.day)
    passes = passes[:limit]
    found = Oulad()
    for one in passes:
        found.passes[one.day].append(one)
    known = {one.enrolment for one in passes}
    for row in _rows(folder / "enrolments.csv.gz"):
        enrolment = (row["code_module"], row["code_presentation"], row["id_student"])
        if row["final_result"] == "Withdrawn" and enrolment in known:
            # Without a date: at the presentation's end (rules.md 20).
            after = int(row["date_unregistration"] or row["module_presentation_length"])
            day = _start(row["code_presentation"]) + timedelta(days=after)
            found.withdrawn[enrolment] = day
            found.withdrawals[day].append(enrolment)
    return found


def _pass(row: dict[str, str], assessment: dict[str, str]) -> Pass:
    weight = float(assessment["weight"])
    return Pass(
        enrolment=(row["code_module"], row["code_presentation"], row["id_student"]),
        assessment=row["id_assessment"],
        points=max(POINTS_AT_LEAST, round(weight * POINTS_PER_WEIGHT)),
        reason="course_completed" if assessment["assessment_type"] == "Exam" else "task",
        banked=row["is_banked"] == "1",
        day=_start(row["code_presentation"]) + timedelta(days=int(row["date_submitted"])),
    )


def _start(presentation: str) -> date:
    return date(int(presentation[:4]), FIRST_MONTH[presentation[4]], 1)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as lines:
        yield from csv.DictReader(lines)
