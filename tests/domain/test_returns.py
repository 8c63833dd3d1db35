"""Goods that come back: inspected, then refunded, exchanged, sent back (D3, D4; rules 2, 3, 28)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import claiming, ordering, returning, settling, shipping
from application.composing import Amount
from application.return_messages import Came, message_for
from application.returning import Wanted
from application.sealed_words import Message
from application.settling import Found, Inspection
from application.streams import ACCOUNT, CLAIM, ORDER, PARCEL, RETURN, STOCK
from domain.claims import ClaimFiled
from domain.dispute_facts import Outcome, Side
from domain.order_facts import Fault, OrderClosed, State, UnitsRefunded
from domain.point_facts import LearnerErased, PointsDeducted
from domain.points import InsufficientPoints
from domain.refusals import InvalidRequest, NotFound, NotPossible, Refusal
from domain.return_facts import Criterion, Payer, Remedy, ReturnOpened, ReturnSettled, Verdict
from domain.returns import ReturnState, ReturnWindowOver
from domain.stock import OutOfStock, Stock, stock_key
from tests.domain.test_deciding import CASE, DAY, Desk
from tests.domain.test_joining import RULES

BACK = "N1-B1"


class Counter(Desk):
    """A learner with two mugs of 200 points who wants to give some back."""

    def __init__(self, *, units: int = 2, price: int = 10, **more: Any) -> None:
        super().__init__(units=units, price=price, **more)
        self.before = self.available()

    def ask(
        self,
        remedy: Remedy = Remedy.REFUND,
        reason: Fault = Fault.DAMAGED,
        *,
        by: Side = Side.LEARNER,
        number: str = "N1",
        rules: Any = RULES,
        **more: Any,
    ) -> dict[str, Any]:
        wanted = Wanted(remedy, reason, **more)
        return self.do(
            partial(returning.open_return, number=number, wanted=wanted, by=by, rules=rules)
        )

    def send(self, name: str = BACK) -> None:
        self.do(partial(returning.send, name=name, carrier="yuantong", waybill=f"YT{name}"))

    def arrive(self, name: str = BACK) -> None:
        self.do(partial(returning.arrive, name=name))

    def inspect(self, *goods: Found, name: str = BACK, **more: Any) -> dict[str, Any]:
        inspection = Inspection(goods or (mugs(2),), "looked at", **more)
        return self.do(partial(settling.inspect, name=name, inspection=inspection, rules=RULES))

    def back(self, name: str = BACK) -> ReturnState:
        return self.log.state(RETURN, name).state

    def settled(self, name: str = BACK) -> ReturnSettled:
        found = self.log.state(RETURN, name).settled
        assert found is not None
        return found

    def refunded(self) -> list[UnitsRefunded]:
        return [one for one in self.log.facts(ORDER, "N1") if isinstance(one, UnitsRefunded)]


def mugs(quantity: int, verdict: Verdict = Verdict.RESTOCK, *failed: Criterion) -> Found:
    return Found("mug", quantity, verdict, failed)


def came_back(desk: Counter, **more: Any) -> None:
    """Asked for, sent, and at the warehouse."""
    desk.ask(**more)
    desk.send()
    desk.arrive()


# --- opening ---------------------------------------------------------------------------------


def test_a_return_claims_its_units_and_holds_their_window() -> None:
    """D3, rules.md 2, 28: with its deadline, its criteria, who pays, and a parcel of its own."""
    desk = Counter()
    answer = desk.ask(reason=Fault.CHANGED_MIND, lines=(("mug", 1),), words="颜色不喜欢,我是林小雨")
    assert (answer["return"], answer["parcel"], answer["payer"]) == (BACK, BACK, Payer.LEARNER)
    (opened,) = desk.log.facts(RETURN, BACK)
    assert isinstance(opened, ReturnOpened)
    assert opened.send_by == desk.now + 7 * DAY
    assert opened.criteria == tuple(Criterion)
    assert (opened.freight_points, opened.freight_fen) == (100, 1_000)
    assert "林小雨" not in str(desk.log.recorded)
    assert desk.held()
    assert desk.back() is ReturnState.AWAITING_GOODS
    box = desk.log.state(PARCEL, BACK)
    assert (box.back_of, box.orders, box.warehouse) == ("N1", ("N1",), "a")
    assert desk.state("N1") is State.PENDING_END
    assert desk.available() == desk.before  # nothing goes back before it was inspected


@pytest.mark.parametrize(
    ("reason", "payer"),
    [
        (Fault.DAMAGED, Payer.CARRIER),
        (Fault.LATE, Payer.CARRIER),
        (Fault.WRONG_GOODS, Payer.MALL),
        (Fault.MISSING_PARTS, Payer.MALL),
        (Fault.NOT_AS_DESCRIBED, Payer.MALL),
        (Fault.CHANGED_MIND, Payer.LEARNER),
    ],
)
def test_who_is_at_fault_follows_from_the_reason(reason: Fault, payer: Payer) -> None:
    """D3, rules.md 28: of all reasons but those of what never came."""
    desk = Counter()
    assert desk.ask(reason=reason)["payer"] == payer


def test_a_return_is_refused_when_it_cannot_be_one() -> None:
    """D3: each with its reason; nothing is recorded."""
    desk = Counter()
    for remedy, reason, why in (
        (Remedy.REFUND, Fault.NOT_RECEIVED, "disputed, not returned"),
        (Remedy.REFUND, Fault.LOST, "disputed, not returned"),
        (Remedy.REFUND_ONLY, Fault.CHANGED_MIND, "changed their mind"),
    ):
        refused = desk.unchanged(NotPossible, partial(desk.ask, remedy, reason))
        assert why in str(refused)
        assert refused.message("zh") != refused.message("en")
    desk.unchanged(NotPossible, partial(desk.ask, lines=(("mug", 3),)))
    desk.unchanged(InvalidRequest, partial(desk.ask, lines=(("mug", 0),)))
    desk.unchanged(NotFound, partial(desk.ask, number="N9"))
    desk.place("N2", ("book", 1))
    desk.unchanged(NotPossible, partial(desk.ask, number="N2"))
    desk.ask()
    again = desk.unchanged(NotPossible, desk.ask)
    assert f"return {BACK} is open for it" in str(again)


def test_it_can_be_returned_while_its_window_is_open() -> None:
    """rules.md 2: seven days from receipt; staff may open one later; a closed order has nothing."""
    desk = Counter()
    desk.now += 8 * DAY
    late = desk.unchanged(ReturnWindowOver, desk.ask)
    assert "returned until" in str(late)
    assert desk.ask(by=Side.STAFF)["return"] == BACK


def test_a_window_that_stood_still_runs_on_when_the_return_is_over() -> None:
    """rules.md 2: what was left of it counts from then; it does not complete meanwhile."""
    desk = Counter()
    desk.now += 5 * DAY
    desk.ask()
    desk.now += 6 * DAY
    complete = partial(ordering.complete_order, number="N1", rules=RULES)
    desk.do(complete)
    assert desk.state("N1") is State.PENDING_END
    desk.do(partial(returning.withdraw, name=BACK))
    assert not desk.held()
    desk.now += timedelta(days=1, hours=23)
    desk.do(complete)
    assert desk.state("N1") is State.PENDING_END
    desk.now += timedelta(hours=2)
    desk.do(complete)
    assert desk.state("N1") is State.COMPLETED


def test_what_is_disputed_is_not_returned_and_the_other_way_round() -> None:
    """D4: one way at a time: nobody gets both."""
    desk = Counter()
    desk.open(Fault.DAMAGED)
    refused = desk.unchanged(NotPossible, desk.ask)
    assert f"dispute {CASE} is open for it" in str(refused)
    other = Counter()
    other.ask()
    other.open(Fault.DAMAGED)
    assert "is open for it" in str(
        other.unchanged(NotPossible, lambda: other.decide(Outcome.REFUND))
    )
    plain = partial(
        ordering.refund_order, number="N1", wanted=None, fault=Fault.DAMAGED, reason="x",
        goods_back=False, rules=RULES,
    )  # fmt: skip
    other.unchanged(NotPossible, lambda: other.do(plain))


# --- on the way ------------------------------------------------------------------------------


def test_scans_of_its_parcel_move_a_return() -> None:
    """D3, T2: sent, then at the warehouse, in the commit of the scan; the order stays as it is."""
    desk = Counter()
    desk.ask()
    desk.do(
        partial(shipping.issue_waybill, parcel=BACK, carrier="yuantong", waybill="YT1")
    )  # a label of the house
    assert desk.back() is ReturnState.AWAITING_GOODS
    desk.scans(BACK, "快件已被 圆通速递 收取")
    assert desk.back() is ReturnState.UNDER_WAY
    before = desk.log.facts(ORDER, "N1")
    desk.scans(BACK, "快件已被 圆通速递 收取", "已签收,签收人:仓库")
    desk.scans(BACK, "已签收,签收人:仓库")
    assert desk.back() is ReturnState.TO_INSPECT
    names = [one.fact_name for one in desk.log.facts(RETURN, BACK)]
    assert names == ["returns.ReturnOpened", "returns.GoodsSent", "returns.GoodsArrived"]
    assert desk.log.facts(ORDER, "N1") == before


def test_its_learner_says_under_which_number_it_was_sent() -> None:
    """D3, rules.md 28: or uses the house's label; without either there is nothing to follow."""
    desk = Counter()
    desk.ask()
    nothing = partial(returning.send, name=BACK, carrier=None, waybill=None)
    desk.unchanged(InvalidRequest, lambda: desk.do(nothing))
    desk.send()
    box = desk.log.state(PARCEL, BACK)
    assert (box.waybill, box.handed_over) == ("YTN1-B1", True)
    assert desk.back() is ReturnState.UNDER_WAY
    desk.unchanged(NotPossible, lambda: desk.do(nothing))
    desk.unchanged(NotPossible, lambda: desk.do(partial(returning.withdraw, name=BACK)))
    desk.unchanged(NotPossible, desk.inspect)  # not before it is there


