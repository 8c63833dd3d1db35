"""A number that was typed wrongly, and left with its parcel (T1, T2, W5)."""

from functools import partial

import pytest

from application import labelling, renumbering, shipping
from application.streams import PARCEL
from domain.labels import LabelIssued
from domain.refusals import NotPossible
from domain.tracking import ParcelState
from tests.domain.test_joining import RULES, Mall

WRONG, RIGHT = "YT7000000000001", "YT7000000000010"


def sent(*, labelled: bool = False) -> Mall:
    """One mug with the wrong number on it, with its carrier; or with one that was ordered."""
    mall = Mall()
    mall.item("mug", "a")
    mall.place("N1", ("mug", 1))
    mall.do(partial(shipping.pack_part, order="N1", part=1, weight_grams=400))
    if labelled:
        mall.do(partial(labelling.want_label, parcel="N1-P1", rules=RULES))
        issued = LabelIssued(label="N1-P1-L1", issuer="kuaidi100", waybill=WRONG)
        mall.do(partial(labelling.take_number, parcel="N1-P1", issued=issued))
    else:
        number = partial(shipping.issue_waybill, parcel="N1-P1", carrier="yuantong")
        mall.do(partial(number, waybill=WRONG, reason="by hand"))
    mall.do(partial(shipping.hand_over, parcel="N1-P1", rules=RULES))
    return mall


def correct(mall: Mall, waybill: str = RIGHT) -> None:
    told = partial(renumbering.renumber_parcel, parcel="N1-P1", carrier="yuantong")
    mall.do(partial(told, waybill=waybill, reason="two digits were exchanged"))


def test_scans_of_the_wrong_number_do_not_count_when_it_was_put_right() -> None:
    """T2: they are another parcel's, a receipt, too; what is told of the right one counts."""
    mall = sent()
    mall.scans("N1-P1", "快件已签收,签收人:本人")
    assert mall.log.state(PARCEL, "N1-P1").track().state is ParcelState.SIGNED
    correct(mall)
    box = mall.log.state(PARCEL, "N1-P1")
    assert (box.waybill, box.track().state) == (RIGHT, ParcelState.HANDED_OVER)
    assert box.receipt_fell is not None  # its order does not move back by itself
    assert box.unwatched  # somebody is asked to watch the right one
    mall.scans("N1-P1", "快件正在派送途中")
    assert mall.log.state(PARCEL, "N1-P1").track().state is ParcelState.OUT_FOR_DELIVERY


def test_it_is_put_right_once_and_only_after_it_left() -> None:
    """W5: the same number again is refused; before, another one is simply written down."""
    mall = sent()
    correct(mall)
    with pytest.raises(NotPossible, match="the number that it has"):
        correct(mall)
    correct(mall, WRONG)  # whoever corrected the wrong parcel takes it back
    assert mall.log.state(PARCEL, "N1-P1").waybill == WRONG
    mall.place("N2", ("mug", 1))
    mall.do(partial(shipping.pack_part, order="N2", part=1, weight_grams=400))
    told = partial(renumbering.renumber_parcel, parcel="N2-P1", carrier="yuantong")
    with pytest.raises(NotPossible, match="no carrier has the parcel"):
        mall.do(partial(told, waybill=RIGHT, reason="x"))


def test_an_ordered_number_is_nobodys_slip_of_the_pen() -> None:
    """W5: the aggregator gave it for this parcel."""
    with pytest.raises(NotPossible, match="its label was ordered with this number"):
        correct(sent(labelled=True))
