"""A parcel that goes abroad, from the learner's form to the carrier, on screens (T7)."""

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER

CARD: dict[str, Any] = {
    "carrier": "dhl", "effective_from": "2026-01-01T00:00:00+08:00", "name": "abroad",
    "lanes": [
        {
            "origin": "浙江省",
            "destinations": ["JP"],
            "rate": {"first_fen": 9_000, "additional_fen": 3_000, "hours": 240},
        }
    ],
    "service": "economical", "max_parcel_grams": 30_000,
}  # fmt: skip
TOKYO = {
    "name": "Aoi Sato", "phone": "03-5296-4120", "address": "1-1 Marunouchi, room 1204",
    "city": "Chiyoda", "postcode": "100-0001",
}  # fmt: skip


@pytest.fixture
def abroad(service: Service) -> None:
    """The hall in Zhejiang serves Japan."""
    hall = seeded(service, "zhejiang")
    service.call("POST", "/v1/warehouses", {**hall, "serves": ["*", "JP"]}, **OPS)
    told = service.call("POST", "/v1/rate-cards", CARD, **OPS)
    # The form asks where the mall sends anything: until its view has it.
    service.call("GET", f"/v1/warehouses?min_position={told['position']}", **OPS)


@SCREENS
def test_a_parcel_abroad_is_ordered_declared_and_handed_over(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen, abroad: None
) -> None:
    """T7: reviewed because nobody classified it; declared, stopped, cleared, sent on three legs."""
    learner = newcomer()
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("notebook")
        page.select_option("dialog [name=country]", "JP")
        expect(page.locator("dialog [data-field=district]")).to_be_hidden()
        for name, text in TOKYO.items():
            page.fill(f"dialog [name={name}]", text)
        page.wait_for_selector("dialog .promise")
        visitor.fits()
        visitor.readable()
        page.click("dialog button[type=submit]")
        page.wait_for_selector("#timeline li")
        number = page.url.rsplit("/", 1)[1]
        country = "日本" if visitor.language == "zh" else "Japan"
        expect(page.locator(".recipient-words")).to_contain_text(country)
        visitor.content()
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/reviews")
        card = page.locator(f"[data-order='{number}']")
        expect(card).to_contain_text(visitor.says("review.hs_code_missing"))
        visitor.content()
        decided = {"decision": "approve", "reason": "declared by hand"}
        service.call("POST", f"/v1/orders/{number}/review", decided, **OPS)
        page.evaluate(f"location.hash = '#/packing/{number}'")
        pack = page.locator("form[data-step=pack]")
        expect(pack).to_contain_text(visitor.says("declarations.gross_weight"))
        pack.locator("button[type=submit]").click()
        expect(pack.locator(".field-error")).to_have_text(visitor.says("invalid.missing"))
        visitor.readable()
        pack.locator("[name=weight_grams]").fill("400")
        pack.locator("button[type=submit]").click()
        parcel = f"{number}-P1"
        page.wait_for_selector("form[data-step=waybill]")
        label = {"carrier": "dhl", "waybill": f"DHL{number[1:]}"}
        told = service.call("POST", f"/v1/parcels/{parcel}/waybill", label, **OPS)
        service.call("GET", f"/v1/declarations?min_position={told['position']}", **OPS)
        visitor.go("declarations")
        row = page.locator(f"[data-declaration='{parcel}']")
        expect(row).to_contain_text(visitor.says("declarations.hs_code"))
        visitor.readable()
        row.locator("button").click()
        visitor.send(**{
            "lines.0.hs_code": "4820.10.00.90.11", "lines.0.origin": "CHN",
            "lines.0.english_name": "笔记本", "lines.0.unit_value_fen": "0",
        })  # fmt: skip
        least = page.locator("dialog [data-field='lines.0.unit_value_fen'] .field-error")
        expect(least).to_have_text(visitor.says("invalid.at_least", n="0.01"))
        page.fill("dialog [name='lines.0.unit_value_fen']", "49")
        wrong = page.locator("dialog [data-field='lines.0.hs_code'] .field-error")
        expect(wrong).to_have_text(visitor.says("items.hs_code_hint"))
        visitor.send(**{"lines.0.hs_code": "4820.10.00 90"})
        named = page.locator("dialog [data-field='lines.0.english_name'] .field-error")
        expect(named).to_have_text(visitor.says("invalid.not_latin"))
        page.fill("dialog [name='lines.0.english_name']", "Paper notebook")
        expect(page.locator("dialog [data-field='lines.0.origin'] .field-error")).to_be_visible()
        visitor.readable()
        visitor.complaints.clear()  # of the refusal just seen
        visitor.send(**{"lines.0.origin": "cn"})
        expect(row).to_contain_text("Paper notebook")
        expect(row).to_contain_text("4820100090")
        visitor.button("declarations.submit", f"[data-declaration='{parcel}']").click()
        visitor.send(reference="CN-2026-000123")
        expect(row).to_have_attribute("data-standing", "submitted")
        visitor.button("declarations.stopped", f"[data-declaration='{parcel}']").click()
        visitor.send(reason="value in doubt")
        expect(row).to_contain_text("value in doubt")
        visitor.content()
        visitor.readable()
        visitor.go("picking")
        expect(page.locator("h1")).to_have_text(visitor.says("tab.picking"))
        visitor.settled()
        page.locator("[name=stage][value=packed]").check(force=True)
        stuck = page.locator(f"[data-parcel='{parcel}']")
        expect(stuck).to_contain_text(visitor.says("declaration.stopped"))
        expect(stuck.locator("form")).to_have_count(0)
        page.evaluate(f"location.hash = '#/packing/{number}'")
        desk = page.locator("[data-customs=stopped]")
        expect(desk).to_contain_text(visitor.says("declaration.stopped"))
        expect(desk.locator("button")).to_be_disabled()
        visitor.content()
        visitor.readable()
        said = f"/v1/parcels/{parcel}/declaration/answer"
        service.call("POST", said, {"answer": "cleared"}, **OPS)
        ready = page.locator("form[data-step=hand_over]")
        expect(ready).to_be_visible()  # nobody touched the page
        again = {"answer": "stopped", "reason": "looked at once more"}
        service.call("POST", said, again, **OPS)
        expect(desk).to_be_visible()
        desk.locator("a[href='#/declarations']").click()
        expect(row).to_have_attribute("data-standing", "stopped")
        visitor.button("declarations.cleared", f"[data-declaration='{parcel}']").click()
        visitor.send()
        expect(row).to_have_attribute("data-standing", "cleared")
        service.call("POST", said, again, **OPS)
        expect(row).to_contain_text("looked at once more", timeout=15_000)
        visitor.go("picking")
        expect(stuck).to_contain_text(visitor.says("declaration.stopped"))
        service.call("POST", said, {"answer": "cleared"}, **OPS)
        expect(stuck.locator("form")).to_have_count(1, timeout=15_000)
        with service.partners(pace_seconds=0.2, outage="pushes"):
            stuck.locator("form button").click()
            expect(stuck).to_have_count(0)
            visitor.content()
            visitor.open(f"/operations#/packing/{number}")
            visitor.button("legs.stopped").click()
            visitor.send(reason="a sample is taken")
            visitor.go("declarations")
            expect(row).to_contain_text(visitor.says("declarations.under_way"))
            row.locator(f"button:has-text('{visitor.says('declarations.cleared')}')").click()
            visitor.send()
            expect(row).to_have_count(0)
        with service.partners(pace_seconds=0.2):
            wait_for_leg(service, number)
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        there = page.locator(".legs [data-leg=abroad]")
        expect(there).to_contain_text(f"RR{label['waybill'][-9:]}JP")
        expect(page.locator("#timeline")).to_contain_text(visitor.says("leg.customs"))
        visitor.content()
        visitor.readable()


def seeded(service: Service, code: str) -> Any:
    """A warehouse of the house, once the view has it: the service may have begun just now."""
    for _ in range(120):
        for one in service.call("GET", "/v1/warehouses", **OPS)["warehouses"]:
            if one["code"] == code:
                return one
        time.sleep(0.5)
    pytest.fail(f"nobody told of the warehouse {code}")


def wait_for_leg(service: Service, number: str) -> None:
    """Until the parcel was seen abroad."""
    for _ in range(120):
        found = service.call("GET", f"/v1/orders/{number}", **OPS)["parcels"][0]
        if found["legs"][2]["since"]:
            return
        time.sleep(0.5)
    pytest.fail("nobody told of the parcel abroad")
