"""The support desk in a browser: found, seen, settled, on one screen (D1, D6, A4, A8, A10)."""

import base64
import time
from datetime import UTC, datetime, timedelta

import httpx2
from playwright.sync_api import expect

from tests.browser.service import OPS, Service, recipient
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen, Visitor

pytestmark = IN_A_BROWSER
SUPPORT = {"role": "support", "subject": "wang"}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""One pixel."""
COUNT_CLICKS = """() => {
  window.clicks = 0;
  addEventListener("click", (event) => { if (event.detail) window.clicks += 1; }, true);
}"""
"""Of a mouse or a finger: keys make clicks without a count."""


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
    """D1, D6: from the waybill to the points in four clicks, without leaving `/support`."""
    learner = newcomer()
    number, waybill = delivered(service, learner)
    before = service.call("GET", f"/v1/learners/{learner}/balance", **OPS)["available"]
    with browsing.as_("support", "wang", screen) as visitor:
        page = visitor.page
        visitor.open("/support")
        page.evaluate(COUNT_CLICKS)
        began = time.monotonic()
        searched(visitor, waybill)
        page.click("[data-dispute=not_received]")
        visitor.send()
        panel = page.locator(".case.live")
        expect(panel).to_contain_text(visitor.says("signer.another"))
        page.click("[data-outcome=refund] button")
        page.fill("dialog [name=unconfirmed_because]", "checked by phone")
        expect(page.locator("dialog .effects")).to_contain_text("520")
        visitor.send(reason=visitor.says("case.because_b"))
        expect(page.locator(".case[data-state=decided]")).to_contain_text("520")
        assert time.monotonic() - began < 60
        assert page.evaluate("window.clicks") == 4  # and the page is still the same one
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


@SCREENS
def test_a_long_history_begins_with_the_newest(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1: the older entries are a button away, and stay once they are shown."""
    number = service.order(newcomer(), ("notebook", 1))
    with service.partners(pace_seconds=3_600):
        parcel = service.ship(number)
        began = datetime.now(UTC) - timedelta(minutes=30)
        for n in range(12):
            when = began + timedelta(minutes=n)
            service.push(number, parcel, f"快件到达 【转运中心{n}】", "0", when=when)
        with browsing.as_("support", "wang", screen) as visitor:
            page = visitor.page
            visitor.open(f"/support#/orders/{number}")
            expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
            entries = page.locator(".timeline > li")
            oldest = page.locator(".timeline", has_text="【转运中心0】")
            expect(entries).to_have_count(15)
            expect(oldest).to_have_count(0)
            visitor.readable()
            page.click(".traced-timeline button.older")
            expect(oldest).to_be_visible()
            expect(page.locator(".traced-timeline button.older")).to_be_hidden()
            service.push(number, parcel, "快件已发车", "0")
            # An estimate that follows from it may stand above it already.
            expect(entries.filter(has_text="快件已发车")).to_be_visible()
            expect(oldest).to_be_visible()
            visitor.content()


