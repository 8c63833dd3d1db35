"""隐私 What is known of how a learner's personal data is used: looked at, held, let go (A4, A9).

The data itself is in the vault; here is only who looked at which card, what stands against erasing
it (rules.md 30), and whether it is a minor's: then nobody looks at it alone.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from pydantic import Field

from domain.facts import Fact
from domain.refusals import NotPossible, Refusal


class CardRevealed(Fact, name="privacy.CardRevealed", version=2):
    """Somebody was shown a card unmasked; who and why are in the envelope."""

    card: str = Field(description="id of the card in the vault")
    order: str | None = Field(
        default=None, description="the order whose recipient it is, or whose parcel it tells of"
    )
    case: str | None = Field(default=None, description="the dispute it was looked at for")
    parcel: str | None = Field(
        default=None, description="the parcel it tells of: a carrier's payload, no recipient"
    )
    approval: str | None = Field(
        default=None, description="who allowed it: a minor's card is shown to nobody without"
    )


class PackRevealed(Fact, name="privacy.PackRevealed"):
    """Somebody was given a case's evidence pack with what the vault keeps of it (A4, D5)."""

    case: str = Field(description="the dispute it is of")
    order: str = Field(description="the order the dispute is about")
    position: int = Field(description="log position that the pack is as of")
    cards: tuple[str, ...] = Field(description="ids of the cards that were in it, unmasked")
    approval: str | None = Field(
        default=None, description="who allowed it: a minor's is given to nobody without"
    )


class LearnerMarkedMinor(Fact, name="privacy.LearnerMarkedMinor"):
    """The learner is under age: staff see their data only after a second person allowed it (A9)."""


class LearnerMarkedOfAge(Fact, name="privacy.LearnerMarkedOfAge"):
    """The learner is of age now: staff see their data with a reason, as everybody's."""


class MinorAccessAsked(Fact, name="privacy.MinorAccessAsked"):
    """Somebody asked to see a minor's card; a second person decides."""

    card: str = Field(description="id of the card in the vault, or of the case whose pack it is")
    maker: str = Field(description="who asked: nobody else is shown it for this approval")
    approval: str = Field(description="the request that waits, or waited, for a second person")


class LegalHoldPlaced(Fact, name="privacy.LegalHoldPlaced"):
    """The learner's data must be kept, and only kept, until the hold is lifted."""

    matter: str = Field(description="the matter's reference: no names")


class LegalHoldLifted(Fact, name="privacy.LegalHoldLifted"):
    """The matter no longer needs the learner's data."""

    matter: str


PrivacyFact = (
    CardRevealed
    | PackRevealed
    | LearnerMarkedMinor
    | LearnerMarkedOfAge
    | MinorAccessAsked
    | LegalHoldPlaced
    | LegalHoldLifted
)


class UnderLegalHold(Refusal):
    """Held data may be stored and nothing else: neither shown nor erased (rules.md 30)."""

    code = "legal_hold"
    en = "The learner's data is under a legal hold ({matters}): it may only be stored."
    zh = "该学员的数据处于法律保全({matters})，仅可存储。"


class RetentionOver(Refusal):
    """What was sealed was kept for its time and is deleted; its facts stay (rules.md 30)."""

    code = "retention_over"
    en = "What was sealed on {made_on} was deleted on {gone_on}: its retention period was over."
    zh = "{made_on} 封存的内容已于 {gone_on} 删除：留存期限已到。"


class MinorsCard(Refusal):
    """A minor's card is shown to nobody alone (A9)."""

    code = "minors_card"
    en = "The learner is a minor: a second person has to allow it first."
    zh = "该学员为未成年人，须经第二人审批后方可查看。"


class RevealOver(Refusal):
    """The same key shows a card again for a while only: every later look is one of its own."""

    code = "reveal_over"
    en = "This was shown until {until}. To see it again, ask under a new key."
    zh = "该信息的显示已于 {until} 结束，再次查看请使用新的幂等键。"


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody asked for of a minor's card."""

    card: str
    maker: str
    approval: str


@dataclass(frozen=True, slots=True)
class Privacy:
    """What deciding about one learner's data needs."""

    holds: tuple[str, ...] = ()
    """Matters that hold the data."""
    minor: bool = False
    asked: tuple[Access, ...] = ()
    """The newest request for each card and maker, decided or not."""

    def reveal(
        self,
        card: str,
        *,
        order: str | None,
        case: str | None,
        parcel: str | None = None,
        approval: str | None = None,
    ) -> list[PrivacyFact]:
        """Show a card unmasked; each time is a fact of its own.

        A minor's card needs the `approval` that a second person gave and that is still valid.
        """
        self.usable()
        if self.minor and approval is None:
            raise MinorsCard()
        return [CardRevealed(card=card, order=order, case=case, parcel=parcel, approval=approval)]

    def reveal_pack(
        self,
        case: str,
        *,
        order: str,
        position: int,
        cards: tuple[str, ...],
        approval: str | None = None,
    ) -> list[PrivacyFact]:
        """Give out a case's evidence unmasked; each time is a fact of its own.

        A minor's needs the `approval` that a second person gave and that is still valid.
        """
        self.usable()
        if self.minor and approval is None:
            raise MinorsCard()
        return [
            PackRevealed(case=case, order=order, position=position, cards=cards, approval=approval)
        ]

    def approval_of(self, card: str, *, maker: str) -> str | None:
        """The newest request of somebody to see this card, if there was one."""
        found = (one for one in self.asked if (one.card, one.maker) == (card, maker))
        return next((one.approval for one in found), None)

    def ask(self, card: str, *, maker: str, approval: str) -> list[PrivacyFact]:
        """Ask a second person to let somebody see a minor's card."""
        self.usable()
        return [MinorAccessAsked(card=card, maker=maker, approval=approval)]

    def mark(self, *, minor: bool) -> list[PrivacyFact]:
        """Note whether the learner is under age; the same again changes nothing."""
        if minor == self.minor:
            return []
        return [LearnerMarkedMinor() if minor else LearnerMarkedOfAge()]

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
        case CardRevealed() | PackRevealed():
            return privacy
        case LearnerMarkedMinor():
            return replace(privacy, minor=True)
        case LearnerMarkedOfAge():
            return replace(privacy, minor=False, asked=())
        case MinorAccessAsked(card=card, maker=maker, approval=approval):
            others = [one for one in privacy.asked if (one.card, one.maker) != (card, maker)]
            return replace(privacy, asked=(*others, Access(card, maker, approval)))
        case LegalHoldPlaced(matter=matter):
            return replace(privacy, holds=(*privacy.holds, matter))
        case LegalHoldLifted(matter=matter):
            return replace(privacy, holds=tuple(one for one in privacy.holds if one != matter))
        case _:
            assert_never(fact)
