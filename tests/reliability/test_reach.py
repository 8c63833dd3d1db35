"""Who reaches what: every role on every route, own, another's and absent objects (R42, R44)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api import order_reading
from api.auth import Caller
from domain.refusals import NotFound
from projections.order_queries import OrderRow
from tests.api.conftest import RECIPIENT, Mall
from tests.reliability.routes import LEARNER, NOBODY, ROLES, ROUTES, Route, described, named

pytestmark = pytest.mark.anyio

ABSENT = {"number": "T999999ABSENT", "learner": "nobody-there"}
ENDLESS = ("GET", "/v1/orders/{number}/live")


class Matrix:
    """Sends one request for each cell of role x route x object."""

    def __init__(self, mall: Mall, order: str) -> None:
        self._mall = mall
        self._names = {"own": {"number": order, "learner": "lin"}, "absent": ABSENT}
        self._serial = 0

    async def status(
        self, method: str, path: str, route: Route, *, role: str | None, subject: str, whose: str
    ) -> tuple[int, Any]:
        """What somebody is answered; the body of an error without what names the object."""
        self._serial += 1
        headers = {"Idempotency-Key": f"m{self._serial}", "Last-Event-ID": "0"}
        if role is not None:
            headers |= self._mall.headers(role, subject)
        target = named(path, **self._names[whose])
        answer = await self._mall.client.request(method, target, json=route.body, headers=headers)
        return answer.status_code, answer.json() if answer.status_code >= 400 else None


@pytest.fixture
async def order(mall: Mall) -> str:
    """An order of lin's."""
    placed = await mall.order(("notebook", 1))
    number: str = placed["number"]
    return number


async def test_every_route_has_an_expectation(mall: Mall) -> None:
    """R42: a route that nobody thought about makes this red, as does one that is gone."""
    assert {(method, path) for method, path, _ in described(mall.app)} == set(ROUTES)


async def test_nobody_enters_when_they_have_no_token(mall: Mall, order: str) -> None:
    """R42: without a token every route but health and callbacks answers 401, callbacks too."""
    matrix = Matrix(mall, order)
    for (method, path), route in ROUTES.items():
        status, _ = await matrix.status(method, path, route, role=None, subject="", whose="own")
        health = path in ("/health", "/ready", "/metrics")
        assert status in ((200, 503) if health else (401,)), (method, path, status)


async def test_roles_enter_only_where_they_are_expected(mall: Mall, order: str) -> None:
    """R42, R44: each role on each route: 403 exactly where it is not let in."""
    matrix = Matrix(mall, order)
    wrong = []
    for (method, path), route in ROUTES.items():
        if route.roles is NOBODY:
            continue
        for role in ROLES:
            if (method, path) == ENDLESS and role in route.roles:
                continue
            status, body = await matrix.status(
                method, path, route, role=role, subject="someone", whose="absent"
            )
            if (status == 403) == (role in route.roles):
                wrong.append((method, path, role, status, body))
            assert status < 500, (method, path, role, body)
    assert not wrong, "\n".join(map(str, wrong))


async def test_auditors_change_nothing(mall: Mall) -> None:
    """R44: an auditor is refused every change there is; what they may POST is a question."""
    for (method, path), route in ROUTES.items():
        if method != "GET" and route.roles is not NOBODY and not route.asks:
            assert "auditor" not in route.roles, (method, path)


async def test_nothing_is_recorded_when_a_question_is_posted(mall: Mall) -> None:
    """R44: the log and the answers kept under keys are as they were."""

    async def recorded() -> Any:
        query = (
            "SELECT (SELECT max(position) FROM {s}.commits), (SELECT count(*) FROM {s}.commands)"
        )
        async with mall.tenant.pool.connection() as connection:
            cursor = await connection.execute(query.replace("{s}", mall.tenant.schema).encode())
            return await cursor.fetchall()

    before = await recorded()
    asking = [
        (path, route) for (_, path), route in ROUTES.items() if route.asks and "{" not in path
    ]
    assert {path for path, _ in asking} == {
        "/v1/search", "/v1/quotes", "/v1/addresses/parsed", "/v1/rate-cards/quotes",
    }  # fmt: skip
    for path, route in asking:
        answer = await mall.post(path, route.body, role=route.roles[0])
        assert answer.status_code == 200, (path, answer.text)
    assert await recorded() == before


async def test_another_and_nobody_answer_alike_when_learners_ask(mall: Mall, order: str) -> None:
    """R42: somebody else's order or account is answered as one that is not there: 404."""
    matrix = Matrix(mall, order)
    for (method, path), route in ROUTES.items():
        if not route.owned or LEARNER not in route.roles:
            continue
        answers = [
            await matrix.status(method, path, route, role=LEARNER, subject="chen", whose=whose)
            for whose in ("own", "absent")
        ]
        assert answers[0] == answers[1], (method, path, answers)
        assert answers[0][0] == 404, (method, path, answers)


async def test_learners_touch_nobody_else_when_bodies_name_another(mall: Mall) -> None:
    """R42: a body that names another learner is answered as one that names nobody."""
    for path in ("/v1/quotes", "/v1/orders"):
        for learner in ("lin", "nobody-there"):
            body = {
                "learner": learner,
                "lines": [{"sku": "notebook", "quantity": 1}],
                "recipient": RECIPIENT,
            }
            answer = await mall.post(path, body, subject="chen")
            assert answer.status_code == 404, (path, learner, answer.text)
    listed = await mall.get("/v1/orders", subject="chen", learner="lin")
    assert listed.status_code == 404
    assert (await mall.get("/v1/orders", subject="chen")).json()["orders"] == []


async def test_learners_see_no_figures_of_the_house(mall: Mall, order: str) -> None:
    """R43: what a learner is answered has only the fields that are meant for learners."""
    expected = {
        f"/v1/orders/{order}": {
            "number", "learner", "status", "channel", "placed_at", "promised_by", "pay_by",
            "points", "cash_fen", "freight_fen", "upgrade", "partly_shipped", "returnable_until",
            "lines", "parts", "delay",
            "parcels", "actions", "timeline", "position", "version",
        },
        "/v1/learners/lin/balance": {
            "learner", "status", "available", "held", "debt", "expiring", "position",
        },
        "/v1/orders": {"orders", "next"},
        "/v1/items": {"items", "next"},
    }  # fmt: skip
    for path, fields in expected.items():
        answer = await mall.get(path)
        assert set(answer.json()) <= fields, (path, set(answer.json()) - fields)
    text = json.dumps((await mall.get("/v1/items")).json())
    assert '"stock"' not in text


async def test_the_matrix_is_red_when_one_owner_check_is_missing(
    mall: Mall, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R42 CONTROL: reading an order without looking whose it is."""

    def careless(row: OrderRow | None, caller: Caller) -> OrderRow:
        if row is None:
            raise NotFound(what="order")
        return row

    monkeypatch.setattr(order_reading, "visible", careless)
    await _red(lambda: test_another_and_nobody_answer_alike_when_learners_ask(mall, order))


async def test_the_matrix_is_red_when_a_route_has_no_expectation(mall: Mall) -> None:
    """R42 CONTROL: a new route."""

    @mall.app.get("/v1/new")
    async def new() -> None:
        """Forgotten."""

    mall.app.openapi_schema = None
    await _red(lambda: test_every_route_has_an_expectation(mall))


async def _red(test: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(AssertionError):
        await test()
