"""The support desk in a browser: found, seen, settled, on one screen (D1, D6, A4, A8, A10)."""

import time

from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER
SUPPORT = {"role": "support", "subject": "wang"}


def delivered(service: Service, learner: str) -> tuple[str, str]:
    """An order whose parcel was signed for by somebody, as its carrier says."""
    number = service.order(learner, ("notebook", 2))
    parcel = service.ship(number)
    service.push(number, parcel, "【上海市】已签收,签收人:王大海", "3")
    found = service.call("GET", f"/v1/orders/{number}", **OPS)
    waybill: str = found["parcels"][0]["waybill"]
    return number, waybill


def searched(visitor: Visitor, wanted: str) -> None:
    """Type what a caller knows and press Enter."""
    visitor.page.fill("form[role=search] input", wanted)
    visitor.page.press("form[role=search] input", "Enter")
    visitor.page.wait_for_selector(".traced .timeline li")


def stays(visitor: Visitor) -> None:
    """Nothing led away from the desk: no other page was loaded, none was asked for."""
    pages = {one for one in visitor.addresses if "/v1/" not in one and "/static/" not in one}
    assert {one.removeprefix(visitor.url).partition("?")[0] for one in pages} <= {
        "/support", "/favicon.ico",
    }  # fmt: skip


@SCREENS
def test_a_lost_delivery_is_settled_with_points_in_under_a_minute(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1, D6: from the waybill to the points, seven clicks, without leaving `/support`."""
    learner = newcomer()
    number, waybill = delivered(service, learner)
    before = service.call("GET", f"/v1/learners/{learner}/balance", **OPS)["available"]
    with browsing.as_("support", "wang", screen) as visitor:
        page = visitor.page
        visitor.open("/support")
        began, clicks = time.monotonic(), 0
        searched(visitor, waybill)
        page.click("[data-dispute=not_received]")
        visitor.send()
        panel = page.locator(".case.live")
        expect(panel).to_contain_text(visitor.says("signer.another"))
        page.click("[data-outcome=refund] button")
        page.fill("dialog [name=unconfirmed_because]", "checked by phone")
        expect(page.locator("dialog .effects")).to_contain_text("520")
        visitor.send(reason=visitor.says("case.because_b"))
        clicks += 4
        expect(page.locator(".case[data-state=decided]")).to_contain_text("520")
        assert time.monotonic() - began < 60
        assert clicks <= 7
        expect(page.locator(".traced-head")).to_contain_text(visitor.says("status.closed"))
        expect(page.locator(".timeline")).to_contain_text(visitor.says("told.message"))
        stays(visitor)
        visitor.content()
        visitor.readable()
    after = service.call("GET", f"/v1/learners/{learner}/balance", **OPS)["available"]
    assert after == before + 520
    case = service.call("GET", f"/v1/disputes/D-{number}-P1", **SUPPORT)
    assert (case["state"], case["outcome"]) == ("decided", "refund")


def test_an_entry_leads_to_what_it_came_of(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D1, A1: a click scrolls to the cause and marks it, also where a filter had hidden it."""
    number, _ = delivered(service, newcomer())
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        page.check("[value=order]", force=True)
        received = page.locator("[data-fact='orders.PartReceived']")
        cause = received.locator("button.cause").get_attribute("data-cause")
        assert page.locator(f"#t-{cause}").count() == 0
        received.locator("button.cause").click()
        expect(page.locator(f"#t-{cause}")).to_have_attribute("data-kind", "scan")
        expect(page.locator(".timeline .marked")).to_have_attribute("id", f"t-{cause}")
        expect(page.locator(f"#t-{cause}")).to_be_focused()
        expect(page.locator(f"#t-{cause}")).to_be_in_viewport()
        visitor.content()
        visitor.readable()


def test_a_recipient_is_masked_until_a_reason_is_given(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """A4: masked on the screen; in full in a dialog after a reason, which is on the timeline."""
    number, _ = delivered(service, newcomer())
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        expect(page.locator(".address .recipient-words")).to_contain_text("林**")
        assert "13800138000" not in page.content()
        page.click("[data-reveal=recipient]")
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog [name=reason]")).to_be_focused()
        visitor.send(reason="to call back")
        expect(page.locator("dialog .revealed")).to_contain_text("林小满")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        assert "林小满" not in page.content()
        expect(page.locator(".timeline [data-kind=privacy]")).to_contain_text("to call back")
        stays(visitor)
        visitor.content()


def test_much_waits_for_a_second_person_who_decides_at_the_desk(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """A8: over the limit it is asked for; the screen says who decides; they do it right there."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    body = {"reason": "late"}
    service.call("POST", f"/v1/orders/{number}/disputes", body, **SUPPORT)
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        page.click("[data-outcome=compensation] button")
        page.fill("dialog [name=points]", "6000")
        page.fill("dialog [name=unconfirmed_because]", "checked by phone")
        expect(page.locator("dialog .effects")).to_contain_text(visitor.says("effect.second"))
        visitor.send(reason="a bad week")
        waiting = page.locator(".proposed")
        expect(waiting).to_contain_text(visitor.says("case.second_not_you"))
        expect(waiting.locator("button")).to_have_count(0)
        visitor.content()
    with browsing.as_("administrator", "boss") as visitor:
        visitor.open(f"/support#/orders/{number}")
        visitor.button("approval.allow", within=".proposed").click()
        visitor.send(reason="agreed")
        expect(visitor.page.locator(".case[data-state=decided]")).to_contain_text("6,000")
        visitor.content()


def test_news_arrive_while_a_note_is_written(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """T3, D1: a scan shows up by itself, what is typed stays; the note is sealed and listed."""
    number = service.order(newcomer(), ("notebook", 1))
    parcel = service.ship(number)
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        page.fill(".note-form textarea", "called 13800138000")
        service.push(number, parcel, "快件到达 【杭州转运中心】", "0")
        expect(page.locator(".timeline")).to_contain_text("杭州转运中心")
        expect(page.locator(".traced-parcel")).to_contain_text("杭州转运中心")
        expect(page.locator(".note-form textarea")).to_have_value("called 13800138000")
        page.click(".note-form button[type=submit]")
        note = page.locator(".timeline [data-kind=note]")
        expect(note).to_contain_text("called")
        expect(note).not_to_contain_text("13800138000")
        expect(page.locator(".note-form textarea")).to_have_value("")
        expect(note.locator("button:has-text('…')")).to_have_count(0)  # operations reveal nothing
        visitor.content()


def test_orders_of_a_learner_are_chosen_from_and_cases_listed(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D1: several results are a list; the cases' list leads to the order; nothing is said so."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    service.order(learner, ("enamel-mug", 1))
    service.call("POST", f"/v1/orders/{number}/disputes", {"reason": "damaged"}, **SUPPORT)
    with browsing.as_("auditor", "audit") as visitor:
        page = visitor.page
        visitor.open("/support")
        page.fill("form[role=search] input", learner)
        page.press("form[role=search] input", "Enter")
        expect(page.locator(".found-list li")).to_have_count(2)
        visitor.readable()
        page.fill("form[role=search] input", "nobody-like-this")
        page.press("form[role=search] input", "Enter")
        expect(page.locator(".found")).to_contain_text("nobody-like-this")
        visitor.open("/support#/cases")
        page.click(f"[data-case='D-{number}-P1'] a")
        page.wait_for_selector(".case.live")
        assert page.locator(".case button:not(.cause)").count() == 0  # an auditor only looks
        assert page.locator(".note-form").count() == 0
        visitor.content()
        visitor.readable()
