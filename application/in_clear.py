"""明示 States in clear: every value under its own name, for people and for other programs (A2, A3).

Snapshots are written as compactly as they can be read again: a part of an order is a row without
names there. What is shown is not: whoever reads a history has neither our code nor our patience.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python


def in_clear(value: Any) -> Any:
    """A state, or a value in one, as JSON-able fields with their names."""
    if isinstance(value, BaseModel):
        return {name: in_clear(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = (field.name for field in dataclasses.fields(value) if field.name[0] != "_")
        return {name: in_clear(getattr(value, name)) for name in shown}
    if isinstance(value, Mapping):
        return {_key(key): in_clear(one) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: in_clear(one) for name, one in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [in_clear(one) for one in value]
    if isinstance(value, set | frozenset):  # the same at every making, whatever the hash seed
        return sorted((in_clear(one) for one in value), key=repr)
    return to_jsonable_python(value)


def _key(key: Any) -> str:
    return ",".join(map(str, key)) if isinstance(key, tuple) else str(key)
