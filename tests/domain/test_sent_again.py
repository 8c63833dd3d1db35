"""Refused goods of a return that go to their learner again, and come back (D3, D4, C3)."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import (
    disputing,
    intercepting,
    labelling,
    ordering,
    sent_again,
    shipping,
    taking_back,
)
from application.streams import INTERCEPT, ORDER, PARCEL
from domain.dispute_facts import Outcome
from domain.disputes import case_id
from domain.intercept_facts import GoodsTakenBack, InterceptAsked, InterceptDone, Way
from domain.intercepts import InterceptState
from domain.order_facts import Fault, State, UnitsRefunded
from domain.refusals import InvalidRequest, NotPossible
from domain.return_facts import Criterion, Verdict
from domain.stock import Stock
from domain.tracking import ParcelState
from tests.domain.test_joining import RULES
from tests.domain.test_returns import BACK, Counter, came_back, mugs

AGAIN = f"{BACK}-S"


class Refused(Counter):
    """Three mugs, one of them returned and refused: it is on its way to its learner again."""

    def __init__(self, *, left: bool = True, refused_units: int = 1) -> None:
        super().__init__(units=3)
        came_back(self, reason=Fault.CHANGED_MIND, lines=(("mug", refused_units),))
        self.inspect(mugs(refused_units, Verdict.REFUSE, Criterion.UNUSED))
        if not left:
            return
        label = partial(shipping.issue_waybill, carrier="yuantong", waybill="YT9")
        self.do(partial(label, parcel=AGAIN))
        self.do(partial(shipping.hand_over, parcel=AGAIN, rules=RULES))

    def here(self, **more: Any) -> dict[str, Any]:
        """Somebody has the parcel in hand."""
        told: dict[str, Any] = {"parcel": AGAIN, "reason": "x", "rules": RULES, "in_hand": True}
        return self.do(partial(taking_back.take_back, **{"intact": True, **told, **more}))

    def goods(self) -> int:
        """Units of the order that are still to be had."""
        return self.log.state(ORDER, "N1").live_units(1)

    def refund(self, quantity: int) -> None:
        wanted: dict[str, Any] = {"wanted": [("mug", quantity)], "fault": Fault.LOST}
        refund = partial(ordering.refund_order, number="N1", goods_back=False, **wanted)
        self.do(partial(refund, reason="x", rules=RULES))


def test_refused_goods_that_come_back_lie_here_and_pay_nothing() -> None:
    """D3, D4, C3: neither they, nor the two that their learner kept; told again it is refused."""
    desk = Refused()
    told = desk.here()
    assert (told["state"], told["points"]) == ("lies_here", 0)
    assert (desk.available(), desk.refunded(), desk.goods()) == (desk.before, [], 3)
    assert desk.state("N1") is State.PENDING_END
    assert desk.stock("a", "mug") == Stock(free=2, picked=3)
    taken = desk.log.facts(INTERCEPT, AGAIN)[-1]
    assert taken == GoodsTakenBack(intercept=f"{AGAIN}-X1", intact=True, undecided=True)
    again = desk.unchanged(NotPossible, desk.here)
    assert again.message("zh") == "无法登记退回：商品已在仓库，等待处理决定"


def test_they_alone_are_paid_back_when_somebody_decides_it() -> None:
    """D3, D4, rules.md 3: one of three, on its shelf, once; broken it is thrown away."""
    for scrap, free in (((), 3), ((("mug", 1),), 2)):
        desk = Refused()
        desk.here()
        told = desk.here(refund=True, intact=not scrap, scrap=scrap)
        assert (told["state"], told["points"]) == ("came_back", 10)
        assert (desk.available(), desk.goods()) == (desk.before + 10, 2)
        assert desk.stock("a", "mug") == Stock(free=free, picked=2)
        desk.unchanged(NotPossible, partial(desk.here, refund=True))


def test_they_are_only_shelved_when_all_of_it_was_paid_back_before() -> None:
    """D4, C3: one came, so one is on its shelf; two are still out."""
    desk = Refused()
    desk.refund(3)
    told = desk.here()
    assert (told["state"], told["points"]) == ("came_back", 0)
    assert desk.available() == desk.before + 30
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)


def test_another_unit_that_was_paid_back_is_not_taken_for_them() -> None:
    """D4, C3: a kept mug was refunded: what came is its learner's still, and shelved once."""
    desk = Refused()
    desk.refund(1)
    assert desk.here()["state"] == "lies_here"
    assert desk.here(refund=True)["points"] == 10
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)
    assert [one.quantity for one in desk.log.state(ORDER, "N1").out] == [1]


def test_they_are_called_back_from_nowhere_only_when_nothing_of_them_is_due() -> None:
    """O8, D3: turned round by itself, it is waited for, not asked for; a refund of all asks."""
    wish: dict[str, Any] = {"parcel": AGAIN, "orders": ["N1"], "reason": "x", "rules": RULES}
    desk = Refused()
    desk.scans(AGAIN, "快件已退回")
    desk.unchanged(NotPossible, partial(desk.do, partial(intercepting.intercept_parcel, **wish)))
    desk.refund(3)
    told = desk.do(partial(intercepting.intercept_parcel, **wish))
    assert told["state"] is InterceptState.ASKED


def test_a_refund_is_decided_of_refused_goods_alone() -> None:
    """rules.md 3: any other parcel pays back what is due, without being told to."""
    desk = Counter()
    told: dict[str, Any] = {"parcel": "N1-P1", "intact": True, "reason": "x", "refund": True}
    back = partial(taking_back.take_back, **told, in_hand=True, rules=RULES)
    refused = desk.unchanged(InvalidRequest, partial(desk.do, back))
    assert refused.message("zh") != refused.message("en")


