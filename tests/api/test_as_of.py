"""Balances and lists as they stood, page by page (A5, L4, L6)."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from domain.house_rules import SHANGHAI
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

SERVICE: dict[str, Any] = {"role": "service", "subject": "lms"}


async def granted(mall: Mall, source: str, points: int, *, at: datetime, until: datetime) -> None:
    row = {
        "learner": "past",
        "points": points,
        "reason": "task",
        "source": source,
        "happened_at": at.isoformat(),
        "expires_at": until.isoformat(),
    }
    answer = await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)
    assert answer.json()["results"][0]["status"] == "granted", answer.text
    await mall.views()


async def balance(mall: Mall, **query: Any) -> Any:
    answer = await mall.get("/v1/learners/past/balance", **SERVICE, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def midnight(mall: Mall, days: int) -> datetime:
    """The first instant of a day, so many days from now, in the business zone."""
    today = mall.tenant.store.clock().astimezone(SHANGHAI).date()
    return datetime.combine(today + timedelta(days), time(), SHANGHAI)


async def test_points_expire_on_their_last_day_when_a_balance_is_asked_for(mall: Mall) -> None:
    """L4, L6: a lot that ends at midnight can be spent on the day before, and says that day."""
    until = midnight(mall, 3)
    await granted(mall, "a", 40, at=midnight(mall, -2), until=until)
    await granted(mall, "b", 2, at=midnight(mall, -2), until=until - timedelta(hours=1))
    await granted(mall, "c", 1, at=midnight(mall, -2), until=until + timedelta(seconds=1))
    last, next_day = (until - timedelta(days=1)).date(), until.date()
    assert (await balance(mall))["expiring"] == [
        {"on": last.isoformat(), "points": 42},
        {"on": next_day.isoformat(), "points": 1},
    ]


async def test_lots_are_those_of_then_when_a_past_balance_is_asked_for(mall: Mall) -> None:
    """A5, L4: what could be spent at a moment and when it would expire, to the instant."""
    first_end, second_end = midnight(mall, -10), midnight(mall, 40)
    await granted(mall, "a", 100, at=midnight(mall, -30), until=first_end)
    between = mall.tenant.store.clock()
    await granted(mall, "b", 50, at=midnight(mall, -20), until=second_end)
    first = {"on": midnight(mall, -11).date().isoformat(), "points": 100}
    second = {"on": midnight(mall, 39).date().isoformat(), "points": 50}
    expected = {
        midnight(mall, -31): (0, []),
        midnight(mall, -25): (100, [first]),
        midnight(mall, -15): (150, [first, second]),
        first_end - timedelta(microseconds=1): (150, [first, second]),
        first_end: (50, [second]),
        second_end: (0, []),
    }
    for as_of, (available, expiring) in expected.items():
        then = await balance(mall, as_of=as_of.isoformat())
        assert (then["available"], then["expiring"]) == (available, expiring), as_of
    known = await balance(mall, as_of=first_end.isoformat(), known_at=between.isoformat())
    assert (known["available"], known["expiring"]) == (0, [])


async def test_now_and_as_of_now_agree_when_points_were_held_and_spent(mall: Mall) -> None:
    """A5, L6: folding the stream gives what the view has; a status is that of its time."""
    started = mall.tenant.store.clock()
    await mall.order(("tea-set", 1))
    await mall.order(("walnut-bookend", 1))
    frozen = {"status": "frozen", "reason": "asked"}
    await mall.post("/v1/learners/lin", frozen, method="PUT", **SERVICE)
    await mall.views()
    now = await mall.balance()
    moment = mall.tenant.store.clock().isoformat()
    then = (await mall.get("/v1/learners/lin/balance", as_of=moment)).json()
    before = (await mall.get("/v1/learners/lin/balance", as_of=started.isoformat())).json()
    assert now["held"] > 0
    assert {**then, "position": 0} == {**now, "position": 0}
    assert (now["status"], before["status"], before["held"]) == ("frozen", "active", 0)


async def test_the_position_is_the_views_when_a_balance_is_asked_for(mall: Mall) -> None:
    """L6: at least the position that was asked for, though others' accounts moved last."""
    row = {"learner": "chen", "points": 1, "reason": "task", "source": "p"}
    said = await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)
    position = said.json()["position"]
    await mall.views()
    path = "/v1/learners/lin/balance"
    now = (await mall.get(path, min_position=position)).json()
    moment = mall.tenant.store.clock().isoformat()
    then = (await mall.get(path, min_position=position, as_of=moment)).json()
    assert (now["position"], then["position"]) == (position, position)


async def test_every_order_comes_once_when_a_past_list_is_read_in_pages(mall: Mall) -> None:
    """A5: pages are of one moment, though orders are placed and cancelled in between."""
    numbers = [(await mall.order(("notebook", 1)))["number"] for _ in range(5)]
    moment = (mall.tenant.store.clock() + timedelta(days=1)).isoformat()
    seen: list[Any] = []
    query: dict[str, Any] = {"as_of": moment, "limit": 2}
    while True:
        page = (await mall.get("/v1/orders", **query)).json()
        seen += page["orders"]
        if page["next"] is None:
            break
        assert len(page["orders"]) == 2
        query["cursor"] = page["next"]
        await mall.order(("notebook", 1))
        await mall.post(f"/v1/orders/{numbers[0]}/cancellation", {"reason": "x"})
        await mall.views()
    assert [one["number"] for one in seen] == numbers[::-1]
    assert {one["status"] for one in seen} == {"pending_shipment"}
    both = await mall.get("/v1/orders", cursor=query["cursor"])
    assert both.status_code == 422


