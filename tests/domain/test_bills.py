"""Bills: received once, corrected visibly, compared line by line, decided with reasons (W6)."""

from datetime import date
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bill_facts import (
    LINES_A_FACT,
    BilledLine,
    BillFact,
    BillKind,
    BillMatched,
    BillReceived,
    Cause,
    Charge,
    Difference,
    DifferenceAccepted,
    DifferenceContested,
    DifferencesGone,
    RefusedRow,
)
from domain.bill_known import Expected, Known
from domain.bill_matching import Compared, compare
from domain.bills import Bill, BillFile, evolve
from domain.refusals import NotFound, NotPossible


def line(number: str = "ZT1", fen: int = 500, *, row: int = 2, **more: object) -> BilledLine:
    """A line of a carrier's bill, unless it says otherwise."""
    fields = {"charge": Charge.FREIGHT, **more}
    return BilledLine(row=row, number=number, fen=fen, **fields)  # type: ignore[arg-type]


def bill_of(*lines: BilledLine, refused: int = 0) -> BillFile:
    """A bill with these lines."""
    rows = [RefusedRow(row=n + 90, column="amount", code="empty") for n in range(refused)]
    return BillFile(BillKind.CARRIER, "zhongtong", "2026-02", "zto.csv", lines, rows)


def after(bill: Bill, facts: list[BillFact]) -> Bill:
    """The bill after these facts."""
    return reduce(evolve, facts, bill)


def compared(*lines: BilledLine, known: dict[str, Known], **more: object) -> Compared:
    """A carrier's lines beside what is known."""
    fields = {"kind": BillKind.CARRIER, **more}
    return compare(lines, known, **fields)  # type: ignore[arg-type]


def causes(of: Compared) -> list[tuple[Cause, int]]:
    """Each difference by cause, and what it makes."""
    return [(one.cause, one.fen) for one in of.differences]


KNOWN = Known(
    about="T1-P1",
    ours={Charge.FREIGHT: 500},
    grams=800,
    reprice=lambda grams: 500 + 200 * max(0, -(-(grams - 1_000) // 1_000)),
)


def test_a_bill_is_received_with_its_totals_when_it_is_new() -> None:
    """W6: lines, refused rows and the sum in one commit."""
    facts = Bill().receive(bill_of(line(), line("ZT2", 700, row=3), refused=1))
    received = facts[0]
    assert isinstance(received, BillReceived)
    assert (received.revision, received.lines, received.total_fen, received.refused) == (
        1,
        2,
        1_200,
        1,
    )
    assert [one.fact_name for one in facts[1:]] == ["bills.LinesBilled", "bills.RowsRefused"]


def test_lines_are_cut_into_facts_when_there_are_many() -> None:
    """W6: no fact grows with the bill."""
    many = [line(f"ZT{n}", row=n + 2) for n in range(LINES_A_FACT + 1)]
    assert len(Bill().receive(bill_of(*many))) == 3


def test_nothing_happens_when_the_same_bill_comes_again() -> None:
    """W6: one bill, also from another format where its rows have other places."""
    bill = after(Bill(), Bill().receive(bill_of(line(row=2))))
    assert bill.receive(bill_of(line(row=7))) == []


def test_a_corrected_bill_replaces_when_its_lines_differ() -> None:
    """W6: a further revision; what was compared is to be compared anew."""
    bill = after(Bill(), Bill().receive(bill_of(line())))
    bill = after(bill, bill.compare(1, [], agreed=1, ours_fen=500))
    again = after(bill, bill.receive(bill_of(line(fen=450))))
    assert (again.revision, again.total_fen, again.state) == (2, 450, "received")


def test_a_bill_comes_back_when_a_wrong_one_took_its_place() -> None:
    """W6: as a revision of its own; twice is once, as for any other."""
    bill = after(Bill(), Bill().receive(bill_of(line())))
    bill = after(bill, bill.receive(bill_of(line(fen=450))))
    back = after(bill, bill.receive(bill_of(line())))
    assert (back.revision, back.total_fen, back.state) == (3, 500, "received")
    assert back.receive(bill_of(line())) == []


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, Cause.UNKNOWN_NUMBER),
        ({"ZT1": Known("T1-P1", theirs=False, ours={Charge.FREIGHT: 500})}, Cause.NOT_THEIRS),
        ({"ZT1": Known("T1-P1", handed_over=False)}, Cause.NEVER_HANDED_OVER),
        ({"ZT1": Known("T1-P1")}, Cause.NOT_AGREED),
    ],
)
def test_a_whole_line_differs_when_nothing_of_it_is_owed(
    known: dict[str, Known], expected: Cause
) -> None:
    """W6: by its cause, with its whole amount."""
    found = compared(line(), known=known)
    assert causes(found) == [(expected, 500)]
    assert (found.agreed, found.ours_fen) == (0, 0)


