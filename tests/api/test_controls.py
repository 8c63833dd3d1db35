"""The standing controls: each finds what it is for, and nothing in a clean history (A9)."""

import itertools
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import granting
from application.checked import GOOD
from application.checking import check
from application.envelope import Context
from application.heads import SignedHead
from application.ordering import refund_order
from application.sealing import opened, sealed, signing_key_in
from application.streams import APPROVAL
from application.unit import Command, Unit
from domain.approvals import ApprovalGiven, ApprovalRequested, Kind
from domain.order_facts import Fault
from projections.controls import CONTROLS
from tests.api.conftest import Mall
from tests.api.test_disputes import AUDITOR, BOSS, OPS, SUPPORT, Desk, signed
from tests.api.test_returns import Counter, found
from tests.reliability.test_callbacks import LINES, Pushing

pytestmark = pytest.mark.anyio

SERVICE: dict[str, Any] = {"role": "service", "subject": "lms"}
LI: dict[str, Any] = {"role": "support", "subject": "li"}
REFUND = {"fault": "lost", "reason": "lost on the way"}
Findings = dict[str, list[list[Any]]]
"""By control, what each finding is found by: facts as `stream fact`."""


async def made(mall: Mall, **query: Any) -> Any:
    """The report on all that there is now."""
    answer = await mall.get("/v1/audit/reports/controls", **AUDITOR, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def controls(mall: Mall, **query: Any) -> Findings:
    """What is found, but for the sample."""
    told: dict[tuple[str, int], list[Any]] = {}
    for control, finding, _, stream, _, fact, *_ in (await made(mall, **query))["rows"]:
        told.setdefault((control, finding), []).append(f"{stream} {fact.partition('.')[2]}")
    found: Findings = {}
    for (control, _), facts in told.items():
        found.setdefault(control, []).append(facts)
    found.pop("random_sample", None)
    return found


async def refund(mall: Mall, number: str, **more: Any) -> None:
    answer = await mall.post(f"/v1/orders/{number}/refunds", {**REFUND, **more}, **SUPPORT)
    assert answer.status_code == 200, answer.text


async def claim(desk: Desk, *steps: str, **who: Any) -> None:
    """A claim for the parcel, as far as these steps."""
    body = {"parcel": desk.parcel, "reason": "lost"}
    filed = await desk.mall.post("/v1/claims", body, **OPS)
    assert filed.status_code == 201, filed.text
    for step in steps:
        path, body = f"/v1/claims/{desk.parcel}/steps", {"step": step, "reason": "by mail"}
        answer = await desk.mall.post(path, body, **(who or OPS))
        assert answer.status_code == 200, answer.text


async def compensate(mall: Mall, points: int, source: str, learner: str = "lin") -> None:
    row = {"learner": learner, "points": points, "reason": "compensation", "source": source}
    answer = await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)
    assert answer.json()["results"][0]["status"] == "granted", answer.text


async def adjust(mall: Mall, points: int, source: str, **who: Any) -> Any:
    body = {"learner": "lin", "points": points, "source": source, "why": "missing"}
    return await mall.post("/v1/points/adjustments", body, **(who or OPS))


@pytest.fixture
async def desk(mall: Mall) -> Desk:
    """Two notebooks of lin's that were signed for, and confirmed."""
    return await signed(mall, confirmed=True)


async def test_nothing_is_found_when_the_history_is_clean(mall: Mall) -> None:
    """A9 CONTROL: a compensation after the claim was paid, goods that came back and were looked at,
    a course, a card shown for its learner's case, points that a second person allowed."""
    desk = await signed(mall, confirmed=True)
    await desk.open("lost")
    await claim(desk, "accepted", "paid")
    await desk.decide("compensation", points=20)
    reveal = {"order": desk.number, "reason": "call back", "case": desk.case}
    assert (await mall.post("/v1/audit/reveals", reveal, **SUPPORT)).status_code == 200
    counter = Counter(desk)
    await counter.ask(lines=[{"sku": "notebook", "quantity": 1}])
    await counter.come_back()
    assert (await counter.inspect(found(1))).status_code == 200
    counter.id = f"{desk.number}-B2"
    counter.path = f"/v1/returns/{counter.id}"
    await counter.ask("exchange", "damaged")
    sent = {"carrier": "shunfeng", "waybill": "SF10000100077"}
    assert (await counter.post("sending", sent)).status_code == 200
    assert (await counter.post("arrival", **OPS)).status_code == 200
    assert (await counter.inspect(found(1, "scrap"))).json()["replacement"]
    course = (await mall.order(("python-course", 1), recipient=None))["number"]
    await refund(mall, course)
    asked = await adjust(mall, 6_000, "mistake")
    allow = {"decision": "allow", "reason": "checked"}
    assert (
        await mall.post(f"/v1/approvals/{asked.json()['approval']}", allow, **BOSS)
    ).status_code == 200
    await adjust(mall, 4_900, "another")
    report = await made(mall)
    assert {row[0] for row in report["rows"]} == {"random_sample"}
    assert report["parameters"]["controls"] == list(CONTROLS)


