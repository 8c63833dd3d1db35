"""What a carrier is at fault for is claimed of it by itself: as much, once a parcel (D2, D3)."""

import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application import (
    approving,
    claiming,
    ordering,
    releasing,
    shipping,
    stocking,
    taking_back,
)
from application.blaming import Blame
from application.refunding import refund_at_order
from application.settling import agree
from application.streams import CLAIM, ORDER, RETURN
from application.streams import PARCEL as PARCELS
from domain.catalogue import Kind
from domain.claims import ClaimCorrected, ClaimFiled, ClaimState, worth_less
from domain.dispute_facts import DisputeDecided, Outcome
from domain.order_facts import Fault, UnitsRefunded
from domain.parcel_facts import Content
from domain.refusals import InvalidRequest
from domain.return_facts import Payer, Remedy, ReturnSettled, Verdict
from tests.domain.test_deciding import DAY, Desk
from tests.domain.test_joining import RULES
from tests.domain.test_returns import BACK, Counter, came_back, mugs

PARCEL = "N1-P1"
FREIGHT = 1_000
MUG = 5_000


def filed(desk: Desk, parcel: str = PARCEL) -> list[ClaimFiled]:
    """The claims for a parcel."""
    return [one for one in desk.log.facts(CLAIM, parcel) if isinstance(one, ClaimFiled)]


@pytest.mark.parametrize(
    ("reason", "outcome", "lines", "fen"),
    [
        (Fault.LOST, Outcome.REFUND, None, 2 * MUG),
        (Fault.NOT_RECEIVED, Outcome.RESHIP, None, 2 * MUG),
        (Fault.LOST, Outcome.COMPENSATION, None, 2 * MUG),
        (Fault.LOST, Outcome.REFUND, (("mug", 1),), MUG),  # the other one came
        (Fault.NOT_RECEIVED, Outcome.RESHIP, (("mug", 1),), MUG),
        (Fault.DAMAGED, Outcome.REFUND, (("mug", 1),), MUG),
        (Fault.DAMAGED, Outcome.RESHIP, None, 2 * MUG),
        (Fault.LATE, Outcome.REFUND, (("mug", 1),), MUG),
        (Fault.DAMAGED, Outcome.COMPENSATION, None, 2_500),  # 5 of 20 points: as much of its value
        (Fault.LATE, Outcome.COMPENSATION, None, 0),  # it is worth what it was
        (Fault.LOST, Outcome.FOUND, None, 0),
        (Fault.WRONG_GOODS, Outcome.REFUND, None, 0),
        (Fault.NOT_AS_DESCRIBED, Outcome.REFUND, None, 0),
    ],
)
def test_a_decision_claims_what_the_carrier_has_to_make_good(
    reason: Fault, outcome: Outcome, lines: tuple[tuple[str, int], ...] | None, fen: int
) -> None:
    """D2: by its reason and its units; what the learner gets is the same as without a claim."""
    desk = Desk()
    desk.open(reason)
    points = 5 if outcome is Outcome.COMPENSATION else 0
    answer = desk.decide(outcome, lines=lines, points=points)
    claims = filed(desk)
    assert [one.claimed_fen for one in claims] == ([fen] if fen else [])
    assert [one["claimed_fen"] for one in answer["claims"]] == ([fen] if fen else [])
    if claims:
        assert (claims[0].reason, claims[0].orders) == (reason, ("N1",))
    desk.balanced()


def test_the_decision_is_why_the_claim_was_filed() -> None:
    """A1: the decision's own fact comes first, and is the claim's cause."""
    desk = Desk()
    desk.open(Fault.LOST)
    desk.decide(Outcome.REFUND)
    names = [type(one.fact) for one in desk.log.recorded]
    assert names.index(DisputeDecided) < names.index(ClaimFiled)


