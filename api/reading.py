"""What every reading route shares: see-your-own-writes, times to look from, cursors, ETags."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Query, Request, Response
from pydantic_core import to_json

from api.problems import NotYetThere
from domain.days import Moment
from domain.refusals import InvalidRequest
from projections.audit_queries import position_at

T = TypeVar("T")

PATIENCE_SECONDS = 3.0
"""How long a reader that asks for a position waits for its view."""

MinPosition = Annotated[
    int | None, Query(ge=0, le=2**62, description="wait until the view has reached this position")
]
AsOf = Annotated[Moment | None, Query(description="as it stood then: facts that had happened (A5)")]
KnownAt = Annotated[
    Moment | None, Query(description="as we knew it then: facts that were recorded (A5)")
]
Limit = Annotated[int, Query(ge=1, le=100, description="how many at most")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]


async def wait_for(request: Request, min_position: int | None, *views: str) -> None:
    """Wait, bounded, until these views are at a position; raises `NotYetThere`."""
    if min_position is None:
        return
    live = request.state.tenant.live
    if not await live.reached(views, min_position, patience=PATIENCE_SECONDS):
        raise NotYetThere(min(live.position_of(view) for view in views), min_position)


def json_answer(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, written once."""
    return Response(to_json(body), status, headers=headers, media_type="application/json")


def has_already(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names what we would answer: in a list, weakly, or as `*` (RFC 9110).

    A weak comparison is what is asked for there: proxies that compress make our tags weak.
    """
    wanted = ",".join(request.headers.getlist("if-none-match"))
    tags = {one.strip().removeprefix("W/") for one in wanted.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def with_etag(request: Request, body: Any) -> Response:
    """A JSON answer with its ETag; 304 where the caller has it already."""
    content = to_json(body)
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    if has_already(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(content, media_type="application/json", headers={"ETag": etag})


def encode_cursor(*values: object) -> str:
    """An opaque cursor."""
    text = json.dumps([v.isoformat() if isinstance(v, datetime) else v for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode()


def page_of(
    found: Sequence[T], limit: int, place: Callable[[T], tuple[object, ...]]
) -> tuple[list[T], str | None]:
    """A page of rows, of which one more than `limit` was looked for, and the cursor of the next.

    `place` tells where a row stands in the list: what the query's `after` takes.
    """
    page = list(found[:limit])
    return page, encode_cursor(*place(page[-1])) if len(found) > limit else None


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The values of a cursor of ours; anything else is refused."""
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError
        read = tuple(
            datetime.fromisoformat(value) if kind is datetime else value
            for value, kind in zip(values, kinds, strict=True)
        )
        if not all(_of_kind(value, kind) for value, kind in zip(read, kinds, strict=True)):
            raise ValueError
        return read
    except (ValueError, TypeError) as error:
        raise InvalidRequest(field="cursor", reason="not one of ours") from error


def _of_kind(value: Any, kind: type) -> bool:
    """Whether a cursor's value is one that PostgreSQL takes."""
    if isinstance(value, str) and ("\0" in value or not value.isprintable()):
        return False
    if isinstance(value, datetime) and (value.tzinfo is None or not 1 < value.year < 9999):
        return False
    if isinstance(value, int) and not 0 <= value < 2**63:
        return False
    return type(value) is kind


async def position_known_at(request: Request, known_at: datetime | None) -> int:
    """The log position that was known at a moment; the newest one without a moment."""
    async with request.state.tenant.pool.connection() as connection:
        return await position_at(
            connection, request.state.tenant.schema, known_at or datetime.now(UTC)
        )
