"""Four eyes over HTTP: asked for by one, allowed by another, done once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

OPS = {"role": "operations", "subject": "ops"}
BOSS = {"role": "administrator", "subject": "boss"}
MUCH = {"learner": "lin", "points": 6_000, "source": "mistake-7", "why": "missing course"}


async def test_nothing_happens_when_much_is_added_by_one_person(mall: Mall) -> None:
    """A8: over the limit it waits for a second person, visibly."""
    before = await mall.balance()
    answer = await mall.post("/v1/points/adjustments", MUCH, **OPS)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending_approval")
    assert (await mall.balance())["available"] == before["available"]
    waiting = (await mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    assert [(one["maker"], one["points"]) for one in waiting] == [("ops", 6_000)]


async def test_it_is_refused_when_the_same_person_allows_it(mall: Mall) -> None:
    """A8: maker and checker are never the same, in whatever role they come."""
    asked = await mall.post("/v1/points/adjustments", MUCH, **OPS)
    path = f"/v1/approvals/{asked.json()['approval']}"
    allow = {"decision": "allow", "reason": "I know it is right"}
    for role in ("operations", "administrator"):
        answer = await mall.post(path, allow, role=role, subject="ops")
        assert (answer.status_code, answer.json()["code"]) == (409, "same_person")


async def test_it_happens_once_when_somebody_else_allows_it(mall: Mall) -> None:
    """A8, L5: in the commit of the approval; allowing it twice is refused."""
    before = await mall.balance()
    asked = await mall.post("/v1/points/adjustments", MUCH, **OPS)
    path = f"/v1/approvals/{asked.json()['approval']}"
    allow = {"decision": "allow", "reason": "checked"}
    first = await mall.post(path, allow, **BOSS)
    second = await mall.post(path, allow, **BOSS)
    assert (first.status_code, second.status_code) == (200, 409)
    assert (await mall.balance())["available"] == before["available"] + 6_000


async def test_it_never_happens_when_it_is_denied(mall: Mall) -> None:
    """A8: denied is denied."""
    before = await mall.balance()
    asked = await mall.post("/v1/points/adjustments", {**MUCH, "points": -5_100}, **OPS)
    path = f"/v1/approvals/{asked.json()['approval']}"
    await mall.post(path, {"decision": "deny", "reason": "no"}, **BOSS)
    late = await mall.post(path, {"decision": "allow", "reason": "well"}, **BOSS)
    assert late.status_code == 409
    assert (await mall.balance())["available"] == before["available"]


async def test_there_is_one_request_when_a_clawback_is_asked_for_twice(mall: Mall) -> None:
    """A8, L5: a big grant is clawed back by two people, once."""
    big = {"learner": "chen", "points": 9_000, "reason": "campaign", "source": "big"}
    await mall.post("/v1/points/grants", {"grants": [big]}, role="service", subject="lms")
    wrong = {"learner": "chen", "reason": "campaign", "source": "big", "why": "wrong person"}
    first = await mall.post("/v1/points/clawbacks", wrong, **OPS)
    again = await mall.post("/v1/points/clawbacks", wrong, **OPS)
    assert first.json()["approval"] == again.json()["approval"]
    path = f"/v1/approvals/{first.json()['approval']}"
    before = (await mall.balance("chen"))["available"]
    await mall.post(path, {"decision": "allow", "reason": "yes"}, **BOSS)
    assert (await mall.balance("chen"))["available"] == before - 9_000


async def test_the_back_door_is_closed_when_points_by_hand_come_as_a_grant(mall: Mall) -> None:
    """A8: compensations and manual grants over the limit are refused with the way to go."""
    for reason in ("manual", "compensation"):
        grant = {"learner": "lin", "points": 5_000, "reason": reason, "source": "x"}
        answer = await mall.post(
            "/v1/points/grants", {"grants": [grant]}, role="service", subject="lms"
        )
        assert answer.json()["results"][0]["code"] == "approval_needed"


SOME = {"learner": "lin", "points": 3_000, "source": "sorry", "why": "missing course"}
SUPPORT = {"role": "support", "subject": "wang"}
SERVICE = {"role": "service", "subject": "lms"}


async def adjusted(mall: Mall, points: int, learner: str = "lin", **who: str) -> int:
    body = {**SOME, "points": points, "learner": learner}
    answer = await mall.post("/v1/points/adjustments", body, **(who or OPS))
    return int(answer.status_code)


async def test_small_amounts_of_one_person_add_up_within_a_day(mall: Mall) -> None:
    """A8: given or taken, in whatever role, for one learner; of another one it is another sum."""
    other = {"role": "operations", "subject": "mei"}
    assert await adjusted(mall, 3_000) == 200
    assert await adjusted(mall, -1_999) == 200
    assert await adjusted(mall, 1) == 202
    assert await adjusted(mall, 1, role="administrator", subject="ops") == 202
    assert await adjusted(mall, 3_000, **other) == 200
    assert await adjusted(mall, 3_000, learner="chen") == 200
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=24)
    assert await adjusted(mall, 3_000) == 200


async def waiting(mall: Mall) -> list[tuple[int, int, int]]:
    """Points, and what their maker moved alone before, of what waits for a second person."""
    await mall.views()
    listed = (await mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    return [(one["points"], one["alone_points"], one["alone_times"]) for one in listed]


async def test_whoever_is_asked_for_little_is_told_what_was_moved_alone_before(mall: Mall) -> None:
    """A8: the sum that makes it much, of this maker and learner, as it was when they asked."""
    assert await adjusted(mall, 3_000) == 200
    assert await adjusted(mall, -1_999) == 200
    assert await adjusted(mall, 3_000, learner="chen") == 200
    assert await adjusted(mall, 1) == 202
    assert await adjusted(mall, 7_000, role="operations", subject="mei") == 202
    assert await waiting(mall) == [(1, 4_999, 2), (7_000, 0, 0)]
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=24)
    assert await adjusted(mall, 7_000) == 202
    assert (await waiting(mall))[-1] == (7_000, 0, 0)


async def test_a_claw_back_tells_it_too_and_is_one_request_when_the_sum_changed(mall: Mall) -> None:
    """A8, L5: asked for again a day later, what was moved alone before counts no more."""
    first, second = await granted(mall, "a"), await granted(mall, "b")
    await mall.post("/v1/points/clawbacks", first, **OPS)
    asked = await mall.post("/v1/points/clawbacks", second, **OPS)
    assert await waiting(mall) == [(3_000, 3_000, 1)]
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    again = await mall.post("/v1/points/clawbacks", second, **OPS)
    assert again.json()["approval"] == asked.json()["approval"]
    assert await waiting(mall) == [(3_000, 3_000, 1)]


async def test_what_a_service_hands_out_by_hand_adds_up(mall: Mall) -> None:
    """A8: adjustments and grants that somebody decides on; CONTROL: not what is achieved."""
    assert await adjusted(mall, 4_000, **SERVICE) == 200
    assert await adjusted(mall, 1_000, **SERVICE) == 202
    assert await waiting(mall) == [(1_000, 4_000, 1)]
    codes = []
    for reason in ("manual", "compensation", "campaign", "task"):
        grant = {"learner": "lin", "points": 4_999, "reason": reason, "source": "x"}
        answer = await mall.post("/v1/points/grants", {"grants": [grant]}, **SERVICE)
        codes.append(answer.json()["results"][0].get("code"))
    assert codes == ["approval_needed", "approval_needed", None, None]


async def test_nobody_moves_points_of_their_own_account(mall: Mall) -> None:
    """A8: neither alone nor as the second person, in whatever role."""
    for points in (1, -1, 6_000):
        answer = await mall.post("/v1/points/adjustments", {**SOME, "points": points},
                                 role="operations", subject="lin")  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
    grant = {"learner": "lin", "points": 5, "reason": "task", "source": "x"}
    answer = await mall.post("/v1/points/grants", {"grants": [grant]}, **{**OPS, "subject": "lin"})
    assert answer.json()["results"][0]["code"] == "own_account"
    asked = await mall.post("/v1/points/adjustments", MUCH, **OPS)
    path = f"/v1/approvals/{asked.json()['approval']}"
    for decision in ("allow", "deny"):
        body = {"decision": decision, "reason": "mine"}
        answer = await mall.post(path, body, role="administrator", subject="lin")
        assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
    allow = {"decision": "allow", "reason": "checked"}
    assert (await mall.post(path, allow, **BOSS)).status_code == 200


async def test_what_a_second_person_allowed_does_not_count_for_the_first(mall: Mall) -> None:
    """A8: it is what one does alone that adds up."""
    asked = await mall.post("/v1/points/adjustments", MUCH, **OPS)
    path = f"/v1/approvals/{asked.json()['approval']}"
    await mall.post(path, {"decision": "allow", "reason": "checked"}, **BOSS)
    assert await adjusted(mall, 4_999) == 200
    assert await adjusted(mall, 1, **BOSS) == 200


async def granted(mall: Mall, source: str, points: int = 3_000) -> dict[str, str]:
    """A grant, and what takes it back."""
    grant = {"learner": "chen", "points": points, "reason": "campaign", "source": source}
    await mall.post("/v1/points/grants", {"grants": [grant]}, **SERVICE)
    return {"learner": "chen", "reason": "campaign", "source": source, "why": "wrong person"}


async def test_claw_backs_of_one_person_add_up_and_each_grant_is_taken_once(mall: Mall) -> None:
    """A8, L5: alone or allowed, asked for again or not, a grant goes back once."""
    first, second = await granted(mall, "a"), await granted(mall, "b")
    before = (await mall.balance("chen"))["available"]
    alone = await mall.post("/v1/points/clawbacks", first, **OPS)
    assert (alone.status_code, alone.json()["status"]) == (200, "clawed_back")
    again = await mall.post("/v1/points/clawbacks", first, **OPS)
    assert (again.status_code, again.json()["status"], again.json()["debt"]) == (
        200,
        "duplicate",
        None,
    )
    asked = await mall.post("/v1/points/clawbacks", second, **OPS)
    assert asked.status_code == 202
    assert (await mall.balance("chen"))["available"] == before - 3_000
    path = f"/v1/approvals/{asked.json()['approval']}"
    assert (
        await mall.post(path, {"decision": "allow", "reason": "yes"}, **BOSS)
    ).status_code == 200
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    late = await mall.post("/v1/points/clawbacks", second, **OPS)
    assert (late.status_code, late.json()["status"]) == (200, "duplicate")
    assert (await mall.balance("chen"))["available"] == before - 6_000


async def test_a_claw_back_that_is_sent_again_answers_as_it_did_before(mall: Mall) -> None:
    """R16, L5: the first answer, its status included: asked for (202), or taken already (200)."""
    big = await granted(mall, "a", 9_000)
    path = "/v1/points/clawbacks"
    asked = [await mall.post(path, big, key="first", **OPS) for _ in range(2)]
    assert [one.status_code for one in asked] == [202, 202]
    allow = {"decision": "allow", "reason": "yes"}
    await mall.post(f"/v1/approvals/{asked[0].json()['approval']}", allow, **BOSS)
    late = [await mall.post(path, big, key="second", **OPS) for _ in range(2)]
    assert [one.status_code for one in late] == [200, 200]
    assert late[0].content == late[1].content
    assert late[0].json()["status"] == "duplicate"
    again = await mall.post(path, big, key="first", **OPS)
    assert (again.status_code, again.content) == (202, asked[0].content)


async def test_a_service_is_weighed_step_by_step(mall: Mall) -> None:
    """A8, L5: a withdrawal takes back many grants at once, as the platform's rules say."""
    for source in ("a", "b", "c"):
        wrong = await granted(mall, source)
        assert (await mall.post("/v1/points/clawbacks", wrong, **SERVICE)).status_code == 200
    assert (await mall.post("/v1/points/clawbacks", wrong, **SERVICE)).json()[
        "status"
    ] == "duplicate"


