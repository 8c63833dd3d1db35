"""What readers get of points, for the API's description (L6)."""

from datetime import date

from pydantic import BaseModel, Field

from api.shown.fields import EventPosition, FactName, HappenedAt, LearnerId, Next, Position, example


class ExpiringOut(BaseModel):
    """Points that are gone after a day."""

    on: date = Field(description="the last day (business zone) on which they can be spent")
    points: int = Field(ge=1, description="that expire at the end of that day")


class BalanceOut(BaseModel):
    """A learner's points (L6)."""

    model_config = example(
        learner="lin",
        status="active",
        available=5_600,
        held=0,
        debt=0,
        expiring=[{"on": "2026-12-31", "points": 600}],
        position=42,
    )
    learner: LearnerId
    status: str = Field(description="active, frozen or erased")
    available: int = Field(description="can be spent: expired lots do not count")
    held: int = Field(description="set aside for orders that wait for their cash part")
    debt: int = Field(description="taken back after it was spent; new points pay it first")
    expiring: list[ExpiringOut] = Field(description="soonest first")
    position: Position


class EntryOut(BaseModel):
    """One movement of a learner's points."""

    position: EventPosition
    fact: FactName
    happened_at: HappenedAt
    points: int = Field(description="of the available points, more or less")
    held: int = Field(description="points set aside for an order, more or less")
    debt: int = Field(description="points owed, more or less")
    order: str | None = Field(default=None, description="number of the order that it is about")
    reason: str = Field(description="`why`, or else as the fact says it; may be empty")
    grant_reason: str | None = Field(
        default=None, description="of a grant: with `source` it names what can be clawed back"
    )
    why: str | None = Field(default=None, description="in words of who did it, if they gave any")
    source: str | None = Field(
        default=None,
        description="what points were granted or taken for; of a claw-back the grant's lot",
    )
    balance: int = Field(description="available points after it, in the order things happened")


class StatementOut(BaseModel):
    """A page of a learner's statement, newest first (L6)."""

    model_config = example(
        learner="lin",
        entries=[
            {
                "position": 42,
                "fact": "ledger.PointsRedeemed",
                "happened_at": "2026-11-03T02:14:08.120931Z",
                "points": -480,
                "held": 0,
                "debt": 0,
                "order": "T261103A1B2C3D4E5F6",
                "reason": "",
                "grant_reason": None,
                "why": None,
                "source": None,
                "balance": 5_120,
            }
        ],
        next=None,
    )
    learner: LearnerId
    entries: list[EntryOut] = Field(description="newest first")
    next: Next
