"""What customs are told of a parcel, what they answer, and when its carrier gets it (T7)."""

from functools import partial
from typing import Any

import pytest

from application import declaring, ordering, putting_back, releasing, shipping, stocking
from application.declaring import Told
from application.streams import ORDER, PARCEL
from domain.customs_terms import CustomsTerms
from domain.declarations import (
    CustomsCleared,
    CustomsStopped,
    Declaration,
    DeclarationCompleted,
    DeclarationDrawnUp,
    DeclarationFact,
    DeclarationSubmitted,
    DeclaredLine,
    GrossBelowNet,
    NotCleared,
    NotDeclared,
    Standing,
    evolve,
)
from domain.order_facts import State
from domain.refusals import InvalidRequest, NotPossible, Refusal
from tests.domain.test_compliance import MUG, TOKYO, placed
from tests.domain.test_joining import RULES, Mall

LINE = DeclaredLine(
    sku="mug", name="mug", quantity=1, unit_value_fen=9_000, net_weight_grams=300,
    hs_code="691110", english_name="Mug", origin="CN",
)  # fmt: skip
BARE = DeclaredLine(sku="mug", name="mug", quantity=1, unit_value_fen=0, net_weight_grams=0)
DRAWN = DeclarationDrawnUp(country="JP", lines=(LINE,), gross_weight_grams=400)
SUBMITTED = DeclarationSubmitted(reference="CN-1")
CLEARED = CustomsCleared(reference="R-1")
STOPPED = CustomsStopped(reason="wrong code")


def given(*facts: DeclarationFact) -> Declaration:
    state = Declaration()
    for fact in facts:
        state = evolve(state, fact)
    return state


def test_what_is_missing_is_named() -> None:
    """T7: line by line, in the words of the fields that have to be filled in."""
    state = given(DRAWN.model_copy(update={"lines": (LINE, BARE)}))
    named = ("hs_code", "english_name", "origin", "unit_value_fen", "net_weight_grams")
    assert state.missing == tuple(f"lines.1.{name}" for name in named)
    with pytest.raises(NotDeclared, match=r"lines\.1\.hs_code"):
        state.submit("CN-1")
    assert given(DRAWN).missing == ()


@pytest.mark.parametrize(
    ("facts", "decide", "then"),
    [
        ((DRAWN,), lambda one: one.submit("CN-1"), [SUBMITTED]),
        ((DRAWN,), lambda one: one.complete([LINE]), []),
        ((DRAWN,), lambda one: one.complete([BARE]), [DeclarationCompleted(lines=(BARE,))]),
        ((DRAWN, SUBMITTED), lambda one: one.clear("R-1"), [CLEARED]),
        ((DRAWN, SUBMITTED), lambda one: one.stop("wrong code"), [STOPPED]),
        ((DRAWN, SUBMITTED, CLEARED), lambda one: one.clear("R-1"), []),
        ((DRAWN, SUBMITTED, CLEARED), lambda one: one.stop("wrong code"), [STOPPED]),
        ((DRAWN, SUBMITTED, STOPPED), lambda one: one.stop("wrong code"), []),
        ((DRAWN, SUBMITTED, STOPPED), lambda one: one.clear("R-1"), [CLEARED]),
        (
            (DRAWN, SUBMITTED, STOPPED),
            lambda one: one.complete([BARE]),
            [DeclarationCompleted(lines=(BARE,))],
        ),
    ],
)
def test_a_declaration_goes_on(
    facts: tuple[DeclarationFact, ...], decide: Any, then: list[DeclarationFact]
) -> None:
    """T7: completed, submitted, answered; said twice is once, and customs may change their mind."""
    assert decide(given(*facts)) == then


@pytest.mark.parametrize(
    ("facts", "decide", "refusal"),
    [
        ((), lambda one: one.submit("CN-1"), NotPossible),
        ((), lambda one: one.complete([LINE]), NotPossible),
        ((), lambda one: one.clear(""), NotPossible),
        ((DRAWN,), lambda one: one.clear(""), NotPossible),
        ((DRAWN,), lambda one: one.stop("no"), NotPossible),
        ((DRAWN, SUBMITTED), lambda one: one.submit("CN-2"), NotPossible),
        ((DRAWN, SUBMITTED), lambda one: one.complete([BARE]), NotPossible),
        ((DRAWN, SUBMITTED), lambda one: one.stop(""), InvalidRequest),
        ((DRAWN, SUBMITTED, STOPPED), lambda one: one.submit("CN-2"), NotPossible),
        ((DRAWN, SUBMITTED, CLEARED), lambda one: one.submit("CN-2"), NotPossible),
    ],
)
def test_a_declaration_does_not_go_on(
    facts: tuple[DeclarationFact, ...], decide: Any, refusal: type[Refusal]
) -> None:
    """T7: nothing is answered that was not asked, nothing changed while customs look at it."""
    with pytest.raises(refusal) as refused:
        decide(given(*facts))
    assert refused.value.message("zh") != refused.value.message("en")


