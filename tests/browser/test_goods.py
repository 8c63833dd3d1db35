"""What the mall has to give and where it waits: items in full, shelves, warehouses."""

from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Screen

pytestmark = IN_A_BROWSER


@SCREENS
def test_a_heavy_item_is_listed_when_a_reason_is_given(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """C1, rules 9: the refusal opens the field that mends it; size and sale window are kept."""
    sku = f"anvil-{screen.language}"
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/items")
        visitor.button("items.new").click()
        visitor.send(
            sku=sku, name="铁砧 Anvil", points="900", market_value_fen="60", weight_grams="30000"
        )
        override = page.locator("dialog [name=freight_override]")
        expect(override).to_be_focused()
        expect(override).to_have_attribute("aria-invalid", "true")
        visitor.complaints.clear()  # 409 is the answer for what is too heavy
        visitor.send(freight_override="for the museum shop", size_length="400")
        expect(page.locator("[data-field=size_height] .field-error")).to_have_text(
            visitor.says("items.all_sides")
        )
        visitor.readable()
        visitor.fits()
        visitor.send(size_width="150", size_height="200", sale_until="2031-05-01T09:30")
        expect(page.locator(f"tr[data-sku={sku}]")).to_be_visible()
        page.click(f"tr[data-sku={sku}] button")
        expect(page.locator("dialog [name=sale_until]")).to_have_value("2031-05-01T09:30")
        visitor.content()
    item = service.call("GET", f"/v1/items/{sku}", **OPS)
    assert item["size_millimetres"] == [400, 150, 200]
    assert item["sale_until"] == "2031-05-01T09:30:00+08:00"


@SCREENS
def test_a_warehouse_opens_when_its_provinces_are_known(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """C2: a province that is none is told at its field; terms are revised, and the rest stays."""
    code = f"sichuan-{screen.language}"
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        card = page.locator(f"[data-warehouse={code}]")
        visitor.open("/operations#/warehouses")
        visitor.button("warehouses.new").click()
        visitor.send(code=code, name="四川仓", province="四川", city="成都市")
        expect(page.locator("[data-field=province] .field-error")).to_be_visible()
        visitor.complaints.clear()  # 422 is the answer for what is no province
        visitor.fits()
        visitor.send(province="四川省", **{"office.name": "四川仓收发室"})
        for half in ("phone", "address"):  # told at once: nobody can be called there
            place = page.locator(f"[data-field='office.{half}'] .field-error")
            expect(place).to_have_text(visitor.says("warehouses.office_whole"))
        visitor.send(**{"office.phone": "123", "office.address": "四川省成都市科华路 1 号"})
        expect(page.locator("[data-field='office.phone'] .field-error")).to_be_visible()
        visitor.complaints.clear()  # 422 is the answer for what is no phone number
        visitor.fits()
        page.fill("dialog [name='office.phone']", "028-85000000")
        page.check("dialog [name=stores][value=rattan]")
        visitor.send(province="四川省", serves="四川省，云南省", packaging_fen="1.85")
        expect(card).to_contain_text("四川省")
        expect(card).to_contain_text("¥1.85")
        card.locator("button").click()
        visitor.send(daily_capacity="450", cut_off="17:30")
        expect(card).to_contain_text("17:30")
        visitor.readable()
        visitor.content()
    found = service.call("GET", "/v1/warehouses", **OPS)["warehouses"]
    made = next(one for one in found if one["code"] == code)
    assert (made["serves"], made["stores"]) == (["四川省", "云南省"], ["rattan"])
    assert (made["packaging_fen"], made["daily_capacity"]) == (185, 450)


def test_stock_items_and_grants_change_when_operations_say_so(
    browsing: Browsing, service: Service
) -> None:
    """C1, C3, L1: a new item, its first units, points from a sheet, sent twice."""
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open("/operations#/items")
        page.click("text=New item")
        for name, value in {
            "sku": "paper-kite", "name": "纸鸢 Paper kite", "points": "300",
            "market_value_fen": "79", "weight_grams": "150",
        }.items():  # fmt: skip
            page.fill(f"dialog [name={name}]", value)
        page.click("dialog button[type=submit]")
        page.wait_for_selector("tr[data-sku=paper-kite]")
        visitor.go("stock")
        page.click(".shelf[data-sku=paper-kite] button:has-text('Receive')")
        page.fill("dialog [name=quantity]", "7")
        page.click("dialog button[type=submit]")
        expect(page.locator(".shelf[data-sku=paper-kite] td.right").first).to_have_text("7")
        page.click(".shelf[data-sku=paper-kite] button:has-text('Count')")
        page.fill("dialog [name=counted]", "6")
        page.fill("dialog [name=reason]", "one was torn")
        page.click("dialog button[type=submit]")
        expect(page.locator(".shelf[data-sku=paper-kite] td.right").first).to_have_text("6")
        page.click(".shelf[data-sku=paper-kite] button:has-text('Scrap')")
        visitor.send(quantity="7", reason="faded")
        expect(page.locator("[data-field=quantity] .field-error")).to_contain_text("6")
        visitor.complaints.clear()  # 409 is the answer for more than are free
        visitor.send(quantity="2")
        expect(page.locator(".shelf[data-sku=paper-kite] td.right").first).to_have_text("4")

        visitor.go("grants")
        rows = "learner,points,reason,source\nkite-flyer,40,task,k-1\nkite-flyer,two,task,k-2\n"
        page.fill("textarea", rows)
        expect(page.locator(".bad-row")).to_have_count(1)
        expect(page.locator("main .primary")).to_be_disabled()
        page.fill("textarea", rows.replace("two", "2"))
        page.click("main .primary")
        expect(page.locator(".outcome-counts strong").first).to_have_text("2")
        page.fill("textarea", rows.replace("two", "2") + "kite-flyer,9,task,k-1\n")
        page.click("main .primary")
        expect(page.locator(".outcome-counts strong")).to_have_text(["0", "2", "1"])
        visitor.content()
    balance = service.call("GET", "/v1/learners/kite-flyer/balance", role="service", subject="lms")
    assert balance["available"] == 42
