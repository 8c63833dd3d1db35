"""What a carrier says by phone of a parcel that is to be stopped (O8)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from application.intercepting import TIME_OUT_INTERCEPTS
from application.sweeping import sweep
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}


async def listed(mall: Mall) -> Any:
    """The one request, as the list has it."""
    await mall.views()
    (one,) = (await mall.get("/v1/intercepts", **SUPPORT)).json()["intercepts"]
    return one


async def said(mall: Mall, parcel: str, *, taken: bool, key: str | None = None) -> Any:
    path, body = f"/v1/parcels/{parcel}/interception/word", {"taken": taken, "reason": "called"}
    return await mall.post(path, body, key=key, **SUPPORT)


async def test_a_request_goes_on_when_the_carrier_says_yes_by_phone(mall: Mall) -> None:
    """O8: after a silence, for another day; sent twice it is once; who heard it is on record."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    early = await said(mall, parcel, taken=True)
    assert (early.status_code, early.json()["code"]) == (409, "not_possible")
    stop = {"orders": [number], "reason": "wrong goods"}
    await mall.post(f"/v1/parcels/{parcel}/interception", stop, **SUPPORT)
    first = await listed(mall)
    store = mall.tenant.store
    late = datetime.fromisoformat(first["answer_by"]) + timedelta(seconds=1)
    store.clock = lambda: late
    assert (await sweep(mall.tenant, TIME_OUT_INTERCEPTS)).done == 1
    assert (await listed(mall))["state"] == "timed_out"
    yes = await said(mall, parcel, taken=True, key="heard")
    again = await said(mall, parcel, taken=True, key="heard")
    assert (yes.status_code, yes.content) == (200, again.content)
    now = await listed(mall)
    assert now["state"] == "taken"
    assert datetime.fromisoformat(now["answer_by"]) == late + timedelta(hours=24)
    assert (await sweep(mall.tenant, TIME_OUT_INTERCEPTS)).done == 0
    stream = await mall.get(f"/v1/audit/streams/intercept:{parcel}", role="auditor", subject="a")
    last = stream.json()["events"][-1]
    assert (last["fact"], last["actor"], last["reason"]) == (
        "intercepts.InterceptTaken", "support:wang", "called",
    )  # fmt: skip
    assert (await said(mall, parcel, taken=False)).json()["state"] == "refused"
    assert (await said(mall, parcel, taken=True)).json()["state"] == "taken"
    twice = await said(mall, parcel, taken=True)
    assert (twice.status_code, twice.json()["code"]) == (409, "not_possible")
