"""核实签收 Which number is asked about before a receipt counts for anything (T2; rules.md 23).

A push is all that tells a second number, often: whoever forges a receipt can forge that, too, and
name a number under which somebody else's parcel was signed for. So a query proves a receipt only
under a number that others than pushes answer for: the label's, one that staff wrote down, or one
that the source itself named when it was asked about one of these.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.house_rules import HouseRules
from domain.own_numbers import SecondNumber, as_read, own_numbers
from domain.parcel_facts import ReceiptConfirmedByHand
from domain.parcels import Parcel, received_at
from domain.refusals import NotPossible
from domain.scans import Scan
from domain.tracking import RECEIVED, Track


class Question(NamedTuple):
    """What a source is asked about."""

    waybill: str
    carrier: str


def proven_numbers(parcel: Parcel) -> frozenset[str]:
    """The parcel's numbers, as read, that more than a push answers for."""
    vouched = {one.waybill for one in parcel.seconds if one.vouched_by}
    return frozenset(map(as_read, parcel.tracking.numbers | parcel.accepted_numbers | vouched))


def question(parcel: Parcel, track: Track) -> Question | None:
    """What to ask about, so that a receipt that the track tells of counts; None: there is none.

    The number that it came under, or the label's: where that one's source knows of the receipt,
    too, or names the number that it came under. Who is asked is nobody's word but the house's own.
    Where a receipt fell away, its label's is asked whether there is one.
    """
    receipt = told_receipt(parcel, track)
    if receipt is None or parcel.waybill is None or parcel.carrier is None:
        return None
    label, proven = Question(parcel.waybill, parcel.carrier), proven_numbers(parcel)
    receipts = {as_read(scan.number): scan for scan in _receipts(track)}
    if as_read(label.waybill) in receipts:
        return label
    vouched = {as_read(one.waybill): one.carrier for one in parcel.seconds if one.vouched_by}
    for number, scan in receipts.items():
        if number in proven:
            return Question(scan.number, vouched.get(number, scan.carrier))
    return label


def open_question(parcel: Parcel, track: Track, *, rules: HouseRules) -> Question | None:
    """What has to be asked before the receipt counts; None: it counts, or there is none."""
    asked = question(parcel, track)
    return None if asked is None or counts(parcel, track, rules=rules) else asked


def counts(parcel: Parcel, track: Track, *, rules: HouseRules) -> bool:
    """Whether what has value may follow from its receipt: a query told the same, where one can.

    Where its orders were received and its track, read anew, tells of no receipt, nothing may; but
    of a receipt that staff confirmed by hand, or an earlier one, it may.
    """
    receipt, said = told_receipt(parcel, track), parcel.confirmed_by_hand
    if receipt is not None and said is not None and receipt <= said:
        return True
    if fell_away(parcel, track) is not None:
        return False
    asked = question(parcel, track)
    carrier = parcel.carrier if asked is None else asked.carrier
    return not rules.confirms(carrier) or parcel.confirmed_since(received_at(track))


def told_receipt(parcel: Parcel, track: Track) -> datetime | None:
    """The receipt that its orders were told of: as the track has it, or as it fell away (T2)."""
    return received_at(track) or fell_away(parcel, track)


def by_hand(parcel: Parcel, *, reason: str, rules: HouseRules) -> ReceiptConfirmedByHand:
    """Staff confirm the receipt that the house knows of, with how they know (rules.md 23).

    Raises `NotPossible` where nothing tells of one, and where it counts already.
    """
    track = parcel.track()
    receipt = told_receipt(parcel, track)
    if receipt is None or parcel.back_of is not None:
        raise NotPossible(action="confirm_receipt", why="no receipt of it is known")
    if counts(parcel, track, rules=rules):
        raise NotPossible(action="confirm_receipt", why="its receipt counts already")
    return ReceiptConfirmedByHand(received_at=receipt, reason=reason)


def fell_away(parcel: Parcel, track: Track) -> datetime | None:
    """When a receipt was told that fell away with its carrier (T2); None: none did, or another was.

    Its orders are received all the same: what has value waits for another scan, or for a human.
    """
    return parcel.receipt_fell if received_at(track) is None else None


def knows(parcel: Parcel, told: Iterable[Scan]) -> bool:
    """Whether a source, asked, told of the receipt that the house believes, or of a later one.

    Under a number that is the parcel's for sure, and by a scan that counts: carriers use numbers
    again, so an answer may tell of the parcel before, too, and that one was signed for (rule 21).
    """
    track = parcel.track()
    signed = received_at(track)
    if signed is None:
        return False
    sure = _sure(parcel, track, told)
    return any(scan.kind in RECEIVED and scan.time >= signed for scan in sure)


def named(parcel: Parcel, told: Iterable[Scan], *, source: str) -> SecondNumber | None:
    """The number of a receipt, where the source that was asked names it as the parcel's next."""
    proven, track = proven_numbers(parcel), parcel.track()
    sure = _sure(parcel, track, told)
    joined = own_numbers(proven, beside=(), scans=sure) - proven
    for scan in _receipts(track):
        if as_read(scan.number) in joined:
            beside = parcel.waybill or sure[0].number
            return SecondNumber(scan.number, scan.carrier, beside, vouched_by=source)
    return None


def _sure(parcel: Parcel, track: Track, told: Iterable[Scan]) -> list[Scan]:
    """Which of the scans that count a source told, under numbers that are the parcel's for sure."""
    proven = proven_numbers(parcel)
    void = parcel.tracking.voided_carriers
    seen = {scan.identity for scan in told if scan.carrier not in void}
    return [one for one in track.scans if one.identity in seen and as_read(one.number) in proven]


def _receipts(track: Track) -> list[Scan]:
    return [scan for scan in track.scans if scan.kind in RECEIVED]
