"""Service windows stand still while a case is open, and lose nothing by it (D1; rules.md 2)."""

from datetime import datetime

from domain.order_facts import (
    Fault,
    OrderCompleted,
    PartCompleted,
    State,
    UnitsRefunded,
)
from domain.window_facts import WindowPaused, WindowResumed
from domain.windows import pause_windows, resume_windows
from tests.domain.test_orders import (
    DAY,
    MUG,
    NOON,
    RULES,
    order,
    placed,
    received,
    shipped,
    units,
)

CASE, RETURN = "dispute:D-1", "return:R-1"


def paused(part: int, by: str = CASE, *, after: float) -> WindowPaused:
    return WindowPaused(part=part, by=by, paused_at=NOON + after * DAY)


def resumed(part: int, by: str = CASE, *, until: float | None) -> WindowResumed:
    end: datetime | None = None if until is None else NOON + until * DAY
    return WindowResumed(part=part, by=by, window_until=end)


BOTH = (placed(), *shipped(1), *shipped(2), received(1), received(2, after=1))


def test_what_was_left_runs_on_when_the_case_is_decided() -> None:
    """D1: opened on the third day, decided on the ninth: four days are left from there."""
    before = order(*BOTH)
    opening = pause_windows(before, [1], by=CASE, when=NOON + 3 * DAY)
    assert opening == [paused(1, after=3)]
    held = order(*BOTH, *opening)
    assert held.complete(when=NOON + 8 * DAY, rules=RULES) == [PartCompleted(part=2)]
    closing = resume_windows(held, by=CASE, when=NOON + 9 * DAY)
    assert closing == [resumed(1, until=13)]
    after = order(*BOTH, *opening, *closing)
    assert after.complete(when=NOON + 12 * DAY, rules=RULES) == [PartCompleted(part=2)]
    assert after.complete(when=NOON + 13 * DAY, rules=RULES)[:2] == [
        PartCompleted(part=1),
        PartCompleted(part=2),
    ]


def test_the_order_waits_when_one_of_its_windows_is_held() -> None:
    """D1, O4: the last window over completes the order, and a held one is not over."""
    held = order(*BOTH, paused(1, after=3))
    assert not [
        one
        for one in held.complete(when=NOON + 99 * DAY, rules=RULES)
        if isinstance(one, OrderCompleted)
    ]
    assert held.state is State.PENDING_END


def test_a_window_loses_no_day_when_the_parcel_comes_during_the_case() -> None:
    """D1: lost, disputed, then delivered after all: the seven days count from the decision."""
    story = (placed(), *shipped(1))
    opening = pause_windows(order(*story), [1], by=CASE, when=NOON)
    held = order(*story, *opening, received(1, after=2))
    assert held.complete(when=NOON + 99 * DAY, rules=RULES) == []
    assert resume_windows(held, by=CASE, when=NOON + 5 * DAY) == [resumed(1, until=12)]


def test_nothing_is_said_of_a_window_when_it_has_not_begun() -> None:
    """D1: decided before receipt, the window begins with the receipt as always."""
    held = order(placed(), *shipped(1), paused(1, after=0))
    assert resume_windows(held, by=CASE, when=NOON + DAY) == [resumed(1, until=None)]
    after = order(placed(), *shipped(1), paused(1, after=0), resumed(1, until=None))
    assert after.receive(1, when=NOON + 2 * DAY, rules=RULES) == [received(1, after=2)]
    assert after.part(1) is not None


def test_the_last_case_lets_go_when_two_hold_one_window() -> None:
    """D1, D3: a dispute and a return; the window stands from the first to the last of them."""
    held = order(*BOTH, paused(1, after=2), paused(1, RETURN, after=4))
    first = resume_windows(held, by=CASE, when=NOON + 5 * DAY)
    assert first == [resumed(1, until=None)]
    left = order(*BOTH, paused(1, after=2), paused(1, RETURN, after=4), *first)
    assert left.complete(when=NOON + 99 * DAY, rules=RULES) == [PartCompleted(part=2)]
    assert resume_windows(left, by=RETURN, when=NOON + 6 * DAY) == [resumed(1, RETURN, until=11)]


def test_nothing_is_held_twice_nor_when_it_is_over_or_gone() -> None:
    """D1: the same case again, a completed part, a refunded one, one that was not sent."""
    assert pause_windows(order(*BOTH, paused(1, after=2)), [1], by=CASE, when=NOON) == []
    over = order(*BOTH, PartCompleted(part=1))
    assert pause_windows(over, [1], by=CASE, when=NOON) == []
    gone = UnitsRefunded(
        units=units((1, MUG, 2)), points=200, cash_fen=0, lots=(), fault=Fault.LOST,
        reason="lost", goods_back=False,
    )  # fmt: skip
    assert pause_windows(order(*BOTH, gone), [1], by=CASE, when=NOON) == []
    assert pause_windows(order(placed()), [1, 2], by=CASE, when=NOON) == []
    assert resume_windows(order(*BOTH), by=CASE, when=NOON) == []


def test_a_window_that_was_over_ends_at_once_when_it_was_held_too_late() -> None:
    """D1: seven days were over before the case, and nobody had swept yet."""
    held = order(*BOTH, paused(1, after=9))
    assert resume_windows(held, by=CASE, when=NOON + 10 * DAY) == [resumed(1, until=10)]