async def test_a_refund_is_found_when_nobody_saw_the_goods(mall: Mall) -> None:
    """A9: decided without the goods, or with goods that only the decision says are back."""
    without = await signed(mall, confirmed=True)
    await refund(mall, without.number)
    word = await mall.order(("enamel-mug", 1))
    pushing = Pushing(mall, await mall.ship(word["number"]))
    assert (await pushing.send(pushing.signed(pushing.param(*LINES)))).json()["result"] is True
    await refund(mall, word["number"], goods_back=True)
    told = await controls(mall)
    assert told == {
        "refund_without_goods_back": [[f"order:{without.number} UnitsRefunded"]],
        "goods_back_on_word": [[f"order:{word['number']} UnitsRefunded"]],
    }


@pytest.mark.parametrize("intact", [True, False])
async def test_no_refund_is_found_when_an_intercepted_parcel_came_back(
    mall: Mall, intact: bool
) -> None:
    """A9 CONTROL: broken goods are back, too; A9: who asked for it took it in themselves."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    stop = {"orders": [number], "reason": "wrong goods"}
    asked = await mall.post(f"/v1/parcels/{parcel}/interception", stop, **SUPPORT)
    assert asked.status_code == 200, asked.text
    back = {"intact": intact, "reason": "here it is"}
    who = OPS if intact else {**OPS, "subject": "wang"}
    answer = await mall.post(f"/v1/parcels/{parcel}/goods-back", back, **who)
    assert answer.status_code == 200, answer.text
    both = [f"intercept:{parcel} InterceptAsked", f"intercept:{parcel} GoodsTakenBack"]
    assert await controls(mall) == ({} if intact else {"same_maker_and_checker": [both]})


async def test_goods_are_found_when_they_were_sent_again_without_the_first_ones(
    desk: Desk,
) -> None:
    """A9: a case decided by sending them once more leaves the first ones where they are."""
    await desk.open()
    assert (await desk.decide("reship")).status_code == 200
    assert await controls(desk.mall) == {
        "sent_again_without_goods_back": [[f"order:{desk.number} ReplacementOrdered"]]
    }


@pytest.mark.parametrize("steps", [(), ("accepted",), ("rejected",)])
async def test_compensation_is_found_when_the_claim_is_open(
    desk: Desk, steps: tuple[str, ...]
) -> None:
    """A9, D2: with the claim as its evidence, until that is paid or written off."""
    await desk.open("lost")
    await claim(desk, *steps)
    await desk.decide("compensation", points=20)
    both = ["account:lin PointsGranted", f"claim:{desk.parcel} ClaimFiled"]
    assert await controls(desk.mall) == {"compensation_beside_open_claim": [sorted_by_log(both)]}


def sorted_by_log(facts: list[str]) -> list[str]:
    """The claim was filed before the points were given."""
    return facts[::-1]


async def test_compensation_is_found_when_a_claim_is_filed_afterwards(desk: Desk) -> None:
    """A9: whichever came first, they stand beside each other."""
    await desk.open("not_as_described")  # nothing is claimed by itself
    await desk.decide("compensation", points=20)
    assert await controls(desk.mall) == {}
    await claim(desk)
    (facts,) = (await controls(desk.mall))["compensation_beside_open_claim"]
    assert facts == ["account:lin PointsGranted", f"claim:{desk.parcel} ClaimFiled"]


async def test_compensation_by_hand_is_found_when_its_learner_has_an_open_claim(
    desk: Desk,
) -> None:
    """A9: no case names the parcel; CONTROL: another learner's compensation is not beside it."""
    await claim(desk)
    await compensate(desk.mall, 10, "sorry")
    await compensate(desk.mall, 10, "sorry", learner="chen")
    ((claimed, given),) = (await controls(desk.mall))["compensation_beside_open_claim"]
    assert (claimed, given) == (f"claim:{desk.parcel} ClaimFiled", "account:lin PointsGranted")


