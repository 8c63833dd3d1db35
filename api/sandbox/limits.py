"""What real partners allow, held by those that the sandbox plays (M3; wire/carriers.md)."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.gateways.wecom import PER_MINUTE

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)

QUERY_AGAIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is too much; the defaults are the partners' own figures."""

    query_again: timedelta = QUERY_AGAIN
    """Kuaidi100: one waybill is asked about once in this time, or it is locked (1.3)."""
    queries_a_day: int = 10_000
    """Kuaidi100: what the account has bought; then 601 (1.3)."""
    order_known: timedelta = timedelta(hours=48)
    """Kuaidi100: so long a label's order is known by its name (1.8)."""
    sf_a_second: int = 30
    sf_a_day: int = 3_000
    """SF's own sandbox, for each service; then A1005 (2)."""
    robot_a_minute: int = PER_MINUTE
    """WeChat Work: then 45009 (4)."""
    signals_a_second: int = 500
    """Agora: then 429 (5)."""


@dataclass
class Pace:
    """So many in any stretch of time."""

    most: int
    within: timedelta
    _taken: deque[datetime] = field(default_factory=deque)

    def takes(self, now: datetime) -> bool:
        """Whether one more may be; if so, it counts."""
        while self._taken and self._taken[0] <= now - self.within:
            self._taken.popleft()
        if len(self._taken) >= self.most:
            return False
        self._taken.append(now)
        return True
