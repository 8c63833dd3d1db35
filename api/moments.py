"""时刻 When callers say that something happened: not ahead of now, not before its order (A5)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from fastapi import Request

from api.auth import Caller, Role
from application.issuing import NotYet
from application.outcomes import Outcome, Unavailable
from application.streams import ORDER
from application.unit import CLOCKS_DIFFER, Command
from domain.past_balances import LeftSince
from domain.refusals import InvalidRequest
from projections.happening import began_at, left_of, orders_of

WHOLE_SECONDS = timedelta(minutes=1)
"""So much earlier than its order something may be dated: clocks differ, and some leave out what is
less than a second or a minute. It counts as happening when the order was placed."""
PAUSES_SECONDS = (0, 0.01, 0.05, 0.2, 1)
"""Between readings of an account that moves while a debit of the past is decided on it."""


async def moment_of_order(
    request: Request, number: str, at: datetime | None, *, field: str = "happened_at"
) -> datetime | None:
    """When something happened to an order. Raises `InvalidRequest` where that cannot be.

    Points that come back must have been taken before, also as of any past moment.
    """
    if at is None:
        return None
    tenant = request.state.tenant
    if at > tenant.store.clock() + CLOCKS_DIFFER:
        raise InvalidRequest(field=field, reason="is in the future")
    async with tenant.pool.connection() as connection:
        placed_at = await began_at(connection, tenant.schema, ORDER.stream(number))
    if placed_at is None:
        return at  # there is no such order: the command says so
    if at < placed_at - WHOLE_SECONDS:
        raise InvalidRequest(field=field, reason="is before the order was placed")
    return max(at, placed_at)


async def moment_of_parcel(request: Request, parcel: str, at: datetime | None) -> datetime | None:
    """When something happened to a parcel: not before any order in it was placed."""
    if at is None:
        return None
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        numbers = await orders_of(connection, tenant.schema, parcel)
    for number in numbers:
        at = await moment_of_order(request, number, at)
    return at


def moment_of_debit(
    caller: Caller, at: datetime | None, *, granted_at: datetime
) -> datetime | None:
    """When a grant was taken back: services alone date that back, never before the grant (rule 19).

    Nobody owes, as of any past moment, what they did not have yet.
    """
    only_services_say_when(caller, at)
    if at is None:
        return None
    if at < granted_at - WHOLE_SECONDS:
        raise InvalidRequest(field="happened_at", reason="is before the points were granted")
    return max(at, granted_at)


def only_services_say_when(caller: Caller, at: datetime | None) -> None:
    """Refuse another time than now from people."""
    if at is not None and caller.role is not Role.SERVICE:
        raise InvalidRequest(field="happened_at", reason="only services may say when")


def long_ago(at: datetime | None, *, now: datetime) -> datetime | None:
    """A moment that is dated back; None for what another clock may call now: that is now."""
    return None if at is not None and now - CLOCKS_DIFFER <= at <= now else at


async def dated_back(
    request: Request, command: Callable[[LeftSince], Command], learner: str, at: datetime
) -> Outcome:
    """Decide a debit of the past on the points that were there by then (rules.md 17, 19).

    They are read from the log, so the command says `NotYet` where the account moved meanwhile:
    then it is read again. Raises `Unavailable` where it never stands still.
    """
    tenant = request.state.tenant
    for pause in PAUSES_SECONDS:
        async with tenant.pool.connection() as connection:
            left = await left_of(connection, tenant.schema, learner, at)
        with suppress(NotYet):  # something else moved the account meanwhile
            outcome: Outcome = await tenant.store.execute(command(left))
            return outcome
        await asyncio.sleep(pause)
    raise Unavailable
