"""The sandbox's page: who looks at the partners, and lets them misbehave by hand (M3)."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER


@pytest.fixture(autouse=True)
def well(service: Service) -> Iterator[None]:
    """Afterwards everybody is well again, whatever became of the test."""
    yield
    httpx2.post(f"{service.sandbox}/reset", json={}, timeout=30)


def at_the_sandbox(visitor: Visitor, service: Service, path: str = "/") -> None:
    visitor.url = service.sandbox
    visitor.open(path)


def pay(service: Service, learner: str, number: str) -> int:
    """Ask for a page to pay on; the status of the answer."""
    headers = {
        "Authorization": f"Bearer {service.token('learner', learner)}",
        "Idempotency-Key": f"pay-{next(service.keys)}",
    }
    url = f"{service.url}/v1/orders/{number}/payments"
    return httpx2.post(url, json={}, headers=headers, timeout=60).status_code


@SCREENS
def test_a_partner_misbehaves_by_hand_and_its_caller_feels_it(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M3, O5: refused by the provider, and seen; well again, it is paid by a button."""
    number = service.order(learner := newcomer(), ("tea-set", 1))
    with browsing.as_(None, screen=screen) as visitor:
        page = visitor.page
        at_the_sandbox(visitor, service)
        visitor.readable()
        page.click("[data-partner=payment] a")
        visitor.settled()
        page.fill("[name=refuse]", "often")
        page.click("#behaviour-form button[type=submit]")
        expect(page.locator("[data-field=refuse] .field-error")).to_be_visible()
        visitor.complaints.clear()  # the browser notes every 422
        page.fill("[name=refuse]", "always")
        page.click("#behaviour-form button[type=submit]")
        expect(page.locator("#now")).to_contain_text("refuse=always")
        assert pay(service, learner, number) == 503
        refused = page.locator(".call").filter(has_text=visitor.says("sandbox_trouble.refuse"))
        expect(refused.first).to_contain_text("503")
        visitor.readable()
        visitor.content()

        page.fill("[name=refuse]", "never")
        page.click("#behaviour-form button[type=submit]")
        expect(page.locator("#now")).to_contain_text(visitor.says("sandbox.well"))
        assert pay(service, learner, number) == 200
        attempt = page.locator(f"#hand option[value^='{number}']")
        expect(attempt).to_have_count(1)
        page.select_option("#hand select", attempt.get_attribute("value"))
        page.click("#hand [data-event=succeeded]")
        pushed = page.locator(".call").filter(has_text=visitor.says("sandbox.pushed"))
        told = pushed.filter(has_text=number).first
        expect(told).to_contain_text(visitor.says("sandbox.signed"))
        told.locator("summary").click()
        expect(told.locator("pre").first).to_contain_text(number)
        visitor.content()
    order = service.call("GET", f"/v1/orders/{number}", role="learner", subject=learner)
    assert order["status"] == "pending_shipment"


@SCREENS
def test_a_script_is_pasted_played_and_reset(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """M3: wrong lines are named; the state of each step is seen; one button ends it all."""
    with browsing.as_(None, screen=screen) as visitor:
        page = visitor.page
        at_the_sandbox(visitor, service)
        page.fill("[name=script]", "at 0s sf explode\nsometime")
        page.click("#script-form button[type=submit]")
        wrong = page.locator("#script-form .problem-box")
        expect(wrong).to_contain_text(visitor.says("sandbox.wrong_step", line=2, word="sometime"))
        expect(wrong).to_contain_text("explode")
        visitor.complaints.clear()
        page.fill("[name=script]", "from 0s to 10m sf outage\nat 10m all well")
        page.click("#script-form button[type=submit]")
        lasting = page.locator("#stage [data-state=lasts]")
        expect(lasting).to_contain_text(visitor.says("sandbox_step.lasts"))
        card = page.locator("[data-partner=sf]")
        expect(card).to_contain_text(visitor.says("sandbox.misbehaves"))
        visitor.readable()
        visitor.content()
        page.click("#reset")
        expect(card).not_to_contain_text(visitor.says("sandbox.misbehaves"))
        expect(page.locator("#stage")).to_contain_text(visitor.says("sandbox.no_script"))


@pytest.mark.parametrize("wrong", ["whsec_not base64", "whsec_abc", "secret"])
def test_what_is_no_secret_is_told_at_its_field(
    browsing: Browsing, service: Service, wrong: str
) -> None:
    """N3: the sandbox would answer such a form with a page of JSON."""
    with browsing.as_(None) as visitor:
        at_the_sandbox(visitor, service, "/#/crm")
        visitor.page.fill("#secret-form [name=secret]", wrong)
        visitor.page.click("#secret-form button[type=submit]")
        told = visitor.page.locator("#secret-form .field-error")
        expect(told).to_have_text(visitor.says("sandbox.secret_wrong"))
        visitor.page.fill("#secret-form [name=secret]", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        visitor.page.click("#secret-form button[type=submit]")
        expect(visitor.page).to_have_url(f"{service.sandbox}/")
        assert visitor.complaints == []
