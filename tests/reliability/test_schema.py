"""Thousands of requests made from the API's own description, valid and not (R45)."""

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from fastapi import FastAPI, Response
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis import checks as check
from schemathesis.core.failures import Failure, FailureGroup

from tests.api.conftest import RECIPIENT, Mall
from tests.api.described import Closed
from tests.conftest import MallDatabase
from tests.reliability.routes import ADMINISTRATOR, NAMES, ROUTES, Route, named
from tests.reliability.service import Service, free_port, service_on

SEED = 45
ENDLESS = "/live"
PRINTED = ".pdf"
UNDESCRIBED = (
    "/metrics",
    "/v1/rate-cards/sheet",
    "/v1/disputes/{dispute}/evidence/{file}",
    "/v1/disputes/{dispute}/pack",
)
"""No JSON of ours."""
ELSEWHERE = (
    "/v1/returns/{return_id}",
    "/v1/parcels/{parcel}/declaration",
    "/v1/what-if/{rehearsal}",
    "/v1/weeks/{week}",
    "/v1/bills/{bill}",
    "/v1/bills/{bill}/differences",
)
"""Held against its description where there is one of it, as every answer in tests/api is."""
CHECKS = [
    check.not_a_server_error,
    check.response_schema_conformance,
    check.content_type_conformance,
    check.status_code_conformance,
]


