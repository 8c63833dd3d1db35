"""The API's own description is complete: nobody has to ask us what it leaves out (R45)."""

import copy
import re
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import pytest

import api.pages as pages
from api.app import create_app
from application.settings import Settings
from tests.api.described import Description, fields_asked

ORDERS = "/v1/orders"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `/openapi.json` answers."""
    folder: Path = tmp_path_factory.mktemp("described")
    settings = Settings(tenant="mall", keys=folder / "keys", data=folder)
    return create_app(settings, "host=/nowhere").openapi()


def test_every_operation_says_all_when_the_document_is_walked(document: dict[str, Any]) -> None:
    """R45: summary, description, parameters, typed answers, refusals, examples that fit."""
    assert len(document["paths"]) > 40
    found = Description(document).faults()
    assert not found, "\n".join(found)


def test_a_key_is_needed_for_a_change_when_the_document_is_read(document: dict[str, Any]) -> None:
    """R16, R45: required and never null, as the service has it; programs are made from this."""
    keys = [
        one
        for operations in document["paths"].values()
        for operation in operations.values()
        for one in operation.get("parameters", ())
        if one["name"].lower() == "idempotency-key"
    ]
    assert len(keys) > 40
    for one in keys:
        assert one["required"]
        assert (one["schema"]["type"], "anyOf" in one["schema"]) == ("string", False)


def test_every_code_is_listed_when_somebody_looks_what_refusals_there_are(
    document: dict[str, Any],
) -> None:
    """N3, M4: programs branch on codes, so all of them are named, with what they mean."""
    told = document["components"]["schemas"]["ProblemOut"]["properties"]["code"]["description"]
    for code in ("insufficient_points", "out_of_stock", "legal_hold", "key_reused", "forged"):
        assert f"- `{code}`: " in told, code
    assert not [line for line in told.splitlines() if line.endswith("`: ")]


SIZES = (
    "points",
    "quantity",
    "counted",
    "found",
    "days",
    "hours",
    "parcels",
    "capacity",
    "volume_",
)
SIZE = re.compile(r"_fen$|^fen|_grams$|^grams$|_mm$|millimetres|divisor|" + "|".join(SIZES))


def test_every_figure_has_bounds_when_it_is_money_a_size_or_a_number_of_things(
    document: dict[str, Any],
) -> None:
    """M4, R52: what nobody can mean is refused with the limit, wherever it is typed."""
    figures = [
        (f"{where}.{name}", figure)
        for where, name, schema in fields_asked(document)
        if SIZE.search(name)
        for figure in _numbers(schema)
    ]
    assert len(figures) > 50
    assert [
        where
        for where, figure in figures
        if not {"minimum", "exclusiveMinimum"} & figure.keys()
        or figure.get("maximum", inf) > 10_000_000_000
    ] == []


def _numbers(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The numbers that may stand there: alone, or nothing instead, or several."""
    if schema.get("type") in ("integer", "number"):
        yield schema
    several = [schema["items"]] if isinstance(schema.get("items"), dict) else []
    for one in (*schema.get("anyOf", ()), *schema.get("prefixItems", ()), *several):
        yield from _numbers(one)


def test_every_field_that_is_asked_for_has_a_name_on_the_pages(document: dict[str, Any]) -> None:
    """M4, N3: a refusal names its place in words, also where the form has no such field."""
    names = {name for _, name, _ in fields_asked(document)}
    assert len(names) > 150
    assert [name for name in sorted(names) if f"field.{name}" not in pages.WORDS["zh"]] == []


def _broken(document: dict[str, Any], *path: str, to: Any = None) -> list[str]:
    """Faults of the document without one thing, or with another in its place."""
    changed = copy.deepcopy(document)
    *way, last = path
    place: Any = changed
    for name in way:
        place = place[name]
    if to is None:
        del place[last]
    else:
        place[last] = to
    return Description(changed).faults()


def test_faults_are_found_when_something_is_left_out(document: dict[str, Any]) -> None:
    """R45 CONTROL: each of the things that the walk looks for, taken away."""
    placing = ("paths", ORDERS, "post")
    schemas = ("components", "schemas")
    (answer,) = document["paths"][ORDERS]["post"]["responses"]["201"]["content"].values()
    assert answer["schema"] == {"$ref": "#/components/schemas/OrderOut"}
    for path, what in (
        ((*placing, "summary"), "has no summary"),
        ((*placing, "description"), "has no description"),
        ((*placing, "responses", "201"), "has no successful answer"),
        ((*placing, "responses", "4XX"), "its refusals are not described"),
        ((*placing, "responses", "503"), "what it answers in an outage is not described"),
        ((*placing, "responses", "201", "content"), "answer 201 is not typed"),
        ((*schemas, "OrderOut", "examples"), "answer 201 has no example"),
        ((*schemas, "OrderIn", "examples"), "body has no example"),
        ((*schemas, "OrderOut", "description"), "OrderOut: is not described"),
        ((*schemas, "OrderOut", "properties", "points", "description"), "points: is not described"),
        ((*schemas, "OrderOut", "properties", "points", "type"), "points: is not typed"),
    ):
        assert any(what in one for one in _broken(document, *path)), path
    for path, value, what in (
        ((*placing, "responses", "201", "content"), {"application/json": {"schema": {}}}, "typed"),
        ((*schemas, "OrderOut", "examples"), [{"number": 1}], "its example does not fit"),
        (("paths", ORDERS, "get", "operationId"), "place_v1_orders_post", "not unique"),
    ):
        assert any(what in one for one in _broken(document, *path, to=value)), path
