"""What sending costs: shares that add up, and storage first in, first out (W6)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.costs import (
    MONTH,
    Lay,
    PartSent,
    lay_times,
    shared,
    storage_by_part,
    storage_fen,
    together,
)
from domain.stock import (
    StockAdjusted,
    StockFact,
    StockPicked,
    StockPutBack,
    StockReceived,
    StockReserved,
    StockScrapped,
)

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def day(n: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=n)


def sent(order: str, part: int, **more: object) -> PartSent:
    """A part that cost 500 fen to send and was worth 10,000."""
    plain = PartSent(
        order, part, f"{order}-P{part}", "zhejiang", "jd", "app", 10_000, 300, 100, 80, 10, 4,
        6, "quoted", "jd", 300,
    )  # fmt: skip
    return plain._replace(**more)  # type: ignore[arg-type]


@given(st.integers(0, 10**7), st.lists(st.integers(0, 5_000), min_size=1, max_size=6))
def test_shares_add_up_to_the_fen_whatever_they_weigh(fen: int, weights: list[int]) -> None:
    """W6: nothing of a parcel's bill is lost between its parts."""
    shares = shared(fen, weights)
    assert sum(shares) == fen
    for share, weight in zip(shares, weights, strict=True):
        if sum(weights):
            assert abs(share - fen * weight / sum(weights)) < 1


def test_the_oldest_units_leave_first_when_some_are_picked() -> None:
    """W6: two came on day 0, two on day 10; three picked on day 30 lay 30 + 30 + 20 days."""
    facts: list[tuple[datetime, StockFact]] = [
        (day(0), StockReceived(quantity=2, reference="a")),
        (day(10), StockReceived(quantity=2, reference="b")),
        (day(20), StockReserved(order="T1", part=1, quantity=3)),
        (day(30), StockPicked(order="T1", part=1, quantity=3)),
        (day(40), StockPicked(order="T2", part=1, quantity=1)),
    ]
    assert lay_times(facts) == [
        Lay("T1", 1, day(30), timedelta(days=80)),
        Lay("T2", 1, day(40), timedelta(days=30)),
    ]


def test_units_that_went_otherwise_lie_no_longer_and_come_back_as_new() -> None:
    """W6: scrapped, counted away, put back; what nobody knows to have come lay no time."""
    facts: list[tuple[datetime, StockFact]] = [
        (day(0), StockReceived(quantity=3, reference="a")),
        (day(1), StockScrapped(quantity=1, reason="wet")),
        (day(2), StockAdjusted(difference=-1, counted=1, source="own", reason="gone")),
        (day(3), StockPicked(order="T1", part=1, quantity=1)),
        (day(5), StockPutBack(order="T1", part=1, quantity=1)),
        (day(9), StockPicked(order="T2", part=1, quantity=2)),
    ]
    assert [lay.time.days for lay in lay_times(facts)] == [3, 4]


def test_storage_costs_the_price_of_a_month_for_thirty_days() -> None:
    """W6: at the terms that held when the units were picked."""
    assert storage_fen(MONTH, 20) == 20
    assert storage_fen(timedelta(days=80), 20) == 53
    lays = [Lay("T1", 1, day(30), MONTH), Lay("T1", 1, day(90), MONTH)]
    assert storage_by_part(lays, lambda at: 20 if at < day(60) else 50) == {("T1", 1): 70}


def test_parts_are_summed_up_by_what_they_have_in_common() -> None:
    """W6: dearest first, against what the goods are worth."""
    went_otherwise = sent("T1", 2, carrier="sf", freight=900, freight_is="billed")
    parts = [sent("T1", 1), went_otherwise, sent("T2", 1)]
    by_carrier = together(parts, by="carrier")
    assert [(one.key, one.total, one.orders, one.billed) for one in by_carrier] == [
        ("sf", 1_100, 1, 1),
        ("jd", 1_000, 2, 0),
    ]
    assert [(one.rerouted, one.planned) for one in by_carrier] == [(1, 300), (0, 600)]
    (whole,) = together(parts, by=None)
    assert (whole.total, whole.value, whole.permille) == (2_100, 30_000, 70)
    assert together([], by=None) == []
    assert together([sent("T1", 1, value=0)], by="order")[0].permille is None
