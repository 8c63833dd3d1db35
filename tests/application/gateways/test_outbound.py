"""Calls to strangers' addresses reach nothing inside (R40), with the control that would."""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Sequence

import httpcore2
import pytest

from application.gateways.outbound import (
    READ_MAX_BYTES,
    AddressRefused,
    CheckedBackend,
    Outbound,
    Unanswered,
    checked_url,
    is_public,
)

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"

# Everything below names the inside of somebody's network, in one way or another.
INSIDE_HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0.0.0.0", "0", "0.1.2.3",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254",
    "100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.170.2", "168.63.129.16",
    "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "017700000001", "0177.0.0.1",
    "127.0.0.0x1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]",
    "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2001:0:7f00:1::]", "[100::1]",
    "localhost", "localhost.", "LOCALHOST", "foo.localhost", "api.internal",
    "metadata.google.internal", "printer.local", "db", "127.0.0.1.",
    "⑯⑨。②⑤④。⑯⑨。②⑤④", "ⓛocalhost",
]  # fmt: skip
# The others would ask a name server.
RESOLVED_HERE = [
    one for one in INSIDE_HOSTS if one.isascii() and not one.endswith(("db", "internal", "local"))
]
INSIDE_URLS = [
    *(f"https://{host}/hook" for host in INSIDE_HOSTS),
    "https://good.example@127.0.0.1/", "https://127.0.0.1#@good.example/",
    "https://good.example:password@10.0.0.1/", "https://good.example\\@127.0.0.1/",
    "https://good.example%2f@127.0.0.1/", "https://127.0.0.1\t.good.example/",
    "https://127.0.0.1\r\nHost: x/", "https:///127.0.0.1/", "https:127.0.0.1", "//127.0.0.1/",
    "http://good.example/", "http://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x",
    "ftp://good.example/", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "data:text/plain,x",
    "https://good.example:22/", "https://good.example:25/", "https://good.example:80/",
    "https://good.example:99999/", "https://[::1/", "https://", "",
    "https://good.example/" + "x" * 2000,
]  # fmt: skip


class Counting(httpcore2.AsyncNetworkBackend):
    """Notes every connection that would have been made, and makes none but to our own servers."""

    def __init__(self) -> None:
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self, host: str, port: int, *_: object, **__: object
    ) -> httpcore2.AsyncNetworkStream:
        self.connected.append((host, port))
        raise httpcore2.ConnectError("not from a test")

    @property
    def inside(self) -> list[str]:
        """Connections to somewhere inside."""
        return [host for host, _ in self.connected if not is_public(ipaddress.ip_address(host))]


class Watched(CheckedBackend):
    """The production backend, with the wire replaced."""

    def __init__(self, answers: dict[str, list[Sequence[str]]]) -> None:
        self.asked: list[str] = []
        self.wire = Counting()

        async def resolve(host: str, port: int) -> Sequence[str]:
            self.asked.append(host)
            left = answers.get(host) or [[]]
            return left.pop(0) if len(left) > 1 else left[0]

        super().__init__(resolve=resolve)
        self.__dict__["_network"] = self.wire


class Naive(httpcore2.AsyncNetworkBackend):
    """The control: looks at the address, then lets the connection resolve the name again."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    async def connect_tcp(
        self, host: str, port: int, *_: object, **__: object
    ) -> httpcore2.AsyncNetworkStream:
        await self.watched.checked_addresses(host, port)
        (address, *_rest) = await self.watched._resolve(host, port)
        return await self.watched.wire.connect_tcp(address, port)


async def posted(backend: httpcore2.AsyncNetworkBackend, url: str) -> str:
    async with Outbound(backend=backend) as outbound:
        try:
            await outbound.post(url, body=b"{}", headers={})
        except AddressRefused:
            return "refused"
        except Unanswered:
            return "unanswered"
    return "answered"


@pytest.mark.parametrize("url", INSIDE_URLS)
async def test_nothing_is_connected_when_url_leads_inside(url: str) -> None:
    """R40: refused by how it is written; and were it not, by the address it resolves to."""
    backend = Watched({host: [["127.0.0.1"]] for host in ("localhost.", "api.internal")})
    assert await posted(backend, url) == "refused"
    assert backend.wire.connected == []


@pytest.mark.parametrize("host", RESOLVED_HERE)
async def test_nothing_is_connected_when_a_host_slips_past_the_url_check(host: str) -> None:
    """R40, second line: the system's resolver reads 0x7f.1 as it likes, the address counts."""
    backend = CheckedBackend()
    wire = backend.__dict__["_network"] = Counting()
    with pytest.raises((AddressRefused, httpcore2.ConnectError)):
        await backend.connect_tcp(host.strip("[]"), 443)
    assert wire.connected == []


def test_there_are_enough_of_them() -> None:
    """R40: sixty at least, each its own."""
    assert len(set(INSIDE_URLS)) == len(INSIDE_URLS) >= 60


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"], ["64:ff9b::a00:1"], ["0.0.0.0"],
        [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], ["2606:2800:21f::1", "::1"],
    ],
)  # fmt: skip
async def test_nothing_is_connected_when_name_resolves_inside(addresses: list[str]) -> None:
    """R40: one address inside among several is one too many."""
    backend = Watched({"good.example": [addresses]})
    assert await posted(backend, "https://good.example/hook") == "refused"
    assert backend.wire.connected == []


