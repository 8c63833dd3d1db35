"""子订单 Parts of an order: how far each has come, who has it (S2; rules.md 2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from domain.order_facts import (
    State,
    Units,
)
from domain.splitting import Allocation, Plan

PROGRESS = (
    State.PENDING_PAYMENT,
    State.PENDING_SHIPMENT,
    State.PENDING_RECEIPT,
    State.PENDING_END,
    State.COMPLETED,
)
"""The states of a live part, least advanced first (rules.md 2)."""


class Part(NamedTuple):
    """A sub-order: what one warehouse sends, or the courses granted."""

    number: int
    warehouse: str | None
    units: tuple[Allocation, ...]
    """What is still to be had; cancelled and refunded units are gone from here."""
    state: State
    parcel: str | None = None
    shipped: bool = False
    window_until: datetime | None = None
    waits: Literal["choice", "stock"] | None = None
    """Nothing is reserved for it: its warehouse did not find the units, and they were nowhere else.

    `choice` until the learner chose to wait; stock that comes is sent in either case.
    """
    paused_by: tuple[str, ...] = ()
    """Open disputes and returns, which hold its service window (rules.md 2)."""
    paused_at: datetime | None = None
    """Since when the window stands still: from receipt at the earliest."""
    planned: str | None = None
    """The parcel it was released into; `parcel` says the same once it was picked."""
    hand_over_by: datetime | None = None
    """When the warehouse's service level ends (rules.md 11)."""
    address_pending: bool = False
    """It was picked before its address changed, and nobody has said that they know (rule 29)."""
    carrier: str | None = None  # who was chosen to take it (W4)
    entrusted: bool = False
    """A third party's warehouse was asked to send it, and may have done so (W2)."""
    sent: tuple[Allocation, ...] = ()
    """What left in its parcel; units that were paid back since are still among it (D2)."""

    @property
    def to_be_sent(self) -> bool:
        """Whether a parcel of it is still to be handed over."""
        return bool(self.units) and bool(self.warehouse) and self.state is State.PENDING_SHIPMENT

    @property
    def in_hand(self) -> bool:
        """Whether somebody has its goods, or was asked to send them: they go from there."""
        return self.to_be_sent and (self.parcel is not None or self.entrusted)

    @property
    def releasable(self) -> bool:
        """Whether it waits to be released: reserved, and in nobody's hands yet (S5)."""
        return self.movable and self.planned is None

    @property
    def movable(self) -> bool:
        """Whether its units are reserved and can still be planned anew."""
        return (
            bool(self.units)
            and self.warehouse is not None
            and self.state is State.PENDING_SHIPMENT
            and not (self.parcel or self.shipped or self.waits)
        )

    @property
    def live(self) -> bool:
        """Whether anything of this part is still to be had."""
        return bool(self.units)


def units_of(parts: Iterable[Part]) -> list[Units]:
    """What these parts consist of."""
    return [
        Units(part=part.number, line=one.line, quantity=one.quantity)
        for part in parts
        for one in part.units
    ]


class Promise(NamedTuple):
    """When the last parcel should have arrived, and what follows if it does not."""

    by: datetime
    """As it was promised when the order was placed: points hang on it (rules.md 10)."""
    points: int
    """0: nothing is, or nothing follows any more."""
    broken: bool = False
    """One of them was received later."""
    anew: datetime | None = None
    """Made anew: for another address, or for units that their learner agreed to wait for."""
    told: datetime | None = None
    """The one of which the learner was told that it passed before all was handed over (T5)."""

    @property
    def stands(self) -> datetime:
        """The promised time by now."""
        return self.by if self.anew is None else self.anew


@dataclass(frozen=True, slots=True)
class Replacement:
    """Units that are sent once more, in an order of their own (rules.md 6)."""

    number: str
    units: tuple[Units, ...]
    """What they replace here."""
    plan: Plan
    case: str
    state: Literal["reserved", "released", "ordered"] = "reserved"
