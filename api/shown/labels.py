"""What readers get of labels: for the API's description alone (W5)."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import ParcelNumber, example
from domain.labels import LabelState

LabelName = Annotated[str, Field(description="names the request at the aggregator, for ever")]
_PARCEL = "T261103A1B2C3D4E5F6-P1"


class LabelOut(BaseModel):
    """The newest request for a parcel's waybill."""

    label: LabelName
    state: LabelState = Field(
        description="wanted, issued, refused, unanswered, unwanted, cancelled"
    )
    carrier: str = Field(description="its code")
    why: str = Field(description="it was refused, in the aggregator's words; else empty")


class LabelAskedOut(BaseModel):
    """What became of a parcel's label."""

    model_config = example(
        parcel=_PARCEL,
        label=f"{_PARCEL}-L1",
        state="wanted",
        carrier="zhongtong",
        waybill=None,
        position=42,
    )
    parcel: ParcelNumber
    label: LabelName | None = Field(description="null: none was ever asked for")
    state: LabelState | None = Field(description="of the newest request")
    carrier: str | None = Field(description="of whom it is asked")
    waybill: str | None = Field(description="the number that is on the parcel")
    position: NewPosition


class WaveLabelsOut(BaseModel):
    """How many labels of a wave can be printed."""

    model_config = example(wave="zhejiang-20261103-1600", parcels=38, labelled=37, documents=1)
    wave: str = Field(description="the wave's number")
    parcels: int = Field(description="of it that are still in the house")
    labelled: int = Field(description="of them, those with a waybill")
    documents: int = Field(description="parts that they are printed in")
