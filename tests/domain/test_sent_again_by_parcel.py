"""Refused goods that were sent again: everything about them goes by their own parcel (D3, D4)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import (
    claiming,
    deciding,
    declaring,
    disputing,
    refunding,
    sent_again,
    shipping,
)
from application.gathering import Gathered
from application.sent_again import is_sent_again, next_parcel, return_of
from application.streams import DISPUTE, INTERCEPT, ORDER, PARCEL
from domain.declarations import NotCleared
from domain.dispute_facts import ClaimWindowMoved, Outcome, Side
from domain.intercept_facts import InterceptAsked
from domain.order_facts import Fault, ReplacementReserved, Units
from domain.refusals import InvalidRequest, NotPossible
from domain.stock import Stock
from tests.domain.test_compliance import MUG, TOKYO, placed
from tests.domain.test_declarations import told
from tests.domain.test_joining import RULES
from tests.domain.test_returns import BACK
from tests.domain.test_sent_again import AGAIN, Refused

NEXT = f"{BACK}-S2"
ON_WORD = {"unconfirmed_because": "they say so"}


def leave(desk: Refused, parcel: str, waybill: str = "YT10") -> None:
    """It gets a label, and its carrier has it."""
    label = partial(shipping.issue_waybill, carrier="yuantong", waybill=waybill)
    desk.do(partial(label, parcel=parcel))
    desk.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))


def refund(desk: Refused, quantity: int) -> dict[str, Any]:
    """Staff refund mugs at the order, wherever they are."""
    return desk.do(
        partial(
            refunding.refund_at_order,
            number="N1",
            wanted=[("mug", quantity)],
            fault=Fault.LOST,
            reason="x",
            goods_back=False,
            rules=RULES,
        )
    )


# --- sent again once more --------------------------------------------------------------------


def test_each_parcel_of_a_return_is_named_after_it_and_after_the_one_before() -> None:
    """D3: whichever way its goods travel, and however often."""
    assert [is_sent_again(one) for one in ("T1-P1", BACK, AGAIN, NEXT)] == [
        False, False, True, True,
    ]  # fmt: skip
    assert {return_of(one) for one in (BACK, AGAIN, NEXT, f"{BACK}-S10")} == {BACK}
    chain = [BACK]
    for _ in range(11):
        chain.append(next_parcel(chain[-1]))
    assert (chain[1], chain[2], chain[-1]) == (AGAIN, NEXT, f"{BACK}-S11")


@pytest.mark.parametrize("lay_here", [True, False])
def test_goods_that_came_back_once_more_leave_in_a_parcel_of_their_own(*, lay_here: bool) -> None:
    """D3, D4, C3: at once, or after they lay here; nothing is paid or shelved, and once."""
    desk = Refused()
    if lay_here:
        desk.here()
    told_ = desk.here(send_again=True)
    assert (told_["state"], told_["points"], told_["sent_again_in"]) == ("sent_again", 0, NEXT)
    box = desk.log.state(PARCEL, NEXT)
    assert [(one.part, one.quantity) for one in box.goods] == [(1, 1)]
    assert box.hand_over_by == desk.now + timedelta(hours=24)
    assert (desk.available(), desk.goods()) == (desk.before, 3)
    assert desk.stock("a", "mug") == Stock(free=2, picked=3)
    desk.unchanged(NotPossible, partial(desk.here, send_again=True))
    leave(desk, NEXT)
    back = desk.here(parcel=NEXT, refund=True)
    assert (back["state"], back["points"]) == ("came_back", 10)
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)
    desk.balanced()


def test_they_are_sent_as_often_as_they_come_back() -> None:
    """D3: each time in the next parcel; what is in the one before is nothing any more."""
    desk = Refused()
    desk.here(send_again=True)
    leave(desk, NEXT)
    assert desk.here(parcel=NEXT, send_again=True)["sent_again_in"] == f"{BACK}-S3"
    for gone in (AGAIN, NEXT):
        late = desk.unchanged(
            NotPossible, partial(desk.open, Fault.NOT_RECEIVED, parcel=gone)
        ).message("zh")
        assert "没有" in late


def test_only_what_is_to_be_had_of_them_leaves_again() -> None:
    """D4, C3: two of three refused, one paid back by its case: one leaves, one is on its shelf."""
    desk = Refused(left=False, refused_units=2)
    leave(desk, AGAIN, "YT9")
    case = desk.open(Fault.DAMAGED, parcel=AGAIN)["case"]
    desk.decide(Outcome.REFUND, case=case, lines=(("mug", 1),), **ON_WORD)
    told_ = desk.here(send_again=True)
    assert (told_["sent_again_in"], desk.available()) == (NEXT, desk.before + 10)
    assert [one.quantity for one in desk.log.state(PARCEL, NEXT).goods] == [1]
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)


def test_goods_that_a_case_decides_of_are_not_sent_again_beside_it() -> None:
    """D4: nobody gets both; nor is anything sent of which nothing is due, nor by another parcel."""
    desk = Refused()
    desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)
    both = desk.unchanged(NotPossible, partial(desk.here, send_again=True))
    assert "争议" in both.message("zh")
    desk = Refused()
    refund(desk, 3)
    none = desk.unchanged(NotPossible, partial(desk.here, send_again=True))
    assert none.message("zh") != none.message("en")
    desk = Refused()
    desk.unchanged(InvalidRequest, partial(desk.here, send_again=True, refund=True))
    whole = partial(desk.here, parcel="N1-P1", send_again=True)
    desk.unchanged(InvalidRequest, whole)


# --- decided of by their own parcel ----------------------------------------------------------


def test_goods_that_came_back_for_good_are_in_no_case_any_more() -> None:
    """D4: one of three came back and was paid: a case about its parcel gives no other one."""
    desk = Refused()
    case = desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)["case"]
    desk.here()
    desk.here(refund=True)
    desk.unchanged(NotPossible, partial(desk.decide, Outcome.REFUND, case=case, **ON_WORD))
    assert desk.available() == desk.before + 10


def test_a_case_is_looked_at_again_only_while_goods_of_its_parcel_are_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D1, D4: two mugs that their learner kept are no reason to; CONTROL: by the part they are."""
    desk = Refused()
    case = desk.open(Fault.DAMAGED, parcel=AGAIN)["case"]
    desk.decide(Outcome.REFUND, case=case, **ON_WORD)
    again = partial(disputing.reopen, case=case, by=Side.STAFF, words=None, rules=RULES)
    reopen = partial(desk.do, partial(again, gathered=Gathered()))
    desk.unchanged(NotPossible, reopen)
    monkeypatch.setattr(sent_again, "goods_sent_again", lambda *_: None)
    assert reopen()["state"] == "open"


