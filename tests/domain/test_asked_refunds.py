"""Refunds that one person may not give alone: asked for, allowed or denied by another (A8, D4)."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from application import settling
from application.approving import allow, deny
from application.refunding import refund_at_order
from application.streams import APPROVAL, CLAIM, ORDER, RETURN
from domain.approvals import Goods, Kind, SamePerson
from domain.claims import ClaimFiled
from domain.dispute_facts import Outcome
from domain.order_facts import Fault, RefundDeclined, Units, UnitsRefunded
from domain.proposed import under_decision
from domain.refusals import NotPossible
from domain.return_facts import Remedy, ReturnSettled
from domain.returns import ReturnState
from domain.single_handed import Before
from domain.stock import Stock
from projections.order_actions import Now, actions
from tests.domain.test_deciding import Desk, taken_in
from tests.domain.test_joining import RULES
from tests.domain.test_returns import BACK, Counter, decided

FEW = replace(RULES, four_eyes_points=20)
"""Two mugs take two people."""
MUGS = (Units(part=1, line=1, quantity=2),)


def ask(desk: Desk, *, fault: Fault = Fault.LOST, wanted: Any = None, **more: Any) -> Any:
    told = {"reason": "x", "goods_back": False, "rules": FEW, **more}
    return desk.do(partial(refund_at_order, number="N1", wanted=wanted, fault=fault, **told))


def given(desk: Desk, approval: str, *, checker: str = "li") -> Any:
    return desk.do(partial(allow, approval=approval, checker=checker, rules=FEW))


def denied(desk: Desk, approval: str) -> None:
    desk.do(partial(deny, approval=approval, checker="li", reason="no"))


def refunds(desk: Desk) -> list[UnitsRefunded]:
    return [one for one in desk.log.facts(ORDER, "N1") if isinstance(one, UnitsRefunded)]


def test_much_is_asked_for_with_its_figures_and_nothing_is_given_yet() -> None:
    """A8, rules.md 26: at an order; whoever is to allow it reads what it comes to."""
    desk = Desk()
    before = (desk.available(), desk.stock("a", "mug"), desk.state("N1"))
    told = ask(desk)
    assert told["status"] == "pending_approval"
    request = desk.log.state(APPROVAL, told["approval"]).request
    assert request is not None
    assert (request.kind, request.subject, request.points) == (Kind.REFUND, "N1", 20)
    assert request.goods == (Goods(sku="mug", name="mug", quantity=2),)
    assert (request.about, request.goods_back) == ("order:N1", False)
    assert (desk.available(), desk.stock("a", "mug"), desk.state("N1")) == before
    (proposed,) = desk.log.state(ORDER, "N1").proposed
    assert (proposed.units, proposed.approval) == (MUGS, told["approval"])


@pytest.mark.parametrize("goods_back", [False, True])
def test_it_happens_once_as_it_was_asked_for_when_somebody_else_allows_it(goods_back: bool) -> None:
    """A8, D2, D4: points, shelf and claim in the commit of the approval; not by its maker."""
    desk = Desk()
    fault = Fault.CHANGED_MIND if goods_back else Fault.LOST
    approval = ask(desk, goods_back=goods_back, fault=fault)["approval"]
    request = desk.log.state(APPROVAL, approval).request
    assert request is not None
    assert request.goods_back is goods_back
    maker = request.maker
    desk.unchanged(SamePerson, lambda: given(desk, approval, checker=maker))
    told = given(desk, approval)
    assert (told["status"], told["order"], told["points"]) == ("given", "N1", 20)
    (refunded,) = refunds(desk)
    assert (refunded.units, refunded.goods_back, refunded.fault) == (MUGS, goods_back, fault)
    assert desk.available() == 100
    assert desk.stock("a", "mug") == (Stock(free=5) if goods_back else Stock(free=3, picked=2))
    claims = [one for one in desk.log.facts(CLAIM, "N1-P1") if isinstance(one, ClaimFiled)]
    assert len(claims) == (0 if goods_back else 1)
    desk.unchanged(NotPossible, lambda: given(desk, approval))
    assert desk.log.state(ORDER, "N1").proposed == ()
    desk.balanced()


@pytest.mark.parametrize("goods_back", [False, True])
def test_less_is_given_by_one_person(goods_back: bool) -> None:
    """A8 CONTROL: a point under the limit, whether or not the goods are said to be back."""
    desk = Desk()
    rules = replace(RULES, four_eyes_points=21)
    assert ask(desk, goods_back=goods_back, rules=rules)["points"] == 20


def test_denied_it_leaves_everything_as_it_was() -> None:
    """A8, D4: and can be asked for anew, or refunded otherwise."""
    desk = Desk()
    before = (desk.available(), desk.log.state(ORDER, "N1"))
    denied(desk, ask(desk)["approval"])
    assert (desk.available(), desk.log.state(ORDER, "N1")) == before
    (told,) = [one for one in desk.log.facts(ORDER, "N1") if isinstance(one, RefundDeclined)]
    assert told.reason == "no"
    given(desk, ask(desk)["approval"])
    assert desk.available() == 100
    desk.balanced()


def test_what_waits_is_given_nobody_by_another_door() -> None:
    """D4: at the order, by a return, or a case; CONTROL: the other mug is free."""
    desk = Counter()
    rules = replace(RULES, four_eyes_points=10)
    approval = ask(desk, wanted=[("mug", 1)], rules=rules)["approval"]
    both = (("mug", 2),)
    desk.unchanged(NotPossible, lambda: ask(desk, wanted=both))
    refused = desk.unchanged(NotPossible, lambda: desk.ask(lines=both))
    assert refused.figures["why"] == "mug: its refund waits for a second person"
    assert "退款待第二人审批" in refused.as_failure()["message_zh"]
    desk.open(Fault.DAMAGED)
    desk.unchanged(NotPossible, lambda: desk.decide(Outcome.REFUND, lines=both))
    assert desk.decide(Outcome.REFUND, lines=(("mug", 1),))["points_refunded"] == 10
    assert given(desk, approval)["points"] == 10
    assert desk.available() == 100
    desk.balanced()


def test_it_is_refused_once_its_goods_came_back() -> None:
    """D4, D3: taking in is never refused and pays back; nobody gets both; it can be denied."""
    desk = Desk(scan="快件已丢失")
    approval = ask(desk)["approval"]
    taken_in(desk)
    assert desk.available() == 100
    refused = desk.unchanged(NotPossible, lambda: given(desk, approval))
    assert "mug × 2" in refused.figures["why"]
    assert "申请后已另行处理：mug × 2" in refused.as_failure()["message_zh"]
    denied(desk, approval)
    assert (desk.available(), desk.log.state(ORDER, "N1").proposed) == (100, ())
    desk.balanced()


def test_the_actions_of_an_order_tell_that_it_takes_two_and_that_it_waits() -> None:
    """D6, A8: by the same rules, with what its reader moved alone before; never one's own."""
    desk = Desk()

    def told(rules: Any = FEW, **more: Any) -> dict[str, Any]:
        order = desk.log.state(ORDER, "N1")
        now = Now(desk.now, rules, 0, **more)
        return actions(order, now, staff=True, kept=under_decision(order, {}))["refund"]

    assert (told()["possible"], told()["needs_second_person"]) == (True, True)
    more = replace(RULES, four_eyes_points=21)
    assert told(more)["needs_second_person"] is False
    assert told(more, alone=Before(1, 1))["needs_second_person"] is True
    assert told(person="lin")["possible"] is False
    approval = ask(desk)["approval"]
    assert told()["why"].endswith("mug: its refund waits for a second person")
    denied(desk, approval)
    assert told()["possible"] is True