def test_a_return_lapses_when_the_goods_are_not_sent_in_time() -> None:
    """D3: once, after seven days; its units are free and the window runs on."""
    desk = Counter()
    desk.ask()
    lapse = partial(returning.lapse, name=BACK)
    desk.now += 7 * DAY - timedelta(seconds=1)
    desk.do(lapse)
    assert desk.back() is ReturnState.AWAITING_GOODS
    desk.now += timedelta(seconds=1)
    desk.do(lapse)
    assert desk.back() is ReturnState.LAPSED
    assert not desk.held()
    assert desk.ask()["return"] == "N1-B2"
    desk.send("N1-B2")
    desk.now += 9 * DAY
    desk.do(partial(returning.lapse, name="N1-B2"))
    assert desk.back("N1-B2") is ReturnState.UNDER_WAY


def test_goods_that_come_too_late_are_inspected_all_the_same() -> None:
    """D3: sent on the last day, or after it: what is here is looked at, unless it was given up."""
    desk = Counter()
    desk.ask()
    desk.now += 7 * DAY
    desk.do(partial(returning.lapse, name=BACK))
    desk.do(partial(shipping.issue_waybill, parcel=BACK, carrier="yuantong", waybill="YT1"))
    desk.scans(BACK, "已签收,签收人:仓库")
    assert (desk.back(), desk.held()) == (ReturnState.TO_INSPECT, True)
    desk.inspect(mugs(2))
    assert desk.available() == desk.before + 20
    other = Counter()
    other.ask()
    other.now += 7 * DAY
    other.do(partial(returning.lapse, name=BACK))
    other.ask(by=Side.STAFF)
    assert "N1-B2 is open for it" in str(other.unchanged(NotPossible, other.arrive))
    other.do(partial(shipping.issue_waybill, parcel=BACK, carrier="yuantong", waybill="YT1"))
    other.scans(BACK, "已签收,签收人:仓库")
    assert (other.back(), other.back("N1-B2")) == (
        ReturnState.LAPSED, ReturnState.AWAITING_GOODS,
    )  # fmt: skip


