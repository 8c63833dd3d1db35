"""伙伴调用保护 Calls to partners: at their pace, leaving alone who is away, each counted (M2).

A transport below the client, so that whoever asks a partner does it in one place, and what has to
be asked goes on waiting where it waits: a call that is not made fails as a call without an answer.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from application.gateways.tracking import PartnerRefused, Retry, UnreadableReply

FAILURES = 5
"""In a row, after which a partner counts as away."""
AWAY_SECONDS = 30.0
"""How long it is left alone then; the next call shows whether it is back."""
TOO_MANY = 429


class PartnerAway(httpx2.ConnectError):
    """Not asked: the partner did not answer lately, and is left alone for some seconds."""


class _Failed(Exception):
    """An answer that says that the partner is not well."""

    def __init__(self, answer: httpx2.Response, why: str) -> None:
        self.answer = answer
        super().__init__(why)


Unwell = Callable[[bytes], str | None]
"""Why an answer says that the partner is not well, whatever its HTTP status; or None."""


def to(partner: str, unwell: Unwell | None = None) -> dict[str, Any]:
    """A request's `extensions`: whom it is for, and what its answer tells of the partner (M1)."""
    return {"partner": partner, "unwell": unwell}


def by_reading(read: Callable[[bytes], object]) -> Unwell:
    """What a reader of answers tells: trouble of theirs, or of our account, which concerns all.

    That they refuse a single request is an answer like any other.
    """

    def unwell(content: bytes) -> str | None:
        try:
            read(content)
        except PartnerRefused as refused:
            theirs = refused.alarm or refused.retry is Retry.BACKOFF
            return f"code {refused.code}" if theirs else None
        except UnreadableReply:
            return "not an answer of theirs"
        return None

    return unwell


Note = Callable[[str, float, str | None], None]
"""Told (partner, seconds, why it failed) of each call that was made."""


Pace = Callable[[str], Awaitable[None]]
"""Told the partner's name, returns when its next call may be made."""


class OwnPace:
    """A pace that one process keeps by itself: so many calls a second to each partner."""

    def __init__(self, per_second: float) -> None:
        self._paces: defaultdict[str, AsyncLimiter] = defaultdict(
            lambda: AsyncLimiter(max(1.0, per_second), max(1.0, 1 / per_second))
        )

    async def __call__(self, partner: str) -> None:
        """Wait for the partner's next turn."""
        await self._paces[partner].acquire()


class Guarded(httpx2.AsyncBaseTransport):
    """The way to all partners, for one process; each request says whom it is for (`to`)."""

    def __init__(
        self,
        *,
        note: Note,
        pace: Pace,
        away_seconds: float = AWAY_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """`pace` keeps each partner's, of the house or of this process alone."""
        self._note = note
        self._transport = transport or httpx2.AsyncHTTPTransport()
        self._pace = pace
        # Who gave up waiting says nothing about the partner.
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES,
            default_ttl=away_seconds,
            exclude=[asyncio.CancelledError],
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it when its turn has come. Raises `PartnerAway`, or what the transport raises."""
        partner: str = request.extensions["partner"]
        breaker = await self._breakers.get_breaker(partner)
        try:
            async with breaker:
                await self._pace(partner)
                return await self._counted(partner, request)
        except OpenedState:
            raise PartnerAway(f"{partner} is left alone", request=request) from None
        except _Failed as failed:
            return failed.answer

    async def _counted(self, partner: str, request: httpx2.Request) -> httpx2.Response:
        started = time.perf_counter()
        failed: str | None = None
        try:
            answer = await self._transport.handle_async_request(request)
            failed = await _unwell(answer, request.extensions.get("unwell"))
            if failed is not None:
                raise _Failed(answer, failed)
        except httpx2.TransportError as error:
            failed = type(error).__name__
            raise
        except AttributeError as error:
            if error.name != "getpeername":
                raise
            # anyio's for a connection that was reset while it was made: nobody was reached.
            failed = httpx2.ConnectError.__name__
            raise httpx2.ConnectError("reset at once", request=request) from error
        finally:
            self._note(partner, time.perf_counter() - started, failed)
        return answer

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()


async def _unwell(answer: httpx2.Response, told: Unwell | None) -> str | None:
    if answer.status_code >= 500 or answer.status_code == TOO_MANY:
        return f"HTTP {answer.status_code}"
    return told(await answer.aread()) if told is not None else None
