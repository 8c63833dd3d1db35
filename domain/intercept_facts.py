"""拦截事件 What is on record of parcels that are called back or sent elsewhere (O8)."""

from enum import StrEnum
from operator import not_

from pydantic import AwareDatetime, Field

from domain.destinations import Destination
from domain.facts import Fact, NonNegativeInt
from domain.tracking import ParcelState


class Way(StrEnum):
    """What the carrier is asked to do."""

    RETURN = "return"
    REDIRECT = "redirect"


class InterceptAsked(Fact, name="intercepts.InterceptAsked"):
    """A carrier is to be asked to stop a parcel (O8)."""

    intercept: str = Field(description="names the request")
    orders: tuple[str, ...] = Field(description="all orders in it: none is called back unasked")
    carrier: str
    waybill: str
    way: Way
    destination: Destination | None = Field(default=None, description="where it goes instead")
    reason: str
    answer_by: AwareDatetime
    forwarded: NonNegativeInt | None = Field(
        default=None,
        exclude_if=lambda times: times is None,
        description="times that its track had told of its going elsewhere by then; None: not noted",
    )


class InterceptTaken(Fact, name="intercepts.InterceptTaken"):
    """The carrier took the request; whether it can is seen on the track (wire 1.9)."""

    intercept: str
    answer_by: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda until: until is None,
        description="how long it is waited for from now on, where it was said by phone",
    )


class InterceptRefused(Fact, name="intercepts.InterceptRefused"):
    """The carrier does not take the request."""

    intercept: str
    code: str
    words: str = Field(default="", description="the carrier's, names and phones blotted out")


class InterceptTold(Fact, name="intercepts.InterceptTold"):
    """The carrier sent word of it, in a form that nobody documents: kept as it came (wire 1.9)."""

    intercept: str
    card: str | None = Field(default=None, description="vault card with what it sent")


class InterceptDone(Fact, name="intercepts.InterceptDone"):
    """The parcel is on its way back, or to the other address."""

    intercept: str
    state: ParcelState = Field(description="of the parcel, by its track")


class InterceptFailed(Fact, name="intercepts.InterceptFailed"):
    """It was not stopped."""

    intercept: str
    why: str


class InterceptTimedOut(Fact, name="intercepts.InterceptTimedOut"):
    """Nothing was heard of it in time: a human sees to it."""

    intercept: str


class InterceptGivenUp(Fact, name="intercepts.InterceptGivenUp"):
    """Nobody tries to stop it any more: it goes on to whom it was sent to, or is theirs already."""

    intercept: str


class ParcelTurnedBack(Fact, name="intercepts.ParcelTurnedBack"):
    """The parcel comes back though nobody called it back: refused, not delivered (rules.md 3)."""

    intercept: str = Field(description="names its coming back, as requests are named")
    orders: tuple[str, ...] = Field(description="all orders in it")
    carrier: str
    waybill: str
    state: ParcelState = Field(description="of the parcel, by its track, when it was noted")


class GoodsTakenBack(Fact, name="intercepts.GoodsTakenBack"):
    """Somebody has the goods in hand again; the refund follows in the same commit (rules.md 3)."""

    intercept: str
    intact: bool = Field(description="whether they go back on their shelf")
    undecided: bool = Field(
        default=False,
        exclude_if=not_,
        description="goods of a return that was refused: they lie here, and nothing is paid back",
    )
    sent_again_in: str | None = Field(
        default=None,
        exclude_if=not_,
        description="the parcel in which they leave for their learner once more (D3)",
    )


InterceptFact = (
    InterceptAsked
    | InterceptTaken
    | InterceptRefused
    | InterceptTold
    | InterceptDone
    | InterceptFailed
    | InterceptTimedOut
    | InterceptGivenUp
    | ParcelTurnedBack
    | GoodsTakenBack
)
