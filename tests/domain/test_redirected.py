"""Whose parcel it is once its carrier takes it to another recipient (O8, T1, D1)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import intercepting, shipping
from application.issuing import NotYet
from application.streams import INTERCEPT, ORDER, PARCEL
from domain.destinations import Destination
from domain.intercept_facts import InterceptAsked, Way
from domain.intercepts import forwards
from domain.parcel_facts import ParcelRedirected
from tests.domain.test_joining import RULES, Mall

BOX, INSTEAD = "N1-P1", "f" * 32


class Moved(Mall):
    """Two mugs under way whose learner wants them taken to somebody else, or back."""

    def __init__(self, way: Way = Way.REDIRECT) -> None:
        super().__init__()
        self.item("mug", "a")
        self.place("N1", ("mug", 2))
        self.packed("N1")
        self.do(partial(shipping.hand_over, parcel=BOX, rules=RULES))
        place = self.log.state(ORDER, "N1").destination
        assert place is not None
        self.first = place.card
        self.ask(place.model_copy(update={"card": INSTEAD}), way, nth=1)

    def ask(self, to: Destination, way: Way = Way.REDIRECT, *, nth: int) -> None:
        to_other = way is Way.REDIRECT
        asked = InterceptAsked(
            intercept=f"{BOX}-X{nth}",
            orders=("N1",),
            carrier="yuantong",
            waybill=BOX,
            way=way,
            destination=to if to_other else None,
            reason="moved",
            answer_by=self.now + timedelta(hours=4),
            forwarded=forwards(self.log.state(PARCEL, BOX).track()) if to_other else None,
        )
        self.log.seed(INTERCEPT, BOX, asked, now=self.now)

    def look(self) -> dict[str, Any]:
        return self.do(partial(intercepting.note_track, parcel=BOX))

    def redirects(self) -> list[ParcelRedirected]:
        return [one for one in self.log.facts(PARCEL, BOX) if isinstance(one, ParcelRedirected)]


def test_it_is_the_new_recipients_from_when_its_track_says_so() -> None:
    """O8, T1, D1: once, though it is noted twice; what was before is the old one's."""
    mall = Moved()
    mall.scans(BOX, "快件已发往杭州", "快件已转寄")
    assert mall.look()["state"] == "done"
    mall.look()
    (told,) = mall.redirects()
    assert told == ParcelRedirected(card=INSTEAD, redirected_at=mall.now + timedelta(minutes=1))
    box = mall.log.state(PARCEL, BOX)
    assert (box.card, box.recipient) == (mall.first, INSTEAD)
    at = told.redirected_at
    assert box.recipient_at(at - timedelta(seconds=1)) == mall.first
    assert box.recipient_at(at) == INSTEAD


def test_it_stays_the_old_ones_while_nothing_says_so_or_when_it_comes_back() -> None:
    """CONTROL: asked is not done; turned round, or called back and forwarded, it is not theirs."""
    mall = Moved()
    with pytest.raises(NotYet):
        mall.look()
    mall.scans(BOX, "快件已退回")
    assert mall.look()["state"] == "done"
    back = Moved(Way.RETURN)
    back.scans(BOX, "快件已转寄")
    with pytest.raises(NotYet):
        back.look()
    for one in (mall, back):
        assert one.redirects() == []
        assert one.log.state(PARCEL, BOX).recipient == one.first


def test_the_newest_of_several_is_whose_it_is_now() -> None:
    """O8: sent on once more; each scan has the recipient of its own time."""
    mall = Moved()
    mall.scans(BOX, "快件已转寄")
    mall.look()
    first = mall.now
    place = mall.log.state(ORDER, "N1").destination
    assert place is not None
    mall.now += timedelta(hours=3)
    mall.ask(place.model_copy(update={"card": "e" * 32}), nth=2)
    mall.scans(BOX, "快件已到达杭州", "快件已转寄")
    mall.look()
    box = mall.log.state(PARCEL, BOX)
    assert box.recipient == "e" * 32
    assert box.recipient_at(first + timedelta(hours=1)) == INSTEAD


@pytest.mark.parametrize("looks", [(1, 2, 3), (3,), (1, 3), (2, 3)])
def test_a_request_ends_by_its_scans_however_often_somebody_looks(looks: tuple[int, ...]) -> None:
    """O8, R35: sent on and signed for between two looks is no failure, and says whose it was."""
    mall = Moved()
    words = ("快件已转寄", "快件已到达杭州", "已签收，签收人：本人")
    for nth, text in enumerate(words, 1):
        mall.now += timedelta(hours=1)
        mall.scans(BOX, text)
        if nth in looks:
            mall.look()
    assert mall.log.state(INTERCEPT, BOX).state == "done"
    (told,) = mall.redirects()
    assert (told.card, told.redirected_at) == (INSTEAD, mall.now - timedelta(hours=2))


@pytest.mark.parametrize("looks", [(1, 2), (2,)])
def test_what_turned_round_and_was_delivered_all_the_same_was_not_stopped(
    looks: tuple[int, ...],
) -> None:
    """O8: called back, or to be sent elsewhere; whether somebody looked in between or not."""
    for way in Way:
        mall = Moved(way)
        for nth, text in enumerate(("快件退回中", "已签收，签收人：本人"), 1):
            mall.now += timedelta(hours=1)
            mall.scans(BOX, text)
            if nth in looks:
                mall.look()
        assert mall.log.state(INTERCEPT, BOX).state == "failed"


def test_what_went_on_before_is_none_of_the_next_request() -> None:
    """O8 CONTROL: asked once more, it has to go on once more."""
    mall = Moved()
    mall.scans(BOX, "快件已转寄", "快件已到达杭州")
    mall.look()
    place = mall.log.state(ORDER, "N1").destination
    assert place is not None
    mall.now += timedelta(hours=3)
    mall.ask(place.model_copy(update={"card": "e" * 32}), nth=2)
    mall.scans(BOX, "已签收，签收人：本人")
    assert mall.look()["state"] == "failed"
    assert [one.card for one in mall.redirects()] == [INSTEAD]
