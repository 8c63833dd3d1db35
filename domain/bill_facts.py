"""账单 What partners bill, and what of it differs from what the house knows (W6).

Amounts are fen. A carrier's or a warehouse's bill says what the house owes; a payment provider's or
a channel's says what it owes the house: what came in is positive there, what went out or was kept
is negative. Bills name numbers of ours and theirs, never people.
"""

from datetime import date
from enum import StrEnum
from typing import Final

from pydantic import Field

from domain.facts import Fact, NonNegativeInt, PositiveInt, Value

NUMBER_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$"
PARTNER_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,39}$"
BILL_NUMBER_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
LINES_MAX: Final = 20_000
"""Of one bill; who bills more sends several."""
LINES_A_FACT: Final = 1_000


class BillKind(StrEnum):
    """Who bills."""

    CARRIER = "carrier"
    WAREHOUSE = "warehouse"
    PAYMENT = "payment"
    CHANNEL = "channel"


class Charge(StrEnum):
    """What is billed for."""

    FREIGHT = "freight"
    SURCHARGE = "surcharge"
    PACKAGING = "packaging"
    HANDLING = "handling"
    STORAGE = "storage"
    CAPTURE = "capture"
    """Cash that a learner paid."""
    REFUND = "refund"
    FEE = "fee"
    COMMISSION = "commission"
    OTHER = "other"


CHARGES: Final = {
    BillKind.CARRIER: (Charge.FREIGHT, Charge.SURCHARGE, Charge.PACKAGING, Charge.OTHER),
    BillKind.WAREHOUSE: (Charge.HANDLING, Charge.PACKAGING, Charge.STORAGE, Charge.OTHER),
    BillKind.PAYMENT: (Charge.CAPTURE, Charge.REFUND, Charge.FEE),
    BillKind.CHANNEL: (Charge.COMMISSION, Charge.FEE, Charge.OTHER),
}
"""What each kind of partner bills; the first is meant where a row says nothing."""
KEPT: Final = frozenset({Charge.REFUND, Charge.FEE, Charge.COMMISSION})
"""What a partner that owes the house takes off: negative, however its file writes it."""


class Cause(StrEnum):
    """Why a line differs from what the house knows."""

    UNKNOWN_NUMBER = "unknown_number"
    NOT_THEIRS = "not_theirs"
    """The number is known, but another partner had it."""
    BILLED_TWICE = "billed_twice"
    NEVER_HANDED_OVER = "never_handed_over"
    REFUNDED = "refunded"
    """Billed for what was given back whole."""
    WEIGHT_ABOVE = "weight_above"
    """What the carrier's own card asks for the weight it billed, above ours."""
    QUANTITY_ABOVE = "quantity_above"
    """More units than were ever there."""
    PRICE_ABOVE = "price_above"
    NOT_AGREED = "not_agreed"
    """Nobody agreed on a price for this."""
    AMOUNT_DIFFERS = "amount_differs"
    """Another sum was paid or given back."""
    MISSING = "missing"
    """The house expects it on the bill."""
    BELOW = "below"
    """Cheaper than expected: noted, and nothing is to be done."""


SETTLED: Final = frozenset({Cause.BELOW})
"""Differences that nobody has to decide."""


class BilledLine(Value):
    """One row of a bill."""

    row: PositiveInt = Field(description="of the file, as people see it there")
    number: str = Field(
        pattern=NUMBER_PATTERN, description="waybill, parcel, order, payment, refund, or SKU stored"
    )
    charge: Charge
    fen: int = Field(strict=True, description="as billed; negative: the partner gives or keeps it")
    grams: NonNegativeInt | None = Field(default=None, description="weight that was charged")
    quantity: NonNegativeInt | None = Field(default=None, description="units stored for a month")
    day: date | None = Field(default=None, description="when it was had, as the bill says")


class RefusedRow(Value):
    """A row that is no line: what it held is not kept, it may name people."""

    row: PositiveInt
    column: str
    code: str


class Difference(Value):
    """A line, or a part of its amount, that the house knows otherwise."""

    id: str = Field(description="cause, charge and number; and the row, for one line of several")
    cause: Cause
    number: str
    charge: Charge
    row: PositiveInt | None = Field(description="of the bill; None: it is not on it")
    billed_fen: int
    ours_fen: int
    fen: int = Field(description="of the difference between both, what this cause makes")
    about: str = Field(default="", description="our parcel or order; empty: none is known")


class BillReceived(Fact, name="bills.BillReceived"):
    """A partner's bill, or a later version of it that takes the earlier one's place (W6)."""

    kind: BillKind
    partner: str
    number: str = Field(description="the bill's own")
    revision: PositiveInt
    file: str
    digest: str = Field(description="SHA-256 of its lines: the same bill in another format is one")
    first_day: date | None = Field(description="what it is about, in the business time zone")
    last_day: date | None
    lines: NonNegativeInt
    total_fen: int
    refused: NonNegativeInt = Field(description="rows that could not be read: the bill lacks them")


class LinesBilled(Fact, name="bills.LinesBilled"):
    """Lines of the bill that was received in the same commit."""

    revision: PositiveInt
    lines: tuple[BilledLine, ...]


class RowsRefused(Fact, name="bills.RowsRefused"):
    """Rows of the bill that was received in the same commit, which could not be read."""

    revision: PositiveInt
    rows: tuple[RefusedRow, ...]


class DifferencesFound(Fact, name="bills.DifferencesFound"):
    """The bill was compared with what the house knows, and this differs."""

    revision: PositiveInt
    differences: tuple[Difference, ...]


class DifferencesGone(Fact, name="bills.DifferencesGone"):
    """What differed is as it should be by now: somebody learnt more."""

    revision: PositiveInt
    ids: tuple[str, ...]


class BillMatched(Fact, name="bills.BillMatched"):
    """All of the bill was compared: billed = ours + what its lines' differences make."""

    revision: PositiveInt
    agreed: NonNegativeInt = Field(description="lines that the house would have billed the same")
    ours_fen: int = Field(description="what all of its lines come to by the house's knowledge")


class DifferenceAccepted(Fact, name="bills.DifferenceAccepted"):
    """The house takes the difference as it is."""

    difference: str
    cause: Cause
    fen: int
    reason: str


class DifferenceContested(Fact, name="bills.DifferenceContested"):
    """The house asks the partner to correct it."""

    difference: str
    cause: Cause
    fen: int
    reason: str


BillFact = (
    BillReceived
    | LinesBilled
    | RowsRefused
    | DifferencesFound
    | DifferencesGone
    | BillMatched
    | DifferenceAccepted
    | DifferenceContested
)
