"""The desk's timeline: what the house will do next by itself, and what is stuck (D1, M5, A1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.pages import LANGUAGES, WORDS
from application.consigning import CONSIGN
from application.envelope import Context
from application.labelling import WANT_LABELS
from application.ordering_labels import LabelOrders
from application.policies import ALL, CANCEL_UNPAID, COMPLETE, sweep
from application.queries_asked import Outcome
from application.releasing import require_review
from application.subscriptions import Subscriptions
from application.unit import Command
from application.webhooks import TRIES
from domain.release_facts import ReviewReason
from tests.api import test_labels, test_querying
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_partners import partners
from tests.api.test_querying import mall
from tests.api.test_third_parties import Depot, depot

pytestmark = pytest.mark.anyio

__all__ = ["depot", "mall", "partners"]
query_desk, label_desk = test_querying.desk, test_labels.desk

SUPPORT = {"role": "support", "subject": "wang"}


async def told(mall: Mall, number: str) -> Any:
    """The order's timeline."""
    await mall.views()
    answer = await mall.get(f"/v1/support/orders/{number}/timeline", **SUPPORT)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def coming(mall: Mall, number: str, work: str) -> Any:
    """The one thing of that name that is still to come; None: nothing is."""
    found = [one for one in (await told(mall, number))["ahead"] if one["work"] == work]
    assert len(found) < 2
    return found[0] if found else None


async def cause_of(mall: Mall, number: str, one: Any) -> str:
    """The fact that it comes of."""
    entries = {entry["id"]: entry for entry in (await told(mall, number))["entries"]}
    return str(entries[one["because_of"]]["fact"])


def at(one: Any) -> datetime:
    return datetime.fromisoformat(one["at"]).astimezone(UTC)


async def test_what_is_foretold_is_what_comes_of_it(mall: Mall) -> None:
    """D1, A1, O4: at its moment the deadline is kept, and names the same cause as foretold."""
    number = (await mall.order(("tea-set", 1)))["number"]
    foretold = await coming(mall, number, "cancel_unpaid_orders")
    assert (foretold["standing"], foretold["tries"]) == ("planned", 0)
    assert await cause_of(mall, number, foretold) == "orders.OrderPlaced"
    moment = at(foretold)
    mall.tenant.store.clock = lambda: moment
    await mall.views()
    assert (await sweep(mall.tenant, CANCEL_UNPAID)).done == 1
    entries = (await told(mall, number))["entries"]
    (cancelled,) = (one for one in entries if one["fact"] == "orders.OrderCancelled")
    assert cancelled["actor"] == "policy:cancel_unpaid_orders"
    leading = next(one for one in entries if one["id"] == cancelled["because_of"])
    assert foretold["because_of"] in (leading["id"], leading["because_of"])
    assert await coming(mall, number, "cancel_unpaid_orders") is None


async def test_a_deadline_that_nobody_keeps_is_stuck(mall: Mall) -> None:
    """M5: half a minute over its time it is stuck, stands first, and says since when."""
    number = (await mall.order(("tea-set", 1)))["number"]
    due = at(await coming(mall, number, "cancel_unpaid_orders"))
    mall.tenant.store.clock = lambda: due + timedelta(seconds=29)
    assert (await coming(mall, number, "cancel_unpaid_orders"))["standing"] == "planned"
    mall.tenant.store.clock = lambda: due + timedelta(seconds=31)
    first = (await told(mall, number))["ahead"][0]
    assert (first["work"], first["standing"]) == ("cancel_unpaid_orders", "stuck")
    assert at(first) == due


async def test_an_order_waits_for_the_next_wave_or_for_whoever_reviews_it(mall: Mall) -> None:
    """S5, O7: at its warehouse's next cut-off; one in review goes with none before it is seen."""
    number = (await mall.order(("notebook", 1)))["number"]
    wave = await coming(mall, number, "release_wave")
    assert wave["standing"] == "planned"
    assert timedelta() < at(wave) - mall.tenant.store.clock() <= timedelta(days=1)
    assert await cause_of(mall, number, wave) == "orders.OrderPlaced"
    rules, reasons = mall.tenant.rules, [ReviewReason.HIGH_VALUE]
    await mall.tenant.store.execute(
        Command(
            "policy:screen_orders",
            "look",
            b"",
            Context("policy:screen_orders", "look"),
            lambda unit: require_review(unit, number=number, reasons=reasons, rules=rules),
        )
    )
    wave = await coming(mall, number, "release_wave")
    assert (wave["standing"], wave["at"]) == ("stuck", None)
    assert wave["details"]["en"].endswith("waits for review")


