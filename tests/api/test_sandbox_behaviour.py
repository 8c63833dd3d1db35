"""The sandbox's partners misbehave one by one, as often as they are told, the same again (M3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from api.sandbox.behaviour import ALWAYS, NEVER, PARTNERS, Behaviour, Chance, chance, fields_of
from api.sandbox.line import Line
from api.sandbox.partners import create_sandbox
from api.sandbox.wecom import KEY
from application.gateways.payment import SIGNATURE, sign

pytestmark = pytest.mark.anyio

SECRET = b"known"
CALLS: dict[str, tuple[str, str]] = {
    "kuaidi100": ("POST", "/poll"),
    "sf": ("POST", "/sf/std/service"),
    "third_party": ("PUT", "/third-party/parcels/P1"),
    "payment": ("POST", "/payment/charges"),
    "wecom": ("POST", "/cgi-bin/webhook/send"),
    "agora": ("POST", "/dev/v2/project/a/rtm/users/u/peer_messages"),
    "crm": ("POST", "/crm/hook"),
    "zto": ("POST", "/zto/zto.merchant.waybill.track.query"),
    "yto": ("POST", "/yto/open/track_query_adapter/v1/u/c"),
    "sto": ("POST", "/sto/gateway/link.do"),
}
"""What the mall asks each of them."""


class Bench:
    """The sandbox, and a mall that keeps what it is told."""

    def __init__(self) -> None:
        mall = FastAPI()
        self.told: list[tuple[str, bytes]] = []

        @mall.post("/{path:path}")
        async def hear(path: str, request: Request) -> Response:
            self.told.append((path, await request.body()))
            return Response(b"heard")

        self.app = create_sandbox(SECRET, mall=httpx2.ASGITransport(app=mall))
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url="http://sandbox"
        )

    @property
    def lines(self) -> dict[str, Line]:
        """Of all partners."""
        found: dict[str, Line] = self.app.state.sandbox.lines
        return found

    async def behave(self, partner: str, **behaviour: object) -> None:
        """Make one of them misbehave."""
        answer = await self.client.post(f"/partners/{partner}/behaviour", json=behaviour)
        assert answer.status_code == 200, answer.text

    async def ask(self, partner: str) -> httpx2.Response:
        """Ask it something, not signed."""
        method, path = CALLS[partner]
        return await self.client.request(method, path, content=b"{}")

    async def say(self) -> int:
        """A message to the staff's group, which is always good: its status."""
        body = {"msgtype": "markdown", "markdown": {"content": "x"}}
        answer = await self.client.post("/cgi-bin/webhook/send", params={"key": KEY}, json=body)
        return answer.status_code

    async def pushed(self, *names: str) -> list[str]:
        """Let the payment provider's line push these; the order in which they came."""
        before = len(self.told)
        for name in names:
            await self.lines["payment"].push(f"http://mall/{name}", lambda: {"content": b"x"})
        while self.lines["payment"].tasks:
            await asyncio.gather(*self.lines["payment"].tasks)
        return [name for name, _ in self.told[before:]]

    async def seen(self, partner: str) -> Any:
        """What the page shows of it."""
        state = (await self.client.get("/state")).json()
        return next(one for one in state["partners"] if one["partner"] == partner)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.client.aclose()


@pytest.mark.parametrize(
    ("told", "meant", "written"),
    [
        (True, ALWAYS, "always"),
        (False, NEVER, "never"),
        ("always", ALWAYS, "always"),
        (0.3, Chance(0.3), "30%"),
        ("2.5%", Chance(0.025), "2.5%"),
        ("3x", Chance(1, 3), "3x"),
        ("30% 3x", Chance(0.3, 3), "30% 3x"),
        ("0%", NEVER, "never"),
    ],
)
def test_how_often_is_read_and_written(told: object, meant: Chance, written: str) -> None:
    """M3: what is written can be read again."""
    assert chance(told) == meant
    assert (str(meant), chance(str(meant))) == (written, meant)


