"""One order whose fate is tried in every order (R19)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from application.streams import ORDER
from application.unit import Unit
from domain.orders import Order
from domain.parts import Part


@dataclass(frozen=True, slots=True)
class Case:
    """One order of one learner, with goods and a course that nobody else orders."""

    name: str
    cash: bool
    """Whether its goods cost cash, too."""
    spare: bool
    """Whether another warehouse has as much of them."""
    third: bool = False
    """Whether a third party's warehouse has its goods."""

    @property
    def learner(self) -> str:
        return f"learner-{self.name}"

    @property
    def number(self) -> str:
        return f"T-{self.name}"

    @property
    def sku(self) -> str:
        return f"mug-{self.name}"

    @property
    def second(self) -> str:
        """The number of another order of its learner, where there is one."""
        return f"{self.number}-2"

    @property
    def gift(self) -> str:
        """What that other order is of."""
        return f"gift-{self.name}"

    @property
    def home(self) -> str:
        """The warehouse that its goods are in."""
        return "c" if self.third else "a"

    @property
    def course(self) -> str:
        return f"course-{self.name}"

    def order(self, unit: Unit) -> Order:
        return self.order_of(unit, self.number)

    @staticmethod
    def order_of(unit: Unit, number: str) -> Order:
        return unit.read(ORDER, number)

    def goods(self, unit: Unit) -> list[Part]:
        return [part for part in self.order(unit).parts if part.warehouse]

    def packable(self, unit: Unit) -> int:
        """The part that a packer would take next."""
        found = (one.number for one in self.goods(unit) if one.live and not one.parcel)
        return next(found, 1)

    def parcel(self, unit: Unit) -> str:
        """The parcel that somebody would speak of."""
        found = (one.parcel or one.planned for one in self.goods(unit))
        return next(filter(None, found), f"{self.number}-P1")


Commands = dict[str, Callable[[Unit, Case], dict[str, Any]]]
"""What can happen to it, by name."""
