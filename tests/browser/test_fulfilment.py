"""From the review queue to the carrier's van, as a warehouse sees it (O7, S4, S5, W1)."""

import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import OPS, Service, recipient
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER

SERIAL = itertools.count(1)


def kite(service: Service, *, warehouse: str) -> str:
    """An item of the test's own, in one warehouse; its SKU."""
    sku = f"kite-{next(SERIAL)}"
    item = {
        "sku": sku, "name": "风筝 Kite", "kind": "parcel", "points": 300,
        "market_value_fen": 7_900, "weight_grams": 150, "on_sale": True,
    }  # fmt: skip
    service.call("POST", "/v1/items", item, **OPS)
    receipt = {"sku": sku, "warehouse": warehouse, "quantity": 50}
    said = service.call("POST", "/v1/stock/receipts", receipt, **OPS)
    service.call("GET", f"/v1/items/{sku}?min_position={said['position']}", **OPS)
    return sku


def order(service: Service, learner: str, sku: str, to: dict[str, str], count: int = 1) -> str:
    """An order that the views know of; its number."""
    body = {"learner": learner, "lines": [{"sku": sku, "quantity": count}], "recipient": to}
    said = service.call("POST", "/v1/orders", body, role="learner", subject=learner)
    number = str(said["number"])
    service.call("GET", f"/v1/orders/{number}?min_position={said['position']}", **OPS)
    return number


def parcels_of(service: Service, *orders: str) -> list[Any]:
    """The parcels in the house that these orders are in."""
    found = service.call("GET", "/v1/parcels?limit=100", **OPS)["parcels"]
    return [one for one in found if {*one["orders"]} & {*orders}]


def parcels_once(service: Service, *orders: str, count: int) -> list[Any]:
    """The parcels that these orders are in, once the views know of so many."""
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        if len(found := parcels_of(service, *orders)) == count:
            return found
        time.sleep(0.2)
    pytest.fail(f"not in {count} parcels")


def labelled_by_itself(service: Service, parcel: str) -> str:
    """The waybill that the house orders of the sandbox, once it is there (W5)."""
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        found = service.call("GET", f"/v1/parcels/{parcel}", **OPS)["waybill"]
        if found is not None:
            return str(found)
        time.sleep(0.2)
    pytest.fail("no label came")


