"""What one command does in several rooms at once: account, stock, order, parcel (L2, O1, T2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from application import intercepting, ordering, redeeming, shipping, stocking, taking_back
from application.ordering import Payment
from application.recipients import Recipient
from application.redeeming import SEATS, Wanted, Wish
from application.streams import ACCOUNT, ORDER, PARCEL, STOCK
from domain.catalogue import Kind, StorageClass, Terms
from domain.house_rules import HouseRules
from domain.order_facts import Channel, Fault, State, Units
from domain.parcel_facts import Content, ParcelDissolved, ParcelPacked, ParcelScanned
from domain.point_facts import AccountFrozen, PointsGranted, Reason
from domain.refusals import InvalidRequest, NotFound, NotPossible, OrderRefused
from domain.scans import Scan, classify
from domain.stock import Stock, StockScrapped, stock_key
from domain.tracking import ParcelState
from domain.warehouses import EVERYWHERE, Warehouse
from tests.in_memory import InMemoryLog

RULES = HouseRules()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOME = Recipient(name="林小雨", phone="+8613800138000", province="浙江省", address="文三路 1 号")


class Mall:
    """A mall with 100 points for Lin, on a log in memory."""

    def __init__(self) -> None:
        self.log = InMemoryLog()
        self.now = NOON
        self.do(partial(stocking.put_warehouse, warehouse=self.warehouse("a")))
        self.grant("lin", 100)

    @staticmethod
    def warehouse(code: str, **more: Any) -> Warehouse:
        return Warehouse(
            **{
                "code": code,
                "name": code,
                "province": "浙江省",
                "city": "",
                "serves": (EVERYWHERE,),
                **more,
            }
        )

    def do(self, decide: Any) -> dict[str, Any]:
        return self.log.run(decide, now=self.now)

    def grant(self, who: str, points: int) -> None:
        fact = PointsGranted(
            points=points, reason=Reason.TASK, source="s", lot="task:s", nth=0, expires_at=None
        )
        self.log.seed(ACCOUNT, who, fact, now=self.now)

    def item(self, sku: str, *places: str, units: int = 5, **more: Any) -> None:
        fields = {"name": sku, "kind": Kind.PARCEL, "points": 10, "market_value_fen": 9_000}
        terms = Terms(**{**fields, **more})
        self.do(partial(stocking.put_item, sku=sku, terms=terms, on_sale=True, rules=RULES))
        for place in places:
            self.do(
                partial(
                    stocking.receive_stock,
                    sku=sku,
                    warehouse=place,
                    quantity=units,
                    reference="D",
                )
            )

    def place(
        self,
        number: str,
        *lines: tuple[str, int],
        who: str = "lin",
        to: Recipient | None = HOME,
        rules: HouseRules = RULES,
    ) -> dict[str, Any]:
        wish = Wish(who, tuple(Wanted(*line) for line in lines), to, Channel.APP)
        return self.do(partial(redeeming.place_order, wish=wish, number=number, rules=rules))

    def failures(self, number: str, *lines: tuple[str, int], **more: Any) -> list[dict[str, Any]]:
        before = len(self.log.recorded)
        with pytest.raises(OrderRefused) as refused:
            self.place(number, *lines, **more)
        assert len(self.log.recorded) == before
        return [one.as_failure() for one in refused.value.failures]

    def refused(self, number: str, *lines: tuple[str, int], **more: Any) -> list[str]:
        return [one["code"] for one in self.failures(number, *lines, **more)]

    def stock(self, place: str, sku: str) -> Stock:
        return self.log.state(STOCK, stock_key(place, sku))

    def available(self, who: str = "lin") -> int:
        return self.log.state(ACCOUNT, who).available(self.now)

    def state(self, number: str) -> State:
        return self.log.state(ORDER, number).state

    def scans(self, parcel: str, *texts: str) -> dict[str, Any]:
        waybill = self.log.state(PARCEL, parcel).waybill
        assert waybill is not None
        scans = [
            Scan(
                number=waybill,
                time=self.now + timedelta(minutes=nth),
                text=text,
                carrier="yuantong",
                kind=classify(text),
            )
            for nth, text in enumerate(texts)
        ]
        return self.do(
            partial(
                shipping.record_scans,
                parcel=parcel,
                scans=scans,
                source="kuaidi100.push",
                raw=b"{}",
                corrected_to=None,
                rules=RULES,
            )
        )

    def packed(self, order: str, part: int = 1) -> str:
        answer = self.do(partial(shipping.pack_part, order=order, part=part, weight_grams=1))
        parcel: str = answer["parcel"]
        label = partial(shipping.issue_waybill, parcel=parcel, carrier="yuantong", waybill=parcel)
        self.do(label)
        return parcel


# --- placing ---------------------------------------------------------------------------------


def test_points_stock_and_order_move_together_when_an_order_is_placed() -> None:
    """L2: in one commit, and the person is on a card, not in a fact (A4)."""
    mall = Mall()
    mall.item("mug", "a")
    answer = mall.place("N1", ("mug", 2))
    assert (answer["status"], answer["points"]) == ("pending_shipment", 20)
    assert mall.available() == 80
    assert mall.stock("a", "mug") == Stock(free=3, reserved=2)
    assert mall.state("N1") is State.PENDING_SHIPMENT
    destination = mall.log.state(ORDER, "N1").destination
    assert destination is not None
    assert mall.log.cards == {destination.card: "lin"}
    assert "林" not in repr(mall.log.recorded)


def test_every_failing_check_is_answered_when_an_order_is_refused() -> None:
    """O1: all of them at once, and nothing happens."""
    mall = Mall()
    mall.item("mug", "a", limit_per_learner=1, points=60)
    mall.log.seed(ACCOUNT, "lin", AccountFrozen(reason="x"), now=NOON)
    assert mall.refused("N1", ("mug", 9), ("nothing", 1)) == [
        "limit_reached",
        "item_unknown",
        "account_not_active",
        "insufficient_points",
        "out_of_stock",
    ]
    assert mall.refused("N1", ("mug", 1), who="nobody") == [
        "learner_unknown",
        "insufficient_points",
    ]


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (None, "recipient_missing"),
        (HOME.model_copy(update={"province": None}), "province_missing"),
        (HOME.model_copy(update={"province": "西藏自治区"}), "outside_coverage"),
    ],
)
def test_goods_are_refused_when_they_have_nowhere_to_go(to: Recipient | None, code: str) -> None:
    """O1: recipient, province, coverage (rules.md 9)."""
    mall = Mall()
    mall.item("mug", "a")
    rules = replace(RULES, excluded_regions=frozenset({"西藏自治区"}))
    assert mall.refused("N1", ("mug", 1), to=to, rules=rules) == [code]


def test_goods_are_refused_when_no_warehouse_lifts_them() -> None:
    """C2: a warehouse's weight limit is a limit of its coverage."""
    mall = Mall()
    mall.do(
        partial(
            stocking.put_warehouse,
            warehouse=mall.warehouse("a", max_weight_grams=10_000),
        )
    )
    mall.item("stele", "a", weight_grams=10_001, market_value_fen=90_000)
    assert mall.refused("N1", ("stele", 1)) == ["outside_coverage"]


