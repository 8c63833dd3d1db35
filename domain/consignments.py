"""委托 Parcels that a third party's warehouse sends: what it is asked, what it tells (W2; rule 5).

The house asks for all it wants of a parcel, by revision: the newest counts, and asked twice it is
one. The third party tells all it knows of it: what tells no more than is known changes nothing, so
neither repetition nor the order of arrival matters.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import not_
from typing import NamedTuple, assert_never

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.facts import Fact, Value
from domain.refusals import InvalidRequest, NotPossible
from domain.sealed import Sealed


class Step(StrEnum):
    """What a third party tells of a parcel."""

    ACCEPTED = "accepted"
    PICKING = "picking"
    SHORT = "short"
    """It does not have all of it."""
    PACKED = "packed"
    CANCELLED = "cancelled"
    """It sends nothing of it, as it was asked."""
    SHIPPED = "shipped"
    REFUSED = "refused"
    """It does not do what the revision asks for; an earlier one that it took stands."""


FURTHER = (Step.ACCEPTED, Step.PICKING, Step.SHORT, Step.PACKED, Step.CANCELLED, Step.SHIPPED)
"""From the first to the last; goods that left have left, whatever else is told."""
UNDER_WAY = frozenset({Step.ACCEPTED, Step.PICKING, Step.SHORT, Step.PACKED})
NOT_ACCEPTED = "refused"
NOT_TOLD = "asked"


class ConsignedUnits(Value):
    """Units of a part that are to be in the parcel."""

    order: str
    part: PositiveInt
    sku: str
    quantity: PositiveInt


class FoundUnits(Value):
    """Units of an item that the third party has for the parcel."""

    sku: str
    quantity: NonNegativeInt


class ConsignmentAsked(Fact, name="consignments.ConsignmentAsked"):
    """A third party's warehouse is to do this with a parcel, whatever it was asked before (W2)."""

    warehouse: str
    revision: PositiveInt = Field(description="counts the wishes; the newest one holds")
    units: tuple[ConsignedUnits, ...] = Field(description="none: it is to send nothing any more")
    card: str = Field(description="vault card of the recipient (A4)")
    carrier: str | None = Field(default=None, description="whom the house would choose (W4)")
    hand_over_by: AwareDatetime
    held: bool = Field(
        default=False, exclude_if=not_, description="it waits for a human and must not leave (O7)"
    )
    reason: str = Field(default="", exclude_if=not_, description="why it is asked for anew")


class ConsignmentTold(Fact, name="consignments.ConsignmentTold"):
    """The third party told something new of a parcel (W2)."""

    step: Step
    revision: PositiveInt = Field(description="the newest wish that it knew")
    units: tuple[FoundUnits, ...] | None = Field(
        default=None, description="what it has for the parcel; None: it does not say"
    )
    weight_grams: NonNegativeInt | None = None
    carrier: str | None = Field(default=None, description="whom it chose (W4)")
    waybill: str | None = None
    code: str = Field(default="", exclude_if=not_, description="why it refuses")
    words: str = Field(default="", exclude_if=not_, description="names and phones blotted out")
    card: str | None = Field(default=None, description="vault card with the message as it came")
    digest: str | None = Field(
        default=None, description="SHA-256 of the card's salt and message, in hex"
    )


class ConsignmentFollowed(Fact, name="consignments.ConsignmentFollowed"):
    """What it told was carried out in the house: stock, parcel and orders say the same."""

    step: Step | None = Field(description="the furthest it had told by then")


ConsignmentFact = ConsignmentAsked | ConsignmentTold | ConsignmentFollowed


