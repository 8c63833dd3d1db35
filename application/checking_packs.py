"""核验证据包 Checking an evidence pack without a database, as exports are checked (D5, A3).

Everything is recomputed: the ZIP from its files, stored bytes → leaf → root → signature, what the
events tell, each card's digest. After an erasure the pack says what is gone, and still holds.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, StringConstraints, ValidationError

from application.case_told import NamedCard, Subject, named_cards, tell, teller
from application.checked import (
    UNFOLDABLE,
    Checked,
    Earlier,
    Hash,
    Placed,
    Position,
    Strict,
    anchor,
    check_growth,
    check_head,
    check_seal,
    included,
    refuse_form,
    stored_of,
)
from application.envelope import Envelope, decode
from application.evidence_pack import DOCUMENT, FILES, FORMAT, PAGE, read_card, zipped
from application.evidence_page import page
from application.heads import HeadUnreadable, SignedHead
from application.sealing import NotSealed, first_difference, opened, rendered
from application.streams import CLAIM, DISPUTE, ORDER, PARCEL

MAGIC = b"PK\x03\x04"
"""What a ZIP begins with."""
FILES_MAX = 50
BYTES_MAX = 200_000_000
"""A case has ten files of at most 4 MB; its payloads are text."""
NOT_IN_IT = {
    "erased": "erased with their learner",
    "deleted": "deleted, their time being over",
    "withheld": "not revealed to who asked for the pack",
    "held": "under a legal hold",
    "unreadable": "there, and cannot be opened",
}
"""Why a card's content is not in a pack, by its state."""


class _PackedEvent(Placed):
    stream: str


class _Card(Strict):
    card: str
    field: str
    about: str
    position: Position
    state: Literal["included", "withheld", "erased", "deleted", "held", "unreadable"]
    salt: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$")] | None
    text: str | None
    base64: str | None
    file: str | None
    recipient: dict[str, str | None] | None


class _File(Strict):
    name: str
    size: Annotated[int, Field(ge=0)]
    sha256: Hash


class _Pack(Strict):
    format: str
    tool: str
    tenant: str
    case: str
    order: str
    parcel: str
    teller: str
    head: dict[str, Any]
    consistency: list[Earlier]
    events: list[_PackedEvent]
    told: dict[str, Any]
    cards: list[_Card]
    files: list[_File]

    @property
    def subject(self) -> Subject:
        return Subject(self.case, self.order, self.parcel)


def check_pack(
    document: bytes, *, head: SignedHead | None = None, key: Ed25519PublicKey | None = None
) -> Checked:
    """Check a pack as ZIP or as JSON alone, against a head or a public key kept outside."""
    result = Checked()
    files: dict[str, bytes] | None = None
    if document.startswith(MAGIC):
        files = _unzipped(result, document)
        if files is None:
            return result
    try:
        found = opened(document if files is None else files[DOCUMENT])
        if found.content.get("format") != FORMAT:
            raise NotSealed(f"its format is not {FORMAT}")
        made = _Pack.model_validate(found.content)
        own = SignedHead.from_json(made.head)
    except ValidationError as error:
        refuse_form(result, error)
        return result
    except (NotSealed, HeadUnreadable) as error:
        result.refuse(DOCUMENT, str(error))
        return result
    check_head(result, own, found, tenant=made.tenant)
    events = _check_events(result, made, own)
    if made.teller == teller():
        _check_told(result, made, events)
    else:
        result.notes.append(
            "What is told of the events was made by another version of the rules: it is as "
            "sealed, and was not made again."
        )
    _check_cards(result, made, events, files)
    if files is None:
        result.notes.append("Its page and pictures are not beside it: check the ZIP for them.")
    else:
        _check_files(result, made, files, found.content)
        _check_zip(result, document, files)
    for number, one in enumerate(made.consistency, start=1):
        check_growth(result, f"consistency {number}", one, own, found)
    check_seal(result, found, name=DOCUMENT)
    anchor(result, found, own, made.consistency, head=head, key=key)
    return result


def _unzipped(result: Checked, document: bytes) -> dict[str, bytes] | None:
    """The files of the ZIP in their order; None where it is none of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(document)) as archive:
            members = archive.infolist()
            size = sum(one.file_size for one in members)
            if len(members) > FILES_MAX or size > BYTES_MAX:
                result.refuse("document", "is a ZIP of more than an evidence pack has")
                return None
            if any(one.compress_type != zipfile.ZIP_STORED for one in members):
                result.refuse("document", "is a ZIP that was packed anew: give the one you got")
                return None
            files = {one.filename: archive.read(one) for one in members}
    # Whatever is wrong with bytes of anybody's making, the library says it in one of these.
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, EOFError, LookupError) as error:
        result.refuse("document", f"is no ZIP that can be read: {type(error).__name__}")
        return None
    if DOCUMENT not in files:
        result.refuse("document", f"is a ZIP without {DOCUMENT}: no evidence pack")
        return None
    return files


def _check_zip(result: Checked, document: bytes, files: Mapping[str, bytes]) -> None:
    """What is not a file's content (names, times, order, gaps) is as we make it, too."""
    at = first_difference(document, zipped(files))
    if at is not None:
        result.refuse(f"byte {at}", "the ZIP is not as it was made")


