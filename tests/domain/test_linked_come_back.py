"""Linked orders whose goods come back, or that staff cancel: originals pay back (D4, O8)."""

from functools import partial
from typing import Any

import pytest

from application import refund_chain, shipping, taking_back
from application.streams import ORDER
from domain.order_facts import State, Units, UnitsRefunded
from domain.refusals import NotPossible
from domain.stock import Stock
from tests.domain.test_joining import RULES, Mall
from tests.domain.test_reshipping import refund, reship, sent


def refunded(mall: Mall, number: str) -> list[tuple[int, bool]]:
    """(points, whether its own goods came back) of each refund at an order."""
    facts = mall.log.facts(ORDER, number)
    return [(one.points, one.goods_back) for one in facts if isinstance(one, UnitsRefunded)]


def handed_over(mall: Mall, number: str) -> str:
    parcel = mall.packed(number)
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    return parcel


def back(mall: Mall, parcel: str) -> int:
    told: dict[str, Any] = {"parcel": parcel, "intact": True, "reason": "x", "in_hand": True}
    points: int = mall.do(partial(taking_back.take_back, **told, rules=RULES))["points"]
    return points


def stop(mall: Mall, number: str, wanted: list[tuple[str, int]] | None = None) -> dict[str, Any]:
    """As staff cancel an order that replaces another's units."""
    stopping = partial(refund_chain.stop_order, number=number, reason="x", wanted=wanted)
    return mall.do(partial(stopping, rules=RULES))


def test_the_original_pays_back_when_the_linked_orders_parcel_comes_back() -> None:
    """D4: its points are the real ones, once; the goods that are here are the linked order's."""
    mall = sent()
    number = reship(mall)
    parcel = handed_over(mall, number)
    assert (back(mall, parcel), mall.available()) == (20, 100)
    assert (refunded(mall, number), refunded(mall, "N1")) == ([(0, True)], [(20, False)])
    assert (mall.state(number), mall.state("N1")) == (State.CLOSED, State.CLOSED)
    assert mall.stock("a", "mug") == Stock(free=3, picked=2)
    with pytest.raises(NotPossible):
        back(mall, parcel)
    with pytest.raises(NotPossible):
        refund(mall, "N1")


def test_only_what_was_sent_once_more_is_paid_back() -> None:
    """D4: the other one of two was received, and stays."""
    mall = sent()
    number = reship(mall, units=[Units(part=1, line=1, quantity=1)])
    assert back(mall, handed_over(mall, number)) == 10
    assert (mall.available(), mall.log.state(ORDER, "N1").live_units(1)) == (90, 1)


def test_the_first_original_pays_when_the_last_of_a_chain_comes_back() -> None:
    """D4: N1-R1-R1 replaces N1-R1, which cost nothing either."""
    mall = sent()
    number = reship(mall)
    handed_over(mall, number)
    mall.item("mug", "a", units=2)
    second = reship(mall, case="dispute:D-N1-R1-P1", number=number)
    assert (back(mall, handed_over(mall, second)), mall.available()) == (20, 100)
    assert [mall.state(one) for one in (second, number, "N1")] == [State.CLOSED] * 3


def test_the_first_parcel_is_only_shelved_when_it_comes_back_after_the_second() -> None:
    """D4, C3: both are here: every mug is on its shelf once, and paid back once."""
    mall = sent()
    number = reship(mall)
    parcel = handed_over(mall, number)
    assert [back(mall, one) for one in (parcel, "N1-P1")] == [20, 0]
    assert (mall.available(), mall.stock("a", "mug")) == (100, Stock(free=5))
    other = sent()
    second = handed_over(other, reship(other))
    assert [back(other, one) for one in ("N1-P1", second)] == [0, 20]
    assert (other.available(), other.stock("a", "mug")) == (100, Stock(free=5))


@pytest.mark.parametrize(("wanted", "points"), [(None, 20), ([("mug", 1)], 10)])
def test_the_original_pays_back_what_staff_cancel_of_a_linked_order(
    wanted: list[tuple[str, int]] | None, points: int
) -> None:
    """O8, D4: at once, all of it or some units; the rest is sent still."""
    mall = sent()
    number = reship(mall)
    assert stop(mall, number, wanted)["points"] == points
    assert (mall.available(), refunded(mall, "N1")) == (80 + points, [(points, False)])
    ends = (State.CANCELLED, State.CLOSED)
    assert (mall.state(number) in ends, mall.state("N1") in ends) == ((points == 20,) * 2)


def test_nobody_is_paid_back_when_the_originals_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: a chain of the linked order alone, as both were before."""
    mall = sent()
    number = reship(mall)
    monkeypatch.setattr(refund_chain, "originals", lambda *_: [])
    assert (back(mall, handed_over(mall, number)), mall.available()) == (0, 80)
    other = sent()
    assert (stop(other, reship(other))["points"], other.available()) == (0, 80)
