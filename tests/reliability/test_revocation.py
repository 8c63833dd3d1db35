"""Tokens that are taken away before they run out: in every process, streams included (R44)."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner

from api import live
from api.auth import Role, Tokens
from api.command_line import app
from application import revocations
from application.revocations import Revocations, revoke
from tests.api.conftest import Mall
from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on

pytestmark = pytest.mark.anyio

PATH = "/v1/orders"
WITHIN_SECONDS = 60


async def _revoke(mall: Mall, *subjects: str) -> None:
    """Revoke, and let the process look, as it does by itself every ten seconds."""
    async with mall.tenant.pool.connection() as connection:
        await revoke(
            connection, mall.tenant.schema, subjects=subjects, reason="left", actor="operator:root"
        )
    await mall.tenant.revocations.look()


async def test_old_tokens_are_refused_when_their_subject_was_revoked(mall: Mall) -> None:
    """R44: header, cookie and log-in; others and what is issued later get in."""
    before = mall.headers("support", "wang")
    other = mall.headers("support", "sue")
    assert (await mall.client.get(PATH, headers=before)).status_code == 200
    await _revoke(mall, "wang")
    refused = await mall.client.get(PATH, headers=before)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    token = before["Authorization"].removeprefix("Bearer ")
    cookie = {"Cookie": f"tallypost_session={token}"}
    assert (await mall.client.get(PATH, headers=cookie)).status_code == 401
    form = {"token": token}
    login = await mall.client.post("/login", data=form, headers={"Origin": "http://mall"})
    assert (login.status_code, login.headers.get("Set-Cookie")) == (401, None)
    assert (await mall.client.get(PATH, headers=other)).status_code == 200
    assert (await mall.get(PATH, role="support", subject="wang")).status_code == 200
    async with mall.tenant.pool.connection() as connection:
        cursor = await connection.execute(
            f"SELECT subject, reason, actor FROM {mall.tenant.schema}.token_revocations".encode()
        )
        assert await cursor.fetchall() == [("wang", "left", "operator:root")]


async def test_old_tokens_get_in_when_nobody_looks_for_revocations(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R44 CONTROL: a verifier that goes by signature and expiry alone."""
    before = mall.headers("support", "wang")
    monkeypatch.setattr(Revocations, "revoked", lambda *_: False)
    await _revoke(mall, "wang")
    assert (await mall.client.get(PATH, headers=before)).status_code == 200


async def test_nobody_gets_in_when_revocations_could_not_be_looked_for(mall: Mall) -> None:
    """R44: a process that knows nothing new for a minute does not go by what it knew."""
    headers = mall.headers("support", "wang")
    mall.tenant.revocations._looked_at -= revocations.TRUSTED_SECONDS
    answer = await mall.client.get(PATH, headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    await mall.tenant.revocations.look()
    assert (await mall.client.get(PATH, headers=headers)).status_code == 200


async def _streamed(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a stream that was open before the revocation goes on after it."""
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    number = (await mall.order(("enamel-mug", 1)))["number"]
    tokens = Tokens.in_folder(mall.settings.key_folder)
    token = tokens.issue(Role.LEARNER, "lin", tenant=mall.settings.tenant)
    caller = tokens.verify(token, tenant=mall.settings.tenant)
    stream: Any = live._stream(mall.tenant, number, 2**62, caller)
    assert (await anext(stream)).startswith(b"retry: ")
    assert await anext(stream) == b": still here\n\n"
    await _revoke(mall, "lin")
    with anyio.fail_after(5):
        goes_on = await anext(stream, None) is not None
    await stream.aclose()
    return goes_on


async def test_an_open_stream_ends_when_its_token_was_revoked(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R44: at the next news or heartbeat; whoever comes back is not let in."""
    assert not await _streamed(mall, monkeypatch)


async def test_an_open_stream_goes_on_when_only_the_door_is_guarded(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R44 CONTROL: a stream that asks for the token once, when it is opened."""
    monkeypatch.setattr(Revocations, "revoked", lambda *_: False)
    assert await _streamed(mall, monkeypatch)


def test_the_command_revokes_what_it_issued(
    database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R44: `tallypost token --revoke` names subjects, reason and who did it, and needs no role."""
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    data = ["--data", str(tmp_path)]
    nameless = CliRunner().invoke(app, ["token", "--subject", "wang", *data])
    assert nameless.exit_code == 2
    arguments = ["token", "--revoke", "--subject", "wang", "--subject", "sue", "--reason", "left"]
    said = CliRunner().invoke(app, [*arguments, *data])
    assert said.exit_code == 0, said.output
    assert said.output.count("refused") == 2


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """API and worker of their own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


@pytest.mark.slow
async def test_every_process_refuses_within_a_minute_when_a_token_is_revoked(
    service: Service,
) -> None:
    """R44: a process that nobody told, but for the database: ≤ 60 s."""
    async with service.client(timeout=WITHIN_SECONDS) as client:
        headers = service.headers("learner", "lin")
        assert (await client.get(PATH, headers=headers)).status_code == 200
        async with await AsyncConnection.connect(
            service.database.service_url, autocommit=True
        ) as connection:
            await revoke(
                connection,
                service.database.schema,
                subjects=["lin"],
                reason="left",
                actor="operator:root",
            )
        since = time.monotonic()
        while (await client.get(PATH, headers=headers)).status_code != 401:
            assert time.monotonic() - since < WITHIN_SECONDS
            await anyio.sleep(0.5)
        later = await client.get(PATH, headers=service.headers("learner", "lin"))
        assert later.status_code == 200