def _check_events(result: Checked, made: _Pack, head: SignedHead) -> list[Envelope]:
    whole = {
        ORDER.stream(made.order),
        DISPUTE.stream(made.case),
        PARCEL.stream(made.parcel),
        CLAIM.stream(made.parcel),
    }
    versions: dict[str, int] = {}
    events: list[Envelope] = []
    before = 0
    for number, event in enumerate(made.events, start=1):
        place = f"event {number} ({event.stream}@{event.version}, position {event.position})"
        if not before < event.position <= head.position:
            result.refuse(place, "its position is not between the one before and the head's")
        before = event.position
        expected = versions.get(event.stream, 0) + 1
        if event.stream in whole and event.version != expected:
            result.refuse(place, f"version {expected} has to be here: missing, extra or moved")
        versions[event.stream] = event.version
        stored = stored_of(result, place, event)
        if stored is None or not included(result, place, event, stored, event.stream, head):
            continue
        try:
            events.append(decode(event.position, event.stream, event.version, event.fact, stored))
        except UNFOLDABLE as error:
            result.refuse(place, f"cannot be read: {type(error).__name__}")
    if DISPUTE.stream(made.case) not in versions:
        result.refuse("events", f"none is of {made.case}")
    result.notes.append(
        f"{made.case}: {len(events)} events, each in the log at position {head.position}; those of "
        "the order, its case, parcel and claim without a gap. That nothing more was recorded up "
        "to there is the house's sealed word."
    )
    return events


def _check_told(result: Checked, made: _Pack, events: Sequence[Envelope]) -> None:
    if len(events) != len(made.events):
        return  # what is wrong with them was said
    try:
        again = tell(events, made.subject)
    except UNFOLDABLE as error:
        result.refuse("told", f"cannot be made again: {type(error).__name__}")
        return
    if rendered(again) != rendered(made.told):
        result.refuse("told", "is not what the events say")


def _check_files(
    result: Checked, made: _Pack, files: Mapping[str, bytes], content: Mapping[str, Any]
) -> None:
    if [DOCUMENT, *(one.name for one in made.files)] != list(files):
        result.refuse("files", "are not those that are announced, in their order")
    for one in made.files:
        data = files.get(one.name)
        if data is None or len(data) != one.size or sha256(data).hexdigest() != one.sha256:
            result.refuse(one.name, "is not the file that was packed")
    if made.teller != teller():
        return
    try:
        again = page({name: it for name, it in content.items() if name != "files"})
    except UNFOLDABLE:
        again = b""
    if files.get(PAGE) != again:
        result.refuse(PAGE, f"does not say what {DOCUMENT} says")


def _check_cards(
    result: Checked,
    made: _Pack,
    events: Sequence[Envelope],
    files: Mapping[str, bytes] | None,
) -> None:
    named = {one.card: one for one in named_cards(events, made.subject)}
    if list(named) != [one.card for one in made.cards]:
        result.refuse("cards", "are not those that the events name")
    for one in made.cards:
        if one.card in named:
            _check_card(result, one, named[one.card], files)
    counted = {state: sum(one.state == state for one in made.cards) for state in NOT_IN_IT}
    result.notes += [
        f"{count} of {len(made.cards)} cards of the vault are not in it: {NOT_IN_IT[state]}."
        for state, count in counted.items()
        if count
    ]


def _check_card(
    result: Checked, one: _Card, named: NamedCard, files: Mapping[str, bytes] | None
) -> None:
    """A card is the one that its event names, and what is on it has the digest told there."""
    place = f"card {one.card} ({one.field}, position {one.position})"
    if (one.field, one.about, one.position) != (named.field, named.about, named.position):
        result.refuse(place, "is not as its event names it")
    of_file = one.state == "included" and named.suffix is not None
    if one.file != (f"{FILES}{named.about}.{named.suffix}" if of_file else None):
        result.refuse(place, "its file is not as its state says")
    if one.state != "included":
        if (one.salt, one.text, one.base64) != (None, None, None):
            result.refuse(place, "holds something, though its state says that it does not")
        return
    if named.digest is None or (of_file and files is None):
        return  # the house's sealed word, or not beside it
    try:
        content = read_card(one.text, one.base64)
    except ValueError:
        content = None
    if of_file and files is not None:
        content = files.get(one.file or "")
    salt = bytes.fromhex(one.salt or "")
    if content is None or sha256(salt + content).hexdigest() != named.digest:
        result.refuse(place, "is not what the event was told of")
