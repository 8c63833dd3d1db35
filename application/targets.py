"""目标 What is promised to whoever calls, and who does not keep to it (M1): 200 ms, 0.1 %, 5 s."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from application.partner_calls import PartnerFigures

QUICK_SHARE = 0.99
"""Of the answers come within 200 ms."""
ERRORS_SHARE = 0.001
"""Of the answers are errors, at most."""
SYNC_LAG_SECONDS = 5.0
MISSES_MIN = 5
"""Fewer slow or failed answers in an hour are no reason to call anybody."""


class Missed(NamedTuple):
    """A target that somebody does not meet."""

    whose: str
    """A partner's name, or `tallypost`."""
    target: str
    value: float
    aim: float


def missed(figures: Iterable[PartnerFigures]) -> Iterator[Missed]:
    """The targets of answers that were not met in the last hour, by enough of them to tell."""
    for one in figures:
        quick, failed = one.quick / one.calls, one.failed / one.calls
        if quick < QUICK_SHARE and one.calls - one.quick >= MISSES_MIN:
            yield Missed(one.partner, "answers_within_200_ms", quick, QUICK_SHARE)
        if failed > ERRORS_SHARE and one.failed >= MISSES_MIN:
            yield Missed(one.partner, "errors", failed, ERRORS_SHARE)
