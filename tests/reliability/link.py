"""A link to PostgreSQL that can be cut, or be slow, between the store and the server (R04, R38)."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests.conftest import MallDatabase

COMMIT = b"COMMIT"
TURN = b".turn FOR UPDATE"
"""Whoever asks for it is the log's writer, for as long as the connection lasts."""


class Link:
    """Passes on what is said, or lets it wait; cuts some COMMITs before or after the server has
    heard them."""

    def __init__(self, database: MallDatabase, folder: Path, *, cuts: float, seed: int) -> None:
        parts = urlsplit(database.service_url)
        asked = parse_qs(parts.query)
        port = asked["port"][0]
        self._server = f"{asked['host'][0]}/.s.PGSQL.{port}"
        self._socket = folder / f".s.PGSQL.{port}"
        host = quote(str(folder), safe="")
        self.url = f"postgresql://{parts.username}@/{parts.path[1:]}?host={host}&port={port}"
        self.cuts = cuts
        self.heard = 0.5
        """How many of the COMMITs that are cut the server hears."""
        self.slow = 0.0
        """Seconds that each sentence waits on its way to the server."""
        self.cut = {"before": 0, "after": 0}
        self.stands_after_cut = False
        """Whether the next of the log's COMMITs that is cut is the last word that passes, until
        `go_on`: nobody can ask what became of it. Other connections' COMMITs are not cut then."""
        self._passing = asyncio.Event()
        self._passing.set()
        self._chance = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Link":
        self._listening = await asyncio.start_unix_server(self._serve, str(self._socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        self.go_on()
        await self._listening.wait_closed()

    def cut_all(self) -> None:
        """Cut every connection there is."""
        for one in list(self._open):
            one.transport.abort()

    def go_on(self) -> None:
        """Let words pass again. What was held meanwhile is lost, with its connections."""
        self.cut_all()
        self._passing.set()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            server, to_server = await asyncio.open_unix_connection(self._server)
            self._open |= {to_client, to_server}
            answering = asyncio.create_task(self._pass_on(server, to_client))
            with suppress(OSError):
                await self._ask(client, to_server, to_client)
            for one in (to_client, to_server):
                self._open.discard(one)
                one.transport.abort()
            await answering

    async def _ask(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        to_client: asyncio.StreamWriter,
    ) -> None:
        writer = False
        while said := await client.read(1 << 20):
            await asyncio.sleep(self.slow)
            await self._passing.wait()
            if to_server.transport.is_closing():
                return
            writer = writer or TURN in said
            cuttable = COMMIT in said and (writer or not self.stands_after_cut)
            if cuttable and self._chance.random() < self.cuts:
                if self._chance.random() >= self.heard:
                    self.cut["before"] += 1
                    return
                to_client.transport.abort()  # the server hears it; nobody hears the server
                self.cut["after"] += 1
                if self.stands_after_cut:
                    self._passing.clear()
                to_server.write(said)
                await to_server.drain()
                await asyncio.sleep(0.005)
                return
            to_server.write(said)
            await to_server.drain()

    async def _pass_on(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):
            while (said := await server.read(1 << 20)) and not to_client.transport.is_closing():
                to_client.write(said)
                await to_client.drain()
        to_client.transport.abort()
