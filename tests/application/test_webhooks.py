"""What is told of an event, how it is signed, and what follows from an answer."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic_core import from_json

from application.webhooks import (
    JITTER,
    TRIES,
    WAITS,
    Outcome,
    Tried,
    checked_patterns,
    judge,
    message,
    signed_headers,
    wants,
)
from domain.refusals import InvalidRequest
from tests.corpus import GOLDEN


def test_signature_is_the_standards_own_when_given_its_example() -> None:
    """N2: the vector of the Standard Webhooks specification."""
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_ten_tries_take_about_75_hours_and_jitter_moves_each() -> None:
    """R41: the schedule, at the middle and both ends of the jitter."""
    assert TRIES == 10
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    for failed, wait in enumerate(WAITS):
        waits = [
            judge(Tried(500, None), failed_before=failed, chance=chance).wait
            for chance in (0.0, 0.5, 1.0)
        ]
        assert waits == [wait * (1 - JITTER), wait, wait * (1 + JITTER)]
    last = judge(Tried(500, None), failed_before=len(WAITS), chance=0.5)
    assert last.outcome is Outcome.PARKED


@pytest.mark.parametrize(
    ("tried", "outcome"),
    [
        (Tried(200, None), Outcome.DELIVERED),
        (Tried(204, None), Outcome.DELIVERED),
        (Tried(301, None), Outcome.FAILED),
        (Tried(404, None), Outcome.FAILED),
        (Tried(410, None), Outcome.DISABLED),
        (Tried(429, None), Outcome.FAILED),
        (Tried(500, None), Outcome.FAILED),
        (Tried(None, "no answer in time"), Outcome.FAILED),
    ],
)
def test_what_follows_from_an_answer(tried: Tried, outcome: Outcome) -> None:
    """R41: only 2xx counts, 410 ends it, everything else is tried again."""
    assert judge(tried, failed_before=0, chance=0.5).outcome is outcome


def test_receiver_is_given_the_time_it_asks_for_within_reason() -> None:
    """R41: Retry-After lengthens a wait, never shortens it, and not beyond a day."""

    def wait(seconds: int, failed: int) -> timedelta:
        tried = Tried(429, None, timedelta(seconds=seconds))
        return judge(tried, failed_before=failed, chance=0.5).wait

    assert wait(120, 0) == timedelta(seconds=120)
    assert wait(1, 1) == timedelta(minutes=5)
    assert wait(10**9, 0) == timedelta(hours=24)


def test_patterns_name_facts_or_rooms() -> None:
    """N2: by name, by room, and nothing that is not told."""
    assert checked_patterns(["orders.*", "ledger.PointsGranted", "orders.*"]) == [
        "ledger.PointsGranted", "orders.*",
    ]  # fmt: skip
    assert wants(("orders.*",), "orders.OrderPlaced")
    assert not wants(("orders.*",), "ordersx.OrderPlaced")
    assert not wants(("orders.OrderPlaced",), "orders.OrderPlacedTwice")
    for bad in ("*", "stock.*", "orders.Nothing", "orders.Order*", "orders", "", "orders.*.*"):
        with pytest.raises(InvalidRequest):
            checked_patterns([bad])


def test_fact_of_a_later_version_is_told_by_name_when_it_is_not_known_here() -> None:
    """R26: an older dispatcher beside newer writers loses nothing."""
    stored = b'{"fact":{"order":"T1","who":"?"},"happened_at":"a","recorded_at":"b"}'
    told = message(7, "parcels:P1", 3, "parcels.FromTheFuture", stored)
    assert told.fact == "parcels.FromTheFuture"
    assert b'"order":"T1"' in told.body
    assert b"who" not in told.body


def test_a_case_is_told_by_its_ids_alone() -> None:
    """N2, A4: order, parcel, learner and the case itself; nothing that was said."""
    assert checked_patterns(["disputes.*", "claims.ClaimFiled"]) == [
        "claims.ClaimFiled", "disputes.*",
    ]  # fmt: skip
    with pytest.raises(InvalidRequest):
        checked_patterns(["privacy.*"])
    stored = (GOLDEN / "disputes.DisputeOpened.v1.json").read_bytes()
    told = message(7, "dispute:D-T1-P1", 1, "disputes.DisputeOpened", stored)
    ids = from_json(told.body)["data"]["ids"]
    assert ids.keys() == {"order", "parcel", "learner", "dispute"}
    assert ids["dispute"] == "D-T1-P1"
    stored = (GOLDEN / "claims.ClaimPaid.v1.json").read_bytes()
    told = message(8, "claim:T1-P1", 3, "claims.ClaimPaid", stored)
    assert from_json(told.body)["data"]["ids"] == {"parcel": "T1-P1"}