def test_an_order_is_refused_when_it_would_need_too_many_parcels() -> None:
    """S3: at most four parts, courses among them; it is not out of stock (rules.md 1, 2)."""
    mall = Mall()
    mall.item("py", kind=Kind.COURSE)
    classes = (StorageClass.PAPER, StorageClass.METAL, StorageClass.STONE, StorageClass.WOOD)
    for one in classes:
        house = mall.warehouse(one.value, stores=(one,))
        mall.do(partial(stocking.put_warehouse, warehouse=house))
        mall.item(f"i-{one}", one.value, storage_class=one, points=1)
    goods = [(f"i-{one}", 1) for one in classes]
    mall.do(partial(stocking.put_warehouse, warehouse=mall.warehouse("a", serves=("台湾省",))))
    assert mall.refused("N1", *goods, ("py", 1)) == ["too_many_parcels"]
    assert mall.place("N1", *goods)["status"] == "pending_shipment"
    assert mall.place("N2", *goods[:3], ("py", 1))["status"] == "pending_shipment"
    assert len(mall.log.state(ORDER, "N2").parts) == 4


@pytest.mark.parametrize("lines", [(), (("mug", 0),), (("mug", -1),), (("mug", 1), ("mug", 1))])
def test_a_request_is_unusable_when_its_lines_are(lines: tuple[tuple[str, int], ...]) -> None:
    """O1: no lines, no units, or an item named twice."""
    mall = Mall()
    mall.item("mug", "a")
    with pytest.raises(InvalidRequest):
        mall.place("N1", *lines)


