"""What every form does with what it cannot take, and with whoever typed it (N3, O8)."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER


@SCREENS
def test_what_is_no_number_is_told_where_it_stands(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """N3: a browser hands on letters in a number as nothing, and nothing would be left out."""
    number = service.order(newcomer(), ("enamel-mug", 1))
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open(f"/operations#/packing/{number}")
        weight = page.locator("[data-step=pack] [name=weight_grams]")
        told = page.locator("[data-step=pack] .field-error")
        weight.press_sequentially("12e")
        page.click("[data-step=pack] button[type=submit]")
        expect(told).to_have_text(visitor.says("invalid.number"))
        expect(weight).to_be_focused()
        for typed, key, figures in (
            ("-3", "invalid.at_least", {"n": 0}),
            ("1000001", "invalid.at_most", {"n": "1,000,000"}),
            ("1.5", "invalid.int_parsing", {}),
        ):
            weight.fill(typed)
            page.click("[data-step=pack] button[type=submit]")
            expect(told).to_have_text(visitor.says(key, **figures))
            expect(weight).to_have_value(typed)
        assert not any(one.endswith("/v1/parcels") for one in visitor.addresses)
        visitor.readable()
        visitor.content()


@SCREENS
def test_focus_goes_on_where_it_was_when_a_dialog_changed_the_list(
    browsing: Browsing, screen: Screen
) -> None:
    """N3: the button that opened it was drawn anew; a keyboard does not start at the top again."""
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/stock")
        button = visitor.button("stock.count").nth(1)
        before = button.element_handle()
        button.focus()
        page.keyboard.press("Enter")
        visitor.send(counted="31", reason="shelf count")
        before.wait_for_element_state("hidden")  # it is drawn anew
        expect(visitor.button("stock.count").nth(1)).to_be_focused()


def written(visitor: Visitor, number: str, words: str) -> tuple[Page, Locator, Locator]:
    """The order's page with a note that nobody sent yet, its field, and where problems are told."""
    visitor.open(f"/support#/orders/{number}")
    note = visitor.page.locator(".note-form [name=words]")
    note.press_sequentially(words)
    return visitor.page, note, visitor.page.locator(".note-form .problem")


def test_a_wish_stays_as_it_was_sent_while_nobody_knows_what_became_of_it(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """L2: pressed again, the same is asked after; what was typed meanwhile would go unsent."""
    number = service.order(newcomer(), ("enamel-mug", 1))
    with browsing.as_("support", "wang") as visitor:
        page, note, said = written(visitor, number, "rang twice")
        page.route("**/notes", lambda route: route.abort())
        page.click(".note-form button")
        expect(said).to_contain_text(visitor.says("problem.unknown_outcome"), timeout=30_000)
        expect(note).to_be_disabled()
        expect(note).to_have_value("rang twice")
        page.unroute("**/notes")
        page.click(".note-form button")
        expect(page.locator(".timeline li").first).to_contain_text("rang twice")
        expect(note).to_be_enabled()
        expect(note).to_have_value("")


def test_what_was_typed_into_the_page_stays_when_the_session_ends_meanwhile(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """O8: a form without a dialog is not left for the login page either."""
    number = service.order(newcomer(), ("enamel-mug", 1))
    with browsing.as_("support", "wang") as visitor:
        page, note, said = written(visitor, number, "calls back at noon")
        kept = page.context.cookies()
        page.context.clear_cookies()
        page.click(".note-form button")
        expect(said).to_contain_text(visitor.says("problem.session_over"))
        expect(note).to_have_value("calls back at noon")
        page.context.add_cookies(kept)  # type: ignore[arg-type]
        page.click(".note-form button")
        expect(page.locator(".timeline li").first).to_contain_text("calls back at noon")
        # With nothing typed there is nothing to lose: the way leads to the login, and back here.
        page.context.clear_cookies()
        page.goto(visitor.url + "/support")
        page.goto(f"{visitor.url}/support#/cases")
        page.fill("#token", service.token("support", "wang"))
        page.click("#login button")
        expect(page).to_have_url(re.compile("/support#/cases$"))
