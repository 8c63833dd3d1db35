"""What is kept for its time and then goes: payloads, words and files (R59; rules.md 30)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from application import jobs, privacy, retention, watched_parcels
from application.cards import card_of, open_card
from application.retention import forget_evidence, forget_payloads
from application.sealed_words import content_of, seal_file, seal_words
from application.unit import Unit
from domain.privacy import Privacy, RetentionOver
from tests.application.house import VAULT, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

RAW = "签收人:欧阳若兰".encode()
YEARS = timedelta(days=730)


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        for learner, number in (("mei", "T1"), ("chen", "T2")):
            await one.grant(learner, 20_000, f"PY-{learner}")
            await one.order(learner, number, notebook=1)
            parcel = await one.ship(number)
            for _ in range(3):
                await one.do(
                    lambda unit, to=parcel: watched_parcels.keep_unreadable(  # type: ignore[misc]
                        unit, parcel=to, raw=RAW
                    )
                )
        yield one


def _date(database: MallDatabase, made_at: datetime) -> None:
    """As if all cards had been made then."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(f"UPDATE {database.schema}.cards SET made_at = %s".encode(), (made_at,))


async def _left(house: House) -> list[tuple[str, str, int]]:
    return await house.rows(
        "SELECT subject, field, count(*) FROM {s}.cards GROUP BY 1, 2 ORDER BY 1, 2"
    )


ALL = [
    (learner, field, count)
    for learner in ("chen", "mei")
    for field, count in (("payload", 3), ("recipient", 1))
]


async def test_payloads_go_when_their_time_is_over(
    house: House, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59: two years by default, in bounded batches; recipients stay, and so do the facts."""
    monkeypatch.setattr(retention, "BATCH", 2)
    facts = await house.facts("parcel:T1-P1")
    _date(database, house.now - YEARS + timedelta(seconds=1))
    assert await forget_payloads(house) == 0
    assert await _left(house) == ALL
    ((card,),) = await house.rows("SELECT id FROM {s}.cards WHERE field = 'payload' LIMIT 1")
    async with house.pool.connection() as connection:
        opened_card = await open_card(connection, house.schema, VAULT, card.hex)
        assert opened_card is not None
        assert content_of(opened_card) == RAW

    house.wait(seconds=2)
    assert await forget_payloads(house) == 6
    assert await forget_payloads(house) == 0
    assert await _left(house) == [one for one in ALL if one[1] == "recipient"]
    assert await house.facts("parcel:T1-P1") == facts
    async with house.pool.connection() as connection:
        assert await open_card(connection, house.schema, VAULT, card.hex) is None
        with pytest.raises(RetentionOver, match=r"deleted on 2026-03-02") as told:
            await card_of(connection, house.schema, card.hex, zone=house.rules.zone)
        with pytest.raises(RetentionOver, match=r"deleted on 2026-03-01"):
            await card_of(connection, house.schema, card.hex, zone=ZoneInfo("Pacific/Honolulu"))
    assert told.value.message("zh") == "2024-03-02 封存的内容已于 2026-03-02 删除：留存期限已到。"


async def _forgotten_under_hold(house: House, database: MallDatabase) -> int:
    """How many go while mei is under a hold, in batches smaller than what she holds up."""
    await house.do(lambda unit: privacy.place_hold(unit, learner="mei", matter="2026-17"))
    _date(database, house.now - YEARS - timedelta(days=1))
    return await forget_payloads(house)


async def test_payloads_stay_when_their_learner_is_under_a_legal_hold(
    house: House, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59: kept until the hold is lifted, and never in the way of the others'."""
    monkeypatch.setattr(retention, "BATCH", 1)
    assert await _forgotten_under_hold(house, database) == 3
    assert await _left(house) == [one for one in ALL if one[:2] != ("chen", "payload")]
    await house.do(lambda unit: privacy.lift_hold(unit, learner="mei", matter="2026-17"))
    assert await forget_payloads(house) == 3


async def test_held_payloads_go_when_time_alone_decides(
    house: House, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59 CONTROL: a job that knows of no holds."""

    async def nobody(*_: object) -> dict[str, Privacy]:
        return {}

    monkeypatch.setattr(retention, "held", nobody)
    assert await _forgotten_under_hold(house, database) == 6


def test_the_job_is_among_those_that_come_by_the_hour() -> None:
    """R59: nobody has to think of it."""
    assert jobs.let_go in jobs.CRONS


async def test_words_and_files_of_cases_go_when_their_time_is_over(
    house: House, database: MallDatabase
) -> None:
    """R59, A4: three years by default, payloads after theirs; those under a hold stay."""

    def seal(unit: Unit) -> dict[str, Any]:
        for learner in ("mei", "chen"):
            seal_words(unit, learner, "签收的不是我")
            seal_file(unit, learner, b"%PDF-1.7")
        return {}

    await house.do(seal)
    await house.do(lambda unit: privacy.place_hold(unit, learner="mei", matter="2026-17"))
    _date(database, house.now - house.rules.evidence_kept + timedelta(seconds=1))
    assert await forget_evidence(house) == 0
    house.wait(seconds=2)
    assert await forget_evidence(house) == 2
    left = [(subject, field) for subject, field, _ in await _left(house)]
    assert ("mei", "words") in left
    assert ("mei", "evidence") in left
    assert {field for subject, field in left if subject == "chen"} == {"payload", "recipient"}
    await house.do(lambda unit: privacy.lift_hold(unit, learner="mei", matter="2026-17"))
    assert await retention.forget_all(house) == 8
