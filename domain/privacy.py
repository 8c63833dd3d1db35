"""隐私 What is known of how a learner's personal data is used: looked at, held, let go (A4, A9).

The data itself is in the vault; here is only who looked at which card, and what stands against
erasing it (rules.md 30).
"""

from dataclasses import dataclass, replace
from typing import assert_never

from pydantic import Field

from domain.facts import Fact
from domain.refusals import NotPossible, Refusal


class CardRevealed(Fact, name="privacy.CardRevealed"):
    """Somebody was shown a card unmasked; who and why are in the envelope."""

    card: str = Field(description="id of the card in the vault")
    order: str | None = Field(default=None, description="the order whose recipient it is")
    case: str | None = Field(default=None, description="the dispute it was looked at for")


class LegalHoldPlaced(Fact, name="privacy.LegalHoldPlaced"):
    """The learner's data must be kept, and only kept, until the hold is lifted."""

    matter: str = Field(description="the matter's reference: no names")


class LegalHoldLifted(Fact, name="privacy.LegalHoldLifted"):
    """The matter no longer needs the learner's data."""

    matter: str


PrivacyFact = CardRevealed | LegalHoldPlaced | LegalHoldLifted


class UnderLegalHold(Refusal):
    """Held data may be stored and nothing else: neither shown nor erased (rules.md 30)."""

    code = "legal_hold"
    en = "The learner's data is under a legal hold ({matters}): it may only be stored."
    zh = "该学员的数据处于法律保全({matters}),仅可存储。"


class RetentionOver(Refusal):
    """A carrier's payload was kept for its time and is deleted; its facts stay (rules.md 30)."""

    code = "retention_over"
    en = "What was sealed on {made_on} was deleted on {gone_on}: its retention period was over."
    zh = "{made_on} 的原始报文已于 {gone_on} 删除:留存期限已到。"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What deciding about one learner's data needs."""

    holds: tuple[str, ...] = ()
    """Matters that hold the data."""

    def reveal(self, card: str, *, order: str | None, case: str | None) -> list[PrivacyFact]:
        """Show a card unmasked; each time is a fact of its own."""
        self.usable()
        return [CardRevealed(card=card, order=order, case=case)]

    def hold(self, matter: str) -> list[PrivacyFact]:
        """Hold the data for a matter; holding twice is one hold."""
        return [] if matter in self.holds else [LegalHoldPlaced(matter=matter)]

    def lift(self, matter: str) -> list[PrivacyFact]:
        """End one matter's hold; the others stay."""
        if matter not in self.holds:
            raise NotPossible(action="lift", why=f"no hold is there for {matter}")
        return [LegalHoldLifted(matter=matter)]

    def refusals(self) -> list[UnderLegalHold]:
        """What stands against using the data: erasing, showing, finding, sending something."""
        return [UnderLegalHold(matters=", ".join(self.holds))] if self.holds else []

    def usable(self) -> None:
        """Refuse any use of held data, erasing included."""
        for refusal in self.refusals():
            raise refusal


def evolve(privacy: Privacy, fact: PrivacyFact) -> Privacy:
    """The state after one more fact."""
    match fact:
        case CardRevealed():
            return privacy
        case LegalHoldPlaced(matter=matter):
            return replace(privacy, holds=(*privacy.holds, matter))
        case LegalHoldLifted(matter=matter):
            return replace(privacy, holds=tuple(one for one in privacy.holds if one != matter))
        case _:
            assert_never(fact)