def test_the_whole_part_is_paid_back_when_nobody_looks_at_the_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: a parcel of which only the part is known gives three back where one came."""
    desk = Refused()
    monkeypatch.setattr(taking_back, "goods_sent_again", lambda *_: None)
    monkeypatch.setattr(sent_again, "goods_sent_again", lambda *_: None)
    assert desk.here()["points"] == 30
    (gone,) = desk.refunded()
    assert isinstance(gone, UnitsRefunded)
    assert desk.stock("a", "mug") == Stock(free=5)


# --- on their way out, and disputed ----------------------------------------------------------


def test_they_are_to_leave_in_the_warehouses_time_and_get_a_label() -> None:
    """D3, W1, W5: late after that; the one mug alone is in it."""
    desk = Refused(left=False)
    box = desk.log.state(PARCEL, AGAIN)
    assert box.hand_over_by == desk.now + timedelta(hours=24)
    assert [one.quantity for one in box.goods] == [1]
    labels = replace(RULES, order_labels=True)
    ask = partial(labelling.order_label, parcel=AGAIN, rules=labels, carrier="yuantong")
    assert desk.do(ask)["state"] == "wanted"
    assert desk.log.state(PARCEL, AGAIN).labels.live is not None


@pytest.mark.parametrize(("outcome", "back"), [(Outcome.REFUND, 10), (Outcome.RESHIP, 0)])
def test_a_case_about_them_decides_of_them_alone(outcome: Outcome, back: int) -> None:
    """D1, D3, D4: one mug of three; what comes back after that is only shelved, once."""
    desk = Refused()
    opened = desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)
    assert opened["case"] == case_id("N1", AGAIN)
    too_many = {"lines": (("mug", 2),), "unconfirmed_because": "they say so"}
    decide = partial(desk.decide, outcome, case=opened["case"])
    desk.unchanged(NotPossible, partial(decide, **too_many))
    decide(unconfirmed_because="they say so")
    assert (desk.available(), desk.goods()) == (desk.before + back, 3 - back // 10)
    told = desk.here()
    assert (told["state"], told["points"]) == ("came_back", 0)
    stock = desk.stock("a", "mug")
    assert (stock.free + stock.reserved, stock.picked) == (3, 2)


def test_its_case_gives_the_whole_part_when_nobody_looks_at_the_return(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: three mugs paid back where one was lost."""
    desk = Refused()
    case = desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)["case"]
    monkeypatch.setattr(disputing, "parcels_sent_again", lambda *_: ())
    desk.decide(Outcome.REFUND, case=case, unconfirmed_because="they say so")
    assert desk.available() == desk.before + 30


def test_nothing_is_disputed_that_did_not_leave_again() -> None:
    """D1: as of any parcel."""
    desk = Refused(left=False)
    desk.unchanged(NotPossible, partial(desk.open, Fault.NOT_RECEIVED, parcel=AGAIN))


def redirect(desk: Refused | Counter, parcel: str, card: str, *, done: bool = True) -> None:
    """Its learner wants it taken elsewhere, and its carrier does so, or brings it back."""
    place = desk.log.state(ORDER, "N1").destination
    assert place is not None
    nth = desk.log.state(INTERCEPT, parcel).asked + 1
    name = f"{parcel}-X{nth}"
    asked = InterceptAsked(
        intercept=name, orders=("N1",), carrier="yuantong", waybill="YT1", way=Way.REDIRECT,
        destination=place.model_copy(update={"card": card, "province": "江苏省"}), reason="moved",
        answer_by=desk.now + timedelta(hours=4),
    )  # fmt: skip
    desk.log.seed(INTERCEPT, parcel, asked, now=desk.now)
    state = ParcelState.FORWARDED if done else ParcelState.RETURNING
    desk.log.seed(INTERCEPT, parcel, InterceptDone(intercept=name, state=state), now=desk.now)


@pytest.mark.parametrize("done", [True, False])
def test_they_go_where_their_parcel_went_and_not_where_it_was_to_go(done: bool) -> None:
    """O8, D3: the place that its learner asked for last; CONTROL: the order's, if it went there."""
    counter = Counter(units=3)
    redirect(counter, "N1-P1", "e" * 32, done=done)
    came_back(counter, reason=Fault.CHANGED_MIND, lines=(("mug", 1),))
    counter.inspect(mugs(1, Verdict.REFUSE, Criterion.UNUSED))
    label = partial(shipping.issue_waybill, carrier="yuantong", waybill="YT9")
    counter.do(partial(label, parcel=AGAIN))
    counter.do(partial(shipping.hand_over, parcel=AGAIN, rules=RULES))
    box, order = counter.log.state(PARCEL, AGAIN), counter.log.state(ORDER, "N1")
    assert order.destination is not None
    assert box.recipient == ("e" * 32 if done else order.destination.card)
    assert box.lane is not None
    assert (box.lane.province == "江苏省") is done


def test_they_go_where_they_were_sent_on_to_once_more() -> None:
    """O8, D3: the parcel that they left in was redirected itself, came back, and leaves again."""
    desk = Refused()
    redirect(desk, AGAIN, "e" * 32)
    desk.here(send_again=True)
    box = desk.log.state(PARCEL, f"{AGAIN}2")
    assert box.to is not None
    assert box.to.card == "e" * 32
    desk.do(partial(shipping.issue_waybill, parcel=f"{AGAIN}2", carrier="yuantong", waybill="YT8"))
    desk.do(partial(shipping.hand_over, parcel=f"{AGAIN}2", rules=RULES))
    desk.here(parcel=f"{AGAIN}2", send_again=True)
    third = desk.log.state(PARCEL, f"{AGAIN}3")
    assert third.to == box.to
