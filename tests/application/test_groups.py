"""What a group leaves behind: states, keys, cards and answers are those of the log, or none."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from application import faults, states, store
from application.cards import open_card
from application.granting import erase_learner
from application.outcomes import Outcome, RefusedBefore, Unavailable
from application.proof import Frontier, leaf_hash
from application.store import Store
from application.streams import ACCOUNT, ORDER
from application.unit import Command, Unit
from application.vault import Vault
from domain.refusals import OrderRefused, Refusal
from tests.conftest import MallDatabase
from tests.reliability.workload import (
    MASTER,
    SKU,
    assert_whole,
    command,
    fill,
    grant,
    log_of,
    query,
    redemption,
    store_on,
    tried,
    until,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("one_by_one")]


def _kept(mall: Store) -> int:
    held = mall._writer.states
    return len(held) + len(held._older)


def _seal(key: str, text: bytes = b"secret") -> Command:
    def decide(unit: Unit) -> dict[str, Any]:
        return {"card": unit.seal("lin", "note", text)}

    return command(decide, key=key, subject="lin")


def _erase() -> Command:
    return command(lambda unit: erase_learner(unit, learner="lin", reason="asked for it"))


def _personal(database: MallDatabase) -> tuple[int, int]:
    """(keys, cards)."""
    ((keys,),) = query(database, "SELECT count(*) FROM {}_keys.subject_keys")
    ((cards,),) = query(database, "SELECT count(*) FROM {}.cards")
    return keys, cards


async def _on_card(database: MallDatabase, sealed: Outcome) -> bytes | None:
    vault = Vault(MASTER, tenant=database.schema)
    card = json.loads(sealed.answer)["card"]
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        return await open_card(connection, database.schema, vault, card)


async def test_states_stay_bounded_when_another_store_appends_in_between(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "KEPT_MAX", 10)
    async with store_on(database) as mall, store_on(database) as other:
        for number in range(30):
            await other.execute(grant(f"other-{number}", 1))
            await mall.execute(grant(f"mine-{number}", 1))
        assert _kept(mall) <= 12


async def test_an_order_is_known_when_it_was_asked_for_before_it_was_placed(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "T" + hashlib.sha256(b"lin k").hexdigest()[:20].upper()

    def asking() -> Command:
        return command(lambda unit: {"of": unit.read(ORDER, number).learner}, asks_only=True)

    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 10}, learners=["lin"])
        assert b'"lin"' not in (await mall.execute(asking())).answer
        with monkeypatch.context() as patch:  # all that is kept is of the older generation
            patch.setattr(states, "KEPT_MAX", 0)
            await mall.execute(grant("wang", 1))
        assert ORDER.stream(number) in mall._writer.states._older
        await mall.execute(redemption(mall, "lin", key="k"))
        assert b'"lin"' in (await mall.execute(asking())).answer


async def test_its_caller_alone_fails_when_a_decision_answers_nothing(
    database: MallDatabase,
) -> None:
    def nothing(unit: Unit) -> Any:
        grant("lin", 7, "lost").decide(unit)

    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1, "first"))
        results = await asyncio.gather(
            mall.execute(command(nothing)),
            mall.execute(grant("lin", 1, "second")),
            return_exceptions=True,
        )
        assert mall.writing
        assert isinstance(results[0], TypeError)
        assert isinstance(results[1], Outcome)
        assert (await mall.execute(grant("lin", 1, "third"))).position == 3
        assert sum(lot.points for lot in mall.peek(ACCOUNT, "lin").lots) == 3
    assert_whole(log_of(database))


async def test_answers_are_ones_own_when_decisions_return_the_same_dict(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: dict[str, Any] = {"done": True}

    def adding(source: str) -> Command:
        def decide(unit: Unit) -> dict[str, Any]:
            grant("lin", 1, source).decide(unit)
            return done

        return command(decide)

    monkeypatch.setattr(store, "BATCH_MIN", 16)  # all in one group
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1, "first"))
        results = await asyncio.gather(*(mall.execute(adding(f"s{n}")) for n in range(5)))
    assert [one.position for one in results] == [2, 3, 4, 5, 6]
    assert [json.loads(one.answer)["position"] for one in results] == [2, 3, 4, 5, 6]
    assert done == {"done": True}


async def test_a_refusal_is_kept_when_it_was_decided_ahead(database: MallDatabase) -> None:
    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 1}, learners=["lin", "wang"])
        late = redemption(mall, "wang")
        first, second = await asyncio.gather(
            mall.execute(redemption(mall, "lin")), tried(mall, late)
        )
        assert isinstance(first, Outcome)
        assert isinstance(second, OrderRefused)
        await fill(mall, shelves={SKU: 5})
        again = await tried(mall, late)
        assert isinstance(again, RefusedBefore)
        assert again.code == second.code
    async with store_on(database) as other:
        assert isinstance(await tried(other, late), RefusedBefore)


async def test_a_question_sees_the_group_under_way_and_leaves_nothing(
    database: MallDatabase,
) -> None:
    asking = command(lambda unit: {"lots": len(unit.read(ACCOUNT, "lin").lots)}, asks_only=True)
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1, "first"))
        granted, asked = await asyncio.gather(
            mall.execute(grant("lin", 1, "second")), mall.execute(asking)
        )
    assert json.loads(asked.answer) == {"lots": 2}
    assert asked.position == granted.position == 2
    ((kept,),) = query(database, "SELECT count(*) FROM {}.commands WHERE key = %s", asking.key)
    assert kept == 0


async def test_a_new_card_has_a_new_key_when_the_group_under_way_destroys_the_old(
    database: MallDatabase,
) -> None:
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1))
        before = await mall.execute(_seal("before"))
        _, after = await asyncio.gather(mall.execute(_erase()), mall.execute(_seal("after")))
    assert await _on_card(database, before) is None
    assert await _on_card(database, after) == b"secret"
    assert _personal(database) == (1, 1)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("first", ["seal", "erase"])
async def test_neither_key_nor_card_stays_when_one_group_seals_and_erases(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch, first: str, known: bool
) -> None:
    monkeypatch.setattr(store, "BATCH_MIN", 16)
    both = [_seal("card"), _erase()] if first == "seal" else [_erase(), _seal("card")]
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1))
        if known:
            await mall.execute(_seal("before"))
        await asyncio.gather(*map(mall.execute, both))
        assert _personal(database) == (0, 0)
        assert await _on_card(database, await mall.execute(_seal("after"))) == b"secret"


async def test_no_key_is_used_when_it_was_destroyed_while_no_state_was_kept(
    database: MallDatabase,
) -> None:
    async with store_on(database) as mall, store_on(database) as other:
        await mall.execute(_seal("before"))
        assert not mall._writer.states
        await other.execute(_erase())
        assert await _on_card(database, await mall.execute(_seal("after"))) == b"secret"


async def test_cards_can_be_read_when_the_group_that_made_their_key_was_cut(
    database: MallDatabase,
) -> None:
    cut = iter([psycopg.OperationalError("cut"), RuntimeError("a bug")])

    def fail() -> None:
        for error in cut:
            raise error

    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1))
        faults.ARMED["before_commit"] = fail
        results = await asyncio.gather(
            *(mall.execute(_seal(f"s{n}", b"%d" % n)) for n in range(4)), return_exceptions=True
        )
    sealed = [(b"%d" % n, one) for n, one in enumerate(results) if isinstance(one, Outcome)]
    assert len(sealed) >= 3  # the bug is told to one at most
    for text, one in sealed:
        assert await _on_card(database, one) == text
    assert _personal(database) == (1, len(sealed))


async def test_the_tree_is_that_of_the_log_when_groups_are_cut_and_begun_anew(
    database: MallDatabase,
) -> None:
    tries = iter(range(1_000))

    def fail_sometimes() -> None:
        number = next(tries)
        if number % 5 == 1:
            raise psycopg.OperationalError("cut")

    async with store_on(database) as mall, store_on(database) as other:
        await fill(mall, shelves={SKU: 50}, learners=["lin", "wang"])
        faults.ARMED.update(before_commit=fail_sometimes, after_commit=fail_sometimes)
        sending = [redemption(mall, ("lin", "wang")[n % 2]) for n in range(30)]
        results = await asyncio.gather(
            *((other if n % 7 == 0 else mall).execute(one) for n, one in enumerate(sending))
        )
    rows = log_of(database)
    assert_whole(rows)
    assert len({one.position for one in results}) == 30
    assert sum(row.name == "orders.OrderPlaced" for row in rows) == 30
    frontier = Frontier.empty()
    commits = query(database, "SELECT position, frontier FROM {}.commits ORDER BY position")
    for position, stored in commits:
        new = rows[frontier.size : position]
        leaves = [leaf_hash(r.position, r.stream, r.version, r.name, r.state) for r in new]
        frontier = frontier.extended(leaves)
        assert stored == frontier.to_bytes()
    assert frontier.size == len(rows)


async def test_times_ascend_when_the_clock_runs_backwards_between_groups(
    database: MallDatabase,
) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]

    def backwards() -> datetime:
        now[0] -= timedelta(hours=1)
        return now[0]

    async with store_on(database, clock=backwards) as mall:
        await asyncio.gather(*(mall.execute(grant("lin", 1, f"s{n}")) for n in range(5)))
    async with store_on(database, clock=backwards) as fresh:
        await asyncio.gather(*(fresh.execute(grant("lin", 1, f"t{n}")) for n in range(5)))
    times = query(database, "SELECT recorded_at FROM {}.commits ORDER BY position")
    assert len(times) > 2
    assert len(set(times)) == 1


async def test_all_are_told_and_can_ask_again_when_the_store_closes_in_mid_commit(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CLOSING_SECONDS", 0.1)
    sending = [grant("lin", 1, f"s{n}") for n in range(5)]
    async with await psycopg.AsyncConnection.connect(database.service_url) as holder:
        async with store_on(database) as mall:
            await mall.execute(grant("lin", 1, "first"))
            await holder.execute(f"SELECT FROM {database.schema}.turn FOR UPDATE".encode())
            waiting = [asyncio.create_task(mall.execute(one)) for one in (*sending, sending[0])]
            await until(lambda: mall._writer._ahead is not None, seconds=5)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in results] == [Unavailable] * 6
        assert mall.waiting == 0
        with pytest.raises(Unavailable):
            await mall.execute(sending[0])
    async with store_on(database) as other:
        outcomes: list[Outcome | Refusal] = await other.execute_all(sending)
    assert [isinstance(one, Outcome) and one.position for one in outcomes] == [2, 3, 4, 5, 6]
    assert_whole(log_of(database))
