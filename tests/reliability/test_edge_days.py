"""Days and moments at the edge of the calendar, in every field that takes one (R46, M4).

Which fields those are is read from the API's own description: a new one is tried by itself.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from api.app import create_app
from api.audit import REPORTS
from api.unusable import OTHERWISE
from application.billing import match_new
from application.gateways.payment import SIGNATURE, sign
from application.settings import Settings
from domain.days import FIRST_DAY, LAST_DAY
from projections.what_if import Change, what_if
from tests.api.conftest import Mall
from tests.reliability.routes import ADMINISTRATOR, ROUTES, named
from tests.reliability.test_hostile import parked

pytestmark = pytest.mark.anyio

INSIDE = {
    "date": ("2000-01-01", "2199-12-31"),
    "date-time": (
        "2000-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2199-12-31T12:00:00-11:00",
    ),
}  # fmt: skip
"""The first and last ones that somebody can mean: answered, or refused by a rule."""
OUTSIDE = {
    "date": (
        "0001-01-01", "0001-01-07", "1999-12-31", "2200-01-01", "9999-12-31", "2026-02-30",
        "2026-11-23T10:00:00", "x", "",
    ),
    "date-time": (
        "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
        "2026-11-23T10:00:00", "2026-02-30T10:00:00Z", "x", "",
    ),
}  # fmt: skip
"""Those that nobody can mean: refused, whatever else is asked for."""
ROOT = "root"


class Place(NamedTuple):
    """A field of an operation that takes a day or a moment."""

    method: str
    path: str
    where: str
    """query, path, or body."""
    name: tuple[str, ...]
    """The parameter; or the way into the body, where `[]` is the first of a list."""
    format: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} {'.'.join(self.name)}"


def _document() -> dict[str, Any]:
    nowhere = Path("/nowhere")
    settings = Settings(tenant="mall", keys=nowhere, data=nowhere)
    return create_app(settings, "host=/nowhere").openapi()


DOCUMENT = _document()


def places(document: dict[str, Any]) -> Iterator[Place]:
    """All of them; partners' own forms are not ours to word."""
    for path, operations in document["paths"].items():
        if "/callbacks/" in path:
            continue
        for method, operation in operations.items():
            told = method.upper(), path
            for one in operation.get("parameters", ()):
                for way, format_ in _dated(document, one["schema"]):
                    yield Place(*told, one["in"], (one["name"], *way), format_)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for way, format_ in _dated(document, content["schema"]):
                    yield Place(*told, "body", way, format_)


def _dated(
    document: dict[str, Any], schema: Any, known: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Ways into a schema that lead to a day or a moment."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        if name not in known:
            whole = document["components"]["schemas"][name]
            yield from _dated(document, whole, (*known, name))
        return
    if schema.get("format") in INSIDE:
        yield (), schema["format"]
    for one in (one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, ())):
        yield from _dated(document, one, known)
    inside = {**schema.get("properties", {}), "[]": schema.get("items")}
    for field, one in ((field, one) for field, one in inside.items() if one):
        for way, format_ in _dated(document, one, known):
            yield (field, *way), format_


PLACES = list(places(DOCUMENT))


def _with(body: Any, way: tuple[str, ...], value: str, schema: Any) -> Any:
    """The body with a value at that place; what leads there is made of the description."""
    if not way:
        return value
    step, *rest = way
    schemas = DOCUMENT["components"]["schemas"]
    while "$ref" in schema or "anyOf" in schema:
        schema = (
            schemas[schema["$ref"].rpartition("/")[2]]
            if "$ref" in schema
            else next(one for one in schema["anyOf"] if one.get("type") != "null")
        )
    if step == "[]":
        first = body[0] if body else None
        return [_with(first, tuple(rest), value, schema["items"])]
    made = copy.deepcopy(body if body is not None else schema["examples"][0])
    made[step] = _with(made.get(step), tuple(rest), value, schema["properties"][step])
    return made


