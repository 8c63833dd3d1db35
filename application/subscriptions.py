"""订阅 Who is told what: subscriptions to webhooks, their cursors, what was parked (N2).

Subscriptions are settings, not facts of the business, so they are rows. A secret is sealed under a
data key of its own, which is wrapped and kept like a learner's; changes are answered once per
idempotency key here, and not in `commands`, because an answer may carry the secret.
"""

import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from application.outcomes import KeyReused
from application.vault import Vault, seal, unseal
from application.webhooks import SECRET_BYTES, TRIES, checked_patterns, new_secret, wants
from domain.refusals import InvalidRequest, NotFound, Refusal

OWNED_MAX = 20
"""Subscriptions one caller may have."""
DELIVERIES_KEPT = 1_000
"""Tries kept for each subscription."""
TRIES_TOLD = 500
"""Tries that are told of an order's events."""
REQUESTS_KEPT = timedelta(days=30)
_FIELD = "webhook_secret"


class TooManyWebhooks(Refusal):
    """The caller has as many subscriptions as one may have."""

    code = "too_many_webhooks"
    en = "At most {limit} webhooks; delete one first."
    zh = "最多 {limit} 个回调订阅，请先删除。"


class Subscription(NamedTuple):
    """A subscription as its owner sees it."""

    id: str
    owner: str
    url: str
    facts: list[str]
    state: str
    cause: str | None
    position: int
    failed_tries: int
    next_at: datetime
    parked: int
    created_at: datetime
    troubled_since: datetime | None
    """The first failed try of what is not delivered or was given up; or when it was paused."""


class Delivery(NamedTuple):
    """One try."""

    serial: int
    position: int
    fact: str
    attempt: int
    at: datetime
    outcome: str
    status: int | None
    cause: str | None
    took_ms: int


class Tried(NamedTuple):
    """One try to tell somebody of an event."""

    webhook: str
    owner: str
    url: str
    serial: int
    position: int
    attempt: int
    at: datetime
    outcome: str
    status: int | None


class Untold(NamedTuple):
    """Somebody who was not told of an event yet, and should have been."""

    owner: str
    url: str
    position: int
    """Of the first such event."""
    failed_tries: int
    next_at: datetime | None
    """None: it was given up, or the subscription is stopped."""
    cause: str | None


