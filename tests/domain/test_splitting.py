"""Splitting: fewest parcels, whole lines, never more than there is (S1, S3)."""

from itertools import combinations, product

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from domain.splitting import Demand, Plan, Shortage, plan_split

WAREHOUSES = ("a", "b", "c", "d", "e")


def demand(line: int, quantity: int, warehouses: str = "abcde") -> Demand:
    return Demand(line, f"s{line}", quantity, tuple(warehouses))


def sent(plan: Plan | list[Shortage]) -> dict[str, dict[int, int]]:
    """What each warehouse sends of each line."""
    assert isinstance(plan, Plan)
    return {
        str(part.warehouse): {unit.line: unit.quantity for unit in part.units}
        for part in plan.parts
    }


def test_five_are_three_and_two_when_three_are_here_and_four_there() -> None:
    """S3: the near warehouse gives what it has, the next one the rest."""
    plan = plan_split([demand(1, 5)], {("a", "s1"): 3, ("b", "s1"): 4}, max_parts=4)
    assert sent(plan) == {"a": {1: 3}, "b": {1: 2}}


def test_one_parcel_goes_when_one_warehouse_has_everything() -> None:
    """S3: fewer parcels beat nearer ones, and the plan says what else could have served."""
    free = {("a", "s1"): 9, ("b", "s1"): 2, ("b", "s2"): 1, ("c", "s1"): 2, ("c", "s2"): 2}
    plan = plan_split([demand(1, 2), demand(2, 1)], free, max_parts=4)
    assert sent(plan) == {"b": {1: 2, 2: 1}}
    assert isinstance(plan, Plan)
    assert (plan.chosen_for, plan.alternatives) == ("fewest_parcels", (("c",),))


def test_a_line_stays_whole_when_one_of_the_parcels_can_take_it() -> None:
    """S3: what must be split for one line is no reason to tear another."""
    free = {("a", "s1"): 1, ("b", "s1"): 4, ("a", "s2"): 1}
    plan = plan_split([demand(1, 3), demand(2, 1)], free, max_parts=4)
    assert sent(plan) == {"b": {1: 3}, "a": {2: 1}}


def test_a_line_is_in_two_pieces_when_three_are_not_needed() -> None:
    """S3: three parcels go anyhow, but the line is torn once, not twice."""
    free = {
        ("a", "s1"): 1, ("b", "s1"): 3, ("c", "s1"): 4,
        ("a", "s2"): 1, ("b", "s3"): 1, ("c", "s4"): 1,
    }  # fmt: skip
    demands = [demand(1, 5), demand(2, 1), demand(3, 1), demand(4, 1)]
    plan = plan_split(demands, free, max_parts=4)
    assert sent(plan) == {"a": {1: 1, 2: 1}, "b": {3: 1}, "c": {1: 4, 4: 1}}


def test_the_set_that_tears_fewer_lines_is_chosen_when_parcels_are_as_many() -> None:
    """S3: two parcels either way; with c no line is torn."""
    free = {("a", "s1"): 2, ("b", "s1"): 1, ("b", "s2"): 1, ("c", "s1"): 3, ("c", "s3"): 0}
    plan = plan_split([demand(1, 3), demand(2, 1)], free, max_parts=4)
    assert sent(plan) == {"b": {2: 1}, "c": {1: 3}}
    assert isinstance(plan, Plan)
    assert plan.alternatives == (("a", "b"),)


def test_warehouses_send_only_what_they_may_when_classes_differ() -> None:
    """C2: free units in a warehouse that may not send them do not count."""
    free = {("a", "s1"): 5, ("b", "s1"): 5}
    assert sent(plan_split([demand(1, 2, "b")], free, max_parts=4)) == {"b": {1: 2}}


def test_what_is_missing_is_told_when_there_is_too_little() -> None:
    """O1: each short line with its figures, the others not."""
    free = {("a", "s1"): 1, ("b", "s1"): 1, ("a", "s2"): 9}
    assert plan_split([demand(1, 3), demand(2, 1)], free, max_parts=4) == [Shortage("s1", 3, 2)]


