"""Secrets shared with partners are replaced while messages come (R39)."""

import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from api.sandbox.sf import PARTNER
from application.gateways.payment import SIGNATURE, sign
from application.gateways.trackers.sf import DIGEST, TIMESTAMP, digest
from application.settings import Settings
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OLD, NEW = "old-secret-0001", "new-secret-0002"
MESSAGES = 1_000
REPLACED_HERE, REPLACED_THERE, WINDOW_OVER = 300, 500, 800
"""Before which message each side takes the new secret, and ours lets go of the old one."""
_tokens = itertools.count()


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """A mall with an account at SF and at the payment provider."""
    account = {"url": "http://partners/sf", "partner": PARTNER, "check_word": OLD}
    settings = Settings.model_validate(
        {
            "tenant": database.schema,
            "keys": tmp_path / "keys",
            "data": tmp_path,
            "payment_secret": OLD,
            "trackers": {"sf": {**account, "signed": "yes"}},
        }
    )
    async with running(settings, database) as mall:
        yield mall


def use(mall: Mall, secrets: str) -> None:
    """What a start with other settings would have."""
    settings = mall.tenant.settings
    settings.trackers["sf"]["check_word"] = secrets
    read = Settings.model_validate({"tenant": settings.tenant, "payment_secret": secrets})
    settings.__dict__["payment_keys"] = read.payment_keys


async def pushed(mall: Mall, word: str) -> int:
    """A push of SF, signed with a check word."""
    route = {"id": "1", "mailno": "SF7777777777777", "remark": "已收取快件", "opCode": "50"}
    body = json.dumps({"Body": {"WaybillRoute": [route]}})
    at = str(int(datetime.now(UTC).timestamp() * 1_000))
    headers = {TIMESTAMP: at, DIGEST: digest(body, timestamp=at, check_word=word)}
    path = f"/v1/callbacks/carriers/{mall.tenant.callback_links.key('sf')}"
    answer = await mall.client.post(path, content=body.encode(), headers=headers)
    return answer.status_code


async def noticed(mall: Mall, order: str, secret: str) -> int:
    """A notice of the payment provider: an attempt that failed, another one each time."""
    notice = {
        "order": order, "attempt": f"A-{next(_tokens)}", "outcome": "failed",
        "amount_fen": 1_900, "at": "2026-03-01T00:00:00Z",
    }  # fmt: skip
    body = json.dumps(notice).encode()
    path = f"/v1/callbacks/payment/{mall.tenant.callback_links.key(order)}"
    headers = {SIGNATURE: sign(body, secret.encode())}
    return (await mall.client.post(path, content=body, headers=headers)).status_code


@pytest.mark.slow
async def test_no_message_is_refused_while_a_secret_is_replaced(mall: Mall) -> None:
    """R39: each side in its own time, 0 of 1,000 wrongly refused; after the window the old is."""
    order = (await mall.order(("tea-set", 1)))["number"]
    refused = []
    for nth in range(MESSAGES):
        if nth == REPLACED_HERE:
            use(mall, f"{NEW} {OLD}")
        if nth == WINDOW_OVER:
            use(mall, NEW)
        theirs = NEW if nth >= REPLACED_THERE else OLD
        one = pushed(mall, theirs) if nth % 2 else noticed(mall, order, theirs)
        if await one != 200:
            refused.append(nth)
    assert refused == []
    assert (await pushed(mall, OLD), await noticed(mall, order, OLD)) == (401, 401)


async def test_a_secret_that_is_not_there_yet_or_any_more_is_refused(mall: Mall) -> None:
    """R39: CONTROL: with one secret alone, whoever replaces it first loses messages."""
    order = (await mall.order(("tea-set", 1)))["number"]
    assert (await pushed(mall, NEW), await noticed(mall, order, NEW)) == (401, 401)
    use(mall, f"{NEW} {OLD}")
    for secret, status in ((NEW, 200), (OLD, 200), (f"{NEW} {OLD}", 401), ("", 401)):
        assert (await pushed(mall, secret), await noticed(mall, order, secret)) == (status, status)


def test_the_newest_secret_signs(tmp_path: Path) -> None:
    """R39: as in the setting, or line by line in the key folder; none at all is refused."""
    settings = Settings(keys=tmp_path, payment_secret=SecretStr(f"{NEW} {OLD}"))
    assert (settings.payment_key, settings.payment_keys) == (
        NEW.encode(), (NEW.encode(), OLD.encode()),
    )  # fmt: skip
    one = Settings(keys=tmp_path)
    path = tmp_path / "payment.secret"
    assert one.payment_keys == (path.read_bytes(),)
    path.write_bytes(b"ff\n" + one.payment_key + b"\n")
    assert Settings(keys=tmp_path).payment_keys == (b"ff", one.payment_key)
    with pytest.raises(ValidationError):
        Settings(keys=tmp_path, payment_secret=SecretStr(" "))
