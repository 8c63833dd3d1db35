"""告知员工 Telling staff what is stuck, by a robot that takes twenty messages a minute (N1, M2).

What was told is rows; what is stuck is found anew each time. So a message that did not arrive is
simply not told yet, and the next one says what is so by then: while the robot is away nothing piles
up, and nothing is lost. One teller at a time holds a lease; who is killed between sending and
noting it leaves a message that comes twice.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple, Protocol

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from application.alert_words import phrase
from application.faults import fault
from application.gateways.wecom import PER_MINUTE, Answer, Outcome, Robot
from application.house import House
from application.settings import Settings
from application.staff_alerts import FLEETING, News, Told, composed, news_of
from application.troubles import Trouble, Troubles

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""Longer than one try takes."""
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=30)
TOO_OFTEN_PAUSE = timedelta(seconds=60)
KEPT = timedelta(days=30)
"""How long it is known what was told."""


class Teller(House, Protocol):
    """A tenant with what telling needs."""

    settings: Settings
    partners: httpx2.AsyncClient


class State(NamedTuple):
    """How the robot is."""

    refused: str | None
    refused_at: datetime | None
    failures: int
    next_at: datetime | None


class TellingStaff:
    """Tells the staff of one tenant."""

    def __init__(
        self, house: Teller, client: httpx2.AsyncClient, find: Callable[[], Awaitable[Troubles]]
    ) -> None:
        """`find` says what is stuck."""
        self._house = house
        self._client = client
        self._find = find
        self._name = secrets.token_hex(8)
        self._fleeting: frozenset[str] = frozenset()

    async def tell(self) -> Answer | None:
        """Tell what there is to tell, in one message; None: nothing, or not now."""
        robot = robot_of(self._house.settings)
        if robot is None or not await self._claim(robot, again=False):
            return None
        try:
            now = self._house.store.clock()
            news = news_of(
                await self._lasting(), await self._told(),
                now=now, remind_after=_remind_after(self._house.settings),
            )  # fmt: skip
            if not news:
                return None
            text = composed(
                news, self._house.settings.alert_language,
                mall=self._house.schema, page=self._page, now=now,
            )  # fmt: skip
            return await self._say(robot, text, news, now=now)
        finally:
            await self._let_go()

    async def test(self) -> Answer | None:
        """Send a test message, also to a robot that refused; None: not more often than it takes."""
        robot = robot_of(self._house.settings)
        if robot is None or not await self._claim(robot, again=True):
            return None
        try:
            language = self._house.settings.alert_language
            top = phrase("top", language, mall=self._house.schema)
            text = f"{top}\n{phrase('test', language)}"
            return await self._say(robot, text, News((), (), ()), now=self._house.store.clock())
        finally:
            await self._let_go()

    @property
    def _page(self) -> str:
        return f"{self._house.settings.public_url}/operations#/waiting"

    async def _say(self, robot: Robot, text: str, news: News, *, now: datetime) -> Answer:
        answer = await robot.say(text, self._client)
        fault("staff_told")
        if answer.outcome is Outcome.REFUSED:
            logger.error("the robot refuses all messages: code %s", answer.code)
        elif answer.outcome is Outcome.FAILED:
            logger.warning("an alert waits: %s", answer.code or answer.cause)
        await self._settle(answer, news, now=now)
        return answer

    async def _claim(self, robot: Robot, *, again: bool) -> bool:
        """Whether it is ours to tell now; `again` asks one that refused or failed, too."""
        house = self._house
        values = {
            "me": self._name, "lease": LEASE, "robot": robot.fingerprint, "again": again,
            "now": house.store.clock(), "most": messages_a_minute(house.settings),
        }  # fmt: skip
        async with house.pool.connection() as connection:
            return bool(await _rows(connection, house.schema, _CLAIM, values))

    async def _lasting(self) -> Troubles:
        """What is stuck; of what may pass, that which was there at the last look, too."""
        found = await self._find()
        before = self._fleeting
        self._fleeting = frozenset(one.key for one in found.listed if one.kind in FLEETING)
        return found.without(self._fleeting - before)

    async def _told(self) -> list[Told]:
        async with self._house.pool.connection() as connection:
            return await told(connection, self._house.schema)

    async def _settle(self, answer: Answer, news: News, *, now: datetime) -> None:
        """Note the try, and what staff know now: all of it or nothing."""
        schema = self._house.schema
        values = {
            "now": now, "fresh": len(news.fresh), "reminded": len(news.older),
            "solved": len(news.solved), "outcome": str(answer.outcome), "code": answer.code,
            "cause": answer.cause, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE, "me": self._name,
            "least": TOO_OFTEN_PAUSE if answer.too_often else timedelta(), "before": now - KEPT,
        }  # fmt: skip
        async with self._house.pool.connection() as connection, connection.transaction():
            held = await _rows(connection, schema, _NOTE[answer.outcome], values)
            await _run(connection, schema, _KEEP, values)
            if answer.outcome is Outcome.DELIVERED and held:
                await self._know(connection, news, now=now)

    async def _know(self, connection: AsyncConnection[Any], news: News, *, now: datetime) -> None:
        schema = self._house.schema
        for one in (*news.fresh, *news.older):
            await _run(connection, schema, _TELL, _row(one, now))
        await _run(connection, schema, _FORGET, {"keys": [one.key for one in news.solved]})

    async def _let_go(self) -> None:
        async with self._house.pool.connection() as connection:
            await _run(connection, self._house.schema, _LET_GO, {"me": self._name})


