"""The domain asks no clock, no chance and nobody outside (R28; style.md, Habit 2)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import domain

ROOMS = sorted(Path(domain.__path__[0]).glob("*.py"))
FORBIDDEN = frozenset(
    {
        "asyncio", "ctypes", "http", "io", "locale", "logging", "multiprocessing", "os", "pathlib",
        "random", "secrets", "select", "shelve", "shutil", "signal", "socket", "sqlite3", "ssl",
        "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid", "psycopg",
        "httpx2", "fastapi", "eventsourcing", "procrastinate", "structlog",
    }
)  # fmt: skip
"""`datetime` and `zoneinfo` are values; their clocks are caught below."""
CLOCKS = frozenset({"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "localtime"})
DOORS = frozenset(
    {"open", "print", "input", "eval", "exec", "__import__", "globals", "id", "hash", "breakpoint"}
)


def impurities(source: str) -> Iterator[str]:
    """What a fold must not do: import the outside, ask a clock, open a door."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.split(".")[0] in FORBIDDEN)
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in FORBIDDEN:
                    yield module
                if module == "datetime":
                    yield from (one.name for one in names if one.name == "*")
            case ast.Attribute(attr=name) if name in CLOCKS:
                yield name
            case ast.Call(func=ast.Name(id=name)) if name in DOORS:
                yield name
            case ast.Call(func=ast.Attribute(attr="astimezone"), args=[]):
                yield "astimezone() asks for the machine's zone"
            case _:
                pass


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.name)
def test_a_room_is_pure(path: Path) -> None:
    """R28: time, ids and chance come in as arguments."""
    assert list(impurities(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime as d\nx = d.datetime.utcnow()",
        "x = date.today()",
        "x = moment.astimezone()",
        "x = open('a')",
        "def f():\n    from uuid import uuid4",
    ],
)
def test_an_impurity_is_found(source: str) -> None:
    """R28, control: a clock, a file, chance, also inside a function."""
    assert list(impurities(source))


def test_every_room_fits_on_a_few_screens() -> None:
    """A room that outgrows 450 lines has two concepts in it (design.md, Rooms)."""
    assert [path.name for path in ROOMS if len(path.read_text().splitlines()) > 450] == []
