"""What a third party is asked and tells, in whatever order it arrives (W2; rules 5, 29)."""

from datetime import UTC, datetime
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consignments import (
    ConsignedUnits,
    Consignment,
    ConsignmentAsked,
    ConsignmentFollowed,
    ConsignmentTold,
    FoundUnits,
    Report,
    Step,
    evolve,
)
from domain.entrusting import (
    acknowledged,
    ask_to_cancel,
    entrust,
    leave_unwanted,
    overtaken,
    sent_all_the_same,
    settle_strays,
    strays_in,
)
from domain.order_facts import CancelledUnitsGivenUp, GoodsCameBack
from domain.order_fold import evolve as evolve_order
from domain.orders import Order
from domain.parcel_facts import Content, ParcelDissolved, ParcelPacked, ParcelPlanned
from domain.parcel_fold import evolve as evolve_parcel
from domain.parcels import Parcel
from domain.refusals import InvalidRequest, NotPossible
from domain.release_facts import CancelledUnitsSent, PartReleased
from domain.splitting import Allocation
from tests.domain.test_orders import HOME, cancel, order, placed, units

DUE = datetime(2026, 3, 3, 9, tzinfo=UTC)
TWO = (ConsignedUnits(order="T1", part=1, sku="mug", quantity=2),)
HAS_TWO = (FoundUnits(sku="mug", quantity=2),)
HAS_ONE = (FoundUnits(sku="mug", quantity=1),)


NEW = Consignment()


def asked(state: Consignment = NEW, **changes: object) -> Consignment:
    """The parcel after it was asked for."""
    wish = {
        "warehouse": "shaanxi", "units": TWO, "card": "c1", "carrier": "zhongtong",
        "hand_over_by": DUE, "held": False,
    } | changes  # fmt: skip
    return reduce(evolve, state.ask(**wish), state)  # type: ignore[arg-type]


def told(state: Consignment, *reports: Report) -> Consignment:
    """The parcel after these were told."""
    for report in reports:
        state = reduce(evolve, state.tell(report, None), state)
    return state


def test_an_equal_wish_is_asked_for_once() -> None:
    """W2: and again only where somebody says so, or something differs."""
    state = asked()
    assert (state.revision, state.state, state.unanswered) == (1, "asked", True)
    assert asked(state) == state
    assert asked(state, card="c2").revision == 2
    assert asked(state, held=True).revision == 2
    assert asked(state, again=True).revision == 2


REPORTS = (
    Report(Step.ACCEPTED, 1),
    Report(Step.SHORT, 1, units=HAS_ONE),
    Report(Step.PACKED, 1, units=HAS_ONE, weight_grams=500),
    Report(Step.SHIPPED, 1, HAS_ONE, 500, "shunfeng", "SF1"),
)


@pytest.mark.parametrize("order", list(permutations(REPORTS)))
def test_the_order_of_arrival_does_not_matter(order: tuple[Report, ...]) -> None:
    """R35: each message tells all; in any order, repeated, the end is the same."""
    end = told(asked(), *REPORTS)
    assert told(asked(), *order, *order) == end
    assert (end.state, end.found, end.carrier, end.waybill) == (
        "shipped", HAS_ONE, "shunfeng", "SF1",
    )  # fmt: skip


@given(st.lists(st.sampled_from(REPORTS), min_size=1, max_size=12))
def test_what_was_told_is_never_taken_back(reports: list[Report]) -> None:
    """T2 of third parties: a later message that tells less changes nothing."""
    state = asked()
    for report in reports:
        after = told(state, report)
        assert after.acknowledged >= state.acknowledged
        assert state.step is None or after.step is not None
        if state.step is Step.SHIPPED:
            assert after == state
        state = after


def test_nothing_is_recorded_when_it_says_no_more_than_is_known() -> None:
    """R34: and what was new waits to be carried out."""
    state = told(asked(), Report(Step.PACKED, 1, units=HAS_TWO, weight_grams=5))
    assert state.tell(Report(Step.PACKED, 1, units=HAS_TWO, weight_grams=5), None) == []
    assert state.tell(Report(Step.PICKING, 1), None) == []
    assert state.behind
    assert state.follow() == [ConsignmentFollowed(step=Step.PACKED)]
    assert evolve(state, state.follow()[0]).follow() == []


def test_a_refusal_is_of_its_wish_alone() -> None:
    """W2: what was taken before stands; asked again, it waits again; a refusal that is late is
    overtaken by what was taken since."""
    taken = told(asked(), Report(Step.ACCEPTED, 1))
    moved = asked(taken, card="c2")
    refused = told(moved, Report(Step.REFUSED, 2, code="packed"))
    assert (refused.state, refused.step, refused.never_taken) == ("refused", Step.ACCEPTED, False)
    refused.must_take_another_try()
    assert asked(refused, card="c2", again=True).state == "asked"
    both = (Report(Step.REFUSED, 2, code="packed"), Report(Step.ACCEPTED, 2))
    assert told(moved, *both).state == told(moved, *both[::-1]).state == "accepted"
    assert told(asked(), Report(Step.REFUSED, 1, code="closed")).never_taken


