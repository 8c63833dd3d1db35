"""Every reason that the code gives has its Chinese (M4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core import from_json

from application.importing import SOURCE
from application.outcomes import RefusedBefore, keep_refusal
from domain.order_facts import State, customer_status
from domain.reason_names import ACTIONS, THINGS
from domain.reasons import customers_words, reason_zh
from domain.refusals import InvalidRequest, NotPossible, Refusal, for_customers

ROOT = Path(__file__).parents[2]
SOURCES = [
    source
    for room in ("domain", "application", "projections", "api")
    for source in sorted((ROOT / room).rglob("*.py"))
]
REFUSALS = {"why": "NotPossible", "reason": "InvalidRequest", "what": "NotFound"}


def texts(value: ast.expr) -> Iterator[str]:
    """A text as it is given, an `x` where something is filled in."""
    match value:
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


def calls(sources: list[Path]) -> Iterator[tuple[str, ast.Call]]:
    """Everything that is called by its name."""
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, node


def figures(name: str) -> Iterator[str]:
    """Texts given as this figure of a refusal."""
    for called, call in calls(SOURCES):
        for keyword in call.keywords:
            if keyword.arg == name and REFUSALS.get(name, called) == called:
                yield from texts(keyword.value)


def test_why_a_file_cannot_be_read_is_said_in_chinese() -> None:
    """M4, W6: nothing of it in English, but for what stands in the file."""
    readers = ("sheet_reader", "spreadsheets", "importing", "bill_files", "rate_files")
    files = [ROOT / "application" / f"{name}.py" for name in readers]
    given = [
        text
        for called, call in calls(files)
        if called == "Unreadable" and len(call.args) == 2
        for text in texts(call.args[1])
    ]
    assert len(given) > 20
    assert [text for text in given if reason_zh(text) == text] == []


def whys(files: list[Path]) -> Iterator[str]:
    """Why a row is no line: given at once, or called `why` first."""
    for called, call in calls(files):
        if called == "UnusableCell":
            yield from texts(call.args[2])
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        match node:
            case ast.Assign(targets=[ast.Name(id="why")], value=ast.Tuple(elts=[_, value])):
                yield from texts(value)
            case ast.Assign(targets=[ast.Name(id="why")], value=value):
                yield from texts(value)
            case _:
                pass


def test_why_a_row_is_refused_is_said_in_chinese() -> None:
    """M4: in the report of a command and on the page of a file."""
    files = [
        ROOT / "application" / f"{name}.py" for name in ("importing", "bill_files", "rate_files")
    ]
    # Of several parts: as they come out; but for what pydantic says of a whole card.
    composed = {"x: x", "x has to be x", "x has to be x and x"}
    given = set(whys(files)) - composed | {
        "learner has to be letters, digits and ._@+/=-",
        f"source has to be {SOURCE}",
        "hours has to be whole and at least 1",
        "percent_off has to be whole and 1 to 99",
        "first_yuan has to be exact to 0.01 and at least 0",
        "max_kg has to be exact to 0.001 and 1 to 70",
    }
    assert len(given) > 30
    assert [text for text in sorted(given) if reason_zh(text) == text] == []


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
