"""服务期事实 What can happen to a service window while a case or a return is open (rules.md 2)."""

from pydantic import AwareDatetime, Field, PositiveInt

from domain.facts import Fact


class WindowPaused(Fact, name="orders.WindowPaused"):
    """A dispute or a return is open: the part's service window stands still (rules.md 2)."""

    part: PositiveInt
    by: str = Field(description="stream of the case that holds it, e.g. `dispute:D-T1-P1`")
    paused_at: AwareDatetime


class WindowResumed(Fact, name="orders.WindowResumed"):
    """The case was decided: what was left of the part's service window runs on (rules.md 2)."""

    part: PositiveInt
    by: str = Field(description="stream of the case that held it")
    window_until: AwareDatetime | None = Field(
        description="None: not received yet, or another case still holds it"
    )


WindowFact = WindowPaused | WindowResumed
