"""What is billed under several numbers is owed once, whatever the order (W6)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.bill_facts import BilledLine, BillKind, Cause, Charge
from domain.bill_known import Expected, Known
from domain.bill_matching import Compared, compare

HANDLING, REFUND = Charge.HANDLING, Charge.REFUND
Rows = Sequence[tuple[str, int]]


def handled(boxes: Mapping[tuple[str, str], int], about: str) -> Known:
    """A number that is about these boxes."""
    fees = {box: {HANDLING: fen} for box, fen in boxes.items()}
    return Known(about, ours={HANDLING: sum(boxes.values())}, boxes=fees)


P1, Q1, P2 = ("P", "T1"), ("Q", "T1"), ("P", "T2")
PARCEL, OTHER_PARCEL = handled({P1: 120, P2: 80}, "P"), handled({Q1: 200}, "Q")
KNOWN = {
    "P": PARCEL,
    "W": PARCEL,
    "Q": OTHER_PARCEL,
    "T1": handled({P1: 120, Q1: 200}, "T1"),
    "T2": handled({P2: 80}, "T2"),
}
"""Two orders share the parcel P, and one of them has another parcel, too."""
PAY = {"R1": -1_900, "R2": -700}
PAID = {
    "pay": Known("T1", ours={REFUND: -2_600}, refunds=PAY),
    **{name: Known("T1", ours={REFUND: fen}, refunds={name: fen}) for name, fen in PAY.items()},
}


def bills(
    known: Mapping[str, Known], *some: Rows, charge: Charge = HANDLING, **more: Any
) -> list[Compared]:
    """Each of these bills after those before it."""
    kind = BillKind.PAYMENT if charge is REFUND else BillKind.WAREHOUSE
    found, earlier = [], dict[tuple[str, Charge], list[int]]()
    for rows in some:
        lines = [
            BilledLine(row=nth, number=number, charge=charge, fen=fen)
            for nth, (number, fen) in enumerate(rows, 2)
        ]
        found.append(compare(lines, known, kind=kind, earlier=earlier, **more))
        for number, fen in rows:
            earlier.setdefault((number, charge), []).append(fen)
    return found


def causes(of: Compared) -> list[tuple[Cause, str, int]]:
    """What differs."""
    return [(one.cause, one.number, one.fen) for one in of.differences]


def twice(number: str, fen: int) -> tuple[Cause, str, int]:
    """It was billed before."""
    return Cause.BILLED_TWICE, number, fen


def test_a_second_name_is_billed_twice_on_one_bill_and_after_another() -> None:
    """W6: a parcel by its number, its waybill and its orders."""
    rows = [("W", 200), ("P", 200), ("T2", 80)]
    (one,) = bills(KNOWN, rows)
    assert causes(one) == [twice("P", 200), twice("T2", 80)]
    first, *rest = bills(KNOWN, *([row] for row in rows))
    assert causes(first) == []
    assert [causes(some) for some in rest] == [[twice("P", 200)], [twice("T2", 80)]]


def test_an_orders_line_is_owed_less_what_its_parcels_were_billed() -> None:
    """W6: what is left may be billed; what exceeds it is told as what it is."""
    for fen, expected in (
        (200, []),
        (320, [twice("T1", 120)]),
        (350, [twice("T1", 120), (Cause.PRICE_ABOVE, "T1", 30)]),
        (150, [(Cause.BELOW, "T1", -50)]),
    ):
        _, later = bills(KNOWN, [("P", 200)], [("T1", fen)])
        assert (causes(later), later.ours_fen) == (expected, 200)


def test_a_shared_parcels_line_is_owed_less_what_its_orders_were_billed() -> None:
    """W6, S4: each order has its share of the one fee."""
    _, later = bills(KNOWN, [("T1", 320)], [("P", 200), ("Q", 200)])
    assert causes(later) == [twice("P", 120), twice("Q", 200)]


def test_what_is_missing_is_what_no_name_was_billed_for() -> None:
    """W6: on this bill or another, before it or after."""
    due = [Expected("P", HANDLING, 200, "P"), Expected("Q", HANDLING, 200, "Q")]
    (one,) = bills(KNOWN, [("T1", 320)], expected=due)
    assert causes(one) == [(Cause.MISSING, "P", -80)]
    (one,) = bills(KNOWN, [("W", 200)], expected=due, later={("T1", HANDLING): [320]})
    assert causes(one) == []


def test_a_refunds_own_number_and_its_payments_are_about_one_refund() -> None:
    """W6, D4: whichever comes first; who names it is about it."""
    for rows, expected in (
        ([("R1", -1_900), ("pay", -1_900)], [twice("pay", -1_900)]),
        ([("pay", -1_900), ("R1", -1_900)], [twice("pay", -1_900)]),
        ([("pay", -700), ("R1", -1_900)], []),
        ([("R1", -1_900), ("pay", -2_600)], [twice("pay", -1_900)]),
        ([("pay", -2_600), ("R2", -700)], [twice("pay", -700)]),
        ([("R2", -700), ("R2", -700)], [twice("R2", -700)]),
    ):
        (one,) = bills(PAID, rows, charge=REFUND)
        assert causes(one) == expected
    for before, later, expected in (
        ([("pay", -1_900)], [("R1", -1_900)], [twice("R1", -1_900)]),
        ([("pay", -2_600)], [("R2", -700)], [twice("R2", -700)]),
        ([("R1", -1_900)], [("pay", -2_600)], [twice("pay", -1_900)]),
        ([("pay", -1_900), ("pay", -1_900)], [("R2", -700)], []),
    ):
        _, after = bills(PAID, before, later, charge=REFUND)
        assert causes(after) == expected


def test_of_two_equal_refunds_the_one_that_is_named_later_was_not_meant_before() -> None:
    """W6: an earlier bill's line under their payment's number is about the other."""
    both = {"R1": -700, "R2": -700}
    known = {
        name: Known("T1", ours={REFUND: fen}, refunds={name: fen}) for name, fen in both.items()
    }
    known["pay"] = Known("T1", ours={REFUND: -1_400}, refunds=both)
    for name in both:
        _, after = bills(known, [("pay", -700)], [(name, -700)], charge=REFUND)
        assert causes(after) == []
    _, _, third = bills(known, [("pay", -700)], [("R1", -700)], [("R2", -700)], charge=REFUND)
    assert causes(third) == [twice("R2", -700)]


def test_of_refunds_those_are_missing_that_no_bill_is_about() -> None:
    """W6: two equal ones, of which another bill has one under their payment's number, or both."""
    both = {"R1": -700, "R2": -700}
    pay = {"pay": Known("T1", ours={REFUND: -1_400}, refunds=both)}
    due = [Expected(name, REFUND, fen, "T1") for name, fen in both.items()]
    for billed, missing in (([-700], 1), ([-700, -700], 0), ([-1_400], 0), ([], 2)):
        elsewhere = {("pay", REFUND): billed}
        for one in (
            compare([], pay, kind=BillKind.PAYMENT, expected=due, earlier=elsewhere),
            compare([], pay, kind=BillKind.PAYMENT, expected=due, later=elsewhere),
        ):
            assert [each.cause for each in one.differences] == [Cause.MISSING] * missing


