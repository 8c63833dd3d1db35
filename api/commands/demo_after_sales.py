"""售后 The chapters of the demo after the first order: two orders in one parcel that never reached
its learner, and something that she gives back.
"""

from functools import partial
from typing import Any

import httpx2

from api.auth import Role
from api.commands.demo_story import LEARNER, Story, awaited
from application.settings import Settings


def merge(story: Story, settings: Settings, recipient: dict[str, Any]) -> tuple[str, list[str]]:
    """S4, S5, W5: a wave puts what goes to one recipient into one parcel; it and its orders."""
    story.tell(
        "She orders twice more: the wave puts both into one parcel",
        "its label is ordered by itself; picked, weighed, handed over, it travels like any other",
    )
    earned = {
        "learner": LEARNER,
        "points": 1_000,
        "reason": "task",
        "source": "PY-101-exam",
    }
    story.done("/v1/points/grants", {"grants": [earned]}, role=Role.SERVICE)
    orders = [story.ordered("notebook", quantity, recipient=recipient) for quantity in (2, 1)]
    story.show("her fourth and fifth in a day: a human looks at them first")
    for number in orders:
        awaited("No review came.", partial(_in_review, story, number))
        story.approve(number, reason="known learner, small orders")
    warehouse = story.get(f"/v1/orders/{orders[0]}", role=Role.OPERATIONS)["parts"][0]["warehouse"]
    wave = {"warehouse": warehouse, "orders": orders}
    ran = story.done("/v1/waves", wave, role=Role.OPERATIONS)
    (parcel,) = ran["parcels"]
    story.get(f"/v1/parcels/{parcel}", role=Role.OPERATIONS, min_position=ran["position"])
    story.show(f"{parcel}: {' and '.join(orders)}, to the same hands")
    labels = f"/v1/waves/{ran['wave']}/labels"
    awaited("No label came.", lambda: _parcel(story, parcel)["waybill"] is not None)
    printed = story.client.get(f"{labels}.pdf", headers=story.headers(Role.OPERATIONS, "demo"))
    printed.raise_for_status()
    story.show(f"{_parcel(story, parcel)['waybill']}: its label as a PDF, the phone masked")
    story.page("/operations → Waves", "what was merged, to be undone until it is picked")
    story.done("/v1/pick-lists", {"warehouse": warehouse}, role=Role.OPERATIONS)
    quickly = {"pace_seconds": 0.3}
    httpx2.post(f"{settings.kuaidi100_url}/behaviour", json=quickly).raise_for_status()
    for step, body in (("picking", {}), ("packing", {"weight_grams": 700}), ("handover", {})):
        story.done(f"/v1/parcels/{parcel}/{step}", body, role=Role.OPERATIONS)
    awaited(
        "The shared parcel did not arrive.",
        lambda: all(_order_of(story, one)["status"] == "completed" for one in orders),
    )
    story.show("signed for: both orders are received by one scan")
    return parcel, orders


def not_received(story: Story, parcel: str, orders: list[str]) -> None:
    """D1, D2, rules.md 27: she never got it; what she gets, and what the carrier owes."""
    story.tell(
        "Signed, but she never got it: two cases, one question to the carrier",
        "her points go back at once; the money is claimed apart from them",
    )
    cases = [
        story.done(f"/v1/orders/{number}/disputes", {"parcel": parcel, "reason": "not_received"})
        for number in orders
    ]
    story.page(f"/support → {orders[0]}", "track, signer, questions, what the carrier answers")
    first = f"/v1/disputes/{cases[0]['case']}"
    story.done(f"{first}/inquiry", {}, role=Role.SUPPORT)
    answered = {"result": "misdelivered", "reference": "Q-7781"}
    story.done(f"{first}/inquiry/answer", answered, role=Role.SUPPORT)
    story.show("the carrier: left elsewhere (Q-7781)")
    decision = {
        "outcome": "refund",
        "reason": "the carrier left it elsewhere",
        "unconfirmed_because": "the carrier says so itself",
    }
    for one in cases:
        path = f"/v1/disputes/{one['case']}/decision"
        decided = story.done(path, decision, role=Role.SUPPORT)
    story.statement(len(cases), position=decided["position"])
    path = f"/v1/claims/{parcel}"
    claim = story.get(path, role=Role.OPERATIONS, min_position=decided["position"])
    story.page("/operations → Claims", f"{_yuan(claim['claimed_fen'])} claimed, by itself")
    for step in ("accepted", "paid"):
        paid = {"step": step, "amount_fen": claim["claimed_fen"], "reason": "by mail"}
        answer = story.done(f"{path}/steps", paid, role=Role.OPERATIONS)
    claim = story.get(path, role=Role.OPERATIONS, min_position=answer["position"])
    story.show(f"the carrier paid {_yuan(claim['paid_fen'])}; what she got does not depend on it")


def give_back(story: Story, number: str, sku: str) -> None:
    """D3: asked for, sent, inspected, and the points are back."""
    story.tell("She changes her mind about the bookend: it comes back and is looked at")
    lines = [{"sku": sku, "quantity": 1}]
    asked = {"remedy": "refund", "reason": "changed_mind", "lines": lines}
    back = f"/v1/returns/{story.done(f'/v1/orders/{number}/returns', asked)['return']}"
    sending = {"carrier": "yuantong", "waybill": "YT8800012345678"}
    story.done(f"{back}/sending", sending)
    story.done(f"{back}/arrival", {}, role=Role.OPERATIONS)
    story.page("/operations → Inspections", "against the criteria of a mall: unused, complete")
    looked = {"goods": [{**lines[0], "verdict": "restock"}], "reason": "as new"}
    answer = story.done(f"{back}/inspection", looked, role=Role.OPERATIONS)
    story.show(
        f"{answer['points_kept']} points are kept for its way back: nothing was wrong with it"
    )
    story.statement(1, position=answer["position"])


def _yuan(fen: int) -> str:
    return f"¥{fen / 100:,.2f}"


def _in_review(story: Story, number: str) -> bool:
    """Whether it is found to be one of many (O7)."""
    return bool(story.get(f"/v1/orders/{number}", role=Role.OPERATIONS)["review"])


def _order_of(story: Story, number: str) -> dict[str, Any]:
    return story.get(f"/v1/orders/{number}")


def _parcel(story: Story, parcel: str) -> dict[str, Any]:
    return story.get(f"/v1/parcels/{parcel}", role=Role.OPERATIONS)
