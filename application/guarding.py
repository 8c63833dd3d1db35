"""What a PostgreSQL must be before this house trusts it with an answer (R10, A1)."""

from collections.abc import Sequence

import psycopg
from psycopg.sql import SQL, Identifier, Literal

REQUIRED = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
}
"""Settings without which an acknowledged commit can be lost or damaged unseen."""
STRONGER = {"synchronous_commit": ("remote_write", "remote_apply")}
FORBIDDEN = ("UPDATE", "DELETE", "TRUNCATE")
APPEND_ONLY = ("tallypost_events", "commits")


class UnsafeDatabase(Exception):
    """The database cannot be trusted as it is; the message says what to change."""


def refuse_unsafe(url: str, tenants: Sequence[str]) -> None:
    """Raise `UnsafeDatabase` unless commits are durable and this login can only append.

    `url` is the service login's: an owner could change history, so nothing serves as one.
    """
    with psycopg.connect(url) as connection:
        for name, value in REQUIRED.items():
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            found = None if row is None else str(row[0])
            if found != value and found not in STRONGER.get(name, ()):
                raise UnsafeDatabase(f"PostgreSQL runs with {name} = {found}, not {value}")
        for tenant in tenants:
            for table in APPEND_ONLY:
                held = [one for one in FORBIDDEN if _may(connection, tenant, table, one)]
                if held:
                    raise UnsafeDatabase(
                        f"this login may {', '.join(held)} {tenant}.{table}:"
                        " serve as the service login, not as the owner"
                    )


def _may(
    connection: psycopg.Connection[tuple[object, ...]], tenant: str, table: str, privilege: str
) -> bool:
    query = SQL("SELECT has_table_privilege({}::regclass, {})").format(
        Literal(Identifier(tenant, table).as_string()), Literal(privilege)
    )
    row = connection.execute(query).fetchone()
    return row is not None and bool(row[0])
