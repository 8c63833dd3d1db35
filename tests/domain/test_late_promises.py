"""Orders that come later than promised: points once, and none where it came in time (rule 10)."""

from datetime import datetime, timedelta

import pytest

from domain.catalogue import Kind
from domain.course_facts import EntitlementGranted
from domain.facts import Fact
from domain.known_scans import track
from domain.late_promises import Sent, open_since, order_of, settle, source_of
from domain.order_facts import (
    AddressChanged,
    OrderLine,
    PartHandedOver,
    PartPacked,
    PartReceived,
    Units,
    UnitsCancelled,
)
from domain.payment_facts import PaymentCaptured
from domain.promise_facts import Excuse, LatenessExcused, LatenessMadeGood
from domain.scans import Scan, ScanKind
from domain.splitting import Allocation, Plan, PlannedPart
from tests.domain.test_orders import DAY, HOME, NOON, order, placed

BY = NOON + 5 * DAY
HOUR = timedelta(hours=1)
MADE_GOOD = LatenessMadeGood(promised_by=BY, points=30, arrived_at=None)


def sent(*scans: tuple[float, ScanKind], stopped: bool = False) -> Sent:
    """A parcel with scans so many hours after its promised time."""
    seen = [
        Scan(number="SF1", time=BY + hours * HOUR, text=f"{kind}", carrier="shunfeng", kind=kind)
        for hours, kind in scans
    ]
    return Sent(track(seen, handed_over_at=NOON), stopped)


def shipped(part: int) -> tuple[Fact, ...]:
    return PartPacked(part=part, parcel=f"P{part}"), PartHandedOver(part=part, parcel=f"P{part}")


def received(part: int, at: datetime) -> PartReceived:
    return PartReceived(part=part, received_at=at, window_until=at + 7 * DAY)


def gone(part: int, line: int, quantity: int) -> UnitsCancelled:
    units = (Units(part=part, line=line, quantity=quantity),)
    return UnitsCancelled(units=units, points=0, cash_fen=0, lots=(), reason="changed_mind")


PROMISED = placed(late_points=30)
BOTH = (*shipped(1), *shipped(2))
"""Both parcels of the order are with their carriers."""


def test_points_are_given_once_when_nothing_left_by_the_promised_time() -> None:
    """Rule 10: a parcel that is still in the house is late, too; settled, it is settled."""
    late = order(PROMISED)
    assert open_since(late) == BY
    assert settle(late, {}) == [MADE_GOOD]
    after = order(PROMISED, MADE_GOOD)
    assert (open_since(after), settle(after, {})) == (None, [])


def test_one_late_parcel_is_enough_and_the_last_one_says_when() -> None:
    """Rule 10: the promise is that of the last parcel; under way has no time yet."""
    here = sent((-20, ScanKind.SIGNED))
    late = order(PROMISED, *BOTH, received(1, BY - 20 * HOUR))
    assert settle(late, {"P1": here, "P2": sent((1, ScanKind.IN_TRANSIT))}) == [MADE_GOOD]
    both = order(PROMISED, *BOTH, received(1, BY + 2 * HOUR), received(2, BY + 9 * HOUR))
    came = {"P1": sent((2, ScanKind.SIGNED)), "P2": sent((9, ScanKind.SIGNED))}
    assert settle(both, came) == [MADE_GOOD.model_copy(update={"arrived_at": BY + 9 * HOUR})]


def test_nothing_is_open_when_everything_came_in_time() -> None:
    """Rule 10: what kept its promise is looked at no more; what came late is, received or not."""
    kept = order(PROMISED, *BOTH, received(1, BY - HOUR), received(2, BY))
    assert open_since(kept) is None
    late = order(PROMISED, *BOTH, received(1, BY - HOUR), received(2, BY + HOUR))
    assert open_since(late) == BY


