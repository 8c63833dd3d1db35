"""迟到 What follows when an order comes later than it was promised (T5, O6; rules.md 10).

Its learner is told when the promised time passes before all of it was handed over, and gets points,
once. How many is said when the order is placed, and stays as it was, by the time promised then. A
promise was made for one address: who changes it has no points to come any more. What came in time
to a closed door was not late.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from domain.choosing import without
from domain.lanes import arrived_at
from domain.order_facts import OrderFact, Units
from domain.orders import Order
from domain.parts import PROGRESS, Part
from domain.promise_facts import Excuse, LatenessExcused, LatenessMadeGood, SendingDelayed
from domain.scans import ScanKind
from domain.tracking import Track

SOURCE: Final = "late:"
"""How the source of such a grant begins: an order's number follows, so it is had once (rule 14)."""
_BROUGHT: Final = frozenset(
    {
        ScanKind.AWAITING_PICKUP,
        ScanKind.FAILED_ATTEMPT,
        ScanKind.RESCHEDULED,
        ScanKind.REFUSED,
    }
)
"""It was where its recipient could have had it: nobody was there, or would not have it then."""


class Sent(NamedTuple):
    """A parcel of the order, as far as it has come."""

    track: Track
    stopped: bool
    """It was called back, or asked to go elsewhere, or turned back."""


class _Late(NamedTuple):
    arrived_at: datetime | None


def source_of(number: str) -> str:
    """The source of the points that are given for an order."""
    return f"{SOURCE}{number}"


def order_of(source: str) -> str | None:
    """The order that such points were given for; None: they were given for something else."""
    return source.removeprefix(SOURCE) if source.startswith(SOURCE) else None


def open_since(order: Order) -> datetime | None:
    """The promised time, while something may follow from it: some of it is late or may come to be.

    None also for what was promised without any points, and once it was settled.
    """
    promise = order.promise
    if promise is None or not promise.points or not order.paid:
        return None
    awaited = any(map(_is_awaited, order.parts))
    return promise.by if promise.broken or awaited else None


def unsent_by(order: Order) -> datetime | None:
    """The promised time, as long as something that it was given for is still to be handed over.

    None for what is not paid. Units that their learner agreed to wait for have no promise until
    there is stock (rules.md 1), and nobody waits for those that are to be cancelled.
    """
    promise = order.promise
    if promise is None or not order.paid or not in_the_house(order):
        return None
    return promise.stands


def in_the_house(order: Order) -> list[Part]:
    """The parts of goods that should have been handed over by the promised time, and were not."""
    called_off = [
        Units(part=one.part, line=unit.line, quantity=unit.quantity)
        for one in order.cancelling
        for unit in one.units
    ]
    return [
        part
        for part in order.parts
        if part.to_be_sent and part.waits != "stock" and without(_units(part), called_off)
    ]


def is_told_unsent(order: Order) -> bool:
    """Whether the learner was told that the promise, as it stands, passed with goods unsent."""
    return order.promise is not None and order.promise.told == order.promise.stands


def tell_unsent(order: Order, *, now: datetime) -> list[OrderFact]:
    """Tell that the promised time passed before all was handed over, once a promise (T5)."""
    by = unsent_by(order)
    if by is None or now < by or is_told_unsent(order):
        return []
    return [SendingDelayed(promised_by=by)]


def settle(order: Order, sent: Mapping[str, Sent]) -> list[OrderFact]:
    """Give what was promised for a late order, or say why not; once (rules.md 10).

    `sent` are its parcels. One part that is late is enough; the promised time has passed.
    """
    promise = order.promise
    if promise is None or not promise.points:
        return []
    found = [
        _verdict(part, sent.get(part.parcel or ""), promise.by)
        for part in order.parts
        if part.warehouse is not None
    ]
    late = [one.arrived_at for one in found if isinstance(one, _Late)]
    if not late:
        excuses = [one for one in found if isinstance(one, Excuse)]
        return excused(order, min(excuses, key=list(Excuse).index, default=Excuse.GONE))
    came = [at for at in late if at is not None]
    last = max(came) if len(came) == len(late) else None
    return [LatenessMadeGood(promised_by=promise.by, points=promise.points, arrived_at=last)]


def excused(order: Order, why: Excuse) -> list[OrderFact]:
    """Say that nothing is given; once."""
    promise = order.promise
    if promise is None or not promise.points:
        return []
    return [LatenessExcused(promised_by=promise.by, excuse=why)]


def _units(part: Part) -> list[Units]:
    return [Units(part=part.number, line=one.line, quantity=one.quantity) for one in part.units]


def _is_awaited(part: Part) -> bool:
    return part.live and part.warehouse is not None and part.state in PROGRESS[:3]


def _verdict(part: Part, sent: Sent | None, by: datetime) -> _Late | Excuse:
    if sent is None:
        return _Late(None) if _is_awaited(part) else Excuse.GONE
    arrived = arrived_at(sent.track)
    if sent.stopped:
        return Excuse.STOPPED
    if not part.live or (arrived is None and not _is_awaited(part)):
        return Excuse.GONE
    there = [one.time for one in sent.track.scans if one.kind in _BROUGHT]
    if arrived is not None:
        there.append(arrived)
    return Excuse.BROUGHT if any(at <= by for at in there) else _Late(arrived)
