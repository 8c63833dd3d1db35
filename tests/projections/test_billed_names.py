"""Whatever names bills use for parcels, the cost report counts each fee once (W6)."""

from collections.abc import Mapping, Sequence

from hypothesis import given as forall
from hypothesis import strategies as st

from application.billed_boxes import boxes_of, in_parcels, whole_orders
from domain.bill_facts import BilledLine, BillKind, Charge
from domain.bill_known import Known
from domain.bill_matching import compare
from domain.bills import Bill, BillFile, evolve
from projections.billed_costs import beside, owed, parcel_costs, with_orders_bill
from projections.part_costs import PartCost

FEES = {"P": 200, "Q": 310, "R": 180}
HOUSE = "a"
Rows = Sequence[tuple[str, int]]


def part(order: str, number: int, parcel: str, freight: int) -> PartCost:
    """A part in a parcel, as it was planned."""
    return PartCost(
        order, number, HOUSE, "app", "mug", "1:1", "yunda", freight, 0, FEES[parcel], 500, parcel,
        5, None, 6, 6,
    )  # fmt: skip


def known_of(parts: Sequence[PartCost]) -> dict[str, Known]:
    """What the house knows of all numbers that name these parts."""
    rows = [
        {
            "order_number": one.order, "part": one.part, "warehouse": one.warehouse,
            "parcel": one.parcel, "handling_fen": one.handling_fen, "handed_over": True,
            "packaging_fen": one.packaging_fen, "freight_fen": one.freight_fen,
        }
        for one in parts
    ]  # fmt: skip
    boxes = boxes_of(rows)
    known = whole_orders(boxes, rows, HOUSE)
    for parcel, fees in in_parcels(boxes).items():
        ours = {Charge.HANDLING: sum(fee[Charge.HANDLING] for fee in fees.values())}
        known[parcel] = known[f"W{parcel}"] = Known(parcel, ours=ours, boxes=fees)
    return known


def handling(parts: Sequence[PartCost], some: Sequence[Rows], known: Mapping[str, Known]) -> int:
    """What the cost report has for handling after these bills, of which nothing is accepted."""
    bills, lines, earlier = dict[str, Bill](), [], dict[tuple[str, Charge], list[int]]()
    for nth, rows in enumerate(some):
        mine = [
            BilledLine(row=at, number=number, charge=Charge.HANDLING, fen=fen)
            for at, (number, fen) in enumerate(rows, 2)
        ]
        file = BillFile(BillKind.WAREHOUSE, HOUSE, str(nth), "a.csv", mine)
        bill = Bill()
        for fact in bill.receive(file):
            bill = evolve(bill, fact)
        told = compare(mine, known, kind=BillKind.WAREHOUSE, earlier=earlier)
        for fact in bill.compare(1, told.differences, agreed=told.agreed, ours_fen=told.ours_fen):
            bill = evolve(bill, fact)
        bills[str(nth)] = bill
        for line in mine:
            earlier.setdefault((line.number, line.charge), []).append(line.fen)
            lines.append(
                {"bill": str(nth), "row_no": line.row, "kind": "warehouse", "partner": HOUSE,
                 "number": line.number, "charge": line.charge, "fen": line.fen}
            )  # fmt: skip
    of_parcels = owed(lines, bills, lambda one: _parcel(one["number"]))
    of_orders = owed(lines, bills, lambda one: one["number"] if one["number"][0] == "T" else None)
    by_order: dict[tuple[str, int], dict[str, int]] = {}
    for order, costs in of_orders.items():
        sent = [one for one in parts if one.order == order]
        by_order |= with_orders_bill(sent, costs, of_parcels)
    whole = 0
    for parcel in {one.parcel for one in parts if one.parcel}:
        together = [one for one in parts if one.parcel == parcel]
        billed = of_parcels.get(parcel, {})
        for one, share in zip(together, parcel_costs(together, None, billed), strict=True):
            whole += beside(share, billed, by_order.get((one.order, one.part), {}))[2]
    return whole


def _parcel(number: str) -> str | None:
    return number[-1] if number[-1] in FEES else None


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[PartCost], list[Rows]]:
    """Parts of orders in parcels, and bills that name them anyhow."""
    boxes = draw(
        st.lists(
            st.tuples(st.sampled_from(["T1", "T2"]), st.sampled_from([*FEES])),
            min_size=1, max_size=5, unique=True,
        )
    )  # fmt: skip
    parts = [
        part(order, nth, parcel, draw(st.integers(0, 900)))
        for nth, (order, parcel) in enumerate(sorted(boxes), 1)
    ]
    names = sorted({name for order, parcel in boxes for name in (order, parcel, f"W{parcel}")})
    rows = st.lists(st.tuples(st.sampled_from(names), st.integers(0, 900)), max_size=4)
    return parts, draw(st.lists(rows, max_size=4))


@forall(worlds())
def test_no_fee_is_counted_twice_under_any_names_in_any_order(
    world: tuple[list[PartCost], list[Rows]],
) -> None:
    """W6: at most each parcel's one fee; and just that, where bills ask for no less."""
    parts, some = world
    fees = sum(FEES[parcel] for parcel in {one.parcel for one in parts if one.parcel})
    assert handling(parts, some, known_of(parts)) <= fees
    dear = [[(name, 2_000) for name, _ in rows] for rows in some]
    assert handling(parts, dear, known_of(parts)) == fees


def test_a_fee_is_counted_thrice_when_its_names_are_not_known_to_be_one() -> None:
    """The control: what the law above would catch."""
    parts = [part("T1", 1, "P", 500)]
    apart = {
        name: Known(one.about, ours={Charge.HANDLING: 200}) for name, one in known_of(parts).items()
    }
    bills: list[Rows] = [[("P", 200), ("WP", 200)], [("T1", 200)]]
    assert handling(parts, bills, apart) == 600
    assert handling(parts, bills, known_of(parts)) == 200
