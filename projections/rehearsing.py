"""演练进程 Runs a rehearsal in a process of its own, which takes minutes and a core (M6).

`python -m projections.rehearsing` reads what to run from its standard input, because an argument
with a password in it is seen by everybody on the machine. It is nice to the others, its memory is
bounded, and it ends by itself once the rehearsal is not its own any more.
"""

import asyncio
import os
import resource
import sys
import time
from contextlib import suppress
from typing import Any

from psycopg import AsyncConnection
from pydantic import BaseModel
from pydantic_core import to_json

from application.house import House
from domain.house_rules import HouseRules
from projections.rehearsals import Rehearsals, change_of, note_progress, note_result
from projections.what_if import what_if

LOOK_SECONDS = 1.0
RUN_SECONDS = 3_600.0
STOP_SECONDS = 3.0
MEMORY_BYTES = 4 * 2**30
NICE = 10


class Job(BaseModel):
    """What a process is to run."""

    url: str
    schema_name: str
    name: str
    runner: str
    rules: HouseRules


class Taken(Exception):
    """The rehearsal was cancelled, or somebody else runs it."""


class Rehearser:
    """Runs what is asked for, one after the other, in processes that end with the work."""

    def __init__(self, house: House, url: str, stop: asyncio.Event) -> None:
        self._house = house
        self._url = url
        self._stop = stop
        self._asked = Rehearsals(house.pool, schema=house.schema)

    async def run(self) -> bool:
        """Run one that waits, if any; told to stop, it is handed back."""
        taken = await self._asked.take()
        if taken is None:
            return False
        name, runner = taken
        job = Job(
            url=self._url,
            schema_name=self._house.schema,
            name=name,
            runner=runner,
            rules=self._house.rules,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "projections.rehearsing", stdin=asyncio.subprocess.PIPE
        )
        try:
            why = await self._ended(process, to_json(job))
        finally:
            await _end(process)
        if why is None:
            await self._asked.hand_back(name, runner)
        else:
            await self._asked.fail(name, runner, why=why)  # nothing, once there is a result
        return True

    async def _ended(self, process: asyncio.subprocess.Process, job: bytes) -> str | None:
        """Why there would be no result when the process is over; None: we are told to stop."""
        done = asyncio.create_task(process.communicate(job))
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait(
                {done, stopped}, timeout=RUN_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if done.done():
                return "failed"
            return None if stopped.done() else "too_long"
        finally:
            for one in (done, stopped):
                one.cancel()
            await asyncio.gather(done, stopped, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def rehearse(job: Job) -> None:
    """Run it to its end and keep what came of it. Raises `Taken`."""
    looked_at = time.monotonic()
    async with await AsyncConnection.connect(job.url, autocommit=True) as connection:

        async def progress(position: int, of: int) -> None:
            nonlocal looked_at
            if time.monotonic() - looked_at < LOOK_SECONDS:
                return
            looked_at = time.monotonic()
            if not await note_progress(
                connection, job.schema_name, job.name, job.runner, position=position, of=of
            ):
                raise Taken

        change = await change_of(connection, job.schema_name, job.name)
        answer: dict[str, Any] = await what_if(
            connection, job.schema_name, change, rules=job.rules, progress=progress
        )
        await note_result(
            connection,
            job.schema_name,
            job.name,
            job.runner,
            result=to_json(answer).decode(),
            position=answer["position"],
        )


def main() -> int:
    """Run what standard input names; 0 when it is over, whatever came of it."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    job = Job.model_validate_json(sys.stdin.buffer.read())
    with suppress(Taken):
        asyncio.run(rehearse(job))
    return 0


if __name__ == "__main__":
    sys.exit(main())
