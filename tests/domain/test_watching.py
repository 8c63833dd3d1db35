"""Watches that a partner ends: asked for again, or over (T1; wire 1.5, 1.6)."""

from datetime import timedelta
from typing import Any

import pytest

from domain.parcel_facts import TrackingSubscribed, WatchEnded
from domain.watching import ended, subscribed
from tests.domain.test_parcels import NOON, SENT, parcel, scan, told

WATCHED = TrackingSubscribed(partner="kuaidi100", carrier="yuantong", waybill="YT1")


def test_a_watch_that_was_given_up_may_be_asked_for_again_after_half_an_hour() -> None:
    """T1, wire 1.5, 1.6"""
    word: dict[str, Any] = {"partner": "kuaidi100", "words": "3天查询无记录", "at": NOON}
    before = parcel(*SENT, WATCHED)
    (fact,) = ended(before, gave_up=True, waybill=None, **word)
    again = NOON + timedelta(minutes=30)
    assert fact == WatchEnded(
        partner="kuaidi100", why="abort", words="3天查询无记录", watch_again_at=again
    )
    after = parcel(*SENT, WATCHED, fact)
    assert (after.unwatched, after.watch_again_at) == (True, again)
    assert ended(after, gave_up=True, waybill=None, **word) == []
    assert ended(before, gave_up=True, waybill="YT2", **word) == []
    anew = parcel(*SENT, WATCHED, fact, *subscribed(after, partner="kuaidi100", waybill="YT1"))
    assert (anew.unwatched, anew.watch_again_at) == (False, None)


@pytest.mark.parametrize(
    ("gave_up", "text"), [(False, "派件中"), (True, "已签收"), (False, "已签收")]
)
def test_a_watch_that_is_over_is_not_asked_for_again(gave_up: bool, text: str) -> None:
    """T1, wire 1.6: shutdown, or an abort of a parcel that arrived ("60天无变化")."""
    facts = [*SENT, WATCHED, *told(parcel(*SENT), scan(1, text))]
    facts += ended(
        parcel(*facts),
        partner="kuaidi100",
        gave_up=gave_up,
        words="60天无变化",
        at=NOON,
        waybill="YT1",
    )
    after = parcel(*facts)
    assert (after.watched, after.watch_over, after.unwatched) == (False, True, False)
