"""订单 Orders: their parts, how far each has come, what may happen next (O3, O4, O8, S2, D4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.catalogue import Kind
from domain.house_rules import HouseRules
from domain.lots import refund_shares
from domain.order_facts import (
    AddressChanged,
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
    Destination,
    EntitlementGranted,
    EntitlementRevoked,
    Fault,
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderExpired,
    OrderFact,
    OrderLine,
    PartCompleted,
    PartHandedOver,
    PartPacked,
    PartReceived,
    PaymentCaptured,
    PaymentFailed,
    State,
    Units,
    UnitsCancelled,
    UnitsRefunded,
)
from domain.point_facts import Counted, LotShare
from domain.refusals import InvalidRequest, NotPossible
from domain.splitting import Allocation

PROGRESS = (
    State.PENDING_PAYMENT,
    State.PENDING_SHIPMENT,
    State.PENDING_RECEIPT,
    State.PENDING_END,
    State.COMPLETED,
)
"""The states of a live part, least advanced first (rules.md 2)."""

ENDED = frozenset({State.COMPLETED, State.CANCELLED, State.CLOSED})


class Part(NamedTuple):
    """A sub-order: what one warehouse sends, or the courses granted."""

    number: int
    warehouse: str | None
    units: tuple[Allocation, ...]
    """What is still to be had; cancelled and refunded units are gone from here."""
    state: State
    parcel: str | None = None
    shipped: bool = False
    window_until: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether anything of this part is still to be had."""
        return bool(self.units)


