"""The review of each week: made once on the Monday after, kept, the same at its position (T9)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from application import claiming, releasing, shipping
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from domain.parcel_facts import Content
from domain.scans import ScanKind
from domain.weeks import Tally, beside, week_of
from projections.deliveries import scorecards
from projections.week_figures import Reviewing
from projections.weeks import WeekReviewer, review, reviews
from tests.application.house import START, House, opened
from tests.application.test_arrivals import scanned
from tests.application.test_deliveries import tried
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        for learner in ("mei", "bo"):
            await one.grant(learner, 1_000_000, "PY-1")
        yield one


async def told(house: House, week: str) -> dict[tuple[str, str, str], tuple[int, int]]:
    """A week's figures by their names, with those of the week before."""
    async with house.pool.connection() as connection:
        found = await review(connection, house.schema, week)
    assert found is not None
    return {
        (one["section"], one["key"], one["name"]): (one["value"], one["before"])
        for one in found["figures"]
    }


async def monday(house: House, *, weeks: int = 1) -> str | None:
    """The Monday so many weeks after the house opened, which was a Monday; somebody looks."""
    house.now = START + timedelta(weeks=weeks)
    found = await WeekReviewer(house).look()
    await house.reader.catch_up()
    return found


async def test_a_week_is_told_on_the_monday_after_with_the_week_before(house: House) -> None:
    """T9: deliveries, on time, failures by place and hour, claims, costs, carriers; kept once."""
    await tried(house, "A1", 19, ScanKind.SIGNED)
    parcel = await tried(house, "A2", 10, ScanKind.FAILED_ATTEMPT)
    await house.do(
        lambda unit: claiming.file_claim(
            unit, parcel=parcel, reason=Fault.LOST, claimed_fen=4_900,
            unconfirmed_because="the carrier phoned", rules=house.rules,
        )
    )  # fmt: skip
    assert await monday(house) == "2026-W10"
    first = await told(house, "2026-W10")
    assert first["week", "", "handed_over"] == (2, 0)
    assert first["week", "", "promised"] == (1, 0)
    assert (first["week", "", "arrived"], first["week", "", "on_time"]) == ((1, 0), (1, 0))
    assert (first["week", "", "tried"], first["week", "", "first_try"]) == ((2, 0), (1, 0))
    assert first["carrier", "shunfeng", "tried"] == (2, 0)
    assert first["district", "330106", "tried"] == (2, 0)
    assert (first["hour", "19", "first_try"], first["hour", "10", "tried"]) == ((1, 0), (1, 0))
    assert ("hour", "10", "first_try") not in first
    assert first["failure", "failed_attempt", "times"] == (1, 0)
    assert first["claim", "lost", "times"] == (1, 0)
    assert first["week", "", "claimed_fen"] == (4_900, 0)
    assert first["week", "", "value_fen"] == (9_800, 0)
    assert first["week", "", "freight_fen"][0] > 0
    assert await monday(house) is None  # once
    await tried(house, "A3", 12, ScanKind.SIGNED, learner="bo")
    assert await monday(house, weeks=2) == "2026-W11"
    second = await told(house, "2026-W11")
    assert second["week", "", "handed_over"] == (1, 2)
    assert second["week", "", "claims"] == (0, 1)
    async with house.pool.connection() as connection:
        assert [one["week"] for one in await reviews(connection, house.schema)] == [
            "2026-W11",
            "2026-W10",
        ]


async def test_a_review_made_again_at_its_position_is_the_same(house: House) -> None:
    """T9, A6: what becomes known later changes neither what was kept nor what is made anew."""
    parcel = await tried(house, "A1", 10, ScanKind.FAILED_ATTEMPT)
    await monday(house)
    kept = await told(house, "2026-W10")
    async with house.pool.connection() as connection:
        found = await review(connection, house.schema, "2026-W10")
    assert found is not None
    await house.do(
        lambda unit: claiming.file_claim(
            unit, parcel=parcel, reason=Fault.LOST, claimed_fen=4_900,
            unconfirmed_because="the carrier phoned", rules=house.rules,
        ),
        happened_at=START + timedelta(days=5),  # a late word of last week
    )  # fmt: skip
    days = week_of(START.date(), house.rules.zone)
    async with house.pool.connection() as connection:
        again = Reviewing(connection, house.schema, found["upto"], house.rules)
        later = Reviewing(connection, house.schema, await house.position(), house.rules)
        assert [one.model_dump() for one in await again.figures(days)] == found["figures"]
        assert (await again.report(START.date())).rows == [
            list(one.values()) for one in found["figures"]
        ]
        assert ("week", "claims") in {(one.section, one.name) for one in await later.figures(days)}
    assert await told(house, "2026-W10") == kept


