"""R38 CONTROL: the service as it is, but for pushes that are answered first and stored after."""

import asyncio
from typing import Any

from api import callbacks
from api.command_line import main
from application.pushed_tracks import record_push

_storing: set[asyncio.Task[Any]] = set()


def answer_first() -> None:
    """Let pushes be taken in the background."""

    async def later(*values: Any, **named: Any) -> None:
        task = asyncio.create_task(record_push(*values, **named))
        _storing.add(task)
        task.add_done_callback(_storing.discard)

    callbacks.record_push = later  # type: ignore[attr-defined]


if __name__ == "__main__":
    answer_first()
    main()
