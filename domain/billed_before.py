"""已计 What of a bill's lines other lines have billed already, under whichever numbers (W6).

A parcel may be billed under its own number, its waybill and the numbers of the orders in it, a
refund under its own and its payment's. Whatever is billed twice so is owed once.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from domain.bill_facts import BilledLine, Charge
from domain.bill_known import Box, Expected, Known, Others


class Left(NamedTuple):
    """What other lines have left of a line's number."""

    known: Known | None
    """With what is still due for this line."""
    twice: bool = False
    """Whether nothing is left."""
    before: int = 0
    """What some of it was billed for before, in fen."""


class Boxes:
    """Which boxes were billed, and numbers that are about nothing else."""

    def __init__(self, known: Mapping[str, Known], earlier: Collection[tuple[str, Charge]]) -> None:
        self._known = known
        self._billed: set[tuple[Box | str, Charge]] = set()
        for number, charge in earlier:
            self.take(number, charge)

    def take(self, number: str, charge: Charge) -> None:
        """A line bills this; storage of an item is billed anew each month."""
        if charge is not Charge.STORAGE:
            self._billed |= self._of(number, charge)

    def left(self, line: BilledLine, one: Known | None) -> Left:
        """What is left for a line, of what is known of its number."""
        of = self._of(line.number, line.charge)
        billed = of & self._billed
        if one is None or billed == of or not billed:
            return Left(one, twice=bool(billed))
        before = self._fen(line.number, billed)
        ours = dict(one.ours)
        if line.charge in ours:
            ours[line.charge] -= before
        return Left(replace(one, ours=ours), before=before)

    def lacking(self, due: Expected) -> Expected | None:
        """What of something expected no line bills; None: nothing."""
        of = self._of(due.number, due.charge)
        billed = of & self._billed
        if billed == of:
            return None
        return due._replace(fen=due.fen - self._fen(due.number, billed)) if billed else due

    def _of(self, number: str, charge: Charge) -> set[tuple[Box | str, Charge]]:
        one = self._known.get(number)
        things: Collection[Box | str] = one.boxes if one is not None and one.boxes else (number,)
        return {(thing, charge) for thing in things}

    def _fen(self, number: str, some: Collection[tuple[Box | str, Charge]]) -> int:
        return sum(
            fen.get(charge, 0)
            for box, fen in self._known[number].boxes.items()
            for thing, charge in some
            if thing == box
        )


class Pools:
    """What is left of surcharges that several lines may itemise, and how freight goes with them.

    A parcel's quote is freight with all surcharges. Who itemises them asks less for freight: what
    the surcharges took of the quote is no part of what is due as freight.
    """

    def __init__(
        self, lines: Sequence[BilledLine], known: Mapping[str, Known], earlier: Others
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


class Refunds:
    """Which refund each line is about: the one that it names, or of a payment's the one of its
    amount.

    One line may be about all of a payment; what is left is matched with what is nearest to it.
    """

    def __init__(
        self,
        lines: Sequence[BilledLine],
        known: Mapping[str, Known],
        earlier: Others,
        later: Others,
    ) -> None:
        self._known = known
        self._all = {name: fen for one in known.values() for name, fen in one.refunds.items()}
        self._left = dict(self._all)
        self._due: dict[int, tuple[int, int]] = {}
        self._own = {number for number, one in known.items() if number in one.refunds}
        mine = [(at, line) for at, line in enumerate(lines) if self.concern(line)]
        often = Counter(line.number for _, line in mine)
        self._elsewhere(earlier, often.keys())
        exact = {at for at, line in mine if line.fen in known[line.number].refunds.values()}
        for at, line in sorted(
            mine, key=lambda one: (one[1].number not in self._own, one[0] not in exact)
        ):
            due = self._nearest(line.number, line.fen, whole=often[line.number] == 1)
            if due is not None:
                self._due[at] = due
        self._elsewhere(later, ())

    def concern(self, line: BilledLine) -> bool:
        """Whether the line is about refunds that the house knows."""
        one = self._known.get(line.number)
        return line.charge is Charge.REFUND and one is not None and bool(one.refunds)

    def left(self, at: int, line: BilledLine) -> Left:
        """The refund that a line is about; twice: every one is some other line's."""
        one = self._known[line.number]
        due, before = self._due.get(at, (0, 0))
        known = replace(one, ours={**one.ours, Charge.REFUND: due})
        return Left(known, twice=at not in self._due, before=before)

    def lacking(self, due: Expected) -> Expected | None:
        """A refund that no line is about; None: one is."""
        return None if due.number in self._all and due.number not in self._left else due

    def _elsewhere(self, bills: Others, rather_not: Collection[str]) -> None:
        """Other bills' lines are about refunds, too; rather not about these."""
        lines = [
            (number, fen)
            for (number, charge), some in bills.items()
            for fen in some
            if charge is Charge.REFUND and number in self._known and self._known[number].refunds
        ]
        # Who names a refund itself is about it: whoever names its payment may be about another.
        for number, fen in sorted(lines, key=lambda one: one[0] not in self._own):
            self._nearest(number, fen, whole=True, rather_not=rather_not)

    def _open(self, number: str) -> dict[str, int]:
        return {
            name: fen for name, fen in self._known[number].refunds.items() if name in self._left
        }

    def _nearest(
        self, number: str, fen: int, *, whole: bool, rather_not: Collection[str] = ()
    ) -> tuple[int, int] | None:
        """Take what is nearest to an amount, of a refund or of all of them.

        Returns what that comes to, and what others have taken before of all that is meant; None:
        others have all of it.
        """
        left, every = self._open(number), self._known[number].refunds.values()
        if not left or (fen in every and fen not in left.values()):
            return None
        all_of_it = sum(every)
        one = min(left, key=lambda name: (abs(left[name] - fen), left[name], name in rather_not))
        rest, away = sum(left.values()), abs(left[one] - fen)
        if whole and min(abs(rest - fen), abs(all_of_it - fen)) < away:
            for name in left:
                del self._left[name]
            return rest, all_of_it - rest if abs(all_of_it - fen) < abs(rest - fen) else 0
        return self._left.pop(one), 0
