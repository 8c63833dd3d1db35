"""What can happen to an order, in any order: commands, points to start from, laws (R19).

Every timer is due at once here (nothing to wait for, no window, nothing kept), so that what the
house does by itself meets what people do in every order, too.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from application import (
    granting,
    ordering,
    privacy,
    readdressing,
    redeeming,
    releasing,
    replanning,
    shipping,
    stocking,
)
from application.addressing import Addressed, addressed
from application.ordering import Payment
from application.recipients import Digests, Recipient
from application.redeeming import SEATS, Wanted, Wish
from application.streams import PARCEL
from application.unit import Unit
from domain.catalogue import Kind, Terms
from domain.house_rules import HouseRules
from domain.lots import lot_id
from domain.order_facts import Channel, Fault
from domain.parcel_facts import Content
from domain.point_facts import Reason
from domain.release_facts import ReviewReason
from domain.scans import Scan, ScanKind
from tests.application import after_sales, together
from tests.application.cases import Case, Commands

RULES = HouseRules(
    pay_within=timedelta(0),
    service_window=timedelta(0),
    kept_visible=timedelta(0),
    return_within=timedelta(0),
    confirm_receipts=True,
    review_value_fen=10**9,
    third_parties=frozenset({"c"}),
)
PLACES = ("a", "b", "c")
"""Two of the mall's own, and a third party's."""
POINTS, COURSE_POINTS, CASH_FEN, UNITS, GRANT = 10, 5, 30, 2, 100
HOME = Recipient.cleaned(
    name="欧阳若兰",
    phone="13912345678",
    province="浙江省",
    city="杭州市",
    address="文三路138号3幢502室",
)
AWAY = addressed(HOME.model_copy(update={"address": "灵隐路 77 号 5 幢 1903"}))
FAR = addressed(HOME.model_copy(update={"province": "江苏省", "city": "南京市"}))
DIGESTS = Digests(b"p" * 32, b"t" * 32, b"a" * 32)


def open_case(unit: Unit, case: Case) -> dict[str, Any]:
    """Items, stock and the order; the points are there."""
    terms = {"kind": Kind.PARCEL, "market_value_fen": 9_000, "weight_grams": 300}
    goods = Terms(name="mug", points=POINTS, cash_fen=CASH_FEN * case.cash, **terms)  # type: ignore[arg-type]
    course = Terms(
        name="course", kind=Kind.COURSE, points=COURSE_POINTS, market_value_fen=0, seat_quota=True
    )
    for sku, item in ((case.sku, goods), (case.course, course)):
        stocking.put_item(unit, sku=sku, terms=item, on_sale=True, rules=RULES)
    places = [
        (case.home, case.sku),
        (SEATS, case.course),
        *([("b", case.sku)] if case.spare else []),
    ]
    for place, sku in places:
        stocking.receive_stock(unit, sku=sku, warehouse=place, quantity=UNITS, reference="D")
    lines = (Wanted(case.sku, UNITS), Wanted(case.course, 1))
    wish = Wish(case.learner, lines, HOME, Channel.APP, digests=DIGESTS)
    return redeeming.place_order(unit, wish, number=case.number, rules=RULES)


# --- what can happen -----------------------------------------------------------------------------


def pay(unit: Unit, case: Case, attempt: str = "first") -> dict[str, Any]:
    payment = Payment(attempt, "sandbox", CASH_FEN * UNITS, unit.now)
    return ordering.take_payment(unit, number=case.number, payment=payment, rules=RULES)


def cancel(unit: Unit, case: Case, units: int | None = None) -> dict[str, Any]:
    wanted = None if units is None else [(case.sku, units)]
    return ordering.cancel_order(unit, number=case.number, wanted=wanted, reason="x", rules=RULES)


def refund(
    unit: Unit, case: Case, wanted: tuple[str, int] | None = None, *, back: bool = False
) -> dict[str, Any]:
    return ordering.refund_order(
        unit,
        number=case.number,
        wanted=None if wanted is None else [(case.sku, wanted[1])],
        fault=Fault.LOST,
        reason="x",
        goods_back=back,
        rules=RULES,
    )


def pack(unit: Unit, case: Case) -> dict[str, Any]:
    return shipping.pack_part(unit, order=case.number, part=case.packable(unit), weight_grams=500)


def label(unit: Unit, case: Case) -> dict[str, Any]:
    parcel = case.parcel(unit)
    return shipping.issue_waybill(unit, parcel=parcel, carrier="shunfeng", waybill=f"SF{parcel}")


def sign(unit: Unit, case: Case) -> dict[str, Any]:
    return shipping.record_scans(
        unit,
        parcel=case.parcel(unit),
        scans=[_signed(unit, case)],
        source="kuaidi100.push",
        raw=b"{}",
        corrected_to=None,
        rules=RULES,
    )


def _signed(unit: Unit, case: Case) -> Scan:
    parcel = case.parcel(unit)
    return Scan(f"SF{parcel}", unit.now, "已签收", "shunfeng", ScanKind.SIGNED)


def confirm(unit: Unit, case: Case) -> dict[str, Any]:
    parcel = case.parcel(unit)
    told = list(unit.read(PARCEL, parcel).tracking.scans)  # its source says the same
    return shipping.confirm_track(unit, parcel=parcel, told=told, asked=unit.now, source="query")


def short_pick(unit: Unit, case: Case) -> dict[str, Any]:
    return replanning.short_pick(
        unit,
        order=case.number,
        part=case.packable(unit),
        sku=case.sku,
        found=0,
        reason="x",
        rules=RULES,
    )


def choose(unit: Unit, case: Case, *, wait: bool) -> dict[str, Any]:
    return replanning.choose(unit, number=case.number, part=None, wait=wait, rules=RULES)


def restock(unit: Unit, case: Case) -> dict[str, Any]:
    stocking.receive_stock(unit, sku=case.sku, warehouse=case.home, quantity=UNITS, reference="E")
    for part in case.goods(unit):
        replanning.send_what_waited(unit, number=case.number, part=part.number, rules=RULES)
    return {}


def release(unit: Unit, case: Case) -> dict[str, Any]:
    contents = [Content(order=case.number, part=case.packable(unit))]
    return releasing.release_together(unit, contents=contents, wave="W1", rules=RULES)


def pick(unit: Unit, case: Case) -> dict[str, Any]:
    parcel = case.parcel(unit)
    place = unit.read(PARCEL, parcel).warehouse
    releasing.start_picking(unit, warehouse=place, parcels=[parcel], pick_list="L1")
    return releasing.pick_parcel(unit, parcel=parcel)


def address(unit: Unit, case: Case, found: Addressed = AWAY) -> dict[str, Any]:
    return readdressing.change_address(
        unit, number=case.number, found=found, digests=DIGESTS, rules=RULES
    )


def settle(unit: Unit, case: Case) -> dict[str, Any]:
    asked = [one for one, state in case.order(unit).refunds if state == "requested"]
    refund_id = asked[0] if asked else f"{case.number}-refund-1"
    return ordering.settle_cash_refund(unit, number=case.number, refund=refund_id, cause=None)


def claw_back(unit: Unit, case: Case) -> dict[str, Any]:
    lot = lot_id(Reason.TASK, case.name)
    return granting.claw_back(unit, learner=case.learner, lot=lot, points=GRANT, rules=RULES)


def erase(unit: Unit, case: Case) -> dict[str, Any]:
    both = (case.number, case.second)
    under_way = [number for number in both if case.order_of(unit, number).placed]
    return privacy.erase_person(unit, learner=case.learner, reason="x", under_way=under_way)


def on_order(use: Callable[..., dict[str, Any]], **more: Any) -> Callable[..., dict[str, Any]]:
    """A command that needs no more than the order's number."""
    return lambda unit, case: use(unit, number=case.number, **more)


