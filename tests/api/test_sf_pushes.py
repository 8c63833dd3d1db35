"""What SF pushes of a whole account: ours, others' and not yet ours (T1; wire 2.4, R34)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from psycopg.sql import SQL, Identifier

from api.sandbox.sf import CHECK_WORD
from application.gateways.trackers.sf import DIGEST, TIMESTAMP, digest
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.pushed_tracks import KEPT_FOR, claim, forget_unclaimed
from tests.api.conftest import Mall
from tests.api.test_sf import WAYBILL, mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["mall"]
OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
OTHERS = "SF7777777777777"


def route(number: str, text: str = "顺丰速运 已收取快件", *, code: str = "50") -> dict[str, str]:
    """What SF tells of a waybill a moment ago."""
    then = datetime.now(UTC) + timedelta(hours=8)
    return {
        "id": f"{number}-{code}", "mailno": number, "acceptTime": f"{then:%Y-%m-%d %H:%M:%S}",
        "acceptAddress": "杭州市", "remark": text, "opCode": code,
    }  # fmt: skip


async def push(
    mall: Mall, *routes: dict[str, str], age: timedelta = timedelta()
) -> httpx2.Response:
    """SF's push, signed `age` ago."""
    body = json.dumps({"Body": {"WaybillRoute": routes}}, ensure_ascii=False)
    at = str(int((datetime.now(UTC) - age).timestamp() * 1_000))
    signed = {TIMESTAMP: at, DIGEST: digest(body, timestamp=at, check_word=CHECK_WORD)}
    key = mall.tenant.callback_links.key("sf")
    return await mall.client.post(
        f"/v1/callbacks/carriers/{key}", content=body.encode(), headers=signed
    )


async def scans(mall: Mall, number: str) -> list[str]:
    """What the order's parcel is known to have been through."""
    order = await mall.read(number, role="support", subject="sue")
    return [scan["kind"] for scan in order["parcels"][0]["scans"]]


async def rows(mall: Mall) -> tuple[int, int]:
    """How many pushes are kept, and how many keys of such."""
    schema = mall.tenant.schema
    query = SQL(
        "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {} WHERE subject ~ 'push:')"
    )
    names = Identifier(schema, "unclaimed_pushes"), Identifier(f"{schema}_keys", "subject_keys")
    async with mall.tenant.pool.connection() as connection:
        found = await (await connection.execute(query.format(*names))).fetchone()
    assert found is not None
    return found[0], found[1]


async def listed(mall: Mall) -> list[Any]:
    """What staff see of pushes that nobody claims."""
    answer = await mall.get("/v1/troubles", **OPS)
    return [one for one in answer.json()["troubles"] if one["kind"] == "unclaimed_push"]


async def shipped(mall: Mall) -> str:
    number: str = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number)
    await mall.views()
    return number


@pytest.mark.parametrize("first", [True, False])
async def test_an_unknown_waybill_holds_up_no_known_one(mall: Mall, first: bool) -> None:
    """T1, wire 2.4: up to ten routes of the whole account, whatever their order; taken once."""
    number = await shipped(mall)
    mixed = [route(OTHERS), route(WAYBILL)]
    for _ in range(2):
        answer = await push(mall, *(mixed if first else reversed(mixed)))
        assert answer.json()["return_code"] == "0000"
    assert await scans(mall, number) == ["picked_up"]
    assert await rows(mall) == (1, 1)
    assert await claim(mall.tenant) == 0  # it is on no parcel


