"""面单 Electronic labels: waybills asked of an aggregator, never twice for one parcel (W5).

A request has a name that the partner knows it by for ever. What became of it may be unknown for a
while; then the same name is asked about again, and never another one in its place.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from operator import not_
from typing import assert_never

from pydantic import Field, NonNegativeInt

from domain.facts import Fact
from domain.refusals import NotFound, NotPossible


class LabelWanted(Fact, name="parcels.LabelWanted"):
    """A waybill is asked of the aggregator for the parcel (W5)."""

    label: str = Field(description="names the request at the partner, for ever")
    carrier: str = Field(description="the carrier's code as Kuaidi100 writes it")
    grams: NonNegativeInt = Field(description="what is in it, and its packaging, about")


class LabelIssued(Fact, name="parcels.LabelIssued"):
    """The partner gave the request a carrier's number."""

    label: str
    issuer: str = Field(description="who issued it: kuaidi100")
    waybill: str
    partner_order: str = Field(
        default="", exclude_if=not_, description="the carrier's own number of the order"
    )
    sorting: str = Field(default="", exclude_if=not_, description="sorting mark to be printed")


class LabelRefused(Fact, name="parcels.LabelRefused"):
    """The partner issues no number for the request: somebody has to see to it."""

    label: str
    code: str
    words: str = Field(
        default="",
        description="the partner's, names and phones blotted out; of `waybill_taken`, the house's",
    )


class LabelUnanswered(Fact, name="parcels.LabelUnanswered"):
    """Nobody knows what became of the request, and asking now would be ordering once more."""

    label: str


class LabelUnwanted(Fact, name="parcels.LabelUnwanted"):
    """The number is not needed after all: it is given back (rules.md 29)."""

    label: str
    reason: str


class LabelCancelled(Fact, name="parcels.LabelCancelled"):
    """The partner took the number back, or never had the request."""

    label: str


LabelFact = (
    LabelWanted | LabelIssued | LabelRefused | LabelUnanswered | LabelUnwanted | LabelCancelled
)


class LabelState(StrEnum):
    """What became of a request for a waybill."""

    WANTED = "wanted"
    ISSUED = "issued"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNWANTED = "unwanted"
    """To be cancelled, as soon as its number is known."""
    CANCELLED = "cancelled"


LIVE = frozenset({LabelState.WANTED, LabelState.ISSUED})
"""While there is one like this, no other one is asked for."""


@dataclass(frozen=True, slots=True)
class Label:
    """One request for a waybill."""

    name: str
    carrier: str
    grams: int
    state: LabelState = LabelState.WANTED
    issuer: str = ""
    waybill: str | None = None
    """The number that the partner has for it; of one that was refused, to be given back."""
    sorting: str = ""
    code: str = ""
    """Of the refusal."""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Labels:
    """All requests for one parcel, oldest first."""

    all: tuple[Label, ...] = ()

    @property
    def live(self) -> Label | None:
        """The request that the parcel waits for, or whose number it has."""
        return next((one for one in self.all if one.state in LIVE), None)

    @property
    def stuck(self) -> bool:
        """Whether a human has to see to it before another one is asked for."""
        return bool(self.all) and self.all[-1].state in (
            LabelState.REFUSED,
            LabelState.UNANSWERED,
        )

    def named(self, name: str) -> Label:
        """The request with this name; raises `NotFound`."""
        for one in self.all:
            if one.name == name:
                return one
        raise NotFound(what="label")

    def want(self, parcel: str, *, carrier: str, grams: int) -> list[LabelFact]:
        """Ask for a waybill; while one is asked for or there, that is enough."""
        if self.live is not None:
            return []
        name = f"{parcel}-L{len(self.all) + 1}"
        return [LabelWanted(label=name, carrier=carrier, grams=grams)]

    def issue(self, told: LabelIssued) -> list[LabelFact]:
        """Take the number; one that is not needed any more is known, to be given back."""
        known = self.named(told.label)
        if known.waybill == told.waybill:
            return []
        if known.waybill is not None:
            raise NotPossible(action="issue_label", why=f"{told.label} has another number")
        return [told]

    def decline(self, told: LabelIssued, *, code: str, words: str) -> list[LabelFact]:
        """Take the number and refuse it: no good to anybody here, it is given back."""
        facts = self.issue(told)
        return [*facts, LabelRefused(label=told.label, code=code, words=words)] if facts else []

    def refuse(self, name: str, *, code: str, words: str) -> list[LabelFact]:
        """Note that there will be no number; what nobody needs is done with by that."""
        match self.named(name).state:
            case LabelState.WANTED:
                return [LabelRefused(label=name, code=code, words=words)]
            case LabelState.UNWANTED:
                return [LabelCancelled(label=name)]
            case _:
                return []

    def give_up(self, name: str) -> list[LabelFact]:
        """Wait no longer for word of it."""
        known = self.named(name)
        waits = known.state in (LabelState.WANTED, LabelState.UNWANTED) and known.waybill is None
        return [LabelUnanswered(label=name)] if waits else []

    def give_back(self, reason: str) -> list[LabelFact]:
        """Have what is asked for or there cancelled; nothing where there is none."""
        live = self.live
        return [] if live is None else [LabelUnwanted(label=live.name, reason=reason)]

    def cancelled(self, name: str) -> list[LabelFact]:
        """Note that the partner has it no more."""
        known = self.named(name)
        refused = known.state is LabelState.REFUSED and known.waybill is not None
        back = refused or known.state is LabelState.UNWANTED
        return [LabelCancelled(label=name)] if back else []


def evolve(labels: Labels, fact: LabelFact) -> Labels:
    """The requests after one more fact."""
    match fact:
        case LabelWanted():
            return Labels((*labels.all, Label(fact.label, fact.carrier, fact.grams)))
        case LabelIssued():
            return _changed(
                labels, fact.label, issuer=fact.issuer, waybill=fact.waybill,
                sorting=fact.sorting, state=_with_number(labels, fact.label),
            )  # fmt: skip
        case LabelRefused():
            refused = LabelState.REFUSED
            return _changed(labels, fact.label, state=refused, code=fact.code, words=fact.words)
        case LabelUnanswered():
            return _changed(labels, fact.label, state=LabelState.UNANSWERED)
        case LabelUnwanted():
            return _changed(labels, fact.label, state=LabelState.UNWANTED)
        case LabelCancelled():
            return _given_back(labels, fact.label)
        case _:
            assert_never(fact)


def _with_number(labels: Labels, name: str) -> LabelState:
    """A number that comes for what was waited for is issued; any other is to be given back."""
    waited = any(one.name == name and one.state is LabelState.WANTED for one in labels.all)
    return LabelState.ISSUED if waited else LabelState.UNWANTED


def _given_back(labels: Labels, name: str) -> Labels:
    """What was refused waits for a human all the same; its number is the partner's again."""
    refused = any(one.name == name and one.state is LabelState.REFUSED for one in labels.all)
    if refused:
        return _changed(labels, name, waybill=None)
    return _changed(labels, name, state=LabelState.CANCELLED)


def _changed(labels: Labels, name: str, **changes: object) -> Labels:
    return Labels(
        tuple(
            replace(one, **changes) if one.name == name else one  # type: ignore[arg-type]
            for one in labels.all
        )
    )
