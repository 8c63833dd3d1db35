"""What bodies take: integers that are integers (R43)."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import ROOMS
from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

OPS = {"role": "operations", "subject": "ops"}
SERVICE = {"role": "service", "subject": "lms"}
NUMBERS: tuple[Any, ...] = (True, "100", 1.0, 1.5, None, [1])
GRANT = {"learner": "lin", "points": 1, "reason": "task", "source": "S"}
STOCK = {"sku": "notebook", "warehouse": "zhejiang", "quantity": 1}
ITEM = {"sku": "new", "name": "新品", "kind": "parcel", "points": 5, "market_value_fen": 90_000}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/points/grants", {"grants": [{**GRANT, "points": ...}]}, "grants.0.points"),
        ("/v1/points/adjustments", {**GRANT, "points": ...}, "points"),
        ("/v1/stock/receipts", {**STOCK, "quantity": ...}, "quantity"),
        ("/v1/items", {**ITEM, "points": ...}, "points"),
        ("/v1/items", {**ITEM, "size_millimetres": [1, ..., 1]}, "size_millimetres.1"),
        (
            "/v1/orders",
            {
                "learner": "lin",
                "lines": [{"sku": "notebook", "quantity": ...}],
                "recipient": RECIPIENT,
            },
            "lines.0.quantity",
        ),
    ],
)
async def test_a_body_is_refused_when_a_number_is_no_integer(
    mall: Mall, path: str, body: dict[str, Any], field: str
) -> None:
    """R43: `true` is not one point; field and reason are told in both languages."""
    for number in NUMBERS:
        answer = await mall.post(path, _filled(body, number), **SERVICE)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), number
        told = {one["field"]: one for one in answer.json()["failures"]}
        assert told[field]["code"] in {"int_type", "int_from_float"}, number
        assert told[field]["message_zh"] == "应为整数"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "\u202e"}, "name"),
        ({"name": "…"}, "name"),
        ({"points": 2**60}, "points"),
        ({"cash_fen": 2**60}, "cash_fen"),
        ({"market_value_fen": 2**60}, "market_value_fen"),
        ({"weight_grams": 0}, "weight_grams"),
        ({"pictures": ["javascript:alert(1)"]}, "pictures.0"),
        ({"pictures": ["//elsewhere.example/x.png"]}, "pictures.0"),
    ],
)
async def test_an_item_is_refused_when_its_terms_make_no_sense(
    mall: Mall, changed: dict[str, Any], field: str
) -> None:
    """C1, M4: field and reason, in both languages."""
    answer = await mall.post("/v1/items", {**ITEM, **changed}, **OPS)
    assert answer.status_code == 422, answer.text
    (told,) = answer.json()["failures"]
    assert told["field"] == field
    assert told["message_zh"] != told["message"]
    fine = {**ITEM, "weight_grams": 300, "pictures": ["https://cdn.example/x.png", "/static/a.svg"]}
    assert (await mall.post("/v1/items", fine, **OPS)).status_code == 200


async def test_a_course_is_refused_where_goods_are_kept(mall: Mall) -> None:
    """C3: nothing of it stands on a shelf."""
    course = {**ITEM, "sku": "talk", "kind": "course"}
    assert (await mall.post("/v1/items", course, **OPS)).status_code == 200
    answer = await mall.post("/v1/stock/receipts", {**STOCK, "sku": "talk"}, **OPS)
    assert (answer.status_code, answer.json()["failures"][0]["field"]) == (422, "warehouse")


def _filled(value: Any, number: Any) -> Any:
    """The body with `...` replaced."""
    if isinstance(value, dict):
        return {key: _filled(one, number) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, number) for one in value]
    return number if value is ... else value


def test_every_body_is_strict_about_integers() -> None:
    """R43: also those of routes to come."""
    seen = set()
    lax = set()
    for model in _bodies():
        for where, one in _integers(model.__pydantic_core_schema__, model.__name__):
            seen.add(where)
            if not one.get("strict"):
                lax.add(where)
    assert len(seen) > 30
    assert not lax


def _bodies() -> Iterator[type[BaseModel]]:
    for route in (route for room in ROOMS for route in room.router.routes):
        if isinstance(route, APIRoute) and route.body_field is not None:
            model = route.body_field.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                yield model


def _integers(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every integer's schema, with where it is."""
    if isinstance(schema, list | tuple):
        for one in schema:
            yield from _integers(one, where)
    elif isinstance(schema, dict):
        if schema.get("type") == "int":
            yield where, schema
        for key, one in schema.items():
            if key not in {"metadata", "serialization", "cls", "config"}:
                place = f"{where}.{key}" if isinstance(one, dict) else where
                yield from _integers(one, place)


@pytest.mark.parametrize(
    "why", ["请致电 13800138000 核实", "ring 138-0013-8000", "电话０１０－８２１２３４５６"]
)
async def test_a_reason_is_refused_when_somebody_can_be_called_by_it(mall: Mall, why: str) -> None:
    """A4: reasons are kept with the event for ever; the answer does not say the number again."""
    body = {"learner": "lin", "points": 10, "source": "x", "why": why}
    answer = await mall.post("/v1/points/adjustments", body, **OPS)
    assert answer.status_code == 422
    (told,) = answer.json()["failures"]
    assert (told["field"], told["code"]) == ("why", "names_somebody")
    assert "8000" not in answer.text
    body["why"] = "order T2611220000138001380001 was late"
    assert (await mall.post("/v1/points/adjustments", body, **OPS)).status_code == 200
