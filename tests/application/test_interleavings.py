"""What people, carriers and the house itself do to an order at once or in any order (R19).

Returns, cancellations, payments, packing, scans and timers meet on the real store: every pair that
matters from every point an order can be at, in both orders and really at once in two processes'
writers, and all 24 orders of four. Points, stock, cash and states are checked after each command.
"""

import asyncio
import hashlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from psycopg import AsyncConnection

from application import ordering, stocking
from application.envelope import Context
from application.granting import GRANTS, Grant, grant_command
from application.issuing import TooEarly
from application.store import Store
from application.streams import ORDER
from application.unit import Command, Unit
from application.vault import MasterKeys, Vault
from domain.order_facts import State
from domain.payment_facts import CashRefundRequested, PaymentCaptured
from domain.point_facts import Reason
from domain.refusals import Refusal
from domain.warehouses import EVERYWHERE, Warehouse
from projections.runner import Reader, read_events
from projections.verifying import verify
from projections.views import all_views
from tests.application.cases import Case
from tests.application.interleaving_laws import Seen, broken
from tests.application.interleavings import (
    COMMANDS,
    FOURS,
    GRANT,
    PLACES,
    RULES,
    STARTS,
    Start,
    open_case,
)
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

PATIENCE = timedelta(minutes=5)
"""No law is broken by a machine that others use, too."""
AT_ONCE = 64
"""Sequences under way at a time."""


class Ran(NamedTuple):
    """What commands answered, in a given order, and what came of them."""

    answers: tuple[str, ...]
    outline: tuple[object, ...]


@dataclass
class Mall:
    """Two processes' writers on one log, and what is noticed there."""

    database: MallDatabase
    stores: tuple[Store, Store]
    found: list[str] = field(default_factory=list)
    """Laws that did not hold, with the sequence."""
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each command was done or refused."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """Each order as it was seen last."""
    serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def begin(self, start: Start) -> Case:
        """An order at this point, brought there in one commit."""
        case = Case(f"c{next(self.serial)}", start.cash, start.spare, start.third)

        def decide(unit: Unit) -> dict[str, Any]:
            open_case(unit, case)
            for step in start.steps:
                COMMANDS[step](unit, case)
            return {}

        context = Context(actor="service:lms", command=case.name)
        granted = Grant(case.learner, GRANT, Reason.TASK, case.name)
        await self.stores[0].execute(grant_command(granted, context, rules=RULES))
        await self.stores[0].execute(_command(case, "begin", decide))
        return case

    async def attempt(self, case: Case, name: str, *, at: int = 0) -> str:
        """Do something; `done`, or the code it is refused with."""

        def decide(unit: Unit) -> dict[str, Any]:
            return COMMANDS[name](unit, case)

        try:
            outcome = await self.stores[at].execute(_command(case, name, decide))
            answer = "repeated" if outcome.repeated else "done"
        except Refusal as refusal:
            answer = refusal.code
        except TooEarly:
            answer = "too_early"
        self.answers[name, "done" if answer == "done" else "refused"] += 1
        return answer

    async def look(self, case: Case, *, at: int = 0) -> Seen:
        """The case, exact."""
        found: list[Seen] = []

        def decide(unit: Unit) -> dict[str, Any]:
            found.append(Seen.of(unit, case))
            return {}

        await self.stores[at].execute(_command(case, "look", decide, asks_only=True))
        self.seen[case.number] = found[-1]  # it may have been decided twice, ahead and anew
        return found[-1]

    async def run(self, start: str, steps: Sequence[str]) -> Ran:
        """One after another, with every law checked after each."""
        async with self.room:
            case = await self.begin(STARTS[start])
            before = await self.look(case)
            self.judge(start, [], None, before, clawed=False)
            answers: list[str] = []
            clawed = False
            for nth, name in enumerate(steps):
                answer = await self.attempt(case, name)
                after = await self.look(case)
                answers.append(answer)
                clawed = clawed or (name, answer) == ("claw_back", "done")
                self.judge(start, steps[: nth + 1], before, after, clawed=clawed)
                if answer != "done" and after != before:
                    self.found.append(f"{start}: {steps[: nth + 1]} was {answer} and had effect")
                before = after
            return Ran(tuple(answers), before.outline())

    async def race(self, start: str, *names: str, pauses: Sequence[float] = (0, 0)) -> Ran:
        """All at once, or after a pause each, by the two processes' writers in turn."""
        async with self.room:
            case = await self.begin(STARTS[start])

            async def after(pause: float, name: str, at: int) -> str:
                await asyncio.sleep(pause)
                return await self.attempt(case, name, at=at)

            answers = await asyncio.gather(*map(after, pauses, names, itertools.cycle((0, 1))))
            seen = await self.look(case, at=1)
            clawed = ("claw_back", "done") in zip(names, answers, strict=True)
            self.judge(start, [*names, "at once"], None, seen, clawed=clawed)
            return Ran(tuple(answers), seen.outline())

    def judge(
        self, start: str, steps: Sequence[str], before: Seen | None, seen: Seen, *, clawed: bool
    ) -> None:
        """Note what does not hold."""
        self.found += [
            f"{start}: {list(steps)}: {one}" for one in broken(before, seen, clawed=clawed)
        ]

    async def end(self) -> list[str]:
        """All that was noticed, cash that does not add up, and what verifying finds (A2)."""
        url, schema = self.database.service_url, self.database.schema
        reader = Reader(url, schema=schema, views=all_views(RULES))
        await reader.catch_up()
        await reader.close()
        checked = await verify(self.database.owner_url, schema=schema, views=all_views(RULES))
        async with await AsyncConnection.connect(url) as connection:
            events = await read_events(connection, schema, after=0, limit=10**6)
        facts: dict[str, list[Any]] = {}
        for event in events:
            if event.envelope.category == ORDER.name:
                facts.setdefault(event.envelope.key, []).append(event.envelope.fact)
        cash = [
            f"{number}: {what}"
            for number, seen in self.seen.items()
            for what in _broken_cash(seen, facts[number])
        ]
        return [*self.found, *cash, *map(str, checked.differences)]


