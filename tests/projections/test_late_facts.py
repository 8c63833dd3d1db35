"""What states an order was in, when its facts are dated in another order than they came."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import psycopg
import pytest

import application
from application import ordering, shipping
from application.envelope import Context, Envelope
from domain.catalogue import Kind
from domain.order_facts import (
    Channel,
    Fault,
    OrderFact,
    OrderLine,
    OrderPlaced,
    PartHandedOver,
    PartPacked,
    PartReceived,
    State,
)
from domain.payment_facts import PaymentCaptured
from domain.scans import Scan, ScanKind
from domain.splitting import Allocation, Plan, PlannedPart
from projections.happening import as_happened
from projections.order_status import Moment, OrderStatus, periods
from projections.past_orders import Then, listed_then
from projections.rebuilding import rebuild
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

MIGRATION = Path(application.__file__).parent / "migrations" / "0010_ages.sql"
START = datetime(2017, 7, 20, 9, 0, tzinfo=UTC)


def _hours(count: int) -> datetime:
    return START + timedelta(hours=count)


PLACED = OrderPlaced(
    learner="lin",
    channel=Channel.APP,
    lines=(OrderLine(line=1, sku="mug", name="杯", kind=Kind.PARCEL, quantity=1, unit_points=10),),
    points=10,
    cash_fen=1_900,
    lots=(),
    plan=Plan(
        parts=(PlannedPart(part=1, warehouse="henan", units=(Allocation(line=1, quantity=1),)),),
        chosen_for="fewest_parcels",
    ),
    pay_by=_hours(1_000),
    promised_by=_hours(100),
    policy="olist-import",
)
PAID = PaymentCaptured(attempt="a", means="boleto", amount_fen=1_900, paid_at=_hours(1))
PACKED = PartPacked(part=1, parcel="N-P1")
GIVEN = PartHandedOver(part=1, parcel="N-P1")
SIGNED = PartReceived(part=1, received_at=_hours(20), window_until=_hours(188))


def _periods(*facts: tuple[int, OrderFact]) -> list[tuple[State, datetime]]:
    return periods(
        Moment(_hours(hour), position, fact) for position, (hour, fact) in enumerate(facts, start=1)
    )


def test_order_does_not_go_back_when_it_was_signed_for_before_its_hand_over_was_noted() -> None:
    """A5, rules.md 6: as five of Olist's orders are dated."""
    assert _periods((0, PLACED), (1, PAID), (30, PACKED), (30, GIVEN), (20, SIGNED)) == [
        (State.PENDING_PAYMENT, _hours(0)),
        (State.PENDING_SHIPMENT, _hours(1)),
        (State.PENDING_END, _hours(20)),
    ]


def test_order_is_pending_receipt_from_payment_when_that_was_noted_after_hand_over() -> None:
    """A5: as sixteen of Olist's orders are dated."""
    assert _periods((0, PLACED), (12, PAID), (10, PACKED), (10, GIVEN), (20, SIGNED)) == [
        (State.PENDING_PAYMENT, _hours(0)),
        (State.PENDING_RECEIPT, _hours(12)),
        (State.PENDING_END, _hours(20)),
    ]


def test_a_state_is_none_of_the_orders_when_it_ended_as_it_began() -> None:
    """A5: at one instant an order is in one state, the last one of that instant."""
    assert _periods((0, PLACED), (1, PAID), (20, PACKED), (20, GIVEN), (20, SIGNED)) == [
        (State.PENDING_PAYMENT, _hours(0)),
        (State.PENDING_SHIPMENT, _hours(1)),
        (State.PENDING_END, _hours(20)),
    ]
    assert _periods((0, PLACED), (0, PAID)) == [(State.PENDING_SHIPMENT, _hours(0))]


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        yield one


