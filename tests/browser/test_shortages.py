"""Units that a picker does not find: said at the packing desk, decided by the learner."""

import itertools

from playwright.sync_api import Locator, expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER

SERIAL = itertools.count(1)


def lantern(service: Service, **shelves: int) -> str:
    """An item of the test's own, in these warehouses; its SKU."""
    sku = f"lantern-{next(SERIAL)}"
    item = {
        "sku": sku, "name": "纸灯笼 Paper lantern", "kind": "parcel", "points": 300,
        "market_value_fen": 7_900, "weight_grams": 150, "on_sale": True,
    }  # fmt: skip
    said = service.call("POST", "/v1/items", item, **OPS)
    for code, quantity in shelves.items():
        receipt = {"sku": sku, "warehouse": code, "quantity": quantity}
        said = service.call("POST", "/v1/stock/receipts", receipt, **OPS)
    service.call("GET", f"/v1/items/{sku}?min_position={said['position']}", **OPS)
    return sku


def short_pick(service: Service, number: str, sku: str, *, found: int) -> None:
    """A picker finds fewer than were reserved for the first part."""
    body = {"order": number, "part": 1, "sku": sku, "found": found, "reason": "torn"}
    said = service.call("POST", "/v1/parcels/shortages", body, **OPS)
    service.call("GET", f"/v1/orders/{number}?min_position={said['position']}", **OPS)


def asked(visitor: Visitor) -> Locator:
    """What the order's page says is missing."""
    return visitor.page.locator(".shortage li")


@SCREENS
def test_the_learner_waits_or_gets_points_back_when_units_are_nowhere(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """S1, D6, rules 1: what is missing in words; waiting first, then a refund after all."""
    learner = newcomer()
    number = service.order(learner, (sku := lantern(service, zhejiang=3), 3), ("notebook", 1))
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        expect(asked(visitor)).to_have_count(0)
        short_pick(service, number, sku, found=1)
        expect(asked(visitor)).to_contain_text(visitor.says("shortage.missing", n=2))
        expect(page.locator(f"[data-sku={sku}]")).to_contain_text(visitor.says("shortage.badge"))
        visitor.readable()
        visitor.open("/#/orders")
        row = page.locator(f".order-list a[href$='{number}'] .contents")
        expect(row.locator("img")).to_have_count(2)
        expect(row).to_contain_text("× 3")
        expect(row).to_contain_text(visitor.says("shortage.badge"))
        visitor.readable()
        row.click()

        visitor.tab_to(".shortage li button")
        page.keyboard.press("Enter")
        expect(page.locator("dialog")).to_contain_text(visitor.says("shortage.wait_how"))
        visitor.fits()
        page.dblclick("dialog button[type=submit]")
        expect(asked(visitor)).to_have_attribute("data-waits", "stock")
        expect(asked(visitor).locator("button")).to_have_count(1)
        chosen = page.locator("#timeline", has_text=visitor.says("fact.orders.WaitChosen"))
        expect(chosen).to_be_visible()

        asked(visitor).locator("button").click()
        expect(page.locator("dialog")).to_contain_text("600")
        page.dblclick("dialog button[type=submit]")
        expect(page.locator("#points-back")).to_have_text("+600")
        expect(asked(visitor)).to_have_count(0)
        expect(page.locator(f"[data-sku={sku}] .gone-words")).to_be_visible()
        assert sum(one.endswith("/shortage") for one in visitor.addresses) == 2
        visitor.content()
    facts = [one["fact"] for one in service.call("GET", f"/v1/orders/{number}", **OPS)["timeline"]]
    assert facts.count("orders.WaitChosen") == facts.count("orders.UnitsCancelled") == 1


def test_every_missing_item_is_decided_on_its_own(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """S1: one is waited for, the other given up; a refund of all of it ends the order."""
    learner = newcomer()
    first, second = lantern(service, zhejiang=1), lantern(service, zhejiang=1)
    number = service.order(learner, (first, 1), (second, 1))
    short_pick(service, number, first, found=0)
    short_pick(service, number, second, found=0)
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".promise")).to_have_count(0)  # nothing of it can be promised
        expect(asked(visitor)).to_have_count(2)
        asked(visitor).nth(1).locator("button").nth(1).click()
        page.click("dialog button[type=submit]")
        expect(asked(visitor)).to_have_count(1)
        expect(asked(visitor)).to_have_attribute("data-waits", "choice")
        asked(visitor).locator("button").nth(1).click()
        page.click("dialog button[type=submit]")
        expect(page.locator(".order-head .badge").first).to_have_text(
            visitor.says("status.cancelled")
        )
        page.click(".not-possible summary")
        expect(page.locator(".not-possible [data-action=wait]")).to_have_text(
            "Nothing is missing from the order"
        )
        visitor.content()


@SCREENS
def test_a_short_pick_is_planned_anew_when_the_desk_says_so(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """S1, C3: wrong figures are told at their field; what moved and what waits is seen at once."""
    sku = lantern(service, zhejiang=3, henan=1)
    number = service.order(newcomer(), (sku, 3))
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open(f"/operations#/packing/{number}")
        visitor.button("short.open").click()
        expect(page.locator("dialog [name=found]")).to_be_focused()
        visitor.send(found="2")
        expect(page.locator("[data-field=reason] .field-error")).to_have_text(
            visitor.says("invalid.missing")
        )
        visitor.send(found="3", reason="torn")
        error = page.locator("[data-field=found] .field-error")
        expect(error).to_contain_text("3")
        expect(page.locator("dialog [name=found]")).to_have_attribute("aria-invalid", "true")
        visitor.complaints.clear()  # 422 is the answer for more than were planned
        visitor.fits()
        page.fill("dialog [name=found]", "1")
        page.dblclick("dialog button[type=submit]")
        expect(page.locator(".toast")).to_contain_text(visitor.says("short.waits", n=1))
        expect(page.locator(".part")).to_have_count(3)
        waiting = page.locator(".part", has_text=visitor.says("short.choice"))
        expect(waiting.locator("form")).to_have_count(0)
        expect(waiting).to_contain_text(visitor.says("short.waits_choice"))
        assert sum(one.endswith("/v1/parcels/shortages") for one in visitor.addresses) == 2
        visitor.content()
        visitor.readable()
    order = service.call("GET", f"/v1/orders/{number}", **OPS)
    facts = [one["fact"] for one in order["timeline"]]
    assert facts.count("orders.UnitsFellShort") == 1
    sent = [sum(unit["quantity"] for unit in part["units"]) for part in order["parts"]]
    assert sorted(sent) == [1, 1, 1]


def test_nothing_typed_is_lost_when_news_come(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """W1: a part that somebody works on stays as it is while another one goes on."""
    first, second = lantern(service, zhejiang=1), lantern(service, henan=1)
    number = service.order(newcomer(), (first, 1), (second, 1))
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open(f"/operations#/packing/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        page.fill("[data-part='2'] [name=weight_grams]", "150")
        service.ship(number)
        other = page.locator("[data-part='1']")
        expect(other.locator(".badge").first).to_have_text(visitor.says("status.pending_receipt"))
        weight = page.locator("[data-part='2'] [name=weight_grams]")
        expect(weight).to_have_value("150")
        expect(weight).to_be_focused()
        service.push(number, f"{number}-P1", "快件到达 【杭州转运中心】", "0")
        expect(other).to_contain_text("杭州转运中心")
        expect(weight).to_have_value("150")
        expect(weight).to_be_focused()
        visitor.content()
