"""A subscriber's server: keeps what it is sent, and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json
from standardwebhooks.webhooks import Webhook


class Got(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The message's id."""
        return self.headers["webhook-id"]

    @property
    def position(self) -> int:
        """The event's place in the log."""
        position: int = from_json(self.body)["data"]["position"]
        return position

    @property
    def json(self) -> Any:
        """The payload."""
        return from_json(self.body)


@dataclass
class Subscriber:
    """A server on loopback; `answer` says the status of each request, None says nothing at all."""

    url: str = ""
    answer: Callable[[Got], int | None] = lambda _: 204
    headers: str = ""
    got: list[Got] = field(default_factory=list)

    @property
    def positions(self) -> list[int]:
        """What arrived, in order, with repetitions."""
        return [one.position for one in self.got]

    @property
    def ids(self) -> list[str]:
        """The ids that arrived, in order, with repetitions."""
        return [one.id for one in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection with any number of requests."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                got = Got(headers, body)
                self.got.append(got)
                status = self.answer(got)
                if status is None:
                    return
                reply = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{self.headers}\r\n"
                writer.write(reply.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def subscriber() -> AsyncIterator[Subscriber]:
    """A subscriber that listens."""
    one = Subscriber()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield one
    finally:
        server.close()


def verified(secret: str, got: Got) -> Any:
    """The payload, if a receiver's own library accepts the signature; else it raises."""
    return Webhook(secret).verify(got.body, got.headers)
