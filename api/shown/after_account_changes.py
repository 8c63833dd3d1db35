"""What changes of accounts and personal data answer, for the API's description (L5, A4)."""

from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import _NUMBER, ClaimedOut, NewPosition, ShownUntil
from api.shown.fields import LearnerId, ParcelNumber, example
from api.shown.personal import RecipientOut


class GrantOut(BaseModel):
    """What became of one grant."""

    source: str = Field(description="as it was sent")
    status: str = Field(description="granted, duplicate or refused")
    code: str | None = Field(default=None, description="why it was refused")


class GrantsOut(BaseModel):
    """What became of the grants, in their order."""

    model_config = example(results=[{"source": "PY-101", "status": "granted"}], position=42)
    results: list[GrantOut] = Field(description="a row for each grant, in the order of the request")
    position: NewPosition


class ClawedBackOut(BaseModel):
    """A grant that was taken back."""

    model_config = example(learner="lin", points=120, debt=0, status="clawed_back", position=42)
    learner: LearnerId
    points: int = Field(
        description="taken back, debt included; what had expired unspent was gone already"
    )
    debt: int | None = Field(
        description="points owed after it: what was spent already; null for a duplicate"
    )
    status: Literal["clawed_back", "duplicate"] = Field(
        description="`duplicate`: it was taken back before, and is not taken again"
    )
    position: NewPosition


class AdjustedOut(BaseModel):
    """An account after points were added or taken by hand."""

    model_config = example(learner="lin", available=5_900, debt=0, position=42)
    learner: LearnerId
    available: int = Field(description="points that can be spent after it")
    debt: int = Field(description="points owed after it")
    position: NewPosition


class ApprovalAskedOut(BaseModel):
    """Nothing has happened yet: a second person has to decide (A8)."""

    model_config = example(
        approval="A0123456789ABCDEF", status="pending_approval", learner="lin", position=42
    )
    approval: str = Field(description="id of the request, for `/v1/approvals/{approval}`")
    status: Literal["pending_approval"] = Field(description="that it waits")
    learner: LearnerId
    position: NewPosition


ASKED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "model": ApprovalAskedOut,
        "description": "A second person has to decide on `/v1/approvals/{approval}` (A8)",
    }
}


class DecidedOut(BaseModel):
    """What the second person said, and what then happened in the same commit."""

    model_config = example(
        approval="A0123456789ABCDEF",
        status="given",
        learner="lin",
        available=25_600,
        debt=0,
        position=42,
    )
    approval: str = Field(description="id of the request")
    status: Literal["given", "denied"] = Field(description="what was decided")
    learner: str | None = Field(default=None, description="whose points moved, if it was given")
    points: int | None = Field(
        default=None,
        description="that a claw-back took, a case was made good with, or a refund gave back",
    )
    case: str | None = Field(default=None, description="the case that was decided with it")
    return_id: str | None = Field(
        default=None, alias="return", description="the return that was settled with it"
    )
    order: str | None = Field(
        default=None, description="number of the order that it was about, or the case, or return"
    )
    state: str | None = Field(default=None, description="of the case, or return, after it")
    points_refunded: int | None = Field(default=None, description="that the case gave back")
    replacement: str | None = Field(default=None, description="number of the case's linked order")
    claims: list[ClaimedOut] | None = Field(
        default=None, description="of the carrier, where it is found at fault"
    )
    available: int | None = Field(default=None, description="points after an adjustment")
    debt: int | None = Field(default=None, description="points owed after it")
    valid_until: AwareDatetime | None = Field(
        default=None, description="until then whoever asked may look at a minor's card"
    )
    position: NewPosition


class LearnerOut(BaseModel):
    """A learner's account."""

    model_config = example(learner="lin", status="frozen", minor=False, position=42)
    learner: LearnerId
    status: str = Field(description="active, frozen or erased")
    minor: bool = Field(description="under age: their data is shown after four eyes alone")
    position: NewPosition


class ErasedOut(BaseModel):
    """A learner who was forgotten."""

    model_config = example(learner="lin", status="erased", position=42)
    learner: LearnerId
    status: str = Field(description="erased")
    position: NewPosition


class HoldsOut(BaseModel):
    """The legal matters that hold a learner's data (rules.md 30)."""

    model_config = example(learner="lin", holds=["2026-17"], position=42)
    learner: LearnerId
    holds: list[str] = Field(description="references of the matters, oldest first")
    position: NewPosition


class RevealedOut(BaseModel):
    """A recipient unmasked; that it was shown, to whom and why is recorded (A4)."""

    model_config = example(
        card="0123456789abcdef0123456789abcdef",
        learner="lin",
        recipient={
            "name": "林小满",
            "phone": "+8613800138000",
            "province": "浙江省",
            "city": "杭州市",
            "district": "西湖区",
            "address": "文三路 1 号 2 单元 301",
        },
        shown_until="2026-11-03T02:24:08.120931Z",
        position=42,
    )
    card: str = Field(description="id of the card in the vault")
    learner: LearnerId
    recipient: RecipientOut = Field(description="unmasked")
    shown_until: ShownUntil
    position: NewPosition


class PayloadRevealedOut(BaseModel):
    """What a carrier pushed, as it came; that it was shown is recorded (A4)."""

    model_config = example(
        card="0123456789abcdef0123456789abcdef",
        learner="lin",
        parcel=f"{_NUMBER}-P1",
        payload='{"status":"polling","lastResult":{"nu":"SF1000000001","data":[]}}',
        encoding="utf-8",
        shown_until="2026-11-03T02:24:08.120931Z",
        position=42,
    )
    card: str = Field(description="id of the card in the vault")
    learner: LearnerId
    parcel: ParcelNumber
    payload: str = Field(description="its bytes")
    encoding: Literal["utf-8", "base64"] = Field(description="base64 where they are no text")
    shown_until: ShownUntil
    position: NewPosition
