"""Subscribers are told in order, at least once, under one id; parked after 75 hours."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from application import dispatching
from application.faults import ARMED, REACHED
from application.gateways.outbound import Outbound
from application.key_rotation import rewrap_all
from application.subscriptions import TooManyWebhooks
from application.vault import MasterKeys, Vault
from tests.application.house import RECIPIENT, opened
from tests.application.receiver import Subscriber, subscriber, verified
from tests.application.telling import Telling
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio
KILLED = 20


@pytest.fixture
async def telling(database: MallDatabase) -> AsyncIterator[Telling]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(opened(database, mall=False))
        outbound = await stack.enter_async_context(Outbound(loopback=True, timeout_seconds=2))
        yield Telling(house, outbound)


@pytest.fixture
async def there() -> AsyncIterator[Subscriber]:
    async with subscriber() as one:
        yield one


async def test_event_is_told_signed_and_without_personal_data(
    telling: Telling, database: MallDatabase, there: Subscriber
) -> None:
    """N2, A4: fact, place and ids, signed for a moment; no name, phone or address."""
    async with opened(database) as house:
        telling.house = house
        telling.dispatcher = telling.another()
        house.now = datetime.now(UTC)
        secret = await telling.subscribe("crm", there.url, "orders.*")
        await house.grant("mei", 5_000, "PY-1")
        await house.order("mei", "T1", notebook=1)
        await telling.step()
        ((stored,),) = await house.rows(
            "SELECT convert_from(state, 'UTF8')::json FROM {s}.tallypost_events"
            " WHERE topic = 'orders.OrderPlaced'"
        )
    (got,) = there.got
    payload = verified(secret, got)
    assert payload == {
        "type": "orders.OrderPlaced",
        "timestamp": stored["recorded_at"],
        "data": {
            "fact": "orders.OrderPlaced",
            "stream": "order:T1",
            "version": 1,
            "position": got.position,
            "happened_at": stored["happened_at"],
            "recorded_at": stored["recorded_at"],
            "ids": {"learner": "mei", "order": "T1"},
        },
    }
    assert got.id == f"msg_crm_{got.position}"
    for private in (RECIPIENT.name, RECIPIENT.phone, RECIPIENT.address, "文三路"):
        assert private not in got.body.decode()
    with pytest.raises(WebhookVerificationError):
        verified("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", got)


async def test_events_are_told_in_order_and_only_from_now_on(
    telling: Telling, there: Subscriber
) -> None:
    """N2: what was before a subscription is not told unless asked for."""
    await telling.events(5)
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(30)
    await telling.step()
    assert there.positions == list(range(6, 36))
    assert (await telling.named("crm")).position == 35
    await telling.step()
    assert len(there.got) == 30


async def test_subscriber_that_fails_holds_up_itself_and_nobody_else(
    telling: Telling, there: Subscriber
) -> None:
    """N2: order is kept for each, and each is on its own."""
    async with subscriber() as broken:
        broken.answer = lambda got: 500 if got.position == 3 and len(broken.got) < 5 else 200
        await telling.subscribe("bad", broken.url, "ledger.*")
        await telling.subscribe("good", there.url, "ledger.*")
        await telling.events(6)
        await telling.step()
        assert there.positions == [1, 2, 3, 4, 5, 6]
        assert broken.positions == [1, 2, 3]
        for _ in range(4):
            telling.house.wait(hours=30)
            await telling.step()
        assert broken.positions == [1, 2, 3, 3, 3, 4, 5, 6]
        assert len(set(broken.ids)) == 6


@pytest.mark.parametrize("status", [500, 429, None])
async def test_it_is_parked_after_ten_tries_over_75_hours(
    telling: Telling, there: Subscriber, status: int | None
) -> None:
    """R41: one id, one body, a new timestamp and signature on every try; then the next event."""
    there.answer = lambda got: 200 if got.position > 1 else status
    secret = await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(2)
    started = telling.house.now
    tries: list[timedelta] = []
    while (await telling.named("crm")).parked == 0:
        next_at = (await telling.named("crm")).next_at
        telling.house.now = next_at - timedelta(seconds=1)
        before = len(there.got)
        await telling.step()
        assert len(there.got) == before or next_at == started
        telling.house.now = max(next_at, started)
        await telling.step()
        tries.append(telling.house.now - started)
    assert there.positions == [1] * 10 + [2]
    assert len(set(there.ids[:10])) == 1
    assert len({got.body for got in there.got[:10]}) == 1
    assert len({got.headers["webhook-timestamp"] for got in there.got[:10]}) == 10
    assert len({got.headers["webhook-signature"] for got in there.got[:10]}) == 10
    assert tries[-1] == timedelta(hours=75, minutes=35, seconds=5)
    (parked,) = await telling.call("parked", "crm")
    assert (parked["position"], parked["fact"]) == (1, "ledger.PointsGranted")
    outcomes = [(one.outcome, one.attempt) for one in await telling.deliveries("crm")]
    expected: list[tuple[str, int]] = [("failed", n) for n in range(1, 10)]
    assert outcomes == [*expected, ("parked", 10), ("delivered", 1)]
    assert secret.startswith("whsec_")


async def test_parked_deliveries_come_again_when_replayed(
    telling: Telling, there: Subscriber
) -> None:
    """N2: replay from a position: same ids, in order, and nothing stays parked."""
    there.answer = lambda got: 503 if got.position == 2 else 200
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(3)
    for _ in range(10):
        await telling.step()
        telling.house.wait(hours=30)
    first = dict(zip(there.positions, there.ids, strict=True))
    assert (await telling.named("crm")).parked == 1
    there.answer, there.got = lambda _: 200, []
    await telling.call("replay", "crm", from_position=2, now=telling.house.now)
    await telling.step()
    assert there.positions == [2, 3]
    assert there.ids == [first[2], first[3]]
    assert (await telling.named("crm")).parked == 0
    assert await telling.call("troubled") == []


async def test_410_disables_and_nothing_is_told_any_more(
    telling: Telling, there: Subscriber
) -> None:
    """R41: gone is gone, until the owner resumes."""
    there.answer = lambda _: 410
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(2)
    await telling.step()
    telling.house.wait(days=9)
    await telling.step()
    found = await telling.named("crm")
    assert (found.state, found.position, there.positions) == ("disabled", 0, [1])
    assert [one.id for one in await telling.call("troubled")] == ["crm"]
    there.answer = lambda _: 200
    await telling.call("resume", "crm", now=telling.house.now)
    await telling.step()
    assert there.positions == [1, 1, 2]


async def test_subscription_is_paused_when_three_events_in_a_row_were_parked(
    telling: Telling, there: Subscriber
) -> None:
    """R41: nobody is there: it stops, visibly, and goes on where it stopped."""
    there.answer = lambda _: 500
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(5)
    for _ in range(40):
        await telling.step()
        telling.house.wait(hours=30)
    found = await telling.named("crm")
    assert (found.state, found.parked, found.position) == ("paused", 3, 3)
    assert len(there.got) == 30
    there.answer = lambda _: 200
    await telling.call("resume", "crm", now=telling.house.now)
    await telling.step()
    assert there.positions[30:] == [4, 5]


async def test_paused_subscription_goes_on_where_it_stopped(
    telling: Telling, there: Subscriber
) -> None:
    """N2: pause and resume."""
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(1)
    await telling.step()
    await telling.call("pause", "crm", now=telling.house.now)
    await telling.events(2)
    await telling.step()
    assert there.positions == [1]
    await telling.call("resume", "crm", now=telling.house.now)
    await telling.step()
    assert there.positions == [1, 2, 3]


async def test_cursor_that_was_moved_meanwhile_is_left_alone(
    telling: Telling, there: Subscriber
) -> None:
    """N2: a replay asked for in the middle of a delivery wins."""
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(3)
    asked: list[asyncio.Task[Any]] = []

    def answer(got: Any) -> int:
        if got.position == 3 and not asked:
            replay = telling.call("replay", "crm", from_position=1, now=telling.house.now)
            asked.append(asyncio.create_task(replay))
        return 200

    there.answer = answer
    await telling.step()
    await asyncio.gather(*asked)
    await telling.step()
    assert there.positions[-3:] == [1, 2, 3]
    assert len(set(there.ids)) == 3
    assert (await telling.named("crm")).position == 3


async def test_two_dispatchers_keep_the_order_and_tell_each_event_once(
    telling: Telling, there: Subscriber
) -> None:
    """R31: a lease a subscription; both alive, nothing is told twice."""
    await telling.subscribe("crm", there.url, "ledger.*")
    others = [telling.another() for _ in range(3)]
    for _ in range(5):
        await telling.events(10)
        await asyncio.gather(*(one.step() for one in (telling.dispatcher, *others)))
    await telling.step()
    assert there.positions == list(range(1, 51))


async def test_same_id_comes_twice_when_it_dies_between_telling_and_noting(
    telling: Telling, there: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R02: the worst moment: told, and nothing noted."""
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(2)
    monkeypatch.setitem(ARMED, "webhook_told", _die)
    await telling.step()
    assert "webhook_told" in REACHED
    assert (await telling.named("crm")).position == 0
    monkeypatch.delitem(ARMED, "webhook_told")
    await telling.step()
    assert there.positions == [1], "our own failure is given a pause in this process"
    await telling.another().step()
    assert there.positions == [1, 1, 2]
    assert there.got[0].id == there.got[1].id
    assert there.got[0].body == there.got[1].body


