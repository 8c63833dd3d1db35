"""海关归类 What customs ask of an item before it may cross a border (T7)."""

from re import fullmatch
from typing import Annotated, Final, Literal
from unicodedata import name

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.countries import Country
from domain.facts import Value

NOWHERE: Final = "*"
"""Among the countries that an item is barred from: it may not leave home at all."""

_HS_CODE: Final = "^[0-9]{6,10}$"


def _classified(code: str) -> str:
    if not fullmatch("[0-9]{6,10}", code):
        raise PydanticCustomError("no_hs_code", "an HS code is 6 to 10 digits without dots")
    return code


HsCode = Annotated[str, AfterValidator(_classified), Field(json_schema_extra={"pattern": _HS_CODE})]
"""Refused whole where it is anything else: one that was cut names other goods."""


def in_latin(text: str) -> str:
    """A text for customs abroad as it is; refused if it is not written in Latin letters (T7)."""
    letters = [one for one in text if one.isalpha()]
    if not letters or not all(name(one, "").startswith("LATIN ") for one in letters):
        raise PydanticCustomError("not_latin", "it has to be written in Latin letters")
    return text


class CustomsTerms(Value):
    """What an item is to customs; what is not known yet is asked for where it is declared."""

    hs_code: HsCode | None = Field(
        default=None,
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
