"""预申报 What customs are told of a parcel that goes abroad, and what they answer (T7).

Filled in from its orders when it is packed; staff complete it and submit it, and the carrier gets
the parcel once customs have cleared it. Nobody is named: goods alone are declared here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import not_
from typing import assert_never

from pydantic import Field

from domain.countries import Country
from domain.customs_terms import HsCode
from domain.facts import Fact, NonNegativeInt, PositiveInt, Value
from domain.refusals import InvalidRequest, NotPossible, Refusal


class DeclaredLine(Value):
    """Units of one item, as customs are told of them; what is not known yet is empty."""

    sku: str
    name: str = Field(description="as learners read it")
    quantity: PositiveInt
    unit_value_fen: NonNegativeInt = Field(description="worth of a unit, fen")
    net_weight_grams: NonNegativeInt = Field(description="of all units without packaging, grams")
    hs_code: HsCode | None = Field(default=None, description="of the Harmonized System")
    english_name: str | None = Field(default=None, min_length=1, max_length=200)
    origin: Country | None = Field(default=None, description="where it was made")

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that have to be filled in before customs are asked."""
        asked = ("hs_code", "english_name", "origin", "unit_value_fen", "net_weight_grams")
        return tuple([name for name in asked if not getattr(self, name)])

    def of(self, quantity: int) -> "DeclaredLine":
        """So many units of the same item."""
        grams = self.net_weight_grams * quantity // self.quantity
        return self.model_copy(update={"quantity": quantity, "net_weight_grams": grams})


class DeclarationDrawnUp(Fact, name="parcels.DeclarationDrawnUp"):
    """The declaration was filled in from the orders in the parcel, as it was packed (T7)."""

    country: Country = Field(description="where it goes")
    lines: tuple[DeclaredLine, ...]
    gross_weight_grams: NonNegativeInt = Field(description="as it was weighed")


class DeclarationCompleted(Fact, name="parcels.DeclarationCompleted"):
    """Staff filled in what was missing, or the parcel's content is another one now (T7)."""

    lines: tuple[DeclaredLine, ...]
    gross_weight_grams: PositiveInt | None = Field(
        default=None,
        exclude_if=lambda grams: grams is None,
        description="weighed anew; None: as it was",
    )


class DeclarationSubmitted(Fact, name="parcels.DeclarationSubmitted"):
    """Customs were asked whether the parcel may go (T7)."""

    reference: str = Field(description="number of the declaration at customs, or at the agent")


class CustomsCleared(Fact, name="parcels.CustomsCleared"):
    """Customs let the parcel go: it may be handed over (T7)."""

    reference: str = Field(default="", exclude_if=not_, description="of the release")


class CustomsStopped(Fact, name="parcels.CustomsStopped"):
    """Customs do not let the parcel go as it is declared (T7)."""

    reason: str


DeclarationFact = (
    DeclarationDrawnUp
    | DeclarationCompleted
    | DeclarationSubmitted
    | CustomsCleared
    | CustomsStopped
)


class Standing(StrEnum):
    """How far a declaration is."""

    DRAFT = "draft"
    """It waits for staff: to be completed, or to be submitted."""
    SUBMITTED = "submitted"
    CLEARED = "cleared"
    STOPPED = "stopped"
    """It waits for staff: declared otherwise it may go, else its order is cancelled."""


class NotDeclared(Refusal):
    """Customs are not asked about goods of which they would ask back (T7)."""

    code = "not_declared"
    en = "The declaration lacks {missing}."
    zh = "申报信息缺少 {missing}。"


class GrossBelowNet(Refusal):
    """A parcel with its packaging does not weigh less than the goods in it (T7)."""

    code = "gross_below_net"
    en = "{field}: {gross} g gross is less than the {net} g of the goods."
    zh = "{field}：毛重 {gross} 克小于净重 {net} 克。"