@pytest.mark.parametrize("grams", [0, 299])
def test_a_parcel_does_not_weigh_less_than_what_is_in_it(grams: int) -> None:
    """T7: missing until it is weighed anew; refused with the field and both weights."""
    state = given(DRAWN.model_copy(update={"gross_weight_grams": grams}))
    assert state.missing == ("gross_weight_grams",)
    with pytest.raises(NotDeclared if grams == 0 else GrossBelowNet, match="gross_weight_grams"):
        state.submit("CN-1")
    (weighed,) = state.complete([LINE], gross_weight_grams=300)
    assert weighed == DeclarationCompleted(lines=(LINE,), gross_weight_grams=300)
    after = evolve(state, weighed)
    assert (after.missing, after.complete([LINE], gross_weight_grams=300)) == ((), [])
    assert after.submit("CN-1") == [SUBMITTED]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ((), "draft"),
        ((DRAWN,), "draft"),
        ((DRAWN, SUBMITTED), "submitted"),
        ((DRAWN, SUBMITTED, STOPPED), "stopped"),
        ((DRAWN, SUBMITTED, CLEARED, STOPPED), "stopped"),
        ((DRAWN, SUBMITTED, CLEARED, DeclarationCompleted(lines=(BARE,))), "draft"),
    ],
)
def test_nothing_is_handed_over_that_is_not_cleared(
    facts: tuple[DeclarationFact, ...], status: str
) -> None:
    """T7: refused with the field, how far it is, and what customs said; in both languages."""
    with pytest.raises(NotCleared) as refused:
        given(*facts).must_be_cleared()
    told = refused.value.as_failure()
    assert (told["code"], told["field"], told["standing"]) == ("not_cleared", "declaration", status)
    assert ("wrong code" in str(told["message"])) == (status == "stopped")
    assert "海关尚未放行" in str(told["message_zh"])


def test_what_is_cleared_may_go() -> None:
    """T7: the control: also what was stopped first."""
    given(DRAWN, SUBMITTED, CLEARED).must_be_cleared()
    given(DRAWN, SUBMITTED, STOPPED, CLEARED).must_be_cleared()
    assert given(DRAWN, SUBMITTED, CustomsCleared()).reference == "CN-1"


def packed(mall: Mall) -> str:
    """The order's parcel, packed past the wave and labelled."""
    pack = partial(shipping.pack_part, order="N1", part=1, weight_grams=700)
    parcel: str = mall.do(pack)["parcel"]
    mall.do(partial(shipping.issue_waybill, parcel=parcel, carrier="ems", waybill="EM100"))
    return parcel


def declaration(mall: Mall, parcel: str) -> Declaration:
    return mall.log.state(PARCEL, parcel).declaration


def test_a_parcel_abroad_is_declared_by_itself_and_waits_for_customs() -> None:
    """T7: filled in from the order with the item's own terms; handed over once it is cleared."""
    mall = placed("JP", customs=MUG, weight_grams=300)
    parcel = packed(mall)
    (line,) = declaration(mall, parcel).lines
    assert line == LINE
    hand_over = partial(shipping.hand_over, parcel=parcel, rules=RULES)
    with pytest.raises(NotCleared):
        mall.do(hand_over)
    mall.do(partial(declaring.submit, parcel=parcel, reference="CN-1"))
    with pytest.raises(NotCleared):
        mall.do(hand_over)
    mall.do(partial(declaring.clear, parcel=parcel, reference="R-1"))
    mall.do(hand_over)
    assert mall.state("N1") is State.PENDING_RECEIPT
    with pytest.raises(NotPossible):
        mall.do(partial(declaring.complete, parcel=parcel, lines=[told("mug")]))


def test_a_parcel_at_home_is_not_declared() -> None:
    """T7: the control: the same item to an address at home is handed over at once."""
    mall = Mall()
    mall.item("mug", "a", customs=MUG, weight_grams=300)
    mall.place("N1", ("mug", 1))
    parcel = packed(mall)
    assert declaration(mall, parcel).standing is None
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))


def told(sku: str, **more: Any) -> Told:
    return Told(
        **{
            "sku": sku, "hs_code": "691110", "english_name": "Mug", "origin": "CN",
            "unit_value_fen": 9_000, "net_weight_grams": 300, **more,
        }
    )  # fmt: skip


