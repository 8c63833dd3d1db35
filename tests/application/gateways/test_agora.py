"""Agora's tokens and answers, as the vendor writes them (N3; wire 5)."""

import httpx2
import pytest
from pydantic_core import from_json

from application.gateways.agora import App, Outcome

pytestmark = pytest.mark.anyio

APP_ID, CERTIFICATE = "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"
SIGNED = (
    "20000d9a1df8a4e60649a82d4a68fb1f49581fb4d227b8f0b65773b79f1c89e7eb7c"
    "2000393730434133356465363063343436343562626165386132313530363162333347f4100058020000"
    "010000000100020001000100580200000900746573745f75736572"
)


def test_a_token_is_the_vendors_when_given_its_constants() -> None:
    """N3: the vector of wire 5, before compression, which differs between builds of zlib."""
    app = App("", APP_ID, CERTIFICATE)
    signed = app.signed("test_user", issued=1111111, lives=600, salt=1)
    assert signed.hex() == SIGNED
    token = app.token("test_user", issued=1111111, lives=600, salt=1)
    assert token.startswith("007eJx")
    assert CERTIFICATE not in repr(app)


@pytest.mark.parametrize("wrong", ["", "970CA35de60c44645bbae8a215061b3", "z" * 32, "0" * 33])
def test_an_app_is_refused_when_its_id_or_certificate_is_none(wrong: str) -> None:
    for app_id, certificate in ((wrong, CERTIFICATE), (APP_ID, wrong)):
        with pytest.raises(ValueError, match="hexadecimal"):
            App("", app_id, certificate)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"result":"success","code":"message_sent"}', Outcome.TAKEN),
        (200, b'{"result":"failed"}', Outcome.FAILED),
        (200, b"<html>", Outcome.FAILED),
        (400, b"", Outcome.UNUSABLE),
        (401, b"", Outcome.CLOSED),
        (404, b"", Outcome.CLOSED),
        (408, b"", Outcome.FAILED),
        (429, b'{"result":"success"}', Outcome.FAILED),
        (503, b"", Outcome.FAILED),
    ],
)
async def test_what_follows_from_an_answer(status: int, body: bytes, outcome: Outcome) -> None:
    """N3: taken, to be tried again, of no use, or nothing will be taken."""
    asked: list[httpx2.Request] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(status, content=body)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        app = App("http://agora", APP_ID, CERTIFICATE)
        said = await app.send("u1", {"zh": "签收"}, token="007x", client=client)
    assert said.outcome is outcome
    assert asked[0].url.path == f"/dev/v2/project/{APP_ID}/rtm/users/tallypost/peer_messages"
    assert (asked[0].headers["x-agora-token"], asked[0].headers["x-agora-uid"]) == (
        "007x",
        "tallypost",
    )
    assert from_json(asked[0].content) == {
        "destination": "u1",
        "payload": '{"zh":"签收"}',
        "enable_offline_messaging": False,
        "enable_historical_messaging": False,
    }
