"""日期 Days that somebody can mean: what is outside of them was mistyped (M4).

Near enough for days and weeks to be added to them in any time zone.
"""

from datetime import date
from typing import Annotated, Final

from pydantic import Field

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


def is_meant(day: date) -> bool:
    """Whether somebody can mean a day."""
    return FIRST_DAY <= day <= LAST_DAY
