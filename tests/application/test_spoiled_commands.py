"""A command that raises what ends a task spoils nothing but itself (L2, M2)."""

import asyncio
from typing import Any

import pytest

from application import writer
from application.outcomes import Outcome, Unavailable
from application.store import Store
from application.streams import ACCOUNT
from application.unit import Command, Unit
from tests.conftest import MallDatabase
from tests.reliability.workload import assert_whole, command, grant, log_of, store_on, until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("one_by_one")]

ENDINGS = pytest.mark.parametrize("error", [asyncio.CancelledError(), StopIteration()])


def deciding(error: BaseException) -> Command:
    """Raised by the decision, after it recorded something."""

    def decide(unit: Unit) -> dict[str, Any]:
        grant("lin", 7, "lost").decide(unit)
        raise error

    return command(decide)


def naming(error: BaseException) -> Command:
    """Raised before there is a decision, where its streams are named."""

    def streams() -> list[str]:
        raise error

    # What it reads is not known yet, so it cannot be decided without.
    return command(lambda unit: {"of": unit.read(ACCOUNT, "wang").status}, streams=streams)


async def among_others(mall: Store, spoiled: Command) -> tuple[Any, Any, Any]:
    """What becomes of it, and of a grant before it and after it."""
    return await asyncio.gather(
        mall.execute(grant("lin", 1, "before")),
        mall.execute(spoiled),
        mall.execute(grant("lin", 1, "after")),
        return_exceptions=True,
    )


@ENDINGS
@pytest.mark.parametrize("spoil", [deciding, naming])
@pytest.mark.parametrize("ahead", [False, True])
async def test_its_caller_alone_fails_when_a_command_raises_what_ends_tasks(
    database: MallDatabase, error: BaseException, spoil: Any, ahead: bool
) -> None:
    """L2: decided under the turn or ahead, its neighbours are committed and nothing of it is."""
    async with store_on(database) as mall:
        if ahead:
            await mall.execute(grant("lin", 1, "first"))
        before, failed, after = await among_others(mall, spoil(error))
        assert isinstance(failed, RuntimeError)
        assert type(error).__name__ in str(failed)
        assert isinstance(before, Outcome)
        assert isinstance(after, Outcome)
        assert mall.writing
        assert (await mall.execute(grant("lin", 1, "last"))).position == 3 + ahead
        assert sum(lot.points for lot in mall.peek(ACCOUNT, "lin").lots) == 3 + ahead
    assert_whole(log_of(database))


async def test_the_writer_ends_when_a_cancellation_is_not_told_apart(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L2 CONTROL: catching exceptions alone, as is usual, nobody is ever answered again."""
    monkeypatch.setattr(writer, "SPOILED", (Exception,))
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1, "first"))
        spoiled = asyncio.create_task(mall.execute(deciding(asyncio.CancelledError())))
        await until(lambda: not mall.writing, seconds=5)
        left = asyncio.create_task(mall.execute(grant("lin", 1, "last")))
    for one in (spoiled, left):
        with pytest.raises(Unavailable):
            await one


async def test_the_store_closes_when_a_commit_hangs(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R08: who is really told to stop does, whatever it is at."""
    entered = asyncio.Event()
    async with store_on(database) as mall:
        await mall.execute(grant("lin", 1, "first"))

        async def hanging(*_: Any) -> None:
            entered.set()
            await asyncio.sleep(3600)

        monkeypatch.setattr(mall._writer, "_commit", hanging)
        left = asyncio.create_task(mall.execute(grant("lin", 1, "last")))
        await entered.wait()
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 10
    with pytest.raises(Unavailable):
        await left
    assert len(log_of(database)) == 1