async def test_what_a_recipient_put_off_is_no_failure_of_the_week(house: House) -> None:
    """T9: CONTROL: a refusal is."""
    await tried(house, "A1", 10, ScanKind.RESCHEDULED)
    await tried(house, "A2", 11, ScanKind.REFUSED)
    await monday(house)
    failures = {key: one for (section, key, _), one in (await told(house, "2026-W10")).items()
                if section == "failure"}  # fmt: skip
    assert failures == {"refused": (1, 0)}


async def test_a_merged_parcel_is_on_time_by_the_earliest_of_its_promises(house: House) -> None:
    """T9, S4: as on the scorecard, whichever of its orders is named first."""
    promises = []
    for number in ("A1", "A2"):
        placed = await house.order("mei", number, notebook=1)
        promises.append(datetime.fromisoformat(placed["promised_by"]))
        house.wait(hours=24)
    assert promises[0] < promises[1]
    contents = [Content(order=number, part=1) for number in ("A2", "A1")]
    released = await house.do(
        lambda unit: releasing.release_together(
            unit, contents=contents, wave="w", rules=house.rules
        )
    )
    (parcel,) = released["parcels"]
    for step in (
        partial(releasing.pick_parcel, parcel=parcel),
        partial(releasing.pack_parcel, parcel=parcel, weight_grams=900),
        partial(shipping.issue_waybill, parcel=parcel, carrier="shunfeng", waybill=f"SF{parcel}"),
        partial(shipping.hand_over, parcel=parcel, rules=house.rules),
    ):
        await house.do(step)
    house.now = promises[1] - timedelta(hours=1)
    await scanned(house, parcel, ScanKind.SIGNED)
    house.now += timedelta(weeks=1)
    assert await WeekReviewer(house).look() is not None
    await house.reader.catch_up()
    async with house.pool.connection() as connection:
        (week, *_) = await reviews(connection, house.schema)
        (card,) = await scorecards(connection, house.schema, since=START)
    figures = await told(house, week["week"])
    assert figures["carrier", "shunfeng", "promised"] == (card["promised"], 0) == (1, 0)
    assert card["on_time"] == 0
    assert ("carrier", "shunfeng", "on_time") not in figures


async def test_two_who_look_at_once_keep_one_review(house: House) -> None:
    """T9: of two processes the first one is heard."""
    await tried(house, "A1", 19, ScanKind.SIGNED)
    house.now = START + timedelta(weeks=1)
    one, other = WeekReviewer(house), WeekReviewer(house)
    assert [await one.look(), await other.look()] == ["2026-W10", "2026-W10"]
    await house.reader.catch_up()
    assert await house.facts("week:2026-W10") == ["weeks.WeekReviewed"]


async def test_nothing_is_told_of_weeks_before_the_house_stood(house: House) -> None:
    """T9: the Monday on which it opens has nothing to look back at."""
    house.now = START + timedelta(hours=1)
    assert await WeekReviewer(house).look() is None


def test_weeks_run_from_monday_to_sunday_where_the_mall_is() -> None:
    """T9: ISO weeks, also over the turn of a year."""
    zone = HouseRules().zone
    days = week_of(START.date(), zone)
    assert (days.name, days.first.isoformat(), days.last.isoformat()) == (
        "2026-W10", "2026-03-02", "2026-03-08",
    )  # fmt: skip
    assert days.has(days.begin)
    assert not days.has(days.end)
    assert not days.has(None)
    assert days.before(zone).end == days.begin
    assert week_of(days.first.replace(month=1, day=1), zone).name == "2026-W01"


def test_districts_are_told_where_most_failed() -> None:
    """T9: twenty at most; of everything else all is told, in one order."""
    tally = Tally()
    for n in range(30):
        tally["district", f"33{n:04}", "tried"] += 10
        tally["district", f"33{n:04}", "first_try"] += n % 10
    tally["week", "", "arrived"] = 7
    figures = beside(tally, {("week", "", "arrived"): 9, ("delay", "lost", "times"): 2})
    assert figures == tuple(sorted(figures, key=lambda one: (one.section, one.key, one.name)))
    districts = {one.key for one in figures if one.section == "district"}
    assert len(districts) == 20
    assert "330000" in districts  # nothing succeeded there
    assert "330009" not in districts
    (arrived,) = [one for one in figures if one.name == "arrived"]
    assert (arrived.value, arrived.before) == (7, 9)
