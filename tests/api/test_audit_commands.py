"""The audit commands, as processes see them: exit status, what is printed, what is refused."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import psycopg
import pytest
import typer
from psycopg.sql import SQL, Identifier
from typer.testing import CliRunner, Result

from api.commands.audit import audit_app, keys_app, rebuild, verify
from application.case_told import Subject
from application.checked import REFUSED
from application.checking import check
from application.sealing import PUBLIC_KEY, signing_key_in
from projections.evidence_packs import Asked, pack_of
from tests.conftest import MallDatabase
from tests.projections.busy_mall import BusyMall, busy_mall
from tests.reliability.test_hostile import leaves, replaced

pytestmark = pytest.mark.anyio


class Shell(NamedTuple):
    """A command line beside a mall that is open."""

    mall: BusyMall
    database: MallDatabase
    folder: Path

    async def run(self, *arguments: str) -> Result:
        """Run `tallypost …` in a thread: commands make a loop of their own."""
        app = typer.Typer()
        app.command()(verify)
        app.command()(rebuild)
        app.add_typer(audit_app, name="audit")
        app.add_typer(keys_app, name="keys")
        return await anyio.to_thread.run_sync(CliRunner().invoke, app, arguments)

    async def kept(self, name: str, *arguments: str) -> str:
        """What a command printed, in a file."""
        result = await self.run(*arguments)
        assert result.exit_code == 0, result.output
        path = self.folder / name
        path.write_bytes(result.stdout_bytes)
        return str(path)


def spoil(path: str, what: str, by: str) -> None:
    text = Path(path).read_text()
    assert what in text
    Path(path).write_text(text.replace(what, by))


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


def position_of(path: str) -> int:
    made = json.loads(Path(path).read_text())
    position: int = made.get("head", made)["position"]
    return position


@pytest.fixture
async def shell(
    database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shell]:
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", database.owner_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    monkeypatch.setenv("TALLYPOST_KEYS", str(tmp_path / "keys"))
    monkeypatch.chdir(tmp_path)
    async with busy_mall(database) as mall:
        await mall.happenings(3)
        yield Shell(mall, database, tmp_path)


async def test_export_is_accepted_when_checked_as_an_auditor_would(shell: Shell) -> None:
    """A3, contract.md: 0 with an anchor, 2 without, 1 when refused, each in words."""
    head = await shell.kept("head.json", "audit", "head")
    await shell.mall.grant("lin", 5, "more")
    document = await shell.kept("lin.json", "audit", "export", "account:lin", "--since-head", head)
    newest = await shell.kept("newest.json", "audit", "head")
    public = str(shell.folder / "keys" / PUBLIC_KEY)

    for anchor in (("--head", head), ("--head", newest), ("--key", public)):
        accepted = await shell.run("audit", "check", document, *anchor)
        assert (accepted.exit_code, accepted.stdout.splitlines()[0]) == (0, "genuine")
    alone = await shell.run("audit", "check", document)
    assert alone.exit_code == 2
    assert "consistent with itself only" in alone.stdout
    spoil(document, '"points": 600', '"points": 601')
    refused = await shell.run("audit", "check", document, "--key", public)
    assert refused.exit_code == 1
    assert "refused: event 1 (version 1, position " in refused.stdout
    position = position_of(newest)
    again = await shell.kept(
        "again.json", "audit", "export", "account:lin", "--position", str(position)
    )
    assert position_of(again) == position
    missing = await shell.run("audit", "export", "account:nobody")
    assert missing.exit_code == 1
    for other in ("head.json", "lin.json"):
        wrong = await shell.run("audit", "check", document, "--key", str(shell.folder / other))
        assert wrong.exit_code == 1


async def test_a_disputes_pack_is_checked_as_an_auditor_would(shell: Shell) -> None:
    """D5, contract.md: a ZIP or its JSON, by a head or the key; refused with the place."""
    public = str(shell.folder / "keys" / PUBLIC_KEY)
    head = await shell.kept("head.json", "audit", "head")
    subject = Subject("D-T00001-P1", "T00001", "T00001-P1")
    async with await psycopg.AsyncConnection.connect(shell.database.service_url) as connection:
        made = await pack_of(
            connection,
            shell.database.schema,
            shell.mall.vault,
            signing_key_in(shell.folder / "keys"),
            Asked(subject, position_of(head)),
        )
    for name, content in (("pack.zip", made.zip), ("pack.json", made.json)):
        path = shell.folder / name
        path.write_bytes(content)
        for anchor in (("--head", head), ("--key", public)):
            accepted = await shell.run("audit", "check", str(path), *anchor)
            assert (accepted.exit_code, accepted.stdout.splitlines()[0]) == (0, "genuine")
        assert (await shell.run("audit", "check", str(path))).exit_code == 2
        path.write_bytes(content.replace(b'"signed"', b'"sigmed"', 1))
        refused = await shell.run("audit", "check", str(path), "--key", public)
        assert refused.exit_code == 1
        assert "refused: " in refused.stdout


async def test_it_is_said_what_a_file_is_when_it_is_no_export(shell: Shell) -> None:
    """A3, contract.md: refused with status 1 and a reason, never a trace of ours."""
    export = await shell.kept("lin.json", "audit", "export", "account:lin")
    head = await shell.kept("head.json", "audit", "head")
    whole = content_of(export)
    refusal = {"code": "not_found", "detail": "There is no\nsuch stream.", "failures": []}
    files = {
        b"": "the file is empty",
        b" \r\n\t": "the file is empty",
        b"\xef\xbb\xbf": "the file is empty",
        b"<!doctype html><title>Log in</title>": "is a web page",
        whole[: len(whole) // 2]: "ends too early, in line ",
        whole[:-2]: "ends too early, in line ",
        whole[:1]: "ends too early, in line 1",
        b"[]": "is JSON, but neither an export nor a report",
        b"null": "is JSON, but neither",
        b"{}": "is JSON without a seal",
        json.dumps(refusal).encode(): "is a refusal of the service, no export: There is no\\nsuch",
        content_of(head): "is a signed head: give it as --head",
        b"\xff\xfe\x00PK": "is no text in UTF-8",
        b"PK\x03\x04": "is no ZIP that can be read: BadZipFile",
        b"format,tallypost report 1\r\n": "is a report as CSV",
        b"[" * 100_000: "is no JSON that can be read",
        b'{"seal": 1}': "not a sealed document",
        b'{"seal": {}}': "not a sealed document",
    }
    for number, (content, words) in enumerate(files.items()):
        path = shell.folder / f"file-{number}"
        path.write_bytes(content)
        for anchor in ((), ("--head", head)):
            result = await shell.run("audit", "check", str(path), *anchor)
            assert result.exit_code == 1, (content[:40], result.output)
            assert f"refused: document: {words}" in result.stdout, (content[:40], result.output)
            assert len(result.stdout.splitlines()) == 1
    for name in ("not-there", "."):
        result = await shell.run("audit", "check", str(shell.folder / name))
        assert result.exit_code == 1
        assert "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit)
        wrong = await shell.run("audit", "check", export, "--head", str(shell.folder / name))
        assert (wrong.exit_code, type(wrong.exception)) == (1, SystemExit)


async def test_every_place_is_refused_when_it_holds_something_else(shell: Shell) -> None:
    """A3, R46: any value of an export replaced by any other kind: refused, never an error."""
    export = await shell.kept("lin.json", "audit", "export", "account:lin")
    made = json.loads(content_of(export))
    others: tuple[Any, ...] = (
        None,
        True,
        -1,
        2**70,
        1.5,
        "",
        "x\n\x1b[2J",
        [],
        {},
        [[]],
        {"a": {}},
        "\ud800",
    )
    tried = 0
    for place in leaves(made):
        for other in others:
            changed = replaced(made, place, json.dumps(other))
            result = check(changed)
            tried += 1
            if json.loads(changed) != made:
                assert result.status == REFUSED, (place, other)
    assert tried > 500


async def test_place_is_printed_when_something_differs(shell: Shell) -> None:
    """A2, M5, R60: exit status 1; a rebuild mends views, nothing mends a changed log."""
    head = await shell.kept("head.json", "audit", "head")
    good = await shell.run("verify", "--head", head)
    assert good.exit_code == 0, good.output
    assert "agree" in good.stdout

    with psycopg.connect(shell.database.owner_url) as connection:
        table = Identifier(shell.database.schema, "orders")
        connection.execute(
            SQL("UPDATE {} SET state = 'completed' WHERE number = 'T00002'").format(table)
        )
    drifted = await shell.run("verify")
    assert drifted.exit_code == 1
    assert "differs: table orders, number=T00002: state is 'completed'" in drifted.stdout
    mended = await shell.run("rebuild", "order_status")
    assert mended.exit_code == 0, mended.output
    assert f"rebuilt to position {shell.mall.store.position}" in mended.stdout
    assert (await shell.run("verify")).exit_code == 0
    unknown = await shell.run("rebuild", "nothing")
    assert unknown.exit_code == 1
    every = await shell.run("rebuild", "all")
    assert every.stdout.count("rebuilt to position") >= 6

    with psycopg.connect(shell.database.owner_url) as connection:
        connection.execute("SET session_replication_role = replica")
        table = Identifier(shell.database.schema, "tallypost_events")
        connection.execute(
            SQL("UPDATE {} SET state = set_byte(state, 20, 65) WHERE notification_id = 7").format(
                table
            )
        )
    tampered = await shell.run("verify", "--head", head)
    assert tampered.exit_code == 1
    assert "differs: log position" in tampered.stdout
    refused = await shell.run("audit", "export", "order:T00001")
    assert refused.exit_code == 1


async def test_keys_are_wrapped_anew_when_the_master_key_is_rotated(shell: Shell) -> None:
    """A4: in one step, or in two while the service runs."""
    with psycopg.connect(shell.database.owner_url) as connection:
        # The mall of this test sealed with a ring of its own.
        table = Identifier(f"{shell.database.schema}_keys", "subject_keys")
        connection.execute(SQL("DELETE FROM {}").format(table))
    at_once = await shell.run("keys", "rotate")
    assert at_once.exit_code == 0, at_once.output
    assert "2 are in the ring" in at_once.stdout
    prepared = await shell.run("keys", "rotate", "--no-rewrap")
    assert "wrapped anew" not in prepared.stdout
    later = await shell.run("keys", "rewrap")
    assert "0 keys wrapped anew" in later.stdout
