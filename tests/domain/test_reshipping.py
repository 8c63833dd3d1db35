"""Units sent once more: a linked order at no points, from reserved goods (rules.md 6, 28)."""

from functools import partial
from typing import Any

import pytest

from application import (
    intercepting,
    ordering,
    releasing,
    replanning,
    reshipping,
    shipping,
    taking_back,
)
from application.refunding import refund_at_order
from application.streams import ACCOUNT, INTERCEPT, ORDER
from domain.intercept_facts import InterceptAsked, InterceptDone, InterceptFailed, Way
from domain.order_facts import (
    Fault,
    OrderLinked,
    OrderPlaced,
    PartReceived,
    State,
    Units,
    UnitsRefunded,
)
from domain.parts import Replacement
from domain.point_facts import LearnerErased
from domain.refusals import NotPossible
from domain.release_facts import ReviewReason
from domain.stock import OutOfStock, Stock
from domain.tracking import ParcelState
from tests.domain.test_joining import RULES, Mall

CASE = "dispute:D-N1-P1"
TWO = [Units(part=1, line=1, quantity=2)]


def sent() -> Mall:
    """An order of two mugs with its learner, three more on the shelf."""
    mall = Mall()
    mall.item("mug", "a", units=5, limit_per_learner=2)
    mall.place("N1", ("mug", 2))
    parcel = mall.packed("N1")
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    mall.scans(parcel, "已签收")
    return mall


def reship(
    mall: Mall, *, case: str = CASE, units: list[Units] | None = None, number: str = "N1"
) -> str:
    def decide(unit: Any) -> dict[str, Any]:
        wanted = TWO if units is None else units
        return {
            "number": reshipping.reship(unit, number=number, units=wanted, case=case, rules=RULES)
        }

    linked: str = mall.do(decide)["number"]
    return linked


def set_aside(mall: Mall, *, case: str = CASE) -> Replacement:
    kept: list[Replacement] = []

    def decide(unit: Any) -> dict[str, Any]:
        kept.append(reshipping.set_aside(unit, number="N1", units=TWO, case=case, rules=RULES))
        return {}

    mall.do(decide)
    return kept[0]


def let_go(mall: Mall) -> None:
    def decide(unit: Any) -> dict[str, Any]:
        reshipping.let_go(unit, number="N1", case=CASE, reason="rejected")
        return {}

    mall.do(decide)


def test_a_linked_order_stands_at_no_points_when_units_are_sent_once_more() -> None:
    """D1, rules.md 6: same destination, own states; points, limits and the original stay."""
    mall = sent()
    before = (mall.available(), mall.log.state(ACCOUNT, "lin").counted, mall.state("N1"))
    assert reship(mall) == "N1-R1"
    placed, linked = mall.log.facts(ORDER, "N1-R1")
    assert isinstance(placed, OrderPlaced)
    assert isinstance(linked, OrderLinked)
    assert (placed.points, placed.cash_fen, placed.lots, placed.pay_by) == (0, 0, (), None)
    assert [(one.sku, one.quantity, one.counts) for one in placed.lines] == [("mug", 2, False)]
    assert placed.destination == mall.log.state(ORDER, "N1").destination
    assert (linked.original, linked.units) == ("N1", tuple(TWO))
    assert mall.state("N1-R1") is State.PENDING_SHIPMENT
    assert mall.stock("a", "mug") == Stock(free=1, reserved=2, picked=2)
    assert (mall.available(), mall.log.state(ACCOUNT, "lin").counted, mall.state("N1")) == before


@pytest.mark.parametrize("done", [True, False])
def test_units_go_once_more_to_where_their_parcel_was_sent_instead(done: bool) -> None:
    """O8, D1: a redirect that was done is the learner's newest word; CONTROL: one that was not."""
    mall = sent()
    place = mall.log.state(ORDER, "N1").destination
    assert place is not None
    instead = place.model_copy(update={"card": "f" * 32, "district": "上城区"})
    asked = InterceptAsked(
        intercept="N1-P1-X1", orders=("N1",), carrier="yuantong", waybill="N1-P1",
        way=Way.REDIRECT, destination=instead, reason="moved", answer_by=mall.now,
    )  # fmt: skip
    ended = (
        InterceptDone(intercept="N1-P1-X1", state=ParcelState.FORWARDED)
        if done
        else InterceptFailed(intercept="N1-P1-X1", why="too late")
    )
    mall.log.seed(INTERCEPT, "N1-P1", asked, ended, now=mall.now)
    number = reship(mall)
    assert mall.log.state(ORDER, number).destination == (instead if done else place)


