"""Orders: how far they have come, what may happen next, and what goes back (O3–O5, O8, S2, D4)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import ORDER
from domain.catalogue import Kind
from domain.course_facts import EntitlementGranted, EntitlementRevoked
from domain.courses import grant_courses
from domain.destinations import Destination
from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.order_facts import (
    AddressChanged,
    Channel,
    Fault,
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderExpired,
    OrderFact,
    OrderLine,
    OrderPlaced,
    OrderSplit,
    PartCompleted,
    PartHandedOver,
    PartPacked,
    PartReceived,
    State,
    Units,
    UnitsCancelled,
    UnitsRefunded,
)
from domain.orders import Order
from domain.parts import PROGRESS
from domain.paying import capture, fail_payment, settle_refund
from domain.payment_facts import (
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
    PaymentCaptured,
    PaymentFailed,
)
from domain.point_facts import Counted, LotShare
from domain.refunding import cancel_units, refund_units
from domain.refusals import InvalidRequest, NotPossible
from domain.splitting import Allocation, Plan, PlannedPart
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = HouseRules()
HOME = Destination(card="c1", province="浙江省")
MUG, BOOK, COURSE = 1, 2, 3


def placed(*, cash: bool = False, course: bool = False, **more: Any) -> OrderPlaced:
    """Three mugs in parts 1 and 2 (2 + 1), two books in part 2, perhaps a course in part 3."""
    lines = [
        OrderLine(
            line=MUG,
            sku="mug",
            name="杯",
            kind=Kind.PARCEL,
            quantity=3,
            unit_points=100,
            unit_cash_fen=50 if cash else 0,
            counts=True,
        ),
        OrderLine(line=BOOK, sku="book", name="书", kind=Kind.PARCEL, quantity=2, unit_points=70),
    ]
    parts = [
        PlannedPart(part=1, warehouse="a", units=(Allocation(line=MUG, quantity=2),)),
        PlannedPart(
            part=2,
            warehouse="b",
            units=(Allocation(line=MUG, quantity=1), Allocation(line=BOOK, quantity=2)),
        ),
    ]
    if course:
        lines.append(
            OrderLine(
                line=COURSE, sku="py", name="课", kind=Kind.COURSE, quantity=1, unit_points=60
            )
        )
        parts.append(
            PlannedPart(part=3, warehouse=None, units=(Allocation(line=COURSE, quantity=1),))
        )
    points = 500 if course else 440
    return OrderPlaced(
        **{
            "learner": "lin",
            "channel": Channel.APP,
            "lines": tuple(lines),
            "points": points,
            "cash_fen": 150 if cash else 0,
            "lots": (
                LotShare(lot="soon", points=200, nth=1, expires_at=NOON + 9 * DAY),
                LotShare(lot="never", points=points - 200, nth=0),
            ),
            "destination": HOME,
            "plan": Plan(parts=tuple(parts), chosen_for="fewest_parcels"),
            "pay_by": NOON + RULES.pay_within if cash else None,
            "promised_by": NOON + 5 * DAY,
            "policy": RULES.policy,
            **more,
        }
    )


def order(*facts: Fact) -> Order:
    return given(ORDER, *facts)


def packed(part: int) -> PartPacked:
    return PartPacked(part=part, parcel=f"P{part}")


def shipped(part: int) -> tuple[Fact, Fact]:
    return packed(part), PartHandedOver(part=part, parcel=f"P{part}")


def received(part: int, *, after: float = 0) -> PartReceived:
    at = NOON + after * DAY
    return PartReceived(part=part, received_at=at, window_until=at + RULES.service_window)


def units(*rows: tuple[int, int, int]) -> tuple[Units, ...]:
    """(part, line, quantity) each."""
    return tuple(Units(part=part, line=line, quantity=n) for part, line, n in rows)


def cancel(before: Order, wanted: Sequence[tuple[str, int]] | None = None) -> list[OrderFact]:
    chosen = before.cancellable(wanted)
    return cancel_units(before, chosen, reason="asked", refund="refund-1", when=NOON, rules=RULES)


def refund(
    before: Order,
    wanted: Sequence[tuple[str, int]] | None = None,
    *,
    fault: Fault = Fault.DAMAGED,
    name: str = "refund-1",
) -> list[OrderFact]:
    return refund_units(
        before,
        before.refundable(wanted),
        fault=fault,
        reason="broken",
        goods_back=True,
        refund=name,
        when=NOON,
        rules=RULES,
    )


PAID = PaymentCaptured(attempt="A1", means="sandbox", amount_fen=150, paid_at=NOON)


# --- states ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "state", "partly"),
    [
        ((placed(cash=True),), State.PENDING_PAYMENT, False),
        ((placed(cash=True), PAID), State.PENDING_SHIPMENT, False),
        ((placed(),), State.PENDING_SHIPMENT, False),
        ((placed(), packed(1), packed(2)), State.PENDING_SHIPMENT, False),
        ((placed(), *shipped(1)), State.PENDING_SHIPMENT, True),
        ((placed(), *shipped(1), received(1)), State.PENDING_SHIPMENT, True),
        ((placed(), *shipped(1), *shipped(2)), State.PENDING_RECEIPT, False),
        ((placed(), *shipped(1), *shipped(2), received(2)), State.PENDING_RECEIPT, False),
        ((placed(), *shipped(1), *shipped(2), received(1), received(2)), State.PENDING_END, False),
    ],
)
def test_the_order_is_as_far_as_its_least_advanced_live_part(
    facts: Sequence[Fact], state: State, partly: bool
) -> None:
    """O3: pending receipt begins at hand-over, never at packing (rules.md 2)."""
    assert (order(*facts).state, order(*facts).partly_shipped) == (state, partly)


def test_a_part_that_is_gone_does_not_hold_the_order_back() -> None:
    """O3: cancelled parts are not live (rules.md 2, 3)."""
    gone = UnitsCancelled(
        units=units((2, MUG, 1), (2, BOOK, 2)), points=240, cash_fen=0, lots=(), reason="asked"
    )
    after = order(placed(), *shipped(1), gone)
    assert (after.state, after.partly_shipped) == (State.PENDING_RECEIPT, False)


def test_a_part_is_received_when_nobody_told_of_its_hand_over() -> None:
    """O3: a scan may come before the click; what was received was shipped (rules.md 3)."""
    (first,) = order(placed(), packed(1)).receive(1, when=NOON, rules=RULES)
    assert first == received(1)
    before = order(placed(), packed(1), first, packed(2), received(2))
    assert before.part(1) is not None
    assert [type(one) for one in refund(before)] == [UnitsRefunded, OrderClosed]
    assert before.hand_over(1) == []


def test_no_part_steps_back_when_facts_come_late() -> None:
    """O3: no step back but completed to closed (rules.md 3)."""
    done = order(placed(), *shipped(1), received(1), PartCompleted(part=1))
    assert done.receive(1, when=NOON, rules=RULES) == []
    assert done.hand_over(1) == []
    with pytest.raises(NotPossible):
        done.pack(1, parcel="P9")
    assert done.receive(9, when=NOON, rules=RULES) == []


COMMANDS = ("pack", "hand_over", "receive", "grant", "complete", "refund", "cancel")


def commanded(now: Order, command: str, part: int) -> list[OrderFact]:
    """What the order answers to a command on one of its parts."""
    match command:
        case "pack":
            return now.pack(part, parcel="P")
        case "hand_over":
            return now.hand_over(part)
        case "receive":
            return now.receive(part, when=NOON, rules=RULES)
        case "grant":
            return grant_courses(now, when=NOON, rules=RULES)
        case "complete":
            return now.complete(when=NOON + 8 * DAY, rules=RULES)
        case "refund":
            return refund(now, [(("mug", "book", "py")[part - 1], 1)])
        case _:
            return cancel(now, [(("mug", "book", "py")[part - 1], 1)])


@forall(st.lists(st.tuples(st.sampled_from(COMMANDS), st.integers(1, 3)), max_size=30))
def test_states_only_go_forward_when_commands_come_in_any_order(
    steps: list[tuple[str, int]],
) -> None:
    """O3: forward, to an end, or from completed to closed (rules.md 3)."""
    now = order(placed(course=True))
    for command, part in steps:
        try:
            facts = commanded(now, command, part)
        except NotPossible:
            continue
        for fact in facts:
            before, now = now, ORDER.evolve(now, fact)
            for was, is_now in zip(before.parts, now.parts, strict=True):
                if is_now.live:
                    assert PROGRESS.index(was.state) <= PROGRESS.index(is_now.state)
            legal = (State.COMPLETED, State.CLOSED)
            assert before.ended in (None, now.ended) or (before.ended, now.ended) == legal
        if now.state in (State.COMPLETED, State.CANCELLED, State.CLOSED):
            assert now.ended is now.state


# --- courses ---------------------------------------------------------------------------------


def test_courses_are_granted_when_the_order_is_paid() -> None:
    """G5: the service window runs at once; they are never pending receipt (rules.md 7)."""
    assert grant_courses(order(placed(course=True)), when=NOON, rules=RULES) == [
        EntitlementGranted(part=3, line=COURSE, sku="py", quantity=1),
        received(3),
    ]
    granted = order(placed(course=True), received(3))
    assert grant_courses(granted, when=NOON, rules=RULES) == []
    unpaid = order(placed(cash=True, course=True))
    assert grant_courses(unpaid, when=NOON, rules=RULES) == []


def test_a_course_is_kept_when_its_window_is_over() -> None:
    """O3: rules.md 7, refundable only within its service window; goods still are, by a decision."""
    over = order(placed(course=True), received(3), PartCompleted(part=3))
    with pytest.raises(NotPossible):
        over.refundable([("py", 1)])


def test_a_course_is_revoked_when_it_is_refunded() -> None:
    """G5: nobody keeps both course and points (rules.md 7)."""
    granted = order(placed(course=True), received(3))
    assert [type(one) for one in refund(granted)] == [EntitlementRevoked, UnitsRefunded]


# --- payment ---------------------------------------------------------------------------------


def pay(before: Order, attempt: str = "A1", *, fen: int = 150) -> list[OrderFact]:
    return capture(
        before,
        attempt=attempt,
        means="sandbox",
        amount_fen=fen,
        paid_at=NOON,
        refund=f"late-{attempt}",
    )


def going_back(attempt: str, fen: int, why: str) -> CashRefundRequested:
    return CashRefundRequested(
        refund=f"late-{attempt}", attempt=attempt, amount_fen=fen, reason=why
    )


def test_one_attempt_is_captured_and_every_other_one_goes_back() -> None:
    """O5: several attempts, one capture; double, wrong and late ones are refunded (rules.md 8)."""
    unpaid = order(placed(cash=True))
    assert pay(unpaid) == [PAID]
    assert pay(unpaid, fen=149) == [going_back("A1", 149, "150 fen are due, 149 came")]
    paid = order(placed(cash=True), PAID)
    assert pay(paid) == []
    assert pay(paid, "A2") == [going_back("A2", 150, "the order was paid already")]
    cancelled = order(placed(cash=True), *cancel(unpaid))
    (late,) = pay(cancelled, "A3")
    assert late == going_back("A3", 150, "the order was ended")
    assert pay(ORDER.evolve(cancelled, late), "A3") == []


def test_an_attempt_is_captured_when_it_failed_before() -> None:
    """O5: a provider may try again under the same number; the money is never overlooked."""
    unpaid = order(placed(cash=True))
    failed = fail_payment(unpaid, attempt="A1", cause="balance")
    assert failed == [PaymentFailed(attempt="A1", cause="balance")]
    again = order(placed(cash=True), *failed)
    assert fail_payment(again, attempt="A1", cause="balance") == []
    assert pay(again) == [PAID]
    assert fail_payment(order(placed(cash=True), PAID), attempt="A1", cause="late news") == []


def test_a_refund_of_cash_is_visible_until_it_is_confirmed() -> None:
    """O5: requested, failed or confirmed; a later answer counts, the same one does not twice."""
    asked = order(placed(cash=True), PAID, going_back("A2", 150, "twice"))
    assert asked.refunds == (("late-A2", "requested"),)
    (failed,) = settle_refund(asked, "late-A2", cause="account closed")
    assert failed == CashRefundFailed(refund="late-A2", cause="account closed")
    after = ORDER.evolve(asked, failed)
    assert settle_refund(after, "late-A2", cause="account closed") == []
    (confirmed,) = settle_refund(after, "late-A2", cause=None)
    assert confirmed == CashRefundConfirmed(refund="late-A2")
    assert settle_refund(ORDER.evolve(after, confirmed), "late-A2", cause="x") == []
    with pytest.raises(NotPossible) as refused:
        settle_refund(asked, "nope", cause=None)
    assert refused.value.figures["why"] == "no refund nope was requested"


# --- cancelling ------------------------------------------------------------------------------


def test_the_order_is_cancelled_when_all_of_it_is_before_shipping() -> None:
    """O8: points by lot, all of them, and the day it leaves its customer's sight."""
    assert cancel(order(placed())) == [
        UnitsCancelled(
            units=units((1, MUG, 2), (2, MUG, 1), (2, BOOK, 2)),
            points=440,
            cash_fen=0,
            lots=(
                LotShare(lot="never", points=240, nth=0),
                LotShare(lot="soon", points=200, nth=1, expires_at=NOON + 9 * DAY),
            ),
            reason="asked",
        ),
        OrderCancelled(reason="asked", visible_until=NOON + RULES.kept_visible),
    ]