# --- inspected -------------------------------------------------------------------------------


def test_points_go_back_when_the_goods_can_be_sold_again() -> None:
    """D3, C3, rules.md 3: on the shelf, refunded with the goods back, the order is closed."""
    desk = Counter()
    came_back(desk)
    answer = desk.inspect(mugs(2))
    assert (answer["points"], answer["points_kept"]) == (20, 0)
    assert desk.available() == desk.before + 20
    assert desk.stock("a", "mug") == Stock(free=5)
    (refunded,) = desk.refunded()
    assert (refunded.goods_back, refunded.fault) == (True, Fault.DAMAGED)
    assert desk.state("N1") is State.CLOSED
    assert isinstance(desk.log.facts(ORDER, "N1")[-1], OrderClosed)
    assert desk.back() is ReturnState.SETTLED
    assert desk.log.state(ORDER, "N1").returning == ()


def test_what_cannot_be_sold_again_is_scrapped() -> None:
    """D3, C3: refunded all the same; the shelf has one less."""
    desk = Counter()
    came_back(desk)
    desk.inspect(mugs(1), mugs(1, Verdict.SCRAP))
    assert desk.available() == desk.before + 20
    assert desk.stock("a", "mug") == Stock(free=4)


def test_what_is_refused_goes_to_its_learner_again() -> None:
    """D3: in a parcel like any other; its price stays, and its window runs on."""
    desk = Counter()
    came_back(desk, reason=Fault.CHANGED_MIND)
    answer = desk.inspect(mugs(1), mugs(1, Verdict.REFUSE, Criterion.UNUSED))
    assert answer["sent_back_in"] == f"{BACK}-S"
    order = desk.log.state(ORDER, "N1")
    assert [one.quantity for part in order.parts for one in part.units] == [1]
    assert (order.state, desk.held()) == (State.PENDING_END, False)
    desk.do(partial(shipping.issue_waybill, parcel=f"{BACK}-S", carrier="yuantong", waybill="YT9"))
    desk.do(partial(shipping.hand_over, parcel=f"{BACK}-S", rules=RULES))
    desk.scans(f"{BACK}-S", "已签收")
    assert desk.state("N1") is State.PENDING_END
    assert desk.stock("a", "mug") == Stock(free=4, picked=1)


