"""Checking an export or a report without a database: by a head or a key kept outside (A3, A6).

Everything is recomputed: stored bytes → leaf → root → signature, facts → states. Each thing that
is not as it has to be is named with its place. A document that only agrees with itself proves
nothing about us: whoever made it may have made it all up, so that is said, too.
"""

import codecs
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from application.envelope import UnknownFact, decode_fact
from application.exporting import FORMAT, read_back
from application.heads import HeadUnreadable, SignedHead
from application.proof import leaf_hash, root_from_inclusion, verify_consistency
from application.sealing import NotSealed, Opened, opened, rendered
from application.streams import CATEGORIES, fold_fingerprint

REPORT_FORMAT = "tallypost report 1"

GOOD, REFUSED, UNANCHORED = 0, 1, 2
"""Exit statuses."""

_FINDINGS_MAX = 50
_STORED = ("event", "stored_text", "stored_base64")
# What facts that were never ours may do to a fold, which trusts its facts.
_UNFOLDABLE = (UnknownFact, ValueError, LookupError, TypeError, AttributeError, AssertionError)

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Position = Annotated[int, Field(ge=1, lt=1 << 63)]


class Finding(NamedTuple):
    """One place where a document is not what it claims to be."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Checked:
    """What a check came to."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was shown, and what such a document cannot show."""
    anchored: bool = False

    @property
    def status(self) -> int:
        """0: genuine; 1: refused; 2: consistent with itself only."""
        if self.findings:
            return REFUSED
        return GOOD if self.anchored else UNANCHORED

    def refuse(self, place: str, what: str) -> None:
        """Note a finding."""
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(Finding(place, what))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _Event(_Strict):
    position: Position
    version: Position
    fact: str
    event: dict[str, Any] | None = None
    stored_text: str | None = None
    stored_base64: str | None = None
    state: dict[str, Any]
    inclusion: list[Hash]


class _Earlier(_Strict):
    since: dict[str, Any]
    path: list[Hash]


class _Export(_Strict):
    format: str
    tool: str
    tenant: str
    stream: str
    fold: str
    head: dict[str, Any]
    consistency: list[_Earlier]
    versions: Annotated[int, Field(ge=0)]
    events: list[_Event]


class _Report(_Strict):
    format: str
    tool: str
    tenant: str
    report: str
    query: str
    parameters: dict[str, Any]
    position: Annotated[int, Field(ge=0)]
    head: dict[str, Any]
    columns: list[str]
    row_count: Annotated[int, Field(ge=0)]
    sums: dict[str, int]
    rows: list[list[Any]]


def check(
    document: bytes, *, head: SignedHead | None = None, key: Ed25519PublicKey | None = None
) -> Checked:
    """Check an export or a report, against a head or a public key that was kept outside."""
    result = Checked()
    try:
        found = opened(document)
    except NotSealed as error:
        result.refuse("document", _otherwise(document) or str(error))
        return result
    form = found.content.get("format")
    if form not in (FORMAT, REPORT_FORMAT):
        result.refuse("format", f"neither {FORMAT} nor {REPORT_FORMAT}")
        return result
    try:
        made = (_Export if form == FORMAT else _Report).model_validate(found.content)
        own = SignedHead.from_json(made.head)
    except ValidationError as error:
        for wrong in error.errors(include_input=False, include_url=False):
            result.refuse(".".join(map(str, wrong["loc"])), wrong["msg"])
        return result
    except HeadUnreadable as error:
        result.refuse("head", str(error))
        return result
    _check_head(result, own, found, tenant=made.tenant)
    earlier: list[_Earlier] = []
    if isinstance(made, _Export):
        earlier = made.consistency
        _check_events(result, made, own)
    else:
        _check_report(result, made, own)
    for number, one in enumerate(earlier, start=1):
        _check_growth(result, f"consistency {number}", one, own, found)
    if found.differs_at is not None:
        result.refuse(f"byte {found.differs_at}", "spelt in another way than it was made")
    if not found.genuine:
        result.refuse("seal", "what it covers was changed, or another key made it")
    _anchor(result, found, own, earlier, head=head, key=key)
    return result


def _otherwise(document: bytes) -> str | None:
    """What a file is that is no sealed document, so that its reader knows what to do."""
    text = document.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        return "the file is empty"
    if text.startswith(b"<"):
        return "is a web page, neither an export nor a report: was a login page saved?"
    if text.startswith(f"format,{REPORT_FORMAT}".encode()):
        return "is a report as CSV: check the same report as JSON, whose digest it names"
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        whole = text.endswith(b"}") and error.pos < len(error.doc)
        if text.startswith(b"{") and not whole:
            return f"ends too early, in line {error.lineno}: was it saved whole?"
        return f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError:
        return "is no text in UTF-8"
    except (ValueError, RecursionError):
        return "is no JSON that can be read"
    if not isinstance(found, dict):
        return "is JSON, but neither an export nor a report"
    return _other_object(found)


def _other_object(found: dict[str, Any]) -> str | None:
    if "seal" in found:
        return None
    if isinstance(found.get("code"), str) and "detail" in found:
        return f"is a refusal of the service, no export: {found['detail']}"
    try:
        SignedHead.from_json(found)
    except HeadUnreadable:
        return "is JSON without a seal: neither an export nor a report"
    return "is a signed head: give it as --head, beside an export or a report"


def _check_head(result: Checked, head: SignedHead, found: Opened, *, tenant: str) -> None:
    if head.tenant != tenant:
        result.refuse("tenant", f"is {tenant}, the head is of {head.tenant}")
    if not head.verify(found.public):
        result.refuse("head", "is not signed by the key in the seal")


