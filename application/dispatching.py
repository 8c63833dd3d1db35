"""派送 Telling subscribers what the log says: in order, at least once, always under one id (N2).

The log is the queue and a subscription's cursor its place in it. Whoever holds a subscription's
lease tells its events one after the other; the cursor moves by compare-and-set after each. A
dispatcher that is killed leaves the lease to run out, and the next one tells the same event again
under the same id. Events are read and made into messages once for all subscribers.
"""

import asyncio
import logging
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from application.ending import heed
from application.faults import fault
from application.gateways.outbound import AddressRefused, Outbound, Unanswered
from application.house import OUTAGES, House
from application.subscriptions import DELIVERIES_KEPT, qualified, unsealed
from application.webhooks import (
    PARKED_IN_A_ROW_MAX,
    ROOMS,
    Message,
    Outcome,
    Tried,
    Verdict,
    first_wanted,
    judge,
    message,
    message_id,
    signed_headers,
)

logger = logging.getLogger(__name__)

CHUNK = 500
"""Positions read at a time."""
CHUNKS_KEPT = 64
LEASE = timedelta(seconds=15)
"""Longer than one try takes: a dispatcher that is alive never loses it in between."""
COURIERS_MAX = 32
"""Subscriptions told at the same time by one process."""
TOLD_MAX = 500
"""Events told before another subscription gets its turn."""
SKIP_MAX = 5_000
"""Unwanted events passed over before the cursor in the database follows."""
BROKEN_PAUSE_SECONDS = 30.0
"""A subscription that makes our own code fail is left alone for so long."""


class Place(NamedTuple):
    """Where a subscription stands."""

    id: str
    position: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A subscription whose lease is ours."""

    id: str
    url: str
    patterns: tuple[str, ...]
    secret: str = field(repr=False)
    position: int
    failed: int
    parked_in_a_row: int
    troubled_since: datetime | None
    """When the first of the failed tries was."""


@dataclass(slots=True)
class _Chunk:
    upto: int
    messages: list[Message] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Messages:
    """The log as messages, made once for all subscribers and kept while it is recent."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self._pool = pool
        self._schema = schema
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()

    async def next_wanted(
        self, patterns: tuple[str, ...], *, after: int, head: int
    ) -> tuple[Message | None, int]:
        """The first wanted message in (after, head], and how far was looked."""
        while after < head:
            number = after // CHUNK
            end = min(head, (number + 1) * CHUNK)
            chunk = await self._read(number, upto=end)
            found = first_wanted(chunk.messages, patterns, after=after)
            if found is not None:
                return (None, head) if found.position > head else (found, found.position)
            after = end
        return None, after

    async def _read(self, number: int, *, upto: int) -> _Chunk:
        """The events of positions in (number * CHUNK, (number + 1) * CHUNK], read up to `upto`."""
        chunk = self._chunks.setdefault(number, _Chunk(number * CHUNK))
        self._chunks.move_to_end(number)
        while len(self._chunks) > CHUNKS_KEPT:
            self._chunks.popitem(last=False)
        async with chunk.lock:
            if chunk.upto < upto:
                async with self._pool.connection() as connection:
                    cursor = await connection.execute(
                        qualified(_READ, self._schema),
                        (chunk.upto, upto, list(ROOMS)),
                        prepare=True,
                        binary=True,
                    )
                    chunk.messages += [message(*row) for row in await cursor.fetchall()]
                chunk.upto = upto
        return chunk


