"""沙箱脚本 How partners' behaviours change over time: a rehearsal that can be played again (M3).

A script is text, a step a line; `#` begins a remark:

    seed 7
    at 5s             kuaidi100  refuse=30% delay_seconds=2
    after 10 calls    sf         lose_answers=3x
    from 20s to 1m    payment    outage
    at 2m             all        well

`at` counts from the script's start, `after` the calls that the partner has got since. A behaviour
without a value happens always; those that a step does not name stay, `well` ends them all. What
lasts `from … to …` is afterwards as it was before.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.sandbox.behaviour import ALL, PARTNERS, Behaviour, fields_of
from api.sandbox.line import Line

WELL = "well"
STEPS_MAX = 200
LONGEST_SECONDS = 86_400.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0}
_TIME = r"(\d{1,5}(?:\.\d{1,3})?)([smh])"
_LINE = re.compile(
    rf"(?:at {_TIME}|after (\d{{1,6}}) calls?|from {_TIME} to {_TIME}) (\S+) (.+)", re.ASCII
)
_SEED = re.compile(r"seed (\d{1,9})", re.ASCII)
State = Literal["waits", "lasts", "done"]


class Wrong(NamedTuple):
    """Something in a script that cannot be played."""

    line: int
    code: Literal["step", "partner", "behaviour", "value", "order", "many"]
    word: str
    """What it is about: the line, a name, a value."""


class ScriptRefused(ValueError):
    """A script that cannot be played, with all that is wrong in it."""

    def __init__(self, wrong: list[Wrong]) -> None:
        super().__init__("; ".join(f"line {one.line}: {one.code}: {one.word}" for one in wrong))
        self.wrong = wrong


class Step(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: str
    partner: str
    begins: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] | None
    """Seconds after the script's start; None: after so many calls."""
    calls: Annotated[int, Field(ge=1)] | None = None
    ends: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] | None = None
    changes: dict[str, str]
    well: bool = False


class Script(BaseModel):
    """A seed, and what changes when."""

    seed: int = 0
    steps: list[Step]


def read_script(text: str) -> Script:
    """The script that a text tells. Raises `ScriptRefused` with every line that is wrong."""
    steps: list[Step] = []
    wrong: list[Wrong] = []
    seed = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = " ".join(raw.partition("#")[0].split())
        if not line:
            continue
        if (found := _SEED.fullmatch(line)) is not None:
            seed = int(found[1])
            continue
        try:
            steps.append(_step(number, line))
        except ScriptRefused as refused:
            wrong += refused.wrong
    if len(steps) > STEPS_MAX:
        wrong.append(Wrong(STEPS_MAX, "many", str(STEPS_MAX)))
    if wrong:
        raise ScriptRefused(wrong)
    return Script(seed=seed, steps=steps)


def _step(number: int, line: str) -> Step:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ScriptRefused([Wrong(number, "step", line)])
    partner = found[8]
    if partner not in (ALL, *PARTNERS):
        raise ScriptRefused([Wrong(number, "partner", partner)])
    begins, ends = (
        _seconds(found[1] or found[4], found[2] or found[5]),
        _seconds(found[6], found[7]),
    )
    if begins is not None and ends is not None and ends <= begins:
        raise ScriptRefused([Wrong(number, "order", line)])
    words = found[9].split()
    changes = dict(_change(word) for word in words if word != WELL)
    _check(number, partner, changes)
    try:
        return Step(
            line=line, partner=partner, begins=begins, ends=ends, changes=changes,
            calls=None if found[3] is None else int(found[3]), well=WELL in words,
        )  # fmt: skip
    except ValidationError:
        raise ScriptRefused([Wrong(number, "step", line)]) from None


def _seconds(figure: str | None, unit: str | None) -> float | None:
    return None if figure is None or unit is None else float(figure) * _UNITS[unit]


def _change(word: str) -> tuple[str, str]:
    """A behaviour and its value; `_` stands for the blank in `30%_3x`."""
    name, equals, value = word.partition("=")
    return name, value.replace("_", " ") if equals and re.match(
        r"[\d.]", value
    ) else value or "true"


def _check(number: int, partner: str, changes: Mapping[str, str]) -> None:
    names = Behaviour.model_fields if partner == ALL else fields_of(partner)
    wrong = [Wrong(number, "behaviour", name) for name in changes if name not in names]
    if not wrong:
        try:
            Behaviour.model_validate(changes)
        except ValidationError as error:
            wrong = [
                Wrong(number, "value", f"{one['loc'][0]}={changes[str(one['loc'][0])]}")
                for one in error.errors()
            ]
    if wrong:
        raise ScriptRefused(wrong)


@dataclass
class _Played:
    """A step while its script is played."""

    step: Step
    state: State = "waits"
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By partner: what its end brings back."""


class Stage:
    """Plays one script at a time on the partners' lines."""

    def __init__(
        self, lines: Mapping[str, Line], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lines, self.clock = lines, clock
        self._steps: list[_Played] = []
        self._script: Script | None = None
        self._since = 0.0
        self._calls: dict[str, int] = {}
        self._timer: asyncio.Task[None] | None = None
        for line in lines.values():
            line.noted = self._look

    def play(self, script: Script) -> None:
        """Begin a script, in place of the one that is being played."""
        self.end()
        self._script, self._since = script, self.clock()
        self._steps = [_Played(one) for one in script.steps]
        self._calls = {name: line.count["asked"] for name, line in self._lines.items()}
        for line in self._lines.values():
            line.seed(script.seed)
        self._look()
        self._timer = asyncio.create_task(self._run())

    def end(self) -> None:
        """Play nothing any more; behaviours stay as they are."""
        if self._timer is not None:
            self._timer.cancel()
        self._script, self._steps, self._timer = None, [], None

    def told(self) -> dict[str, Any] | None:
        """How far the script is; None: there is none."""
        if self._script is None:
            return None
        self._look()
        return {
            "seed": self._script.seed,
            "seconds": round(self.clock() - self._since, 1),
            "steps": [{"line": one.step.line, "state": one.state} for one in self._steps],
        }

    async def _run(self) -> None:
        while (moment := self._next()) is not None:
            await asyncio.sleep(max(0.0, moment - (self.clock() - self._since)))
            self._look()

    def _next(self) -> float | None:
        coming = [
            one.step.begins if one.state == "waits" else one.step.ends
            for one in self._steps
            if one.state != "done"
        ]
        return min((moment for moment in coming if moment is not None), default=None)

    def _look(self) -> None:
        """Do what is due now."""
        elapsed = self.clock() - self._since
        for one in self._steps:
            step = one.step
            if one.state == "waits" and self._is_due(step, elapsed):
                one.state = "done" if step.ends is None else "lasts"
                self._begin(one)
            if one.state == "lasts" and step.ends is not None and elapsed >= step.ends:
                one.state = "done"
                for name, before in one.before.items():
                    self._lines[name].change(before)

    def _is_due(self, step: Step, elapsed: float) -> bool:
        if step.begins is not None:
            return elapsed >= step.begins
        got = [self._lines[name].count["asked"] - self._calls[name] for name in self._of(step)]
        return sum(got) >= (step.calls or 0)

    def _begin(self, one: _Played) -> None:
        for name in self._of(one.step):
            if one.step.well:
                self._lines[name].behave(Behaviour())
            known = self._lines[name].behaviour.model_dump(mode="json")
            one.before[name] = {key: known[key] for key in one.step.changes}
            self._lines[name].change(one.step.changes)

    def _of(self, step: Step) -> tuple[str, ...]:
        return PARTNERS if step.partner == ALL else (step.partner,)