@SCREENS
def test_a_human_lets_an_order_go_or_stops_it(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O7: with its reasons and doubts, masked; rejected it is paid back, corrected it goes on."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    doubtful = {**recipient(), "name": "测试"}
    kept, stopped = (order(service, learner, sku, doubtful) for _ in range(2))
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/reviews")
        card = page.locator(f"[data-order={kept}]")
        expect(card).to_contain_text(visitor.says("review.address_doubtful"))
        expect(card.locator(".doubts li")).to_have_count(1)
        expect(card).to_contain_text("测*")
        expect(card).not_to_contain_text(doubtful["phone"])
        visitor.content()
        visitor.readable()
        card.locator(f"button:has-text('{visitor.says('reviews.correct')}')").click()
        moved = recipient()
        visitor.send(name="林小满", phone=moved["phone"], address=moved["address"])
        expect(card).to_contain_text("林**")
        card.locator(f"button:has-text('{visitor.says('reviews.approve')}')").click()
        expect(page.locator("dialog [name=reason]")).to_be_focused()
        visitor.send(reason="called the learner")
        expect(card).to_have_count(0)
        other = page.locator(f"[data-order={stopped}]")
        other.locator(f"button:has-text('{visitor.says('reviews.reject')}')").click()
        page.dblclick("dialog button[type=submit]")
        expect(page.locator("[data-field=reason] .field-error")).to_be_visible()
        visitor.send(reason="resold")
        expect(other).to_have_count(0)
        visitor.content()
    states = [
        service.call("GET", f"/v1/orders/{number}", **OPS)["state"] for number in (kept, stopped)
    ]
    assert states == ["pending_shipment", "cancelled"]


@SCREENS
def test_orders_that_a_wave_by_hand_left_are_named_with_the_reason(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """S5: somebody was faster with one, its learner cancelled another: the rest goes, and both are
    told of until they were read; CONTROL: where all go, nothing is asked to be read."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    goes, before, gone = (order(service, learner, sku, recipient()) for _ in range(3))
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/waves")
        henan = page.locator(".wave[data-warehouse=henan]")
        henan.locator("summary").click()
        for number in (goes, before, gone):
            henan.locator(f"[data-order={number}] input").check()
        wave = {"warehouse": "henan", "orders": [before]}
        assert service.call("POST", "/v1/waves", wave, **OPS)["left"] == []
        reason = {"reason": "changed_mind"}
        who = {"role": "learner", "subject": learner}
        service.call("POST", f"/v1/orders/{gone}/cancellation", reason, **who)
        henan.locator(f"button:has-text('{visitor.says('waves.release_some')}')").click()
        page.click("dialog button[type=submit]")
        left = page.locator("dialog .left-out li")
        expect(left).to_have_count(2)
        for number, why in ((before, "released_before"), (gone, "over")):
            expect(page.locator(f"dialog li[data-order={number}]")).to_contain_text(
                visitor.says(f"waves.left_{why}")
            )
        visitor.readable()
        visitor.fits()
        page.click("dialog footer button")
        expect(page.locator("dialog")).to_have_count(0)
        parcels_once(service, goes, count=1)

        another = order(service, newcomer(), sku, recipient())  # a fourth one is looked at
        page.reload()
        henan.locator("summary").click()
        henan.locator(f"[data-order={another}] input").check()
        henan.locator(f"button:has-text('{visitor.says('waves.release_some')}')").click()
        visitor.send()
        expect(page.locator("dialog")).to_have_count(0)


@SCREENS
def test_a_warehouse_works_from_the_wave_to_the_van(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """S4, S5, W1, W5: released, merged, labelled by itself, printed, picked, packed, gone."""
    learner, sku = newcomer(), kite(service, warehouse="shaanxi")
    home, away = recipient(), recipient()
    pair = [order(service, learner, sku, home, count) for count in (1, 2)]
    other = order(service, learner, sku, away)
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/waves")
        shaanxi = page.locator(".wave[data-warehouse=shaanxi]")
        shaanxi.locator("summary").click()
        for number in pair:
            shaanxi.locator(f"[data-order={number}] input").check()
        shaanxi.locator(f"button:has-text('{visitor.says('waves.release_some')}')").click()
        visitor.send()
        shared = page.locator(".part", has_text=pair[0])
        expect(shared.locator("tbody tr")).to_have_count(2)
        visitor.content()
        visitor.readable()
        expect(shaanxi.locator("summary")).to_be_visible()  # the third one still waits
        (parcel,) = parcels_once(service, *pair, count=1)
        assert parcel["number"].endswith("-M")
        assert parcels_of(service, other) == []
        labelled_by_itself(service, parcel["number"])
        page.locator(f".waves-table tr[data-wave={parcel['wave']}] button").click()
        link = page.locator("dialog a")
        expect(link).to_have_attribute("href", f"/v1/waves/{parcel['wave']}/labels.pdf?part=1")
        printed = page.request.get(service.url + str(link.get_attribute("href")))
        assert printed.body().startswith(b"%PDF-")
        page.keyboard.press("Escape")
        visitor.open("/operations#/picking")
        page.click(f"button:has-text('{visitor.says('picking.draw')}')")
        page.select_option("dialog [name=warehouse]", "shaanxi")
        visitor.send(limit="200")
        card = page.locator(f"[data-parcel={parcel['number']}]")
        expect(page.locator(f"[data-sku={sku}]")).to_contain_text("3")
        visitor.content()
        visitor.readable()
        card.locator("[data-step=picked_all] button").click()
        weight = card.locator("[name=weight_grams]")
        card.locator("[data-step=pack] button").click()
        expect(card.locator(".field-error").first).to_be_visible()
        weight.fill("520")
        card.locator("[data-step=pack] button").click()
        expect(card).to_contain_text(labelled_by_itself(service, parcel["number"]))
        expect(card.locator("a", has_text=visitor.says("label.print"))).to_have_attribute(
            "href", f"/v1/parcels/{parcel['number']}/label.pdf"
        )
        card.locator("[data-step=hand_over] button").click()
        expect(page.locator(".empty")).to_contain_text(visitor.says("picking.all_gone"))
        visitor.fits()  # 404 is the answer for a list that nothing is left of
    for number in pair:
        found = service.call("GET", f"/v1/orders/{number}", **OPS)
        assert found["state"] == "pending_receipt"
        assert found["parcels"][0]["number"] == parcel["number"]


@SCREENS
def test_what_was_cancelled_after_packing_is_taken_out_on_the_page(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """W1, rule 5: whoever packs sees it first, weighs the parcel anew, and it may leave."""
    learner, sku = newcomer(), kite(service, warehouse="shaanxi")
    number = order(service, learner, sku, recipient(), 2)
    ran = service.call("POST", "/v1/waves", {"warehouse": "shaanxi", "orders": [number]}, **OPS)
    (parcel,) = ran["parcels"]
    service.call("POST", f"/v1/parcels/{parcel}/picking", {}, **OPS)
    service.call("POST", f"/v1/parcels/{parcel}/packing", {"weight_grams": 400}, **OPS)
    less = {"reason": "one is enough", "lines": [{"sku": sku, "quantity": 1}]}
    said = service.call("POST", f"/v1/orders/{number}/cancellation", less, **OPS)
    service.call("GET", f"/v1/put-backs?min_position={said['position']}", **OPS)
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/packing")
        items = page.locator("tr", has_text=number).locator(".contents-words")
        expect(items).not_to_have_text("")
        expect(items).not_to_contain_text("×")  # one of the two is left
        visitor.open("/operations#/picking")
        card = page.locator(f"[data-putback={parcel}]")
        expect(card).to_contain_text(visitor.says("putback.reopen"))
        expect(card.locator("tbody tr")).to_have_count(1)
        visitor.content()
        visitor.readable()
        card.locator("[data-step=put_back] button").click()
        expect(card.locator(".field-error").first).to_be_visible()
        card.locator("[name=weight_grams]").fill("250")
        card.locator("[data-step=put_back] button").click()
        expect(card).to_have_count(0)
        visitor.fits()
        rest = {"reason": "none at all", "lines": [{"sku": sku, "quantity": 1}]}
        said = service.call("POST", f"/v1/orders/{number}/cancellation", rest, **OPS)
        service.call("GET", f"/v1/put-backs?min_position={said['position']}", **OPS)
        page.click(f"button:has-text('{visitor.says('app.refresh')}')")
        card.locator(f"button:has-text('{visitor.says('putback.left')}')").click()
        waybill = page.locator("dialog [name=waybill]")
        if waybill.count():  # its label was given back when it was given up
            waybill.fill(f"YT{parcel[1:14]}")
            page.select_option("dialog [name=carrier]", "yuantong")
        visitor.send()
        expect(card).to_have_count(0)
    found = service.call("GET", "/v1/intercepts?all=true&limit=100", **OPS)["intercepts"]
    assert parcel in [one["parcel"] for one in found]


def test_a_merge_is_undone_on_the_page(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """S4: until picking, with a reason; each order has a parcel of its own afterwards."""
    learner, sku, home = newcomer(), kite(service, warehouse="zhejiang"), recipient()
    pair = [order(service, learner, sku, home) for _ in range(2)]
    ran = service.call("POST", "/v1/waves", {"warehouse": "zhejiang", "orders": pair}, **OPS)
    (parcel,) = ran["parcels"]
    service.call("GET", f"/v1/parcels/{parcel}?min_position={ran['position']}", **OPS)
    with browsing.as_("operations", "ops") as visitor:
        visitor.open("/operations#/waves")
        shared = visitor.page.locator(f"[data-parcel={parcel}]")
        shared.locator("button").click()
        visitor.send(reason="two trips")
        expect(shared).to_have_count(0)
        visitor.content()
    apart = parcels_once(service, *pair, count=2)
    assert [len(one["units"]) for one in apart] == [1, 1]


def test_what_is_late_and_what_is_silent_is_on_one_page(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """W1, T5, M5: over the 24-hour clock in the house; handed over and never seen since."""
    sku = kite(service, warehouse="henan")
    ago = datetime.now(UTC) - timedelta(hours=30)
    number = service.order(newcomer(), (sku, 1), placed_at=ago)
    with service.partners(lose=True):
        parcel = service.ship(number, handed_over_at=ago)
        with browsing.as_("operations", "ops") as visitor:
            visitor.open("/operations#/delays")
            expect(visitor.page.locator("h2")).to_have_count(4)
            expect(visitor.page.locator(f"tr[data-parcel={parcel}]")).to_contain_text(
                visitor.says("silence.no_first_scan", n=24)
            )
            visitor.content()
            visitor.readable()


def test_a_claim_goes_step_by_step(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D2: listed by state; only the steps that are possible are offered, never more than asked."""
    sku = kite(service, warehouse="henan")
    parcel = service.ship(order(service, newcomer(), sku, recipient()))
    claim = {
        "parcel": parcel, "reason": "lost", "claimed_fen": 7_900, "unconfirmed_because": "by phone",
    }  # fmt: skip
    service.call("POST", "/v1/claims", claim, **OPS)
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open("/operations#/claims")
        card = page.locator(f"[data-parcel={parcel}]")
        expect(card).to_contain_text("79.00")
        visitor.content()
        visitor.readable()
        expect(card.locator("button", has_text=visitor.says("claims.step_paid"))).to_have_count(0)
        card.locator("button", has_text=visitor.says("claims.step_accepted")).click()
        visitor.send(amount="90", reason="by mail")
        expect(page.locator("[data-field=amount] .field-error")).to_be_visible()
        visitor.complaints.clear()  # more than was asked is refused
        visitor.send(amount="60.50", reason="by mail")
        expect(card).to_contain_text("60.50")
        card.locator("button", has_text=visitor.says("claims.step_paid")).click()
        visitor.send(reason="bank statement")
        expect(card).to_have_count(0)
        page.locator(".chip", has_text=visitor.says("claim_state.paid")).click()
        expect(card).to_contain_text("60.50")
        visitor.content()
    assert service.call("GET", f"/v1/claims/{parcel}", **OPS)["paid_fen"] == 6_050


@SCREENS
def test_a_learner_calls_a_parcel_back_and_the_desk_takes_it(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O8, D6: after hand-over; its way back is seen, and paid back once the goods are here."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    number = order(service, learner, sku, recipient())
    with service.partners(pace_seconds=1.5, intercepts="turn"):
        parcel = service.ship(number)
        with browsing.as_("learner", learner, screen) as visitor:
            page = visitor.page
            visitor.open(f"/#/orders/{number}")
            stop = page.locator(f"[data-stopping={parcel}]")
            visitor.content()
            visitor.readable()
            stop.locator("button").click()
            visitor.send()
            expect(stop).to_contain_text(visitor.says("intercept_way.return"))
            expect(stop.locator("button")).to_have_count(0)
            expect(page.locator(".parcel .badge").first).to_have_text(
                visitor.says("parcel.returned"), timeout=20_000
            )
            visitor.content()
        with browsing.as_("operations", "ops", screen) as visitor:
            page = visitor.page
            visitor.open("/operations#/delays")
            row = page.locator(f"[data-intercept={parcel}]")
            row.locator("button").click()
            visitor.content()
            visitor.send(**{"broken-0": "2"}, reason="a crack")
            expect(page.locator("dialog .field.bad")).to_have_count(1)  # there is one kite alone
            visitor.send(**{"broken-0": "1"}, reason="a crack")
            expect(row).to_have_count(0)
            visitor.content()
            visitor.readable()
    assert service.call("GET", f"/v1/orders/{number}", **OPS)["state"] == "closed"
    last = service.call(
        "GET", f"/v1/audit/streams/stock:henan:{sku}", role="auditor", subject="eve"
    )["events"][-1]
    assert (last["fact"], last["data"]["quantity"]) == ("stock.StockScrapped", 1)


@SCREENS
def test_goods_that_lie_here_are_taken_in_whatever_the_track_says(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O8, rules.md 3: from the packing desk; a case could send them once more first."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    number = order(service, learner, sku, recipient())
    with service.partners(pace_seconds=3_600):  # its carrier says nothing of a way back
        parcel = service.ship(number)
        service.push(number, parcel, "快件到达 【郑州转运中心】", "0")
        with browsing.as_("operations", "ops", screen) as visitor:
            page = visitor.page
            visitor.open(f"/operations#/packing/{number}")
            visitor.button("intercept.in_hand", within=".part").click()
            once_more = page.locator(f"dialog a[href='/support#/orders/{number}']")
            expect(once_more).to_have_text(visitor.says("intercept.once_more"))
            visitor.fits()
            visitor.readable()
            visitor.send(reason="found on the shelf of returns")
            expect(page.locator(".desk-head .badge").first).to_have_text(
                visitor.says("status.closed")
            )
            expect(
                page.locator(f"button:has-text('{visitor.says('intercept.in_hand')}')")
            ).to_have_count(0)
            visitor.content()
    assert service.call("GET", f"/v1/orders/{number}", **OPS)["state"] == "closed"


@SCREENS
def test_what_a_carrier_brings_back_may_be_sent_once_more_first(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O8, D1, D6: both ways are offered; after a case sent it again the goods are only shelved."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    number = order(service, learner, sku, recipient())
    with service.partners(pace_seconds=3_600):  # its carrier says nothing else
        parcel = service.ship(number)
        service.push(number, parcel, "快件已退回寄件方", "14")
        with browsing.as_("operations", "ops", screen) as visitor:
            page = visitor.page
            row = page.locator(f"[data-intercept={parcel}]")
            for _ in range(100):  # the policy that waits for its goods has its turn first
                visitor.open("/operations#/delays")
                page.reload()
                visitor.settled()
                if row.count():
                    break
            visitor.button("intercept.goods_back", within=f"[data-intercept={parcel}]").click()
            expect(page.locator("dialog")).to_contain_text(visitor.says("intercept.once_more_how"))
            visitor.fits()
            page.click("dialog a:not([download])")
            page.wait_for_selector(".traced-head")
            expect(page.locator(".traced-head h1")).to_have_text(number)
            visitor.content()
        support = {"role": "support", "subject": "wang"}
        service.call("POST", f"/v1/orders/{number}/disputes", {"reason": "lost"}, **support)
        decision = {"outcome": "reship", "reason": "it came back", "unconfirmed_because": "seen"}
        service.call("POST", f"/v1/disputes/D-{parcel}/decision", decision, **support)
        with browsing.as_("operations", "ops", screen) as visitor:
            page = visitor.page
            visitor.open("/operations#/delays")
            visitor.button("intercept.goods_back", within=f"[data-intercept={parcel}]").click()
            expect(page.locator("dialog")).to_contain_text(
                visitor.says("intercept.goods_back_paid")
            )
            expect(page.locator("dialog .notice")).to_have_count(0)
            visitor.send(reason="as new")
            expect(page.locator(f"[data-intercept={parcel}]")).to_have_count(0)
            visitor.content()


@SCREENS
def test_the_desk_asks_again_for_what_was_not_stopped_and_then_gives_it_up(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """O8: each with a reason; what is given up leaves the list, and its learner sees it."""
    learner, sku = newcomer(), kite(service, warehouse="henan")
    number = order(service, learner, sku, recipient())
    with service.partners(pace_seconds=60, intercepts="fail"):
        parcel = service.ship(number)
        path = f"/v1/parcels/{parcel}/interception"
        service.call("POST", path, {"orders": [number], "reason": "wrong goods"}, **OPS)
        not_stopped(service, f"{parcel}-X1")
        within = f"[data-intercept={parcel}]"
        with browsing.as_("operations", "ops", screen) as visitor:
            visitor.open("/operations#/delays")
            row = visitor.page.locator(within)
            visitor.button("intercept.again", within).click()
            visitor.send()
            expect(visitor.page.locator("dialog .field.bad [name=reason]")).to_have_count(1)
            visitor.readable()
            visitor.send(reason="their desk asks for it")
            not_stopped(service, f"{parcel}-X2")
            visitor.button("app.refresh").click()
            visitor.button("intercept.give_up", within).click()
            visitor.content()
            visitor.send(reason="it is at their door")
            expect(row).to_have_count(0)
            visitor.content()
    with browsing.as_("learner", learner, screen) as visitor:
        visitor.open(f"/#/orders/{number}")
        stopped = visitor.page.locator(f"[data-stopping={parcel}]")
        expect(stopped).to_contain_text(visitor.says("intercept_state.given_up"))


def not_stopped(service: Service, request: str) -> None:
    """Wait until its carrier refused or failed: it is asked by itself, a moment later."""
    path = f"/v1/audit/streams/intercept:{request.rpartition('-X')[0]}"
    over = {"intercepts.InterceptRefused", "intercepts.InterceptFailed"}
    until = time.monotonic() + 30
    while time.monotonic() < until:
        events = service.call("GET", path, role="auditor", subject="eve")["events"]
        if any(one["fact"] in over and one["data"]["intercept"] == request for one in events):
            return
        time.sleep(0.3)
    pytest.fail(f"{request} was neither refused nor failed")
