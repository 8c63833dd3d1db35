"""What waits for somebody else's warehouse, on a screen (W2; rule 5)."""

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, Service, recipient
from tests.browser.test_fulfilment import kite, order
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER


@pytest.fixture
def rented(service: Service) -> str:
    """A third party's warehouse that the sandbox plays; its code."""
    terms = {
        "code": "rented", "name": "租赁仓", "province": "陕西省", "city": "西安市",
        "serves": ["*"], "third_party": True,
    }  # fmt: skip
    service.call("POST", "/v1/warehouses", terms, **OPS)
    return "rented"


@SCREENS
def test_a_refusal_is_seen_and_asked_again(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen, rented: str
) -> None:
    """W2, M5: refused, its reason is read and the wish sent again by hand; then it is shipped."""
    learner, sku = newcomer(), kite(service, warehouse=rented)
    number = order(service, learner, sku, recipient())
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        with service.partners(reject=True):
            service.call("POST", "/v1/waves", {"warehouse": rented, "orders": [number]}, **OPS)
            visitor.open("/operations#/consigned")
            row = page.locator(f"[data-consigned^={number}]")
            refused = visitor.says("consigned_state.refused")
            refresh = page.locator(f"button:has-text('{visitor.says('app.refresh')}')")
            for _ in range(60):
                refresh.click()
                if row.filter(has_text=refused).count():
                    break
                page.wait_for_timeout(500)
            expect(row).to_contain_text("closed")
            expect(row).not_to_contain_text("13800138000")
            visitor.content()
            visitor.readable()
        with service.partners(pace_seconds=0.2):
            row.locator("button").click()
            visitor.send(reason="they are back")
            page.locator(".check input").check()
            for _ in range(60):
                refresh.click()
                if row.filter(has_text="TP").count():  # its waybill
                    break
                page.wait_for_timeout(500)
            expect(row).to_contain_text(visitor.says("consigned_state.shipped"))
            expect(row).to_contain_text("they are back")
            visitor.content()
    assert service.call("GET", f"/v1/orders/{number}", **OPS)["state"] == "pending_receipt"