class Report(NamedTuple):
    """One message of the third party."""

    step: Step
    revision: int
    units: tuple[FoundUnits, ...] | None = None
    weight_grams: int | None = None
    carrier: str | None = None
    waybill: str | None = None
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Consignment:
    """What deciding about a parcel at a third party's needs."""

    warehouse: str = ""
    revision: int = 0
    units: tuple[ConsignedUnits, ...] = ()
    first: tuple[ConsignedUnits, ...] = ()
    """What was wanted of it at first: later wishes only take from it."""
    card: str = ""
    carrier: str | None = None
    """Whom the house would choose; once it is shipped, who has it."""
    held: bool = False
    acknowledged: int = 0
    """The newest wish that they took."""
    step: Step | None = None
    """The furthest that was told."""
    found: tuple[FoundUnits, ...] | None = None
    weight_grams: int | None = None
    waybill: str | None = None
    refused: int = 0
    """The newest wish that they refused."""
    code: str = ""
    words: str = ""
    behind: bool = False
    """Something was told that the house did not carry out yet."""

    @property
    def asked(self) -> bool:
        """Whether the third party was ever told of the parcel."""
        return self.revision > 0

    @property
    def over(self) -> bool:
        """Whether nothing can be asked of them any more: it left, or it never will."""
        return self.step in (Step.SHIPPED, Step.CANCELLED)

    @property
    def unwanted(self) -> bool:
        """Whether it left though nothing of it was to be sent any more (rules.md 5)."""
        return self.step is Step.SHIPPED and not self.units

    @property
    def unanswered(self) -> bool:
        """Whether they owe word of the newest wish."""
        return not self.over and max(self.acknowledged, self.refused) < self.revision

    @property
    def never_taken(self) -> bool:
        """Whether they refused it from the first: nothing of it is in their hands."""
        return not self.acknowledged and self.refused_now

    @property
    def refused_now(self) -> bool:
        """Whether they do not do what is asked of them now."""
        return self.asked and self.refused == self.revision > self.acknowledged

    @property
    def state(self) -> str:
        """In one word: `asked`, `refused`, or the furthest step."""
        if self.over and self.step:
            return self.step
        if self.refused_now:
            return NOT_ACCEPTED
        return NOT_TOLD if self.unanswered or self.step is None else self.step

    def ask(
        self,
        *,
        warehouse: str,
        units: Iterable[ConsignedUnits],
        card: str,
        carrier: str | None,
        hand_over_by: AwareDatetime,
        held: bool,
        reason: str = "",
        again: bool = False,
    ) -> list[ConsignmentFact]:
        """Ask for it, or for something else than before; an equal wish only where told to."""
        wanted = tuple(units)
        equal = self.asked and (self.units, self.card, self.held) == (wanted, card, held)
        if self.over or (equal and not again):
            return []
        return [
            ConsignmentAsked(
                warehouse=warehouse,
                revision=self.revision + 1,
                units=wanted,
                card=card,
                carrier=carrier,
                hand_over_by=hand_over_by,
                held=held,
                reason=reason,
            )
        ]

    def must_take_another_try(self) -> None:
        """Raise `NotPossible` unless asking once more can change anything."""
        if not self.asked or self.over or not (self.unanswered or self.refused_now):
            raise NotPossible(action="push", why="the third party has nothing to answer")

    def tell(self, report: Report, kept: Sealed | None) -> list[ConsignmentFact]:
        """Take in what they tell; nothing where it says no more than is known."""
        if report.revision > self.revision:
            raise InvalidRequest(field="revision", reason=f"{self.revision} is the newest")
        if report.step is Step.CANCELLED and (report.revision < self.revision or self.units):
            raise NotPossible(action="cancel", why="nobody asked for it: refuse it instead")
        fact = ConsignmentTold(
            **report._asdict(),
            card=kept.card if kept else None,
            digest=kept.digest if kept else None,
        )
        return [] if evolve(self, fact) == self else [fact]

    def follow(self) -> list[ConsignmentFact]:
        """Note that the house did what follows from what they told."""
        return [ConsignmentFollowed(step=self.step)] if self.behind else []


def evolve(one: Consignment, fact: ConsignmentFact) -> Consignment:
    """The parcel at the third party's after one more fact."""
    match fact:
        case ConsignmentAsked():
            return replace(
                one,
                warehouse=fact.warehouse,
                revision=fact.revision,
                units=fact.units,
                first=one.first or fact.units,
                card=fact.card,
                carrier=fact.carrier,
                held=fact.held,
            )
        case ConsignmentTold(step=Step.REFUSED):
            if fact.revision <= max(one.refused, one.acknowledged):
                return one
            after = replace(one, refused=fact.revision, code=fact.code, words=fact.words)
            return replace(after, behind=one.behind or after.never_taken)
        case ConsignmentTold():
            return _told(one, fact)
        case ConsignmentFollowed():
            return replace(one, behind=False)
        case _:
            assert_never(fact)


def _told(one: Consignment, fact: ConsignmentTold) -> Consignment:
    taken = max(one.acknowledged, fact.revision)
    after = replace(one, acknowledged=taken)
    if one.step is None or FURTHER.index(fact.step) >= FURTHER.index(one.step):
        shipped = fact.step is Step.SHIPPED
        after = replace(
            after,
            step=fact.step,
            found=_less(one.found, fact.units),
            weight_grams=one.weight_grams if fact.weight_grams is None else fact.weight_grams,
            carrier=fact.carrier if shipped else one.carrier,
            waybill=fact.waybill if shipped else one.waybill,
        )
    return one if after == one else replace(after, behind=True)


def _less(
    known: tuple[FoundUnits, ...] | None, told: tuple[FoundUnits, ...] | None
) -> tuple[FoundUnits, ...] | None:
    """The fewest units of each item that were told: what is missing does not come back."""
    if known is None or told is None:
        return told if known is None else known
    fewest = {one.sku: one.quantity for one in known}
    for one in told:
        fewest[one.sku] = min(one.quantity, fewest.get(one.sku, one.quantity))
    return tuple(FoundUnits(sku=sku, quantity=count) for sku, count in sorted(fewest.items()))
