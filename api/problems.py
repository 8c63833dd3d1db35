"""Errors as callers see them: RFC 9457 problem details with stable codes (contract.md, Errors)."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg.errors import OperationalError
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.routing import Route

from api import unusable
from api.shown.after_changes import FailureOut
from application.cleaning import Unusable
from application.gateways.payment import ProviderUnavailable
from application.outcomes import InFlight, Unavailable
from domain.refusals import Refusal, for_customers

STATUS = {
    "not_found": 404,
    "file_unreadable": 422,
    "invalid": 422,
    "idempotency_key_missing": 422,
    "names_somebody": 422,
    "key_reused": 422,
}
"""Codes that are not answered 409, refused by a rule.

What a body names and is not there is a rule's matter: the same request is fine once it is there.
404 is for what the path names.
"""

TITLES = {
    202: "Not yet there",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Refused",
    413: "Too large",
    422: "Unusable request",
    429: "Too many requests",
    503: "Unavailable",
}

CODES = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    429: "too_many_requests",
    503: "unavailable",
}
"""Codes of errors that come with nothing but their status."""

CHINESE = {
    401: "需要有效的令牌。",
    403: "没有权限。",
    404: "未找到。",
    405: "不支持该方法。",
    408: "请求正文发送过慢。",
    413: "请求正文过大。",
    422: unusable.GENERAL,
    429: "请求过于频繁，请稍后再试。",
    500: "系统内部出错，已记录。",
    503: "服务暂时不可用，请用同一幂等键重试。",
}
"""What is told in Chinese where nothing better is known."""

FAILURES_MAX = 1_000
"""Failures told of one request: 10,000 grants could have ten times as many."""
PARTS = ("body", "query", "path", "header", "cookie")
"""What FastAPI puts before a field's own path."""
RETRY_AFTER_SECONDS = 1


class ProblemOut(BaseModel):
    """Why something was not done (RFC 9457), in English and Chinese."""

    type: str = Field(description="`urn:tallypost:` and the code")
    title: str = Field(description="of the status")
    status: int = Field(description="HTTP status")
    code: str = Field(description="stable, for programs")
    detail: str = Field(description="in English")
    detail_zh: str | None = Field(default=None, description="in Chinese")
    failures: list[FailureOut] = Field(description="every reason, each with its own code")
    view_position: int | None = Field(default=None, description="202: where the view is")
    lag: int | None = Field(default=None, description="202: log positions it is behind")


def schema_of_problems() -> dict[str, Any]:
    """The schemas of refusals, by name; that of codes lists every one there is."""
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = schema.pop("$defs")
    codes = dict(sorted({**_GENERAL, **_codes(Refusal)}.items()))
    told = "\n".join(f"- `{code}`: {meaning}" for code, meaning in codes.items())
    schema["properties"]["code"]["description"] += f". Of all operations together:\n{told}"
    return {**parts, "ProblemOut": schema}


def _codes(cls: type[Refusal]) -> dict[str, str]:
    """Codes of refusals with what they mean."""
    found: dict[str, str] = {}
    for one in cls.__subclasses__():
        found |= _codes(one)
        if "code" in vars(one):
            found[one.code] = " ".join((one.__doc__ or "").partition("\n\n")[0].split())
    return found


_GENERAL = {
    "unauthenticated": "A valid bearer token is needed.",
    "forbidden": "The caller's role may not do this.",
    "method_not_allowed": "The path knows other methods: `Allow` names them.",
    "too_slow": "The body took too long to arrive.",
    "too_large": "The body is too large.",
    "too_many_requests": "Come back after `Retry-After` seconds.",
    "unavailable": "The outcome is not known: send it again under the same key.",
    "in_flight": "The same request is still being decided: send it again.",
    "not_yet_there": "The view has not reached `min_position` yet.",
    "forged": "The signature of a callback does not fit.",
}
"""Codes that are no rule's."""

DOCUMENTED: dict[str, Any] = {
    "description": "401 unauthenticated, 403 forbidden, 404 not found (or somebody else's), "
    "409 refused by a rule, 422 unusable (a field is named), 429 too many requests",
    "content": {
        "application/problem+json": {
            "schema": {"$ref": "#/components/schemas/ProblemOut"},
            "example": {
                "type": "urn:tallypost:order_refused",
                "title": "Refused",
                "status": 409,
                "code": "order_refused",
                "detail": "The order was refused.",
                "detail_zh": "订单未被接受。",
                "failures": [
                    {
                        "code": "out_of_stock",
                        "message": "enamel-mug: 900 wanted, 120 in stock.",
                        "message_zh": "enamel-mug：需要 900 件，库存 120 件。",
                        "sku": "enamel-mug",
                        "wanted": 900,
                        "free": 120,
                    }
                ],
            },
        }
    },
}
"""What the API's description says of every answer that is a refusal."""


UNAVAILABLE: dict[str, Any] = {
    **DOCUMENTED,
    "description": "Try again later, a change under the same key (`Retry-After`)",
}


