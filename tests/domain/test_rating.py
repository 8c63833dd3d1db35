"""Ratings after completion: one a line, once (O4)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import ordering, rating, shipping
from application.streams import ORDER
from domain.catalogue import Kind
from domain.order_facts import Fault, LineRated, State
from domain.rating import Rating, ratable
from domain.refusals import InvalidRequest, NotFound, NotPossible
from tests.domain.test_joining import RULES, Mall


class Shop(Mall):
    """An order of two mugs, a book and a course, received; completed a week later."""

    def __init__(self) -> None:
        super().__init__()
        self.item("mug", "a", units=5)
        self.item("book", "a", units=5)
        self.item("course", kind=Kind.COURSE)
        self.place("N1", ("mug", 2), ("book", 1), ("course", 1))
        for part in self.log.state(ORDER, "N1").parts:
            if part.warehouse:
                parcel = self.packed("N1", part.number)
                self.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
                self.scans(parcel, "已签收")

    def complete(self) -> None:
        self.now += timedelta(days=8)
        self.do(partial(ordering.complete_order, number="N1", rules=RULES))
        assert self.state("N1") is State.COMPLETED

    def rate(self, *ratings: Rating, number: str = "N1") -> dict[str, Any]:
        return self.do(partial(rating.rate_order, number=number, ratings=ratings))

    def turned_down(self, error: type[Exception], *ratings: Rating) -> str:
        before = len(self.log.recorded)
        with pytest.raises(error) as refusal:
            self.rate(*ratings)
        assert len(self.log.recorded) == before
        return str(refusal.value)


def test_a_rating_is_asked_for_when_the_order_is_completed() -> None:
    """O4: not before; each line that its learner has, with who brought it and from where."""
    shop = Shop()
    assert "pending_end" in shop.turned_down(NotPossible, Rating(1, 5, 5))
    shop.complete()
    assert ratable(shop.log.state(ORDER, "N1")) == [1, 2, 3]
    assert shop.rate(Rating(1, 5, 4), Rating(3, 3))["rated"] == [1, 3]
    said = [one for one in shop.log.facts(ORDER, "N1") if isinstance(one, LineRated)]
    assert said == [
        LineRated(
            line=1, sku="mug", goods=5, delivery=4, carriers=("yuantong",), warehouses=("a",)
        ),
        LineRated(line=3, sku="course", goods=3, delivery=None, carriers=(), warehouses=()),
    ]
    assert ratable(shop.log.state(ORDER, "N1")) == [2]


def test_a_line_is_rated_once() -> None:
    """O4: the second time is refused, and so is asking for more when all are rated."""
    shop = Shop()
    shop.complete()
    shop.rate(Rating(1, 5, 4))
    assert "line 1 was rated" in shop.turned_down(NotPossible, Rating(1, 1, 1))
    assert "named twice" in shop.turned_down(InvalidRequest, Rating(2, 1, 1), Rating(2, 2, 2))
    shop.rate(Rating(2, 1, 1), Rating(3, 2))
    assert "every line was rated" in shop.turned_down(NotPossible, Rating(2, 1, 1))


def test_a_rating_is_refused_when_it_is_about_something_else() -> None:
    """O4: lines there are, deliveries of goods, what was kept."""
    shop = Shop()
    shop.do(
        partial(
            ordering.refund_order, number="N1", wanted=[("book", 1)], fault=Fault.DAMAGED,
            reason="x", goods_back=True, rules=RULES,
        )
    )  # fmt: skip
    shop.complete()
    assert "no line 9" in shop.turned_down(InvalidRequest, Rating(9, 5, 5))
    assert "given back" in shop.turned_down(NotPossible, Rating(2, 5, 5))
    assert "a course is not" in shop.turned_down(InvalidRequest, Rating(3, 5, 5))
    assert "delivered" in shop.turned_down(InvalidRequest, Rating(1, 5))
    with pytest.raises(NotFound):
        shop.rate(Rating(1, 5, 5), number="N9")
