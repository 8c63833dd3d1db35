"""Words of cases and notes as staff see them (A4, D1)."""

import pytest

from application.case_words import without_names
from application.recipients import Recipient

LI_LEI = Recipient.cleaned(
    name="李雷雷",
    phone="13800138000",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    address="文三路 1 号 2 单元 301 室",
)


@pytest.mark.parametrize(
    "text",
    [
        "We refunded 520 points the way it was paid; you keep the goods.",
        "Asked at 10:30, nobody came. Why? (No answer)",
        "说好是 A5, 来的是 A4",
    ],
)
def test_words_keep_the_blanks_they_were_written_with(text: str) -> None:
    assert without_names(text, LI_LEI) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Called 李雷雷, at home.", "李雷雷"),
        ("Called 李 雷雷, at home.", "李 雷雷"),
        ("Called 李\u200b雷雷, at home.", "雷雷"),
        ("His phone: 13800138000, he said.", "13800138000"),
        ("His phone: 138 0013 8000, he said.", "138 0013 8000"),
        ("Went to 文三路1号2单元301室, nobody there.", "301"),
        ("Went to 文三路 1 号 2 单元 301 室, nobody there.", "301"),
    ],
)
def test_blanks_give_nobody_away(text: str, hidden: str) -> None:
    """However it was spelled: what the text without blanks hides is hidden."""
    assert hidden not in without_names(text, LI_LEI)
