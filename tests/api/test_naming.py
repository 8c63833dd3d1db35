"""Reasons that staff type are kept for ever and read by learners: they name nobody (A4)."""

from typing import Any

import pytest

from api import naming
from api.naming import named_in
from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
SERVICE: dict[str, Any] = {"role": "service", "subject": "lms"}
NAMED = f"{RECIPIENT['name']}女士来电取消"


async def _a_name_is_refused(mall: Mall) -> None:
    number = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{number}/cancellation"
    refused = await mall.post(path, {"reason": NAMED}, key="one", **SERVICE)
    assert (refused.status_code, refused.json().get("code")) == (422, "names_somebody")
    (told,) = refused.json()["failures"]
    assert told["field"] == "reason"
    assert "收件人姓名" in told["message_zh"]
    assert RECIPIENT["name"] not in refused.text
    kept = await mall.get(f"/v1/audit/orders/{number}", role="auditor", subject="eve")
    assert RECIPIENT["name"] not in kept.text
    again = await mall.post(path, {"reason": "来电取消"}, key="one", **SERVICE)
    assert again.status_code == 200, again.text


async def test_a_reason_with_the_recipients_name_is_refused(mall: Mall) -> None:
    """A4: the field is named, the name is not said again, and nothing of it is kept."""
    await _a_name_is_refused(mall)


async def test_a_reason_with_a_name_is_kept_when_nobody_asks_the_vault(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4 CONTROL: reasons are taken as they come."""
    monkeypatch.setattr(naming, "named_in", lambda text, names: False)
    with pytest.raises(AssertionError):
        await _a_name_is_refused(mall)


async def test_whoever_it_is_about_is_found_by_parcel_case_and_account(mall: Mall) -> None:
    """A4: whatever the path or the body says it is about."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    alone = {"learner": "lin", "points": 10, "source": "x", "why": NAMED}
    by_account = await mall.post("/v1/points/adjustments", alone, **OPS)
    stopping = {"reason": NAMED}
    by_parcel = await mall.post(f"/v1/parcels/{parcel}/interception", stopping, **OPS)
    opened = await mall.post(f"/v1/orders/{number}/disputes", {"reason": "damaged"}, **SUPPORT)
    await mall.views()
    decision = {"outcome": "rejected", "reason": NAMED}
    case = opened.json()["case"]
    by_case = await mall.post(f"/v1/disputes/{case}/decision", decision, **SUPPORT)
    for answer, field in ((by_account, "why"), (by_parcel, "reason"), (by_case, "reason")):
        assert answer.status_code == 422, answer.text
        assert [one["field"] for one in answer.json()["failures"]] == [field]


async def test_an_answer_that_was_given_is_given_again(mall: Mall) -> None:
    """Rule 31: whoever comes to be called like a word of the reason later changes nothing."""
    number = (await mall.order(("notebook", 2)))["number"]
    path = f"/v1/orders/{number}/cancellation"
    body = {"reason": "陈晨说不要了", "lines": [{"sku": "notebook", "quantity": 1}]}
    first = await mall.post(path, body, key="one", **SERVICE)
    assert first.status_code == 200, first.text
    await mall.order(("notebook", 1), recipient={**RECIPIENT, "name": "陈晨"})
    again = await mall.post(path, body, key="one", **SERVICE)
    assert (again.status_code, again.content) == (200, first.content)
    assert (await mall.post(path, body, key="two", **SERVICE)).status_code == 422


async def test_a_learners_own_words_are_their_own(mall: Mall) -> None:
    """A4: they say of themselves what they like; it becomes a note, which is sealed."""
    number = (await mall.order(("notebook", 1)))["number"]
    answer = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": NAMED})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("林小满女士来电", "林小满", True),
        ("林 小 满 called", "林小满", True),
        ("to call ＪＯＨＮ　ＳＭＩＴＨ back", "John Smith", True),
        ("the delivery was late", "Li", False),
        ("Li asked for it", "Li", True),
        ("林女士来电", "林小满", False),
        ("王先生", "王", False),
        ("", "林小满", False),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, name: str, found: bool) -> None:
    """A4: spaces, widths and cases; a short name in another word is none."""
    assert named_in(text, [name]) is found
