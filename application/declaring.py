"""申报 Declaring parcels that go abroad: filled in as they are packed, completed, answered (T7)."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from application.merging import existing_parcel, live_contents
from application.streams import ITEM, PARCEL
from application.unit import Unit
from domain.countries import HOME
from domain.customs_terms import CustomsTerms
from domain.declarations import DeclaredLine
from domain.parcel_state import Stage
from domain.parcels import Parcel
from domain.refusals import InvalidRequest, NotPossible
from domain.tracking import ParcelState


class Told(NamedTuple):
    """What staff say of one item; the quantity is what is in the parcel."""

    sku: str
    hs_code: str | None
    english_name: str | None
    origin: str | None
    unit_value_fen: int
    net_weight_grams: int


def draw_up(unit: Unit, *, parcel: str, gross_weight_grams: int) -> None:
    """Fill in the declaration of a parcel that was packed, if it goes abroad (T7).

    By the items' terms of now, so that what was found out since the order was placed is in it.
    """
    state = existing_parcel(unit, parcel)
    if state.country == HOME:
        return
    facts = state.declaration.draw_up(
        tuple(_lines(unit, parcel, state)),
        country=state.country,
        gross_weight_grams=gross_weight_grams,
    )
    unit.record(PARCEL, parcel, facts)


def weighed_anew(unit: Unit, *, parcel: str, gross_weight_grams: int) -> None:
    """Customs are to be asked about what is left in a parcel abroad, and its weight (T7)."""
    state = existing_parcel(unit, parcel)
    if state.declaration.standing is None:
        draw_up(unit, parcel=parcel, gross_weight_grams=gross_weight_grams)
        return
    lines = tuple(_lines(unit, parcel, state))
    facts = state.declaration.renew(lines, gross_weight_grams=gross_weight_grams)
    unit.record(PARCEL, parcel, facts)


def complete(
    unit: Unit, *, parcel: str, lines: Sequence[Told], gross_weight_grams: int | None = None
) -> dict[str, Any]:
    """Staff say what customs are told of each item that is in the parcel now (T7).

    Without a gross weight it stays the one that is known.
    """
    state = _still_here(unit, parcel, "declare")
    content = {one.sku: one for one in _lines(unit, parcel, state)}
    told = {one.sku: one for one in lines}
    if len(told) < len(lines) or told.keys() != content.keys():
        raise InvalidRequest(field="lines", reason="name every item of the parcel once")
    declared = [content[one.sku].model_copy(update=one._asdict()) for one in lines]
    unit.record(
        PARCEL,
        parcel,
        state.declaration.complete(declared, gross_weight_grams=gross_weight_grams),
    )
    return _answer(unit, parcel)


def submit(unit: Unit, *, parcel: str, reference: str) -> dict[str, Any]:
    """Customs are asked about what is in the parcel, all of it and no more (T7)."""
    state = _still_here(unit, parcel, "submit")
    must_be_declared(unit, parcel, state, action="submit")
    unit.record(PARCEL, parcel, state.declaration.submit(reference))
    return _answer(unit, parcel)


def clear(unit: Unit, *, parcel: str, reference: str) -> dict[str, Any]:
    """Customs let the parcel go (T7)."""
    state = _abroad(unit, parcel, "answer_customs")
    unit.record(PARCEL, parcel, state.declaration.clear(reference))
    return _answer(unit, parcel)


def stop(unit: Unit, *, parcel: str, reason: str) -> dict[str, Any]:
    """Customs do not let the parcel go: it is declared otherwise, or its orders are cancelled.

    They may stop it on its way, too, until that is over: it is listed until it goes on (T7, M5).
    """
    state = _abroad(unit, parcel, "answer_customs")
    over = state.track().state if state.handed_over else state.stage
    if over in _OVER:
        raise NotPossible(action="answer_customs", why=f"the parcel is {over}")
    unit.record(PARCEL, parcel, state.declaration.stop(reason))
    return _answer(unit, parcel)


def must_be_declared(unit: Unit, parcel: str, state: Parcel, *, action: str) -> None:
    """Raise `NotPossible` when something else is in the parcel than customs were told."""
    if state.country == HOME:
        return
    content = [(one.sku, one.quantity) for one in _lines(unit, parcel, state)]
    if not state.declaration.is_of(content):
        raise NotPossible(action=action, why="the parcel's content is not what was declared")


def _lines(unit: Unit, parcel: str, state: Parcel) -> Iterable[DeclaredLine]:
    """What is in a parcel, an item at a time, as the house's own terms describe it."""
    names: dict[str, str] = {}
    quantities: dict[str, int] = {}
    for one in live_contents(unit, parcel, state):
        for units in one.part.units:
            line = one.order.line(units.line)
            names[line.sku] = line.name
            quantities[line.sku] = quantities.get(line.sku, 0) + units.quantity
    for sku, quantity in quantities.items():
        terms = unit.read(ITEM, sku).terms
        assert terms is not None  # it was ordered
        known = terms.customs or CustomsTerms()
        yield DeclaredLine(
            sku=sku,
            name=names[sku],
            quantity=quantity,
            unit_value_fen=terms.market_value_fen,
            net_weight_grams=terms.weight_grams * quantity,
            hs_code=known.hs_code,
            english_name=known.english_name,
            origin=known.origin,
        )


_OVER = frozenset({Stage.DISSOLVED, ParcelState.SIGNED, ParcelState.RETURNED, ParcelState.LOST})
"""Nothing is left to be stopped; `projections.declarations` lists none of them either."""


def _abroad(unit: Unit, parcel: str, action: str) -> Parcel:
    state = existing_parcel(unit, parcel)
    if state.country == HOME and state.declaration.standing is None:
        raise NotPossible(action=action, why="nothing is declared: the parcel does not go abroad")
    return state


def _still_here(unit: Unit, parcel: str, action: str) -> Parcel:
    state = _abroad(unit, parcel, action)
    if state.handed_over or state.dissolved:
        raise NotPossible(action=action, why=f"the parcel is {state.stage}")
    return state


def _answer(unit: Unit, parcel: str) -> dict[str, Any]:
    declaration = existing_parcel(unit, parcel).declaration
    return {
        "parcel": parcel,
        "standing": declaration.standing,
        "missing": list(declaration.missing),
    }
