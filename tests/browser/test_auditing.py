"""An auditor in a real browser: histories replayed step by step, proved, kept (A2, A3, A5)."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.visiting import (
    IN_A_BROWSER,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


@SCREENS
def test_a_long_history_fits_its_screen(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """A5: 40 steps on a phone's slider are narrower ticks, not a page that scrolls sideways."""
    rows = [
        {"learner": "long-reader", "points": 10, "reason": "task", "source": f"streak-{nth}"}
        for nth in range(40)
    ]
    service.call("POST", "/v1/points/grants", {"grants": rows}, role="service", subject="lms")
    with browsing.as_("auditor", "audit", screen) as visitor:
        visitor.open("/audit#/stream/account:long-reader")
        expect(visitor.page.locator(".ticks i")).to_have_count(40)
        visitor.fits()


@SCREENS
def test_a_history_is_replayed_and_proved_when_an_auditor_looks(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen, tmp_path: Path,
) -> None:  # fmt: skip
    """A2, A3, A5: step by step with the slider, as of then, its proof checked in the browser."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 1))
    service.ship(number)
    with browsing.as_("auditor", "audit", screen) as visitor:
        page = visitor.page
        visitor.open("/audit")
        page.fill("main input[type=search]", number)
        page.press("main input[type=search]", "Enter")
        rows = page.locator(".event-row")
        rows.first.wait_for()
        many = rows.count()
        assert many >= 8
        expect(rows.last).to_have_attribute("aria-current", "step")
        page.wait_for_function(
            """() => {
                const row = document.querySelector(".event-row[aria-current]");
                const inner = row.getBoundingClientRect();
                const outer = row.closest("ol").getBoundingClientRect();
                return inner.top > outer.top - 1 && inner.bottom < outer.bottom + 1;
            }"""
        )  # the list is scrolled to it
        expect(page).to_have_title(re.compile(number))
        slider = page.locator("main input[type=range]")
        slider.focus()
        page.keyboard.press("Home")
        expect(rows.first).to_have_attribute("aria-current", "step")
        expect(page.locator(".step h2")).to_have_text(visitor.says("fact.ledger.PointsRedeemed"))
        expect(page.locator(".changes tbody")).to_contain_text("19,740")
        page.keyboard.press("ArrowRight")
        expect(rows.nth(1)).to_have_attribute("aria-current", "step")
        page.keyboard.press("End")
        expect(rows.last).to_have_attribute("aria-current", "step")
        page.click(f".event-row:has-text('{visitor.says('fact.orders.PartHandedOver')}') >> nth=-1")
        expect(page.locator(".step .mono").first).to_have_text("orders.PartHandedOver")
        expect(page.locator(".changes tbody")).to_contain_text(
            visitor.says("status.pending_receipt")
        )
        page.click(".proof button:first-child")
        expect(page.locator(".proof-words.good")).to_be_visible()
        visitor.fits()
        visitor.readable()

        page.fill("[name=known_at]", "2020-01-01T00:00")
        with page.expect_response(lambda one: "known_at=2020-01-01T00%3A00%3A00%2B08" in one.url):
            page.click(".clocks button[type=submit]")
        expect(page.locator(".clocks .problem")).to_be_visible()
        visitor.complaints.clear()  # 404 is the answer for what nobody knew
        page.click(".clocks button[type=reset]")
        expect(rows).to_have_count(many)
        with page.expect_download() as download:
            page.click("a[download]")
        kept = tmp_path / "history.json"
        download.value.save_as(kept)
        assert json.loads(kept.read_text())["stream"] == f"order:{number}"
        visitor.open(f"/audit#/stream/account:{learner}")
        expect(page.locator(".headline-figure").first).to_have_text("19,740")
        visitor.content()
