"""Personal data over HTTP: masked, revealed with a reason, held, erased."""

import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from application.embedded import pg_binary
from application.key_rotation import MASTER_KEYS, add_master_key, rewrap_all
from application.migrating import SERVICE_ROLE
from application.rules_of import rules_of
from application.vault import MasterKeys, Unreadable, Vault
from projections.verifying import verify
from projections.views import all_views
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
ADMINISTRATOR: dict[str, Any] = {"role": "administrator", "subject": "root"}
CANARY = {
    **RECIPIENT,
    "name": "司马金丝雀",
    "phone": "13987654321",
    "address": "灵隐路 77 号 5 幢 1903",
}
TRACES = ("司马金丝雀", "金丝雀", "13987654321", "987654321", "灵隐路 77", "幢 1903")


async def facts(mall: Mall, stream: str) -> list[dict[str, Any]]:
    answer = await mall.get(f"/v1/audit/streams/{stream}", role="auditor", subject="audit")
    if answer.status_code == 404:
        return []
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def dumped(database: MallDatabase, *schemas: str) -> str:
    """These schemas as a dump, bytes as text, too."""
    with psycopg.connect(database.owner_url) as connection:
        host, port = connection.info.host, str(connection.info.port)
        user, name = connection.info.user, connection.info.dbname
    wanted = [f"--schema={schema}" for schema in schemas]
    arguments = ["-h", host, "-p", port, "-U", user, "-d", name, *wanted]
    return subprocess.run(
        [str(pg_binary("pg_dump")), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PGCLIENTENCODING": "UTF8"},
    ).stdout


def traces(dump: str) -> list[str]:
    """Traces of the person in a dump, in clear or in the hex that dumps write bytes in."""
    return [one for one in TRACES if one in dump or one.encode().hex() in dump]


async def test_recipient_is_masked_when_staff_or_the_learner_look(mall: Mall) -> None:
    """A4: name, phone and room are hidden; a learner reaches nobody else's."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    for role in ("support", "operations", "auditor", "administrator", "learner"):
        answer = await mall.get(f"/v1/orders/{number}/recipient", role=role, subject="lin")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        shown = answer.json()["recipient"]
        assert (shown["name"], shown["phone"]) == ("司****", "1******4321")
        assert shown["address"] == "灵隐路***"
    other = await mall.get(f"/v1/orders/{number}/recipient", subject="chen")
    assert other.status_code == 404


async def test_each_reveal_is_one_record_when_support_gives_a_reason(mall: Mall) -> None:
    """A4, R58, R60: actor, reason and case are in the log before the card is shown."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    body = {"order": number, "reason": "carrier asks for the door", "case": "D-7"}
    shown = await mall.post("/v1/audit/reveals", body, **SUPPORT, key="once")
    again = await mall.post("/v1/audit/reveals", body, **SUPPORT, key="once")
    assert shown.status_code == 200, shown.text
    assert shown.json()["recipient"]["name"] == CANARY["name"]
    assert shown.json()["recipient"]["phone"] == "+8613987654321"
    assert shown.headers["Cache-Control"] == "no-store"
    assert again.json() == shown.json()
    (one,) = await facts(mall, "privacy:lin")
    assert one["fact"] == "privacy.CardRevealed"
    assert (one["actor"], one["reason"]) == ("support:wang", body["reason"])
    told = {"card": shown.json()["card"], "order": number, "case": "D-7"}
    assert one["data"] == {**told, "parcel": None, "approval": None}

    by_card = {"card": shown.json()["card"], "reason": "again"}
    assert (await mall.post("/v1/audit/reveals", by_card, **ADMINISTRATOR)).status_code == 200
    assert len(await facts(mall, "privacy:lin")) == 2
    await mall.views()
    timeline = await mall.get(f"/v1/audit/orders/{number}", **SUPPORT)
    assert "privacy.CardRevealed" in [event["fact"] for event in timeline.json()["events"]]


async def test_nothing_is_shown_when_a_reveal_is_refused(mall: Mall) -> None:
    """A4, A10: without reason, for other roles, for cards that are not there."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    course = (await mall.order(("python-course", 1), recipient=None))["number"]
    good = {"order": number, "reason": "call back"}
    for role in ("learner", "service", "operations", "auditor"):
        answer = await mall.post("/v1/audit/reveals", good, role=role, subject="lin")
        assert answer.status_code == 403
    for body, status in (
        ({"order": number}, 422),
        ({"order": number, "reason": " "}, 422),
        ({"reason": "x"}, 422),
        ({"order": number, "card": "0" * 32, "reason": "x"}, 422),
        ({"card": "0" * 32, "reason": "x"}, 404),
        ({"order": "T0", "reason": "x"}, 404),
        ({"order": course, "reason": "x"}, 409),
    ):
        answer = await mall.post("/v1/audit/reveals", body, **SUPPORT)
        assert answer.status_code == status, (body, answer.text)
        assert traces(answer.text) == []
    assert await facts(mall, "privacy:lin") == []


async def test_held_data_is_only_stored_when_a_legal_hold_is_placed(mall: Mall) -> None:
    """R59, rules.md 30: neither shown nor erased until the last hold is lifted."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    holds = "/v1/learners/lin/legal-holds"
    reveal = {"order": number, "reason": "call back"}
    shown = await mall.post("/v1/audit/reveals", reveal, **SUPPORT, key="before")
    assert shown.status_code == 200
    for matter in ("2026-17", "2026-18", "2026-17"):
        answer = await mall.post(holds, {"matter": matter, "reason": "court"}, **ADMINISTRATOR)
        assert answer.status_code == 200, answer.text
    assert answer.json()["holds"] == ["2026-17", "2026-18"]

    async def refused() -> None:
        erasing = await mall.post(
            "/v1/learners/lin/erasure", {"reason": "asked to"}, **ADMINISTRATOR
        )
        for one in (
            erasing,
            await mall.post("/v1/audit/reveals", reveal, **SUPPORT),
            await mall.post("/v1/audit/reveals", reveal, **SUPPORT, key="before"),
            await mall.get(f"/v1/orders/{number}/recipient", **SUPPORT),
        ):
            assert (one.status_code, one.json()["code"]) == (409, "legal_hold")
            assert traces(one.text) == []

    await refused()
    lifting = {"reason": "settled"}
    lifted = await mall.post(f"{holds}/2026-17/lifting", lifting, **ADMINISTRATOR)
    assert lifted.json()["holds"] == ["2026-18"]
    await refused()
    twice = await mall.post(f"{holds}/2026-17/lifting", lifting, **ADMINISTRATOR)
    assert twice.json()["code"] == "not_possible"
    await mall.post(f"{holds}/2026-18/lifting", lifting, **ADMINISTRATOR)
    assert (await mall.post("/v1/audit/reveals", reveal, **SUPPORT)).status_code == 200
    staff = await mall.post(holds, {"matter": "x", "reason": "y"}, **SUPPORT)
    assert staff.status_code == 403


async def test_person_is_gone_everywhere_when_erased(mall: Mall, database: MallDatabase) -> None:
    """A4, R59: tables, dump, an older backup with the living keys; history and figures stay."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    card = (await facts(mall, f"order:{number}"))[0]["data"]["destination"]["card"]
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "over"})
    await mall.views()
    older = dumped(database, database.schema)
    keys = dumped(database, f"{database.schema}_keys")
    assert traces(older) == []  # sealed from the first moment on
    balance, history = await mall.balance(), await facts(mall, f"order:{number}")

    nobody = await mall.post("/v1/learners/nobody/erasure", {"reason": "x"}, **ADMINISTRATOR)
    assert nobody.status_code == 404
    staff = await mall.post("/v1/learners/lin/erasure", {"reason": "x"}, **SUPPORT)
    assert staff.status_code == 403
    erased = await mall.post("/v1/learners/lin/erasure", {"reason": "asked to"}, **ADMINISTRATOR)
    assert erased.json()["status"] == "erased"
    await mall.views()

    now = dumped(database, database.schema, f"{database.schema}_keys")
    assert traces(now) == []
    assert "COPY" in now
    with psycopg.connect(database.owner_url) as connection:
        for schema, table in (
            (database.schema, "cards"),
            (f"{database.schema}_keys", "subject_keys"),
        ):
            query = SQL("SELECT count(*) FROM {} WHERE subject = 'lin'")
            counted = connection.execute(query.format(Identifier(schema, table))).fetchone()
            assert counted == (0,)
    # What the older backup holds of the card opens with no key that still lives.
    assert card.replace("-", "") in older.replace("-", "")
    assert "lin\t" in keys
    assert "lin\t" not in dumped(database, f"{database.schema}_keys")
    for answer in (
        await mall.get(f"/v1/orders/{number}/recipient", **SUPPORT),
        await mall.post("/v1/audit/reveals", {"card": card, "reason": "x"}, **SUPPORT),
    ):
        assert answer.status_code == 404
    assert await facts(mall, f"order:{number}") == history
    after = await mall.balance()
    gone = {"position": 0, "status": "erased"}
    assert {**after, **gone} == {**balance, **gone}
    views = all_views(rules_of(mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []
    late = {"order": number, "reason": "too late"}
    assert (await mall.post("/v1/audit/reveals", late, **SUPPORT)).status_code == 404


async def test_cards_open_with_the_new_master_key_when_keys_were_rewrapped(
    mall: Mall, database: MallDatabase
) -> None:
    """A4: no card is touched; the old master key alone opens nothing any more."""
    number = (await mall.order(("enamel-mug", 1), recipient=CANARY))["number"]
    folder: Path = mall.settings.key_folder
    old = MasterKeys.load(folder / MASTER_KEYS)
    ring = add_master_key(folder)
    with psycopg.connect(database.owner_url) as connection:
        keys = SQL("SELECT subject, wrapped FROM {} ORDER BY 1").format(
            Identifier(f"{database.schema}_keys", "subject_keys")
        )
        before: dict[str, bytes] = dict(connection.execute(keys).fetchall())
        connection.commit()

        changed = await rewrap_all(database.service_url, schema=database.schema, master=ring)
        again = await rewrap_all(database.service_url, schema=database.schema, master=ring)

        after: dict[str, bytes] = dict(connection.execute(keys).fetchall())
    assert (changed, again) == (len(before), 0)
    assert before.keys() == after.keys() == {"lin"}
    with pytest.raises(Unreadable):
        Vault(old, tenant=database.schema).unwrap("lin", after["lin"])
    # The running process read its ring before the rotation, and reads it again by itself.
    reveal = {"order": number, "reason": "call back"}
    shown = await mall.post("/v1/audit/reveals", reveal, **SUPPORT)
    assert shown.json()["recipient"]["name"] == CANARY["name"]
    assert SERVICE_ROLE in database.service_url


async def test_a_learner_is_not_erased_when_a_parcel_is_still_to_come(mall: Mall) -> None:
    """A4: erased after the order ended; until then somebody has to be able to receive it."""
    placed = await mall.order(("notebook", 1))
    erasure = {"reason": "asked for it"}
    boss = {"role": "administrator", "subject": "boss"}
    refused = await mall.post("/v1/learners/lin/erasure", erasure, **boss)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert placed["number"] in refused.json()["detail"]
    await mall.post(f"/v1/orders/{placed['number']}/cancellation", {"reason": "x"})
    await mall.views()
    done = await mall.post("/v1/learners/lin/erasure", erasure, **boss)
    assert (done.status_code, done.json()["status"]) == (200, "erased")


async def test_nothing_leaves_when_the_recipient_was_erased_meanwhile(mall: Mall) -> None:
    """A4: erasing goes by a view that may lag; packing and hand-over look at the log itself."""
    wish = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}
    placed = (await mall.post("/v1/orders", wish)).json()  # the views do not know of it yet
    boss = {"role": "administrator", "subject": "boss"}
    done = await mall.post("/v1/learners/lin/erasure", {"reason": "x"}, **boss)
    await mall.views()  # what no view has seen is not packed at all (O7)
    packed = await mall.post(
        "/v1/parcels", {"order": placed["number"]}, role="operations", subject="ops"
    )
    assert (done.status_code, packed.status_code) == (200, 409)
    assert packed.json()["detail"].endswith("the recipient was erased")


async def test_what_learners_say_of_themselves_is_in_no_event(
    mall: Mall, database: MallDatabase
) -> None:
    """A4, rule 30: their own words are a note that staff read and that can be erased."""
    number = (await mall.order(("notebook", 1)))["number"]
    words = "我是司马金丝雀,住灵隐路 77 号,不想要了"
    path = f"/v1/orders/{number}/cancellation"
    assert (await mall.post(path, {"reason": words})).status_code == 200
    await mall.views()
    dump = dumped(database, database.schema, f"{database.schema}_keys")
    assert [trace for trace in TRACES if trace in dump] == []
    for stream in (f"order:{number}", "account:lin"):
        reasons = {event["reason"] for event in await facts(mall, stream)}
        assert not {one for one in reasons if one and "金丝雀" in one}
    noted = await facts(mall, f"notes:{number}")
    assert [event["actor"] for event in noted] == ["learner:lin"]
    again = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{again}/cancellation"
    assert (await mall.post(path, {"reason": "ordered_twice"})).status_code == 200
    assert await facts(mall, f"notes:{again}") == []
