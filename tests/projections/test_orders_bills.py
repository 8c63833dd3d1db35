"""A warehouse's bill under an order's number, shared among what it sent of that order (W6)."""

from hypothesis import given as forall
from hypothesis import strategies as st

from projections.billed_costs import beside, with_orders_bill
from projections.part_costs import PartCost

PART = PartCost(
    "T1", 1, "a", "app", "mug", "1:1", "yunda", 900, 100, 300, 500, "T1-P1", 5, None, None, 5
)


def part(number: int, packaging: int, handling: int) -> PartCost:
    """A part of T1 with its quotes."""
    return PART._replace(part=number, packaging_fen=packaging, handling_fen=handling)


def test_each_kind_is_shared_by_what_the_parts_were_quoted_at_for_it() -> None:
    """W6: what is dearer to pack bears more of the packing; the freight is nobody's there."""
    parts = [part(1, 100, 300), part(2, 300, 300)]
    shares = with_orders_bill(parts, {"packaging": 800, "more_handling": 101})
    assert shares == {
        ("T1", 1): {"packaging": 200, "more_handling": 51},
        ("T1", 2): {"packaging": 600, "more_handling": 50},
    }
    assert beside((900, 100, 300), {}, shares["T1", 1]) == (900, 200, 351)


def test_what_is_billed_for_the_parcel_is_beside_it() -> None:
    """W6: two bills are two costs; a quote gives way to either."""
    of_order = {"handling": 70}
    assert beside((900, 100, 250), {"handling": 250}, of_order) == (900, 100, 320)
    assert beside((900, 100, 300), {"packaging": 100}, of_order) == (900, 100, 70)
    assert beside((900, 100, 300), {"freight": 800}, {}) == (900, 100, 300)


@forall(
    quotes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=4),
    packaging=st.integers(0, 5_000),
    handling=st.integers(0, 5_000),
)
def test_all_of_the_bill_is_a_cost_to_the_fen(
    quotes: list[tuple[int, int]], packaging: int, handling: int
) -> None:
    """W6: whatever the parts were quoted at."""
    parts = [part(nth, *quote) for nth, quote in enumerate(quotes, 1)]
    shares = with_orders_bill(parts, {"packaging": packaging, "handling": handling})
    costs = [
        beside((1, one.packaging_fen, one.handling_fen), {}, shares["T1", one.part])
        for one in parts
    ]
    assert [sum(kind) for kind in zip(*costs, strict=True)] == [len(parts), packaging, handling]