class NotCleared(Refusal):
    """The carrier does not get a parcel before customs let it go (T7)."""

    code = "not_cleared"
    en = "{field}: customs have not cleared the parcel; its declaration is {standing}. {reason}"
    zh = "{field}：海关尚未放行该包裹，申报状态：{standing}。{reason}"

    def message(self, language: str = "en") -> str:
        """What is not cleared, and why, as far as customs said."""
        return super().message(language).rstrip()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What deciding about a parcel's declaration needs."""

    standing: Standing | None = None
    """None: it was not drawn up, because nothing is declared yet, or never."""
    country: str = ""
    lines: tuple[DeclaredLine, ...] = ()
    gross_weight_grams: int = 0
    reference: str = ""
    reason: str = ""
    """Why customs stopped the parcel."""

    @property
    def net_weight_grams(self) -> int:
        """Of all the goods, without packaging."""
        return sum(one.net_weight_grams for one in self.lines)

    @property
    def missing(self) -> tuple[str, ...]:
        """What staff have to fill in, as `lines.0.hs_code`; a gross weight that cannot be, too."""
        lines = [
            f"lines.{nth}.{name}" for nth, line in enumerate(self.lines) for name in line.missing
        ]
        weighed = 0 < self.gross_weight_grams >= self.net_weight_grams
        return (*lines, *(() if weighed or not self.lines else ("gross_weight_grams",)))

    def is_of(self, content: Iterable[tuple[str, int]]) -> bool:
        """Whether these units (SKU, quantity) are the ones that are declared."""
        return sorted((one.sku, one.quantity) for one in self.lines) == sorted(content)

    def draw_up(
        self, lines: Sequence[DeclaredLine], *, country: str, gross_weight_grams: int
    ) -> list[DeclarationFact]:
        """Fill it in from what was packed."""
        return [
            DeclarationDrawnUp(
                country=country, lines=tuple(lines), gross_weight_grams=gross_weight_grams
            )
        ]

    def complete(
        self, lines: Sequence[DeclaredLine], *, gross_weight_grams: int | None = None
    ) -> list[DeclarationFact]:
        """Declare this instead; what customs answered to something else does not hold any more.

        Without a gross weight it is the one that was known.
        """
        self._must_be_there("declare")
        if self.standing is Standing.SUBMITTED:
            raise NotPossible(action="declare", why="customs have not answered yet")
        gross = None if gross_weight_grams == self.gross_weight_grams else gross_weight_grams
        if (tuple(lines), gross) == (self.lines, None):
            return []
        return [DeclarationCompleted(lines=tuple(lines), gross_weight_grams=gross)]

    def renew(
        self, lines: Sequence[DeclaredLine], *, gross_weight_grams: int
    ) -> list[DeclarationFact]:
        """Declare what is left in a parcel that was weighed anew, by what was declared before.

        `lines` are the house's own words for what is in it; those of an item that was declared
        already stay, for as many units as there are. Whatever customs answer to what they were
        asked before does not hold.
        """
        before = {one.sku: one for one in self.lines}
        now = tuple(before[one.sku].of(one.quantity) if one.sku in before else one for one in lines)
        if (now, gross_weight_grams) == (self.lines, self.gross_weight_grams):
            return []
        return [DeclarationCompleted(lines=now, gross_weight_grams=gross_weight_grams)]

    def submit(self, reference: str) -> list[DeclarationFact]:
        """Ask customs; what was stopped is asked about again once it is declared otherwise."""
        self._must_be_there("submit")
        if self.standing is not Standing.DRAFT:
            raise NotPossible(action="submit", why=f"the declaration is {self.standing}")
        if self.missing == ("gross_weight_grams",) and self.gross_weight_grams:
            raise GrossBelowNet(
                field="gross_weight_grams",
                gross=self.gross_weight_grams,
                net=self.net_weight_grams,
            )
        if self.missing:
            raise NotDeclared(missing=", ".join(self.missing))
        return [DeclarationSubmitted(reference=reference)]

    def clear(self, reference: str) -> list[DeclarationFact]:
        """Customs let it go, also after they had stopped it."""
        if self.standing is Standing.CLEARED:
            return []
        self._must_be_asked()
        return [CustomsCleared(reference=reference)]

    def stop(self, reason: str) -> list[DeclarationFact]:
        """Customs do not let it go, also after they had cleared it."""
        if (self.standing, self.reason) == (Standing.STOPPED, reason):
            return []
        self._must_be_asked()
        if not reason:
            raise InvalidRequest(field="reason", reason="say why customs stopped it")
        return [CustomsStopped(reason=reason)]

    def must_be_cleared(self) -> None:
        """Raise `NotCleared` unless customs let the parcel go."""
        if self.standing is not Standing.CLEARED:
            standing = self.standing or Standing.DRAFT
            raise NotCleared(field="declaration", standing=standing, reason=self.reason)

    def _must_be_asked(self) -> None:
        self._must_be_there("answer_customs")
        if self.standing is Standing.DRAFT:
            raise NotPossible(action="answer_customs", why="the declaration is draft")

    def _must_be_there(self, action: str) -> None:
        if self.standing is None:
            raise NotPossible(action=action, why="nothing is declared: the parcel is not packed")


def evolve(declaration: Declaration, fact: DeclarationFact) -> Declaration:
    """The declaration after one more fact."""
    match fact:
        case DeclarationDrawnUp():
            return Declaration(Standing.DRAFT, fact.country, fact.lines, fact.gross_weight_grams)
        case DeclarationCompleted(lines=lines, gross_weight_grams=grams):
            return replace(
                declaration,
                standing=Standing.DRAFT,
                lines=lines,
                gross_weight_grams=grams or declaration.gross_weight_grams,
                reference="",
                reason="",
            )
        case DeclarationSubmitted(reference=reference):
            return replace(declaration, standing=Standing.SUBMITTED, reference=reference, reason="")
        case CustomsCleared(reference=reference):
            return replace(
                declaration,
                standing=Standing.CLEARED,
                reference=reference or declaration.reference,
                reason="",
            )
        case CustomsStopped(reason=reason):
            return replace(declaration, standing=Standing.STOPPED, reason=reason)
        case _:
            assert_never(fact)
