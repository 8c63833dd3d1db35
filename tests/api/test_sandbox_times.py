"""When the sandbox's carriers see a parcel: after the house gave it to them (M3)."""

from datetime import datetime, timedelta

import pytest

from api.sandbox.behaviour import Behaviour
from api.sandbox.kuaidi100 import BACK, STEPS, Kuaidi100Sandbox
from api.sandbox.line import Line
from domain.scans import BEIJING

PLACES = range(STEPS + len(BACK))


def played() -> Kuaidi100Sandbox:
    return Kuaidi100Sandbox(Line("kuaidi100"))


def told(sandbox: Kuaidi100Sandbox, *, at_once: bool = False) -> list[datetime]:
    """The times of all scans, as each is told with those before it, or all of them together."""
    times: dict[int, datetime] = {}
    for newest in PLACES[-1:] if at_once else PLACES:
        for place in PLACES[: newest + 1]:
            sandbox._time(times, place, newest=newest)
    return [times[place] for place in PLACES]


def now() -> datetime:
    return datetime.now(BEIJING).replace(tzinfo=None, microsecond=0)


def test_nothing_is_seen_before_the_house_gave_it_away() -> None:
    """M3: at the demo's pace a carrier dates each scan when it makes it."""
    given = now()
    assert min(told(played())) >= given


@pytest.mark.parametrize("pace", [0.0, 4.0])
@pytest.mark.parametrize("at_once", [False, True])
def test_scans_are_in_order_and_never_ahead(pace: float, at_once: bool) -> None:
    """M3: however hurried the house is; told together, each is a second after the one before."""
    sandbox = played()
    sandbox.line.behave(Behaviour(pace_seconds=pace))
    times = told(sandbox, at_once=at_once)
    assert times == sorted(times)
    assert times[-1] <= now()
    if at_once or not pace:
        assert len(set(times)) == len(times)
    assert times[-1] - times[0] < timedelta(minutes=1)
