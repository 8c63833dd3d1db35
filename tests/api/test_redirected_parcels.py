"""A parcel that its carrier took to another recipient: their phone, their name (O8, T1, D1, A4)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from application import shipping
from application.asking_partners import phone_tail
from application.envelope import Context
from application.intercepting import INTERCEPTS, NOTE_INTERCEPTED
from application.policies import sweep
from application.streams import PARCEL
from application.sweeping import Swept
from application.unit import Command, Unit
from domain.scans import Scan, ScanKind
from tests.api.conftest import RECIPIENT
from tests.api.test_carriers import seen
from tests.api.test_disputes import SUPPORT
from tests.api.test_querying import Desk, desk, mall, partners

pytestmark = pytest.mark.anyio

__all__ = ["desk", "mall", "partners"]  # the fixtures

ZHANG = {**RECIPIENT, "name": "张三丰", "phone": "13900139077", "address": "文三路 99 号"}
ADMINISTRATOR = {"role": "administrator", "subject": "root"}


async def redirected(desk: Desk) -> str:
    """Under way, asked to go to Zhang, and its track says that it does."""
    desk.number = (await desk.mall.order(("notebook", 1)))["number"]
    parcel = await desk.mall.ship(desk.number)
    await desk.mall.views()
    moved = await desk.mall.post(f"/v1/orders/{desk.number}/address", ZHANG)
    assert moved.json()["intercepts"][0]["way"] == "redirect", moved.text
    await seen(desk.mall, parcel, ScanKind.FORWARDED, datetime.now(UTC) - timedelta(minutes=2))
    for policy in INTERCEPTS:
        await sweep(desk.tenant, policy)
    await desk.mall.views()
    return parcel


async def signed(desk: Desk, parcel: str, at: datetime, text: str) -> None:
    """A receipt as its carrier told of it: the name is in what it sent alone (rules.md 30)."""

    def decide(unit: Unit) -> dict[str, Any]:
        waybill = unit.read(PARCEL, parcel).waybill
        assert waybill is not None
        scan = Scan(waybill, at, text, carrier="shunfeng", kind=ScanKind.SIGNED)
        return shipping.record_scans(
            unit,
            parcel=parcel,
            scans=[scan],
            source="test",
            raw=json.dumps({"context": text}).encode(),
            corrected_to=None,
            rules=desk.tenant.rules,
        )

    context = Context(actor="partner:test", command="signed")
    told = Command("partner:test", f"{parcel}:signed", b"s" * 32, context, decide)
    await desk.tenant.store.execute(told)
    await desk.mall.views()


async def asked_with(desk: Desk) -> list[str]:
    """The ends of phones that the source was asked with, a day later."""
    told: list[str] = []

    async def spy(request: httpx2.Request) -> None:
        form = parse_qs((await request.aread()).decode())
        if "param" in form:
            told.append(json.loads(form["param"][0]).get("phone", ""))

    hooks = desk.partners.client.event_hooks
    desk.partners.client.event_hooks = {**hooks, "request": [*hooks["request"], spy]}
    desk.later += timedelta(hours=50)
    await desk.query()
    desk.partners.client.event_hooks = hooks
    return told


async def test_its_carrier_is_asked_with_the_new_recipients_phone(desk: Desk) -> None:
    """T1, O8: SF and ZTO tell nothing without it; erased, nobody's phone is left to tell (A4)."""
    parcel = await redirected(desk)
    assert await asked_with(desk) == ["9077"]
    paid = {"fault": "lost", "reason": "nothing came"}
    done = await desk.mall.post(f"/v1/orders/{desk.number}/refunds", paid, **SUPPORT)
    assert done.status_code == 200, done.text
    await desk.mall.views()
    erased = await desk.mall.post(
        "/v1/learners/lin/erasure", {"reason": "asked to"}, **ADMINISTRATOR
    )
    assert erased.status_code == 200, erased.text
    async with desk.tenant.pool.connection() as connection:
        query = f"SELECT card FROM {desk.tenant.schema}.parcels WHERE number = %s"
        ((card,),) = await (await connection.execute(query, (parcel,))).fetchall()
    assert await phone_tail(desk.tenant, card) == ""


async def test_it_is_asked_with_the_first_ones_before(desk: Desk) -> None:
    """CONTROL: asked for, and not done: it still goes to whom it was handed over for."""
    desk.number = (await desk.mall.order(("notebook", 1)))["number"]
    await desk.mall.ship(desk.number)
    await desk.mall.views()
    await desk.mall.post(f"/v1/orders/{desk.number}/address", ZHANG)
    await desk.mall.views()
    assert await asked_with(desk) == ["8000"]


@pytest.mark.parametrize(
    ("signer", "minutes", "match"),
    [("张**", 1, "recipient"), ("林小满", 1, "another"), ("林小满", 3, "recipient")],
)
async def test_who_signed_is_compared_with_whose_it_was_then(
    desk: Desk, signer: str, minutes: int, match: str
) -> None:
    """D1, O8: signed before it was sent on (a receipt that was taken back) is the first one's."""
    parcel = await redirected(desk)
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    await signed(desk, parcel, at, f"已签收,签收人:{signer}")
    body = {"parcel": parcel, "reason": "damaged"}
    opened = await desk.mall.post(f"/v1/orders/{desk.number}/disputes", body, **SUPPORT)
    assert opened.status_code == 201, opened.text
    await desk.mall.views()
    case = await desk.mall.get(f"/v1/disputes/{opened.json()['case']}", **SUPPORT)
    assert case.json()["evidence"]["signer_match"] == match


async def test_what_went_on_and_was_signed_for_before_anybody_looked_is_done_once(
    desk: Desk,
) -> None:
    """O8: no failure for a human to see to; it is the new recipient's, and nothing waits on."""
    desk.number = (await desk.mall.order(("notebook", 1)))["number"]
    parcel = await desk.mall.ship(desk.number)
    await desk.mall.views()
    await desk.mall.post(f"/v1/orders/{desk.number}/address", ZHANG)
    now = datetime.now(UTC)
    await seen(desk.mall, parcel, ScanKind.FORWARDED, now - timedelta(minutes=2))
    await seen(desk.mall, parcel, ScanKind.ARRIVED, now - timedelta(minutes=1))
    await signed(desk, parcel, now, "已签收")
    assert (await sweep(desk.tenant, NOTE_INTERCEPTED)).done == 1
    await desk.mall.views()
    order = await desk.mall.read(desk.number, **SUPPORT)
    assert order["parcels"][0]["intercept"]["state"] == "done"
    swept = await sweep(desk.tenant, NOTE_INTERCEPTED)
    assert swept == Swept()
