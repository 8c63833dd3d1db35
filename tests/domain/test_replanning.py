"""What a warehouse did not find is planned elsewhere, waits, or goes back (S1, S3; rules.md 1)."""

from collections import Counter

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import ORDER
from domain import replanning
from domain.cargo import Cargo
from domain.order_facts import OrderSplit, UnitsFellShort, WaitChosen, WaitEnded
from domain.orders import Order
from domain.parts import Part
from domain.refunding import cancel_units
from domain.refusals import InvalidRequest, NotPossible
from domain.replanning import Free, Move, Replanned
from domain.splitting import Sending
from tests.domain.test_orders import BOOK, DAY, MUG, NOON, PAID, RULES, order, placed, shipped
from tests.domain.test_splitting import Station

PLACED = (placed(),)


def short(state: Order, part: int, line: int, *, found: int = 0, **free: int) -> Replanned:
    """The part's warehouse found fewer; others have what is named."""
    missing = replanning.missing_units(state, part, line, found=found)
    places = [Free(code, units) for code, units in free.items()]
    return replanning.short_pick(
        state, part, line, missing=missing, free=places, max_parts=4, reason="broken"
    )


def after(state: Order, planned: Replanned) -> Order:
    for fact in planned.facts:
        state = ORDER.evolve(state, fact)
    return state


def shape(state: Order) -> dict[int, tuple[str | None, dict[int, int], str | None]]:
    """What is in each part, where, and whether it waits."""
    return {
        part.number: (
            part.warehouse,
            {unit.line: unit.quantity for unit in part.units},
            part.waits,
        )
        for part in state.parts
    }


def test_missing_units_get_a_part_elsewhere_when_another_warehouse_has_them() -> None:
    """S1: the nearest one that has all; the plan is recorded with its reason (rules.md 1)."""
    state = order(*PLACED)
    planned = short(state, 1, MUG, found=1, a=0, d=0, c=5, e=9)
    assert planned.moves == (Move(3, "c", 1),)
    (split,) = planned.facts
    assert isinstance(split, OrderSplit)
    assert split.reason == "broken"
    assert shape(after(state, planned)) == {
        1: ("a", {MUG: 1}, None),
        2: ("b", {MUG: 1, BOOK: 2}, None),
        3: ("c", {MUG: 1}, None),
    }


def test_missing_units_join_a_part_that_is_open_when_its_warehouse_has_them() -> None:
    """S1: no parcel more than needed; a part left empty is gone."""
    state = order(*PLACED)
    planned = short(state, 1, MUG, c=5, b=2)
    assert planned.moves == (Move(2, "b", 2),)
    assert shape(after(state, planned)) == {2: ("b", {MUG: 3, BOOK: 2}, None)}


def test_a_part_that_is_gone_leaves_its_number_to_nobody() -> None:
    """S1, S4: the parcel it was released into may name it still, until it is picked."""
    state = order(*PLACED)
    state = after(state, short(state, 2, MUG, a=9))
    state = after(state, short(state, 2, BOOK, a=9))
    assert shape(state) == {1: ("a", {MUG: 3, BOOK: 2}, None)}
    state = after(state, short(state, 1, MUG, found=2, c=1))
    assert shape(state) == {1: ("a", {MUG: 2, BOOK: 2}, None), 3: ("c", {MUG: 1}, None)}
    waiting = after(state, short(state, 3, MUG))  # what waits has a number of its own, too
    assert shape(waiting)[4] == ("c", {MUG: 1}, "choice")


def test_nothing_joins_a_part_when_it_is_packed() -> None:
    """W1: what is in a parcel stays as it is."""
    state = order(*PLACED, *shipped(2)[:1])
    planned = short(state, 1, MUG, b=2)
    assert planned.moves == (Move(3, "b", 2),)
    assert shape(after(state, planned))[2] == ("b", {MUG: 1, BOOK: 2}, None)


def test_the_rest_waits_when_there_are_too_few_elsewhere() -> None:
    """S3: one goes, one waits for its learner's choice, none is lost (rules.md 1)."""
    state = order(*PLACED)
    planned = short(state, 1, MUG, a=0, c=1)
    fell, split = planned.facts
    assert isinstance(fell, UnitsFellShort)
    assert (fell.quantity, fell.waiting_part, fell.sources) == (1, 3, ("a", "c"))
    assert isinstance(split, OrderSplit)
    assert shape(after(state, planned)) == {
        2: ("b", {MUG: 1, BOOK: 2}, None),
        3: ("a", {MUG: 1}, "choice"),
        4: ("c", {MUG: 1}, None),
    }


