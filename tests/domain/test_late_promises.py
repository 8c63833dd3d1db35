"""Orders that come later than promised: told, and points once (T5; rule 10)."""

from datetime import datetime, timedelta

import pytest

from domain.catalogue import Kind
from domain.course_facts import EntitlementGranted
from domain.facts import Fact
from domain.known_scans import track
from domain.late_promises import (
    Sent,
    in_the_house,
    is_told_unsent,
    open_since,
    order_of,
    settle,
    source_of,
    tell_unsent,
    unsent_by,
)
from domain.order_facts import (
    AddressChanged,
    OrderLine,
    OrderSplit,
    PartHandedOver,
    PartPacked,
    PartReceived,
    Units,
    UnitsCancelled,
    UnitsFellShort,
    WaitChosen,
    WaitEnded,
)
from domain.payment_facts import PaymentCaptured
from domain.promise_facts import Excuse, LatenessExcused, LatenessMadeGood, SendingDelayed
from domain.release_facts import UnitsCancelling
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


# --- not handed over in time -------------------------------------------------------------------

TOLD = SendingDelayed(promised_by=BY)


def test_its_learner_is_told_once_when_the_promise_passes_in_the_house() -> None:
    """T5, O6: at that moment and not before; once, whoever asks how often."""
    late = order(placed())
    assert unsent_by(late) == BY
    assert tell_unsent(late, now=BY - timedelta(seconds=1)) == []
    assert tell_unsent(late, now=BY) == [TOLD]
    told = order(placed(), TOLD)
    assert (unsent_by(told), is_told_unsent(told)) == (BY, True)
    assert tell_unsent(told, now=BY + DAY) == []


def test_one_part_that_is_still_there_is_enough_and_none_is_too_few() -> None:
    """T5: partly handed over is not sent; what is under way is its parcel's to tell of."""
    half = order(placed(), *shipped(1))
    assert [part.number for part in in_the_house(half)] == [2]
    assert tell_unsent(half, now=BY) == [TOLD]
    for facts in (BOTH, (*shipped(1), gone(2, 1, 1), gone(2, 2, 2))):
        under_way = order(placed(), *facts)
        assert (unsent_by(under_way), tell_unsent(under_way, now=BY)) == (None, [])


def test_nothing_is_told_of_courses_of_what_is_unpaid_and_of_what_is_cancelled() -> None:
    """T5, rules 5, 7, 8: nobody waits for it to be sent; what is left of a part, somebody does."""
    course = order(placed(course=True), *BOTH)
    assert tell_unsent(course, now=BY) == []
    assert tell_unsent(order(placed(cash=True)), now=BY) == []
    cancelled = order(placed(), gone(1, 1, 2), gone(2, 1, 1), gone(2, 2, 2))
    assert tell_unsent(cancelled, now=BY) == []
    units = (Allocation(line=1, quantity=1), Allocation(line=2, quantity=2))
    asked = UnitsCancelling(part=2, units=units, revision=1, reason="changed_mind")
    called_off = order(placed(), *shipped(1), asked)
    assert tell_unsent(called_off, now=BY) == []
    one_of_two = asked.model_copy(update={"units": units[:1]})
    assert tell_unsent(order(placed(), *shipped(1), one_of_two), now=BY) == [TOLD]


FELL_SHORT = UnitsFellShort(
    part=1, line=1, sku="mug", quantity=2, waiting_part=3, sources=("a",), reason="broken"
)


def resent(by: datetime) -> tuple[Fact, ...]:
    """Stock came for what waits in part 3; it is promised anew."""
    units = (Allocation(line=1, quantity=2),)
    plan = Plan(
        parts=(PlannedPart(part=4, warehouse="a", units=units),), chosen_for="fewest_parcels"
    )
    return WaitEnded(part=3), OrderSplit(plan=plan, reason="stock received", promised_by=by)


def test_who_chose_to_wait_has_no_promise_until_it_is_made_anew() -> None:
    """T5, rule 1: the old promise is not called broken, the new one is; who did not choose keeps
    the old one."""
    asked = (placed(late_points=30), *shipped(2), FELL_SHORT)
    assert tell_unsent(order(*asked), now=BY) == [TOLD]
    waits = (*asked, WaitChosen(part=3))
    assert (unsent_by(order(*waits)), tell_unsent(order(*waits), now=BY + 9 * DAY)) == (None, [])
    anew = BY + 4 * DAY
    came = order(*waits, *resent(anew))
    assert unsent_by(came) == anew
    assert tell_unsent(came, now=anew - timedelta(seconds=1)) == []
    assert tell_unsent(came, now=anew) == [SendingDelayed(promised_by=anew)]


def test_a_promise_made_anew_is_told_of_though_the_old_one_was() -> None:
    """T5: once a promise: who was told, chose to wait and was promised anew hears of that one."""
    anew = BY + 4 * DAY
    told = (placed(), *shipped(2), FELL_SHORT, TOLD, WaitChosen(part=3), *resent(anew))
    assert not is_told_unsent(order(*told))
    again = SendingDelayed(promised_by=anew)
    assert tell_unsent(order(*told), now=anew) == [again]
    assert tell_unsent(order(*told, again), now=anew + DAY) == []


def test_points_are_given_by_the_time_that_was_promised_when_it_was_placed() -> None:
    """Rule 10: a later promise takes no points back that the first one gives."""
    waited = order(
        placed(late_points=30), *shipped(2), FELL_SHORT, WaitChosen(part=3), *resent(BY + 4 * DAY)
    )
    assert open_since(waited) == BY
    assert settle(waited, {"P2": sent((-1, ScanKind.SIGNED))}) == [MADE_GOOD]
    came_by_the_new_one = order(
        placed(late_points=30), *shipped(2), FELL_SHORT, WaitChosen(part=3), *resent(BY + 4 * DAY),
        *shipped(4), received(2, BY - HOUR), received(4, BY + DAY),
    )  # fmt: skip
    assert open_since(came_by_the_new_one) == BY


def test_another_address_nearby_keeps_the_promised_time() -> None:
    """O8: no points follow any more, but who waits is told."""
    moved = order(placed(late_points=30), AddressChanged(destination=HOME))
    assert settle(moved, {}) == []
    assert tell_unsent(moved, now=BY) == [TOLD]
