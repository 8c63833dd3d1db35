"""Killed and stopped processes: nothing answered is lost, nothing is done twice (R01, R02, R08)."""

import asyncio
import itertools
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on
from tests.reliability.test_views import contents, forget
from tests.reliability.workload import assert_whole, log_of, query, reader_on, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """API and worker of their own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


class Clients:
    """Eight services that grant with keys of their own and try again until they are answered."""

    def __init__(self, service: Service, *, count: int = 8, timeout: float = 5) -> None:
        self._service = service
        self._timeout = timeout
        self._stop = False
        self.answers: dict[str, bytes] = {}
        self.odd: Counter[str] = Counter()
        self.retried = 0
        self.statuses: Counter[int] = Counter()
        """What they were told that sent them again."""
        self.tasks = [asyncio.create_task(self._client(number)) for number in range(count)]

    async def _client(self, number: int) -> None:
        headers = self._service.headers("service", f"platform-{number}")
        async with self._service.client(timeout=self._timeout) as client:
            for serial in itertools.count():
                if self._stop:
                    return
                key = f"{number}-{serial}"
                row = {"learner": f"l{number}", "points": 1, "reason": "task", "source": key}
                self.answers[key] = await self._until_answered(client, headers, key, row)

    async def _until_answered(
        self, client: httpx2.AsyncClient, headers: dict[str, str], key: str, row: dict[str, Any]
    ) -> bytes:
        while True:
            try:
                answer = await client.post(
                    "/v1/points/grants",
                    json={"grants": [row]},
                    headers={**headers, "Idempotency-Key": key},
                )
            except httpx2.TransportError:
                self.retried += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                return answer.content
            if answer.status_code not in (503, 429, 409):
                self.odd[f"{answer.status_code} {answer.text[:100]}"] += 1
            self.statuses[answer.status_code] += 1
            self.retried += 1
            await asyncio.sleep(0.05)

    async def answered(self, commands: int) -> None:
        """Wait until so many were."""
        await until(lambda: len(self.answers) >= commands, seconds=60)

    async def stop(self) -> None:
        """Let each get its last answer."""
        self._stop = True
        await asyncio.wait_for(asyncio.gather(*self.tasks), 30)


def assert_granted_once(service: Service, clients: Clients) -> None:
    """What was answered is in the log, once, and nothing else is."""
    rows = log_of(service.database)
    assert_whole(rows)
    granted = Counter(
        json.loads(row.state)["fact"]["source"]
        for row in rows
        if row.stream.startswith("account:l") and row.stream != "account:lin"
    )
    assert set(granted) == set(clients.answers)
    assert set(granted.values()) == {1}


async def killed_under_clients(
    service: Service, *, kills: int, seconds: float, commands: int
) -> None:
    """Kill the API again and again under eight clients, however slow the machine is."""
    clients = Clients(service)
    chance = random.Random(1)
    for kill in range(kills):
        await asyncio.sleep(seconds * (0.5 + chance.random()))
        await clients.answered(commands * (kill + 1) // (kills + 1))
        service.kill_api()
        await asyncio.to_thread(service.start_api)
    await clients.answered(commands)
    await clients.stop()
    assert not clients.odd
    assert clients.retried > 0
    assert_granted_once(service, clients)
    # What each was answered is what is kept, and what everybody is answered from here on.
    async with service.client() as client:
        for key in chance.sample(sorted(clients.answers), 50):
            number = key.split("-")[0]
            row = {"learner": f"l{number}", "points": 1, "reason": "task", "source": key}
            again = await client.post(
                "/v1/points/grants",
                json={"grants": [row]},
                headers={
                    **service.headers("service", f"platform-{number}"),
                    "Idempotency-Key": key,
                },
            )
            assert again.content == clients.answers[key]
            assert again.headers["idempotent-replay"] == "true"


async def test_nothing_answered_is_lost_when_the_api_is_killed(service: Service) -> None:
    """R01: kill -9 four times under 8 clients that retry: 0 lost, 0 twice, answers as before."""
    await killed_under_clients(service, kills=4, seconds=0.6, commands=500)


@pytest.mark.nightly
@pytest.mark.timeout(1_200)
async def test_nothing_answered_is_lost_when_the_api_is_killed_all_night(service: Service) -> None:
    """R01: twenty times, ≥ 5,000 commands."""
    await killed_under_clients(service, kills=20, seconds=1.5, commands=5_000)


async def test_a_retry_is_done_twice_when_its_key_is_kept_beside_the_commit(
    database: MallDatabase,
) -> None:
    """R01 CONTROL: the key is written in a transaction of its own, after the effect."""
    query(database, "CREATE TABLE {}.effects (key text)")
    query(database, "CREATE TABLE {}.keys (key text PRIMARY KEY)")
    chance = random.Random(1)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:

        def act(key: str) -> None:
            found = f"SELECT FROM {database.schema}.keys WHERE key = %s".encode()
            if connection.execute(found, (key,)).fetchone() is not None:
                return
            connection.execute(
                f"INSERT INTO {database.schema}.effects VALUES (%s)".encode(), (key,)
            )
            if chance.random() < 0.2:
                raise ConnectionError("killed")
            connection.execute(f"INSERT INTO {database.schema}.keys VALUES (%s)".encode(), (key,))

        for number in range(100):
            for _ in range(10):
                with suppress(ConnectionError):
                    act(f"k{number}")
                    break
    counted = query(database, "SELECT count(*), count(DISTINCT key) FROM {}.effects")
    assert counted[0][0] > counted[0][1]


async def test_views_are_what_a_replay_gives_when_the_worker_is_killed(service: Service) -> None:
    """R02: kill -9 the worker six times under load: live views equal a fresh replay."""
    clients = Clients(service, count=4)
    chance = random.Random(2)
    for _ in range(6):
        await asyncio.sleep(0.8 + chance.random())
        service.kill_worker()
        service.start_worker()
    await clients.stop()
    database = service.database
    head = len(log_of(database))
    await until(lambda: lowest(database) == head, seconds=20)
    service.kill_worker()
    late = reader_on(database)  # a policy may have recorded something since
    await late.catch_up()
    await late.close()
    live = contents(database)
    assert query(database, "SELECT 1 FROM {}.parked") == []
    forget(database)
    reader = reader_on(database)
    await reader.catch_up()
    await reader.close()
    assert contents(database) == live


def lowest(database: MallDatabase) -> int | None:
    """How far the view is that is least far."""
    row = query(database, "SELECT min(position) FROM {}.views")[0]
    found: int | None = row[0]
    return found


class Loading:
    """Clients that open a connection for each request, until nobody listens."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._headers = service.headers("service", "s")
        self.answered = 0
        self.unanswered: list[str] = []
        self.tasks = [asyncio.create_task(self._client()) for _ in range(6)]

    async def under_way(self) -> None:
        """Wait until there is load."""
        await until(lambda: self.answered > 10, seconds=30)

    async def _client(self) -> None:
        while True:
            key = f"{time.time_ns()}"
            row = {"learner": "lin", "points": 1, "reason": "task", "source": key}
            headers = {**self._headers, "Idempotency-Key": key}
            async with self._service.client() as client:
                try:
                    answer = await client.post(
                        "/v1/points/grants", json={"grants": [row]}, headers=headers
                    )
                except (httpx2.TransportError, AttributeError):
                    # The latter is anyio's for a connection that ended while it was made.
                    self.unanswered.append(key)
                    return
            assert answer.status_code == 200, answer.text
            self.answered += 1


