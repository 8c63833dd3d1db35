"""What waits for somebody: approvals, troubles, webhooks, other addresses; lists that go on."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, RECIPIENT, Service
from tests.browser.visiting import (
    IN_A_BROWSER,
    IN_CHINESE,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


def ask_for(service: Service, learner: str, points: int, *, maker: str = "lms") -> str:
    """An adjustment that needs a second person; its approval."""
    body = {"learner": learner, "points": points, "source": "move-2026", "why": "lost in the move"}
    role = "service" if maker == "lms" else "operations"
    said = service.call("POST", "/v1/points/adjustments", body, role=role, subject=maker)
    for path in ("/v1/approvals", f"/v1/learners/{learner}/balance"):  # until the views have it
        service.call("GET", f"{path}?min_position={said['position']}", **OPS)
    return str(said["approval"])


def until_failing(service: Service, url: str) -> None:
    """Wait until a delivery to this address has failed."""
    for _ in range(100):
        listed = service.call("GET", "/v1/troubles", **OPS)["troubles"]
        if any(one["about"].get("url") == url for one in listed):
            return
        time.sleep(0.2)
    pytest.fail(f"nothing was tried at {url}")


@SCREENS
def test_staff_see_that_their_robot_takes_a_test(browsing: Browsing, screen: Screen) -> None:
    """N1: sent from the page, and listed there with what became of it."""
    with browsing.as_("operations", "ops", screen) as one:
        one.open("/operations#/waiting")
        one.page.get_by_role("button", name=one.says("alerts.test")).click()
        newest = one.page.locator("#alert-messages tbody tr").first
        expect(newest).to_contain_text(one.says("delivery.delivered"))
        expect(one.page.locator(".busy")).to_have_count(0)
        one.readable()


@SCREENS
def test_points_arrive_when_a_second_person_allows_them(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen,
) -> None:  # fmt: skip
    """A8: what it would do is told before; a reason is needed; it happens at once, seen by all."""
    learner = newcomer()
    given, denied = ask_for(service, learner, 6_000), ask_for(service, learner, -7_000)
    with browsing.as_("operations", "ops", screen) as one:
        page = one.page
        one.open("/operations#/waiting")
        card = page.locator(f"[data-approval={given}]")
        expect(card.locator("h3")).to_have_text(
            one.says("approval.would_add", n="6,000", learner=learner)
        )
        expect(card).to_contain_text("20,000 → 26,000")
        expect(page.locator(f"[data-approval={denied}]")).to_contain_text("20,000 → 13,000")
        one.readable()
        card.locator("button.primary").click()
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog .field-error")).to_have_text(one.says("invalid.missing"))
        page.fill("dialog [name=reason]", "seen in the old books")
        one.fits()
        page.press("dialog [name=reason]", "Enter")
        expect(card).to_have_count(0)
        page.click(f"[data-approval={denied}] button.danger")
        page.fill("dialog [name=reason]", "nothing was granted twice")
        page.click("dialog button[type=submit]")
        expect(page.locator(f"[data-approval={denied}]")).to_have_count(0)
        page.check("[name=state][value=denied]")
        expect(page.locator(f"[data-approval={denied}]")).to_contain_text("ops")
        one.content()
    balance = service.call("GET", f"/v1/learners/{learner}/balance", **OPS)
    assert balance["available"] == 26_000


def test_nobody_decides_on_what_they_asked_for_themselves(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """A8: whoever asked sees that it waits for somebody else; another person has the buttons, and
    is told what was moved alone before, for which so little needs them."""
    learner = newcomer()
    alone = {"learner": learner, "points": 4_000, "source": "sorry", "why": "a bad week"}
    service.call("POST", "/v1/points/adjustments", alone, role="operations", subject="mei")
    approval = ask_for(service, learner, 1_500, maker="mei")
    for subject, buttons in (("mei", 0), ("ops", 2)):
        with browsing.as_("operations", subject) as one:
            one.open("/operations#/waiting")
            card = one.page.locator(f"[data-approval={approval}]")
            expect(card.locator("button")).to_have_count(buttons)
            expect(card.locator(".alone")).to_contain_text("4,000")


@SCREENS
def test_a_system_is_told_again_when_an_administrator_says_from_where(
    browsing: Browsing,
    service: Service,
    screen: Screen,
) -> None:
    """N2, M5: subscribe, keep the secret, see what fails in the list of troubles, replay, end."""
    url = f"https://crm-{screen.language}.invalid/hook"
    with browsing.as_("administrator", "root", screen) as one:
        page = one.page
        one.open("/operations#/webhooks")
        one.button("webhook.new").click()
        page.fill("dialog [name=url]", url)
        page.fill("dialog [name=facts]", "nothing.*")
        page.click("dialog button[type=submit]")
        expect(page.locator("[data-field=facts] .field-error")).to_be_visible()
        one.complaints.clear()  # 422 is the answer for what is no fact
        page.fill("dialog [name=facts]", "orders.*, ledger.PointsGranted")
        page.fill("dialog [name=from_position]", "1")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog pre")).to_contain_text("whsec_")
        one.fits()
        page.click("dialog footer button")
        page.click(f".webhook a:has-text('{url}')")
        expect(page.locator("h1")).to_have_text(url)
        one.button("webhook.pause").click()
        expect(page.locator(".webhook .badge")).to_have_text(one.says("webhook.paused"))
        one.button("webhook.resume").click()
        expect(page.locator(".webhook .badge")).to_have_text(one.says("webhook.active"))
        one.button("webhook.ping").click()
        expect(page.locator(".toast.bad")).to_contain_text(one.says("call.ConnectError"))
        one.button("webhook.replay").click()
        page.fill("dialog [name=from_position]", "2")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator(".webhook .about")).to_contain_text(
            # Nothing was told yet: a replay leaves out nothing of that.
            re.compile(f"{one.says('webhook.position')}0")
        )
        one.readable()
        until_failing(service, url)
        one.open("/operations#/waiting")
        expect(page.locator(f"[data-kind=webhook] a:has-text('{url}')")).to_be_visible()
        one.fits()
        page.click(f"[data-kind=webhook] a:has-text('{url}')")
        one.button("webhook.end").click()
        page.click("dialog button[type=submit]")
        expect(page).to_have_url(re.compile("#/webhooks$"))
        expect(page.locator(f".webhook a:has-text('{url}')")).to_have_count(0)
        one.content()


@SCREENS
def test_who_may_not_subscribe_is_offered_neither_that_nor_to_try_again(
    browsing: Browsing, screen: Screen
) -> None:
    """A10, N2: the page says why it shows nothing; CONTROL: an administrator can subscribe."""
    for page in ("webhooks", f"webhooks/{'0' * 20}"):
        with browsing.as_("operations", "ops", screen) as one:
            one.open(f"/operations#/{page}")
            expect(one.page.locator("#view .empty-title")).to_be_visible()
            expect(one.page.locator("#view button:visible")).to_have_count(0)
            one.readable()
    with browsing.as_("administrator", "boss", screen) as one:
        one.open("/operations#/webhooks")
        expect(one.button("webhook.new")).to_be_visible()


@SCREENS
def test_a_silent_parcel_is_listed_with_its_cause(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M5: which one, whose, why and since when, in the reader's language; it leads to its order."""
    three_days_ago = datetime.now(UTC) - timedelta(days=3)
    number = service.order(newcomer(), ("notebook", 1), placed_at=three_days_ago)
    with service.partners(pace_seconds=3_600):  # its carrier scans nothing
        parcel = service.ship(number, handed_over_at=three_days_ago)
        with browsing.as_("operations", "ops", screen) as one:
            one.open("/operations#/waiting")
            row = one.page.locator("[data-kind=delayed_parcel]", has_text=parcel)
            expect(row).to_contain_text(one.says("trouble_kind.delayed_parcel"))
            expect(row).to_contain_text(one.says("silence.no_first_scan", n="24"))
            expect(row).to_contain_text(one.says("carrier.shunfeng"))
            ago = {"zh": "3天前", "en": "3 days ago"}[screen.language]
            expect(row.locator("time")).to_have_text(ago)
            one.readable()
            one.fits()
            row.locator("a").click()
            expect(one.page).to_have_url(re.compile(f"#/packing/{number}$"))
            one.content()