def _broken_cash(seen: Seen, facts: Sequence[Any]) -> Iterator[str]:
    """What came is kept or asked back, and each payment that came too late is asked back once."""
    payments = {one.attempt: one.amount_fen for one in facts if isinstance(one, PaymentCaptured)}
    captured = sum(payments.values())
    asked = [one for one in facts if isinstance(one, CashRefundRequested)]
    late = [one.refund for one in asked if one.attempt not in payments]
    back = sum(one.amount_fen for one in asked if one.refund not in late)
    kept = seen.order.cash_fen if seen.order.payment else 0
    if captured != kept + back:
        yield f"{captured} fen came, {kept} are kept, {back} go back"
    names = [one.refund for one in asked]
    if len(names) != len(set(names)) or set(names) != {name for name, _ in seen.order.refunds}:
        yield f"refunds {names} are not those of the order"


def _command(case: Case, name: str, decide: Any, *, asks_only: bool = False) -> Command:
    """A command under a key of its own; a claw-back's is the grant's, as in production."""
    key = f"{case.name}:{name}" if name == "claw_back" else f"{case.name}:{name}:{next(_KEYS)}"
    principal = GRANTS if name == "claw_back" else "test"
    digest = hashlib.sha256(name.encode()).digest()
    context = Context(actor="service:test", command=key)
    return Command(
        principal, key, digest, context, decide, streams=[ORDER.stream(case.number)],
        subject=case.learner, asks_only=asks_only,
    )  # fmt: skip


_KEYS = itertools.count(1)


@pytest.fixture
async def mall(database: MallDatabase) -> AsyncIterator[Mall]:
    """Three warehouses that send everywhere, one of them a third party's."""
    vault = Vault(MasterKeys.new(), tenant=database.schema)
    one, other = (
        Store(database.service_url, schema=database.schema, vault=vault, patience=PATIENCE)
        for _ in range(2)
    )
    async with one, other:

        def decide(unit: Unit) -> dict[str, Any]:
            for code in PLACES:
                warehouse = Warehouse(
                    code=code,
                    name=code,
                    province="浙江省",
                    city="杭州市",
                    serves=(EVERYWHERE,),
                    third_party=code in RULES.third_parties,
                )
                stocking.put_warehouse(unit, warehouse=warehouse)
            return {}

        await one.execute(
            Command("test", "open", b"", Context(actor="service:test", command="open"), decide)
        )
        yield Mall(database, (one, other))


async def every_order(mall: Mall, pairs: Sequence[tuple[str, str, str]]) -> dict[Any, Ran]:
    """Each pair in both orders: what came of it."""
    sequences = [(start, two) for start, *both in pairs for two in (tuple(both), tuple(both[::-1]))]
    came = await asyncio.gather(*(mall.run(start, two) for start, two in sequences))
    return dict(zip(sequences, came, strict=True))


async def at_once(mall: Mall, pairs: Sequence[tuple[str, str, str]], serial: Any) -> list[str]:
    """Each pair at once: what came of it must be what came of one of its orders."""
    found = []
    for pair, raced in zip(
        pairs, await asyncio.gather(*(mall.race(*p) for p in pairs)), strict=True
    ):
        start, one, other = pair
        first, second = serial[start, (one, other)], serial[start, (other, one)]
        if raced not in (first, Ran(second.answers[::-1], second.outline)):
            found.append(f"{pair}: {raced.answers} is neither {first.answers} nor {second.answers}")
    return found


