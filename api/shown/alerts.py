"""What staff get of what they were told: for the API's description alone (N1)."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import example

_TOLD = {
    "kind": "partner_away",
    "about": {"partner": "kuaidi100", "failed": 7},
    "since": "2026-11-03T02:14:00Z",
    "told_at": "2026-11-03T02:14:08.120931Z",
}
_MESSAGE = {
    "at": "2026-11-03T02:14:08.120931Z",
    "fresh": 1,
    "reminded": 0,
    "solved": 0,
    "outcome": "delivered",
    "code": 0,
    "cause": None,
}


class ToldOut(BaseModel):
    """A trouble that staff know of."""

    kind: str = Field(description="as in `/v1/troubles`", examples=["dead_job"])
    about: dict[str, Any] = Field(description="what it is about, by name, when it was told")
    since: AwareDatetime | None = Field(description="since when it was stuck, where it is known")
    told_at: AwareDatetime = Field(description="when staff were told last")


class AlertMessageOut(BaseModel):
    """One try to tell."""

    at: AwareDatetime = Field(description="when it was sent")
    fresh: int = Field(description="troubles that were told for the first time")
    reminded: int = Field(description="those told again because they had grown old")
    solved: int = Field(description="those told to be over")
    outcome: Literal["delivered", "failed", "refused"] = Field(
        description="refused: the robot takes nothing more"
    )
    code: int | None = Field(description="the robot's `errcode`, where it answered")
    cause: str | None = Field(description="its words, or why there was no answer")


class AlertsOut(BaseModel):
    """What staff were told, and how their robot is (N1)."""

    model_config = example(
        robot="ok",
        cause=None,
        next_at=None,
        language="zh",
        again_hours=24.0,
        told=[_TOLD],
        messages=[_MESSAGE],
    )
    robot: Literal["off", "ok", "waiting", "refused"] = Field(
        description="off: none is set; waiting: it failed and is tried again; refused: its key is"
        " no longer good"
    )
    cause: str | None = Field(description="why it refuses")
    next_at: AwareDatetime | None = Field(description="when it is tried again after a failure")
    language: Literal["zh", "en"] = Field(description="what messages are written in")
    again_hours: float = Field(description="after how long staff are reminded; 0: never")
    told: list[ToldOut] = Field(description="what staff know of, the oldest first")
    messages: list[AlertMessageOut] = Field(description="the newest, newest first")


class TestedOut(BaseModel):
    """What a test message met."""

    model_config = example(delivered=True, code=0, cause=None, took_ms=84)
    delivered: bool = Field(description="whether the robot took it")
    code: int | None = Field(description="its `errcode`, where it answered")
    cause: str | None = Field(description="its words, or why there was no answer")
    took_ms: int = Field(description="milliseconds until the answer")
