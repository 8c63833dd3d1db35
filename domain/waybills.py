"""运单号 Waybill numbers: each is on one parcel at a time; carriers use them again later (T2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import Field

from domain.facts import Fact
from domain.refusals import Refusal
from domain.tracking import ParcelState

USED_AGAIN_AFTER = timedelta(days=90)
"""So long after its hand-over a number may be another parcel's, whatever became of the first."""
_OVER = frozenset({ParcelState.SIGNED, ParcelState.RETURNED, ParcelState.LOST})


class WaybillTaken(Refusal):
    """The number is on another parcel, which is not with its recipient yet (T2)."""

    code = "waybill_taken"
    en = "{waybill} is on {parcel}, which is still under way: check the number."
    zh = "运单号 {waybill} 已贴在 {parcel} 上，该包裹尚未送达，请核对单号。"


class WaybillBound(Fact, name="waybills.WaybillBound"):
    """A carrier's number was put on a parcel; whatever had it before does not count any more."""

    parcel: str = Field(description="number of the parcel")


class Bearer(NamedTuple):
    """The parcel that a number was put on before."""

    keeps_it: bool
    """Whether the number is still on it, and it will be sent."""
    state: ParcelState
    handed_over_at: datetime | None

    def needs_it(self, when: datetime) -> bool:
        """Whether what is told of the number is told of this parcel."""
        left = self.handed_over_at
        aged = left is not None and when >= left + USED_AGAIN_AFTER
        return self.keeps_it and not aged and self.state not in _OVER


@dataclass(frozen=True, slots=True)
class Waybill:
    """One carrier's number."""

    parcel: str | None = None
    """The parcel that it was put on last."""

    def bind(
        self, parcel: str, *, waybill: str, bearer: Bearer, when: datetime
    ) -> list[WaybillBound]:
        """Put it on a parcel; on the same one, it is there. Raises `WaybillTaken`."""
        if self.parcel == parcel:
            return []
        if self.parcel is not None and bearer.needs_it(when):
            raise WaybillTaken(waybill=waybill, parcel=self.parcel)
        return [WaybillBound(parcel=parcel)]


def evolve(waybill: Waybill, fact: WaybillBound) -> Waybill:
    """The number after one more fact."""
    return Waybill(fact.parcel)
