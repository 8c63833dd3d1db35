"""包裹折叠 A parcel's facts folded into what deciding about it needs (W1, T2)."""

from dataclasses import replace
from typing import assert_never

from domain import declarations, labels
from domain.corrections import Correction, believed
from domain.declarations import DeclarationFact
from domain.known_scans import TrackState
from domain.labels import (
    LabelCancelled,
    LabelIssued,
    LabelRefused,
    LabelUnanswered,
    LabelUnwanted,
    LabelWanted,
)
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import (
    ArrivalEstimated,
    CarrierChosen,
    CarrierCorrected,
    Content,
    ContentRemoved,
    DeliveryDelayed,
    OddityDecided,
    ParcelAwaited,
    ParcelDissolved,
    ParcelFact,
    ParcelHandedOver,
    ParcelPacked,
    ParcelPicked,
    ParcelPlanned,
    ParcelRedirected,
    ParcelScanned,
    PickingStarted,
    PushUnreadable,
    ReceiptConfirmedByHand,
    ReceiptProved,
    SecondNumberTakenBack,
    SecondNumberTold,
    StrayContentSent,
    TrackConfirmed,
    TrackFlagged,
    TrackingSubscribed,
    UnitsPutBack,
    UnitsToPutBack,
    UnreadablePushesSettled,
    WatchEnded,
    WaybillCorrected,
    WaybillIssued,
)
from domain.parcel_state import Stage, Unsent
from domain.parcels import Parcel, received_at
from domain.recorded_scans import as_scan


def _believing(tracking: TrackState, carrier: str) -> TrackState:
    """The tracking with this carrier's scans counting, also when they were void before."""
    if carrier not in tracking.voided_carriers:
        return tracking
    return replace(tracking, voided_carriers=tracking.voided_carriers - {carrier})


def evolve(parcel: Parcel, fact: ParcelFact) -> Parcel:
    """The parcel after one more fact."""
    if isinstance(fact, DeclarationFact):
        return replace(parcel, declaration=declarations.evolve(parcel.declaration, fact))
    match fact:
        case ParcelPlanned():
            return replace(
                parcel,
                warehouse=fact.warehouse,
                country=fact.country,
                contents=fact.contents,
                stage=Stage.PLANNED,
                wave=fact.wave,
                hand_over_by=fact.hand_over_by,
            )
        case ParcelAwaited():
            return replace(
                parcel, warehouse=fact.warehouse, back_of=fact.order, stage=Stage.AWAITED
            )
        case CarrierChosen(shipping=shipping):
            return replace(parcel, shipping=shipping)
        case ContentRemoved():
            gone = Content(order=fact.order, part=fact.part)
            left = tuple(content for content in parcel.contents if content != gone)
            return replace(parcel, contents=left, shipping=None)
        case PickingStarted():
            return replace(parcel, stage=Stage.PICKING, pick_list=fact.pick_list)
        case ParcelPicked():
            return replace(parcel, contents=fact.contents, stage=Stage.PICKED)
        case ParcelPacked():
            return replace(
                parcel,
                warehouse=fact.warehouse,
                country=fact.country,
                contents=fact.contents,
                goods=fact.goods,
                hand_over_by=fact.hand_over_by or parcel.hand_over_by,
                to=fact.to or parcel.to,
                stage=Stage.PACKED,
            )
        case UnitsToPutBack(order=order, units=units):
            more = [Unsent(order, one.part, one.line, one.quantity) for one in units]
            unsent = (*parcel.to_put_back, *more)
            closed = parcel.stage is Stage.PACKED
            return replace(parcel, to_put_back=unsent, to_reopen=parcel.to_reopen or closed)
        case UnitsPutBack():
            return replace(parcel, to_put_back=(), to_reopen=False)
        case StrayContentSent():
            stray = Content(order=fact.order, part=fact.part)
            return replace(parcel, strays=(*parcel.strays, stray))
        case WaybillIssued():
            tracking = _believing(parcel.tracking, fact.carrier).with_number(fact.waybill)
            return replace(
                parcel,
                carrier=fact.carrier,
                labelled=fact.carrier,
                corrections=frozenset(),
                waybill=fact.waybill,
                unexplained=fact.instead_of is not None and not fact.reason,
                confirmed_at=None,
                tracking=tracking,
            )
        case WaybillCorrected():
            return _renumbered(parcel, fact)
        case ParcelHandedOver():
            tracking = parcel.tracking.with_hand_over(fact.handed_over_at)
            return replace(
                parcel,
                stage=Stage.HANDED_OVER,
                tracking=tracking,
                lane=fact.lane,
                card=fact.card,
            )
        case ParcelRedirected():
            return replace(parcel, redirects=(*parcel.redirects, fact))
        case ParcelDissolved():
            return replace(parcel, stage=Stage.DISSOLVED)
        case ParcelScanned():
            seen = replace(parcel, tracking=parcel.tracking.with_scans([as_scan(fact)]))
            # Where corrections disagree, whose scans are newer decides.
            return _corrected(seen, before=parcel) if len(seen.corrections) > 1 else seen
        case SecondNumberTold():
            return _joined(parcel, SecondNumber(**fact.model_dump()))
        case SecondNumberTakenBack(waybill=number):
            return replace(
                parcel,
                seconds=tuple(one for one in parcel.seconds if not _same(one.waybill, number)),
                taken_back=parcel.taken_back | {as_read(number)},
                confirmed_at=None,
                tracking=parcel.tracking.without_second(number),
            )
        case CarrierCorrected():
            told = parcel.corrections | {Correction(fact.was, fact.carrier)}
            return _corrected(replace(parcel, corrections=told), before=parcel)
        case TrackingSubscribed():
            return replace(parcel, watched=True, watch_over=False, watch_again_at=None)
        case WatchEnded(watch_again_at=again):
            return replace(parcel, watched=False, watch_over=again is None, watch_again_at=again)
        case TrackConfirmed(at=at):
            newest = at if parcel.confirmed_at is None else max(at, parcel.confirmed_at)
            return replace(parcel, confirmed_at=newest)
        case ReceiptConfirmedByHand(received_at=at):
            return replace(parcel, confirmed_by_hand=at)
        case PushUnreadable():
            return replace(parcel, unread=parcel.unread + 1)
        case UnreadablePushesSettled():
            return replace(parcel, unread=0)
        case ArrivalEstimated():
            return replace(parcel, arrival=fact)
        case DeliveryDelayed(cause=cause):
            others = tuple(one for one in parcel.delays if one.cause != cause)
            return replace(parcel, delays=(*others, fact))
        case TrackFlagged(oddity=oddity):
            return replace(parcel, flagged=(*parcel.flagged, oddity))
        case OddityDecided(oddity=oddity):
            rest = tuple(one for one in parcel.decided if one.oddity != oddity)
            return replace(parcel, decided=(*rest, fact))
        case LabelUnwanted():
            return _unlabelled(parcel, fact)
        case LabelWanted() | LabelIssued() | LabelRefused() | LabelUnanswered() | LabelCancelled():
            return replace(parcel, labels=labels.evolve(parcel.labels, fact))
        case ReceiptProved():
            return replace(parcel, proofs=(*parcel.proofs, fact))
        case _:
            assert_never(fact)


