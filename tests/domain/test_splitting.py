"""Splitting: fewest parcels, whole lines, never more than there is (S1, S3)."""

from dataclasses import dataclass
from itertools import combinations, product

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from domain.cargo import Cargo, together
from domain.rate_facts import Wanted, Why
from domain.splits import Floor
from domain.splitting import Demand, Plan, Shipping, Shortage, plan_split
from tests.domain.splitting_oracle import least

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


# --- at the least cost -----------------------------------------------------------------------


@dataclass(frozen=True)
class Station:
    """A warehouse whose parcels cost so much, by weight and by what is in them."""

    first_fen: int = 600
    step_fen: int = 200
    step_grams: int = 1_000
    packing_fen: int = 100
    fragile_fen: int = 0
    grams_max: int = 10_000
    divisor: int = 6_000

    @property
    def floor(self) -> Floor:
        levels = [
            (min(grams, self.grams_max), self.freight(Cargo(grams)) + self.packing_fen)
            for grams in range(1_000, self.grams_max + self.step_grams, self.step_grams)
        ]
        return Floor(levels, divisor=self.divisor)

    def freight(self, cargo: Cargo) -> int:
        """By the first kilogramme, and by steps."""
        charged = max(cargo.grams, -(-cargo.mm3 // self.divisor))
        return self.first_fen + self.step_fen * max(0, -(-(charged - 1_000) // self.step_grams))

    def price(self, cargo: Cargo) -> int | None:
        """Freight and packing; None: too heavy."""
        if cargo.grams > self.grams_max:
            return None
        return self.freight(cargo) + self.packing_fen + self.fragile_fen * cargo.fragile

    def ship(self, cargo: Cargo) -> Shipping:
        """As the rate cards would say it."""
        return Shipping(
            carrier="ems",
            freight_fen=self.freight(cargo) + self.fragile_fen * cargo.fragile,
            packaging_fen=self.packing_fen,
            handling_fen=0,
            chargeable_grams=cargo.grams,
            hours=48,
            wanted=Wanted.ECONOMICAL,
            why=Why.ONLY_ONE,
            costs_fen={"ems": self.freight(cargo)},
        )


NEAR, FAR = Station(step_fen=100), Station(first_fen=900, step_fen=300)


def heavy(line: int, quantity: int, grams: int, warehouses: str = "ab") -> Demand:
    return Demand(line, f"s{line}", quantity, tuple(warehouses), Cargo(grams=grams))


def planned(demands: list[Demand], free: dict[tuple[str, str], int], **stations: Station) -> Plan:
    found = plan_split(demands, free, max_parts=4, senders=stations)
    assert isinstance(found, Plan)
    return found


def test_the_cheaper_warehouse_sends_it_when_both_can() -> None:
    """S1: least total cost, though the other one is named first; the other's cost is told."""
    plan = planned([heavy(1, 2, 900)], {("a", "s1"): 5, ("b", "s1"): 5}, a=FAR, b=NEAR)
    assert sent(plan) == {"b": {1: 2}}
    assert (plan.chosen_for, plan.alternatives) == ("least_cost", (("a",), ("a", "b")))
    assert plan.costs is not None
    assert (plan.costs.total_fen, plan.costs.alternatives_fen) == (800, (1_300, 1_700))


def test_two_parcels_go_when_they_cost_less_than_one() -> None:
    """S1: cost before number; a parcel from far costs more than a second one from near."""
    free = {("a", "s1"): 1, ("a", "s2"): 1, ("b", "s1"): 1, ("c", "s2"): 1}
    demands = [heavy(1, 1, 4_000, "abc"), heavy(2, 1, 4_000, "abc")]
    dear = Station(first_fen=900, step_fen=500)
    plan = planned(demands, free, a=dear, b=NEAR, c=NEAR)
    assert sent(plan) == {"b": {1: 1}, "c": {2: 1}}
    assert plan.costs is not None
    assert ("a",) in plan.alternatives
    assert plan.costs.total_fen < plan.costs.alternatives_fen[0]


def test_one_parcel_goes_when_two_cost_the_same() -> None:
    """S3: fewer parcels at equal cost."""
    free = {("a", "s1"): 1, ("a", "s2"): 1, ("b", "s1"): 1, ("c", "s2"): 1}
    demands = [heavy(1, 1, 500, "bca"), heavy(2, 1, 500, "bca")]
    double = Station(first_fen=1_300)
    plan = planned(demands, free, a=double, b=Station(), c=Station())
    assert sent(plan) == {"a": {1: 1, 2: 1}}
    assert plan.costs is not None
    assert plan.costs.alternatives_fen[0] == plan.costs.total_fen


def test_a_line_is_torn_when_that_costs_less() -> None:
    """S1, S3: not only when it has to be."""
    free = {("a", "s1"): 9, ("b", "s1"): 9, ("b", "s2"): 1}
    demands = [heavy(1, 3, 500), heavy(2, 1, 500)]
    # Half a kilogramme more is free in b's parcel, which has to go anyhow; a's would cost a step.
    plan = planned(demands, free, a=Station(step_fen=900), b=Station(first_fen=700, step_fen=5_000))
    assert sent(plan) == {"a": {1: 2}, "b": {1: 1, 2: 1}}


def test_two_parcels_leave_one_warehouse_when_one_would_be_too_heavy() -> None:
    """S3: limits on parcels; the order is not refused for its weight."""
    plan = planned([heavy(1, 3, 4_000)], {("a", "s1"): 3, ("b", "s1"): 0}, a=NEAR, b=FAR)
    assert [part.warehouse for part in plan.parts] == ["a", "a"]
    assert sum(unit.quantity for part in plan.parts for unit in part.units) == 3
    free = {("a", "s1"): 9}
    assert plan_split([heavy(1, 9, 6_000)], free, max_parts=4, senders={"a": NEAR, "b": NEAR}) == []


def test_each_part_says_how_it_goes_and_what_it_costs() -> None:
    """S1, W4: carrier, freight, packaging, weight and time of every part add up to the plan's."""
    free = {("a", "s1"): 1, ("b", "s2"): 1}
    plan = planned([heavy(1, 1, 1_200), heavy(2, 1, 700)], free, a=NEAR, b=FAR)
    ships = [part.shipping for part in plan.parts]
    assert [one and (one.chargeable_grams, one.freight_fen) for one in ships] == [
        (1_200, 700),
        (700, 900),
    ]
    assert plan.costs is not None
    assert plan.costs.total_fen == sum(one.total_fen for one in ships if one)


stations = st.builds(
    Station,
    first_fen=st.integers(0, 12).map(lambda n: n * 100),
    step_fen=st.integers(0, 6).map(lambda n: n * 50),
    step_grams=st.sampled_from([500, 1_000]),
    packing_fen=st.sampled_from([0, 100, 350]),
    fragile_fen=st.sampled_from([0, 0, 250]),
    grams_max=st.sampled_from([2_000, 5_000, 20_000]),
    divisor=st.sampled_from([6_000, 6_000, 8_000]),
)
goods = st.builds(
    Cargo,
    grams=st.sampled_from([0, 300, 500, 900, 1_000, 1_700]),
    mm3=st.sampled_from([0, 0, 0, 4_000_000, 9_000_000]),
    longest_mm=st.just(0),
    value_fen=st.just(0),
    fragile=st.booleans(),
    packaging=st.just(frozenset[str]()),
)


@st.composite
def priced_cases(
    draw: st.DrawFn,
) -> tuple[list[Demand], dict[tuple[str, str], int], int, dict[str, Station]]:
    """Up to four lines in up to four warehouses, prices and limits of every kind."""
    codes = draw(st.permutations(WAREHOUSES[:4]))
    sizes = draw(st.sampled_from([(3,), (4,), (2, 3), (3, 3), (2, 2, 2), (1, 2, 3), (1, 1, 2, 2)]))
    demands, free = [], {}
    for line, quantity in enumerate(sizes, start=1):
        allowed = draw(st.sets(st.sampled_from(codes), min_size=1))
        names = tuple(code for code in codes if code in allowed)
        demands.append(Demand(line, f"s{line}", quantity, names, draw(goods)))
        for code in codes:
            free[code, f"s{line}"] = draw(st.integers(0, quantity + 1))
    return demands, free, draw(st.integers(1, 4)), {code: draw(stations) for code in codes}


Case = tuple[list[Demand], dict[tuple[str, str], int], int, dict[str, Station]]


@settings(max_examples=120, deadline=None)
@forall(priced_cases())
def test_a_plan_costs_what_the_oracle_says_on_small_cases(case: Case) -> None:
    """S1, S3: the least cost, then the fewest parcels, then the fewest pieces; never too much."""
    check(*case)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=2_500, deadline=None)
@forall(priced_cases())
def test_a_plan_costs_what_the_oracle_says_on_thousands_of_cases(case: Case) -> None:
    """S1, S3: the same, and for longer."""
    check(*case)


@settings(max_examples=120, deadline=None)
@forall(priced_cases(), st.data())
def test_parcels_that_go_anyhow_take_more_where_the_oracle_says_so(
    case: Case, data: st.DataObject
) -> None:
    """S1, S3: the difference counts, and they are no further parcels (rules.md 1)."""
    demands, free, limit, senders = case
    limit -= data.draw(st.integers(0, 1))
    codes = data.draw(st.sets(st.sampled_from(sorted(senders)), max_size=2))
    full = {code: data.draw(goods) for code in codes}
    going = {code: one for code, one in full.items() if senders[code].price(one) is not None}
    plan = plan_split(demands, free, max_parts=limit, senders=senders, going=going)
    best = with_going(demands, free, limit, senders, going)
    if not isinstance(plan, Plan):
        assert best is None
        return
    assert plan.costs is not None
    assert plan.costs.total_fen == best
    new = [part.warehouse for part in plan.parts if part.warehouse not in going]
    assert len(new) <= limit
    assert len(set(going)) + len(new) >= len(plan.parts)


def with_going(
    demands: list[Demand],
    free: dict[tuple[str, str], int],
    limit: int,
    senders: dict[str, Station],
    going: dict[str, Cargo],
) -> int | None:
    """The least cost of the parcels that go and the new ones, by trying everything."""
    places = [
        range(min(one.quantity, free[code, one.sku] * (code in one.warehouses)) + 1)
        for code in going
        for one in demands
    ]
    best = None
    for taken in product(*places):
        rows = [taken[n : n + len(demands)] for n in range(0, len(taken), len(demands))]
        fens = [
            senders[code].price(together([(full, 1), *zip(kinds(demands), row, strict=True)]))
            for (code, full), row in zip(going.items(), rows, strict=True)
        ]
        left = [
            one._replace(
                quantity=one.quantity - sum(row[n] for row in rows),
                warehouses=[code for code in one.warehouses if code not in going],
            )
            for n, one in enumerate(demands)
        ]
        if None in fens or any(one.quantity < 0 for one in left):
            continue
        prices = {code: one.price for code, one in senders.items()}
        rest = least(left, free, max_parts=limit, prices=prices)
        if rest is not None:
            fen = rest[0] + sum(fen for fen in fens if fen is not None)
            best = fen if best is None else min(best, fen)
    return best


def kinds(demands: list[Demand]) -> list[Cargo]:
    return [one.goods for one in demands]


def check(
    demands: list[Demand],
    free: dict[tuple[str, str], int],
    limit: int,
    senders: dict[str, Station],
) -> None:
    """The plan against the oracle."""
    plan = plan_split(demands, free, max_parts=limit, senders=senders)
    prices = {code: one.price for code, one in senders.items()}
    best = least(demands, free, max_parts=limit, prices=prices)
    if not isinstance(plan, Plan):
        assert best is None
        return
    assert plan.costs is not None
    pieces = sum(len(part.units) for part in plan.parts)
    assert (plan.costs.total_fen, len(plan.parts), pieces) == best
    assert plan.chosen_for == "least_cost"
    taken: dict[tuple[str, int], int] = {}
    for part in plan.parts:
        assert part.units
        for unit in part.units:
            place = (str(part.warehouse), unit.line)
            taken[place] = taken.get(place, 0) + unit.quantity
    for one in demands:
        assert sum(n for (_, line), n in taken.items() if line == one.line) == one.quantity
        for code in WAREHOUSES:
            units = taken.get((code, one.line), 0)
            assert units == 0 or (code in one.warehouses and units <= free[code, one.sku])
    fens = plan.costs.alternatives_fen
    assert len(fens) == len(plan.alternatives)
    assert list(fens) == sorted(fens)
    assert all(fen >= plan.costs.total_fen for fen in fens)
