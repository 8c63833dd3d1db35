"""The embedded PostgreSQL for as long as somebody uses it, started again where it ends (R07).

A volume that is full makes PostgreSQL refuse what needs room, and go on. Where its write-ahead log
finds none, it ends, all of it, and would stay away once there is room again; so it does where the
system kills it for its memory. Nobody but us would start it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread
from typing import Final

from application.embedded import EmbeddedPostgres, EmbeddedPostgresError

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0


@contextmanager
def attach_or_start(data: Path, *, kept: bool = False) -> Iterator[str]:
    """Give the URL of the data folder's server, for as long as the block lasts.

    A server that runs already is used and left running; else one is started and stopped again.
    With `kept`, one that ends meanwhile is started again.
    """
    server = EmbeddedPostgres(data)
    was_running = server.attach_or_start()
    try:
        with _kept_up(server) if kept else nullcontext():
            yield server.url()
    finally:
        if was_running:
            server.detach()
        else:
            server.stop()


@contextmanager
def _kept_up(server: EmbeddedPostgres) -> Iterator[None]:
    stop = Event()
    # A thread: recovery may take minutes, and its owner has other processes to look after.
    keeper = Thread(target=_keep, args=(server, stop), name="keeper of PostgreSQL")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep(server: EmbeddedPostgres, stop: Event) -> None:
    told = False
    while not stop.wait(LOOK_SECONDS):
        try:
            if server.revive():
                logger.warning("PostgreSQL had ended and was started again")
                told = False
        except (EmbeddedPostgresError, OSError) as error:  # no room for it yet
            if not told:
                logger.error("PostgreSQL has ended and does not start: %s", error)
            told = True
