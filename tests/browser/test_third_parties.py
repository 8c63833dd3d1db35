"""What waits for somebody else's warehouse, on a screen (W2; rule 5)."""

import time
from collections.abc import Callable
from typing import Any

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


def sent_beside(service: Service, learner: str, sku: str, warehouse: str) -> str:
    """An order of three, one of which was cancelled; its warehouse sent all three."""
    number = order(service, learner, sku, recipient(), count=3)
    with service.partners(pace_seconds=1.5, ship_cancelled=True):
        service.call("POST", "/v1/waves", {"warehouse": warehouse, "orders": [number]}, **OPS)
        until(service, number, lambda one: one["state"] == "accepted")
        cancel = {"reason": "changed_mind", "lines": [{"sku": sku, "quantity": 1}]}
        who = {"role": "learner", "subject": learner}
        service.call("POST", f"/v1/orders/{number}/cancellation", cancel, **who)
        until(service, number, lambda one: one["strays"])
    return number


def until(service: Service, number: str, so_far: Callable[[Any], object]) -> None:
    """Wait for what the third party tells of an order's parcel."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        listed = service.call("GET", "/v1/consignments?all=true", **OPS)["consignments"]
        if any(number in one["orders"] and so_far(one) for one in listed):
            return
        time.sleep(0.2)
    pytest.fail(f"{number} does not get there")


@SCREENS
def test_what_was_cancelled_and_sent_beside_the_rest_is_seen_and_settled(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen, rented: str
) -> None:
    """W2, rule 5: its learner and the desk see what is in the parcel; whoever runs the third
    parties finds it without looking for it, says what became of it, and it is gone."""
    learner, sku = newcomer(), kite(service, warehouse=rented)
    number = sent_beside(service, learner, sku, rented)
    for role, subject, path in (
        ("learner", learner, f"/#/orders/{number}"),
        ("support", "sue", f"/support#/orders/{number}"),
    ):
        with browsing.as_(role, subject, screen) as visitor:
            visitor.open(path)
            box = visitor.page.locator(f"[data-parcel^={number}]")
            expect(box).to_contain_text(visitor.says("stray.badge", n=1))
            visitor.content()
            visitor.readable()
    with browsing.as_("operations", "ops", screen) as visitor:
        visitor.open("/operations#/consigned")
        row = visitor.page.locator(f"[data-consigned^={number}]")
        expect(row).to_contain_text(visitor.says("stray.badge", n=1))
        visitor.readable()
        row.locator("button").click()
        visitor.page.select_option("dialog [name=fate-0]", "given_up")
        visitor.send(reason="not worth its way back")
        expect(row).to_have_count(0)
        visitor.content()
    box = service.call("GET", f"/v1/orders/{number}", **OPS)["parcels"][0]
    assert (box["strays"], box["intercept"]) == ([], None)
