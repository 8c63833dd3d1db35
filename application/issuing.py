"""发令 Commands that the house itself issues, many at a time, as policies and waves do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from application.house import House
from application.outcomes import InFlight, Outcome, Unavailable
from application.unit import Command
from domain.refusals import Refusal

BATCH = 256
"""Commands issued at a time: fewer than one group commit takes, so that callers fit beside."""


class TooEarly(Exception):
    """The writer's clock is behind the one that found this due. Nothing is kept; ask again."""


class NotYet(TooEarly):
    """What the view found is gone again, or not there yet. Nothing is kept; ask again."""


@dataclass(slots=True)
class Issued:
    """What became of commands."""

    done: list[Outcome] = field(default_factory=list)
    repeated: list[Outcome] = field(default_factory=list)
    """Answered as before."""
    refused: list[Refusal] = field(default_factory=list)
    undecided: int = 0
    """To be asked again."""


async def issue(house: House, commands: Sequence[Command]) -> Issued:
    """Have them decided; one that is refused or undecided holds up no other."""
    issued = Issued()
    for start in range(0, len(commands), BATCH):
        outcomes = await asyncio.gather(
            *(house.store.execute(one) for one in commands[start : start + BATCH]),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, Refusal):
                issued.refused.append(outcome)
            elif isinstance(outcome, TooEarly | Unavailable | InFlight):
                issued.undecided += 1
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                (issued.repeated if outcome.repeated else issued.done).append(outcome)
    return issued