class Asking:
    """Sends a value in a place, with things that are there for everything else."""

    def __init__(self, mall: Mall, names: dict[str, str]) -> None:
        self._mall = mall
        self._names = names
        self._sent = 0

    async def send(self, place: Place, value: str, *, together: bool = False) -> list[Any]:
        """The answers: several where a path stands for several things."""
        kinds = REPORTS if place.path.endswith("/reports/{name}") else ("",)
        return [await self._send(place, value, kind, together) for kind in kinds]

    async def _send(self, place: Place, value: str, kind: str, together: bool) -> Any:
        operation = DOCUMENT["paths"][place.path][place.method.lower()]
        route = ROUTES[place.method, place.path]
        names = {**self._names, **({"name": kind} if kind else {})}
        query = {
            one["name"]: self._example(one)
            for one in operation.get("parameters", ())
            if one["in"] == "query" and one.get("required")
        }
        content = None
        body = route.body
        if place.where == "query":
            query |= dict.fromkeys(_alike(place) if together else place.name, value)
        elif place.where == "path":
            names[place.name[0]] = value
        else:
            ((_, whole),) = operation["requestBody"]["content"].items()
            body = _with(body, place.name, value, whole["schema"])
        if isinstance(body, dict) and "order" in body:
            body = {**body, "order": names["number"]}
        if body is None and "requestBody" in operation:
            content = "waybill,fee\nSF1,8.00\n"
        role = ADMINISTRATOR if ADMINISTRATOR in route.roles else route.roles[-1]
        if "service" in route.roles:
            role = "service"  # they alone say when
        self._sent += 1
        headers = {
            **self._mall.headers(role, ROOT),
            "Idempotency-Key": f"edge-{self._sent}",
            "Content-Type": "application/json" if content is None else "text/csv",
        }
        return await self._mall.client.request(
            place.method,
            named(place.path, **names),
            params=query,
            content=content if content is not None else body and json.dumps(body),
            headers=headers,
        )

    @staticmethod
    def _example(parameter: dict[str, Any]) -> str:
        schema = parameter["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = DOCUMENT["components"]["schemas"][name] if name else schema
        return str((parameter.get("examples") or schema.get("examples") or schema["enum"])[0])


def _alike(place: Place) -> list[str]:
    return [one.name[0] for one in PLACES if one[:3] == place[:3]]


def unexplained(answer: httpx2.Response, place: Place, *, needed: bool) -> list[str]:
    """What is wrong with an answer: broken, or a refusal that does not say what and why."""
    told = f"{answer.status_code} {answer.text[:400]}"
    if answer.status_code >= 500:
        return [told]
    if answer.status_code != 422:
        return [f"not refused: {told}"] if needed else []
    failures = answer.json()["failures"]
    mine = [one for one in failures if one["field"].split(".")[-1] == place.name[-1]]
    worded = [one for one in mine if one["message"] and one["message_zh"] != OTHERWISE]
    return [] if worded and any(_chinese(one["message_zh"]) for one in worded) else [told]


def _chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)


async def asking(mall: Mall) -> Asking:
    """With an order, and a parcel of it that nobody picked."""
    number = (await mall.order(("notebook", 1), ("python-course", 1)))["number"]
    released = await mall.post("/v1/waves", {"warehouse": "zhejiang"}, role="operations")
    (parcel,) = released.json()["parcels"]
    await mall.views()
    streams = {"stream": f"order:{number}", "sku": "python-course"}
    return Asking(mall, {"number": number, "parcel": parcel, **streams})


def test_fields_are_found_when_the_description_is_read() -> None:
    """R46 CONTROL: those of queries, of bodies, and of what lists of bodies hold."""
    found = {str(one): one.format for one in PLACES}
    assert found["GET /v1/costs until"] == "date"
    assert found["GET /v1/orders as_of"] == "date-time"
    assert found["POST /v1/points/grants grants.[].expires_at"] == "date-time"
    assert found["POST /v1/what-if rate_cards.[].effective_from"] == "date-time"
    assert found["POST /v1/audit/books/closings until"] == "date"
    assert len(found) > 40


@pytest.mark.parametrize("path", sorted({one.path for one in PLACES}))
async def test_edges_are_answered_or_refused_with_field_and_reason(mall: Mall, path: str) -> None:
    """R46, M4: none is answered 5xx; nobody means other days, and is told so in both languages."""
    there = await asking(mall)
    wrong: list[str] = []
    for place in (one for one in PLACES if one.path == path):
        for value in OUTSIDE[place.format]:
            for answer in await there.send(place, value):
                found = unexplained(answer, place, needed=True)
                wrong += [f"{place}={value!r}: {one}" for one in found]
        for value in INSIDE[place.format]:
            for together in (False, True):
                for answer in await there.send(place, value, together=together):
                    found = unexplained(answer, place, needed=False)
                    wrong += [f"{place}={value!r}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)
    await mall.views()
    await match_new(mall.tenant)
    await mall.views()
    assert await parked(mall) == []


async def test_all_days_that_somebody_can_mean_are_rehearsed(mall: Mall) -> None:
    """M6: a change that was asked for with the first and the last one has a result."""
    await mall.order(("notebook", 1))
    change = Change(max_parts=2, since=FIRST_DAY, until=LAST_DAY)
    async with mall.tenant.pool.connection() as connection:
        told = await what_if(connection, mall.tenant.schema, change, rules=mall.tenant.rules)
    assert told["position"] == mall.tenant.store.position


@pytest.mark.parametrize("value", OUTSIDE["date-time"])
async def test_a_payment_of_no_moment_is_refused_when_its_provider_signed_it(
    mall: Mall, value: str
) -> None:
    """O5, R46: with the field, and nothing of it is recorded."""
    order = (await mall.order(("tea-set", 1)))["number"]
    before = mall.tenant.store.position
    notice = {"order": order, "attempt": "A", "outcome": "failed", "amount_fen": 1, "at": value}
    body = json.dumps(notice).encode()
    path = f"/v1/callbacks/payment/{mall.tenant.callback_links.key(order)}"
    (secret, *_) = mall.tenant.settings.payment_keys
    answer = await mall.client.post(path, content=body, headers={SIGNATURE: sign(body, secret)})
    assert (answer.status_code, answer.json()["failures"][0]["field"]) == (422, "at")
    assert mall.tenant.store.position == before
