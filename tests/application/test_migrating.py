import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from application.embedded import EmbeddedPostgres
from application.migrating import (
    SERVICE_ROLE,
    AppliedMigrationChanged,
    DatabaseAhead,
    InvalidName,
    MisnumberedMigrations,
    migrate,
    pending,
)
from tests.conftest import MallDatabase

SCHEMA = "user"  # a reserved word: the names must be quoted
EVENTS = """
CREATE TABLE {schema}.events (position bigint, tags text[] DEFAULT '{}', note text DEFAULT '5 %');
CREATE TABLE {keys}.keys (learner text);
GRANT SELECT ON {schema}.events TO {service};
"""
MIGRATE = """
import sys
from pathlib import Path
from application.migrating import migrate
sys.stdin.readline()
print(",".join(migrate(sys.argv[1], sys.argv[2], folder=Path(sys.argv[3]))))
"""


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    yield postgres.url()
    with psycopg.connect(postgres.url()) as connection:
        for schema in (SCHEMA, f"{SCHEMA}_keys"):
            drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
            connection.execute(drop)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_events.sql").write_text(EVENTS)
    return tmp_path


def test_files_run_in_order_and_once_when_migrating_twice(url: str, folder: Path) -> None:
    (folder / "0002_rows.sql").write_text("INSERT INTO {schema}.events VALUES (1);")

    assert pending(url, SCHEMA, folder=folder) == ["0001_events", "0002_rows"]
    assert migrate(url, SCHEMA, folder=folder) == ["0001_events", "0002_rows"]
    assert migrate(url, SCHEMA, folder=folder) == []
    assert pending(url, SCHEMA, folder=folder) == []
    with psycopg.connect(url) as connection:
        rows = connection.execute('SELECT * FROM "user".events').fetchall()
    assert rows == [(1, [], "5 %")]


def test_only_the_new_file_runs_when_one_is_added(url: str, folder: Path) -> None:
    migrate(url, SCHEMA, folder=folder)
    (folder / "0002_rows.sql").write_text("INSERT INTO {schema}.events VALUES (1);")

    assert pending(url, SCHEMA, folder=folder) == ["0002_rows"]
    assert migrate(url, SCHEMA, folder=folder) == ["0002_rows"]


def test_nothing_is_changed_when_one_file_fails(url: str, folder: Path) -> None:
    (folder / "0002_wrong.sql").write_text("SELECT nonesuch;")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate(url, SCHEMA, folder=folder)

    assert pending(url, SCHEMA, folder=folder) == ["0001_events", "0002_wrong"]


def test_migrating_is_refused_when_a_file_that_ran_was_changed(url: str, folder: Path) -> None:
    migrate(url, SCHEMA, folder=folder)
    (folder / "0001_events.sql").write_text(EVENTS + "-- a remark\n")

    with pytest.raises(AppliedMigrationChanged, match="0001_events"):
        migrate(url, SCHEMA, folder=folder)
    with pytest.raises(AppliedMigrationChanged, match="0001_events"):
        pending(url, SCHEMA, folder=folder)


def test_migrating_is_refused_when_the_sources_are_older_than_the_database(
    url: str, folder: Path
) -> None:
    migrate(url, SCHEMA, folder=folder)
    (folder / "0001_events.sql").unlink()

    with pytest.raises(DatabaseAhead, match="0001_events"):
        migrate(url, SCHEMA, folder=folder)


@pytest.mark.parametrize("name", ["1_events.sql", "0001_Events.sql", "0001_again.sql"])
def test_migrating_is_refused_when_a_file_is_misnumbered(url: str, folder: Path, name: str) -> None:
    (folder / name).write_text("")

    with pytest.raises(MisnumberedMigrations):
        migrate(url, SCHEMA, folder=folder)


@pytest.mark.parametrize("name", ["", "Mall", "1mall", 'm"; DROP', "mall\n", "m" * 59])
def test_migrating_is_refused_when_a_name_could_be_misread(
    url: str, folder: Path, name: str
) -> None:
    with pytest.raises(InvalidName):
        migrate(url, name, folder=folder)
    with pytest.raises(InvalidName):
        migrate(url, SCHEMA, name, folder=folder)


def test_each_file_runs_once_when_two_processes_migrate_together(url: str, folder: Path) -> None:
    (folder / "0002_slowly.sql").write_text("SELECT pg_sleep(0.3);")
    arguments = [sys.executable, "-c", MIGRATE, url, SCHEMA, str(folder)]
    pair = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in pair:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    said = sorted(process.communicate(timeout=60)[0].strip() for process in pair)

    assert [process.returncode for process in pair] == [0, 0]
    assert said == ["", "0001_events,0002_slowly"]


def test_the_service_may_do_what_files_grant_and_no_more_when_it_connects(
    postgres: EmbeddedPostgres, url: str, folder: Path
) -> None:
    migrate(url, SCHEMA, folder=folder)

    with psycopg.connect(postgres.url(SERVICE_ROLE), autocommit=True) as service:
        assert service.execute('SELECT * FROM "user".events').fetchall() == []
        assert service.execute('SELECT name FROM "user".migrations').fetchall() == [
            ("0001_events",)
        ]
        for forbidden in (
            'INSERT INTO "user".events VALUES (1)',
            'SELECT * FROM "user_keys".keys',
            'DELETE FROM "user".migrations',
            'CREATE TABLE "user".mine ()',
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(sql.SQL(forbidden))


def test_the_service_has_the_password_when_one_is_given(
    postgres: EmbeddedPostgres, url: str, folder: Path
) -> None:
    role = "service_with_password"
    migrate(url, SCHEMA, role, password="correct horse", folder=folder)

    with psycopg.connect(url) as connection:
        query = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
        row = connection.execute(query, [role]).fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


@pytest.mark.slow
def test_a_schema_is_made_within_100_ms_when_a_test_asks_for_one(
    postgres: EmbeddedPostgres, database: MallDatabase
) -> None:
    with psycopg.connect(postgres.url()) as connection:
        started = time.perf_counter()
        migrate(postgres.url(), f"{database.schema}_too")
        took_seconds = time.perf_counter() - started
        for schema in (f"{database.schema}_too", f"{database.schema}_too_keys"):
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))

    assert took_seconds < 1.0  # ten times what it takes, on a machine that does other work, too
