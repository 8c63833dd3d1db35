"""面单来源 Who gives out waybills, and what they have to be told: a carrier, an aggregator (W5).

As with tracks (`application/gateways/tracking.py`): builds what is to be sent and reads what came;
who asks, when and how often is `application/ordering_labels.py`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple

from application.gateways.tracking import Call


@dataclass(frozen=True, slots=True)
class Person:
    """A sender or a recipient as carriers are told."""

    name: str
    phone: str
    address: str
    """Whole, from the province on."""

    @property
    def mobile(self) -> bool:
        """Whether the phone is a mobile; a landline goes into another field."""
        return len(self.phone) == 11 and self.phone.startswith("1")

    def as_told(self) -> dict[str, str]:
        """In Kuaidi100's words (1.8)."""
        field = "mobile" if self.mobile else "tel"
        return {"name": self.name, field: self.phone, "printAddr": self.address}


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number they gave, and what is printed beside it."""

    waybill: str
    partner_order: str
    """Their own number of the order: needed to cancel it."""
    sorting: str


class LabelWish(NamedTuple):
    """A parcel that is to have a waybill."""

    name: str
    """Our own number of the request: the same one is one order at theirs."""
    carrier: str
    sender: Person
    recipient: Person
    cargo: str
    grams: int


class Labeller(ABC):
    """Somebody who gives out waybills."""

    issuer: ClassVar[str]
    """Names it in facts."""
    partner: ClassVar[str]
    """Whom its calls are counted and paced for."""

    @property
    def labels(self) -> bool:
        """Whether its account gives out waybills."""
        return True

    @abstractmethod
    def order(self, wish: LabelWish, *, now: datetime) -> Call:
        """How to order one. Raises `IncompleteRequest`."""

    def asked_before(self, name: str, *, now: datetime) -> Call | None:
        """How to ask what became of an order; None where ordering again is asking."""
        return None

    @abstractmethod
    def read_order(self, body: bytes) -> Numbered:
        """The number. Raises `PartnerRefused` or `UnreadableReply`."""

    @abstractmethod
    def cancel(
        self, waybill: str, *, carrier: str, partner_order: str, reason: str, now: datetime
    ) -> Call:
        """How to give a number back."""

    @abstractmethod
    def read_cancel(self, body: bytes) -> None:
        """Whether they took it. Raises `PartnerRefused` or `UnreadableReply`."""
