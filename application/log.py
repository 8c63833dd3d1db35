"""The log's SQL: what the writer says to PostgreSQL, each statement once (design.md, The store)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, cast

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.arrays import Column, binaries, booleans, integers, texts
from application.envelope import decode_fact
from application.proof import Frontier
from application.streams import CATEGORIES, category_of, fold_fingerprint
from application.unit import Held, Row, SealedCard


class Head(NamedTuple):
    """The newest commit."""

    position: int
    frontier: Frontier
    recorded_at: datetime | None


class Recorded(NamedTuple):
    """A command's answer as it was kept."""

    principal: str
    key: str
    digest: bytes
    position: int
    refused: bool
    answer: bytes


class Packed(NamedTuple):
    """What a group commit inserts, as the columns that `LogSql.insert` names."""

    rows: tuple[Column, ...]
    answers: tuple[Column, ...]
    cards: tuple[Column, ...]


def packed(rows: Sequence[Row], answers: Sequence[Recorded], cards: Sequence[SealedCard]) -> Packed:
    """Events, answers and cards as columns. Raises `UnicodeEncodeError` for what is no text."""
    streams, versions, names, stored = _columns(rows, 4)
    principals, keys, digests, positions, refused, kept = _columns(answers, 6)
    ids, subjects, fields, sealed, phones, tails, places = _columns(cards, 7)
    return Packed(
        (texts(streams), integers(versions), texts(names), binaries(stored)),
        (
            texts(principals),
            texts(keys),
            binaries(digests),
            integers(positions),
            booleans(refused),
            binaries(kept),
        ),
        (
            texts(ids),
            texts(subjects),
            texts(fields),
            binaries(sealed),
            binaries(phones),
            binaries(tails),
            binaries(places),
        ),
    )


class LogSql:
    """The statements for one tenant, composed once; names are qualified, values are parameters."""

    def __init__(self, schema: str) -> None:
        names = {"schema": Identifier(schema), "keys": Identifier(f"{schema}_keys")}

        def sql(text: LiteralString) -> bytes:
            return SQL(text).format(**names).as_bytes()

        # The lock and the reading are two statements: only a statement that begins after the
        # lock is held has a snapshot with everything the holder before us committed.
        self.turn = sql("SELECT FROM {schema}.turn FOR UPDATE")
        self.position = sql("SELECT max(position) FROM {schema}.commits")
        self.head_and_answers = sql(
            "SELECT head.position, head.frontier, head.recorded_at,"
            "   c.principal, c.key, c.digest, c.position, c.refused, c.answer"
            " FROM (SELECT) always"
            " LEFT JOIN (SELECT position, frontier, recorded_at FROM {schema}.commits"
            "   ORDER BY position DESC LIMIT 1) head ON true"
            " LEFT JOIN (unnest(%b::text[], %b::text[]) AS wanted(principal, key)"
            "   JOIN {schema}.commands c USING (principal, key)) ON true"
        )
        self.since = sql(
            "SELECT originator_id, originator_version, topic, state"
            " FROM {schema}.tallypost_events WHERE notification_id > %b ORDER BY notification_id"
        )
        # LATERAL with ORDER BY keeps the planner at one index descent a stream.
        self.load = sql(
            "SELECT wanted.stream, s.version, s.state, e.originator_version, e.topic, e.state"
            " FROM unnest(%b::text[]) AS wanted(stream)"
            " LEFT JOIN {schema}.snapshots s"
            "   ON s.stream = wanted.stream AND s.fingerprint = %b"
            " LEFT JOIN LATERAL ("
            "   SELECT originator_version, topic, state FROM {schema}.tallypost_events"
            "   WHERE originator_id = wanted.stream"
            "     AND originator_version > coalesce(s.version, 0)"
            "   ORDER BY originator_version) e ON true"
        )
        self.subject_keys = sql(
            "SELECT subject, wrapped FROM {keys}.subject_keys WHERE subject = ANY(%b)"
        )
        self.insert = sql(
            "WITH events AS ("
            "  INSERT INTO {schema}.tallypost_events"
            "    (originator_id, originator_version, topic, state, notification_id)"
            "  SELECT stream, version, name, stored, %b::bigint + place"
            "  FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[])"
            "    WITH ORDINALITY AS e(stream, version, name, stored, place)"
            "), answers AS ("
            "  INSERT INTO {schema}.commands"
            "    (principal, key, digest, position, refused, answer, recorded_at)"
            "  SELECT c.*, %b::timestamptz FROM unnest("
            "    %b::text[], %b::text[], %b::bytea[], %b::bigint[], %b::boolean[], %b::bytea[]) c"
            "), cards AS ("
            "  INSERT INTO {schema}.cards"
            "    (id, subject, field, sealed, phone_digest, tail_digest, place_digest)"
            "  SELECT id::uuid, subject, field, sealed, phone_digest, tail_digest, place_digest"
            "  FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::bytea[],"
            "    %b::bytea[], %b::bytea[])"
            "    AS c(id, subject, field, sealed, phone_digest, tail_digest, place_digest)"
            "), new_keys AS ("
            "  INSERT INTO {keys}.subject_keys (subject, wrapped)"
            "  SELECT * FROM unnest(%b::text[], %b::bytea[])"
            ") INSERT INTO {schema}.commits (position, frontier, recorded_at)"
            "  SELECT %b::bigint, %b::bytea, %b::timestamptz WHERE %b::boolean"
        )
        self.erase_cards = sql("DELETE FROM {schema}.cards WHERE subject = ANY(%b)")
        self.erase_places = sql("DELETE FROM {schema}.places WHERE learner = ANY(%b)")
        self.erase_compounds = sql("DELETE FROM {schema}.compounds WHERE learner = ANY(%b)")
        self.erase_keys = sql("DELETE FROM {keys}.subject_keys WHERE subject = ANY(%b)")
        self.snapshot = sql(
            "INSERT INTO {schema}.snapshots (stream, version, fingerprint, state)"
            " SELECT stream, version, %b, state"
            " FROM unnest(%b::text[], %b::bigint[], %b::bytea[]) AS s(stream, version, state)"
            " ON CONFLICT (stream) DO UPDATE SET version = excluded.version,"
            " fingerprint = excluded.fingerprint, state = excluded.state"
        )


