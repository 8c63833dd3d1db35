"""A learner's own case in a browser: said, asked, shown, decided, taken back (D1, A4)."""

from playwright.sync_api import expect

from tests.browser.service import Service
from tests.browser.test_support import SUPPORT, delivered
from tests.browser.visiting import IN_A_BROWSER, SCREENS, Browsing, Newcomer, Screen

pytestmark = IN_A_BROWSER
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of the door" * 20


@SCREENS
def test_a_learner_says_what_is_wrong_and_hears_what_is_decided(
    browsing: Browsing, service: Service, newcomer: Newcomer, screen: Screen
) -> None:
    """D1: words, answers, a file, then the decision as it happens, in their own language."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    case = f"D-{number}-P1"
    with browsing.as_("learner", learner, screen) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        page.click(f"[data-dispute='{number}-P1']")
        assert page.input_value("dialog [name=reason]") == "not_received"
        visitor.fits()
        visitor.send(words="显示已签收,但我没有收到")
        mine = page.locator(".case.mine")
        expect(mine).to_contain_text("但我没有收到")
        expect(mine.locator(".standing .warn-words")).to_be_visible()  # until when to answer
        mine.locator("[data-question=door] input[value=no]").check(force=True)
        mine.locator("[data-question=family] input[value=no]").check(force=True)
        mine.locator(".answers [name=words]").fill("问过邻居了")
        mine.locator(".answers button[type=submit]").click()
        expect(mine.locator(".questions li")).to_have_count(2)
        expect(mine.locator(".answers fieldset")).to_have_count(1)
        picture = {"name": "door.png", "mimeType": "image/png", "buffer": PNG}
        mine.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
        expect(mine.locator(".files a")).to_have_text(visitor.says("case.file", name="F1"))
        visitor.content()
        visitor.readable()
        decision = {"outcome": "refund", "reason": "checked", "unconfirmed_because": "by phone"}
        service.call("POST", f"/v1/disputes/{case}/decision", decision, **SUPPORT)
        expect(mine.locator(".decided")).to_contain_text("520")
        expect(mine.locator("input[type=file]")).to_have_count(0)
        with page.expect_download() as download:
            mine.locator(".files a").click()
        assert download.value.path().read_bytes() == PNG
        visitor.content()
        visitor.readable()
    seen = service.call("GET", f"/v1/disputes/{case}", **SUPPORT)
    told = {one["question"]: one["answer"] for one in seen["questions"]}
    assert told == {"family": "no", "door": "no", "locker": None}
    assert [one["about"] for one in seen["said"]] == ["opening", "answer"]


def test_a_file_that_is_not_taken_is_said_and_a_case_taken_back(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """D1: limits and kinds before anything is sent, by the first bytes after; withdrawn by choice;
    who never complained sees until when they can."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        page.click(".complaint-offer button")
        page.select_option("dialog [name=reason]", "damaged")
        visitor.send()
        mine = page.locator(".case.mine")
        box = mine.locator("input[type=file]")
        for name, kind, content, said in (
            ("a.txt", "text/plain", b"x", "complaint.file_kind"),
            ("b.png", "image/png", b"x" * 4_000_001, "complaint.file_size"),
            ("c.png", "image/png", b"", "complaint.file_empty"),
        ):
            file = {"name": name, "mimeType": kind, "buffer": content}
            box.set_input_files(file)  # type: ignore[arg-type]
            expect(mine.locator(".evidence .problem-box")).to_contain_text(visitor.says(said))
        assert not any(one.endswith("/evidence") for one in visitor.addresses)
        liar = {"name": "d.png", "mimeType": "image/png", "buffer": b"no picture"}
        box.set_input_files(liar)  # type: ignore[arg-type]
        expect(mine.locator(".evidence .problem-box")).to_contain_text("image/png")
        visitor.complaints.clear()  # 422 is the answer for it
        visitor.button("complaint.withdraw", within=".case.mine").click()
        visitor.send(words="在邻居家")
        expect(mine).to_contain_text(visitor.says("complaint.withdrawn"))
        visitor.button("complaint.reopen", within=".case.mine").click()
        visitor.send(words="还是没有")
        expect(mine.locator(".standing")).to_be_visible()
        visitor.content()
        visitor.readable()


def test_nothing_typed_is_lost_when_news_come(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """T3, D1: the carrier says more while an answer is written."""
    learner = newcomer()
    number, _ = delivered(service, learner)
    body = {"reason": "not_received"}
    service.call("POST", f"/v1/orders/{number}/disputes", body, role="learner", subject=learner)
    with browsing.as_("learner", learner) as visitor:
        page = visitor.page
        visitor.open(f"/#/orders/{number}")
        expect(page.locator(".lamp")).to_have_attribute("data-state", "on")
        page.fill(".answers [name=words]", "问过邻居了")
        service.push(number, f"{number}-P1", "【上海市】快件由前台代收", "3")
        expect(page.locator("#timeline")).to_contain_text("前台代收")
        expect(page.locator(".answers [name=words]")).to_have_value("问过邻居了")
        expect(page.locator(".answers [name=words]")).to_be_focused()
        visitor.content()
