"""Chinese words have the punctuation of Chinese: full-width beside a character (N3, M4)."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.pages import WORDS
from domain.refusals import Refusal

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "application", "domain", "projections")
OTHERS_WORDS = {
    "api/bodies_of_cases.py", "api/declaration_sheets.py", "api/sandbox/kuaidi100.py",
    "api/sandbox/carriers.py", "api/sandbox/sf.py", "api/sandbox/third_party.py",
    "api/shown/to_support.py", "application/demo_mall.py", "application/masking.py",
    "domain/address_doubts.py", "domain/address_names.py", "domain/addresses.py",
    "domain/appointments.py", "domain/blotting.py", "domain/division_names.py",
    "domain/former_divisions.py", "domain/scans.py",
}  # fmt: skip
"""Files with what carriers, learners and addresses say as they say it, patterns of that, and papers
in both languages at once."""
HAN = "[\u3400-\u9fff]"
HALF = re.compile(rf"{HAN}[」”）}}]?[,:;?!]|[,:;?!] ?[「“（{{]?{HAN}")


def half_width(text: str) -> bool:
    """Whether a comma, colon, semicolon or mark beside a Chinese character is a Latin one."""
    return HALF.search(text) is not None


def written() -> Iterator[tuple[str, str]]:
    """Every text in the code that is told to somebody: (where, text)."""
    for path in (one for room in ROOMS for one in sorted((ROOT / room).rglob("*.py"))):
        name = str(path.relative_to(ROOT))
        if name in OTHERS_WORDS:
            continue
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.STRING and '"""' not in token.string:
                yield f"{name}:{token.start[0]}", token.string


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every refusal there is."""
    for one in kind.__subclasses__():
        yield one
        yield from refusals(one)


def test_no_message_in_chinese_has_latin_punctuation() -> None:
    """N3, M4: texts in the code, those of refusals, and the pages' words."""
    told = list(written())
    assert len(told) > 1_000
    assert [(place, text) for place, text in told if half_width(text)] == []
    assert [key for key, words in WORDS["zh"].items() if half_width(str(words))] == []


def test_refusals_join_their_figures_with_chinese_punctuation() -> None:
    """M4: also where no character stands beside it: {field}：{reason}."""
    found = {one.__name__: one.zh for one in refusals() if "zh" in vars(one)}
    assert len(found) > 50
    assert [text for text in found.values() if re.search(r"}[,:;] ?{", text)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("无法取消:订单已签收", True),
        ("需要 {needed} 积分,可用 {available} 积分", True),
        ("应为日期，例如 2026-01-31T08:00:00+08:00", False),
        ("source:{source} 是系统所用的来源，不能用于发放", False),
        ("a comma, and no Chinese", False),
    ],
)
def test_latin_punctuation_is_noticed_beside_a_character(text: str, wrong: bool) -> None:
    """N3 CONTROL: what the guard catches, and what it lets pass."""
    assert half_width(text) is wrong
