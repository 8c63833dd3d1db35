"""账单处理 Bills taken, compared with what the house knows, and decided by staff (W6)."""

import asyncio
import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, LiteralString

from psycopg.sql import SQL, Identifier

from application.bill_evidence import Evidence, Gathering, OpenBill
from application.billed_parcels import Terms
from application.envelope import Context
from application.house import OUTAGES, House
from application.issuing import issue
from application.streams import BILL, MALL, NETWORK, RATES
from application.uncompared_bills import forget_failures, note_failure
from application.unit import Command, Unit
from application.waybills import must_be_known
from domain.bill_facts import BILL_NUMBER_PATTERN, PARTNER_PATTERN, BillKind
from domain.bill_matching import Compared, compare
from domain.bills import BillFile, Decision
from domain.days import FIRST_DAY, LAST_DAY, is_meant
from domain.refusals import InvalidRequest, NotFound

logger = logging.getLogger(__name__)

COMPARED_FOR = timedelta(days=90)
"""After its receipt a bill is compared again and again for so long: late facts mend differences."""
POLICY = "policy:match_bills"


def receive_bill(unit: Unit, *, file: BillFile) -> dict[str, Any]:
    """Take a bill: the same one again is one bill, another one of its number replaces it."""
    for field, text, pattern in (
        ("from", file.partner, PARTNER_PATTERN),
        ("number", file.number, BILL_NUMBER_PATTERN),
    ):
        if not re.fullmatch(pattern, text):
            raise InvalidRequest(field=field, reason=f"has to match {pattern}")
    for field, day in (("first_day", file.first_day), ("last_day", file.last_day)):
        if day is not None and not is_meant(day):
            raise InvalidRequest(field=field, reason=f"is not from {FIRST_DAY} to {LAST_DAY}")
    if file.first_day and file.last_day and file.first_day > file.last_day:
        raise InvalidRequest(field="last_day", reason="is before the first day")
    before = unit.read(BILL, file.key)
    if not before.revision:
        _must_be_a_partner(unit, file.kind, file.partner)
    after = unit.record(BILL, file.key, before.receive(file))
    status = "replaced" if before.revision else "received"
    return {
        "bill": file.key,
        "status": "known" if after.revision == before.revision else status,
        "revision": after.revision,
        "lines": after.lines,
        "total_fen": after.total_fen,
    }


def _must_be_a_partner(unit: Unit, kind: BillKind, partner: str) -> None:
    """Raise `InvalidRequest` where nobody bills by that name: no bill can be taken away again.

    Means of payment and outside shops have names that others give them: any may bill.
    """
    if kind is BillKind.CARRIER:
        must_be_known(unit, partner, field="from")
    known = unit.read(NETWORK, MALL).warehouses
    if kind is BillKind.WAREHOUSE and partner not in known:
        raise InvalidRequest(field="from", reason=f"one of {', '.join(sorted(known))}")


def decide_differences(
    unit: Unit, *, bill: str, differences: Sequence[str], decision: Decision, reason: str
) -> dict[str, Any]:
    """Accept differences, or contest them at the partner: all of them or none."""
    known = unit.read(BILL, bill)
    if not known.revision:
        raise NotFound(what="bill")
    for one in dict.fromkeys(differences):
        known = unit.record(BILL, bill, known.decide(one, decision, reason=reason))
    return {"bill": bill, "decided": len(set(differences)), "state": known.state}


async def match_new(house: House) -> int:
    """Compare what came and nobody compared yet; returns how many bills that were.

    One that cannot be compared holds up no other: it is tried later, and among the troubles (M5).
    """
    return await _match(house, _NEW, {"now": house.store.clock()}, at="")


async def match_again(house: House, *, at: str) -> int:
    """Compare the bills of late once more: numbers become known, parcels are handed over.

    `at` names the round: one that is run twice has its effect once.
    """
    return await _match(house, _OF_LATE, {"since": house.store.clock() - COMPARED_FOR}, at=at)


async def _match(
    house: House, which: LiteralString, values: Mapping[str, datetime], *, at: str
) -> int:
    async with house.pool.connection() as connection:
        names = {name: Identifier(house.schema, name) for name in ("bills", "uncompared_bills")}
        rows = await (await connection.execute(SQL(which).format(**names), values)).fetchall()
    compared = 0
    for *told, failed in rows:
        bill = OpenBill(told[0], BillKind(told[1]), *told[2:])
        try:
            await _match_one(house, bill, at=at)
        except OUTAGES:
            raise
        except Exception as error:  # one bill that cannot be compared holds up no other
            logger.exception("the bill %s could not be compared", bill.key)
            await note_failure(house, bill.key, bill.version, error)
        else:
            compared += 1
            if failed:
                await forget_failures(house, bill.key)
    return compared


async def _match_one(house: House, bill: OpenBill, *, at: str) -> None:
    terms = await _terms(house, bill)
    async with house.pool.connection() as connection:
        asking = Gathering(connection, house.schema, rules=house.rules, terms=terms)
        evidence = await asking.evidence(bill)
    # Twenty thousand lines take a moment that nobody else should wait for.
    compared = await asyncio.to_thread(_compared, bill, evidence)
    await issue(house, [_command(bill, compared, at)])


async def _terms(house: House, bill: OpenBill) -> Terms:
    """Warehouses and rate cards, exact at the log's head."""
    found: list[Terms] = []

    def look(unit: Unit) -> dict[str, Any]:
        found.append(Terms(unit.read(NETWORK, MALL), unit.read(RATES, MALL)))
        return {}

    question = _asked(bill, "terms", look)._replace(asks_only=True)
    await house.store.execute(question)
    return found[-1]


def _compared(bill: OpenBill, evidence: Evidence) -> Compared:
    return compare(
        evidence.lines,
        evidence.known,
        kind=bill.kind,
        earlier=evidence.earlier,
        expected=evidence.expected,
        later=evidence.later,
    )


def _command(bill: OpenBill, compared: Compared, at: str) -> Command:
    return _asked(bill, at, partial(note_compared, bill=bill, compared=compared))


def note_compared(unit: Unit, *, bill: OpenBill, compared: Compared) -> dict[str, Any]:
    """Note what of a bill differs now, unless a later version of it came meanwhile."""
    known = unit.read(BILL, bill.key)
    facts = known.compare(
        bill.revision, compared.differences, agreed=compared.agreed, ours_fen=compared.ours_fen
    )
    return {"bill": bill.key, "state": unit.record(BILL, bill.key, facts).state}


def _asked(bill: OpenBill, what: str, decide: Any) -> Command:
    """A command of the house's own; the bill as it was found names it, so that it is had once."""
    cause = f"{BILL.stream(bill.key)}@{bill.version}"
    key = f"{cause}:{what}"
    return Command(
        principal=POLICY,
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=POLICY, command=f"match_bills:{key}", causation=cause),
        decide=decide,
        streams=(BILL.stream(bill.key), NETWORK.stream(MALL), RATES.stream(MALL)),
    )


_BILLS: LiteralString = """
SELECT b.id, b.kind, b.partner, b.revision, b.version, b.first_day, b.last_day,
    f.bill IS NOT NULL AS failed
FROM {bills} b LEFT JOIN {uncompared_bills} f ON f.bill = b.id
"""
_NEW: LiteralString = (
    _BILLS
    + """
WHERE b.matched_at IS NULL AND (f.bill IS NULL OR f.version < b.version OR f.again_at <= %(now)s)
ORDER BY b.received_at, b.id
"""
)
_OF_LATE: LiteralString = _BILLS + "WHERE b.received_at >= %(since)s ORDER BY b.received_at, b.id"
