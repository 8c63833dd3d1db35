"""People who exist only here, sent through everything: nowhere but in the vault (R49, R58)."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from application.embedded import EmbeddedPostgres
from application.logs import configure_logs
from tests.api.conftest import Mall
from tests.reliability.routes import ROUTES, described, named
from tests.reliability.test_bounds import _owner
from tests.reliability.test_callbacks import LINES, Pushing

HERE = str(Path(__file__).parents[2])
"""Where this project lies on the machine."""

pytestmark = pytest.mark.anyio

NAME, STREET = "金丝雀甲乙", "金丝雀路"
PHONE = "13912340987"
CANARY = {
    "name": NAME,
    "phone": f"{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": f"{STREET}9876号5幢4单元321室",
}
WORDS = (NAME, PHONE, PHONE[3:], CANARY["phone"], STREET, "9876号", "321室")
UNMASKED = (NAME, PHONE, "9876号", "321室")
"""What no mask leaves standing; the road's name may be seen."""


def found_in(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Where a canary was heard: (place, word)."""
    return [
        (place, word)
        for place, text in texts
        for word in WORDS
        if word in text or json.dumps(word)[1:-1] in text
    ]


def everything_stored(mall: Mall) -> list[tuple[str, str]]:
    """Every row of every table of the tenant, its keys and jobs, bytes read as text."""
    schema = mall.tenant.schema
    stored = []
    with psycopg.connect(_owner(mall)) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema IN (%s, %s, 'jobs') AND table_type = 'BASE TABLE'",
            (schema, f"{schema}_keys"),
        ).fetchall()
        for place in tables:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*place))
            for row in connection.execute(query).fetchall():
                text = " ".join(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                )
                stored.append((place[1], text))
    assert len({place for place, _ in stored}) > 12
    return stored


async def _speak_of_the_canary(mall: Mall) -> str:
    """Through every route: in order, with every kind of error, pushed by a carrier."""
    placed = await mall.order(("notebook", 1), ("enamel-mug", 1), recipient=CANARY)
    number: str = placed["number"]
    await mall.post("/v1/quotes", _wish(recipient=CANARY))
    await mall.post(f"/v1/orders/{number}/address", {**CANARY, "address": f"{STREET}1号"})
    for name, value in CANARY.items():
        for wrong in (f"{value}\x00", value * 80, f"{value}😀😀", [value], {"a": value}):
            await mall.post("/v1/orders", _wish(recipient={**CANARY, name: wrong}))
        await mall.post("/v1/orders", _wish(recipient={**CANARY, value: value}))
    await mall.post("/v1/orders", _wish(recipient=CANARY, lines=[{"sku": "none", "quantity": 1}]))
    await mall.post("/v1/orders", _wish(recipient={**CANARY, "province": "火星省"}))
    await mall.client.post("/v1/orders", content=json.dumps(CANARY)[:-5].encode())
    for method, path, _ in described(mall.app):
        route = ROUTES[method, path]
        if path.endswith("/live"):
            continue
        role = route.roles[-1] if route.roles else "service"
        body = CANARY if "address" in path else {**(route.body or {}), **CANARY}
        await mall.post(named(path, number=number), body, role=role, method=method)
    for q in (PHONE, PHONE[-4:], CANARY["phone"], NAME):
        await mall.get("/v1/search", role="support", subject="wang", q=q)
        await mall.post("/v1/search", {"q": q}, role="support", subject="wang")
    pushing = Pushing(mall, await mall.ship(number, 1))
    told = [
        (LINES[0][0], f"快递员【王五,电话{PHONE}】正在为您派件", "5"),
        (LINES[1][0], f"已签收,签收人:{NAME},电话:{PHONE}", "3"),
        (LINES[2][0], "包裹已送达您的地址5幢4单元321室", "3"),
    ]
    param = pushing.param(*told)
    assert (await pushing.send(pushing.signed(param))).json()["result"] is True
    unreadable = b'{"status": "none of theirs", "message": "%b %b"}' % (
        NAME.encode(), PHONE.encode(),
    )  # fmt: skip
    assert (await pushing.send(pushing.signed(unreadable))).json()["result"] is True
    assert (await pushing.send(pushing.signed(param, salt=b"x" * 20))).status_code == 401
    await mall.views()
    await _dispute(mall, number)
    await _pack(mall, number)
    await _return(mall, number)
    await _note(mall, number)
    return number


async def _dispute(mall: Mall, number: str) -> None:
    """The canary complains, in words and a file; carrier and staff speak of them, too."""
    told = f"我是{NAME},电话{PHONE},住{STREET}9876号5幢4单元321室"
    case, support = f"/v1/disputes/D-{number}-P1", {"role": "support", "subject": "wang"}
    complaint = {"parcel": f"{number}-P1", "reason": "not_received", "words": told}
    opened = await mall.post(f"/v1/orders/{number}/disputes", complaint)
    assert opened.status_code == 201, opened.text
    answers = [{"question": "door", "answer": "no", "words": told}]
    await mall.post(f"{case}/answers", {"answers": answers})
    headers = {**mall.headers("learner", "lin"), "Idempotency-Key": "canary-file"}
    headers["Content-Type"] = "application/pdf"
    file = b"%PDF-1.7 " + told.encode()
    sent = await mall.client.post(f"{case}/evidence", content=file, headers=headers)
    assert sent.status_code == 201, sent.text
    await mall.post(f"{case}/inquiry", None, **support)
    said = {"result": "misdelivered", "words": told}
    assert (await mall.post(f"{case}/inquiry/answer", said, **support)).status_code == 200
    await mall.views()
    for role in ("support", "auditor"):
        seen = await mall.get(case, role=role, subject="staff")
        assert seen.status_code == 200, seen.text
        assert not [word for word in UNMASKED if word in seen.text]
    own = await mall.get(case)
    assert NAME in own.text
    words = f"{case}/words/{own.json()['said'][0]['position']}/reveals"
    revealed = await mall.post(words, {"reason": "to call back"}, **support)
    assert NAME in revealed.text
    decision = {
        "outcome": "found",
        "reason": "it was there",
        "message": {"zh": f"{NAME}您好", "en": f"Dear {NAME}, {PHONE}"},
    }
    assert (await mall.post(f"{case}/decision", decision, **support)).status_code == 200
    await mall.views()


async def _pack(mall: Mall, number: str) -> None:
    """The case's pack: masked as it is, and with all that the vault keeps once somebody asks."""
    pack = f"/v1/disputes/D-{number}-P1/pack"
    for form in ("json", "html"):
        seen = await mall.get(pack, role="auditor", subject="staff", format=form)
        assert seen.status_code == 200, seen.text
        assert not [word for word in UNMASKED if word in seen.text]
        asked = {"format": form, "reason": "the carrier asks"}
        revealed = await mall.post(pack, asked, role="support", subject="wang")
        assert NAME in revealed.text, revealed.text
        await mall.views()


async def _return(mall: Mall, number: str) -> None:
    """The canary gives something back, and both sides put it in words."""
    told, support = f"{NAME}要退款,电话{PHONE}", {"role": "support", "subject": "wang"}
    wanted = {"remedy": "refund_only", "reason": "damaged", "words": told}
    opened = await mall.post(f"/v1/orders/{number}/returns", wanted)
    assert opened.status_code == 201, opened.text
    await mall.views()
    back = f"/v1/returns/{opened.json()['return']}"
    assert NAME in (await mall.get(back)).text
    for role in ("support", "operations", "auditor"):
        seen = await mall.get(back, role=role, subject="staff")
        assert not [word for word in UNMASKED if word in seen.text]
    message = {"zh": f"{NAME}您好", "en": f"Dear {NAME}, {PHONE}"}
    decided = {"agree": True, "reason": "not worth the way back", "message": message}
    assert (await mall.post(f"{back}/decision", decided, **support)).status_code == 200
    await mall.views()


async def _note(mall: Mall, number: str) -> None:
    """Staff write of the canary beside the order; its whole timeline names nobody."""
    desk, support = f"/v1/support/orders/{number}", {"role": "support", "subject": "wang"}
    told = f"{NAME}来电{PHONE},住{STREET}9876号5幢4单元321室"
    noted = await mall.post(f"{desk}/notes", {"words": told}, **support)
    assert noted.status_code == 201, noted.text
    await mall.views()
    for role in ("support", "auditor"):
        seen = await mall.get(f"{desk}/timeline", role=role, subject="staff")
        assert seen.status_code == 200, seen.text
        assert not [word for word in UNMASKED if word in seen.text]
    (note,) = (one for one in seen.json()["entries"] if one["kind"] == "note")
    revealed = await mall.post(note["said"]["reveal"], {"reason": "to call back"}, **support)
    assert NAME in revealed.text


def _wish(**more: Any) -> dict[str, Any]:
    return {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], **more}


