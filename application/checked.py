"""核验 What every check of a document that left the house has in common (A3, A6, D5).

A head and its signature, an event's place in the tree, the seal, and what was kept outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from application.envelope import UnknownFact
from application.exporting import read_back
from application.heads import HeadUnreadable, SignedHead
from application.proof import leaf_hash, root_from_inclusion, verify_consistency
from application.sealing import Opened

GOOD, REFUSED, UNANCHORED = 0, 1, 2
"""Exit statuses."""

_FINDINGS_MAX = 50
STORED = ("event", "stored_text", "stored_base64")
# What facts that were never ours may do to a fold, which trusts its facts.
UNFOLDABLE = (UnknownFact, ValueError, LookupError, TypeError, AttributeError, AssertionError)

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


class Strict(BaseModel):
    """A document's form: nothing missing, nothing extra, no other kinds of values."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Earlier(Strict):
    """An earlier head, and the proof that the log only grew since."""

    since: dict[str, Any]
    path: list[Hash]


class Placed(Strict):
    """An event of a document: its place in the log, its stored bytes, its proof."""

    position: Position
    version: Position
    fact: str
    event: dict[str, Any] | None = None
    stored_text: str | None = None
    stored_base64: str | None = None
    inclusion: list[Hash]


def check_head(result: Checked, head: SignedHead, found: Opened, *, tenant: str) -> None:
    """The head is of the document's tenant, and signed by the key in the seal."""
    if head.tenant != tenant:
        result.refuse("tenant", f"is {tenant}, the head is of {head.tenant}")
    if not head.verify(found.public):
        result.refuse("head", "is not signed by the key in the seal")


def stored_of(result: Checked, place: str, event: Placed) -> bytes | None:
    """An event's stored bytes, spelt back; None where they cannot be."""
    if sum(getattr(event, name) is not None for name in STORED) != 1:
        result.refuse(place, "its stored bytes are there not once")
        return None
    try:
        return read_back({name: getattr(event, name) for name in STORED})
    except (ValueError, RecursionError):
        result.refuse(place, "its stored bytes cannot be read")
        return None


def included(
    result: Checked, place: str, event: Placed, stored: bytes, stream: str, head: SignedHead
) -> bool:
    """Whether the event is in the log of the head, in this form and at this place."""
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


def check_growth(
    result: Checked, place: str, earlier: Earlier, head: SignedHead, found: Opened
) -> None:
    """The log of the head only adds to the earlier one."""
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


def check_seal(result: Checked, found: Opened, *, name: str = "") -> None:
    """One spelling, and the signature of the key that is in it; `name` is the document's."""
    if found.differs_at is not None:
        place = f"{name} byte {found.differs_at}".strip()
        result.refuse(place, "spelt in another way than it was made")
    if not found.genuine:
        result.refuse("seal", "what it covers was changed, or another key made it")


def refuse_form(result: Checked, error: ValidationError) -> None:
    """Name every field that is missing, extra or of another kind."""
    for wrong in error.errors(include_input=False, include_url=False):
        result.refuse(".".join(map(str, wrong["loc"])), wrong["msg"])


def anchor(
    result: Checked,
    found: Opened,
    own: SignedHead,
    earlier: Sequence[Earlier],
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
    earlier: Sequence[Earlier],
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
