"""The edge of the service: limits, errors, documents, health."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_core._pydantic_core import list_all_errors

from api import unusable
from api.edge import MAX_BODY_BYTES
from api.pages import POLICY
from tests.api.conftest import RECIPIENT, Mall

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
    assert (answer.status_code, failure["field"], failure["code"]) == (
        422,
        "recipient.name",
        "emoji",
    )
    assert failure["message"] == "recipient.name: it holds emoji or pictures"
    assert failure["message_zh"] == "姓名：不能含有表情符号或图形"


async def test_a_field_is_named_by_its_path_in_the_body_or_its_own_name(mall: Mall) -> None:
    """R43: one style, whoever found what is wrong; the part of the request is not in it."""
    line = {"sku": "notebook", "quantity": 1}
    wish = {"learner": "lin", "lines": [line], "recipient": RECIPIENT}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**wish, "recipient": {**RECIPIENT, "phone": "1"}}, "recipient.phone"),
        ({**wish, "recipient": {**RECIPIENT, "phone": "12345"}}, "recipient.phone"),
        ({**wish, "recipient": {**RECIPIENT, "city": 1}}, "recipient.city"),
        ({**wish, "lines": [line, {"sku": "notebook"}]}, "lines.1.quantity"),
        ({**wish, "lines": [line, line]}, "lines.1.sku"),
        ({**wish, "happened_at": "2026-01-01T00:00:00Z"}, "happened_at"),
        ({**wish, "learner": 7}, "learner"),
    ]
    for body, field in wrong:
        answer = await mall.post("/v1/orders", body)
        assert answer.status_code == 422, body
        assert [one["field"] for one in answer.json()["failures"]] == [field]
    for path, field in (
        ("/v1/learners/lin/statement", "limit"),
        ("/v1/learners/lin/statement", "cursor"),
        ("/v1/learners/lin/balance", "as_of"),
    ):
        answer = await mall.get(path, **{field: "x"})
        assert answer.status_code == 422, (path, answer.text)
        assert [one["field"] for one in answer.json()["failures"]] == [field]
    headers = {**mall.headers("learner", "lin"), "Idempotency-Key": "k1"}
    headers["Content-Type"] = "application/json"
    for content in (b"", b"[", b"[]", b"7"):
        answer = await mall.client.post("/v1/orders", content=content, headers=headers)
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["failures"]] == ["body"]
    number = (await mall.order(("notebook", 1)))["number"]
    elsewhere = {**RECIPIENT, "phone": "12345"}
    answer = await mall.post(f"/v1/orders/{number}/address", elsewhere)
    assert [one["field"] for one in answer.json()["failures"]] == ["phone"]


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
    tag = first.headers["etag"]
    for known in (f"W/{tag}", f'"other", {tag}', f'"other",W/{tag}', "*"):
        headers["If-None-Match"] = known
        assert (await mall.client.get(str(first.url.path), headers=headers)).status_code == 304
    headers["If-None-Match"] = '"other"'
    assert (await mall.client.get(str(first.url.path), headers=headers)).status_code == 200


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


async def test_what_is_wrong_is_told_in_chinese_when_a_field_is_unusable(mall: Mall) -> None:
    """M4, D6: each field with its figures, in both languages; every kind that our models have."""
    body = {
        "grants": [
            {"learner": "x" * 101, "points": 0, "reason": "luck", "source": "s", "more": 1},
            {"points": 1.5, "reason": "task", "source": "s", "happened_at": "2026-01-01T00:00:00"},
        ]
    }
    answer = await mall.post("/v1/points/grants", body, role="service", subject="s")
    told = {one["field"]: one["message_zh"] for one in answer.json()["failures"]}
    assert answer.json()["detail_zh"] == "请求无法使用。"
    assert told["grants.0.learner"] == "最多 100 个字符"
    assert told["grants.0.points"] == "应不小于 1"
    assert told["grants.0.more"] == "不接受该字段"
    assert told["grants.0.reason"].startswith("应为 'course_completed'")
    assert told["grants.1.learner"] == "缺少该字段"
    assert told["grants.1.points"] == "应为整数"
    assert told["grants.1.happened_at"] == "应带时区，例如 +08:00"
    assert not any(" or " in words for words in told.values())


def test_words_have_the_figures_they_need_when_a_field_is_unusable() -> None:
    """M4: every template takes the figures that pydantic gives with this kind of error."""
    theirs: dict[str, Any] = {
        one["type"]: one.get("example_context") or {} for one in list_all_errors()
    }
    ours: dict[str, Any] = {
        "names_somebody": {}, "no_country": {}, "no_hs_code": {}, "not_latin": {},
        "too_many_fields": {"most": 200}, "own_time_has_no_zone": {},
        "before_since": {"since": "2026-01-31"}, "shares_not_whole": {"sku": "mug", "sum": 90},
    }  # fmt: skip
    assert unusable.WORDS.keys() - theirs.keys() == ours.keys()
    theirs |= ours
    for kind in unusable.WORDS:
        error = {"type": kind, "ctx": theirs.get(kind, {})}
        assert "{" not in unusable.in_chinese(error), kind
    assert unusable.in_chinese({"type": "is_subclass_of"}) == unusable.OTHERWISE


async def test_every_method_of_a_path_is_named_when_another_is_used(mall: Mall) -> None:
    """contract.md, Errors: 405 with `Allow`, of all routes that have the path."""
    for path, allowed in {
        "/v1/orders": "GET, POST",
        "/v1/orders/T1": "GET",
        "/v1/points/grants": "POST",
        "/v1/webhooks/0123456789abcdef0123": "DELETE, GET",
        "/v1/learners/lin": "PUT",
        "/health": "GET",
    }.items():
        answer = await mall.client.patch(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path
        assert answer.json()["detail_zh"]


async def test_unknown_things_answer_alike_when_a_body_names_them(mall: Mall) -> None:
    """contract.md, Errors: an item and a warehouse that are not there are refused by a rule."""
    staff = {"role": "operations", "subject": "ops"}
    for sku, warehouse, code in (
        ("nothing", "zhejiang", "item_unknown"),
        ("notebook", "nowhere", "warehouse_unknown"),
    ):
        body = {"sku": sku, "warehouse": warehouse, "quantity": 1}
        answer = await mall.post("/v1/stock/receipts", body, **staff)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["detail_zh"]


async def test_the_description_is_drawn_from_our_own_files(mall: Mall) -> None:
    """M1: no address but ours in the page, the pages' policy, and nothing else of the package."""
    page = await mall.client.get("/docs")
    assert (page.status_code, page.headers["content-security-policy"]) == (200, POLICY)
    assert "//" not in page.text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        file = await mall.client.get(f"/docs/{name}")
        plain = await mall.client.get(f"/docs/{name}", headers={"Accept-Encoding": "identity"})
        again = await mall.client.get(
            f"/docs/{name}", headers={"If-None-Match": file.headers["etag"]}
        )
        assert (file.status_code, again.status_code) == (200, 304)
        assert file.content == plain.content
    for path in ("/docs/main.py", "/docs/..%2Fmain.py", "/redoc"):
        assert (await mall.client.get(path)).status_code == 404
    document = (await mall.client.get("/openapi.json")).json()
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
