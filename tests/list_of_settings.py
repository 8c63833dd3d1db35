"""Writes docs/settings.md from the settings' own docstrings: `make docs`."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from application.settings import Settings
from domain.house_rules import FOLLOWING, HouseRules

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
HEAD = """# Settings

Generated from `application/settings.py` and `domain/house_rules.py` (`make docs`). Read from the
environment and a `.env` beside it, at the start; what cannot be used is named, and nothing starts.
What is JSON here is written as JSON, lists and objects whole. How the parts are run is in
[running.md](running.md).

| variable | default | what it is |
| --- | --- | --- |
"""
FIGURES = """
## Figures of the business

`TALLYPOST_RULES`, a JSON object of those that differ; times as ISO 8601 writes them (`PT10M`,
`P7D`), or in seconds. A deadline that follows from a figure is written into its event: changing one
moves none (rules.md). One tenant's own are in `TALLYPOST_TENANT_SETTINGS`, under `rules`.

| figure | default | what it is |
| --- | --- | --- |
"""


def page() -> str:
    """All settings as Markdown."""
    settings = [
        _row(_variable(name, info), info.get_default(call_default_factory=True), info.description)
        for name, info in Settings.model_fields.items()
        if name != "rules"
    ]
    said = TypeAdapter(HouseRules).json_schema(mode="serialization")["properties"]
    figures = [
        _row(one.name, getattr(HouseRules(), one.name), said[one.name].get("description"))
        for one in fields(HouseRules)
        if one.name not in FOLLOWING
    ]
    return f"{HEAD}{''.join(settings)}{FIGURES}{''.join(figures)}"


def _variable(name: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    return alias if isinstance(alias, str) else f"TALLYPOST_{name.upper()}"


def _row(name: str, default: Any, said: str | None) -> str:
    assert said, f"{name} says nothing of itself"
    text = " ".join(said.split()).replace("|", "\\|")
    return f"| `{name}` | {_written(default)} | {text} |\n"


def _written(default: Any) -> str:
    """As it is written in the environment; nothing where nothing is set."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default in (None, "", (), {}):
        return ""
    if isinstance(default, timedelta | tuple):
        default = TypeAdapter(type(default)).dump_json(default).decode().strip('"')
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{to_jsonable_python(default, fallback=str)}`"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
