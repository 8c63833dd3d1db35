"""How the sandbox's partners behave: well, or as badly as a rehearsal wants (M3)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Behaviour(BaseModel):
    """How the partners behave."""

    model_config = ConfigDict(extra="forbid")

    pace_seconds: float = Field(default=4.0, ge=0, le=3_600, description="between two scans")
    repeat: int = Field(default=2, ge=1, le=20, description="how often each message is sent")
    newest_first: bool = Field(default=False, description="the last scan is pushed first")
    lose: bool = Field(default=False, description="no push is sent; queries still answer")
    forget: bool = Field(default=False, description="queries know the parcel, but not its receipt")
    forge: bool = Field(default=False, description="signatures do not fit")
    refuse: bool = Field(default=False, description="requests are answered with an error")
    delay_seconds: float = Field(
        default=0.0, ge=0, le=60, description="before labels, third parties, alerts, signals answer"
    )
    intercepts: Literal["turn", "fail", "silent"] = Field(
        default="turn", description="what becomes of parcels that are to be stopped"
    )
    reject: bool = Field(
        default=False, description="labels, and what a third party is asked, are refused for good"
    )
    short: bool = Field(
        default=False, description="a third party lacks a unit of each parcel's first item"
    )
    ship_cancelled: bool = Field(
        default=False, description="a third party sends what it said to have cancelled"
    )
    lose_answers: bool = Field(
        default=False, description="what is asked for is done, and the answer gets lost"
    )
    crm: Literal["takes", "fails", "hangs_up", "is_slow", "is_gone"] = Field(
        default="takes", description="how the CRM answers webhooks"
    )
    shut_out: bool = Field(default=False, description="Agora takes no token of ours")
    dismiss: bool = Field(default=False, description="the staff's robot is gone from its group")