async def test_an_adjustment_is_taken_back_by_its_own_name_and_never_granted(mall: Mall) -> None:
    """L5, L1: the statement names its source; a grant cannot come under it (rules.md 14)."""
    before = (await mall.balance())["available"]
    assert await adjusted(mall, 700) == 200
    await mall.views()
    entries = (await mall.get("/v1/learners/lin/statement", subject="lin")).json()["entries"]
    source = entries[0]["source"]
    told = [entries[0][name] for name in ("grant_reason", "why", "reason")]
    assert told == ["manual", "missing course", "missing course"]
    row = {"learner": "lin", "points": 700, "reason": "manual", "source": source}
    answer = await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)
    assert answer.json()["results"][0]["code"] == "source_of_ours"
    wrong = {"learner": "lin", "reason": "manual", "source": source, "why": "not theirs"}
    taken = [(await mall.post("/v1/points/clawbacks", wrong, **OPS)).json() for _ in range(2)]
    assert [one["status"] for one in taken] == ["clawed_back", "duplicate"]
    assert (await mall.balance())["available"] == before


async def test_a_claw_back_can_be_asked_for_again_when_it_was_denied(mall: Mall) -> None:
    """A8, L5, rules.md 31: under a new request; the same key keeps its first answer."""
    wrong = await granted(mall, "a", 6_000)
    first = await mall.post("/v1/points/clawbacks", wrong, key="one", **OPS)
    twin = await mall.post("/v1/points/clawbacks", {**wrong, "why": "so"}, **OPS)
    assert twin.json()["approval"] == first.json()["approval"]
    deny = {"decision": "deny", "reason": "it was right"}
    assert (
        await mall.post(f"/v1/approvals/{first.json()['approval']}", deny, **BOSS)
    ).status_code == 200
    kept = await mall.post("/v1/points/clawbacks", wrong, key="one", **OPS)
    assert (kept.status_code, kept.content) == (202, first.content)
    again = await mall.post("/v1/points/clawbacks", wrong, **OPS)
    assert again.json()["approval"] != first.json()["approval"]
    before = (await mall.balance("chen"))["available"]
    allow = {"decision": "allow", "reason": "it was wrong"}
    path = f"/v1/approvals/{again.json()['approval']}"
    assert (await mall.post(path, allow, **BOSS)).status_code == 200
    assert (await mall.balance("chen"))["available"] == before - 6_000
    for who in (OPS, SERVICE):
        late = await mall.post("/v1/points/clawbacks", wrong, **who)
        assert (late.status_code, late.json()["status"]) == (200, "duplicate")


