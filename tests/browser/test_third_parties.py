"""What waits for somebody else's warehouse, on a screen (W2; rule 5)."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from api.sandbox.third_party import SECRET
from application.callback_links import CallbackLinks
from application.gateways.third_party import CountIn, CountMessage, FoundIn, signed_message
from application.pushing_consignments import CALLBACK
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


def count(service: Service, warehouse: str, **units: int) -> None:
    """The third party tells what it has."""
    lines = [FoundIn(sku=sku, quantity=n) for sku, n in units.items()]
    now = datetime.now(UTC)
    data = CountIn(counted_at=now, lines=lines)
    message = CountMessage(type="stock.counted", timestamp=now, data=data)
    body, headers = signed_message(SECRET, message, name=f"msg_{now.timestamp()}", at=now)
    keys = service.data / "keys"
    links = CallbackLinks.in_folder(keys, tenant="mall", public_url=service.url)
    url = links.url(warehouse, partner=CALLBACK)
    assert httpx2.post(url, content=body, headers=headers, timeout=30).status_code == 200


@SCREENS
def test_a_difference_to_their_stock_is_seen_and_settled(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen, rented: str
) -> None:
    """C3, W2: ours, theirs and what may explain it; booked or dismissed with a reason, once."""
    learner, sku = newcomer(), kite(service, warehouse=rented)
    order(service, learner, sku, recipient(), count=3)
    shelves = service.call("GET", f"/v1/items/{sku}", **OPS)["stock"]
    (there,) = [one for one in shelves if one["warehouse"] == rented]
    ours = there["free"] + there["reserved"]
    stranger = f"odd-{sku}"
    count(service, rented, **{sku: 1, stranger: 4})
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/consigned")
        row = page.locator(f"[data-counted='{rented}:{sku}']")
        expect(row).to_contain_text(f"\N{MINUS SIGN}{ours - 1}")
        expect(row).to_contain_text(visitor.says("counted.withheld", n=ours - 1))
        expect(row).to_contain_text(visitor.says("counted.too_few", n=2))
        odd = page.locator(f"[data-counted='{rented}:{stranger}']")
        expect(odd).to_contain_text(visitor.says("counted_why.unknown"))
        expect(odd.locator("button")).to_have_count(1)
        visitor.content()
        visitor.readable()
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/waits-{id(screen)}.png", full_page=True)
        row.locator("button").first.click()
        visitor.send(reason="a box is gone")
        expect(row).to_have_count(0)
        odd.locator("button").click()
        visitor.send(reason="not ours, they threw it away")
        expect(odd).to_have_count(0)
        page.locator(".check input").check()
        expect(row).to_contain_text(visitor.says("counted_state.booked"))
        expect(row).to_contain_text("a box is gone")
        expect(odd).to_contain_text(visitor.says("counted_state.dismissed"))
        visitor.content()
        visitor.readable()
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/settled-{id(screen)}.png", full_page=True)
