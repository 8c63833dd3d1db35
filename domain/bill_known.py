"""账单已知 What the house knows of the numbers on a bill (W6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.bill_facts import Charge

Others = Mapping[tuple[str, Charge], Sequence[int]]
"""What other bills of this partner asked, by number and charge, in fen a line."""
Reprice = Callable[[int], int | None]
"""What the partner's own card asks for a parcel of so many grams; None: it does not say."""
Box = tuple[str, str]
"""What one order has in one parcel: the smallest thing that two numbers may both be about."""


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
    boxes: Mapping[Box, Mapping[Charge, int]] = field(default_factory=dict)
    """What of `ours` is for which box, where other numbers are about the same ones: a parcel's
    number and its waybill, an order's number. Empty: no other number is about the same."""
    taken: frozenset[Charge] = frozenset()
    """Charges whose amount nobody agreed on and which are taken as they are billed."""
    grams: int | None = None
    """What it weighed, as far as that was charged."""
    reprice: Reprice | None = None
    units: int | None = None
    """So many of it were there at most."""
    refunds: Mapping[str, int] = field(default_factory=dict)
    """What was given back of a payment, negative, by each refund's number: a line that names the
    payment is about one of them, or all. A refund's own number is about itself."""

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
