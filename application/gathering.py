"""取证 What is gathered by itself when a case is opened, as far as it needs the vault (D1, D5).

Who signed is compared with the recipient here, where both names can be read, and only what came
of it is recorded: same, household, place, another. Nothing is read of who is erased or held.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.cards import open_card
from application.envelope import decode_fact
from application.recipients import Recipient
from application.sealed_words import payload_of
from application.streams import PARCEL
from application.vault import Unreadable, Vault
from domain.blotting import blot
from domain.dispute_facts import SameAddress, SignerMatch
from domain.parcel_facts import ParcelFact, ParcelScanned
from domain.parcels import Parcel
from domain.recorded_scans import as_scan
from domain.scans import ScanKind, normalise_text, read_signer
from domain.signers import match_signer

LOOKED_BACK = timedelta(days=365)
"""How far back disputes at the same address are counted."""
_RECEIPT = (ScanKind.SIGNED, ScanKind.PICKUP_CONFIRMED)


class Gathered(NamedTuple):
    """What was found out."""

    signer_match: SignerMatch = SignerMatch.UNTOLD
    proof_of_delivery: str | None = None
    """The event that told of the receipt, e.g. `parcel:T1-P1@6`."""
    same_address: SameAddress | None = None


async def gather(
    connection: AsyncConnection[Any],
    schema: str,
    vault: Vault,
    *,
    parcel: str,
    learner: str,
    recipient_card: str | None,
    now: datetime,
) -> Gathered:
    """Look at the parcel's receipt and at the address it went to.

    `recipient_card` is the order's: whom parcels go to that have no card of their own.
    """
    box, receipt = await _receipt(connection, schema, parcel)
    sent_to = box.recipient if receipt is None else box.recipient_at(receipt[1].time)
    recipient_card = sent_to or recipient_card
    since = now - LOOKED_BACK
    address = await _same_address(connection, schema, recipient_card, learner, since=since)
    if receipt is None:
        return Gathered(same_address=address)
    version, fact = receipt
    try:
        name = await _name(connection, schema, vault, recipient_card)
        signer = await _signer(connection, schema, vault, fact)
    except Unreadable:  # somebody changed a card: `verify` is for that, the case goes on
        name = signer = None
    proof = f"{PARCEL.stream(parcel)}@{version}"
    return Gathered(match_signer(signer, name), proof, address)


async def _receipt(
    connection: AsyncConnection[Any], schema: str, parcel: str
) -> tuple[Parcel, tuple[int, ParcelScanned] | None]:
    """The parcel; the first scan that counts and told of its receipt, with its version.

    One of another parcel's number, or that a human left out, proves nothing of this one.
    """
    query = SQL(_FACTS).format(Identifier(schema, "tallypost_events"))
    rows = await (await connection.execute(query, (PARCEL.stream(parcel),))).fetchall()
    box, told = PARCEL.initial, list[tuple[int, ParcelScanned]]()
    for version, name, stored in rows:
        fact = cast("ParcelFact", decode_fact(name, bytes(stored)))
        box = PARCEL.evolve(box, fact)
        if isinstance(fact, ParcelScanned) and fact.kind in _RECEIPT:
            told.append((version, fact))
    counted = {scan.identity for scan in box.track().scans}
    counting = [one for one in told if as_scan(one[1]).identity in counted]
    return box, min(counting, key=lambda one: (one[1].time, one[0]), default=None)


async def _name(
    connection: AsyncConnection[Any], schema: str, vault: Vault, card: str | None
) -> str | None:
    if card is None:
        return None
    content = await open_card(connection, schema, vault, card)
    return None if content is None else Recipient.from_bytes(content).name


async def _signer(
    connection: AsyncConnection[Any], schema: str, vault: Vault, fact: ParcelScanned
) -> str | None:
    """Who signed, in the carrier's own words: in the payload, for the fact names nobody."""
    raw = None
    if fact.card is not None:
        card = await open_card(connection, schema, vault, fact.card)
        raw = None if card is None else payload_of(card, fact.digest)
    texts = [] if raw is None else list(texts_of(raw))
    told = next((one for one in texts if blot(one) == fact.text), fact.text)
    return read_signer(replace(as_scan(fact), text=told))


def texts_of(payload: bytes) -> Iterator[str]:
    """Every text in a payload, spelt as facts spell theirs, whoever's wire format it is."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return
    pending = [document]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield normalise_text(one)
            if one.startswith(("{", "[")):  # SF answers with JSON in a string
                yield from texts_of(one.encode())
        elif isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one


async def _same_address(
    connection: AsyncConnection[Any],
    schema: str,
    card: str | None,
    learner: str,
    *,
    since: datetime,
) -> SameAddress | None:
    """Orders and disputes that went to the same address, by its keyed hash (A4)."""
    if card is None:
        return None
    names = {name: Identifier(schema, name) for name in ("cards", "places", "orders", "disputes")}
    cursor = await connection.execute(
        SQL(_SAME_ADDRESS).format(**names), {"card": card, "learner": learner, "since": since}
    )
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        return None
    _, orders, accounts, disputes, not_received = row
    return SameAddress(
        days=LOOKED_BACK.days,
        orders=orders,
        accounts=accounts,
        disputes=disputes,
        not_received=not_received,
    )


_FACTS = """
SELECT originator_version, topic, state FROM {}
WHERE originator_id = %s ORDER BY originator_version
"""
# Who sends where is kept by address: cards are too many to be searched for it.
_SAME_ADDRESS = """
WITH mine AS (SELECT place_digest AS digest FROM {cards} WHERE id = %(card)s::uuid),
people AS (
    SELECT p.learner FROM {places} p JOIN mine USING (digest)
    UNION SELECT %(learner)s::text
),
there AS (
    SELECT o.number, o.learner FROM people JOIN {orders} o USING (learner)
    JOIN {cards} c ON c.id = o.card::uuid JOIN mine ON mine.digest = c.place_digest
    WHERE o.placed_at > %(since)s
)
SELECT (SELECT digest FROM mine), count(*), count(DISTINCT learner),
    (SELECT count(*) FROM {disputes} d WHERE d.order_number IN (SELECT number FROM there)),
    (SELECT count(*) FROM {disputes} d WHERE d.order_number IN (SELECT number FROM there)
        AND d.reason = 'not_received')
FROM there
"""
