"""Every reason that the code gives has its Chinese (M4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import from_json

from application.outcomes import RefusedBefore, keep_refusal
from domain.order_facts import State, customer_status
from domain.reasons import ACTIONS, THINGS, customers_words, reason_zh
from domain.refusals import InvalidRequest, NotPossible, Refusal, for_customers

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


def test_customers_are_told_their_own_word_for_every_state() -> None:
    """rules.md 4: in refusals as in orders, and only where a state is meant."""
    for state in State:
        assert customers_words(state) == customer_status(state)
    assert customers_words("append_ending pending_endless") == "append_ending pending_endless"


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    ("refusal", "figure", "en", "zh"),
    [
        (
            NotPossible(action="cancel", why="the order is pending_end"),
            ("why", "the order is completed"),
            "cancel is not possible: the order is completed",
            "无法取消：订单已完成",
        ),
        (
            NotPossible(action="pack", why="part 2 is pending_end"),
            ("why", "part 2 is completed"),
            "pack is not possible: part 2 is completed",
            "无法打包：第 2 部分已完成",
        ),
        (
            NotPossible(action="pay", why="the order is pending_receipt"),
            ("why", "the order is pending_receipt"),
            "pay is not possible: the order is pending_receipt",
            "无法支付：订单待收货",
        ),
        (
            InvalidRequest(field="已签收", reason="not a status of an order"),
            ("field", "已签收"),
            "已签收: not a status of an order",
            "已签收：不是订单状态",
        ),
    ],
)
def test_a_refusal_is_told_in_the_customers_words(
    refusal: Refusal, figure: tuple[str, str], en: str, zh: str, kept: bool
) -> None:
    """rules.md 4, 31: text and figures, in both languages, also when it is told once more."""
    if kept:
        refusal = RefusedBefore(from_json(keep_refusal(refusal)))
    told = for_customers(refusal.as_failure())
    assert (told["message"], told["message_zh"]) == (en, zh)
    assert told[figure[0]] == figure[1]
    assert told["code"] == refusal.code