def test_a_line_agrees_when_the_house_would_have_billed_the_same() -> None:
    """W6: no difference, no decision."""
    assert compared(line(), known={"ZT1": KNOWN}) == Compared([], 1, 500)


def test_a_second_line_is_billed_twice_in_one_bill_and_after_another() -> None:
    """W6: the later one is the duplicate; another charge of the same parcel is none."""
    twice = compared(line(), line(row=3), known={"ZT1": KNOWN})
    assert [(one.row, one.cause) for one in twice.differences] == [(3, Cause.BILLED_TWICE)]
    later = compared(line(), known={"ZT1": KNOWN}, earlier={("ZT1", Charge.FREIGHT): [500]})
    assert causes(later) == [(Cause.BILLED_TWICE, 500)]
    other = compared(line(), known={"ZT1": KNOWN}, earlier={("ZT1", Charge.SURCHARGE): [90]})
    assert other.differences == []


def test_weight_and_price_are_told_apart_when_both_are_above() -> None:
    """W6: the card's price for the weight that was billed is the weight's share."""
    found = compared(line(fen=950, grams=2_400), known={"ZT1": KNOWN})
    assert causes(found) == [(Cause.WEIGHT_ABOVE, 400), (Cause.PRICE_ABOVE, 50)]
    same_weight = compared(line(fen=950, grams=800), known={"ZT1": KNOWN})
    assert causes(same_weight) == [(Cause.PRICE_ABOVE, 450)]


def test_a_cheaper_line_is_noted_and_settled_by_itself() -> None:
    """W6: the sums still meet; nobody has to decide."""
    found = compared(line(fen=450), known={"ZT1": KNOWN})
    assert causes(found) == [(Cause.BELOW, -50)]
    bill = after(Bill(), Bill().receive(bill_of(line(fen=450))))
    bill = after(bill, bill.compare(1, found.differences, agreed=0, ours_fen=500))
    assert bill.state == "settled"
    with pytest.raises(NotPossible):
        bill.decide(found.differences[0].id, "accepted", reason="fine")


def test_what_belongs_on_the_bill_is_missing_when_no_line_names_it() -> None:
    """W6: it is no line of the bill, and found under its other number, too."""
    expected = [Expected("T9-P1", Charge.HANDLING, 520, "T9-P1")]
    found = compared(line(), known={"ZT1": KNOWN}, expected=expected)
    assert causes(found) == [(Cause.MISSING, -520)]
    assert (found.agreed, found.ours_fen) == (1, 500)
    one = Known(
        "T9-P1", ours={Charge.HANDLING: 520}, boxes={("T9-P1", "T9"): {Charge.HANDLING: 520}}
    )
    named = line("ZT9", 520, charge=Charge.HANDLING)
    both = {"T9-P1": one, "ZT9": one}
    assert compared(named, known=both, expected=expected).differences == []


def test_storage_is_measured_by_the_units_that_were_there() -> None:
    """W6: units that never were there apart from the price of the others."""
    known = {"mug": Known("", ours={Charge.STORAGE: 20}, units=100)}
    stored = line("mug", 3_300, charge=Charge.STORAGE, quantity=150)
    found = compared(stored, known=known, kind=BillKind.WAREHOUSE)
    assert causes(found) == [(Cause.QUANTITY_ABOVE, 1_000), (Cause.PRICE_ABOVE, 300)]
    unsaid = compared(line("mug", 90, charge=Charge.STORAGE), known=known, kind=BillKind.WAREHOUSE)
    assert causes(unsaid) == [(Cause.NOT_AGREED, 90)]


def test_payments_differ_by_amount_and_kept_fees_of_refunds_are_named() -> None:
    """W6: money from a provider is compared both ways."""
    known = {
        "pay-1": Known("T1", ours={Charge.CAPTURE: 1_900}, taken=frozenset({Charge.FEE})),
        "pay-2": Known("T2", refunded=True, taken=frozenset({Charge.FEE})),
    }
    found = compare(
        [
            line("pay-1", 1_800, charge=Charge.CAPTURE),
            line("pay-1", -11, row=3, charge=Charge.FEE),
            line("pay-2", -11, row=4, charge=Charge.FEE),
        ],
        known,
        kind=BillKind.PAYMENT,
    )
    assert causes(found) == [(Cause.AMOUNT_DIFFERS, -100), (Cause.REFUNDED, -11)]


