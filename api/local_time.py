"""当地时间 A time of day where a warehouse is: it has no zone, the warehouse has."""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise PydanticCustomError("own_time_has_no_zone", "a warehouse's own time has no zone")
    return value


LocalTime = Annotated[
    time,
    AfterValidator(_without_zone),
    # JSON Schema's own `time` would want a zone.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$",
            "examples": ["16:00"],
        }
    ),
]
"""A time of day where a warehouse is."""
