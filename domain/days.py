"""日期 Days and moments that somebody can mean: what is outside of them was mistyped (M4).

Near enough for days and weeks to be added to them in any time zone.
"""

from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Moment = Annotated[
    AwareDatetime,
    Field(
        ge=datetime.combine(FIRST_DAY, time.min, UTC),
        le=datetime.combine(LAST_DAY, time.max, UTC),
    ),
]


def is_meant(day: date) -> bool:
    """Whether somebody can mean a day."""
    return FIRST_DAY <= day <= LAST_DAY
