"""目标 What is promised to whoever calls, and who does not keep to it (M1): 200 ms, 0.1 %, 5 s."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from application.partner_calls import PartnerFigures

QUICK_SHARE = 0.99
"""Of the answers come within 200 ms."""
ERRORS_SHARE = 0.001
"""Of the answers are errors, at most."""
SYNC_LAG_SECONDS = 5.0
CALLS_MIN = 20
"""Fewer answers judge nobody."""
MISSES_MIN = 5
"""Nor do fewer slow or failed ones: they are no reason to call anybody."""


class Missed(NamedTuple):
    """A target that somebody does not meet."""

    whose: str
    """A partner's name, or `tallypost`."""
    target: str
    value: float
    aim: float


class Judged(NamedTuple):
    """A figure, what it should be, and whether it is."""

    target: str
    value: float
    aim: float
    met: bool | None
    """None: too few answers to judge."""


def judged(*, calls: float, quick: float, failed: float) -> tuple[Judged, Judged]:
    """How many of the answers were in time, and how many were errors."""
    within, errors = quick / (calls or 1), failed / (calls or 1)

    def met(kept: bool, misses: float) -> bool | None:
        return kept if calls >= CALLS_MIN and (kept or misses >= MISSES_MIN) else None

    return (
        Judged(
            "answers_within_200_ms",
            within,
            QUICK_SHARE,
            met(within >= QUICK_SHARE, calls - quick),
        ),
        Judged("errors", errors, ERRORS_SHARE, met(errors <= ERRORS_SHARE, failed)),
    )


def missed(figures: Iterable[PartnerFigures]) -> Iterator[Missed]:
    """The targets of answers that were not met in the last hour, by enough of them to tell."""
    for one in figures:
        for figure in judged(calls=one.calls, quick=one.quick, failed=one.failed):
            if figure.met is False:
                yield Missed(one.partner, figure.target, figure.value, figure.aim)