def away() -> httpx2.AsyncClient:
    """The way to a partner that answers 503."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(503))
    return httpx2.AsyncClient(transport=transport, base_url="http://partners")


async def test_a_push_that_fails_says_how_often_and_when_it_is_tried_again(depot: Depot) -> None:
    """W2, M2: tried again with growing pauses; after three failures somebody should look."""
    number, parcel = await depot.released()
    planned = await coming(depot.mall, number, "consign_parcels")
    assert await cause_of(depot.mall, number, planned) == "parcels.ParcelPlanned"
    reached, depot.partners.client = depot.partners.client, away()
    for failed in (1, 2, 3):
        await depot.turn()
        push = await coming(depot.mall, number, "push_third_party")
        assert push["tries"] == failed
        assert push["standing"] == ("stuck" if failed == 3 else "retrying")
        assert parcel in push["details"]["en"]
        assert push["details"]["en"].endswith("HTTP 503")
        assert await cause_of(depot.mall, number, push) == "consignments.ConsignmentAsked"
        wait = at(push) - depot.mall.tenant.store.clock()
        assert (
            timedelta(seconds=9 * 2 ** (failed - 1))
            < wait
            <= timedelta(seconds=10 * 2 ** (failed - 1))
        )
        depot.later += wait
    await depot.partners.client.aclose()
    depot.partners.client = reached
    await depot.partners.behave(pace_seconds=60)
    await depot.until(parcel, "accepted")
    assert await coming(depot.mall, number, "push_third_party") is None
    look = await coming(depot.mall, number, "look_third_party")
    assert look["standing"] == "planned"
    assert timedelta(minutes=29) < at(look) - depot.mall.tenant.store.clock()


async def test_who_refuses_a_parcel_is_stuck_with_its_words_but_nobodys_name(depot: Depot) -> None:
    """W2, A4: nobody asks again by himself; what it says is shown as on every screen."""
    number, parcel = await depot.released()
    await depot.mall.views()
    await sweep(depot.mall.tenant, CONSIGN)
    await depot.mall.views()
    words = f"{RECIPIENT['name']}的地址送不到"
    refused = depot.message(parcel, "refused", code="no_service", words=words)
    assert (await depot.tell(refused)).status_code == 200
    push = await coming(depot.mall, number, "push_third_party")
    assert (push["standing"], push["at"]) == ("stuck", None)
    assert "no_service" in push["details"]["zh"]
    assert RECIPIENT["name"] not in push["details"]["zh"]
    assert "送不到" in push["details"]["zh"]


async def test_intercepts_and_third_parties_are_on_the_timeline(depot: Depot) -> None:
    """D1, A2: what was asked of whoever has the parcel, and what they said."""
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    entries = (await told(depot.mall, number))["entries"]
    ours = [one for one in entries if (one["fact"] or "").startswith("consignments.")]
    assert [one["fact"] for one in ours][:2] == [
        "consignments.ConsignmentAsked", "consignments.ConsignmentTold",
    ]  # fmt: skip
    assert {one["kind"] for one in ours} == {"parcel"}
    shown = (await depot.mall.read(number))["timeline"]
    assert not any(one["fact"].startswith("consignments.") for one in shown)


async def test_a_confirming_query_is_foretold_and_stuck_when_it_is_contradicted(
    query_desk: test_querying.Desk,
) -> None:
    """T2, rule 23: due now; not before 30 minutes after the last; a receipt nobody knows of."""
    mall = query_desk.mall
    await query_desk.partners.behave(pace_seconds=0, forget=True)
    await query_desk.shipped()
    await query_desk.partners.until(query_desk.number, "completed")
    due = await coming(mall, query_desk.number, "confirm_receipt")
    assert due["standing"] == "planned"
    assert at(due) <= mall.tenant.store.clock()
    assert await query_desk.query() == {Outcome.CONTRADICTS: 1}
    again = await coming(mall, query_desk.number, "confirm_receipt")
    assert again["standing"] == "stuck"
    wait = at(again) - mall.tenant.store.clock()
    assert timedelta(minutes=29) < wait <= timedelta(minutes=30)
    assert again["details"]["en"].endswith("knows of no receipt")


async def test_a_parcel_under_way_is_compared_and_then_asked_about(
    query_desk: test_querying.Desk,
) -> None:
    """T2, T5: the check, its silence and its delay are foretold, each at its own time."""
    mall = query_desk.mall
    await query_desk.partners.behave(pace_seconds=3_600)
    await query_desk.shipped()
    compare = await coming(mall, query_desk.number, "compare_track")
    assert timedelta(hours=3) < at(compare) - mall.tenant.store.clock() < timedelta(hours=4)
    delay = await coming(mall, query_desk.number, "tell_no_first_scan")
    assert timedelta(hours=23) < at(delay) - mall.tenant.store.clock() <= timedelta(hours=24)
    # The newest that is known of the parcel: as the fact is going to say itself.
    assert await cause_of(mall, query_desk.number, delay) == "parcels.TrackingSubscribed"
    query_desk.later = timedelta(hours=25)
    assert (await coming(mall, query_desk.number, "ask_silent"))["standing"] == "planned"
    assert await coming(mall, query_desk.number, "compare_track") is None


async def test_a_label_that_is_not_given_is_tried_again_then_stuck(
    label_desk: test_labels.Desk,
) -> None:
    """W5, M2: how often it failed, why, when it is asked for again."""
    number, parcel = await label_desk.released()
    await label_desk.mall.views()
    await sweep(label_desk.mall.tenant, WANT_LABELS)
    await label_desk.mall.views()
    client = away()
    for failed in (1, 2, 3, 4):
        await LabelOrders(label_desk.mall.tenant, client).ask()
        label = await coming(label_desk.mall, number, "order_label")
        assert label["tries"] == failed
        assert label["standing"] == ("stuck" if failed == 4 else "retrying")
        assert parcel in label["details"]["en"]
        assert await cause_of(label_desk.mall, number, label) == "parcels.LabelWanted"
        label_desk.later += at(label) - label_desk.mall.tenant.store.clock()
    await client.aclose()


async def test_a_system_that_is_not_reached_is_in_the_list_until_it_is_told(mall: Mall) -> None:
    """N2, M5: of what it was not told of it says the first; given up and paused need somebody."""
    number = (await mall.order(("notebook", 1)))["number"]
    tenant = mall.tenant
    async with tenant.pool.connection() as connection:
        mine = Subscriptions(connection, schema=tenant.schema, vault=tenant.vault)
        await mine.create(
            "w1",
            owner="service:crm",
            url="https://crm.example.com/hook?secret=1",
            facts=["orders.*"],
            after=0,
            now=tenant.store.clock(),
        )
        await connection.commit()
        assert await coming(mall, number, "tell_webhook") is None  # it will be told at once
        again = tenant.store.clock() + timedelta(minutes=5)
        table = f"{tenant.schema}.webhooks"
        await connection.execute(
            f"UPDATE {table} SET attempt = 2, cause = 'HTTP 500', next_at = %s".encode(), (again,)
        )
        await connection.commit()
        waits = await coming(mall, number, "tell_webhook")
        assert (waits["standing"], waits["tries"], at(waits)) == ("retrying", 2, again)
        assert await cause_of(mall, number, waits) == "orders.OrderPlaced"
        assert "crm.example.com" in waits["details"]["en"]
        assert "secret" not in str(waits)
        await mine.pause("w1", now=tenant.store.clock())
        await connection.commit()
        paused = await coming(mall, number, "tell_webhook")
        assert (paused["standing"], paused["at"]) == ("stuck", None)
        placed = int(waits["because_of"][1:])
        await connection.execute(
            f"UPDATE {table} SET position = %s".encode(), (await newest(mall, number),)
        )
        await connection.execute(
            f"INSERT INTO {tenant.schema}.webhook_parked"
            " (webhook, position, fact, cause, parked_at)"
            " VALUES ('w1', %s, 'orders.OrderPlaced', 'HTTP 500', now())".encode(),
            (placed,),
        )
        await connection.commit()
        parked = await coming(mall, number, "tell_webhook")
        assert (parked["standing"], parked["tries"]) == ("stuck", TRIES)
        assert parked["because_of"] == waits["because_of"]


async def newest(mall: Mall, number: str) -> int:
    """Where the order's history ends."""
    return int((await told(mall, number))["position"])


