"""What auditors get: history, proofs, sealed reports. For the API's description alone (A1–A9)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import (
    EventPosition,
    FactName,
    HappenedAt,
    Next,
    OrderNumber,
    Position,
    example,
)

Hex = str
StreamName = Annotated[str, Field(description="`category:key`", examples=["order:T1"])]

HEAD = {
    "tenant": "mall",
    "position": 42,
    "root": "9f" * 32,
    "recorded_at": "2026-11-03T02:14:08.120931+00:00",
    "key_id": "00112233aabbccdd",
    "signature": "ab" * 64,
}
_EVENT = {
    "position": 42,
    "stream": "account:lin",
    "version": 3,
    "fact": "ledger.AccountFrozen",
    "data": {"reason": "account was taken over"},
    "happened_at": "2026-11-03T02:14:08.120931Z",
    "recorded_at": "2026-11-03T02:14:08.120931Z",
    "actor": "operations:wu",
    "reason": "account was taken over",
    "command": "5f0c6f0e-freeze-1",
    "correlation": "",
    "causation": "",
}
_STATE = {"status": "frozen", "debt": 0}
_STEP = {**_EVENT, "changed": {"status": ["active", "frozen"]}, "state": _STATE}
SEAL = {"public_key": "cd" * 32, "signature": "ef" * 64}


class HeadOut(BaseModel):
    """A signed head: where the log stood, and our word for it (A3)."""

    tenant: str = Field(description="whose log it is")
    position: Position
    root: Hex = Field(description="RFC 9162 tree over all events up to the position, SHA-256")
    recorded_at: AwareDatetime = Field(description="when the event at the position was recorded")
    key_id: Hex = Field(description="first 8 bytes of the public key's SHA-256")
    signature: Hex = Field(description="Ed25519")


class NewestHeadOut(HeadOut):
    """A signed head with the key that signed it, so that a browser can check the signature."""

    model_config = example(**HEAD, public_key="cd" * 32)
    public_key: Hex = Field(
        description="raw Ed25519; proves nothing by itself: compare it with one you were given"
    )


class ProofOut(BaseModel):
    """That an event is in the log of the head."""

    leaf: Hex = Field(description="SHA-256 of the event as the tree has it")
    inclusion: list[Hex] = Field(description="hashes on the way to the root, from the leaf up")


class EventOut(BaseModel):
    """Who did what, when and why (A1)."""

    position: EventPosition
    stream: StreamName
    version: int = Field(ge=1, description="number of the event in its stream, from 1")
    fact: FactName
    data: dict[str, Any] = Field(description="the fact's own fields: the event catalogue has them")
    happened_at: HappenedAt
    recorded_at: AwareDatetime = Field(description="when it was written down")
    actor: str = Field(description="`role:subject`, or `policy:name`", examples=["support:wang"])
    reason: str = Field(description="in words of the actor; may be empty")
    command: str = Field(description="idempotency key of the command")
    correlation: str = Field(description="id of the request that began it; may be empty")
    causation: str = Field(description="`stream@version` of the event it reacts to; may be empty")


class StepOut(EventOut):
    """An event with the state after it and what it changed (A2)."""

    changed: dict[str, list[Any]] | None = Field(description="field: [before, after]")
    state: dict[str, Any] | None = Field(
        description="of the stream after the event; null in a history too long to be told with"
    )
    proof: ProofOut | None = Field(default=None, description="where `proofs` was asked for")


class HistoryOut(BaseModel):
    """A history step by step, as known at a position."""

    position: Position
    events: list[StepOut] = Field(description="oldest first")
    state: dict[str, Any] | None = Field(description="after the last event")
    head: HeadOut | None = Field(default=None, description="what the proofs are against")


class StreamHistoryOut(HistoryOut):
    """A stream replayed."""

    model_config = example(
        stream="account:lin", position=42, events=[_STEP], state=_STATE, next=None
    )
    stream: StreamName
    next: int | None = Field(description="`after` of the next page; null on the last one")


class OrderHistoryOut(HistoryOut):
    """All that concerns an order, replayed."""

    model_config = example(
        number="T261103A1B2C3D4E5F6",
        position=42,
        events=[{**_STEP, "stream": "account:lin"}],
        state={"learner": "lin", "paid": True},
    )
    number: OrderNumber


class EventsOut(BaseModel):
    """A page of who did what, newest first."""

    model_config = example(events=[_EVENT], next=None)
    events: list[EventOut] = Field(description="newest first")
    next: Next


class SealOut(BaseModel):
    """Ed25519 over all that comes before it."""

    public_key: Hex = Field(description="raw Ed25519; compare it with one you were given")
    signature: Hex = Field(description="over the document's bytes up to the seal")


class SealedOut(BaseModel):
    """What an export and a report have in common."""

    format: str = Field(description="name and version of the document's form")
    tool: str = Field(description="name and version of what made it")
    tenant: str = Field(description="whose log it is from")
    head: HeadOut
    seal: SealOut


class ExportOut(SealedOut):
    """A stream's whole history, for `tallypost audit check`."""

    model_config = example(
        format="tallypost export 2",
        tool="tallypost 0.1.0",
        tenant="mall",
        stream="account:lin",
        head=HEAD,
        fold="f00dbabe00112233",
        consistency=[],
        versions=3,
        events=[{"position": 42, "stream": "account:lin", "version": 3}],
        seal=SEAL,
    )
    stream: StreamName
    fold: str = Field(description="fingerprint of the code that folded the states")
    consistency: list[dict[str, Any]] = Field(
        description="for each head of `since`: the proof that the log only grew from it"
    )
    versions: int = Field(description="how many events the stream has at the position")
    events: list[dict[str, Any]] = Field(
        description="each with its stored bytes, the state after it and its proof"
    )


class ReportOut(SealedOut):
    """A sealed report."""

    model_config = example(
        format="tallypost report 1",
        tool="tallypost 0.1.0",
        tenant="mall",
        report="liability",
        query="fold of all ledger facts up to the position",
        parameters={"position": 42, "zone": "Asia/Shanghai"},
        position=42,
        head=HEAD,
        columns=["month", "points"],
        row_count=2,
        sums={"points": 6_200},
        rows=[["2026-12", 600], ["never", 5_600]],
        seal=SEAL,
    )
    report: str = Field(description="its name")
    query: str = Field(description="what the rows were made with")
    parameters: dict[str, Any] = Field(description="what the query was asked with")
    position: Position
    columns: list[str] = Field(description="names of what a row holds")
    row_count: int = Field(ge=0, description="how many rows there are")
    sums: dict[str, int] = Field(description="of the columns that hold whole numbers")
    rows: list[list[str | int | bool | list[str] | dict[str, Any] | None]] = Field(
        description="values by column; `controls` has each event and its proof"
    )