def test_only_what_was_not_handed_over_is_cancelled() -> None:
    """O8: the rest goes its way, and the order with it (rules.md 3, 5)."""
    before = order(placed(), *shipped(1))
    facts = cancel(before)
    assert [type(one) for one in facts] == [UnitsCancelled]
    assert isinstance(facts[0], UnitsCancelled)
    assert (facts[0].units, facts[0].points) == (units((2, MUG, 1), (2, BOOK, 2)), 240)
    assert order(placed(), *shipped(1), *facts).state is State.PENDING_RECEIPT
    with pytest.raises(NotPossible) as refused:
        before.cancellable([("mug", 2)])
    named = before.line(MUG).name
    assert refused.value.figures == {
        "action": "cancel",
        "why": f"{named}: handed over already, but for 1",
    }
    assert refused.value.message("zh").endswith(f"{named}：除 1 件外均已交运")


def test_a_course_that_was_opened_is_not_cancelled() -> None:
    """O8, rule 7: it is refunded, while there is time; the goods beside it are cancelled."""
    opened = order(placed(course=True), received(3))
    with pytest.raises(NotPossible, match=r"课: opened already$") as refused:
        opened.cancellable([("py", 1)])
    assert refused.value.message("zh").endswith("课：课程已开通")
    assert {one.part for one in opened.cancellable(None)} == {1, 2}


