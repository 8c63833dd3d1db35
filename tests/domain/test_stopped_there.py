"""A linked order that staff stop while a third party has it: its original is paid back (D4, W2)."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from application import consigning, following, ordering, releasing, stocking
from application.streams import CONSIGNMENT, ORDER, PARCEL
from domain.consignments import FoundUnits, Report, Step
from domain.order_facts import State, UnitsRefunded
from domain.parcel_facts import Content
from domain.refusals import NotPossible
from domain.release_facts import ReviewReason
from tests.domain.test_joining import RULES, Mall
from tests.domain.test_reshipping import refund, reship, sent

THEIRS = replace(RULES, third_parties=frozenset({"a"}))


class There:
    """Two mugs that are sent once more by a third party's warehouse, which has the wish."""

    def __init__(self) -> None:
        self.mall = sent()
        theirs = Mall.warehouse("a", third_party=True)
        self.mall.do(partial(stocking.put_warehouse, warehouse=theirs))
        self.number = reship(self.mall)
        parts = [Content(order=self.number, part=1)]
        wave = partial(releasing.release_together, contents=parts, wave="by hand", rules=THEIRS)
        (self.parcel,) = self.mall.do(wave)["parcels"]
        self.mall.do(partial(consigning.consign, parcel=self.parcel, rules=THEIRS))
        self.tell(Step.ACCEPTED)

    def tell(self, step: Step, **more: Any) -> None:
        """What the warehouse says of its newest wish, carried out."""
        revision = self.mall.log.state(CONSIGNMENT, self.parcel).revision
        report = Report(step, more.pop("revision", revision), **more)
        told = partial(consigning.note_told, parcel=self.parcel, warehouse="a", raw=None)
        self.mall.do(partial(told, report=report))
        self.mall.do(partial(following.follow, parcel=self.parcel, rules=THEIRS))

    def reject(self) -> dict[str, Any]:
        """A human looks at it, and stops it."""
        why = [ReviewReason.ADDRESS_DOUBTFUL]
        self.mall.do(
            partial(releasing.require_review, number=self.number, reasons=why, rules=THEIRS)
        )
        rejected = partial(releasing.reject_order, number=self.number, reason="fraud", rules=THEIRS)
        return self.mall.do(rejected)

    def refunded(self) -> list[int]:
        """Points that came back at the original."""
        facts = self.mall.log.facts(ORDER, "N1")
        return [one.points for one in facts if isinstance(one, UnitsRefunded)]


def test_the_original_is_paid_back_in_the_commit_that_the_warehouse_acknowledges() -> None:
    """D4, rules.md 5: not before; also when it refused at first; told again it is once."""
    there = There()
    told = there.reject()
    assert (told["cancelling"], told["points"], there.refunded()) == ([1], 0, [])
    there.tell(Step.REFUSED, code="busy")
    assert (there.refunded(), there.mall.available()) == ([], 80)
    with pytest.raises(NotPossible, match="N1-R1 sends it once more"):
        refund(there.mall, "N1")
    for _ in range(2):
        there.tell(Step.ACCEPTED)
        assert (there.refunded(), there.mall.available()) == ([20], 100)
    ends = [there.mall.state(one) for one in (there.number, "N1")]
    assert ends == [State.CANCELLED, State.CLOSED]
    assert there.mall.log.state(PARCEL, there.parcel).dissolved
    assert there.mall.stock("a", "mug").free == 3
    with pytest.raises(NotPossible):
        refund(there.mall, "N1")


def test_what_the_warehouse_does_not_even_have_is_paid_back_alike() -> None:
    """D4, rules.md 1: one of two is missing there: all of it is given up, and paid back once."""
    there = There()
    there.reject()
    found = (FoundUnits(sku="mug", quantity=1),)
    there.tell(Step.SHORT, revision=1, units=found)
    there.tell(Step.ACCEPTED)
    assert (there.refunded(), there.mall.available()) == ([10, 10], 100)
    assert there.mall.state("N1") is State.CLOSED


def test_nothing_is_paid_back_when_it_had_left_already() -> None:
    """D4: the control of a conflict: the goods are on their way, and are called back instead."""
    there = There()
    there.reject()
    found = (FoundUnits(sku="mug", quantity=2),)
    there.tell(Step.SHIPPED, units=found, weight_grams=5, carrier="yuantong", waybill="YT9")
    assert (there.refunded(), there.mall.state(there.number)) == ([], State.PENDING_RECEIPT)


def test_what_its_learner_cancels_stays_to_be_decided_at_the_original() -> None:
    """D4: who gives it up themselves is due it again: a case decides, as in the house."""
    there = There()
    cancel = partial(ordering.cancel_order, number=there.number, wanted=None, reason="found it")
    there.mall.do(partial(cancel, rules=THEIRS))
    there.tell(Step.ACCEPTED)
    assert (there.refunded(), there.mall.state(there.number)) == ([], State.CANCELLED)
    assert refund(there.mall, "N1")["points"] == 20


def test_the_original_waits_for_staff_when_the_stop_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D4 CONTROL: a stop that is not kept with the wish pays nothing back."""
    there = There()
    monkeypatch.setattr(releasing, "stop_order", _plain)
    there.reject()
    there.tell(Step.ACCEPTED)
    assert (there.refunded(), there.mall.available()) == ([], 80)


def _plain(unit: Any, **asked: Any) -> dict[str, Any]:
    return ordering.cancel_order(unit, wanted=None, **asked)
