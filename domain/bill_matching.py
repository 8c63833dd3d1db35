"""对账 Lines of a bill against what the house knows, and why they differ (W6).

A law holds for every line: what is billed = ours + what its differences make; so a bill's total is
explained to the fen. What is missing on the bill is apart: it is no line of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.bill_facts import KEPT, BilledLine, BillKind, Cause, Charge, Difference

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
    earlier: Iterable[tuple[str, Charge]] = (),
    expected: Iterable[Expected] = (),
) -> Compared:
    """Each line by itself; `earlier` are (number, charge) that were billed before this bill."""
    before = set(earlier)
    seen: Counter[tuple[Cause, Charge, str]] = Counter()
    found: list[Difference] = []
    agreed = ours = 0
    for line in lines:
        place = (line.number, line.charge)
        causes = _causes(line, known.get(line.number), kind, twice=place in before)
        # Storage of an item is billed anew each month.
        if line.charge is not Charge.STORAGE:
            before.add(place)
        over = sum(fen for _, fen in causes)
        agreed += not causes
        ours += line.fen - over
        about = known[line.number].about if line.number in known else ""
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
                    about=about,
                )
            )
    billed = {(line.number, line.charge) for line in lines} | before
    found += [
        _missing(one)
        for one in expected
        if not billed & {(one.number, one.charge), (one.also, one.charge)}
    ]
    return Compared(found, agreed, ours)


def difference_id(cause: Cause, charge: Charge, number: str, nth: int = 1) -> str:
    """The same difference has the same id in a corrected bill, wherever its row is there."""
    return f"{cause}:{charge}:{number}" + (f"~{nth}" if nth > 1 else "")


def _missing(one: Expected) -> Difference:
    return Difference(
        id=difference_id(Cause.MISSING, one.charge, one.number),
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
