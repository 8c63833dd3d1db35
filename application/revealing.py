"""查看 Showing a card of the vault unmasked: recorded first; a minor's after four eyes (A4, A9).

The answer, which is kept, names the card and never what is on it.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from application.approval_requests import approval_id, ask
from application.merging import existing_parcel, live_contents
from application.ordering import existing
from application.streams import APPROVAL, ORDER, PARCEL, PRIVACY
from application.unit import Unit
from domain.approvals import ApprovalRequested, Kind
from domain.refusals import NotFound, NotPossible

SHOWN_AGAIN_FOR = timedelta(minutes=10)
"""How long the same key shows a card again: for answers that were lost, not for later looks."""
PENDING = "pending_approval"


class Looker(NamedTuple):
    """Who wants to see a card, and what for."""

    subject: str
    reason: str
    key: str
    """Of their request: a second person is asked once for it."""
    case: str | None = None


class Looked(NamedTuple):
    """A card that somebody wants to see."""

    card: str
    """Its id; of a case's evidence pack, the case."""
    learner: str
    order: str | None = None
    parcel: str | None = None
    """Set for a carrier's payload."""

    @property
    def about(self) -> str | None:
        """The stream of what it belongs to."""
        if self.parcel is not None:
            return PARCEL.stream(self.parcel)
        return None if self.order is None else ORDER.stream(self.order)


def reveal_recipient(unit: Unit, *, number: str, looker: Looker) -> dict[str, Any]:
    """Record that the recipient of an order is going to be shown: its newest card."""
    placed = existing(unit, number)
    if placed.destination is None:
        raise NotPossible(action="reveal", why="the order has no recipient")
    looked = Looked(placed.destination.card, placed.learner, order=number)
    return reveal(unit, looked, looker=looker)


def reveal_label(unit: Unit, *, parcel: str, looker: Looker) -> dict[str, Any]:
    """Record that a parcel's label is going to name its recipient: its carrier knows no address.

    Only where the waybill was written by hand, and until the parcel is handed over: who orders a
    waybill tells the carrier, and the label that is printed stays masked (W5, A4).
    """
    box = existing_parcel(unit, parcel)
    why = ""
    if box.handed_over or box.dissolved:
        why = f"the parcel is {box.stage}"
    elif box.labels.live is not None:
        why = "its carrier was told the address with its waybill"
    elif box.waybill is None:
        why = "the parcel has no waybill"
    if why:
        raise NotPossible(action="reveal", why=why)
    for content, order, _ in live_contents(unit, parcel, box):
        if (to := box.place(order)) is not None:
            looked = Looked(to.card, order.learner, order=content.order)
            return reveal(unit, looked, looker=looker)
    raise NotFound(what="label")


def reveal_payload(
    unit: Unit, *, parcel: str, card: str, learner: str, looker: Looker
) -> dict[str, Any]:
    """Record that what a carrier pushed about a parcel is going to be shown as it came."""
    orders = unit.read(PARCEL, parcel).orders
    if not orders:
        raise NotFound(what="parcel")
    looked = Looked(card, learner, order=orders[0], parcel=parcel)
    return reveal(unit, looked, looker=looker)


class Allowed(NamedTuple):
    """Somebody may look now."""

    shown_until: datetime
    """Until then the same key shows it again."""
    approval: str | None
    """Of the second person, where one is needed."""


def reveal(unit: Unit, looked: Looked, *, looker: Looker) -> dict[str, Any]:
    """Record that a card is going to be shown unmasked; a minor's asks a second person first.

    They allow it to whoever asked, for a while; then, or after they denied it, they are asked
    anew.
    """
    allowed = may_look(unit, looked, looker=looker)
    if not isinstance(allowed, Allowed):
        return allowed
    facts = unit.read(PRIVACY, looked.learner).reveal(
        looked.card,
        order=looked.order,
        case=looker.case,
        parcel=looked.parcel,
        approval=allowed.approval,
    )
    unit.record(PRIVACY, looked.learner, facts)
    return {"card": looked.card, "learner": looked.learner, "shown_until": allowed.shown_until}


def may_look(unit: Unit, looked: Looked, *, looker: Looker) -> Allowed | dict[str, Any]:
    """Whether somebody may look now, or the answer that a second person is asked (A9)."""
    state = unit.read(PRIVACY, looked.learner)
    state.usable()
    shown_until = unit.now + SHOWN_AGAIN_FOR
    if not state.minor:
        return Allowed(shown_until, None)
    approval = state.approval_of(looked.card, maker=looker.subject)
    asked = None if approval is None else unit.read(APPROVAL, approval)
    if asked is not None and asked.open:
        return {"approval": approval, "status": PENDING, "learner": looked.learner}
    if asked is None or asked.valid_until is None or not asked.allows(unit.now):
        return _ask(unit, looked, looker)
    return Allowed(min(shown_until, asked.valid_until), approval)


def _ask(unit: Unit, looked: Looked, looker: Looker) -> dict[str, Any]:
    request = ApprovalRequested(
        kind=Kind.REVEAL,
        learner=looked.learner,
        points=0,
        subject=looked.card,
        about=looked.about,
        maker=looker.subject,
        reason=looker.reason,
    )
    approval = approval_id(request, looker.key)
    answer = ask(unit, approval=approval, request=request)
    state = unit.read(PRIVACY, looked.learner)
    facts = state.ask(looked.card, maker=looker.subject, approval=approval)
    unit.record(PRIVACY, looked.learner, facts)
    return answer
