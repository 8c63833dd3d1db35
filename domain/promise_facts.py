"""承诺事实 What followed from a promised time that passed: word of it, points (T5; rules.md 10)."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, PositiveInt

from domain.facts import Fact


class Excuse(StrEnum):
    """Why nothing is given though the promised time passed before the order was received."""

    BROUGHT = "brought"
    """It was at the door, in the locker or at the station by then."""
    STOPPED = "stopped"
    """It was called back or sent elsewhere on its way."""
    GONE = "gone"
    """Nothing of it is to be had any more, or nobody is there to have it."""


class LatenessMadeGood(Fact, name="orders.LatenessMadeGood"):
    """The order is late: points were given for it, once and for good (rules.md 10).

    They stay when it turns out later that it was there in time: it is goodwill.
    """

    promised_by: AwareDatetime
    points: PositiveInt = Field(description="as the order was promised when it was placed")
    arrived_at: AwareDatetime | None = Field(
        description="when the last parcel that is late came; None: one is still under way"
    )


class LatenessExcused(Fact, name="orders.LatenessExcused"):
    """The promised time passed, and nothing is given for it (rules.md 10)."""

    promised_by: AwareDatetime
    excuse: Excuse


class SendingDelayed(Fact, name="orders.SendingDelayed"):
    """The promised time passed, and not all was handed over: its learner is told (T5, O6).

    Once a promise; one that is made anew is another one.
    """

    promised_by: AwareDatetime


PromiseFact = LatenessMadeGood | LatenessExcused | SendingDelayed
