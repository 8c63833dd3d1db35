"""What staff get: health, what waits, what is asked for. For the API's description alone."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import LearnerId, example
from domain.approvals import Kind


class ViewOut(BaseModel):
    """How far a view is."""

    name: str = Field(description="of the view", examples=["order_status"])
    position: int = Field(description="log position it has seen")
    lag: int = Field(description="log positions it has not seen")
    lag_seconds: float = Field(description="age of the oldest event it has not seen, in seconds")
    parked: int = Field(description="events it could not fold")
    outdated: bool = Field(
        description="other code folded its rows: `tallypost migrate` folds them anew"
    )


_VIEW = {
    "name": "ledger_balance", "position": 42, "lag": 0, "lag_seconds": 0.0, "parked": 0,
    "outdated": False,
}  # fmt: skip


class HealthOut(BaseModel):
    """How the service is (M1)."""

    model_config = example(status="ok", sick=[], position=42, views=[_VIEW], queue=0, drift=0)
    status: Literal["ok", "sick", "down"] = Field(description="down: the database is out of reach")
    sick: list[str] | None = Field(default=None, description="what is not well")
    position: int | None = Field(default=None, description="where the log stands")
    views: list[ViewOut] | None = Field(default=None, description="by name")
    queue: int | None = Field(default=None, description="commands that wait for the writer")
    drift: int | None = Field(default=None, description="rows that a replay does not give")
    cause: str | None = Field(default=None, description="why it is down")


class ReadyOut(BaseModel):
    """Whether requests may come."""

    model_config = example(ready=True)
    ready: bool = Field(description="whether this process takes requests")
    cause: str | None = Field(default=None, description="why not")


class TargetOut(BaseModel):
    """A figure and what it should be."""

    name: str = Field(description="answers_within_200_ms and errors are shares from 0 to 1")
    value: float = Field(description="measured by this process since it began")
    target: float = Field(description="what it should be")
    met: bool | None = Field(description="whether it is; null: too few answers to judge")


class PartnerOut(BaseModel):
    """How a partner answered in the last hour."""

    partner: str = Field(description="by its short name", examples=["kuaidi100"])
    calls: int = Field(description="made by all processes")
    mean_seconds: float = Field(description="how long they took on average")
    cause: str | None = Field(description="why the newest one that failed did")
    away_since: AwareDatetime | None = Field(
        description="since then nothing was answered; it is tried again by itself"
    )
    targets: list[TargetOut] = Field(description="answers in time, errors")


class TargetsOut(BaseModel):
    """How this process does, and how partners do."""

    model_config = example(
        answers=1_042,
        targets=[{"name": "answers_within_200_ms", "value": 0.998, "target": 0.99, "met": True}],
        partners=[
            {
                "partner": "kuaidi100",
                "calls": 120,
                "mean_seconds": 0.08,
                "cause": None,
                "away_since": None,
                "targets": [{"name": "errors", "value": 0.0, "target": 0.001, "met": True}],
            }
        ],
    )
    answers: int = Field(description="requests that this process answered")
    targets: list[TargetOut] = Field(description="answers in time, errors, sync lag")
    partners: list[PartnerOut] = Field(description="by name; those that were asked lately")


class TroubleOut(BaseModel):
    """Something that is stuck."""

    kind: str = Field(description="what kind of trouble", examples=["dead_job"])
    what: str = Field(description="in words, in English")
    cause: str | None = Field(description="why, where it is known")
    since: AwareDatetime | None = Field(description="since when, where it is known")
    age_seconds: int | None = Field(description="for how long, in seconds")
    about: dict[str, Any] = Field(description="what `what` is made of, by name")


class TroublesOut(BaseModel):
    """What waits for a human or a partner, oldest first (M5)."""

    model_config = example(
        troubles=[
            {
                "kind": "dead_job",
                "what": "subscribe",
                "cause": "8 attempts",
                "since": "2026-11-03T02:14:08.120931Z",
                "age_seconds": 7_200,
                "about": {"job": 7, "task": "subscribe", "attempts": 8},
            }
        ],
        jobs={"todo": 3, "doing": 1, "failed": 1},
    )
    troubles: list[TroubleOut] = Field(description="oldest first; those without a time last")
    jobs: dict[str, int] = Field(description="todo, doing, failed: how many")


class GoodsAskedOut(BaseModel):
    """Goods that a refund is for."""

    sku: str = Field(description="its number")
    name: str = Field(description="what it is called")
    quantity: int = Field(ge=1, description="how many")


class ApprovalOut(BaseModel):
    """What a second person is asked for."""

    id: str = Field(description="of the request")
    kind: Kind
    learner: LearnerId
    points: int = Field(
        description="added if positive, taken if negative; that a refund gives back; 0 for a reveal"
    )
    cash_fen: int = Field(description="that a refund gives back beside them")
    goods: list[GoodsAskedOut] = Field(description="what a refund is for; else empty")
    goods_back: bool = Field(
        description="whether the maker says that the goods of a refund are in the house again"
    )
    subject: str = Field(
        description="the adjustment's source, the lot that is clawed back, the case, the card, the"
        " order, or the return"
    )
    about: str | None = Field(
        description="stream of the order or parcel whose card is to be shown, or of the order that"
        " is refunded",
        examples=["order:T1"],
    )
    maker: str = Field(description="who asked")
    maker_role: str | None = Field(description="in which role, where it was recorded")
    reason: str = Field(description="in words of who asked")
    alone_points: int = Field(
        description="what the maker gave and took alone before, for the same learner, as far as it"
        " adds to this; either counted up"
    )
    alone_times: int = Field(description="in how many amounts")
    requested_at: AwareDatetime = Field(description="when it was asked for")
    state: Literal["open", "given", "denied"] = Field(description="what became of it")
    checker: str | None = Field(description="who decided; null while it is open")
    checker_role: str | None = Field(description="in which role, where it was recorded")
    decided_at: AwareDatetime | None = Field(description="when; null while it is open")
    valid_until: AwareDatetime | None = Field(
        description="until then whoever asked may look at a minor's card"
    )


class ApprovalsOut(BaseModel):
    """Requests in a state, oldest first (A8)."""

    model_config = example(
        approvals=[
            {
                "id": "A0123456789ABCDEF",
                "kind": "adjustment",
                "learner": "lin",
                "points": 20_000,
                "cash_fen": 0,
                "goods": [],
                "goods_back": False,
                "subject": "made good",
                "about": None,
                "maker": "wang",
                "maker_role": "operations",
                "reason": "the course was counted twice",
                "alone_points": 3_000,
                "alone_times": 2,
                "requested_at": "2026-11-03T02:14:08.120931Z",
                "state": "open",
                "checker": None,
                "checker_role": None,
                "decided_at": None,
                "valid_until": None,
            }
        ]
    )
    approvals: list[ApprovalOut] = Field(description="oldest first")
