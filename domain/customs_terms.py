"""海关归类 What customs ask of an item before it may cross a border (T7)."""

from typing import Final, Literal

from pydantic import Field

from domain.countries import Country
from domain.facts import Value

NOWHERE: Final = "*"
"""Among the countries that an item is barred from: it may not leave home at all."""


class CustomsTerms(Value):
    """What an item is to customs; what is not known yet is asked for where it is declared."""

    hs_code: str | None = Field(
        default=None,
        pattern=r"^[0-9]{6,10}$",
        description="code of the Harmonized System, 6 to 10 digits without dots",
    )
    english_name: str | None = Field(
        default=None, min_length=1, max_length=200, description="as customs are told what it is"
    )
    origin: Country | None = Field(
        default=None, description="where it was made, ISO 3166-1 alpha-2"
    )
    barred_from: tuple[Country | Literal["*"], ...] = Field(
        default=(),
        max_length=250,
        description='countries it may not be sent to, by their codes; ("*",): it may not leave',
    )

    def barred(self, country: str) -> bool:
        """Whether the item may not be sent to a country abroad."""
        return NOWHERE in self.barred_from or country in self.barred_from