async def test_compensation_for_another_case_is_not_found_when_a_claim_is_open(
    desk: Desk,
) -> None:
    """A9 CONTROL: the case names its own parcel, for which nothing is claimed."""
    other = (await desk.mall.order(("enamel-mug", 1)))["number"]
    await desk.mall.post(
        "/v1/parcels", {"order": other, "part": 1}, role="operations", subject="ops"
    )
    waybill = {"carrier": "shunfeng", "waybill": "SF1000010000002"}
    for step, body in (("waybill", waybill), ("handover", {})):
        await desk.mall.post(f"/v1/parcels/{other}-P1/{step}", body, **OPS)
    body = {"parcel": f"{other}-P1", "reason": "lost", "unconfirmed_because": "they said so"}
    assert (await desk.mall.post("/v1/claims", body, **OPS)).status_code == 201
    await desk.open("not_as_described")  # nothing is claimed by itself
    assert (await desk.decide("compensation", points=20)).status_code == 200
    assert await controls(desk.mall) == {}


async def test_a_look_is_found_when_its_case_is_not_the_learners(mall: Mall) -> None:
    """A9: no case, one that there is not, and one that is somebody else's."""
    desk = await signed(mall, confirmed=True)
    await desk.open()
    order = {"learner": "chen", "lines": [{"sku": "enamel-mug", "quantity": 1}]}
    recipient = {
        "name": "陈大文", "phone": "13900139000", "province": "浙江省", "city": "杭州市",
        "district": "西湖区", "address": "文一路 8 号",
    }  # fmt: skip
    placed = await mall.post("/v1/orders", {**order, "recipient": recipient}, subject="chen")
    assert placed.status_code == 201, placed.text
    await mall.views()
    number = placed.json()["number"]
    for about, case in (
        (desk.number, desk.case),
        (number, desk.case),
        (number, "D-0"),
        (number, None),
    ):
        reveal = {"order": about, "reason": "call back", **({"case": case} if case else {})}
        answer = await mall.post("/v1/audit/reveals", reveal, **SUPPORT)
        assert answer.status_code == 200, answer.text
    assert await controls(mall) == {"unmasked_without_case": [["privacy:chen CardRevealed"]] * 3}


async def test_a_pack_is_found_when_it_was_given_out_unmasked(desk: Desk) -> None:
    """A9, D5: each of them; CONTROL: the masked one is nothing to be found."""
    await desk.open()
    assert (await desk.mall.get(f"{desk.path}/pack", **SUPPORT)).status_code == 200
    assert await controls(desk.mall) == {}
    why = {"reason": "the court asks"}
    assert (await desk.mall.post(f"{desk.path}/pack", why, **SUPPORT)).status_code == 200
    assert await controls(desk.mall) == {"pack_unmasked": [["privacy:lin PackRevealed"]]}


async def test_one_person_is_found_when_they_made_and_checked(desk: Desk) -> None:
    """A9, A8: cases, returns and claims, in whatever role; CONTROL: another one may."""
    await claim(desk, "written_off", **{**SUPPORT, "role": "operations"})
    opening = {"reason": "damaged"}
    path = f"/v1/orders/{desk.number}/disputes"
    assert (await desk.mall.post(path, opening, **SUPPORT)).status_code == 201
    assert await controls(desk.mall) == {}  # filed by one, written off by another
    await desk.decide("compensation", points=5)
    counter = Counter(desk)
    await counter.ask("refund_only", "missing_parts", **SUPPORT)
    agree = {"agree": True, "reason": "I know them"}
    assert (await counter.post("decision", agree, **SUPPORT)).status_code == 200
    told = await controls(desk.mall)
    assert told["same_maker_and_checker"] == [
        [f"dispute:{desk.case} DisputeOpened", f"dispute:{desk.case} DisputeDecided"],
        [f"return:{counter.id} ReturnOpened", f"return:{counter.id} ReturnSettled"],
    ]


async def test_one_person_is_found_when_an_approval_is_their_own(mall: Mall) -> None:
    """A9, A8: the domain refuses it; this is as if a fault had let it through."""

    def decide(unit: Unit) -> dict[str, Any]:
        asked_for = ApprovalRequested(
            kind=Kind.ADJUSTMENT, learner="lin", points=9_000, subject="x", maker="wu", reason="so"
        )
        unit.record(APPROVAL, "x", [asked_for, ApprovalGiven(checker="wu")])
        return {}

    context = Context(actor="operations:wu", command="both")
    await mall.tenant.store.execute(Command("operations:wu", "both", b"both", context, decide))
    assert await controls(mall) == {
        "same_maker_and_checker": [["approval:x ApprovalRequested", "approval:x ApprovalGiven"]]
    }


