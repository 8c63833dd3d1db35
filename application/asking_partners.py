"""伙伴 What the house asks of partners by itself: watch a parcel, give cash back (T1, O5; M2).

What has to be asked is found on the views, so nothing is lost when a partner is away: it is asked
again, at growing intervals, until the answer is a fact. Asking twice is harmless to both partners:
a second subscription is answered "already", a refund is known by its id, which is no other's.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, LiteralString, Protocol

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import watched_parcels
from application.callback_links import CallbackLinks
from application.cards import open_card
from application.envelope import Context
from application.gateways.guarded import by_reading, to
from application.gateways.kuaidi100_calls import Abroad, read_subscribe_reply, subscribe_form
from application.gateways.payment import PaymentProvider, ProviderUnavailable, Refund
from application.gateways.tracking import (
    DirectTracker,
    IncompleteRequest,
    PartnerRefused,
    UnreadableReply,
)
from application.house import House
from application.recipients import Recipient
from application.settings import Settings
from application.streams import PARCEL
from application.trackers import Trackers
from application.traffic import payments_of, tracker_of, way_of
from application.unit import Command
from domain.countries import HOME

logger = logging.getLogger(__name__)

BATCH = 50
"""Asked at a time; what waits for its next time holds up nobody behind it."""
LOOKED_AT = 10_000
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=30)
FORGOTTEN_AFTER = 2 * LOOKED_AT
"""Things whose next time is remembered; what is forgotten is merely asked sooner."""


class Asker(House, Protocol):
    """A tenant with what asking needs."""

    settings: Settings
    callback_links: CallbackLinks
    trackers: Trackers
    partners: httpx2.AsyncClient
    payments: PaymentProvider
    rehearsed_payments: PaymentProvider | None


@dataclass(slots=True)
class Pauses:
    """When to ask again about what got no answer; each time twice as late."""

    _next: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)

    def due(self, what: str, *, now: datetime) -> bool:
        """Whether it is time; if so, the next time is set."""
        at, pause = self._next.pop(what, (now, FIRST_PAUSE))
        due = at <= now
        self._next[what] = (now + pause, min(pause * 2, LONGEST_PAUSE)) if due else (at, pause)
        while len(self._next) > FORGOTTEN_AFTER:
            del self._next[next(iter(self._next))]
        return due


class Asking:
    """Asks the partners of one tenant."""

    def __init__(self, house: Asker, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client
        self._pauses = Pauses()

    async def ask(self) -> None:
        """Ask whatever is to be asked now."""
        await self._each(_REFUNDS, self._refund)
        if self._house.settings.kuaidi100_url is not None or self._house.trackers.all:
            await self._each(_UNWATCHED, self._subscribe)

    async def _each(self, query: LiteralString, ask: Callable[..., Awaitable[None]]) -> None:
        values = {"now": self._house.store.clock(), "limit": LOOKED_AT}
        async with self._house.pool.connection() as connection:
            rows = await _rows(connection, self._house.schema, query, values)
        asked = 0
        for row in rows:
            if self._pauses.due(":".join(map(str, row[:2])), now=self._house.store.clock()):
                await ask(*row)
                asked += 1
            if asked == BATCH:
                break

    async def _refund(self, order: str, refund: str, attempt: str, amount_fen: int) -> None:
        message = Refund(
            order=order,
            attempt=attempt,
            refund=refund,
            amount_fen=amount_fen,
            callback_url=self._house.callback_links.payment_url(order),
        )
        try:
            await (await payments_of(self._house, order)).refund(message)
        except ProviderUnavailable as error:
            logger.warning("a refund waits for the payment provider: %s", error)

    async def _subscribe(
        self, parcel: str, waybill: str, carrier: str, card: str | None, again: str | None
    ) -> None:
        house = self._house
        direct, way = await tracker_of(house, carrier, parcel)
        if isinstance(direct, DirectTracker):
            # It pushes all its parcels to one address, without being asked for each.
            await self._watched(parcel, waybill, direct.name, again)
            return
        if direct is None or direct.carriers is not None:
            # Nobody is asked questions, or who is does not push: the aggregator does.
            way = await way_of(house, "kuaidi100", parcel)
        if way.settings.kuaidi100_url is None:
            return
        try:
            form = subscribe_form(
                waybill,
                carrier=carrier,
                key=way.settings.kuaidi100_key,
                callback_url=house.callback_links.url(parcel),
                salt=house.callback_links.salt(parcel),
                phone=await phone_tail(house, card),
                **await self._ends(parcel),
            )
            answer = await self._client.post(
                f"{way.settings.kuaidi100_url}/poll",
                data=form,
                extensions=to(way.called("kuaidi100"), by_reading(read_subscribe_reply)),
            )
            read_subscribe_reply(answer.content)
        except PartnerRefused as refused:
            log = logger.error if refused.alarm else logger.warning
            log("a subscription was refused with code %s", refused.code)
            return
        except (httpx2.HTTPError, UnreadableReply, IncompleteRequest) as error:
            logger.warning("a subscription waits: %s", type(error).__name__)
            return
        await self._watched(parcel, waybill, "kuaidi100", again)

    async def _ends(self, parcel: str) -> dict[str, Any]:
        """Where a parcel comes from and goes to, as far as that names nobody."""
        query = SQL(_FOLDED).format(Identifier(self._house.schema, "parcels"))
        async with self._house.pool.connection() as connection:
            cursor = await connection.execute(query, (parcel,), prepare=True)
            (folded,) = await cursor.fetchone() or (None,)
        state = None if folded is None else PARCEL.states.validate_json(folded)
        if state is None:
            return {}
        lane, ends = state.lane, {}
        if lane is not None:
            ends = {"origin": lane.origin, "destination": lane.province + lane.city}
        if state.country == HOME:
            return ends
        there = state.overseas
        return {
            "origin": ends.get("origin", ""),
            "abroad": Abroad(state.country, there.carrier if there else None),
        }

    async def _watched(self, parcel: str, waybill: str, partner: str, again: str | None) -> None:
        # One that gave up and is asked again watches it anew.
        key = ":".join(filter(None, ("subscribed", parcel, waybill, again)))
        await self._house.store.execute(
            Command(
                principal="policy:subscribe_parcels",
                key=key,
                digest=hashlib.sha256(key.encode()).digest(),
                context=Context(actor="policy:subscribe_parcels", command=key),
                decide=lambda unit: watched_parcels.note_subscription(
                    unit, parcel=parcel, partner=partner, waybill=waybill
                ),
                streams=(PARCEL.stream(parcel),),
            )
        )


async def phone_tail(house: House, card: str | None) -> str:
    """The last four digits that some carriers ask for; empty once the learner is erased."""
    if card is None:
        return ""
    async with house.pool.connection() as connection:
        content = await open_card(connection, house.schema, house.vault, card)
    return "" if content is None else Recipient.from_bytes(content).phone[-4:]


async def _rows(
    connection: AsyncConnection[Any],
    schema: str,
    query: LiteralString,
    values: Mapping[str, Any],
) -> list[tuple[Any, ...]]:
    names = {name: Identifier(schema, name) for name in ("cash_refunds", "parcels", "orders")}
    cursor = await connection.execute(SQL(query).format(**names), values, prepare=True)
    return await cursor.fetchall()


_REFUNDS = """
SELECT order_number, refund, attempt, amount_fen FROM {cash_refunds}
WHERE state = 'requested' ORDER BY requested_at LIMIT %(limit)b
"""
_FOLDED = "SELECT folded FROM {} WHERE number = %b"
_UNWATCHED = """
SELECT p.number, p.waybill, p.carrier, coalesce(p.card, o.card), p.again
FROM (SELECT *, convert_from(folded, 'UTF8')::jsonb ->> 'watch_again_at' AS again
      FROM {parcels} WHERE unwatched) p LEFT JOIN {orders} o ON o.number = p.orders[1]
WHERE p.again IS NULL OR p.again::timestamptz <= %(now)b ORDER BY p.number LIMIT %(limit)b
"""
