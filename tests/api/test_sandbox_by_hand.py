"""What somebody lets a played partner tell reaches the house like anything it tells (M3)."""

from typing import Any

import pytest

from api.sandbox.kuaidi100 import BY_HAND
from tests.api.conftest import Mall
from tests.api.test_legs import sent
from tests.api.test_partners import Partners, partners
from tests.api.test_third_parties import Depot, depot

pytestmark = pytest.mark.anyio

__all__ = ["depot", "partners"]


async def tell(partners: Partners, partner: str, about: str, event: str) -> None:
    """Press a partner's button."""
    body = {"about": about, "event": event}
    answer = await partners.client.post(f"/partners/{partner}/events", json=body)
    assert answer.status_code == 202, answer.text
    await partners.mall.views()


async def parcel_of(mall: Mall, number: str) -> Any:
    order = await mall.read(number, role="support", subject="sue")
    return order["parcels"][0]


async def test_a_carrier_tells_scan_by_scan(mall: Mall, partners: Partners) -> None:
    """T1: while its own journey waits; each is one scan more, whatever comes twice."""
    await partners.behave(pace_seconds=3_600)
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number, number_on_it="SF0000000000042")
    await mall.views()
    await partners.asking.ask()
    told = [
        ("moved", "in_transit"), ("delivering", "out_for_delivery"),
        ("failed", "delivery_failed"), ("signed", "signed"),
    ]  # fmt: skip
    for scans, (event, state) in enumerate(told, start=1):
        await tell(partners, "kuaidi100", "SF0000000000042", event)
        seen = await parcel_of(mall, number)
        assert (seen["state"], len(seen["scans"])) == (state, scans)
    assert (await mall.read(number))["status"] == "completed"


async def test_a_carrier_tells_of_customs_and_of_a_return(mall: Mall, partners: Partners) -> None:
    """T7: a leg at the border by hand; what comes back is signed for by its sender."""
    await partners.behave(pace_seconds=3_600)
    number, _ = await sent(mall)
    await partners.asking.ask()
    (waybill,) = partners.app.state.kuaidi100.subscriptions
    await tell(partners, "kuaidi100", waybill, "customs")
    assert (await parcel_of(mall, number))["state"] == "customs"
    await tell(partners, "kuaidi100", waybill, "returned")
    assert (await parcel_of(mall, number))["state"] == "returned"
    assert {"customs", "cleared", "returned"} <= BY_HAND.keys()


async def test_a_warehouse_tells_step_by_step(depot: Depot) -> None:
    """W2: whatever its floor does; the house follows."""
    await depot.partners.behave(pace_seconds=60)
    _, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    for event in ("picking", "packed", "shipped"):
        await tell(depot.partners, "third_party", parcel, event)
        assert (await depot.until(parcel, event))["state"] == event