def test_nothing_is_cancellable_when_everything_was_handed_over() -> None:
    """O8: then it is a return (D3)."""
    gone = order(placed(), *shipped(1), *shipped(2))
    with pytest.raises(NotPossible, match=r"handed over already$") as refused:
        gone.cancellable([("mug", 1)])
    assert refused.value.message("zh").endswith("：已交运")
    for wanted in (None, [("mug", 1)]):
        with pytest.raises(NotPossible):
            gone.cancellable(wanted)


@pytest.mark.parametrize(
    "wanted",
    [[], [("mug", 0)], [("mug", -1)], [("mug", 1), ("mug", -1)]],
    ids=["none", "zero", "negative", "both"],
)
def test_a_request_is_unusable_when_it_names_no_units(wanted: list[tuple[str, int]]) -> None:
    """D4: and a negative quantity gives nothing to anybody."""
    with pytest.raises(InvalidRequest):
        order(placed()).cancellable(wanted)


def test_units_are_not_given_back_twice_when_an_item_is_named_twice() -> None:
    """D4: twice the same line is the sum of both."""
    before = order(placed())
    assert before.cancellable([("mug", 1), ("mug", 1)]) == units((1, MUG, 2))
    with pytest.raises(NotPossible) as refused:
        before.cancellable([("mug", 2), ("book", 1), ("mug", 2)])
    assert refused.value.figures["why"] == "mug: 3 of 4 units are open to it"


