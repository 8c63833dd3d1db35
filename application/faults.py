"""Named places where tests let the process fail (reliability.md, How to run faults).

In production nothing is armed and a fault point is one look into an empty dictionary.
"""

from collections.abc import Callable

ARMED: dict[str, Callable[[], None]] = {}
"""What to do at a fault point; only tests put something in."""
REACHED: set[str] = set()
"""Armed points that were reached: a point never reached fails the suite."""


def fault(point: str) -> None:
    """A place where something may go wrong."""
    action = ARMED.get(point)
    if action is not None:
        REACHED.add(point)
        action()