async def corrected(house: House) -> datetime:
    """An order handed over and signed for in one second; a refund is dated back before it."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", notebook=2)
    house.wait(hours=2)
    instant = house.now
    parcel = await house.ship("T1")
    signed = Scan("SFT1", instant, "已签收", "shunfeng", ScanKind.SIGNED)
    await house.do(
        lambda unit: shipping.record_scans(
            unit, parcel=parcel, scans=[signed], source="test", raw=None, corrected_to=None,
            rules=house.rules,
        )
    )  # fmt: skip
    house.wait(hours=1)
    await house.do(
        lambda unit: ordering.refund_order(
            unit, number="T1", wanted=[("notebook", 1)], fault=Fault.DAMAGED, reason="x",
            goods_back=False, rules=house.rules,
        ),
        happened_at=instant - timedelta(hours=1),
    )  # fmt: skip
    return instant


PERIODS = """
SELECT state, valid_from, known_from, known_until FROM {s}.order_periods WHERE number = 'T1'
ORDER BY known_from, valid_from, state
"""


async def test_a_past_list_is_the_same_live_and_rebuilt_when_states_share_an_instant(
    house: House, database: MallDatabase
) -> None:
    """A5, A2: after a late fact as before it, whichever way its rows were made."""
    instant = await corrected(house)
    live = await house.rows(PERIODS)
    newest = [(state, at) for state, at, _, until in live if until is None]
    assert newest == [
        ("pending_shipment", instant - timedelta(hours=2)),
        ("pending_end", instant),
    ]

    async def then(known_at: int) -> list[str]:
        async with house.pool.connection() as connection:
            page = await listed_then(
                connection, house.schema, Then(instant, known_at),
                learner=None, states=list(State), after=None, limit=5,
            )  # fmt: skip
        return [one.state for one in page.orders]

    position = await house.position()
    states = {known_at: await then(known_at) for known_at in range(1, position + 1)}
    assert states[position] == states[position - 1] == ["pending_end"]
    await rebuild(database.owner_url, schema=house.schema, views=[OrderStatus()])
    assert await house.rows(PERIODS) == live
    assert {known_at: await then(known_at) for known_at in states} == states


async def test_old_rows_lose_what_was_at_no_moment_when_migrated(
    house: House, database: MallDatabase
) -> None:
    """A5, R27: what an older version noted of one instant together is as a rebuild has it."""
    await corrected(house)
    rebuilt = await house.rows(PERIODS)
    (delete,) = re.findall(
        r"DELETE FROM {schema}\.order_periods.*?;", MIGRATION.read_text(), re.DOTALL
    )
    older = """
        INSERT INTO {s}.order_periods
        SELECT number, learner, 'pending_receipt', valid_from, known_from, known_until
        FROM {s}.order_periods WHERE state = 'pending_end' AND known_until IS NULL
    """
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(older.replace("{s}", house.schema).encode())
        assert await house.rows(PERIODS) != rebuilt
        connection.execute(delete.replace("{schema}", house.schema).encode())
    assert await house.rows(PERIODS) == rebuilt


def test_nothing_happened_to_an_order_before_it_was_placed() -> None:
    """A5: a fact that is dated earlier, for whole seconds or a wrong clock, follows it."""
    events = [
        _envelope(1, _hours(5) + timedelta(milliseconds=550), PLACED),
        _envelope(2, _hours(5), PAID),
        _envelope(3, _hours(9), PACKED),
    ]
    happened = as_happened(events)
    assert [event.position for _, event in happened] == [1, 2, 3]
    assert happened[1][0] == events[0].happened_at
    assert [event.position for _, event in as_happened(events, as_of=_hours(6))] == [1, 2]
    assert as_happened(events, as_of=_hours(5)) == []
    assert (
        periods(Moment(at, one.position, cast("OrderFact", one.fact)) for at, one in happened)[-1][
            0
        ]
        is State.PENDING_SHIPMENT
    )


def _envelope(version: int, at: datetime, fact: OrderFact) -> Envelope:
    nobody = Context(actor="", command="")
    return Envelope(version, "order:N", "order", "N", version, fact, at, at, nobody)
