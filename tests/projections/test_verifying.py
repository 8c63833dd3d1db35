from datetime import timedelta

import pytest

from application import granting
from projections.verifying import verify
from projections.views import all_views
from tests.conftest import MallDatabase
from tests.projections.busy_mall import RULES, START, BusyMall, busy_mall

pytestmark = pytest.mark.anyio


async def differences(mall: BusyMall) -> list[str]:
    found = await verify(
        mall.database.owner_url, schema=mall.database.schema, views=all_views(RULES)
    )
    return [str(one) for one in found.differences]


async def test_nothing_differs_when_views_followed_event_by_event(database: MallDatabase) -> None:
    """A2, A5, M5: also for facts that came late, whatever the batches were that views met."""
    async with busy_mall(database) as mall:
        learner, step = "lin", mall.reader.catch_up
        await mall.grant(learner, 480, "one", expires_at=START + timedelta(days=2))
        await step()
        await mall.order(learner, "T1", enamel_mug=1)
        await step()
        parcel = await mall.ship("T1")
        await step()
        # Signed before the hand-over was recorded: a fact that came late.
        await mall.sign(parcel, at=mall.now - timedelta(minutes=9))
        await step()
        await mall.order(learner, "T2", enamel_mug=1)
        parcel = await mall.ship("T2")
        await mall.sign(parcel, at=mall.now - timedelta(minutes=9))
        await step()
        mall.now += timedelta(days=10)
        await mall.do(lambda unit: granting.expire_lots(unit, learner=learner))
        await step()

        assert await differences(mall) == []
