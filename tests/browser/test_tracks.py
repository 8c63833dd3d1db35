"""Odd tracks, how carriers do, and when a parcel should arrive, in front of people (T4, T6)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from domain.house_rules import SHANGHAI
from tests.browser.service import OPS, Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER


def strayed(service: Service, number: str) -> str:
    """A parcel that was signed for, and then seen elsewhere."""
    parcel = service.ship(number)
    until_estimated(service, parcel)
    for text, code in (("已签收,签收人:本人", "3"), ("快件离开【杭州转运中心】", "0")):
        service.push(number, parcel, text, code)
        time.sleep(1.1)  # carriers' times have seconds
    return parcel


def until_estimated(service: Service, parcel: str) -> None:
    """Wait until its learner was told when it should arrive."""
    for _ in range(100):
        if service.call("GET", f"/v1/parcels/{parcel}", **OPS)["arrival"]:
            return
        time.sleep(0.2)
    pytest.fail("nothing was said about the arrival")


@SCREENS
def test_a_human_leaves_out_what_is_odd_about_a_track(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T6: the scans that show it, three decisions, a reason; gone from the list once decided."""
    number = service.order(newcomer(), ("notebook", 1))
    with service.partners(pace_seconds=3_600):
        parcel = strayed(service, number)
        with browsing.as_("operations", "ops", screen) as one:
            page = one.page
            one.open("/operations#/oddities")
            card = page.locator(f".oddity[data-parcel='{parcel}']")
            all_cards, more = page.locator(".oddity"), one.button("app.more")
            while not card.count() and more.count():  # other tests' are older, and come first
                before = all_cards.count()
                more.click()
                expect(all_cards).not_to_have_count(before)
            expect(card.locator("h2")).to_have_text(one.says("oddity.after_signing"))
            expect(card).to_contain_text("快件离开【杭州转运中心】")
            one.readable()
            one.fits()
            card.locator("button", has_text=one.says("oddity.voided")).click()
            one.send(reason="the wrong sack")
            expect(card).to_have_count(0)
            page.check("[name=all]")
            one.settled()
            one.content()
        found = service.call("GET", f"/v1/parcels/{parcel}", **OPS)
        assert [scan["kind"] for scan in found["scans"]] == ["signed"]


@SCREENS
def test_staff_see_whether_parcels_arrive_when_it_was_said(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T4, T9: by carrier and milestone, with the share inside the window; a map of hours."""
    with service.partners(pace_seconds=3_600):
        strayed(service, service.order(newcomer(), ("notebook", 1)))
        with browsing.as_("operations", "ops", screen) as one:
            one.open("/operations#/carriers")
            row = one.page.locator("tr[data-carrier=shunfeng][data-milestone=handed_over]")
            expect(row).to_contain_text(one.says("milestone.handed_over"))
            one.readable()
            one.fits()
            one.page.check("[name=days][value='30']")
            expect(row).to_contain_text(one.says("carrier.shunfeng"))
            card = one.page.locator(".scorecards tr[data-carrier=shunfeng]")
            expect(card).to_contain_text(one.says("carrier.shunfeng"))
            place = one.page.locator(".heat tr[data-division='330106']")
            expect(place.locator("th")).to_contain_text("杭州市西湖区")
            expect(place.locator("td:not(.none)").first).to_be_visible()
            one.page.check("[name=by][value=compound]")
            expect(one.page.locator("[aria-labelledby=heat]")).to_be_visible()
            one.content()


@SCREENS
def test_a_learner_sees_when_the_parcel_should_arrive(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T4: a window, until it came."""
    learner = newcomer()
    number = service.order(learner, ("notebook", 1))
    with service.partners(pace_seconds=3_600):
        parcel = service.ship(number)
        until_estimated(service, parcel)
        with browsing.as_("learner", learner, screen) as one:
            one.open(f"/#/orders/{number}")
            expect(one.page.locator(f"[data-parcel='{parcel}'] .arrival")).to_be_visible()
            one.readable()
            one.fits()
            service.push(number, parcel, "已签收,签收人:本人", "3")
            expect(one.page.locator(f"[data-parcel='{parcel}'] .arrival")).to_have_count(0)
            one.content()


@SCREENS
def test_what_was_put_off_says_until_when(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T8: its learner and support read the agreed time; what is put off is not called late."""
    learner = newcomer()
    number = service.order(
        learner, ("notebook", 1), placed_at=datetime.now(UTC) - timedelta(days=30)
    )
    with service.partners(pace_seconds=3_600):
        parcel = service.ship(number)
        until_estimated(service, parcel)
        day = datetime.now(SHANGHAI) + timedelta(days=3)
        text = f"已与客户预约{day.month}月{day.day}日14:00-16:00派送"
        with browsing.as_("learner", learner, screen) as one:
            one.open(f"/#/orders/{number}")
            expect(one.page.locator(".order-head .promise.warn")).to_be_visible()
            service.push(number, parcel, text, "0")
            line = one.page.locator(f"[data-parcel='{parcel}'] .appointment")
            expect(line).to_contain_text("14:00–16:00")
            expect(one.page.locator(f"[data-parcel='{parcel}'] .arrival")).to_have_count(0)
            expect(one.page.locator(".order-head .promise.warn")).to_have_count(0)
            one.readable()
            one.fits()
            one.content()
        with browsing.as_("support", "sue", screen) as one:
            one.open(f"/support#/orders/{number}")
            expect(one.page.locator(".traced-parcel .appointment")).to_contain_text("14:00–16:00")
            coming = one.page.locator("[data-work=deliver_as_agreed]")
            expect(coming).to_contain_text(one.says("work.deliver_as_agreed"))
            one.readable()
            one.fits()
            one.content()


@SCREENS
def test_a_learner_reads_no_promise_that_was_broken(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O6, T5, O8: late, turned back, called back and arrived are each said as they are."""
    learner = newcomer()
    late = service.order(learner, ("notebook", 1), placed_at=datetime.now(UTC) - timedelta(days=30))
    back, called = (service.order(learner, ("notebook", 1)) for _ in range(2))
    with (
        service.partners(pace_seconds=3_600),
        browsing.as_("learner", learner, screen) as visitor,
    ):
        page = visitor.page

        def told(number: str, key: str) -> None:
            visitor.open(f"/#/orders/{number}")
            expect(page.locator(".order-head .promise.warn")).to_contain_text(visitor.says(key))

        visitor.open(f"/#/orders/{back}")
        expect(page.locator(".order-head .promise")).not_to_have_class("promise warn")
        visitor.open(f"/#/orders/{late}")
        expect(page.locator(".order-head .promise")).to_have_class("promise warn")
        visitor.fits()
        parcel = service.ship(back)
        service.push(back, parcel, "快件正在退回途中", "6")
        told(back, "order.not_coming_returning")
        time.sleep(1.1)  # carriers' times have seconds
        service.push(back, parcel, "已退回寄件人", "14")
        told(back, "order.not_coming_returned")
        visitor.readable()
        stopped = service.ship(called)
        wish = {"orders": [called], "reason": "changed_mind"}
        who = {"role": "learner", "subject": learner}
        service.call("POST", f"/v1/parcels/{stopped}/interception", wish, **who)
        service.push(called, stopped, "快件正在退回途中", "6")
        told(called, "order.called_back_returning")