def test_what_nobody_confirmed_is_claimed_for_the_reason_that_staff_gave() -> None:
    """Rules.md 23: value waits for a query or for somebody's word, the claim as the decision."""
    desk = Desk(confirmed=False)
    desk.open(Fault.LOST)
    desk.decide(Outcome.REFUND, unconfirmed_because="the courier called")
    (claim,) = filed(desk)
    assert claim.unconfirmed_because == "the courier called"


def test_a_second_person_who_allows_the_decision_files_the_claim() -> None:
    """A8: nothing is claimed for what is only proposed."""
    desk = Desk()
    desk.open(Fault.LOST)
    asked = desk.decide(Outcome.REFUND, points=6_000)
    assert filed(desk) == []
    allow = partial(approving.allow, approval=asked["approval"], checker="li", rules=RULES)
    answer = desk.do(allow)
    assert [one["claimed_fen"] for one in answer["claims"]] == [2 * MUG]
    assert len(filed(desk)) == 1


def corrected(desk: Desk, parcel: str = PARCEL) -> list[int]:
    """What was claimed for a parcel after its first sum."""
    facts = desk.log.facts(CLAIM, parcel)
    return [one.claimed_fen for one in facts if isinstance(one, ClaimCorrected)]


def file(desk: Desk, fen: int) -> None:
    """By hand."""
    desk.do(
        partial(
            claiming.file_claim, parcel=PARCEL, reason=Fault.DAMAGED, claimed_fen=fen,
            unconfirmed_because="", rules=RULES,
        )
    )  # fmt: skip


def test_a_parcel_has_one_claim_for_all_that_is_said_of_it() -> None:
    """Rules.md 27: filed by hand or by an earlier decision, later ones raise it."""
    desk = Counter()
    file(desk, 1_000)
    came_back(desk)
    answer = desk.inspect(mugs(2, Verdict.SCRAP))
    (told,) = answer["claims"]
    assert (told["claim"], told["claimed_fen"], told["why"]) == (ClaimState.FILED, 11_000, None)
    assert ([one.claimed_fen for one in filed(desk)], corrected(desk)) == ([1_000], [11_000])


def test_no_claim_is_for_more_than_the_parcel_and_its_freight() -> None:
    """D2: neither by hand nor by what is raised by itself."""
    desk = Counter()
    most = 2 * MUG + 2 * FREIGHT
    refused = desk.unchanged(InvalidRequest, partial(file, desk, most + 1))
    assert f"{most} fen at most" in str(refused)
    file(desk, most - 500)
    came_back(desk)
    assert desk.inspect(mugs(2, Verdict.SCRAP))["claims"][0]["claimed_fen"] == most - 500


def most_of(desk: Desk, parcel: str) -> int:
    """What can be claimed for a parcel at most, as a refusal names it."""
    wanted = partial(
        claiming.file_claim, parcel=parcel, reason=Fault.LOST, claimed_fen=10**9,
        unconfirmed_because="x", rules=RULES,
    )  # fmt: skip
    refused = str(desk.unchanged(InvalidRequest, partial(desk.do, wanted)))
    return int(re.findall(r"(\d+) fen at most", refused)[0])


def test_a_claim_takes_only_what_was_in_its_parcel_when_the_order_was_split() -> None:
    """D2, S1: what went in another parcel is no other carrier's; what was paid back since is."""
    desk = Desk()
    desk.do(partial(stocking.put_warehouse, warehouse=desk.warehouse("b")))
    desk.item("vase", "a", units=1, market_value_fen=7_000)
    desk.item("lamp", "b", units=3, points=2, market_value_fen=6_000)
    desk.place("N2", ("vase", 1), ("lamp", 2))
    where = {one.warehouse: one.number for one in desk.log.state(ORDER, "N2").parts}
    for place in ("a", "b"):
        box = desk.packed("N2", where[place])
        desk.do(partial(shipping.hand_over, parcel=box, rules=RULES))
    goods = {f"N2-P{where['a']}": 7_000, f"N2-P{where['b']}": 12_000}
    assert {box: most_of(desk, box) for box in goods} == {
        box: fen + 2 * FREIGHT for box, fen in goods.items()
    }
    refunded_at_order(desk, Fault.CHANGED_MIND, number="N2", wanted=[("lamp", 1)])
    assert most_of(desk, f"N2-P{where['b']}") == 12_000 + 2 * FREIGHT


