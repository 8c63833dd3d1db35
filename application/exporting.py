"""Exports of a stream's whole history that can be checked without us (A3, contract.md `audit`).

Each event is written in clear: its stored bytes are JSON, and JSON that is spelt compactly can be
put into the export as it is and spelt again to the very bytes that were hashed. Bytes of which
that is not true are kept as text, or in base64. No person is named: facts hold ids of cards.

What the parts prove
    `inclusion`     this event, under this stream, version and position, is in the log at `head`;
    `consistency`   the log at `head` only adds to the log at a head that was kept before;
    `head`, `seal`  the house's word for the log and for this document: that nothing of the stream
                    came after the last version up to `head` is said by the seal alone, because a
                    tree proves what is in it, not what is absent.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.envelope import decode_fact
from application.heads import SignedHead
from application.in_clear import in_clear
from application.sealing import sealed, tool
from application.streams import category_of, fold_fingerprint

FORMAT = "tallypost export 2"
ROWS_FORMAT = "tallypost export 1"
"""What was exported before states had all their names: rows as snapshots keep them."""


class StoredEvent(NamedTuple):
    """An event as it is stored."""

    position: int
    stream: str
    version: int
    name: str
    stored: bytes


class EarlierHead(NamedTuple):
    """A head that was kept before, and the proof that the log only grew since."""

    head: SignedHead
    path: Sequence[bytes]


def exported(
    stream: str,
    events: Sequence[StoredEvent],
    *,
    head: SignedHead,
    paths: Mapping[int, Sequence[bytes]],
    earlier: Sequence[EarlierHead] = (),
    private: Ed25519PrivateKey,
) -> bytes:
    """The sealed export of a stream at a head; made again at the same head, the same bytes.

    `paths` are the inclusion paths of the events' positions.
    """
    category = category_of(stream)
    state, entries = category.initial, []
    for event in events:
        state = category.evolve(state, decode_fact(event.name, event.stored))
        entries.append(
            {
                "position": event.position,
                "version": event.version,
                "fact": event.name,
                **written(event.stored),
                "state": in_clear(state),
                "inclusion": [step.hex() for step in paths[event.position]],
            }
        )
    content = {
        "format": FORMAT,
        "tool": tool(),
        "tenant": head.tenant,
        "stream": stream,
        "fold": fold_fingerprint(),
        "head": head.to_json(),
        "consistency": [
            {"since": one.head.to_json(), "path": [step.hex() for step in one.path]}
            for one in earlier
        ],
        "versions": len(events),
        "events": entries,
    }
    return sealed(content, private)


def written(stored: bytes) -> dict[str, Any]:
    """Stored bytes in clear, so that `read_back` gives the very bytes."""
    try:
        fields = json.loads(stored)
        if isinstance(fields, dict) and _compact(fields) == stored:
            return {"event": fields}
        return {"stored_text": stored.decode()}
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError, too
        pass
    try:
        return {"stored_text": stored.decode()}
    except UnicodeDecodeError:
        return {"stored_base64": base64.b64encode(stored).decode()}


def read_back(entry: Mapping[str, Any]) -> bytes:
    """The stored bytes of an entry. Raises `ValueError` when there are none."""
    if entry.get("event") is not None:
        return _compact(entry["event"])
    if entry.get("stored_text") is not None:
        return str(entry["stored_text"]).encode()
    return base64.b64decode(str(entry["stored_base64"]), validate=True)


def _compact(fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
