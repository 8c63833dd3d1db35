"""兑换 Redeeming: points leave, stock is reserved and the order stands, in one commit (L2, O1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from application.addressing import destination_of
from application.past_accounts import payer
from application.recipients import Digests, Recipient
from application.routing import Asking, FreightChanged, UpgradeUnavailable, deliver, quoted_part
from application.streams import ACCOUNT, ITEM, MALL, NETWORK, ORDER, PRIVACY, RATES, STOCK
from application.unit import Unit
from domain.catalogue import Kind, Terms
from domain.compliance import Exported, Objection, objections
from domain.countries import HOME
from domain.courses import grant_courses
from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.order_facts import (
    Channel,
    OrderLine,
    OrderPlaced,
    Upgrade,
    customer_status,
)
from domain.past_balances import LeftSince
from domain.point_facts import Counted
from domain.points import Account
from domain.promising import NO_BACKLOG, promised_by, settled_by
from domain.rate_facts import LaneSettled
from domain.refusals import InvalidRequest, OrderRefused, Refusal
from domain.reviewing import reasons_at_placing, require_review
from domain.splitting import Allocation, Plan, PlannedPart
from domain.stock import OutOfStock, StockReserved, stock_key
from domain.warehouses import Network

SEATS = "seats"
"""The pseudo-warehouse that counts a course's seats, where they are counted (rules.md 7)."""

_NO_GOODS = Plan(parts=(), chosen_for="courses_alone")


class Wanted(NamedTuple):
    """One line of what a caller wants."""

    sku: str
    quantity: int
    points_expected: int | None = None


class Wish(NamedTuple):
    """What a caller wants to redeem. Text is clean and the province inferred before this."""

    learner: str
    lines: tuple[Wanted, ...]
    recipient: Recipient | None
    channel: Channel
    digests: Digests | None = None
    doubts: tuple[str, ...] = ()
    """Why a human should look at it first: stable codes such as `address_ambiguous` (O7)."""
    candidates: tuple[str, ...] = ()
    """Places that can be meant, where the address does not settle its province."""
    upgrade: Upgrade | None = None
    """A better delivery that the learner pays for (O6)."""
    freight_expected_fen: int | None = None
    """What the caller saw of freight; another price is refused."""
    external_number: str | None = None
    """What an outside shop calls the order (O2)."""


class Assessment(NamedTuple):
    """What placing an order would do, or why it would not (O1, O6)."""

    payer: Account
    """With no more than may pay: of an order that is dated back, what was there and is left."""
    failures: tuple[Refusal, ...]
    lines: tuple[OrderLine, ...]
    plan: Plan | None
    points: int
    cash_fen: int
    freight_fen: int
    """What the learner pays for freight and upgrade (rules.md 8)."""
    promised_by: datetime | None
    value_fen: int
    """Market value of the goods in it: what a human wants to know before sending them (O7)."""
    settling: tuple[LaneSettled, ...]
    """Lanes that go with another carrier once it is placed (W4)."""
    upgrades: tuple[dict[str, Any], ...]
    """What could be paid for on top (O6)."""
    objections: tuple[Objection, ...]
    """What a human has to look at because it goes abroad (T7)."""


def streams_of(wish: Wish, network: Network) -> list[str]:
    """What placing this wish is going to read, given the warehouses known so far."""
    streams = [
        ACCOUNT.stream(wish.learner),
        PRIVACY.stream(wish.learner),
        NETWORK.stream(MALL),
        RATES.stream(MALL),
    ]
    for line in wish.lines:
        streams.append(ITEM.stream(line.sku))
        streams += [STOCK.stream(stock_key(code, line.sku)) for code in network.warehouses]
    return streams


