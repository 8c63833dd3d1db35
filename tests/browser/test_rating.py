"""A completed order asks how it was: a few stars, once (O4)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER


def completed(service: Service, learner: str) -> str:
    """An order of ten days ago, received eight days ago: its window is over."""
    ago = {days: datetime.now(UTC) - timedelta(days=days) for days in (10, 9, 8)}
    number = service.order(learner, ("notebook", 1), placed_at=ago[10])
    parcel = service.ship(number, handed_over_at=ago[9])
    service.push(number, parcel, "【杭州市】已签收,签收人:本人", "3", when=ago[8])
    for _ in range(150):
        if service.call("GET", f"/v1/orders/{number}", **OPS)["state"] == "completed":
            return number
        time.sleep(0.1)
    pytest.fail(f"{number} is not completed")


@SCREENS
def test_a_learner_says_how_it_was(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O4, D6: asked for when it is completed; by keyboard; shown where it was said, and gone."""
    learner = newcomer()
    number = completed(service, learner)
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".rating")).to_contain_text(visitor.says("rating.title"))
        visitor.readable()
        visitor.tab_to(".rating button")
        page.keyboard.press("Enter")
        page.click("dialog button[type=submit]")
        name = "线装笔记本" if visitor.language == "zh" else "Thread-bound notebook"
        for what in ("goods", "delivery"):
            missing = visitor.says("rating.of", what=visitor.says(f"rating.{what}"), name=name)
            words = visitor.says("rating.missing", what=missing)
            expect(page.locator("dialog .problem")).to_contain_text(words)
        visitor.fits()
        page.locator("dialog input[name=goods-1]").first.focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        page.check("dialog input[name=delivery-1][value='3']")
        page.dblclick("dialog button[type=submit]")
        expect(page.locator(".rating")).to_have_count(0)
        said = page.locator("[data-sku=notebook] .rated")
        expect(said).to_contain_text(visitor.says("rating.stars", n=5))
        expect(said).to_contain_text(visitor.says("rating.stars", n=3))
        visitor.readable()
        assert sum(one.endswith("/ratings") for one in visitor.addresses) == 1
        visitor.content()
