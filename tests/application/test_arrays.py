"""Columns arrive in PostgreSQL as they were given."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest

from application.arrays import PACKERS
from tests.conftest import MallDatabase

COLUMNS: list[tuple[str, list[Any]]] = [
    ("text", ["", "林小满", "x" * 5_000, None, 'a"b,{}\\']),
    ("text", ["one"]),
    ("bytea", [b"", b"\x00\xff", b"y" * 4_096, None]),
    ("bigint", [0, -1, 2**63 - 1, -(2**63)]),
    ("bigint", [1, None, 3]),
    ("boolean", [True, False, True]),
    (
        "timestamptz",
        [
            datetime(2026, 11, 22, 3, 4, 5, 678_901, tzinfo=UTC),
            datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))),
            None,
        ],
    ),
    ("date", [date(2000, 1, 1), date(1999, 12, 31), date(2026, 11, 22), date.max]),
]


@pytest.mark.parametrize(("kind", "values"), COLUMNS)
def test_a_column_is_what_it_was_when_it_is_read_back(
    database: MallDatabase, kind: str, values: list[Any]
) -> None:
    with psycopg.connect(database.service_url) as connection:
        query = f"SELECT value FROM unnest(%b::{kind}[]) WITH ORDINALITY AS u(value, place)"
        cursor = connection.execute(
            f"{query} ORDER BY place".encode(), (PACKERS[kind](values),), binary=True
        )
        assert [row[0] for row in cursor] == values


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_column_is_empty_when_nothing_is_given(database: MallDatabase, kind: str) -> None:
    with psycopg.connect(database.service_url) as connection:
        query = f"SELECT count(*) FROM unnest(%b::{kind}[])"
        cursor = connection.execute(query.encode(), (PACKERS[kind]([]),))
        assert cursor.fetchone() == (0,)