def test_a_claim_takes_what_all_orders_have_in_a_merged_parcel() -> None:
    """D2, S4: and none of what was cancelled before it left."""
    desk = Desk()
    desk.item("vase", "a", units=9, points=1, market_value_fen=7_000)
    desk.place("N2", ("vase", 3))
    desk.place("N3", ("vase", 1))
    cancel = partial(ordering.cancel_order, number="N2", wanted=[("vase", 1)], reason="x")
    desk.do(partial(cancel, rules=RULES))
    parts = [Content(order=number, part=1) for number in ("N2", "N3")]
    wave = partial(releasing.release_together, contents=parts, wave="by hand", rules=RULES)
    (box,) = desk.do(wave)["parcels"]
    desk.do(partial(releasing.pick_parcel, parcel=box))
    desk.do(partial(releasing.pack_parcel, parcel=box, weight_grams=1))
    desk.do(partial(shipping.issue_waybill, parcel=box, carrier="yuantong", waybill="M"))
    desk.do(partial(shipping.hand_over, parcel=box, rules=RULES))
    assert most_of(desk, box) == 3 * 7_000 + 2 * FREIGHT


def test_a_claim_stays_and_says_why_when_its_carrier_has_answered() -> None:
    """D2: what was accepted is not asked for anew; nobody's points wait for it."""
    desk = Desk()
    file(desk, MUG)
    step = partial(claiming.step, parcel=PARCEL, reference="", reason="x", rules=RULES)
    desk.do(partial(step, name="accepted", amount_fen=None))
    answer = refunded_at_order(desk, Fault.DAMAGED)
    (told,) = answer["claims"]
    assert (told["claimed_fen"], "the claim is accepted" in told["why"]) == (MUG, True)
    assert (answer["points"], corrected(desk)) == (20, [])


def test_all_of_it_is_claimed_once_the_rest_is_lost_as_well() -> None:
    """D2: one of two was not received, then the other one neither."""
    desk = Desk()
    for claimed in (MUG, 2 * MUG):
        answer = refunded_at_order(desk, Fault.NOT_RECEIVED, wanted=[("mug", 1)])
        assert [one["claimed_fen"] for one in answer["claims"]] == [claimed]


def test_a_claim_that_comes_too_late_keeps_nobody_s_points() -> None:
    """D2: the carrier's time is over; the learner gets theirs, and the desk is told why."""
    desk = Desk()
    desk.open(Fault.LOST)
    before, desk.now = desk.available(), desk.now + 60 * DAY
    answer = desk.decide(Outcome.REFUND)
    assert answer["points_refunded"] == desk.available() - before == 20
    (told,) = answer["claims"]
    assert (told["claim"], "took claims" in told["why"]) == (None, True)
    assert told["why_zh"] != told["why"]
    assert filed(desk) == []


