"""What arrives though it was made good is found, whoever paid for it (D2, M5)."""

from datetime import timedelta
from typing import Any

import pytest

from application.intercepting import NOTE_INTERCEPTED
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import sweep
from tests.api.conftest import Mall
from tests.conftest import MallDatabase
from tests.reliability.test_callbacks import Pushing

pytestmark = pytest.mark.anyio

OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
SUPPORT: dict[str, Any] = {"role": "support", "subject": "sue"}


class Sent:
    """A parcel under way, and a clock that its carrier's words move."""

    def __init__(self, mall: Mall, database: MallDatabase) -> None:
        apply_jobs_schema(database.owner_url, SERVICE_ROLE)
        self.mall, self.ahead = mall, timedelta()
        real = mall.tenant.store.clock
        mall.tenant.store.clock = lambda: real() + self.ahead

    async def order(self) -> None:
        """Two notebooks leave."""
        self.number = (await self.mall.order(("notebook", 2)))["number"]
        self.parcel = await self.mall.ship(self.number)
        await self.mall.views()

    async def says(self, words: str, code: str) -> None:
        """Its carrier pushes this an hour later."""
        self.ahead += timedelta(hours=1)
        pushing, at = Pushing(self.mall, self.parcel), self.mall.tenant.store.clock()
        line = (f"{at.astimezone(self.mall.tenant.rules.zone):%Y-%m-%d %H:%M:%S}", words, code)
        assert (await pushing.send(pushing.signed(pushing.param(line)))).json()["result"] is True
        await self.mall.views()
        await sweep(self.mall.tenant, NOTE_INTERCEPTED)
        await self.mall.views()

    async def done(self, path: str, body: Any) -> Any:
        """Support does something."""
        answer = await self.mall.post(path, body, **SUPPORT)
        assert answer.status_code == 200, answer.text
        await self.mall.views()
        return answer.json()

    async def made_good(self) -> Any:
        """All of it is paid back as lost; the claim that was filed by itself, or why not."""
        body = {"fault": "lost", "reason": "nobody saw it for days"}
        (claim,) = (await self.done(f"/v1/orders/{self.number}/refunds", body))["claims"]
        return claim

    async def paid(self) -> None:
        """Its carrier pays all of it."""
        for step in ("accepted", "paid"):
            body = {"step": step, "reference": "L-1", "reason": "by mail"}
            await self.done(f"/v1/claims/{self.parcel}/steps", body)

    async def listed(self) -> list[tuple[str, str]]:
        """What staff are told of the parcel for having come."""
        found = (await self.mall.get("/v1/troubles", **OPS)).json()["troubles"]
        kinds = ("delivered_claim", "arrived_after_all")
        return [(one["kind"], one["about"]["parcel"]) for one in found if one["kind"] in kinds]


@pytest.fixture
async def sent(mall: Mall, database: MallDatabase) -> Sent:
    one = Sent(mall, database)
    await one.order()
    return one


@pytest.mark.parametrize("claimed", [True, False])
async def test_what_arrives_after_it_was_made_good_is_listed_until_it_is_let_be(
    sent: Sent, claimed: bool
) -> None:
    """D2, M5, O8: its claim was paid, or it was too late for one; it was to be stopped."""
    if not claimed:
        sent.ahead += timedelta(days=200)
    claim = await sent.made_good()
    assert (claim["claim"] == "filed") is claimed
    if claimed:
        await sent.paid()
    assert await sent.listed() == []
    await sent.says("已签收,签收人:王大海", "3")
    assert await sent.listed() == [("arrived_after_all", sent.parcel)]
    await sent.done(f"/v1/parcels/{sent.parcel}/interception/end", {"reason": "not worth it"})
    assert await sent.listed() == []


async def test_what_its_carrier_lost_paid_for_and_found_is_listed_for_a_month(sent: Sent) -> None:
    """D2, M5: nobody was asked to stop what was lost; while the claim is open it is the claim's."""
    await sent.says("快件遗失", "2")
    await sent.made_good()
    assert await sent.listed() == []
    await sent.says("已签收,签收人:王大海", "3")
    assert await sent.listed() == [("delivered_claim", sent.parcel)]
    await sent.paid()
    assert await sent.listed() == [("arrived_after_all", sent.parcel)]
    sent.ahead += timedelta(days=30)
    assert await sent.listed() == []


async def test_what_was_signed_for_before_it_was_disputed_did_not_arrive_after_all(
    sent: Sent,
) -> None:
    """D2 CONTROL: the receipt was known when it was decided that it was none."""
    await sent.says("已签收,签收人:王大海", "3")
    body = {"reason": "not_received"}
    opened = await sent.mall.post(f"/v1/orders/{sent.number}/disputes", body)
    assert opened.status_code == 201, opened.text
    decision = {
        "outcome": "refund", "reason": "the courier left it outside",
        "unconfirmed_because": "the depot said so",
    }  # fmt: skip
    await sent.done(f"/v1/disputes/D-{sent.number}-P1/decision", decision)
    await sent.paid()
    assert await sent.listed() == []
