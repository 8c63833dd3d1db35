"""A carrier's number is on one parcel at a time."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.envelope import Context
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import Swept, sweep
from application.shipping import record_scans
from application.streams import PARCEL
from application.unit import Command, Unit
from application.waybills import BIND_WAYBILLS
from domain.parcel_facts import WaybillIssued
from domain.tracking import ParcelState
from domain.waybills import Bearer, Waybill
from tests.api.conftest import Mall
from tests.conftest import MallDatabase
from tests.reliability.test_callbacks import LINES, Pushing

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


async def test_a_number_is_the_same_however_it_is_written(mall: Mall) -> None:
    """T2: capitals and dashes are the writer's; a carrier nobody knows is refused, ours listed."""
    first, second = await packed(mall), await packed(mall)
    assert (await label(mall, first)).status_code == 200
    for written in ("sf7770000001", "SF-7770000001"):
        assert (await label(mall, second, waybill=written)).json()["code"] == "waybill_taken"
    unknown = await label(mall, second, carrier="sf")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid")
    (failure,) = unknown.json()["failures"]
    assert failure["field"] == "carrier"
    assert " shunfeng," in failure["reason"]


async def shared(mall: Mall) -> list[Any]:
    """Numbers on more than one parcel, as the troubles tell them."""
    await mall.views()
    found = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    return [one["about"]["parcels"] for one in found if one["kind"] == "shared_waybill"]


async def corrected(mall: Mall, parcel: str, carrier: str) -> None:
    """The aggregator says whose the parcel's number really is."""

    def decide(unit: Unit) -> dict[str, Any]:
        return record_scans(
            unit, parcel=parcel, scans=[], source="test", raw=None, corrected_to=carrier,
            rules=mall.tenant.rules,
        )  # fmt: skip

    await done(mall, decide)


async def test_a_number_is_bound_at_the_carrier_that_a_push_corrects_it_to(
    mall: Mall, database: MallDatabase
) -> None:
    """T2, wire 1.6: nobody else gets it there; where somebody has it, both are shown to staff."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # `/v1/troubles` looks at them
    first, second, third = [await packed(mall) for _ in range(3)]
    await label(mall, first, carrier="yuantong")
    await corrected(mall, first, "shunfeng")
    assert (await label(mall, second)).json()["code"] == "waybill_taken"
    assert (await label(mall, second, carrier="yuantong")).status_code == 200
    assert await shared(mall) == []
    await corrected(mall, second, "shunfeng")
    assert await shared(mall) == [sorted([first, second])]
    assert (await label(mall, third)).json()["failures"][0]["parcel"] == first


async def test_numbers_of_an_older_log_are_bound_once_a_worker_runs(mall: Mall) -> None:
    """T2, R26: what was put on parcels before numbers were bound is theirs, too."""
    first, second = await packed(mall), await packed(mall)
    old = WaybillIssued(carrier="shunfeng", waybill="SF-7770000001")

    def as_before(unit: Unit) -> dict[str, Any]:
        unit.record(PARCEL, first, [old])
        return {}

    await done(mall, as_before)
    await mall.views()
    assert await sweep(mall.tenant, BIND_WAYBILLS) == Swept(done=1)
    assert (await label(mall, second)).json()["failures"][0]["parcel"] == first
    assert await sweep(mall.tenant, BIND_WAYBILLS) == Swept()


async def done(mall: Mall, decide: Callable[[Unit], dict[str, Any]]) -> None:
    """Something decided past HTTP."""
    key = str(uuid4())
    context = Context(actor="test", command=key)
    digest = hashlib.sha256(key.encode()).digest()
    await mall.tenant.store.execute(Command("test", key, digest, context, decide))


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


async def test_a_number_that_was_typed_wrongly_is_put_right_after_it_left(mall: Mall) -> None:
    """T1, T2: the right one's scans count, the wrong one's are nobody's here; it is free again."""
    wrong, right = "SF7770000001", "SF7770000010"
    order = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(order, number_on_it=wrong)
    await mall.views()
    path, body = f"/v1/parcels/{parcel}/waybill/correction", {**NUMBER, "waybill": right}
    assert (await mall.post(path, body, **STAFF)).status_code == 422  # why is asked for
    offered = (await mall.read(order, **STAFF))["parcels"][0]["actions"]["correct_waybill"]
    assert offered == {"possible": True}
    assert "correct_waybill" not in (await mall.read(order))["parcels"][0]["actions"]
    done = await mall.post(path, {**body, "reason": "two digits were exchanged"}, **STAFF)
    assert (done.status_code, done.json()["waybill"]) == (200, right), done.text
    pushing = Pushing(mall, parcel)
    seen = await pushing.tell(pushing.param(LINES[3], nu=wrong))
    assert seen == ("pending_receipt", "handed_over", [wrong])
    assert (await pushing.tell(pushing.param(LINES[2], nu=right)))[1] == "out_for_delivery"
    other = await packed(mall)
    assert (await label(mall, other, waybill=wrong)).status_code == 200
    assert (await label(mall, other, waybill=right)).json()["code"] == "waybill_taken"
