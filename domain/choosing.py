"""选择 Which units of an order a command takes: what is asked for against what is open to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.order_facts import Units
from domain.refusals import InvalidRequest, NotPossible

NO_REASONS: Mapping[str, str] = {}


class Kept(NamedTuple):
    """Units that something else is under way for: nobody gets both (D4)."""

    units: Units
    why: str
    """They cannot be refunded."""


def chosen(
    open_units: Sequence[Units],
    wanted: Sequence[tuple[str, int]] | None,
    *,
    skus: Mapping[int, str],
    action: str,
    because: Mapping[str, str],
) -> list[Units]:
    """The open units that are `wanted`, as (sku, quantity), or all of them.

    `skus` are those of the lines. More than is open is refused, with the reason that is known of
    an item where there is one.
    """
    if wanted is None:
        return list(open_units)
    found: list[Units] = []
    for sku, quantity in _summed(wanted).items():
        missing = quantity
        for unit in open_units:
            if skus[unit.line] == sku and missing:
                taken = min(missing, unit.quantity)
                missing -= taken
                found.append(unit.model_copy(update={"quantity": taken}))
        if missing:
            short = f"{sku}: {quantity - missing} of {quantity} units are open to it"
            raise NotPossible(action=action, why=because.get(sku, short))
    return found


def without(units: Sequence[Units], gone: Sequence[Units]) -> list[Units]:
    """What is left of these units; a line of a part may be named more than once in either."""
    less: dict[tuple[int, int], int] = {}
    for one in gone:
        less[one.part, one.line] = less.get((one.part, one.line), 0) + one.quantity
    left: list[Units] = []
    for one in units:
        taken = min(one.quantity, less.get((one.part, one.line), 0))
        if taken:
            less[one.part, one.line] -= taken
        if taken < one.quantity:
            left.append(one.model_copy(update={"quantity": one.quantity - taken}))
    return left


def both(units: Sequence[Units], others: Sequence[Units]) -> list[Units]:
    """What is among these units and among the others."""
    return without(units, without(units, others))


def _summed(wanted: Sequence[tuple[str, int]]) -> dict[str, int]:
    """What is asked for by SKU: naming one twice asks for both."""
    asked: dict[str, int] = {}
    for sku, quantity in wanted:
        if quantity < 1:
            raise InvalidRequest(field="lines", reason="name at least one unit of each")
        asked[sku] = asked.get(sku, 0) + quantity
    if not asked:
        raise InvalidRequest(field="lines", reason="name at least one unit")
    return asked
