"""对账 Lines of a bill against what the house knows, and why they differ (W6).

A law holds for every line: what is billed = ours + what its differences make; so a bill's total is
explained to the fen. What is missing on the bill is apart: it is no line of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from domain.bill_facts import KEPT, BilledLine, BillKind, Cause, Charge, Difference
from domain.bill_known import Expected, Known, Others
from domain.billed_before import Boxes, Left, Pools, Refunds


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
    earlier: Others = MappingProxyType({}),
    expected: Iterable[Expected] = (),
    later: Others = MappingProxyType({}),
) -> Compared:
    """Each line by itself, but freight and its surcharges as one sum, and refunds one to one.

    `earlier` and `later` are other bills' lines, also under other numbers of what this one is
    about, as far as `known` says so: what an earlier one has is billed twice here, and what any
    has is not missing here.
    """
    boxes = Boxes(known, earlier)
    pools = Pools(lines, known, earlier)
    refunds = Refunds(lines, known, earlier, later)
    seen: Counter[tuple[Cause, Charge, str]] = Counter()
    found: list[Difference] = []
    agreed = ours = 0
    for at, line in enumerate(lines):
        if refunds.concern(line):
            left = refunds.left(at, line)
        else:
            left = boxes.left(line, pools.known_for(line))
            left = left._replace(twice=left.twice and not pools.open_to(line))
        causes = _causes(line, left, kind)
        boxes.take(line.number, line.charge)
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
                    about="" if left.known is None else left.known.about,
                )
            )
    for place in later:
        boxes.take(*place)
    for due in expected:
        of = refunds if due.charge is Charge.REFUND else boxes
        lacking = of.lacking(due)
        if lacking is not None:
            seen[Cause.MISSING, due.charge, due.number] += 1
            found.append(_missing(lacking, seen[Cause.MISSING, due.charge, due.number]))
    return Compared(found, agreed, ours)


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


def _causes(line: BilledLine, left: Left, kind: BillKind) -> list[tuple[Cause, int]]:
    """Why a line differs, and what each cause makes of it, in fen; nothing: it does not."""
    known = left.known
    whole = _of_the_whole(line, known, twice=left.twice)
    if known is None or whole is not None:
        return [(whole or Cause.UNKNOWN_NUMBER, line.fen)]
    if line.charge in known.taken:
        return []
    ours = _agreed(line, known)
    if ours is None:
        return [(Cause.NOT_AGREED, line.fen)]
    over = line.fen - ours
    again = _again(over, left.before)
    over -= sum(fen for _, fen in again)
    if not over:
        return again
    if kind in (BillKind.PAYMENT, BillKind.CHANNEL):
        return [*again, (Cause.AMOUNT_DIFFERS, over)]
    if over < 0:
        return [*again, (Cause.BELOW, over)]
    split = _by_weight(line, known, over) or _by_units(line, known, over)
    return [*again, *split, *_rest(Cause.PRICE_ABOVE, over - sum(fen for _, fen in split))]


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


def _again(over: int, before: int) -> list[tuple[Cause, int]]:
    """What of a difference was billed before, under whichever number."""
    fen = min(over, before) if over > 0 else max(over, before)
    return [(Cause.BILLED_TWICE, fen)] if fen * over > 0 else []


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
