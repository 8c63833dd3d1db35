"""邻省 Which provinces border on each other: how fast nothing gets from one to another (T6).

Nobody publishes centres of divisions that the house could use; borders it can. They tell less than
coordinates do, and never too much: between neighbours nothing is too quick.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

_BORDERS: Final = """
11:12 13/12:13/13:14 15 21 37 41/14:15 41 61/15:21 22 23 61 62 64/21:22 37/22:23/31:32 33
32:33 34 37/33:34 35 36/34:36 37 41 42/35:36 44 71/36:42 43 44/37:41/41:42 61/42:43 50 61
43:44 45 50 52/44:45 46 81 82/45:46 52 53/50:51 52 61/51:52 53 54 61 62 63/52:53/53:54
54:63 65/61:62 64/62:63 64 65/63:65/81:82
"""
"""By the first two digits of GB/T 2260, each border once. Ferries and bridges are borders: Shandong
and Liaoning, Hainan and the mainland, Fujian and Taiwan, Hong Kong and Macau."""


def _between() -> Iterator[tuple[tuple[str, str], int]]:
    """For each two provinces how many lie between them at least."""
    borders: dict[str, set[str]] = {}
    for row in _BORDERS.replace("\n", "/").strip("/").split("/"):
        one, _, others = row.partition(":")
        for other in others.split():
            borders.setdefault(one, set()).add(other)
            borders.setdefault(other, set()).add(one)
    for start in borders:
        known, nearest = {start: 0}, deque([start])
        while nearest:
            here = nearest.popleft()
            for other in borders[here] - known.keys():
                known[other] = known[here] + 1
                nearest.append(other)
        yield from (((start, end), max(0, steps - 1)) for end, steps in known.items())


_BETWEEN: Final = dict(_between())


def between(division: str, other: str) -> int:
    """How many provinces lie between two divisions at the least, by their codes.

    None within a province, between neighbours, and where a code is no province's.

    >>> between("440300", "110105"), between("330100", "310115")
    (4, 0)
    """
    return _BETWEEN.get((division[:2], other[:2]), 0)
