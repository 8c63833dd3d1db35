"""A receipt that falls away with its carrier: nothing follows, and staff see it (T2; rule 23)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import claiming, disputing, ordering, shipping
from application.gathering import Gathered
from application.issuing import NotYet
from application.policies import COMPLETE, sweep
from application.queries_asked import contradicted
from application.receipts_by_hand import confirm_receipt
from domain.dispute_facts import Side
from domain.disputes import Unconfirmed
from domain.order_facts import Fault
from domain.refusals import NotPossible
from domain.scans import Scan, ScanKind
from tests.application.house import House, opened
from tests.application.test_arrivals import scanned, sent
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 1_000_000, "PY-1")
        yield one


async def corrected(house: House, parcel: str, *scans: Scan) -> None:
    """The partner says that the number is another carrier's (`comNew`)."""
    await house.do(
        lambda unit: shipping.record_scans(
            unit, parcel=parcel, scans=scans, source="test", raw=None, corrected_to="yuantong",
            rules=house.rules,
        )
    )  # fmt: skip


async def listed(house: House) -> Sequence[tuple[Any, ...]]:
    async with house.pool.connection() as connection:
        return await contradicted(connection, house.schema)


async def completed(house: House) -> str:
    """The order's status when its window is over, or the refusal's name."""
    try:
        told = await house.do(
            lambda unit: ordering.complete_order(unit, number="A1", rules=house.rules)
        )
    except NotYet:
        return "not yet"
    return str(told["status"])


async def test_a_receipt_that_falls_away_holds_the_window_and_is_listed(house: House) -> None:
    """T2, rule 23: also where nobody is asked; another scan ends it."""
    parcel = await sent(house, "A1")
    house.wait(hours=30)
    signed_at = house.now
    await scanned(house, parcel, ScanKind.SIGNED)
    assert await listed(house) == []
    house.wait(hours=1)
    await corrected(house, parcel)
    assert await listed(house) == [(parcel, "SFA1", signed_at, ["A1"], True)]
    house.wait(days=8)
    assert (await sweep(house, COMPLETE)).done == 0
    assert await completed(house) == "not yet"
    with pytest.raises(Unconfirmed):
        await house.do(
            lambda unit: claiming.file_claim(
                unit, parcel=parcel, reason=Fault.DAMAGED, claimed_fen=100,
                unconfirmed_because="", rules=house.rules,
            )
        )  # fmt: skip
    again = Scan("SFA1", signed_at + timedelta(hours=2), "已签收", "yuantong", ScanKind.SIGNED)
    await corrected(house, parcel, again)
    assert await listed(house) == []
    assert await completed(house) == "completed"


async def test_a_receipt_that_the_right_carrier_tells_at_once_does_not_fall(house: House) -> None:
    """T2: CONTROL: the correction and its receipt in one push hold nothing."""
    parcel = await sent(house, "A1")
    house.wait(hours=30)
    await scanned(house, parcel, ScanKind.SIGNED)
    again = Scan("SFA1", house.now, "已签收", "yuantong", ScanKind.SIGNED)
    await corrected(house, parcel, again)
    assert await listed(house) == []
    house.wait(days=8)
    assert (await sweep(house, COMPLETE)).done == 1


async def test_a_source_that_is_asked_knows_nothing_of_what_fell_away(house: House) -> None:
    """T2, rule 23: where receipts are confirmed, the label's source is asked about it, too."""
    house.rules = replace(house.rules, confirm_receipts=True)
    parcel = await sent(house, "A1")
    house.wait(hours=30)
    await scanned(house, parcel, ScanKind.SIGNED)
    await corrected(house, parcel)
    told = await house.do(
        lambda unit: shipping.confirm_track(
            unit, parcel=parcel, told=(), asked=house.now, source="test.query"
        )
    )
    assert told["contradicted"]
    ((_, _, _, _, fell),) = await listed(house)
    assert fell


async def confirmed_by_hand(house: House, parcel: str) -> None:
    """Somebody called the recipient."""
    said = partial(confirm_receipt, parcel=parcel, reason="they called", rules=house.rules)
    await house.do(said)


async def test_staff_confirm_a_receipt_that_no_query_tells_of(house: House) -> None:
    """T2, rule 23: its order completes, and only then; nothing is asked any more, nor listed."""
    house.rules = replace(house.rules, confirm_receipts=True)
    parcel = await sent(house, "A1")
    with pytest.raises(NotPossible):  # no receipt is known
        await confirmed_by_hand(house, parcel)
    house.wait(hours=30)
    await scanned(house, parcel, ScanKind.SIGNED)
    house.wait(days=8)
    assert await completed(house) == "not yet"
    await confirmed_by_hand(house, parcel)
    with pytest.raises(NotPossible):  # it counts already
        await confirmed_by_hand(house, parcel)
    assert await unconfirmed(house) == []
    with pytest.raises(Unconfirmed):  # a claim's money waits for its own confirmation
        await house.do(
            lambda unit: claiming.file_claim(
                unit, parcel=parcel, reason=Fault.DAMAGED, claimed_fen=100,
                unconfirmed_because="", rules=house.rules,
            )
        )  # fmt: skip
    assert await completed(house) == "completed"
    await house.do(
        lambda unit: disputing.open_dispute(
            unit, number="A1", parcel=parcel, reason=Fault.NOT_RECEIVED, by=Side.LEARNER,
            words=None, gathered=Gathered(), rules=house.rules,
        )
    )  # fmt: skip


async def test_staff_confirm_a_receipt_that_fell_away(house: House) -> None:
    """T2: a human decides; a later receipt that its carrier tells of is one to be asked about."""
    house.rules = replace(house.rules, confirm_receipts=True)
    parcel = await sent(house, "A1")
    house.wait(hours=30)
    await scanned(house, parcel, ScanKind.SIGNED)
    house.wait(hours=1)
    await corrected(house, parcel)
    assert [one[0] for one in await listed(house)] == [parcel]
    await confirmed_by_hand(house, parcel)
    assert await listed(house) == []
    house.wait(days=8)
    later = Scan("SFA1", house.now, "已签收", "yuantong", ScanKind.SIGNED)
    await corrected(house, parcel, later)
    assert await completed(house) == "not yet"
    await confirmed_by_hand(house, parcel)
    assert await completed(house) == "completed"


async def unconfirmed(house: House) -> list[str]:
    """Parcels of which a source is still to be asked, as the view has them."""
    async with house.pool.connection() as connection:
        query = f"SELECT number FROM {house.schema}.parcels WHERE unconfirmed"
        return [number for (number,) in await (await connection.execute(query)).fetchall()]
