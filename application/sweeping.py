"""清扫 How the house does what has become due: found on the views, issued as commands (M5).

What is due is found by one indexed query, and each finding becomes a command whose key is the event
that the finding rests on. Sweeping twice, in two processes, or over a view that lags asks the same
command again, which has its effect once.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from application.envelope import Context
from application.house import House
from application.issuing import BATCH, TooEarly, issue
from application.unit import Command, Unit
from domain.house_rules import HouseRules

LATE_AFTER = timedelta(seconds=30)
"""Beyond this a due command is shown as stuck (M5)."""
COUNT_MAX = 10_000
"""More due commands than this are not counted, only shown as that many."""
_START = datetime.min.replace(tzinfo=UTC)


class Due(NamedTuple):
    """A deadline, and the newest event of its stream that the view had folded."""

    key: str
    """The stream's key: an order's number, a learner's id; `/` and a part of it may follow."""
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """When a deadline has passed, then this command."""

    name: str
    find: LiteralString
    """All that it will do as the views have it, due or not yet: the columns of `Due`, by an index.

    One plain SELECT: what is due is cut out of it, and so is what is ahead for one order.
    """
    command: Callable[[Due, HouseRules], Command]
    grace: Callable[[HouseRules], timedelta] = lambda rules: timedelta()
    """How long after the moment in the view the command falls due."""
    every: timedelta = timedelta()
    """How often it is swept, if not by the second: it is not late before a job had its turn."""
    applies: Callable[[HouseRules], bool] = lambda rules: True
    """Whether this house does it at all."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep of a policy did."""

    done: int = 0
    repeated: int = 0
    refused: int = 0
    undecided: int = 0
    """Asked again at the next sweep."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A policy with commands that should have been done by now."""

    policy: str
    waiting: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A policy's command that is still to come."""

    policy: str
    key: str
    """Of the stream that it is about."""
    cause: str
    """The event that it will name as its cause: `stream@version`."""
    at: datetime
    late: bool
    """It should have been done by now: refused, stuck, or nobody sweeps (M5)."""


def ripe(unit: Unit, at: datetime) -> None:
    """Raise `TooEarly` before a command's time: another process's clock may be ahead."""
    # Answering "not yet" would be kept under the key, and the answer for ever.
    if unit.now < at:
        raise TooEarly


def command_of(
    policy: str,
    stream: str,
    due: Due,
    decide: Callable[[Unit], dict[str, Any]],
    *,
    happened_at: datetime | None = None,
) -> Command:
    """A policy's command; what was found names it, so that it is had once."""
    cause = f"{stream}@{due.version}"
    return Command(
        principal=f"policy:{policy}",
        key=cause,
        digest=hashlib.sha256(cause.encode()).digest(),
        context=Context(actor=f"policy:{policy}", command=f"{policy}:{cause}", causation=cause),
        decide=decide,
        streams=(stream,),
        happened_at=happened_at,
    )


def timed(
    policy: str,
    stream: str,
    due: Due,
    decide: Callable[[Unit], dict[str, Any]],
    *,
    at: datetime | None = None,
    happened_at: datetime | None = None,
) -> Command:
    """A policy's command that waits for its time: `at`, or when it is due."""

    def in_time(unit: Unit) -> dict[str, Any]:
        ripe(unit, at or due.at)
        return decide(unit)

    return command_of(policy, stream, due, in_time, happened_at=happened_at)


async def sweep(house: House, policy: Policy) -> Swept:
    """Issue the command of everything that is due, each once; what is stuck holds up nothing."""
    total = Swept()
    if not policy.applies(house.rules):
        return total
    now = house.store.clock()
    last = Due("", 0, _START)
    while True:
        async with house.pool.connection() as connection:
            found = await _find(connection, house, policy, now=now, after=last, limit=BATCH)
        if not found:
            return total
        last = found[-1]
        # Two lots of one learner are one command.
        commands = {one.key: one for due in found for one in [policy.command(due, house.rules)]}
        issued = await issue(house, list(commands.values()))
        total = Swept(
            total.done + len(issued.done),
            total.repeated + len(issued.repeated),
            total.refused + len(issued.refused),
            total.undecided + issued.undecided,
        )