async def _watched(service: Service, order: str) -> bytes:
    """All that a live stream says until it ends."""
    path, headers = f"/v1/orders/{order}/live", service.headers("learner", "lin")
    async with (
        service.client(timeout=30) as client,
        client.stream("GET", path, headers=headers) as stream,
    ):
        return b"".join([chunk async for chunk in stream.aiter_bytes()])


@pytest.mark.timeout(300)
async def test_nothing_accepted_is_dropped_when_the_api_is_told_to_stop(service: Service) -> None:
    """R08: SIGTERM under load, ten times: whatever had an effect was answered, live streams end
    with a hint when to come back, the process is gone within 10 s."""
    order = await _order(service)
    for _ in range(10):
        watching = [asyncio.create_task(_watched(service, order)) for _ in range(20)]
        loading = Loading(service)
        await loading.under_way()
        assert service.api is not None
        told = time.perf_counter()
        service.api.send_signal(signal.SIGTERM)
        await asyncio.to_thread(service.api.wait, 15)
        assert time.perf_counter() - told <= 10
        await asyncio.gather(*loading.tasks)
        seen = await asyncio.gather(*watching)
        assert all(one.startswith(b"retry: ") for one in seen)
        effects = {json.loads(row.state)["fact"].get("source") for row in log_of(service.database)}
        assert not effects & set(loading.unanswered)
        await asyncio.to_thread(service.start_api)


async def _order(service: Service) -> str:
    """An order of lin's, to be watched, once the views know it."""
    from tests.api.conftest import RECIPIENT

    headers = service.headers("learner", "lin")
    async with service.client() as client:
        placed = await client.post(
            "/v1/orders",
            json={
                "learner": "lin",
                "lines": [{"sku": "notebook", "quantity": 1}],
                "recipient": RECIPIENT,
            },
            headers={**headers, "Idempotency-Key": f"order-{time.time_ns()}"},
        )
        assert placed.status_code == 201, placed.text
        number: str = placed.json()["number"]
        for _ in range(100):
            path = f"/v1/orders/{number}?min_position={placed.json()['position']}"
            if (await client.get(path, headers=headers)).status_code == 200:
                return number
            await asyncio.sleep(0.1)
    raise AssertionError("the views do not move")
