"""面单下单 Asking Kuaidi100, or a carrier, for waybills, and giving back those not needed (W5; M2).

What has to be asked is found on the views; who asks, when, and how often is kept in a table, so
that one process at a time asks about one label, with growing pauses. An answer that got lost is
asked for under the same name, which is the same order at theirs for 48 hours; after 47 nobody
asks by himself, because it might be a second one.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString, NamedTuple, TypeVar

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import labelling
from application.asking_partners import Asker
from application.cards import open_cards
from application.country_names import country_name
from application.envelope import Context
from application.gateways.guarded import by_reading, to
from application.gateways.kuaidi100_labels import Account, Kuaidi100Labels
from application.gateways.labelling import Labeller, LabelWish, Numbered, Person
from application.gateways.tracking import (
    Call,
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadableReply,
)
from application.offices import sending_office
from application.recipients import Recipient
from application.settings import Settings
from application.streams import ORDER, PARCEL
from application.traffic import Way, labeller_of
from application.unit import Command, Unit
from domain.blotting import blot
from domain.countries import HOME, TERRITORIES
from domain.labels import LabelIssued
from domain.orders import Order

logger = logging.getLogger(__name__)

PARTNER = Kuaidi100Labels.partner
"""Whom calls to Kuaidi100's label service are counted and paced for."""
BATCH = 100
AT_ONCE = 8
"""Requests under way at the same time."""
ASKED_FOR = timedelta(hours=47)
"""Theirs is one order for 48 hours (wire 1.8)."""
FIRST_PAUSE = timedelta(seconds=15)
"""Longer than a batch takes at the partner's pace: nobody asks what is being asked."""
LONGEST_PAUSE = timedelta(minutes=30)
NO_RECIPIENT = "no_recipient"


Told = TypeVar("Told")


class Open(NamedTuple):
    """A request that is to be sent now."""

    label: str
    parcel: str
    carrier: str
    grams: int
    unwanted: bool
    waybill: str | None
    partner_order: str | None
    reason: str | None
    warehouse: str
    place: str
    """Province and city of the warehouse."""
    warehouse_name: str
    office: dict[str, str] | None
    card: str | None
    folded: bytes | None
    """The first order in the parcel."""
    tries: int
    first_at: datetime


