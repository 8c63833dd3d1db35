"""Goods that come back from abroad: by a carrier that their learner finds and pays (D3, T7)."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.api.conftest import Mall
from tests.api.test_disputes import OPS
from tests.api.test_legs import sent
from tests.api.test_partners import Partners, partners

pytestmark = pytest.mark.anyio

__all__ = ["partners"]  # the fixture


async def asked_back(
    mall: Mall, partners: Partners, reason: str, *, of: str | None = None
) -> tuple[str, Any]:
    """A notebook that was signed for, in Tokyo but `of` an order, and is to come back.

    (the return's id, what its learner sees)
    """
    await partners.behave(pace_seconds=0)
    number = of or (await sent(mall))[0]
    await mall.views()
    await partners.asking.ask()
    await partners.until(number, "completed")
    asking = {"remedy": "refund", "reason": reason}
    answer = await mall.post(f"/v1/orders/{number}/returns", asking)
    assert answer.status_code == 201, answer.text
    await mall.views()
    name = answer.json()["return"]
    return name, (await mall.get(f"/v1/returns/{name}")).json()


async def step(mall: Mall, name: str, what: str, body: Any, **who: Any) -> Any:
    answer = await mall.post(f"/v1/returns/{name}/{what}", body, **who)
    assert answer.status_code == 200, answer.text
    await mall.views()
    return answer.json()


@pytest.mark.parametrize(("reason", "payer"), [("changed_mind", "learner"), ("damaged", "carrier")])
async def test_a_return_from_abroad_comes_by_a_carrier_of_its_learners_own(
    mall: Mall, partners: Partners, reason: str, payer: str
) -> None:
    """D3, T7: a number of any post there; who paid it there has nothing kept of the refund."""
    name, seen = await asked_back(mall, partners, reason)
    assert (seen["from_abroad"], seen["payer"], seen["freight_points"]) == (True, payer, 0)
    printed = await mall.get(f"/v1/returns/{name}/label.pdf")
    (page,) = PdfReader(io.BytesIO(printed.content)).pages
    for words in ("CHINA", "RETURNED GOODS"):
        assert words in page.extract_text()
    number = {"carrier": "japanposten", "waybill": "RR987654321JP"}
    assert (await step(mall, name, "sending", number))["state"] == "under_way"
    await step(mall, name, "arrival", None, **OPS)
    goods = [{"sku": "notebook", "quantity": 1, "verdict": "restock"}]
    await step(mall, name, "inspection", {"goods": goods, "reason": "as new"}, **OPS)
    ended = (await mall.get(f"/v1/returns/{name}")).json()["outcome"]
    order = await mall.read(seen["order"])
    assert (ended["points"], ended["points_kept"]) == (order["points"], 0)


async def test_at_home_a_carrier_has_to_be_known_and_the_way_is_kept_of_the_refund(
    mall: Mall, partners: Partners
) -> None:
    """D3: the control: the same return of an order at home."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number)
    name, seen = await asked_back(mall, partners, "changed_mind", of=number)
    assert (seen["from_abroad"], seen["freight_points"]) == (False, 100)
    other = {"carrier": "japanposten", "waybill": "RR987654321JP"}
    refused = await mall.post(f"/v1/returns/{name}/sending", other)
    assert refused.status_code == 422
    assert "carrier" in refused.text
    printed = await mall.get(f"/v1/returns/{name}/label.pdf")
    (page,) = PdfReader(io.BytesIO(printed.content)).pages
    assert "RETURNED GOODS" not in page.extract_text()
