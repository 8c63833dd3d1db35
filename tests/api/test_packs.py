"""The evidence pack over HTTP: proved without us, the same twice, honest after an erasure (D5)."""

import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application import checking_packs
from application.checked import GOOD, REFUSED, UNANCHORED, Checked
from application.checking import check
from application.evidence_pack import DOCUMENT, PAGE, zipped
from application.heads import SignedHead, public_key
from application.retention import forget_payloads
from application.sealing import PUBLIC_KEY, rendered, sealed
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_disputes import AUDITOR, BOSS, PNG, SUPPORT, WORDS, Desk, signed

pytestmark = pytest.mark.anyio

FORGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ASK = {"reason": "the carrier asks for our evidence"}
NAMES = ("林小满", "王大海", RECIPIENT["address"], WORDS)


@pytest.fixture
async def desk(mall: Mall) -> Desk:
    """A case with words, a picture, a carrier's answer and a decision."""
    made = await signed(mall, confirmed=True)
    await made.open(words=WORDS)
    await made.upload()
    await made.post("/inquiry", None, **SUPPORT)
    said = {"result": "misdelivered", "reference": "YT-1", "words": "送到王大海家"}
    await made.post("/inquiry/answer", said, **SUPPORT)
    await made.decide("refund", points=40)
    return made


async def given(desk: Desk, **more: Any) -> Any:
    """The pack, with all that the vault keeps."""
    await desk.mall.views()
    answer = await desk.mall.post(f"{desk.path}/pack", {**ASK, **more}, **SUPPORT)
    await desk.mall.views()
    return answer


async def kept_head(desk: Desk) -> SignedHead:
    return SignedHead.from_json((await desk.mall.get("/v1/audit/head", **AUDITOR)).text)


def key_of(desk: Desk) -> Any:
    return public_key((desk.mall.settings.key_folder / PUBLIC_KEY).read_bytes())


