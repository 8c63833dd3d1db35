"""Exports as an auditor gets them: made from a real log, checked without it."""

import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.checked import GOOD, REFUSED, UNANCHORED
from application.checking import check
from application.exporting import StoredEvent, exported, read_back
from application.heads import SignedHead
from application.proof import Frontier, MemoryNodes, leaf_hash
from application.sealing import rendered, sealed
from domain.refusals import InvalidRequest, NotFound
from projections.sealed_history import (
    LogDiffers,
    consistency,
    export_stream,
    inclusion_paths,
    signed_head,
)
from tests.conftest import MallDatabase
from tests.merkle_paths import inclusion_path
from tests.projections.busy_mall import BusyMall, busy_mall

pytestmark = pytest.mark.anyio

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key()
FORGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STREAM = "account:lin"


class Audited(NamedTuple):
    """A mall, its owner's connection, and a head that was kept before more happened."""

    mall: BusyMall
    connection: AsyncConnection[Any]
    schema: str
    kept: SignedHead

    async def export(self, **more: Any) -> bytes:
        return await export_stream(self.connection, self.schema, STREAM, PRIVATE, **more)

    async def head(self) -> SignedHead:
        return await signed_head(self.connection, self.schema, PRIVATE)


@pytest.fixture
async def audited(database: MallDatabase) -> AsyncIterator[Audited]:
    async with (
        busy_mall(database) as mall,
        await AsyncConnection.connect(database.owner_url, autocommit=True) as connection,
    ):
        await mall.happenings(8)
        await mall.order("lin", "T90001", enamel_mug=2)
        kept = await signed_head(connection, database.schema, PRIVATE)
        await mall.cancel("T90001")
        await mall.happenings_again(9)
        yield Audited(mall, connection, database.schema, kept)


async def test_export_is_accepted_when_nothing_was_changed(audited: Audited) -> None:
    """A3: by the newest head, by the public key; without either it proves nothing about us."""
    document = await audited.export()
    head = await audited.head()

    assert head.position > 256  # the tree has stored nodes
    assert check(document, head=head).status == GOOD
    assert check(document, key=PUBLIC).status == GOOD
    assert check(document, head=head, key=PUBLIC).findings == []
    alone = check(document)
    assert alone.status == UNANCHORED
    assert any("itself only" in note for note in alone.notes)


async def test_export_reads_in_clear_when_opened(audited: Audited) -> None:
    """A2, A3: facts by name, their fields, states after each; stored bytes are spelt back."""
    made = json.loads(await audited.export())
    query = SQL("SELECT state FROM {} WHERE originator_id = %s ORDER BY originator_version")
    table = Identifier(audited.schema, "tallypost_events")
    cursor = await audited.connection.execute(query.format(table), (STREAM,))
    stored = [bytes(row[0]) for row in await cursor.fetchall()]

    assert [read_back(one) for one in made["events"]] == stored
    assert made["events"][0]["fact"] == "ledger.PointsGranted"
    assert made["events"][0]["event"]["fact"]["points"] == 600
    assert made["events"][0]["state"]["lots"][0]["points"] == 600
    assert made["versions"] == len(stored)


async def test_export_is_the_same_bytes_when_made_again_later(audited: Audited) -> None:
    """A6: at the position of the first one, whatever happened since and wherever the views are."""
    first = await audited.export()
    position = json.loads(first)["head"]["position"]
    await audited.mall.grant("lin", 70, "later")
    table = Identifier(audited.schema, "tree_nodes")
    await audited.connection.execute(SQL("DELETE FROM {} WHERE block = 0").format(table))

    assert await audited.export(position=position) == first
    assert await audited.export() != first


async def test_export_is_accepted_by_an_earlier_head_when_it_proves_the_growth(
    audited: Audited,
) -> None:
    """A3: a head kept outside before; without the proof, or by a later head, it is refused."""
    kept = audited.kept
    with_proof, without = await audited.export(since=[kept]), await audited.export()
    await audited.mall.grant("lin", 70, "later")
    later = await audited.head()

    assert check(with_proof, head=kept).status == GOOD
    assert "--since-head" in str(check(without, head=kept).findings[0])
    assert "later than the document" in str(check(without, head=later).findings[0])
    forged = replace(kept, root=bytes(32))
    assert check(with_proof, head=forged).status == REFUSED
    with pytest.raises(InvalidRequest):
        await audited.export(position=kept.position - 1, since=[later])