@pytest.mark.parametrize(
    "kind",
    [
        ScanKind.AWAITING_PICKUP,
        ScanKind.FAILED_ATTEMPT,
        ScanKind.RESCHEDULED,
        ScanKind.REFUSED,
        ScanKind.SIGNED,
    ],
)
def test_what_was_there_in_time_is_excused_and_what_came_a_minute_later_is_not(
    kind: ScanKind,
) -> None:
    """Rule 10: nobody at home, another day asked for, a locker nobody opened: not the house's."""
    late = order(placed(late_points=30), *shipped(1), gone(2, 1, 1), gone(2, 2, 2))
    excuse = LatenessExcused(promised_by=BY, excuse=Excuse.BROUGHT)
    assert settle(late, {"P1": sent((0, kind))}) == [excuse]
    (made_good,) = settle(late, {"P1": sent((1 / 60, kind))})
    assert isinstance(made_good, LatenessMadeGood)


def test_a_receipt_that_was_taken_back_brought_nothing() -> None:
    """T2, rule 10: signed for by mistake and under way again, past its time: late."""
    late = order(PROMISED, *shipped(1), gone(2, 1, 1), gone(2, 2, 2))
    wrong = sent((-2, ScanKind.SIGNED), (3, ScanKind.FORWARDED))
    assert settle(late, {"P1": wrong}) == [MADE_GOOD]


def test_what_was_called_back_or_is_gone_is_excused() -> None:
    """Rule 10: who has a parcel stopped waits for none; what was cancelled is not late."""
    late = order(PROMISED, *shipped(1), gone(2, 1, 1), gone(2, 2, 2))
    stopped = LatenessExcused(promised_by=BY, excuse=Excuse.STOPPED)
    assert settle(late, {"P1": sent(stopped=True)}) == [stopped]
    came = order(
        PROMISED, *shipped(1), received(1, BY + HOUR), gone(1, 1, 2), gone(2, 1, 1), gone(2, 2, 2)
    )
    assert settle(came, {"P1": sent((1, ScanKind.SIGNED))}) == [
        LatenessExcused(promised_by=BY, excuse=Excuse.GONE)
    ]
    nothing = order(PROMISED, gone(1, 1, 2), gone(2, 1, 1), gone(2, 2, 2))
    assert open_since(nothing) is None
    assert settle(nothing, {}) == [LatenessExcused(promised_by=BY, excuse=Excuse.GONE)]


def test_a_promise_was_made_for_one_address_and_for_what_is_paid() -> None:
    """O8, rules 8, 10: who changes the address has no promise left; who did not pay, none yet."""
    assert settle(order(PROMISED, AddressChanged(destination=HOME)), {}) == []
    unpaid = placed(cash=True, late_points=30)
    assert open_since(order(unpaid)) is None
    paid = PaymentCaptured(attempt="a", means="m", amount_fen=150, paid_at=NOON)
    assert open_since(order(unpaid, paid)) == BY


def test_without_points_promised_nothing_follows() -> None:
    """Rule 10: the figures of its placing hold: what was promised without any gets none."""
    assert open_since(order(placed())) is None
    assert settle(order(placed()), {}) == []


def test_courses_are_never_late() -> None:
    """Rules 7, 10: a course is granted when it is paid, whatever was promised for the parcels."""
    line = OrderLine(line=1, sku="py", name="课", kind=Kind.COURSE, quantity=1, unit_points=60)
    plan = Plan(
        parts=(PlannedPart(part=1, warehouse=None, units=(Allocation(line=1, quantity=1),)),),
        chosen_for="courses",
    )
    course = placed(late_points=30, lines=(line,), points=60, lots=(), plan=plan, promised_by=NOON)
    granted = EntitlementGranted(part=1, line=1, sku="py", quantity=1)
    late = order(course, granted, received(1, NOON + DAY))
    assert open_since(late) is None


def test_a_source_names_the_order_and_no_other_one_does() -> None:
    """Rule 14: the order is what makes it the same grant; a case's source is none of them."""
    assert order_of(source_of("T260302000001")) == "T260302000001"
    assert order_of("D-T260302000001-P1") is None