@dataclass(frozen=True, slots=True)
class Order:
    """What deciding about one order needs."""

    learner: str = ""
    lines: tuple[OrderLine, ...] = ()
    parts: tuple[Part, ...] = ()
    lots: tuple[LotShare, ...] = ()
    """What of the order's points is still spent, lot by lot: a refund never exceeds it (D4)."""
    freight_fen: int = 0
    cash_fen: int = 0
    """Cash due or kept for live units and their freight; refunds take from it (D4)."""
    pay_by: datetime | None = None
    paid: bool = True
    payment: str | None = None
    attempts: tuple[str, ...] = ()
    """Attempts that brought money, kept or on its way back."""
    failed: tuple[str, ...] = ()
    refunds: tuple[tuple[str, str], ...] = ()
    """Cash refunds by id, each `requested`, `confirmed` or `failed`."""
    destination: Destination | None = None
    ended: State | None = None
    visible_until: datetime | None = None

    @property
    def placed(self) -> bool:
        """Whether there is such an order."""
        return bool(self.lines)

    @property
    def state(self) -> State:
        """The order's state: that of its least advanced live part (rules.md 2, 3)."""
        if self.ended is not None:
            return self.ended
        if not self.paid:
            return State.PENDING_PAYMENT
        live = [part.state for part in self.parts if part.units]
        if len(live) == 1:
            return live[0]
        return min(live, key=PROGRESS.index) if live else State.CANCELLED

    @property
    def needs_recipient(self) -> bool:
        """Whether something is still to reach its recipient by parcel."""
        return self.ended is None and any(
            part.live and part.warehouse is not None and part.state in PROGRESS[:3]
            for part in self.parts
        )

    @property
    def partly_shipped(self) -> bool:
        """Whether some parts left and others did not."""
        shipped = {part.shipped for part in self.parts if part.live and part.warehouse}
        return len(shipped) == 2

    def line(self, number: int) -> OrderLine:
        """The line with this number; lines are numbered from one."""
        return self.lines[number - 1]

    def part(self, number: int) -> Part | None:
        """The part with this number, or None."""
        return next((part for part in self.parts if part.number == number), None)

    def cancellable(self, wanted: Sequence[tuple[str, int]] | None) -> tuple[Units, ...]:
        """The units a cancellation would take: all that were not handed over, or those `wanted`.

        `wanted` names (sku, quantity); more than can still be cancelled is refused (rules.md 5).
        """
        open_units = [
            Units(part=part.number, line=unit.line, quantity=unit.quantity)
            for part in self.parts
            if part.state is State.PENDING_SHIPMENT
            for unit in part.units
        ]
        return tuple(self._chosen(open_units, wanted, action="cancel"))

    def refundable(self, wanted: Sequence[tuple[str, int]] | None) -> tuple[Units, ...]:
        """The units a refund after shipping could take: all handed over or granted ones."""
        open_units = [
            Units(part=part.number, line=unit.line, quantity=unit.quantity)
            for part in self.parts
            if part.state in (State.PENDING_RECEIPT, State.PENDING_END, State.COMPLETED)
            # A course is refundable only while its window is open (rules.md 7).
            if part.warehouse is not None or part.state is not State.COMPLETED
            for unit in part.units
        ]
        return tuple(self._chosen(open_units, wanted, action="refund"))

    def _chosen(
        self, open_units: Sequence[Units], wanted: Sequence[tuple[str, int]] | None, *, action: str
    ) -> list[Units]:
        if self.ended in (State.CANCELLED, State.CLOSED, State.EXPIRED):
            raise NotPossible(action=action, why=f"the order is {self.state}")
        if wanted is None:
            if not open_units:
                raise NotPossible(action=action, why=f"the order is {self.state}")
            return list(open_units)
        chosen: list[Units] = []
        for sku, quantity in _summed(wanted).items():
            missing = quantity
            for unit in open_units:
                if self.line(unit.line).sku == sku and missing:
                    taken = min(missing, unit.quantity)
                    missing -= taken
                    chosen.append(unit.model_copy(update={"quantity": taken}))
            if missing:
                possible = quantity - missing
                raise NotPossible(
                    action=action, why=f"{sku}: {possible} of {quantity} units are open to it"
                )
        return chosen

    def price(self, units: Sequence[Units]) -> tuple[int, int]:
        """(points, fen) that these units cost: whole units, so parts always add up (S3)."""
        points = sum(self.line(unit.line).unit_points * unit.quantity for unit in units)
        fen = sum(self.line(unit.line).unit_cash_fen * unit.quantity for unit in units)
        return points, fen

    def counted(self, units: Sequence[Units]) -> tuple[Counted, ...]:
        """The units among these that count against a limit per learner (rules.md 12)."""
        return tuple(
            Counted(sku=self.line(unit.line).sku, quantity=unit.quantity)
            for unit in units
            if self.line(unit.line).counts
        )

    def cancel(
        self, units: Sequence[Units], *, reason: str, refund: str, when: datetime, rules: HouseRules
    ) -> list[OrderFact]:
        """Take units back before hand-over; the last one gone ends the order (rules.md 3).

        Points go back by the caller's `Account.restore` of the fact's `lots`; cash is requested
        under the id `refund`. A refund never exceeds what is still kept (D4).
        """
        points, fen = self.price(units)
        if not self.paid:
            if not self._empties(units):
                raise NotPossible(action="cancel", why="an unpaid order is cancelled as a whole")
            fen = 0
        elif not any(part.shipped and part.warehouse for part in self.parts):
            fen += self._freight_kept(without=units)  # nothing was sent, nothing will be
        facts: list[OrderFact] = [
            UnitsCancelled(
                units=tuple(units),
                points=points,
                cash_fen=fen,
                lots=self._shares_of(points),
                reason=reason,
            ),
            *self._cash_back(fen, refund, reason),
        ]
        return facts + self._ending(units, reason, visible_until=when + rules.kept_visible)

    def refund(
        self,
        units: Sequence[Units],
        *,
        fault: Fault,
        reason: str,
        goods_back: bool,
        refund: str,
        when: datetime,
        rules: HouseRules,
    ) -> list[OrderFact]:
        """Give units back after shipping, by a decision with actor and reason (rules.md 3)."""
        points, fen = self.price(units)
        if fault is not Fault.CHANGED_MIND:  # mall's or carrier's fault (rules.md 8)
            fen += self._freight_kept(without=units)
        facts: list[OrderFact] = [
            EntitlementRevoked(
                part=unit.part,
                line=unit.line,
                sku=self.line(unit.line).sku,
                quantity=unit.quantity,
            )
            for unit in units
            if self.line(unit.line).kind is Kind.COURSE
        ]
        facts.append(
            UnitsRefunded(
                units=tuple(units),
                points=points,
                cash_fen=fen,
                lots=self._shares_of(points),
                fault=fault,
                reason=reason,
                goods_back=goods_back,
            )
        )
        facts += self._cash_back(fen, refund, reason)
        return facts + self._ending(units, reason, visible_until=when + rules.kept_visible)

    def _shares_of(self, points: int) -> tuple[LotShare, ...]:
        back, _ = refund_shares(self.lots, points)
        assert sum(share.points for share in back) == points  # never more than was taken (D4)
        return back

    def _left(self, part: Part, gone: Sequence[Units]) -> int:
        """Units of a part that stay when these are gone."""
        leaving = sum(unit.quantity for unit in gone if unit.part == part.number)
        return sum(unit.quantity for unit in part.units) - leaving

    def _empties(self, units: Sequence[Units]) -> bool:
        return not any(self._left(part, units) for part in self.parts)

    def _freight_kept(self, *, without: Sequence[Units]) -> int:
        """Freight still kept, if no parcel is left to be had when these units are gone."""
        if any(self._left(part, without) for part in self.parts if part.warehouse):
            return 0
        live = [
            Units(part=part.number, line=unit.line, quantity=unit.quantity)
            for part in self.parts
            for unit in part.units
        ]
        return self.cash_fen - self.price(live)[1]

    def _cash_back(self, fen: int, refund: str, reason: str) -> list[OrderFact]:
        if not fen or self.payment is None:
            return []
        return [
            CashRefundRequested(refund=refund, attempt=self.payment, amount_fen=fen, reason=reason)
        ]

    def _ending(
        self, units: Sequence[Units], reason: str, *, visible_until: datetime
    ) -> list[OrderFact]:
        """The end these units' leaving brings: all are gone, or all that stay are completed."""
        if self._empties(units):
            if any(part.shipped for part in self.parts):
                return [OrderClosed(reason=reason, visible_until=visible_until)]
            return [OrderCancelled(reason=reason, visible_until=visible_until)]
        staying = (part.state for part in self.parts if self._left(part, units))
        if self.ended is None and all(state is State.COMPLETED for state in staying):
            return [OrderCompleted(visible_until=visible_until)]
        return []

    def capture(
        self, *, attempt: str, means: str, amount_fen: int, paid_at: datetime
    ) -> list[OrderFact]:
        """A payment arrived: captured once; too late or once more, it goes back by itself (8)."""
        if attempt in self.attempts:
            return []
        paid = PaymentCaptured(attempt=attempt, means=means, amount_fen=amount_fen, paid_at=paid_at)
        if not self.paid and self.ended is None and amount_fen == self.cash_fen:
            return [paid]
        why = "the order was ended" if self.ended else "the order was paid already"
        if not self.paid and self.ended is None:
            why = f"{self.cash_fen} fen are due, {amount_fen} came"
        return [
            CashRefundRequested(
                refund=f"late-{attempt}", attempt=attempt, amount_fen=amount_fen, reason=why
            )
        ]

    def fail_payment(self, *, attempt: str, cause: str) -> list[OrderFact]:
        """An attempt failed; others may follow (rules.md 8)."""
        if attempt in self.attempts or attempt in self.failed:
            return []
        return [PaymentFailed(attempt=attempt, cause=cause)]

    def settle_refund(self, refund: str, *, cause: str | None) -> list[OrderFact]:
        """The provider answered about a refund: confirmed, or failed with its cause."""
        status = dict(self.refunds).get(refund)
        if status is None:
            raise NotPossible(action="settle_refund", why=f"no refund {refund} was requested")
        if status == "confirmed" or (status == "failed" and cause is not None):
            return []
        if cause is None:
            return [CashRefundConfirmed(refund=refund)]
        return [CashRefundFailed(refund=refund, cause=cause)]

    def grant_courses(self, *, when: datetime, rules: HouseRules) -> list[OrderFact]:
        """Grant every course of a paid order; its service window starts at once (rules.md 7)."""
        facts: list[OrderFact] = []
        for part in self.parts if self.paid and self.ended is None else ():
            if part.warehouse is not None or part.state is not State.PENDING_SHIPMENT:
                continue
            facts += [
                EntitlementGranted(
                    part=part.number,
                    line=unit.line,
                    sku=self.line(unit.line).sku,
                    quantity=unit.quantity,
                )
                for unit in part.units
            ]
            facts += self.receive(part.number, when=when, rules=rules)
        return facts

    def pack(self, number: int, *, parcel: str) -> list[OrderFact]:
        """Put a part's units into a parcel."""
        part = self._open_part(number, "pack", State.PENDING_SHIPMENT)
        if part.parcel:
            raise NotPossible(action="pack", why=f"part {number} is in parcel {part.parcel}")
        return [PartPacked(part=number, parcel=parcel)]

    def hand_over(self, number: int) -> list[OrderFact]:
        """The part's parcel is with the carrier; parts gone or further already stay as they are."""
        known = self.part(number)
        if known is not None and (not known.live or known.state in PROGRESS[2:]):
            return []
        part = self._open_part(number, "hand_over", State.PENDING_SHIPMENT)
        if not part.parcel:
            raise NotPossible(action="hand_over", why=f"part {number} is not packed")
        return [PartHandedOver(part=number, parcel=part.parcel)]

    def receive(self, number: int, *, when: datetime, rules: HouseRules) -> list[OrderFact]:
        """The part reached its learner; parts that are gone or further already stay as they are."""
        part = self.part(number)
        if part is None or not part.live or part.state not in PROGRESS[1:3]:
            return []
        return [
            PartReceived(part=number, received_at=when, window_until=when + rules.service_window)
        ]

    def complete(self, *, when: datetime, rules: HouseRules) -> list[OrderFact]:
        """End every service window that is over; the last one completes the order (O4)."""
        if self.ended is not None:
            return []
        over = [
            part.number
            for part in self.parts
            if part.live
            and part.state is State.PENDING_END
            and part.window_until is not None
            and part.window_until <= when
        ]
        facts: list[OrderFact] = [PartCompleted(part=number) for number in over]
        rest = [p for p in self.parts if p.live and p.state is not State.COMPLETED]
        if over and len(rest) == len(over):
            facts.append(OrderCompleted(visible_until=when + rules.kept_visible))
        return facts

    def change_address(self, destination: Destination) -> list[OrderFact]:
        """Send what was not handed over elsewhere (O8)."""
        if not any(
            p.live and p.warehouse and p.state is State.PENDING_SHIPMENT for p in self.parts
        ):
            raise NotPossible(action="change_address", why=f"the order is {self.state}")
        return [AddressChanged(destination=destination)]

    def expire(self, *, when: datetime) -> list[OrderFact]:
        """Take an ended order out of its customer's sight once its time is over (O3)."""
        over = self.visible_until is not None and self.visible_until <= when
        return [OrderExpired()] if over and self.ended in ENDED else []

    def _open_part(self, number: int, action: str, state: State) -> Part:
        part = self.part(number)
        if self.state is State.PENDING_PAYMENT or self.ended is not None:
            raise NotPossible(action=action, why=f"the order is {self.state}")
        if part is None or part.warehouse is None:
            raise NotPossible(action=action, why=f"the order has no parcel part {number}")
        if not part.live or part.state is not state:
            raise NotPossible(action=action, why=f"part {number} is {part.state}")
        return part


def _summed(wanted: Sequence[tuple[str, int]]) -> dict[str, int]:
    """What is asked for by SKU: naming one twice asks for both."""
    asked: dict[str, int] = {}
    for sku, quantity in wanted:
        if quantity < 1:
            raise InvalidRequest(field="lines", reason="name at least one unit of each")
        asked[sku] = asked.get(sku, 0) + quantity
    if not asked:
        raise InvalidRequest(field="lines", reason="name at least one unit")
    return asked