def test_what_any_round_of_a_case_gave_is_not_given_once_more() -> None:
    """D4: refunded in the first round, found in the second: the third has one left of two."""
    desk = Refused(left=False, refused_units=2)
    leave(desk, AGAIN, "YT9")
    case = desk.open(Fault.DAMAGED, parcel=AGAIN)["case"]
    again = partial(disputing.reopen, case=case, by=Side.STAFF, words=None, rules=RULES)
    reopen = partial(again, gathered=Gathered())
    desk.decide(Outcome.REFUND, case=case, lines=(("mug", 1),), **ON_WORD)
    desk.do(reopen)
    desk.decide(Outcome.REJECTED, case=case)
    desk.do(reopen)
    two = partial(desk.decide, Outcome.REFUND, case=case, lines=(("mug", 2),), **ON_WORD)
    desk.unchanged(NotPossible, two)
    desk.decide(Outcome.REFUND, case=case, **ON_WORD)
    assert desk.available() == desk.before + 20
    assert desk.goods() == 1


def test_the_case_of_the_first_parcel_does_not_give_what_was_sent_again() -> None:
    """D4: two are still of it; the third one is on its way to its learner."""
    desk = Refused()
    case = desk.open(Fault.DAMAGED, parcel="N1-P1")["case"]
    three = partial(desk.decide, Outcome.REFUND, case=case, lines=(("mug", 3),), **ON_WORD)
    desk.unchanged(NotPossible, three)
    desk.decide(Outcome.REFUND, case=case, **ON_WORD)
    assert (desk.available(), desk.goods()) == (desk.before + 20, 1)


