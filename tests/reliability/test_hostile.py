"""Values nobody means: in every field, path and query of every route (R43, R46)."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel

from api.unusable import OTHERWISE
from tests.api.conftest import Mall
from tests.reliability.routes import ADMINISTRATOR, ROUTES, Route, described, named
from tests.reliability.workload import log_of

pytestmark = pytest.mark.anyio

RAW = (
    '"nul\\u0000"', '"\\ud800"', '"a\\udfffb"', "9223372036854775808", "-9223372036854775809",
    "1e999", "-1e999", "NaN", "Infinity", "1.5", "true", "null", "[]", "{}", '""', "0", "-1",
    "99999999999999999999999999999999999", '"9999-12-31T23:59:59Z"', '"0001-01-01T00:00:00+14:00"',
    '"\\u202e\\ufeff"', '"' + "x" * 10_000 + '"', "[" * 200 + "]" * 200, '{"\\ud800": 1}',
    '"2026-01-01T00:00:00"', '"9999-12-31T23:59:59-14:00"',
    '"\\u0085\\u2028"', '"../../etc"', '"%00"', "1" * 4_000,
)  # fmt: skip
TEXTS = (
    "%00", "a%00b", "%ff%fe", "%ed%a0%80", "9223372036854775808", "-1", "1e999", "NaN", "%20",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    "x" * 5_000, "%25", "_%25%5C", "%E2%80%AE", "'%3B--", "null", "%F0%9F%98%80",
    "WyIyMDI2IiwgMV0=", "WzFlOTk5XQ==", "bnVsbA==", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIDFd",
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIlx1MDAwMCJd",
    "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIDkyMjMzNzIwMzY4NTQ3NzU4MDhd", "WyJcdTAwMDAiXQ==",
)  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of a body, the whole one first."""
    yield path
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))


def replaced(body: Any, path: tuple[Any, ...], raw: str) -> bytes:
    """The body as JSON with raw text at one place."""
    mark = "\ue000mark\ue000"
    if not path:
        return raw.encode(errors="surrogatepass")
    changed = copy.deepcopy(body)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = mark
    text = json.dumps(changed, ensure_ascii=False)
    return text.replace(json.dumps(mark, ensure_ascii=False), raw).encode(errors="surrogatepass")


def _optional(mall: Mall, operation: dict[str, Any], body: Any) -> Any:
    """The body with a value for every field of its outermost model."""
    schemas = mall.app.openapi()["components"]["schemas"]
    schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    model = schemas[schema["$ref"].rpartition("/")[2]]
    return {**dict.fromkeys(model["properties"], "x"), **body}


async def parked(mall: Mall) -> list[Any]:
    """What the views could not fold."""
    async with mall.tenant.pool.connection() as connection:
        query = f"SELECT view, cause FROM {mall.tenant.schema}.parked".encode()
        return list(await (await connection.execute(query)).fetchall())


class Attempts:
    """Sends and remembers what was answered 5xx."""

    def __init__(self, mall: Mall) -> None:
        self._mall = mall
        self.sent = 0
        self.broken: list[str] = []
        self.unworded: set[str] = set()
        """Refused for a reason that has no words in Chinese."""

    async def send(self, method: str, path: str, route: Route, body: bytes | None = None) -> None:
        """One attempt as somebody who may."""
        role = ADMINISTRATOR if ADMINISTRATOR in route.roles else (route.roles or ("service",))[-1]
        headers = self._mall.headers(role, "somebody")
        headers |= {"Content-Type": "application/json", "Idempotency-Key": f"k{self.sent}"}
        self.sent += 1
        try:
            answer = await self._mall.client.request(method, path, content=body, headers=headers)
            status = answer.status_code
            if status == 422 and f'"{OTHERWISE}"' in answer.text:
                self.unworded.add(f"{method} {path[:300]} {(body or b'')[:300]!r} {answer.text}")
        except Exception as error:  # noqa: BLE001  what the server would answer 500
            status = 500
            path += f" {type(error).__name__}: {str(error)[:200]}"
        if status >= 500:
            self.broken.append(f"{status} {method} {path[:300]} {(body or b'')[:300]!r}")


