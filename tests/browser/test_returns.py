"""Goods that come back: asked for by their learner, inspected at the desk (D3)."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, Service
from tests.browser.visiting import (
    AT_A_DESK,
    IN_A_BROWSER,
    IN_CHINESE,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


def received(service: Service, learner: str) -> str:
    """Two notebooks that were signed for; their order."""
    number = service.order(learner, ("notebook", 2))
    parcel = service.ship(number)
    service.push(number, parcel, "【杭州市】已签收,签收人:本人", "3")
    _until(service, number, lambda order: order["actions"]["return"]["possible"])
    return number


def _until(service: Service, number: str, there: Callable[[Any], object]) -> None:
    """Wait until the views tell of it."""
    for _ in range(150):
        if there(service.call("GET", f"/v1/orders/{number}", **OPS)):
            return
        time.sleep(0.1)
    pytest.fail(f"the views do not tell of it: {number}")


@SCREENS
def test_a_learner_gives_goods_back(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D3, D6, rules.md 28: what for, why, where to, under which number; by keyboard."""
    learner = newcomer()
    number = received(service, learner)
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        button = visitor.button("returns.open", ".options")
        expect(button).to_be_visible(timeout=15_000)
        visitor.readable()
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog")).to_contain_text(visitor.says("returns.reason_hint"))
        visitor.fits()
        page.select_option("dialog [name=reason]", "changed_mind")
        page.fill("dialog [name=words]", "颜色不喜欢")
        page.dblclick("dialog button[type=submit]")
        one = page.locator(".return")
        expect(one).to_have_attribute("data-state", "awaiting_goods")
        expect(one).to_contain_text(f"{number}-B1")
        expect(one).to_contain_text("100")
        expect(
            page.locator(f".return a:has-text('{visitor.says('returns.print')}')")
        ).to_have_attribute("href", f"/v1/returns/{number}-B1/label.pdf")
        visitor.readable()
        visitor.fits()
        visitor.button("returns.sent", ".return").click()
        waybill = f"SF77{screen.size['width']:08}"  # each screen's own: a number is on one parcel
        page.fill("dialog [name=waybill]", waybill)
        page.dblclick("dialog button[type=submit]")
        expect(one).to_have_attribute("data-state", "under_way")
        expect(one).to_contain_text(waybill)
        assert sum(one.endswith("/returns") for one in visitor.addresses) == 1
        visitor.content()
    path = f"/v1/returns/{number}-B1"
    service.call("POST", f"{path}/arrival", **OPS)
    goods = [{"sku": "notebook", "quantity": 2, "verdict": "restock"}]
    service.call("POST", f"{path}/inspection", {"goods": goods, "reason": "as new"}, **OPS)
    with browsing.as_("learner", learner, screen) as visitor:
        visitor.open(f"/#/orders/{number}")
        one = visitor.page.locator(".return")
        expect(one).to_have_attribute("data-state", "settled")
        expect(
            visitor.page.locator(f".return a:has-text('{visitor.says('returns.print')}')")
        ).to_have_count(0)
        expect(one).to_contain_text("420")
        for fact in ("ReturnOpened", "GoodsSent", "GoodsArrived", "GoodsInspected"):
            told = visitor.says(f"mine.returns.{fact}")
            expect(visitor.page.locator("#timeline")).to_contain_text(told)
        visitor.readable()
        visitor.content()


