"""拦截请求 Asking Kuaidi100 to stop parcels, until it says that it has the request (O8; M2).

What is to be asked is found on the view; an answer that got lost is asked for again, which is the
same wish. Nothing is asked for any more once the house has stopped waiting.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, NamedTuple

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import intercepting
from application.asking_partners import Asker
from application.cards import open_card
from application.envelope import Context
from application.gateways.guarded import by_reading, to
from application.gateways.kuaidi100_intercepts import intercept_form
from application.gateways.kuaidi100_labels import read_label_reply
from application.gateways.labelling import Person
from application.gateways.tracking import (
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadableReply,
)
from application.ordering_labels import PARTNER, account_of, contract_of, whole_address
from application.recipients import Recipient
from application.streams import INTERCEPT
from application.traffic import way_of
from application.unit import Command, Unit
from domain.blotting import blot

logger = logging.getLogger(__name__)

CALLBACK = "kuaidi100-intercepts"
BATCH = 50
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=30)


class Wanted(NamedTuple):
    """A parcel that is to be stopped."""

    parcel: str
    intercept: str
    waybill: str
    carrier: str
    way: str
    card: str | None
    reason: str


class InterceptRequests:
    """Asks for one tenant."""

    def __init__(self, house: Asker, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client

    async def ask(self) -> int:
        """Ask for whatever is to be asked for now; how many requests were sent."""
        if not self._house.settings.labels_are_possible:
            return 0
        async with self._house.pool.connection() as connection:
            values = {
                "now": self._house.store.clock(), "limit": BATCH, "pause": FIRST_PAUSE,
                "longest": LONGEST_PAUSE,
            }  # fmt: skip
            claimed = [Wanted(*row) for row in await self._rows(connection, _CLAIM, values)]
        for one in claimed:
            await self._ask(one)
        return len(claimed)

    async def _ask(self, one: Wanted) -> None:
        way, links = await way_of(self._house, "kuaidi100", one.parcel), self._house.callback_links
        settings = way.settings
        try:
            form = intercept_form(
                one.waybill,
                carrier=one.carrier,
                way=one.way,
                to=await self._there(one.card),
                reason=blot(one.reason),
                contract=contract_of(settings, one.carrier),
                # Of this request's own: what is told of an earlier one is not told of it.
                callback_url=links.url(one.intercept, partner=CALLBACK),
                salt=links.salt(one.intercept),
                account=account_of(settings),
                t=str(int(self._house.store.clock().timestamp() * 1000)),
            )
            answer = await self._client.post(
                f"{settings.kuaidi100_label_url}/label/order",
                data=form,
                extensions=to(way.called(PARTNER), by_reading(read_label_reply)),
            )
            if answer.status_code >= 500:
                answer.raise_for_status()
            read_label_reply(answer.content)
        except IncompleteRequest as incomplete:
            await self._refused(one, "incomplete", str(incomplete))
            return
        except PartnerRefused as refused:
            if refused.alarm:
                logger.error("an interception was refused with code %s", refused.code)
            elif refused.retry is not Retry.BACKOFF:
                await self._refused(one, refused.code, refused.message)
                return
            await self._note(one, f"{refused.code}: {blot(refused.message)}")
            return
        except (httpx2.HTTPError, UnreadableReply) as error:
            logger.warning("an interception waits: %s", type(error).__name__)
            await self._note(one, type(error).__name__)
            return
        await self._record(one, "taken", partial(intercepting.note_taken, intercept=one.intercept))

    async def _there(self, card: str | None) -> Person | None:
        """Whom the parcel goes to instead."""
        if card is None:
            return None
        async with self._house.pool.connection() as connection:
            content = await open_card(connection, self._house.schema, self._house.vault, card)
        if content is None:
            return Person("", "", "")
        recipient = Recipient.from_bytes(content)
        return Person(recipient.name, recipient.phone, whole_address(recipient))

    async def _refused(self, one: Wanted, code: str, words: str) -> None:
        decide = partial(
            intercepting.note_refused,
            intercept=one.intercept,
            code=code or "unknown",
            words=blot(words),
        )
        await self._record(one, "refused", decide)

    async def _record(self, one: Wanted, what: str, decide: Any) -> None:
        key = f"intercept:{one.intercept}:{what}"

        def decided(unit: Unit) -> dict[str, Any]:
            answer: dict[str, Any] = decide(unit, parcel=one.parcel)
            return answer

        await self._house.store.execute(
            Command(
                principal="partner:kuaidi100",
                key=key,
                digest=hashlib.sha256(key.encode()).digest(),
                context=Context(actor="partner:kuaidi100", command=key),
                decide=decided,
                streams=(INTERCEPT.stream(one.parcel),),
            )
        )

    async def _note(self, one: Wanted, cause: str) -> None:
        async with self._house.pool.connection() as connection:
            await self._rows(connection, _NOTE, {"what": one.intercept, "cause": cause[:200]})

    async def _rows(
        self, connection: AsyncConnection[Any], text: LiteralString, values: dict[str, Any]
    ) -> Sequence[Any]:
        names = ("intercepts", "open_calls")
        query = SQL(text).format(**{name: Identifier(self._house.schema, name) for name in names})
        return await (await connection.execute(query, values, prepare=True)).fetchall()


_CLAIM = """
WITH due AS (
    SELECT i.*, convert_from(i.folded, 'UTF8')::jsonb ->> 'name' AS intercept
    FROM {intercepts} i WHERE i.state = 'asked' AND NOT EXISTS (
        SELECT FROM {open_calls} c WHERE c.next_at > %(now)s AND c.phase = 'intercept'
          AND c.what = convert_from(i.folded, 'UTF8')::jsonb ->> 'name')
    ORDER BY i.asked_at, i.parcel LIMIT %(limit)s
), claimed AS (
    INSERT INTO {open_calls} AS c (what, phase, tries, first_at, next_at)
    SELECT intercept, 'intercept', 1, %(now)s, %(now)s + %(pause)s::interval FROM due
    ON CONFLICT (what, phase) DO UPDATE SET tries = c.tries + 1, cause = NULL,
        next_at = %(now)s + least(%(pause)s::interval * power(2, least(c.tries, 20)),
                                  %(longest)s::interval)
    WHERE c.next_at <= %(now)s
    RETURNING what
)
SELECT d.parcel, d.intercept, d.waybill, d.carrier, d.way, d.card, d.reason
FROM due d JOIN claimed c ON c.what = d.intercept ORDER BY d.asked_at, d.parcel
"""
_NOTE = """
UPDATE {open_calls} SET cause = %(cause)s WHERE what = %(what)s AND phase = 'intercept'
RETURNING what
"""
