"""Odd tracks on a real database: flagged in the push's own commit, decided, rebuilt alike (T6)."""

from collections.abc import AsyncIterator

import pytest

from application import shipping
from domain.parcel_state import OddityDecision
from domain.scans import ScanKind
from projections.oddities import odd_parcels
from projections.rebuilding import rebuild
from projections.verifying import verify
from projections.views import all_views
from tests.application.house import House, opened
from tests.application.test_arrivals import scanned, sent
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 1_000_000, "PY-1")
        yield one


async def strayed(house: House, number: str) -> str:
    """A parcel that is seen once more after it was signed for."""
    parcel = await sent(house, number)
    for kind in (ScanKind.OUT_FOR_DELIVERY, ScanKind.SIGNED, ScanKind.DEPARTED):
        house.wait(hours=3)
        await scanned(house, parcel, kind, "330106")
    return parcel


async def queued(house: House, *, open_only: bool = True) -> list[tuple[str, str, str | None]]:
    """Parcel, kind and decision of what is odd."""
    async with house.pool.connection() as connection:
        found = await odd_parcels(
            connection, house.schema, open_only=open_only, after=None, limit=50
        )
    return [(one["parcel"], one["kind"], one["decision"]) for one in found]


async def test_what_is_odd_waits_for_a_human_until_it_is_decided(
    house: House, database: MallDatabase
) -> None:
    """T6: flagged once; accepted it is history, left out it is gone; rebuilt alike."""
    parcel, other = await strayed(house, "A1"), await strayed(house, "A2")
    assert await queued(house) == [(parcel, "after_signing", None), (other, "after_signing", None)]
    assert (await house.facts(f"parcel:{parcel}")).count("parcels.TrackFlagged") == 1
    rows = await house.rows("SELECT parcel, id FROM {s}.oddities")
    for number, decision in ((parcel, OddityDecision.ACCEPTED), (other, OddityDecision.VOIDED)):
        oddity = dict(rows)[number]
        for _ in range(2):
            await house.do(
                lambda unit, number=number, oddity=oddity, decision=decision: (  # type: ignore[misc]
                    shipping.decide_oddity(
                        unit, parcel=number, oddity=oddity, decision=decision, reason="looked",
                        rules=house.rules,
                    )
                )
            )  # fmt: skip
        names = await house.facts(f"parcel:{number}")
        assert names.count("parcels.OddityDecided") == 1
    assert await queued(house) == []
    assert await queued(house, open_only=False) == [(parcel, "after_signing", "accepted")]
    views = all_views(house.rules)
    found = await verify(database.owner_url, schema=house.schema, views=views)
    assert found.differences == []
    await rebuild(database.owner_url, schema=house.schema, views=views)
    assert await queued(house, open_only=False) == [(parcel, "after_signing", "accepted")]


async def test_the_order_stays_when_a_receipt_is_left_out(house: House) -> None:
    """T2, T6: the parcel's state is read anew; what was believed is a matter for a dispute."""
    parcel = await strayed(house, "A1")
    ((oddity,),) = await house.rows("SELECT id FROM {s}.oddities")
    order = await house.facts("order:A1")
    answer = await house.do(
        lambda unit: shipping.decide_oddity(
            unit, parcel=parcel, oddity=oddity, decision=OddityDecision.ANOTHER_PARCEL,
            reason="the number was used twice", rules=house.rules,
        )
    )  # fmt: skip
    assert answer["state"] == "signed"
    assert await house.facts("order:A1") == order
