"""时刻 When callers say that something happened: not ahead of now, not before its order (A5)."""

from datetime import datetime, timedelta

from fastapi import Request

from application.streams import ORDER
from application.unit import CLOCKS_DIFFER
from domain.refusals import InvalidRequest
from projections.happening import began_at

WHOLE_SECONDS = timedelta(minutes=1)
"""So much earlier than its order something may be dated: clocks differ, and some leave out what is
less than a second or a minute. It counts as happening when the order was placed."""


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
