"""Connections that ask again as soon as they are answered; each costs a few microseconds.

The client shares the machine with what it measures, so it understands no more of HTTP than a
status and a length.
"""

import asyncio
import time
from collections.abc import Callable
from typing import cast

CONNECTIONS = 32


def request(method: str, path: str, *, token: str, body: bytes = b"", key: str = "") -> bytes:
    """One request, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    if method == "POST":
        lines += ["Content-Type: application/json", f"Idempotency-Key: {key}"]
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


class _Asking(asyncio.Protocol):
    """One connection; counts what was answered as it should be."""

    def __init__(self, make: Callable[[], bytes], over: float) -> None:
        self._make = make
        self._over = over
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        assert self._transport is not None
        if head[9:11] != b"20":
            self._end(RuntimeError(f"refused: {self._buffer!r}"))
            return
        self._buffer = b""
        self.answered += 1
        if time.perf_counter() < self._over:
            self._transport.write(self._make())
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the connection was closed"))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)
        if self._transport is not None:
            self._transport.close()


async def rate(port: int, make: Callable[[], bytes], *, seconds: float) -> float:
    """Requests a second over all connections."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    asking: list[_Asking] = []
    for _ in range(CONNECTIONS):
        _, one = await loop.create_connection(
            lambda: _Asking(make, started + seconds), "127.0.0.1", port
        )
        asking.append(one)
    await asyncio.gather(*(one.ended for one in asking))
    return sum(one.answered for one in asking) / (time.perf_counter() - started)