def test_news_leave_the_eye_where_it_is(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """T3, D1, A1: a redraw keeps the marked entry at hand, and then the button somebody is at."""
    number = service.order(newcomer(), ("notebook", 1))
    parcel = service.ship(number)
    service.push(number, parcel, "快件已揽收 【杭州市】", "1")
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        button = page.locator("[data-fact='orders.PartHandedOver'] button.cause")
        button.click()
        marked = page.locator(".timeline .marked")
        expect(marked).to_be_focused()
        cause = marked.get_attribute("id")
        service.push(number, parcel, "快件到达 【杭州转运中心】", "0")
        expect(page.locator(".timeline")).to_contain_text("杭州转运中心")
        expect(marked).to_have_attribute("id", cause or "")
        expect(marked).to_be_focused()
        button.focus()
        service.push(number, parcel, "快件到达 【上海转运中心】", "0")
        expect(page.locator(".timeline")).to_contain_text("上海转运中心")
        expect(button).to_be_focused()
        visitor.content()


@SCREENS
def test_what_comes_next_leads_to_what_it_comes_of(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1, M5: what the house will do by itself stands above what happened, with its cause."""
    learner = newcomer()
    with service.partners(pace_seconds=3_600):  # its carrier says nothing else
        number = service.order(learner, ("notebook", 1))
        service.ship(number)
        with browsing.as_("support", "wang", screen) as visitor:
            page = visitor.page
            visitor.open(f"/support#/orders/{number}")
            told = page.locator("[data-work=tell_no_first_scan]")
            expect(told).to_contain_text(visitor.says("work.tell_no_first_scan"))
            expect(told).to_have_attribute("data-standing", "planned")
            page.check("[value=case]", force=True)
            expect(told).to_be_hidden()
            page.check("[value=system]", force=True)
            told.locator("button.cause").click()
            expect(page.locator(".timeline .marked")).to_have_attribute("data-kind", "parcel")
            expect(page.locator(".timeline .marked")).to_be_focused()
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
    alone = {"learner": learner, "points": 1_200, "source": "sorry", "why": "a bad week"}
    service.call("POST", "/v1/points/adjustments", alone, role="operations", subject="wang")
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
        visitor.readable()
    with browsing.as_("administrator", "boss") as visitor:
        visitor.open(f"/support#/orders/{number}")
        expect(visitor.page.locator(".proposed .alone")).to_contain_text("1,200")
        visitor.button("approval.allow", within=".proposed").click()
        visitor.send(reason="agreed")
        expect(visitor.page.locator(".case[data-state=decided]")).to_contain_text("6,000")
        visitor.content()


@SCREENS
def test_a_wrong_number_is_put_right_where_the_parcel_is_seen(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """T1, W5: by those who write numbers down; support sees the parcel without it."""
    number, wrong = delivered(service, newcomer())
    right = f"{wrong[:-2]}{wrong[-2:][::-1]}7"
    with browsing.as_("support", "wang", screen) as visitor:
        visitor.open(f"/support#/orders/{number}")
        visitor.page.wait_for_selector(".traced-parcel")
        expect(visitor.page.locator(f"text={visitor.says('desk.correct_waybill')}")).to_have_count(
            0
        )
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        page.click(f".traced-parcel button:has-text('{visitor.says('desk.correct_waybill')}')")
        page.fill("dialog [name=waybill]", right)
        visitor.send(reason="two digits were exchanged")
        expect(page.locator(".traced-parcel")).to_contain_text(right)
        expect(page.locator(".traced-parcel")).not_to_contain_text("王大海")
        visitor.content()
        visitor.readable()


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
        page.click(".traced-head a")  # what else they ordered
        expect(page.locator(".found-list li")).to_have_count(2)
        page.go_back()
        page.wait_for_selector(".case.live")
        assert page.locator(".case button:not(.cause)").count() == 0  # an auditor only looks
        assert page.locator(".note-form").count() == 0
        visitor.content()
        visitor.readable()


def test_who_calls_about_a_pick_up_hears_what_the_learner_sees(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """T8: station, code and deadline on the desk as on the learner's own page."""
    learner = newcomer()
    with service.partners(pace_seconds=3_600):  # its carrier says nothing else
        number = service.order(learner, ("notebook", 1))
        parcel = service.ship(number)
        service.push(number, parcel, "快件已到达【菜鸟驿站】,取件码 8-2-1234,请及时取件", "501")
        cards = []
        for role, who, path in (
            ("support", "wang", "/support#/orders/"), ("learner", learner, "/#/orders/"),
        ):  # fmt: skip
            with browsing.as_(role, who) as visitor:
                visitor.open(path + number)
                card = visitor.page.locator(".pickup")
                expect(card.locator(".pickup-code")).to_have_text("8-2-1234")
                cards.append([one.inner_text() for one in card.locator("p").all()])
                if role == "learner":  # above the goods and their story
                    below = visitor.page.locator(".order-columns").evaluate(
                        "(columns, card) => card.compareDocumentPosition(columns) & 4",
                        card.element_handle(),
                    )
                    assert below
                    scan = visitor.page.locator("#timeline [data-kind=scan]").first
                    expect(scan).to_contain_text(visitor.says("scan.awaiting_pickup"))
                    expect(scan.locator("[lang=zh-CN]")).to_contain_text("菜鸟驿站")
                visitor.content()
    assert len(cards[0]) == 3  # station, code, deadline
    assert cards[0][1] == cards[1][1]


def test_an_order_is_changed_and_cancelled_without_leaving_the_desk(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D6, O8: what it would do is said before; what is not possible, with its reason."""
    number = service.order(newcomer(), ("notebook", 1))
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        expect(page.locator(".traced-actions")).to_contain_text(
            visitor.says("effect.points", n=260)
        )
        expect(page.locator(".not-possible [data-action=refund]")).not_to_be_empty()
        visitor.button("address.open", within=".address").click()
        for name, value in {**recipient(), "name": "陈晨"}.items():
            page.fill(f"dialog [name={name}]", value)
        assert page.locator("dialog [name=country]").is_hidden()  # it stays as it is
        page.click("dialog button[type=submit]")
        expect(page.locator(".address .recipient-words")).to_contain_text("陈*")
        expect(page.locator("[data-fact='orders.AddressChanged']")).to_contain_text("浙江省")
        visitor.button("cancel.open", within=".traced-actions").click()
        visitor.send()
        expect(page.locator(".traced-head")).to_contain_text(visitor.says("status.cancelled"))
        expect(page.locator("[data-fact='ledger.PointsRestored']")).to_contain_text("260")
        stays(visitor)
        visitor.content()


def test_the_carrier_is_asked_and_claimed_from_at_the_desk(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D1, D2: inquiry, its answer, then a claim for what the goods are worth."""
    number, _ = delivered(service, newcomer())
    service.call("POST", f"/v1/orders/{number}/disputes", {"reason": "lost"}, **SUPPORT)
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        carrier = page.locator(".case .carrier")
        visitor.button("case.inquire", within=".carrier").click()
        expect(carrier).to_contain_text(visitor.says("inquiry.open"))
        visitor.button("case.note_answer", within=".carrier").click()
        page.select_option("dialog [name=result]", "lost")
        visitor.send(words="查无此件")
        expect(carrier).to_contain_text(visitor.says("inquiry_result.lost"))
        visitor.button("case.claim", within=".carrier").click()
        expect(page.locator("dialog [name=yuan]")).to_have_value("98.00")
        visitor.send()
        expect(carrier).to_contain_text(visitor.says("claim.filed"))
        expect(page.locator("[data-fact='claims.ClaimFiled']")).to_contain_text("98.00")
        visitor.content()
        visitor.readable()


def test_a_learners_picture_is_shown_for_a_reason(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """A4, D1: a file of the case in its dialog, kept only there, its reveal on record."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    service.call("POST", f"/v1/orders/{number}/disputes", {"reason": "damaged"}, **SUPPORT)
    headers = {
        "Authorization": f"Bearer {service.token('learner', learner)}",
        "Idempotency-Key": f"picture-{number}",
        "Content-Type": "image/png",
    }
    upload = f"{service.url}/v1/disputes/D-{number}-P1/evidence"
    assert httpx2.post(upload, content=PICTURE, headers=headers).status_code == 201
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        visitor.readable()
        page.click(".case .files button")
        visitor.send(reason="to see the damage")
        shown = page.locator("dialog .evidence-picture")
        expect(shown).to_be_visible()
        assert shown.evaluate("one => one.naturalWidth") == 1
        with page.expect_download() as download:
            page.click("dialog a[download]")
        assert download.value.path().read_bytes() == PICTURE
        expect(page.locator(".timeline [data-kind=privacy]")).to_contain_text("to see the damage")
        visitor.content()


def test_an_unmasked_pack_is_given_out_for_a_reason(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D5, A4: the masked one is a link, the other one asks why, and that is on record."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    service.call("POST", f"/v1/orders/{number}/disputes", {"reason": "damaged"}, **SUPPORT)
    with browsing.as_("support", "wang") as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        visitor.button("case.pack_revealed", within=".case").click()
        visitor.send(reason="the court asks for it")
        with page.expect_download() as download:
            page.click("dialog a[download]")
        assert download.value.path().read_bytes().startswith(b"PK")
        assert download.value.suggested_filename == f"D-{number}-P1.zip"
        expect(page.locator(".timeline [data-kind=privacy]")).to_contain_text("the court asks")
        visitor.content()


@SCREENS
def test_an_order_is_found_by_a_name_a_street_a_tail_or_a_pick_up_code(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1, A4: the page says by what; none of it stands in an address or on the page afterwards."""
    learner = newcomer()
    person = {**recipient(), "name": f"欧阳{learner}", "address": f"梅{learner}小区 9 幢"}
    wish = {"learner": learner, "lines": [{"sku": "notebook", "quantity": 1}], "recipient": person}
    second = service.call("POST", "/v1/orders", wish, role="learner", subject=learner)["number"]
    with service.partners(pace_seconds=3_600):  # its carrier says nothing else
        number = service.order(learner, ("notebook", 1))
        parcel = service.ship(number)
        code = f"7-3-{time.time_ns() // 1_000_000 % 10_000:04}"
        service.push(number, parcel, f"快件已暂存至菜鸟驿站,取件码 {code}", "501")
        waybill = service.call("GET", f"/v1/orders/{number}", **OPS)["parcels"][0]["waybill"]
        with browsing.as_("support", "wang", screen) as visitor:
            page = visitor.page
            visitor.open("/support")
            expect(page.locator(".finder")).to_contain_text(visitor.says("find.by"))
            visitor.readable()
            for said, found in (
                (code, number), (waybill[-8:], number), (number[-6:], number),
                (person["name"], second), (f"杭州西湖区梅{learner}小区", second),
            ):  # fmt: skip
                visitor.open("/support")
                page.fill("form[role=search] input", said)
                page.press("form[role=search] input", "Enter")
                expect(page.locator(".traced-head h1")).to_have_text(found)
                assert person["name"] not in page.locator(".traced").inner_text()
            assert not [one for one in visitor.addresses if "search?" in one or learner in one]
            stays(visitor)
            visitor.content()


@SCREENS
def test_many_orders_of_a_caller_are_shown_by_pages(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1: the newest first, eight at a time, with what is in each and how it stands."""
    learner = newcomer()
    for _ in range(10):
        service.order(learner, ("notebook", 1))
    with browsing.as_("support", "wang", screen) as visitor:
        page = visitor.page
        for path in ("/support", f"/support#/learners/{learner}"):
            visitor.open(path)
            if path == "/support":
                page.fill("form[role=search] input", learner)
                page.press("form[role=search] input", "Enter")
            rows = page.locator(".found-list li")
            expect(rows).to_have_count(8)
            expect(rows.last).to_contain_text(visitor.says("status.pending_shipment"))
            visitor.button("app.more", within=".found").click()
            expect(rows).to_have_count(10)
            visitor.readable()
            visitor.content()


def test_a_course_is_opened_and_not_signed_for(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """O3, rules.md 7: its learner and the desk read the same of it; nothing of it is on its way."""
    learner = newcomer()
    number = service.order(learner, ("python-course", 1))
    for role, who, path, line in (
        ("support", "wang", "/support#/orders/", ".traced-lines .badge"),
        ("learner", learner, "/#/orders/", ".order-line-state .badge"),
    ):
        with browsing.as_(role, who) as visitor:
            visitor.open(path + number)
            expect(visitor.page.locator(line)).to_have_text(visitor.says("course.open"))
            if role == "learner":
                story = visitor.page.locator("#timeline")
                expect(story).to_contain_text(visitor.says("fact.orders.EntitlementGranted"))
                expect(story).not_to_contain_text(visitor.says("fact.orders.PartReceived"))
                expect(visitor.page.locator(".steps")).to_have_count(0)
            visitor.content()


@SCREENS
def test_a_refund_that_takes_two_is_asked_for_and_allowed(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """A8, D6: told before and after; who asked waits, another one reads its figures and allows."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    maker = f"jia-{learner}"
    alone = {"learner": learner, "points": 4_900, "source": "sorry", "why": "a bad week"}
    given = service.call("POST", "/v1/points/adjustments", alone, role="operations", subject=maker)
    balance = f"/v1/learners/{learner}/balance?min_position={given['position']}"
    before = service.call("GET", balance, **OPS)["available"]
    with browsing.as_("support", maker, screen) as visitor:
        page = visitor.page
        visitor.open(f"/support#/orders/{number}")
        expect(page.locator(".traced-actions")).to_contain_text(visitor.says("effect.second"))
        page.get_by_role("button", name=visitor.says("refunding.open")).click()
        page.select_option("dialog [name=fault]", "damaged")
        visitor.send(reason="the covers are torn")
        notice = page.locator(".notice.proposed")
        expect(notice).to_contain_text("520")
        expect(notice).to_contain_text(visitor.says("case.second_not_you"))
        expect(notice.locator("button")).to_have_count(0)
        visitor.content()
        visitor.readable()
    with browsing.as_("operations", "ops", screen) as visitor:
        page = visitor.page
        visitor.open("/operations#/waiting")
        card = page.locator(".approval", has_text=number)
        told = visitor.says("approval.would_refund", n="520", learner=learner)
        expect(card.locator("h3")).to_have_text(told)
        expect(card).to_contain_text("× 2")
        expect(card).to_contain_text(visitor.says("approval.goods_stay"))
        expect(card.locator(".alone")).to_contain_text("4,900")
        visitor.readable()
        card.locator("button.primary").click()
        visitor.send(reason="seen the pictures")
        expect(card).to_have_count(0)
        visitor.content()
    after = service.call("GET", f"/v1/learners/{learner}/balance", **OPS)["available"]
    assert after == before + 520
