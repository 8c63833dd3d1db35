"""隐私 Marking, holding, erasing personal data: all of it is recorded (A4, A9; rules.md 30)."""

from collections.abc import Sequence
from typing import Any

from application import granting
from application.streams import ACCOUNT, DISPUTE, ORDER, PRIVACY, RETURN
from application.unit import Unit
from domain.refusals import NotFound, NotPossible


def put_learner(
    unit: Unit, *, learner: str, status: str, minor: bool | None, reason: str
) -> dict[str, Any]:
    """Register a learner, freeze or unfreeze their account, note whether they are under age.

    None leaves as it is whether they are (L5, A9; contract.md).
    """
    told = granting.put_learner(unit, learner=learner, status=status, reason=reason)
    state = unit.read(PRIVACY, learner)
    if minor is not None:
        state = unit.record(PRIVACY, learner, state.mark(minor=minor))
    return {**told, "minor": state.minor}


def place_hold(unit: Unit, *, learner: str, matter: str) -> dict[str, Any]:
    """Hold a learner's data for a legal matter: no erasing, and no use but storing."""
    _known(unit, learner)
    after = unit.record(PRIVACY, learner, unit.read(PRIVACY, learner).hold(matter))
    return {"learner": learner, "holds": list(after.holds)}


def lift_hold(unit: Unit, *, learner: str, matter: str) -> dict[str, Any]:
    """End the hold of one matter."""
    _known(unit, learner)
    after = unit.record(PRIVACY, learner, unit.read(PRIVACY, learner).lift(matter))
    return {"learner": learner, "holds": list(after.holds)}


def erase_person(
    unit: Unit,
    *,
    learner: str,
    reason: str,
    under_way: Sequence[str],
    cases: Sequence[str] = (),
    returns: Sequence[str] = (),
    refunds: Sequence[str] = (),
) -> dict[str, Any]:
    """Destroy a learner's key and cards, unless a legal hold or something open stands against it.

    `under_way` are orders that may not have ended: those that still need the recipient refuse it.
    So do `cases` and `returns` that are still open: words and files would be gone that somebody is
    about to decide by, and nobody could take what is decided (D1, D3). `refunds` are orders whose
    refund may wait for a second person: who is erased has no account that takes it (A8).
    """
    _known(unit, learner)
    unit.read(PRIVACY, learner).usable()
    needing = [number for number in under_way if unit.read(ORDER, number).needs_recipient]
    if needing:
        raise NotPossible(action="erase", why=f"orders are under way: {', '.join(needing[:5])}")
    kept = [one for one in cases if unit.read(DISPUTE, one).live]
    kept += [one for one in returns if unit.read(RETURN, one).open]
    if kept:
        raise NotPossible(action="erase", why=f"cases are open: {', '.join(kept[:5])}")
    asked = [number for number in refunds if unit.read(ORDER, number).proposed]
    if asked:
        why = f"refunds wait for a second person: {', '.join(asked[:5])}"
        raise NotPossible(action="erase", why=why)
    return granting.erase_learner(unit, learner=learner, reason=reason)


def _known(unit: Unit, learner: str) -> None:
    if unit.read(ACCOUNT, learner).status == "unknown":
        raise NotFound(what="learner")