def test_a_limit_holds_over_orders_and_is_freed_when_units_come_back() -> None:
    """O1: also for what costs nothing (rules.md 12)."""
    mall = Mall()
    mall.item("leaflet", "a", points=0, limit_per_learner=2)
    mall.place("N1", ("leaflet", 2))
    assert mall.refused("N2", ("leaflet", 1)) == ["limit_reached"]
    mall.do(
        partial(
            ordering.cancel_order, number="N1", wanted=[("leaflet", 1)], reason="x", rules=RULES
        )
    )
    assert mall.place("N2", ("leaflet", 1))["points"] == 0
    assert mall.refused("N3", ("leaflet", 1)) == ["limit_reached"]


# --- paying ----------------------------------------------------------------------------------


def test_nothing_is_left_behind_when_an_order_is_not_paid_in_time() -> None:
    """O4: after three minutes points, stock and limits are free; a payment after that goes back."""
    mall = Mall()
    mall.item("mug", "a", cash_fen=300, limit_per_learner=1)
    mall.place("N1", ("mug", 1))
    assert (mall.available(), mall.state("N1")) == (90, State.PENDING_PAYMENT)
    mall.now += RULES.pay_within - timedelta(microseconds=1)
    mall.do(partial(ordering.cancel_unpaid, number="N1", rules=RULES))
    assert mall.state("N1") is State.PENDING_PAYMENT
    mall.now += timedelta(microseconds=1)
    mall.do(partial(ordering.cancel_unpaid, number="N1", rules=RULES))
    assert (mall.available(), mall.state("N1")) == (100, State.CANCELLED)
    assert mall.stock("a", "mug") == Stock(free=5)
    assert mall.log.state(ACCOUNT, "lin").taken("mug") == 0
    late = Payment("A1", "sandbox", 300, mall.now)
    mall.do(partial(ordering.take_payment, number="N1", payment=late, rules=RULES))
    assert mall.log.state(ORDER, "N1").refunds == (("N1-refund-1", "requested"),)


def test_courses_begin_when_the_cash_part_arrives() -> None:
    """O5, G5: not before; the hold is captured in the same commit (rules.md 7, 8)."""
    mall = Mall()
    mall.item("py", kind=Kind.COURSE, cash_fen=300)
    mall.place("N1", ("py", 1), to=None)
    assert mall.state("N1") is State.PENDING_PAYMENT
    paid = Payment("A1", "sandbox", 300, mall.now)
    mall.do(partial(ordering.take_payment, number="N1", payment=paid, rules=RULES))
    assert mall.state("N1") is State.PENDING_END
    assert mall.log.state(ACCOUNT, "lin").holds == ()


# --- courses with seats ----------------------------------------------------------------------


def test_a_seat_is_free_again_when_its_course_is_refunded() -> None:
    """G5: seats are stock (rules.md 7)."""
    mall = Mall()
    mall.item("py", SEATS, units=1, kind=Kind.COURSE, seat_quota=True)
    mall.place("N1", ("py", 1), to=None)
    assert mall.refused("N2", ("py", 1), to=None) == ["out_of_stock"]
    mall.do(
        partial(
            ordering.refund_order,
            number="N1",
            wanted=None,
            fault=Fault.CHANGED_MIND,
            reason="x",
            goods_back=False,
            rules=RULES,
        )
    )
    assert (mall.state("N1"), mall.available()) == (State.CLOSED, 100)
    assert mall.stock(SEATS, "py") == Stock(free=1)
    assert mall.place("N2", ("py", 1), to=None)["status"] == "completed"


# --- parcels ---------------------------------------------------------------------------------


def test_picked_units_are_put_back_and_the_parcel_unpacked_when_all_is_cancelled() -> None:
    """O8: before hand-over; units that stay keep the parcel (rules.md 5)."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 2))
    parcel = mall.packed("N1")
    assert mall.stock("a", "mug") == Stock(free=3, picked=2)
    cancel = partial(ordering.cancel_order, number="N1", reason="x", rules=RULES)
    mall.do(partial(cancel, wanted=[("mug", 1)]))
    assert not mall.log.state(PARCEL, parcel).dissolved
    mall.do(partial(cancel, wanted=None))
    assert mall.stock("a", "mug") == Stock(free=5)
    assert mall.log.state(PARCEL, parcel).dissolved
    assert mall.log.facts(PARCEL, parcel)[-1] == ParcelDissolved(reason="x")
    with pytest.raises(NotPossible):
        mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))


def test_a_receipt_of_a_parcel_that_was_unpacked_moves_nothing() -> None:
    """T6, W1: what was in it goes in another one, under the same part; it is flagged."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 2))
    parcel = mall.packed("N1")
    mall.do(lambda unit: unit.record(PARCEL, parcel, [ParcelDissolved(reason="merged")]) and {})
    mall.scans(parcel, "已揽收", "已签收，签收人：本人")
    assert mall.state("N1") is State.PENDING_SHIPMENT
    assert mall.log.state(PARCEL, parcel).flagged


