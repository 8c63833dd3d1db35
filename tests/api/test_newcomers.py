"""A learner who has a token and nothing else yet: empty to themselves, not there to staff (L6)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

NEW: dict[str, Any] = {"role": "learner", "subject": "new.comer@school"}
PATH = "/v1/learners/new.comer@school"
STAFF = ("service", "support", "operations", "auditor", "administrator")


async def test_a_newcomer_has_nothing_yet_when_asking_for_themselves(mall: Mall) -> None:
    """L6, A5: zeros and an empty list at the position of now, also of the past; 200 each time."""
    position = (await mall.get("/health")).json()["position"]
    nothing = {
        "learner": NEW["subject"], "status": "active", "available": 0, "held": 0, "debt": 0,
        "expiring": [], "position": position,
    }  # fmt: skip
    now = mall.tenant.store.clock()
    for query in ({}, {"min_position": position}, {"known_at": now.isoformat()}):
        answer = await mall.get(f"{PATH}/balance", **NEW, **query)
        assert (answer.status_code, answer.json()) == (200, nothing), query
    past = await mall.get(f"{PATH}/balance", **NEW, as_of=(now - timedelta(days=9)).isoformat())
    assert past.json() == nothing
    statement = await mall.get(f"{PATH}/statement", **NEW)
    assert statement.json() == {"learner": NEW["subject"], "entries": [], "next": None}


@pytest.mark.parametrize("role", STAFF)
async def test_a_newcomer_is_not_there_when_others_ask(mall: Mall, role: str) -> None:
    """L6, A10: 404 for staff, who may have mistyped; and for another learner, as ever."""
    for path in ("balance", "statement"):
        for who in ({"role": role, "subject": "x"}, {"role": "learner", "subject": "lin"}):
            assert (await mall.get(f"{PATH}/{path}", **who)).status_code == 404, (path, who)


async def test_the_first_grant_is_told_when_a_newcomer_gets_one(mall: Mall) -> None:
    """L1, L6: from then on the account is there for everybody who may see it."""
    row = {"learner": NEW["subject"], "points": 7, "reason": "task", "source": "first"}
    said = await mall.post("/v1/points/grants", {"grants": [row]}, role="service", subject="lms")
    await mall.views()
    query = {"min_position": said.json()["position"]}
    for who in (NEW, {"role": "support", "subject": "sue"}):
        assert (await mall.get(f"{PATH}/balance", **who, **query)).json()["available"] == 7
        entries = (await mall.get(f"{PATH}/statement", **who, **query)).json()["entries"]
        assert [one["points"] for one in entries] == [7]