class NotYetThere(Exception):
    """The view has not reached the position asked for: 202 with the lag (contract.md)."""

    def __init__(self, position: int, wanted: int) -> None:
        self.position = position
        self.wanted = wanted
        super().__init__(f"{position} of {wanted}")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    failures: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem document. `failures` lists every reason, each with its own code."""
    general = {"detail_zh": CHINESE[status]} if status in CHINESE else {}
    body = {
        "type": f"urn:tallypost:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "failures": list(failures),
        **general,
        **more,
    }
    return Response(to_json(body), status, headers=headers, media_type="application/problem+json")


def refused(refusal: Refusal, *, staff: bool) -> Response:
    """A rule's refusal as a problem document, in both languages and its reader's words."""
    whole = refusal.as_failure()
    failures = [
        one.as_failure() if isinstance(one, Refusal) else one
        for one in getattr(refusal, "failures", None) or [refusal]
    ]
    if not staff:
        whole, failures = for_customers(whole), [for_customers(one) for one in failures]
    return problem(
        STATUS.get(refusal.code, 409),
        refusal.code,
        str(whole["message"]),
        failures=failures,
        detail_zh=whole["message_zh"],
    )


def invalid(errors: Sequence[Any]) -> Response:
    """What pydantic says of a request that cannot be used, field by field, up to a limit (R52)."""
    failures = [
        {
            "code": one["type"],
            "field": _path(one["type"], one["loc"]),
            "message": one["msg"],
            "message_zh": unusable.in_chinese(one),
        }
        for one in errors[:FAILURES_MAX]
    ]
    return problem(422, "invalid", "The request cannot be used.", failures=failures)


def _path(kind: str, places: Sequence[str | int]) -> str:
    """The path inside the body, or the parameter's name; the part itself if all of it is meant."""
    if not places or places[0] not in PARTS:
        return ".".join(map(str, places)) or "body"
    part, *inside = places
    # Where JSON ends to be one, the place is a number of a character.
    return str(part) if kind == "json_invalid" or not inside else ".".join(map(str, inside))


def install(app: FastAPI, routers: Sequence[APIRouter] = ()) -> None:
    """Answer every error of the application, whose routes these are, in this form."""

    @app.exception_handler(Refusal)
    async def _refusal(request: Request, error: Refusal) -> Response:
        caller = getattr(request.state, "caller", None)
        return refused(error, staff=caller is not None and caller.role != "learner")

    @app.exception_handler(RequestValidationError)
    async def _unusable(_: Request, error: RequestValidationError) -> Response:
        return invalid(error.errors())

    @app.exception_handler(Unusable)
    async def _unusable_text(_: Request, error: Unusable) -> Response:
        failure = {
            "code": error.reason,
            "field": error.field,
            "message": error.en,
            "message_zh": error.zh,
        }
        return problem(422, "invalid", error.en, failures=[failure], detail_zh=error.zh)

    @app.exception_handler(NotYetThere)
    async def _not_yet_there(_: Request, error: NotYetThere) -> Response:
        return problem(
            202,
            "not_yet_there",
            "The view has not reached that position yet.",
            detail_zh="视图尚未到达该位置。",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            view_position=error.position,
            lag=error.wanted - error.position,
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        # 400 is FastAPI's word for bytes that are no text at all.
        status = 422 if error.status_code == 400 else error.status_code
        code = "invalid" if status == 422 else CODES.get(status, "http_error")
        headers = dict(error.headers or {})
        if status == 405:
            headers["Allow"] = ", ".join(_methods(routers, request.url.path))
        return problem(status, code, str(error.detail), headers=headers)

    @app.exception_handler(InFlight)
    async def _in_flight(_: Request, __: InFlight) -> Response:
        return problem(
            409,
            "in_flight",
            "The same request is still being decided; send it again.",
            detail_zh="同一请求正在处理，请重新发送。",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    async def _unavailable(request: Request, error: Exception) -> Response:
        if isinstance(error, OperationalError) and not isinstance(
            error, PoolTimeout | TooManyRequests
        ):
            # Where one connection died, the others did: nobody else has to find out (R05).
            await request.state.tenant.pool.drain()
        return problem(
            503,
            "unavailable",
            "The outcome is not known yet; send the same request with the same key again.",
            detail_zh="结果尚不确定，请用同一幂等键重新发送。",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    for outage in (
        Unavailable,
        ProviderUnavailable,
        PoolTimeout,
        TooManyRequests,
        OperationalError,
    ):
        app.add_exception_handler(outage, _unavailable)


def _methods(routers: Sequence[APIRouter], path: str) -> list[str]:
    """Every method that a path has: Starlette names those of the first route that fits."""
    found: set[str] = set()
    for router in routers:
        for route in router.routes:
            if isinstance(route, Route | APIRoute) and route.path_regex.match(path):
                found |= route.methods or set()
    return sorted(found)