def test_a_linked_order_is_sent_and_received_like_any_other() -> None:
    """D1, rules.md 6: packed, handed over, signed for, with a service window of its own."""
    mall = sent()
    number = reship(mall)
    parcel = mall.packed(number)
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    mall.scans(parcel, "已签收")
    assert mall.state(number) is State.PENDING_END
    assert mall.stock("a", "mug") == Stock(free=1, reserved=0, picked=4)


@pytest.mark.parametrize(("again", "ends"), [(2, True), (1, False)])
def test_what_never_came_ends_with_what_was_sent_in_its_place(again: int, ends: bool) -> None:
    """O3, rule 6: all of a part arrived in the linked order: it is received with it, with a window
    of its own. CONTROL: of what is sent once more in part, the rest is still due."""
    mall = Mall()
    mall.item("mug", "a", units=5)
    mall.place("N1", ("mug", 2))
    first = mall.packed("N1")
    mall.do(partial(shipping.hand_over, parcel=first, rules=RULES))
    number = reship(mall, units=[Units(part=1, line=1, quantity=again)])
    parcel = mall.packed(number)
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    assert mall.state("N1") is State.PENDING_RECEIPT
    mall.scans(parcel, "已签收")
    assert mall.state(number) is State.PENDING_END
    assert mall.state("N1") is (State.PENDING_END if ends else State.PENDING_RECEIPT)
    mall.scans(first, "已签收")  # what was lost turned up
    (part,) = mall.log.state(ORDER, "N1").parts
    assert part.state is State.PENDING_END
    received = [one for one in mall.log.facts(ORDER, "N1") if isinstance(one, PartReceived)]
    assert len(received) == 1


def test_there_is_one_linked_order_when_a_case_asks_twice() -> None:
    """D1: the same case; another case of the order gets the next number."""
    mall = sent()
    assert (reship(mall), reship(mall)) == ("N1-R1", "N1-R1")
    one = [Units(part=1, line=1, quantity=1)]
    assert reship(mall, case="dispute:D-other", units=one) == "N1-R2"
    assert mall.stock("a", "mug").reserved == 3


def test_goods_set_aside_are_those_that_are_sent_when_it_is_decided() -> None:
    """rules.md 28: wrong goods reserve the right ones at once; nobody can redeem them meanwhile."""
    mall = sent()
    aside = set_aside(mall)
    assert (aside.number, aside.state) == ("N1-R1", "reserved")
    assert mall.stock("a", "mug") == Stock(free=1, reserved=2, picked=2)
    assert set_aside(mall) == aside
    assert not mall.log.state(ORDER, "N1-R1").placed
    assert reship(mall) == "N1-R1"
    assert mall.stock("a", "mug").reserved == 2


def test_goods_are_free_again_when_they_are_not_sent_after_all() -> None:
    """rules.md 28: let go once; a later decision to send takes new ones under a new number."""
    mall = sent()
    set_aside(mall)
    let_go(mall)
    let_go(mall)
    assert mall.stock("a", "mug") == Stock(free=3, reserved=0, picked=2)
    assert reship(mall) == "N1-R2"
    let_go(mall)
    assert mall.stock("a", "mug").reserved == 2  # it was ordered: no longer set aside


def test_nothing_is_sent_when_it_is_nowhere_or_there_is_nothing_to_send() -> None:
    """D1: refused with the figures, nothing recorded."""
    mall = sent()
    before = len(mall.log.recorded)
    with pytest.raises(OutOfStock) as refused:
        reship(mall, units=[Units(part=1, line=1, quantity=4)])
    assert refused.value.figures == {"sku": "mug", "wanted": 4, "free": 3}
    with pytest.raises(NotPossible, match="nothing of it can be sent once more"):
        reship(mall, units=[])
    assert len(mall.log.recorded) == before


