"""Rates, on the page: a parcel reckoned, a sheet looked at and published (W3)."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Screen

pytestmark = IN_A_BROWSER

SHEET = """\
carrier,effective_from,kind,origin,destinations,first_yuan,additional_yuan,hours
{carrier},2026-01-01,,甘肃,青海,1.1,0.5,90
{carrier}x,2026-01-01,,甘肃,火星,1.1,0.5,90
"""


@SCREENS
def test_a_sheet_is_looked_at_then_published_and_reckoned_with(
    browsing: Browsing, service: Service, screen: Screen, tmp_path: Path
) -> None:
    """W3: what it would do is told first, with its refused rows; the price says how it came."""
    carrier = f"sheet{screen.size['width']}"
    sheet = tmp_path / "rates.csv"
    sheet.write_text(SHEET.format(carrier=carrier), encoding="utf-8")
    with browsing.as_("operations", "ops", screen) as one:
        page = one.page
        one.open("/operations#/rates")
        page.set_input_files(".rates-two input[type=file]", sheet)
        expect(page.locator(".problem-title")).to_contain_text("1")
        expect(page.locator(".rates-two table")).to_contain_text(one.says("rates.wrong_unusable"))
        one.readable()
        page.click(f"button:has-text('{one.says('rates.publish', n=1)}')")
        expect(page.locator(f".rate-card[data-carrier={carrier}]")).to_be_visible()
        page.select_option("[name=origin]", "甘肃省")
        page.select_option("[name=destination]", "青海省")
        page.fill("[name=kg]", "2.4")
        page.click(".rates-two form button[type=submit]")
        offer = page.locator(f".offers [data-carrier={carrier}]")
        expect(offer.locator(".offer-sum")).to_contain_text("2.10")
        one.readable()
    known = service.call("GET", "/v1/rate-cards", **OPS)["cards"]
    assert [len(card["lanes"]) for card in known if card["carrier"] == carrier] == [1]
