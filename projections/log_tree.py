"""Hashes of the log's perfect subtrees over 256 leaves, so that a proof reads few events (A3)."""

from collections.abc import Sequence

from application.proof import Frontier, leaf_hash
from projections.reading import Event, Tables, View

BLOCK = 256
"""Leaves under one stored node: level 8 of the tree."""


class LogTree(View):
    """One row a full block of the log."""

    name = "log_tree"
    tables = ("tree_nodes",)
    reads_facts = False

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the node of every block that these events complete."""
        first, last = events[0].envelope.position, events[-1].envelope.position
        whole = len(events) == last - first + 1
        nodes = []
        for block in range((first - 1) // BLOCK, last // BLOCK):
            begin, end = block * BLOCK, (block + 1) * BLOCK
            if whole and begin >= first - 1:
                leaves = [_leaf(event) for event in events[begin - first + 1 : end - first + 1]]
            else:
                leaves = [leaf_hash(*row) for row in await tables.rows(_LEAVES, begin, end)]
            nodes.append((block, Frontier.empty().extended(leaves).root()))
        await tables.unnest(_ADD, nodes)


def _leaf(event: Event) -> bytes:
    at = event.envelope
    return leaf_hash(at.position, at.stream, at.version, at.fact.fact_name, event.stored)


_LEAVES = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > %b AND notification_id <= %b ORDER BY notification_id
"""

_ADD = "INSERT INTO {tree_nodes} (block, hash) SELECT * FROM unnest(%b::bigint[], %b::bytea[])"