def test_nothing_is_sent_to_somebody_who_was_erased() -> None:
    """A4: there is nobody to write on the label."""
    mall = sent()
    mall.log.seed(ACCOUNT, "lin", LearnerErased(reason="asked"), now=mall.now)
    with pytest.raises(NotPossible, match="the recipient was erased"):
        reship(mall)


def test_its_goods_are_free_again_when_the_linked_order_is_cancelled() -> None:
    """rules.md 6: it has states of its own; no points come back, for none were taken."""
    mall = sent()
    number, available = reship(mall), mall.available()
    cancel = partial(
        ordering.cancel_order, number=number, wanted=None, reason="found it", rules=RULES
    )
    mall.do(cancel)
    assert (mall.state(number), mall.available()) == (State.CANCELLED, available)
    assert mall.stock("a", "mug").reserved == 0


def refund(
    mall: Mall, number: str, *wanted: tuple[str, int], goods_back: bool = False
) -> dict[str, Any]:
    """Staff refund units plainly, without a case."""
    return mall.do(
        partial(
            ordering.refund_order,
            number=number,
            wanted=list(wanted) or None,
            fault=Fault.LOST,
            reason="x",
            goods_back=goods_back,
            rules=RULES,
        )
    )


def test_what_is_sent_once_more_is_not_refunded_on_top() -> None:
    """D4: nobody gets both; the refusal names the linked order, in both languages."""
    mall = sent()
    reship(mall)
    before = len(mall.log.recorded)
    for wanted in ((), (("mug", 1),), (("mug", 2),)):
        with pytest.raises(NotPossible) as refused:
            refund(mall, "N1", *wanted)
        assert refused.value.message("en") == (
            "refund is not possible: mug: N1-R1 sends it once more: decide there"
        )
        assert refused.value.message("zh") == "无法退款：mug：N1-R1 已补发，请在该订单上处理"
    assert len(mall.log.recorded) == before


def test_what_is_not_sent_once_more_can_still_be_refunded() -> None:
    """D4: one of two is sent once more, the other one is refunded; then nothing is left to give."""
    mall = sent()
    reship(mall, units=[Units(part=1, line=1, quantity=1)])
    with pytest.raises(NotPossible, match="N1-R1 sends it once more"):
        refund(mall, "N1", ("mug", 2))
    assert refund(mall, "N1")["points"] == 10
    with pytest.raises(NotPossible, match="N1-R1 sends it once more"):
        refund(mall, "N1")
    assert mall.available() == 90


def test_what_was_given_up_there_is_refunded_here() -> None:
    """D4: nobody gets neither: once the linked order is cancelled, its original counts again."""
    mall = sent()
    number = reship(mall)
    cancel = partial(
        ordering.cancel_order, number=number, wanted=[("mug", 1)], reason="x", rules=RULES
    )
    mall.do(cancel)
    assert refund(mall, "N1")["points"] == 10
    mall.do(cancel)
    assert refund(mall, "N1")["points"] == 10
    assert mall.available() == 100


def missing(mall: Mall, number: str, *, found: int = 0) -> None:
    """Its warehouse finds fewer, and nobody else has any."""
    short = partial(replanning.short_pick, part=1, sku="mug", found=found, reason="broken")
    mall.do(partial(short, order=number, rules=RULES))


def test_what_the_original_cost_comes_back_when_nothing_is_left_to_be_sent_once_more() -> None:
    """D4, rules.md 1: refunded units of a linked order cost what their original did, once."""
    mall = sent()
    number = reship(mall)
    missing(mall, number)
    give_up = partial(replanning.choose, number=number, part=None, wait=False, rules=RULES)
    told = mall.do(give_up)
    assert (told["number"], told["status"], told["points"]) == (number, "cancelled", 20)
    assert mall.available() == 100
    assert (mall.state(number), mall.state("N1")) == (State.CANCELLED, State.CLOSED)
    (gone,) = [one for one in mall.log.facts(ORDER, "N1") if isinstance(one, UnitsRefunded)]
    assert (gone.fault, gone.points, gone.goods_back) == (Fault.MISSING_PARTS, 20, False)
    with pytest.raises(NotPossible):
        mall.do(give_up)
    with pytest.raises(NotPossible):
        refund(mall, "N1")


