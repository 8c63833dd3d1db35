"""Units cancelled after picking go back to their shelf, and out of their parcel (W1; rule 5)."""

from functools import partial

import pytest

from application import ordering, putting_back, releasing, shipping
from application.streams import INTERCEPT, ORDER, PARCEL
from domain.parcel_facts import Content, ParcelPacked, UnitsPutBack, UnitsToPutBack
from domain.parcel_state import Stage, Unsent
from domain.refusals import NotPossible
from tests.domain.test_emptied_parcels import Picking
from tests.domain.test_joining import RULES


class Packing(Picking):
    """Orders of two mugs in one parcel; it is picked, and packed where a test says so."""

    def __init__(self, *numbers: str, packed: bool = True) -> None:
        super().__init__(*numbers)
        self.do(partial(releasing.pick_parcel, parcel=self.parcel))
        if packed:
            self.pack()

    def pack(self) -> None:
        self.do(partial(releasing.pack_parcel, parcel=self.parcel, weight_grams=900))

    def cancel(self, number: str, mugs: int) -> None:
        wanted = [("mug", mugs)]
        cancel = partial(ordering.cancel_order, number=number, wanted=wanted, reason="too many")
        self.do(partial(cancel, rules=RULES))

    def put_back(self, weight_grams: int | None = None) -> None:
        self.do(partial(putting_back.are_back, parcel=self.parcel, weight_grams=weight_grams))

    def hand_over(self) -> None:
        self.do(partial(shipping.hand_over, parcel=self.parcel, rules=RULES))

    @property
    def unsent(self) -> tuple[Unsent, ...]:
        return tuple(self.log.state(PARCEL, self.parcel).to_put_back)


def test_a_closed_parcel_stays_until_the_cancelled_units_are_taken_out() -> None:
    """W1, D4: else its learner has goods and points; it is weighed anew, and leaves."""
    mall = Packing("N1")
    mall.cancel("N1", 1)
    assert mall.unsent == (Unsent("N1", 1, 1, 1),)
    with pytest.raises(NotPossible, match="cancelled units are still in it"):
        mall.hand_over()
    with pytest.raises(NotPossible, match="weighed anew"):
        mall.put_back()
    mall.put_back(600)
    facts = mall.log.facts(PARCEL, mall.parcel)
    assert facts[-2:] == [
        UnitsPutBack(),
        ParcelPacked(warehouse="a", contents=(Content(order="N1", part=1),), weight_grams=600),
    ]
    mall.hand_over()
    assert mall.log.state(PARCEL, mall.parcel).handed_over
    with pytest.raises(NotPossible, match="nothing in the parcel is to be put back"):
        mall.put_back(600)


def test_an_order_s_units_leave_the_parcel_that_it_shared() -> None:
    """S4, W1: all of one order is cancelled, the other one travels without it."""
    mall = Packing("N1", "N2")
    mall.cancel("N1", 2)
    mall.put_back(450)
    packed = mall.log.facts(PARCEL, mall.parcel)[-1]
    assert isinstance(packed, ParcelPacked)
    assert packed.contents == (Content(order="N2", part=1),)
    mall.hand_over()


def test_what_was_not_packed_yet_is_left_out_and_listed() -> None:
    """W1: nobody has to open anything; the units are brought back whenever somebody goes."""
    mall = Packing("N1", packed=False)
    mall.cancel("N1", 1)
    mall.pack()
    assert mall.unsent
    mall.hand_over()
    mall.put_back()
    assert not mall.unsent


def test_a_parcel_that_is_given_up_is_unpacked_without_a_weight() -> None:
    """W1, rule 5: of a cancelled order everything goes back, and only once."""
    mall = Packing("N1")
    mall.cancel("N1", 1)
    mall.cancel("N1", 1)
    assert mall.log.state(PARCEL, mall.parcel).stage is Stage.DISSOLVED
    assert sum(one.quantity for one in mall.unsent) == 2
    mall.put_back()
    assert not mall.unsent


def test_nothing_is_to_be_put_back_of_what_lies_on_its_shelf_still() -> None:
    """W1, rule 5: before picking a cancel frees a reservation, and is nobody's work."""
    mall = Picking("N1")
    cancel = partial(ordering.cancel_order, number="N1", wanted=[("mug", 1)], reason="too many")
    mall.do(partial(cancel, rules=RULES))
    facts = mall.log.facts(PARCEL, mall.parcel)
    assert not [one for one in facts if isinstance(one, UnitsToPutBack)]


def test_a_cancelled_parcel_that_is_gone_is_called_back_and_counted() -> None:
    """W1, D4: paid back, and with its carrier all the same: nobody keeps both."""
    mall = Packing("N1")
    on_shelf = mall.stock("a", "mug").free
    mall.cancel("N1", 2)
    assert mall.log.state(PARCEL, mall.parcel).waybill is None  # its label was given back
    left = partial(putting_back.have_left, parcel=mall.parcel, rules=RULES)
    with pytest.raises(NotPossible, match="whose number"):
        mall.do(partial(left, label=None))
    mall.do(partial(left, label=("yuantong", "YT1000000001")))
    box = mall.log.state(PARCEL, mall.parcel)
    assert (box.handed_over, box.waybill, box.to_put_back) == (True, "YT1000000001", ())
    assert mall.log.state(INTERCEPT, mall.parcel).asked
    (stray,) = mall.log.state(ORDER, "N1").strays
    assert (stray.parcel, [one.quantity for one in stray.units]) == (mall.parcel, [2])
    assert mall.stock("a", "mug").free == on_shelf
    with pytest.raises(NotPossible, match="nothing in the parcel is to be put back"):
        mall.do(partial(left, label=None))


def test_a_parcel_that_left_with_a_cancelled_unit_goes_on_and_counts_it() -> None:
    """W1, D4: the rest is its learner's; the unit beside it is out, and on no shelf."""
    mall = Packing("N1")
    on_shelf = mall.stock("a", "mug").free
    mall.cancel("N1", 1)
    mall.do(partial(putting_back.have_left, parcel=mall.parcel, label=None, rules=RULES))
    assert mall.stock("a", "mug").free == on_shelf
    mall.hand_over()
    (stray,) = mall.log.state(ORDER, "N1").strays
    assert [one.quantity for one in stray.units] == [1]
