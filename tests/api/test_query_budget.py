"""Each query counts; what a source denies is asked about ever later (M2; rules.md 23)."""

import asyncio
from datetime import timedelta

import pytest
from psycopg.sql import SQL, Identifier

from application.queries_asked import Outcome, contradicted, forget_queries, queries_asked
from application.querying import CONTRADICTED_MAX, Querying
from tests.api.test_partners import partners
from tests.api.test_querying import Desk, desk, mall

pytestmark = pytest.mark.anyio

__all__ = ["desk", "mall", "partners"]
CONTRADICTED = {Outcome.CONTRADICTS: 1}


async def forged(desk: Desk) -> str:
    """A receipt that is shown, and that its source knows nothing of."""
    await desk.partners.behave(pace_seconds=0, forget=True)
    parcel = await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    return parcel


async def asked(desk: Desk, *, hours: float, every: timedelta) -> list[timedelta]:
    """When something was asked within so many hours, if it is tried that often."""
    found, begin = [], desk.later
    while desk.later < begin + timedelta(hours=hours):
        if await desk.query():
            found.append(desk.later - begin)
        desk.later += every
    return found


async def test_a_receipt_that_is_denied_is_asked_about_ever_later_and_not_for_ever(
    desk: Desk,
) -> None:
    """Rule 23: after 30 minutes, twice as late each time, then daily for a week; then it is a
    human's, and still listed. A receipt that the source knows after all completes."""
    parcel = await forged(desk)
    gaps = await asked(desk, hours=24, every=timedelta(minutes=31))
    assert [gap // timedelta(minutes=31) for gap in gaps] == [0, 1, 3, 7, 15, 31]
    daily = await asked(desk, hours=24 * 30, every=timedelta(hours=8))
    assert len(gaps) + len(daily) == CONTRADICTED_MAX
    assert daily[-1] - daily[-2] == timedelta(days=1)
    async with desk.tenant.pool.connection() as connection:
        (listed,) = await contradicted(connection, desk.tenant.schema)
    assert listed[0] == parcel


async def test_more_that_is_told_of_a_denied_receipt_has_it_asked_about_again(desk: Desk) -> None:
    """Rule 23: CONTROL: given up, until a scan arrives; and the pause is kept even then."""
    parcel = await forged(desk)
    await asked(desk, hours=24 * 20, every=timedelta(hours=8))
    assert await desk.query() == {}
    query = SQL("UPDATE {} SET told_at = %s WHERE number = %s")
    table = Identifier(desk.tenant.schema, "parcels")
    async with desk.tenant.pool.connection() as connection:
        await connection.execute(query.format(table), (desk.tenant.store.clock(), parcel))
    await desk.partners.behave()
    assert await desk.query() == {Outcome.SAME: 1}


async def test_every_query_counts_against_the_day(desk: Desk) -> None:
    """M2: a waybill that is asked about three times is three queries; a day later there are more.

    CONTROL: the count of waybills, which is one, would let all of them through.
    """
    await forged(desk)
    desk.tenant.settings.kuaidi100_queries_a_day = 3
    assert len(await asked(desk, hours=23, every=timedelta(minutes=31))) == 3
    query = SQL("SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {})").format(
        *(Identifier(desk.tenant.schema, name) for name in ("queries", "queries_asked"))
    )
    async with desk.tenant.pool.connection() as connection:
        assert await (await connection.execute(query)).fetchone() == (1, 3)
    assert len(await asked(desk, hours=24, every=timedelta(minutes=31))) <= 3
    desk.later += timedelta(days=3)
    await forget_queries(desk.tenant)
    async with desk.tenant.pool.connection() as connection:
        assert await (await connection.execute(query)).fetchone() == (1, 0)


async def test_the_budget_is_kept_by_several_who_claim_at_once(desk: Desk) -> None:
    """M2: what is left is looked at once more where it is claimed, one after another."""
    await forged(desk)
    one = Querying(desk.tenant, desk.partners.client)
    (wanted,) = await one._wanted()
    desk.tenant.settings.kuaidi100_queries_a_day = 2
    claims = [
        one._claim(wanted._replace(waybill=f"SF{number}"), "kuaidi100") for number in range(4)
    ]
    assert sorted(await asyncio.gather(*claims)) == [False, False, True, True]


async def test_each_partner_has_a_budget_of_its_own(desk: Desk) -> None:
    """M2: what SF is asked leaves Kuaidi100's day as it was; both figures are shown."""
    await forged(desk)
    one = Querying(desk.tenant, desk.partners.client)
    (wanted,) = await one._wanted()
    desk.tenant.settings.kuaidi100_queries_a_day = 1
    desk.tenant.settings.tracker_queries_a_day = {"sf": 2}

    async def claims(partner: str) -> int:
        asked = [wanted._replace(waybill=f"{partner}{number}") for number in range(4)]
        return sum([await one._claim(each, partner) for each in asked])

    assert (await claims("sf"), await claims("kuaidi100")) == (2, 1)
    async with desk.tenant.pool.connection() as connection:
        figures = [await queries_asked(connection, desk.tenant, n) for n in ("sf", "kuaidi100")]
    assert figures == [2, 1]


async def test_a_waybill_is_asked_about_once_by_many_who_claim_it_at_once(desk: Desk) -> None:
    """T1, M2: whoever it is, and whichever partner would be asked; again after 30 minutes."""
    await forged(desk)
    several = [Querying(desk.tenant, desk.partners.client) for _ in range(6)]
    (wanted,) = await several[0]._wanted()

    async def claimed() -> int:
        names = ("kuaidi100", "sf")
        return sum(
            await asyncio.gather(
                *(one._claim(wanted, names[n % 2]) for n, one in enumerate(several))
            )
        )

    assert await claimed() == 1
    desk.later += timedelta(minutes=29)
    assert await claimed() == 0
    desk.later += timedelta(minutes=2)
    assert await claimed() == 1
