"""麻烦 What is stuck and waits for a human or a partner, for whoever tells of it (M5, N1)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

LISTED_MAX = 200
"""Troubles of a kind that are listed; where there are as many, there may be more."""

IDENTITY: Mapping[str, tuple[str, ...]] = {
    "parked_event": ("view", "stream", "position"),
    "drift": ("place", "stream"),
    "late_policy": ("policy",),
    "dead_job": ("job",),
    "webhook": ("webhook",),
    "robot_refused": (),
    "signals_closed": (),
    "cash_refund": ("order", "refund"),
    "standing_wave": ("wave",),
    "warehouse_load": ("warehouse",),
    "late_order": ("order",),
    "late_parcel": ("parcel",),
    "third_party": ("parcel",),
    "stock_difference": ("warehouse", "sku"),
    "waiting_declaration": ("parcel", "standing"),
    "partner_away": ("partner",),
    "missed_target": ("whose", "target"),
    "label": ("parcel", "label"),
    "unreadable_push": ("parcel",),
    "unclaimed_push": ("partner",),
    "unwatched_parcel": ("parcel",),
    "shared_waybill": ("carrier", "waybill"),
    "delayed_parcel": ("parcel",),
    "contradicted_receipt": ("parcel", "waybill"),
    "waiting_return": ("back",),
    "overdue_case": ("case",),
    "claim_window": ("parcel",),
    "delivered_claim": ("parcel",),
    "arrived_after_all": ("parcel",),
    "uncompared_bill": ("bill",),
    "put_back_late": ("parcel",),
    "approval": ("approval",),
}
"""Which of the figures of each kind make it the same trouble, however they change besides."""


class Trouble(NamedTuple):
    """One thing that is stuck."""

    kind: str
    what: str
    """In words, in English."""
    cause: str | None
    since: datetime | None
    about: Mapping[str, Any]
    """What `what` is made of, for pages and programs."""

    @property
    def key(self) -> str:
        """The same for as long as it is the same trouble."""
        return "/".join([self.kind, *(str(self.about[name]) for name in IDENTITY[self.kind])])


def trouble(
    kind: str, what: str, cause: str | None, since: datetime | None, **about: object
) -> Trouble:
    """One thing that is stuck, with the figures that it is about."""
    return Trouble(kind, what, cause, since, about)


class Troubles(NamedTuple):
    """All that is stuck, the oldest first; what is of no time comes last."""

    listed: Sequence[Trouble]

    def without(self, keys: Collection[str]) -> "Troubles":
        """All but these."""
        return Troubles([one for one in self.listed if one.key not in keys])

    @property
    def crowded(self) -> frozenset[str]:
        """Kinds of which not all may be listed: that one is missing says nothing of it."""
        kinds = [one.kind for one in self.listed]
        return frozenset(kind for kind in set(kinds) if kinds.count(kind) >= LISTED_MAX)