class Log:
    """The statements, on the writer's one connection."""

    def __init__(self, connection: AsyncConnection[Any], sql: LogSql) -> None:
        self.connection = connection
        self._sql = sql

    async def _rows(self, query: bytes, *values: object) -> list[Any]:
        cursor = await self.connection.execute(query, values, prepare=True, binary=True)
        return await cursor.fetchall()

    async def take_turn(self, commands: Iterable[tuple[str, str]]) -> tuple[Head, list[Recorded]]:
        """Begin a transaction and wait for the log's turn; from here on nobody else appends.

        Returns where the log stands, and which of these commands, given as (principal, key), were
        answered before. `commit` ends the transaction; whoever fails before that drops the
        connection, and PostgreSQL rolls back.
        """
        principals, keys = zip(*commands, strict=True)
        async with self.connection.pipeline():
            await self.connection.execute("BEGIN")
            await self.connection.execute(self._sql.turn, prepare=True)
            rows = await self._rows(self._sql.head_and_answers, texts(principals), texts(keys))
        position, frontier, recorded_at = rows[0][:3]
        head = Head(0, Frontier.empty(), None)
        if position is not None:
            head = Head(position, Frontier.from_bytes(frontier), recorded_at)
        return head, [Recorded(*row[3:]) for row in rows if row[3] is not None]

    async def commit(self) -> None:
        """Commit what was inserted, and pass the turn on."""
        await self.connection.commit()

    async def since(self, position: int) -> list[Row]:
        """The events after a position, in order: what other processes appended."""
        return await self._rows(self._sql.since, position)

    async def load(self, streams: Sequence[str]) -> dict[str, tuple[Held, int]]:
        """Each stream's version and state, and how many events had to be folded for it."""
        rows = await self._rows(self._sql.load, list(streams), fold_fingerprint())
        loaded: dict[str, tuple[Held, int]] = {}
        for stream, version, state, event_version, name, stored in rows:
            category = category_of(stream)
            if stream not in loaded:
                held = (0, category.initial)
                if version is not None:
                    held = (version, category.states.validate_json(state))
                loaded[stream] = (held, 0)
            if event_version is not None:
                (_, before), folded = loaded[stream]
                after = category.evolve(before, decode_fact(name, stored))
                loaded[stream] = ((event_version, after), folded + 1)
        return loaded

    async def subject_keys(self, subjects: Sequence[str]) -> list[tuple[str, bytes]]:
        """The wrapped keys of these subjects, where they have one."""
        return await self._rows(self._sql.subject_keys, list(subjects))

    async def insert(
        self,
        *,
        after: int,
        packed: Packed,
        new_keys: Sequence[tuple[str, bytes]],
        frontier: Frontier,
        recorded_at: datetime,
    ) -> None:
        """Everything of a group commit, in one statement; positions go on from `after`."""
        owners, wrapped = _columns(new_keys, 2)
        values = (
            after,
            *packed.rows,
            recorded_at,
            *packed.answers,
            *packed.cards,
            texts(owners),
            binaries(wrapped),
            frontier.size,
            frontier.to_bytes(),
            recorded_at,
            frontier.size > after,
        )
        await self.connection.execute(self._sql.insert, values, prepare=True)

    async def position(self) -> int:
        """Where the log stands, without its turn."""
        ((position,),) = await self._rows(self._sql.position)
        return position or 0

    async def erase(self, subjects: Sequence[str]) -> None:
        """Delete keys and cards of these subjects, within the commit that says so."""
        await self.connection.execute(self._sql.erase_cards, (list(subjects),))
        await self.connection.execute(self._sql.erase_places, (list(subjects),))
        await self.connection.execute(self._sql.erase_compounds, (list(subjects),))
        await self.connection.execute(self._sql.erase_keys, (list(subjects),))

    async def save_snapshots(self, snapshots: Sequence[tuple[str, Held]]) -> None:
        """Keep states of long streams, so that loading them again stays short."""
        await self.connection.execute(
            self._sql.snapshot,
            (
                fold_fingerprint(),
                [stream for stream, _ in snapshots],
                [held[0] for _, held in snapshots],
                [
                    CATEGORIES[stream.partition(":")[0]].states.dump_json(held[1])
                    for stream, held in snapshots
                ],
            ),
            prepare=True,
        )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> tuple[list[Any], ...]:
    if not rows:
        return ([],) * width
    return cast("tuple[list[Any], ...]", tuple(map(list, zip(*rows, strict=True))))
