"""Learners hear of what keeps their parcels, carriers are asked; each once (T5; rules.md 25)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application.arrivals import estimate_arrivals
from application.delays import DELAYS
from application.policies import overdue
from application.sweeping import Swept, sweep
from domain.scans import BEIJING, ScanKind
from domain.silence import Silence
from projections.delayed_parcels import delayed_parcels
from projections.silent_parcels import silent_parcels
from projections.verifying import verify
from projections.views import all_views
from tests.application.house import House, opened
from tests.application.test_arrivals import scanned, sent
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

DELAYED = "parcels.DeliveryDelayed"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 1_000_000, "PY-1")
        yield one


async def looked(house: House) -> dict[str, Swept]:
    """The job runs; what each policy did, if it did anything."""
    did = {one.name: await sweep(house, one) for one in DELAYS}
    await house.reader.catch_up()
    return {name: swept for name, swept in did.items() if swept != Swept()}


async def causes(house: House, parcel: str) -> list[str]:
    """What its learner was told."""
    rows = await house.rows(
        "SELECT convert_from(state, 'UTF8')::json -> 'fact' ->> 'cause' FROM {s}.tallypost_events"
        " WHERE originator_id = %s AND topic = %s ORDER BY originator_version",
        f"parcel:{parcel}",
        DELAYED,
    )
    return [cause for (cause,) in rows]


async def test_a_silent_parcel_is_told_of_once_a_spell(house: House) -> None:
    """T5: 24 h without a first scan, 48 h without movement; once, however often looked."""
    parcel = await sent(house, "A1")
    house.wait(hours=23, minutes=59)
    assert await looked(house) == {}
    house.wait(minutes=1)
    assert await looked(house) == {"tell_no_first_scan": Swept(done=1)}
    assert await looked(house) == {}
    for _ in range(2):
        await scanned(house, parcel, ScanKind.DEPARTED, f"3301{house.now.day:02}")
        house.wait(hours=48)
        assert (await looked(house))["tell_no_movement"] == Swept(done=1)
        assert await looked(house) == {}
    assert await causes(house, parcel) == ["no_first_scan", "no_movement", "no_movement"]


async def test_two_jobs_at_once_tell_once(house: House) -> None:
    """T5: swept again before the view has seen it, the same command is answered as before."""
    parcel = await sent(house, "A1")
    house.wait(hours=24)
    (telling,) = [one for one in DELAYS if one.name == "tell_no_first_scan"]
    assert [await sweep(house, telling) for _ in range(2)] == [Swept(done=1), Swept(repeated=1)]
    await house.reader.catch_up()
    assert await causes(house, parcel) == ["no_first_scan"]


async def test_nothing_is_told_when_the_parcel_was_seen_meanwhile(house: House) -> None:
    """T5: the view was late; the command sees the scan, and nothing is kept under its key."""
    parcel = await sent(house, "A1")
    house.wait(hours=24)
    reader, house.reader.catch_up = house.reader.catch_up, _nothing  # type: ignore[method-assign]
    await scanned(house, parcel, ScanKind.DEPARTED)
    (telling,) = [one for one in DELAYS if one.name == "tell_no_first_scan"]
    assert await sweep(house, telling) == Swept(undecided=1)
    house.reader.catch_up = reader  # type: ignore[method-assign]
    await house.reader.catch_up()
    assert await looked(house) == {}
    assert await causes(house, parcel) == []


async def _nothing() -> None:
    """A view that does not look."""


async def test_a_parcel_past_its_window_is_told_and_listed_with_its_age(
    house: House, database: MallDatabase
) -> None:
    """T4, T5, M5: late, to and fro, on its way back; the list says who was told; rebuilt alike."""
    late, back = await sent(house, "A1"), await sent(house, "A2")
    await estimate_arrivals(house)
    await house.reader.catch_up()
    ((until,),) = await house.rows("SELECT late_at FROM {s}.journeys WHERE parcel = %s", late)
    await scanned(house, back, ScanKind.RETURNING)
    house.now = until
    async with house.pool.connection() as connection:
        before = await delayed_parcels(connection, house.schema, now=house.now)
    assert [(one.number, one.cause, one.told) for one in before] == [
        (back, "returned", False),
        (late, "eta_passed", False),
    ]
    assert before[1].since == until
    did = await looked(house)
    assert {"tell_eta_passed", "tell_returned"} <= set(did)
    async with house.pool.connection() as connection:
        after = await delayed_parcels(connection, house.schema, now=house.now)
    assert all(one.told for one in after)
    assert "eta_passed" in await causes(house, late)
    # That one turned back is noted by a policy of its own, which nobody swept here.
    assert {one.policy for one in await overdue(house)} <= {"note_turned_back"}
    found = await verify(database.owner_url, schema=house.schema, views=all_views(house.rules))
    assert found.differences == []


async def test_what_its_recipient_put_off_is_not_late_before_then(
    house: House, database: MallDatabase
) -> None:
    """T5, T8: neither later than told nor silent until the agreed time is over; rebuilt alike."""
    parcel, control = await sent(house, "A1"), await sent(house, "A2")
    await estimate_arrivals(house)
    for one in (parcel, control):
        await scanned(house, one, ScanKind.DEPARTED)
    day = (house.now + timedelta(days=20)).astimezone(BEIJING)
    text = f"已与客户预约{day.month}月{day.day}日14:00-16:00派送"
    await scanned(house, parcel, ScanKind.RESCHEDULED, text=text)
    house.now = day.replace(hour=15, minute=59)
    await looked(house)
    assert await causes(house, parcel) == []
    assert set(await causes(house, control)) == {"no_movement", "eta_passed"}
    found = await verify(database.owner_url, schema=house.schema, views=all_views(house.rules))
    assert found.differences == []
    house.wait(minutes=1)
    await looked(house)
    assert await causes(house, parcel) == ["eta_passed"]
    house.wait(hours=48)
    await looked(house)
    assert await causes(house, parcel) == ["eta_passed", "no_movement"]


async def test_its_carrier_is_asked_once_when_it_is_kept_for_long(house: House) -> None:
    """T5, rules.md 27: after 72 hours, by itself; one inquiry a parcel, whatever keeps it."""
    parcel = await sent(house, "A1")
    house.wait(hours=71, minutes=59)
    await looked(house)
    assert await house.facts(f"claim:{parcel}") == []
    house.wait(minutes=1)
    for _ in range(3):
        await looked(house)
        house.wait(hours=72)
    assert await house.facts(f"claim:{parcel}") == ["claims.InquiryOpened"]


async def test_a_recipient_is_reminded_before_a_station_sends_the_parcel_back(
    house: House,
) -> None:
    """T8: once, a day before; listed for staff from then on, and not before."""
    parcel = await sent(house, "A1")
    house.wait(hours=2)
    await scanned(house, parcel, ScanKind.AWAITING_PICKUP)
    house.wait(hours=6 * 24 - 1)
    assert await looked(house) == {}
    async with house.pool.connection() as connection:
        assert await delayed_parcels(connection, house.schema, now=house.now) == []
    house.wait(hours=1)
    assert await looked(house) == {"tell_pickup_ending": Swept(done=1)}
    assert await looked(house) == {}
    assert await causes(house, parcel) == ["pickup_ending"]
    async with house.pool.connection() as connection:
        (listed,) = await delayed_parcels(connection, house.schema, now=house.now)
    assert (listed.cause, listed.told, listed.state) == ("pickup_ending", True, "awaiting_pickup")


async def test_a_wait_that_ended_is_told_listed_as_such_and_asked_about(house: House) -> None:
    """T5, T8, rules.md 22: not picked up in seven days; the reminder is listed no more."""
    parcel = await sent(house, "A1")
    house.wait(hours=2)
    await scanned(house, parcel, ScanKind.AWAITING_PICKUP)
    house.wait(days=7)
    assert "tell_not_collected" in await looked(house)
    assert await looked(house) == {}
    assert await causes(house, parcel) == ["pickup_ending", "not_collected"]
    async with house.pool.connection() as connection:
        assert await delayed_parcels(connection, house.schema, now=house.now) == []
        (silent,) = await silent_parcels(connection, house.schema, now=house.now, rules=house.rules)
    assert (silent.silence, silent.since) == (Silence.NOT_COLLECTED, house.now)
    for _ in range(2):
        house.wait(hours=72)
        await looked(house)
    assert await house.facts(f"claim:{parcel}") == ["claims.InquiryOpened"]
    await scanned(house, parcel, ScanKind.PICKUP_CONFIRMED)
    async with house.pool.connection() as connection:
        found = await silent_parcels(connection, house.schema, now=house.now, rules=house.rules)
    assert found == []
    assert [one for one in await overdue(house) if "not_collected" in one.policy] == []


async def test_what_its_carrier_lost_is_told_asked_about_and_listed_until_a_claim(
    house: House,
) -> None:
    """T5, D2: its learner at once, its carrier by itself; staff until somebody claims."""
    parcel = await sent(house, "A1")
    house.wait(hours=5)
    await scanned(house, parcel, ScanKind.LOST)
    did = await looked(house)
    assert did == {"tell_lost": Swept(done=1), "inquire_lost": Swept(done=1)}
    assert await looked(house) == {}
    assert await causes(house, parcel) == ["lost"]
    assert await house.facts(f"claim:{parcel}") == ["claims.InquiryOpened"]
    async with house.pool.connection() as connection:
        (listed,) = await delayed_parcels(connection, house.schema, now=house.now)
    assert (listed.cause, listed.told, listed.state) == ("lost", True, "lost")
    assert await house.rows("UPDATE {s}.claims SET state = 'filed' RETURNING 1")
    async with house.pool.connection() as connection:
        assert await delayed_parcels(connection, house.schema, now=house.now) == []


async def test_no_word_is_said_of_orders_that_are_over(house: House) -> None:
    """T5: whoever was refunded waits for nothing."""
    parcel = await sent(house, "A1")
    house.wait(hours=200)
    assert await house.rows("UPDATE {s}.orders SET state = 'closed' RETURNING 1")
    assert await looked(house) == {}
    assert await causes(house, parcel) == []


async def test_the_learners_stream_and_subscribers_hear_of_it(house: House) -> None:
    """T3, T5, N3: it is news of the order, with the moment from which it was a delay."""
    await sent(house, "A1")
    house.wait(hours=30)
    await looked(house)
    rows = await house.rows(
        "SELECT t.order_number, convert_from(e.state, 'UTF8')::json ->> 'happened_at'"
        " FROM {s}.order_trail t JOIN {s}.tallypost_events e ON e.notification_id = t.position"
        " WHERE e.topic = %s",
        DELAYED,
    )
    ((order, happened_at),) = rows
    assert order == "A1"
    assert happened_at.startswith((house.now - timedelta(hours=6)).isoformat()[:16])
