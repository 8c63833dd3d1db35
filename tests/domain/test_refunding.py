"""What goes back in partial refunds: freight at fault only, never more than was taken (D4)."""

from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import ORDER
from domain import refunding
from domain.order_facts import Fault, Units, UnitsCancelled, UnitsRefunded
from domain.orders import Order
from domain.refunding import cancel_units, freight_share, refund_units
from tests.domain.test_orders import NOON, PAID, RULES, order, placed, received, shipped

FREIGHT = st.integers(0, 1_000)
LEAVING = st.permutations(["mug", "mug", "mug", "book", "book"])
FAULTS = st.lists(st.sampled_from(Fault), min_size=5, max_size=5)


def delivered(freight_fen: int) -> Order:
    """Five units, all signed for; 150 fen and the freight were paid."""
    arrived = (*shipped(1), *shipped(2), received(1), received(2))
    return order(placed(cash=True, freight_fen=freight_fen), PAID, *arrived)


def refunded(state: Order, sku: str, fault: Fault) -> tuple[Order, UnitsRefunded]:
    """One unit more is refunded."""
    facts = refund_units(
        state,
        state.refundable([(sku, 1)]),
        fault=fault,
        reason="x",
        goods_back=True,
        refund="r",
        when=NOON,
        rules=RULES,
    )
    for fact in facts:
        state = ORDER.evolve(state, fact)
    return state, next(fact for fact in facts if isinstance(fact, UnitsRefunded))


@forall(freight_fen=FREIGHT, leaving=LEAVING, faults=FAULTS)
def test_no_more_goes_back_than_was_taken_when_units_leave_in_any_order(
    freight_fen: int, leaving: list[str], faults: list[Fault]
) -> None:
    """D4, S3: points, cash and freight; freight never for a change of mind (rules.md 8)."""
    state = delivered(freight_fen)
    taken, back, points = state.cash_fen, 0, 0
    for sku, fault in zip(leaving, faults, strict=True):
        state, fact = refunded(state, sku, fault)
        price = 50 if sku == "mug" else 0
        assert fact.cash_fen >= price
        if fault is Fault.CHANGED_MIND:
            assert fact.cash_fen == price
        back += fact.cash_fen
        points += fact.points
        assert state.cash_fen == taken - back >= 0
    assert points == 440
    assert back <= taken


@forall(freight_fen=FREIGHT, leaving=LEAVING)
def test_the_whole_freight_goes_back_when_every_unit_was_broken(
    freight_fen: int, leaving: list[str]
) -> None:
    """D4, S3: to the fen, in whatever order the units are refunded (rules.md 8, 18)."""
    state = delivered(freight_fen)
    for sku in leaving:
        state, _ = refunded(state, sku, Fault.DAMAGED)
    assert state.cash_fen == 0


@forall(freight_fen=FREIGHT, leaving=LEAVING, broken=st.integers(0, 4))
def test_freight_is_the_same_when_the_order_of_refunds_is_another(
    freight_fen: int, leaving: list[str], broken: int
) -> None:
    """D4, S3: one broken unit brings its share, first or last, give or take a fen of rounding."""
    faults = [Fault.DAMAGED if nth == broken else Fault.CHANGED_MIND for nth in range(5)]
    state = delivered(freight_fen)
    for sku, fault in zip(leaving, faults, strict=True):
        state, _ = refunded(state, sku, fault)
    share = freight_fen - state.cash_fen
    assert abs(share - freight_fen / 5) < 2


@forall(freight_fen=FREIGHT, leaving=LEAVING)
def test_the_whole_freight_goes_back_once_when_nothing_is_sent(
    freight_fen: int, leaving: list[str]
) -> None:
    """O8, D4: with the last unit cancelled before anything left, not before."""
    state = order(placed(cash=True, freight_fen=freight_fen), PAID)
    for nth, sku in enumerate(leaving, start=1):
        facts = cancel_units(
            state, state.cancellable([(sku, 1)]), reason="x", refund="r", when=NOON, rules=RULES
        )
        assert isinstance(facts[0], UnitsCancelled)
        assert facts[0].cash_fen == (50 if sku == "mug" else 0) + freight_fen * (nth == 5)
        for fact in facts:
            state = ORDER.evolve(state, fact)
    assert state.cash_fen == 0


def test_the_property_is_red_when_each_fault_returns_all_freight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: a share that forgets what went back before gives back more than was taken."""

    def careless(state: Order, units: Any) -> int:
        return state.freight_fen

    monkeypatch.setattr(refunding, "freight_share", careless)
    state = delivered(800)
    state, _ = refunded(state, "mug", Fault.LOST)
    state, _ = refunded(state, "mug", Fault.LOST)
    assert state.cash_fen < 0


def test_courses_bear_no_freight_when_an_order_has_both() -> None:
    """D4: freight is of parcels."""
    state = order(placed(cash=True, course=True, freight_fen=500), PAID, received(3))
    assert freight_share(state, [Units(part=3, line=3, quantity=1)]) == 0