def test_an_unpaid_order_is_cancelled_as_a_whole() -> None:
    """L3: its points are held as one; no cash goes back, none came."""
    unpaid = order(placed(cash=True))
    with pytest.raises(NotPossible) as refused:
        cancel(unpaid, [("mug", 1)])
    assert refused.value.figures["why"] == "an unpaid order is cancelled as a whole"
    facts = cancel(unpaid)
    assert [type(one) for one in facts] == [UnitsCancelled, OrderCancelled]
    assert isinstance(facts[0], UnitsCancelled)
    assert facts[0].cash_fen == 0


def test_freight_goes_back_when_nothing_was_sent() -> None:
    """O8: with the last unit of goods, and only once (rules.md 8)."""
    start = (placed(cash=True, freight_fen=800), PAID)
    first = cancel(order(*start), [("mug", 3)])
    assert isinstance(first[1], CashRefundRequested)
    assert first[1].amount_fen == 150
    rest = cancel(order(*start, *first))
    assert isinstance(rest[1], CashRefundRequested)
    assert rest[1].amount_fen == 800
    assert order(*start, *first, *rest).cash_fen == 0


def test_freight_goes_back_when_only_courses_stay() -> None:
    """O8: a granted course is no reason to keep the freight of parcels never sent."""
    start = (placed(cash=True, course=True, freight_fen=800), PAID, received(3))
    facts = cancel(order(*start))
    assert isinstance(facts[1], CashRefundRequested)
    assert facts[1].amount_fen == 950
    assert order(*start, *facts).state is State.PENDING_END


