"""Talking to a mall over HTTP as a careful partner does: keep-alive, one key a change, retries.

A general client costs more CPU than the service it measures, so this one speaks just enough
HTTP/1.1 for a service that says how long its answers are.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

CONNECTIONS = 64
TRIES = 8
RETRIED = frozenset({202, 429, 503})
"""Answers that ask for the same request once more."""

Headers = Mapping[str, str]


class Unexpected(Exception):
    """The service answered something else than the story needs."""


class Sender(Protocol):
    """Sends one request and returns status and body."""

    async def send(
        self, method: str, path: str, *, headers: Headers, body: bytes | None
    ) -> tuple[int, bytes]:
        """Send it; raises OSError where the connection breaks."""
        ...


class Wire:
    """A pool of plain connections. Use as an async context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *exception: object) -> None:
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def send(
        self, method: str, path: str, *, headers: Headers, body: bytes | None
    ) -> tuple[int, bytes]:
        """Send one request on an idle connection, or on a new one."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join((*lines, "", "")).encode()
        async with self._turns:
            reader, writer = self._idle.pop() if self._idle else await self._connected()
            try:
                writer.write(head + (body or b""))
                answer = await self._answer(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                writer.close()
                raise OSError("the connection broke") from error
            self._idle.append((reader, writer))
            return answer

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, limit=1 << 24)

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in lines
            if line.lower().startswith(b"content-length:")
        )
        return int(first.split()[1]), await reader.readexactly(length)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """Why it was refused; "" if it was not."""
        return "" if self.status < 400 else str(self.body.get("code", self.status))


@dataclass
class Mall:
    """A running mall, with a token for each role; counts its requests."""

    sender: Sender
    tokens: Mapping[str, str]
    requests: Counter[str] = field(default_factory=Counter)

    async def get(self, path: str, *, role: str = "service") -> Any:
        """Ask; anything but 200 is unexpected."""
        answer = await self._sent("GET", path, {"Authorization": self._bearer(role)}, None)
        if answer.status != 200:
            raise Unexpected(f"GET {path}: {answer.status} {answer.body}")
        return answer.body

    async def post(self, path: str, body: Any, *, key: str, role: str = "service") -> Answer:
        """Change something under this key; refusals are answers, too."""
        headers = {
            "Authorization": self._bearer(role),
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        return await self._sent("POST", path, headers, json.dumps(body).encode())

    async def done(self, path: str, body: Any, *, key: str, role: str = "service") -> Any:
        """Change something that must not be refused."""
        answer = await self.post(path, body, key=key, role=role)
        if answer.status not in (200, 201):
            raise Unexpected(f"POST {path} {body}: {answer.status} {answer.body}")
        return answer.body

    async def push(self, path: str, form: bytes) -> Answer:
        """A partner's message: a form, without token and key."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._sent("POST", path, headers, form)

    def _bearer(self, role: str) -> str:
        return f"Bearer {self.tokens[role]}"

    async def _sent(self, method: str, path: str, headers: Headers, body: bytes | None) -> Answer:
        self.requests[method] += 1
        for attempt in range(TRIES):
            try:
                status, content = await self.sender.send(method, path, headers=headers, body=body)
            except OSError:
                if attempt + 1 == TRIES:
                    raise
            else:
                told = json.loads(content)
                if status not in RETRIED and not (status == 409 and told["code"] == "in_flight"):
                    return Answer(status, told)
            self.requests["retried"] += 1
            await asyncio.sleep(0.1 * 2**attempt)
        raise Unexpected(f"{method} {path}: still {status} {content[:300]!r}")