def on_parcel(use: Callable[..., dict[str, Any]], **more: Any) -> Callable[..., dict[str, Any]]:
    """A command that needs no more than the parcel's number."""
    return lambda unit, case: use(unit, parcel=case.parcel(unit), **more)


COMMANDS: Commands = {
    "pay": pay,
    "pay_again": partial(pay, attempt="second"),
    "unpaid": on_order(ordering.cancel_unpaid, rules=RULES),
    "cancel": cancel,
    "cancel_one": partial(cancel, units=1),
    "refund": refund,
    "refund_one": partial(refund, wanted=("", 1), back=True),
    "settle": settle,
    "release": release,
    "pick": pick,
    "box": on_parcel(releasing.pack_parcel, weight_grams=500),
    "pack": pack,
    "label": label,
    "hand_over": on_parcel(shipping.hand_over, rules=RULES),
    "sign": sign,
    "confirm": confirm,
    "complete": on_order(ordering.complete_order, rules=RULES),
    "expire": on_order(ordering.expire_order),
    "short": short_pick,
    "wait": partial(choose, wait=True),
    "give_up": partial(choose, wait=False),
    "restock": restock,
    "address": address,
    "move": partial(address, found=FAR),
    "acknowledge": on_parcel(releasing.acknowledge_address, by="ops"),
    "review": on_order(
        releasing.require_review, reasons=[ReviewReason.FREQUENT_ORDERS], rules=RULES
    ),
    "approve": on_order(releasing.approve_order, note="x"),
    "reject": on_order(releasing.reject_order, reason="x", rules=RULES),
    "erase": erase,
    "claw_back": claw_back,
    "freeze": lambda unit, case: granting.put_learner(
        unit, learner=case.learner, status="frozen", reason="x"
    ),
    "progress": lambda unit, case: ordering.note_course_progress(
        unit, number=case.number, sku=case.course, percent=50, rules=RULES
    ),
    **after_sales.commands(RULES),
    **together.commands(RULES, to=HOME, digests=DIGESTS),
}  # fmt: skip


