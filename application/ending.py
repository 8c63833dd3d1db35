"""收尾 Tasks end when they are told to, also where the word of it was lost on its way (R08).

Before Python 3.12 `asyncio.wait_for` keeps a cancelling to itself that comes with its result, and a
pool waits for its connections by it: whoever is cancelled just as it gets one goes on as if nothing
had been said. A loop without end asks here each time round.
"""

import asyncio
from contextlib import suppress
from typing import Any


def told_to_stop() -> bool:
    """Whether somebody cancelled the task that runs this."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def heed() -> None:
    """Raise `CancelledError` if the task that runs this was told to stop and is still here."""
    if told_to_stop():
        raise asyncio.CancelledError


async def ended(task: asyncio.Task[Any], *, patience: float) -> None:
    """Cancel a task, again each time it has gone on for so many seconds, until it is over.

    Raises what it raised, but for its own end.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=patience)
    with suppress(asyncio.CancelledError):
        task.result()
