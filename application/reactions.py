"""反应 Everything that happens by itself, in one coroutine: deadlines, webhooks, jobs.

A worker process starts `run_reactions` beside the views' reader; any number of workers may. The
state of each loop is in the database, so a loop that dies is simply begun again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from application.arrivals import estimate_arrivals
from application.billing import match_new
from application.dispatching import Dispatcher
from application.ending import heed
from application.gateways.outbound import Outbound
from application.house import OUTAGES, House
from application.jobs import run_worker
from application.policies import BY_THE_SECOND, sweep
from application.screening import screen_fresh
from application.waves import release_urgent
from application.waybills import BIND_WAYBILLS

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
"""An unpaid order is cancelled within five seconds of `pay_by`, view's lag included (O4)."""
SCREEN_SECONDS = 5.0
"""An unusual order is in the review queue long before its wave (O7)."""
ESTIMATE_SECONDS = 2.0
"""A parcel's page says when it should arrive moments after it left (T4)."""
MATCH_SECONDS = 3.0
"""Who imports a bill sees what of it differs while they still look at it (W6)."""
DISPATCH_SECONDS = 0.2
"""A subscribed app hears of a scan within a second (T3)."""
LONGEST_PAUSE_SECONDS = 30.0

ALL_THE_TIME: Final[Sequence[tuple[str, Callable[[House], Awaitable[object]], float]]] = (
    ("screening", screen_fresh, SCREEN_SECONDS),
    ("estimates", estimate_arrivals, ESTIMATE_SECONDS),
    ("urgent orders", release_urgent, SWEEP_SECONDS),
    ("new bills", match_new, MATCH_SECONDS),
)
"""What is done anew all the time: its name, the work, and the seconds between two times."""


async def run_reactions(
    stop: asyncio.Event,
    *,
    conninfo: str,
    houses: Mapping[str, House],
    loopback_webhooks: bool = False,
) -> None:
    """React until told to stop. `houses` are this process's tenants by schema, opened."""
    async with Outbound(loopback=loopback_webhooks) as outbound, asyncio.TaskGroup() as tasks:
        for house in houses.values():
            tasks.create_task(keep_deadlines(stop, house), name=f"deadlines of {house.schema}")
            for what, work, every in ALL_THE_TIME:
                named = f"{what} of {house.schema}"
                tasks.create_task(
                    again_and_again(stop, partial(work, house), what=named, every=every), name=named
                )
            tasks.create_task(
                tell_subscribers(stop, house, outbound), name=f"webhooks of {house.schema}"
            )
        tasks.create_task(run_worker(stop, conninfo=conninfo, houses=houses), name="worker of jobs")


async def keep_deadlines(stop: asyncio.Event, house: House) -> None:
    """Sweep what is due by the second; one policy that fails holds up no other."""

    every = dict.fromkeys(BY_THE_SECOND, SWEEP_SECONDS)
    # Also by the first worker after an upgrade: it may be that nothing was bound before (T2).
    every[BIND_WAYBILLS] = BIND_WAYBILLS.every.total_seconds()
    async with asyncio.TaskGroup() as tasks:
        for policy, seconds in every.items():
            tasks.create_task(
                again_and_again(
                    stop,
                    partial(sweep, house, policy),
                    what=f"{policy.name} of {house.schema}",
                    every=seconds,
                )
            )


async def tell_subscribers(stop: asyncio.Event, house: House, outbound: Outbound) -> None:
    """Tell subscribers what the log says."""
    dispatcher = Dispatcher(house, outbound)
    try:
        await again_and_again(
            stop, dispatcher.poll, what=f"webhooks of {house.schema}", every=DISPATCH_SECONDS
        )
    finally:
        await dispatcher.close()


async def again_and_again(
    stop: asyncio.Event, work: Callable[[], Awaitable[object]], *, what: str, every: float
) -> None:
    """Do some work until told to stop, with longer pauses while it fails; never gives up."""
    failed = 0
    while not stop.is_set():
        try:
            await work()
            failed = 0
        except OUTAGES as error:
            failed = min(failed + 1, 10)
            logger.warning("%s waits for the database: %s", what, type(error).__name__)
        except Exception:
            failed = min(failed + 1, 10)
            logger.exception("%s failed", what)
        heed()
        pause = min(every * 2**failed, LONGEST_PAUSE_SECONDS) if failed else every
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