class LabelOrders:
    """Asks for the labels of one tenant."""

    def __init__(self, house: Asker, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def ask(self) -> int:
        """Ask for whatever is to be asked for now; how many requests were looked at."""
        looked = 0
        while self._house.settings.labels_are_possible:
            claimed = await self._claim()
            recipients = await self._recipients(claimed)
            await asyncio.gather(*(self._tried(one, recipients) for one in claimed))
            looked += len(claimed)
            if len(claimed) < BATCH:
                break
        return looked

    async def _claim(self) -> list[Open]:
        now = self._house.store.clock()
        values = {
            "now": now, "limit": BATCH, "pause": FIRST_PAUSE, "longest": LONGEST_PAUSE,
        }  # fmt: skip
        async with self._house.pool.connection() as connection:
            return [Open(*row) for row in await self._rows(connection, _CLAIM, values)]

    async def _recipients(self, claimed: Sequence[Open]) -> dict[str, Recipient]:
        cards = {one.card for one in claimed if one.card and one.waybill is None}
        async with self._house.pool.connection() as connection:
            opened = await open_cards(connection, self._house.schema, self._house.vault, cards)
        return {card: Recipient.from_bytes(content) for card, content in opened.items()}

    async def _tried(self, one: Open, recipients: dict[str, Recipient]) -> None:
        """One label that fails is told of, and asked about again; the others go on (M5)."""
        try:
            await self._ask(one, recipients)
        except Exception as error:
            logger.exception("label %s failed: %s", one.label, type(error).__name__)
            phase = "order" if one.waybill is None else "cancel"
            await self._note(one, phase, type(error).__name__)

    async def _ask(self, one: Open, recipients: dict[str, Recipient]) -> None:
        async with self._slots:
            if one.waybill is not None:
                await self._cancel(one)
            elif one.unwanted and one.tries == 1:
                await self._record(
                    one, "cancelled", partial(labelling.note_cancelled, label=one.label)
                )
            elif self._house.store.clock() - one.first_at > ASKED_FOR:
                logger.error("what became of label %s is not known", one.label)
                await self._record(one, "given_up", partial(labelling.give_up, label=one.label))
            else:
                await self._order(one, recipients.get(one.card or ""))

    async def _order(self, one: Open, recipient: Recipient | None) -> None:
        if recipient is None:
            await self._refused(one, NO_RECIPIENT, "")
            return
        wish = LabelWish(
            one.label,
            one.carrier,
            sender=sender_of(self._house.settings, one),
            recipient=Person(recipient.name, recipient.phone, whole_address(recipient)),
            cargo=_cargo(one.folded),
            grams=one.grams,
        )
        try:
            labeller, way = await labeller_of(self._house, one.carrier, one.parcel)
            numbered = await self._numbered(wish, labeller, way, again=one.tries > 1)
        except IncompleteRequest as incomplete:
            await self._refused(one, "incomplete", str(incomplete))
            return
        except PartnerRefused as refused:
            await self._judged(one, refused)
            return
        except (httpx2.HTTPError, UnreadableReply) as error:
            await self._note(one, "order", type(error).__name__)
            return
        issued = LabelIssued(
            label=one.label,
            issuer=labeller.issuer,
            waybill=numbered.waybill,
            partner_order=numbered.partner_order,
            sorting=numbered.sorting,
        )
        await self._record(one, "issued", partial(labelling.take_number, issued=issued))

    async def _numbered(
        self, wish: LabelWish, labeller: Labeller, way: Way, *, again: bool
    ) -> Numbered:
        """The number that an order gets, or got when its answer was lost."""
        now = self._house.store.clock()
        before = labeller.asked_before(wish.name, now=now) if again else None
        if before is not None:
            try:
                return await self._told(labeller, way, before, labeller.read_order)
            except PartnerRefused as refused:
                if refused.alarm or refused.retry is not Retry.NEVER:
                    raise
                # They know of no such order.
        order = labeller.order(wish, now=now)
        return await self._told(labeller, way, order, labeller.read_order)

    async def _cancel(self, one: Open) -> None:
        labeller, way = await labeller_of(self._house, one.carrier, one.parcel)
        call = labeller.cancel(
            one.waybill or "",
            carrier=one.carrier,
            partner_order=one.partner_order or "",
            reason=blot(one.reason or ""),
            now=self._house.store.clock(),
        )
        try:
            await self._told(labeller, way, call, labeller.read_cancel)
        except PartnerRefused as refused:
            (logger.error if refused.alarm else logger.warning)(
                "a label was not taken back, with code %s", refused.code
            )
            await self._note(one, "cancel", f"{refused.code}: {blot(refused.message)}")
            return
        except (httpx2.HTTPError, UnreadableReply) as error:
            await self._note(one, "cancel", type(error).__name__)
            return
        await self._record(one, "cancelled", partial(labelling.note_cancelled, label=one.label))

    async def _judged(self, one: Open, refused: PartnerRefused) -> None:
        """Their own trouble passes; everything else is for a human to see to."""
        if refused.alarm:
            logger.error("a label was refused with code %s: see to the account", refused.code)
        if refused.alarm or refused.retry is Retry.BACKOFF:
            await self._note(one, "order", f"{refused.code}: {blot(refused.message)}")
        else:
            await self._refused(one, refused.code, refused.message)

    async def _refused(self, one: Open, code: str, words: str) -> None:
        decide = partial(
            labelling.note_refusal, label=one.label, code=code or "unknown", words=blot(words)
        )
        await self._record(one, "refused", decide)

    async def _told(
        self, labeller: Labeller, way: Way, call: Call, read: Callable[[bytes], Told]
    ) -> Told:
        extensions = to(way.called(labeller.partner), by_reading(read))
        answer = await self._client.post(call.url, **call.content, extensions=extensions)
        if answer.status_code >= 500:
            answer.raise_for_status()
        return read(answer.content)

    async def _record(self, one: Open, what: str, decide: Any) -> None:
        key = f"{one.label}:{what}"
        principal = f"partner:{self._house.trackers.labeller(one.carrier).issuer}"
        context = Context(actor=principal, command=f"label:{key}")

        def decided(unit: Unit) -> dict[str, Any]:
            answer: dict[str, Any] = decide(unit, parcel=one.parcel)
            return answer

        await self._house.store.execute(
            Command(
                principal=principal,
                key=f"label:{key}",
                digest=hashlib.sha256(key.encode()).digest(),
                context=context,
                decide=decided,
                streams=(PARCEL.stream(one.parcel),),
                keeps_refusals=False,  # what the partner told can be taken in once it is mended
            )
        )

    async def _note(self, one: Open, phase: str, cause: str) -> None:
        logger.warning("a label waits: %s", cause)
        values = {"what": one.label, "phase": phase, "cause": cause[:200]}
        async with self._house.pool.connection() as connection:
            await self._rows(connection, _NOTE, values)

    async def _rows(
        self, connection: AsyncConnection[Any], text: LiteralString, values: dict[str, Any]
    ) -> Sequence[Any]:
        names = ("labels", "parcels", "orders", "warehouses", "open_calls")
        query = SQL(text).format(**{name: Identifier(self._house.schema, name) for name in names})
        return await (await connection.execute(query, values, prepare=True)).fetchall()


def account_of(settings: Settings) -> Account:
    """What requests to Kuaidi100's label service are signed with."""
    return Account(settings.kuaidi100_key, settings.kuaidi100_secret.get_secret_value())


def contract_of(settings: Settings, carrier: str) -> dict[str, str]:
    """What the carrier knows the house by; empty where there is no contract."""
    accounts = settings.kuaidi100_accounts
    return accounts.get(carrier) or accounts.get("*") or {}


def sender_of(settings: Settings, one: Open) -> Person:
    """Who sends from the parcel's warehouse."""
    known = sending_office(settings, one.warehouse, one.office)
    if known is None:
        return Person(one.warehouse_name, "", one.place)
    return Person(known.name, known.phone, known.address)


def whole_address(recipient: Recipient) -> str:
    """Province to room in one text; abroad the other way round, up to the country (T7)."""
    if recipient.country not in {HOME, *TERRITORIES}:
        place = (recipient.address, recipient.district, recipient.city, recipient.province)
        end = (recipient.postcode, country_name(recipient.country, "en"))
        return ", ".join([part for part in (*place, *end) if part])
    parts = (recipient.province, recipient.city, recipient.district, recipient.address)
    return "".join(dict.fromkeys(part for part in parts if part))


def _cargo(folded: bytes | None) -> str:
    """What carriers are told is in it: the first item."""
    if folded is None:
        return "goods"
    order: Order = ORDER.states.validate_json(folded)
    return order.lines[0].name[:40]


_CLAIM = """
WITH due AS (
    SELECT l.*, CASE WHEN l.waybill IS NULL THEN 'order' ELSE 'cancel' END AS phase
    FROM {labels} l
    WHERE (l.state IN ('wanted', 'unwanted') OR l.state = 'refused' AND l.waybill IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM {open_calls} c WHERE c.what = l.label AND c.next_at > %(now)s
          AND c.phase = CASE WHEN l.waybill IS NULL THEN 'order' ELSE 'cancel' END)
    ORDER BY l.wanted_at, l.label LIMIT %(limit)s
), claimed AS (
    INSERT INTO {open_calls} AS c (what, phase, tries, first_at, next_at)
    SELECT label, phase, 1, %(now)s, %(now)s + %(pause)s::interval FROM due
    ON CONFLICT (what, phase) DO UPDATE SET tries = c.tries + 1, cause = NULL,
        next_at = %(now)s + least(%(pause)s::interval * power(2, least(c.tries, 20)),
                                  %(longest)s::interval)
    WHERE c.next_at <= %(now)s
    RETURNING what, tries, first_at
)
SELECT d.label, d.parcel, d.carrier, d.grams, d.state = 'unwanted', d.waybill, d.partner_order,
    d.reason, p.warehouse, concat(w.terms ->> 'province', w.terms ->> 'city'),
    coalesce(w.terms ->> 'name', p.warehouse), w.terms -> 'office',
    coalesce(convert_from(p.folded, 'UTF8')::jsonb -> 'to' ->> 'card', o.card), o.folded,
    c.tries, c.first_at
FROM due d JOIN claimed c ON c.what = d.label JOIN {parcels} p ON p.number = d.parcel
LEFT JOIN {warehouses} w ON w.code = p.warehouse LEFT JOIN {orders} o ON o.number = p.orders[1]
ORDER BY d.wanted_at, d.label
"""
_NOTE = """
UPDATE {open_calls} SET cause = %(cause)s WHERE what = %(what)s AND phase = %(phase)s
RETURNING what
"""
