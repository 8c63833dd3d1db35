"""A script of behaviours over time is read, refused line by line, and played (M3)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.sandbox.behaviour import ALWAYS, PARTNERS, Behaviour, Chance
from api.sandbox.line import Line
from api.sandbox.script import ScriptRefused, Stage, Wrong, read_script
from tests.api.test_sandbox_behaviour import Bench, bench

pytestmark = pytest.mark.anyio

__all__ = ["bench"]
SCRIPT = """
seed 7  # the same again
at 5s             kuaidi100  refuse=30% delay_seconds=2
after 10 calls    sf         lose_answers=30%_3x
from 20s to 1m    payment    outage=answers
at 2m             all        well
"""


class Stagehand:
    """A stage whose clock is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines = {name: Line(name) for name in PARTNERS}
        self.stage = Stage(self.lines, lambda: self.now)

    def play(self, text: str) -> None:
        self.stage.play(read_script(text))

    def at(self, seconds: float) -> None:
        """So long after the start; somebody calls, so that it is noticed."""
        self.now = 100.0 + seconds
        self.lines["crm"].noted()

    def behaviour(self, partner: str) -> Behaviour:
        return self.lines[partner].behaviour

    @property
    def states(self) -> list[str]:
        told = self.stage.told()
        assert told is not None
        return [step["state"] for step in told["steps"]]


@pytest.fixture
async def hand() -> AsyncIterator[Stagehand]:
    hand = Stagehand()
    yield hand
    hand.stage.end()


def test_a_script_says_who_does_what_and_when() -> None:
    """M3: a step a line, remarks and blanks as one likes."""
    script = read_script(SCRIPT)
    assert script.seed == 7
    told = [(one.begins, one.calls, one.ends, one.partner, one.well) for one in script.steps]
    assert told == [
        (5, None, None, "kuaidi100", False), (None, 10, None, "sf", False),
        (20, None, 60, "payment", False), (120, None, None, "all", True),
    ]  # fmt: skip
    assert script.steps[0].changes == {"refuse": "30%", "delay_seconds": "2"}
    assert read_script("# nothing\n\n").steps == []


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("at noon sf outage", "step", "at noon sf outage"),
        ("at 5 sf outage", "step", "at 5 sf outage"),
        ("after 0 calls sf outage", "step", "after 0 calls sf outage"),
        ("at 99h sf outage", "step", "at 99h sf outage"),
        ("at 5s sf", "step", "at 5s sf"),
        ("at 5s ups outage", "partner", "ups"),
        ("at 5s sf explode", "behaviour", "explode"),
        ("at 5s wecom forge", "behaviour", "forge"),
        ("at 5s sf refuse=often", "value", "refuse=often"),
        ("at 5s sf delay_seconds=61", "value", "delay_seconds=61"),
        ("at 5s sf outage=maybe", "value", "outage=maybe"),
        ("from 9s to 9s sf outage", "order", "from 9s to 9s sf outage"),
    ],
)
async def test_every_line_that_is_wrong_is_named(
    bench: Bench, line: str, code: str, word: str
) -> None:
    """M3: with its number and what it is about; nothing is played, what plays goes on."""
    with pytest.raises(ScriptRefused) as refused:
        read_script(f"seed 1\n\n{line}\nat 1s all well\nnonsense")
    assert refused.value.wrong[0] == Wrong(3, code, word)  # type: ignore[arg-type]
    assert refused.value.wrong[1] == Wrong(5, "step", "nonsense")
    answer = await bench.client.post("/script", json={"script": line})
    assert answer.status_code == 422
    assert answer.json()["detail"] == [{"line": 1, "code": code, "word": word}]
    assert (await bench.client.get("/state")).json()["script"] is None


async def test_behaviours_change_when_their_time_comes(hand: Stagehand) -> None:
    """M3: what a step does not name stays; what lasts is afterwards as it was before."""
    hand.lines["payment"].behave(Behaviour(refuse=Chance(0.5)))
    hand.play(SCRIPT)
    assert hand.states == ["waits"] * 4
    hand.at(5)
    assert hand.behaviour("kuaidi100").refuse == Chance(0.3)
    assert hand.behaviour("kuaidi100").delay_seconds == 2
    assert hand.behaviour("sf") == Behaviour()
    hand.at(20)
    assert hand.behaviour("payment").outage == "answers"
    assert hand.states == ["done", "waits", "lasts", "waits"]
    hand.at(60)
    assert hand.behaviour("payment").told() == {"refuse": "50%"}
    hand.at(120)
    assert all(hand.behaviour(one) == Behaviour() for one in PARTNERS)
    assert hand.states == ["done", "waits", "done", "done"]


async def test_a_step_waits_for_so_many_calls_of_its_partner(bench: Bench) -> None:
    """M3: since the script began; calls of others do not count, those of anybody do for all."""
    await bench.say()
    script = "after 2 calls wecom error\nafter 4 calls all refuse=20%"
    assert (await bench.client.post("/script", json={"script": script})).status_code == 200
    await bench.ask("crm")
    assert [await bench.say() for _ in range(3)] == [200, 200, 500]
    assert bench.lines["wecom"].behaviour.told() == {"error": "always", "refuse": "20%"}
    assert bench.lines["sf"].behaviour.told() == {"refuse": "20%"}


async def test_a_script_goes_on_by_itself(bench: Bench) -> None:
    """M3: nobody has to call for its time to come."""
    script = "from 0.1s to 0.3s wecom outage\nat 0.4s agora shut_out"
    await bench.client.post("/script", json={"script": script})
    assert bench.lines["wecom"].behaviour.told() == {}
    await asyncio.sleep(0.2)
    assert bench.lines["wecom"].behaviour.told() == {"outage": "both"}
    await asyncio.sleep(0.3)
    assert bench.lines["wecom"].behaviour == Behaviour()
    assert bench.lines["agora"].behaviour.shut_out
    told = (await bench.client.get("/state")).json()["script"]
    assert [one["state"] for one in told["steps"]] == ["done", "done"]


async def test_another_script_takes_the_place_of_the_first(hand: Stagehand) -> None:
    hand.play("at 1s sf error")
    hand.play("at 2s sf refuse")
    hand.at(3)
    assert hand.behaviour("sf").refuse == ALWAYS
    assert not hand.behaviour("sf").error


async def test_a_reset_ends_the_script_and_all_troubles(bench: Bench) -> None:
    await bench.client.post("/script", json={"script": "at 0s sf error\nat 0.2s crm error"})
    await bench.client.post("/behaviour", json={"refuse": True})
    await bench.client.post("/reset")
    await asyncio.sleep(0.3)
    assert all(one.behaviour == Behaviour() for one in bench.lines.values())
    assert (await bench.client.get("/state")).json()["script"] is None


async def test_a_run_is_the_same_again_with_the_same_seed(bench: Bench) -> None:
    """M3: playing a script begins its chance anew."""
    runs = []
    for seed in (3, 3, 4):
        bench.app.state.robot._minute._taken.clear()
        await bench.client.post("/script", json={"script": f"seed {seed}\nat 0s wecom error=50%"})
        runs.append([await bench.say() for _ in range(16)])
    assert runs[0] == runs[1] != runs[2]