def test_only_what_is_missing_is_paid_back_and_the_rest_is_sent() -> None:
    """D4: one of two is found: the other one's points come back, and no more ever does."""
    mall = sent()
    number = reship(mall)
    missing(mall, number, found=1)
    mall.do(partial(replanning.choose, number=number, part=None, wait=False, rules=RULES))
    assert (mall.state(number), mall.available()) == (State.PENDING_SHIPMENT, 90)
    with pytest.raises(NotPossible, match="N1-R1 sends it once more"):
        refund(mall, "N1")


def test_the_first_original_pays_when_a_linked_order_of_a_linked_order_is_given_up() -> None:
    """D4: N1-R1-R1 replaces N1-R1, which cost nothing either."""
    mall = sent()
    number = reship(mall)
    mall.do(partial(shipping.hand_over, parcel=mall.packed(number), rules=RULES))
    mall.item("mug", "a", units=2)

    def decide(unit: Any) -> dict[str, Any]:
        again: dict[str, Any] = {"units": TWO, "case": "dispute:D-N1-R1-P1", "rules": RULES}
        return {"number": reshipping.reship(unit, number=number, **again)}

    second: str = mall.do(decide)["number"]
    missing(mall, second)
    mall.do(partial(replanning.choose, number=second, part=None, wait=False, rules=RULES))
    assert mall.available() == 100
    ends = [mall.state(one) for one in (second, number, "N1")]
    assert ends == [State.CANCELLED, State.CLOSED, State.CLOSED]


def test_what_the_original_cost_comes_back_when_a_human_stops_the_linked_order() -> None:
    """O7, D4: a rejected order is paid back, whichever order was paid for."""
    mall = sent()
    number = reship(mall)
    why = [ReviewReason.ADDRESS_DOUBTFUL]
    mall.do(partial(releasing.require_review, number=number, reasons=why, rules=RULES))
    told = mall.do(partial(releasing.reject_order, number=number, reason="fraud", rules=RULES))
    assert (told["points"], mall.available()) == (20, 100)
    assert (mall.state(number), mall.state("N1")) == (State.CANCELLED, State.CLOSED)


