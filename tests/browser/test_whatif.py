"""What if, on the page: a rule is chosen, its progress is seen, then what would differ (M6)."""

from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER


@SCREENS
def test_what_would_differ_is_seen_before_it_is_switched_on(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M6: points that live a day; a worker runs it; the page draws itself when it is done."""
    newcomer()
    with browsing.as_("operations", "ops", screen) as one:
        page = one.page
        one.open("/operations#/whatif")
        page.check("input[value=placement]", force=True)
        page.fill("[name^=share-] >> nth=0", "60")
        page.click(".whatif-form button[type=submit]")  # the shares are not the whole
        expect(page.locator(".field-error:visible")).to_contain_text("60%")
        page.check("input[value=expiry]", force=True)
        page.fill("[name=days]", "1")
        page.click(".whatif-form button[type=submit]")
        card = page.locator("section[data-rehearsal]")
        expect(card.locator("h2")).to_have_text(one.says("whatif.says_expiry", n=1))
        expect(page.locator(".whatif-result")).to_be_visible(timeout=30_000)
        expect(page.locator("[data-state=done]")).to_be_visible()
        one.readable()
        result = page.locator(".whatif-result")
        expect(result).to_contain_text(one.says("whatif.by_month"))
        assert page.locator(".pairs").count() >= 1
        one.open("/operations#/whatif")
        expect(page.locator("li[data-rehearsal] a").first).to_have_text(
            one.says("whatif.says_expiry", n=1)
        )
        one.readable()