def place_order(
    unit: Unit,
    wish: Wish,
    *,
    number: str,
    rules: HouseRules,
    backlog: Mapping[str, int] = NO_BACKLOG,
    left: LeftSince | None = None,
) -> dict[str, Any]:
    """Place an order, or raise `OrderRefused` with every reason against it (L2, L3, O1).

    One that is dated back is paid with what was there and is `left` (rules.md 19); raises `NotYet`
    where the account moved since that was read.
    """
    assessed = assess(unit, wish, rules=rules, backlog=backlog, left=left)
    if assessed.plan is None or assessed.promised_by is None:
        raise OrderRefused(assessed.failures)
    when, due_fen = unit.happened_at, assessed.cash_fen + assessed.freight_fen
    counted = tuple(
        [Counted(sku=line.sku, quantity=line.quantity) for line in assessed.lines if line.counts]
    )
    pay = assessed.payer.hold if due_fen else assessed.payer.redeem
    paying = pay(assessed.points, order=number, counted=counted, when=when)
    reserving = _reservations(assessed.plan, assessed.lines, order=number)
    placed = OrderPlaced(
        learner=wish.learner,
        channel=wish.channel,
        external_number=wish.external_number,
        lines=assessed.lines,
        points=assessed.points,
        cash_fen=assessed.cash_fen,
        freight_fen=assessed.freight_fen,
        lots=paying[0].lots if paying else (),
        destination=_destination(unit, wish),
        plan=assessed.plan,
        pay_by=settled_by(when, due_fen=due_fen, rules=rules) if due_fen else None,
        promised_by=assessed.promised_by,
        late_points=_late_points(assessed, now=unit.now, rules=rules),
        policy=rules.policy,
        upgrade=wish.upgrade,
    )
    unit.record(ACCOUNT, wish.learner, paying)
    for stock, reserved in reserving:
        unit.record(STOCK, stock, [reserved])
    if assessed.settling:
        unit.record(RATES, MALL, assessed.settling)
    unit.begin(ORDER, number, placed)
    state = placed.state
    abroad = assessed.objections
    review = reasons_at_placing(
        value_fen=assessed.value_fen, doubts=wish.doubts, abroad=abroad, rules=rules
    )
    if review:
        order = unit.read(ORDER, number)
        details = (*wish.doubts, *(one.detail for one in abroad))
        unit.record(ORDER, number, require_review(order, review, details=details, rules=rules))
    if not due_fen and assessed.plan.parts[-1].warehouse is None:
        granting = grant_courses(unit.read(ORDER, number), when=when, rules=rules)
        state = unit.record(ORDER, number, granting).state
    return {
        "number": number,
        "status": customer_status(state),
        "points": assessed.points,
        "cash_fen": assessed.cash_fen,
        "freight_fen": assessed.freight_fen,
        "promised_by": assessed.promised_by,
    }


def _late_points(assessed: Assessment, *, now: datetime, rules: HouseRules) -> int:
    """What is given if it comes late: courses never do, and nobody waits for the past (rule 10)."""
    plan, by = assessed.plan, assessed.promised_by
    awaited = plan is not None and any(part.warehouse for part in plan.parts)
    return rules.late_points if awaited and by is not None and by > now else 0


def assess(
    unit: Unit,
    wish: Wish,
    *,
    rules: HouseRules,
    backlog: Mapping[str, int] = NO_BACKLOG,
    upgrades: bool = False,
    left: LeftSince | None = None,
) -> Assessment:
    """Check everything without effect: the answer to a quote, and the first half of placing.

    `upgrades` asks what could be paid for on top, also when the wish names none.
    """
    when = unit.happened_at
    account, there = payer(unit, wish.learner, left)
    failures: list[Refusal] = []
    lines: list[OrderLine] = []
    goods: list[tuple[OrderLine, Terms]] = []
    courses: list[OrderLine] = []
    points = cash_fen = value_fen = 0
    seen: set[str] = set()
    if not wish.lines:
        raise InvalidRequest(field="lines", reason="name at least one item")
    for number, wanted in enumerate(wish.lines, start=1):
        if wanted.quantity < 1:
            raise InvalidRequest(field=f"lines.{number - 1}.quantity", reason="at least 1")
        if wanted.sku in seen:
            raise InvalidRequest(field=f"lines.{number - 1}.sku", reason="named twice")
        seen.add(wanted.sku)
        item = unit.read(ITEM, wanted.sku)
        failures += item.sale_failures(
            wanted.quantity,
            sku=wanted.sku,
            taken=account.taken(wanted.sku),
            expected=wanted.points_expected,
            when=when,
        )
        terms = item.terms
        if terms is not None:
            line = _line(number, wanted, terms)
            lines.append(line)
            points += terms.points * wanted.quantity
            cash_fen += terms.cash_fen * wanted.quantity
            if terms.kind is Kind.PARCEL:
                goods.append((line, terms))
                value_fen += terms.market_value_fen * wanted.quantity
            else:
                courses.append(line)
    failures += account.spending_failures(points, when=when)
    if left is not None:
        failures += account.failures_then(points, when=when, there=there)
    failures += unit.read(PRIVACY, wish.learner).refusals()
    delivery = None
    if goods:
        delivery = deliver(
            unit,
            goods,
            wish.recipient,
            # Courses are a part, too (rules.md 2).
            ask=Asking(rules.max_parts - bool(courses), wish.upgrade, upgrades, wish.candidates),
            rules=rules,
            backlog=backlog,
            cash_fen=cash_fen,
            failures=failures,
        )
    freight_fen = delivery.freight_fen if delivery else 0
    if wish.freight_expected_fen not in (None, freight_fen):
        expected = wish.freight_expected_fen
        failures.append(FreightChanged(freight_fen=freight_fen, expected=expected))
    if wish.upgrade and not goods:
        failures.append(UpgradeUnavailable(upgrade=wish.upgrade))
    plan = delivery.planned.plan if delivery else None if goods else _NO_GOODS
    legs = delivery.planned.legs if delivery else ()
    if courses and plan:
        plan = _with_courses(unit, plan, courses, failures=failures)
    return Assessment(
        payer=there,
        failures=tuple(failures),
        lines=tuple(lines),
        plan=None if failures else plan,
        points=points,
        cash_fen=cash_fen,
        freight_fen=freight_fen,
        promised_by=promised_by(
            legs,
            when=settled_by(when, due_fen=cash_fen + freight_fen, rules=rules),
            rules=rules,
            backlog=backlog,
            urgent=wish.upgrade is not None,
        )
        if plan
        else None,
        settling=delivery.planned.settling if delivery else (),
        upgrades=delivery.upgrades if delivery else (),
        value_fen=value_fen,
        objections=_objections(goods, wish.recipient, rules=rules),
    )


