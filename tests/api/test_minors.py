"""A minor's data over HTTP: a second person allows it, for a while, each look is a record (A9)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.streams import PRIVACY
from domain.privacy import Privacy
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

REVEALS = "/v1/audit/reveals"
SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
SUE: dict[str, Any] = {"role": "support", "subject": "sue"}
OPERATIONS: dict[str, Any] = {"role": "operations", "subject": "ops"}
BOSS: dict[str, Any] = {"role": "administrator", "subject": "boss"}
PLATFORM: dict[str, Any] = {"role": "service", "subject": "lms"}
NAME = "林小满"


async def mark(mall: Mall, *, minor: bool, **who: Any) -> Any:
    body = {"status": "active", "minor": minor}
    return await mall.post("/v1/learners/lin", body, method="PUT", **(who or PLATFORM))


async def minors_order(mall: Mall) -> str:
    """An order of a learner who is a minor."""
    number: str = (await mall.order(("enamel-mug", 1)))["number"]
    marked = await mark(mall, minor=True)
    assert (marked.status_code, marked.json()["minor"]) == (200, True)
    return number


async def facts(mall: Mall, stream: str = "privacy:lin") -> list[dict[str, Any]]:
    answer = await mall.get(f"/v1/audit/streams/{stream}", role="auditor", subject="audit")
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


async def decide(mall: Mall, approval: str, decision: str = "allow", **who: Any) -> Any:
    body = {"decision": decision, "reason": "looked at the case"}
    return await mall.post(f"/v1/approvals/{approval}", body, **(who or BOSS))


async def test_a_second_person_is_asked_when_a_minors_recipient_is_wanted(
    mall: Mall, database: MallDatabase
) -> None:
    """A9: 202, nothing is shown; the request says who asks, in which role, about what."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    number = await minors_order(mall)
    body = {"order": number, "reason": "the carrier asks for the door"}
    asked = await mall.post(REVEALS, body, **SUPPORT)
    assert (asked.status_code, asked.json()["status"]) == (202, "pending_approval")
    assert NAME not in asked.text
    again = await mall.post(REVEALS, body, **SUPPORT)
    assert (again.status_code, again.json()["approval"]) == (202, asked.json()["approval"])
    await mall.views()
    (waiting,) = (await mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    assert waiting["kind"] == "reveal"
    assert (waiting["maker"], waiting["maker_role"]) == ("wang", "support")
    assert waiting["about"] == f"order:{number}"
    troubles = (await mall.get("/v1/troubles", **BOSS)).json()["troubles"]
    (trouble,) = [one for one in troubles if one["kind"] == "approval"]
    assert trouble["what"] == "to see a card of lin, a minor"
    assert "privacy.CardRevealed" not in [one["fact"] for one in await facts(mall)]


async def test_it_is_shown_for_a_while_when_somebody_else_allowed_it(mall: Mall) -> None:
    """A8, A9: to whoever asked alone, until the approval's time is over; each look is a record."""
    number = await minors_order(mall)
    body = {"order": number, "reason": "the carrier asks for the door"}
    approval = (await mall.post(REVEALS, body, **SUPPORT)).json()["approval"]
    own = await decide(mall, approval, role="operations", subject="wang")
    assert (own.status_code, own.json()["code"]) == (409, "same_person")
    given = await decide(mall, approval)
    assert given.status_code == 200
    until = datetime.fromisoformat(given.json()["valid_until"])

    shown = await mall.post(REVEALS, body, **SUPPORT)
    assert shown.status_code == 200, shown.text
    assert shown.json()["recipient"]["name"] == NAME
    second = await mall.post(REVEALS, body, **SUPPORT)
    assert second.status_code == 200
    other = await mall.post(REVEALS, body, **SUE)
    assert other.status_code == 202
    assert other.json()["approval"] != approval

    mall.tenant.store.clock = lambda: until
    late = await mall.post(REVEALS, body, **SUPPORT)
    assert late.status_code == 202
    assert late.json()["approval"] != approval
    looks = [one for one in await facts(mall) if one["fact"] == "privacy.CardRevealed"]
    assert [one["data"]["approval"] for one in looks] == [approval, approval]
    assert {(one["actor"], one["reason"]) for one in looks} == {("support:wang", body["reason"])}
    (_, allowed) = await facts(mall, f"approval:{approval}")
    assert allowed["data"]["checker_role"] == "administrator"
    report = await mall.get("/v1/audit/reports/controls", role="auditor", subject="a", sample=0)
    rows = report.json()["rows"]
    looks_at = [
        (finding, fact) for control, finding, _, _, _, fact, *_ in rows if "minor" in control
    ]
    assert len({finding for finding, _ in looks_at}) == 2
    assert [fact for _, fact in looks_at] == ["approvals.ApprovalGiven", "privacy.CardRevealed"] * 2


async def test_it_is_asked_for_anew_when_it_was_denied(mall: Mall) -> None:
    """A9: denied shows nothing; who asks again is a new request with its own reason."""
    number = await minors_order(mall)
    body = {"order": number, "reason": "curious"}
    first = (await mall.post(REVEALS, body, **SUPPORT)).json()["approval"]
    await decide(mall, first, "deny")
    again = await mall.post(REVEALS, {**body, "reason": "the parcel came back"}, **SUPPORT)
    assert again.status_code == 202
    assert again.json()["approval"] != first


async def test_the_key_shows_it_no_longer_when_its_time_is_over(mall: Mall) -> None:
    """A4, R60: an answer that was lost can be asked for again, but a later look is a record."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    body = {"order": number, "reason": "call back"}
    shown = await mall.post(REVEALS, body, **SUPPORT, key="once")
    assert shown.status_code == 200
    mall.tenant.store.clock = lambda: (
        datetime.fromisoformat(shown.json()["shown_until"]) - timedelta(seconds=1)
    )
    assert (await mall.post(REVEALS, body, **SUPPORT, key="once")).status_code == 200
    mall.tenant.store.clock = lambda: datetime.fromisoformat(shown.json()["shown_until"])
    late = await mall.post(REVEALS, body, **SUPPORT, key="once")
    assert (late.status_code, late.json()["code"]) == (409, "reveal_over")
    assert NAME not in late.text
    assert (await mall.post(REVEALS, body, **SUPPORT, key="twice")).status_code == 200


async def test_only_the_platform_says_it_when_somebody_is_of_age(mall: Mall) -> None:
    """A9: nobody gets round four eyes by making a minor older; masked data says that they are."""
    number = await minors_order(mall)
    for who in (OPERATIONS, BOSS):
        answer = await mark(mall, minor=False, **who)
        assert (answer.status_code, answer.json()["failures"][0]["field"]) == (422, "minor")
    kept = await mall.post("/v1/learners/lin", {"status": "active"}, method="PUT", **OPERATIONS)
    assert kept.json()["minor"] is True
    seen = (await mall.get(f"/v1/orders/{number}/recipient", **SUPPORT)).json()
    assert seen["minor"] is True
    own = (await mall.get(f"/v1/orders/{number}/recipient")).json()
    assert "minor" not in own
    assert (await mark(mall, minor=False)).json()["minor"] is False
    shown = await mall.post(REVEALS, {"order": number, "reason": "call back"}, **SUPPORT)
    assert shown.status_code == 200


async def test_a_minors_card_is_shown_at_once_when_nobody_asks_how_old_they_are(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A9 CONTROL: a state that forgets who is a minor."""
    number = await minors_order(mall)
    whole = PRIVACY.evolve

    def forgetful(state: Privacy, fact: Any) -> Privacy:
        return Privacy(holds=whole(state, fact).holds)

    monkeypatch.setattr(PRIVACY, "evolve", forgetful)
    mall.tenant.store._writer.states.forget_all()
    shown = await mall.post(REVEALS, {"order": number, "reason": "x"}, **SUPPORT)
    assert shown.status_code == 200