@SCREENS
def test_an_order_that_is_promised_by_now_and_not_sent_is_told_and_listed(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T5, O6, M5: its learner reads it in the house's words; staff how far it has come, and since
    when, among the delays and in the list of all that waits."""
    learner = newcomer()
    number = service.order(
        learner, ("notebook", 1), placed_at=datetime.now(UTC) - timedelta(days=12)
    )
    for _ in range(100):
        seen = service.call("GET", f"/v1/orders/{number}", role="learner", subject=learner)
        if seen["delay"]:
            break
        time.sleep(0.2)
    with browsing.as_("learner", learner, screen) as one:
        one.open(f"/#/orders/{number}")
        words = seen["delay"]["message_zh" if screen.language == "zh" else "message"]
        expect(one.page.locator(".promise.warn")).to_have_text(words)
        expect(one.page.locator("#timeline")).to_contain_text(
            one.says("fact.orders.SendingDelayed")
        )
        one.readable()
        one.fits()
    with browsing.as_("operations", "ops", screen) as one:
        for page, row in (
            ("delays", f"#unsent ~ div [data-order={number}]"),
            ("waiting", f"[data-kind=late_order]:has-text('{number}')"),
        ):
            one.open(f"/operations#/{page}")
            found = one.page.locator(row)
            expect(found).to_contain_text(one.says("unsent.waiting_for_wave"))
            expect(found).to_contain_text(one.says("delay.told"))
            expect(found.locator("time")).to_be_visible()
            one.readable()
            one.fits()
        found.locator("a").click()
        expect(one.page).to_have_url(re.compile(f"#/packing/{number}$"))


@SCREENS
def test_an_order_goes_to_another_address_until_it_has_left(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen,
) -> None:  # fmt: skip
    """O8, rules.md 8: by keyboard, also into another province, which is planned anew, as the page
    says before; afterwards its carrier can be asked."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 1))
    with browsing.as_("learner", learner, screen) as one:
        page = one.page
        one.open(f"/#/orders/{number}")
        expect(page.locator(".address")).to_contain_text("杭州市")
        one.tab_to(".address button")
        page.keyboard.press("Enter")
        expect(page.locator("dialog [name=name]")).to_be_focused()
        expect(page.locator("dialog [name=province]")).to_have_value("浙江省")
        expect(page.locator("dialog")).to_contain_text(one.says("address.how", province="浙江省"))
        for name, value in {
            **RECIPIENT,
            "province": "江苏省",
            "city": "南京市",
            "district": "玄武区",
            "address": "中山路 9 号",
        }.items():
            one.tab_to(f"dialog [name={name}]")
            page.keyboard.press("Control+A")
            page.keyboard.type(value)
        one.fits()
        one.readable()
        page.keyboard.press("Enter")
        expect(page.locator(".address")).to_contain_text("南京市")
        expect(page.locator("#timeline")).to_contain_text(one.says("fact.orders.AddressChanged"))
        service.ship(number)
        expect(page.locator(".address button")).to_have_text(one.says("intercept.redirect"))
        one.content()


def test_lists_go_on_when_there_is_more_than_a_page(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """C1, C3, W1: the last item and the first order are reached, and stay after a change."""
    items = [
        {
            "sku": f"zz-pin-{n:02}", "name": f"徽章{n:02}号 Pin no. {n:02}", "kind": "parcel",
            "points": 10, "market_value_fen": 7_900, "weight_grams": 20, "on_sale": True,
        }
        for n in range(52)
    ]  # fmt: skip
    name = newcomer()
    learners = [f"{name}-{n}" for n in range(51)]
    rows = [{"learner": one, "points": 300, "reason": "task", "source": "l"} for one in learners]
    service.call("POST", "/v1/points/grants", {"grants": rows}, role="service", subject="lms")
    with ThreadPoolExecutor(8) as pool:
        orders = list(pool.map(lambda one: service.order(one, ("notebook", 1)), learners))
        list(pool.map(lambda one: service.call("POST", "/v1/items", one, **OPS), items))
    with browsing.as_("operations", "ops") as one:
        page = one.page
        last = ".shelf[data-sku=zz-pin-51]"
        one.open("/operations#/stock")
        expect(page.locator(last)).to_have_count(0)
        page.focus(".more")
        page.keyboard.press("Enter")
        expect(page.locator(last)).to_be_visible()
        expect(page.locator(".more")).to_have_count(0)
        assert page.evaluate("document.activeElement.closest('.shelf') !== null")
        page.click(f"{last} button")
        page.fill("dialog [name=quantity]", "7")
        page.click("dialog button[type=submit]")
        expect(page.locator(f"{last} td.right").first).to_have_text("7")
        one.open("/operations#/items")
        page.click(".more")
        expect(page.locator("tr[data-sku=zz-pin-51]")).to_be_visible()
        one.open("/operations#/packing")
        page.click(".more")
        expect(page.locator("tbody tr").nth(len(orders) - 1)).to_be_visible()
        for number in orders:
            assert page.locator(f"a:has-text('{number}')").count() == 1
        one.content()


def test_somebody_lost_is_led_back(browsing: Browsing, newcomer: Newcomer) -> None:
    """N3, A10: an unknown page, an unknown order, in the reader's language, with a way on."""
    with browsing.as_("learner", newcomer(), IN_CHINESE) as one:
        page = one.page
        for path, said in (
            ("/nowhere", one.says("lost.title")),
            ("/#/orders/T0", "未找到该订单"),
        ):
            page.goto(one.url + path)
            expect(page.locator("main")).to_contain_text(said)
            one.readable()
            page.click(f"main a:has-text('{one.says('app.home')}')")
            expect(page.locator(".item").first).to_be_visible()


def test_a_page_says_so_when_it_is_cut_off(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """T3: the lamp goes out without a network; what was asked for is done once it is back."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 1))
    with browsing.as_("learner", learner) as one:
        page = one.page
        one.open(f"/#/orders/{number}")
        lamp = page.locator(".lamp")
        expect(lamp).to_have_attribute("data-state", "on")
        one.button("cancel.open").click()
        expect(page.locator("dialog button[type=submit]")).to_be_enabled()  # it says what it does
        page.context.set_offline(True)
        expect(lamp).to_have_text(one.says("live.waiting"))
        page.click("dialog button[type=submit]")
        expect(page.locator(".toast.bad")).to_have_text(one.says("app.waiting"))
        page.context.set_offline(False)
        expect(page.locator("#points-back")).to_have_text("+260")
        expect(lamp).to_have_attribute("data-state", "on")


@SCREENS
def test_what_was_promised_is_shown_beside_what_is(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """M1: our own figures and each partner's, against their targets."""
    learner = newcomer()
    number = service.order(learner, ("tea-set", 1))
    service.call("POST", f"/v1/orders/{number}/payments", {}, role="learner", subject=learner)
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/health")
        expect(page.locator("[aria-labelledby=targets] .tile")).to_have_count(3)
        partner = page.locator("tr[data-partner=payment]")
        expect(partner).to_be_visible(timeout=30_000)  # written down every ten seconds
        expect(partner).to_contain_text(visitor.says("partner.payment"))
        visitor.readable()
        visitor.content()


@SCREENS
def test_the_headline_of_health_says_what_is_worst(browsing: Browsing, screen: Screen) -> None:
    """M1: green while all is met; a missed target, then who is away, stand in the headline."""
    figure = {"name": "answers_within_200_ms", "value": 0.998, "target": 0.99, "met": True}
    slow = {**figure, "value": 0.9178, "met": False}
    few = {**figure, "value": 0.0, "met": None}
    partner = {
        "partner": "sf", "calls": 120, "mean_seconds": 0.3, "cause": None, "away_since": None,
        "targets": [slow],
    }  # fmt: skip
    once = {**partner, "partner": "payment", "calls": 1, "targets": [few]}
    gone = {**once, "calls": 9, "away_since": "2026-11-03T02:14:08Z"}
    looks = (([once], "ok"), ([once, partner], "missed"), ([gone, partner], "away"))
    told: dict[str, Any] = {"answers": 500, "targets": [figure]}
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        page.route("**/v1/targets", lambda asked: asked.fulfill(json=told))
        for partners, headline in looks:
            told["partners"] = partners
            visitor.open("/operations#/health")
            page.reload()
            expect(page.locator(".verdict-words")).to_have_text(visitor.says(f"health.{headline}"))
            since = page.locator(".verdict [data-away=payment]")
            expect(since).to_have_count(1 if headline == "away" else 0)
            if headline == "away":
                since_when = {"zh": "11月3日", "en": "Nov 3"}[screen.language]
                expect(since).to_contain_text(since_when)
            slow_one = page.locator(".verdict").get_by_text("91.78%")
            expect(slow_one).to_have_count(0 if headline == "ok" else 1)
            row = page.locator("tr[data-partner=payment]")
            expect(row).to_contain_text(visitor.says("targets.few"))
        visitor.content()
        visitor.readable()


@SCREENS
def test_a_missed_target_is_told_as_a_share(browsing: Browsing, screen: Screen) -> None:
    """M1: what was reached and what was promised, in the page's words."""
    about = {"whose": "sf", "target": "answers_within_200_ms", "value": 0.9178, "aim": 0.99}
    one = {"kind": "missed_target", "what": "", "cause": "English", "since": None, "about": about}
    with browsing.as_("operations", "ops", screen) as visitor:
        visitor.page.route("**/v1/troubles*", lambda asked: asked.fulfill(json={"troubles": [one]}))
        visitor.open("/operations#/waiting")
        row = visitor.page.locator("tr[data-kind=missed_target]")
        expect(row).to_contain_text(f"91.78% · {visitor.says('targets.aim', aim='≥ 99%')}")
        expect(row).not_to_contain_text("English")
        visitor.content()