async def test_nobody_is_named_outside_the_vault(
    mall: Mall, postgres: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    """R58: events, views, answers kept, queues, metrics, logs, PostgreSQL's own log: 0 hits;
    what staff and learner see is masked; a reveal shows it, with its reason, on record."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="httpx2")  # the client, who knows what it asks
    number = await _speak_of_the_canary(mall)
    assert found_in(everything_stored(mall)) == []
    assert found_in([("log", caplog.text)]) == []
    metrics = (await mall.client.get("/metrics")).text
    assert found_in([("metrics", metrics)]) == []
    logs = [(str(path), path.read_text(errors="replace")) for path in _server_logs(postgres)]
    assert logs
    assert found_in(logs) == []
    for role in ("learner", "support", "auditor"):
        subject = "lin" if role == "learner" else "staff"
        for path in ("", "/recipient"):
            seen = await mall.get(f"/v1/orders/{number}{path}", role=role, subject=subject)
            assert seen.status_code == 200, (role, path, seen.text)
            assert NAME not in seen.text
            assert PHONE not in seen.text.replace(" ", "")
    masked = (await mall.get(f"/v1/orders/{number}/recipient")).json()["recipient"]
    assert sum(character == "*" for character in masked["phone"]) >= 6
    assert "*" in masked["name"]
    assert "321" not in masked["address"]
    revealed = await mall.post(
        "/v1/audit/reveals",
        {"order": number, "reason": "the carrier asks"},
        role="support",
        subject="wang",
    )
    assert NAME in revealed.text
    assert found_in(everything_stored(mall)) == []


def _server_logs(postgres: EmbeddedPostgres) -> list[Any]:
    return list(postgres._homeward().glob("server.log*"))


async def test_a_canary_is_heard_when_a_body_is_logged(
    mall: Mall, caplog: pytest.LogCaptureFixture
) -> None:
    """R58 CONTROL: one careless log line."""
    caplog.set_level(logging.INFO)
    body = _wish(recipient=CANARY)
    logging.getLogger("careless").info("got %s", json.dumps(body))
    assert found_in([("log", caplog.text)])
    assert mall.app is not None


HOSTILE = (
    '\r\n{"level":"critical","event":"forged"}', "\x1b[31mred\x1b[0m", "a\x00b", "\u2028next",
    "%0d%0aSet-Cookie: a=b", "\n\n2026-01-01 ERROR forged", "\x7f\x9b31m", "${jndi:ldap://x}",
    "'; DROP TABLE x;--", "\ufeff", "<script>alert(1)</script>", "\r", "\x85", "\t" * 50,
)  # fmt: skip
PATHS = ("/v1/orders", "/v1/items", "/v1/nothing", "/v1/learners/lin/statement")


async def test_errors_tell_nothing_and_forge_nothing(
    mall: Mall, capfd: pytest.CaptureFixture[str]
) -> None:
    """R49: CR LF, ANSI, NUL and others everywhere: no trace, SQL or path in any answer; each line
    of the log is one of ours."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    configure_logs()
    answers = []
    try:
        for text in HOSTILE:
            answers += [await mall.get(path, q=text, learner=text, cursor=text) for path in PATHS]
            answers.append(await mall.post("/v1/orders", {"learner": text, "lines": text}))
            answers.append(await mall.post("/v1/points/grants", {text: text}, role="service"))
            logging.getLogger("house").warning("somebody said %s", text)
        mall.app.add_api_route("/broken", _broken, methods=["GET"])
        with pytest.raises(ZeroDivisionError):
            await mall.client.get("/broken")
    finally:
        root.handlers[:], root.level = before[0], before[1]
    for answer in answers:
        for secret in ("Traceback", "SELECT", "psycopg", "site-packages", ".py", HERE, "line "):
            assert secret not in answer.text, answer.text
    lines = [line for line in capfd.readouterr().err.split("\n") if line]
    assert len(lines) >= len(HOSTILE)
    for line in lines:
        said = json.loads(line)
        assert said.get("event") != "forged"
        assert "\x1b" not in line


async def _broken() -> None:
    raise ZeroDivisionError


async def test_an_answer_says_too_much_when_errors_are_shown(mall: Mall) -> None:
    """R49 CONTROL: an endpoint that answers with its exception."""

    @mall.app.get("/chatty")
    async def chatty() -> str:
        try:
            async with mall.tenant.pool.connection() as connection:
                await connection.execute("SELECT nonsense FROM nowhere")
        except psycopg.Error as error:
            return str(error)
        return ""

    assert "SELECT" in (await mall.client.get("/chatty")).text
