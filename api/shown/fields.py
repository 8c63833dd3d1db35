"""Fields that many answers share, and how an answer says what it looks like."""

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field

Next = Annotated[str | None, Field(description="`cursor` of the page after; null on the last one")]
Position = Annotated[int, Field(ge=0, description="the log position that this is as of")]
EventPosition = Annotated[int, Field(ge=1, description="log position of the event")]
OrderNumber = Annotated[str, Field(description="the order's number")]
LearnerId = Annotated[str, Field(description="the learner's id on the platform")]
ItemSku = Annotated[str, Field(description="the item's SKU")]
LineNumber = Annotated[int, Field(ge=1, description="number of the order's line, from 1")]
PartNumber = Annotated[int, Field(ge=1, description="number of the order's part, from 1")]
ParcelNumber = Annotated[str, Field(description="number of the parcel")]
UnitCount = Annotated[int, Field(description="units")]
FactName = Annotated[str, Field(description="name of the fact", examples=["orders.OrderPlaced"])]
HappenedAt = Annotated[AwareDatetime, Field(description="when it happened")]
PartWarehouse = Annotated[
    str | None,
    Field(
        description="code of the warehouse that sends it; null for a part of courses, which no "
        "warehouse sends: it is granted on the learning platform"
    ),
]


def example(**fields: Any) -> ConfigDict:
    """What such a body or answer looks like."""
    return examples(fields)


def examples(*bodies: Any) -> ConfigDict:
    """What such bodies or answers look like."""
    return ConfigDict(json_schema_extra={"examples": list(bodies)})
