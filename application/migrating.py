"""Numbered migrations: how a tenant's schemas come to be and grow.

A migration is a file `NNNN_name.sql` of plain SQL with three placeholders, replaced by quoted
names: `{schema}` (the tenant's schema), `{keys}` (the schema of its personal-data keys, which has a
dump of its own) and `{service}` (the role that serves). Other braces are SQL and stay.

Files that ran are history: one that changed afterwards is refused, never run again.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection, sql

MIGRATIONS: Final = Path(__file__).with_name("migrations")
SERVICE_ROLE: Final = "tallypost_service"

FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
# PostgreSQL cuts names at 63 bytes without a word; `<schema>_keys` must fit.
LONGEST_NAME: Final = 58
# One key for all tenants: they share roles, and two at once would collide in granting.
LOCK: Final = int.from_bytes(hashlib.sha256(b"tallypost migrate").digest()[:8], signed=True)


class MigrationError(RuntimeError):
    """Migrating is refused; nothing was changed."""


class InvalidName(MigrationError):
    """A schema or role must be named [a-z_][a-z0-9_]*, with at most 58 characters."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no name for a schema or role: [a-z_][a-z0-9_]*, up to 58.")


class MisnumberedMigrations(MigrationError):
    """The folder has a file without a number, or two with one number."""


class AppliedMigrationChanged(MigrationError):
    """A file that already ran has changed since: a new change belongs into a new file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} ran on this database and was changed since: write a new one.")
        self.name = name


class DatabaseAhead(MigrationError):
    """The database has seen a migration that these sources don't have: they are too old for it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The database has {name}, which is missing here: update Tallypost.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `0001_event_log` and its text."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> bytes:
        """The digest by which a change after the fact is noticed."""
        return hashlib.sha256(self.text.encode()).digest()


def migrate(
    conninfo: str,
    schema: str,
    service_role: str = SERVICE_ROLE,
    *,
    password: str | None = None,
    folder: Path = MIGRATIONS,
) -> list[str]:
    """Bring the tenant's schemas up to date, as their owner; return the names of what ran.

    All of it happens in one transaction, one process at a time, so that it is whole or not at all.
    The service role is created where it is missing, with `password` if one is given; one that
    exists is left as it is. It may use the schemas; what it may do there, the files grant.
    """
    names = _names(schema, service_role)
    migrations = read_migrations(folder)
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        _create_role(connection, service_role, password)
        _execute(connection, PREPARE, names)
        outstanding = _outstanding(migrations, _applied(connection, names))
        for migration in outstanding:
            _execute(connection, migration.text, names)
            record = _filled("INSERT INTO {schema}.migrations VALUES (%s, %s, %s)", names)
            connection.execute(record, [migration.number, migration.name, migration.sha256])
    return [migration.name for migration in outstanding]


def pending(conninfo: str, schema: str, *, folder: Path = MIGRATIONS) -> list[str]:
    """Return the names of the migrations that the schema still lacks; raises as `migrate` does."""
    names = _names(schema, SERVICE_ROLE)
    migrations = read_migrations(folder)
    with psycopg.connect(conninfo) as connection:
        applied = _applied(connection, names)
    return [migration.name for migration in _outstanding(migrations, applied)]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the folder's migrations in order."""
    found: dict[int, Migration] = {}
    for file in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(file.name)
        if match is None:
            raise MisnumberedMigrations(f"{file.name} isn't named NNNN_name.sql.")
        number = int(match[1])
        if number in found:
            raise MisnumberedMigrations(f"{file.stem} and {found[number].name} have one number.")
        found[number] = Migration(number, file.stem, file.read_text(encoding="utf-8"))
    return list(found.values())


PREPARE: Final = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE SCHEMA IF NOT EXISTS {keys};
GRANT USAGE ON SCHEMA {schema}, {keys} TO {service};
CREATE TABLE IF NOT EXISTS {schema}.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON {schema}.migrations TO {service};
"""


def _names(schema: str, service_role: str) -> dict[str, str]:
    for name in (schema, service_role):
        if NAME.fullmatch(name) is None or len(name) > LONGEST_NAME:
            raise InvalidName(name)
    return {
        "{schema}": f'"{schema}"',
        "{keys}": f'"{schema}_keys"',
        "{service}": f'"{service_role}"',
    }


def _filled(text: str, names: dict[str, str]) -> sql.SQL:
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    # The text is our own file, and the names can't hold a quote.
    return sql.SQL(text)


def _execute(connection: Connection[Any], text: str, names: dict[str, str]) -> None:
    # Without parameters the text goes as it is: many statements, and % is a per cent sign.
    connection.execute(_filled(text, names))


def _create_role(connection: Connection[Any], role: str, password: str | None) -> None:
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if exists is not None:
        return
    create = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role))
    if password is not None:
        # Only its SCRAM verifier travels, so that no server log ever shows the password.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        create += sql.SQL(" PASSWORD {}").format(sql.Literal(verifier.decode()))
    connection.execute(create)


def _applied(connection: Connection[Any], names: dict[str, str]) -> dict[int, tuple[str, bytes]]:
    table = f"{names['{schema}']}.migrations"
    known = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    if known != (True,):
        return {}
    rows = connection.execute(
        _filled("SELECT number, name, sha256 FROM {schema}.migrations ORDER BY number", names)
    )
    return {number: (name, bytes(sha256)) for number, name, sha256 in rows}


def _outstanding(
    migrations: Sequence[Migration], applied: dict[int, tuple[str, bytes]]
) -> list[Migration]:
    here = {migration.number for migration in migrations}
    for number, (name, _) in applied.items():
        if number not in here:
            raise DatabaseAhead(name)
    for migration in migrations:
        if applied.get(migration.number, ("", migration.sha256))[1] != migration.sha256:
            raise AppliedMigrationChanged(migration.name)
    return [migration for migration in migrations if migration.number not in applied]
