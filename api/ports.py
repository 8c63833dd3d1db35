"""端口 Ports that a service wants to listen on, claimed before anything is told of them."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

LARGEST = 65_535


class PortRefused(Exception):
    """A port cannot be listened on; the message names it, what it is for, and the option."""

    def __init__(self, host: str, port: int, *, what: str, why: str) -> None:
        super().__init__(f"{host}:{port}, {what}, {why}: choose another with --port.")


@contextmanager
def claimed(*wanted: tuple[str, int, str]) -> Iterator[None]:
    """Keep these ports (host, port, what for) from others while the block lasts.

    They are bound, not listened on: who connects meanwhile is refused, as where nobody is. Raises
    `PortRefused` for the first that somebody else has.
    """
    with ExitStack() as held:
        for host, port, what in wanted:
            held.enter_context(_bound(host, port, what))
        yield


def _bound(host: str, port: int, what: str) -> socket.socket:
    if port > LARGEST:
        raise PortRefused(host, port, what=what, why=f"is above {LARGEST}")
    one: socket.socket | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        one = socket.socket(family, kind, protocol)
        # As servers do: what an earlier one left closing is no obstacle.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(address)
    except OSError as error:
        if one is not None:
            one.close()
        why = "is in use" if error.errno == errno.EADDRINUSE else f"is not to be had ({error})"
        raise PortRefused(host, port, what=what, why=why) from None
    return one
