"""包裹 Parcels: packed, labelled, handed over, scanned; which orders are in them (W1, S4, T2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.corrections import Correction
from domain.countries import HOME
from domain.labels import LabelIssued
from domain.lanes import Lane
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import (
    CarrierChosen,
    CarrierCorrected,
    Content,
    ContentRemoved,
    ParcelDissolved,
    ParcelFact,
    ParcelHandedOver,
    ParcelPacked,
    ParcelPicked,
    ParcelRedirected,
    ParcelScanned,
    PickingStarted,
    SecondNumberTold,
    StrayContentSent,
    TrackConfirmed,
    UnreadablePushesSettled,
    WaybillIssued,
)
from domain.parcel_state import KnownParcel, Stage
from domain.recorded_scans import as_fact
from domain.refusals import NotPossible, Refusal
from domain.scans import Scan
from domain.sealed import Sealed
from domain.splitting import Shipping
from domain.tracking import ParcelState, Track

PROOFS_MAX = 5
"""Pictures of one receipt."""


@dataclass(frozen=True, slots=True)
class Parcel(KnownParcel):
    """What is known of a parcel, and what can be decided about it."""

    def carry(self, content: Content) -> list[ParcelFact]:
        """Note that a part left in it though it was cancelled, once (W2)."""
        if content in self.carries:
            return []
        return [StrayContentSent(order=content.order, part=content.part)]

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

    def redirect(self, card: str, *, at: datetime) -> list[ParcelFact]:
        """Note that it goes to somebody else from then on, once a request (O8)."""
        told = ParcelRedirected(card=card, redirected_at=at)
        return [] if self.redirects[-1:] == (told,) else [told]

    def confirm(self, *, at: datetime, source: str) -> list[ParcelFact]:
        """Note that the source told the same when it was asked (rules.md 23)."""
        return [] if self.confirmed_since(at) else [TrackConfirmed(at=at, source=source)]

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
