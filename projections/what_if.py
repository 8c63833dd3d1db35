"""假设分析 What if: another rule runs over the log as it is, and what would differ is shown (M6).

Nothing is recorded. A change names what is to be otherwise; everything else happens as it did:
the same learners ask for the same things at the same moments, goods arrive and are cancelled.
What follows from the change carries on: what was taken elsewhere is missing there afterwards.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from application.envelope import Context
from application.store import Store
from application.supposing import supposed
from domain.days import Day
from domain.facts import NonNegativeInt, PositiveInt
from domain.house_rules import HouseRules
from domain.rate_facts import RateCard
from domain.warehouses import Warehouse
from projections.runner import read_events
from projections.what_if_delivery import Deliveries
from projections.what_if_expiry import Expiries
from projections.what_if_period import Period

BATCH_EVENTS = 4_000

Hears = Callable[[int, int], Awaitable[None]]
"""Hears the position that was reached, and the one that is the end."""
Share = Annotated[int, Field(strict=True, ge=1, le=100)]
Placement = Mapping[str, Mapping[str, Share]]


class Expiry(BaseModel):
    """How long points live."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: PositiveInt | None = Field(
        le=36_500, description="from their grant, to the end of the day; null: for ever"
    )


class Change(BaseModel):
    """What is to be otherwise; what is left out stays as it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_parts: PositiveInt | None = Field(default=None, le=20, description="parcels of an order")
    carrier_gain_percent: NonNegativeInt | None = Field(
        default=None, le=100,
        description="a lane keeps its carrier unless another one is cheaper by more",
    )  # fmt: skip
    valuable_fen: NonNegativeInt | None = Field(
        default=None, le=10_000_000_000, description="worth a fast carrier"
    )
    rate_cards: tuple[RateCard, ...] = Field(
        default=(), max_length=20, description="in place of their carriers', from the beginning"
    )
    warehouses: tuple[Warehouse, ...] = Field(
        default=(),
        max_length=100,
        description="in place of those with their codes, or besides, from the beginning",
    )
    placement: Placement = Field(
        default={}, max_length=1_000,
        description="SKU → warehouse → per cent of what arrived, 100 together",
    )  # fmt: skip
    expiry: Expiry | None = Field(
        default=None, description="for all points that were granted in the period"
    )
    since: Day | None = Field(
        default=None, description="first day of the change, in the business zone; null: always"
    )
    until: Day | None = Field(
        default=None, description="last day that counts, in the business zone; null: the newest"
    )

    @field_validator("placement")
    @classmethod
    def _whole(cls, placement: Placement) -> Placement:
        for sku, shares in placement.items():
            if sum(shares.values()) != 100:
                raise PydanticCustomError(
                    "shares_not_whole",
                    "shares of {sku} add up to {sum}, not to 100",
                    {"sku": sku, "sum": sum(shares.values())},
                )
        return placement

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: date | None, told: ValidationInfo) -> date | None:
        since = told.data.get("since")
        if since is not None and until is not None and until < since:
            raise PydanticCustomError("before_since", "is before since, {since}", {"since": since})
        return until

    async def as_recorded(self, store: Store, context: Context) -> "Change":
        """The change as it would be put into force.

        Raises `InvalidRequest` with the field for what would be refused, or is nowhere there.
        """
        found = await supposed(
            store, context, warehouses=self.warehouses, rate_cards=self.rate_cards,
            placement=self.placement,
        )  # fmt: skip
        return self.model_copy(update=found._asdict())

    def rules(self, rules: HouseRules) -> HouseRules:
        """The house's figures with those of the change."""
        names = ("max_parts", "carrier_gain_percent", "valuable_fen")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(rules, **given)


async def what_if(
    connection: AsyncConnection[Any],
    schema: str,
    change: Change,
    *,
    rules: HouseRules,
    progress: Hears | None = None,
) -> dict[str, Any]:
    """What would have differed: deliveries and, if their life is changed, points.

    Deterministic: the same change on the same log gives the same answer, which names the position
    it is good for. `progress` hears after each batch how far it is; what it raises ends it.
    """
    period = Period.of_days(change.since, change.until, zone=rules.zone)
    deliveries = Deliveries(
        rules=rules,
        changed=change.rules(rules),
        rate_cards=change.rate_cards,
        warehouses=change.warehouses,
        placement=change.placement,
        period=period,
    )
    expiries = None
    if change.expiry is not None:
        expiries = Expiries(days=change.expiry.days, rules=rules, period=period)
    ((end,),) = await (
        await connection.execute(SQL(_END).format(commits=Identifier(schema, "commits")))
    ).fetchall()
    position = 0
    while position < end:
        events = await read_events(connection, schema, after=position, limit=BATCH_EVENTS)
        for event in events:
            if event.envelope.position > end:
                break
            deliveries.apply(event.envelope)
            if expiries is not None:
                expiries.apply(event.envelope)
        position = min(end, events[-1].envelope.position)
        if progress is not None:
            await progress(position, end)
    return {
        "position": end,
        "change": change.model_dump(mode="json", exclude_defaults=True),
        "deliveries": deliveries.answer(),
        "points": expiries.answer() if expiries is not None else None,
    }


_END = "SELECT coalesce(max(position), 0) FROM {commits}"
