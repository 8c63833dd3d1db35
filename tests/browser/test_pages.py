"""The pages in a real browser: redeem, watch live, cancel, replay; by keyboard, too."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from api.sandbox_labels import PREFIXES
from tests.browser.service import RECIPIENT, Service, recipient
from tests.browser.visiting import (
    DESK,
    IN_A_BROWSER,
    IN_CHINESE,
    PHONE,
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


@SCREENS
def test_an_order_is_shipped_when_the_packing_desk_works(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """W1: pack, waybill, hand over; the desk shows where pushes go and what they bring."""
    number = service.order(newcomer(), ("walnut-bookend", 1))
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations")
        page.click(f"a:has-text('{number}')")
        expect(page.locator(".recipient-words")).to_contain_text("1******8000")
        page.fill("[name=weight_grams]", "950")
        page.click("[data-step=pack] button[type=submit]")
        page.wait_for_selector("[data-step=waybill]")
        visitor.button("packing.invent").click()
        page.click("[data-step=waybill] button[type=submit]")
        page.click("[data-step=hand_over] button[type=submit]")
        page.click(".rehearsal summary")
        page.wait_for_selector(".rehearsal pre")
        visitor.fits()
        service.push(number, f"{number}-P1", "快件正在派送中", "5")
        expect(page.locator(".part .badge").nth(1)).to_have_text(
            visitor.says("parcel.out_for_delivery")
        )
        visitor.content()


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
                return inner.top >= outer.top && inner.bottom <= outer.bottom;
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


def test_the_planned_carrier_is_chosen_and_another_one_explained(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """W4: the packing desk follows the plan; another carrier asks for the reason."""
    number = service.order(newcomer(), ("enamel-mug", 1))
    order = service.call("GET", f"/v1/orders/{number}", role="operations", subject="ops")
    planned = order["parts"][0]["carrier"]
    assert planned
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open(f"/operations#/packing/{number}")
        page.fill("[name=weight_grams]", "400")
        page.click("[data-step=pack] button[type=submit]")
        form = page.locator("[data-step=waybill]")
        carrier = form.locator("[name=carrier]")
        expect(carrier).to_have_value(planned)
        for chosen in ("shunfeng", "jd", "yuantong", "jtexpress", "zhongtong", planned):
            carrier.select_option(chosen)
            visitor.button("packing.invent").click()
            begun = re.compile(rf"^{PREFIXES.get(chosen, '7')}\d{{13}}$")
            expect(form.locator("[name=waybill]")).to_have_value(begun)
        expect(form.locator("[name=reason]")).to_be_hidden()
        carrier.select_option("ems" if planned != "ems" else "jd")
        form.locator("[name=waybill]").fill("EM100000000001")
        form.locator("button[type=submit]").click()
        expect(form.locator("[data-field=reason] .field-error")).to_be_visible()
        form.locator("[name=reason]").fill("its van was there")
        form.locator("button[type=submit]").click()
        page.wait_for_selector("[data-step=hand_over]")
    (parcel,) = service.call("GET", f"/v1/orders/{number}", role="operations", subject="ops")[
        "parcels"
    ]
    assert parcel["carrier"] != planned


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_head_fits_a_phone_when_somebody_may_see_every_page(
    browsing: Browsing, width: int, language: str
) -> None:
    """N3: an administrator has two other pages to go to; no name is cut."""
    size = {"width": width, "height": 844}
    with browsing.as_("administrator", "chief", Screen(size, language)) as visitor:
        for path in ("/audit#/controls", "/operations#/rates", "/support"):
            visitor.open(path)
            visitor.content()
            name = visitor.page.locator(".brand-name")
            whole = "one => one.clientWidth <= 1 || one.scrollWidth <= one.clientWidth"
            assert name.evaluate(whole), f"the mall's name is cut on {path}"


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