def test_only_a_refund_is_left_when_the_order_has_its_parts() -> None:
    """S1: at most four parts, so nobody waits for a fifth (rules.md 1)."""
    state = order(*PLACED)
    for part, free in ((1, {"c": 1}), (2, {"d": 1})):
        state = after(state, short(state, part, MUG, found=2 - part, **free))
    assert len(state.parts) == 4
    planned = short(state, 2, BOOK, found=1, e=3)
    (fell,) = planned.facts
    assert isinstance(fell, UnitsFellShort)
    assert fell.sources == ()
    state = after(state, planned)
    with pytest.raises(NotPossible) as refused:
        replanning.choose_to_wait(state, None, max_parts=4)
    assert refused.value.figures["why"] == "an order has at most 4 parts"
    assert replanning.given_up(state, None)[0].line == BOOK


def waiting() -> Order:
    """Two mugs of part 1 wait as part 3."""
    state = order(*PLACED)
    return after(state, short(state, 1, MUG, a=0))


def test_a_learner_waits_once_when_they_choose_to() -> None:
    """S1: chosen again it changes nothing (rules.md 1)."""
    state = waiting()
    facts = replanning.choose_to_wait(state, 3, max_parts=4)
    assert facts == [WaitChosen(part=3)]
    state = ORDER.evolve(state, facts[0])
    assert state.part(3) == state.parts[-1]
    assert state.parts[-1].waits == "stock"
    assert replanning.choose_to_wait(state, None, max_parts=4) == []
    with pytest.raises(NotPossible):
        replanning.choose_to_wait(state, 2, max_parts=4)


def test_waiting_units_are_sent_when_stock_came() -> None:
    """S1: all of them or none yet, from wherever there are some (rules.md 1)."""
    state = waiting()
    few = [Free("a", 1), Free("c", 0)]
    assert replanning.end_wait(state, 3, free=few, max_parts=4, reason="x") == ([], ())
    enough = [Free("a", 1), Free("c", 7)]
    planned = replanning.end_wait(state, 3, free=enough, max_parts=4, reason="stock received")
    assert planned.facts[0] == WaitEnded(part=3)
    assert shape(after(state, planned)) == {
        2: ("b", {MUG: 1, BOOK: 2}, None),
        4: ("c", {MUG: 2}, None),
    }
    assert replanning.end_wait(after(state, planned), 3, free=enough, max_parts=4, reason="x") == (
        [],
        (),
    )


def test_it_is_promised_anew_when_stock_comes_for_who_chose_to_wait() -> None:
    """Rules 1, 10: the later of the two times; who did not choose keeps what was promised."""
    by = NOON + 9 * DAY
    for chosen, promised, expected in (
        (True, by, by),
        (True, NOON + DAY, NOON + 5 * DAY),
        (False, by, None),
    ):
        state = waiting()
        if chosen:
            state = ORDER.evolve(state, WaitChosen(part=3))
        ended = replanning.end_wait(state, 3, free=[Free("c", 7)], max_parts=4, reason="x")
        _, split = replanning.promised_anew(state, 3, ended, by=promised).facts
        assert isinstance(split, OrderSplit)
        assert split.promised_by == expected


def test_nothing_of_it_is_packed_when_a_part_waits() -> None:
    """W1: there is nothing to be packed."""
    with pytest.raises(NotPossible):
        waiting().pack(3, parcel="p")
    with pytest.raises(NotPossible):
        replanning.missing_units(waiting(), 3, MUG, found=0)


def test_missing_units_go_first_when_some_are_cancelled() -> None:
    """O8: what nobody found is given up before what is there; freight is the mall's fault."""
    paid = (placed(cash=True, freight_fen=500), PAID)
    state = order(*paid)
    state = after(state, short(state, 1, MUG, found=1, a=0))
    units = state.cancellable([("mug", 1)])
    assert [unit.part for unit in units] == [3]
    facts = cancel_units(state, units, reason="x", refund="r", when=NOON, rules=RULES)
    assert facts[0].cash_fen == 50 + 100  # type: ignore[union-attr]


def test_a_short_pick_is_refused_when_nothing_is_missing_or_the_part_left() -> None:
    """W1: guards of the decision."""
    with pytest.raises(InvalidRequest):
        replanning.missing_units(order(*PLACED), 1, MUG, found=2)
    for facts in (shipped(1), shipped(1)[:1]):
        with pytest.raises(NotPossible):
            replanning.missing_units(order(*PLACED, *facts), 1, MUG, found=0)
    with pytest.raises(NotPossible):
        replanning.missing_units(order(placed(cash=True)), 1, MUG, found=0)


# --- at the least cost -----------------------------------------------------------------------


def sending(grams: int = 900, **stations: Station) -> Sending:
    """Every unit weighs so much; parcels cost what the stations say."""
    everywhere = {code: Station() for code in "abcde"}
    return Sending(lambda _: Cargo(grams=grams), {**everywhere, **stations})


