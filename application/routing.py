"""配送 How an order's goods go: coverage, the plan, and paid upgrades (O1, O6; rules.md 8, 9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.country_names import country_name
from application.planning import Goods, Planned, goods_of, nowhere_enough, planner_for, why_not
from application.recipients import Recipient
from application.unit import Unit
from domain.catalogue import Terms
from domain.countries import is_abroad
from domain.house_rules import HouseRules
from domain.order_facts import OrderLine, Upgrade
from domain.promising import promised_by, settled_by
from domain.refusals import Refusal
from domain.splitting import PlannedPart


class OutsideCoverage(Refusal):
    """No warehouse and carrier that take these goods go there (O1; rules.md 9)."""

    code = "outside_coverage"
    en = "{sku} cannot be delivered to {region}."
    zh = "商品 {sku} 无法配送至 {region}。"


class CountryNotServed(Refusal):
    """No warehouse and carrier that take these goods say that they serve that country (T7)."""

    code = "country_not_served"
    en = "{sku} cannot be sent to {country}: no warehouse and carrier of this mall serve it."
    zh = "商品 {sku} 无法寄往{country}：本店尚无仓库和承运商覆盖该国家或地区。"

    def message(self, language: str = "en") -> str:
        """What cannot be sent, and where to, by the name of the country."""
        chinese = language.startswith("zh")
        name = country_name(str(self.figures["country"]), "zh" if chinese else "en")
        return (self.zh if chinese else self.en).format(**{**self.figures, "country": name})


class RecipientMissing(Refusal):
    """Goods need somewhere to go (O1)."""

    code = "recipient_missing"
    en = "An order of goods needs a recipient."
    zh = "实物订单需要收件人。"


class ProvinceMissing(Refusal):
    """The address does not say in which province it is; it is asked for, not guessed (O1)."""

    code = "province_missing"
    en = "The address does not name its province: please add it."
    zh = "地址缺少省份，请补全。"

    def __init__(self, candidates: Sequence[str] = ()) -> None:
        self._candidates = candidates
        super().__init__(**({"candidates": list(candidates)} if candidates else {}))

    def message(self, language: str = "en") -> str:
        """What to add, and the places that can be meant."""
        words = super().message(language)
        if not self._candidates:
            return words
        if language.startswith("zh"):
            return f"{words}可能是：{'、'.join(self._candidates)}。"
        return f"{words} It can be: {', '.join(self._candidates)}."


class UpgradeUnavailable(Refusal):
    """Nobody brings these goods there any faster (O6)."""

    code = "upgrade_unavailable"
    en = "{upgrade} is not offered for these goods and this address."
    zh = "该商品和地址不支持升级配送 {upgrade}。"


class FreightChanged(Refusal):
    """The caller saw another freight than the order has now (`freight_expected_fen`)."""

    code = "freight_changed"
    en = "Freight costs {freight_fen} fen now, not {expected}."
    zh = "现运费 {freight_fen} 分，并非 {expected} 分。"


class Asking(NamedTuple):
    """What a wish says about its delivery."""

    max_parts: int
    upgrade: Upgrade | None = None
    upgrades: bool = False
    """Whether it wants to know what could be paid for on top."""
    candidates: tuple[str, ...] = ()
    """Places that can be meant, where the address does not settle its province."""


class Delivery(NamedTuple):
    """How the goods go, as the learner wants them."""

    planned: Planned
    freight_fen: int
    """What the learner pays: for items that say so, and for the upgrade."""
    upgrades: tuple[dict[str, Any], ...] = ()
    """What could be paid for on top: name, price, promise, parts."""


def quoted_part(part: PlannedPart) -> dict[str, Any]:
    """A part as whoever asks for a quote sees it; what it costs the house is the house's own."""
    return {
        "part": part.part,
        "warehouse": part.warehouse,
        "units": [unit.model_dump() for unit in part.units],
        "carrier": part.shipping.carrier if part.shipping else None,
        "hours": part.shipping.hours if part.shipping else None,
    }


def deliver(
    unit: Unit,
    goods: Sequence[tuple[OrderLine, Terms]],
    recipient: Recipient | None,
    *,
    ask: Asking,
    rules: HouseRules,
    backlog: Mapping[str, int],
    cash_fen: int,
    failures: list[Refusal],
) -> Delivery | None:
    """The plan at the least cost, with what it costs the learner; adds what stands against it.

    `cash_fen` is the price of the goods in cash, which is paid with the freight.
    """
    if recipient is None:
        failures.append(RecipientMissing())
        return None
    region = recipient.region
    if not region:
        failures.append(ProvinceMissing(ask.candidates))
        return None
    excluded = rules.excluded_region(recipient)
    planner = planner_for(unit, rules=rules)
    place = planner.place(region, recipient.city)
    wanted: list[Goods] = []
    for line, terms in goods:
        one = goods_of(unit, planner, place, line, terms)
        if one.there and excluded is None:
            wanted.append(one)
        elif is_abroad(region):
            failures.append(CountryNotServed(sku=line.sku, country=recipient.country))
        else:
            failures.append(
                OutsideCoverage(sku=line.sku, province=region, region=excluded or region)
            )
    if len(wanted) < len(goods):
        failures += nowhere_enough(unit, planner, [line for line, _ in goods])
        return None
    key = tuple(wanted)
    planned = planner.plan(key, place, max_parts=ask.max_parts, urgent=False)
    if planned is None:
        failures += why_not(wanted, [line.sku for line, _ in goods], max_parts=ask.max_parts)
        return None
    usual = Delivery(planned, planned.learners_fen)
    if not (ask.upgrade or ask.upgrades):
        return usual
    fast = planner.plan(key, place, max_parts=ask.max_parts, urgent=True)
    return _upgraded(
        usual, fast, ask.upgrade, when=unit.happened_at, rules=rules, backlog=backlog,
        cash_fen=cash_fen, failures=failures,
    )  # fmt: skip


def _upgraded(
    usual: Delivery,
    fast: Planned | None,
    upgrade: Upgrade | None,
    *,
    when: datetime,
    rules: HouseRules,
    backlog: Mapping[str, int],
    cash_fen: int,
    failures: list[Refusal],
) -> Delivery:
    """With what could be paid for on top, and what is: a faster carrier, if one is faster (O6).

    It costs what its carriers ask more than the usual ones; the learner pays that and no more.
    Whether they are faster is asked from one wave on: skipping it alone is not what is paid for.
    """
    arrivals = [
        promised_by(one.legs, when=when, rules=rules, backlog=backlog)
        for one in (usual.planned, fast)
        if one is not None
    ]
    if fast is None or arrivals[1] >= arrivals[0]:
        if upgrade:
            failures.append(UpgradeUnavailable(upgrade=upgrade))
        return usual
    extra_fen = max(0, fast.freight_fen - usual.planned.freight_fen)
    due_fen = cash_fen + usual.freight_fen + extra_fen
    paid = settled_by(when, due_fen=due_fen, rules=rules)
    choices = (
        {
            "upgrade": Upgrade.EXPRESS,
            "extra_fen": extra_fen,
            "promised_by": promised_by(
                fast.legs, when=paid, rules=rules, backlog=backlog, urgent=True
            ),
            "parts": [quoted_part(part) for part in fast.plan.parts],
        },
    )
    if upgrade:
        return Delivery(fast, usual.freight_fen + extra_fen, choices)
    return usual._replace(upgrades=choices)
