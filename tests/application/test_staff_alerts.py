"""What staff are told of what is stuck, and in how many bytes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import pages
from application.alert_words import KINDS, LINES, POLICIES, Language, line_of
from application.gateways.wecom import MARKDOWN_MAX_BYTES
from application.policies import ALL
from application.screening import POLICY as SCREENING
from application.staff_alerts import News, Told, composed, news_of
from application.troubles import IDENTITY, LISTED_MAX, Trouble, Troubles

LINK = "[](http://m/operations#/packing/T1)"
NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def late(parcel: str, *, hours: float = 3) -> Trouble:
    """A parcel that is late in its warehouse."""
    about = {"parcel": parcel, "order": "T1", "warehouse": "henan", "stage": "planned"}
    return Trouble("late_parcel", "", None, NOW - timedelta(hours=hours), about)


def away(partner: str, failed: int = 5) -> Trouble:
    """A partner that does not answer."""
    about = {"partner": partner, "failed": failed}
    return Trouble("partner_away", "", None, NOW - 3 * DAY, about)


def known(one: Trouble, *, ago: timedelta) -> Told:
    """As staff know of it."""
    return Told(one.key, one.kind, one.about, one.since, NOW - ago)


def text(news: News, language: Language = "zh") -> str:
    """The message, from a mall whose page has a short address."""
    return composed(news, language, mall="mall", page="http://m/operations#/waiting", now=NOW)


def test_a_trouble_is_told_once_then_when_it_is_old_then_when_it_is_over() -> None:
    """N1: new; nothing; a reminder after a day; solved."""
    one = late("T1-P1")
    found = Troubles([one])

    def news(*told: Told, of: Troubles = found, after: timedelta | None = DAY) -> News:
        return news_of(of, told, now=NOW, remind_after=after)

    assert news() == News([one], [], [])
    assert not news(known(one, ago=DAY - timedelta(seconds=1)))
    assert news(known(one, ago=DAY)) == News([], [one], [])
    assert not news(known(one, ago=9 * DAY), after=None)
    assert news(known(one, ago=DAY), of=Troubles([])).solved == [known(one, ago=DAY)]


def test_it_stays_the_same_trouble_when_its_figures_change() -> None:
    """N1: a partner that failed seven times is the one that failed five times."""
    assert not news_of(
        Troubles([away("sf", failed=7)]),
        [known(away("sf"), ago=timedelta())],
        now=NOW,
        remind_after=DAY,
    )


def test_nothing_is_taken_for_solved_when_not_all_of_its_kind_are_listed() -> None:
    """N1: the two hundredth hides the next one; another kind's absence still counts."""
    crowd = Troubles([late(f"T{n}-P1") for n in range(LISTED_MAX)])
    told = [known(late("T999-P1"), ago=DAY / 2), known(away("sf"), ago=DAY / 2)]
    news = news_of(crowd, told, now=NOW, remind_after=DAY)
    assert [one.kind for one in news.solved] == ["partner_away"]
    fewer = Troubles(crowd.listed[1:])
    assert len(news_of(fewer, told, now=NOW, remind_after=DAY).solved) == 2


def test_the_robots_own_refusal_is_not_told_by_it() -> None:
    """N1: it stands on the page."""
    refused = Trouble("robot_refused", "", "93000", NOW, {})
    assert not news_of(Troubles([refused]), [], now=NOW, remind_after=DAY)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_message_is_grouped_by_what_is_new_old_and_over(language: Language) -> None:
    """N1, N3: counted headings, ages, both languages, whatever the order of finding."""
    news = News(
        [late("T2-P1"), away("sf"), late("T1-P1", hours=50)],
        [late("T3-P1", hours=1)],
        [known(away("jd"), ago=DAY)],
    )
    wanted = {
        "zh": [
            "### 积分商城 mall",
            '<font color="warning">新问题 3 项</font>',
            "**合作方无应答** (1)",
            "> 顺丰 · 3 天",
            "**超时未出库** (2)",
            "> [T1-P1](http://m/operations#/packing/T1) · henan · 2 天",
            "> [T2-P1](http://m/operations#/packing/T1) · henan · 3 小时",
            '<font color="comment">仍未解决 1 项</font>',
            "**超时未出库** (1)",
            "> [T3-P1](http://m/operations#/packing/T1) · henan · 60 分钟",
            '<font color="info">已解决 1 项</font>',
            "**合作方无应答** (1)",
            "> jd",
            "[打开待处理](http://m/operations#/waiting)",
        ],
        "en": [
            "### Points mall mall",
            '<font color="warning">New: 3</font>',
            "**Partners that do not answer** (1)",
            "> SF Express · 3 d",
            "**Late in their warehouse** (2)",
            "> [T1-P1](http://m/operations#/packing/T1) · henan · 2 d",
            "> [T2-P1](http://m/operations#/packing/T1) · henan · 3 h",
            '<font color="comment">Still there: 1</font>',
            "**Late in their warehouse** (1)",
            "> [T3-P1](http://m/operations#/packing/T1) · henan · 60 min",
            '<font color="info">Solved: 1</font>',
            "**Partners that do not answer** (1)",
            "> jd",
            "[Open what waits](http://m/operations#/waiting)",
        ],
    }
    assert text(news, language).splitlines() == wanted[language]