async def test_connection_goes_to_the_checked_address_when_the_name_rebinds() -> None:
    """R40: asked once; a second answer, from inside, is never heard."""
    backend = Watched({"rebind.example": [[PUBLIC], ["127.0.0.1"]]})
    assert await posted(backend, "https://rebind.example/hook") == "unanswered"
    assert backend.wire.connected == [(PUBLIC, 443)]
    assert backend.asked == ["rebind.example"]


async def test_control_connects_inside_when_it_resolves_twice() -> None:
    """R40, control: resolve, check, connect by name, and the rebinding name has won."""
    watched = Watched({"rebind.example": [[PUBLIC], ["127.0.0.1"]]})
    await posted(Naive(watched), "https://rebind.example/hook")
    assert watched.wire.inside == ["127.0.0.1"]


async def test_next_address_is_taken_when_the_first_does_not_answer() -> None:
    """M2: all of a name's addresses are tried, in order."""
    backend = Watched({"good.example": [["2606:2800:21f::1", PUBLIC]]})
    assert await posted(backend, "https://good.example:8443/") == "unanswered"
    assert backend.wire.connected == [("2606:2800:21f::1", 8443), (PUBLIC, 8443)]


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/hook?a=1", "https://hooks.good.example:8443/", f"https://{PUBLIC}/",
        "https://xn--bcher-kva.example/", "https://[2606:2800:21f::1]/", "https://8.8.8.8:443/x",
    ],
)  # fmt: skip
def test_url_is_taken_when_it_is_out_on_the_internet(url: str) -> None:
    """N2: https, a public name or address, port 443 or an unprivileged one."""
    assert str(checked_url(url)).startswith("https://")


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1:8080/", "http://localhost:8080/", "http://192.168.1.1/", "http://[::2]:80/"],
)
def test_sandbox_opens_loopback_only(url: str) -> None:
    """R40: the sandbox's switch lets 127.0.0.1 through, and nothing else."""
    assert checked_url("http://127.0.0.1:8080/x", loopback=True).port == 8080
    with pytest.raises(AddressRefused):
        checked_url(url, loopback=True)


# A real server, on loopback.


class Receiver:
    """Answers every request with what was set."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.then_wait = 0.0
        self.drip: bytes | None = None
        self.requests: list[bytes] = []
        self.sent = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            await asyncio.sleep(self.then_wait)
            writer.write(self.answer)
            while self.drip is not None:
                writer.write(self.drip)
                await writer.drain()
                self.sent += len(self.drip)
                await asyncio.sleep(0)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    yield one
    server.close()


async def post(receiver: Receiver, **options: float) -> tuple[int, bytes, int | None]:
    async with Outbound(loopback=True, **options) as outbound:  # type: ignore[arg-type]
        answer = await outbound.post(
            f"http://127.0.0.1:{receiver.port}/hook?x=1",
            body=b'{"a":1}',
            headers={"webhook-id": "m"},
        )
        return answer.status, answer.body, answer.retry_after_seconds


async def test_body_and_headers_arrive(receiver: Receiver) -> None:
    """N2: a plain POST, with the headers it was given."""
    assert await post(receiver) == (204, b"", None)
    (request,) = receiver.requests
    assert request.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"webhook-id: m\r\n" in request
    assert request.endswith(b'\r\n\r\n{"a":1}')


async def test_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    """R40: a redirect leads nowhere."""
    receiver.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/inside\r\nContent-Length: 0\r\n\r\n"
        % receiver.port
    )
    assert (await post(receiver))[0] == 302
    assert len(receiver.requests) == 1


async def test_reading_ends_when_the_answer_is_too_long(receiver: Receiver) -> None:
    """R40: 64 kB and no more, from a body that has no end."""
    receiver.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    receiver.drip = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    status, body, _ = await post(receiver)
    assert (status, len(body)) == (200, READ_MAX_BYTES)


@pytest.mark.parametrize("how", ["silent", "dripping"])
async def test_waiting_ends_when_the_answer_is_too_slow(receiver: Receiver, how: str) -> None:
    """R40: the whole call has one deadline; a byte now and then does not move it."""
    if how == "silent":
        receiver.then_wait = 30
    else:
        receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
        receiver.drip = b""
    started = time.monotonic()
    with pytest.raises(Unanswered):
        await post(receiver, timeout_seconds=0.3)
    assert time.monotonic() - started < 1


async def test_retry_after_is_read(receiver: Receiver) -> None:
    """R41: 429 says how long."""
    receiver.answer = (
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
    )
    assert await post(receiver) == (429, b"", 120)


async def test_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R40: a proxy would connect where it likes."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await post(receiver))[0] == 204


async def test_unanswered_when_nobody_listens(receiver: Receiver) -> None:
    """R41: a refused connection is no answer."""
    async with Outbound(loopback=True) as outbound:
        with pytest.raises(Unanswered):
            await outbound.post("http://127.0.0.1:1/", body=b"", headers={})