@pytest.mark.parametrize(
    ("reason", "verdicts", "payer", "fen"),
    [
        (Fault.DAMAGED, (Verdict.SCRAP, Verdict.SCRAP), None, 2 * MUG + FREIGHT),
        (Fault.DAMAGED, (Verdict.SCRAP, Verdict.RESTOCK), None, MUG + FREIGHT),
        (Fault.DAMAGED, (Verdict.RESTOCK, Verdict.RESTOCK), None, FREIGHT),
        (Fault.LATE, (Verdict.RESTOCK, Verdict.RESTOCK), None, FREIGHT),
        (Fault.DAMAGED, (Verdict.SCRAP, Verdict.SCRAP), Payer.MALL, 0),
        (Fault.DAMAGED, (Verdict.SCRAP, Verdict.SCRAP), Payer.LEARNER, 0),
        (Fault.NOT_AS_DESCRIBED, (Verdict.SCRAP, Verdict.SCRAP), None, 0),
        (Fault.NOT_AS_DESCRIBED, (Verdict.SCRAP, Verdict.RESTOCK), Payer.CARRIER, MUG + FREIGHT),
    ],
)
def test_an_inspection_claims_what_nobody_can_sell_and_the_way_back(
    reason: Fault, verdicts: tuple[Verdict, Verdict], payer: Payer | None, fen: int
) -> None:
    """D3, rules.md 28: of whoever brought it, if the inspection says that it was them."""
    desk = Counter()
    came_back(desk, reason=reason)
    answer = desk.inspect(*(mugs(1, one) for one in verdicts), payer=payer)
    claims = filed(desk)
    assert [one.claimed_fen for one in claims] == ([fen] if fen else [])
    assert [one["parcel"] for one in answer["claims"]] == ([PARCEL] if fen else [])
    assert filed(desk, BACK) == []
    names = [type(one.fact) for one in desk.log.recorded]
    if claims:
        assert claims[0].unconfirmed_because == "the goods were inspected"
        assert names.index(ReturnSettled) < names.index(ClaimFiled)
    desk.balanced()


def test_an_exchange_claims_alike() -> None:
    """D3: the right goods are sent once more; the broken ones are the carrier's."""
    desk = Counter()
    came_back(desk, remedy=Remedy.EXCHANGE)
    assert desk.inspect(mugs(2, Verdict.SCRAP))["replacement"] == "N1-R1"
    assert [one.claimed_fen for one in filed(desk)] == [2 * MUG + FREIGHT]


def test_a_refund_without_the_goods_claims_them_and_no_way_back() -> None:
    """D3: staff agreed to it; refused, nothing is claimed."""
    desk = Counter()
    desk.ask(Remedy.REFUND_ONLY, lines=(("mug", 1),))
    answer = desk.do(partial(agree, name=BACK, reason="seen", message=None, rules=RULES))
    assert [one["claimed_fen"] for one in answer["claims"]] == [MUG]
    assert [one.claimed_fen for one in filed(desk)] == [MUG]
    assert desk.log.state(RETURN, BACK).settled is not None
    assert desk.log.state(ORDER, "N1").live_units(1) == 1


def refunded_at_order(desk: Desk, fault: Fault, **more: Any) -> dict[str, Any]:
    """Staff refund it outside any case or return."""
    wanted = {"number": "N1", "wanted": None, "reason": "seen", "goods_back": False, **more}
    return desk.do(partial(refund_at_order, fault=fault, rules=RULES, **wanted))


@pytest.mark.parametrize(
    ("fault", "more", "fen"),
    [
        (Fault.DAMAGED, {}, 2 * MUG),
        (Fault.DAMAGED, {"wanted": [("mug", 1)]}, MUG),
        (Fault.LATE, {"wanted": [("mug", 1)]}, MUG),
        (Fault.LOST, {}, 2 * MUG),
        (Fault.NOT_RECEIVED, {"wanted": [("mug", 1)]}, MUG),  # the other one came
        (Fault.DAMAGED, {"goods_back": True}, 0),  # it is on its shelf again
        (Fault.WRONG_GOODS, {}, 0),
        (Fault.CHANGED_MIND, {}, 0),
    ],
)
def test_a_refund_at_the_order_claims_what_its_carrier_has_to_make_good(
    fault: Fault, more: dict[str, Any], fen: int
) -> None:
    """D2: as a case would, once it is paid back and because of that; nobody need confirm it."""
    desk = Desk(confirmed=False)
    answer = refunded_at_order(desk, fault, **more)
    claims = filed(desk)
    assert [one.claimed_fen for one in claims] == ([fen] if fen else [])
    assert [one["claimed_fen"] for one in answer.get("claims", [])] == ([fen] if fen else [])
    if claims:
        assert (claims[0].reason, claims[0].orders) == (fault, ("N1",))
        assert claims[0].unconfirmed_because == "staff refunded it at the order"
        names = [type(one.fact) for one in desk.log.recorded]
        assert names.index(UnitsRefunded) < names.index(ClaimFiled)
    desk.balanced()


