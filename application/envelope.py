"""The envelope a fact travels in, and the bytes both are stored as (design.md, Events; A1, A5).

Stored bytes are JSON, `{"fact": {…}, "schema": 1, "happened_at": …, …}`. They are hashed into the
log's Merkle tree as they are, so what was once written is never written differently.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from application.upcasting import UPCASTERS
from domain import (
    approvals,
    bill_facts,
    books,
    catalogue,
    claims,
    consignments,
    dispute_facts,
    intercept_facts,
    notes,
    order_facts,
    parcel_facts,
    point_facts,
    privacy,
    rate_facts,
    return_facts,
    single_handed,
    stock,
    stocktakes,
    traffic,
    warehouses,
    waybills,
    weeks,
)
from domain.facts import FACTS, Fact

# Importing a room registers its facts; without this a stored name would be unknown.
ROOMS = (
    approvals, bill_facts, books, catalogue, claims, consignments, dispute_facts,
    intercept_facts, notes, order_facts, parcel_facts, point_facts, privacy, rate_facts,
    return_facts, single_handed, stock, stocktakes, traffic, warehouses, waybills, weeks,
)  # fmt: skip


class UnknownFact(Exception):
    """A stored name is not in the registry: this code is older than the log (R26)."""


class Context(NamedTuple):
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

    @property
    def role(self) -> str:
        """In which role the actor acts; `policy` for the house itself."""
        return self.actor.partition(":")[0]

    @property
    def subject(self) -> str:
        """Who acts, in whatever role."""
        return self.actor.partition(":")[2]


class Envelope(NamedTuple):
    """A fact with its place in the log and both its times (A5)."""

    position: int
    stream: str
    category: str
    """The stream's category: `order` of `order:T1`."""
    key: str
    """The stream's key: `T1` of `order:T1`."""
    version: int
    fact: Fact
    happened_at: datetime
    recorded_at: datetime
    context: Context


def encode_tail(context: Context, *, happened_at: datetime, recorded_at: datetime) -> bytes:
    """What a fact's stored bytes end with: the same for all that one command says of one time."""
    fields = {"actor": context.actor, "command": context.command}
    if context.reason:
        fields["reason"] = context.reason
    if context.correlation:
        fields["correlation"] = context.correlation
    if context.causation:
        fields["causation"] = context.causation
    return b',"happened_at":"%b","recorded_at":"%b",%b' % (
        _stamp(happened_at),
        _stamp(recorded_at),
        to_json(fields)[1:],
    )


# One group commit has one time, in all of its facts.
@lru_cache(maxsize=8)
def _stamp(moment: datetime) -> bytes:
    return moment.isoformat().encode()


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
    category, _, key = stream.partition(":")
    return Envelope(
        position=position,
        stream=stream,
        category=category,
        key=key,
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
    return cls.__pydantic_validator__.validate_python(fields)  # type: ignore[no-any-return]


# Events that were committed together share their times.
@lru_cache(maxsize=1024)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