async def test_points_by_hand_are_found_when_their_pieces_pass_the_limit(mall: Mall) -> None:
    """A9, A8: by one person for one learner within a day; CONTROL: two people, or two days.

    The domain refuses the last one; this is as if a fault had let it through.
    """
    store = mall.tenant.store
    started = store.clock()
    await adjust(mall, 3_000, "a")
    await adjust(mall, 3_000, "b", **{**OPS, "subject": "zhou"})
    later = itertools.count()
    store.clock = lambda: started + timedelta(hours=25, seconds=next(later))
    await adjust(mall, -2_500, "c")
    assert await controls(mall) == {}
    assert (await adjust(mall, 2_500, "d")).status_code == 202
    context = Context(actor="operations:" + OPS["subject"], command="d")
    straight = partial(granting.adjust, learner="lin", points=2_500, source="d")
    await store.execute(Command(context.actor, "d", b"d", context, straight))
    assert await controls(mall) == {
        "over_limit_piece_by_piece": [["account:lin PointsDeducted", "account:lin PointsGranted"]]
    }


async def test_it_is_found_when_somebody_refunds_an_order_of_their_own(mall: Mall) -> None:
    """A9, A8: a person of the house is a learner, too; CONTROL: a colleague's is none."""
    for person, status in (("ops", 200), ("lin", 409)):
        mug = (await mall.order(("python-course", 1), recipient=None))["number"]
        who = {**SUPPORT, "subject": person}
        answer = await mall.post(f"/v1/orders/{mug}/refunds", REFUND, **who)
        assert answer.status_code == status, answer.text
    assert (answer.json()["code"], await controls(mall)) == ("own_account", {})
    straight = partial(
        refund_order, number=mug, wanted=None, fault=Fault.CHANGED_MIND, reason="x",
        goods_back=False, rules=mall.tenant.rules,
    )  # fmt: skip
    context = Context(actor="support:lin", command="d")
    await mall.tenant.store.execute(Command("support:lin", "d", b"d", context, straight))
    assert await controls(mall) == {"own_account": [[f"order:{mug} UnitsRefunded"]]}


async def test_a_fact_is_found_when_it_is_dated_back(mall: Mall) -> None:
    """A9, A5: by more days than are asked for."""
    late = mall.tenant.store.clock() - timedelta(days=30)
    row = {"learner": "lin", "points": 70, "reason": "task", "source": "late"}
    body = {"grants": [{**row, "happened_at": late.isoformat()}]}
    await mall.post("/v1/points/grants", body, **SERVICE)
    assert await controls(mall) == {"dated_back": [["account:lin PointsGranted"]]}
    assert await controls(mall, dated_back_days=31) == {}


async def test_the_sample_is_drawn_alike_when_its_seed_is_the_same(mall: Mall) -> None:
    """A9, A6: whoever knows the seed draws the same events; each comes with all its evidence."""
    await mall.order(("enamel-mug", 1))
    first = await made(mall, sample=10, seed="2026-07")
    position = first["position"]
    await mall.order(("notebook", 1))
    again = await made(mall, sample=10, seed="2026-07", position=position)
    other = await made(mall, sample=10, seed="2026-08", position=position)
    assert again == first
    assert other["rows"] != first["rows"]
    assert len(first["rows"]) == 10
    assert all(row[6]["event"]["actor"] and row[7] for row in first["rows"])
    too_many = await mall.get("/v1/audit/reports/controls", **AUDITOR, sample=501)
    assert too_many.status_code == 422


async def test_a_report_is_refused_when_an_event_in_it_is_not_in_the_log(mall: Mall) -> None:
    """A9, A6: even under the house's own seal; CONTROL: as it was made, all of it is proved."""
    answer = await mall.get("/v1/audit/reports/controls", **AUDITOR, sample=5)
    head = SignedHead.from_json(answer.json()["head"])
    good = check(answer.content, head=head)
    assert (good.status, good.findings) == (GOOD, [])
    assert any("is in the log of the head" in note for note in good.notes)
    private = signing_key_in(mall.settings.key_folder)
    content = opened(answer.content).content
    row = content["rows"][2]
    row[6]["event"]["actor"] = "operations:nobody"
    (finding,) = check(sealed(content, private), head=head).findings
    assert finding.place == "row 3"
    row[6] = {"stored_text": json.dumps(row[6]), "more": 1}
    assert check(sealed(content, private), head=head).findings