class Dispatcher:
    """Tells the subscribers of one tenant."""

    def __init__(
        self,
        house: House,
        outbound: Outbound,
        *,
        clock: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._house = house
        self._outbound = outbound
        self._clock = clock or house.store.clock
        self._chance = chance
        self._name = secrets.token_hex(8)
        self._messages = Messages(house.pool, schema=house.schema)
        self._couriers: dict[str, asyncio.Task[None]] = {}
        self._looked: dict[str, tuple[int, int]] = {}
        """Subscription → (its cursor, how far nothing after it was wanted)."""
        self._broken: dict[str, float] = {}
        self._told: dict[str, int] = {}

    async def poll(self) -> None:
        """Send a courier to every subscription that has something due and none under way."""
        async with self._house.pool.connection() as connection:
            head, places = await self._due(connection)
        for place in places:
            if place.id in self._couriers or len(self._couriers) >= COURIERS_MAX:
                continue
            if self._broken.get(place.id, 0) > time.monotonic():
                continue
            if not await self._wants_something(place, head):
                continue
            task = asyncio.create_task(self._serve(place.id, head), name=f"webhook {place.id}")
            self._couriers[place.id] = task

    async def step(self) -> None:
        """Poll, and wait until every courier is back; for tests."""
        await self.poll()
        await asyncio.gather(*self._couriers.values())

    async def close(self) -> None:
        """Call the couriers back; what they were telling is told again by whoever is next."""
        couriers = list(self._couriers.values())
        for courier in couriers:
            courier.cancel()
        await asyncio.gather(*couriers, return_exceptions=True)

    async def _due(self, connection: AsyncConnection[Any]) -> tuple[int, list[Place]]:
        rows = await (
            await connection.execute(qualified(_HEAD, self._house.schema), prepare=True)
        ).fetchall()
        head = int(rows[0][0]) if rows else 0
        cursor = await connection.execute(
            qualified(_DUE, self._house.schema), (self._clock(), head, self._name), prepare=True
        )
        return head, [Place(name, at, tuple(told)) for name, at, told in await cursor.fetchall()]

    async def _wants_something(self, place: Place, head: int) -> bool:
        """Look ahead in memory, so that nobody is bothered for events nobody wants."""
        cursor, upto = self._looked.get(place.id, (place.position, place.position))
        after = upto if cursor == place.position else place.position
        found, upto = await self._messages.next_wanted(place.patterns, after=after, head=head)
        if found is not None:
            return True
        self._looked[place.id] = (place.position, upto)
        if upto - place.position > SKIP_MAX:
            async with self._house.pool.connection() as connection:
                await connection.execute(
                    qualified(_SKIP, self._house.schema), (upto, place.id, place.position)
                )
        return False

    async def _serve(self, webhook: str, head: int) -> None:
        try:
            claimed = await self._claim(webhook)
            for _ in range(TOLD_MAX):
                heed()
                if claimed is None:
                    break
                found, _ = await self._messages.next_wanted(
                    claimed.patterns, after=claimed.position, head=head
                )
                if found is None:
                    break
                claimed = await self._tell(claimed, found)
        except OUTAGES as error:
            logger.warning("webhook %s waits for the database: %s", webhook, type(error).__name__)
        except Exception as error:
            # Ours, not the receiver's: the others go on, this one is left alone for a while.
            logger.exception("telling webhook %s failed: %s", webhook, type(error).__name__)
            self._broken[webhook] = time.monotonic() + BROKEN_PAUSE_SECONDS
        finally:
            try:
                with suppress(*OUTAGES):  # a lease that is not given back runs out
                    await self._let_go(webhook)
            finally:
                self._couriers.pop(webhook, None)

    async def _claim(self, webhook: str) -> Claimed | None:
        async with self._house.pool.connection() as connection:
            cursor = await connection.execute(
                qualified(_CLAIM, self._house.schema),
                (self._name, LEASE, webhook, self._clock(), self._name),
                prepare=True,
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        url, patterns, sealed, wrapped, *place = row
        secret = unsealed(self._house.vault, webhook, bytes(sealed), bytes(wrapped))
        return Claimed(webhook, url, tuple(patterns), secret, *place)

    async def _tell(self, claimed: Claimed, found: Message) -> Claimed | None:
        """Try once and note what came of it; None when there is nothing more to do for now."""
        started = time.monotonic()
        now = self._clock()
        tried = await tell(
            self._outbound,
            claimed.url,
            secret=claimed.secret,
            id=message_id(claimed.id, found.position),
            body=found.body,
            now=now,
        )
        fault("webhook_told")
        took = timedelta(seconds=time.monotonic() - started)
        verdict = judge(tried, failed_before=claimed.failed, chance=self._chance())
        moved = await self._settle(claimed, found, tried, verdict, at=now, took=took)
        if moved is None or verdict.outcome in (Outcome.FAILED, Outcome.DISABLED):
            return None
        return None if moved.parked_in_a_row >= PARKED_IN_A_ROW_MAX else moved

    async def _settle(
        self,
        claimed: Claimed,
        found: Message,
        tried: Tried,
        verdict: Verdict,
        *,
        at: datetime,
        took: timedelta,
    ) -> Claimed | None:
        """Move the cursor and keep the try, in one statement; None: somebody else moved it."""
        outcome = verdict.outcome
        past = outcome in (Outcome.DELIVERED, Outcome.PARKED)
        since = claimed.troubled_since or at
        after = Claimed(
            claimed.id,
            claimed.url,
            claimed.patterns,
            claimed.secret,
            found.position if past else claimed.position,
            0 if past else claimed.failed + 1,
            claimed.parked_in_a_row + 1 if outcome is Outcome.PARKED else 0,
            None if past else since,
        )
        state, cause = "active", None
        if outcome is Outcome.DISABLED:
            state, cause = "disabled", "the receiver answered 410 Gone"
        elif after.parked_in_a_row >= PARKED_IN_A_ROW_MAX:
            state, cause = "paused", f"{PARKED_IN_A_ROW_MAX} deliveries in a row were parked"
        in_a_row = claimed.parked_in_a_row if outcome is Outcome.FAILED else after.parked_in_a_row
        values = {
            "id": claimed.id, "me": self._name, "from": claimed.position,
            "to": after.position, "tries": after.failed, "next_at": at + verdict.wait,
            "state": state, "cause": cause, "in_a_row": in_a_row, "lease": LEASE,
            "troubled_since": after.troubled_since if state == "active" else since,
            "since": since,
            "is_parked": outcome is Outcome.PARKED, "position": found.position,
            "fact": found.fact, "attempt": claimed.failed + 1, "at": at, "outcome": str(outcome),
            "status": tried.status, "why": tried.cause or _status_text(tried.status),
            "took_ms": round(took.total_seconds() * 1000),
        }  # fmt: skip
        async with self._house.pool.connection() as connection:
            cursor = await connection.execute(
                qualified(_SETTLE, self._house.schema), values, prepare=True
            )
            kept = bool(cursor.rowcount)
            told = self._told[claimed.id] = self._told.get(claimed.id, 0) + 1
            if told % DELIVERIES_KEPT == 0:
                await connection.execute(
                    qualified(_PRUNE, self._house.schema),
                    (claimed.id, claimed.id, DELIVERIES_KEPT),
                )
        return after if kept else None

    async def _let_go(self, webhook: str) -> None:
        async with self._house.pool.connection() as connection:
            await connection.execute(qualified(_LET_GO, self._house.schema), (webhook, self._name))


async def tell(
    outbound: Outbound,
    url: str,
    *,
    secret: str,
    id: str,  # noqa: A002
    body: bytes,
    now: datetime,
) -> Tried:
    """Send one message, signed for this moment; whatever happens is an answer."""
    headers = signed_headers(secret, id=id, at=now, body=body)
    try:
        answer = await outbound.post(url, body=body, headers=headers)
    except AddressRefused as refused:
        return Tried(None, f"not called: {refused.reason}")
    except Unanswered as unanswered:
        return Tried(None, unanswered.reason)
    after = answer.retry_after_seconds
    return Tried(answer.status, None, None if after is None else timedelta(seconds=after))


def _status_text(status: int | None) -> str | None:
    return None if status is None or 200 <= status < 300 else f"HTTP {status}"


_HEAD = "SELECT position FROM {commits} ORDER BY position DESC LIMIT 1"
_READ = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > %b AND notification_id <= %b AND split_part(topic, '.', 1) = ANY(%b)
ORDER BY notification_id
"""
_DUE = """
SELECT id, position, patterns FROM {webhooks}
WHERE state = 'active' AND next_at <= %s AND position < %s
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp() OR claimed_by = %s)
ORDER BY next_at
"""
_SKIP = """
UPDATE {webhooks} SET position = %s WHERE id = %s AND position = %s AND attempt = 0
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
"""
# Leases run on the database's clock, which all dispatchers share.
_CLAIM = """
UPDATE {webhooks} SET claimed_by = %s, claimed_until = clock_timestamp() + %s
WHERE id = %s AND state = 'active' AND next_at <= %s
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp() OR claimed_by = %s)
RETURNING url, patterns, sealed_secret,
    (SELECT k.wrapped FROM {subject_keys} k WHERE k.subject = 'webhook:' || id),
    position, attempt, parked_in_a_row, troubled_since