def robot_of(settings: Settings) -> Robot | None:
    """The robot that is set; None: staff look at their page."""
    if settings.wecom_key is None or not settings.wecom_key.get_secret_value():
        return None
    return Robot(settings.wecom_url, settings.wecom_key.get_secret_value())


def messages_a_minute(settings: Settings) -> int:
    """What one tenant may send: all of a deployment's tenants share the robot."""
    return max(1, PER_MINUTE // len({settings.tenant, *settings.tenants.values()}))


def _remind_after(settings: Settings) -> timedelta | None:
    return timedelta(hours=settings.alert_again_hours) if settings.alert_again_hours else None


def _row(one: Trouble, now: datetime) -> dict[str, Any]:
    about = Jsonb({name: value for name, value in one.about.items() if _plain(value)})
    return {"key": one.key, "kind": one.kind, "about": about, "since": one.since, "now": now}


def _plain(value: object) -> bool:
    """What JSON has, and no moments: the age of a trouble is its own."""
    return isinstance(value, str | int | float | list | None)


async def told(connection: AsyncConnection[Any], schema: str) -> list[Told]:
    """What staff know of, the oldest first."""
    return [Told(*row) for row in await _rows(connection, schema, _TOLD, {})]


async def tries(
    connection: AsyncConnection[Any], schema: str, *, limit: int
) -> list[dict[str, Any]]:
    """The newest messages: (when, how much of what, what became of it), newest first."""
    names = ("at", "fresh", "reminded", "solved", "outcome", "code", "cause")
    rows = await _rows(connection, schema, _TRIES, {"limit": limit})
    return [dict(zip(names, row, strict=True)) for row in rows]


async def state(connection: AsyncConnection[Any], schema: str) -> State:
    """How the robot is."""
    (row,) = await _rows(connection, schema, _STATE, {})
    return State(*row)


async def refusal(
    connection: AsyncConnection[Any], schema: str
) -> tuple[str | None, datetime | None] | None:
    """Why the robot takes nothing more and since when; None: it does."""
    found = await state(connection, schema)
    return None if found.refused is None else (found.refused, found.refused_at)


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> Sequence[Any]:
    rows: list[Any] = await (await _run(connection, schema, text, values)).fetchall()
    return rows


async def _run(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> Any:
    names = ("alerts", "alert_messages", "alert_robot")
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await connection.execute(query, values, prepare=True)


# The lease runs on the database's clock, which all tellers share. Another key is another robot.
_CLAIM = """
UPDATE {alert_robot} SET claimed_by = %(me)s, claimed_until = clock_timestamp() + %(lease)s,
    refused = CASE WHEN robot = %(robot)s THEN refused END,
    refused_at = CASE WHEN robot = %(robot)s THEN refused_at END,
    failures = CASE WHEN robot = %(robot)s THEN failures ELSE 0 END,
    robot = %(robot)s
WHERE (claimed_until IS NULL OR claimed_until < clock_timestamp())
  AND (%(again)s OR robot IS DISTINCT FROM %(robot)s
       OR (refused IS NULL AND (next_at IS NULL OR next_at <= %(now)s)))
  AND (SELECT count(*) FROM {alert_messages}
       WHERE at > %(now)s::timestamptz - interval '1 minute') < %(most)s
RETURNING robot
"""
_LET_GO = "UPDATE {alert_robot} SET claimed_until = NULL WHERE claimed_by = %(me)s"
_HELD: LiteralString = "WHERE claimed_by = %(me)s RETURNING single"
_NOTE: dict[Outcome, LiteralString] = {
    Outcome.DELIVERED: "UPDATE {alert_robot} SET refused = NULL, refused_at = NULL, failures = 0,"
    f" next_at = %(now)s {_HELD}",
    Outcome.FAILED: "UPDATE {alert_robot} SET failures = failures + 1, next_at = %(now)s"
    " + greatest(%(least)s::interval, least(%(longest)s::interval,"
    f" %(first)s::interval * power(2, least(failures, 20)))) {_HELD}",
    Outcome.REFUSED: "UPDATE {alert_robot} SET refused = concat_ws(' ', %(code)s::text,"
    f" %(cause)s::text), refused_at = coalesce(refused_at, %(now)s) {_HELD}",
}
_KEEP = """
WITH gone AS (DELETE FROM {alert_messages} WHERE at < %(before)s)
INSERT INTO {alert_messages} (at, fresh, reminded, solved, outcome, code, cause)
VALUES (%(now)s, %(fresh)s, %(reminded)s, %(solved)s, %(outcome)s, %(code)s, %(cause)s)
"""
_TELL = """
INSERT INTO {alerts} AS a (key, kind, about, since, first_at, told_at, times)
VALUES (%(key)s, %(kind)s, %(about)s, %(since)s, %(now)s, %(now)s, 1)
ON CONFLICT (key) DO UPDATE SET about = excluded.about, since = excluded.since,
    told_at = excluded.told_at, times = a.times + 1
"""
_FORGET = "DELETE FROM {alerts} WHERE key = ANY(%(keys)s)"
_TOLD = "SELECT key, kind, about, since, told_at FROM {alerts} ORDER BY first_at, key"
_TRIES = """
SELECT at, fresh, reminded, solved, outcome, code, cause FROM {alert_messages}
ORDER BY serial DESC LIMIT %(limit)s
"""
_STATE = "SELECT refused, refused_at, failures, next_at FROM {alert_robot}"