def test_freight_stays_when_a_parcel_left() -> None:
    """O8: what was driven was driven (rules.md 8)."""
    start = (placed(cash=True, freight_fen=800), PAID, *shipped(1))
    facts = cancel(order(*start))
    assert isinstance(facts[1], CashRefundRequested)
    assert facts[1].amount_fen == 50
    changed = refund(order(*start, *facts), fault=Fault.CHANGED_MIND, name="refund-2")
    assert isinstance(changed[1], CashRefundRequested)
    assert changed[1].amount_fen == 100
    broken = refund(order(*start, *facts), fault=Fault.LOST, name="refund-2")
    assert isinstance(broken[1], CashRefundRequested)
    assert broken[1].amount_fen == 420  # two of five units bear 320 of the 800


def test_limits_are_freed_for_the_units_that_count() -> None:
    """O1: mugs have a limit here, books have none (rules.md 12)."""
    before = order(placed())
    assert before.counted(before.cancellable(None)) == (
        Counted(sku="mug", quantity=2),
        Counted(sku="mug", quantity=1),
    )


# --- refunds after shipping ------------------------------------------------------------------


SENT = (placed(cash=True), PAID, *shipped(1), *shipped(2), received(1), received(2))


def test_the_order_is_closed_when_the_last_shipped_unit_is_refunded() -> None:
    """O3: cancelled is for what never left, closed for what did (rules.md 3)."""
    facts = refund(order(*SENT))
    assert [type(one) for one in facts] == [UnitsRefunded, CashRefundRequested, OrderClosed]
    assert order(*SENT, *facts).state is State.CLOSED


