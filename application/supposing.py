"""假设核对 What a rehearsal supposes has to be what could be put into force (M6)."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from application.envelope import Context
from application.pricing import as_published, publish_rate_card
from application.stocking import check_kept, put_warehouse
from application.store import Store
from application.streams import ITEM, MALL, NETWORK, RATES
from application.unit import Command, Unit
from domain.rate_facts import RateCard
from domain.refusals import InvalidRequest, Refusal
from domain.warehouses import Warehouse


class Supposed(NamedTuple):
    """Terms as they would be recorded: regions are named in full."""

    warehouses: tuple[Warehouse, ...]
    rate_cards: tuple[RateCard, ...]


def suppose(
    unit: Unit,
    *,
    warehouses: Sequence[Warehouse],
    rate_cards: Sequence[RateCard],
    placement: Mapping[str, Iterable[str]],
) -> Supposed:
    """The terms as the real commands would take them; asked on a unit that records nothing.

    `placement` names the warehouses of each SKU; those that are supposed are there, too. Raises
    `InvalidRequest` with the field for what would be refused, or is nowhere in the house.
    """
    for nth, warehouse in enumerate(warehouses):
        with _field(f"warehouses.{nth}"):
            put_warehouse(unit, warehouse=warehouse)
    for nth, card in enumerate(rate_cards):
        with _field(f"rate_cards.{nth}"):
            publish_rate_card(unit, card=card)
    for sku, codes in placement.items():
        for code in codes:
            with _field(f"placement.{sku}.{code}", inner=False):
                check_kept(unit, sku=sku, warehouse=code)
    known = unit.read(NETWORK, MALL).warehouses
    return Supposed(
        tuple(known[one.code] for one in warehouses),
        tuple(as_published(one) for one in rate_cards),
    )


async def supposed(
    store: Store,
    context: Context,
    *,
    warehouses: Sequence[Warehouse],
    rate_cards: Sequence[RateCard],
    placement: Mapping[str, Iterable[str]],
) -> Supposed:
    """Ask the exact states what `suppose` says; nothing is recorded."""
    found: list[Supposed] = []

    def decide(unit: Unit) -> dict[str, Any]:
        found.append(
            suppose(unit, warehouses=warehouses, rate_cards=rate_cards, placement=placement)
        )
        return {}

    key = f"question:{secrets.token_hex(8)}"
    question = Command(
        principal=context.actor,
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=context,
        decide=decide,
        streams=[NETWORK.stream(MALL), RATES.stream(MALL), *map(ITEM.stream, placement)],
        asks_only=True,
    )
    await store.execute(question)
    return found[-1]


@contextmanager
def _field(place: str, *, inner: bool = True) -> Iterator[None]:
    """Refusals name the field of the rehearsal that they are about."""
    try:
        yield
    except InvalidRequest as refused:
        field = f"{place}.{refused.figures['field']}" if inner else place
        raise InvalidRequest(field=field, reason=refused.figures["reason"]) from None
    except Refusal as refused:
        raise InvalidRequest(field=place, reason=refused.message().rstrip(".")) from None
