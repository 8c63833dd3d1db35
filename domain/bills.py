"""账单处理 A bill: received once, corrected visibly, its differences decided (W6)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, NamedTuple, TypeVar, assert_never

from domain.bill_facts import (
    LINES_A_FACT,
    SETTLED,
    BilledLine,
    BillFact,
    BillKind,
    BillMatched,
    BillReceived,
    Difference,
    DifferenceAccepted,
    DifferenceContested,
    DifferencesFound,
    DifferencesGone,
    LinesBilled,
    RefusedRow,
    RowsRefused,
)
from domain.refusals import NotFound, NotPossible

Decision = Literal["accepted", "contested"]
T = TypeVar("T")


class BillFile(NamedTuple):
    """A bill as a file gave it."""

    kind: BillKind
    partner: str
    number: str
    file: str
    lines: Sequence[BilledLine]
    refused: Sequence[RefusedRow] = ()
    first_day: date | None = None
    last_day: date | None = None

    @property
    def digest(self) -> str:
        """The same lines in another file, format or order of columns have the same one."""
        days = f"{self.first_day}|{self.last_day}\n"
        text = "".join(one.model_dump_json(exclude={"row"}) + "\n" for one in self.lines)
        refused = "".join(f"{one.column}:{one.code}\n" for one in self.refused)
        return hashlib.sha256((days + text + refused).encode()).hexdigest()

    @property
    def key(self) -> str:
        """Which bill it is."""
        return bill_key(self.kind, self.partner, self.number)


def bill_key(kind: BillKind, partner: str, number: str) -> str:
    """The key of a bill's stream; its number may hold anything but a colon."""
    return f"{kind}:{partner}:{number}"


class Decided(NamedTuple):
    """What somebody said of a difference of this amount."""

    decision: Decision
    fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What deciding about one bill needs."""

    kind: BillKind | None = None
    partner: str = ""
    revision: int = 0
    digest: str = ""
    """Of the newest revision."""
    lines: int = 0
    total_fen: int = 0
    matched: BillMatched | None = None
    """None until the newest revision was compared."""
    found: dict[str, Difference] = field(default_factory=dict)
    decided: dict[str, Decided] = field(default_factory=dict)

    def receive(self, file: BillFile) -> list[BillFact]:
        """Take a bill; the same one changes nothing, another one under its number replaces it.

        Also one that was replaced: whoever sent a wrong file sends the right one once more.
        """
        digest = file.digest
        if self.digest == digest:
            return []
        revision = self.revision + 1
        received = BillReceived(
            kind=file.kind,
            partner=file.partner,
            number=file.number,
            revision=revision,
            file=file.file,
            digest=digest,
            first_day=file.first_day,
            last_day=file.last_day,
            lines=len(file.lines),
            total_fen=sum(one.fen for one in file.lines),
            refused=len(file.refused),
        )
        return [
            received,
            *(LinesBilled(revision=revision, lines=some) for some in _some(file.lines)),
            *(RowsRefused(revision=revision, rows=some) for some in _some(file.refused)),
        ]

    def compare(
        self, revision: int, found: Sequence[Difference], *, agreed: int, ours_fen: int
    ) -> list[BillFact]:
        """Note what differs now; nothing where that was known, or a later revision came."""
        if revision != self.revision:
            return []
        now = {one.id: one for one in found}
        gone = tuple(one for one in self.found if one not in now)
        new = tuple(one for name, one in now.items() if self.found.get(name) != one)
        matched = BillMatched(revision=revision, agreed=agreed, ours_fen=ours_fen)
        facts: list[BillFact] = []
        if gone:
            facts.append(DifferencesGone(revision=revision, ids=gone))
        facts += [DifferencesFound(revision=revision, differences=some) for some in _some(new)]
        return [*facts, matched] if facts or self.matched != matched else []

    def decide(self, difference: str, decision: Decision, *, reason: str) -> list[BillFact]:
        """Accept or contest a difference; a later word takes the earlier one's place."""
        one = self.found.get(difference)
        if one is None:
            raise NotFound(what="difference")
        if one.cause in SETTLED:
            raise NotPossible(action="decide_difference", why="nothing is to be decided about it")
        if self.decided.get(difference) == Decided(decision, one.fen, reason):
            return []
        told = DifferenceAccepted if decision == "accepted" else DifferenceContested
        return [told(difference=difference, cause=one.cause, fen=one.fen, reason=reason)]

    def decision(self, one: Difference) -> Decided | None:
        """What was said of a difference, as long as it is about the same amount."""
        said = self.decided.get(one.id)
        return said if said is not None and said.fen == one.fen else None

    def standing(self, one: Difference) -> str:
        """open, accepted, contested, or settled: nothing is to be decided about it."""
        if one.cause in SETTLED:
            return "settled"
        said = self.decision(one)
        return "open" if said is None else said.decision

    @property
    def state(self) -> str:
        """received (not compared yet), open, contested or settled."""
        if self.matched is None:
            return "received"
        standing = {self.standing(one) for one in self.found.values()}
        return next((one for one in ("open", "contested") if one in standing), "settled")


def _some(rows: Sequence[T]) -> list[tuple[T, ...]]:
    """As many as one fact holds, at a time."""
    starts = range(0, len(rows), LINES_A_FACT)
    return [tuple(rows[start : start + LINES_A_FACT]) for start in starts]


def evolve(bill: Bill, fact: BillFact) -> Bill:
    """The bill after one more fact. What was said of a difference outlives a corrected bill."""
    match fact:
        case BillReceived():
            return replace(
                bill,
                kind=fact.kind,
                partner=fact.partner,
                revision=fact.revision,
                digest=fact.digest,
                lines=fact.lines,
                total_fen=fact.total_fen,
                matched=None,
                found={},
            )
        case LinesBilled() | RowsRefused():
            return bill
        case DifferencesFound():
            new = {one.id: one for one in fact.differences}
            return replace(bill, found={**bill.found, **new})
        case DifferencesGone():
            left = {name: one for name, one in bill.found.items() if name not in fact.ids}
            return replace(bill, found=left)
        case BillMatched():
            return replace(bill, matched=fact)
        case DifferenceAccepted():
            said = {fact.difference: Decided("accepted", fact.fen, fact.reason)}
            return replace(bill, decided={**bill.decided, **said})
        case DifferenceContested():
            said = {fact.difference: Decided("contested", fact.fen, fact.reason)}
            return replace(bill, decided={**bill.decided, **said})
        case _:
            assert_never(fact)
