"""Writes docs/events.md and docs/events.schema.json from the facts' models: `make docs`."""

import json
import sys
from pathlib import Path

from application import envelope  # importing the rooms registers their facts
from domain.facts import FACTS, Fact

DOCS = Path(__file__).resolve().parent.parent / "docs"


def page() -> str:
    """The event catalogue as Markdown."""
    lines = [
        "# Events",
        "",
        "Every fact there is, generated from the models in `domain/` (`make docs`).",
        f"{len(FACTS)} facts in {len(envelope.ROOMS)} rooms; their JSON Schema is in",
        "`docs/events.schema.json`.",
    ]
    room = ""
    for name, fact in sorted(FACTS.items()):
        if name.partition(".")[0] != room:
            room = name.partition(".")[0]
            lines += ["", f"## {room}"]
        lines += ["", f"### `{name}` (schema {fact.schema_version})", "", _said(fact)]
        fields = [
            f"| `{field}` | {_type(fact, field)} | {info.description or ''} |"
            for field, info in fact.model_fields.items()
        ]
        if fields:
            lines += ["", "| field | type | meaning |", "| --- | --- | --- |", *fields]
    return "\n".join(lines) + "\n"


def schema() -> str:
    """The JSON Schemas of all facts, by name."""
    schemas = {name: fact.model_json_schema() for name, fact in sorted(FACTS.items())}
    return json.dumps(schemas, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _said(fact: type[Fact]) -> str:
    return " ".join((fact.__doc__ or "").split())


def _type(fact: type[Fact], field: str) -> str:
    text = str(fact.model_fields[field].annotation)
    for noise in ("<class '", "'>", "domain.", "datetime."):
        text = text.replace(noise, "")
    return f"`{text}`".replace("|", "\\|")


def main() -> int:
    """Write both files, or with `--check` say whether they are what the models give."""
    wanted = {DOCS / "events.md": page(), DOCS / "events.schema.json": schema()}
    if "--check" in sys.argv:
        stale = [path.name for path, text in wanted.items() if path.read_text() != text]
        if stale:
            print(f"stale: {', '.join(stale)}; run `make docs`")
        return len(stale)
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