def test_the_order_is_closed_when_one_part_was_refunded_and_the_rest_cancelled() -> None:
    """O3: all gone and one was handed over (rules.md 3)."""
    start = (placed(), *shipped(1))
    facts = refund(order(*start))
    rest = cancel(order(*start, *facts))
    assert isinstance(rest[-1], OrderClosed)


def test_completed_is_closed_when_everything_comes_back_later() -> None:
    """O3: completed to closed is legal, and counts the two years anew (rules.md 3)."""
    done = (*SENT, PartCompleted(part=1), PartCompleted(part=2))
    ended = OrderCompleted(visible_until=NOON + 1 * DAY)
    some = refund(order(*done, ended), [("mug", 1)])
    assert order(*done, ended, *some).state is State.COMPLETED
    rest = refund(order(*done, ended, *some), name="refund-2")
    after = order(*done, ended, *some, *rest)
    assert (after.state, after.visible_until) == (State.CLOSED, NOON + RULES.kept_visible)


@pytest.mark.parametrize(
    "ended",
    [
        OrderClosed(reason="x", visible_until=NOON),
        OrderCancelled(reason="x", visible_until=NOON),
        OrderExpired(),
    ],
    ids=["closed", "cancelled", "expired"],
)
def test_nothing_goes_back_when_the_order_is_over(ended: Fact) -> None:
    """D4: neither by refund nor by cancelling."""
    for ask in (order(*SENT, ended).refundable, order(placed(), ended).cancellable):
        with pytest.raises(NotPossible):
            ask(None)


def test_the_order_is_completed_when_its_last_open_part_goes() -> None:
    """O3: what stays was completed before, so nothing else would end it (rules.md 2)."""
    start = (placed(), *shipped(1), received(1), PartCompleted(part=1))
    assert isinstance(cancel(order(*start))[-1], OrderCompleted)
    late = (*start, *shipped(2))
    facts = refund(order(*late), [("mug", 1), ("book", 2)])
    # the mug of part 1 comes first, so part 2 still has one
    assert isinstance(facts[-1], UnitsRefunded)
    rest = refund(order(*late, *facts), [("mug", 2)], name="refund-2")
    assert isinstance(rest[-1], OrderClosed)


WANTED = st.lists(
    st.tuples(st.sampled_from(["mug", "book"]), st.integers(1, 3), st.booleans()), max_size=8
)


@forall(WANTED)
def test_parts_add_up_when_they_are_given_back_in_any_order(
    steps: list[tuple[str, int, bool]],
) -> None:
    """D4: to the point and the fen, never more than was taken, by cancelling and refunding."""
    start = (placed(cash=True), PAID, *shipped(1))
    now = order(*start)
    points = fen = quantity = 0
    lots: list[LotShare] = []
    for sku, count, by_cancelling in [*steps, ("mug", 0, True), ("mug", 0, False)]:
        wanted = [(sku, count)] if count else None
        try:
            facts = cancel(now, wanted) if by_cancelling else refund(now, wanted)
        except NotPossible:
            continue
        for fact in facts:
            now = ORDER.evolve(now, fact)
            if isinstance(fact, UnitsCancelled | UnitsRefunded):
                points += fact.points
                fen += fact.cash_fen
                lots += fact.lots
                quantity += sum(unit.quantity for unit in fact.units)
        assert points + sum(share.points for share in now.lots) == 440
        assert fen + now.cash_fen == 150
        assert quantity + sum(u.quantity for part in now.parts for u in part.units) == 5
        assert sum(share.points for share in lots) == points
    assert (points, fen, quantity) == (440, 150, 5)
    assert now.state is State.CLOSED


# --- the rest of its life --------------------------------------------------------------------


