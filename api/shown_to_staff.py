"""What staff and systems get: history, health, what waits. For the API's description alone."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown import Next, Position, example

Hex = str


class HeadOut(BaseModel):
    """A signed head: where the log stood, and our word for it (A3)."""

    model_config = example(
        tenant="mall",
        position=42,
        root="9f" * 32,
        recorded_at="2026-11-03T02:14:08.120931+00:00",
        key_id="00112233aabbccdd",
        signature="ab" * 64,
        public_key="cd" * 32,
    )
    tenant: str
    position: Position
    root: Hex = Field(description="RFC 9162 tree over all events up to the position, SHA-256")
    recorded_at: AwareDatetime
    key_id: Hex = Field(description="first 8 bytes of the public key's SHA-256")
    signature: Hex = Field(description="Ed25519")


class NewestHeadOut(HeadOut):
    """A signed head with the key that signed it, so that a browser can check the signature."""

    public_key: Hex = Field(
        description="raw Ed25519; proves nothing by itself: compare it with one you were given"
    )


class ProofOut(BaseModel):
    """That an event is in the log of the head."""

    leaf: Hex
    inclusion: list[Hex]


class EventOut(BaseModel):
    """Who did what, when and why (A1)."""

    position: int
    stream: str
    version: int
    fact: str
    data: dict[str, Any]
    happened_at: AwareDatetime
    recorded_at: AwareDatetime
    actor: str = Field(examples=["support:wang"])
    reason: str
    command: str
    correlation: str
    causation: str


class StepOut(EventOut):
    """An event with the state after it and what it changed (A2)."""

    changed: dict[str, list[Any]] | None = Field(description="field: [before, after]")
    state: dict[str, Any] | None
    proof: ProofOut | None = None


class HistoryOut(BaseModel):
    """A history step by step, as known at a position."""

    position: Position
    events: list[StepOut]
    state: dict[str, Any] | None = Field(description="after the last event")
    head: HeadOut | None = Field(default=None, description="what the proofs are against")


class StreamHistoryOut(HistoryOut):
    """A stream replayed."""

    stream: str
    next: int | None = Field(description="`after` of the next page")


class OrderHistoryOut(HistoryOut):
    """All that concerns an order, replayed."""

    number: str


class EventsOut(BaseModel):
    """A page of who did what, newest first."""

    events: list[EventOut]
    next: Next


class SealOut(BaseModel):
    """Ed25519 over all that comes before it."""

    public_key: Hex
    signature: Hex


class SealedOut(BaseModel):
    """What an export and a report have in common."""

    format: str
    tool: str
    tenant: str
    head: HeadOut
    seal: SealOut


class ExportOut(SealedOut):
    """A stream's whole history, for `tallypost audit check`."""

    stream: str
    fold: str
    consistency: list[dict[str, Any]]
    versions: int
    events: list[dict[str, Any]]


class ReportOut(SealedOut):
    """A sealed report."""

    report: str
    query: str
    parameters: dict[str, Any]
    position: Position
    columns: list[str]
    row_count: int
    sums: dict[str, int]
    rows: list[list[Any]]


class ViewOut(BaseModel):
    """How far a view is."""

    name: str
    position: int
    lag: int = Field(description="log positions it has not seen")
    lag_seconds: float
    parked: int = Field(description="events it could not fold")


class HealthOut(BaseModel):
    """How the service is (M1)."""

    model_config = example(
        status="ok",
        sick=[],
        position=42,
        views=[
            {"name": "ledger_balance", "position": 42, "lag": 0, "lag_seconds": 0.0, "parked": 0}
        ],
        queue=0,
        drift=0,
    )
    status: Literal["ok", "sick", "down"]
    sick: list[str] | None = Field(default=None, description="what is not well")
    position: int | None = None
    views: list[ViewOut] | None = None
    queue: int | None = Field(default=None, description="commands that wait for the writer")
    drift: int | None = Field(default=None, description="rows that a replay does not give")
    cause: str | None = None


class ReadyOut(BaseModel):
    """Whether requests may come."""

    ready: bool
    cause: str | None = None


class TargetOut(BaseModel):
    """A figure and what it should be."""

    name: str
    value: float
    target: float
    met: bool


class TargetsOut(BaseModel):
    """How this process does."""

    answers: int
    targets: list[TargetOut]


class TroubleOut(BaseModel):
    """Something that is stuck."""

    kind: str = Field(examples=["dead_job"])
    what: str
    cause: str | None
    since: AwareDatetime | None
    age_seconds: int | None
    about: dict[str, Any] = Field(description="what `what` is made of, by name")


class TroublesOut(BaseModel):
    """What waits for a human or a partner, oldest first (M5)."""

    troubles: list[TroubleOut]
    jobs: dict[str, int] = Field(description="todo, doing, failed: how many")


class ApprovalOut(BaseModel):
    """What a second person is asked for."""

    id: str
    kind: str
    learner: str
    points: int
    subject: str
    maker: str
    reason: str
    requested_at: AwareDatetime
    state: Literal["open", "given", "denied"]
    checker: str | None
    decided_at: AwareDatetime | None


class ApprovalsOut(BaseModel):
    """Requests in a state, oldest first (A8)."""

    model_config = example(
        approvals=[
            {
                "id": "A0123456789ABCDEF",
                "kind": "adjustment",
                "learner": "lin",
                "points": 20_000,
                "subject": "made good",
                "maker": "wang",
                "reason": "the course was counted twice",
                "requested_at": "2026-11-03T02:14:08.120931Z",
                "state": "open",
                "checker": None,
                "decided_at": None,
            }
        ]
    )
    approvals: list[ApprovalOut]


class DeliveryOut(BaseModel):
    """One try to tell a subscriber."""

    serial: int
    position: int
    fact: str
    attempt: int
    at: AwareDatetime
    outcome: str
    status: int | None
    cause: str | None
    took_ms: int


class DeliveriesOut(BaseModel):
    """The newest tries."""

    deliveries: list[DeliveryOut]
    next: int | None = Field(description="`cursor` of the page after")