def files_of(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def test_a_pack_is_accepted_by_who_has_nothing_but_a_head(desk: Desk) -> None:
    """D5, A3: by a head or the key kept outside; without either, consistent with itself only."""
    answer = await given(desk)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert desk.case in answer.headers["content-disposition"]
    pack = answer.content
    position = json.loads(files_of(pack)[DOCUMENT])["head"]["position"]
    head = (await desk.mall.get("/v1/audit/head", **AUDITOR, position=position)).text
    for anchor in ({"head": SignedHead.from_json(head)}, {"key": key_of(desk)}):
        result = check(pack, **anchor)
        assert (result.status, result.findings) == (GOOD, [])
    assert check(pack).status == UNANCHORED
    later = await given(desk, since=head)
    assert check(later.content, head=SignedHead.from_json(head)).status == GOOD


async def test_a_pack_has_all_that_is_known_of_the_case(desk: Desk) -> None:
    """D5, D1: scans with payloads as they came, signer against recipient, words, ledger."""
    files = files_of((await given(desk)).content)
    assert list(files) == [DOCUMENT, PAGE, "files/F1.png"]
    assert files["files/F1.png"] == PNG
    made = json.loads(files[DOCUMENT])
    told = made["told"]
    assert told["signer"][0]["against_recipient"] == "another"
    assert [one["kind"] for one in told["track"]][-1] == "signed"
    assert [one["about"] for one in told["messages"]] == ["opening", "inquiry", "message"]
    assert [one["fact"] for one in told["ledger"]] == [
        "ledger.PointsRedeemed", "ledger.PointsRestored", "ledger.PointsGranted",
    ]  # fmt: skip
    cards = {one["field"]: one for one in made["cards"]}
    assert cards["recipient"]["recipient"]["name"] == "林小满"
    assert "王大海" in json.loads(cards["payload"]["text"])["lastResult"]["data"][-1]["context"]
    texts = {one["about"]: one["text"] for one in made["cards"] if one["field"] == "words"}
    assert texts["opening"] == WORDS
    assert all(one["state"] == "included" and one["salt"] for one in made["cards"][1:])
    assert len({one["position"] for one in made["events"]}) == len(made["events"]) > 20
    page = files[PAGE].decode()
    for word in (*NAMES, desk.case, "files/F1.png", made["head"]["root"]):
        assert word in page, word
    assert "<script" not in page


async def test_each_form_can_be_asked_for_alone(desk: Desk) -> None:
    """D5: as JSON that is checked by itself, as a page that runs nothing."""
    document = (await given(desk, format="json")).content
    result = check(document, key=key_of(desk))
    assert (result.status, result.findings) == (GOOD, [])
    assert any("not beside it" in note for note in result.notes)
    page = await given(desk, format="html")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert page.headers["cache-control"] == "no-store"
    assert (await given(desk, format="exe")).status_code == 422


async def test_a_pack_is_the_same_bytes_when_made_again_at_its_position(desk: Desk) -> None:
    """D5, A6: whatever happened since; the same key gives the same, too; later it is another."""
    head = await kept_head(desk)
    first = await given(desk, position=head.position)
    await desk.mall.order(("enamel-mug", 1))
    again = await given(desk, position=head.position)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert (await given(desk)).content != first.content
    repeated = []
    for _ in range(2):
        await desk.mall.views()
        repeated.append(await desk.mall.post(f"{desk.path}/pack", ASK, **SUPPORT, key="once"))
    assert repeated[0].content == repeated[1].content
    assert repeated[1].headers["idempotent-replay"] == "true"


def classes(pack: bytes) -> Iterator[tuple[str, list[int]]]:
    """Where each kind of byte of a pack is: headers, names, each file by byte, directory, end."""
    covered: set[int] = set()
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        for one in archive.infolist():
            begins = one.header_offset + 30
            named = begins + len(one.filename)
            yield f"header of {one.filename}", [*range(one.header_offset, begins)]
            yield f"name of {one.filename}", [*range(begins, named)]
            places: dict[int, list[int]] = {}
            for at in range(named, named + one.file_size):
                places.setdefault(pack[at], []).append(at)
            for byte, ats in places.items():
                yield f"{chr(byte)!r} in {one.filename}", ats
            covered |= {*range(one.header_offset, named + one.file_size)}
    rest = [at for at in range(len(pack)) if at not in covered]
    yield "directory and end", rest


async def test_a_pack_is_refused_when_a_byte_of_it_is_flipped(desk: Desk) -> None:
    """D5: of every class: ZIP headers, names, each file's bytes by kind, directory, end."""
    pack, rng, tried = (await given(desk)).content, random.Random(20261122), 0
    key = key_of(desk)
    for name, places in classes(pack):
        few = places if "directory" in name else rng.sample(places, min(2, len(places)))
        for at in few if "header" not in name else places:
            changed = bytearray(pack)
            changed[at] ^= 1 << rng.randrange(8)
            assert check(bytes(changed), key=key).status == REFUSED, (name, at)
            tried += 1
    assert tried > 600
    for changed_whole in (pack[:-1], pack + b"\0", pack[4:], pack[:200], b"PK\x03\x04"):
        assert check(changed_whole, key=key).status == REFUSED


def _right_sum(pack: bytes, name: str, was: bytes, by: bytes) -> bytes:
    """The pack with a file changed, and the ZIP's own checksums put right."""
    assert was in pack
    assert len(was) == len(by)
    before = files_of(pack)[name]
    after = before.replace(was, by, 1)
    old, new = (zlib.crc32(one).to_bytes(4, "little") for one in (before, after))
    return pack.replace(before, after, 1).replace(old, new)


SPARED: dict[str, tuple[str, bytes, bytes]] = {
    "_check_files": (PAGE, b"\xe4\xba\x89\xe8\xae\xae", b"\xe4\xba\x89\xe7\xab\xaf"),
    "check_seal _check_files": (DOCUMENT, b'"tool": "tallypost', b'"tool": "tallyghost'[:18]),
}


@pytest.mark.parametrize("spared", SPARED)
async def test_a_changed_pack_is_accepted_when_a_check_is_left_out(
    desk: Desk, spared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D5 CONTROL: a verifier that spares itself one check takes what it would have found."""
    name, was, by = SPARED[spared]
    changed = _right_sum((await given(desk)).content, name, was, by)
    assert check(changed, key=key_of(desk)).status == REFUSED

    def nothing(*_: object, **__: object) -> None:
        return None

    for check_left_out in spared.split():
        monkeypatch.setattr(checking_packs, check_left_out, nothing)
    assert check(changed, key=key_of(desk)).status == GOOD


async def test_a_gap_in_the_zip_is_accepted_when_only_its_files_are_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D5 CONTROL: bytes between the files are nobody's, unless the ZIP is made again."""
    pack = (await given(desk)).content
    files = files_of(pack)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 10, 0, 0)), data)
    other = buffer.getvalue()
    assert check(other, key=key_of(desk)).status == REFUSED
    monkeypatch.setattr(checking_packs, "_check_zip", lambda *_: None)
    assert check(other, key=key_of(desk)).status == GOOD


