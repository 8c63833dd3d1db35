"""What people make of a parcel that is to be stopped: they call, ask again, give up (O8)."""

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


async def late(mall: Mall) -> tuple[str, str]:
    """A parcel of whose interception nothing was heard: (its order, its number)."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    stop = {"orders": [number], "reason": "wrong goods"}
    await mall.post(f"/v1/parcels/{parcel}/interception", stop, **SUPPORT)
    over = datetime.fromisoformat((await listed(mall))["answer_by"])
    mall.tenant.store.clock = lambda: over
    assert (await sweep(mall.tenant, TIME_OUT_INTERCEPTS)).done == 1
    return number, parcel


async def test_a_carrier_that_said_nothing_is_asked_again(mall: Mall) -> None:
    """O8: with a clock of its own, once for a key; while it may answer it cannot be ended."""
    _, parcel = await late(mall)
    found = await listed(mall)
    assert (found["state"], found["ask_again"], found["give_up"]) == ("timed_out", True, True)
    path, why = f"/v1/parcels/{parcel}/interception/again", {"reason": "their desk asks for it"}
    first = await mall.post(path, why, key="again", **SUPPORT)
    twice = await mall.post(path, why, key="again", **SUPPORT)
    assert (first.status_code, first.content) == (200, twice.content)
    assert (first.json()["state"], first.json()["intercept"]) == ("asked", f"{parcel}-X2")
    now = await listed(mall)
    assert (now["state"], now["way"], now["ask_again"], now["give_up"]) == (
        "asked", "return", False, False,
    )  # fmt: skip
    assert now["answer_by"] > found["answer_by"]
    end = await mall.post(f"/v1/parcels/{parcel}/interception/end", why, **SUPPORT)
    assert (end.status_code, end.json()["code"]) == (409, "not_possible")


async def test_what_is_given_up_goes_on_to_its_learner(mall: Mall) -> None:
    """O8, D6: off the list, with who and why on record; asked for by nobody it cannot be ended."""
    number, parcel = await late(mall)
    path, why = f"/v1/parcels/{parcel}/interception/end", {"reason": "it is at their door"}
    empty = await mall.post(path, {"reason": " "}, **SUPPORT)
    assert (empty.status_code, empty.json()["failures"][0]["field"]) == (422, "reason")
    first = await mall.post(path, why, key="end", **SUPPORT)
    twice = await mall.post(path, why, key="end", **SUPPORT)
    assert (first.status_code, first.content) == (200, twice.content)
    await mall.views()
    assert (await mall.get("/v1/intercepts", **SUPPORT)).json()["intercepts"] == []
    (kept,) = (await mall.get("/v1/intercepts", all="true", **SUPPORT)).json()["intercepts"]
    assert (kept["parcel"], kept["state"]) == (parcel, "given_up")
    order = await mall.read(number)
    assert order["status"] == "pending_receipt"
    assert order["parcels"][0]["intercept"]["state"] == "given_up"
    stream = await mall.get(f"/v1/audit/streams/intercept:{parcel}", role="auditor", subject="a")
    last = stream.json()["events"][-1]
    assert (last["fact"], last["actor"], last["reason"]) == (
        "intercepts.InterceptGivenUp", "support:wang", "it is at their door",
    )  # fmt: skip
    other = await mall.order(("notebook", 1))
    other = await mall.ship(other["number"], number_on_it="SF2000000000001")
    for command in ("again", "end"):
        never = await mall.post(f"/v1/parcels/{other}/interception/{command}", why, **SUPPORT)
        assert (never.status_code, never.json()["code"]) == (409, "not_possible")
