"""What follows for a late order: told, points once, seen by learner and staff (T5; rules.md 10)."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from application.alert_words import line_of
from application.delays import TELL_NOT_SENT
from application.policies import SETTLE_PROMISES
from application.rules_of import rules_of
from application.sweeping import Swept, sweep
from domain.house_rules import HouseRules
from projections.verifying import verify
from projections.views import all_views
from tests.api.conftest import Mall
from tests.api.test_silent_parcels import jobs, push, wait
from tests.api.test_support_ahead import coming, told
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["jobs"]
DAY = timedelta(days=1)
POINTS = 40
SERVICE = {"role": "service", "subject": "platform"}


def gives(mall: Mall, points: int) -> None:
    """What the house gives for a late order from now on."""
    mall.tenant.rules = replace(mall.tenant.rules, late_points=points)


async def placed(mall: Mall) -> tuple[str, datetime]:
    """An order of one notebook, and when it is promised."""
    order = await mall.order(("notebook", 1))
    return order["number"], datetime.fromisoformat(order["promised_by"])


async def swept(mall: Mall) -> Swept:
    """The policy has its turn over what the views know."""
    await mall.views()
    done = await sweep(mall.tenant, SETTLE_PROMISES)
    await mall.views()
    return done


def made_good(order: Any) -> list[Any]:
    return [one for one in order["timeline"] if one["fact"].startswith("orders.Lateness")]


async def test_points_are_given_once_when_an_order_is_late(
    mall: Mall, database: MallDatabase
) -> None:
    """Rules 10, 14: a day after its time, whoever sweeps how often; learner, staff and ledger say
    the same, rebuilt alike; nobody grants it beside, and a scan that comes later takes none back.
    """
    gives(mall, POINTS)
    number, by = await placed(mall)
    gives(mall, POINTS + 1)  # what was promised stays
    before = (await mall.balance())["available"]
    ahead = await coming(mall, number, "settle_promises")
    assert datetime.fromisoformat(ahead["at"]) == by + DAY
    wait(mall, by + DAY - timedelta(seconds=1))
    assert await swept(mall) == Swept()  # CONTROL: not before its sources were asked once more
    wait(mall, by + DAY)
    twice = await asyncio.gather(*(sweep(mall.tenant, SETTLE_PROMISES) for _ in range(2)))
    assert sorted((one.done, one.repeated) for one in twice) == [(0, 1), (1, 0)]
    assert await swept(mall) == Swept()
    assert (await mall.balance())["available"] == before + POINTS

    (told_learner,) = made_good(await mall.read(number))
    assert (told_learner["fact"], told_learner["points"]) == ("orders.LatenessMadeGood", POINTS)
    entries = {one["fact"]: one for one in (await told(mall, number))["entries"]}
    assert str(POINTS) in entries["orders.LatenessMadeGood"]["details"]["en"]
    granted = entries["ledger.PointsGranted"]
    assert granted["actor"] == "policy:settle_promises"
    row = {"learner": "lin", "points": 5, "reason": "compensation", "source": f"late:{number}"}
    answer = await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)
    assert answer.json()["results"][0]["code"] == "source_of_ours"

    parcel = await mall.ship(number)
    await push(mall, parcel, by + 2 * DAY, "已签收,签收人:本人")
    await swept(mall)
    assert (await mall.balance())["available"] == before + POINTS
    views = all_views(rules_of(mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []


async def test_nothing_is_given_when_it_was_at_the_door_in_time(mall: Mall) -> None:
    """Rule 10: nobody was at home by then; it is noted, and the learner is told nothing of it."""
    gives(mall, POINTS)
    number, by = await placed(mall)
    before = (await mall.balance())["available"]
    parcel = await mall.ship(number)
    await push(mall, parcel, by - timedelta(hours=3), "快件派送不成功（客户不在家），待进一步处理")
    await push(mall, parcel, by + timedelta(hours=9), "已签收,签收人:本人")
    wait(mall, by + DAY)
    assert await swept(mall) == Swept(done=1)
    assert [one["fact"] for one in made_good(await mall.read(number))] == ["orders.LatenessExcused"]
    assert (await mall.balance())["available"] == before


async def test_nothing_follows_when_it_came_in_time_or_nothing_was_promised(mall: Mall) -> None:
    """Rule 10: off by default; switched on it holds for what is placed from then on."""
    off, _ = await placed(mall)
    gives(mall, POINTS)
    kept, by = await placed(mall)
    parcel = await mall.ship(kept)
    await push(mall, parcel, by - timedelta(hours=1), "已签收,签收人:本人")
    wait(mall, by + 9 * DAY)
    assert await swept(mall) == Swept()
    for number in (off, kept):
        assert made_good(await mall.read(number)) == []


@pytest.mark.parametrize("confirms", [False, True])
async def test_a_late_receipt_counts_once_it_is_confirmed(mall: Mall, confirms: bool) -> None:
    """Rules 10, 23: a push alone proves no lateness; where nobody can be asked, it does."""
    gives(mall, POINTS)
    number, by = await placed(mall)
    parcel = await mall.ship(number)
    mall.tenant.rules = replace(mall.tenant.rules, confirm_receipts=confirms)
    await push(mall, parcel, by + timedelta(hours=5), "已签收,签收人:本人")
    wait(mall, by + DAY)
    assert await swept(mall) == (Swept(undecided=1) if confirms else Swept(done=1))
    assert bool(made_good(await mall.read(number))) is not confirms


async def test_learner_and_staff_hear_of_a_promise_that_passes_in_the_house(mall: Mall) -> None:
    """T5, O6, N1: foretold, told in the house's words, on the list and to the robot with how far it
    has come; over once it is sent."""
    number, by = await placed(mall)
    ahead = await coming(mall, number, "tell_not_sent")
    assert datetime.fromisoformat(ahead["at"]) == by
    wait(mall, by)
    assert (await mall.read(number))["delay"] is None
    (waiting,) = await late_orders(mall)
    assert (waiting["about"]["told"], datetime.fromisoformat(waiting["since"])) == (False, by)

    await mall.views()
    assert await sweep(mall.tenant, TELL_NOT_SENT) == Swept(done=1)
    await mall.views()
    delay = (await mall.read(number))["delay"]
    assert (delay["cause"], datetime.fromisoformat(delay["since"])) == ("not_sent", by)
    (message,) = [one for one in (await told(mall, number))["entries"] if one["kind"] == "message"]
    assert message["details"] == {"zh": delay["message_zh"], "en": delay["message"]}
    (listed,) = await late_orders(mall)
    assert listed["about"] == {
        "order": number, "promised_by": waiting["since"], "told": True,
        "stages": ["waiting_for_wave"], "warehouses": waiting["about"]["warehouses"],
    }  # fmt: skip
    assert line_of("late_order", listed["about"], "zh") == f"{number} · 待波次放行"
    assert line_of("late_order", listed["about"], "en") == f"{number} · waits for a wave"

    await mall.ship(number)
    await mall.views()
    assert (await mall.read(number))["delay"] is None
    assert await late_orders(mall) == []


async def late_orders(mall: Mall) -> list[Any]:
    """What the list says of orders that were promised by now and are still in the house."""
    answer = await mall.get("/v1/troubles", role="operations", subject="ops")
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json()["troubles"] if one["kind"] == "late_order"]


def test_the_figure_is_a_setting_and_no_more_than_one_person_may_give() -> None:
    """A8, rule 10: off unless it is set; what takes four eyes is refused at the start."""
    assert HouseRules().late_points == 0
    assert HouseRules(late_points=4_999).late_points == 4_999
    with pytest.raises(ValueError, match="fewer than four_eyes_points"):
        HouseRules(late_points=5_000)