async def test_only_orders_of_a_status_come_when_a_past_list_is_asked_for_it(mall: Mall) -> None:
    """A5, O3: by the status they had then, in the customer's words."""
    kept = (await mall.order(("notebook", 1)))["number"]
    gone = (await mall.order(("notebook", 1)))["number"]
    course = (await mall.order(("python-course", 1), recipient=None))["number"]
    between = mall.tenant.store.clock().isoformat()
    await mall.post(f"/v1/orders/{gone}/cancellation", {"reason": "x"})
    await mall.views()
    later = mall.tenant.store.clock().isoformat()

    async def listed(as_of: str, status: str) -> set[str]:
        answer = await mall.get("/v1/orders", as_of=as_of, status=status)
        return {one["number"] for one in answer.json()["orders"]}

    assert await listed(between, "pending_shipment") == {kept, gone}
    assert await listed(later, "pending_shipment") == {kept}
    assert await listed(later, "cancelled") == {gone}
    assert await listed(later, "completed") == {course}
    assert (await mall.get("/v1/orders", as_of=later, status="lost")).status_code == 422


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/v1/orders", "learner"),
        ("/v1/learners/lin/statement", "learner"),
        ("/v1/items", "learner"),
        ("/v1/audit/events", "auditor"),
    ],
)
async def test_a_limit_is_refused_when_it_is_out_of_bounds(
    mall: Mall, path: str, role: str
) -> None:
    """R46: 422 that names the field; from 1 to 100 a page has at most so many."""
    who: dict[str, Any] = {"role": role, "subject": "lin"}
    for limit in ("0", "101", "-1", "many", "1.5"):
        answer = await mall.get(path, **who, limit=limit)
        assert answer.status_code == 422, limit
        assert answer.json()["failures"][0]["field"] == "limit"
    for fine in (1, 100):
        assert (await mall.get(path, **who, limit=fine)).status_code == 200


async def test_every_item_comes_once_when_the_catalogue_is_read_in_pages(mall: Mall) -> None:
    """C1: pages of three, each with the cursor of the next; together all of them."""
    whole = [one["sku"] for one in (await mall.get("/v1/items")).json()["items"]]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while "cursor" not in query or query["cursor"]:
        page = (await mall.get("/v1/items", **query)).json()
        assert len(page["items"]) <= 3
        seen += [one["sku"] for one in page["items"]]
        query["cursor"] = page["next"]
    assert seen == whole
    assert len(whole) > 3


async def test_an_order_is_as_it_stood_when_asked_as_of(mall: Mall) -> None:
    """A5: one order, as it was and as we knew it; a late fact changes only the right one."""
    number = (await mall.order(("notebook", 2)))["number"]
    placed_at = datetime.fromisoformat((await mall.read(number))["placed_at"])
    known = mall.tenant.store.clock()
    parcel = await mall.ship(number)
    await mall.views()
    path, learner = f"/v1/orders/{number}", {"role": "learner", "subject": "lin"}
    live = (await mall.get(path, **learner)).json()
    shipped = mall.tenant.store.clock()

    before = (await mall.get(path, **learner, as_of=placed_at.isoformat())).json()
    assert before["status"] == "pending_shipment"
    assert before["parcels"] == []
    assert before["actions"] == {}
    assert [one["fact"] for one in before["timeline"]] == ["orders.OrderPlaced"]
    after = (await mall.get(path, **learner, as_of=shipped.isoformat())).json()
    assert [one["number"] for one in after["parcels"]] == [parcel]
    same = ("status", "lines", "parts", "points", "promised_by", "timeline", "version")
    assert {name: after[name] for name in same} == {name: live[name] for name in same}
    as_known = (await mall.get(path, **learner, known_at=known.isoformat())).json()
    assert as_known["status"] == "pending_shipment"
    assert as_known["version"] == 1

    unborn = (placed_at - timedelta(seconds=1)).isoformat()
    assert (await mall.get(path, **learner, as_of=unborn)).status_code == 404
    assert (await mall.get(path, subject="wang", as_of=shipped.isoformat())).status_code == 404


async def test_nothing_below_zero_is_owed_when_a_grant_is_dated_before_a_debt(mall: Mall) -> None:
    """A5, L5: it pays what was owed on its day, and now what is owed since."""
    ahead = midnight(mall, 60)
    await granted(mall, "a", 100, at=midnight(mall, -30), until=ahead)
    spent = {"learner": "past", "points": -100, "source": "move", "why": "they moved"}
    assert (await mall.post("/v1/points/adjustments", spent, **SERVICE)).status_code == 200
    wrong = {"learner": "past", "reason": "task", "source": "a", "why": "wrong person"}
    taken = await mall.post("/v1/points/clawbacks", wrong, **SERVICE)
    assert taken.json()["debt"] == 100
    await granted(mall, "b", 60, at=midnight(mall, -10), until=ahead)
    then = await balance(mall, as_of=midnight(mall, -5).isoformat())
    assert (then["available"], then["debt"]) == (160, 0)
    now = await balance(mall)
    assert (now["available"], now["debt"]) == (0, 40)
    await granted(mall, "c", 70, at=mall.tenant.store.clock(), until=ahead)
    now = await balance(mall)
    assert (now["available"], now["debt"]) == (30, 0)
