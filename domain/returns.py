"""退货 Returns: refund only, return and refund, exchange; inspected first (D3; rules.md 28)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.choosing import Kept
from domain.countries import HOME
from domain.dispute_facts import Side
from domain.house_rules import HouseRules
from domain.order_facts import Fault, State, Units
from domain.orders import Order
from domain.parts import Part
from domain.refusals import InvalidRequest, NotPossible, Refusal
from domain.return_facts import (
    AgreementDeclined,
    AgreementProposed,
    Criterion,
    GoodsArrived,
    GoodsInspected,
    GoodsLost,
    GoodsSent,
    Inspected,
    Payer,
    Remedy,
    ReturnFact,
    ReturnLapsed,
    ReturnOpened,
    ReturnRejected,
    ReturnSettled,
    ReturnWithdrawn,
    Verdict,
)
from domain.sealed import Sealed

AT_FAULT: dict[Fault, Payer] = {
    Fault.DAMAGED: Payer.CARRIER,
    Fault.LATE: Payer.CARRIER,
    Fault.WRONG_GOODS: Payer.MALL,
    Fault.MISSING_PARTS: Payer.MALL,
    Fault.NOT_AS_DESCRIBED: Payer.MALL,
    Fault.CHANGED_MIND: Payer.LEARNER,
}
"""Who pays the return freight by reason; what never came is no return but a dispute."""
CRITERIA: dict[Fault, tuple[Criterion, ...]] = {
    Fault.DAMAGED: (Criterion.RIGHT_ITEM,),
    Fault.LATE: (Criterion.RIGHT_ITEM, Criterion.COMPLETE, Criterion.UNUSED, Criterion.UNDAMAGED),
    Fault.WRONG_GOODS: (Criterion.UNUSED, Criterion.UNDAMAGED),
    Fault.MISSING_PARTS: (Criterion.RIGHT_ITEM, Criterion.UNDAMAGED),
    Fault.NOT_AS_DESCRIBED: (Criterion.RIGHT_ITEM, Criterion.COMPLETE, Criterion.UNDAMAGED),
    Fault.CHANGED_MIND: tuple(Criterion),
}
"""What goods have to meet to be taken back, by the reason that was given."""


class ReturnState(StrEnum):
    """How far a return is."""

    REQUESTED = "requested"
    """Staff decide: the goods are to stay."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Somebody agreed, and so many points take a second person (A8)."""
    AWAITING_GOODS = "awaiting_goods"
    UNDER_WAY = "under_way"
    TO_INSPECT = "to_inspect"
    SETTLED = "settled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    LOST = "lost"
    """The goods were sent and never came, and nothing was given back for them."""


OPEN = frozenset(
    {
        ReturnState.REQUESTED,
        ReturnState.AWAITING_APPROVAL,
        ReturnState.AWAITING_GOODS,
        ReturnState.UNDER_WAY,
        ReturnState.TO_INSPECT,
    }
)


LATE = frozenset({ReturnState.LAPSED, ReturnState.LOST})
"""Ends that goods which come all the same undo."""
COMING = frozenset({ReturnState.AWAITING_GOODS, ReturnState.UNDER_WAY}) | LATE
"""States in which goods may still come to the warehouse."""


class ReturnWindowOver(Refusal):
    """The service window of what is to be given back is over (rules.md 2)."""

    code = "return_window_over"
    en = "It could be returned until {until}."
    zh = "退换期限已于 {until} 结束。"


def return_id(order: str, nth: int) -> str:
    """The id of an order's nth return, which is its parcel's number, too: `T1-B1`."""
    return f"{order}-B{nth}"


def comes_from_abroad(order: Order) -> bool:
    """Whether its learner finds and pays a carrier: no label of the house is taken there (T7).

    Nothing of a refund is kept for the way back then: who is at fault has paid it, and to whom the
    mall owes it, gets it apart from the refund.
    """
    return order.country != HOME


def returnable(
    order: Order,
    wanted: Sequence[tuple[str, int]] | None,
    *,
    remedy: Remedy,
    when: datetime | None,
    kept: Sequence[Kept],
) -> tuple[Units, ...]:
    """The units of an order that can be given back now; raises why there are none.

    With `when`, only while the service window of their part is open, or stands still.
    """
    stay = remedy is Remedy.REFUND_ONLY
    here = [part for part in order.parts if part.live and _is_there(part, stay=stay)]
    disputed = [by for part in here for by in part.paused_by if by.startswith("dispute:")]
    here = [part for part in here if not any(by in disputed for by in part.paused_by)]
    if disputed and not here:
        case = disputed[0].partition(":")[2]
        raise NotPossible(action="return", why=f"dispute {case} is open for it")
    open_ones = [p for p in here if when is None or _window_open(p, when)]
    over = max((p.window_until for p in here if p.window_until is not None), default=None)
    if here and not open_ones and over is not None:
        raise ReturnWindowOver(until=over.isoformat())
    if not here:
        raise NotPossible(action="return", why="nothing of the order was received")
    if not stay:
        open_ones = [part for part in open_ones if part.warehouse is not None]
        if not open_ones:
            raise NotPossible(action="return", why="a course is not sent back: ask for its refund")
    numbers = {part.number for part in open_ones}
    return order.refundable(wanted, parts=numbers, kept=kept, action="return")