def _check_events(result: Checked, made: _Export, head: SignedHead) -> None:
    category = CATEGORIES.get(made.stream.partition(":")[0])
    if category is None:
        result.refuse("stream", f"no kind of stream is called {made.stream.partition(':')[0]}")
        return
    state: Any = category.initial
    same_fold, before = made.fold == fold_fingerprint(), 0
    for number, event in enumerate(made.events, start=1):
        place = f"event {number} (version {event.version}, position {event.position})"
        if event.version != number:
            result.refuse(place, f"version {number} has to be here: missing, extra or moved")
        if not before < event.position <= head.position:
            result.refuse(place, "its position is not between the one before and the head's")
        before = event.position
        stored = _stored(result, place, event)
        if stored is None or not _included(result, place, event, stored, made.stream, head):
            continue
        try:
            state = category.evolve(state, decode_fact(event.fact, stored))
        except _UNFOLDABLE as error:
            result.refuse(place, f"cannot be read: {type(error).__name__}")
            continue
        again = category.states.dump_python(state, mode="json")
        if same_fold and rendered(again) != rendered(event.state):
            result.refuse(place, "the state after it is not the one that its facts lead to")
    if made.versions != len(made.events):
        what = f"{made.versions} events are announced, {len(made.events)} are there"
        result.refuse("events", what)
    if not same_fold:
        result.notes.append(
            "The states were made by another version of the rules: they are as sealed, and were "
            "not made again."
        )
    result.notes.append(
        f"{made.stream}: versions 1 to {len(made.events)}, none left out. That nothing more of it "
        f"was recorded up to position {head.position} is the house's sealed word; a tree proves "
        "what is in it, not what is absent."
    )


def _stored(result: Checked, place: str, event: _Event) -> bytes | None:
    if sum(getattr(event, name) is not None for name in _STORED) != 1:
        result.refuse(place, "its stored bytes are there not once")
        return None
    try:
        return read_back({name: getattr(event, name) for name in _STORED})
    except (ValueError, RecursionError):
        result.refuse(place, "its stored bytes cannot be read")
        return None


def _included(
    result: Checked, place: str, event: _Event, stored: bytes, stream: str, head: SignedHead
) -> bool:
    leaf = leaf_hash(event.position, stream, event.version, event.fact, stored)
    path = [bytes.fromhex(step) for step in event.inclusion]
    try:
        root = root_from_inclusion(leaf, event.position - 1, head.position, path)
    except ValueError:
        root = b""
    if root != head.root:
        result.refuse(place, "is not in the log of the head in this form and at this place")
        return False
    return True


def _check_growth(
    result: Checked, place: str, earlier: _Earlier, head: SignedHead, found: Opened
) -> None:
    try:
        since = SignedHead.from_json(earlier.since)
    except HeadUnreadable as error:
        result.refuse(place, str(error))
        return
    if since.tenant != head.tenant or not since.verify(found.public):
        result.refuse(place, "its head is not signed by the key in the seal for this tenant")
    if not verify_consistency(
        since.position,
        head.position,
        old_root=since.root,
        new_root=head.root,
        path=[bytes.fromhex(step) for step in earlier.path],
    ):
        result.refuse(place, "the log of the head does not only add to the earlier one")


def _check_report(result: Checked, made: _Report, head: SignedHead) -> None:
    if made.position != head.position:
        result.refuse("position", f"is {made.position}, the head's is {head.position}")
    if made.row_count != len(made.rows):
        result.refuse("row_count", f"{made.row_count} announced, {len(made.rows)} there")
    for number, row in enumerate(made.rows, start=1):
        if len(row) != len(made.columns):
            result.refuse(f"row {number}", f"has {len(row)} of {len(made.columns)} columns")
            return
    if sums_of(made.columns, made.rows) != made.sums:
        result.refuse("sums", "are not those of the rows")
    result.notes.append(
        f"{made.report} at position {head.position}: {len(made.rows)} rows. What they say is "
        "the house's sealed word; made again at that position it has to be the same."
    )


def sums_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """The sums of all columns that hold whole numbers only, but for places in the log."""
    sums = {}
    for at, name in enumerate(columns):
        values = [row[at] for row in rows if len(row) > at]
        if name not in ("position", "version") and all(type(value) is int for value in values):
            sums[name] = sum(values)
    return sums


def _anchor(
    result: Checked,
    found: Opened,
    own: SignedHead,
    earlier: Sequence[_Earlier],
    *,
    head: SignedHead | None,
    key: Ed25519PublicKey | None,
) -> None:
    """Tie the document to what was kept outside; fails closed."""
    if head is None and key is None:
        result.notes.append("Consistent with itself only: give a head or a key kept outside.")
        return
    if key is not None and _raw(key) != _raw(found.public):
        result.refuse("seal", "another key than the given one made it")
    if head is not None:
        _anchor_to_head(result, found, own, earlier, head)
    result.anchored = True


def _anchor_to_head(
    result: Checked,
    found: Opened,
    own: SignedHead,
    earlier: Sequence[_Earlier],
    head: SignedHead,
) -> None:
    if head.tenant != own.tenant:
        result.refuse("head", f"is of {own.tenant}, the one kept outside of {head.tenant}")
    elif not head.verify(found.public):
        result.refuse("head", "the one kept outside was signed by another key")
    elif head.position == own.position:
        if head != own:
            result.refuse("head", "is not the one kept outside, though of the same position")
    elif head.position > own.position:
        result.refuse(
            "head",
            f"the one kept outside (position {head.position}) is later than the document's "
            f"({own.position}): make the document again, or check it with --key",
        )
    elif not any(one.since == head.to_json() for one in earlier):
        result.refuse(
            "head",
            f"the document (position {own.position}) has no proof that the log only grew since "
            f"the head kept outside ({head.position}): make it with --since-head, or check it "
            "with --key",
        )


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