def _card(made: dict[str, Any], field: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in made["cards"] if one["field"] == field)
    return found


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an actor": (lambda made: made["events"][3]["event"].update(actor="support:x"), "event 4"),
    "a path": (lambda made: made["events"][3]["inclusion"].reverse(), "event 4"),
    "a missing event": (lambda made: made["events"].pop(-2), "told"),  # the compensation
    "what is told": (lambda made: made["told"]["signer"][0].update(signer="x"), "told"),
    "words": (lambda made: _card(made, "words").update(text="我收到了"), "card"),
    "a payload": (lambda made: _card(made, "payload").update(text="{}"), "card"),
    "a salt": (lambda made: _card(made, "words").update(salt="00"), "card"),
    "a state": (lambda made: _card(made, "words").update(state="erased"), "card"),
    "whose card": (lambda made: _card(made, "words").update(position=1), "card"),
    "a card less": (lambda made: made["cards"].pop(), "cards"),
    "a file's digest": (lambda made: made["files"][1].update(sha256="0" * 64), "files/F1.png"),
    "another case": (lambda made: made.update(case="D-T0-P1"), "events"),
    "the head": (lambda made: made["head"].update(root="0" * 64), "head"),
    "the tenant": (lambda made: made.update(tenant="other"), "tenant"),
    "a field more": (lambda made: made.update(note="ok"), "note"),
}


async def test_the_place_is_named_when_a_pack_is_changed(desk: Desk) -> None:
    """D5, A3: also when whoever changed it zipped and sealed it again with a key of his own."""
    files = files_of((await given(desk)).content)
    for name, (change, place) in CHANGES.items():
        made = json.loads(files[DOCUMENT])
        change(made)
        plain = check(zipped({**files, DOCUMENT: rendered(made)}), key=key_of(desk))
        assert plain.status == REFUSED, name
        assert plain.findings[0].place.startswith(place), (name, plain.findings)
        made.pop("seal")
        forged = zipped({**files, DOCUMENT: sealed(made, FORGER)})
        assert check(forged).status == REFUSED, name
    again = zipped({**files, DOCUMENT: sealed(json.loads(files[DOCUMENT]) | {}, FORGER)})
    assert check(again, key=key_of(desk)).status == REFUSED


async def test_it_says_what_is_gone_and_still_holds_after_an_erasure(desk: Desk) -> None:
    """D5, R59, rules.md 30: at the same position another pack, without the person; the first one,
    which is in somebody's hands, still holds, too."""
    head = await kept_head(desk)
    before = (await given(desk, position=head.position)).content
    erased = await desk.mall.post(
        "/v1/learners/lin/erasure", {"reason": "asked for it"}, **BOSS, method="POST"
    )
    assert erased.status_code == 200, erased.text
    await desk.mall.views()
    after = (await given(desk, position=head.position)).content
    assert after != before
    for pack in (before, after):
        assert check(pack, head=head, key=key_of(desk)).findings == []
    made = json.loads(files_of(after)[DOCUMENT])
    assert {one["state"] for one in made["cards"]} == {"erased"}
    text = after.decode("utf-8", "replace")
    assert not [name for name in NAMES if name in text]
    result: Checked = check(after, head=head)
    assert any("erased with their learner" in note for note in result.notes)
    assert (await given(desk, position=head.position)).content == after