def test_a_receipt_of_a_parcel_that_was_packed_moves_its_order() -> None:
    """T6 CONTROL: the same scans of one that is to be sent."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 2))
    mall.scans(mall.packed("N1"), "已揽收", "已签收，签收人：本人")
    assert mall.state("N1") is State.PENDING_END


def test_a_shared_parcel_leaves_when_one_of_its_orders_was_cancelled() -> None:
    """S4: what is gone from it does not hold back the other order."""
    mall = Mall()
    mall.item("mug", "a")
    contents = []
    for number in ("N1", "N2"):
        mall.place(number, ("mug", 1))
        mall.packed(number)
        contents.append(Content(order=number, part=1))
    shared = ParcelPacked(warehouse="a", contents=tuple(contents), weight_grams=1)
    mall.log.seed(PARCEL, "M1", shared, now=NOON)
    label = partial(shipping.issue_waybill, parcel="M1", carrier="yuantong", waybill="YT1")
    mall.do(label)
    mall.do(partial(ordering.cancel_order, number="N1", wanted=None, reason="x", rules=RULES))
    mall.do(partial(shipping.hand_over, parcel="M1", rules=RULES))
    assert (mall.state("N1"), mall.state("N2")) == (State.CANCELLED, State.PENDING_RECEIPT)
    mall.scans("M1", "已签收")
    assert (mall.state("N1"), mall.state("N2")) == (State.CANCELLED, State.PENDING_END)


def test_names_are_blotted_and_the_payload_sealed_when_scans_are_recorded() -> None:
    """A4: the fact keeps what happened; who it was is on a card (rules.md 30)."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 1))
    parcel = mall.packed("N1")
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    texts = ("派件人:张三派件中派件员电话13800138000", "签收人:李四已签收")
    assert mall.scans(parcel, *texts)["new_scans"] == 2
    facts = [one for one in mall.log.facts(PARCEL, parcel) if isinstance(one, ParcelScanned)]
    assert [one.text for one in facts] == ["派件人:*派件中派件员电话*", "签收人:*已签收"]
    assert facts[0].card is not None
    assert mall.log.cards[facts[0].card] == "lin"
    assert mall.scans(parcel, *texts) == {"parcel": parcel, "state": "signed", "new_scans": 0}
    assert mall.state("N1") is State.PENDING_END


def test_a_hand_over_is_taken_in_when_the_receipt_was_known_before() -> None:
    """T2: the carrier scanned faster than the warehouse clicked."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 1))
    parcel = mall.packed("N1")
    assert mall.scans(parcel, "已签收")["state"] == "signed"
    assert mall.state("N1") is State.PENDING_END
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    assert mall.state("N1") is State.PENDING_END
    assert mall.log.state(PARCEL, parcel).track().state is ParcelState.SIGNED


def test_nothing_is_found_when_there_is_no_such_order_or_parcel() -> None:
    """A10: what does not exist and what is somebody else's answer alike."""
    mall = Mall()
    with pytest.raises(NotFound):
        mall.do(partial(ordering.complete_order, number="N9", rules=RULES))
    with pytest.raises(NotFound):
        mall.do(partial(shipping.hand_over, parcel="P9", rules=RULES))