def test_only_what_is_asked_for_is_cancelled() -> None:
    """Rule 5: who cancels unasked refuses; what had left has left, whenever that is told."""
    state = told(asked(), Report(Step.ACCEPTED, 1))
    with pytest.raises(NotPossible):
        state.tell(Report(Step.CANCELLED, 1), None)
    nothing = asked(state, units=())
    gone = told(nothing, Report(Step.CANCELLED, 2))
    assert (gone.state, gone.over) == ("cancelled", True)
    with pytest.raises(NotPossible):
        gone.must_take_another_try()
    assert asked(gone, card="c3") == gone
    assert told(gone, Report(Step.SHIPPED, 1, HAS_TWO, 5, "sf", "SF1")).state == "shipped"


def test_a_wish_that_was_never_made_is_not_acknowledged() -> None:
    """W2: a revision ahead of ours is somebody's mistake, and told so."""
    with pytest.raises(InvalidRequest):
        asked().tell(Report(Step.ACCEPTED, 2), None)


def test_facts_are_what_was_asked_and_told() -> None:
    """W2: given a wish, when it is refused, then one fact says by whom and why."""
    (fact,) = Consignment().ask(
        warehouse="shaanxi", units=TWO, card="c1", carrier=None, hand_over_by=DUE, held=False
    )
    assert isinstance(fact, ConsignmentAsked)
    (said,) = asked().tell(Report(Step.REFUSED, 1, code="closed", words="x"), None)
    assert isinstance(said, ConsignmentTold)
    assert (said.step, said.code, said.words) == ("refused", "closed", "x")


def entrusted() -> Order:
    """Part 1 (two mugs) was released, and left to a third party."""
    released = PartReleased(part=1, parcel="P1", wave="w", hand_over_by=DUE)
    before = order(placed(), released)
    return reduce(evolve_order, entrust(before, 1, parcel="P1", warehouse="a"), before)


def test_a_part_is_entrusted_once_and_packed_by_nobody_else() -> None:
    """W2: what a third party was asked to send, the house does not send as well."""
    state = entrusted()
    assert entrust(state, 1, parcel="P1", warehouse="a") == []
    with pytest.raises(NotPossible, match="third party"):
        state.pack(1, parcel="P1")
    with pytest.raises(NotPossible):
        entrust(order(placed()), 3, parcel="P3", warehouse="a")


def test_units_are_cancelling_until_their_wish_is_acknowledged() -> None:
    """Rule 5: nobody cancels them a second time; acknowledged, exactly they are cancelled."""
    state = entrusted()
    one = units((1, 1, 1))
    for revision in (2, 3):
        facts = ask_to_cancel(state, 1, one, revision=revision, reason="x")
        state = reduce(evolve_order, facts, state)
    assert ask_to_cancel(state, 2, one, revision=4, reason="x") == []
    assert sum(unit.quantity for unit in state.cancellable(None)) == 3
    with pytest.raises(NotPossible, match="acknowledge"):
        state.cancellable([("mug", 2)])
    assert [fact.revision for fact in acknowledged(state, 1, revision=2)] == [2]
    assert len(acknowledged(state, 1, revision=None)) == 2
    after = reduce(evolve_order, cancel(state, [("mug", 1)]), state)
    assert [fact.revision for fact in after.cancelling] == [2, 3]  # that was part 2's
    gone = overtaken(after, 1)
    assert reduce(evolve_order, gone, after).cancelling == ()
    assert overtaken(order(placed()), 1) == []


def test_a_new_address_waits_for_the_third_party() -> None:
    """Rule 29: entrusted parts do not leave before it is acknowledged; others need nobody."""
    state = entrusted()
    moved = reduce(evolve_order, state.change_address(HOME), state)
    first, second = moved.parts
    assert (first.address_pending, second.address_pending) == (True, False)
    known = reduce(evolve_order, moved.acknowledge_address(1, by="a"), moved)
    assert not known.parts[0].address_pending


