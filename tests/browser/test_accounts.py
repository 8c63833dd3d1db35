"""Accounts by hand: points given, taken, clawed back, by two where it is much; frozen, thawed."""

from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER


def sent(visitor: Visitor, path: str) -> int:
    """How many requests went to this path."""
    return sum(one.endswith(path) for one in visitor.addresses)


def at_field(visitor: Visitor, name: str) -> str:
    """What a dialog says is wrong with a field that has the focus."""
    box = visitor.page.locator(f"dialog [name={name}]")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_be_focused()
    return visitor.page.locator(f"dialog [data-field={name}] .field-error").inner_text()


@SCREENS
def test_points_are_taken_once_when_the_button_is_pressed_twice(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """L5: a reason is needed, more than there is is refused at its field, the statement has it."""
    learner = newcomer()
    path = "/v1/points/adjustments"
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/accounts")
        page.fill("main input[type=search]", learner)
        page.keyboard.press("Enter")
        figures = page.locator(".account-figures dd")
        expect(figures.first).to_have_text("20,000")
        visitor.button("learner.adjust").click()
        visitor.send(source="T-17")
        assert at_field(visitor, "points") == visitor.says("invalid.missing")
        visitor.send(points="-40", why="counted twice")
        assert at_field(visitor, "points") == visitor.says("learner.above_zero")
        assert sent(visitor, path) == 0
        page.select_option("dialog [name=direction]", "-1")
        page.fill("dialog [name=points]", "2000")
        page.dblclick("dialog button[type=submit]")
        expect(figures.first).to_have_text("18,000")
        assert sent(visitor, path) == 1
        expect(page.locator(".ledger tbody tr").first).to_contain_text("−2,000")
        visitor.readable()
        visitor.content()

        service.order(learner, ("desk-lamp", 8))  # 2,960 are left
        visitor.button("learner.adjust").click()
        page.select_option("dialog [name=direction]", "-1")
        visitor.send(points="2990", source="T-18", why="counted twice")  # less than two need (A8)
        page.wait_for_selector("dialog [name=points][aria-invalid]")
        assert "2960" in at_field(visitor, "points").replace(",", "")
        visitor.fits()


@SCREENS
def test_much_waits_for_a_second_person_when_one_gives_it(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """A8: said before it is sent; where it waits is linked; the second person makes it happen."""
    learner = newcomer()
    with browsing.as_("operations", "mei", screen) as visitor:
        page = visitor.page
        visitor.open(f"/operations#/accounts/{learner}")
        visitor.button("learner.adjust").click()
        notice = page.locator("dialog .notice")
        page.fill("dialog [name=points]", "4999")
        expect(notice).to_be_hidden()
        page.fill("dialog [name=points]", "5000")
        expect(notice).to_have_text(visitor.says("learner.needs_two", n="5,000"))
        visitor.send(source="T-19", why="a course was lost")
        expect(page.locator(".toast")).to_have_text(visitor.says("learner.asked_toast"))
        asked = page.locator("[data-approval]")
        expect(asked).to_contain_text("mei")
        expect(page.locator(".account-figures dd").first).to_have_text("20,000")
        visitor.readable()
        visitor.content()
        approval = str(asked.get_attribute("data-approval"))
        asked.locator("a").click()
        expect(page.locator(f"li[data-approval={approval}]")).to_contain_text(
            visitor.says("approval.yours")
        )
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/waiting")
        page.click(f"[data-approval={approval}] button.primary")
        visitor.send(reason="seen in the old books")
        expect(page.locator(f"[data-approval={approval}]")).to_have_count(0)
        visitor.open(f"/operations#/accounts/{learner}")
        expect(page.locator(".account-figures dd").first).to_have_text("25,000")
        expect(page.locator("[data-approval]")).to_have_count(0)


def test_a_spent_grant_becomes_a_debt_when_it_is_clawed_back(
    browsing: Browsing, service: Service
) -> None:
    """L5, rules 17: named by reason and source; an unknown one is told at its field."""
    learner = "claw-back-reader"
    rows = [{"learner": learner, "points": 600, "reason": "task", "source": "streak-9"}]
    service.call("POST", "/v1/points/grants", {"grants": rows}, role="service", subject="lms")
    service.order(learner, ("enamel-mug", 1))
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open(f"/operations#/accounts/{learner}")
        expect(page.locator(".account-figures dd").first).to_have_text("120")
        page.click("[data-fact='ledger.PointsGranted'] .ledger-tool button")
        expect(page.locator("dialog [name=reason]")).to_have_value("task")
        expect(page.locator("dialog [name=source]")).to_have_value("streak-9")
        visitor.send(source="streak-8", why="not theirs")
        page.wait_for_selector("dialog [name=source][aria-invalid]")
        assert "No grant" in at_field(visitor, "source")
        visitor.complaints.clear()  # 409 is the answer for a grant that nobody made
        page.fill("dialog [name=source]", "streak-9")
        page.dblclick("dialog button[type=submit]")
        expect(page.locator(".toast")).to_contain_text("480")
        expect(page.locator(".account-figures dd")).to_have_text(["0", "0", "480"])
        assert sent(visitor, "/v1/points/clawbacks") == 2
        visitor.content()


def test_what_was_given_by_hand_is_clawed_back_from_the_statement(
    browsing: Browsing, service: Service
) -> None:
    """L5: the grant is named by its own reason, whatever was written; once taken, no button."""
    learner = "by-hand-reader"
    body = {"learner": learner, "points": 300, "source": "T-21", "why": "course was lost"}
    service.call("PUT", f"/v1/learners/{learner}", {"status": "active", "reason": "joins"}, **OPS)
    service.call("POST", "/v1/points/adjustments", body, **OPS)
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open(f"/operations#/accounts/{learner}")
        entry = page.locator("[data-fact='ledger.PointsGranted']")
        expect(entry).to_contain_text("course was lost")
        entry.locator(".ledger-tool button").click()
        expect(page.locator("dialog [name=reason]")).to_have_value("manual")
        visitor.send(why="not theirs")
        expect(page.locator(".account-figures dd").first).to_have_text("0")
        expect(page.locator(".ledger-tool button")).to_have_count(0)
        visitor.content()


@SCREENS
def test_nothing_is_redeemed_while_an_account_is_frozen(
    browsing: Browsing, newcomer: Newcomer, screen: Screen
) -> None:
    """L5: frozen and thawed with a reason; the learner sees it."""
    learner = newcomer()
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        state = page.locator(".account .badge")
        visitor.open(f"/operations#/accounts/{learner}")
        visitor.button("learner.freeze").click()
        page.click("dialog button[type=submit]")
        assert at_field(visitor, "reason") == visitor.says("invalid.missing")
        page.fill("dialog [name=reason]", "token was shared")
        page.dblclick("dialog button[type=submit]")
        expect(state).to_have_text(visitor.says("standing.frozen"))
        with browsing.as_("learner", learner, screen) as theirs:
            theirs.open("/")
            expect(theirs.page.locator(".passbook-warn")).to_have_text(
                theirs.says("balance.frozen")
            )
            theirs.choose("python-course")
            theirs.page.click("dialog button[type=submit]")
            expect(theirs.page.locator("dialog .quote .problem-box")).to_be_visible()
        visitor.button("learner.unfreeze").click()
        visitor.send(reason="token was revoked")
        expect(state).to_have_text(visitor.says("standing.active"))
        assert sent(visitor, f"/v1/learners/{learner}") == 2
        visitor.content()


def test_nobody_gets_an_account_by_a_slip_of_the_pen(browsing: Browsing, service: Service) -> None:
    """L5: an unknown id is said to be unknown; who means it registers it with a reason."""
    with browsing.as_("administrator", "root") as visitor:
        page = visitor.page
        visitor.open("/operations#/accounts/zhou%2F7")
        expect(page.locator("main")).to_contain_text(
            visitor.says("learner.unknown", learner="zhou/7")
        )
        expect(visitor.button("learner.adjust")).to_have_count(0)
        visitor.complaints.clear()  # 404 is the answer for whom nobody knows
        visitor.button("learner.register").click()
        visitor.send(reason="joins in March")
        expect(page.locator(".account .badge")).to_have_text(visitor.says("standing.active"))
        visitor.readable()
        visitor.content()
    balance = service.call("GET", "/v1/learners/zhou%2F7/balance", **OPS)
    assert balance["available"] == 0