def _endless(path: str) -> bool:
    return path.endswith("/live")


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_breaks_when_bodies_hold_hostile_values(mall: Mall) -> None:
    """R46: NUL, half surrogates, huge numbers, NaN, wrong types in every field: 0 × 5xx."""
    attempts = Attempts(mall)
    for method, path, operation in described(mall.app):
        route = ROUTES[method, path]
        if route.body is None:
            continue
        body = _optional(mall, operation, route.body)
        for place in leaves(body):
            for raw in RAW:
                await attempts.send(method, named(path), route, replaced(route.body, place, raw))
    assert attempts.sent > 2_000
    await mall.views()
    attempts.broken += [f"{view} parked {cause}" for view, cause in await parked(mall)]
    assert not attempts.broken, "\n".join(attempts.broken[:40])
    assert not attempts.unworded, "\n".join(sorted(attempts.unworded)[:40])


@pytest.mark.slow
async def test_nothing_breaks_when_paths_and_queries_hold_hostile_values(mall: Mall) -> None:
    """R46: the same in every path parameter, query parameter and header: 0 × 5xx."""
    attempts = Attempts(mall)
    for method, path, operation in described(mall.app):
        route = ROUTES[method, path]
        body = None if route.body is None else json.dumps(route.body).encode()
        for parameter in operation.get("parameters", ()):
            for text in TEXTS:
                if parameter["in"] == "path":
                    target = named(path, **{parameter["name"]: text})
                elif parameter["in"] == "query":
                    target = f"{named(path)}?{parameter['name']}={text}"
                else:
                    continue
                if not _endless(path) or parameter["in"] == "path":
                    await attempts.send(method, target, route, body)
    assert attempts.sent > 500
    assert not attempts.broken, "\n".join(attempts.broken[:40])
    assert not attempts.unworded, "\n".join(sorted(attempts.unworded)[:40])


async def test_plain_parts_break_when_values_are_hostile(mall: Mall) -> None:
    """R46 CONTROL: a plain endpoint that hands what it gets to the database."""

    class Plain(BaseModel):
        text: str

    app: FastAPI = mall.app

    @app.post("/plain")
    async def plain(body: Plain, number: int = Query(0)) -> dict[str, int]:
        async with mall.tenant.pool.connection() as connection:
            await connection.execute("SELECT %s::text, %s::bigint", (body.text, number))
        return {}

    attempts = Attempts(mall)
    for raw in RAW:
        await attempts.send("POST", "/plain", Route(()), b'{"text": %b}' % raw.encode())
    await attempts.send("POST", "/plain?number=9223372036854775808", Route(()), b'{"text": "x"}')
    assert len(attempts.broken) >= 2


async def test_nothing_changes_when_bodies_name_what_is_not_asked_for(mall: Mall) -> None:
    """R43: role, points, balance, status, owner and others in every body: 422, nothing recorded."""
    before = len(log_of_mall(mall))
    extra = ("role", "balance", "owner", "is_admin", "position", "version", "state", "actor", "id",
             "lots", "available", "__class__", "principal", "recorded_at")  # fmt: skip
    for method, path, operation in described(mall.app):
        route = ROUTES[method, path]
        if route.body is None:
            continue
        known = _optional(mall, operation, route.body)
        for name in extra:
            if name in known:
                continue
            answer = await mall.post(
                named(path), {**route.body, name: "x"}, role=route.roles[-1], method=method
            )
            assert answer.status_code == 422, (method, path, name, answer.text)
    assert len(log_of_mall(mall)) == before


async def test_a_body_that_is_too_generous_is_found_when_models_ignore_fields(mall: Mall) -> None:
    """R43 CONTROL: a model that takes whatever comes is answered 200, and the test sees it."""

    class Generous(BaseModel):
        points: int

    @mall.app.post("/generous")
    async def generous(body: Generous) -> dict[str, int]:
        return {"points": body.points}

    answer = await mall.post("/generous", {"points": 1, "role": "administrator"})
    assert answer.status_code != 422


def log_of_mall(mall: Mall) -> list[Any]:
    """The log of this mall."""
    from tests.conftest import MallDatabase

    tenant = mall.tenant
    url = tenant.pool.conninfo
    return log_of(MallDatabase(url, url, tenant.schema))