def test_nothing_is_missing_when_only_the_number_of_parcels_stands_against_it() -> None:
    """S3: at most four parts; that is another reason than being out of stock (rules.md 1)."""
    free = {(code, "s1"): 1 for code in WAREHOUSES}
    assert isinstance(plan_split([demand(1, 4)], free, max_parts=4), Plan)
    assert plan_split([demand(1, 5)], free, max_parts=4) == []


# --- against an oracle -----------------------------------------------------------------------


def oracle(demands: list[Demand], free: dict[tuple[str, str], int], limit: int) -> int | None:
    """Fewest parcels, by trying every way to take units from every warehouse."""
    fewest = None
    per_line = []
    for one in demands:
        ways = product(
            *(
                range(min(one.quantity, free.get((code, one.sku), 0)) + 1)
                if code in one.warehouses
                else (0,)
                for code in WAREHOUSES[:4]
            )
        )
        per_line.append([way for way in ways if sum(way) == one.quantity])
    for chosen in product(*per_line):
        parcels = sum(any(way[n] for way in chosen) for n in range(4))
        if parcels <= limit and (fewest is None or parcels < fewest):
            fewest = parcels
    return fewest


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Demand], dict[tuple[str, str], int], int]:
    """Up to three lines in up to four warehouses, each line in its own order of preference."""
    order = draw(st.permutations(WAREHOUSES[:4]))
    demands, free = [], {}
    for line in range(1, draw(st.integers(1, 3)) + 1):
        allowed = draw(st.sets(st.sampled_from(order), min_size=1))
        codes = tuple(code for code in order if code in allowed)
        demands.append(Demand(line, f"s{line}", draw(st.integers(1, 4)), codes))
        for code in order:
            free[code, f"s{line}"] = draw(st.integers(0, 4))
    return demands, free, draw(st.integers(1, 4))


@settings(max_examples=300)
@forall(cases())
def test_a_plan_equals_the_oracle_on_small_cases(
    case: tuple[list[Demand], dict[tuple[str, str], int], int],
) -> None:
    """S3: everything or nothing, never more than is free, in the fewest parcels."""
    demands, free, limit = case
    plan = plan_split(demands, free, max_parts=limit)
    fewest = oracle(demands, free, limit)
    if not isinstance(plan, Plan):
        assert fewest is None
        short = {d.sku for d in demands if sum(free[c, d.sku] for c in d.warehouses) < d.quantity}
        assert {one.sku for one in plan} == short
        return
    assert len(plan.parts) == fewest
    assert [part.part for part in plan.parts] == list(range(1, len(plan.parts) + 1))
    allocated = sent(plan)
    for one in demands:
        pieces = {code: units[one.line] for code, units in allocated.items() if one.line in units}
        assert sum(pieces.values()) == one.quantity
        for code, quantity in pieces.items():
            assert code in one.warehouses
            assert 0 < quantity <= free[code, one.sku]
        for fewer in range(1, len(pieces)):  # torn no further than these parcels make necessary
            for codes in combinations([c for c in allocated if c in one.warehouses], fewer):
                assert sum(free[code, one.sku] for code in codes) < one.quantity


def test_a_plan_is_the_same_when_made_again() -> None:
    """S1: the same question gives the same plan."""
    free = {(code, sku): 2 for code in WAREHOUSES for sku in ("s1", "s2")}
    demands = [demand(1, 3, "cab"), demand(2, 3, "bca")]
    assert plan_split(demands, free, max_parts=4) == plan_split(demands, free, max_parts=4)


@pytest.mark.parametrize("limit", [1, 2])
def test_no_more_parts_are_made_than_the_house_allows(limit: int) -> None:
    """S3: limits on splits."""
    free = {("a", "s1"): 1, ("b", "s1"): 1}
    plan = plan_split([demand(1, 2)], free, max_parts=limit)
    assert (plan == []) is (limit == 1)