class Subscriptions:
    """The subscriptions of one tenant, on one connection."""

    def __init__(self, connection: AsyncConnection[Any], *, schema: str, vault: Vault) -> None:
        self._connection = connection
        self._schema = schema
        self._vault = vault

    async def once(
        self,
        *,
        principal: str,
        key: str,
        digest: bytes,
        now: datetime,
        work: Callable[[], Awaitable[dict[str, Any]]],
    ) -> tuple[dict[str, Any], bool]:
        """Do a change once per idempotency key: (its answer, whether it was done before).

        The change and its answer are one transaction; a twin waits for it. Raises `KeyReused`.
        """
        async with self._connection.transaction():
            taken = await self._run(_TAKE, principal, key, digest, now)
            if not taken:
                ((kept_digest, answer),) = await self._rows(_KEPT, principal, key)
                if not hmac.compare_digest(bytes(kept_digest), digest):
                    raise KeyReused()
                return answer, True
            answer = await work()
            await self._run(_KEEP, Jsonb(answer), principal, key)
            return answer, False

    async def create(
        self,
        webhook: str,
        *,
        owner: str,
        url: str,
        facts: Sequence[str],
        after: int | None,
        now: datetime,
    ) -> None:
        """Subscribe from a position on, or from now on. The URL has been checked."""
        patterns = checked_patterns(facts)
        if after is not None:
            await self._must_be_told(after + 1)
        await self._rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", owner)
        ((owned,),) = await self._rows(_OWNED, owner)
        if owned >= OWNED_MAX:
            raise TooManyWebhooks(limit=OWNED_MAX)
        key, wrapped = self._vault.new_subject_key(_subject(webhook))
        secret = new_secret(os.urandom(SECRET_BYTES))
        sealed = seal(key, _subject(webhook), _FIELD, secret.encode())
        await self._run(_ADD_KEY, _subject(webhook), wrapped)
        await self._run(_CREATE, webhook, owner, url, patterns, sealed, after, now, now)

    async def secret(self, webhook: str) -> str:
        """The signing secret, unsealed."""
        rows = await self._rows(_SEALED, webhook)
        if not rows:
            raise NotFound(what="webhook")
        return unsealed(self._vault, webhook, bytes(rows[0][0]), bytes(rows[0][1]))

    async def listed(self, owner: str | None) -> list[Subscription]:
        """An owner's subscriptions, or everybody's; oldest first."""
        return [Subscription(*row) for row in await self._rows(_LISTED, owner, owner)]

    async def named(self, webhook: str, *, owner: str | None) -> Subscription:
        """One subscription; somebody else's answers like none. Raises `NotFound`."""
        rows = await self._rows(_NAMED, webhook, owner, owner)
        if not rows:
            raise NotFound(what="webhook")
        return Subscription(*rows[0])

    async def delete(self, webhook: str) -> None:
        """End a subscription; its cursor, parked deliveries and secret are gone."""
        async with self._connection.transaction():
            await self._run(_DELETE_KEY, _subject(webhook))
            await self._run(_DELETE, webhook)

    async def pause(self, webhook: str, *, now: datetime) -> None:
        """Stop telling; the cursor stays where it is."""
        await self._run(_PAUSE, now, webhook)

    async def resume(self, webhook: str, *, now: datetime) -> None:
        """Go on where it stopped, at once and with all tries anew."""
        await self._run(_RESUME, now, webhook)

    async def replay(self, webhook: str, *, from_position: int, now: datetime) -> None:
        """Tell everything from a position on again, under the same ids; parked ones, too.

        What was not told yet is told in any case: nothing between is left out.
        """
        await self._must_be_told(from_position)
        await self._run(_UNPARK, webhook, from_position)
        await self._run(_REPLAY, from_position - 1, now, webhook)

    async def deliveries(
        self,
        webhook: str,
        *,
        before: int | None,
        limit: int,
    ) -> list[Delivery]:
        """The newest tries, before a serial number."""
        return [
            Delivery(*row) for row in await self._rows(_DELIVERIES, webhook, before, before, limit)
        ]

    async def tries_of(self, positions: Sequence[int]) -> list[Tried]:
        """The newest tries to tell anybody of these events."""
        rows = await self._rows(_TRIES, list(positions), TRIES_TOLD)
        return [Tried(*row) for row in rows]

    async def untold(self, events: Sequence[tuple[int, str]]) -> list[Untold]:
        """Who could not be told of the first of these: (position, name of the fact), in order.

        Only where tries fail, or the subscription is stopped; what was given up counts, too.
        """
        found = []
        for owner, url, patterns, state, cause, position, attempt, next_at in await self._rows(
            _FAILING
        ):
            missed = (at for at, fact in events if at > position and wants(tuple(patterns), fact))
            if (first := next(missed, None)) is not None:
                again = next_at if state == "active" else None
                found.append(Untold(owner, url, first, attempt, again, cause))
        rows = await self._rows(_GIVEN_UP, TRIES, [at for at, _ in events])
        return [*found, *(Untold(*row) for row in rows)]

    async def parked(self, webhook: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """Deliveries given up, oldest first."""
        rows = await self._rows(_PARKED, webhook, limit)
        return [
            {"position": position, "fact": fact, "cause": cause, "parked_at": at}
            for position, fact, cause, at in rows
        ]

    async def troubled(self) -> list[Subscription]:
        """Subscriptions that are failing, parked something or were stopped (M5)."""
        return [Subscription(*row) for row in await self._rows(_TROUBLED)]

    async def tidy(self, *, now: datetime) -> None:
        """Forget old tries and old answers."""
        await self._run(_TIDY, DELIVERIES_KEPT)
        await self._run(_FORGET, now - REQUESTS_KEPT)

    async def _must_be_told(self, from_position: int) -> None:
        """Refuse a position that the log will only have later: until then nothing was told."""
        ((head,),) = await self._rows(_HEAD)
        if from_position > head + 1:
            raise InvalidRequest(field="from_position", reason=f"the log ends at {head}")

    async def _rows(self, text: LiteralString, *values: object) -> list[Any]:
        cursor = await self._connection.execute(qualified(text, self._schema), values)
        return await cursor.fetchall()

    async def _run(self, text: LiteralString, *values: object) -> int:
        cursor = await self._connection.execute(qualified(text, self._schema), values)
        return cursor.rowcount


def subscription_id(principal: str, key: str) -> str:
    """The id of the subscription a request makes: asked again, it is the same one."""
    return hashlib.sha256(f"{principal}\0{key}".encode()).hexdigest()[:20]


def unsealed(vault: Vault, webhook: str, sealed: bytes, wrapped: bytes) -> str:
    """A subscription's secret."""
    key = vault.unwrap(_subject(webhook), wrapped)
    return unseal(key, _subject(webhook), _FIELD, sealed).decode()


def _subject(webhook: str) -> str:
    # No learner is named like this: their ids have no colon.
    return f"webhook:{webhook}"


def qualified(text: LiteralString, schema: str) -> Composed:
    """A statement with the names of this room's tables."""
    tables = ("webhooks", "webhook_parked", "webhook_deliveries", "webhook_requests")
    log = ("tallypost_events", "commits")
    names = {name: Identifier(schema, name) for name in (*tables, *log)}
    return SQL(text).format(**names, subject_keys=Identifier(f"{schema}_keys", "subject_keys"))


_TAKE = """
INSERT INTO {webhook_requests} (principal, key, digest, answer, at) VALUES (%s, %s, %s, '{{}}', %s)
ON CONFLICT DO NOTHING
"""
_KEPT = "SELECT digest, answer FROM {webhook_requests} WHERE principal = %s AND key = %s"
_KEEP = "UPDATE {webhook_requests} SET answer = %s WHERE principal = %s AND key = %s"
_OWNED = "SELECT count(*) FROM {webhooks} WHERE owner = %s"
_CREATE = """
INSERT INTO {webhooks} (id, owner, url, patterns, sealed_secret, state, position, next_at,
    created_at)
VALUES (%s, %s, %s, %s, %s, 'active',
    coalesce(%s, (SELECT max(position) FROM {commits}), 0), %s, %s)
"""
_HEAD = "SELECT coalesce(max(position), 0) FROM {commits}"
_ADD_KEY = "INSERT INTO {subject_keys} (subject, wrapped) VALUES (%s, %s)"
_DELETE_KEY = "DELETE FROM {subject_keys} WHERE subject = %s"
_SEALED = """
SELECT w.sealed_secret, k.wrapped FROM {webhooks} w
JOIN {subject_keys} k ON k.subject = 'webhook:' || w.id WHERE w.id = %s
"""
_SEEN = """
SELECT id, owner, url, patterns, state, cause, position, attempt, next_at,
    (SELECT count(*) FROM {webhook_parked} p WHERE p.webhook = w.id), created_at,
    least(troubled_since,
          (SELECT min(coalesce(p.troubled_since, p.parked_at)) FROM {webhook_parked} p
           WHERE p.webhook = w.id))
FROM {webhooks} w
"""
_LISTED = _SEEN + " WHERE (%s::text IS NULL OR owner = %s) ORDER BY created_at, id"
_NAMED = _SEEN + " WHERE id = %s AND (%s::text IS NULL OR owner = %s)"
_TROUBLED = (
    _SEEN
    + """
 WHERE state <> 'active' OR attempt > 0
    OR EXISTS (SELECT FROM {webhook_parked} p WHERE p.webhook = w.id)
 ORDER BY created_at, id
"""
)
_DELETE = "DELETE FROM {webhooks} WHERE id = %s"
_PAUSE = """
UPDATE {webhooks} SET state = 'paused', cause = 'paused by its owner',
    troubled_since = coalesce(troubled_since, %s)
WHERE id = %s
"""
_RESUME = """
UPDATE {webhooks} SET state = 'active', cause = NULL, attempt = 0, parked_in_a_row = 0,
    troubled_since = NULL, next_at = %s
WHERE id = %s
"""
_REPLAY = """
UPDATE {webhooks} SET position = least(position, %s), attempt = 0, parked_in_a_row = 0,
    next_at = %s, troubled_since = CASE WHEN state <> 'active' THEN troubled_since END
WHERE id = %s
"""
_UNPARK = "DELETE FROM {webhook_parked} WHERE webhook = %s AND position >= %s"
_DELIVERIES = """
SELECT serial, position, fact, attempt, at, outcome, status, cause, took_ms
FROM {webhook_deliveries} WHERE webhook = %s AND (%s::bigint IS NULL OR serial < %s)
ORDER BY serial DESC LIMIT %s
"""
_TRIES = """
SELECT d.webhook, w.owner, w.url, d.serial, d.position, d.attempt, d.at, d.outcome, d.status
FROM {webhook_deliveries} d JOIN {webhooks} w ON w.id = d.webhook
WHERE d.position = ANY(%s) ORDER BY d.at DESC LIMIT %s
"""
_FAILING = """
SELECT owner, url, patterns, state, cause, position, attempt, next_at FROM {webhooks}
WHERE state <> 'active' OR attempt > 0 ORDER BY created_at, id
"""
_GIVEN_UP = """
SELECT w.owner, w.url, min(p.position), %s, NULL::timestamptz,
    (array_agg(p.cause ORDER BY p.position))[1]
FROM {webhook_parked} p JOIN {webhooks} w ON w.id = p.webhook
WHERE p.position = ANY(%s) GROUP BY w.id ORDER BY w.created_at, w.id
"""
_PARKED = """
SELECT position, fact, cause, parked_at FROM {webhook_parked} WHERE webhook = %s
ORDER BY position LIMIT %s
"""
_TIDY = """
DELETE FROM {webhook_deliveries} d USING (
    SELECT w.id, (SELECT serial FROM {webhook_deliveries} WHERE webhook = w.id
                  ORDER BY serial DESC OFFSET %s LIMIT 1) AS last
    FROM {webhooks} w) old
WHERE d.webhook = old.id AND d.serial <= old.last
"""
_FORGET = "DELETE FROM {webhook_requests} WHERE at < %s"
