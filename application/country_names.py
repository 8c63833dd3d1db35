"""国名 Countries as people read them; rules know their codes alone."""

from functools import cache
from typing import Literal


@cache
def country_name(code: str, language: Literal["zh", "en"]) -> str:
    """A country's or territory's name in a language; its code, where it has none.

    >>> country_name("US", "zh"), country_name("US", "en")
    ('美国', 'United States')
    """
    import babel  # few commands need it, and its data take their time

    return str(babel.Locale(language).territories.get(code, code))
