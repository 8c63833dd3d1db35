"""订单 Orders: their parts, how far each has come, what may happen next (O3, O4, O8, S2)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.choosing import NO_REASONS, Kept, chosen, without
from domain.countries import HOME
from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.order_facts import (
    AddressChanged,
    Channel,
    LineRated,
    OrderCompleted,
    OrderExpired,
    OrderFact,
    OrderLine,
    PartCompleted,
    PartHandedOver,
    PartPacked,
    PartReceived,
    RefundProposed,
    State,
    Units,
    UnitsUnderReturn,
    Upgrade,
)
from domain.parts import PROGRESS, Part, Promise, Replacement
from domain.point_facts import Counted, LotShare
from domain.refusals import NotPossible
from domain.release_facts import (
    AddressAcknowledged,
    CancelledUnitsSent,
    PartMoved,
    PartPicked,
    PartReleased,
    ReviewReason,
    UnitsCancelling,
)

ENDED = frozenset({State.COMPLETED, State.CANCELLED, State.CLOSED})


@dataclass(frozen=True, slots=True)
class Order:
    """What deciding about one order needs."""

    learner: str = ""
    promise: Promise | None = None
    """When the last parcel should have arrived, and what may follow (rules.md 10)."""
    lines: tuple[OrderLine, ...] = ()
    parts: tuple[Part, ...] = ()
    last_part: int = 0
    """The highest number that a part ever had: no other part gets one that a parcel may name."""
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
    outside: bool = False
    """It came from an outside shop: a refund of it was decided there (rules.md 7)."""
    upgrade: Upgrade | None = None  # paid for (O6)
    progress: tuple[tuple[int, int, int], ...] = ()
    """Courses begun: (line, percent done, percent under which it is refundable)."""
    channel: Channel = Channel.APP
    replacements: tuple[Replacement, ...] = ()
    original: str | None = None
    """The order whose units this one replaces, at no points."""
    replaces: tuple[Units, ...] = ()
    """Units of the original, in the order of this one's lines."""
    review: tuple[ReviewReason, ...] = ()
    """Why a human has to look at it before anything is released; empty: nobody has to (O7)."""
    doubts: tuple[str, ...] = ()
    """What exactly is doubtful about the address, as stable codes, while it waits (O7)."""
    reviewed: tuple[ReviewReason, ...] = ()
    """What a human has looked at already."""
    taken_back: tuple[str, ...] = ()
    """Lots that paid for it, of whose claw-back a human was told: each is asked about (rule 17)."""
    returning: tuple[UnitsUnderReturn, ...] = ()
    """What open returns are about."""
    proposed: tuple[RefundProposed, ...] = ()
    """Refunds that wait for a second person."""
    ratings: tuple[LineRated, ...] = ()
    cancelling: tuple[UnitsCancelling, ...] = ()
    """What third parties have to acknowledge before it is cancelled (rules.md 5)."""
    out: tuple[Units, ...] = ()
    """Goods that are with a carrier or their recipient, though they were paid back."""
    home: tuple[Units, ...] = ()
    """Goods of units still to be had that are in the house again: others are sent instead."""
    strays: tuple[CancelledUnitsSent, ...] = ()
    """Those of them that a third party sent though they were cancelled: somebody has to see to it,
    until they are in the house again or given up."""
    returns: int = 0
    """How many returns were ever opened: the next one's number follows."""

    @property
    def country(self) -> str:
        """Where its parcels go (T7)."""
        return HOME if self.destination is None else self.destination.country

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
            # What nobody found is given up before what is there.
            for part in sorted(self.parts, key=lambda part: not part.waits)
            if part.state is State.PENDING_SHIPMENT
            for unit in part.units
        ]
        asked = [
            Units(part=one.part, line=unit.line, quantity=unit.quantity)
            for one in self.cancelling
            for unit in one.units
        ]
        free = without(open_units, asked)
        waits = "its warehouse was asked already, and has to acknowledge"
        why = {} if wanted is None else dict(self._why_left(free))
        why |= {self.line(unit.line).sku: waits for unit in asked}
        return tuple(self._chosen(free, wanted, action="cancel", because=why))

    def _why_left(self, free: Sequence[Units]) -> Iterator[tuple[str, str]]:
        """Of each item that was handed over or opened, why no more can be cancelled than `free`."""
        left = {
            unit.line: "handed over" if part.warehouse else "opened"
            for part in self.parts
            if part.state in PROGRESS[2:]
            for unit in part.units
        }
        for number, how in left.items():
            line, still = self.line(number), sum(u.quantity for u in free if u.line == number)
            but = f", but for {still}" if still else ""
            yield line.sku, f"{line.name}: {how} already{but}"

    def refundable(
        self,
        wanted: Sequence[tuple[str, int]] | None,
        *,
        parts: Collection[int] | None = None,
        kept: Sequence[Kept] = (),
        action: str = "refund",
    ) -> tuple[Units, ...]:
        """The units a refund after shipping could take: all handed over or granted ones.

        Of these `parts` alone, where some are named, and without what is `kept`. A course only
        while its window is open and little of it was taken, but always when an outside shop
        refunded it (rules.md 7).
        """
        given: list[Units] = []
        why = ""
        for part in self.parts:
            if part.state not in PROGRESS[2:] or (parts is not None and part.number not in parts):
                continue
            for unit in part.units:
                stays = "" if part.warehouse or self.outside else self._why_kept(part, unit.line)
                if not stays:
                    given.append(Units(part=part.number, line=unit.line, quantity=unit.quantity))
                elif wanted is None or any(sku == self.line(unit.line).sku for sku, _ in wanted):
                    why = why or stays
        if why and (wanted is not None or not given) and self.ended in (None, State.COMPLETED):
            raise NotPossible(action=action, why=why)
        because = {self.line(one.units.line).sku: one.why for one in kept}
        free = without(given, [one.units for one in kept])
        return tuple(self._chosen(free, wanted, action=action, because=because))

    def _why_kept(self, part: Part, line: int) -> str:
        """Why a course is no longer refunded; nothing if it is (rules.md 7)."""
        name = self.line(line).name
        if part.state is State.COMPLETED:
            return f"{name}: the time to return the course is over"
        for known, percent, limit in self.progress:
            if known == line and percent >= limit:
                return f"{name}: {percent} % of the course are done, {limit} % are too much"
        return ""

    def units_out(self, parts: Collection[int]) -> tuple[Units, ...]:
        """Units of these parts that are out: to be had, or though they were paid back."""
        live = [
            Units(part=part.number, line=unit.line, quantity=unit.quantity)
            for part in self.parts
            if part.number in parts
            for unit in part.units
        ]
        return (*without(live, self.home), *(one for one in self.out if one.part in parts))

    def live_units(self, line: int) -> int:
        """Units of a line that are still to be had."""
        return sum(unit.quantity for part in self.parts for unit in part.units if unit.line == line)

    def _chosen(
        self,
        open_units: Sequence[Units],
        wanted: Sequence[tuple[str, int]] | None,
        *,
        action: str,
        because: Mapping[str, str] = NO_REASONS,
    ) -> list[Units]:
        if self.ended in (State.CANCELLED, State.CLOSED, State.EXPIRED):
            raise NotPossible(action=action, why=f"the order is {self.state}")
        if wanted is None and not open_units:
            why = next(iter(because.values()), f"the order is {self.state}")
            raise NotPossible(action=action, why=why)
        skus = {line.line: line.sku for line in self.lines}
        return chosen(open_units, wanted, skus=skus, action=action, because=because)

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

    def pack(self, number: int, *, parcel: str, picked: bool = False) -> list[OrderFact]:
        """Put a part's units into a parcel: one that was `picked` for it, or past all that."""
        part = self.open_part(number, "pack", State.PENDING_SHIPMENT)
        if not (picked and part.parcel == parcel):
            if part.entrusted:
                raise NotPossible(action="pack", why="a third party's warehouse sends it")
            self.must_be_free(part, "pack", planned=parcel)
        return [PartPacked(part=number, parcel=parcel)]

    def release(
        self, number: int, *, parcel: str, wave: str, hand_over_by: datetime
    ) -> list[OrderFact]:
        """Let a part be picked, in this parcel (S5); its clock starts (rules.md 11)."""
        part = self.open_part(number, "release", State.PENDING_SHIPMENT)
        self.must_be_free(part, "release")
        return [PartReleased(part=number, parcel=parcel, wave=wave, hand_over_by=hand_over_by)]

    def move(self, number: int, *, parcel: str, reason: str) -> list[OrderFact]:
        """Let a part travel in another parcel than it was released into (S4)."""
        part = self.open_part(number, "separate", State.PENDING_SHIPMENT)
        if part.parcel or not part.planned:
            raise NotPossible(action="separate", why=f"part {number} is not waiting to be picked")
        return [PartMoved(part=number, parcel=parcel, reason=reason)]

    def pick(self, number: int, *, parcel: str) -> list[OrderFact]:
        """Take a part's units from the shelf, for the parcel it was released into (W1)."""
        part = self.open_part(number, "pick", State.PENDING_SHIPMENT)
        self.must_be_free(part, "pick", planned=parcel)
        return [PartPicked(part=number, parcel=parcel)]

    def acknowledge_address(self, number: int, *, by: str) -> list[OrderFact]:
        """Whoever holds the part knows where it goes now; saying so twice is once (rules.md 29)."""
        part = self.open_part(number, "acknowledge_address", State.PENDING_SHIPMENT)
        return [AddressAcknowledged(part=number, by=by)] if part.address_pending else []

    def must_be_free(self, part: Part, action: str, *, planned: str | None = None) -> None:
        """Refuse to touch a part that waits for somebody, or is in another parcel."""
        why = ""
        if self.review:
            why = "the order waits for review"
        elif part.waits:
            why = f"part {part.number} waits for stock"
        elif part.parcel:
            why = f"part {part.number} is in parcel {part.parcel}"
        elif part.planned not in (None, planned):
            why = f"part {part.number} is planned for parcel {part.planned}"
        if why:
            raise NotPossible(action=action, why=why)

    def hand_over(self, number: int) -> list[OrderFact]:
        """The part's parcel is with the carrier; parts gone or further already stay as they are."""
        known = self.part(number)
        if known is not None and (not known.live or known.state in PROGRESS[2:]):
            return []
        part = self.open_part(number, "hand_over", State.PENDING_SHIPMENT)
        if not part.parcel:
            raise NotPossible(action="hand_over", why=f"part {number} is not packed")
        if self.review:
            raise NotPossible(action="hand_over", why="the order waits for review")
        if part.address_pending:
            raise NotPossible(
                action="hand_over",
                why=f"part {number} has a new address that its warehouse did not acknowledge",
            )
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
            and not part.paused_by
        ]
        facts: list[OrderFact] = [PartCompleted(part=number) for number in over]
        rest = [p for p in self.parts if p.live and p.state is not State.COMPLETED]
        if over and len(rest) == len(over):
            facts.append(OrderCompleted(visible_until=when + rules.kept_visible))
        return facts

    def change_address(
        self, destination: Destination, *, doubts: tuple[str, ...] | None = None
    ) -> list[OrderFact]:
        """Send what was not handed over elsewhere (O8); `doubts`: what is doubtful about it."""
        if not any(part.to_be_sent for part in self.parts):
            raise NotPossible(action="change_address", why=f"the order is {self.state}")
        return [AddressChanged(destination=destination, doubts=doubts)]

    def expire(self, *, when: datetime) -> list[OrderFact]:
        """Take an ended order out of its customer's sight once its time is over (O3)."""
        over = self.visible_until is not None and self.visible_until <= when
        return [OrderExpired()] if over and self.ended in ENDED else []

    def open_part(self, number: int, action: str, state: State) -> Part:
        """The live parcel part with this number in this state; `action` is refused otherwise."""
        part = self.part(number)
        if self.state is State.PENDING_PAYMENT or self.ended is not None:
            raise NotPossible(action=action, why=f"the order is {self.state}")
        if part is None or part.warehouse is None:
            raise NotPossible(action=action, why=f"the order has no parcel part {number}")
        if not part.live or part.state is not state:
            raise NotPossible(action=action, why=f"part {number} is {part.state}")
        return part
