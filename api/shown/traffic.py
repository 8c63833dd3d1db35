"""What staff get of real and rehearsed traffic: for the API's description alone (M3)."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import example

_SHIFT = {
    "percent": 5,
    "at": "2026-11-03T02:14:08.120931Z",
    "actor": "operations:wang",
    "reason": "the first real parcels",
}


class ShiftOut(BaseModel):
    """A change of a share."""

    percent: int = Field(description="real from then on")
    at: AwareDatetime = Field(description="when it was decided")
    actor: str = Field(description="by whom")
    reason: str = Field(description="why, in their words")


class ShareOut(BaseModel):
    """How much of a partner's traffic is real."""

    partner: str = Field(description="by its short name", examples=["kuaidi100"])
    percent: int = Field(description="of what begins now")
    real: int = Field(description="parcels or orders that went to the real partner so far")
    sandbox: int = Field(description="those that went to the sandbox")
    shifts: list[ShiftOut] = Field(description="the newest changes, newest first")


class TrafficOut(BaseModel):
    """Partners whose traffic is switched on by share (M3)."""

    model_config = example(
        partners=[
            {"partner": "kuaidi100", "percent": 5, "real": 7, "sandbox": 130, "shifts": [_SHIFT]}
        ]
    )
    partners: list[ShareOut] = Field(description="by name")


class ShiftedOut(BaseModel):
    """A share that was changed, or was so already."""

    model_config = example(partner="kuaidi100", percent=5, position=60)
    partner: str = Field(description="the partner")
    percent: int = Field(description="real from now on")
    position: NewPosition