def test_a_second_refund_at_the_order_raises_the_claim() -> None:
    """Rules.md 27: the parcel has one claim, for both of its broken mugs."""
    desk = Desk()
    for claimed in (MUG, 2 * MUG):
        answer = refunded_at_order(desk, Fault.DAMAGED, wanted=[("mug", 1)])
        assert [one["claimed_fen"] for one in answer["claims"]] == [claimed]
    assert ([one.claimed_fen for one in filed(desk)], corrected(desk)) == ([MUG], [2 * MUG])
    assert desk.available() == 100


def test_a_refund_that_comes_too_late_for_a_claim_is_paid_all_the_same() -> None:
    """D2: the desk is told why nothing was claimed."""
    desk = Desk()
    desk.now += 60 * DAY
    answer = refunded_at_order(desk, Fault.DAMAGED)
    assert (answer["points"], filed(desk)) == (20, [])
    assert "took claims" in answer["claims"][0]["why"]


def test_a_course_that_is_refunded_has_no_carrier() -> None:
    """D2: what nobody brought is nobody's to make good."""
    desk = Desk()
    desk.item("course", kind=Kind.COURSE, points=5)
    desk.place("N2", ("course", 1), to=None)
    assert "claims" not in refunded_at_order(desk, Fault.NOT_RECEIVED, number="N2")


@pytest.mark.parametrize(
    ("points", "fen"), [(5, 2_500), (1, 500), (19, 9_500), (20, 2 * MUG), (500, 2 * MUG)]
)
def test_a_broken_thing_that_is_kept_claims_what_its_learner_got_for_it(
    points: int, fen: int
) -> None:
    """D2: as much of its value as the points are of its price, and never more than all of it."""
    desk = Desk()
    desk.open(Fault.DAMAGED)
    answer = desk.decide(Outcome.COMPENSATION, points=points)
    assert [one["claimed_fen"] for one in answer["claims"]] == [fen]
    assert [one.claimed_fen for one in filed(desk)] == [fen]
    desk.balanced()


def test_only_what_is_still_kept_has_lost_anything() -> None:
    """D2: half of it was paid back before: its carrier makes good no more than the rest."""
    desk = Desk()
    refunded_at_order(desk, Fault.CHANGED_MIND, wanted=[("mug", 1)])
    desk.open(Fault.DAMAGED)
    desk.decide(Outcome.COMPENSATION, points=15)
    assert [one.claimed_fen for one in filed(desk)] == [MUG]


def test_what_was_sent_once_more_is_reckoned_at_the_price_of_its_original() -> None:
    """D2, rules.md 6: the linked order costs nothing, and breaks as well."""
    desk = Desk()
    desk.open(Fault.DAMAGED)
    desk.decide(Outcome.RESHIP)
    box = desk.packed("N1-R1")
    desk.do(partial(shipping.hand_over, parcel=box, rules=RULES))
    desk.scans(box, "已签收,签收人:王*")
    desk.confirm(box)
    desk.open(Fault.DAMAGED, number="N1-R1")
    desk.decide(Outcome.COMPENSATION, case="D-N1-R1-P1", points=5)
    assert [one.claimed_fen for one in filed(desk, box)] == [2_500]


@forall(
    points=st.integers(0, 50),
    cost=st.integers(0, 40),
    cash_fen=st.integers(0, 9_000),
    value_fen=st.integers(0, 9_000),
)
def test_nothing_lost_more_than_its_points_bought_of_it(
    points: int, cost: int, cash_fen: int, value_fen: int
) -> None:
    """D2: what the cash paid for is none of it; more points never claim less."""
    price = cost, cash_fen
    fen = worth_less(points, price=price, value_fen=value_fen)
    bought = max(value_fen - cash_fen, 0)
    assert 0 <= fen <= bought
    assert fen <= worth_less(points + 1, price=price, value_fen=value_fen)
    assert worth_less(cost, price=price, value_fen=value_fen) == (bought if cost else 0)