def test_the_right_ones_are_set_aside_for_what_is_in_the_parcel_alone() -> None:
    """rules.md 28, D3: wrong goods: one of three."""
    desk = Refused()
    desk.open(Fault.WRONG_GOODS, parcel=AGAIN)
    (kept,) = (one for one in desk.log.facts(ORDER, "N1") if isinstance(one, ReplacementReserved))
    assert [one.quantity for one in kept.units] == [1]
    assert desk.stock("a", "mug") == Stock(free=1, reserved=1, picked=3)


def test_a_decision_that_waited_is_not_carried_out_with_other_goods() -> None:
    """A8, D4: proposed of the one that was sent again, which came back and was paid meanwhile."""
    desk = Refused()
    case = desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)["case"]
    asked = desk.decide(Outcome.REFUND, case=case, points=6_000, **ON_WORD)
    desk.here()
    desk.here(refund=True)
    carry = partial(deciding.carry_out_allowed, case=case, approval=asked["approval"], rules=RULES)
    desk.unchanged(NotPossible, partial(desk.do, carry))
    assert desk.available() == desk.before + 10


# --- called back, and claimed for ------------------------------------------------------------


def test_it_is_called_back_when_what_is_in_it_was_paid_back_under_way() -> None:
    """O8, D2: all three refunded: it is on its way for nobody; CONTROL: one kept mug is not it."""
    desk = Refused()
    desk.scans(AGAIN, "快件已发往杭州")
    refund(desk, 1)
    assert desk.log.state(INTERCEPT, AGAIN).state is None
    answer = refund(desk, 2)
    (asked,) = (one for one in desk.log.facts(INTERCEPT, AGAIN) if isinstance(one, InterceptAsked))
    assert asked.orders == ("N1",)
    assert [one["parcel"] for one in answer["claims"]] == ["N1-P1", AGAIN]


def test_the_carriers_time_for_a_claim_follows_its_own_parcel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D2: its case was opened before it was signed; CONTROL: no part is in it by its number."""
    moved: list[int] = []
    for part_alone in (False, True):
        with monkeypatch.context() as patch:
            desk = Refused()
            case = desk.open(Fault.NOT_RECEIVED, parcel=AGAIN)["case"]
            if part_alone:
                patch.setattr(claiming, "is_sent_again", lambda _: False)
            desk.scans(AGAIN, "已签收,签收人:门卫")
            facts = desk.log.facts(DISPUTE, case)
            moved.append(sum(isinstance(one, ClaimWindowMoved) for one in facts))
    assert moved == [1, 0]


# --- abroad ----------------------------------------------------------------------------------


def test_what_goes_abroad_again_is_declared_and_waits_for_customs() -> None:
    """T7, D3: of an order from abroad: its own declaration, and weighed by whoever declares it."""
    mall = placed("JP", to=TOKYO, customs=MUG, weight_grams=300)
    goods = mall.do(partial(shipping.pack_part, order="N1", part=1, weight_grams=700))
    assert goods["parcel"] == "N1-P1"
    wanted = [Units(part=1, line=1, quantity=1)]
    again = partial(sent_again.pack_again, parcel=AGAIN, order="N1", warehouse="a", goods=wanted)
    mall.do(again)
    box = mall.log.state(PARCEL, AGAIN)
    (line,) = box.declaration.lines
    assert (box.country, line.sku, line.quantity) == ("JP", "mug", 1)
    assert box.declaration.missing == ("gross_weight_grams",)
    label = partial(shipping.issue_waybill, parcel=AGAIN, carrier="ems", waybill="EM101")
    mall.do(label)
    hand_over = partial(shipping.hand_over, parcel=AGAIN, rules=RULES)
    with pytest.raises(NotCleared):
        mall.do(hand_over)
    weighed = partial(declaring.complete, parcel=AGAIN, lines=[told("mug")])
    mall.do(partial(weighed, gross_weight_grams=400))
    mall.do(partial(declaring.submit, parcel=AGAIN, reference="CN-9"))
    mall.do(partial(declaring.clear, parcel=AGAIN, reference="R-9"))
    mall.do(hand_over)
    assert mall.log.state(PARCEL, AGAIN).handed_over