"""
_SETTLE = """
WITH moved AS (
    UPDATE {webhooks} SET position = %(to)s, attempt = %(tries)s, next_at = %(next_at)s,
        state = %(state)s, cause = %(cause)s, parked_in_a_row = %(in_a_row)s,
        troubled_since = %(troubled_since)s,
        claimed_until = clock_timestamp() + %(lease)s
    WHERE id = %(id)s AND claimed_by = %(me)s AND position = %(from)s AND state = 'active'
      AND attempt = %(attempt)s - 1
    RETURNING id
), parked AS (
    INSERT INTO {webhook_parked} (webhook, position, fact, cause, parked_at, troubled_since)
    SELECT id, %(position)s, %(fact)s::text, coalesce(%(why)s::text, ''), %(at)s, %(since)s
    FROM moved WHERE %(is_parked)s
    ON CONFLICT (webhook, position) DO UPDATE SET cause = excluded.cause,
        parked_at = excluded.parked_at, troubled_since = excluded.troubled_since
)
INSERT INTO {webhook_deliveries}
    (webhook, position, fact, attempt, at, outcome, status, cause, took_ms)
SELECT id, %(position)s, %(fact)s::text, %(attempt)s, %(at)s, %(outcome)s::text,
    %(status)s::integer, %(why)s::text, %(took_ms)s
FROM moved
"""
_PRUNE = """
DELETE FROM {webhook_deliveries} WHERE webhook = %s AND serial <= (
    SELECT serial FROM {webhook_deliveries} WHERE webhook = %s
    ORDER BY serial DESC OFFSET %s LIMIT 1)
"""
_LET_GO = "UPDATE {webhooks} SET claimed_until = NULL WHERE id = %s AND claimed_by = %s"
