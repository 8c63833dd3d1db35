"""Stock of one item in one warehouse: never oversold, never lost from the books (C3, L2)."""

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import STOCK
from domain.facts import Fact
from domain.stock import (
    OutOfStock,
    Stock,
    StockAdjusted,
    StockPicked,
    StockPutBack,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockScrapped,
    StockTransferredOut,
    stock_key,
)
from tests.in_memory import given


def received(quantity: int) -> StockReceived:
    return StockReceived(quantity=quantity, reference="D-1")


def reserved(quantity: int) -> StockReserved:
    return StockReserved(order="T1", part=1, quantity=quantity)


def test_units_are_promised_when_they_are_free() -> None:
    """L2: reserved units are no longer free."""
    stock = given(STOCK, received(5))
    assert stock.reserve(5, sku="mug", order="T1", part=1) == [reserved(5)]
    assert given(STOCK, received(5), reserved(5)) == Stock(free=0, reserved=5)


def test_a_reservation_is_refused_when_fewer_units_are_free() -> None:
    """L2: the figures say how many were wanted and how many there are."""
    stock = given(STOCK, received(5), reserved(3))
    with pytest.raises(OutOfStock) as refused:
        stock.reserve(3, sku="mug", order="T2", part=1)
    assert refused.value.code == "out_of_stock"
    assert refused.value.figures == {"sku": "mug", "wanted": 3, "free": 2}
    assert refused.value.message("zh") == "mug：需要 3 件，库存 2 件。"


@pytest.mark.parametrize(
    ("fact", "after"),
    [
        (StockReleased(order="T1", part=1, quantity=2, reason="x"), Stock(5, 4, 2)),
        (StockPicked(order="T1", part=1, quantity=2), Stock(3, 4, 4)),
        (StockPutBack(order="T1", part=1, quantity=2), Stock(5, 6, 0)),
        (StockReturned(order="T1", part=1, quantity=2), Stock(5, 6, 0)),
        (StockReceived(quantity=2, reference="x"), Stock(5, 6, 2)),
        (StockScrapped(quantity=2, reason="wet"), Stock(1, 6, 2)),
        (StockTransferredOut(quantity=2, to_warehouse="henan", transfer="x"), Stock(1, 6, 2)),
        (StockAdjusted(difference=-2, counted=1, source="own", reason="count"), Stock(1, 6, 2)),
    ],
    ids=lambda one: one.fact_name if isinstance(one, Fact) else "",
)
def test_units_are_where_the_fact_says_when_it_happened(fact: Fact, after: Stock) -> None:
    """C3: each fact moves units between free, reserved and picked, or in and out."""
    before = (received(11), reserved(8), StockPicked(order="T1", part=1, quantity=2))
    assert given(STOCK, *before) == Stock(3, 6, 2)
    assert given(STOCK, *before, fact) == after


def test_the_books_follow_when_a_count_differs() -> None:
    """C3: the difference is an adjustment with a reason; equal counts change nothing."""
    stock = given(STOCK, received(5), reserved(2))
    assert stock.count(3, source="own", reason="yearly") == []
    assert stock.count(1, source="jushuitan", reason="lost") == [
        StockAdjusted(difference=-2, counted=1, source="jushuitan", reason="lost")
    ]
    assert stock.count(7, source="own", reason="found")[0] == StockAdjusted(
        difference=4, counted=7, source="own", reason="found"
    )


def test_nothing_leaves_when_it_is_promised_to_somebody() -> None:
    """C3: only free units are scrapped or sent elsewhere."""
    stock = given(STOCK, received(5), reserved(4))
    assert stock.scrap(1, sku="mug", reason="broken") == [
        StockScrapped(quantity=1, reason="broken")
    ]
    assert stock.transfer_out(1, sku="mug", to_warehouse="henan", transfer="X1") == [
        StockTransferredOut(quantity=1, to_warehouse="henan", transfer="X1")
    ]
    with pytest.raises(OutOfStock):
        stock.scrap(2, sku="mug", reason="broken")
    with pytest.raises(OutOfStock):
        stock.transfer_out(2, sku="mug", to_warehouse="henan", transfer="X1")


def test_the_books_follow_when_units_left_that_nobody_wanted() -> None:
    """W2: free ones are gone; were others promised, the books say so, and stay in balance (C3)."""
    stock = given(STOCK, received(5), reserved(4))
    told = {"order": "T9", "part": 1, "source": "shaanxi", "reason": "x"}
    mine = StockReserved(order="T9", part=1, quantity=1)
    taken = StockPicked(order="T9", part=1, quantity=1)
    assert stock.take_unasked(1, **told) == [mine, taken]  # type: ignore[arg-type]
    facts = stock.take_unasked(3, **told)  # type: ignore[arg-type]
    assert facts[0] == StockAdjusted(difference=2, source="shaanxi", reason="x")
    assert given(STOCK, received(5), reserved(4), *facts) == Stock(reserved=4, picked=3)


def test_the_key_names_warehouse_and_item() -> None:
    """C3: one stream per item and warehouse."""
    assert STOCK.stream(stock_key("zhejiang", "mug")) == "stock:zhejiang:mug"


@forall(st.lists(st.tuples(st.sampled_from("rRlpbsx"), st.integers(1, 9)), max_size=40))
def test_the_books_balance_when_anything_happens(steps: list[tuple[str, int]]) -> None:
    """C3: received + adjusted = free + reserved + picked, and none of them below zero."""
    stock, came = Stock(), 0
    for kind, units in steps:
        facts: list[Fact] = []
        if kind == "r":
            facts = [received(units)]
            came += units
        elif kind == "R" and units <= stock.free:
            facts = [*stock.reserve(units, sku="s", order="T", part=1)]
        elif kind == "l" and units <= stock.reserved:
            facts = [StockReleased(order="T", part=1, quantity=units, reason="x")]
        elif kind == "p" and units <= stock.reserved:
            facts = [StockPicked(order="T", part=1, quantity=units)]
        elif kind == "b" and units <= stock.picked:
            facts = [StockPutBack(order="T", part=1, quantity=units)]
        elif kind == "s" and units <= stock.free:
            facts = [*stock.scrap(units, sku="s", reason="x")]
            came -= units
        elif kind == "x":
            came += units - stock.free
            facts = [*stock.count(units, source="own", reason="x")]
        for fact in facts:
            stock = STOCK.evolve(stock, fact)
        assert stock.free + stock.reserved + stock.picked == came
        assert min(stock.free, stock.reserved, stock.picked) >= 0
