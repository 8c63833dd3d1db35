"""What states an order was in, when its facts are dated in another order than they came."""

from datetime import UTC, datetime, timedelta

from domain.catalogue import Kind
from domain.order_facts import (
    Channel,
    OrderFact,
    OrderLine,
    OrderPlaced,
    PartHandedOver,
    PartPacked,
    PartReceived,
    PaymentCaptured,
    State,
)
from domain.splitting import Allocation, Plan, PlannedPart
from projections.order_status import Moment, periods

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
