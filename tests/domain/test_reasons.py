"""Every reason that the code gives has its Chinese (M4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.reasons import ACTIONS, THINGS, reason_zh

ROOT = Path(__file__).parents[2]
SOURCES = [
    source
    for room in ("domain", "application", "projections", "api")
    for source in sorted((ROOT / room).rglob("*.py"))
]
REFUSALS = {"why": "NotPossible", "reason": "InvalidRequest", "what": "NotFound"}


def figures(name: str) -> Iterator[str]:
    """Texts given as this figure of a refusal, an `x` where something is filled in."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            for keyword in node.keywords:
                if keyword.arg != name:
                    continue
                if REFUSALS.get(name, node.func.id) != node.func.id:
                    continue
                match keyword.value:
                    case ast.Constant(value=str(text)):
                        yield text
                    case ast.JoinedStr(values=parts):
                        yield "".join(
                            part.value
                            if isinstance(part, ast.Constant) and isinstance(part.value, str)
                            else "x"
                            for part in parts
                        )
                    case _:
                        pass  # handed on from elsewhere


@pytest.mark.parametrize("name", ["why", "reason"])
def test_every_reason_is_read_in_chinese_when_a_refusal_gives_it(name: str) -> None:
    """M4: no answer in Chinese holds an English reason."""
    given = set(figures(name))
    assert given
    assert [text for text in sorted(given) if reason_zh(text) == text] == []


def test_every_action_and_thing_is_named_in_chinese_when_a_refusal_names_it() -> None:
    """M4: "无法取消", never "无法 cancel"."""
    assert {text for text in figures("action") if text != "x"} <= set(ACTIONS)
    assert set(figures("what")) <= set(THINGS)