# --- parcels that their carrier brought back --------------------------------------------------


def taken_in_again(desk: Desk, fault: Fault, *, broken: int = 0, **more: Any) -> dict[str, Any]:
    """Its carrier brought it back; so many of two mugs are broken."""
    scrap = [("mug", broken)] if broken else []
    told = {"intact": not broken, "scrap": scrap, "reason": "the label came off", "in_hand": True}
    back = partial(taking_back.take_back, parcel=PARCEL, rules=RULES, fault=fault)
    return desk.do(partial(back, **told, **more))


@pytest.mark.parametrize(
    ("fault", "broken", "fen"),
    [
        (Fault.DAMAGED, 1, MUG),
        (Fault.NOT_RECEIVED, 2, 2 * MUG),
        (Fault.LATE, 1, MUG),
        (Fault.NOT_RECEIVED, 0, 0),  # all can be sold again, and the mall bore the freight
        (Fault.CHANGED_MIND, 2, 0),
        (Fault.WRONG_GOODS, 2, 0),
    ],
)
def test_what_its_carrier_brought_back_broken_is_claimed_of_it(
    fault: Fault, broken: int, fen: int
) -> None:
    """D2, O8: by whose fault it is, as whoever takes it in says; paid back in any case."""
    desk = Desk(scan="快件已退回", confirmed=False)
    told = taken_in_again(desk, fault, broken=broken)
    assert (told["points"], desk.available()) == (20, 100)
    assert [one.claimed_fen for one in filed(desk)] == ([fen] if fen else [])
    assert [one["claimed_fen"] for one in told["claims"]] == ([fen] if fen else [])
    for claim in filed(desk):
        assert (claim.reason, claim.file_by) == (fault, claiming_until(desk))
    desk.balanced()


def claiming_until(desk: Desk) -> Any:
    return claiming.filing_until(desk.log.state(PARCELS, PARCEL), rules=RULES)


def test_nothing_is_claimed_twice_for_a_parcel_that_comes_back_after_all() -> None:
    """D2, rules.md 27: it was claimed as lost, whole; CONTROL: nobody had asked anything of it."""
    desk = Desk(scan="快件已丢失")
    desk.open(Fault.LOST)
    desk.decide(Outcome.REFUND)
    told = taken_in_again(desk, Fault.DAMAGED, broken=2)
    assert [one.claimed_fen for one in filed(desk)] == [2 * MUG]
    assert corrected(desk) == []
    assert [(one["claim"], one["claimed_fen"]) for one in told["claims"]] == [("filed", 2 * MUG)]
    other = Desk(scan="快件已丢失")
    taken_in_again(other, Fault.DAMAGED, broken=2)
    assert [one.claimed_fen for one in filed(other)] == [2 * MUG]


def test_part_of_it_would_be_claimed_twice_if_nobody_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D2 CONTROL: one of two was claimed before; what is broken may be that one."""
    for looks, asked in ((True, []), (False, [2 * MUG])):
        desk = Desk(scan="快件已丢失")
        file(desk, MUG)
        with monkeypatch.context() as patch:
            if not looks:
                blame = [Blame(PARCEL, Fault.DAMAGED, MUG, "x")]
                patch.setattr(taking_back, "by_coming_back", lambda *_, b=blame, **__: b)
            taken_in_again(desk, Fault.DAMAGED, broken=1)
        assert corrected(desk) == asked


def test_goods_are_taken_in_though_its_carrier_takes_no_claim_any_more() -> None:
    """D2, D4: what the learner gets never waits for the carrier; the desk is told why."""
    desk = Desk(scan="快件已退回")
    desk.now += 400 * DAY
    told = taken_in_again(desk, Fault.DAMAGED, broken=2)
    assert (told["points"], filed(desk)) == (20, [])
    assert "took claims for this parcel until" in told["claims"][0]["why"]
    assert "理赔的期限已于" in told["claims"][0]["why_zh"]
