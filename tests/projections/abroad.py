"""A parcel of the busy mall goes abroad: opened, declared, stopped, cleared (T7)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from application import declaring, pricing, redeeming, releasing, shipping, stocking
from application.recipients import Recipient
from application.streams import MALL, NETWORK
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.order_facts import Channel
from domain.rate_facts import Lane, Rate, RateCard, Risk, Service

RULES = HouseRules()
TOKYO = Recipient.cleaned(
    name="Aoi Sato", phone="03-5296-4120", city="Chiyoda", address="1-1 Marunouchi",
    country="JP", postcode="100-0001",
)  # fmt: skip
MUG = declaring.Told("enamel-mug", "732394", "Enamel mug", "CN", 5_900, 320)
CARD = RateCard(
    carrier="ems",
    effective_from=datetime(2026, 3, 1, tzinfo=UTC),
    name="abroad",
    service=Service.ECONOMICAL,
    max_parcel_grams=30_000,
    lanes=(
        Lane(
            origin="陕西省",
            destinations=("JP",),
            rate=Rate(first_fen=9_000, additional_fen=3_000, hours=240),
        ),
    ),
    risk=Risk(lost_per_million=500, damaged_per_million=500, late_per_thousand=50),
)


async def send_abroad(
    do: Callable[..., Awaitable[Any]], lookup_key: bytes, *, learner: str, number: str
) -> str:
    """The order's parcel, cleared by customs and still in the house."""
    await do(_opened)
    await do(partial(pricing.publish_rate_card, card=CARD))
    wish = redeeming.Wish(
        learner=learner,
        lines=(redeeming.Wanted("enamel-mug", 1),),
        recipient=TOKYO,
        channel=Channel.APP,
        digests=TOKYO.digests(lookup_key),
    )
    await do(
        lambda unit: redeeming.place_order(unit, wish, number=number, rules=RULES),
        actor=f"learner:{learner}",
        subject=learner,
    )
    await do(partial(releasing.approve_order, number=number, note="declared by hand"))
    await do(partial(shipping.pack_part, order=number, part=1, weight_grams=400))
    parcel = f"{number}-P1"
    await do(partial(declaring.complete, parcel=parcel, lines=[MUG]))
    await do(partial(declaring.submit, parcel=parcel, reference="CN-1"))
    await do(partial(declaring.stop, parcel=parcel, reason="value in doubt"))
    await do(partial(declaring.clear, parcel=parcel, reference="R-1"))
    return parcel


def _opened(unit: Unit) -> dict[str, Any]:
    terms = unit.read(NETWORK, MALL).named("shaanxi")
    changed = terms.model_copy(update={"serves": (*terms.serves, "JP")})
    return stocking.put_warehouse(unit, warehouse=changed)