def test_both_are_given_when_nobody_looks_at_linked_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: a refund that looks at its own order alone."""
    mall = sent()
    reship(mall)
    monkeypatch.setattr(ordering, "kept_units", lambda *_: [])
    assert refund(mall, "N1")["points"] == 20
    assert mall.state("N1-R1") is State.PENDING_SHIPMENT


def under_way() -> Mall:
    """As `sent`, but its carrier has it still."""
    mall = Mall()
    mall.item("mug", "a", units=5, limit_per_learner=2)
    mall.place("N1", ("mug", 2))
    mall.do(partial(shipping.hand_over, parcel=mall.packed("N1"), rules=RULES))
    return mall


def refunded_under_way(mall: Mall, *wanted: tuple[str, int], goods_back: bool = False) -> None:
    told: dict[str, Any] = {"fault": Fault.LOST, "reason": "lost", "goods_back": goods_back}
    refund = partial(refund_at_order, number="N1", wanted=list(wanted) or None, **told)
    mall.do(partial(refund, rules=RULES))


def test_what_is_refunded_under_way_is_called_back_once_nothing_of_it_is_due() -> None:
    """O8, D2: in the same commit, once all of it is refunded; delivered all the same, it is listed
    as not stopped."""
    mall = under_way()
    refunded_under_way(mall, ("mug", 1))
    assert mall.log.facts(INTERCEPT, "N1-P1") == []
    refunded_under_way(mall)
    (asked,) = mall.log.facts(INTERCEPT, "N1-P1")
    assert isinstance(asked, InterceptAsked)
    assert (asked.orders, asked.reason) == (("N1",), "lost")
    mall.scans("N1-P1", "已签收")
    mall.do(partial(intercepting.note_track, parcel="N1-P1"))
    assert mall.log.state(INTERCEPT, "N1-P1").state == "failed"


def test_nothing_is_called_back_that_arrived_or_is_back_or_lost() -> None:
    """O8: the control: a carrier is asked to stop only what is on its way."""
    arrived, lost = sent(), under_way()
    lost.scans("N1-P1", "快件已丢失")
    for mall, back in ((arrived, False), (lost, False), (sent(), True)):
        refunded_under_way(mall, goods_back=back)
        assert mall.log.facts(INTERCEPT, "N1-P1") == []


def test_goods_are_not_back_that_a_carrier_has_still() -> None:
    """D3, C3, A9: nothing on the road is on sale; CONTROL: received ones that came back are."""
    mall = under_way()
    before = mall.stock("a", "mug")
    with pytest.raises(NotPossible, match="N1-P1 is under way") as refused:
        refunded_under_way(mall, goods_back=True)
    assert "N1-P1 仍在途中" in str(refused.value.as_failure()["message_zh"])
    assert (mall.available(), mall.stock("a", "mug")) == (80, before)
    assert take_in(mall, in_hand=True) == 20  # where it is to be done
    assert mall.stock("a", "mug") == Stock(free=5)
    there = sent()
    refunded_under_way(there, goods_back=True)
    assert there.stock("a", "mug") == Stock(free=5)


def call_back(mall: Mall) -> None:
    ask = partial(intercepting.intercept_parcel, parcel="N1-P1", orders=["N1"], reason="found")
    mall.do(partial(ask, rules=RULES))


def take_in(mall: Mall, **more: Any) -> int:
    told: dict[str, Any] = {"intact": True, "reason": "unopened", "rules": RULES, **more}
    back = mall.do(partial(taking_back.take_back, parcel="N1-P1", **told))
    return int(back["points"])


@pytest.mark.parametrize("word", ["", "快件已退回", "快件丢失"])
def test_the_first_parcel_is_on_its_shelf_again_when_it_turns_up_after_all(word: str) -> None:
    """D3, D4, C3: called back, or come back by itself; nothing is paid, what was sent once more
    stays its learner's, and a later refund of it takes the first goods in no second time."""
    mall = under_way()
    spent = mall.available()
    again = reship(mall)
    if word:
        mall.scans("N1-P1", word)
    call_back(mall)
    assert take_in(mall) == 0
    assert (mall.available(), mall.stock("a", "mug")) == (spent, Stock(free=3, reserved=2))
    assert mall.log.state(ORDER, "N1").home == tuple(TWO)
    with pytest.raises(NotPossible, match="already"):
        take_in(mall)
    cancel = partial(ordering.cancel_order, number=again, wanted=None, reason="x", rules=RULES)
    mall.do(cancel)
    assert mall.stock("a", "mug") == Stock(free=5)
    refund(mall, "N1", goods_back=True)
    assert (mall.available(), mall.stock("a", "mug")) == (100, Stock(free=5))
    assert (mall.log.state(ORDER, "N1").home, mall.log.state(ORDER, "N1").out) == ((), ())


def test_what_is_not_sent_once_more_is_paid_back_when_the_parcel_comes_back() -> None:
    """D4: one of two is replaced and one is not; both are on the shelf, one is scrapped."""
    mall = under_way()
    spent = mall.available()
    reship(mall, units=[Units(part=1, line=1, quantity=1)])
    call_back(mall)
    assert take_in(mall, intact=False, scrap=[("mug", 1)]) == (100 - spent) // 2
    assert mall.stock("a", "mug") == Stock(free=3, reserved=1)
    assert mall.log.state(ORDER, "N1").home == (Units(part=1, line=1, quantity=1),)


def test_a_parcel_that_nobody_received_is_called_back_only_where_nothing_is_due() -> None:
    """O8: one that comes back by itself while its order waits is a matter of its refund."""
    mall = under_way()
    mall.scans("N1-P1", "快件已退回")
    with pytest.raises(NotPossible, match="returning"):
        call_back(mall)
