"""证据包 The evidence pack of a dispute: a ZIP that proves itself without us (D5; rules.md 30).

`pack.json`, sealed as exports are, holds every event of the order and its case in clear, each with
its inclusion in the log of a signed head, and what the vault keeps of the case where it may be
shown: carriers' payloads and words as text, pictures as files in `files/`. `page.html` is the same
to be read and printed. Each of the three can be asked for alone.

What the parts prove
    `inclusion`   this event, under this stream, version and position, is in the log at `head`;
    `salt`        with it, a card's content is the one whose digest the event tells; payloads of
                  before there were digests, and recipients, are the house's sealed word;
    `told`        follows from the events by the rules of `teller`, and is made again when checking;
    `seal`        the house's word for the whole, each file by its digest.

A card that was erased, or whose time is over, is told as gone: the pack is another one then, and
still holds. There is one ZIP for one content, so that a changed byte anywhere is noticed.
"""

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.case_told import NamedCard, Subject, tell, teller
from application.envelope import decode
from application.evidence_page import page
from application.exporting import EarlierHead, StoredEvent, written
from application.heads import SignedHead
from application.sealing import sealed, tool

FORMAT = "tallypost evidence pack 1"
DOCUMENT, PAGE, FILES = "pack.json", "page.html", "files/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a ZIP: when it was made says nothing."""
_MODE = 0o100644 << 16

State = Literal["included", "withheld", "erased", "deleted", "held", "unreadable"]
"""`withheld`: not revealed to who asked; `deleted`: its time was over; `held`: by a legal hold."""


class PackedCard(NamedTuple):
    """A card of the vault that the case's events name, as far as it is in the pack."""

    named: NamedCard
    state: State
    content: bytes = b""
    """Without its salt."""
    salt: bytes = b""
    shown: Mapping[str, str | None] | None = None
    """A recipient's fields, masked where they are withheld."""

    @property
    def file(self) -> str | None:
        """The name of its file, if it has one."""
        suffix = self.named.suffix
        if self.state != "included" or suffix is None:
            return None
        return f"{FILES}{self.named.about}.{suffix}"

    def told(self) -> dict[str, Any]:
        """The card as `pack.json` has it."""
        named = self.named
        text = encoded = None
        if self.state == "included" and self.shown is None and self.file is None:
            text, encoded = _in_json(self.content)
        return {
            "card": named.card,
            "field": named.field,
            "about": named.about,
            "position": named.position,
            "state": self.state,
            "salt": self.salt.hex() or None,
            "text": text,
            "base64": encoded,
            "file": self.file,
            "recipient": None if self.shown is None else dict(self.shown),
        }


class Pack(NamedTuple):
    """A pack in its three forms."""

    zip: bytes
    json: bytes
    html: bytes


def packed(
    subject: Subject,
    events: Sequence[StoredEvent],
    cards: Sequence[PackedCard],
    *,
    head: SignedHead,
    paths: Mapping[int, Sequence[bytes]],
    earlier: Sequence[EarlierHead] = (),
    private: Ed25519PrivateKey,
) -> Pack:
    """The pack; made again of the same at the same head, the same bytes."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "tool": tool(),
        "tenant": head.tenant,
        **subject._asdict(),
        "teller": teller(),
        "head": head.to_json(),
        "consistency": [
            {"since": one.head.to_json(), "path": [step.hex() for step in one.path]}
            for one in earlier
        ],
        "events": [
            {
                "position": event.position,
                "stream": event.stream,
                "version": event.version,
                "fact": event.name,
                **written(event.stored),
                "inclusion": [step.hex() for step in paths[event.position]],
            }
            for event in events
        ],
        "told": tell([decode(*event) for event in events], subject),
        "cards": [one.told() for one in cards],
    }
    files = {PAGE: page(content)}
    files |= {one.file: one.content for one in cards if one.file is not None}
    content["files"] = [
        {"name": name, "size": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    document = sealed(content, private)
    return Pack(zipped({DOCUMENT: document, **files}), document, files[PAGE])


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The one ZIP of these files, in their order: stored as they are, without times or owners."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system, info.external_attr = 3, _MODE
            archive.writestr(info, data)
    return buffer.getvalue()


def read_card(text: str | None, encoded: str | None) -> bytes | None:
    """A card's content as `pack.json` has it; None where it has none. Raises `ValueError`."""
    if text is not None:
        return text.encode()
    return None if encoded is None else base64.b64decode(encoded, validate=True)


def _in_json(content: bytes) -> tuple[str | None, str | None]:
    """Bytes of anybody's making: as text where they are text, else in Base64."""
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(content).decode()