def place_of(order: Order, units: Sequence[Units]) -> str | None:
    """The warehouse that these units came from, and go to; raises when it is not one."""
    numbers = {one.part for one in units}
    places = {part.warehouse for part in order.parts if part.number in numbers}
    if len(places) > 1:
        raise InvalidRequest(field="lines", reason="one return goes to one warehouse")
    return places.pop()


def under_return(order: Order) -> list[Kept]:
    """The order's units that an open return is about: nothing else gives them back (D4)."""
    return [
        Kept(
            one, f"{order.line(one.line).name}: return {claim.by.partition(':')[2]} is open for it"
        )
        for claim in order.returning
        for one in claim.units
    ]


def _is_there(part: Part, *, stay: bool) -> bool:
    if part.state in (State.PENDING_END, State.COMPLETED):
        return True
    return stay and part.state is State.PENDING_RECEIPT


def _window_open(part: Part, when: datetime) -> bool:
    if part.state is State.PENDING_RECEIPT or part.paused_by:
        return True
    in_time = part.window_until is not None and when <= part.window_until
    return part.state is State.PENDING_END and in_time


@dataclass(frozen=True, slots=True)
class Return:
    """What deciding about one return needs."""

    order: str = ""
    learner: str = ""
    units: tuple[Units, ...] = ()
    remedy: Remedy = Remedy.REFUND
    reason: Fault = Fault.CHANGED_MIND
    payer: Payer = Payer.LEARNER
    warehouse: str | None = None
    state: ReturnState = ReturnState.REQUESTED
    send_by: datetime | None = None
    arrive_by: datetime | None = None
    criteria: tuple[Criterion, ...] = ()
    freight_points: int = 0
    freight_fen: int = 0
    words: Sealed | None = None
    goods: tuple[Inspected, ...] = ()
    proposed: AgreementProposed | None = None
    """What waits for a second person."""
    settled: ReturnSettled | None = None
    rejected: ReturnRejected | None = None
    house_label: bool = False
    """The goods left under the house's own label, and not a number that their learner found."""
    given_up: bool = False
    """Staff said once that they were lost on their way back."""

    @property
    def opened(self) -> bool:
        """Whether there is such a return."""
        return bool(self.order)

    @property
    def open(self) -> bool:
        """Whether it is still to be settled."""
        return self.opened and self.state in OPEN

    @property
    def at_the_malls_cost(self) -> bool:
        """Whether the mall bears the way back: its own fault, as the inspection says (W6)."""
        return bool(self.goods) and self.payer is Payer.MALL

    @property
    def may_come(self) -> bool:
        """Whether its goods may still come: also those that were refunded as lost (D3)."""
        refunded = self.state is ReturnState.SETTLED and self.given_up and not self.goods
        return self.state in COMING or refunded

    @property
    def lost_by_the_house(self) -> bool:
        """Whether it was given up as lost under the house's own label, and nothing came (D2)."""
        return self.state is ReturnState.LOST and self.house_label

    def send(self, *, house_label: bool) -> list[ReturnFact]:
        """The goods left their learner; told twice it is once."""
        waits = self.state is ReturnState.AWAITING_GOODS
        return [GoodsSent(house_label=house_label)] if waits else []

    def arrive(self) -> list[ReturnFact]:
        """The goods are at the warehouse, whether or not anybody told of their way, or in time."""
        return [GoodsArrived()] if self.may_come else []

    def must_be(self, action: str, *states: ReturnState) -> None:
        """Refuse what only these states allow."""
        if self.state not in states:
            raise NotPossible(action=action, why=f"the return is {self.state}")

    def inspect(
        self, goods: Sequence[Inspected], *, payer: Payer | None, note: str
    ) -> list[ReturnFact]:
        """Hold what came back against the criteria; each unit once (D3).

        What can be sold again meets them all, what is refused fails one at least, and nobody knows
        what a unit that did not come would have met. Nothing is refused that was paid back as lost.
        """
        self.must_be("inspect", ReturnState.TO_INSPECT)
        if _counted(goods) != _counted(self.units):
            raise InvalidRequest(field="goods", reason="name every unit of the return once")
        for one in goods:
            if not set(one.failed) <= set(self.criteria):
                raise InvalidRequest(field="goods", reason="only the return's own criteria count")
            if one.verdict is Verdict.RESTOCK and one.failed:
                raise InvalidRequest(field="goods", reason="what is sold again meets all criteria")
            if one.verdict is Verdict.MISSING and one.failed:
                raise InvalidRequest(field="goods", reason="what did not come fails no criterion")
            if one.verdict is Verdict.REFUSE and self.settled is not None:
                raise InvalidRequest(field="goods", reason="what was paid back is not refused")
            if one.verdict is Verdict.REFUSE and not one.failed:
                raise InvalidRequest(field="goods", reason="what is refused fails a criterion")
        return [GoodsInspected(goods=tuple(goods), payer=payer or self.payer, note=note)]

    def decide(self, reason: str) -> list[ReturnFact]:
        """Decide without the goods: they are to stay, or were lost on their way back."""
        self.must_be("decide_return", ReturnState.REQUESTED, ReturnState.UNDER_WAY)
        lost = self.state is ReturnState.UNDER_WAY
        return [GoodsLost(reason=reason)] if lost else []

    def propose(self, proposed: AgreementProposed) -> list[ReturnFact]:
        """Wait for the second person (A8)."""
        self.must_be("decide_return", ReturnState.REQUESTED)
        return [proposed]

    def allowed(self, approval: str) -> AgreementProposed:
        """What was proposed, now that the second person allowed it."""
        if self.proposed is None or self.proposed.approval != approval:
            raise NotPossible(action="decide_return", why=f"the return is {self.state}")
        return self.proposed

    def decline(self, *, approval: str, reason: str) -> list[ReturnFact]:
        """The second person said no: it is to be decided again."""
        if self.proposed is None or self.proposed.approval != approval:
            return []
        return [AgreementDeclined(approval=approval, reason=reason)]

    def withdraw(self) -> list[ReturnFact]:
        """Keep the goods after all, until they were sent."""
        self.must_be("withdraw", ReturnState.REQUESTED, ReturnState.AWAITING_GOODS)
        return [ReturnWithdrawn()]

    def lapse(self, *, when: datetime) -> list[ReturnFact]:
        """End it once the time to send the goods is over."""
        by = self.send_by
        waits = self.state is ReturnState.AWAITING_GOODS
        return [ReturnLapsed(send_by=by)] if waits and by is not None and when >= by else []

    def kept_for_freight(self, remedy: Remedy, *, points: int, fen: int) -> tuple[int, int]:
        """(points, fen) of a refund that pay the return freight: never more than it is (D4)."""
        if self.payer is not Payer.LEARNER or remedy is Remedy.REFUND_ONLY:
            return 0, 0
        if points:
            return min(self.freight_points, points), 0
        return 0, min(self.freight_fen, fen)

    def owed_for_exchange(self) -> int:
        """Points of the learner for the way back: an exchange has no refund to bear it (D3)."""
        mine = self.payer is Payer.LEARNER and self.remedy is Remedy.EXCHANGE
        return self.freight_points if mine else 0