def _corrected(parcel: Parcel, *, before: Parcel) -> Parcel:
    """With the carrier that all corrections together lead to; those that were left are void.

    A receipt that was believed `before` and is void now is noted: its orders do not move back (T2).
    """
    if parcel.labelled is None:
        return parcel
    carrier, left = believed(parcel.labelled, parcel.corrections, parcel.tracking.scans)
    named = {name for one in parcel.corrections for name in one}
    tracking = replace(parcel.tracking, voided_carriers=parcel.tracking.voided_carriers - named)
    for one in left:
        tracking = tracking.with_voided(one)
    confirmed_at = parcel.confirmed_at if carrier == parcel.carrier else None
    after = replace(parcel, carrier=carrier, confirmed_at=confirmed_at, tracking=tracking)
    return _noting_a_fall(after, before=before)


def _noting_a_fall(after: Parcel, *, before: Parcel) -> Parcel:
    """With the receipt that was believed before and is void now."""
    believed_at = received_at(before.track())
    if believed_at is None or received_at(after.track()) is not None:
        return after
    return replace(after, receipt_fell=believed_at)


def _renumbered(parcel: Parcel, fact: WaybillCorrected) -> Parcel:
    """With its real number, which nobody watches yet; scans of the wrong one are foreign now."""
    known = _believing(parcel.tracking, fact.carrier)
    numbers = frozenset(one for one in known.numbers if not _same(one, fact.was))
    after = replace(
        parcel,
        carrier=fact.carrier,
        labelled=fact.carrier,
        corrections=frozenset(),
        waybill=fact.waybill,
        watched=False,
        watch_over=False,
        watch_again_at=None,
        confirmed_at=None,
        confirmed_by_hand=None,
        tracking=replace(known, numbers=numbers | {fact.waybill}),
    )
    return _noting_a_fall(after, before=parcel)


def _joined(parcel: Parcel, second: SecondNumber) -> Parcel:
    """With a second number; a push does not take the place of who answers for it already."""
    others = tuple(one for one in parcel.seconds if not _same(one.waybill, second.waybill))
    known = next((one for one in parcel.seconds if one not in others), second)
    kept = known if known.vouched_by and not second.vouched_by else second
    return replace(
        parcel,
        seconds=(*others, kept),
        taken_back=parcel.taken_back - {as_read(second.waybill)},
        tracking=parcel.tracking.with_second(second.waybill, beside=second.beside),
    )


def _same(number: str, other: str) -> bool:
    return as_read(number) == as_read(other)


def _unlabelled(parcel: Parcel, fact: LabelUnwanted) -> Parcel:
    """A number that is given back is on the parcel no more, if it was."""
    after = replace(parcel, labels=labels.evolve(parcel.labels, fact))
    number = {one.waybill for one in after.labels.all if one.name == fact.label}
    if parcel.waybill is None or parcel.waybill not in number:
        return after
    return replace(after, carrier=None, waybill=None, watched=False, confirmed_at=None)
