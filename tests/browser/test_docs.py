"""The API's description in a real browser: drawn from our own files, under the strict policy."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.visiting import IN_A_BROWSER, Browsing

pytestmark = IN_A_BROWSER

DEPRECATED = "Deprecated: escaping deep link"
"""Swagger UI's own notice about every name with an underscore."""


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
        # Drawn as far as they are in sight: a description as long as this one comes piece by piece.
        paths = page.request.get(visitor.url + "/openapi.json").json()["paths"]
        last = [one for ways in paths.values() for one in ways.values()][-1]
        place = f"{last['tags'][0]}/{last['operationId']}"
        page.goto("about:blank")
        page.goto(f"{visitor.url}/docs#/{place}")
        expect(page.locator(f"#operations-{place.replace('/', '-')}")).to_be_visible()
        assert all(one.startswith((visitor.url, "data:", "blob:")) for one in visitor.addresses)
        assert [one for one in visitor.complaints if not one.startswith(DEPRECATED)] == []


BALANCE = "points/balance_v1_learners__learner__balance_get"


def tried(page: Page) -> Locator:
    """Try the balance of lin; the status that comes back."""
    page.wait_for_timeout(1_000)  # what is in sight is drawn once more after scrolling there
    page.click(".try-out__btn")
    page.fill("tr[data-param-name=learner] input", "lin")
    page.click(".execute")
    return page.locator(".live-responses-table .response-col_status").last


def test_an_answer_is_shown_when_an_operation_is_tried(browsing: Browsing) -> None:
    """M1, A10: with the token of whoever reads it; without one it is refused."""
    with browsing.as_(None) as visitor:
        page = visitor.page
        page.goto(f"{visitor.url}/docs#/{BALANCE}")
        expect(tried(page)).to_contain_text("401")
        page.goto("about:blank")
        page.goto(visitor.url + "/docs")
        page.click(".btn.authorize")
        page.fill(".auth-container input", browsing.service.token("learner", "lin"))
        page.click(".auth-btn-wrapper .authorize")
        page.click(".btn-done")
        wanted = page.locator(f"#operations-{BALANCE.replace('/', '-')}")
        for _ in range(100):
            if wanted.count():
                break
            page.mouse.wheel(0, 300)
            page.wait_for_timeout(50)
        wanted.locator("button").first.click()
        expect(tried(page)).to_contain_text("200")
        said = [
            one for one in visitor.complaints if "401" not in one and not one.startswith(DEPRECATED)
        ]
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


def test_the_head_is_checked_in_the_browser_when_an_auditor_looks(browsing: Browsing) -> None:
    """A3: the signature fits the key that comes with it; any field changed, and it does not."""
    head = browsing.service.call("GET", "/v1/audit/head", role="auditor", subject="audit")
    spoilt: list[dict[str, object]] = [
        {**head, "position": head["position"] + 1},
        {**head, "root": "00" * 32},
        {**head, "tenant": "mall2"},
        {**head, "recorded_at": "2025" + head["recorded_at"][4:]},
        {**head, "key_id": "00" * 8},
        {**head, "signature": "00" * 64},
        {**head, "public_key": "11" * 32},
    ]
    with browsing.as_("auditor", "audit") as visitor:
        visitor.open("/audit#/log")
        expect(visitor.page.locator("[data-signed=true]")).to_be_visible()
        said = visitor.page.evaluate(
            """async (heads) => {
                const script = document.querySelector("script[type=module]").src;
                const { signed } = await import(new URL("proof.js", script));
                return Promise.all(heads.map(signed));
            }""",
            [head, *spoilt],
        )
        assert said == [True] + [False] * len(spoilt)
        assert visitor.complaints == []
