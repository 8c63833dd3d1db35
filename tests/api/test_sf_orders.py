"""Waybills ordered of SF itself, on the house's monthly account; the sandbox plays it (T1, W5)."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.sandbox.labels import account
from api.sandbox.sf import CHECK_WORD, PARTNER, SfSandbox
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.settings import Settings
from tests.api.conftest import running
from tests.api.test_labels import Desk
from tests.api.test_partners import Partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk of a mall that sends everything with SF, on its own account there."""
    set_up: dict[str, Any] = {
        name.lower(): value for name, value in account("http://partners").items()
    }
    for name in ("kuaidi100_accounts", "senders"):
        set_up[name] = json.loads(set_up[name])
    sf = {
        "url": "http://partners/sf", "partner": PARTNER, "check_word": CHECK_WORD,
        "monthly_card": "7551234567",
    }  # fmt: skip
    settings = Settings.model_validate(
        {
            "tenant": database.schema, "keys": tmp_path / "keys", "data": tmp_path,
            "trackers": {"sf": sf}, **set_up,
        }
    )  # fmt: skip
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    async with running(settings, database) as mall:
        partners = Partners(mall)
        yield Desk(mall, partners)
        await partners.client.aclose()
        await mall.tenant.payments.aclose()


def sf_of(desk: Desk) -> SfSandbox:
    """What SF knows."""
    found: SfSandbox = desk.partners.app.state.sf
    return found


async def express(desk: Desk) -> tuple[str, str]:
    """An order that SF is chosen for, because it asks next to nothing: its number, its parcel."""
    lane = {"origin": "*", "destinations": ["*"], "rate": {"first_fen": 1, "additional_fen": 0,
            "hours": 24}}  # fmt: skip
    card = {"carrier": "shunfeng", "effective_from": "2026-11-02T00:00:00Z", "lanes": [lane]}
    await desk.change("/v1/rate-cards", card)
    return await desk.released()


async def test_a_parcel_that_sf_takes_gets_its_number_of_sf(desk: Desk) -> None:
    """T1, W5: the aggregator is not asked; who issued it is a fact, and the actor."""
    _, parcel = await express(desk)
    await desk.ask()
    await desk.ask()
    seen = await desk.seen(parcel)
    assert (seen["carrier"], seen["waybill"]) == ("shunfeng", "SF0000000000001")
    assert (sf_of(desk).ordered, desk.service.ordered) == (1, 0)
    path = f"/v1/audit/streams/parcel:{parcel}"
    stream = await desk.mall.get(path, role="auditor", subject="eve")
    (issued,) = [e for e in stream.json()["events"] if e["fact"] == "parcels.LabelIssued"]
    assert issued["actor"] == "partner:sf"


async def test_a_lost_answer_is_asked_for_since_a_second_order_would_be_refused(
    desk: Desk,
) -> None:
    """W5, M2: unknown is not no: asked under its name, it is the first number; ordered once."""
    _, parcel = await express(desk)
    await desk.partners.behave(lose_answers=True)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] is None
    assert sf_of(desk).ordered == 1
    await desk.partners.behave()
    desk.later = timedelta(minutes=5)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] == "SF0000000000001"
    assert sf_of(desk).ordered == 1


async def test_an_order_that_never_came_there_is_ordered_when_it_is_asked_for(desk: Desk) -> None:
    """W5, M2: their system error passes; asked again they know of no such order, and get it."""
    _, parcel = await express(desk)
    await desk.partners.behave(refuse=True)
    await desk.ask()
    assert sf_of(desk).ordered == 0
    await desk.partners.behave()
    desk.later = timedelta(minutes=5)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] == "SF0000000000001"


async def test_what_is_cancelled_gives_its_number_back_to_sf(desk: Desk) -> None:
    """W5, O8: by our own name of the order."""
    number, parcel = await express(desk)
    await desk.ask()
    await desk.mall.post(f"/v1/orders/{number}/cancellation", {"reason": "changed my mind"})
    await desk.ask()
    desk.later = timedelta(minutes=5)
    await desk.ask()
    assert sf_of(desk).cancelled == {f"{parcel}-L1"}
    assert desk.service.cancelled == set()
