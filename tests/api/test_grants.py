"""Bulk grants over HTTP: the same request gets the same answer, whatever broke in between (L1)."""

from typing import Any

import pytest

from api import points
from application.granting import GRANTS
from application.outcomes import Outcome, Unavailable
from application.unit import Command
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

STAFF = {"role": "service", "subject": "lms"}


def body(*sources: str) -> dict[str, Any]:
    """A grant of ten points for each source."""
    return {
        "grants": [
            {"learner": "lin", "points": 10, "reason": "task", "source": source}
            for source in sources
        ]
    }


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["status"] for row in answer.json()["results"]]


async def crash_in_the_middle(mall: Mall, what: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are committed, the answer of the whole request is not."""

    execute = mall.tenant.store.execute

    async def lost(command: Command) -> Outcome:
        if command.principal != GRANTS:
            raise Unavailable
        done: Outcome = await execute(command)
        return done

    with monkeypatch.context() as broken:
        broken.setattr(mall.tenant.store, "execute", lost)
        answer = await mall.post("/v1/points/grants", what, key="bulk", **STAFF)
    assert answer.status_code == 503


async def test_own_rows_are_granted_when_the_request_is_sent_again_after_a_crash(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1, rules 31: granted is granted, a row named twice and one made before are duplicates."""
    await mall.post("/v1/points/grants", body("before"), **STAFF)
    before = (await mall.balance())["available"]
    wanted = body("a", "before", "a", "b")
    await crash_in_the_middle(mall, wanted, monkeypatch)
    again = await mall.post("/v1/points/grants", wanted, key="bulk", **STAFF)
    assert statuses(again) == ["granted", "duplicate", "duplicate", "granted"]
    once_more = await mall.post("/v1/points/grants", wanted, key="bulk", **STAFF)
    assert once_more.json() == again.json()
    assert (await mall.balance())["available"] == before + 20
    other = await mall.post("/v1/points/grants", wanted, key="other", **STAFF)
    assert statuses(other) == ["duplicate"] * 4


async def test_it_is_seen_when_rows_do_not_know_their_request(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1, CONTROL: without it the same request is answered otherwise the second time."""
    await crash_in_the_middle(mall, body("a"), monkeypatch)
    monkeypatch.setattr(points, "granted_to", lambda row, outcome: not outcome.repeated)
    again = await mall.post("/v1/points/grants", body("a"), key="bulk", **STAFF)
    assert statuses(again) == ["duplicate"]
