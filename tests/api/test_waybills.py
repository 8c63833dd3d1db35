"""A carrier's number is on one parcel at a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.tracking import ParcelState
from domain.waybills import Bearer, Waybill
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
NUMBER = {"carrier": "shunfeng", "waybill": "SF7770000001"}


async def packed(mall: Mall) -> str:
    """A parcel that waits for its number."""
    order = (await mall.order(("notebook", 1)))["number"]
    answer = await mall.post("/v1/parcels", {"order": order, "part": 1}, **STAFF)
    parcel: str = answer.json()["parcel"]
    return parcel


async def label(mall: Mall, parcel: str, **changes: str) -> Any:
    return await mall.post(f"/v1/parcels/{parcel}/waybill", {**NUMBER, **changes}, **STAFF)


async def test_a_number_is_refused_when_another_parcel_is_under_way_with_it(mall: Mall) -> None:
    """T2, W1: said with the parcel that has it; on its own parcel it may be noted again."""
    first, second = await packed(mall), await packed(mall)
    assert (await label(mall, first)).status_code == 200
    assert (await label(mall, first)).status_code == 200
    refused = await label(mall, second)
    assert (refused.status_code, refused.json()["code"]) == (409, "waybill_taken")
    assert refused.json()["failures"][0]["parcel"] == first
    assert (await label(mall, second, carrier="zhongtong")).status_code == 200


async def test_one_parcel_has_it_when_two_get_the_same_number_at_once(mall: Mall) -> None:
    """T2, R17: decided in the log's turn; looking it up before would let both pass."""
    nobodys = Bearer(keeps_it=False, state=ParcelState.LABELLED, handed_over_at=None)
    for parcel in ("one", "another"):  # decided on what was known before, both may have it
        known = Waybill()
        assert known.bind(parcel, waybill="SF1", bearer=nobodys, when=datetime.now(UTC))
    parcels = [await packed(mall) for _ in range(2)]
    answers = await asyncio.gather(*(label(mall, one) for one in parcels))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_number_is_free_again_when_its_parcel_has_another_one(mall: Mall) -> None:
    """T2: a slip of the pen is mended on both parcels."""
    first, second = await packed(mall), await packed(mall)
    await label(mall, first)
    await label(mall, first, waybill="SF7770000002")
    assert (await label(mall, second)).status_code == 200


async def test_a_number_is_free_again_after_months(mall: Mall) -> None:
    """T2, rules.md 21: carriers use numbers again, also of parcels that nobody heard of again."""
    first = await packed(mall)
    await label(mall, first)
    assert (await mall.post(f"/v1/parcels/{first}/handover", {}, **STAFF)).status_code == 200
    second = await packed(mall)
    assert (await label(mall, second)).status_code == 409
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(days=91)
    assert (await label(mall, second)).status_code == 200
