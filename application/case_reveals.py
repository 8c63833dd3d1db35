"""案件查看 Showing what is sealed in a case: recorded first, a minor's after four eyes (A4, A9)."""

from collections.abc import Sequence
from typing import Any

from application.disputing import existing_case
from application.revealing import Allowed, Looked, Looker, may_look, reveal
from application.streams import PRIVACY
from application.unit import Unit
from domain.refusals import NotFound


def reveal_file(unit: Unit, *, case: str, file: str, looker: Looker) -> dict[str, Any]:
    """Record that a file of the case is going to be shown to staff."""
    dispute = existing_case(unit, case)
    found = dispute.file(file)
    if found is None:
        raise NotFound(what="file")
    told = reveal_card(unit, case=case, card=found.content.card, looker=looker)
    return {**told, "media_type": found.media_type}


def reveal_card(unit: Unit, *, case: str, card: str, looker: Looker) -> dict[str, Any]:
    """Record that a card of the case is going to be shown to staff."""
    dispute = existing_case(unit, case)
    looked = Looked(card, dispute.learner, order=dispute.order)
    return reveal(unit, looked, looker=looker)


def reveal_pack(
    unit: Unit, *, case: str, position: int, cards: Sequence[str], looker: Looker
) -> dict[str, Any]:
    """Record that a case's evidence pack is given out with these cards unmasked (D5)."""
    dispute = existing_case(unit, case)
    looked = Looked(case, dispute.learner, order=dispute.order)
    allowed = may_look(unit, looked, looker=looker)
    if not isinstance(allowed, Allowed):
        return allowed
    facts = unit.read(PRIVACY, dispute.learner).reveal_pack(
        case,
        order=dispute.order,
        position=position,
        cards=tuple(cards),
        approval=allowed.approval,
    )
    unit.record(PRIVACY, dispute.learner, facts)
    return {
        "case": case,
        "learner": dispute.learner,
        "as_of": position,
        "cards": list(cards),
        "shown_until": allowed.shown_until,
    }
