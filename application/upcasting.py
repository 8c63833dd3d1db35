"""旧事实 Facts whose shape moved: what was stored in an older one is read in today's (R26).

What an older fact did not say stays unsaid here; who acted is in its envelope all the same.
"""

from collections.abc import Callable
from typing import Any

Fields = dict[str, Any]
Upcaster = Callable[[Fields], Fields]


def _with(**added: Any) -> Upcaster:
    """Fields that came to a fact, at what they mean where nobody said anything."""
    return lambda fields: {**fields, **added}


UPCASTERS: dict[tuple[str, int], Upcaster] = {
    ("approvals.ApprovalRequested", 1): _with(maker_role=None, about=None),
    ("approvals.ApprovalGiven", 1): _with(checker_role=None, valid_until=None),
    ("approvals.ApprovalDenied", 1): _with(checker_role=None),
    ("privacy.CardRevealed", 1): _with(parcel=None, approval=None),
}
"""(fact name, stored schema version) → the fact's fields one version later."""
