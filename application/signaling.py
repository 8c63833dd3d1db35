"""信令推送 An order's news to the app of whose order it is, moments after it happened (N3, T3).

A cursor follows the log as the views have it, one pusher at a time. What is told is which order,
what happened and where it stands in the log, by which an app knows what comes twice and reads the
rest; who the learner is, the vendor never hears. News of some minutes ago is no news: an app that
was away reads the order, so after an outage nothing is told late, and nothing piles up.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, LiteralString, NamedTuple, Protocol

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.callback_links import CallbackLinks
from application.faults import fault
from application.gateways.agora import PARTNER, SALT_MAX, SENDER, Answer, App, Outcome
from application.house import House
from application.settings import Settings
from application.signal_words import WORDS
from application.traffic import Switching, way_of

logger = logging.getLogger(__name__)

BATCH = 200
STALE_AFTER = timedelta(minutes=5)
LEASE = timedelta(seconds=15)
"""Longer than one message takes."""
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
TOKEN_LIVES = timedelta(hours=1)


class Signaller(House, Protocol):
    """A tenant with what pushing needs."""

    settings: Settings
    callback_links: CallbackLinks


class News(NamedTuple):
    """One event of an order."""

    position: int
    order: str
    fact: str
    learner: str
    recorded_at: datetime


class Pass(NamedTuple):
    """What an app logs in with."""

    app_id: str
    user_id: str
    token: str
    expires_at: datetime


class Signals:
    """Pushes the news of one tenant's orders."""

    def __init__(self, house: Signaller, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client
        self._name = secrets.token_hex(8)
        self._own: dict[str, Pass] = {}
        """By app: the real one's, and the sandbox's (M3)."""

    async def push(self) -> int:
        """Tell what there is to tell now; how many messages were taken."""
        if app_of(self._house.settings) is None:
            return 0
        async with self._house.pool.connection() as connection:
            values = {"now": self._house.store.clock(), "me": self._name, "lease": LEASE}
            if not await _rows(connection, self._house.schema, _DUE, values):
                return 0
            claimed = await _rows(connection, self._house.schema, _CLAIM, values)
        if not claimed:
            return 0
        try:
            return await self._follow(claimed[0][0])
        finally:
            await self._run(_LET_GO, {"me": self._name})

    async def _follow(self, position: int) -> int:
        schema, taken = self._house.schema, 0
        async with self._house.pool.connection() as connection:
            ((ready,),) = await _rows(connection, schema, _READY, {})
            values = {"after": position, "to": ready, "limit": BATCH, "facts": list(WORDS)}
            found = [News(*row) for row in await _rows(connection, schema, _NEWS, values)]
        whole = len(found) < BATCH
        # One event may be news of several orders; of the last one not all may be here.
        for position, group in groupby(found, key=lambda news: news.position):
            if not whole and position == found[-1].position != found[0].position:
                return taken
            for news in group:
                answer = await self._tell(news)
                if answer is not None and answer.outcome in (Outcome.FAILED, Outcome.CLOSED):
                    await self._wait(answer)
                    return taken
                taken += answer is not None and answer.outcome is Outcome.TAKEN
            if not await self._move(position):
                return taken  # somebody else's by now
        if whole:
            await self._move(ready)
        return taken

    async def _tell(self, news: News) -> Answer | None:
        """Tell one; None: it is too old to matter, or the sandbox did not take it."""
        now = self._house.store.clock()
        if news.recorded_at + STALE_AFTER < now:
            return None
        words = WORDS[news.fact]
        payload = {
            "order": news.order, "fact": news.fact, "position": news.position,
            "zh": words.zh, "en": words.en,
        }  # fmt: skip
        user = self._house.callback_links.signal_id(news.learner)
        app, real = await app_for(self._house, user)
        own = self._own.get(app.app_id)
        if own is None or own.expires_at < now + TOKEN_LIVES / 2:
            own = self._own[app.app_id] = pass_for(app, SENDER, now=now)
        answer = await app.send(user, payload, token=own.token, client=self._client)
        fault("signal_sent")
        if not real and answer.outcome is not Outcome.TAKEN:
            logger.warning("the sandbox did not take a signal: %s", answer.cause)
            return None  # a rehearsal holds up nobody's real news
        if answer.outcome is Outcome.UNUSABLE:
            logger.error("a signal of %s was not usable: %s", news.fact, answer.cause)
        return answer

    async def _move(self, position: int) -> bool:
        values = {"to": position, "me": self._name, "lease": LEASE}
        return bool(await self._run(_MOVE, values))

    async def _wait(self, answer: Answer) -> None:
        """Leave the vendor alone for a while, longer each time."""
        logger.warning("signals wait: %s", answer.cause)
        now = self._house.store.clock()
        values = {
            "now": now, "me": self._name, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE,
            "closed": answer.cause if answer.outcome is Outcome.CLOSED else None,
        }  # fmt: skip
        await self._run(_WAIT, values)

    async def _run(self, text: LiteralString, values: dict[str, Any]) -> int:
        async with self._house.pool.connection() as connection:
            cursor = await _executed(connection, self._house.schema, text, values)
            return int(cursor.rowcount)


def app_of(settings: Settings, partner: str = PARTNER) -> App | None:
    """The app that is set; None: apps read the live stream alone."""
    if not settings.agora_app_id:
        return None
    certificate = settings.agora_certificate.get_secret_value()
    return App(settings.agora_url, settings.agora_app_id, certificate, partner)


async def app_for(house: Switching, user: str) -> tuple[App, bool]:
    """The app that a user's news goes through, once one is set, and whether it is the real one."""
    way = await way_of(house, PARTNER, user)
    app = app_of(way.settings, way.called(PARTNER))
    assert app is not None
    return app, way.real


def pass_for(app: App, user: str, *, now: datetime) -> Pass:
    """What a user logs in with for the next hour."""
    issued, lives = int(now.timestamp()), int(TOKEN_LIVES.total_seconds())
    token = app.token(user, issued=issued, lives=lives, salt=1 + secrets.randbelow(SALT_MAX))
    return Pass(app.app_id, user, token, now + TOKEN_LIVES)


async def closed(connection: AsyncConnection[Any], schema: str) -> tuple[str, datetime] | None:
    """Why the vendor lets us no longer in and since when; None: it does."""
    rows = await _rows(connection, schema, _CLOSED, {})
    return (rows[0][0], rows[0][1]) if rows else None


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> Sequence[Any]:
    rows: list[Any] = await (await _executed(connection, schema, text, values)).fetchall()
    return rows


async def _executed(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> Any:
    names = ("signals", "views", "orders", "order_trail", "commits", "tallypost_events")
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await connection.execute(query, values, prepare=True)


# What an app reads after the news has to be there: the same views as for the live stream.
_READY: LiteralString = """
SELECT coalesce(min(position), 0) FROM {views}
WHERE name IN ('audit_trail', 'order_status', 'parcel_tracking')
"""
_DUE = f"""
SELECT FROM {{signals}} WHERE (next_at IS NULL OR next_at <= %(now)s)
  AND (position IS NULL OR position < ({_READY}))
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
"""
# Who begins begins now: nobody wants the history told.
_CLAIM = f"""
UPDATE {{signals}} SET claimed_by = %(me)s, claimed_until = clock_timestamp() + %(lease)s,
    position = coalesce(position, ({_READY}))
WHERE (claimed_until IS NULL OR claimed_until < clock_timestamp())
RETURNING position
"""
_NEWS = """
SELECT t.position, t.order_number, e.topic, o.learner,
    (SELECT c.recorded_at FROM {commits} c WHERE c.position >= t.position
     ORDER BY c.position LIMIT 1)
FROM {order_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
JOIN {orders} o ON o.number = t.order_number
WHERE t.position > %(after)s AND t.position <= %(to)s AND e.topic = ANY(%(facts)s)
ORDER BY t.position, t.order_number LIMIT %(limit)s
"""
_MOVE = """
UPDATE {signals} SET position = greatest(position, %(to)s), failures = 0, closed = NULL,
    closed_at = NULL, next_at = NULL, claimed_until = clock_timestamp() + %(lease)s
WHERE claimed_by = %(me)s
"""
_WAIT = """
UPDATE {signals} SET failures = failures + 1, next_at = %(now)s
    + least(%(longest)s::interval, %(first)s::interval * power(2, least(failures, 20))),
    closed = %(closed)s, closed_at = CASE WHEN %(closed)s::text IS NULL THEN NULL
        ELSE coalesce(closed_at, %(now)s) END
WHERE claimed_by = %(me)s
"""
_LET_GO = "UPDATE {signals} SET claimed_until = NULL WHERE claimed_by = %(me)s"
_CLOSED = "SELECT closed, closed_at FROM {signals} WHERE closed IS NOT NULL"
