"""One key, one effect, one answer: at once, later, elsewhere, after a crash (R16, rules.md 31)."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from application.faults import ARMED
from application.outcomes import InFlight, KeyReused, Outcome, RefusedBefore, Unavailable
from application.unit import Command, Unit
from domain.refusals import NotFound, Refusal
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase
from tests.reliability.workload import (
    command,
    grant,
    in_parallel,
    log_of,
    store_on,
    stores_on,
    tried,
)

pytestmark = pytest.mark.anyio

WISH = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}


def adding(key: str, points: int = 5, *, principal: str = "service:a") -> Command:
    """A grant under a key of the caller's own."""
    digest = hashlib.sha256(b"%d" % points).digest()
    inner = grant("lin", points, f"{principal}-{key}-{points}")
    return command(inner.decide, key=key, principal=principal, digest=digest)


async def test_one_order_stands_when_twenty_ask_at_once(mall: Mall) -> None:
    """R16: 20 parallel requests under one key: one order, twenty equal bodies, 201 each."""
    answers = await asyncio.gather(*(mall.post("/v1/orders", WISH, key="same") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
    again = await mall.post("/v1/orders", WISH, key="same")
    assert (again.status_code, again.content) == (201, answers[0].content)
    await mall.views()
    assert len((await mall.get("/v1/orders")).json()["orders"]) == 1


async def test_another_request_is_refused_when_it_uses_the_key(mall: Mall) -> None:
    """R16: other body, other path, other query under the same key: 422 `key_reused`."""
    first = await mall.post("/v1/orders", WISH, key="same")
    assert first.status_code == 201
    number = first.json()["number"]
    other = {**WISH, "lines": [{"sku": "notebook", "quantity": 2}]}
    for path, body in (
        ("/v1/orders", other),
        ("/v1/orders?x=1", WISH),
        (f"/v1/orders/{number}/cancellation", {"reason": "no"}),
    ):
        answer = await mall.post(path, body, key="same")
        assert (answer.status_code, answer.json()["code"]) == (422, "key_reused"), path
    assert (await mall.read(number))["status"] == "pending_shipment"


async def test_keys_are_ones_own_when_two_use_the_same(mall: Mall) -> None:
    """R16: the same key of another caller is another key."""
    both = [
        await mall.post("/v1/orders", {**WISH, "learner": who}, key="same", subject=who)
        for who in ("lin", "chen")
    ]
    assert [answer.status_code for answer in both] == [201, 201]
    assert both[0].json()["number"] != both[1].json()["number"]


async def test_a_put_is_a_change_like_others_when_it_is_sent_again(mall: Mall) -> None:
    """R16: the key counts on PUT, too; without one it is refused."""
    staff = {"role": "service", "subject": "s", "method": "PUT"}
    frozen = await mall.post("/v1/learners/lin", {"status": "frozen"}, key="k", **staff)
    thawed = await mall.post("/v1/learners/lin", {"status": "active"}, key="l", **staff)
    again = await mall.post("/v1/learners/lin", {"status": "frozen"}, key="k", **staff)
    assert again.content == frozen.content
    assert thawed.json()["status"] == "active"
    assert (await mall.order(("notebook", 1)))["status"] == "pending_shipment"
    bare = await mall.client.put(
        "/v1/learners/lin", json={"status": "active"}, headers=mall.headers("service", "s")
    )
    assert (bare.status_code, bare.json()["code"]) == (422, "idempotency_key_missing")


async def test_a_refusal_stays_a_refusal_when_it_would_succeed_now(mall: Mall) -> None:
    """R16: refusals are kept under their key, in both languages, with all failures."""
    wish = {**WISH, "lines": [{"sku": "desk-lamp", "quantity": 9}]}
    first = await mall.post("/v1/orders", wish, key="refused")
    assert first.status_code == 409
    more = [{"learner": "lin", "points": 90_000, "reason": "task", "source": "more"}]
    granted = await mall.post("/v1/points/grants", {"grants": more}, role="service", subject="s")
    assert granted.json()["results"][0]["status"] == "granted"
    again = await mall.post("/v1/orders", wish, key="refused")
    assert (again.status_code, again.json()) == (409, first.json())
    assert (await mall.post("/v1/orders", wish, key="new")).status_code == 201


async def test_grants_are_told_apart_when_a_request_names_one_twice(mall: Mall) -> None:
    """R16: the second of two equal rows of one request is the duplicate."""
    row = {"learner": "lin", "points": 5, "reason": "task", "source": "twice"}
    body = {"grants": [row, row, {**row, "points": 6}]}
    answer = await mall.post("/v1/points/grants", body, role="service", subject="s", key="g")
    assert [one["status"] for one in answer.json()["results"]] == [
        "granted", "duplicate", "refused",
    ]  # fmt: skip
    again = await mall.post("/v1/points/grants", body, role="service", subject="s", key="g")
    assert again.content == answer.content
    other = await mall.post("/v1/points/grants", body, role="service", subject="s", key="h")
    assert [one["status"] for one in other.json()["results"]] == [
        "duplicate", "duplicate", "refused",
    ]  # fmt: skip


async def test_there_is_one_effect_when_two_processes_get_the_same(database: MallDatabase) -> None:
    """R16: 20 sendings to four stores at once: one event, twenty equal answers."""
    async with stores_on(database, 4) as stores:
        results = await in_parallel([stores[n % 4].execute(adding("k")) for n in range(20)])
    assert len({(one.answer, one.position) for one in results}) == 1
    assert sum(not one.repeated for one in results) == 1
    assert len(log_of(database)) == 1


async def test_the_first_answer_comes_when_the_process_died_after_its_commit(
    database: MallDatabase,
) -> None:
    """R16: crash between commit and answer: the retry elsewhere gets the first answer."""

    def die() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()  # a decision's own `CancelledError` would fail alone
        raise asyncio.CancelledError

    async with store_on(database) as store:
        ARMED["after_commit"] = die
        try:
            with pytest.raises(Unavailable):
                await asyncio.gather(store.execute(adding("k")), _closing(store))
        finally:
            ARMED.clear()
    async with store_on(database) as other:
        outcome = await other.execute(adding("k"))
        assert outcome.repeated
        with pytest.raises(KeyReused):
            await other.execute(adding("k", 6))
    assert len(log_of(database)) == 1


async def _closing(store: Any) -> None:
    await asyncio.sleep(0.2)
    await store.__aexit__(None, None, None)


async def test_a_twin_is_told_to_come_back_when_the_first_takes_too_long(
    database: MallDatabase,
) -> None:
    """R16: in flight: the first gets `Unavailable`, twins `InFlight`; later all get one answer."""
    async with (
        await psycopg.AsyncConnection.connect(database.service_url) as holder,
        store_on(database, patience=timedelta(seconds=0.3)) as store,
    ):
        await holder.execute(f"SELECT FROM {database.schema}.turn FOR UPDATE".encode())
        first = asyncio.create_task(tried(store, adding("k")))
        await asyncio.sleep(0.05)
        twin = asyncio.create_task(tried(store, adding("k")))
        reused = asyncio.create_task(tried(store, adding("k", 6)))
        results = await asyncio.gather(first, twin, reused, return_exceptions=True)
        assert [type(one) for one in results] == [Unavailable, InFlight, KeyReused]
        late = asyncio.create_task(tried(store, adding("k")))
        await asyncio.sleep(0.05)
        await holder.rollback()
        answer = await late
        assert isinstance(answer, Outcome)
        assert answer.repeated
    assert len(log_of(database)) == 1


async def test_a_command_is_done_when_its_caller_went_away(database: MallDatabase) -> None:
    """R16: cancelled while it waits: the others go on, its own answer is kept."""
    async with store_on(database) as store:
        tasks = [asyncio.create_task(store.execute(adding(f"k{n}"))) for n in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, Outcome) for one in results].count(False) == 1
        assert (await store.execute(adding("k3"))).repeated
        assert store.waiting == 0
    assert len(log_of(database)) == 10


@pytest.mark.parametrize("error", [NotFound(what="thing"), RuntimeError("bug")])
async def test_nothing_stays_when_a_decision_fails_after_recording(
    database: MallDatabase, error: Exception
) -> None:
    """R16: what a command recorded before it raised is in neither log, memory nor vault."""
    good = grant("lin", 5, "good")

    def failing(unit: Unit) -> dict[str, Any]:
        grant("lin", 7, "bad").decide(unit)
        unit.seal("lin", "recipient", b"secret")
        raise error

    async with store_on(database) as store:
        results = await in_parallel(
            [store.execute(command(failing, key="f", subject="lin")), store.execute(good)]
        )
        assert type(results[0]) is type(error)
        assert isinstance(results[1], Outcome)
        again = await in_parallel([store.execute(command(failing, key="f"))])
        assert isinstance(again[0], RefusedBefore if isinstance(error, Refusal) else RuntimeError)
    rows = log_of(database)
    assert [row.version for row in rows] == [1]
    with psycopg.connect(database.owner_url) as connection:
        for table in (f"{database.schema}.cards", f"{database.schema}_keys.subject_keys"):
            assert connection.execute(f"SELECT * FROM {table}".encode()).fetchall() == []


async def test_another_gets_my_answer_when_keys_have_no_owner(database: MallDatabase) -> None:
    """R16 CONTROL: keys without their principal: the second caller gets the first one's answer."""

    def careless(one: Command) -> Command:
        return one._replace(principal="anybody")

    async def isolated(make: Callable[[Command], Command]) -> bool:
        async with store_on(database) as store:
            key = make.__name__
            first = await tried(store, make(adding(key, principal="learner:lin")))
            second = await tried(store, make(adding(key, principal="learner:chen")))
        return isinstance(first, Outcome) and isinstance(second, Outcome) and not second.repeated

    def careful(one: Command) -> Command:
        return one

    assert await isolated(careful)
    assert not await isolated(careless)
