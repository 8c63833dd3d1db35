"""A database that cannot be trusted is refused before it is served from."""

from collections.abc import Iterator

import psycopg
import pytest

from application.guarding import UnsafeDatabase, refuse_unsafe
from tests.conftest import MallDatabase


@pytest.fixture
def flipped(database: MallDatabase) -> Iterator[psycopg.Connection]:
    """The owner's connection, to flip settings with; all of them are put back."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("ALTER ROLE tallypost_service RESET ALL")
        connection.execute("SELECT pg_reload_conf()")


def test_it_is_served_from_when_nothing_is_unsafe(database: MallDatabase) -> None:
    """R10: the embedded database and the service login pass."""
    refuse_unsafe(database.service_url, [database.schema])


def test_it_is_refused_when_commits_do_not_wait_for_the_disk(
    database: MallDatabase, flipped: psycopg.Connection
) -> None:
    """R10: synchronous_commit = off loses acknowledged commits (256 of 35,310 measured)."""
    flipped.execute("ALTER ROLE tallypost_service SET synchronous_commit = off")
    with pytest.raises(UnsafeDatabase, match="synchronous_commit = off"):
        refuse_unsafe(database.service_url, [database.schema])


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_it_is_refused_when_pages_may_tear(
    database: MallDatabase, flipped: psycopg.Connection, setting: str
) -> None:
    """R10: fsync and full_page_writes are what survives a power cut."""
    flipped.execute(f"ALTER SYSTEM SET {setting} = off".encode())
    flipped.execute("SELECT pg_reload_conf()")
    for _ in range(100):
        with psycopg.connect(database.service_url) as connection:
            row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
        if row == ("off",):
            break
    with pytest.raises(UnsafeDatabase, match=f"{setting} = off"):
        refuse_unsafe(database.service_url, [database.schema])


def test_it_is_refused_when_the_login_could_change_history(database: MallDatabase) -> None:
    """A1, R10: nothing serves as the owner."""
    with pytest.raises(UnsafeDatabase, match="UPDATE, DELETE, TRUNCATE"):
        refuse_unsafe(database.owner_url, [database.schema])