@given(
    st.lists(st.text("包裹0123456789TP-", min_size=1, max_size=60), max_size=400, unique=True),
    st.sampled_from(["zh", "en"]),
)
def test_a_message_fits_and_counts_what_it_leaves_out(names: list[str], language: Language) -> None:
    """N1: at most 4,096 bytes of UTF-8, cut at whole lines, "and N more", the link kept."""
    told = text(News([late(name) for name in names], [], []), language)
    assert len(told.encode()) <= MARKDOWN_MAX_BYTES
    lines = told.splitlines()
    shown = [line for line in lines if line.startswith("> ")]
    assert lines[-1].endswith("(http://m/operations#/waiting)")
    whole = {line_of("late_parcel", late(name).about, language) for name in names}
    plain = {re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line) for line in shown}
    assert {line[2:].rpartition(" · ")[0] for line in plain} <= whole
    left = len(names) - len(shown)
    more = {"zh": f"另有 {left} 项", "en": f"and {left} more"}[language]
    assert (more in lines) == bool(left)
    if left:  # one more line would not have fitted
        longest = max(len(line.encode()) for line in whole)
        assert len(told.encode()) + longest + 40 + len(LINK) > MARKDOWN_MAX_BYTES


def test_every_kind_that_a_page_knows_can_be_told() -> None:
    """N1: its words and what makes it the same trouble; a new kind has to come here, too."""
    words = {name for name in pages.WORDS["zh"] if name.startswith("trouble_kind.")}
    shown = {name.partition(".")[2] for name in words} | {"approval"}
    assert shown == set(IDENTITY) == set(KINDS) == set(LINES)


def test_a_late_policy_is_told_by_what_it_does() -> None:
    """N1, M5: every policy there is has a name in both languages, and no other one has."""
    assert set(POLICIES) == {one.name for one in ALL} | {SCREENING}
    late = {"policy": "send_what_waited", "waiting": 3}
    assert line_of("late_policy", late, "zh") == "到货补发 · 3 件等待"
    assert line_of("late_policy", late, "en") == "sending what waited for stock · 3 waiting"
    for name in POLICIES:
        zh, en = (line_of("late_policy", {**late, "policy": name}, one) for one in ("zh", "en"))
        assert name not in zh + en
        assert zh != en


def test_no_line_says_whom_it_is_about() -> None:
    """N1, A4: learners' ids and what was typed stay where they may be seen."""
    row = {"place": "balances, learner=lin", "stream": "account:lin"}
    assert line_of("drift", row, "en") == "balances"
    for words in LINES.values():
        for secret in ("learner", "stream", "url", "reason", "cause", "waybill", "what"):
            assert f"{{{secret}}}" not in words.zh + words.en


def test_a_warehouse_is_named_as_people_call_it_when_its_name_is_known() -> None:
    """N1: in the reader's language; what was told before names were kept shows its code."""
    about = {"parcel": "T1-P1", "warehouse": "wh-7", "warehouse_name": "成都仓 Chengdu"}
    assert line_of("late_parcel", about, "zh") == "T1-P1 · 成都仓"
    assert line_of("late_parcel", about, "en") == "T1-P1 · Chengdu"
    one = {**about, "warehouse_name": "成都仓"}
    assert line_of("late_parcel", one, "en") == "T1-P1 · 成都仓"
    del one["warehouse_name"]
    assert line_of("late_parcel", one, "en") == "T1-P1 · wh-7"


def test_a_line_leads_to_the_order_it_is_about_until_it_is_solved() -> None:
    """N1: from a phone straight to the desk; what is over, or of no order, needs no way there."""
    refund = {"order": "T9", "refund": "r1", "amount_fen": 1_950}
    stuck = Trouble("cash_refund", "", None, NOW - DAY, refund)
    fresh = text(News([late("T1-P1"), stuck, away("sf")], [], []), "en")
    assert "> [T1-P1](http://m/operations#/packing/T1) · henan · 3 h\n" in fresh
    assert "> order [T9](http://m/operations#/packing/T9) · ¥19.50 · 24 h\n" in fresh
    assert "> SF Express · 3 d\n" in fresh
    over = text(News([], [], [known(late("T1-P1"), ago=DAY)]), "en")
    assert "> T1-P1 · henan\n" in over
