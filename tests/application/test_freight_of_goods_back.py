"""Freight paid for a parcel that comes back: who is at fault decides (rule 8, O8)."""

from functools import partial
from typing import Any

import pytest

from application import ordering, shipping, taking_back
from application.ordering import Payment
from application.streams import ORDER
from domain.order_facts import Fault, UnitsRefunded
from domain.payment_facts import CashRefundRequested
from tests.application.test_planning import NOON, RULES, ZTO, Mall


@pytest.mark.parametrize(
    ("told", "freight_fen"),
    [({}, 0), ({"fault": Fault.CHANGED_MIND}, 0), ({"fault": Fault.NOT_RECEIVED}, 400)],
)
def test_it_goes_back_unless_they_changed_their_mind(
    told: dict[str, Any], freight_fen: int
) -> None:
    """rules.md 8, D2: by its carrier's fault, and claimed of it; without a word it is as before."""
    mall = Mall(ZTO)
    mall.item("desk", {"hang": 9}, learner_pays_freight=True)
    mall.place("N1", {"desk": 1}, freight_expected_fen=400)
    payment = Payment("A1", "sandbox", 400, NOON)
    mall.do(partial(ordering.take_payment, number="N1", payment=payment, rules=RULES))
    pack = partial(shipping.pack_part, order="N1", part=1, weight_grams=1)
    parcel = mall.do(pack)["parcel"]
    label = partial(shipping.issue_waybill, carrier="zhongtong", waybill="Z1", parcel=parcel)
    mall.do(label)
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    back = partial(taking_back.take_back, parcel=parcel, intact=True, reason="x", in_hand=True)
    done = mall.do(partial(back, rules=RULES, **told))
    assert done["points"] == 10
    assert [one["claimed_fen"] for one in done["claims"]] == ([freight_fen] if freight_fen else [])
    facts = mall.log.facts(ORDER, "N1")
    asked = [one.amount_fen for one in facts if isinstance(one, CashRefundRequested)]
    assert sum(asked) == freight_fen
    (gone,) = [one for one in facts if isinstance(one, UnitsRefunded)]
    assert gone.fault is told.get("fault", Fault.CHANGED_MIND)