async def overdue_of(
    house: House, policies: Iterable[Policy], *, late_after: timedelta
) -> list[Overdue]:
    """Policies with something due for longer than that: refused, stuck, or nobody sweeps (M5)."""
    late: list[Overdue] = []
    start = Due("", 0, _START)
    now = house.store.clock() - late_after
    async with house.pool.connection() as connection:
        for policy in (one for one in policies if one.applies(house.rules)):
            moment = now - 2 * policy.every
            found = await _find(connection, house, policy, now=moment, after=start, limit=COUNT_MAX)
            since = [one for one in await _since(connection, house, policy, found) if one <= moment]
            if since:
                late.append(Overdue(policy.name, len(since), min(since)))
    return late


async def foreseen_of(
    connection: AsyncConnection[Any],
    house: House,
    policies: Iterable[Policy],
    *,
    keys: Sequence[str],
    late_after: timedelta = LATE_AFTER,
) -> list[Foreseen]:
    """What these policies will do about these keys if nothing else happens, the soonest first."""
    named = {one.name: one for one in policies if one.applies(house.rules)}
    parts = [
        SQL(_AHEAD).format(name=name, find=_qualified(one.find, house.schema))
        for name, one in named.items()
    ]
    values = {"keys": list(keys)}
    cursor = await connection.execute(SQL(" UNION ALL ").join(parts), values, prepare=True)
    now, found = house.store.clock(), []
    for name, *row in await cursor.fetchall():
        policy, due = named[name], Due(*row)
        at = due.at + policy.grace(house.rules)
        cause = policy.command(due, house.rules).context.causation
        (since,) = await _since(connection, house, policy, [due])
        late = since < now - late_after - 2 * policy.every
        found.append(Foreseen(name, due.key, cause, at, late))
    return sorted(found, key=lambda one: (one.at, one.policy, one.key))


async def _since(
    connection: AsyncConnection[Any], house: House, policy: Policy, found: Sequence[Due]
) -> list[datetime]:
    """Since when each of these could have been done: when it fell due, and was known of (A5)."""
    if not found:
        return []
    causes = [policy.command(one, house.rules).context.causation for one in found]
    query = SQL(_RECORDED).format(tallypost_events=Identifier(house.schema, "tallypost_events"))
    cursor = await connection.execute(query, (causes,), prepare=True)
    recorded: dict[str, datetime] = dict(await cursor.fetchall())
    grace = policy.grace(house.rules)
    return [
        max(due := one.at + grace, recorded.get(cause, due))
        for one, cause in zip(found, causes, strict=True)
    ]


async def _find(
    connection: AsyncConnection[Any],
    house: House,
    policy: Policy,
    *,
    now: datetime,
    after: Due,
    limit: int,
) -> list[Due]:
    before = now - policy.grace(house.rules)
    values = (before, after.at, after.at, after.key, limit)
    query = SQL(_DUE).format(find=_qualified(policy.find, house.schema))
    cursor = await connection.execute(query, values, prepare=True, binary=True)
    return [Due(*row) for row in await cursor.fetchall()]


_DUE: LiteralString = """
SELECT key, version, at FROM ({find}) AS due (key, version, at)
WHERE at <= %b AND at >= %b AND (at, key) > (%b, %b) ORDER BY at, key LIMIT %b
"""
# A cause is `stream@version`; a fact that is told late was not to be acted on before.
_RECORDED: LiteralString = """
SELECT c.cause, (convert_from(e.state, 'UTF8')::json ->> 'recorded_at')::timestamptz
FROM unnest(%b::text[]) AS c(cause)
JOIN {tallypost_events} e ON e.originator_id = regexp_replace(c.cause, '@[0-9]+$', '')
    AND e.originator_version = substring(c.cause FROM '@([0-9]+)$')::bigint
"""
_AHEAD: LiteralString = """
SELECT {name}::text, key, version, at FROM ({find}) AS due (key, version, at)
WHERE key = ANY(%(keys)s)
"""


def _qualified(text: LiteralString, schema: str) -> Composed:
    tables = (
        "orders", "lots", "balances", "waiting_units", "stock_levels", "cash_refunds", "disputes",
        "claims", "parcels", "journeys", "returns", "warehouses", "intercepts", "consignments",
        "tallypost_events",
    )  # fmt: skip
    return SQL(text).format(**{name: Identifier(schema, name) for name in tables})