@pytest.mark.parametrize(
    ("refunds", "billed", "expected"),
    [
        ([1_900, 1_900], [1_900, 1_900], []),
        ([1_900, 700], [700, 1_900], []),
        ([1_900, 700], [2_600], []),
        ([1_900, 700], [700, 700, 1_900], [(Cause.BILLED_TWICE, -700)]),
        ([1_900, 700], [1_800, 700], [(Cause.AMOUNT_DIFFERS, 100)]),
        ([1_900], [1_900, 1_900], [(Cause.BILLED_TWICE, -1_900)]),
        ([1_900, 700], [700], [(Cause.MISSING, 1_900)]),
    ],
)
def test_refunds_under_a_payments_number_are_matched_one_to_one(
    refunds: list[int], billed: list[int], expected: list[tuple[Cause, int]]
) -> None:
    """W6: by their amounts, whatever their order; a line may be about all of them together."""
    given_back = tuple(-fen for fen in refunds)
    names = {f"R{nth}": fen for nth, fen in enumerate(given_back)}
    pay = Known("T1", ours={Charge.REFUND: sum(given_back)}, refunds=names)
    due = [Expected(name, Charge.REFUND, fen, "T1") for name, fen in names.items()]
    lines = [
        line("pay-1", -fen, row=nth + 2, charge=Charge.REFUND) for nth, fen in enumerate(billed)
    ]
    found = compare(lines, {"pay-1": pay}, kind=BillKind.PAYMENT, expected=due)
    assert causes(found) == expected


def test_a_refund_of_an_earlier_bill_is_no_other_lines() -> None:
    """W6: the second of two equal refunds comes a month later, a third one is too much."""
    pay = Known("T1", ours={Charge.REFUND: -3_800}, refunds={"R0": -1_900, "R1": -1_900})
    earlier = {("pay-1", Charge.REFUND): [-1_900]}
    lines = [line("pay-1", -1_900, row=n, charge=Charge.REFUND) for n in (2, 3)]
    found = compare(lines, {"pay-1": pay}, kind=BillKind.PAYMENT, earlier=earlier)
    assert [(one.row, one.cause) for one in found.differences] == [(3, Cause.BILLED_TWICE)]


def difference(fen: int = 500, number: str = "ZT1") -> Difference:
    """A line that nobody knows."""
    return compared(line(number, fen), known={}).differences[0]


def test_a_difference_is_decided_once_and_the_bill_moves() -> None:
    """W6: open, contested, accepted; the same word again changes nothing."""
    one = difference()
    bill = after(Bill(), Bill().receive(bill_of(line())))
    bill = after(bill, bill.compare(1, [one], agreed=0, ours_fen=0))
    assert bill.state == "open"
    contested = bill.decide(one.id, "contested", reason="not ours")
    assert [type(fact) for fact in contested] == [DifferenceContested]
    bill = after(bill, contested)
    assert bill.state == "contested"
    assert bill.decide(one.id, "contested", reason="not ours") == []
    accepted = bill.decide(one.id, "accepted", reason="it was ours")
    assert [type(fact) for fact in accepted] == [DifferenceAccepted]
    assert after(bill, accepted).state == "settled"
    with pytest.raises(NotFound):
        bill.decide("unknown_number:freight:ZT7", "accepted", reason="none")


def test_a_decision_outlives_a_correction_when_its_amount_stays() -> None:
    """W6: another amount is another question."""
    bill = after(Bill(), Bill().receive(bill_of(line())))
    bill = after(bill, bill.compare(1, [difference()], agreed=0, ours_fen=0))
    bill = after(bill, bill.decide(difference().id, "accepted", reason="ours by mail"))
    same = after(bill, bill.receive(bill_of(line(), line("ZT2", row=3))))
    same = after(same, same.compare(2, [difference()], agreed=1, ours_fen=500))
    assert same.state == "settled"
    other = after(same, same.compare(2, [difference(fen=900)], agreed=1, ours_fen=500))
    assert other.state == "open"


def test_comparing_again_says_only_what_changed() -> None:
    """W6: twice is once; what somebody learnt makes a difference go."""
    bill = after(Bill(), Bill().receive(bill_of(line())))
    bill = after(bill, bill.compare(1, [difference()], agreed=0, ours_fen=0))
    assert bill.compare(1, [difference()], agreed=0, ours_fen=0) == []
    facts = bill.compare(1, [], agreed=1, ours_fen=500)
    assert [type(fact) for fact in facts] == [DifferencesGone, BillMatched]
    assert bill.compare(7, [], agreed=1, ours_fen=500) == []


