"""Partners are called at their pace, and left alone while they are away (M2)."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from application.gateways.guarded import (
    FAILURES,
    Guarded,
    OwnPace,
    PartnerAway,
    Unwell,
    by_reading,
    to,
)
from application.gateways.kuaidi100_calls import read_subscribe_reply
from application.gateways.wecom import Robot

pytestmark = pytest.mark.anyio

AWAY_SECONDS = 0.3


class Partner:
    """Answers with a status, or not at all, and counts who came."""

    def __init__(self) -> None:
        self.asked = 0
        self.status: int | None = 200
        self.says = b""

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        """What it says to everybody."""
        self.asked += 1
        if self.status is None:
            raise httpx2.ConnectError("nobody is there", request=request)
        return httpx2.Response(self.status, content=self.says)


class Line:
    """A client, the partner at its end, and what was noted."""

    def __init__(self, *, per_second: float = 1_000) -> None:
        self.partner = Partner()
        self.noted: list[tuple[str, float, str | None]] = []
        self.way = Guarded(
            note=lambda *call: self.noted.append(call),
            pace=OwnPace(per_second),
            away_seconds=AWAY_SECONDS,
            transport=httpx2.MockTransport(self.partner.answer),
        )
        self.client = httpx2.AsyncClient(transport=self.way)

    async def call(self, partner: str = "kuaidi100", unwell: Unwell | None = None) -> int:
        """Ask the partner something."""
        extensions = to(partner, unwell)
        answer = await self.client.get("http://partner/", extensions=extensions)
        assert answer.content == self.partner.says
        return answer.status_code

    async def fail(self, times: int) -> None:
        """Ask in vain."""
        for _ in range(times):
            with pytest.raises(httpx2.ConnectError):
                await self.call()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    yield line
    await line.client.aclose()


async def test_a_partner_is_left_alone_when_it_did_not_answer(line: Line) -> None:
    """M2: and asked again once the pause is over; the others are asked meanwhile."""
    line.partner.status = None
    await line.fail(FAILURES + 20)
    assert line.partner.asked == FAILURES
    with pytest.raises(PartnerAway):
        await line.call()
    line.partner.status = 200
    assert await line.call("payment") == 200
    with pytest.raises(PartnerAway):
        await line.call()
    await asyncio.sleep(AWAY_SECONDS + 0.05)
    assert await line.call() == 200
    assert await line.call() == 200


async def test_a_connection_that_is_reset_while_it_is_made_reached_nobody(
    line: Line,
) -> None:
    """M2: the library says so by an `AttributeError`; CONTROL: another one is a bug of ours."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        raise AttributeError("no socket", name=missing)

    missing = "getpeername"
    line.way._transport = httpx2.MockTransport(answer)
    await line.fail(FAILURES)
    with pytest.raises(PartnerAway):
        await line.call()
    missing = "content"
    with pytest.raises(AttributeError):
        await line.call("payment")


async def test_it_is_left_alone_again_when_it_is_still_away_after_the_pause(line: Line) -> None:
    line.partner.status = None
    await line.fail(FAILURES)
    await asyncio.sleep(AWAY_SECONDS + 0.05)
    await line.fail(10)
    assert line.partner.asked == FAILURES + 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_counts_as_failed_when_the_partner_is_not_well(
    line: Line, status: int
) -> None:
    """The caller still gets it, as it came."""
    line.partner.status = status
    for _ in range(FAILURES):
        assert await line.call() == status
    with pytest.raises(PartnerAway):
        await line.call()
    assert [why for _, _, why in line.noted] == [f"HTTP {status}"] * FAILURES


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b'{"result":false,"returnCode":"500","message":"busy"}', "code 500"),
        (b'{"result":false,"returnCode":"601","message":"KEY"}', "code 601"),
        (b"<html>gateway</html>", "not an answer of theirs"),
    ],
)
async def test_an_answer_counts_as_failed_when_its_words_say_so(
    line: Line, says: bytes, why: str
) -> None:
    """M1: HTTP 200 means nothing to partners who say in the body that they are busy."""
    line.partner.says = says
    for _ in range(FAILURES):
        assert await line.call(unwell=by_reading(read_subscribe_reply)) == 200
    with pytest.raises(PartnerAway):
        await line.call()
    assert [told for _, _, told in line.noted] == [why] * FAILURES


@pytest.mark.parametrize("code", ["200", "501", "700"])
async def test_one_refused_request_says_nothing_of_the_partner(line: Line, code: str) -> None:
    """CONTROL of M1: what was asked twice, or asked wrongly, is no trouble of theirs."""
    line.partner.says = b'{"result":true,"returnCode":"%s"}' % code.encode()
    for _ in range(2 * FAILURES):
        assert await line.call(unwell=by_reading(read_subscribe_reply)) == 200
    assert {why for _, _, why in line.noted} == {None}


async def test_a_busy_robot_counts_as_failed(line: Line) -> None:
    """M1, N1: what a message is wrong with does not."""
    robot = Robot("http://robot", "secret")
    async with httpx2.AsyncClient(transport=line.way) as client:
        for errcode in (-1, 45009, 93000, 0, 40058):
            line.partner.says = b'{"errcode":%d,"errmsg":"x"}' % errcode
            await robot.say("hello", client)
    assert [why for _, _, why in line.noted] == ["code -1", "code 45009", "code 93000", None, None]


async def test_a_refusal_is_an_answer(line: Line) -> None:
    line.partner.status = 400
    for _ in range(3 * FAILURES):
        assert await line.call() == 400
    assert {why for _, _, why in line.noted} == {None}


async def test_failures_in_between_do_not_add_up(line: Line) -> None:
    for _ in range(5):
        line.partner.status = None
        await line.fail(FAILURES - 1)
        line.partner.status = 200
        assert await line.call() == 200


async def test_a_caller_that_gives_up_says_nothing_about_the_partner() -> None:
    line = Line(per_second=1)
    for _ in range(3 * FAILURES):
        task = asyncio.create_task(line.call())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert line.partner.asked <= 1
    assert await line.call() == 200


async def test_calls_wait_their_turn_when_there_are_many() -> None:
    """M2: at a peak they queue; all of them are made."""
    line = Line(per_second=40)
    started = time.monotonic()
    assert await asyncio.gather(*(line.call() for _ in range(60))) == [200] * 60
    took = time.monotonic() - started
    assert 20 / 40 * 0.9 <= took < 5  # forty at once, the rest at forty a second


async def test_a_call_says_whom_it_is_for() -> None:
    """CONTROL: none goes by without pace, breaker and count."""
    line = Line()
    with pytest.raises(KeyError):
        await line.client.get("http://partner/")
    assert line.partner.asked == 0
