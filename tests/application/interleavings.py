"""What can happen to an order, in any order: commands, points to start from, laws (R19).

Every timer is due at once here (nothing to wait for, no window, nothing kept), so that what the
house does by itself meets what people do in every order, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from application import (
    granting,
    ordering,
    privacy,
    redeeming,
    releasing,
    replanning,
    shipping,
    stocking,
)
from application.addressing import addressed
from application.ordering import Payment
from application.redeeming import SEATS, Wanted, Wish
from application.streams import ACCOUNT, ORDER, PARCEL, PRIVACY, STOCK
from application.unit import Unit
from application.vault import Digests, Recipient
from domain.catalogue import Kind, Terms
from domain.house_rules import HouseRules
from domain.lots import lot_id
from domain.order_facts import Channel, Fault, State
from domain.orders import PROGRESS, Order, Part
from domain.parcel_facts import Content
from domain.parcels import Parcel
from domain.point_facts import Reason
from domain.points import Account
from domain.privacy import Privacy
from domain.release_facts import ReviewReason
from domain.scans import Scan, ScanKind
from domain.stock import Stock, stock_key

RULES = HouseRules(
    pay_within=timedelta(0),
    service_window=timedelta(0),
    kept_visible=timedelta(0),
    confirm_receipts=True,
    review_value_fen=10**9,
)
PLACES = ("a", "b")
POINTS, COURSE_POINTS, CASH_FEN, UNITS, GRANT = 10, 5, 30, 2, 100
HOME = Recipient.cleaned(
    name="欧阳若兰",
    phone="13912345678",
    province="浙江省",
    city="杭州市",
    address="文三路138号3幢502室",
)
AWAY = addressed(HOME.model_copy(update={"address": "灵隐路 77 号 5 幢 1903"}))
DIGESTS = Digests(b"p" * 32, b"t" * 32, b"a" * 32)


@dataclass(frozen=True, slots=True)
class Case:
    """One order of one learner, with goods and a course that nobody else orders."""

    name: str
    cash: bool
    """Whether its goods cost cash, too."""
    spare: bool
    """Whether another warehouse has as much of them."""

    @property
    def learner(self) -> str:
        return f"learner-{self.name}"

    @property
    def number(self) -> str:
        return f"T-{self.name}"

    @property
    def sku(self) -> str:
        return f"mug-{self.name}"

    @property
    def course(self) -> str:
        return f"course-{self.name}"

    def order(self, unit: Unit) -> Order:
        return unit.read(ORDER, self.number)

    def goods(self, unit: Unit) -> list[Part]:
        return [part for part in self.order(unit).parts if part.warehouse]

    def packable(self, unit: Unit) -> int:
        """The part that a packer would take next."""
        found = (one.number for one in self.goods(unit) if one.live and not one.parcel)
        return next(found, 1)

    def parcel(self, unit: Unit) -> str:
        """The parcel that somebody would speak of."""
        found = (one.parcel or one.planned for one in self.goods(unit))
        return next(filter(None, found), f"{self.number}-P1")


def open_case(unit: Unit, case: Case) -> dict[str, Any]:
    """Items, stock and the order; the points are there."""
    terms = {"kind": Kind.PARCEL, "market_value_fen": 9_000, "weight_grams": 300}
    goods = Terms(name="mug", points=POINTS, cash_fen=CASH_FEN * case.cash, **terms)  # type: ignore[arg-type]
    course = Terms(
        name="course", kind=Kind.COURSE, points=COURSE_POINTS, market_value_fen=0, seat_quota=True
    )
    for sku, item in ((case.sku, goods), (case.course, course)):
        stocking.put_item(unit, sku=sku, terms=item, on_sale=True, rules=RULES)
    places = [("a", case.sku), (SEATS, case.course), *([("b", case.sku)] if case.spare else [])]
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
    told = [_signed(unit, case)]
    return shipping.confirm_track(
        unit, parcel=case.parcel(unit), told=told, asked=unit.now, source="query"
    )


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
    stocking.receive_stock(unit, sku=case.sku, warehouse="a", quantity=UNITS, reference="E")
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


def address(unit: Unit, case: Case) -> dict[str, Any]:
    return ordering.change_address(
        unit, number=case.number, found=AWAY, digests=DIGESTS, rules=RULES
    )


def settle(unit: Unit, case: Case) -> dict[str, Any]:
    asked = [one for one, state in case.order(unit).refunds if state == "requested"]
    refund_id = asked[0] if asked else "refund-1"
    return ordering.settle_cash_refund(unit, number=case.number, refund=refund_id, cause=None)


def claw_back(unit: Unit, case: Case) -> dict[str, Any]:
    lot = lot_id(Reason.TASK, case.name)
    return granting.claw_back(unit, learner=case.learner, lot=lot, points=GRANT, rules=RULES)


def erase(unit: Unit, case: Case) -> dict[str, Any]:
    return privacy.erase_person(unit, learner=case.learner, reason="x", under_way=[case.number])


def on_order(use: Callable[..., dict[str, Any]], **more: Any) -> Callable[..., dict[str, Any]]:
    """A command that needs no more than the order's number."""
    return lambda unit, case: use(unit, number=case.number, **more)