async def test_export_is_refused_when_a_byte_of_it_is_changed(audited: Audited) -> None:
    """A3, D5: any byte: names, digits, digests, braces, spaces, the seal."""
    document = await audited.export(since=[audited.kept])
    rng = random.Random(20260729)
    classes: dict[int, list[int]] = {}
    for at, byte in enumerate(document):
        classes.setdefault(byte, []).append(at)
    places = [rng.choice(ats) for ats in classes.values() for _ in range(3)]
    places += [rng.randrange(len(document)) for _ in range(100)]
    for at in places:
        other = rng.choice([byte for byte in range(256) if byte != document[at]])
        changed = document[:at] + bytes([other]) + document[at + 1 :]
        result = check(changed, key=PUBLIC)
        assert result.status == REFUSED, (at, document[at], other)
        assert result.findings[0].place
    for changed in (document[:-1], document + b" ", document[1:], b"", b"{}", b"[" * 100_000):
        assert check(changed, key=PUBLIC).status == REFUSED


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a figure": (lambda made: made["events"][1]["event"]["fact"].update(points=1), "event 2"),
    "a time": (lambda made: made["events"][1]["event"].update(happened_at="2020"), "event 2"),
    "an actor": (lambda made: made["events"][0]["event"].update(actor="x:y"), "event 1"),
    "a name": (lambda made: made["events"][1].update(fact="ledger.PointsHeld"), "event 2"),
    "a position": (lambda made: made["events"][1].update(position=29), "event 2"),
    "a version": (lambda made: made["events"][1].update(version=3), "event 2"),
    "a state": (lambda made: made["events"][1]["state"].update(debt=1), "event 2"),
    "a path": (lambda made: made["events"][1]["inclusion"].reverse(), "event 2"),
    "the stream": (lambda made: made.update(stream="account:chen"), "event 1"),
    "one missing": (lambda made: made["events"].pop(1), "event 2"),
    "the last missing": (lambda made: made["events"].pop(), "events"),
    "one twice": (lambda made: made["events"].insert(1, made["events"][0]), "event 2"),
    "two swapped": (lambda made: made["events"].reverse(), "event 1"),
    "the head": (lambda made: made["head"].update(position=made["head"]["position"] - 1), "head"),
    "the tenant": (lambda made: made.update(tenant="other"), "tenant"),
    "the growth": (lambda made: made["consistency"][0]["path"].pop(), "consistency 1"),
    "the tool": (lambda made: made.update(tool="tallypost 9"), "seal"),
    "the rules": (lambda made: made.update(fold="0" * 16), "seal"),
    "a field more": (lambda made: made.update(note="ok"), "note"),
}


async def test_place_is_named_when_an_export_is_changed(audited: Audited) -> None:
    """A3: also when whoever changed it sealed it again with a key of his own."""
    document, head = await audited.export(since=[audited.kept]), await audited.head()
    for name, (change, place) in CHANGES.items():
        made = json.loads(document)
        change(made)

        plain = check(rendered(made), key=PUBLIC)
        assert plain.status == REFUSED, name
        assert plain.findings[0].place.startswith(place), (name, plain.findings)

        made.pop("seal")
        resealed = sealed(made, FORGER)
        for anchor in ({"key": PUBLIC}, {"head": audited.kept}, {"head": head}):
            assert check(resealed, **anchor).status == REFUSED, name
        if place != "seal":
            assert check(resealed).status == REFUSED, name


async def test_forged_history_is_refused_when_all_digests_were_made_anew(audited: Audited) -> None:
    """A3, R60: consistent with itself it is; the head or the key kept outside convicts it."""
    made = json.loads(await audited.export())
    events = [
        StoredEvent(at, STREAM, at, one["fact"], read_back(one).replace(b"600", b"900"))
        for at, one in enumerate(made["events"], start=1)
    ]
    leaves = [leaf_hash(*event) for event in events]
    nodes = MemoryNodes(leaves)
    head = SignedHead.sign(
        FORGER,
        tenant=audited.schema,
        position=len(events),
        root=Frontier.empty().extended(leaves).root(),
        recorded_at=audited.kept.recorded_at,
    )
    paths = {event.position: inclusion_path(event.position - 1, len(events), nodes)
             for event in events}  # fmt: skip
    forged = exported(STREAM, events, head=head, paths=paths, private=FORGER)

    assert check(forged).status == UNANCHORED
    assert check(forged, key=PUBLIC).status == REFUSED
    assert check(forged, head=audited.kept).status == REFUSED
    assert check(forged, head=await audited.head()).status == REFUSED


async def test_export_is_not_made_when_the_log_was_tampered_with(audited: Audited) -> None:
    """A3: what we sign we have looked at."""
    table = Identifier(audited.schema, "tallypost_events")
    async with audited.connection.transaction(force_rollback=True):
        await audited.connection.execute("SET LOCAL session_replication_role = replica")
        change = SQL("UPDATE {} SET state = replace(convert_from(state, 'UTF8'), '600', '601')"
                     "::bytea WHERE originator_id = %s")  # fmt: skip
        await audited.connection.execute(change.format(table), (STREAM,))
        with pytest.raises(LogDiffers):
            await audited.export()
    with pytest.raises(NotFound):
        await export_stream(audited.connection, audited.schema, "account:nobody", PRIVATE)


async def test_paths_are_those_of_the_whole_tree_when_read_from_stored_nodes(
    audited: Audited,
) -> None:
    """A3: for every event and every size there was."""
    table = Identifier(audited.schema, "tallypost_events")
    query = SQL(
        "SELECT notification_id, originator_id, originator_version, topic, state FROM {}"
        " ORDER BY notification_id"
    )
    rows = await (await audited.connection.execute(query.format(table), binary=True)).fetchall()
    nodes = MemoryNodes([leaf_hash(*row) for row in rows])
    size = len(rows)
    some = [1, 2, 255, 256, 257, size - 1, size]
    paths = await inclusion_paths(audited.connection, audited.schema, some, size=size)
    assert paths == {one: inclusion_path(one - 1, size, nodes) for one in some}
    assert await consistency(audited.connection, audited.schema, 256, size)
