"""A backup older than an erasure, restored: the person is not in it (R59)."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from application.embedded import pg_binary
from application.vault import Unreadable, Vault, unseal
from tests.api.conftest import Mall
from tests.api.test_privacy import ADMINISTRATOR, CANARY, SUPPORT, dumped, facts, traces
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

SUBJECT_SECONDS = 60


@contextmanager
def restored(database: MallDatabase, *dumps: str) -> Iterator[psycopg.Connection]:
    """A database made of these dumps."""
    where = conninfo_to_dict(database.owner_url)
    name = f"restored_{database.schema}"
    there = {**where, "dbname": name}
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            login = {"-h": there["host"], "-p": there["port"], "-U": there["user"], "-d": name}
            options = [str(part) for pair in login.items() for part in pair]
            psql = [str(pg_binary("psql")), "-q", "-X", "-v", "ON_ERROR_STOP=1", *options]
            for dump in dumps:
                subprocess.run(
                    psql,
                    input=dump,
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    env={**os.environ, "PGCLIENTENCODING": "UTF8"},
                )
            with psycopg.connect(make_conninfo("", **there), autocommit=True) as opened:
                yield opened
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def cards_of_lin(connection: psycopg.Connection, schema: str) -> list[tuple[str, bytes]]:
    """What is sealed for lin: (what it is bound to, bytes)."""
    query = SQL("SELECT field || ':' || replace(id::text, '-', ''), sealed FROM {}"
                " WHERE subject = 'lin'")  # fmt: skip
    return connection.execute(query.format(Identifier(schema, "cards"))).fetchall()


def keys_in(connection: psycopg.Connection, schema: str, vault: Vault) -> list[bytes]:
    """Every key that can be had: subjects', unwrapped for lin, and the house's own."""
    query = SQL("SELECT wrapped FROM {}").format(Identifier(f"{schema}_keys", "subject_keys"))
    found = [vault.lookup_key]
    for (wrapped,) in connection.execute(query).fetchall():
        try:
            found.append(vault.unwrap("lin", wrapped))
        except Unreadable:
            continue
    return found


def opened_with(keys: list[bytes], cards: list[tuple[str, bytes]]) -> str:
    """All that these keys open of these cards."""
    told = b""
    for key in keys:
        for bound, sealed in cards:
            try:
                told += unseal(key, "lin", bound, sealed)
            except Unreadable:
                continue
    return told.decode(errors="replace")


async def test_an_older_backup_tells_nothing_when_it_is_restored_after_an_erasure(
    mall: Mall, database: MallDatabase
) -> None:
    """R59: cards, events and views as they were, searched in clear and with each key that lives."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    await mall.post("/v1/audit/reveals", {"order": number, "reason": "call back"}, **SUPPORT)
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "over"})
    await mall.views()
    older = dumped(database, database.schema)
    older_keys = dumped(database, f"{database.schema}_keys")
    history = await facts(mall, f"order:{number}")

    began = time.perf_counter()
    erased = await mall.post("/v1/learners/lin/erasure", {"reason": "asked to"}, **ADMINISTRATOR)
    assert erased.json()["status"] == "erased"
    assert time.perf_counter() - began < SUBJECT_SECONDS
    vault = mall.tenant.vault

    with psycopg.connect(database.owner_url) as living:
        keys = keys_in(living, database.schema, vault)
    with restored(database, older) as backup:
        cards = cards_of_lin(backup, database.schema)
        events = SQL("SELECT count(*) FROM {} WHERE originator_id = %s")
        (kept,) = backup.execute(
            events.format(Identifier(database.schema, "tallypost_events")), (f"order:{number}",)
        ).fetchone() or (0,)
    assert kept == len(history)
    assert cards
    assert traces(older) == []
    assert opened_with(keys, cards) == ""

    # CONTROL: a backup that has the keys beside what they open.
    with restored(database, older, older_keys) as both:
        keys = keys_in(both, database.schema, vault)
    assert traces(opened_with(keys, cards))