@pytest.mark.parametrize("told", ["", "often", "101%", "-1%", "x", 1.5, -0.1, None, "3x 30%"])
def test_what_says_no_frequency_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match="how often"):
        chance(told)


@pytest.mark.parametrize("partner", PARTNERS)
async def test_an_outage_is_of_one_partner_alone(bench: Bench, partner: str) -> None:
    """M3: it is away to whoever calls, whatever they say; the others answer."""
    await bench.behave(partner, outage=True)
    assert [one for one in PARTNERS if (await bench.ask(one)).status_code == 503] == [partner]
    await bench.behave(partner)
    assert (await bench.ask(partner)).status_code != 503


@pytest.mark.parametrize("partner", PARTNERS)
async def test_errors_are_in_http_or_in_the_partners_own_words(bench: Bench, partner: str) -> None:
    """M3: HTTP 500 is nobody's format; a refusal is as the real one words it."""
    await bench.behave(partner, error=True)
    assert (await bench.ask(partner)).status_code == 500
    await bench.behave(partner, refuse=True)
    words = {
        "kuaidi100": '"returnCode":"500"', "sf": '"apiResultCode":"A1099"', "wecom": '"errcode":-1',
        "zto": '"SIGN01"', "yto": '"1002"', "sto": '"S01"',
    }  # fmt: skip
    answer = await bench.ask(partner)
    assert words[partner] in answer.text if partner in words else answer.status_code == 503


