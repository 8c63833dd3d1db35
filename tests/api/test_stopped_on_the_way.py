"""What customs answer of a parcel that is on its way, or never goes abroad (T7, M5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from domain.scans import ScanKind
from tests.api.conftest import Mall
from tests.api.test_abroad import STAFF, changed
from tests.api.test_carriers import seen
from tests.api.test_declarations import LINE, declaration
from tests.api.test_legs import sent
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STOPPED = {"answer": "stopped", "reason": "value in doubt"}


async def listed(mall: Mall) -> list[str]:
    """The parcels whose declarations wait for somebody."""
    await mall.views()
    answer = await mall.get("/v1/declarations", **STAFF)
    return [one["parcel"] for one in answer.json()["declarations"]]


async def test_a_parcel_is_listed_again_when_customs_stop_it_on_its_way(
    mall: Mall, database: MallDatabase
) -> None:
    """T7, M5: read and cleared like any other, and among the troubles, until it goes on."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    _, parcel = await sent(mall)
    assert await listed(mall) == []
    answer = f"/v1/parcels/{parcel}/declaration/answer"
    await changed(mall, answer, STOPPED)
    assert await listed(mall) == [parcel]
    shown = await declaration(mall, parcel)
    assert (shown["standing"], shown["handed_over"], shown["outdated"]) == ("stopped", True, False)
    assert {name: one["possible"] for name, one in shown["actions"].items()} == {
        "complete": False, "submit": False, "clear": True, "stop": True, "hand_over": False,
    }  # fmt: skip
    now = mall.tenant.store.clock()
    mall.tenant.store.clock = lambda: now + timedelta(hours=25)
    troubles = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    (trouble,) = [one for one in troubles if one["kind"] == "waiting_declaration"]
    assert (trouble["about"]["parcel"], trouble["cause"]) == (
        parcel, "customs stopped it on its way",
    )  # fmt: skip
    await changed(mall, answer, {"answer": "cleared"})
    assert await listed(mall) == []
    assert (await mall.get(f"/v1/parcels/{parcel}/declaration", **STAFF)).status_code == 404


async def test_customs_stop_nothing_when_the_way_is_over(mall: Mall) -> None:
    """T7: a receipt ends what they stopped, and nothing can be stopped after it; both languages."""
    _, parcel = await sent(mall)
    answer = f"/v1/parcels/{parcel}/declaration/answer"
    await changed(mall, answer, STOPPED)
    await seen(mall, parcel, ScanKind.SIGNED, datetime.now(UTC) + timedelta(seconds=1))
    assert await listed(mall) == []
    late = await mall.post(answer, {"answer": "stopped", "reason": "later"}, **STAFF)
    assert (late.status_code, late.json()["code"]) == (409, "not_possible")
    assert "the parcel is signed" in late.json()["detail"]
    assert "包裹已签收" in late.json()["detail_zh"]


@pytest.mark.parametrize("sent", [False, True])
async def test_a_parcel_at_home_has_nothing_to_declare(mall: Mall, sent: bool) -> None:
    """T7: it is told that it does not go abroad, also once its carrier has it; both languages."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = f"{number}-P1"
    if sent:
        assert await mall.ship(number) == parcel
    else:
        await changed(mall, "/v1/parcels", {"order": number, "part": 1, "weight_grams": 500})
    bodies: dict[str, Any] = {
        "": {"lines": [LINE]},
        "/submission": {"reference": "CN-1"},
        "/answer": {"answer": "cleared"},
    }
    for what, body in (*bodies.items(), ("/answer", STOPPED)):
        refused = await mall.post(f"/v1/parcels/{parcel}/declaration{what}", body, **STAFF)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        assert "the parcel does not go abroad" in refused.json()["detail"]
        assert "包裹不出境" in refused.json()["detail_zh"]
