"""人工确认签收 A receipt that no query confirms, confirmed by staff (T2; rule 23)."""

from typing import Any

from application.merging import existing_parcel
from application.streams import PARCEL
from application.unit import Unit
from domain import confirming
from domain.house_rules import HouseRules


def confirm_receipt(unit: Unit, *, parcel: str, reason: str, rules: HouseRules) -> dict[str, Any]:
    """Staff say that the recipient has the parcel: what waits for a query goes on (rules.md 23).

    Its orders complete when their windows are over; their learners may dispute it as before. Raises
    `NotPossible` where no receipt is known, or it counts already.
    """
    state = existing_parcel(unit, parcel)
    fact = confirming.by_hand(state, reason=reason, rules=rules)
    unit.record(PARCEL, parcel, [fact])
    return {"parcel": parcel, "received_at": fact.received_at}
