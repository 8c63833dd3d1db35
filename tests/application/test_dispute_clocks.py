"""The clocks of cases: answers, decisions, carriers and service windows, swept on time (D1)."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from application import claiming, deciding, disputing, shipping
from application.gathering import Gathered
from application.policies import (
    COMPLETE,
    NOTE_OVERDUE_CASES,
    TIME_OUT_INQUIRIES,
    TIME_OUT_QUESTIONS,
    Swept,
    sweep,
)
from domain.dispute_facts import Answer, Outcome, Question, Side
from domain.order_facts import Fault
from domain.scans import Scan, ScanKind
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

CASE, PARCEL = "D-T1-P1", "T1-P1"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    """A signed parcel, and a case of it."""
    async with opened(database) as one:
        await one.grant("mei", 5_000, "PY-1")
        await one.order("mei", "T1", notebook=1)
        await one.ship("T1")
        scan = Scan("SFT1", one.now, "已签收", "shunfeng", ScanKind.SIGNED)
        await one.do(
            partial(
                shipping.record_scans,
                parcel=PARCEL,
                scans=[scan],
                source="test",
                raw=None,
                corrected_to=None,
                rules=one.rules,
            )
        )
        one.wait(hours=24)
        await one.do(
            partial(
                disputing.open_dispute,
                number="T1",
                parcel=None,
                reason=Fault.NOT_RECEIVED,
                by=Side.LEARNER,
                words=None,
                gathered=Gathered(),
                rules=one.rules,
            )
        )
        yield one


async def swept(house: House, *policies: object) -> list[int]:
    """What each policy did just now."""
    done = []
    for policy in policies:
        outcome = await sweep(house, policy)  # type: ignore[arg-type]
        done.append(outcome.done)
        await house.reader.catch_up()
    return done


async def state(house: House) -> tuple[str, bool, bool]:
    """State, whether it is overdue, whether the learner is still asked."""
    ((name, overdue, asks),) = await house.rows(
        "SELECT state, overdue, answer_by IS NOT NULL FROM {s}.disputes"
    )
    return name, overdue, asks


async def test_questions_time_out_and_the_case_goes_on(house: House) -> None:
    """D1: at 48 hours, those that are open; once, however often it is swept."""
    answers = [(Question.DOOR, Answer.NO, None)]
    await house.do(partial(disputing.answer_questions, case=CASE, answers=answers, by=Side.LEARNER))
    house.wait(hours=47)
    assert await swept(house, TIME_OUT_QUESTIONS) == [0]
    house.wait(hours=1)
    assert await swept(house, TIME_OUT_QUESTIONS, TIME_OUT_QUESTIONS) == [1, 0]
    assert await state(house) == ("open", False, False)
    facts = await house.facts(f"dispute:{CASE}")
    assert facts.count("disputes.QuestionTimedOut") == 2


async def test_a_case_is_overdue_when_nobody_decides_it(house: House) -> None:
    """D1: at 72 hours, once."""
    house.wait(hours=71)
    assert await swept(house, NOTE_OVERDUE_CASES) == [0]
    house.wait(hours=1)
    assert await swept(house, NOTE_OVERDUE_CASES, NOTE_OVERDUE_CASES) == [1, 0]
    assert (await state(house))[:2] == ("open", True)


async def test_nothing_falls_due_when_the_case_was_decided_in_time(house: House) -> None:
    """D1: its clocks stop with it."""
    await _decide(house, Outcome.FOUND)
    house.wait(hours=999)
    assert await swept(house, TIME_OUT_QUESTIONS, NOTE_OVERDUE_CASES) == [0, 0]


async def test_a_silent_carrier_is_waited_for_no_longer(house: House) -> None:
    """D1: 48 hours; then it may be asked again."""
    ask = partial(claiming.open_inquiry, parcel=PARCEL, case=CASE, rules=house.rules)
    await house.do(ask)
    house.wait(hours=48)
    assert await swept(house, TIME_OUT_INQUIRIES, TIME_OUT_INQUIRIES) == [1, 0]
    await house.do(ask)
    house.wait(hours=48)
    assert await swept(house, TIME_OUT_INQUIRIES) == [1]


async def test_the_order_is_completed_as_many_days_later_as_the_case_took(house: House) -> None:
    """D1, O4, rules.md 2: six days were left when it was opened, and are when it is decided."""
    house.wait(days=30)
    assert await sweep(house, COMPLETE) == Swept()
    assert await house.rows("SELECT window_until FROM {s}.orders") == [(None,)]
    await _decide(house, Outcome.REJECTED)
    house.wait(days=5, hours=23)
    assert await swept(house, COMPLETE) == [0]
    house.wait(hours=1)
    assert await swept(house, COMPLETE) == [1]
    assert await house.rows("SELECT state FROM {s}.orders") == [("completed",)]


async def _decide(house: House, outcome: Outcome) -> None:
    if outcome is Outcome.REJECTED:
        await swept(house, TIME_OUT_QUESTIONS)
    wanted = deciding.Wanted(outcome, "looked at")
    await house.do(
        partial(deciding.decide, case=CASE, wanted=wanted, maker="wang", key="k", rules=house.rules)
    )
