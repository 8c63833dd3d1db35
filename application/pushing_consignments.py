"""推单 Asking third parties' warehouses to send parcels, until they acknowledge (W2; M2; rule 29).

What is to be asked is found on the view; who asks, when, and how often is kept in a table, so that
one process at a time asks about one parcel, with growing pauses, and an outage is caught up with by
itself. The same request also brings what a push that got lost would have told: a parcel under way
is asked about every half an hour.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import consigning
from application.asking_partners import Asker
from application.cards import open_cards
from application.envelope import Context
from application.gateways.guarded import to
from application.gateways.third_party import (
    Asked,
    ParcelMessage,
    RecipientAsked,
    Wish,
    read_answer,
    report_of,
    wish_body,
    wish_headers,
)
from application.gateways.tracking import UnreadableReply
from application.recipients import Recipient
from application.streams import CONSIGNMENT
from application.traffic import Way, way_of
from application.unit import Command
from domain.blotting import blot
from domain.consignments import Consignment

logger = logging.getLogger(__name__)

CALLBACK = "third-party"
TRAFFIC_OF = "third_party"
"""Under which name a share of their parcels is rehearsed (M3)."""
BATCH = 100
AT_ONCE = 8
"""Requests under way at the same time."""
FIRST_PAUSE = timedelta(seconds=10)
"""Longer than a request may take: nobody asks what is being asked."""
LONGEST_PAUSE = timedelta(minutes=10)
LOOK_AGAIN = timedelta(minutes=30)
"""A parcel that they have and nobody told of for so long is asked about (T2's rhythm)."""


class Due(NamedTuple):
    """A parcel about which its warehouse is to be asked now."""

    parcel: str
    warehouse: str
    phase: str
    what: str
    """Names the request in the table of open calls."""
    folded: bytes
    hand_over_by: datetime
    reason: str


class Consignments:
    """Asks the third parties of one tenant."""

    def __init__(self, house: Asker, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def ask(self) -> int:
        """Ask for whatever is to be asked for now; how many requests were sent."""
        asked = 0
        while self._house.settings.third_parties:
            claimed = await self._claim()
            wanted = {one.parcel: CONSIGNMENT.states.validate_json(one.folded) for one in claimed}
            recipients = await self._recipients(wanted.values())
            names = await self._names(wanted.values())
            await asyncio.gather(
                *(self._ask(one, wanted[one.parcel], recipients, names) for one in claimed)
            )
            asked += len(claimed)
            if len(claimed) < BATCH:
                break
        return asked

    async def _claim(self) -> list[Due]:
        values = {
            "now": self._house.store.clock(), "limit": BATCH, "pause": FIRST_PAUSE,
            "longest": LONGEST_PAUSE, "again": LOOK_AGAIN,
            "warehouses": list(self._house.settings.third_parties),
        }  # fmt: skip
        async with self._house.pool.connection() as connection:
            return [Due(*row) for row in await self._rows(connection, _CLAIM, values)]

    async def _recipients(self, wanted: Any) -> dict[str, Recipient]:
        cards = {one.card for one in wanted if one.units}
        async with self._house.pool.connection() as connection:
            opened = await open_cards(connection, self._house.schema, self._house.vault, cards)
        return {card: Recipient.from_bytes(content) for card, content in opened.items()}

    async def _names(self, wanted: Any) -> dict[str, str]:
        skus = sorted({unit.sku for one in wanted for unit in one.units})
        async with self._house.pool.connection() as connection:
            return dict(await self._rows(connection, _NAMES, {"skus": skus}))

    async def _ask(
        self,
        due: Due,
        state: Consignment,
        recipients: dict[str, Recipient],
        names: dict[str, str],
    ) -> None:
        async with self._slots:
            wish = self._wish(due, state, recipients.get(state.card), names)
            if wish.units and wish.recipient is None:
                await self._note(due, "its recipient was erased")
                return
            way = await way_of(self._house, TRAFFIC_OF, due.parcel)
            try:
                answered = await self._put(due, way, wish)
            except httpx2.HTTPStatusError as refused:
                await self._note(due, f"HTTP {refused.response.status_code}")
            except (httpx2.HTTPError, UnreadableReply) as error:
                await self._note(due, type(error).__name__)
            else:
                if answered is not None:
                    await self._told(due, answered)

    async def _put(self, due: Due, way: Way, wish: Wish) -> ParcelMessage | None:
        third, body = way.settings.third_parties[due.warehouse], wish_body(wish)
        headers = wish_headers(
            third.secrets[0],
            parcel=wish.parcel,
            revision=wish.revision,
            at=self._house.store.clock(),
            body=body,
        )
        answer = await self._client.put(
            f"{third.url}/parcels/{wish.parcel}",
            content=body,
            headers=headers,
            extensions=to(way.called(f"{CALLBACK}:{due.warehouse}")),
        )
        answer.raise_for_status()
        return read_answer(answer.content, parcel=wish.parcel)

    def _wish(
        self, due: Due, state: Consignment, recipient: Recipient | None, names: dict[str, str]
    ) -> Wish:
        counts: dict[str, int] = {}
        for one in state.units:
            counts[one.sku] = counts.get(one.sku, 0) + one.quantity
        whom = None
        if counts and recipient is not None:
            whom = RecipientAsked(
                name=recipient.name,
                phone=recipient.phone,
                province=recipient.province or "",
                city=recipient.city or "",
                district=recipient.district or "",
                address=recipient.address,
            )
        return Wish(
            parcel=due.parcel,
            revision=state.revision,
            held=state.held,
            hand_over_by=due.hand_over_by,
            carrier=state.carrier,
            units=[
                Asked(sku=sku, name=names.get(sku, sku), quantity=n) for sku, n in counts.items()
            ],
            recipient=whom,
            reason=blot(due.reason),
            callback_url=self._house.callback_links.url(due.warehouse, partner=CALLBACK),
        )

    async def _told(self, due: Due, message: ParcelMessage) -> None:
        """What the answer tells is taken in as a push of it would be."""
        raw = message.model_dump_json(exclude_none=True).encode()
        digest = hashlib.sha256(raw).digest()
        command = told_command(
            due.warehouse,
            message,
            raw=raw,
            key=f"answer:{due.parcel}:{digest.hex()[:32]}",
            now=self._house.store.clock(),
        )
        await self._house.store.execute(command)

    async def _note(self, due: Due, cause: str) -> None:
        logger.warning("a parcel waits for %s: %s", due.warehouse, cause)
        values = {"what": due.what, "phase": due.phase, "cause": cause[:200]}
        async with self._house.pool.connection() as connection:
            await self._rows(connection, _NOTE, values)

    async def _rows(
        self, connection: AsyncConnection[Any], text: LiteralString, values: dict[str, Any]
    ) -> Sequence[Any]:
        names = ("consignments", "parcels", "items", "open_calls")
        query = SQL(text).format(**{name: Identifier(self._house.schema, name) for name in names})
        return await (await connection.execute(query, values, prepare=True)).fetchall()


def told_command(
    warehouse: str, message: ParcelMessage, *, raw: bytes, key: str, now: datetime
) -> Command:
    """Take in what a third party tells, once under its key; it happened when it says so (A5)."""
    principal = f"partner:{CALLBACK}:{warehouse}"
    told = message.data
    return Command(
        principal=principal,
        key=key,
        digest=hashlib.sha256(raw).digest(),
        context=Context(actor=principal, command=f"told:{key}"[:200]),
        decide=lambda unit: consigning.note_told(
            unit,
            parcel=told.parcel,
            warehouse=warehouse,
            report=report_of(message, words=blot(told.words)),
            raw=raw,
        ),
        streams=(CONSIGNMENT.stream(told.parcel),),
        happened_at=min(message.timestamp, now),
    )


_CLAIM = """
WITH open AS (
    SELECT c.*, CASE WHEN c.waits THEN 'push' ELSE 'look' END AS phase,
        CASE WHEN c.waits THEN c.parcel || '/' || c.revision ELSE c.parcel END AS what,
        p.hand_over_by
    FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel
    WHERE c.warehouse = ANY(%(warehouses)s) AND p.stage NOT IN ('handed_over', 'dissolved')
      AND (c.waits OR c.under_way AND c.changed_at <= %(now)s - %(again)s::interval)
), due AS (
    SELECT o.* FROM open o WHERE NOT EXISTS (
        SELECT FROM {open_calls} k WHERE k.what = o.what AND k.phase = o.phase
          AND k.next_at > %(now)s)
    ORDER BY o.changed_at, o.parcel LIMIT %(limit)s
), claimed AS (
    INSERT INTO {open_calls} AS k (what, phase, tries, first_at, next_at)
    SELECT what, phase, 1, %(now)s,
        %(now)s + CASE phase WHEN 'look' THEN %(again)s::interval ELSE %(pause)s::interval END
    FROM due
    ON CONFLICT (what, phase) DO UPDATE SET tries = k.tries + 1, cause = NULL,
        next_at = %(now)s + CASE k.phase WHEN 'look' THEN %(again)s::interval ELSE
            least(%(pause)s::interval * power(2, least(k.tries, 20)), %(longest)s::interval) END
    WHERE k.next_at <= %(now)s
    RETURNING what, phase
)
SELECT d.parcel, d.warehouse, d.phase, d.what, d.folded, d.hand_over_by, d.reason
FROM due d JOIN claimed k USING (what, phase) ORDER BY d.changed_at, d.parcel
"""
_NAMES = "SELECT sku, terms ->> 'name' FROM {items} WHERE sku = ANY(%(skus)s)"
_NOTE = """
UPDATE {open_calls} SET cause = %(cause)s WHERE what = %(what)s AND phase = %(phase)s
RETURNING what
"""
