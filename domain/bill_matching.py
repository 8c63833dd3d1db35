"""对账 Lines of a bill against what the house knows, and why they differ (W6).

A law holds for every line: what is billed = ours + what its differences make; so a bill's total is
explained to the fen. What is missing on the bill is apart: it is no line of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from domain.bill_facts import KEPT, BilledLine, BillKind, Cause, Charge, Difference

Earlier = Mapping[tuple[str, Charge], Sequence[int]]
"""What earlier bills of this partner asked, by number and charge, in fen a line."""
Reprice = Callable[[int], int | None]
"""What the partner's own card asks for a parcel of so many grams; None: it does not say."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the house knows of one number on a bill."""

    about: str
    """Its parcel or order."""
    theirs: bool = True
    """Whether it was this partner that had it."""
    handed_over: bool = True
    refunded: bool = False
    """Whether all of it was given back, so that nothing is to be kept for it."""
    ours: Mapping[Charge, int] = field(default_factory=dict)
    """What was agreed on by charge, in fen; what is left out was not."""
    taken: frozenset[Charge] = frozenset()
    """Charges whose amount nobody agreed on and which are taken as they are billed."""
    grams: int | None = None
    """What it weighed, as far as that was charged."""
    reprice: Reprice | None = None
    units: int | None = None
    """So many of it were there at most."""
    refunds: tuple[int, ...] = ()
    """What was given back of a payment, negative, one by one: each may be a line of its own."""

    def due(self, charge: Charge) -> int:
        """What a bill should ask for it, freight with all that may be itemised of it."""
        extra = self.ours.get(Charge.SURCHARGE, 0) if charge is Charge.FREIGHT else 0
        return self.ours.get(charge, 0) + extra


class Expected(NamedTuple):
    """Something that belongs on the bill."""

    number: str
    charge: Charge
    fen: int
    about: str
    also: str = ""
    """Another number that it may be billed under."""


class Compared(NamedTuple):
    """A bill beside what the house knows."""

    differences: list[Difference]
    agreed: int
    ours_fen: int


def compare(
    lines: Sequence[BilledLine],
    known: Mapping[str, Known],
    *,
    kind: BillKind,
    earlier: Earlier = MappingProxyType({}),
    expected: Iterable[Expected] = (),
) -> Compared:
    """Each line by itself, but freight and its surcharges as one sum, and refunds one to one."""
    before = set(earlier)
    pools = _Pools(lines, known, earlier)
    refunds = _Refunds(lines, known, earlier)
    seen: Counter[tuple[Cause, Charge, str]] = Counter()
    found: list[Difference] = []
    agreed = ours = 0
    for at, line in enumerate(lines):
        place = (line.number, line.charge)
        one: Known | None
        if refunds.concern(line):
            one, twice = refunds.known_for(at, line), refunds.twice(at)
        else:
            one = pools.known_for(line)
            twice = place in before and not pools.open_to(line)
        causes = _causes(line, one, kind, twice=twice)
        # Storage of an item is billed anew each month.
        if line.charge is not Charge.STORAGE:
            before.add(place)
        over = sum(fen for _, fen in causes)
        agreed += not causes
        ours += line.fen - over
        pools.take(line, line.fen - over)
        for cause, fen in causes:
            seen[cause, line.charge, line.number] += 1
            nth = seen[cause, line.charge, line.number]
            found.append(
                Difference(
                    id=difference_id(cause, line.charge, line.number, nth),
                    cause=cause,
                    number=line.number,
                    charge=line.charge,
                    row=line.row,
                    billed_fen=line.fen,
                    ours_fen=line.fen - over,
                    fen=fen,
                    about="" if one is None else one.about,
                )
            )
    billed = {(line.number, line.charge) for line in lines} | before
    for due in expected:
        if not billed & {(due.number, due.charge), (due.also, due.charge)} or refunds.lack(
            due, billed
        ):
            seen[Cause.MISSING, due.charge, due.number] += 1
            found.append(_missing(due, seen[Cause.MISSING, due.charge, due.number]))
    return Compared(found, agreed, ours)


