"""Typed times and counted days where the mall's clocks change (rule 15; L1, A5, C1, W6)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browser.visiting import IN_A_BROWSER, Browsing, Newcomer

pytestmark = IN_A_BROWSER

TYPED = {
    "America/New_York": ("2026-11-01T00:30", "2026-11-01T01:30", "2026-11-01T03:00",
                         "2027-03-14T00:00", "2027-03-14T02:30", "2027-03-14T04:00"),
    "America/Santiago": ("2026-09-06T00:00", "2026-09-05T23:30", "2026-04-04T23:30"),
    "Africa/Cairo": ("2026-04-24T00:00", "2026-04-24T01:30", "2026-10-29T23:30"),
    "Europe/Berlin": ("2026-10-25T00:00", "2026-10-25T02:30", "2027-03-28T02:30"),
    "Asia/Shanghai": ("2026-11-01T00:30", "2027-03-14T02:30"),
    "Australia/Lord_Howe": ("2026-10-04T02:15", "2026-04-05T01:45", "2026-04-05T00:00"),
}  # fmt: skip


def words_of(page: Page, zone: str, *, call: str, now: datetime | None = None) -> object:
    """What a function of the pages' words gives in a mall of this zone, at a moment if need be."""
    return page.evaluate(
        """async ([zone, call, now]) => {
          const root = document.documentElement;
          root.dataset.zone = zone;
          if (now !== null) Date.now = () => now;
          const module = await import(`${root.dataset.static}words.js?${zone}`);
          const [name, argument] = JSON.parse(call);
          return module[name](argument);
        }""",
        [zone, call, None if now is None else now.timestamp() * 1000],
    )


def test_a_typed_time_is_the_malls_when_its_clocks_change(browsing: Browsing) -> None:
    """L1, A5: as the service itself reads a local time: the first of two, later where skipped."""
    with browsing.as_("operations", "ops") as one:
        one.open("/operations#/costs")
        for zone, typed in TYPED.items():
            for text in typed:
                told = words_of(one.page, zone, call=f'["zoned", "{text}"]')
                meant = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
                assert datetime.fromisoformat(str(told)) == meant.astimezone(UTC), (zone, text)
        assert words_of(one.page, "Asia/Shanghai", call='["zoned", ""]') is None
        assert words_of(one.page, "Asia/Shanghai", call='["zoned", "soon"]') == "soon"


def test_days_are_counted_by_the_calendar_when_one_has_another_length(browsing: Browsing) -> None:
    """W6: ten days ago is ten days ago, also at half past midnight after a day of 23 hours."""
    zone = ZoneInfo("America/New_York")
    with browsing.as_("operations", "ops") as one:
        one.open("/operations#/costs")
        for today in (date(2027, 3, 20), date(2026, 11, 5)):
            for hour in (0, 23):
                now = datetime(today.year, today.month, today.day, hour, 30, tzinfo=zone)
                told = words_of(one.page, zone.key, call='["daysAgo", 10]', now=now)
                assert told == (today - timedelta(days=10)).isoformat()


def test_points_of_a_sheet_live_to_the_end_of_the_day_they_expire_on(
    browsing: Browsing, service: Service, newcomer: Newcomer
) -> None:
    """L1, rule 15: a day alone, as a file is read; a time is that time; what is no day is said."""
    learner = newcomer()
    head = "learner,points,reason,source,happened_at,expires_at"
    rows = ["7,task,day,,2188-02-28", "20,task,clock,,2188-03-31T00:00"]
    with browsing.as_("operations", "ops") as one:
        one.open("/operations#/grants")
        box, send = one.page.locator("[name=sheet]"), one.button("grants.send", "#view")
        words = one.says("grants.bad_time", field="expires_at")
        for nonsense in ("2188-13-31", "2187-02-29"):
            box.fill(f"{head}\n{learner},1,task,day,,{nonsense}")
            expect(one.page.locator(".bad-words", has_text=words)).to_be_visible()
            expect(send).to_be_disabled()
            box.fill("")
            expect(one.page.locator(".bad-words")).to_have_count(0)
        box.fill("\n".join([head, *(f"{learner},{row}" for row in rows)]))
        expect(send).to_be_enabled()
        send.click()
        expect(send).to_be_disabled()
        expect(one.page.locator("#view [role=status]")).to_contain_text(one.says("grants.outcome"))
    seen = service.call("GET", f"/v1/learners/{learner}/balance", role="service", subject="lms")
    expiring = [tuple(it.values()) for it in seen["expiring"] if it["on"].startswith("2188")]
    assert expiring == [("2188-02-28", 7), ("2188-03-30", 20)]