def _die() -> None:
    raise RuntimeError("killed")


async def test_unwanted_events_are_passed_over_without_a_word(
    telling: Telling, there: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N2: who wants little is not woken for the rest; the cursor follows now and then."""
    await telling.subscribe("crm", there.url, "ledger.AccountFrozen")
    await telling.events(3)
    await telling.step()
    assert there.got == []
    assert (await telling.named("crm")).position == 0
    monkeypatch.setattr(dispatching, "SKIP_MAX", 2)
    await telling.another().step()
    assert (await telling.named("crm")).position == 3


async def test_nobody_has_more_than_twenty(telling: Telling, there: Subscriber) -> None:
    """R48: a limit on everything."""
    for number in range(20):
        await telling.subscribe(f"w{number}", there.url, "orders.*")
    with pytest.raises(TooManyWebhooks):
        await telling.subscribe("w20", there.url, "orders.*")


async def test_secret_is_sealed_in_the_table(telling: Telling, there: Subscriber) -> None:
    """A4: a dump of the table gives no secret away, nor opens with another house's keys."""
    secret = await telling.subscribe("crm", there.url, "orders.*")
    ((text, sealed),) = await telling.house.rows(
        "SELECT w::text, sealed_secret FROM {s}.webhooks w"
    )
    assert secret not in text
    assert secret[6:30].encode() not in bytes(sealed)
    await telling.call("delete", "crm")
    assert await telling.house.rows("SELECT FROM {s}_keys.subject_keys") == []


async def test_subscriber_is_told_when_the_master_key_was_rotated(
    telling: Telling, database: MallDatabase, there: Subscriber
) -> None:
    """A4: the secret's key is rewrapped with all others."""
    ring = MasterKeys.new()
    telling.house.vault = Vault(ring, tenant=database.schema)
    await telling.subscribe("crm", there.url, "ledger.*")
    anew = ring.rotated()
    assert await rewrap_all(database.service_url, schema=database.schema, master=anew) >= 1
    only_new = MasterKeys(anew.current, {anew.current: anew.keys[anew.current]}, bytes(32))
    telling.house.vault = Vault(only_new, tenant=database.schema)
    await telling.events(1)
    await telling.step()
    assert there.positions == [1]


async def test_name_that_leads_inside_is_not_called_and_says_so(
    telling: Telling, there: Subscriber
) -> None:
    """R40: what the owner sees is why; nothing was connected."""
    async with Outbound() as strict:
        telling.outbound = strict
        await telling.subscribe("crm", there.url, "ledger.*")
        await telling.events(1)
        await telling.another().step()
    assert there.got == []
    (tried,) = await telling.deliveries("crm")
    assert (tried.outcome, tried.status) == ("failed", None)
    assert tried.cause == "not called: only https is called"


DISPATCH = """
import asyncio, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from types import SimpleNamespace
from psycopg_pool import AsyncConnectionPool
from application import dispatching
from application.faults import ARMED, REACHED
from application.gateways.outbound import Outbound
from application.key_rotation import rewrap_all
from application.reactions import tell_subscribers
from application.vault import MasterKeys, Vault

async def main(url, schema, keys):
    dispatching.LEASE = timedelta(seconds=0.4)
    vault = Vault(MasterKeys.load(Path(keys)), tenant="test")
    async with AsyncConnectionPool(url, open=False, kwargs={"autocommit": True}) as pool:
        store = SimpleNamespace(clock=lambda: datetime.now(UTC))
        house = SimpleNamespace(schema=schema, vault=vault, pool=pool, store=store, rules=None)
        async with Outbound(loopback=True) as outbound:
            print("up", flush=True)
            await tell_subscribers(asyncio.Event(), house, outbound)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
async def test_each_event_arrives_under_one_id_when_the_dispatcher_is_killed(
    telling: Telling, database: MallDatabase, there: Subscriber, tmp_path: Path
) -> None:
    """R02: kill -9 twenty times: each event at least once, under one id, never out of order."""
    keys = tmp_path / "keys.json"
    telling.house.vault = Vault(MasterKeys.load(keys), tenant="test")
    telling.house.now = datetime.now(UTC)
    await telling.subscribe("crm", there.url, "ledger.*")
    total = 0
    for round_ in range(KILLED):
        await telling.events(25)
        total += 25
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DISPATCH, database.service_url, database.schema, str(keys),
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert process.stdout is not None
        await process.stdout.readline()
        last = round_ == KILLED - 1
        for _ in range(1000 if last else 2 + round_):
            await asyncio.sleep(0.02)
            if last and (await telling.named("crm")).position == total:
                break
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    assert set(there.positions) == set(range(1, total + 1))
    assert set(there.ids) == {f"msg_crm_{n}" for n in range(1, total + 1)}
    firsts = list(dict.fromkeys(there.positions))
    assert firsts == sorted(firsts)
    # A receiver that remembers ids has each event once, whatever came twice.
    assert len({got.id: got.body for got in there.got}) == total
    assert len({(got.id, got.body) for got in there.got}) == total