def test_nothing_goes_back_when_all_of_it_is_refused() -> None:
    """D3: no points, no goods of the house's, one message; it may not be sent once more."""
    desk = Counter()
    came_back(desk, reason=Fault.CHANGED_MIND)
    answer = desk.inspect(mugs(2, Verdict.REFUSE, Criterion.UNDAMAGED))
    assert (answer["points"], desk.available()) == (0, desk.before)
    assert desk.refunded() == []
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)


def test_an_inspection_is_refused_when_it_does_not_hold_together() -> None:
    """D3: every unit once, the stated criteria, and a verdict that follows from them."""
    desk = Counter()
    came_back(desk, reason=Fault.WRONG_GOODS)
    for goods in (
        (mugs(1),),
        (mugs(3),),
        (mugs(2), mugs(1, Verdict.SCRAP)),
        (Found("book", 2, Verdict.SCRAP),),
        (mugs(2, Verdict.RESTOCK, Criterion.UNUSED),),
        (mugs(2, Verdict.REFUSE),),
        (mugs(2, Verdict.REFUSE, Criterion.PACKAGING),),
    ):
        desk.unchanged(InvalidRequest, partial(desk.inspect, *goods))
    desk.inspect(mugs(2))
    desk.unchanged(NotPossible, desk.inspect)


def test_who_is_at_fault_pays_the_way_back() -> None:
    """D3, D4, rules.md 8: deducted from the refund, never more than it; others' fault costs
    nothing; the inspection may find that the learner broke it."""
    desk = Counter(units=1, price=60)
    came_back(desk, reason=Fault.CHANGED_MIND)
    answer = desk.inspect(mugs(1))
    assert (answer["points"], answer["points_kept"]) == (0, 60)
    desk = Counter(units=1, price=60)
    came_back(desk, reason=Fault.DAMAGED)
    assert desk.inspect(mugs(1), payer=Payer.LEARNER)["points_kept"] == 60
    (refunded,) = desk.refunded()
    assert (refunded.points, refunded.points_kept) == (0, 60)
    assert desk.log.state(ORDER, "N1").lots == ()
    desk = Counter(units=1, price=60)
    came_back(desk, reason=Fault.CHANGED_MIND)
    assert desk.inspect(mugs(1), payer=Payer.MALL)["points"] == 60


def test_the_rest_goes_back_when_the_way_costs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """D3, D4: to the lots it came from; twice it is kept twice, of each refund its own share."""
    desk = Counter(price=30)
    terms = type(RULES)(return_freight_points=8)
    for nth, name in enumerate((BACK, "N1-B2"), start=1):
        desk.ask(reason=Fault.CHANGED_MIND, lines=(("mug", 1),), rules=terms)
        desk.send(name)
        desk.arrive(name)
        answer = desk.inspect(mugs(1), name=name)
        assert (answer["points"], answer["points_kept"]) == (22, 8)
        assert desk.available() == desk.before + 22 * nth
    assert desk.state("N1") is State.CLOSED
    desk.balanced()