def agreed(desk: Counter, rules: Any = FEW) -> Any:
    told = {"reason": "not worth it", "message": None, "rules": rules}
    return desk.do(partial(settling.agree, name=BACK, **told))


def test_much_that_is_to_stay_waits_for_a_second_person() -> None:
    """A8, D3: agreed to for a return, and nothing else meanwhile; CONTROL: a point less."""
    desk = Counter()
    desk.ask(Remedy.REFUND_ONLY, Fault.MISSING_PARTS)
    told = agreed(desk)
    assert (told["status"], told["state"]) == ("pending_approval", ReturnState.AWAITING_APPROVAL)
    request = desk.log.state(APPROVAL, told["approval"]).request
    assert request is not None
    assert (request.kind, request.subject, request.points) == (Kind.RETURN, BACK, 20)
    assert (request.about, [one.quantity for one in request.goods]) == ("order:N1", [2])
    desk.unchanged(NotPossible, lambda: agreed(desk))
    desk.unchanged(NotPossible, lambda: decided(desk, agree=False))
    assert desk.available() == desk.before
    done = given(desk, told["approval"])
    assert (done["return"], done["state"], done["points"]) == (BACK, ReturnState.SETTLED, 20)
    assert desk.settled().approval == told["approval"]
    assert desk.available() == 100
    desk.balanced()
    other = Counter()
    other.ask(Remedy.REFUND_ONLY, Fault.MISSING_PARTS)
    assert agreed(other, replace(RULES, four_eyes_points=21))["points"] == 20
    (settled,) = [x for x in other.log.facts(RETURN, BACK) if isinstance(x, ReturnSettled)]
    assert settled.approval is None


def test_what_was_not_allowed_is_decided_anew() -> None:
    """A8, D3: the return is as it was; it can be rejected, or agreed to again."""
    desk = Counter()
    desk.ask(Remedy.REFUND_ONLY, Fault.MISSING_PARTS)
    denied(desk, agreed(desk)["approval"])
    assert (desk.back(), desk.available()) == (ReturnState.REQUESTED, desk.before)
    given(desk, agreed(desk)["approval"])
    assert desk.available() == 100
    desk.balanced()