class Start(NamedTuple):
    """Where an order is when two things happen to it, and which of them matter there."""

    steps: tuple[str, ...]
    matter: tuple[str, ...]
    cash: bool = True
    spare: bool = True
    third: bool = False


SHIPPED = ("pay", "release", "pick", "box", "label", "hand_over")
STARTS = {
    "unpaid": Start(
        (), ("pay", "pay_again", "unpaid", "cancel", "address", "move", "erase", "pack",
             "claw_back")
    ),
    "paid": Start(
        ("pay",),
        ("pay_again", "cancel", "cancel_one", "refund", "release", "pack", "short", "address",
         "move", "review", "erase", "claw_back"),
    ),
    "planned": Start(
        ("release",),
        ("cancel", "cancel_one", "pick", "pack", "label", "short", "address", "move", "review",
         "erase", "sign", "refund"),
        cash=False,
    ),
    "packed": Start(
        SHIPPED[:-1],
        ("cancel", "cancel_one", "hand_over", "sign", "address", "acknowledge", "settle",
         "refund"),
    ),
    "sent": Start(
        SHIPPED,
        ("cancel", "refund", "refund_one", "sign", "confirm", "complete", "address", "erase",
         "call_back", "turn_round", "dispute"),
    ),
    "received": Start(
        (*SHIPPED, "sign"),
        ("refund", "refund_one", "confirm", "complete", "expire", "progress", "erase", "return",
         "dispute"),
    ),
    "called_back": Start(
        (*SHIPPED, "call_back"),
        ("sign", "turn_round", "note_track", "take_back", "refund", "refund_one", "erase",
         "dispute", "call_back"),
    ),
    "disputed": Start(
        (*SHIPPED, "sign", "dispute"),
        ("found", "reship", "pay_out", "withdraw", "refund", "refund_one", "return", "erase",
         "confirm", "complete"),
    ),
    "returning": Start(
        (*SHIPPED, "sign", "return"),
        ("send_back", "arrive", "inspect", "withdraw_return", "lapse", "refund", "refund_one",
         "dispute", "erase", "complete"),
    ),
    "to_inspect": Start(
        (*SHIPPED, "sign", "exchange", "send_back", "arrive"),
        ("inspect", "inspect_scrap", "inspect_refuse", "withdraw_return", "refund", "refund_one",
         "dispute", "erase", "complete"),
        cash=False,
    ),
    "short": Start(
        ("pay", "short"),
        ("wait", "give_up", "restock", "cancel", "cancel_one", "pack", "refund", "erase"),
        spare=False,
    ),
    "completed": Start(
        (*SHIPPED, "sign", "confirm", "complete"),
        ("refund", "refund_one", "expire", "erase", "cancel", "settle"),
    ),
    "cancelled": Start(("cancel",), ("pay", "pay_again", "refund", "expire", "restock", "erase")),
    "closed": Start((*SHIPPED, "refund"), ("sign", "confirm", "settle", "expire", "refund")),
    "two": Start(
        ("second",),
        ("wave", "cancel_second", "pack", "review"),
        cash=False,
    ),
    "merged": Start(
        ("second", "wave"),
        ("separate", "cancel_second", "pick", "address", "move"),
        cash=False,
    ),
    "apart": Start(
        ("second", "release", "release_second"),
        ("merge", "cancel_second", "pick", "review"),
        cash=False,
    ),
    "consigned": Start(
        ("release", "consign"),
        ("sent_there", "short_there", "cancel_one", "erase"),
        cash=False, spare=False, third=True,
    ),
    "sent_there": Start(
        ("release", "consign", "sent_there"),
        ("follow", "cancel", "address", "move"),
        cash=False, spare=False, third=True,
    ),
    "cancelled_there": Start(
        ("release", "consign", "taken_there", "follow", "cancel", "cancelled_there"),
        ("follow", "sent_there", "refund", "address"),
        cash=False, spare=False, third=True,
    ),
}  # fmt: skip
FOURS = {
    "unpaid": ("pay", "cancel", "unpaid", "refund"),
    "paid": ("cancel_one", "pack", "short", "refund"),
    "planned": ("pick", "cancel_one", "sign", "refund"),
    "packed": ("hand_over", "cancel_one", "sign", "refund"),
    "sent": ("sign", "confirm", "complete", "refund_one"),
    "short": ("restock", "give_up", "pack", "erase"),
    "completed": ("refund_one", "refund", "expire", "erase"),
    "called_back": ("sign", "take_back", "refund_one", "dispute"),
    "disputed": ("reship", "pay_out", "withdraw", "refund_one"),
    "returning": ("arrive", "withdraw_return", "refund_one", "inspect"),
    "merged": ("separate", "cancel_second", "pick", "cancel_one"),
    "consigned": ("cancel_one", "sent_there", "short_there", "follow"),
}
"""Four commands whose 24 orders are tried from a start: return, cancel and ship meet (R19)."""