def test_an_exchange_costs_its_way_back_when_the_learner_changed_their_mind() -> None:
    """D3, rule 8: there is no refund to bear it, so the balance does, once, and the learner is
    told; at nobody else's fault it costs nothing."""
    terms = type(RULES)(return_freight_points=30)
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE, reason=Fault.CHANGED_MIND, rules=terms)
    answer = desk.inspect(mugs(2))
    assert (answer["points"], answer["points_kept"]) == (0, 30)
    assert desk.available() == desk.before - 30
    (deducted,) = [one for one in desk.log.facts(ACCOUNT, "lin") if isinstance(one, PointsDeducted)]
    assert (deducted.points, deducted.source) == (30, f"return:{BACK}")
    assert desk.settled().points_kept == 30
    desk.unchanged(NotPossible, desk.inspect)
    desk.balanced()
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE, reason=Fault.DAMAGED, rules=terms)
    assert desk.inspect(mugs(2))["points_kept"] == 0
    assert desk.available() == desk.before


def test_an_exchange_is_refused_when_its_way_back_cannot_be_paid() -> None:
    """D3: with the figures, when it is asked for and when the goods are there; a refund instead
    bears it itself."""
    desk = Counter()
    exchange = partial(desk.ask, Remedy.EXCHANGE, Fault.CHANGED_MIND)
    terms = type(RULES)(return_freight_points=desk.before + 1)
    desk.unchanged(InsufficientPoints, partial(exchange, rules=terms))
    came_back(desk, remedy=Remedy.EXCHANGE, reason=Fault.DAMAGED, rules=terms)
    blamed = partial(desk.inspect, mugs(2), payer=Payer.LEARNER)
    desk.unchanged(InsufficientPoints, blamed)
    assert blamed(instead=Remedy.REFUND)["points_kept"] == 20  # all that it is


# --- refund only -----------------------------------------------------------------------------


def decided(desk: Counter, *, agree: bool) -> dict[str, Any]:
    decide: Any = partial(returning.reject, name=BACK, reason="x", message=None, rules=RULES)
    if agree:
        decide = partial(settling.agree, name=BACK, reason="x", message=None, rules=RULES)
    return desk.do(decide)


def test_staff_decide_when_the_goods_are_to_stay() -> None:
    """D3, rules.md 3: refunded without goods back, by a decision with its actor; no way to pay."""
    desk = Counter()
    answer = desk.ask(Remedy.REFUND_ONLY, Fault.MISSING_PARTS, lines=(("mug", 1),))
    assert (answer["parcel"], answer["send_by"]) == (None, None)
    assert desk.back() is ReturnState.REQUESTED
    assert decided(desk, agree=True)["points"] == 10
    (refunded,) = desk.refunded()
    assert (refunded.goods_back, refunded.points_kept) == (False, 0)
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)
    desk.unchanged(NotPossible, lambda: decided(desk, agree=True))


def test_nothing_happens_to_the_goods_when_staff_do_not_agree() -> None:
    """D3: the window runs on; it can be asked for otherwise."""
    desk = Counter()
    desk.ask(Remedy.REFUND_ONLY, Fault.NOT_AS_DESCRIBED)
    decided(desk, agree=False)
    assert (desk.back(), desk.held()) == (ReturnState.REJECTED, False)
    assert desk.available() == desk.before
    assert desk.ask()["return"] == "N1-B2"


# --- exchange --------------------------------------------------------------------------------


def test_the_same_goods_are_sent_when_it_is_an_exchange() -> None:
    """D3, rules.md 6: a linked order at no points once the goods are inspected; the original
    keeps its units, and neither is refunded plainly on top."""
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE)
    answer = desk.inspect(mugs(1), mugs(1, Verdict.SCRAP))
    assert (answer["replacement"], answer["points"]) == ("N1-R1", 0)
    assert desk.state("N1-R1") is State.PENDING_SHIPMENT
    assert desk.stock("a", "mug") == Stock(free=2, reserved=2)
    assert desk.available() == desk.before
    assert desk.state("N1") is State.PENDING_END
    plain = partial(
        ordering.refund_order, number="N1", wanted=None, fault=Fault.DAMAGED, reason="x",
        goods_back=True, rules=RULES,
    )  # fmt: skip
    assert "N1-R1 sends it once more" in str(desk.unchanged(NotPossible, lambda: desk.do(plain)))
    assert "N1-R1 sends it once more" in str(desk.unchanged(NotPossible, desk.ask))