def pairs_of(matter: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
    """Every two that can meet at a start."""
    return [
        (start, one, other)
        for start, names in matter.items()
        for one, other in itertools.combinations(names, 2)
    ]


MATTER = {name: start.matter for name, start in STARTS.items()}


@pytest.mark.slow
async def test_every_law_holds_when_two_commands_meet_in_any_order(mall: Mall) -> None:
    """R19: whatever matters at each point of an order, in both orders and really at once."""
    pairs = pairs_of(MATTER)
    assert len(pairs) > 200
    serial = await every_order(mall, pairs)
    unequal = await at_once(mall, pairs, serial)
    wrong = await mall.end()
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
    assert not unequal, f"{len(unequal)}:\n" + "\n".join(unequal[:40])
    met = {name for names in MATTER.values() for name in names}
    assert [name for name in sorted(met) if not mall.answers[name, "done"]] == []
    assert sum(count for (_, answer), count in mall.answers.items() if answer == "refused") > 100


async def test_every_law_holds_when_four_commands_meet_in_all_24_orders(mall: Mall) -> None:
    """R19: return, cancel, pay, pack, ship, short pick, erase; points are returned once."""
    sequences = [
        (start, order) for start, four in FOURS.items() for order in itertools.permutations(four)
    ]
    assert len(sequences) == 24 * len(FOURS)
    await asyncio.gather(*(mall.run(start, order) for start, order in sequences))
    wrong = await mall.end()
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])


def _unordered(names: Sequence[str], ran: Ran) -> tuple[object, ...]:
    """What each of the commands was answered, and what came of them."""
    return dict(zip(names, ran.answers, strict=True)), ran.outline


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_four_commands_at_once_do_what_one_of_their_orders_does(mall: Mall) -> None:
    """R19: ship, cancel, receive, return on one order, 24 orders x 20 at random moments, really at
    once in two processes: what each is answered and what comes of it is one of the 24."""
    orders = list(itertools.permutations(FOURS["packed"]))
    legal = [_unordered(order, await mall.run("packed", order)) for order in orders]
    chance = random.Random(19)
    moments = [sorted(chance.uniform(0, 0.004) for _ in range(4)) for _ in range(20)]
    races = [(order, pauses) for order in orders for pauses in moments]
    came = await asyncio.gather(
        *(mall.race("packed", *order, pauses=pauses) for order, pauses in races)
    )
    met = [_unordered(order, ran) for (order, _), ran in zip(races, came, strict=True)]
    assert len(met) == 24 * 20
    assert [one for one in met if one not in legal] == []
    assert sum(one in met for one in legal) > 3  # not one and the same every time
    assert await mall.end() == []


async def test_a_receipt_told_too_early_counts_once_the_parcel_is_handed_over(mall: Mall) -> None:
    """T2, C3: goods on their shelf were received by nobody, whatever their carrier's track says."""
    early = await mall.run("planned", ("sign", "pick"))
    late = await mall.run("planned", ("sign", "pick", "box", "label", "hand_over"))
    assert (early.outline[0], late.outline[0]) == (State.PENDING_SHIPMENT, State.PENDING_END)
    assert await mall.end() == []


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("start", STARTS)
async def test_every_law_holds_when_any_two_commands_meet_anywhere(mall: Mall, start: str) -> None:
    """R19: all pairs of all commands from all points, also those that make no sense."""
    pairs = pairs_of({start: tuple(COMMANDS)})
    serial = await every_order(mall, pairs)
    unequal = await at_once(mall, pairs, serial)
    wrong = await mall.end()
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
    assert not unequal, f"{len(unequal)}:\n" + "\n".join(unequal[:40])
    assert {name for name, _ in mall.answers} == set(COMMANDS)


async def test_it_is_found_when_points_come_back_twice(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R19 CONTROL: a cancellation that gives points back, and gives them back."""
    once = ordering._restore

    def twice(*known: Any, **named: Any) -> None:
        once(*known, **named)
        once(*known, **named)

    monkeypatch.setattr(ordering, "_restore", twice)
    await mall.run("paid", ("cancel_one", "cancel"))
    assert any("points are not" in one for one in mall.found)


async def test_it_is_found_when_a_shared_parcel_is_unpacked_for_one_of_its_orders(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R19 CONTROL: who cancels takes the parcel along that another order is still in (S4)."""
    monkeypatch.setattr(ordering, "live_contents", lambda *_: [])
    await mall.run("merged", ("cancel_second",))
    assert any("is in a parcel that was unpacked" in one for one in mall.found)


async def test_it_is_found_when_two_commands_do_what_neither_order_does(mall: Mall) -> None:
    """R19 CONTROL: what came of a race is held against another pair's orders."""
    pair = ("paid", "cancel", "pack")
    serial = await every_order(mall, [("paid", "cancel_one", "pack")])
    other = {("paid", ("cancel", "pack")): "cancel_one", ("paid", ("pack", "cancel")): ""}
    wrong = {
        order: serial["paid", ("cancel_one", "pack") if name else ("pack", "cancel_one")]
        for order, name in other.items()
    }
    assert await at_once(mall, [pair], wrong)
