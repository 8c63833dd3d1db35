"""What has to hold of an order whatever happened to it, in any order (R19)."""

from collections.abc import Iterator
from dataclasses import dataclass

from application.redeeming import SEATS
from application.streams import (
    ACCOUNT,
    DISPUTE,
    INTERCEPT,
    ORDER,
    PARCEL,
    PRIVACY,
    RETURN,
    STOCK,
)
from application.unit import Unit
from domain.disputes import Dispute, case_id
from domain.intercepts import Intercept
from domain.order_facts import State
from domain.orders import Order
from domain.parcels import Parcel
from domain.parts import PROGRESS, Part
from domain.points import Account
from domain.privacy import Privacy
from domain.return_facts import Remedy, Verdict
from domain.returns import OPEN, Return, ReturnState, return_id
from domain.stock import Stock, stock_key
from tests.application.cases import Case
from tests.application.interleavings import GRANT, PLACES


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything about a case, exact at the log's head."""

    account: Account
    order: Order
    shelves: tuple[Stock, ...]
    """In `a`, in `b`, and seats."""
    parcels: tuple[tuple[str, Parcel], ...]
    privacy: Privacy
    linked: tuple[Order, ...]
    """Orders that send units of it once more (rules.md 6)."""
    returns: tuple[tuple[str, Return], ...]
    cases: tuple[tuple[str, Dispute], ...]
    intercepts: tuple[Intercept, ...]
    second: Order
    """Another order of its learner, for what costs nothing; it may not have been placed."""
    gifts: Stock
    home: str

    @classmethod
    def of(cls, unit: Unit, case: Case) -> "Seen":
        order = case.order(unit)
        keys = [*(stock_key(place, case.sku) for place in PLACES), stock_key(SEATS, case.course)]
        numbers = {f"{case.number}-P1"}
        second = case.order_of(unit, case.second)
        parts = (*order.parts, *second.parts)
        numbers |= {one for part in parts for one in (part.parcel, part.planned) if one}
        returns = [return_id(case.number, nth) for nth in range(1, order.returns + 1)]
        cases = [case_id(case.number, parcel) for parcel in sorted(numbers)]
        made = [one.number for one in order.replacements if one.state == "ordered"]
        return cls(
            unit.read(ACCOUNT, case.learner),
            order,
            tuple(unit.read(STOCK, key) for key in keys),
            tuple((number, unit.read(PARCEL, number)) for number in sorted(numbers)),
            unit.read(PRIVACY, case.learner),
            tuple(unit.read(ORDER, number) for number in made),
            tuple((RETURN.stream(name), unit.read(RETURN, name)) for name in returns),
            tuple((DISPUTE.stream(name), unit.read(DISPUTE, name)) for name in cases),
            tuple(unit.read(INTERCEPT, number) for number in sorted(numbers)),
            second,
            unit.read(STOCK, stock_key(case.home, case.gift)),
            case.home,
        )

    def outline(self) -> tuple[object, ...]:
        """What two runs of the same commands have in common: no times, no cards."""
        order, account = self.order, self.account
        parts = [
            (part.warehouse, part.units, part.state, part.waits, part.shipped, bool(part.parcel))
            for part in (*order.parts, *self.second.parts)
        ]
        lots = sum(one.points for one in account.lots)
        refunds = tuple(state for _, state in order.refunds)
        after_sales = (
            [one.state for one in self.linked],
            [one.state for _, one in self.returns],
            [one.state for _, one in self.cases],
            [one.state for one in self.intercepts],
        )
        return (order.state, order.cash_fen, parts, account.status, lots, account.debt,
                refunds, self.shelves, after_sales, self.gifts)  # fmt: skip


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
    yield from _broken_states(before.order if before else None, order, seen, live)
    if seen.second.placed:
        yield from _broken_second(before, seen)
    yield from _broken_claims(seen, live)


def _broken_stock(seen: Seen, live: list[Part]) -> Iterator[str]:
    # What was exchanged stays the order's, and its goods are in the house again (rules.md 6).
    exchanged = sum(
        one.quantity
        for _, back in seen.returns
        if back.state is ReturnState.SETTLED and back.remedy is Remedy.EXCHANGE
        for one in back.goods
        if one.verdict is not Verdict.REFUSE
    )
    for place, shelf in zip((*PLACES, None), seen.shelves, strict=True):
        again = [part for order in seen.linked for part in order.parts if part.live]
        mine = [part for part in [*live, *again] if part.warehouse == place and not part.waits]
        promised = sum(unit.quantity for part in mine if not part.parcel for unit in part.units)
        out = sum(unit.quantity for part in mine if part.parcel for unit in part.units)
        out -= exchanged if place == seen.home else 0
        if shelf.free < 0 or shelf.reserved != promised or shelf.picked < out:
            yield f"{place or 'seats'}: {shelf}, {promised} promised, {out} in parcels"


def _broken_second(before: Seen | None, seen: Seen) -> Iterator[str]:
    """What travels with the first has its own stock and states, whatever becomes of that."""
    live = [part for part in seen.second.parts if part.live]
    promised = sum(unit.quantity for part in live if not part.parcel for unit in part.units)
    out = sum(unit.quantity for part in live if part.parcel for unit in part.units)
    shelf = seen.gifts
    if shelf.free < 0 or shelf.reserved != promised or shelf.picked < out:
        yield f"gifts: {shelf}, {promised} promised, {out} in parcels"
    known = before.second if before is not None and before.second.placed else None
    for one in _broken_states(known, seen.second, seen, live):
        yield f"the second: {one}"
    together = {part.parcel for part in live if part.parcel} & {
        part.parcel for part in seen.order.parts if part.live
    }
    if len({part.state for part in (*seen.order.parts, *live) if part.parcel in together}) > 1:
        yield f"what travels in {together} is not equally far"


def _broken_states(
    before: Order | None, order: Order, seen: Seen, live: list[Part]
) -> Iterator[str]:
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
    if before is not None and not _is_legal(before, order):
        yield f"it went from {before.state} to {order.state}"


def _broken_claims(seen: Seen, live: list[Part]) -> Iterator[str]:
    """Windows stand still, and units are spoken for, as long as somebody waits, and no longer."""
    returning = {name for name, one in seen.returns if one.opened and one.state in OPEN}
    claimed = {one.by for one in seen.order.returning}
    if claimed != returning:
        yield f"units are claimed by {claimed}, open returns are {returning}"
    if any(one.state is ReturnState.SETTLED and not one.goods for _, one in seen.returns):
        yield "a return was settled on no goods"
    waiting = returning | {name for name, one in seen.cases if one.live}
    for part in live:
        idle = set(part.paused_by) - waiting
        if idle:
            yield f"the window of part {part.number} stands still for {idle}"
    spoken = {(one.part, one.line): one.quantity for by in seen.order.returning for one in by.units}
    for (number, line), quantity in spoken.items():
        there = sum(
            unit.quantity
            for part in live
            for unit in part.units
            if (part.number, unit.line) == (number, line)
        )
        if there < quantity:
            yield f"{quantity} units of line {line} are to come back, {there} are there"


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
