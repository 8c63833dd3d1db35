"""The edge of the service: limits, errors, documents, health."""

from collections.abc import AsyncIterator

import pytest

from api.edge import MAX_BODY_BYTES
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio


async def test_the_body_is_refused_when_it_is_too_large(mall: Mall) -> None:
    """M1, R52: 413 with a code, whether the length is declared or not."""
    headers = {**mall.headers("service", "s"), "Idempotency-Key": "big"}

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 100_000 + 1):
            yield b"x" * 100_000

    for content in (b"x" * (MAX_BODY_BYTES + 1), endless()):
        answer = await mall.client.post("/v1/points/grants", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_change_is_unusable_when_it_has_no_key(mall: Mall) -> None:
    """L2: every change needs an Idempotency-Key."""
    answer = await mall.client.post(
        "/v1/orders", json={"learner": "lin", "lines": []}, headers=mall.headers("learner", "lin")
    )
    assert answer.status_code == 422


async def test_the_field_is_named_when_a_text_cannot_be_used(mall: Mall) -> None:
    """M4: a clear message with field and reason, in both languages."""
    wish = {
        "learner": "lin",
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": {"name": "林😀", "phone": "13800000000", "address": "文三路 1 号"},
    }
    answer = await mall.post("/v1/orders", wish)
    failure = answer.json()["failures"][0]
    assert (answer.status_code, failure["field"], failure["code"]) == (422, "name", "emoji")
    assert failure["message_zh"]


async def test_health_and_readiness_say_so_when_all_is_well(mall: Mall) -> None:
    """M1: views with lag, parked events, the log's position."""
    health = await mall.client.get("/health")
    ready = await mall.client.get("/ready")
    metrics = await mall.client.get("/metrics")
    assert (health.status_code, ready.status_code, metrics.status_code) == (200, 200, 200)
    assert health.json()["status"] == "ok"
    assert "tallypost_request_seconds" in metrics.text
    assert "tallypost_view_lag_events" in metrics.text


async def test_the_whole_api_is_described_when_its_document_is_read(mall: Mall) -> None:
    """M1: OpenAPI with a summary and a description of every operation."""
    document = (await mall.client.get("/openapi.json")).json()
    bare = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("summary") or not operation.get("description")
    ]
    assert bare == []


async def test_the_answer_is_short_when_nothing_changed_since(mall: Mall) -> None:
    """O2: an order's ETag saves reading it again."""
    placed = await mall.order(("notebook", 1))
    path = f"/v1/orders/{placed['number']}"
    first = await mall.get(path)
    headers = {**mall.headers("learner", "lin"), "If-None-Match": first.headers["etag"]}
    again = await mall.client.get(path, headers=headers)
    assert (again.status_code, again.content) == (304, b"")


async def test_the_reader_is_told_of_the_lag_when_the_view_is_behind(mall: Mall) -> None:
    """M1: a late view is not a failed command: 202 with the lag."""
    wish = {"learner": "lin", "lines": [{"sku": "python-course", "quantity": 1}]}
    placed = (await mall.post("/v1/orders", wish)).json()
    answer = await mall.get("/v1/learners/lin/balance", min_position=placed["position"])
    assert answer.status_code == 202
    assert answer.json()["lag"] > 0
    await mall.views()
    answer = await mall.get("/v1/learners/lin/balance", min_position=placed["position"])
    assert answer.status_code == 200


async def test_targets_are_shown_when_staff_ask_how_it_does(mall: Mall) -> None:
    """M1: 200 ms (p99), errors 0.1 %, sync lag 5 s, each with what is measured."""
    await mall.get("/v1/items")
    answer = (await mall.get("/v1/targets", role="operations", subject="ops")).json()
    assert answer["answers"] > 0
    assert {one["name"]: one["target"] for one in answer["targets"]} == {
        "answers_within_200_ms": 0.99,
        "errors": 0.001,
        "sync_lag_seconds": 5.0,
    }


async def test_the_lag_is_told_in_seconds_when_a_view_is_behind(mall: Mall) -> None:
    """M1: sync lag is the age of the oldest event that a view has not seen."""
    wish = {"learner": "lin", "lines": [{"sku": "python-course", "quantity": 1}]}
    await mall.post("/v1/orders", wish)
    views = (await mall.client.get("/health")).json()["views"]
    assert all(view["lag"] > 0 and view["lag_seconds"] >= 0 for view in views)
    await mall.views()
    views = (await mall.client.get("/health")).json()["views"]
    assert all(view["lag"] == 0 and view["lag_seconds"] == 0 for view in views)


async def test_errors_are_described_as_they_come_when_the_document_is_read(mall: Mall) -> None:
    """contract.md, Errors: problem documents, never FastAPI's own shape; each with its code."""
    document = (await mall.client.get("/openapi.json")).json()
    answers = document["paths"]["/v1/orders"]["post"]["responses"]
    wrong_method = await mall.client.delete("/v1/orders")
    late = await mall.get("/v1/learners/lin/balance", min_position=10**6)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert list(answers["4XX"]["content"]) == ["application/problem+json"]
    assert wrong_method.json()["code"] == "method_not_allowed"
    assert (late.status_code, late.json()["title"]) == (202, "Not yet there")


async def test_the_body_is_unusable_when_its_bytes_are_no_text(mall: Mall) -> None:
    """contract.md, Errors: 422, as for any request that cannot be used."""
    headers = {**mall.headers("learner", "lin"), "Idempotency-Key": "k"}
    headers["Content-Type"] = "application/json"
    answer = await mall.client.post("/v1/orders", content=b"\xff\xfe{", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
