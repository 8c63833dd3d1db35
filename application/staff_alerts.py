"""员工提醒 What staff are told of what is stuck: once, when it grows old, and when it is over (N1).

Nothing here does I/O or looks at a clock. What is told is kinds, numbers and ages: no words that
anybody typed, nobody's name, nobody's id.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from application.alert_words import KINDS, Language, kind_words, line_of, phrase
from application.gateways.wecom import MARKDOWN_MAX_BYTES
from application.troubles import Trouble, Troubles

UNTOLD = frozenset({"robot_refused"})
"""What the robot could hardly tell: it is on the page alone."""

_SUBJECTS = ("case", "parcel", "order")
"""By whose name a line leads to an order, the narrowest first."""

FLEETING = frozenset({"missed_target"})
"""What may be over before anybody reads of it: views catch up after a start or a burst."""


class Told(NamedTuple):
    """A trouble that staff know of."""

    key: str
    kind: str
    about: Mapping[str, Any]
    since: datetime | None
    told_at: datetime


class News(NamedTuple):
    """What there is to tell."""

    fresh: Sequence[Trouble]
    older: Sequence[Trouble]
    """Told long ago, and still there."""
    solved: Sequence[Told]

    def __bool__(self) -> bool:
        return bool(self.fresh or self.older or self.solved)


def news_of(
    found: Troubles, told: Iterable[Told], *, now: datetime, remind_after: timedelta | None
) -> News:
    """What staff don't know yet; without `remind_after` they are told of nothing twice.

    A trouble of a kind of which not all are listed is never taken for solved.
    """
    stuck = {one.key: one for one in found.listed if one.kind not in UNTOLD}
    known = {one.key: one for one in told}

    def old(one: Told) -> bool:
        return remind_after is not None and one.told_at + remind_after <= now

    return News(
        [one for key, one in stuck.items() if key not in known],
        [one for key, one in stuck.items() if key in known and old(known[key])],
        [one for key, one in known.items() if key not in stuck and one.kind not in found.crowded],
    )


class _Item(NamedTuple):
    section: Literal["fresh", "older", "solved"]
    kind: str
    words: str


def composed(news: News, language: Language, *, mall: str, page: str, now: datetime) -> str:
    """The message: by section and kind, cut at a whole line where the robot would take no more."""
    items = list(_items(news, language, page=page.partition("#")[0], now=now))

    def text(kept: int) -> str:
        left = len(items) - kept
        more = [phrase("more", language, n=left)] if left else []
        top, link = phrase("top", language, mall=mall), phrase("link", language, page=page)
        return "\n".join([top, *_lines(items[:kept], language, news), *more, link])

    if _fits(text(len(items))):
        return text(len(items))
    kept = bisect_left(range(len(items)), True, key=lambda count: not _fits(text(count)))
    return text(max(0, kept - 1))


def _fits(text: str) -> bool:
    return len(text.encode()) <= MARKDOWN_MAX_BYTES


def _items(news: News, language: Language, *, page: str, now: datetime) -> Iterable[_Item]:
    for one in sorted(news.fresh, key=_place):
        yield _Item("fresh", one.kind, _linked(_aged(one, language, now=now), one, page))
    for one in sorted(news.older, key=_place):
        yield _Item("older", one.kind, _linked(_aged(one, language, now=now), one, page))
    for over in sorted(news.solved, key=_place):
        yield _Item("solved", over.kind, line_of(over.kind, over.about, language))


def _place(one: Trouble | Told) -> tuple[int, bool, datetime | None]:
    return [*KINDS].index(one.kind), one.since is None, one.since


def _aged(one: Trouble, language: Language, *, now: datetime) -> str:
    words = line_of(one.kind, one.about, language)
    if one.since is None or one.since > now:
        return words
    return f"{words} · {_age(now - one.since, language)}"


def _linked(words: str, one: Trouble, page: str) -> str:
    """The line with its subject leading to the order's desk; what has no order leads nowhere."""
    order = one.about.get("order")
    if order is None:
        return words
    subject = next(str(one.about[name]) for name in _SUBJECTS if name in one.about)
    return words.replace(subject, f"[{subject}]({page}#/packing/{order})", 1)


def _age(age: timedelta, language: Language) -> str:
    minutes = age // timedelta(minutes=1)
    unit, n = "minutes", minutes
    if minutes >= 2 * 60:
        unit, n = "hours", minutes // 60
    if minutes >= 2 * 1_440:
        unit, n = "days", minutes // 1_440
    return phrase(unit, language, n=n)


def _lines(items: Sequence[_Item], language: Language, news: News) -> Iterable[str]:
    """Headings where a section and a kind begin, each with how many there are in all."""
    section = kind = ""
    for item in items:
        of_section: Sequence[Trouble | Told] = getattr(news, item.section)
        if item.section != section:
            section, kind = item.section, ""
            yield phrase(section, language, n=len(of_section))
        if item.kind != kind:
            kind = item.kind
            n = sum(one.kind == kind for one in of_section)
            yield f"**{kind_words(kind, language)}** ({n})"
        yield f"> {item.words}"