def on_parcel(use: Callable[..., dict[str, Any]], **more: Any) -> Callable[..., dict[str, Any]]:
    """A command that needs no more than the parcel's number."""
    return lambda unit, case: use(unit, parcel=case.parcel(unit), **more)


COMMANDS: dict[str, Callable[[Unit, Case], dict[str, Any]]] = {
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
}  # fmt: skip


class Start(NamedTuple):
    """Where an order is when two things happen to it, and which of them matter there."""

    steps: tuple[str, ...]
    matter: tuple[str, ...]
    cash: bool = True
    spare: bool = True


SHIPPED = ("pay", "release", "pick", "box", "label", "hand_over")
STARTS = {
    "unpaid": Start(
        (), ("pay", "pay_again", "unpaid", "cancel", "address", "erase", "pack", "claw_back")
    ),
    "paid": Start(
        ("pay",),
        ("pay_again", "cancel", "cancel_one", "refund", "release", "pack", "short", "address",
         "review", "erase", "claw_back"),
    ),
    "planned": Start(
        ("release",),
        ("cancel", "cancel_one", "pick", "pack", "label", "short", "address", "review", "erase",
         "sign", "refund"),
        cash=False,
    ),
    "packed": Start(
        SHIPPED[:-1],
        ("cancel", "cancel_one", "hand_over", "sign", "address", "acknowledge", "settle",
         "refund"),
    ),
    "sent": Start(
        SHIPPED,
        ("cancel", "refund", "refund_one", "sign", "confirm", "complete", "address", "erase"),
    ),
    "received": Start(
        (*SHIPPED, "sign"),
        ("refund", "refund_one", "confirm", "complete", "expire", "progress", "erase"),
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
}  # fmt: skip
FOURS = {
    "unpaid": ("pay", "cancel", "unpaid", "refund"),
    "paid": ("cancel_one", "pack", "short", "refund"),
    "planned": ("pick", "cancel_one", "sign", "refund"),
    "packed": ("hand_over", "cancel_one", "sign", "refund"),
    "sent": ("sign", "confirm", "complete", "refund_one"),
    "short": ("restock", "give_up", "pack", "erase"),
    "completed": ("refund_one", "refund", "expire", "erase"),
}
"""Four commands whose 24 orders are tried from a start: return, cancel and ship meet (R19)."""


# --- what is seen, and what has to hold ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything about a case, exact at the log's head."""

    account: Account
    order: Order
    shelves: tuple[Stock, ...]
    """In `a`, in `b`, and seats."""
    parcels: tuple[tuple[str, Parcel], ...]
    privacy: Privacy

    @classmethod
    def of(cls, unit: Unit, case: Case) -> "Seen":
        order = case.order(unit)
        keys = [*(stock_key(place, case.sku) for place in PLACES), stock_key(SEATS, case.course)]
        numbers = {f"{case.number}-P1"}
        numbers |= {one for part in order.parts for one in (part.parcel, part.planned) if one}
        return cls(
            unit.read(ACCOUNT, case.learner),
            order,
            tuple(unit.read(STOCK, key) for key in keys),
            tuple((number, unit.read(PARCEL, number)) for number in sorted(numbers)),
            unit.read(PRIVACY, case.learner),
        )

    def outline(self) -> tuple[object, ...]:
        """What two runs of the same commands have in common: no times, no cards."""
        order, account = self.order, self.account
        parts = [
            (part.warehouse, part.units, part.state, part.waits, part.shipped, bool(part.parcel))
            for part in order.parts
        ]
        lots = sum(one.points for one in account.lots)
        refunds = tuple(state for _, state in order.refunds)
        return (order.state, order.cash_fen, parts, account.status, lots, account.debt,
                refunds, self.shelves)  # fmt: skip


def broken(before: Seen | None, seen: Seen, *, clawed: bool) -> Iterator[str]:
    """Laws that do not hold: points, cash, stock, states, parcels.

    `clawed`: the learner's one grant was taken back.
    """
    order, account = seen.order, seen.account
    live = [part for part in order.parts if part.live]
    units = [unit for part in live for unit in part.units]
    price = sum(order.line(unit.line).unit_points * unit.quantity for unit in units)
    fen = sum(order.line(unit.line).unit_cash_fen * unit.quantity for unit in units)
    spent = sum(one.points for one in order.lots)
    held = sum(one.points for hold in account.holds for one in hold.lots)
    there = sum(one.points for one in account.lots)
    if spent != price:
        yield f"{spent} points are spent on units of {price}"
    if held != (0 if order.paid or order.ended else spent):
        yield f"{held} points are held, {spent} spent, paid: {order.paid}"
    granted = 0 if clawed else GRANT
    if there + held + (spent if order.paid else 0) - account.debt != granted:
        yield f"{there} + {held} + {spent} - {account.debt} points are not {granted}"
    if order.paid and order.cash_fen != fen:
        yield f"{order.cash_fen} fen are kept for units of {fen}"
    yield from _broken_stock(seen, live)
    yield from _broken_states(before, seen, live)


def _broken_stock(seen: Seen, live: list[Part]) -> Iterator[str]:
    for place, shelf in zip((*PLACES, None), seen.shelves, strict=True):
        mine = [part for part in live if part.warehouse == place and not part.waits]
        promised = sum(unit.quantity for part in mine if not part.parcel for unit in part.units)
        out = sum(unit.quantity for part in mine if part.parcel for unit in part.units)
        if shelf.free < 0 or shelf.reserved != promised or shelf.picked < out:
            yield f"{place or 'seats'}: {shelf}, {promised} promised, {out} in parcels"


def _broken_states(before: Seen | None, seen: Seen, live: list[Part]) -> Iterator[str]:
    order = seen.order
    if order.ended in (State.CANCELLED, State.CLOSED) and live:
        yield f"it is {order.ended}, and units are to be had"
    if order.ended is State.CANCELLED and any(part.shipped for part in order.parts):
        yield "it is cancelled, and a part was shipped"
    if order.ended is State.COMPLETED and any(one.state is not State.COMPLETED for one in live):
        yield "it is completed, and a part is not"
    if not order.ended and not live:
        yield f"nothing is to be had, and it is {order.state}"
    parcels = dict(seen.parcels)
    for part in live:
        parcel = parcels.get(part.parcel or part.planned or "")
        if parcel is not None and parcel.dissolved:
            yield f"part {part.number} is in a parcel that was unpacked"
        if part.parcel and (parcel is None or not parcel.contents):
            yield f"part {part.number} is in a parcel that there is not"
    if before is not None and not _is_legal(before.order, order):
        yield f"it went from {before.order.state} to {order.state}"


AFTER_THE_END = {
    State.COMPLETED: {State.COMPLETED, State.CLOSED, State.EXPIRED},
    State.CANCELLED: {State.CANCELLED, State.EXPIRED},
    State.CLOSED: {State.CLOSED, State.EXPIRED},
    State.EXPIRED: {State.EXPIRED},
}


def _is_legal(before: Order, after: Order) -> bool:
    """No step back, and after an end only what rules.md 3 says."""
    if before.ended is not None:
        return after.state in AFTER_THE_END[before.ended]
    if after.ended is not None:
        return after.ended is not State.EXPIRED
    return PROGRESS.index(after.state) >= PROGRESS.index(before.state)