@pytest.mark.parametrize("screen", [AT_A_DESK, IN_CHINESE], ids=["en", "zh"])
def test_what_was_typed_stays_when_the_same_was_done_elsewhere_meanwhile(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D3, D6: a return that is open by now, and one that was inspected by now."""
    learner = newcomer()
    number = received(service, learner)
    who = {"role": "learner", "subject": learner}
    path = f"/v1/returns/{number}-B1"
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        visitor.button("returns.open", ".options").click(timeout=15_000)
        page.fill("dialog .stepper input", "0")
        page.click("dialog button[type=submit]")
        said = page.locator("dialog .problem")
        expect(said).to_contain_text(visitor.says("returns.nothing"))
        page.fill("dialog .stepper input", "2")
        page.fill("dialog [name=words]", "颜色不喜欢")
        body = {"remedy": "refund", "reason": "changed_mind"}
        service.call("POST", f"/v1/orders/{number}/returns", body, **who)
        page.click("dialog button[type=submit]")
        expect(said).to_contain_text(f"{number}-B1")
        if visitor.language == "zh":
            expect(said).to_contain_text("无法退换货")
        expect(page.locator("dialog [name=words]")).to_have_value("颜色不喜欢")
    said_at = service.call("POST", f"{path}/arrival", **OPS)
    service.call("GET", f"/v1/returns?min_position={said_at['position']}", **OPS)
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/inspections")
        visitor.button("inspections.inspect", f"[data-return='{number}-B1']").click()
        page.fill("dialog [name=reason]", "as new")
        goods = [{"sku": "notebook", "quantity": 2, "verdict": "restock"}]
        service.call("POST", f"{path}/inspection", {"goods": goods, "reason": "new"}, **OPS)
        page.click("dialog button[type=submit]")
        expect(page.locator("dialog .problem")).to_be_visible()
        expect(page.locator("dialog [name=reason]")).to_have_value("as new")
        visitor.fits()


@pytest.mark.parametrize("screen", [AT_A_DESK, IN_CHINESE], ids=["en", "zh"])
def test_the_desk_inspects_what_came_back(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D3: each unit its verdict, against the criteria; what is settled leaves the queue."""
    learner = newcomer()
    number = received(service, learner)
    body = {"remedy": "refund", "reason": "not_as_described", "words": "说好是 A5"}
    service.call("POST", f"/v1/orders/{number}/returns", body, role="learner", subject=learner)
    said = service.call("POST", f"/v1/returns/{number}-B1/arrival", **OPS)
    service.call("GET", f"/v1/returns?min_position={said['position']}", **OPS)
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/inspections")
        card = page.locator(f"[data-return='{number}-B1']")
        expect(card).to_contain_text("说好是 A5")
        visitor.readable()
        visitor.fits()
        visitor.button("inspections.inspect", f"[data-return='{number}-B1']").click()
        page.select_option("dialog [name=verdict-1]", "refuse")
        page.check("dialog [name=failed-0][value=undamaged]")
        page.fill("dialog [name=reason]", "one of them is torn")
        page.click("dialog button[type=submit]")
        for place, key in ((0, "restock_meets"), (1, "refuse_fails")):
            told = page.locator(f"dialog [data-field=verdict-{place}] .field-error")
            expect(told).to_have_text(visitor.says(f"inspections.{key}"))
        expect(page.locator("dialog [name=reason]")).to_have_value("one of them is torn")
        page.uncheck("dialog [name=failed-0][value=undamaged]")
        page.check("dialog [name=failed-1][value=undamaged]")
        visitor.fits()
        page.dblclick("dialog button[type=submit]")
        expect(card).to_have_count(0)
        page.locator("input[value=settled]").check(force=True)
        expect(card).to_contain_text(visitor.says("verdict.refuse"))
        visitor.readable()
        visitor.content()


@pytest.mark.parametrize("screen", [AT_A_DESK, IN_CHINESE], ids=["en", "zh"])
def test_support_decides_a_return_beside_its_order(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D3, D6: asked for to keep the goods; agreed to without leaving the order, once."""
    learner = newcomer()
    number = received(service, learner)
    body = {"remedy": "refund_only", "reason": "damaged", "words": "封面有折痕"}
    service.call("POST", f"/v1/orders/{number}/returns", body, role="learner", subject=learner)
    with browsing.as_("support", "wang", screen) as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        card = page.locator(f"[data-return='{number}-B1']")
        expect(card).to_have_attribute("data-state", "requested")
        expect(card).to_contain_text("封面有折痕")
        visitor.readable()
        visitor.fits()
        visitor.button("inspections.agree", f"[data-return='{number}-B1']").click()
        page.fill("dialog [name=reason]", "a crease in the cover")
        page.dblclick("dialog button[type=submit]")
        expect(card).to_have_attribute("data-state", "settled")
        expect(page.locator("[data-fact='returns.ReturnSettled']")).to_be_visible()
        expect(visitor.button("inspections.agree", f"[data-return='{number}-B1']")).to_have_count(0)
        assert sum(one.endswith("/decision") for one in visitor.addresses) == 1
        visitor.readable()
        visitor.content()