def test_the_right_goods_are_set_aside_at_once_when_the_wrong_ones_came() -> None:
    """rules.md 28: nobody else gets them; let go when the learner keeps what came."""
    desk = Counter()
    desk.ask(Remedy.EXCHANGE, Fault.WRONG_GOODS)
    assert desk.stock("a", "mug").reserved == 2
    desk.do(partial(returning.withdraw, name=BACK))
    assert desk.stock("a", "mug") == Stock(free=3, picked=2)
    desk.ask(Remedy.EXCHANGE, Fault.WRONG_GOODS)
    desk.send("N1-B2")
    desk.arrive("N1-B2")
    refuse = mugs(1, Verdict.REFUSE, Criterion.UNDAMAGED)
    answer = desk.inspect(mugs(1), refuse, name="N1-B2")
    placed = desk.log.state(ORDER, answer["replacement"])
    assert [one.quantity for one in placed.lines] == [1]
    assert desk.stock("a", "mug") == Stock(free=3, reserved=1, picked=1)


def test_it_is_refunded_instead_when_there_is_nothing_to_exchange_it_for() -> None:
    """D3: refused with the figures first; a refund is always possible."""
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE)
    shelf = desk.log.state(STOCK, stock_key("a", "mug"))
    desk.log.seed(
        STOCK, stock_key("a", "mug"), *shelf.scrap(3, sku="mug", reason="wet"), now=desk.now
    )
    desk.unchanged(OutOfStock, partial(desk.inspect, mugs(2, Verdict.SCRAP)))
    answer = desk.inspect(mugs(2, Verdict.SCRAP), instead=Remedy.REFUND)
    assert (answer["points"], answer["replacement"]) == (20, None)
    assert desk.settled().remedy is Remedy.REFUND


def test_what_the_first_order_cost_goes_back_when_its_replacement_is_returned() -> None:
    """D4, rules.md 6: a linked order costs nothing; the points are those of its original, once."""
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE)
    number = desk.inspect(mugs(2))["replacement"]
    parcel = desk.packed(number)
    desk.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    desk.scans(parcel, "已签收")
    again = f"{number}-B1"
    assert desk.ask(number=number)["return"] == again
    desk.send(again)
    desk.arrive(again)
    assert desk.inspect(mugs(2), name=again)["points"] == 20
    assert (desk.state(number), desk.state("N1")) == (State.CLOSED, State.CLOSED)
    assert desk.available() == desk.before + 20
    assert desk.stock("a", "mug") == Stock(free=5)
    desk.balanced()


# --- people ----------------------------------------------------------------------------------


def test_what_a_learner_is_told_no_event_quotes() -> None:
    """D6, A4: a message in two languages on a card, what was said on another."""
    desk = Counter()
    came_back(desk, words="杯子裂了")
    desk.inspect()
    assert desk.settled().message is not None
    assert "积分" not in str(desk.log.recorded)
    assert list(desk.log.cards.values()).count("lin") == 4  # recipient, payload, words, message


def test_nothing_is_sent_back_to_somebody_who_was_erased() -> None:
    """A4: there is nobody to write on the label; the return is settled all the same."""
    desk = Counter()
    came_back(desk, reason=Fault.CHANGED_MIND)
    desk.log.seed(ACCOUNT, "lin", LearnerErased(reason="asked"), now=desk.now)
    answer = desk.inspect(mugs(2, Verdict.REFUSE, Criterion.UNUSED))
    assert answer["sent_back_in"] is None


def test_both_are_given_when_returns_claim_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """D4 CONTROL: without the claim a plain refund takes what a return is about, and the return
    then has nothing left to give back."""
    desk = Counter()
    monkeypatch.setattr(ordering, "under_return", lambda order: [])
    came_back(desk)
    plain = partial(
        ordering.refund_order, number="N1", wanted=None, fault=Fault.DAMAGED, reason="x",
        goods_back=False, rules=RULES,
    )  # fmt: skip
    assert desk.do(plain)["points"] == 20
    with pytest.raises((Refusal, AssertionError)):
        desk.inspect()


# --- what never comes back -------------------------------------------------------------------


def test_it_is_refunded_when_it_was_lost_on_its_way_back() -> None:
    """D3, D4: staff say so of goods under way; nothing is kept for a way that nobody went."""
    desk = Counter()
    desk.ask(reason=Fault.CHANGED_MIND)
    desk.send()
    agree = partial(settling.agree, name=BACK, reason="lost", message=None, rules=RULES)
    told = desk.do(agree)
    assert (told["points"], told["points_kept"], desk.available()) == (20, 0, 100)
    assert [one.fact_name for one in desk.log.facts(RETURN, BACK)][2:] == [
        "returns.GoodsLost",
        "returns.ReturnSettled",
    ]
    (gone,) = desk.refunded()
    assert gone.goods_back is False
    assert (desk.back(), desk.state("N1")) == (ReturnState.SETTLED, State.CLOSED)
    assert desk.stock("a", "mug").free == 3  # nothing came
    desk.unchanged(NotPossible, partial(desk.do, agree))
    desk.balanced()


