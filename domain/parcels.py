"""包裹 Parcels: packed, labelled, handed over, scanned; which orders are in them (W1, S4, T2)."""

from collections.abc import Iterable
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
from domain.known_scans import TrackState
from domain.labels import (
    LabelIssued,
    Labels,
)
from domain.lanes import Lane
from domain.order_facts import Units
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import (
    ArrivalEstimated,
    CarrierChosen,
    CarrierCorrected,
    Content,
    ContentRemoved,
    DeliveryDelayed,
    OddityDecided,
    ParcelDissolved,
    ParcelFact,
    ParcelHandedOver,
    ParcelPacked,
    ParcelPicked,
    ParcelRedirected,
    ParcelScanned,
    PickingStarted,
    ReceiptProved,
    SecondNumberTold,
    StrayContentSent,
    TrackConfirmed,
    UnreadablePushesSettled,
    WaybillIssued,
)
from domain.parts import Part
from domain.recorded_scans import as_fact
from domain.refusals import NotPossible, Refusal
from domain.scans import Scan, ScanIdentity
from domain.sealed import Sealed
from domain.splitting import Allocation, Shipping
from domain.tracking import ParcelState, Track


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


PROOFS_MAX = 5
"""Pictures of one receipt."""


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
class Parcel:
    """What deciding about one parcel needs."""

    warehouse: str = ""
    country: str = HOME
    """Where it goes; abroad it passes customs (T7)."""
    contents: tuple[Content, ...] = ()
    goods: tuple[Units, ...] = ()
    """Refused goods of a return that go to their learner again, and nothing else of its parts."""
    stage: Stage = Stage.PACKED
    """Whether it has a waybill, and may be labelled, is another question."""
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
        live = [Units(part=part.number, line=u.line, quantity=u.quantity) for u in part.units]
        mine = [Allocation(line=one.line, quantity=one.quantity) for one in both(self.goods, live)]
        return part._replace(units=tuple(mine))

    @property
    def handed_over(self) -> bool:
        """Whether its carrier has it."""
        return self.stage is Stage.HANDED_OVER

    @property
    def unwatched(self) -> bool:
        """Whether a partner has to be asked to watch it."""
        return self.handed_over and not (self.watched or self.watch_over)

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

    def carry(self, content: Content) -> list[ParcelFact]:
        """Note that a part left in it though it was cancelled, once (W2)."""
        if content in self.carries:
            return []
        return [StrayContentSent(order=content.order, part=content.part)]

    @property
    def dissolved(self) -> bool:
        """Whether it will not be sent."""
        return self.stage is Stage.DISSOLVED

    def remove(self, content: Content, *, to_parcel: str, reason: str) -> list[ParcelFact]:
        """Take a part out, until everything in the parcel was picked (S4)."""
        self._must_be(self.stage if self.stage is Stage.PLANNED else Stage.PICKING, "separate")
        if content not in self.contents:
            raise NotPossible(action="separate", why=f"{content.order} is not in the parcel")
        order, part = content.order, content.part
        return [ContentRemoved(order=order, part=part, to_parcel=to_parcel, reason=reason)]

    def choose_carrier(
        self, shipping: Shipping, *, apart_fen: int | None = None
    ) -> list[ParcelFact]:
        """Note who is to take what shares it; the same again is no news (W4)."""
        if shipping == self.shipping:
            return []
        return [CarrierChosen(shipping=shipping, apart_fen=apart_fen)]

    def start_picking(self, pick_list: str) -> list[ParcelFact]:
        """Put the parcel on a pick list."""
        self._must_be(Stage.PLANNED, "pick")
        return [PickingStarted(pick_list=pick_list)]

    def pick(self, contents: Iterable[Content]) -> list[ParcelFact]:
        """Everything still to be sent was taken from the shelf, from a list or without one."""
        self._must_be(self.stage if self.stage is Stage.PLANNED else Stage.PICKING, "pick")
        return [ParcelPicked(contents=tuple(contents))]

    def pack(self, contents: Iterable[Content], *, weight_grams: int) -> list[ParcelFact]:
        """Close and weigh a parcel that was picked (W1)."""
        self._must_be(Stage.PICKED, "pack")
        return [
            ParcelPacked(
                warehouse=self.warehouse,
                contents=tuple(contents),
                weight_grams=weight_grams,
                country=self.country,
            )
        ]

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

    def redirect(self, card: str, *, at: datetime) -> list[ParcelFact]:
        """Note that it goes to somebody else from then on, once a request (O8)."""
        told = ParcelRedirected(card=card, redirected_at=at)
        return [] if self.redirects[-1:] == (told,) else [told]

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

    def confirm(self, *, at: datetime, source: str) -> list[ParcelFact]:
        """Note that the source told the same when it was asked (rules.md 23)."""
        return [] if self.confirmed_since(at) else [TrackConfirmed(at=at, source=source)]

    def confirmed_since(self, moment: datetime | None) -> bool:
        """Whether the source confirmed the track at or after a moment; None: ever."""
        at = self.confirmed_at
        return at is not None and (moment is None or at >= moment)

    def label(
        self, *, carrier: str, waybill: str, instead_of: str | None = None, reason: str = ""
    ) -> list[ParcelFact]:
        """Put a carrier's number on the parcel, once; or say later why it is not the chosen one."""
        self._must_be_here("waybill")
        known = (self.carrier, self.waybill) == (carrier, waybill)
        if known and not (self.unexplained and reason):
            return []
        if instead_of is None:
            reason = ""
        live = self.labels.live
        other = live is not None and live.waybill != waybill
        return [
            *(self.labels.give_back("another number is on the parcel") if other else []),
            WaybillIssued(carrier=carrier, waybill=waybill, instead_of=instead_of, reason=reason),
        ]

    def want_label(self, number: str, *, carrier: str, grams: int) -> list[ParcelFact]:
        """Ask an aggregator for a waybill, once; `number` is the parcel's own (W5)."""
        self._must_be_here("order_label")
        if self.country != HOME:
            raise NotPossible(action="order_label", why="a waybill abroad is written down by hand")
        if self.waybill is not None:
            return []
        return [*self.labels.want(number, carrier=carrier, grams=grams)]

    def take_number(self, told: LabelIssued) -> list[ParcelFact]:
        """Put the number on the parcel that the aggregator gave, if it is still needed (W5)."""
        facts: list[ParcelFact] = [*self.labels.issue(told)]
        live = self.labels.live
        if facts and live is not None and live.name == told.label and self.waybill is None:
            facts.append(
                WaybillIssued(carrier=live.carrier, waybill=told.waybill, issuer=told.issuer)
            )
        return facts

    def decline_number(self, told: LabelIssued, *, why: Refusal) -> list[ParcelFact]:
        """The number that the aggregator gave can't be on the parcel: a human sees to it (W5)."""
        words = ", ".join(str(figure) for figure in why.figures.values())
        return [*self.labels.decline(told, code=why.code, words=words)]

    def give_back_label(self, reason: str) -> list[ParcelFact]:
        """The number that was asked for is not needed: another address, or none at all."""
        return [] if self.handed_over else [*self.labels.give_back(reason)]

    def hand_over(
        self, *, when: datetime, lane: Lane | None = None, card: str | None = None
    ) -> list[ParcelFact]:
        """Give the parcel to its carrier (rules.md 2: pending receipt begins here).

        Abroad not before customs cleared it (T7).
        """
        awaited = self.stage is Stage.AWAITED
        self._must_be(Stage.AWAITED if awaited else Stage.PACKED, "hand_over")
        if self.waybill is None:
            raise NotPossible(action="hand_over", why="the parcel has no waybill")
        if self.to_reopen:
            raise NotPossible(action="hand_over", why="cancelled units are still in it")
        if self.country != HOME:
            self.declaration.must_be_cleared()
        return [ParcelHandedOver(handed_over_at=when, lane=lane, card=card)]

    def must_take_proof(self) -> None:
        """Raise `NotPossible` unless a picture of its receipt can be kept (T8)."""
        if not (self.handed_over or self.track().scans):
            raise NotPossible(action="prove", why="no carrier has the parcel")
        if len(self.proofs) >= PROOFS_MAX:
            raise NotPossible(action="prove", why=f"{PROOFS_MAX} pictures are kept already")

    def settle_unreadable(self) -> list[ParcelFact]:
        """Note that a human dealt with what could not be understood."""
        if not self.unread:
            raise NotPossible(action="settle_unreadable", why="no unreadable push waits")
        return [UnreadablePushesSettled(pushes=self.unread)]

    def dissolve(self, reason: str) -> list[ParcelFact]:
        """Unpack a parcel that will not be sent."""
        if self.handed_over or self.dissolved:
            return []
        return [ParcelDissolved(reason=reason), *self.labels.give_back(reason)]

    def scanned(
        self, scans: Iterable[Scan], *, source: str, payload: Sealed | None
    ) -> list[ParcelScanned]:
        """The scans worth recording, oldest first; none when all were known (T2)."""
        fresh = self.tracking.fresh(scans)
        return [as_fact(scan, source=source, payload=payload) for scan in fresh]

    def join(self, second: SecondNumber) -> list[ParcelFact]:
        """Note a second number that a partner gave beside another one, once (T2; wire 1.6).

        What staff took back is not believed because a partner says it once more.
        """
        known = (second.beside, second.waybill) in self.tracking.beside
        if known or as_read(second.waybill) in self.taken_back:
            return []
        return [SecondNumberTold(**second._asdict())]

    def correct_carrier(self, carrier: str, *, was: str | None = None) -> list[ParcelFact]:
        """Note that a partner says whose number it is, once (wire 1.6).

        `was`: for whose it was taken, if the partner said so; else for the label's.
        """
        was = was or self.labelled
        told = was is not None and Correction(was, carrier) in self.corrections
        if self.carrier is None or was is None or was == carrier or told:
            return []
        return [CarrierCorrected(was=was, carrier=carrier)]

    def _must_be(self, stage: Stage, action: str) -> None:
        self._must_be_here(action)
        if self.stage is not stage:
            raise NotPossible(action=action, why=f"the parcel is {self.stage}")

    def _must_be_here(self, action: str) -> None:
        if self.dissolved:
            raise NotPossible(action=action, why="the parcel was unpacked")
        if self.handed_over:
            raise NotPossible(action=action, why="the parcel is with the carrier")


def received_at(track: Track) -> datetime | None:
    """When the recipient got the parcel, as long as nothing took that back."""
    return track.signed_at if track.state is ParcelState.SIGNED else None
