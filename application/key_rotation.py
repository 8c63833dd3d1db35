"""Rotating the master key: every subject's key is wrapped anew, no card is touched (A4)."""

from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.vault import MasterKeys, Vault

PAGE = 1_000
MASTER_KEYS = "master.json"
"""The file of the key folder that holds the ring."""


def add_master_key(folder: Path) -> MasterKeys:
    """Put a new current key into the ring; the old ones stay and go on unwrapping.

    Processes that run read the ring again when they meet a key under a master they do not know,
    and wrap new keys with the new one some seconds later: what they wrapped until then with the
    old one waits for the next `rewrap_all`.
    """
    path = folder / MASTER_KEYS
    ring = MasterKeys.load(path).rotated()
    ring.save(path)
    return ring


async def rewrap_all(conninfo: str, *, schema: str, master: MasterKeys) -> int:
    """Wrap the keys of all subjects with the current master key; returns how many were changed.

    Done again it changes nothing; a key that is erased or replaced meanwhile stays as it is.
    """
    vault = Vault(master, tenant=schema)
    table = Identifier(f"{schema}_keys", "subject_keys")
    changed, last = 0, ""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        while rows := await _page(connection, table, last):
            last = rows[-1][0]
            anew = [(subject, bytes(old), vault.rewrap(subject, old)) for subject, old in rows]
            changes = [one for one in anew if one[1] != one[2]]
            if changes:
                subjects, old, new = map(list, zip(*changes, strict=True))
                query = SQL(_REWRAP).format(keys=table)
                changed += (await connection.execute(query, (subjects, old, new))).rowcount
    return changed


async def _page(
    connection: AsyncConnection[Any], table: Identifier, after: str
) -> list[tuple[str, bytes]]:
    query = SQL(_PAGE).format(keys=table)
    return await (await connection.execute(query, (after, PAGE), binary=True)).fetchall()


_PAGE = "SELECT subject, wrapped FROM {keys} WHERE subject > %s ORDER BY subject LIMIT %s"
_REWRAP = """
UPDATE {keys} k SET wrapped = n.anew
FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS n(subject, old, anew)
WHERE k.subject = n.subject AND k.wrapped = n.old
"""