async def test_a_person_does_not_do_alone_what_was_denied(mall: Mall) -> None:
    """A8: however little it is by then; the platform's own rules may."""
    assert await adjusted(mall, 3_000, learner="chen") == 200
    wrong = await granted(mall, "a")
    asked = await mall.post("/v1/points/clawbacks", wrong, **OPS)
    deny = {"decision": "deny", "reason": "it was right"}
    await mall.post(f"/v1/approvals/{asked.json()['approval']}", deny, **BOSS)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=25)
    assert (await mall.post("/v1/points/clawbacks", wrong, **OPS)).status_code == 202
    mall.tenant.store.clock = lambda: datetime.now(UTC) + timedelta(hours=50)
    assert (await mall.post("/v1/points/clawbacks", wrong, **SERVICE)).status_code == 202


async def test_another_reason_is_no_way_around_a_second_person(mall: Mall) -> None:
    """A8: whatever a person grants is by hand; the platform grants what was earned."""
    for reason in ("campaign", "task", "course_completed"):
        grant = {"learner": "chen", "points": 5_000, "reason": reason, "source": "much"}
        answer = await mall.post("/v1/points/grants", {"grants": [grant]}, **OPS)
        assert answer.json()["results"][0]["code"] == "approval_needed"
        answer = await mall.post("/v1/points/grants", {"grants": [grant]}, **SERVICE)
        assert answer.json()["results"][0]["status"] == "granted"
