"""The pages in a real browser: found, read, and fitting every screen, whoever looks (N3)."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from domain.house_rules import SHANGHAI
from tests.browser.service import Service
from tests.browser.visiting import (
    DESK,
    IN_A_BROWSER,
    PHONE,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


@SCREENS
def test_a_newcomer_reads_empty_pages(browsing: Browsing, screen: Screen) -> None:
    """L6: no points, no entries, no orders, and nothing that the browser complains of."""
    with browsing.as_("learner", f"nobody-yet-{screen.language}", screen) as visitor:
        page = visitor.page
        visitor.open("/")
        expect(page.locator(".passbook-figure").first).to_contain_text("0")
        visitor.open("/#/points")
        expect(page.locator("main")).to_contain_text(visitor.says("points.none"))
        visitor.open("/#/orders")
        visitor.settled()
        visitor.fits()
        visitor.content()


def test_an_end_at_midnight_is_of_the_day_before(browsing: Browsing, newcomer: Newcomer) -> None:
    """P3, M1: what ends as a day begins was good until the day before, wherever a page says so."""
    told = """async (end) => {
        const { day, lastDay, lastWeekday, weekday } =
            await import(`${document.documentElement.dataset.static}words.js`);
        return [lastDay(end), day(end), lastWeekday(end), weekday(end)];
    }"""
    with browsing.as_("learner", newcomer()) as visitor:
        visitor.open("/")
        midnight = visitor.page.evaluate(told, "2026-11-30T16:00:00Z")  # 00:00 in Shanghai
        later = visitor.page.evaluate(told, "2026-11-30T16:00:01Z")
    assert midnight == ["Nov 30, 2026", "Dec 1, 2026", "Mon, Nov 30", "Tue, Dec 1"]
    assert later == ["Dec 1, 2026", "Dec 1, 2026", "Tue, Dec 1", "Tue, Dec 1"]


def test_a_link_logs_in_when_its_token_is_in_the_fragment(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """A10: the token is in no address that a server or a log gets to see."""
    token = service.token("learner", newcomer())
    with browsing.as_(None) as visitor:
        page = visitor.page
        page.goto(f"{visitor.url}/login#token={token}")
        visitor.settled()
        assert page.url == f"{visitor.url}/"
        assert not any(token in one for one in visitor.addresses)
        session = next(
            one for one in page.context.cookies() if one.get("name") == "tallypost_session"
        )
        assert (session.get("httpOnly"), session.get("sameSite")) == (True, "Strict")
        page.click("form.who button")
        expect(page).to_have_url(re.compile("/login$"))
        assert visitor.complaints == []


EVERYWHERE = {
    ("learner", "lin"): ["/", "/#/orders", "/#/points"],
    ("operations", "ops"): [
        "/operations", "/operations#/stock", "/operations#/items", "/operations#/accounts",
        "/operations#/warehouses",
        "/operations#/accounts/lin", "/operations#/grants", "/operations#/waiting",
        "/operations#/health", "/operations#/whatif", "/operations#/rates",
        "/operations#/bills", "/operations#/costs", "/operations#/weekly",
    ],
    ("administrator", "root"): ["/operations#/webhooks"],
    ("auditor", "audit"): [
        "/audit", "/audit#/books", "/audit#/controls", "/audit#/log",
        "/audit#/stream/account:lin",
    ],
}  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "language"), [(PHONE, "zh"), (DESK, "en")], ids=["phone", "desk"])
def test_every_page_can_be_read_and_fits(
    browsing: Browsing, size: dict[str, int], language: str, theme: str
) -> None:
    """N3: labels, contrast (AA), one heading, no sideways scrolling, no complaints."""
    for (role, subject), paths in EVERYWHERE.items():
        with browsing.as_(role, subject, Screen(size, language, theme)) as visitor:
            for path in paths:
                visitor.open(path)
                visitor.page.wait_for_timeout(150)
                visitor.content()
                visitor.readable()
            if role == "learner":
                visitor.open("/#/")
                visitor.choose("tea-set")
                visitor.page.click("dialog button[type=submit]")
                visitor.fits()
                visitor.readable()


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_head_fits_a_phone_when_somebody_may_see_every_page(
    browsing: Browsing, width: int, language: str
) -> None:
    """N3: an administrator has two other pages to go to; no name is cut."""
    size = {"width": width, "height": 844}
    seen = {
        "administrator": ("/audit#/controls", "/operations#/rates", "/support"),
        "auditor": ("/audit#/log",),
    }
    for role, paths in seen.items():
        with browsing.as_(role, role, Screen(size, language)) as visitor:
            for path in paths:
                visitor.open(path)
                visitor.content()
                cut = visitor.page.evaluate(NAME_IS_CUT)
                assert not cut, f"the mall's name is cut on {path}"


NAME_IS_CUT = """() => {
    const name = document.querySelector(".brand-name");
    const one = name.getBoundingClientRect();
    const room = document.querySelector(".brand").getBoundingClientRect();
    const seen = one.width > 1 && one.top < room.bottom - 1;
    return seen && (one.right > room.right + 1 || name.scrollWidth > name.clientWidth);
}"""


@SCREENS
def test_what_is_long_is_folded_until_it_is_asked_for(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """N3: views that are well, a track's older scans; what was unfolded stays when news come."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 1))
    parcel = service.ship(number)
    begun = datetime.now(SHANGHAI)
    for at in range(12):
        moment = begun + timedelta(seconds=at)
        service.push(number, parcel, f"【杭州市】快件已发往 {at} 号中心", "1002", when=moment)
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        track, first = page.locator("#timeline li"), visitor.says("fact.orders.OrderPlaced")
        expect(track).to_have_count(10)
        older = page.locator(".order-story > button")
        older.focus()
        page.keyboard.press("Enter")
        expect(older).to_have_count(0)
        expect(page.locator("#timeline")).to_contain_text(first)
        expect(page.locator("#timeline li:focus")).to_have_count(1)
        service.push(number, parcel, "【杭州市】已到达", "1002", when=begun + timedelta(minutes=1))
        expect(track.first).to_contain_text("已到达")
        expect(page.locator("#timeline")).to_contain_text(first)
        visitor.content()
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/health")
        fold = page.locator("#views-well")
        expect(page.locator("[data-view=order_status]")).to_be_hidden()
        fold.focus()
        page.keyboard.press("Enter")
        drawn = fold.element_handle()
        drawn.wait_for_element_state("hidden")  # it is looked at again
        expect(page.locator("[data-view=order_status]")).to_be_visible()
        expect(fold).to_be_focused()
        visitor.readable()
        visitor.content()


