"""The API's description in a real browser: drawn from our own files, under the strict policy."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Browsing

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


def test_everything_is_ours_when_the_description_is_read(browsing: Browsing) -> None:
    """M1: all operations are drawn, nobody else is asked, the browser has no complaint."""
    with browsing.as_(None) as visitor:
        page = visitor.page
        page.goto(visitor.url + "/docs")
        expect(page.locator(".info .title")).to_contain_text("Tallypost")
        expect(page.locator("#operations-orders-place_v1_orders_post")).to_be_visible()
        page.click("#operations-orders-place_v1_orders_post .opblock-summary-control")
        expect(page.locator(".opblock-body .model-example").first).to_be_visible()
        page.locator(".opblock-body .responses-table").wait_for()
        assert page.locator(".opblock").count() > 50
        assert all(one.startswith((visitor.url, "data:", "blob:")) for one in visitor.addresses)
        assert visitor.complaints == []


def test_an_answer_is_shown_when_an_operation_is_tried(browsing: Browsing) -> None:
    """M1, A10: with the token of whoever reads it; without one it is refused."""
    with browsing.as_(None) as visitor:
        page = visitor.page
        page.goto(visitor.url + "/docs")
        page.click("#operations-points-balance_v1_learners__learner__balance_get button")
        page.click(".try-out__btn")
        page.fill("tr[data-param-name=learner] input", "lin")
        page.click(".execute")
        expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text(
            "401"
        )
        page.click(".btn.authorize")
        page.fill(".auth-container input", browsing.service.token("learner", "lin"))
        page.click(".auth-btn-wrapper .authorize")
        page.click(".btn-done")
        page.click(".execute")
        expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text(
            "200"
        )
        said = [one for one in visitor.complaints if "401" not in one]
        assert said == []


def test_a_script_from_elsewhere_is_noticed(browsing: Browsing) -> None:
    """M1 CONTROL: the page as FastAPI makes it asks a CDN and is stopped by our policy."""
    with browsing.as_(None) as visitor:
        page = visitor.page
        page.goto(visitor.url + "/docs")
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.src = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js";
                document.head.append(script);
            }"""
        )
        page.wait_for_timeout(200)
        assert any("Content Security Policy" in one for one in visitor.complaints)
