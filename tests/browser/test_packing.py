"""The packing desk in a real browser: packed, labelled, handed over (W1, W4)."""

import re

from playwright.sync_api import expect

from api.sandbox.labels import PREFIXES
from tests.browser.service import Service
from tests.browser.visiting import (
    IN_A_BROWSER,
    SCREENS,
    Browsing,
    Newcomer,
    Screen,
)

pytestmark = IN_A_BROWSER


@SCREENS
def test_an_order_is_shipped_when_the_packing_desk_works(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """W1: pack, waybill, hand over; the desk shows what pushes bring."""
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
        visitor.fits()
        service.push(number, f"{number}-P1", "快件正在派送中", "5")
        expect(page.locator(".part .badge").nth(1)).to_have_text(
            visitor.says("parcel.out_for_delivery")
        )
        visitor.content()


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


def test_a_label_by_hand_is_printed_with_its_recipient_for_a_reason(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """W5, A4: offered where the carrier knows no address; the paper is kept from the dialog."""
    number = service.order(newcomer(), ("walnut-bookend", 1))
    desk = {"role": "operations", "subject": "ops"}
    body = {"order": number, "part": 1, "weight_grams": 950}
    parcel = service.call("POST", "/v1/parcels", body, **desk)["parcel"]
    waybill = {"carrier": "shunfeng", "waybill": f"SF{number}", "reason": "taken to their shop"}
    service.call("POST", f"/v1/parcels/{parcel}/waybill", waybill, **desk)
    with browsing.as_("operations", "ops") as visitor:
        page = visitor.page
        visitor.open("/operations#/picking")
        page.click(f".chip:has-text('{visitor.says('stage.packed')}')")
        visitor.button("label.print_whole", within=f"[data-parcel='{parcel}']").click()
        visitor.send(reason="their shop writes no address")
        with page.expect_download() as download:
            page.click("dialog a[download]")
        assert download.value.path().read_bytes().startswith(b"%PDF-")
        assert download.value.suggested_filename == f"{parcel}.pdf"
        visitor.content()
