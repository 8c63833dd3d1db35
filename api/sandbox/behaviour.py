"""How the sandbox's partners behave: well, or as badly as a rehearsal wants (M3).

Each partner has a behaviour of its own, and each trouble in it how often it happens: `always`,
`never`, `30%` of the time, the next `3x`, or both of these, `30% 3x`.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

PARTNERS = (
    "kuaidi100", "sf", "third_party", "payment", "wecom", "agora", "crm", "zto", "yto", "sto",
)  # fmt: skip
"""Whom the sandbox plays."""
ALL = "all"
"""All of them at once."""
_OFTEN = re.compile(r"(?:(\d{1,3}(?:\.\d{1,6})?)%)? ?(?:(\d{1,6})x)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chance:
    """How often something happens."""

    share: float
    """Of all calls, 0 to 1."""
    times: int | None = None
    """And not more often than this; None: without end."""

    def __bool__(self) -> bool:
        return self.share > 0 and self.times != 0

    def __str__(self) -> str:
        share = "" if self.share == 1 and self.times is not None else f"{self.share * 100:g}%"
        words = " ".join(filter(None, (share, "" if self.times is None else f"{self.times}x")))
        return {"0%": "never", "100%": "always"}.get(words, words)


NEVER, ALWAYS = Chance(0), Chance(1)


def chance(told: object) -> Chance:
    """What somebody wrote: a word, a truth value, a share from 0 to 1, `30%`, `3x`, `30% 3x`."""
    if isinstance(told, Chance):
        return told
    if isinstance(told, bool):
        return ALWAYS if told else NEVER
    if isinstance(told, int | float) and 0 <= told <= 1:
        return Chance(float(told))
    words = str(told).strip().lower()
    if words in ("always", "true", "never", "false"):
        return ALWAYS if words in ("always", "true") else NEVER
    found = _OFTEN.fullmatch(words)
    if not words or found is None or float(found[1] or 100) > 100:
        raise ValueError("how often: always, never, 30%, 3x or 30% 3x")
    return Chance(float(found[1] or 100) / 100, int(found[2]) if found[2] else None)


Often = Annotated[
    Chance,
    BeforeValidator(chance),
    PlainSerializer(str),
    WithJsonSchema({"type": ["string", "boolean", "number"], "examples": ["30% 3x", True]}),
]


def _outage(told: object) -> object:
    return {"true": "both", "always": "both", "false": "no", "never": "no"}.get(
        str(told).lower(), told
    )


Outage = Annotated[Literal["no", "both", "answers", "pushes"], BeforeValidator(_outage)]


class Behaviour(BaseModel):
    """How a partner behaves."""

    model_config = ConfigDict(extra="forbid")

    outage: Outage = Field(
        default="no",
        description="it is away, to whoever calls, with what it pushes, or both; what it would "
        "have pushed comes when it is back",
    )
    delay_seconds: float = Field(default=0.0, ge=0, le=60, description="before it answers")
    delay: Often = Field(default=ALWAYS, description="how often an answer is so late")
    error: Often = Field(default=NEVER, description="it answers HTTP 500")
    refuse: Often = Field(default=NEVER, description="it answers, in its own words, with an error")
    hang: Often = Field(default=NEVER, description="it does not answer for `hang_seconds`")
    hang_seconds: float = Field(default=30.0, ge=0, le=600)
    lose_answers: Often = Field(
        default=NEVER, description="what is asked for is done, and the answer gets lost"
    )
    late_seconds: float = Field(default=0.0, ge=0, le=600, description="before each push")
    late: Often = Field(default=ALWAYS, description="how often a push is so late")
    repeat: int = Field(default=2, ge=1, le=20, description="how often each message is sent")
    duplicate: Often = Field(default=ALWAYS, description="how often it is sent more than once")
    reorder: Often = Field(default=NEVER, description="the next push overtakes this one")
    lose: Often = Field(default=NEVER, description="a push is not sent; queries still answer")
    forge: Often = Field(default=NEVER, description="the signature of a push does not fit")
    pace_seconds: float = Field(default=4.0, ge=0, le=3_600, description="between two scans")
    newest_first: bool = Field(default=False, description="the last scan is pushed first")
    forget: bool = Field(default=False, description="queries know the parcel, but not its receipt")
    intercepts: Literal["turn", "fail", "silent"] = Field(
        default="turn", description="what becomes of parcels that are to be stopped"
    )
    reject: Often = Field(
        default=NEVER, description="labels, and what a third party is asked, are refused for good"
    )
    short: bool = Field(
        default=False, description="a third party lacks a unit of each parcel's first item"
    )
    ship_cancelled: bool = Field(
        default=False, description="a third party sends what it said to have cancelled"
    )
    crm: Literal["takes", "fails", "hangs_up", "is_slow", "is_gone"] = Field(
        default="takes", description="how the CRM answers webhooks"
    )
    shut_out: bool = Field(default=False, description="Agora takes no token of ours")
    dismiss: bool = Field(default=False, description="the staff's robot is gone from its group")

    def told(self) -> dict[str, Any]:
        """What is out of the ordinary in it, as it is written."""
        return self.model_dump(mode="json", exclude_defaults=True)


ANSWERING = (
    "outage", "delay_seconds", "delay", "error", "refuse", "hang", "hang_seconds", "lose_answers",
)  # fmt: skip
PUSHING = ("late_seconds", "late", "repeat", "duplicate", "reorder", "lose", "forge")
_MANNERS: dict[str, tuple[str, ...]] = {
    "kuaidi100": (*PUSHING, "pace_seconds", "newest_first", "forget", "intercepts", "reject"),
    "sf": (*PUSHING, "pace_seconds", "forget"),
    "third_party": (
        *PUSHING, "pace_seconds", "newest_first", "reject", "short", "ship_cancelled",
    ),
    "payment": PUSHING,
    "wecom": ("dismiss",),
    "agora": ("shut_out",),
    "crm": ("crm",),
}  # fmt: skip


def fields_of(partner: str) -> tuple[str, ...]:
    """What of a behaviour means something for a partner."""
    return (*ANSWERING, *_MANNERS.get(partner, ()))
