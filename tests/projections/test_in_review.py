"""Since when a human is to look at an order (O7, A2)."""

import pytest

from application.releasing import approve_order, require_review
from domain.release_facts import ReviewReason
from projections.verifying import verify
from projections.views import all_views
from tests.application.house import opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


async def test_the_queue_counts_from_the_second_review_when_the_first_is_over(
    database: MallDatabase,
) -> None:
    """O7, A2: folded at once, as a replay does, it is what it is folded fact by fact."""
    async with opened(database) as house:
        await house.grant("may", 5_000, "a")
        await house.order("may", "T1", enamel_mug=1)
        for reason in (ReviewReason.FREQUENT_ORDERS, ReviewReason.POINTS_CLAWED_BACK):
            house.wait(hours=1)
            await house.do(
                lambda unit, why=reason: require_review(  # type: ignore[misc]
                    unit, number="T1", reasons=[why], rules=house.rules
                )
            )
            asked = house.now
            house.wait(hours=1)
            if reason is ReviewReason.FREQUENT_ORDERS:
                await house.do(lambda unit: approve_order(unit, number="T1", note="fine"))
        assert await house.rows("SELECT review_since FROM {s}.orders") == [(asked,)]
        verified = await verify(
            database.owner_url, schema=database.schema, views=all_views(house.rules)
        )
        assert verified.differences == []