async def test_a_call_that_hangs_is_answered_after_that_long(bench: Bench) -> None:
    """M3: a time-out for whoever does not wait so long; nothing is done."""
    await bench.behave("wecom", hang="1x", hang_seconds=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await bench.say() == 504
    assert loop.time() - began >= 0.2
    assert not bench.app.state.robot.said
    assert await bench.say() == 200


async def test_what_is_done_stays_done_when_the_answer_is_lost(bench: Bench) -> None:
    await bench.behave("wecom", lose_answers="1x")
    assert [await bench.say(), await bench.say()] == [504, 200]
    assert len(bench.app.state.robot.said) == 2


async def test_so_many_times_and_no_more(bench: Bench) -> None:
    """M3: `3x` is the next three calls; told again, three more."""
    for _ in range(2):
        await bench.behave("wecom", error="3x")
        assert [await bench.say() for _ in range(5)] == [500, 500, 500, 200, 200]


async def test_the_same_calls_meet_the_same_troubles_again(bench: Bench) -> None:
    """M3: by seed; one trouble's chance is not moved by another's; another seed is another run."""
    runs = []
    for seed, more in ((7, {}), (7, {"delay_seconds": 0.001, "delay": "50%"}), (8, {})):
        bench.app.state.robot._minute._taken.clear()
        bench.lines["wecom"].seed(seed)
        await bench.behave("wecom", error="50%", **more)
        runs.append([await bench.say() for _ in range(18)])
    assert runs[0] == runs[1] != runs[2]
    assert {200, 500} == set(runs[0])


async def test_a_partners_own_troubles_are_its_own(bench: Bench) -> None:
    """M3: what means nothing for a partner is refused, as is what nobody can do."""
    for partner, wrong in (
        ("wecom", {"forge": True}), ("crm", {"pace_seconds": 1}), ("zto", {"reject": True}),
        ("sf", {"errors": True}), ("sf", {"refuse": "often"}), ("sf", {"delay_seconds": -1}),
        ("nobody", {}),
    ):  # fmt: skip
        answer = await bench.client.post(f"/partners/{partner}/behaviour", json=wrong)
        assert answer.status_code == 422, wrong
    assert all(set(fields_of(one)) <= set(Behaviour.model_fields) for one in PARTNERS)


async def test_pushes_come_twice_late_lost_or_after_one_another(bench: Bench) -> None:
    """M3: duplicate, late, lose, reorder, each as often as it is told."""
    await bench.behave("payment", repeat=3, duplicate="1x")
    assert await bench.pushed("a", "b") == ["a", "a", "a", "b"]
    await bench.behave("payment", repeat=1, lose="1x")
    assert await bench.pushed("a", "b") == ["b"]
    await bench.behave("payment", repeat=1, reorder="1x")
    assert (await bench.pushed("a", "b", "c"))[0] == "b"
    await bench.behave("payment", repeat=1, late_seconds=0.1, late="1x")
    assert await bench.pushed("a", "b") == ["b", "a"]


async def test_what_would_have_been_pushed_comes_after_the_outage(bench: Bench) -> None:
    """M3: kept, and in its order; an outage of answers alone does not hold pushes up."""
    line = bench.lines["payment"]
    await bench.behave("payment", repeat=1, outage="pushes")
    for name in ("a", "b", "c"):
        await line.push(f"http://mall/{name}", lambda: {"content": b"x"})
    await asyncio.sleep(0.05)
    assert (bench.told, (await bench.ask("payment")).status_code) == ([], 401)
    await bench.behave("payment", repeat=1)
    assert [one for one in await bench.pushed("d") if one != "d"] == ["a", "b", "c"]
    await bench.behave("payment", repeat=1, outage="answers")
    assert await bench.pushed("e") == ["e"]
    assert (await bench.ask("payment")).status_code == 503


async def test_the_page_shows_what_was_said_and_whether_its_signature_fits(bench: Bench) -> None:
    """M3: bodies both ways, verdicts, troubles, answers; the newest first."""
    charge = {
        "order": "N1", "attempt": "A1", "amount_fen": 100, "callback_url": "http://mall/paid",
    }  # fmt: skip
    body = json.dumps(charge).encode()
    for signature in ("0" * 64, sign(body, SECRET)):
        headers = {SIGNATURE: signature}
        await bench.client.post("/payment/charges", content=body, headers=headers)
    await bench.behave("payment", forge="1x", repeat=2)
    for _ in range(2):
        told = {"about": "A1", "event": "succeeded"}
        answer = await bench.client.post("/partners/payment/events", json=told)
        assert answer.status_code == 202
    seen = await bench.seen("payment")
    assert (seen["asked"], seen["pushed"], seen["about"]) == (2, 4, ["A1"])
    got = [(one["way"], one["signed"], one["trouble"], one["status"]) for one in seen["calls"]]
    assert got == [
        ("pushed", True, "duplicate", 200), ("pushed", True, None, 200),
        ("pushed", False, "duplicate", 200), ("pushed", False, "forge", 200),
        ("asked", True, None, 201), ("asked", False, None, 401),
    ]  # fmt: skip
    assert (seen["calls"][0]["what"], seen["calls"][0]["answered"]) == ("POST /paid", "heard")
    assert seen["calls"][-1]["sent"] == body.decode()
    assert "succeeded" in seen["calls"][0]["sent"]


async def test_nothing_is_told_of_what_a_partner_does_not_know(bench: Bench) -> None:
    for partner, about, event in (
        ("payment", "A1", "succeeded"), ("payment", "A1", "gone"), ("wecom", "x", "moved"),
    ):  # fmt: skip
        told = {"about": about, "event": event}
        answer = await bench.client.post(f"/partners/{partner}/events", json=told)
        assert answer.status_code == 404


async def test_the_page_is_strict_and_speaks_both_languages(bench: Bench) -> None:
    """M3, N3: the house's own frame, styles and scripts; nothing inline."""
    for language, title in (("zh", "沙箱"), ("en", "Sandbox")):
        page = await bench.client.get("/", params={"lang": language})
        assert page.status_code == 200
        assert f"<title>{title}" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "<style" not in page.text
    script = page.text.partition('type="module" src="')[2].partition('"')[0]
    assert (await bench.client.get(script)).status_code == 200
