"""The envelope a fact travels in, and the bytes both are stored as (design.md, Events; A1, A5).

Stored bytes are JSON, `{"fact": {…}, "schema": 1, "happened_at": …, …}`. They are hashed into the
log's Merkle tree as they are, so what was once written is never written differently.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json, to_json

from domain import (
    approvals,
    books,
    catalogue,
    order_facts,
    parcels,
    point_facts,
    privacy,
    stock,
    warehouses,
)
from domain.facts import FACTS, Fact

# Importing a room registers its facts; without this a stored name would be unknown.
ROOMS = (approvals, books, catalogue, order_facts, parcels, point_facts, privacy, stock, warehouses)

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""(fact name, stored schema version) → the fact's fields one version later."""


class UnknownFact(Exception):
    """A stored name is not in the registry: this code is older than the log (R26)."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who does it, why, and caused by what: the same for every fact of one command (A1)."""

    actor: str
    """`role:subject`, or `policy:name` for the house itself."""
    command: str
    """The command's idempotency key."""
    reason: str = ""
    correlation: str = ""
    """Ties together everything that followed from one request."""
    causation: str = ""
    """`stream@version` of the event that made a policy act."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A fact with its place in the log and both its times (A5)."""

    position: int
    stream: str
    version: int
    fact: Fact
    happened_at: datetime
    recorded_at: datetime
    context: Context

    @property
    def category(self) -> str:
        """The stream's category: `order` of `order:T1`."""
        return self.stream.partition(":")[0]

    @property
    def key(self) -> str:
        """The stream's key: `T1` of `order:T1`."""
        return self.stream.partition(":")[2]


def encode_context(context: Context, *, recorded_at: datetime) -> Callable[[datetime], bytes]:
    """The stored tail of a command's facts, as a function of when each of them happened."""
    shared = to_json(
        {
            "recorded_at": recorded_at,
            "actor": context.actor,
            "command": context.command,
            **({"reason": context.reason} if context.reason else {}),
            **({"correlation": context.correlation} if context.correlation else {}),
            **({"causation": context.causation} if context.causation else {}),
        }
    )[1:]

    def tail(happened_at: datetime) -> bytes:
        return b',"happened_at":"%b",%b' % (happened_at.isoformat().encode(), shared)

    return tail


def encode(fact: Fact, tail: bytes) -> bytes:
    """The bytes a fact is stored and hashed as."""
    return b'{"fact":%b,"schema":%d%b' % (
        fact.__pydantic_serializer__.to_json(fact),
        fact.schema_version,
        tail,
    )


def decode_fact(name: str, stored: bytes) -> Fact:
    """The fact alone, as folds need it. Raises `UnknownFact` for a name this code lacks."""
    return _fact(name, from_json(stored))


def decode(position: int, stream: str, version: int, name: str, stored: bytes) -> Envelope:
    """A stored event as its envelope."""
    data = from_json(stored)
    return Envelope(
        position=position,
        stream=stream,
        version=version,
        fact=_fact(name, data),
        happened_at=_moment(data["happened_at"]),
        recorded_at=_moment(data["recorded_at"]),
        context=Context(
            actor=data["actor"],
            command=data["command"],
            reason=data.get("reason", ""),
            correlation=data.get("correlation", ""),
            causation=data.get("causation", ""),
        ),
    )


def _fact(name: str, data: dict[str, Any]) -> Fact:
    cls = FACTS.get(name)
    if cls is None:
        raise UnknownFact(f"no fact is named {name}: is this code older than the log?")
    fields = data["fact"]
    for version in range(data["schema"], cls.schema_version):
        fields = UPCASTERS[name, version](fields)
    return cls.model_validate(fields)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
