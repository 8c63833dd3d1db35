"""The same redemption with the eventsourcing library as its documentation shows it."""

import asyncio
import itertools
import secrets
import threading
import time
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.bench.mall import ITEMS, LEARNERS, PLENTY, PRICE, SECONDS

THREADS = 8


class Account(Aggregate):
    """A learner's points."""

    def __init__(self, learner: str) -> None:
        self.learner = learner
        self.balance = 0

    @staticmethod
    def create_id(learner: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"/accounts/{learner}")

    @event("PointsGranted")
    def grant(self, points: int) -> None:
        self.balance += points

    @event("PointsRedeemed")
    def redeem(self, points: int, order: str) -> None:
        self.balance -= points


class Stock(Aggregate):
    """Units of an item."""

    def __init__(self, sku: str) -> None:
        self.sku = sku
        self.free = 0

    @staticmethod
    def create_id(sku: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"/stock/{sku}")

    @event("StockReceived")
    def receive(self, quantity: int) -> None:
        self.free += quantity

    @event("StockReserved")
    def reserve(self, quantity: int, order: str) -> None:
        self.free -= quantity


class Order(Aggregate):
    """An order of one line."""

    @event("OrderPlaced")
    def __init__(self, number: str, learner: str, sku: str, quantity: int, points: int) -> None:
        self.number = number
        self.learner = learner
        self.lines = [(sku, quantity, points)]


class Redemptions(Application[UUID]):
    """Three aggregates saved at once; a concurrent change of one of them is tried again."""

    def fill(self, *, grants: int = 1) -> None:
        """Points for everybody, and goods."""
        for learner in LEARNERS:
            account = Account(learner)
            for _ in range(grants):
                account.grant(PLENTY)
            self.save(account)
        for sku in ITEMS:
            stock = Stock(sku)
            stock.receive(PLENTY)
            self.save(stock)

    def redeem(self, learner: str, sku: str) -> None:
        """Redeem one unit."""
        while True:
            number = secrets.token_hex(8)
            account: Account = self.repository.get(Account.create_id(learner))
            stock: Stock = self.repository.get(Stock.create_id(sku))
            if account.balance < PRICE or stock.free < 1:
                raise RuntimeError("nothing left")
            account.redeem(PRICE, number)
            stock.reserve(1, number)
            try:
                self.save(account, stock, Order(number, learner, sku, 1, PRICE))
            except IntegrityError:
                continue
            return


def environment(url: str, schema: str) -> dict[str, str]:
    """The library's settings, for a server that trusts its socket."""
    parts = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts["port"]),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": "trusted",
        "POSTGRES_SCHEMA": schema,
        "POSTGRES_POOL_SIZE": str(THREADS),
    }


class PlainLibrary:
    """Threads that redeem through the library."""

    def __init__(self, url: str, *, schema: str) -> None:
        self._application = Redemptions(environment(url, schema))
        try:
            self._application.repository.get(Account.create_id(LEARNERS[0]))
        except AggregateNotFoundError:
            self._application.fill()

    async def rate(self) -> float:
        """Redemptions a second of all threads together."""
        over = time.perf_counter() + SECONDS
        done = await asyncio.gather(
            *(asyncio.to_thread(self._redeem_until, over) for _ in range(THREADS))
        )
        return sum(done) / SECONDS

    def _redeem_until(self, over: float) -> int:
        start = threading.get_ident()
        for done in itertools.count():  # every thread begins elsewhere
            if time.perf_counter() >= over:
                return done
            at = start + done
            self._application.redeem(LEARNERS[at % len(LEARNERS)], ITEMS[at % len(ITEMS)])
        raise AssertionError

    def close(self) -> None:
        """Close its connections."""
        self._application.close()


class Balances(PostgresTrackingRecorder):
    """A table of balances, moved by one upsert an event."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        table = sql.Identifier(self.datastore.schema, "balances")
        self.sql_create_statements.append(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, facts bigint NOT NULL)"
            ).format(table)
        )
        self._upsert = sql.SQL(
            "INSERT INTO {} AS b VALUES (%s, 1) ON CONFLICT (id) DO UPDATE SET facts = b.facts + 1"
        ).format(table)

    def moved(self, key: UUID, tracking: Tracking) -> None:
        """One more fact of this stream."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._upsert, (key,), prepare=True)


class Counting(Projection[Balances]):
    """The plainest view there is."""

    name = "counting"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Count the fact."""
        self.view.moved(domain_event.originator_id, tracking)


class PlainRunner:
    """The library's ProjectionRunner on a log that the library wrote."""

    def __init__(self, url: str, *, schema: str) -> None:
        self._environment = environment(url, schema)
        application = Redemptions(self._environment)
        application.fill(grants=10)  # a backlog for more than the seconds it is measured for
        application.close()

    async def rate(self) -> float:
        """Events a second while there is a backlog."""
        return await asyncio.to_thread(self._rate)

    def _rate(self) -> float:
        with ProjectionRunner(
            application_class=Redemptions,
            projection_class=Counting,
            view_class=Balances,
            env=self._environment,
        ) as runner:
            name = runner.app.name
            start = runner.view.max_tracking_id(name) or 0
            started = time.perf_counter()
            runner.run_forever(timeout=min(SECONDS, 1.0))
            counted = (runner.view.max_tracking_id(name) or 0) - start
            elapsed = time.perf_counter() - started
        if not counted:
            raise RuntimeError("the runner's backlog is used up")
        return counted / elapsed