class _Pools:
    """What is left of surcharges that several lines may itemise, and how freight goes with them.

    A parcel's quote is freight with all surcharges. Who itemises them asks less for freight: what
    the surcharges took of the quote is no part of what is due as freight.
    """

    def __init__(
        self, lines: Sequence[BilledLine], known: Mapping[str, Known], earlier: Earlier
    ) -> None:
        self._known = known
        itemised: Counter[str] = Counter()
        for line in lines:
            if line.charge is Charge.SURCHARGE and line.fen > 0:
                itemised[line.number] += line.fen
        self._itemised: dict[str, int] = {}
        self._left: dict[str, int] = {}
        for number, one in known.items():
            extra = one.ours.get(Charge.SURCHARGE, 0)
            before = sum(earlier.get((number, Charge.SURCHARGE), ()))
            left = extra - before
            if (number, Charge.FREIGHT) in earlier:  # what it left of the quote
                freight = sum(earlier[number, Charge.FREIGHT])
                left = min(left, one.due(Charge.FREIGHT) - before - freight)
            self._left[number] = max(0, left)
            self._itemised[number] = min(extra, before + itemised[number])

    def known_for(self, line: BilledLine) -> Known | None:
        """What is known of a line's number, as far as this line may ask for it."""
        one = self._known.get(line.number)
        if one is None or Charge.SURCHARGE not in one.ours:
            return one
        if line.charge is Charge.FREIGHT:
            due = one.due(Charge.FREIGHT) - self._itemised[line.number]
        elif line.charge is Charge.SURCHARGE:
            due = min(max(0, line.fen), self._left[line.number])
        else:
            return one
        ours = {name: fen for name, fen in one.ours.items() if name is not line.charge}
        agreed = due > 0 or line.charge is Charge.FREIGHT
        return replace(one, ours={**ours, line.charge: due} if agreed else ours)

    def open_to(self, line: BilledLine) -> bool:
        """Whether something is left for one more line of this charge."""
        return line.charge is Charge.SURCHARGE and self._left.get(line.number, 0) > 0

    def take(self, line: BilledLine, fen: int) -> None:
        """So much of a line is owed."""
        if line.charge is Charge.SURCHARGE and line.number in self._left:
            self._left[line.number] -= fen


class _Refunds:
    """Which refund of a payment each line is about that names the payment: the one of its amount.

    One line may be about all of them; what is left is matched with what is nearest to it.
    """

    def __init__(
        self, lines: Sequence[BilledLine], known: Mapping[str, Known], earlier: Earlier
    ) -> None:
        self._known = known
        self._left = {number: list(one.refunds) for number, one in known.items() if one.refunds}
        self._due: dict[int, int] = {}
        for number, left in self._left.items():
            for fen in earlier.get((number, Charge.REFUND), ()):
                _nearest(left, fen, whole=True)
        mine = [(at, line) for at, line in enumerate(lines) if self.concern(line)]
        exact = [one for one in mine if one[1].fen in self._known[one[1].number].refunds]
        for at, line in [*exact, *(one for one in mine if one not in exact)]:
            left = self._left[line.number]
            alone = sum(other.number == line.number for _, other in mine) == 1
            if left and not (line.fen not in left and (at, line) in exact):
                self._due[at] = _nearest(left, line.fen, whole=alone)

    def concern(self, line: BilledLine) -> bool:
        """Whether the line is about a refund by its payment's number."""
        return line.charge is Charge.REFUND and line.number in self._left

    def known_for(self, at: int, line: BilledLine) -> Known:
        """The payment with the refund that this line is about."""
        one = self._known[line.number]
        return replace(one, ours={**one.ours, Charge.REFUND: self._due.get(at, 0)})

    def twice(self, at: int) -> bool:
        """Whether every refund is some other line's."""
        return at not in self._due

    def lack(self, one: Expected, billed: Set[tuple[str, Charge]]) -> bool:
        """Whether no line is about this refund, though its payment is named on the bill."""
        left = self._left.get(one.also, [])
        if one.charge is not Charge.REFUND or (one.number, one.charge) in billed:
            return False
        if one.fen not in left:
            return False
        left.remove(one.fen)
        return True


