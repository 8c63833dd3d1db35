"""兑换 Redeeming: points leave, stock is reserved and the order stands, in one commit (L2, O1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from application.streams import ACCOUNT, ITEM, MALL, NETWORK, ORDER, PRIVACY, STOCK
from application.unit import Unit
from application.vault import Digests, Recipient
from domain.catalogue import Kind, Terms
from domain.house_rules import HouseRules
from domain.order_facts import Channel, Destination, OrderLine, OrderPlaced, customer_status
from domain.point_facts import Counted
from domain.promising import NO_BACKLOG, promised_by
from domain.refusals import InvalidRequest, OrderRefused, Refusal
from domain.reviewing import reasons_at_placing, require_review
from domain.splitting import Allocation, Demand, Plan, PlannedPart, TooManyParcels, plan_split
from domain.stock import OutOfStock, StockReserved, stock_key
from domain.warehouses import Network, Warehouse

SEATS = "seats"
"""The pseudo-warehouse that counts a course's seats, where they are counted (rules.md 7)."""

_NO_GOODS = Plan(parts=(), chosen_for="courses_alone")


class OutsideCoverage(Refusal):
    """No warehouse that keeps these goods ships there (O1; rules.md 9)."""

    code = "outside_coverage"
    en = "{sku} cannot be delivered to {region}."
    zh = "商品 {sku} 无法配送至 {region}。"


class RecipientMissing(Refusal):
    """Goods need somewhere to go (O1)."""

    code = "recipient_missing"
    en = "An order of goods needs a recipient."
    zh = "实物订单需要收件人。"


class ProvinceMissing(Refusal):
    """The address does not say in which province it is; it is asked for, not guessed (O1)."""

    code = "province_missing"
    en = "The address does not name its province: please add it."
    zh = "地址缺少省份,请补全。"

    def __init__(self, candidates: Sequence[str] = ()) -> None:
        self._candidates = candidates
        super().__init__(**({"candidates": list(candidates)} if candidates else {}))

    def message(self, language: str = "en") -> str:
        """What to add, and the places that can be meant."""
        words = super().message(language)
        if not self._candidates:
            return words
        if language.startswith("zh"):
            return f"{words}可能是:{'、'.join(self._candidates)}。"
        return f"{words} It can be: {', '.join(self._candidates)}."


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


class Assessment(NamedTuple):
    """What placing an order would do, or why it would not (O1, O6)."""

    failures: tuple[Refusal, ...]
    lines: tuple[OrderLine, ...]
    plan: Plan | None
    points: int
    cash_fen: int
    promised_by: datetime | None
    value_fen: int
    """Market value of the goods in it: what a human wants to know before sending them (O7)."""


def streams_of(wish: Wish, network: Network) -> list[str]:
    """What placing this wish is going to read, given the warehouses known so far."""
    streams = [
        ACCOUNT.stream(wish.learner),
        PRIVACY.stream(wish.learner),
        NETWORK.stream(MALL),
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
) -> dict[str, Any]:
    """Place an order, or raise `OrderRefused` with every reason against it (L2, L3, O1)."""
    assessed = assess(unit, wish, rules=rules, backlog=backlog)
    if assessed.plan is None or assessed.promised_by is None:
        raise OrderRefused(assessed.failures)
    when = unit.happened_at
    account = unit.read(ACCOUNT, wish.learner)
    counted = tuple(
        [Counted(sku=line.sku, quantity=line.quantity) for line in assessed.lines if line.counts]
    )
    pay = account.hold if assessed.cash_fen else account.redeem
    paying = pay(assessed.points, order=number, counted=counted, when=when)
    reserving = _reservations(assessed.plan, assessed.lines, order=number)
    placed = OrderPlaced(
        learner=wish.learner,
        channel=wish.channel,
        lines=assessed.lines,
        points=assessed.points,
        cash_fen=assessed.cash_fen,
        lots=paying[0].lots if paying else (),
        destination=_destination(unit, wish),
        plan=assessed.plan,
        pay_by=when + rules.pay_within if assessed.cash_fen else None,
        promised_by=assessed.promised_by,
        policy=rules.policy,
    )
    unit.record(ACCOUNT, wish.learner, paying)
    for stock, reserved in reserving:
        unit.record(STOCK, stock, [reserved])
    unit.begin(ORDER, number, placed)
    state = placed.state
    review = reasons_at_placing(value_fen=assessed.value_fen, doubts=wish.doubts, rules=rules)
    if review:
        order = unit.read(ORDER, number)
        unit.record(ORDER, number, require_review(order, review, details=wish.doubts, rules=rules))
    if not assessed.cash_fen and assessed.plan.parts[-1].warehouse is None:
        granting = unit.read(ORDER, number).grant_courses(when=when, rules=rules)
        state = unit.record(ORDER, number, granting).state
    return {
        "number": number,
        "status": customer_status(state),
        "points": assessed.points,
        "cash_fen": assessed.cash_fen,
        "promised_by": assessed.promised_by,
    }