def test_the_window_runs_on_when_staff_wait_no_longer_and_what_comes_late_is_inspected() -> None:
    """D3: a number that nobody ever sent under holds a window no longer; goods undo it."""
    desk = Counter()
    desk.ask()
    desk.send()
    opened = desk.log.facts(RETURN, BACK)[0]
    assert isinstance(opened, ReturnOpened)
    assert opened.arrive_by == desk.now + 21 * DAY
    desk.do(partial(returning.reject, name=BACK, reason="made up", message=None, rules=RULES))
    assert (desk.back(), desk.held(), desk.available()) == (ReturnState.LOST, False, desk.before)
    desk.arrive()
    assert (desk.back(), desk.held()) == (ReturnState.TO_INSPECT, True)
    desk.inspect()
    assert (desk.back(), desk.available()) == (ReturnState.SETTLED, 100)
    desk.balanced()


def sent_under_the_houses_label(desk: Counter, **more: Any) -> None:
    """The warehouse labelled it; its learner gave it away under that number."""
    desk.ask(**more)
    label = partial(shipping.issue_waybill, parcel=BACK, carrier="yuantong", waybill="YT-HOUSE")
    desk.do(label)
    desk.do(partial(returning.send, name=BACK, carrier=None, waybill=None))


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("reason", [Fault.CHANGED_MIND, Fault.DAMAGED])
def test_what_the_houses_carrier_lost_is_claimed_of_it_whatever_its_learner_gets(
    reason: Fault, agreed: bool
) -> None:
    """D2, D3: all of it, once, of who lost it; not of who brought it first."""
    desk = Counter()
    sent_under_the_houses_label(desk, reason=reason, lines=(("mug", 1),))
    told = decided(desk, agree=agreed)
    assert [(one["parcel"], one["claimed_fen"]) for one in told["claims"]] == [(BACK, 5_000)]
    (claim,) = desk.log.facts(CLAIM, BACK)
    assert isinstance(claim, ClaimFiled)
    assert (claim.reason, claim.carrier, claim.orders) == (Fault.LOST, "yuantong", ("N1",))
    assert claim.file_by == desk.now + 30 * DAY
    assert desk.log.facts(CLAIM, "N1-P1") == []
    assert desk.available() == desk.before + (10 if agreed else 0)
    more = partial(claiming.step, parcel=BACK, name="corrected", reference="", reason="x")
    desk.do(partial(more, amount_fen=7_000, rules=RULES))  # with its freight, there and back
    desk.unchanged(InvalidRequest, partial(desk.do, partial(more, amount_fen=7_001, rules=RULES)))
    desk.balanced()


def test_nothing_is_claimed_of_a_carrier_that_its_learner_found() -> None:
    """D2: the control: its number is not the house's, also when staff wrote one down before."""
    for labelled in (False, True):
        desk = Counter()
        desk.ask(reason=Fault.CHANGED_MIND)
        if labelled:
            label = partial(shipping.issue_waybill, parcel=BACK, carrier="yuantong", waybill="YT-1")
            desk.do(label)
        desk.send()
        assert decided(desk, agree=True)["claims"] == []
        assert desk.log.facts(CLAIM, BACK) == []


def test_what_comes_after_it_was_refunded_as_lost_is_inspected_and_paid_back_once() -> None:
    """D3, D4: the inspection shelves or scraps it; nothing is refused, nothing refunded again."""
    desk = Counter()
    sent_under_the_houses_label(desk, reason=Fault.CHANGED_MIND)
    decided(desk, agree=True)
    assert (desk.available(), desk.stock("a", "mug").free) == (100, 3)
    desk.arrive()
    assert desk.back() is ReturnState.TO_INSPECT
    desk.arrive()  # saying it twice is once
    desk.unchanged(
        InvalidRequest, partial(desk.inspect, mugs(1), mugs(1, Verdict.REFUSE, Criterion.UNUSED))
    )
    words = Message("x", "x")
    desk.unchanged(InvalidRequest, partial(desk.inspect, mugs(2), message=words))
    told = desk.inspect(mugs(1), mugs(1, Verdict.SCRAP))
    assert (told["points"], told["cash_fen"], told["claims"]) == (0, 0, [])
    assert (desk.back(), desk.available()) == (ReturnState.SETTLED, 100)
    assert desk.stock("a", "mug").free == 4
    assert desk.log.state(ORDER, "N1").out == ()
    assert len(desk.refunded()) == 1
    assert desk.settled().points_refunded == 20
    desk.unchanged(NotPossible, desk.arrive)
    desk.unchanged(NotPossible, partial(desk.inspect, mugs(2)))
    desk.balanced()