def _nearest(left: list[int], fen: int, *, whole: bool) -> int:
    """Take what is nearest to an amount: one of these, or all of them; 0: nothing is left."""
    if not left:
        return 0
    one = min(left, key=lambda other: abs(other - fen))
    if whole and abs(sum(left) - fen) < abs(one - fen):
        one = sum(left)
        left.clear()
    else:
        left.remove(one)
    return one


def difference_id(cause: Cause, charge: Charge, number: str, nth: int = 1) -> str:
    """The same difference has the same id in a corrected bill, wherever its row is there."""
    return f"{cause}:{charge}:{number}" + (f"~{nth}" if nth > 1 else "")


def _missing(one: Expected, nth: int) -> Difference:
    return Difference(
        id=difference_id(Cause.MISSING, one.charge, one.number, nth),
        cause=Cause.MISSING,
        number=one.number,
        charge=one.charge,
        row=None,
        billed_fen=0,
        ours_fen=one.fen,
        fen=-one.fen,
        about=one.about,
    )


def _causes(
    line: BilledLine, known: Known | None, kind: BillKind, *, twice: bool
) -> list[tuple[Cause, int]]:
    """Why a line differs, and what each cause makes of it, in fen; nothing: it does not."""
    whole = _of_the_whole(line, known, twice=twice)
    if known is None or whole is not None:
        return [(whole or Cause.UNKNOWN_NUMBER, line.fen)]
    if line.charge in known.taken:
        return []
    ours = _agreed(line, known)
    if ours is None:
        return [(Cause.NOT_AGREED, line.fen)]
    over = line.fen - ours
    if not over:
        return []
    if kind in (BillKind.PAYMENT, BillKind.CHANNEL):
        return [(Cause.AMOUNT_DIFFERS, over)]
    if over < 0:
        return [(Cause.BELOW, over)]
    split = _by_weight(line, known, over) or _by_units(line, known, over)
    return [*split, *_rest(Cause.PRICE_ABOVE, over - sum(fen for _, fen in split))]


def _of_the_whole(line: BilledLine, known: Known | None, *, twice: bool) -> Cause | None:
    """Why nothing of a line is owed."""
    if known is None:
        return Cause.UNKNOWN_NUMBER
    if not known.theirs:
        return Cause.NOT_THEIRS
    if twice:
        return Cause.BILLED_TWICE
    if known.refunded and line.charge in KEPT - {Charge.REFUND}:
        return Cause.REFUNDED
    return None if known.handed_over else Cause.NEVER_HANDED_OVER


def _agreed(line: BilledLine, known: Known) -> int | None:
    """What was agreed on for a line; storage by the unit and month."""
    ours = known.ours.get(line.charge)
    if ours is None or line.charge is not Charge.STORAGE:
        return ours
    if line.quantity is None:
        return None
    return ours * (line.quantity if known.units is None else min(line.quantity, known.units))


def _by_weight(line: BilledLine, known: Known, over: int) -> list[tuple[Cause, int]]:
    """What the card asks more for the weight that was billed than for ours."""
    if line.grams is None or known.grams is None or line.grams <= known.grams:
        return []
    if line.charge is not Charge.FREIGHT or known.reprice is None:
        return []
    heavier, ours = known.reprice(line.grams), known.reprice(known.grams)
    if heavier is None or ours is None:
        return []
    return _rest(Cause.WEIGHT_ABOVE, min(over, heavier - ours))


def _by_units(line: BilledLine, known: Known, over: int) -> list[tuple[Cause, int]]:
    """What is billed for units that were never there."""
    if line.charge is not Charge.STORAGE or line.quantity is None or known.units is None:
        return []
    more = max(0, line.quantity - known.units) * known.ours[Charge.STORAGE]
    return _rest(Cause.QUANTITY_ABOVE, min(over, more))


def _rest(cause: Cause, fen: int) -> list[tuple[Cause, int]]:
    return [(cause, fen)] if fen > 0 else []
