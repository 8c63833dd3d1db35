"""A short pick that empties a parcel: it dissolves, and its label goes back (W1, W5, S1)."""

from functools import partial

import pytest

from application import labelling, releasing, replanning, stocking
from application.streams import ORDER, PARCEL
from domain.labels import LabelIssued, LabelUnwanted
from domain.parcel_facts import Content, ParcelDissolved
from domain.parcel_state import Stage
from tests.domain.test_joining import RULES, Mall


class Picking(Mall):
    """Orders of two mugs in `a`, in one parcel with a label, on a pick list; `c` has three more."""

    def __init__(self, *numbers: str, elsewhere: bool = True) -> None:
        super().__init__()
        self.item("mug", "a", units=4)
        for number in numbers:
            self.place(number, ("mug", 2))
        if elsewhere:
            place = self.warehouse("c", serves=("*",))
            self.do(partial(stocking.put_warehouse, warehouse=place))
            self.item("mug", "c", units=3)
        contents = [Content(order=number, part=1) for number in numbers]
        together = partial(releasing.release_together, contents=contents, wave="W1", rules=RULES)
        (self.parcel,) = self.do(together)["parcels"]
        self.do(partial(labelling.want_label, parcel=self.parcel, rules=RULES))
        issued = LabelIssued(label=f"{self.parcel}-L1", issuer="kuaidi100", waybill="731")
        self.do(partial(labelling.take_number, parcel=self.parcel, issued=issued))
        start = partial(releasing.start_picking, parcels=[self.parcel], pick_list="L1")
        self.do(partial(start, warehouse="a"))

    def short(self, number: str, *, found: int = 0) -> None:
        short = partial(replanning.short_pick, order=number, part=1, sku="mug", reason="broken")
        self.do(partial(short, found=found, rules=RULES))

    def left(self) -> tuple[Stage, bool]:
        """How far the parcel is, and whether its label was given back."""
        facts = self.log.facts(PARCEL, self.parcel)
        unwanted = any(isinstance(one, LabelUnwanted) for one in facts)
        return self.log.state(PARCEL, self.parcel).stage, unwanted


@pytest.mark.parametrize("elsewhere", [True, False])
def test_its_parcel_dissolves_when_nothing_of_it_was_found(elsewhere: bool) -> None:
    """W1, W5, S1: whether its units move or wait; the next one has a number of its own."""
    mall = Picking("N1", elsewhere=elsewhere)
    mall.short("N1")
    assert mall.left() == (Stage.DISSOLVED, True)
    gone = [one for one in mall.log.facts(PARCEL, "N1-P1") if isinstance(one, ParcelDissolved)]
    assert [one.reason for one in gone] == ["not in stock"]
    (left,) = [part for part in mall.log.state(ORDER, "N1").parts if part.live]
    assert (left.number, left.warehouse) == (2, "c" if elsewhere else "a")
    assert (left.waits is None) is elsewhere


def test_it_stays_while_something_is_to_be_sent_in_it() -> None:
    """W5, S4: a unit that was found, or another order's part; the last one takes it along."""
    mall = Picking("N1")
    mall.short("N1", found=1)
    assert mall.left() == (Stage.PICKING, False)
    shared = Picking("N1", "N2")
    shared.short("N1")
    assert shared.left() == (Stage.PICKING, False)
    shared.do(partial(stocking.receive_stock, sku="mug", warehouse="c", quantity=1, reference="E"))
    shared.short("N2")
    assert shared.left() == (Stage.DISSOLVED, True)


def test_it_stays_for_ever_when_nobody_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """W5 CONTROL: without it the parcel is picked for ever, and its number is live."""
    monkeypatch.setattr(replanning, "leave_empty_parcels", lambda *_, **__: None)
    mall = Picking("N1")
    mall.short("N1")
    assert mall.left() == (Stage.PICKING, False)
    assert mall.log.state(PARCEL, "N1-P1").labels.live is not None