async def test_what_was_kept_for_its_time_is_told_as_deleted(desk: Desk) -> None:
    """D5, rules.md 30: the payload is gone, its digest in the event stays."""
    tenant = desk.mall.tenant
    tenant.store.clock = lambda: datetime.now(UTC) + timedelta(days=731)
    assert await forget_payloads(tenant) == 1
    answer = await given(desk)
    made = json.loads(files_of(answer.content)[DOCUMENT])
    assert _card(made, "payload")["state"] == "deleted"
    assert _card(made, "words")["state"] == "included"
    assert check(answer.content, key=key_of(desk)).findings == []


async def test_nobody_is_named_when_it_is_asked_for_without_a_reason(desk: Desk) -> None:
    """D5, A4, A10: auditors check it as well; learners and operations get none of it."""
    answer = await desk.mall.get(f"{desk.path}/pack", **AUDITOR)
    assert answer.status_code == 200
    text = answer.content.decode("utf-8", "replace")
    assert not [name for name in NAMES if name in text]
    made = json.loads(files_of(answer.content)[DOCUMENT])
    assert {one["state"] for one in made["cards"]} == {"withheld"}
    assert _card(made, "recipient")["recipient"]["name"] == "林**"
    result = check(answer.content, key=key_of(desk))
    assert (result.status, result.findings) == (GOOD, [])
    for role in ("learner", "service", "operations"):
        for method in ("GET", "POST"):
            refused = await desk.mall.post(f"{desk.path}/pack", ASK, role=role, method=method)
            assert refused.status_code == 403
    assert (await desk.mall.post(f"{desk.path}/pack", ASK, **AUDITOR)).status_code == 403
    missing = await desk.mall.get("/v1/disputes/D-T0-P1/pack", **SUPPORT)
    assert missing.status_code == 404


async def test_every_pack_that_was_given_out_is_on_record(desk: Desk) -> None:
    """A4, A9: who, why, which cards; it is part of the case's own history."""
    await given(desk)
    stream = await desk.mall.get("/v1/audit/streams/privacy:lin", **AUDITOR)
    (one,) = stream.json()["events"]
    assert (one["fact"], one["actor"]) == ("privacy.PackRevealed", "support:wang")
    assert one["reason"] == ASK["reason"]
    assert len(one["data"]["cards"]) == 6
    lines = (await desk.seen(**SUPPORT))["timeline"]
    assert lines[-1]["fact"] == "privacy.PackRevealed"
    late = desk.mall.tenant.store.clock() + timedelta(minutes=11)
    await desk.mall.post(f"{desk.path}/pack", ASK, **SUPPORT, key="once")
    await desk.mall.views()
    desk.mall.tenant.store.clock = lambda: late
    over = await desk.mall.post(f"{desk.path}/pack", ASK, **SUPPORT, key="once")
    assert (over.status_code, over.json()["code"]) == (409, "reveal_over")


async def test_a_minors_pack_waits_for_a_second_person(desk: Desk) -> None:
    """A9: one approval for the whole pack, then it is given; a hold allows nobody any use."""
    minor = {"status": "active", "minor": True}
    await desk.mall.post("/v1/learners/lin", minor, method="PUT", role="service", subject="lms")
    asked = await given(desk)
    assert (asked.status_code, asked.json()["status"]) == (202, "pending_approval")
    decision = {"decision": "allow", "reason": "looked at the case"}
    await desk.mall.post(f"/v1/approvals/{asked.json()['approval']}", decision, **BOSS)
    assert (await given(desk)).status_code == 200
    hold = {"matter": "case-1", "reason": "court"}
    await desk.mall.post("/v1/learners/lin/legal-holds", hold, **BOSS)
    held = await given(desk)
    assert (held.status_code, held.json()["code"]) == (409, "legal_hold")
    seen = await desk.mall.get(f"{desk.path}/pack", **SUPPORT)
    made = json.loads(files_of(seen.content)[DOCUMENT])
    assert {one["state"] for one in made["cards"]} == {"held"}
    assert check(seen.content, key=key_of(desk)).findings == []
