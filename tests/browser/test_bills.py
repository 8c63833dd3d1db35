"""Bills and costs, in front of people: a file looked at, imported, its differences decided (W6)."""

import psycopg
from playwright.sync_api import FilePayload, expect

from api.serving import database
from application.settings import Settings
from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Screen, Visitor

pytestmark = IN_A_BROWSER


def filled_in(visitor: Visitor, number: str, rows: bytes) -> None:
    """The form that imports a bill, with a carrier's file."""
    page = visitor.page
    page.click(".bill-import > summary")
    page.fill(".bill-import [name=from]", "zhongtong")
    page.fill(".bill-import [name=number]", number)
    file: FilePayload = {"name": "zto.csv", "mimeType": "text/csv", "buffer": rows}
    page.set_input_files(".bill-import [name=file]", file)


@SCREENS
def test_a_bill_is_imported_after_a_look_and_its_differences_are_decided(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """W6: refused rows are told, the house compares by itself, staff contest with a reason."""
    number = f"2026-{screen.language}"
    rows = f"运单号,运费,重量\nZT1{screen.language},5.20,1\nZT2{screen.language},x,1\n".encode()
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/bills")
        filled_in(visitor, number, rows)
        page.click(".bill-import button[value=look]")
        report = page.locator(".bill-import [role=status]")
        expect(report).to_contain_text(visitor.says("bills.only_looked"))
        expect(report).to_contain_text(visitor.says("bill_refused.unusable"))
        visitor.readable()
        visitor.fits()
        page.click(".bill-import button[value=take]")
        card = page.locator(f"[data-bill='carrier:zhongtong:{number}']")
        expect(card).to_be_visible()
        card.locator("h2 a").click()
        expect(page.locator("#versions")).to_be_visible()
        ticks = page.locator(".differences tbody input")
        for _ in range(10):
            visitor.settled()
            if ticks.count():
                break
            page.wait_for_timeout(1_500)  # the house compares within seconds
            page.reload()
        ticks.first.check()
        visitor.button("bills.do_contested", ".decide-row").click()
        visitor.send(reason="no parcel of ours")
        expect(page.locator(".badge.s-contested").first).to_be_visible()
        visitor.readable()
        visitor.content()


@SCREENS
def test_the_running_week_is_shown_so_far_and_costs_by_what_is_chosen(
    browsing: Browsing, screen: Screen
) -> None:
    """W6, T9: before a week is over there is none to look back at, but one to look at."""
    with browsing.as_("operations", "ops", screen) as visitor:
        visitor.open("/operations#/weekly")
        expect(visitor.page.locator("[data-figure=orders] .tile-figure")).to_be_visible()
        expect(visitor.page.locator(".page-head select option").first).to_contain_text(
            visitor.says("weekly.so_far")
        )
        visitor.readable()
        visitor.content()
        visitor.go("costs")
        visitor.page.check("[name=by][value=order]")
        visitor.settled()
        expect(visitor.page.locator("h1")).to_have_text(visitor.says("tab.costs"))
        visitor.readable()
        visitor.content()


@SCREENS
def test_a_bill_that_cannot_be_compared_is_among_what_waits(
    browsing: Browsing, service: Service, screen: Screen
) -> None:
    """W6, M5: with its number, how often it was tried, and what to do; it leads to the bill."""
    number = f"stuck-{screen.language}"
    settings = Settings(data=service.data, keys=service.data / "keys")
    with database(settings) as found, psycopg.connect(found.owner_url) as connection:
        connection.execute(
            """INSERT INTO mall.uncompared_bills
            VALUES (%s, 1, clock_timestamp(), 3, 'OverflowError', 'infinity')""",
            (f"carrier:zhongtong:{number}",),
        )  # no bill is known to fail: as it is noted of one, and before it is compared
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/bills")
        filled_in(visitor, number, b"waybill,fee\nZT1,5.20\n")
        page.click(".bill-import button[value=take]")
        expect(page.locator(f"[data-bill='carrier:zhongtong:{number}']")).to_be_visible()
        visitor.open("/operations#/waiting")
        told = page.locator("tr[data-kind=uncompared_bill]", has_text=number)
        expect(told).to_contain_text(visitor.says("trouble_kind.uncompared_bill"))
        expect(told).to_contain_text(visitor.says("trouble.uncompared_failed"))
        visitor.readable()
        visitor.fits()
        told.locator("a").click()
        expect(page.locator("#versions")).to_be_visible()
