"""账单查询 Bills as staff look at them: totals, causes, versions, refused rows (W6)."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg import AsyncConnection

from projections.bills import Bills
from projections.reading import compose, named_rows

REFUSED_MAX = 500


async def bills(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    kind: str | None,
    partner: str | None,
    state: str | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Bills, the newest first, after a cursor."""
    at, key = before or (None, None)
    query = compose(_LISTED, schema, Bills.tables, "")
    return await named_rows(
        connection, query, kind=kind, partner=partner, state=state, at=at, key=key, limit=limit
    )


async def bill(connection: AsyncConnection[Any], schema: str, key: str) -> dict[str, Any] | None:
    """One bill with its causes, its versions, the newest first, and the rows that it lacks."""
    found = await named_rows(connection, compose(_ONE, schema, Bills.tables, ""), key)
    if not found:
        return None
    (one,) = found
    for name, text in (("causes", _CAUSES), ("revisions", _REVISIONS)):
        one[name] = await named_rows(connection, compose(text, schema, Bills.tables, ""), key)
    refused = compose(_REFUSED, schema, Bills.tables, "")
    one["refused_rows"] = await named_rows(connection, refused, key, one["revision"], REFUSED_MAX)
    return one


async def differences(
    connection: AsyncConnection[Any],
    schema: str,
    key: str,
    *,
    cause: str | None,
    standing: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[dict[str, Any]] | None:
    """What of a bill differs, by cause and number, after a cursor of both; None: no such bill."""
    if not await named_rows(connection, compose(_ONE, schema, Bills.tables, ""), key):
        return None
    at, name = after or (None, None)
    query = compose(_DIFFERENCES, schema, (*Bills.tables, "items"), "")
    return await named_rows(
        connection, query, bill=key, cause=cause, standing=standing, at=at, name=name, limit=limit
    )


_COLUMNS: LiteralString = """
    id AS bill, kind, partner, number, revision, file, received_at, first_day, last_day, lines,
    refused, total_fen, matched_at, agreed, ours_fen, open, open_fen, contested, contested_fen,
    state
"""
_LISTED = f"""
SELECT {_COLUMNS} FROM {{bills}}
WHERE (%(kind)s::text IS NULL OR kind = %(kind)s::text)
  AND (%(partner)s::text IS NULL OR partner = %(partner)s::text)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(at)s::timestamptz IS NULL
       OR (received_at, id) < (%(at)s::timestamptz, %(key)s::text))
ORDER BY received_at DESC, id DESC LIMIT %(limit)s
"""
_ONE = f"SELECT {_COLUMNS} FROM {{bills}} WHERE id = %b"
_CAUSES = """
SELECT cause, count(*) AS differences, sum(fen)::bigint AS fen,
    count(*) FILTER (WHERE standing = 'open') AS open,
    count(*) FILTER (WHERE standing = 'accepted') AS accepted,
    count(*) FILTER (WHERE standing = 'contested') AS contested
FROM {bill_differences} WHERE bill = %b
GROUP BY cause ORDER BY count(*) FILTER (WHERE standing = 'open') DESC, sum(abs(fen)) DESC, cause
"""
_REVISIONS = """
SELECT revision, file, lines, refused, total_fen, received_at, received_by
FROM {bill_revisions} WHERE bill = %b ORDER BY revision DESC
"""
_REFUSED = """
SELECT row_no AS row, column_name AS column, code FROM {bill_refused}
WHERE bill = %b AND revision = %b ORDER BY row_no LIMIT %b
"""
_DIFFERENCES = """
SELECT id, cause, charge, number, row_no AS row, billed_fen, ours_fen, fen, about, standing, reason,
    (SELECT i.name FROM {items} i WHERE charge = 'storage' AND i.sku = number) AS item
FROM {bill_differences}
WHERE bill = %(bill)s AND (%(cause)s::text IS NULL OR cause = %(cause)s::text)
  AND (%(standing)s::text IS NULL OR standing = %(standing)s::text)
  AND (%(name)s::text IS NULL OR (cause, id) > (%(at)s::text COLLATE "C", %(name)s::text))
ORDER BY cause COLLATE "C", id LIMIT %(limit)s
"""