class Requests:
    """Sends what schemathesis makes of the document; remembers what broke."""

    def __init__(self, document: dict[str, Any], url: str, *, start: int) -> None:
        self.schema = schemathesis.openapi.from_dict(document)
        self.broken: list[str] = []
        self.answers: Counter[int] = Counter()
        self._url = url
        self._session = requests.Session()
        self._random = random.Random(start)
        self._start = start

    def send(self, case: Any, headers: dict[str, str], names: dict[str, str]) -> None:
        """One request; half of them name things that are there."""
        if self._random.random() < 0.5:
            for name in set(case.path_parameters) & set(names):
                case.path_parameters[name] = names[name]
        if self._random.random() < 0.98:  # a view that is nowhere near is waited for
            case.query.pop("min_position", None)
        if self._random.random() < 0.9:
            case.headers = {**(case.headers or {}), **headers}
        response = case.call(base_url=self._url, session=self._session, timeout=20)
        self.answers[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as found:
            why = getattr(found, "exceptions", (found,))
            words = "; ".join(f"{type(one).__name__} {str(one)[:300]}" for one in why)
            sent = f"{case.path_parameters} {case.query} {str(case.body)[:300]}"
            self.broken.append(f"{case.method} {case.path} {sent}: {words}")

    def fuzz(self, cases: int, headers: Any, names: dict[str, str]) -> None:
        """About so many requests, spread evenly over the operations."""
        operations = [
            one.ok()  # type: ignore[union-attr]  # it raises where an operation is unusable
            for one in self.schema.get_all_operations()
        ]
        operations = [one for one in operations if not one.path.endswith(ENDLESS)]
        for operation in operations:
            for mode, share in ((GenerationMode.POSITIVE, 2), (GenerationMode.NEGATIVE, 1)):
                self._attempt(
                    operation.as_strategy(generation_mode=mode),
                    lambda case: self.send(case, headers(case.method, case.path), names),
                    times=max(1, cases * share // 3 // len(operations)),
                )

    def _attempt(self, strategy: Any, send: Callable[[Any], None], *, times: int) -> None:
        @seed(self._start)
        @settings(
            max_examples=times,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(case=strategy)
        def attempts(case: Any) -> None:
            send(case)

        with suppress(Unsatisfiable):  # nothing is invalid for this operation
            attempts()


def _headers(service: Service) -> Any:
    """Somebody who may, under a key of their own, on every request."""
    serial = itertools.count(1)

    def headers(method: str, path: str) -> dict[str, str]:
        route = ROUTES.get((method.upper(), path), Route(()))
        roles = route.roles or ("service",)
        role = ADMINISTRATOR if ADMINISTRATOR in roles else roles[-1]
        number = next(serial)
        subject = f"somebody-{number // 10}"
        return {**service.headers(role, subject), "Idempotency-Key": f"r45-{number}"}

    return headers


def _names(service: Service) -> dict[str, str]:
    """Things that are there."""
    wish: Any = {
        "learner": "lin",
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": RECIPIENT,
    }
    headers = {**service.headers("learner", "lin"), "Idempotency-Key": "r45"}
    placed = requests.post(f"{service.url}/v1/orders", json=wish, headers=headers, timeout=10)
    assert placed.status_code == 201, placed.text
    return {**NAMES, "number": placed.json()["number"], "name": "trial-balance"}


def _fuzzed(service: Service, *, cases: int, start: int) -> Requests:
    document = requests.get(f"{service.url}/openapi.json", timeout=10).json()
    sent = Requests(document, service.url, start=start)
    sent.fuzz(cases, _headers(service), _names(service))
    return sent


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """The service in processes of its own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


@pytest.mark.slow
def test_nothing_breaks_when_hundreds_of_requests_follow_the_document(service: Service) -> None:
    """R45: a fixed seed: 0 answers of 5xx, 0 that are not as described."""
    sent = _fuzzed(service, cases=500, start=SEED)
    assert not sent.broken, f"{len(sent.broken)}:\n" + "\n".join(sent.broken[:40])
    assert sent.answers.total() > 300
    assert sent.answers[200] > 50, sent.answers


@pytest.mark.nightly
@pytest.mark.timeout(1_200)
def test_nothing_breaks_when_ten_thousand_requests_follow_the_document(service: Service) -> None:
    """R45: a new seed every night; `TALLYPOST_SEED` takes that of another night."""
    start = int(os.environ.get("TALLYPOST_SEED", f"{datetime.now(UTC):%Y%m%d}"))
    sent = _fuzzed(service, cases=10_000, start=start)
    told = f"seed {start}, {len(sent.broken)}:\n"
    assert not sent.broken, told + "\n".join(sent.broken[:40])
    assert sent.answers.total() > 8_000


def test_what_breaks_is_found_when_requests_follow_the_document() -> None:
    """R45 CONTROL: one endpoint raises on 0, one answers another shape than it promises."""
    app = FastAPI()

    @app.get("/share")
    def share(of: int) -> float:
        return 1 / of

    @app.get("/count", response_model=int)
    def count() -> Response:
        return Response('"many"', media_type="application/json")

    with _serving(app) as url:
        sent = Requests(app.openapi(), url, start=SEED)
        sent.fuzz(200, lambda method, path: {}, {})
    assert any("/share" in one and "ServerError" in one for one in sent.broken)
    assert any("/count" in one and "JsonSchemaError" in one for one in sent.broken)


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    """A plain application on a port of its own."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        give_up_at = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.anyio
async def test_every_field_is_described_when_answers_hold_much(mall: Mall) -> None:
    """R45: real answers of every GET, to learners and staff, have the described fields alone."""
    await mall.order(("notebook", 1))
    hall = {"warehouse": "zhejiang"}
    wave = (await mall.post("/v1/waves", hall, role="operations", subject="ops")).json()
    await mall.views()
    picks = (await mall.post("/v1/pick-lists", hall, role="operations", subject="ops")).json()
    number = (await mall.order(("enamel-mug", 2), ("python-course", 1)))["number"]
    await mall.order(("tea-set", 1))
    parcel = await mall.ship(number)
    gone = (await mall.order(("notebook", 1)))["number"]
    await mall.post(f"/v1/orders/{gone}/cancellation", {"reason": "旧的还好"})
    much = {"learner": "lin", "points": 20_000, "source": "m", "why": "made good"}
    await mall.post("/v1/points/adjustments", much, role="operations", subject="ops")
    hook = {"url": "https://example.com/hook", "facts": ["orders.*"]}
    made = await mall.post("/v1/webhooks", hook, role="administrator", subject="root")
    await mall.post(f"/v1/orders/{number}/disputes", {"reason": "lost", "words": "没有到"})
    lost = {"parcel": parcel, "reason": "lost", "unconfirmed_because": "they said so"}
    await mall.post("/v1/claims", lost, role="operations", subject="ops")
    await mall.views()
    await mall.views()
    names = {"number": number, "parcel": parcel, "webhook": made.json()["id"]}
    names |= {"wave": wave["wave"], "pick_list": picks["pick_list"]}
    names |= {"name": "trial-balance", "stream": f"order:{number}", "dispute": f"D-{number}-P1"}
    mall.tenant.settings.agora_app_id = "0" * 32
    mall.tenant.settings.agora_certificate = SecretStr("0" * 32)
    closed = Closed(mall.app.openapi())
    queries: dict[str, list[dict[str, Any]]] = {
        "/v1/orders": [{}, {"as_of": "2190-01-01T00:00:00Z"}, {"limit": 1}],
        "/v1/learners/{learner}/balance": [{}, {"as_of": "2190-01-01T00:00:00Z"}],
        "/v1/audit/orders/{number}": [{}, {"proofs": True}],
        "/v1/search": [{"q": number}],
    }
    wrong: list[str] = []
    for (method, path), route in ROUTES.items():
        if method != "GET" or path.endswith((ENDLESS, PRINTED)):
            continue
        if path in (*UNDESCRIBED, *ELSEWHERE):
            continue
        for role in {"learner", "administrator"} & set(route.roles) or {"operations"}:
            subject = "lin" if role == "learner" else "root"
            for query in queries.get(path, [{}]):
                answer = await mall.get(named(path, **names), role=role, subject=subject, **query)
                if answer.status_code != 200 or "json" not in answer.headers["content-type"]:
                    wrong.append(f"{path} {role}: {answer.status_code} {answer.text[:90]!r}")
                    continue
                wrong += closed.differences("GET", path, 200, answer.json())
    assert not wrong, "\n".join(wrong)


@pytest.mark.anyio
async def test_a_field_too_many_is_found_when_it_is_not_described(mall: Mall) -> None:
    """R45 CONTROL: one field more, and one that is missing."""
    closed = Closed(mall.app.openapi())
    balance = await mall.balance()
    path = "/v1/learners/{learner}/balance"
    assert closed.differences("GET", path, 200, balance) == []
    assert closed.differences("GET", path, 200, {**balance, "new": 1})
    del balance["debt"]
    assert closed.differences("GET", path, 200, balance)