def test_units_that_left_though_they_were_cancelled_are_out_until_they_come_back() -> None:
    """Rule 5: noted once a part, beside what is still to be had; then on their shelf again."""
    state = entrusted()
    gone = reduce(evolve_order, cancel(state, [("mug", 2)]), state)
    (fact,) = sent_all_the_same(gone, 1, parcel="P1", sku="mug", quantity=2)
    assert fact == CancelledUnitsSent(part=1, units=(Allocation(line=1, quantity=2),), parcel="P1")
    out = evolve_order(gone, fact)
    assert (out.out, out.parts[0].parcel, out.parts[0].live) == (units((1, 1, 2)), "P1", False)
    back = evolve_order(out, GoodsCameBack(parcel="P1", units=units((1, 1, 2))))
    assert (back.out, back.strays) == ((), ())
    for part, sku, quantity in ((1, "mug", 0), (1, "kite", 1), (9, "mug", 1)):
        assert sent_all_the_same(gone, part, parcel="P1", sku=sku, quantity=quantity) == []


def sent_unasked() -> Order:
    """Both mugs of part 1 left in P1, though they were cancelled."""
    gone = reduce(evolve_order, cancel(entrusted(), [("mug", 2)]), entrusted())
    return reduce(
        evolve_order, sent_all_the_same(gone, 1, parcel="P1", sku="mug", quantity=2), gone
    )


@pytest.mark.parametrize(("back", "given_up"), [(2, 0), (1, 1), (0, 2)])
def test_what_was_sent_though_cancelled_waits_until_each_unit_is_settled(
    back: int, given_up: int
) -> None:
    """W2, rule 5, D4: some are here again, some are given up, and all of it is said once; what is
    given up stays out, so that it is taken in all the same if it ever comes."""
    state = sent_unasked()
    assert strays_in(state, "P1") == units((1, 1, 2))
    assert strays_in(state, "P2") == ()
    facts = settle_strays(
        state,
        "P1",
        back=[("mug", back)] if back else [],
        given_up=[("mug", given_up)] if given_up else [],
        reason="x",
    )
    assert [type(fact) for fact in facts] == [
        *[GoodsCameBack] * bool(back),
        *[CancelledUnitsGivenUp] * bool(given_up),
    ]
    assert [sum(one.quantity for one in fact.units) for fact in facts] == [
        count for count in (back, given_up) if count
    ]
    settled = reduce(evolve_order, facts, state)
    assert (settled.strays, sum(one.quantity for one in settled.out)) == ((), given_up)
    with pytest.raises(NotPossible, match="nothing cancelled"):
        settle_strays(settled, "P1", back=[("mug", 2)], given_up=[], reason="x")


@pytest.mark.parametrize("back", [1, 3])
def test_cancelled_units_are_settled_all_at_once(back: int) -> None:
    """W2: neither fewer nor more than left, nor another item."""
    with pytest.raises(InvalidRequest):
        settle_strays(sent_unasked(), "P1", back=[("mug", back)], given_up=[], reason="x")
    with pytest.raises(InvalidRequest):
        settle_strays(sent_unasked(), "P1", back=[("kite", 2)], given_up=[], reason="x")


def test_a_parcel_is_of_all_orders_whose_units_are_in_it() -> None:
    """S4, W2: also of one that left in it though it was cancelled; told twice it is once."""
    mine, other = Content(order="T1", part=1), Content(order="T2", part=1)
    packed = ParcelPacked(warehouse="a", contents=(mine,), weight_grams=1)
    box = evolve_parcel(Parcel(), packed)
    assert box.carry(mine) == []
    (fact,) = box.carry(other)
    after = evolve_parcel(box, fact)
    assert after.carry(other) == []
    assert (after.contents, after.carries, after.orders) == ((mine,), (mine, other), ("T1", "T2"))


def test_an_unpacked_parcel_leaves_once_and_no_other_does_so_unasked() -> None:
    """W2: it is with its carrier, under its number, whatever was told of it before."""
    planned = ParcelPlanned(
        warehouse="a", contents=(Content(order="T1", part=1),), wave="w", hand_over_by=DUE
    )
    unpacked = evolve_parcel(evolve_parcel(Parcel(), planned), ParcelDissolved(reason="x"))
    facts = leave_unwanted(unpacked, carrier="shunfeng", waybill="SF1", when=DUE)
    left = reduce(evolve_parcel, facts, unpacked)
    assert (left.handed_over, left.dissolved, left.waybill) == (True, False, "SF1")
    for box in (left, Parcel()):
        assert leave_unwanted(box, carrier="shunfeng", waybill="SF1", when=DUE) == []


def test_what_left_although_nothing_was_wanted_is_known_from_any_order_of_words() -> None:
    """R35: whether the cancel was told of before or after; a part of it that is wanted is not."""
    nothing = asked(told(asked(), Report(Step.ACCEPTED, 1)), units=())
    gone, left = Report(Step.CANCELLED, 2), Report(Step.SHIPPED, 1, HAS_TWO, 5, "sf", "SF1")
    for words in ((gone, left), (left, gone), (left,)):
        assert told(nothing, *words).unwanted
        assert told(nothing, *words).first == TWO
    assert not told(nothing, gone).unwanted
    assert not told(asked(), left).unwanted