def test_each_part_completes_when_its_own_window_is_over() -> None:
    """O4: the last one completes the order, at the instant (rules.md 2)."""
    start = (placed(), *shipped(1), *shipped(2), received(1), received(2, after=1))
    before = order(*start)
    assert before.complete(when=NOON + 7 * DAY - timedelta(microseconds=1), rules=RULES) == []
    first = before.complete(when=NOON + 7 * DAY, rules=RULES)
    assert first == [PartCompleted(part=1)]
    rest = order(*start, *first).complete(when=NOON + 8 * DAY, rules=RULES)
    done = OrderCompleted(visible_until=NOON + 8 * DAY + RULES.kept_visible)
    assert rest == [PartCompleted(part=2), done]
    assert before.complete(when=NOON + 8 * DAY, rules=RULES) == [*first, *rest]
    assert order(*start, *first, *rest).complete(when=NOON + 9 * DAY, rules=RULES) == []


def test_an_ended_order_leaves_its_customers_sight_when_two_years_are_over() -> None:
    """O3: not before, and not while it is open; the day is a fact, not today's setting."""
    (*_, ended) = cancel(order(placed()))
    assert isinstance(ended, OrderCancelled)
    before = order(placed(), *cancel(order(placed())))
    over = NOON + timedelta(days=730)
    assert before.expire(when=over - timedelta(microseconds=1)) == []
    assert before.expire(when=over) == [OrderExpired()]
    assert order(placed()).expire(when=over) == []
    gone = ORDER.evolve(before, OrderExpired())
    assert (gone.state, gone.expire(when=over)) == (State.EXPIRED, [])


def test_a_part_is_packed_and_handed_over_once() -> None:
    """W1: and only parcels, and only of paid orders (rules.md 2)."""
    assert order(placed()).pack(1, parcel="P1") == [packed(1)]
    assert order(placed(), packed(1)).hand_over(1) == [PartHandedOver(part=1, parcel="P1")]
    for before, part, why in (
        (order(placed(), packed(1)), 1, "part 1 is in parcel P1"),
        (order(placed(cash=True)), 1, "the order is pending_payment"),
        (order(placed(course=True)), 3, "the order has no parcel part 3"),
        (order(placed()), 9, "the order has no parcel part 9"),
        (order(placed(), *shipped(1)), 1, "part 1 is pending_receipt"),
    ):
        with pytest.raises(NotPossible) as refused:
            before.pack(part, parcel="P2")
        assert refused.value.figures == {"action": "pack", "why": why}
    with pytest.raises(NotPossible) as refused:
        order(placed()).hand_over(1)
    assert refused.value.figures == {"action": "hand_over", "why": "part 1 is not packed"}


def test_the_address_changes_when_something_is_still_here() -> None:
    """O8: else it would be a redirect by the carrier."""
    away = Destination(card="c2", province="浙江省")
    assert order(placed(), *shipped(1)).change_address(away) == [AddressChanged(destination=away)]
    assert order(placed(), AddressChanged(destination=away)).destination == away
    for facts in ((*shipped(1), *shipped(2)), tuple(cancel(order(placed())))):
        with pytest.raises(NotPossible):
            order(placed(), *facts).change_address(away)


def test_what_was_shipped_stays_when_the_rest_is_planned_anew() -> None:
    """S1: only parts not shipped yet are replaced (rules.md 1)."""
    plan = Plan(
        parts=(
            PlannedPart(
                part=4,
                warehouse="c",
                units=(Allocation(line=MUG, quantity=1), Allocation(line=BOOK, quantity=2)),
            ),
        ),
        chosen_for="short pick",
    )
    after = order(placed(), *shipped(1), OrderSplit(plan=plan, reason="short pick"))
    assert [(part.number, part.state) for part in after.parts] == [
        (1, State.PENDING_RECEIPT),
        (4, State.PENDING_SHIPMENT),
    ]
    assert sum(unit.quantity for part in after.parts for unit in part.units) == 5
