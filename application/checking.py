"""Checking exports, reports and packs without a database: by a head or a key kept outside (A3, A6).

Everything is recomputed: stored bytes → leaf → root → signature, facts → states. Each thing that
is not as it has to be is named with its place. A document that only agrees with itself proves
nothing about us: whoever made it may have made it all up, so that is said, too.
"""

import codecs
import json
from collections.abc import Sequence
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, ValidationError

from application.checked import (
    UNFOLDABLE,
    Checked,
    Earlier,
    Placed,
    Strict,
    anchor,
    check_growth,
    check_head,
    check_seal,
    included,
    refuse_form,
    stored_of,
)
from application.checking_packs import MAGIC, check_pack
from application.envelope import decode_fact
from application.evidence_pack import FORMAT as PACK_FORMAT
from application.exporting import FORMAT, ROWS_FORMAT
from application.heads import HeadUnreadable, SignedHead
from application.in_clear import in_clear
from application.sealing import NotSealed, opened, rendered
from application.streams import CATEGORIES, fold_fingerprint

REPORT_FORMAT = "tallypost report 1"
EVIDENCE = frozenset({"position", "stream", "version", "fact", "stored", "inclusion"})
"""Columns of a report whose rows are events."""


class _Event(Placed):
    state: dict[str, Any]


class _Export(Strict):
    format: str
    tool: str
    tenant: str
    stream: str
    fold: str
    head: dict[str, Any]
    consistency: list[Earlier]
    versions: Annotated[int, Field(ge=0)]
    events: list[_Event]


class _Stored(Strict):
    event: dict[str, Any] | None = None
    stored_text: str | None = None
    stored_base64: str | None = None


class _Report(Strict):
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
    """Check an export, a report or a pack, against a head or a public key kept outside."""
    if document.startswith(MAGIC):
        return check_pack(document, head=head, key=key)
    result = Checked()
    try:
        found = opened(document)
    except NotSealed as error:
        result.refuse("document", _otherwise(document) or str(error))
        return result
    form = found.content.get("format")
    if form == PACK_FORMAT:
        return check_pack(document, head=head, key=key)
    if form not in (FORMAT, ROWS_FORMAT, REPORT_FORMAT):
        result.refuse("format", f"none of {FORMAT}, {REPORT_FORMAT}, {PACK_FORMAT}")
        return result
    try:
        made = (_Report if form == REPORT_FORMAT else _Export).model_validate(found.content)
        own = SignedHead.from_json(made.head)
    except ValidationError as error:
        refuse_form(result, error)
        return result
    except HeadUnreadable as error:
        result.refuse("head", str(error))
        return result
    check_head(result, own, found, tenant=made.tenant)
    earlier: list[Earlier] = []
    if isinstance(made, _Export):
        earlier = made.consistency
        _check_events(result, made, own)
    else:
        _check_report(result, made, own)
    for number, one in enumerate(earlier, start=1):
        check_growth(result, f"consistency {number}", one, own, found)
    check_seal(result, found)
    anchor(result, found, own, earlier, head=head, key=key)
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
        stored = stored_of(result, place, event)
        if stored is None or not included(result, place, event, stored, made.stream, head):
            continue
        try:
            state = category.evolve(state, decode_fact(event.fact, stored))
        except UNFOLDABLE as error:
            result.refuse(place, f"cannot be read: {type(error).__name__}")
            continue
        named = made.format == FORMAT
        again = in_clear(state) if named else category.states.dump_python(state, mode="json")
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


def _check_report(result: Checked, made: _Report, head: SignedHead) -> None:
    if made.position != head.position:
        result.refuse("position", f"is {made.position}, the head's is {head.position}")
    if made.row_count != len(made.rows):
        result.refuse("row_count", f"{made.row_count} announced, {len(made.rows)} there")
    for number, row in enumerate(made.rows, start=1):
        if len(row) != len(made.columns):
            result.refuse(f"row {number}", f"has {len(row)} of {len(made.columns)} columns")
            return
    # Releases before summed up parts' numbers, too: what they sealed stays good.
    every = _whole_sums(made.columns, made.rows)
    if not sums_of(made.columns, made.rows).items() <= made.sums.items() <= every.items():
        result.refuse("sums", "are not those of the rows")
    proved = _check_evidence(result, made, head)
    result.notes.append(
        f"{made.report} at position {head.position}: {len(made.rows)} rows. What they say is "
        "the house's sealed word; made again at that position it has to be the same."
        + (" Each event in them is in the log of the head." if proved else "")
    )


def _check_evidence(result: Checked, made: _Report, head: SignedHead) -> bool:
    """Whether the rows are events with their proofs, all of which hold (A9)."""
    if not made.rows or not {*made.columns} >= EVIDENCE:
        return False
    proved = True
    for number, row in enumerate(made.rows, start=1):
        place, cells = f"row {number}", dict(zip(made.columns, row, strict=True))
        try:
            event = Placed.model_validate(
                {
                    **_Stored.model_validate(cells["stored"]).model_dump(),
                    **{name: cells[name] for name in EVIDENCE - {"stream", "stored"}},
                }
            )
        except ValidationError as error:
            refuse_form(result, error)
            return False
        stored = stored_of(result, place, event)
        stream = str(cells["stream"])
        proved &= stored is not None and included(result, place, event, stored, stream, head)
    return proved


NUMBERS = frozenset({"finding", "part", "position", "version"})
"""Columns whose whole numbers name something: added up they say nothing."""


def sums_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    """The sums of all columns that hold whole numbers only, but for those that number something."""
    every = _whole_sums(columns, rows)
    return {name: total for name, total in every.items() if name not in NUMBERS}


def _whole_sums(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    sums = {}
    for at, name in enumerate(columns):
        values = [row[at] for row in rows if len(row) > at]
        if all(type(value) is int for value in values):
            sums[name] = sum(values)
    return sums
