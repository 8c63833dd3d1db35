"""Lists of a past moment: all of it, once, and never a walk over everything there is (A5)."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.sql import SQL

from domain.order_facts import State
from projections import past_orders
from projections.past_orders import ListedThen, Then, listed_then
from projections.reading import compose
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, tzinfo=UTC)
LAST_POSITION = 400


def filled(database: MallDatabase, *, orders: int) -> None:
    """Histories at random; every third order has a late fact that tells its states otherwise."""
    chance = random.Random(5)
    rows: list[tuple[Any, ...]] = []
    for one in range(orders):
        number, learner = f"T{one:05}", f"learner{one % 7}"
        known = sorted(chance.sample(range(1, LAST_POSITION), 7))
        late = known[-1] if one % 3 == 0 else None
        hour = chance.randrange(100)  # many orders share their instants
        for state, position in zip(list(State)[: chance.randrange(1, 6)], known, strict=False):
            at = START + timedelta(hours=hour)
            rows.append((number, learner, state, at, position, late))
            hour += chance.randrange(3)
        if late is not None:
            first = START + timedelta(hours=chance.randrange(100))
            rows.append((number, learner, "pending_shipment", first, late, None))
            rows.append((number, learner, "closed", first + timedelta(hours=2), late, None))
    with psycopg.connect(database.owner_url) as connection:
        insert = f"INSERT INTO {database.schema}.order_periods VALUES (%s, %s, %s, %s, %s, %s)"
        connection.cursor().executemany(insert.encode(), rows)


async def naive(
    connection: AsyncConnection[Any],
    schema: str,
    then: Then,
    learner: str | None,
    states: Sequence[str],
) -> list[ListedThen]:
    """The same, from everything there is."""
    query = compose(_NAIVE, schema, ("order_periods",), "")
    values = (then.as_of, then.known_at, then.known_at, learner, learner, list(states))
    rows = await (await connection.execute(query, values)).fetchall()
    return [ListedThen(*row) for row in rows]


_NAIVE = """
SELECT number, learner, state, valid_from FROM (
    SELECT DISTINCT ON (number) * FROM {order_periods}
    WHERE valid_from <= %s AND known_from <= %s AND (known_until IS NULL OR known_until > %s)
    ORDER BY number, valid_from DESC, known_from DESC
) then_ WHERE (%s::text IS NULL OR learner = %s) AND state = ANY(%s)
ORDER BY valid_from DESC, number DESC
"""


@pytest.mark.parametrize("looked_at", [7, 10_000])
async def test_all_pages_together_are_the_whole_list(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    """A5: any moment, any knowledge, any filter: each order once, in order, none left out."""
    monkeypatch.setattr(past_orders, "LOOKED_AT", looked_at)
    filled(database, orders=60)
    chance = random.Random(6)
    async with await AsyncConnection.connect(database.service_url, autocommit=True) as connection:
        for _ in range(40):
            moment = START + timedelta(hours=chance.randrange(-5, 120))
            then = Then(moment, chance.randrange(LAST_POSITION + 50))
            learner = chance.choice([None, None, "learner3"])
            states = chance.sample(list(State), chance.choice([1, 2, len(State)]))
            seen: list[ListedThen] = []
            after = None
            while True:
                page = await listed_then(
                    connection,
                    database.schema,
                    then,
                    learner=learner,
                    states=states,
                    after=after,
                    limit=5,
                )
                assert len(page.orders) <= 5
                seen += page.orders
                if (after := page.next) is None:
                    break
            expected = await naive(connection, database.schema, then, learner, states)
            assert seen == expected, (then, learner, states)


LOOKS: list[tuple[list[str], str | None, int]] = [
    (list(State), None, 300),
    (["completed"], None, 300),
    (["pending_payment"], None, 10_000),
    (["closed"], None, 10_000),
    (["closed"], "learner3", 10_000),
]


async def test_a_page_looks_at_few_periods_when_there_are_many(database: MallDatabase) -> None:
    """A5: half a million periods; a page reads those it needs, and never more than its bound."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(_MANY.replace("{s}", database.schema).encode())
        owner.execute(f"ANALYZE {database.schema}.order_periods".encode())
    then = Then(datetime(2026, 6, 1, tzinfo=UTC), 10**9)
    async with await Explaining.connect(database.service_url, autocommit=True) as connection:
        for states, learner, looked_at in LOOKS:
            connection.plans = []
            page = await listed_then(
                connection,
                database.schema,
                then,
                learner=learner,
                states=states,
                after=None,
                limit=50,
            )
            assert page.next is not None or learner is not None
            assert connection.plans
            for plan in connection.plans:
                text = json.dumps(plan)
                assert "Seq Scan" not in text
                walks = [one for one in nodes(plan) if one.get("Index Name", "").endswith(WALKS)]
                assert sum(one["Actual Rows"] for one in walks) <= looked_at, text


class Explaining(AsyncConnection[Any]):
    """Asks how each question is answered before it is."""

    plans: list[Any]

    async def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        """Ask, twice."""
        if params is not None:
            told = await super().execute(SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + query, params)
            row = await told.fetchone()
            assert row is not None
            self.plans.append(row[0][0]["Plan"])
        return await super().execute(query, params, **more)


WALKS = ("_newest_idx", "_learner_idx")


def nodes(plan: Any) -> list[Any]:
    """A plan's nodes."""
    return [plan, *(deeper for one in plan.get("Plans", ()) for deeper in nodes(one))]


_MANY = """
INSERT INTO {s}.order_periods
SELECT 'T' || n, 'learner' || mod(n, 1000), state, at + n * interval '1 minute', 5 * n + nth, NULL
FROM generate_series(1, 100000) n,
    (VALUES ('pending_payment', 1, timestamptz '2026-05-01Z'),
            ('pending_shipment', 2, '2026-05-01 00:03Z'), ('pending_receipt', 3, '2026-05-02Z'),
            ('pending_end', 4, '2026-05-05Z'), ('completed', 5, '2026-05-12Z')
    ) AS one (state, nth, at)
"""
