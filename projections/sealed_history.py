"""密封 Signed heads, proofs and exports, read from the log with the tree's stored nodes (A3)."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection

from application.checking import check
from application.exporting import EarlierHead, StoredEvent, exported
from application.heads import SignedHead
from application.proof import (
    Coordinates,
    Frontier,
    MemoryNodes,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    path_of,
)
from domain.refusals import InvalidRequest, NotFound, Refusal
from projections.log_tree import BLOCK
from projections.reading import compose

_LEVEL = BLOCK.bit_length() - 1
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)

Paths = Mapping[int, Sequence[bytes]]


class LogDiffers(Refusal):
    """The log does not fit its own digests: nothing is signed; `tallypost verify` says where."""

    code = "log_differs"
    en = "The log does not fit its digests, so nothing is vouched for: {where}"
    zh = "日志与其摘要不符，不予签署：{where}"


async def signed_head(
    connection: AsyncConnection[Any],
    schema: str,
    private: Ed25519PrivateKey,
    *,
    position: int | None = None,
) -> SignedHead:
    """The head of the newest commit at or before a position; of an empty log, too."""
    query = compose(_HEAD, schema, (), "")
    row = await (await connection.execute(query, (position, position))).fetchone()
    at, stored, recorded_at = row or (0, Frontier.empty().to_bytes(), _NOTHING_YET)
    try:
        root = Frontier.from_bytes(bytes(stored)).root()
    except ValueError:
        raise LogDiffers(where=f"commit {at}") from None
    return SignedHead.sign(private, tenant=schema, position=at, root=root, recorded_at=recorded_at)


async def inclusion_paths(
    connection: AsyncConnection[Any], schema: str, positions: Iterable[int], *, size: int
) -> dict[int, list[bytes]]:
    """The inclusion paths of these positions in the tree over the first `size` events."""
    plans = {position: inclusion_plan(position - 1, size) for position in positions}
    nodes = await _nodes(connection, schema, plans.values(), size=size)
    return {position: path_of(plan, nodes) for position, plan in plans.items()}


async def consistency(
    connection: AsyncConnection[Any], schema: str, old: int, new: int
) -> list[bytes]:
    """The proof that the log at `new` only adds to the log at `old`."""
    plan = consistency_plan(old, new)
    return path_of(plan, await _nodes(connection, schema, [plan], size=new))


async def export_stream(
    connection: AsyncConnection[Any],
    schema: str,
    stream: str,
    private: Ed25519PrivateKey,
    *,
    position: int | None = None,
    since: Sequence[SignedHead] = (),
) -> bytes:
    """The sealed export of a stream (application/exporting.py), checked before it leaves.

    Raises `NotFound` for a stream without events, `InvalidRequest` for a later head than the
    export's, and `LogDiffers` when the log was tampered with.
    """
    head = await signed_head(connection, schema, private, position=position)
    query = compose(_STREAM, schema, (), "")
    cursor = await connection.execute(query, (stream, head.position), binary=True)
    events = [StoredEvent(*row) for row in await cursor.fetchall()]
    if not events:
        raise NotFound(what="stream")
    try:
        places = [event.position for event in events]
        paths = await inclusion_paths(connection, schema, places, size=head.position)
        earlier = []
        for one in since:
            if one.position > head.position:
                raise InvalidRequest(field="since", reason="is later than the export")
            path = await consistency(connection, schema, one.position, head.position)
            earlier.append(EarlierHead(one, path))
    except (IndexError, KeyError) as error:
        raise LogDiffers(where=stream) from error
    # A long stream takes seconds: others' requests go on meanwhile.
    document = await asyncio.to_thread(
        exported, stream, events, head=head, paths=paths, earlier=earlier, private=private
    )
    checked = await asyncio.to_thread(check, document, key=private.public_key())
    if checked.findings:
        raise LogDiffers(where="; ".join(map(str, checked.findings[:3])))
    return document


class _LogNodes:
    """Nodes above the stored blocks from the view, those below from the events' leaves."""

    def __init__(self, blocks: Sequence[bytes], leaves: Mapping[int, MemoryNodes]) -> None:
        self._above = MemoryNodes(blocks)
        self._leaves = leaves

    def node(self, level: int, index: int) -> bytes:
        """See `Nodes`."""
        if level >= _LEVEL:
            return self._above.node(level - _LEVEL, index)
        shift = _LEVEL - level
        return self._leaves[index >> shift].node(level, index & (1 << shift) - 1)


async def _nodes(
    connection: AsyncConnection[Any],
    schema: str,
    plans: Iterable[Sequence[Sequence[Coordinates]]],
    *,
    size: int,
) -> _LogNodes:
    """All that these paths are made of, in a few queries."""
    wanted = {at for plan in plans for part in plan for at in part}
    low = {index >> _LEVEL - level for level, index in wanted if level < _LEVEL}
    query = compose(_BLOCKS, schema, ("tree_nodes",), "")
    rows = await (await connection.execute(query, (size // BLOCK,), binary=True)).fetchall()
    stored = dict(rows)
    # The view may be late: what it lacks is made from the events.
    missing = set(range(size // BLOCK)) - stored.keys()
    leaves = {
        block: MemoryNodes(await _leaves(connection, schema, block)) for block in low | missing
    }
    for block in missing:
        stored[block] = leaves[block].node(_LEVEL, 0)
    return _LogNodes([stored[block] for block in range(size // BLOCK)], leaves)


async def _leaves(connection: AsyncConnection[Any], schema: str, block: int) -> list[bytes]:
    query = compose(_EVENTS, schema, (), "")
    cursor = await connection.execute(
        query, (block * BLOCK, (block + 1) * BLOCK), prepare=True, binary=True
    )
    return [leaf_hash(*row) for row in await cursor.fetchall()]


_HEAD = """
SELECT position, frontier, recorded_at FROM {commits}
WHERE %s::bigint IS NULL OR position <= %s::bigint ORDER BY position DESC LIMIT 1
"""
_STREAM = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %s AND notification_id <= %s ORDER BY originator_version
"""
_BLOCKS = "SELECT block, hash FROM {tree_nodes} WHERE block < %s"
_EVENTS = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id
"""
