"""What readers get of claims against carriers: for the API's description alone (D2)."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import Next, ParcelNumber, example
from domain.claims import ClaimState, InquiryResult
from domain.order_facts import Fault

_ORDER = "T261103A1B2C3D4E5F6"


class StepOut(BaseModel):
    """Whether a step of a claim is possible now, or why it is not (D6)."""

    possible: bool = Field(description="whether it would be taken now")
    why: str | None = Field(default=None, description="it is not possible, in English")
    why_zh: str | None = Field(default=None, description="it is not possible, in Chinese")


class ClaimOut(BaseModel):
    """What was asked and claimed of a carrier about a parcel (D2)."""

    model_config = example(
        parcel=f"{_ORDER}-P1",
        orders=[_ORDER],
        carrier="yuantong",
        waybill="YT7000000000001",
        inquiry="answered",
        inquiry_at="2026-11-08T03:00:00Z",
        inquiry_answer_by="2026-11-10T03:00:00Z",
        inquiry_result="lost",
        state="filed",
        reason="lost",
        claimed_fen=5_900,
        accepted_fen=0,
        paid_fen=0,
        file_by="2026-11-13T07:30:00Z",
        filed_at="2026-11-09T03:00:00Z",
        moved_at="2026-11-09T03:00:00Z",
        age_seconds=86_400,
        actions={"acknowledged": {"possible": True}},
        version=3,
        position=61,
    )
    parcel: ParcelNumber
    orders: list[str] = Field(description="numbers of the orders in it")
    carrier: str = Field(description="its code")
    waybill: str = Field(description="the carrier's number")
    inquiry: str | None = Field(description="open, answered or timed_out")
    inquiry_at: AwareDatetime | None = Field(description="when the carrier was asked")
    inquiry_answer_by: AwareDatetime | None = Field(description="then the inquiry times out")
    inquiry_result: InquiryResult | None = Field(description="what it answered")
    state: ClaimState | None = Field(description="of the claim; null: none was filed")
    reason: Fault | None = Field(description="of the claim")
    claimed_fen: int = Field(description="asked")
    accepted_fen: int = Field(description="what the carrier owes")
    paid_fen: int = Field(description="what came")
    file_by: AwareDatetime | None = Field(description="end of the carrier's time for claims")
    filed_at: AwareDatetime | None = Field(description="when it was filed")
    moved_at: AwareDatetime = Field(description="when anything last happened")
    age_seconds: int | None = Field(description="since it was filed, or asked")
    actions: dict[str, StepOut] = Field(description="steps by name: possible now, or why not")
    version: int = Field(description="events of its stream")
    position: int = Field(description="of its last change")


class ClaimsOut(BaseModel):
    """A page of filed claims, oldest first."""

    model_config = example(claims=[], next=None)
    claims: list[ClaimOut] = Field(description="oldest first")
    next: Next


class ClaimChangedOut(BaseModel):
    """What a command on a parcel's inquiry or claim led to."""

    model_config = example(
        parcel=f"{_ORDER}-P1", claim="filed", inquiry=None, claimed_fen=5_900, position=61
    )
    parcel: ParcelNumber
    claim: ClaimState | None = Field(description="state of the claim; null: none was filed")
    inquiry: str | None = Field(description="open, answered, timed_out; null: not asked")
    answer_by: AwareDatetime | None = Field(default=None, description="when the inquiry times out")
    claimed_fen: int | None = Field(default=None, description="asked")
    accepted_fen: int | None = Field(default=None, description="what the carrier owes")
    paid_fen: int | None = Field(default=None, description="what came")
    file_by: AwareDatetime | None = Field(default=None, description="end of the carrier's time")
    position: NewPosition
