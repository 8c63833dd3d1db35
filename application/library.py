"""The log as the eventsourcing library sees it: its recorder, its mapper, its application.

`PostgresLog` is a plain `eventsourcing` application pointed at a tenant's schema. It reads every
event, rebuilds every aggregate and can be followed by the library's own projections; `verify` uses
it as a second opinion on what our store wrote. It never appends: only the store does, under the
log's turn (design.md, The store, with the library's traps this avoids).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import ListenNotifySubscription, Mapper, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.conninfo import conninfo_to_dict

from application.envelope import decode_fact
from application.streams import category_of
from domain.facts import Fact

POLL_SECONDS = 0.1


class AppendRefused(Exception):
    """Only the store appends to the log."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A stream's state at a version, as the library's repository gives it back."""

    id: str
    version: int
    state: Any


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact of the log in the form the library calls a domain event."""

    originator_id: str
    originator_version: int
    fact: Fact
    stored: bytes

    def mutate(self, aggregate: Aggregate | None) -> Aggregate:
        """The aggregate after this fact."""
        category = category_of(self.originator_id)
        before = category.initial if aggregate is None else aggregate.state
        after = category.evolve(before, self.fact)
        return Aggregate(self.originator_id, self.originator_version, after)


class EnvelopeMapper(Mapper[str]):
    """Reads our stored envelopes; names resolve through the closed registry, never by import."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored event, byte for byte as it was read."""
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.fact.fact_name,
            state=domain_event.stored,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The fact in its stream; raises `UnknownFact` for a name outside the registry."""
        return RecordedFact(
            str(stored_event.originator_id),
            stored_event.originator_version,
            decode_fact(stored_event.topic, stored_event.state),
            stored_event.state,
        )


class LogRecorder(PostgresApplicationRecorder):
    """The library's recorder on our table: made by migrations, appended to by the store alone."""

    def create_table(self) -> None:
        """Nothing: our migrations made it, under a lock (processes starting together collide)."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Refused."""
        raise AppendRefused

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "PollingSubscription":
        """Follow the log by polling: the library's own waits for a NOTIFY we never send."""
        return PollingSubscription(recorder=self, gt=gt, topics=topics)


class PollingSubscription(ListenNotifySubscription[LogRecorder]):
    """Notifications in log order, looked for ten times a second."""

    def _loop_on_pull(self) -> None:
        try:
            while not self._has_been_stopped:
                self._pull()
                self._has_been_notified.wait(POLL_SECONDS)
        except BaseException as error:  # noqa: BLE001 - handed to whoever iterates
            if self._thread_error is None:
                self._thread_error = error
            self.stop()


class PostgresLog(Application[str]):
    """A tenant's log, read through the library."""

    name = "tallypost"  # it names the table: tallypost_events

    def __init__(self, conninfo: str, *, schema: str) -> None:
        where = conninfo_to_dict(conninfo)
        super().__init__(
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "ORIGINATOR_ID_TYPE": "text",
                "CREATE_TABLE": "no",
                "MAPPER_TOPIC": "application.library:EnvelopeMapper",
                "APPLICATION_RECORDER_TOPIC": "application.library:LogRecorder",
                "POSTGRES_SCHEMA": schema,
                "POSTGRES_DBNAME": str(where.get("dbname") or ""),
                "POSTGRES_HOST": str(where.get("host") or ""),
                "POSTGRES_PORT": str(where.get("port") or "5432"),
                "POSTGRES_USER": str(where.get("user") or ""),
                "POSTGRES_PASSWORD": str(where.get("password") or ""),
            }
        )