def test_staff_say_what_the_item_does_not() -> None:
    """T7: every item of the parcel once; the quantity is what is in it."""
    mall = placed("JP")
    mall.do(partial(releasing.approve_order, number="N1", note=""))
    parcel = packed(mall)
    assert declaration(mall, parcel).missing
    complete = partial(declaring.complete, parcel=parcel)
    for lines in ([], [told("cup")], [told("mug"), told("mug")], [told("mug"), told("cup")]):
        with pytest.raises(InvalidRequest, match="once"):
            mall.do(partial(complete, lines=lines))
    mall.do(partial(complete, lines=[told("mug")]))
    assert declaration(mall, parcel).lines == (LINE,)


def test_what_changed_since_has_to_be_declared_anew() -> None:
    """T7: half of it was cancelled after customs cleared it all: they were told of two units."""
    mall = Mall()
    mall.do(partial(stocking.put_warehouse, warehouse=mall.warehouse("a", serves=("JP",))))
    mall.item("mug", "a", customs=MUG, weight_grams=300)
    mall.place("N1", ("mug", 2), to=TOKYO)
    parcel = packed(mall)
    mall.do(partial(declaring.submit, parcel=parcel, reference="CN-1"))
    mall.do(partial(declaring.clear, parcel=parcel, reference="R-1"))
    cancel = partial(ordering.cancel_order, number="N1", reason="one is enough", rules=RULES)
    mall.do(partial(cancel, wanted=[("mug", 1)]))
    with pytest.raises(NotPossible, match="not what was declared"):
        mall.do(partial(declaring.submit, parcel=parcel, reference="CN-2"))
    mall.do(partial(putting_back.are_back, parcel=parcel, weight_grams=400))
    hand_over = partial(shipping.hand_over, parcel=parcel, rules=RULES)
    now = declaration(mall, parcel)
    assert (now.standing, now.lines, now.gross_weight_grams) == (Standing.DRAFT, (LINE,), 400)
    with pytest.raises(NotCleared):
        mall.do(hand_over)
    mall.do(partial(declaring.submit, parcel=parcel, reference="CN-2"))
    mall.do(partial(declaring.clear, parcel=parcel, reference=""))
    mall.do(hand_over)


def test_what_staff_declared_stays_when_a_parcel_is_weighed_anew() -> None:
    """T7, W1: their words for as many units as are left, and the new weight, asked or not."""
    two = LINE.model_copy(update={"quantity": 2, "net_weight_grams": 640, "english_name": "Cup"})
    new = BARE.model_copy(update={"sku": "tea", "net_weight_grams": 90})
    drawn = DRAWN.model_copy(update={"lines": (two,), "gross_weight_grams": 700})
    for answered in ((), (SUBMITTED,), (SUBMITTED, CLEARED), (SUBMITTED, STOPPED)):
        state = given(drawn, *answered)
        (fact,) = state.renew((LINE, new), gross_weight_grams=500)
        after = evolve(state, fact)
        left = two.model_copy(update={"quantity": 1, "net_weight_grams": 320})
        assert (after.standing, after.lines) == (Standing.DRAFT, (left, new))
        assert after.gross_weight_grams == 500
        assert after.renew((LINE, new), gross_weight_grams=500) == []


def test_what_customs_stopped_is_cancelled_like_any_parcel_in_the_house() -> None:
    """T7, O8: all that it cost comes back, and nothing is left to be declared."""
    mall = placed("JP", customs=MUG, weight_grams=300)
    parcel = packed(mall)
    mall.do(partial(declaring.submit, parcel=parcel, reference="CN-1"))
    mall.do(partial(declaring.stop, parcel=parcel, reason="forbidden there"))
    assert declaration(mall, parcel).standing is Standing.STOPPED
    mall.do(partial(ordering.cancel_order, number="N1", wanted=None, reason="customs", rules=RULES))
    assert (mall.state("N1"), mall.available()) == (State.CANCELLED, 100)
    with pytest.raises(NotPossible):
        mall.do(partial(declaring.complete, parcel=parcel, lines=[told("mug")]))


def test_an_item_that_was_classified_meanwhile_is_declared_as_it_is_now() -> None:
    """T7: terms of the day of packing: what review asked for is in the declaration."""
    mall = placed("JP")
    mall.do(partial(releasing.approve_order, number="N1", note="the code is known now"))
    mall.item("mug", customs=CustomsTerms(hs_code="691200"), weight_grams=300)
    (line,) = declaration(mall, packed(mall)).lines
    assert (line.hs_code, line.english_name) == ("691200", None)
    assert mall.log.state(ORDER, "N1").country == "JP"