def dearest_first(sent: Sending, **free: int) -> Replanned:
    """One of part 1's two mugs is missing; part 2 holds a mug and two books."""
    places = [Free(code, units) for code, units in free.items()]
    return replanning.short_pick(
        order(*PLACED), 1, MUG, missing=1, free=places, max_parts=4, reason="broken", sending=sent
    )


def test_missing_units_come_from_where_they_cost_least() -> None:
    """S1: the same planner as when orders are placed; the nearest one is dear (rules.md 1)."""
    planned = dearest_first(sending(c=Station(first_fen=900)), c=5, e=9)
    assert planned.moves == (Move(3, "e", 1),)
    (split,) = planned.facts
    assert isinstance(split, OrderSplit)
    assert (split.plan.chosen_for, split.plan.alternatives[0]) == ("least_cost", ("c",))
    costs, sent = split.plan.costs, [part.shipping for part in split.plan.parts]
    assert costs is not None
    assert costs.total_fen == sum(one.total_fen for one in sent if one) == 700 + 1_100 + 700
    assert costs.alternatives_fen[0] == costs.total_fen + 300


@pytest.mark.parametrize(("step_fen", "place"), [(200, (2, "b")), (800, (3, "c"))])
def test_missing_units_join_a_parcel_only_if_a_further_one_costs_more(
    step_fen: int, place: tuple[int, str]
) -> None:
    """S1: the difference that they make there, against the whole price of a new one."""
    planned = dearest_first(sending(b=Station(step_fen=step_fen)), b=5, c=5)
    assert planned.moves == (Move(*place, 1),)


def test_a_further_parcel_goes_when_the_one_of_its_warehouse_would_be_too_heavy() -> None:
    """S3: units that are there need not wait."""
    planned = dearest_first(sending(b=Station(grams_max=3_000)), b=5)
    assert planned.moves == (Move(3, "b", 1),)
    assert shape(after(order(*PLACED), planned))[2] == ("b", {MUG: 1, BOOK: 2}, None)


def test_what_nobody_sends_waits() -> None:
    """S3: one unit is heavier than any parcel may be; nothing moves, none is lost."""
    planned = dearest_first(sending(c=Station(grams_max=800)), c=5)
    (fell,) = planned.facts
    assert isinstance(fell, UnitsFellShort)
    assert (fell.quantity, fell.sources, planned.moves) == (1, ("c",), ())


def test_waiting_units_come_from_where_they_cost_least() -> None:
    """S1: when stock comes, too."""
    enough = [Free("c", 7), Free("e", 7)]
    planned = replanning.end_wait(
        waiting(), 3, free=enough, max_parts=4, reason="x", sending=sending(c=Station(900))
    )
    assert planned.moves == (Move(4, "e", 2),)


STEPS = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.sampled_from([MUG, BOOK]),
        st.integers(0, 1),
        st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3)),
    ),
    max_size=8,
)


def live(state: Order) -> Counter[int]:
    return Counter({line: state.live_units(line) for line in (MUG, BOOK)})


def busy(part: Part, code: str) -> bool:
    return part.movable and part.warehouse == code


@forall(steps=STEPS)
def test_no_unit_is_made_or_lost_when_parts_are_planned_anew(
    steps: list[tuple[int, int, int, dict[str, int]]],
) -> None:
    """S3: the quantities of a line are constant through any split; four parts at most."""
    state = order(*PLACED)
    gone: set[int] = set()
    for number, line, found, free in steps:
        part = state.part(number)
        try:
            if part is not None and part.waits:
                places = [Free(code, units) for code, units in free.items()]
                planned = replanning.end_wait(state, number, free=places, max_parts=4, reason="x")
            else:
                if part is not None and part.warehouse:
                    free = {**free, part.warehouse: 0}
                planned = short(state, number, line, found=found, **free)
        except (NotPossible, InvalidRequest):
            continue
        taken = Counter(dict.fromkeys(free, 0))
        for move in planned.moves:
            taken[move.warehouse] += move.quantity
            assert move.quantity > 0
        assert all(taken[code] <= free[code] for code in taken)
        for fact in planned.facts:  # none of them makes or loses one, not even in between
            state = ORDER.evolve(state, fact)
            assert live(state) == {MUG: 3, BOOK: 2}
        backed = [one for one in state.parts if one.live and not one.waits]
        assert len(backed) <= 4
        assert len({one.warehouse for one in backed}) == len(backed)
        numbers = {one.number for one in state.parts}
        assert len(numbers) == len(state.parts)
        assert not numbers & gone
        gone |= set(range(1, max(numbers))) - numbers
        for move in planned.moves:
            moved = state.part(move.part)
            assert moved is not None
            assert busy(moved, move.warehouse)