SHARES = st.dictionaries(
    st.tuples(st.sampled_from("PQR"), st.sampled_from(["T1", "T2", "T3"])),
    st.integers(0, 400),
    min_size=1,
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Mapping[tuple[str, str], int], list[Rows]]:
    """Boxes with their fees, and bills that name them anyhow."""
    boxes = draw(SHARES)
    names = sorted({name for box in boxes for name in (*box, f"W{box[0]}")})
    rows = st.lists(st.tuples(st.sampled_from(names), st.integers(0, 900)), max_size=4)
    return boxes, draw(st.lists(rows, max_size=4))


@forall(worlds())
def test_every_box_is_owed_once_under_any_names_in_any_order(
    world: tuple[Mapping[tuple[str, str], int], list[Rows]],
) -> None:
    """W6: what all lines are owed is each billed box's fee once, to the fen."""
    boxes, some = world
    names: dict[str, dict[tuple[str, str], int]] = {}
    for box, fen in boxes.items():
        for name in (*box, f"W{box[0]}"):
            names.setdefault(name, {})[box] = fen
    known = {name: handled(mine, name) for name, mine in names.items()}
    billed = {box for rows in some for name, _ in rows for box in names[name]}
    assert sum(one.ours_fen for one in bills(known, *some)) == sum(boxes[box] for box in billed)


def test_names_that_are_not_known_to_be_one_parcels_are_owed_each() -> None:
    """The control: what the laws above would catch."""
    apart = {name: replace(one, boxes={}) for name, one in KNOWN.items()}
    assert sum(one.ours_fen for one in bills(apart, [("W", 200), ("P", 200)], [("T2", 80)])) == 480
    apart = {name: replace(one, refunds={}) for name, one in PAID.items()}
    rows = [("pay", -2_600)], [("R1", -1_900)]
    assert sum(one.ours_fen for one in bills(apart, *rows, charge=REFUND)) == -4_500


@st.composite
def payments(draw: st.DrawFn) -> tuple[Mapping[str, int], list[Rows]]:
    """Refunds of one payment, and bills that name them or it anyhow."""
    amounts = draw(st.lists(st.sampled_from([-700, -1_200, -1_900]), min_size=1, max_size=3))
    refunds = {f"R{nth}": fen for nth, fen in enumerate(amounts)}
    meant = st.sampled_from([*amounts, sum(amounts), -1_000])
    line = st.tuples(st.sampled_from([*refunds, "pay"]), meant)
    return refunds, draw(st.lists(st.lists(line, max_size=4), max_size=4))


@forall(payments())
def test_no_more_is_owed_than_was_given_back_under_any_names_in_any_order(
    world: tuple[Mapping[str, int], list[Rows]],
) -> None:
    """W6, D4: by a refund's own number and by its payment's."""
    refunds, some = world
    known = {
        name: Known("T1", ours={REFUND: fen}, refunds={name: fen}) for name, fen in refunds.items()
    }
    known["pay"] = Known("T1", ours={REFUND: sum(refunds.values())}, refunds=refunds)
    owed = sum(one.ours_fen for one in bills(known, *some, charge=REFUND))
    assert sum(refunds.values()) <= owed <= 0