def _objections(
    goods: Sequence[tuple[OrderLine, Terms]], recipient: Recipient | None, *, rules: HouseRules
) -> tuple[Objection, ...]:
    if recipient is None or recipient.country == HOME:
        return ()
    exported = [
        Exported(line.sku, terms.market_value_fen * line.quantity, terms.customs)
        for line, terms in goods
    ]
    return objections(recipient.country, exported, rules=rules)


# Most orders are one unit of one item: their lines are equal, and made once.
@lru_cache(maxsize=4096)
def _line(number: int, wanted: Wanted, terms: Terms) -> OrderLine:
    return OrderLine(
        line=number,
        sku=wanted.sku,
        name=terms.name,
        specification=terms.specification,
        kind=terms.kind,
        quantity=wanted.quantity,
        unit_points=terms.points,
        unit_cash_fen=terms.cash_fen,
        counts=terms.limit_per_learner is not None,
        seats=terms.kind is Kind.COURSE and terms.seat_quota,
    )


def _with_courses(
    unit: Unit, plan: Plan, courses: Sequence[OrderLine], *, failures: list[Refusal]
) -> Plan:
    """The plan with its last part, which is of courses; adds what seats are missing."""
    for line in courses:
        if line.seats:
            seats = unit.read(STOCK, stock_key(SEATS, line.sku))
            if seats.free < line.quantity:
                failures.append(OutOfStock(sku=line.sku, wanted=line.quantity, free=seats.free))
    part = PlannedPart(
        part=len(plan.parts) + 1,
        warehouse=None,
        units=tuple(Allocation(line=line.line, quantity=line.quantity) for line in courses),
    )
    return plan.model_copy(update={"parts": (*plan.parts, part)})


def _reservations(
    plan: Plan, lines: Sequence[OrderLine], *, order: str
) -> list[tuple[str, StockReserved]]:
    """What each stock promises to the order."""
    reserving: list[tuple[str, StockReserved]] = []
    for part in plan.parts:
        for allocation in part.units:
            line = lines[allocation.line - 1]
            if part.warehouse or line.seats:
                reserved = StockReserved(order=order, part=part.part, quantity=allocation.quantity)
                reserving.append((stock_key(part.warehouse or SEATS, line.sku), reserved))
    return reserving


def _destination(unit: Unit, wish: Wish) -> Destination | None:
    recipient = wish.recipient
    if recipient is None:
        return None
    card = unit.seal(wish.learner, "recipient", recipient.to_bytes(), digests=wish.digests)
    return destination_of(recipient, card=card)


def answer_quote(
    unit: Unit, wish: Wish, *, rules: HouseRules, backlog: Mapping[str, int] = NO_BACKLOG
) -> Mapping[str, Any]:
    """What placing would answer, without effect (O6)."""
    assessed = assess(unit, wish, rules=rules, backlog=backlog, upgrades=True)
    plan = assessed.plan
    return {
        "ok": not assessed.failures,
        "failures": [failure.as_failure() for failure in assessed.failures],
        "parts": [quoted_part(part) for part in plan.parts] if plan else [],
        "promised_by": assessed.promised_by,
        "points": assessed.points,
        "cash_fen": assessed.cash_fen,
        "freight_fen": assessed.freight_fen,
        "upgrades": list(assessed.upgrades),
    }
