"""包裹现状 What is known of a parcel, and what that says together (W1, S4, T2)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field, PlainSerializer

from domain.anomalies import AnomalyKind
from domain.choosing import both
from domain.corrections import Correction
from domain.countries import HOME
from domain.declarations import Declaration
from domain.destinations import Destination
from domain.known_scans import TrackState
from domain.labels import Labels
from domain.lanes import Lane
from domain.order_facts import Units
from domain.orders import Order
from domain.own_numbers import SecondNumber
from domain.parcel_facts import (
    ArrivalEstimated,
    Content,
    DeliveryDelayed,
    OddityDecided,
    ParcelRedirected,
    ReceiptProved,
)
from domain.parts import Part, units_of
from domain.scans import ScanIdentity
from domain.splitting import Allocation, Shipping
from domain.tracking import Track


class Stage(StrEnum):
    """How far a parcel has come before it is with its carrier (W1)."""

    PLANNED = "planned"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    AWAITED = "awaited"
    """Its learner is to send it: goods come back in it (D3)."""
    HANDED_OVER = "handed_over"
    DISSOLVED = "dissolved"


class OddityDecision(StrEnum):
    """What a human says of scans that are odd (T6)."""

    ACCEPTED = "accepted"
    VOIDED = "voided"
    """They do not count."""
    ANOTHER_PARCEL = "another_parcel"
    """They are of another parcel with the same number."""


VOIDING = frozenset({OddityDecision.VOIDED, OddityDecision.ANOTHER_PARCEL})
"""Decisions after which the scans do not count."""

IN_HOUSE = frozenset({Stage.PLANNED, Stage.PICKING, Stage.PICKED, Stage.PACKED})


class Unsent(NamedTuple):
    """Units of an order that lie in a parcel and are to be sent no more (rules.md 5)."""

    order: str
    part: int
    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class KnownParcel:
    """What deciding about one parcel needs; what can be decided is in `domain.parcels`."""

    warehouse: str = ""
    country: str = HOME
    """Where it goes; abroad it passes customs (T7)."""
    contents: tuple[Content, ...] = ()
    goods: tuple[Units, ...] = ()
    """Refused goods of a return that go to their learner again, and nothing else of its parts."""
    stage: Stage = Stage.PACKED
    """Whether it has a waybill, and may be labelled, is another question."""
    to: Destination | None = None
    """Where it goes, whatever the order's place is: where its goods went that came back (O8)."""
    wave: str | None = None
    pick_list: str | None = None
    """The list that its units are taken by."""
    hand_over_by: datetime | None = None
    shipping: Shipping | None = None
    """How it is sent, where several parts share it: each one's own plan does not say (W4)."""
    carrier: str | None = None
    waybill: str | None = None
    labelled: str | None = None
    """The carrier that is on its label, whoever has it really."""
    corrections: Annotated[frozenset[Correction], PlainSerializer(sorted)] = frozenset()
    """What partners said of whose number it is (wire 1.6)."""
    unexplained: bool = False
    """Whether nobody said why another carrier has it than was chosen (W4)."""
    watched: bool = False
    """Whether a partner watches the waybill as it is now."""
    watch_again_at: datetime | None = None
    """When the partner that gave up may be asked to watch it again (wire 1.5)."""
    watch_over: bool = False
    """Whether nobody is asked to watch it any more."""
    confirmed_at: datetime | None = None
    """The last time that the source, asked, told the track as it is known here."""
    confirmed_by_hand: datetime | None = None
    """The receipt that staff say was one, whatever queries told; the newest (rules.md 23)."""
    receipt_fell: datetime | None = None
    """When a receipt was told that fell away with its carrier; `confirming.fell_away` reads it."""
    tracking: TrackState = field(default_factory=TrackState)
    unread: int = 0
    """Messages that could not be understood and wait for a human."""
    seconds: tuple[SecondNumber, ...] = ()
    """The second numbers that were told of it and not taken back, the newest last (T7)."""
    taken_back: Annotated[frozenset[str], PlainSerializer(sorted)] = frozenset()
    """Numbers, as read, of which staff say that they are not its: no partner may say so again."""
    back_of: str | None = None
    """The order whose goods its learner sends back in it (D3)."""
    lane: Lane | None = None
    card: str | None = None
    """Who receives it, from hand-over on, wherever the rest of the order goes later (O8)."""
    redirects: tuple[ParcelRedirected, ...] = ()
    """To whom it was sent instead since, in the order of doing it."""
    arrival: ArrivalEstimated | None = None
    """The newest word on when it should arrive."""
    delays: tuple[DeliveryDelayed, ...] = ()
    """What its recipient was told of: the newest spell of each cause, in the order of telling."""
    flagged: tuple[str, ...] = ()
    """Oddities that a human was shown."""
    decided: tuple[OddityDecided, ...] = ()
    """The newest decision about each."""
    labels: Labels = field(default_factory=Labels)
    """Waybills that were asked of an aggregator for it (W5)."""
    declaration: Declaration = field(default_factory=Declaration)
    """What customs are told of it, if it goes abroad (T7)."""
    proofs: tuple[ReceiptProved, ...] = ()
    """Pictures and slips of its receipt (T8)."""
    strays: tuple[Content, ...] = ()
    """Parts that left in it though all of them was cancelled (W2; rules.md 5)."""
    to_put_back: tuple[Unsent, ...] = ()
    """Units that were picked into it and are to be sent no more (rules.md 5)."""
    to_reopen: bool = False
    """Whether it was closed with them in it."""
    _known: Annotated[list[Any], Field(exclude=True)] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The track, once somebody asked for it: a push asks five times, and reading is most of it."""

    @property
    def overseas(self) -> SecondNumber | None:
        """Who has it abroad, and under which number, as it was told last (T7)."""
        return self.seconds[-1] if self.seconds else None

    @property
    def label_due(self) -> bool:
        """Whether a wave released it, and nobody has asked for its waybill yet (W5).

        What somebody packed past every wave has its label ordered or written down by hand; so has
        what goes abroad, where the service labels nothing (T7).
        """
        asked = self.labels.live is not None or self.labels.stuck or self.waybill is not None
        here = self.stage in IN_HOUSE and self.country == HOME
        return self.wave is not None and here and not asked

    @property
    def closed(self) -> bool:
        """Whether its goods are in it: what is still on its shelf, nobody can have received."""
        return self.stage not in IN_HOUSE - {Stage.PACKED}

    def carried(self, part: Part) -> Part:
        """What of a part is in it: all of it, but for refused goods that go out again (D3)."""
        if not self.goods:
            return part
        mine = both(self.goods, units_of([part]))
        units = [Allocation(line=one.line, quantity=one.quantity) for one in mine]
        return part._replace(units=tuple(units))

    @property
    def handed_over(self) -> bool:
        """Whether its carrier has it."""
        return self.stage is Stage.HANDED_OVER

    @property
    def unwatched(self) -> bool:
        """Whether a partner has to be asked to watch it."""
        return self.handed_over and not (self.watched or self.watch_over)

    def place(self, order: Order) -> Destination | None:
        """Where it goes for an order that is in it."""
        return self.to or order.destination

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders it is about."""
        if self.back_of is not None:
            return (self.back_of,)
        return tuple(dict.fromkeys(content.order for content in self.carries))

    @property
    def carries(self) -> tuple[Content, ...]:
        """All that travels in it: its contents, and what a third party put beside them."""
        return (*self.contents, *self.strays)

    @property
    def dissolved(self) -> bool:
        """Whether it will not be sent."""
        return self.stage is Stage.DISSOLVED

    @property
    def accepted_numbers(self) -> frozenset[str]:
        """Numbers of which a human said, when their scans were flagged, that they are its (T6)."""
        return frozenset(
            scan.number
            for one in self.decided
            if one.kind == AnomalyKind.FOREIGN_NUMBER and one.decision == OddityDecision.ACCEPTED
            for scan in one.scans
        )

    @property
    def recipient(self) -> str | None:
        """The card of whom it goes to now: its carrier asks for their phone's end (T1)."""
        return self.redirects[-1].card if self.redirects else self.card

    def recipient_at(self, moment: datetime) -> str | None:
        """The card of whom it went to then: who signed is compared with them (D1)."""
        done = [one.card for one in self.redirects if one.redirected_at <= moment]
        return done[-1] if done else self.card

    def track(self) -> Track:
        """What the known scans say together, by what a human decided of odd ones (T6).

        Those that were left out do not count; a foreign number that was accepted is its own, and
        what was dated ahead and accepted happened when it was told.
        """
        if not self._known:
            self._known.append(self._track())
        track: Track = self._known[0]
        return track

    def _track(self) -> Track:
        left_out = {
            (scan.number, scan.time, scan.text)
            for one in self.decided
            if one.decision in VOIDING
            for scan in one.scans
        }
        accepted, believed = self.accepted_numbers, self._believed
        if not left_out and not accepted:
            return self.tracking.track(believed=believed)
        kept = frozenset(scan for scan in self.tracking.scans if scan.identity not in left_out)
        numbers = self.tracking.numbers | accepted
        return replace(self.tracking, scans=kept, numbers=numbers).track(believed=believed)

    @property
    def _believed(self) -> frozenset[ScanIdentity]:
        """Scans dated ahead of which a human said that they happened (T6)."""
        return frozenset(
            (scan.number, scan.time, scan.text)
            for one in self.decided
            if one.kind == AnomalyKind.DATED_AHEAD and one.decision == OddityDecision.ACCEPTED
            for scan in one.scans
        )

    def confirmed_since(self, moment: datetime | None) -> bool:
        """Whether the source confirmed the track at or after a moment; None: ever."""
        at = self.confirmed_at
        return at is not None and (moment is None or at >= moment)
