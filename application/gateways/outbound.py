"""Calls to addresses that strangers gave us, without reaching anything inside (R40; OWASP API7).

The name is resolved once, here; every address it has must be a public one; the connection goes to
the very address that was checked, so a name that changes its mind in between gains nothing.
Redirects are answers, not instructions; 64 kB are read and 10 seconds waited at most.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpcore2
import httpx2

READ_MAX_BYTES = 64 * 1024
TIMEOUT_SECONDS = 10.0
URL_MAX = 2_000
CONNECTIONS_MAX = 40
KEEP_IDLE_SECONDS = 15.0
PRIVILEGED_PORTS = 1024

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A name's addresses, as text."""

# `is_global` differs between Python versions and calls some of these public: the registries of
# special-purpose addresses, ways to write an IPv4 address as IPv6, and clouds' metadata services.
_INSIDE = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
]  # fmt: skip
_IPV6_UNICAST = ip_network("2000::/3")


class AddressRefused(Exception):
    """The URL or the address behind its name is not one that is called from here."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Unanswered(Exception):
    """No answer came: the connection failed, broke, or took too long."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it matters."""

    status: int
    body: bytes
    """The first 64 kB of it, as sent."""
    retry_after_seconds: int | None


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is out on the internet, and nobody's inside."""
    if isinstance(address, IPv6Address) and address not in _IPV6_UNICAST:
        return False  # loopback, link-local, ULA, mapped, compatible, NAT64, multicast
    inside = any(address in net for net in _INSIDE if net.version == address.version)
    return address.is_global and not inside


def checked_url(text: str, *, loopback: bool = False) -> httpx2.URL:
    """The URL, if it is one we call; raises `AddressRefused` with the reason.

    `loopback` is for the sandbox: it lets plain http to 127.0.0.1 and ::1 pass, nothing else.
    """
    if len(text) > URL_MAX or any(ord(c) < 33 or ord(c) > 126 or c == "\\" for c in text):
        raise AddressRefused("the URL has characters that do not belong there, or too many")
    try:
        url = httpx2.URL(text)
        port = url.port or {"https": 443, "http": 80}.get(url.scheme, 0)
    except (httpx2.InvalidURL, ValueError):
        raise AddressRefused("the URL cannot be read") from None
    if not url.host:
        raise AddressRefused("the URL names no host")
    if url.userinfo or "@" in text.split("?", 1)[0]:
        raise AddressRefused("the URL carries a user name")
    if url.fragment or "#" in text:
        raise AddressRefused("the URL has a fragment")
    literal = _literal(url.host)
    if loopback and literal is not None and literal.is_loopback and url.scheme == "http":
        return url
    if url.scheme != "https":
        raise AddressRefused("only https is called")
    if (port < PRIVILEGED_PORTS and port != 443) or port > 65_535:
        raise AddressRefused("the port belongs to another service")
    if literal is None:
        _check_name(url.host)
    elif not is_public(literal):
        raise AddressRefused("the address is not a public one")
    return url


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _check_name(host: str) -> None:
    """Refuse numbers in disguise (0x7f.1, 2130706433) and names that only exist inside."""
    labels = host.lower().rstrip(".").split(".")
    last = labels[-1]
    if last.isdecimal() or last.startswith("0x"):
        raise AddressRefused("the host is a number in disguise")
    if len(labels) < 2 or last in ("localhost", "local", "internal", "lan", "home", "arpa"):
        raise AddressRefused("the name only exists inside")


async def resolve(host: str, port: int) -> Sequence[str]:
    """A name's addresses, from the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only; TLS still asks for the certificate of the name."""

    def __init__(self, *, resolve: Resolve = resolve, loopback: bool = False) -> None:
        self._resolve = resolve
        self._loopback = loopback

    @cached_property
    def _network(self) -> httpcore2.AsyncNetworkBackend:
        return httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the base class's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check every address, and connect to the first that takes us."""
        failed: Exception = httpcore2.ConnectError("the name has no address")
        for address in await self.checked_addresses(host, port):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed

    async def checked_addresses(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """The host's addresses; raises `AddressRefused` if even one of them is inside."""
        literal = _literal(host)
        if literal is not None:
            texts: Sequence[str] = [str(literal)]
        else:
            try:
                texts = await self._resolve(host, port)
            except (OSError, UnicodeError) as error:
                raise httpcore2.ConnectError("the name does not resolve") from error
        addresses = [ip_address(text.partition("%")[0]) for text in texts]
        for address in addresses:
            allowed = literal is not None and self._loopback and address.is_loopback
            if not allowed and not is_public(address):
                raise AddressRefused("the address is not a public one")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise AddressRefused("sockets of this machine are not called")


class Outbound:
    """Posts to strangers' addresses. Use as an async context manager."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        backend: httpcore2.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._loopback = loopback
        self._timeout = timeout_seconds
        # No proxy from the environment: it would connect where it likes.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEP_IDLE_SECONDS,
            network_backend=backend or CheckedBackend(loopback=loopback),
        )

    async def __aenter__(self) -> "Outbound":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()

    def check(self, url: str) -> httpx2.URL:
        """The URL, if it is one we would call; raises `AddressRefused`."""
        return checked_url(url, loopback=self._loopback)

    async def post(self, url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a body; raises `AddressRefused` or `Unanswered`. Redirects are not followed."""
        target = self.check(url)
        host = target.netloc.decode("ascii")
        request = httpcore2.Request(
            method=b"POST",
            # The parts that were checked, not the text: no second parser may read it otherwise.
            url=httpcore2.URL(
                scheme=target.raw_scheme,
                host=target.raw_host,
                port=target.port,
                target=target.raw_path,
            ),
            headers=[
                ("Host", host),
                ("Content-Length", str(len(body))),
                ("Content-Type", "application/json"),
                ("Accept-Encoding", "identity"),
                ("User-Agent", "Tallypost-Webhooks/1"),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), 10.0)},
        )
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._pool.handle_async_request(request)
                try:
                    return await _read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore2.TimeoutException):
            raise Unanswered("no answer in time") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}"[:200]) from None


async def _read(response: httpcore2.Response) -> Answer:
    body = b""
    async for piece in response.aiter_stream():
        body += piece[: READ_MAX_BYTES - len(body)]
        if len(body) >= READ_MAX_BYTES:
            break
    return Answer(response.status, body, _retry_after(response.headers))


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Seconds the receiver asks us to wait; its other form, a date, is not worth a clock."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            with suppress(ValueError):
                return max(0, int(value))
    return None