def opening_of(
    *,
    number: str,
    order: Order,
    units: tuple[Units, ...],
    remedy: Remedy,
    reason: Fault,
    by: Side,
    when: datetime,
    rules: HouseRules,
) -> ReturnOpened:
    """The first fact of a return with its terms, without what was said. Raises why it is none."""
    if reason not in AT_FAULT:
        raise NotPossible(action="return", why="what never came is disputed, not returned")
    stay = remedy is Remedy.REFUND_ONLY
    if stay and reason is Fault.CHANGED_MIND:
        raise NotPossible(action="return", why="who changed their mind returns the goods")
    place = place_of(order, units)
    own = comes_from_abroad(order)
    return ReturnOpened(
        order=number,
        learner=order.learner,
        units=units,
        remedy=remedy,
        reason=reason,
        by=by,
        payer=AT_FAULT[reason],
        warehouse=None if stay else place,
        send_by=None if stay else when + rules.return_within,
        arrive_by=None if stay else when + rules.return_within + rules.return_arrives_within,
        criteria=() if stay else CRITERIA[reason],
        freight_points=0 if stay or own else rules.return_freight_points,
        freight_fen=0 if stay or own else rules.return_freight_fen,
    )


def taken_back(goods: Iterable[Inspected]) -> tuple[Units, ...]:
    """The units that the house takes back."""
    return _units(one for one in goods if one.verdict in (Verdict.RESTOCK, Verdict.SCRAP))


def refused(goods: Iterable[Inspected]) -> tuple[Units, ...]:
    """The units that go to their learner again."""
    return _units(one for one in goods if one.verdict is Verdict.REFUSE)


def missing(goods: Iterable[Inspected]) -> tuple[Units, ...]:
    """The units that did not come with the others."""
    return _units(one for one in goods if one.verdict is Verdict.MISSING)


def scrapped(goods: Iterable[Inspected]) -> tuple[Units, ...]:
    """The units that nobody can sell again, as they were found."""
    return tuple(
        Units(part=one.part, line=one.line, quantity=one.quantity)
        for one in goods
        if one.verdict is Verdict.SCRAP
    )


def _units(goods: Iterable[Inspected]) -> tuple[Units, ...]:
    counted = _counted(goods).items()
    return tuple(Units(part=part, line=line, quantity=count) for (part, line), count in counted)


def _counted(units: Iterable[Inspected | Units]) -> dict[tuple[int, int], int]:
    summed: dict[tuple[int, int], int] = {}
    for one in units:
        summed[one.part, one.line] = summed.get((one.part, one.line), 0) + one.quantity
    return summed
