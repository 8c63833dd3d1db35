"""Facts: what happened, as pure business, under a name that stays for ever.

A fact knows nothing of streams, versions, clocks or actors; those travel in the envelope
(`application/envelope.py`). Its name is fixed text (`ledger.PointsGranted`), never a module
path, so files may move while history stays readable.

A field that a released fact gets later is empty by default and left out while it is (`exclude_if`):
what was written without it is read and written as it was (R26).
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

FACTS: dict[str, type["Fact"]] = {}
"""Every fact there is, by its name: the closed registry that stored names resolve through."""


class Value(BaseModel):
    """A frozen piece of a fact: compared by its content, refused with fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Value):
    """Something that happened. Subclasses give their name: `class X(Fact, name="room.X")`."""

    fact_name: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1

    def __init_subclass__(cls, *, name: str, version: int = 1, **options: Any) -> None:
        super().__init_subclass__(**options)
        if name in FACTS:
            raise TypeError(f"the name {name} is taken by {FACTS[name].__name__}")
        cls.fact_name = name
        cls.schema_version = version
        FACTS[name] = cls