async def test_the_list_is_the_same_while_nothing_happens(query_desk: test_querying.Desk) -> None:
    """D1: who asks again a moment later is answered that nothing changed."""
    await query_desk.partners.behave(pace_seconds=0)
    await query_desk.shipped()
    await query_desk.partners.until(query_desk.number, "completed")
    mall, path = query_desk.mall, f"/v1/support/orders/{query_desk.number}/timeline"
    first = await mall.get(path, **SUPPORT)
    assert first.json()["ahead"]
    headers = mall.headers(**SUPPORT) | {"If-None-Match": first.headers["etag"]}
    assert (await mall.client.get(path, headers=headers)).status_code == 304


async def test_a_window_is_foretold_once_the_receipt_is_confirmed(
    query_desk: test_querying.Desk,
) -> None:
    """O4, rule 23: completed at the end of its window, which waits for the query."""
    mall = query_desk.mall
    await query_desk.partners.behave(pace_seconds=0)
    await query_desk.shipped()
    await query_desk.partners.until(query_desk.number, "completed")
    assert await coming(mall, query_desk.number, "complete_orders") is None
    await query_desk.query()
    window = await coming(mall, query_desk.number, "complete_orders")
    order = await mall.read(query_desk.number, **SUPPORT)
    assert at(window) == datetime.fromisoformat(order["returnable_until"])
    assert await cause_of(mall, query_desk.number, window) == "orders.PartReceived"
    query_desk.later = timedelta(days=8)
    assert (await sweep(mall.tenant, COMPLETE)).done == 1


def test_every_policy_has_words() -> None:
    """D1: a policy that is added has to be told of, in both languages."""
    missing = [
        (code, one.name)
        for code in LANGUAGES
        for one in ALL
        if f"work.{one.name}" not in WORDS[code]
    ]
    assert missing == []