class Stopped(Mall):
    """A mall whose parcel of two mugs and a kite was called back by support."""

    def __init__(self) -> None:
        super().__init__()
        self.item("mug", "a")
        self.item("kite", "a")
        self.place("N1", ("mug", 2), ("kite", 1))
        self.parcel = self.packed("N1")
        self.do(partial(shipping.hand_over, parcel=self.parcel, rules=RULES))
        self.stop()

    def stop(self) -> None:
        wish: dict[str, Any] = {
            "parcel": self.parcel,
            "orders": ["N1"],
            "reason": "x",
            "rules": RULES,
        }
        self.do(partial(intercepting.intercept_parcel, **wish))

    def refund(self, *wanted: tuple[str, int]) -> None:
        decided: dict[str, Any] = {
            "fault": Fault.LOST,
            "reason": "x",
            "goods_back": False,
            "rules": RULES,
        }
        self.do(partial(ordering.refund_order, number="N1", wanted=wanted or None, **decided))

    def back(self, *, intact: bool = True, **more: Any) -> int:
        """Points that the goods bring back, now that they are here."""
        told: dict[str, Any] = {
            "parcel": self.parcel,
            "intact": intact,
            "reason": "x",
            "rules": RULES,
        }
        points: int = self.do(partial(taking_back.take_back, **told, **more))["points"]
        return points

    def shelves(self) -> dict[str, Stock]:
        """What is on them; nothing appears or vanishes on its way (C3)."""
        found = {sku: self.stock("a", sku) for sku in ("mug", "kite")}
        for sku, stock in found.items():
            facts = self.log.facts(STOCK, stock_key("a", sku))
            thrown = sum(one.quantity for one in facts if isinstance(one, StockScrapped))
            assert stock.free + stock.reserved + stock.picked == 5 - thrown
        return found


@pytest.mark.parametrize("refunded", [(), (("mug", 2), ("kite", 1)), (("mug", 1),)])
def test_goods_are_on_their_shelf_once_whatever_was_refunded_before_they_came_back(
    refunded: tuple[tuple[str, int], ...],
) -> None:
    """O8, D3, D4: a decision paid for none, all or some of them: all are back, and paid once."""
    mall = Stopped()
    if refunded:
        mall.refund(*refunded)
    decided = mall.available() - 70
    assert mall.back() == 30 - decided
    assert mall.shelves() == {"mug": Stock(free=5), "kite": Stock(free=5)}
    assert (mall.state("N1"), mall.available()) == (State.CLOSED, 100)
    with pytest.raises(NotPossible, match="already"):
        mall.back()
    assert mall.log.state(ORDER, "N1").out == ()


@pytest.mark.parametrize("refunded", [True, False])
def test_what_came_back_broken_is_thrown_away_and_the_rest_is_sold_again(refunded: bool) -> None:
    """D3, C3: inspected as any return; all of it, or the units that are named and came back."""
    named: tuple[tuple[str, int], ...] = (("mug", 1),)
    for scrap, left in ((named[:0], (3, 4)), (named, (4, 5))):
        mall = Stopped()
        if refunded:
            mall.refund()
        mall.back(intact=False, scrap=scrap)
        assert mall.shelves() == {"mug": Stock(free=left[0]), "kite": Stock(free=left[1])}
        assert mall.available() == 100
    mall = Stopped()
    for intact, more in ((False, [("mug", 3)]), (False, [("pen", 1)]), (True, [("mug", 1)])):
        with pytest.raises(InvalidRequest):
            mall.back(intact=intact, scrap=more)
    assert mall.shelves()["mug"] == Stock(free=3, picked=2)


def test_goods_that_were_given_up_for_lost_are_called_back_and_shelved() -> None:
    """O8, rules.md 3: decided first and found later; nothing is paid a second time (D4)."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 2))
    parcel = mall.packed("N1")
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    lost: dict[str, Any] = {"fault": Fault.LOST, "reason": "x", "goods_back": False, "rules": RULES}
    mall.do(partial(ordering.refund_order, number="N1", wanted=None, **lost))
    assert mall.log.state(ORDER, "N1").out == (Units(part=1, line=1, quantity=2),)
    wish: dict[str, Any] = {"parcel": parcel, "orders": ["N1"], "reason": "found", "rules": RULES}
    mall.do(partial(intercepting.intercept_parcel, **wish))
    mall.scans(parcel, "已签收")
    told: dict[str, Any] = {"parcel": parcel, "intact": True, "reason": "x", "rules": RULES}
    assert mall.do(partial(taking_back.take_back, **told))["points"] == 0
    assert (mall.stock("a", "mug"), mall.available()) == (Stock(free=5), 100)


def test_goods_are_free_again_when_they_came_back_and_not_when_they_did_not() -> None:
    """D3: inspected goods are sold again; a refund only keeps them out of the books' free units."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 2))
    parcel = mall.packed("N1")
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    for goods_back, free in ((True, 4), (False, 4)):
        mall.do(
            partial(
                ordering.refund_order,
                number="N1",
                wanted=[("mug", 1)],
                fault=Fault.DAMAGED,
                reason="x",
                goods_back=goods_back,
                rules=RULES,
            )
        )
        assert mall.stock("a", "mug").free == free
    assert (mall.state("N1"), mall.available()) == (State.CLOSED, 100)