def test_nobody_signs_for_a_course(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """Rules 7: staff's lists and desks say of it that it is opened."""
    learner = newcomer()
    number = service.order(learner, ("python-course", 1))
    with browsing.as_("administrator", "chief") as visitor:
        opened = visitor.says("course.open")
        for path, badge in (
            (f"/support#/learners/{learner}", ".found-list .badge"),
            (f"/support#/orders/{number}", ".traced-head .badge"),
            (f"/operations#/accounts/{learner}", ".order-items >> xpath=.. >> .badge"),
            (f"/operations#/packing/{number}", ".desk-head .badge"),
        ):
            visitor.open(path)
            expect(visitor.page.locator(badge).first).to_have_text(opened)


@SCREENS
def test_every_view_of_operations_is_found_in_its_group(browsing: Browsing, screen: Screen) -> None:
    """Usable by keyboard and thumb: all groups at once, the current view marked."""
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/stock")
        menu = page.locator("#menu")
        if screen.size["width"] < 1100:
            expect(menu).to_contain_text(visitor.says("tab.stock"))
            expect(page.locator("#groups")).to_be_hidden()
            menu.focus()
            page.keyboard.press("Enter")
        for tab in page.locator("#groups a").all():
            expect(tab).to_be_in_viewport(ratio=1)
        expect(page.locator("#groups a[aria-current]")).to_have_text(visitor.says("tab.stock"))
        visitor.fits()
        if menu.is_visible():
            page.keyboard.press("Escape")
            expect(page.locator("#groups")).to_be_hidden()
            expect(menu).to_be_focused()
        visitor.go("health")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("#groups a[aria-current]")).to_have_attribute("data-tab", "health")
        visitor.content()