async def test_what_was_told_before_the_waybill_was_written_down_is_not_lost(
    mall: Mall, database: MallDatabase
) -> None:
    """T1: sealed, listed after an hour, recorded once a parcel has the number, and gone."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    answer = await push(
        mall, route(OTHERS), route(WAYBILL), route(WAYBILL, "到达【杭州】", code="31")
    )
    assert answer.json()["return_code"] == "0000"
    assert await rows(mall) == (2, 2)
    schema = mall.tenant.schema
    async with mall.tenant.pool.connection() as connection:
        query = SQL("SELECT sealed FROM {}").format(Identifier(schema, "unclaimed_pushes"))
        sealed = [bytes(one) for (one,) in await (await connection.execute(query)).fetchall()]
    assert not [one for one in sealed if "杭州".encode() in one or b"mailno" in one]
    assert await listed(mall) == []
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    (trouble,) = await listed(mall)
    assert trouble["about"] == {"partner": "sf", "waybills": 2}
    number = await shipped(mall)
    assert await scans(mall, number) == []  # CONTROL: nobody has looked yet
    assert await claim(mall.tenant) == 1
    assert await scans(mall, number) == ["arrived", "picked_up"]
    assert await rows(mall) == (1, 1)
    assert await claim(mall.tenant) == 0


async def test_what_nobody_claims_is_forgotten_with_its_key(mall: Mall) -> None:
    """Rules.md 30: it names people who are none of ours."""
    await push(mall, route(OTHERS))
    assert await forget_unclaimed(mall.tenant) == 0
    mall.tenant.store.clock = lambda: datetime.now(UTC) + KEPT_FOR + timedelta(minutes=1)
    assert await forget_unclaimed(mall.tenant) == 1
    assert await rows(mall) == (0, 0)


async def test_there_is_room_for_so_many_and_then_sf_pushes_again(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1: an address that leaked fills no disk; the known waybill is recorded all the same."""
    monkeypatch.setattr("application.pushed_tracks.KEPT_MAX", 1)
    number, others = await shipped(mall), route(OTHERS)  # told again, at the same second
    assert (await push(mall, others)).json()["return_code"] == "0000"
    more = await push(mall, route("SF7777777777778"), others, route(WAYBILL))
    assert more.json()["return_code"] == "1000"
    assert await scans(mall, number) == ["picked_up"]
    assert await rows(mall) == (1, 1)
    assert (await push(mall, others)).json()["return_code"] == "0000"  # kept already


async def test_a_push_of_some_time_ago_is_refused(mall: Mall) -> None:
    """R34: 401 beyond 300 s, by the house's clock; CONTROL: the same push a little younger."""
    number = await shipped(mall)
    old = await push(mall, route(WAYBILL), age=timedelta(seconds=310))
    assert old.status_code == 401
    assert await scans(mall, number) == []
    young = await push(mall, route(WAYBILL), age=timedelta(seconds=290))
    assert (young.status_code, young.json()["return_code"]) == (200, "0000")
    assert await scans(mall, number) == ["picked_up"]
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(seconds=20)
    again = await push(mall, route(WAYBILL), age=timedelta(seconds=290))
    assert again.status_code == 401


async def test_a_parcel_that_was_unpacked_and_travels_waits_for_a_human(mall: Mall) -> None:
    """T6, M5: its scans are recorded and listed as odd, and move no order, a receipt among them."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **OPS)
    parcel = packed.json()["parcel"]
    on_it = {"carrier": "shunfeng", "waybill": WAYBILL}
    assert (await mall.post(f"/v1/parcels/{parcel}/waybill", on_it, **OPS)).status_code == 200
    wish = {"reason": "changed my mind"}
    assert (await mall.post(f"/v1/orders/{number}/cancellation", wish)).status_code == 200
    await mall.views()
    await push(mall, route(WAYBILL, "已下单", code="70"))
    await mall.views()
    assert (await mall.get("/v1/oddities", **OPS)).json()["oddities"] == []  # CONTROL: paper moves
    await push(mall, route(WAYBILL), route(WAYBILL, "已签收，签收人：本人", code="80"))
    assert await rows(mall) == (0, 0)
    await mall.views()
    (odd,) = (await mall.get("/v1/oddities", **OPS)).json()["oddities"]
    assert (odd["kind"], odd["parcel"], odd["state"]) == ("unsent", parcel, "dissolved")
    assert [scan["kind"] for scan in odd["scans"]] == ["picked_up", "signed"]
    assert (await mall.read(number))["status"] == "cancelled"
    body = {"decision": "accepted", "reason": "the depot took it along; it is called back"}
    path = f"/v1/parcels/{parcel}/oddities/{odd['oddity']}"
    assert (await mall.post(path, body, **OPS)).status_code == 200
    await mall.views()
    assert (await mall.get("/v1/oddities", **OPS)).json()["oddities"] == []