FRAGILE = Known("T1-P1", ours={Charge.FREIGHT: 680, Charge.SURCHARGE: 100})
EXTRA: dict[str, Any] = {"charge": Charge.SURCHARGE}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(fen=780)], []),
        ([line(fen=680), line(fen=100, row=3, **EXTRA)], []),
        ([line(fen=100, **EXTRA), line(fen=680, row=3)], []),
        ([line(fen=680), line(fen=60, row=3, **EXTRA), line(fen=40, row=4, **EXTRA)], []),
        ([line(fen=680), line(fen=130, row=3, **EXTRA)], [(Cause.PRICE_ABOVE, 30)]),
        ([line(fen=780), line(fen=100, row=3, **EXTRA)], [(Cause.PRICE_ABOVE, 100)]),
        ([line(fen=680), line(fen=80, row=3, **EXTRA)], [(Cause.BELOW, -20)]),
        (
            [line(fen=680), line(fen=100, row=3, **EXTRA), line(fen=100, row=4, **EXTRA)],
            [(Cause.BILLED_TWICE, 100)],
        ),
    ],
)
def test_a_surcharge_is_part_of_the_quote_however_it_is_itemised(
    lines: list[BilledLine], expected: list[tuple[Cause, int]]
) -> None:
    """W6: freight and surcharges are compared as one sum; what exceeds it is told."""
    found = compared(*lines, known={"ZT1": FRAGILE})
    assert causes(found) == expected
    assert found.ours_fen == 780


def test_a_surcharge_that_comes_later_is_measured_by_what_freight_left_of_the_quote() -> None:
    """W6: an earlier bill's freight may have had it in it already."""
    for before, expected in ((680, []), (780, [(Cause.NOT_AGREED, 100)])):
        earlier = {("ZT1", Charge.FREIGHT): [before]}
        later = compared(line(fen=100, **EXTRA), known={"ZT1": FRAGILE}, earlier=earlier)
        assert causes(later) == expected
    missing = Expected("ZT1", Charge.FREIGHT, FRAGILE.due(Charge.FREIGHT), "T1-P1")
    assert missing.fen == 780


NUMBERS = st.sampled_from(["A1", "B2", "C3"])
LINES = st.lists(
    st.builds(
        BilledLine,
        row=st.integers(2, 900),
        number=NUMBERS,
        charge=st.sampled_from([Charge.FREIGHT, Charge.SURCHARGE, Charge.STORAGE, Charge.REFUND]),
        fen=st.integers(-5_000, 5_000),
        grams=st.none() | st.integers(0, 9_000),
        quantity=st.none() | st.integers(0, 50),
        day=st.none() | st.just(date(2026, 2, 3)),
    ),
    max_size=12,
)
BOXES = st.dictionaries(
    st.tuples(st.sampled_from(["P1", "P2"]), st.sampled_from(["T1", "T2"])),
    st.dictionaries(st.sampled_from([Charge.FREIGHT, Charge.SURCHARGE]), st.integers(0, 900)),
)
KNOWNS = st.dictionaries(
    NUMBERS,
    st.builds(
        Known,
        about=st.just("T1"),
        theirs=st.booleans(),
        handed_over=st.booleans(),
        ours=st.dictionaries(st.sampled_from(list(Charge)), st.integers(0, 3_000)),
        grams=st.none() | st.integers(0, 5_000),
        reprice=st.just(lambda grams: grams // 10),
        units=st.none() | st.integers(0, 40),
        refunds=st.dictionaries(
            st.sampled_from(["R0", "R1", "A1"]), st.integers(-3_000, -1), max_size=3
        ),
        boxes=BOXES,
    ),
)


EARLIER = st.dictionaries(
    st.tuples(NUMBERS, st.sampled_from([Charge.FREIGHT, Charge.SURCHARGE, Charge.REFUND])),
    st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=2),
)


@given(LINES, KNOWNS, st.sampled_from(list(BillKind)), EARLIER)
def test_every_bill_is_explained_to_the_fen(
    lines: list[BilledLine],
    known: dict[str, Known],
    kind: BillKind,
    earlier: dict[tuple[str, Charge], list[int]],
) -> None:
    """W6: billed = ours + what the lines' differences make, whatever is billed."""
    found = compare(lines, known, kind=kind, earlier=earlier)
    assert sum(one.fen for one in lines) == found.ours_fen + sum(
        one.fen for one in found.differences
    )
    assert len({one.id for one in found.differences}) == len(found.differences)
    for one in lines:
        mine = [other for other in found.differences if other.row == one.row]
        assert len(mine) <= 2 * sum(other.row == one.row for other in lines)
