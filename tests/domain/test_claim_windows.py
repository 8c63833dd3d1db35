"""The carrier's time for claims, as its cases tell it, follows what is known of the parcel (D2)."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from application import claiming, disputing, shipping
from application.gathering import Gathered
from application.streams import DISPUTE, PARCEL
from application.unit import Unit
from domain.dispute_facts import ClaimWindowMoved, Side
from domain.house_rules import FilingWindow
from domain.order_facts import Fault
from domain.scans import Scan, classify
from tests.domain.test_deciding import CASE, DAY, Desk
from tests.domain.test_joining import RULES

CARRIERS = replace(
    RULES,
    filing_windows=(
        FilingWindow("yuantong", 5 * DAY, 30 * DAY),
        FilingWindow("*", 9 * DAY, 40 * DAY),
    ),
)
UNDER_WAY, SIGNED = "快件已发往杭州", "已签收,签收人:门卫"


class Told(Desk):
    """Two mugs that are with a carrier, and a learner who says that they never came."""

    def __init__(self, *, disputed: bool = True) -> None:
        super().__init__()
        self.place("N2", ("mug", 1))
        self.box = self.packed("N2")
        self.do(partial(shipping.hand_over, parcel=self.box, rules=CARRIERS))
        self.handed_over_at = self.now
        if disputed:
            self.dispute()

    def dispute(self) -> None:
        """Nothing came."""
        said = {"number": "N2", "parcel": None, "by": Side.LEARNER, "words": None}
        opened = partial(disputing.open_dispute, reason=Fault.NOT_RECEIVED, gathered=Gathered())
        self.do(partial(opened, rules=CARRIERS, **said))

    def tell(self, text: str, *, days: int = 0, carrier: str = "yuantong") -> None:
        """A push of one scan, under a carrier: another one than before corrects it."""
        box = self.log.state(PARCEL, self.box)
        at = self.handed_over_at + days * DAY + timedelta(hours=1)
        self.now = max(self.now, at)
        scan = Scan(
            number=box.waybill or "", time=at, text=text, carrier=carrier, kind=classify(text)
        )
        self.do(
            partial(
                shipping.record_scans, parcel=self.box, scans=[scan], source="kuaidi100.push",
                raw=b"{}", corrected_to=None if carrier == box.carrier else carrier,
                corrected_from=box.carrier, rules=CARRIERS,
            )
        )  # fmt: skip

    def window(self) -> datetime | None:
        """When the case says that the time ends."""
        return self.log.state(DISPUTE, "D-N2-P1").file_claim_by

    def known(self) -> datetime | None:
        """When it ends by what is known of the parcel."""
        return claiming.filing_until(self.log.state(PARCEL, self.box), rules=CARRIERS)

    def moves(self) -> int:
        """How often the case was told of another moment."""
        facts = self.log.facts(DISPUTE, "D-N2-P1")
        return sum(isinstance(one, ClaimWindowMoved) for one in facts)


def test_it_runs_from_the_receipt_and_by_the_carrier_that_are_known_later() -> None:
    """D2: each said once; another carrier's window, and no receipt that fell with the first one."""
    desk = Told()
    assert desk.window() == desk.handed_over_at + 30 * DAY
    desk.tell(UNDER_WAY, days=1)
    assert desk.moves() == 0
    for _ in range(2):
        desk.tell(SIGNED, days=2)
        assert desk.window() == desk.handed_over_at + 7 * DAY + timedelta(hours=1)
        assert desk.moves() == 1
    desk.tell(UNDER_WAY, days=3, carrier="zhongtong")
    assert desk.window() == desk.handed_over_at + 40 * DAY
    desk.tell(SIGNED, days=4, carrier="zhongtong")
    assert desk.window() == desk.handed_over_at + 13 * DAY + timedelta(hours=1)
    assert desk.moves() == 3
    desk.balanced()


def test_settings_alone_move_no_window_that_was_told() -> None:
    """D2: a deadline is a fact by the figures of its moment, whatever is set since."""
    desk = Told()
    before = desk.window()
    desk.tell(UNDER_WAY, days=1)
    other = replace(CARRIERS, filing_windows=(FilingWindow("*", DAY, DAY),))
    box = desk.log.state(PARCEL, desk.box)

    def follow(unit: Unit) -> dict[str, Any]:
        claiming.follow_window(unit, desk.box, box, rules=other)
        return {}

    desk.do(follow)
    assert (desk.window(), desk.moves()) == (before, 0)


def test_other_parcels_have_no_case_to_tell() -> None:
    """D1: nothing is recorded where nobody complained; another parcel's case stays as it is."""
    desk = Told(disputed=False)
    desk.open()  # of N1's parcel
    before = desk.log.state(DISPUTE, CASE).file_claim_by
    desk.tell(SIGNED, days=1)
    assert desk.log.facts(DISPUTE, "D-N2-P1") == []
    assert desk.log.state(DISPUTE, CASE).file_claim_by == before


TELLINGS = st.lists(
    st.tuples(
        st.sampled_from([UNDER_WAY, SIGNED]),
        st.integers(0, 6),
        st.sampled_from(["yuantong", "zhongtong"]),
    ),
    max_size=5,
)


def _follows(tellings: list[tuple[str, int, str]], asked_after: int) -> None:
    desk = Told(disputed=False)
    for nth, (text, days, carrier) in enumerate(tellings):
        if nth == asked_after:
            desk.dispute()
        desk.tell(text, days=days, carrier=carrier)
    if asked_after < len(tellings):
        assert desk.window() == desk.known()
    desk.balanced()


@settings(max_examples=60, deadline=None)
@forall(tellings=TELLINGS, asked_after=st.integers(0, 4))
def test_a_case_says_what_is_known_whenever_and_in_whatever_order_it_is_told(
    tellings: list[tuple[str, int, str]], asked_after: int
) -> None:
    """D2, T2: scans, repetitions and corrections, before and after the case was opened."""
    _follows(tellings, asked_after)


def test_it_stays_behind_when_nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """D2: the control: a case as it was opened tells of a time that is not the carrier's."""
    monkeypatch.setattr(shipping, "follow_window", lambda *_, **__: None)
    with pytest.raises(AssertionError):
        _follows([(UNDER_WAY, 0, "yuantong"), (SIGNED, 1, "yuantong")], 0)
