"""Facts: what happened, as pure business, under a name that stays for ever.

A fact knows nothing of streams, versions, clocks or actors; those travel in the envelope
(`application/envelope.py`). Its name is fixed text (`ledger.PointsGranted`), never a module
path, so files may move while history stays readable.

A field that a released fact gets later is empty by default and left out while it is (`exclude_if`):
what was written without it is read and written as it was (R26).
"""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

FACTS: dict[str, type["Fact"]] = {}
"""Every fact there is, by its name: the closed registry that stored names resolve through."""


PositiveInt = Annotated[int, Field(strict=True, gt=0)]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0)]
"""Integers of values that callers send, too: `true` and `"1"` are none."""


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


class AsText:
    """Annotates a `StrEnum` in what every order stores: written as the text it is, which is fast.

    By default pydantic asks Python for the value of each member, every time.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The member's own schema, but for its serialisation."""
        as_text: Any = {**handler(source), "serialization": core_schema.simple_ser_schema("str")}
        return as_text  # type: ignore[no-any-return]