def test_a_scan_tells_of_goods_that_were_refunded_as_lost() -> None:
    """T2, D3: signed for at the warehouse; a return that was refunded otherwise stays over."""
    desk = Counter()
    sent_under_the_houses_label(desk)
    decided(desk, agree=True)
    desk.scans(BACK, "已签收,签收人:仓库")
    assert desk.back() is ReturnState.TO_INSPECT
    desk.inspect(mugs(2, Verdict.MISSING))  # an empty box
    assert (desk.back(), desk.stock("a", "mug").free) == (ReturnState.SETTLED, 3)
    other = Counter()
    other.ask(Remedy.REFUND_ONLY)
    decided(other, agree=True)
    other.unchanged(NotPossible, other.arrive)


def test_nothing_is_decided_without_the_goods_before_they_are_sent_or_once_they_are_here() -> None:
    """D3: the control: only what is under way can be lost."""
    desk = Counter()
    desk.ask()
    agree = partial(settling.agree, name=BACK, reason="lost", message=None, rules=RULES)
    reject = partial(returning.reject, name=BACK, reason="lost", message=None, rules=RULES)
    for _ in range(2):
        for decide in (agree, reject):
            desk.unchanged(NotPossible, partial(desk.do, decide))
        desk.arrive()


def test_what_did_not_come_with_the_rest_is_not_refunded() -> None:
    """D3: two were to come back and one did: that one is refunded, no parcel goes anywhere."""
    desk = Counter()
    came_back(desk)
    told = desk.inspect(mugs(1), mugs(1, Verdict.MISSING))
    assert (told["points"], told["sent_back_in"], desk.available()) == (10, None, 90)
    assert (desk.back(), desk.held(), desk.state("N1")) == (
        ReturnState.SETTLED,
        False,
        State.PENDING_END,
    )
    assert desk.stock("a", "mug").free == 4
    assert desk.ask()["return"] == "N1-B2"  # the other one may still be given back
    desk.balanced()


def test_nothing_is_given_or_sent_when_nothing_came() -> None:
    """D3: an empty box; an item that is missing meets and fails no criterion."""
    desk = Counter()
    came_back(desk)
    failed = mugs(2, Verdict.MISSING, Criterion.RIGHT_ITEM)
    desk.unchanged(InvalidRequest, partial(desk.inspect, failed))
    told = desk.inspect(mugs(2, Verdict.MISSING))
    assert (told["points"], told["sent_back_in"], desk.available()) == (0, None, desk.before)
    assert desk.stock("a", "mug").free == 3


@pytest.mark.parametrize(
    ("remedy", "came", "zh", "en"),
    [
        (Remedy.REFUND, Came(2), "500 积分和 19.05 元", "500 points and ¥19.05"),
        (Remedy.REFUND, Came(1, missing=1), "1 件未随包裹寄到", "1 of the units were not in"),
        (Remedy.REFUND, Came(0, missing=2), "没有申请退回的商品", "Nothing of what was to come"),
        (Remedy.REFUND, Came(0, 1, 1), "将寄回给您", "on its way to you again"),
        (Remedy.REFUND, Came(1, 1), "扣除退货运费 10.00 元", "¥10.00 of the price paid"),
        (Remedy.REFUND_ONLY, Came(2, lost=True), "途中遗失", "lost on its way back"),
        (Remedy.REFUND_ONLY, Came(2), "商品无需寄回", "you keep the goods"),
    ],
)
def test_the_message_says_all_that_moves(remedy: Remedy, came: Came, zh: str, en: str) -> None:
    """D6: points and cash, what is kept of either, and what did not come."""
    said = message_for(
        remedy, came, refunded=Amount(500, 1_905), kept=Amount(0, 1_000), replacement=None
    )
    assert zh in said.zh
    assert en in said.en
