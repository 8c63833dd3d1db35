"""Redeeming in a real browser: priced as typed, ordered once, watched live, cancelled (L2, O6)."""

import re

from playwright.sync_api import Route, expect

from tests.browser.service import RECIPIENT, Service, recipient
from tests.browser.visiting import (
    IN_A_BROWSER,
    IN_CHINESE,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


@SCREENS
def test_the_order_changes_live_when_the_carrier_pushes(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T3, L2: log in, redeem (a double click is one order), watch scans come in unasked."""
    learner = newcomer()
    with browsing.as_(None, screen=screen) as visitor:
        page = visitor.page
        page.goto(visitor.url + "/")
        expect(page).to_have_url(re.compile("/login$"))
        page.click("summary")
        visitor.fits()
        page.fill("#token", service.token("learner", learner))
        page.press("#token", "Enter")
        visitor.settled()
        visitor.choose("notebook")
        page.click(f"dialog .stepper button[aria-label='{visitor.says('form.more')}']")
        visitor.fill_recipient()
        page.wait_for_selector("dialog .promise")
        visitor.fits()
        page.dblclick("dialog button[type=submit]")
        page.wait_for_selector("#timeline li")
        number = page.url.rpartition("/")[2]
        expect(page.locator(".order-head .badge").first).to_have_text(
            visitor.says("status.pending_shipment")
        )
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        orders = service.call("GET", f"/v1/orders?learner={learner}", role="service", subject="lms")
        assert [one["points"] for one in orders["orders"]] == [520]

        parcel = service.ship(number)
        head = page.locator(".order-head .badge").first
        expect(head).to_have_text(visitor.says("status.pending_receipt"))
        service.push(number, parcel, "快件到达 【杭州转运中心】", "0")
        expect(page.locator("#timeline")).to_contain_text("杭州转运中心")
        expect(page.locator("#news")).not_to_be_empty()
        service.push(number, parcel, "快件已签收,签收人:本人签收", "3")
        expect(head).to_have_text(visitor.says("status.completed"))
        expect(page.locator(".parcel .badge")).to_have_text(visitor.says("parcel.signed"))
        visitor.content()
        visitor.readable()


def test_something_is_redeemed_when_there_is_only_a_keyboard(
    browsing: Browsing, newcomer: Newcomer
) -> None:
    """L2: from the skip link to the order, with the focus always to be seen."""
    with browsing.as_("learner", newcomer()) as visitor:
        page = visitor.page
        visitor.open("/")
        page.wait_for_selector(".item")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        visitor.tab_to("[data-sku=notebook] button")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open] .quote dl")
        for name, value in recipient().items():
            visitor.tab_to(f"dialog [name={name}]")
            page.keyboard.type(value)
        visitor.tab_to("dialog button[type=submit]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#timeline li")
        expect(page.locator("h1")).to_be_focused()
        visitor.tab_to("button.danger")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator("button.danger")).to_be_focused()
        visitor.content()


def test_a_problem_is_told_at_its_field_in_the_pages_language(
    browsing: Browsing, newcomer: Newcomer
) -> None:
    """M4, O1: empty fields, an unusable phone, and every failing check of a quote."""
    with browsing.as_("learner", newcomer(), IN_CHINESE) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("ink-stone")
        page.click("dialog button[type=submit]")
        expect(page.locator("[data-field=name] .field-error")).to_have_text(
            visitor.says("invalid.missing")
        )
        expect(page.locator("dialog [name=name]")).to_be_focused()
        visitor.fill_recipient(phone="123")
        page.click("dialog button[type=submit]")
        expect(page.locator("[data-field=phone] .field-error")).to_have_text(
            visitor.says("invalid.not_a_phone")
        )
        expect(page.locator("dialog [name=phone]")).to_be_focused()
        expect(page.locator("dialog")).not_to_contain_text(visitor.says("redeem.total_changed"))
        visitor.fill_recipient(phone="1234567")
        expect(page.locator("[data-field=phone] .field-error")).to_be_hidden()
        page.click("dialog button[type=submit]")
        expect(page.locator("[data-field=phone] .field-error")).to_have_text(
            visitor.says("invalid.not_a_phone")
        )
        expect(page.locator("dialog [name=phone]")).to_have_attribute("aria-invalid", "true")
        page.fill("dialog [name=phone]", RECIPIENT["phone"])
        page.fill("dialog .stepper input", "9")
        page.press("dialog .stepper input", "Tab")
        page.fill("dialog [name=province]", "西藏自治区")
        reasons = page.locator("dialog .quote .problem-box li")
        expect(reasons).to_have_count(3)  # limit per learner, points, coverage
        for reason in reasons.all_inner_texts():
            assert re.search("[\u4e00-\u9fff]", reason)
        visitor.fits()


def test_what_is_typed_is_priced_at_once_and_sent_as_shown(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """O6, D6: quantities count as they are typed; what is cancelled is what was told."""
    learner = newcomer()
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("notebook")
        page.wait_for_selector("dialog[open] .quote dl")
        page.click("dialog button[type=submit]")
        bad = page.locator("[data-field=province].bad")
        expect(bad).to_have_count(1)
        page.fill("dialog [name=address]", f"浙江省杭州市西湖区{recipient()['address']}")
        expect(page.locator("dialog [name=province]")).to_have_value("浙江省")
        expect(bad).to_have_count(0)
        page.fill("dialog [name=name]", RECIPIENT["name"])
        page.fill("dialog [name=phone]", RECIPIENT["phone"])
        box = page.locator("dialog .stepper input")
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.type("3")  # and the box keeps the focus
        total = page.locator("dialog .quote .big")
        expect(total).to_have_text(f"780 {visitor.says('unit.points')}")
        page.click("dialog button[type=submit]")
        page.wait_for_selector("#timeline li")
        number = page.url.rpartition("/")[2]
        visitor.button("cancel.open").click()
        page.locator("dialog .stepper input").click()
        page.keyboard.press("Control+A")
        page.keyboard.type("1")
        told = page.locator("dialog .cancel-back")
        expect(told).to_contain_text(f"260 {visitor.says('unit.points')}")
        page.keyboard.press("Enter")
        expect(page.locator("#points-back")).to_have_text("+260")
    order = service.call("GET", f"/v1/orders/{number}", role="learner", subject=learner)
    assert [(one["quantity"], one["gone"]) for one in order["lines"]] == [(3, 1)]


def test_a_changed_total_is_shown_before_it_is_ordered(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """L2: Enter right after typing another quantity orders nothing whose price was not shown."""
    learner = newcomer()
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("notebook")
        visitor.fill_recipient()
        expect(page.locator("dialog .quote .promise")).to_be_visible()
        box = page.locator("dialog .stepper input")
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.type("4")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .problem")).to_contain_text(
            visitor.says("redeem.total_changed")
        )
        assert not service.call("GET", "/v1/orders", role="learner", subject=learner)["orders"]
        page.keyboard.press("Enter")
        page.wait_for_selector("#timeline li")
        expect(page.locator(".order-lines")).to_contain_text("× 4")


def test_one_order_is_placed_when_the_service_is_away_for_a_moment(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """L2: an answer that is lost and a 503 are tried again under the same key."""
    learner = newcomer()
    keys: list[str] = []

    def away(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # done, but nobody hears of it
            route.abort()
        elif len(keys) == 2:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"code": "unavailable"})
        else:
            route.continue_()

    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open("/")
        visitor.choose("python-course")
        page.route("**/v1/orders", away)
        page.click("dialog button[type=submit]")
        page.wait_for_selector("#timeline li")
        assert len(keys) == 3
        assert len(set(keys)) == 1
        found = service.call("GET", f"/v1/orders?learner={learner}", role="service", subject="lms")
        assert len(found["orders"]) == 1


def test_an_order_goes_on_when_its_cash_part_is_paid_beside_it(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """O5: the provider's page opens beside the order's, which learns live that it was paid."""
    number = service.order(learner := newcomer(), ("tea-set", 1))
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        with page.context.expect_page() as opened:
            page.click(".pay button")
        opened.value.click("button >> nth=0")
        head = page.locator(".order-head .badge").first
        expect(head).to_have_text(visitor.says("status.pending_shipment"))
        visitor.content()


def test_what_was_typed_stays_when_the_session_ends_meanwhile(
    browsing: Browsing, newcomer: Newcomer, service: Service
) -> None:
    """O8: a dialog is not left for the login page; signed in again, the same dialog is sent."""
    learner = newcomer()
    number = service.order(learner, ("enamel-mug", 1))
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        visitor.button("cancel.open").click()
        kept = page.context.cookies()
        page.context.clear_cookies()
        reason = page.locator("dialog [name=reason]")
        reason.select_option(index=2)
        chosen = reason.input_value()
        page.locator("dialog button[type=submit]").click()
        expect(page.locator("dialog .problem")).to_contain_text(
            visitor.says("problem.session_over")
        )
        expect(reason).to_have_value(chosen)
        page.context.add_cookies(kept)  # type: ignore[arg-type]
        page.locator("dialog button[type=submit]").click()
        expect(page.locator("dialog")).to_have_count(0)


@SCREENS
def test_points_are_back_on_the_statement_when_units_are_cancelled(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O8, L6: some units first, then the rest; the running balance tells both."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 3), ("enamel-mug", 1))
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        visitor.button("cancel.open").click()
        fewer = page.locator("dialog .stepper button:first-child")
        fewer.nth(0).click()
        fewer.nth(0).click()
        fewer.nth(1).click()
        expect(page.locator(".cancel-back")).to_have_text(
            visitor.says("cancel.comes_back", back=f"260 {visitor.says('unit.points')}")
        )
        visitor.fits()
        page.click("dialog button[type=submit]")
        expect(page.locator("#points-back")).to_have_text("+260")
        expect(page.locator("[data-sku=notebook] .gone-words")).to_be_visible()
        visitor.button("cancel.open").click()
        page.click("dialog button[type=submit]")
        expect(page.locator("#points-back")).to_have_text("+1,260")
        expect(page.locator(".order-head .badge").first).to_have_text(
            visitor.says("status.cancelled")
        )
        page.click("#tabs [data-tab=points]")
        rows = page.locator(".ledger tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.nth(0).locator(".ledger-change")).to_have_text("+1,000")
        expect(rows.nth(1).locator(".ledger-balance")).to_have_text("19,000")
        expect(rows.nth(0).locator(".ledger-balance")).to_have_text("20,000")
        visitor.content()