def assess(
    unit: Unit, wish: Wish, *, rules: HouseRules, backlog: Mapping[str, int] = NO_BACKLOG
) -> Assessment:
    """Check everything without effect: the answer to a quote, and the first half of placing."""
    when = unit.happened_at
    account = unit.read(ACCOUNT, wish.learner)
    failures: list[Refusal] = []
    lines: list[OrderLine] = []
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
        if item.terms is not None:
            lines.append(_line(number, wanted, item.terms))
            points += item.terms.points * wanted.quantity
            cash_fen += item.terms.cash_fen * wanted.quantity
            if item.terms.kind is Kind.PARCEL:
                value_fen += item.terms.market_value_fen * wanted.quantity
    failures += account.spending_failures(points, when=when)
    failures += unit.read(PRIVACY, wish.learner).refusals()
    plan, warehouses = _plan(unit, wish, lines, failures=failures, rules=rules)
    return Assessment(
        failures=tuple(failures),
        lines=tuple(lines),
        plan=None if failures else plan,
        points=points,
        cash_fen=cash_fen,
        promised_by=promised_by(warehouses, when=when, rules=rules, backlog=backlog)
        if plan
        else None,
        value_fen=value_fen,
    )


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


def _plan(
    unit: Unit,
    wish: Wish,
    lines: Sequence[OrderLine],
    *,
    failures: list[Refusal],
    rules: HouseRules,
) -> tuple[Plan | None, list[Warehouse]]:
    """The split of goods and courses, and the warehouses in it; adds what stands against it."""
    goods: list[OrderLine] = []
    courses: list[OrderLine] = []
    for line in lines:
        (courses if line.kind is Kind.COURSE else goods).append(line)
    network = unit.read(NETWORK, MALL)
    plan = _NO_GOODS
    if goods:
        max_parts = rules.max_parts - bool(courses)  # courses are a part, too (rules.md 2)
        planned = _plan_goods(
            unit, wish, goods, network, max_parts=max_parts, failures=failures, rules=rules
        )
        if planned is None:
            return None, []
        plan = planned
    used = [network.named(part.warehouse) for part in plan.parts if part.warehouse]
    if courses:
        plan = _with_courses(unit, plan, courses, failures=failures)
    return plan, used


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


def _plan_goods(
    unit: Unit,
    wish: Wish,
    goods: Sequence[OrderLine],
    network: Network,
    *,
    max_parts: int,
    failures: list[Refusal],
    rules: HouseRules,
) -> Plan | None:
    if wish.recipient is None:
        failures.append(RecipientMissing())
        return None
    province = wish.recipient.province
    if not province:
        failures.append(ProvinceMissing(wish.candidates))
        return None
    excluded = rules.excluded_region(wish.recipient)
    demands: list[Demand] = []
    free: dict[tuple[str, str], int] = {}
    for line in goods:
        terms = unit.read(ITEM, line.sku).terms
        assert terms is not None  # the line was made from them
        codes: tuple[str, ...] = ()
        if excluded is None:
            codes = network.serving(province, terms.storage_class, weight_grams=terms.weight_grams)
        if not codes:
            region = excluded or province
            failures.append(OutsideCoverage(sku=line.sku, province=province, region=region))
            continue
        demands.append(Demand(line.line, line.sku, line.quantity, codes))
        for code in codes:
            free[code, line.sku] = unit.read(STOCK, stock_key(code, line.sku)).free
    if len(demands) < len(goods):
        return None
    result = plan_split(demands, free, max_parts=max_parts)
    if isinstance(result, Plan):
        return result
    failures += [OutOfStock(sku=one.sku, wanted=one.wanted, free=one.free) for one in result] or [
        TooManyParcels(limit=max_parts)
    ]
    return None


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
    return Destination(
        card=unit.seal(
            wish.learner,
            "recipient",
            recipient.to_bytes(),
            digests=wish.digests,
        ),
        province=recipient.province or "",
        city=recipient.city or "",
        district=recipient.district or "",
        division=recipient.division,
    )


def answer_quote(
    unit: Unit, wish: Wish, *, rules: HouseRules, backlog: Mapping[str, int] = NO_BACKLOG
) -> Mapping[str, Any]:
    """What placing would answer, without effect (O6)."""
    assessed = assess(unit, wish, rules=rules, backlog=backlog)
    plan = assessed.plan
    return {
        "ok": not assessed.failures,
        "failures": [failure.as_failure() for failure in assessed.failures],
        "parts": [part.model_dump(mode="json") for part in plan.parts] if plan else [],
        "promised_by": assessed.promised_by,
        "points": assessed.points,
        "cash_fen": assessed.cash_fen,
        "freight_fen": 0,
        "upgrades": [],
    }
