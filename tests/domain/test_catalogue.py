"""Items: what is listed, when it may be redeemed, and why not (C1, O1; rules.md 9, 12)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.streams import ITEM
from domain.catalogue import (
    FreightTooDear,
    Item,
    ItemListed,
    ItemPutOnSale,
    ItemRevised,
    ItemTakenOffSale,
    Kind,
    Terms,
    freight_estimate_fen,
)
from domain.house_rules import HouseRules
from domain.refusals import InvalidRequest
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULES = HouseRules()


def terms(**more: Any) -> Terms:
    return Terms(
        **{
            "name": "马克杯",
            "kind": Kind.PARCEL,
            "points": 500,
            "market_value_fen": 5_000,
            "weight_grams": 400,
            **more,
        }
    )


def on_sale(**more: Any) -> Item:
    return given(ITEM, ItemListed(terms=terms(**more), freight_fen=800), ItemPutOnSale())


def test_an_item_is_listed_and_put_on_sale_when_it_is_new() -> None:
    """C1: an upsert says only what changed."""
    assert Item().list_or_revise(terms(), on_sale=True, rules=RULES) == [
        ItemListed(terms=terms(), freight_fen=800),
        ItemPutOnSale(),
    ]
    assert on_sale().list_or_revise(terms(), on_sale=True, rules=RULES) == []
    assert on_sale().list_or_revise(terms(points=600), on_sale=False, rules=RULES) == [
        ItemRevised(terms=terms(points=600), freight_fen=800),
        ItemTakenOffSale(),
    ]


@pytest.mark.parametrize(("hours", "taken"), [(-1, False), (0, False), (1, True)])
def test_a_sale_that_ends_before_it_begins_is_refused(hours: int, taken: bool) -> None:
    """C1: nobody could ever redeem it; CONTROL: one that lasts is taken."""
    wanted = terms(sale_from=NOON, sale_until=NOON + timedelta(hours=hours))
    if taken:
        assert Item().list_or_revise(wanted, on_sale=True, rules=RULES)
        return
    with pytest.raises(InvalidRequest) as refused:
        Item().list_or_revise(wanted, on_sale=True, rules=RULES)
    assert refused.value.figures == {"field": "sale_until", "reason": "is not after sale_from"}


def test_what_was_on_sale_stays_goods_or_a_course() -> None:
    """C1: who has it was sent it, or taught it; CONTROL: before that it may become the other."""
    course = terms(kind=Kind.COURSE, weight_grams=0)
    listed = given(ITEM, ItemListed(terms=course, freight_fen=0))
    assert listed.list_or_revise(terms(), on_sale=False, rules=RULES)
    sold = given(ITEM, ItemListed(terms=course, freight_fen=0), ItemPutOnSale(), ItemTakenOffSale())
    with pytest.raises(InvalidRequest) as refused:
        sold.list_or_revise(terms(), on_sale=True, rules=RULES)
    assert refused.value.figures == {"field": "kind", "reason": "it was on sale as course"}


def test_an_item_stays_on_sale_when_its_terms_change() -> None:
    """C1: revising says nothing about the sale."""
    revised = ITEM.evolve(on_sale(), ItemRevised(terms=terms(points=600), freight_fen=800))
    assert revised == Item(terms(points=600), on_sale=True, offered=True)


@pytest.mark.parametrize(
    ("grams", "size", "fen"),
    [
        (0, None, 800),
        (1_000, None, 800),
        (1_001, None, 1_000),
        (400, (300, 200, 100), 800),
        (400, (300, 200, 101), 1_000),
        (9_000, (100, 100, 100), 2_400),
    ],
)
def test_the_greater_of_weight_and_volume_is_charged(
    grams: int, size: tuple[int, int, int] | None, fen: int
) -> None:
    """C1: 6,000 cm³ weigh as a kilogramme."""
    assert freight_estimate_fen(grams, size) == fen


def test_an_item_is_refused_when_freight_exceeds_its_share_of_the_value() -> None:
    """C1: the limit itself passes, one fen more does not, unless somebody said why (rule 9)."""
    assert Item().list_or_revise(terms(market_value_fen=4_000), on_sale=False, rules=RULES)
    with pytest.raises(FreightTooDear) as refused:
        Item().list_or_revise(terms(market_value_fen=3_999), on_sale=False, rules=RULES)
    assert refused.value.code == "freight_too_dear"
    assert refused.value.figures == {
        "freight_fen": 800,
        "percent": 20,
        "market_value_fen": 3_999,
    }
    for fine in (
        terms(market_value_fen=1, freight_override="anniversary gift"),
        terms(market_value_fen=0, kind=Kind.COURSE),
    ):
        assert Item().list_or_revise(fine, on_sale=False, rules=RULES)
    lax = replace(RULES, max_freight_share_percent=100)
    assert Item().list_or_revise(terms(market_value_fen=800), on_sale=False, rules=lax)


def failures(item: Item, **more: Any) -> list[dict[str, object]]:
    asked = {"sku": "mug", "taken": 0, "expected": None, "when": NOON, **more}
    return [one.as_failure() for one in item.sale_failures(asked.pop("quantity", 1), **asked)]


@pytest.mark.parametrize(
    ("window", "sells"),
    [
        ({}, True),
        ({"sale_from": NOON}, True),
        ({"sale_from": NOON + timedelta(microseconds=1)}, False),
        ({"sale_until": NOON}, False),
        ({"sale_until": NOON + timedelta(microseconds=1)}, True),
    ],
)
def test_an_item_sells_when_its_window_is_open(window: dict[str, datetime], sells: bool) -> None:
    """O1: from the first instant of the window to the last one before its end."""
    codes = [one["code"] for one in failures(on_sale(**window))]
    assert codes == ([] if sells else ["not_on_sale"])


def test_an_item_is_not_sold_when_it_is_unknown_or_off_sale() -> None:
    """O1: an unknown SKU has one reason, an item off sale another."""
    assert [one["code"] for one in failures(Item())] == ["item_unknown"]
    off = given(ITEM, ItemListed(terms=terms(), freight_fen=800))
    assert [one["code"] for one in failures(off)] == ["not_on_sale"]


def test_a_difference_is_refused_when_the_caller_saw_another_price() -> None:
    """O1: nobody pays a price they did not see."""
    assert failures(on_sale(), expected=500) == []
    (failure,) = failures(on_sale(), expected=450)
    assert (failure["code"], failure["points"], failure["expected"]) == ("price_changed", 500, 450)


@pytest.mark.parametrize(("taken", "quantity", "fine"), [(0, 3, True), (2, 1, True), (2, 2, False)])
def test_a_limit_holds_when_earlier_units_count(taken: int, quantity: int, fine: bool) -> None:
    """O1: units taken before and wanted now stay within the limit (rules.md 12)."""
    found = failures(on_sale(limit_per_learner=3), taken=taken, quantity=quantity)
    assert [one["code"] for one in found] == ([] if fine else ["limit_reached"])


def test_every_reason_is_named_when_there_are_several() -> None:
    """O1: all failing checks at once."""
    off = given(ITEM, ItemListed(terms=terms(limit_per_learner=1), freight_fen=800))
    assert [one["code"] for one in failures(off, quantity=2, expected=1)] == [
        "not_on_sale",
        "price_changed",
        "limit_reached",
    ]
