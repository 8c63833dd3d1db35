"""Subscribing over HTTP: once per key, own ones only, secrets shown to who made them (N2)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from api import webhooks
from application.dispatching import Dispatcher
from application.gateways.outbound import Outbound
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import Mall
from tests.application.receiver import Subscriber, subscriber, verified
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio
CRM = {"role": "service", "subject": "crm"}
OTHER = {"role": "service", "subject": "other"}
ADMINISTRATOR = {"role": "administrator", "subject": "root"}
PATH = "/v1/webhooks"


@pytest.fixture
async def there() -> AsyncIterator[Subscriber]:
    async with subscriber() as one:
        yield one


@pytest.fixture(autouse=True)
def loopback(mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's switch."""
    monkeypatch.setattr(webhooks, "_loopback", lambda request: True)


async def subscribed(mall: Mall, there: Subscriber, **more: Any) -> dict[str, Any]:
    """A new subscription to orders."""
    body = {"url": there.url, "facts": ["orders.*"], **more}
    answer = await mall.post(PATH, body, **CRM)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def told(mall: Mall) -> None:
    """As the worker's dispatcher does."""
    async with Outbound(loopback=True) as outbound:
        await Dispatcher(mall.tenant, outbound).step()


async def test_order_is_told_with_the_secret_that_was_shown(mall: Mall, there: Subscriber) -> None:
    """N2: subscribe, order, hear of it, signed."""
    made = await subscribed(mall, there)
    placed = await mall.order(("notebook", 1))
    await told(mall)
    (got,) = there.got
    assert verified(made["secret"], got)["data"]["ids"]["order"] == placed["number"]
    tries = (await mall.get(f"{PATH}/{made['id']}/deliveries", **CRM)).json()
    assert [(one["outcome"], one["status"]) for one in tries["deliveries"]] == [("delivered", 204)]
    shown = (await mall.get(f"{PATH}/{made['id']}", **CRM)).json()
    assert shown["position"] == got.position
    assert "secret" not in shown
    assert "owner" not in shown


async def test_same_key_answers_with_the_same_subscription(mall: Mall, there: Subscriber) -> None:
    """Rules 31: sent twice it is one, secret included; another body under the key is refused."""
    body = {"url": there.url, "facts": ["orders.*"]}
    first = await mall.post(PATH, body, key="k1", **CRM)
    again = await mall.post(PATH, body, key="k1", **CRM)
    assert first.json() == again.json()
    assert again.headers["idempotent-replay"] == "true"
    changed = await mall.post(PATH, {**body, "facts": ["ledger.*"]}, key="k1", **CRM)
    assert (changed.status_code, changed.json()["code"]) == (422, "key_reused")
    others = await mall.post(PATH, body, key="k1", **OTHER)
    assert others.json()["id"] != first.json()["id"]
    assert len((await mall.get(PATH, **CRM)).json()) == 1


async def test_subscription_of_somebody_else_is_not_there(mall: Mall, there: Subscriber) -> None:
    """A10: another service gets 404 everywhere, an administrator sees all, learners nothing."""
    made = await subscribed(mall, there)
    one = f"{PATH}/{made['id']}"
    for answer in (
        await mall.get(one, **OTHER),
        await mall.get(f"{one}/deliveries", **OTHER),
        await mall.post(f"{one}/replay", {"from_position": 1}, **OTHER),
        await mall.post(f"{one}/pause", None, **OTHER),
        await mall.post(f"{one}/ping", None, **OTHER),
        await mall.post(one, None, method="DELETE", **OTHER),
    ):
        assert answer.status_code == 404, answer.text
    assert (await mall.get(PATH, **OTHER)).json() == []
    assert len((await mall.get(PATH, **ADMINISTRATOR)).json()) == 1
    assert (await mall.get(PATH, role="learner", subject="lin")).status_code == 403
    assert (await mall.get(PATH, role="support", subject="su")).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://127.0.0.1/", "facts": ["orders.*"]},
        {"url": "http://example.com/", "facts": ["orders.*"]},
        {"url": "https://169.254.169.254/latest", "facts": ["orders.*"]},
        {"url": "https://example.com/", "facts": ["stock.*"]},
        {"url": "https://example.com/", "facts": []},
        {"url": "https://example.com/", "facts": ["orders.*"], "secret": "mine"},
        {"url": "https://example.com/", "facts": ["orders.*"], "from_position": 0},
    ],
)
async def test_unusable_subscription_is_refused(mall: Mall, body: dict[str, Any]) -> None:
    """N2, R40, R43: addresses inside, rooms that are not told, fields that are not asked for."""
    answer = await mall.post(PATH, body, **CRM)
    assert answer.status_code == 422
    assert (await mall.get(PATH, **CRM)).json() == []


async def test_key_is_needed_for_every_change(mall: Mall, there: Subscriber) -> None:
    """Contract: an `Idempotency-Key` on every POST that changes something."""
    answer = await mall.client.post(
        PATH,
        json={"url": there.url, "facts": ["orders.*"]},
        headers=mall.headers("service", "crm"),
    )
    assert answer.json()["code"] == "idempotency_key_missing"


async def test_everything_is_told_again_once_when_replayed(mall: Mall, there: Subscriber) -> None:
    """N2: replay from a position, same ids; the same request again rewinds nothing."""
    made = await subscribed(mall, there)
    await mall.order(("notebook", 1))
    await told(mall)
    path, body = f"{PATH}/{made['id']}/replay", {"from_position": there.positions[0]}
    for _ in range(2):
        assert (await mall.post(path, body, key="again", **CRM)).status_code == 200
        await told(mall)
    assert len(there.ids) == 2
    assert len(set(there.ids)) == 1


async def test_nothing_is_left_out_when_replayed_from_behind_the_cursor(
    mall: Mall, there: Subscriber
) -> None:
    """N2: what was not told yet is told, too, wherever a replay begins."""
    made = await subscribed(mall, there)
    await mall.order(("notebook", 1))
    await mall.order(("notebook", 1))
    head = mall.tenant.store.position
    path = f"{PATH}/{made['id']}/replay"
    assert (await mall.post(path, {"from_position": head + 1}, **CRM)).status_code == 200
    await told(mall)
    assert len(there.got) == 2


async def test_no_position_is_told_from_that_the_log_does_not_have(
    mall: Mall, there: Subscriber
) -> None:
    """N2: all until then would never be told; CONTROL: from the next one on it can be."""
    made = await subscribed(mall, there)
    head = mall.tenant.store.position
    wish = {"url": there.url, "facts": ["orders.*"]}
    for path, body, well in (
        (f"{PATH}/{made['id']}/replay", {}, 200),
        (PATH, wish, 201),
    ):
        ahead = await mall.post(path, {**body, "from_position": head + 2}, **CRM)
        assert ahead.status_code == 422
        (failure,) = ahead.json()["failures"]
        assert (failure["field"], failure["reason"]) == (
            "from_position",
            f"the log ends at {head}",
        )
        next_one = await mall.post(path, {**body, "from_position": head + 1}, **CRM)
        assert next_one.status_code == well
    shown = (await mall.get(f"{PATH}/{made['id']}", **CRM)).json()
    assert shown["position"] <= head


async def test_history_is_told_when_asked_for(mall: Mall, there: Subscriber) -> None:
    """N2: from a position on, what was before the subscription, too."""
    await mall.order(("notebook", 1))
    await subscribed(mall, there, from_position=1)
    await told(mall)
    assert len(there.got) == 1


async def test_pause_resume_and_end(mall: Mall, there: Subscriber) -> None:
    """N2: paused nothing is told, resumed it goes on, deleted it is gone."""
    made = await subscribed(mall, there)
    one = f"{PATH}/{made['id']}"
    assert (await mall.post(f"{one}/pause", None, **CRM)).json()["state"] == "paused"
    await mall.order(("notebook", 1))
    await told(mall)
    assert there.got == []
    assert (await mall.post(f"{one}/resume", None, **CRM)).json()["state"] == "active"
    await told(mall)
    assert len(there.got) == 1
    assert (await mall.post(one, None, method="DELETE", **CRM)).status_code == 204
    assert (await mall.get(one, **CRM)).status_code == 404


async def test_ping_says_what_it_met(mall: Mall, there: Subscriber) -> None:
    """N2: a signed test message at once, under an id of its own; the cursor stays."""
    made = await subscribed(mall, there)
    answer = (await mall.post(f"{PATH}/{made['id']}/ping", None, **CRM)).json()
    assert (answer["delivered"], answer["status"]) == (True, 204)
    assert verified(made["secret"], there.got[0])["type"] == "webhook.ping"
    there.answer = lambda _: 500
    answer = (await mall.post(f"{PATH}/{made['id']}/ping", None, **CRM)).json()
    assert (answer["delivered"], answer["status"]) == (False, 500)
    assert len(set(there.ids)) == 2


async def test_staff_see_how_long_a_subscriber_is_not_reached(
    mall: Mall, there: Subscriber, database: MallDatabase
) -> None:
    """M5: among the troubles since the first failed try, by the clock of the house."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    made = await subscribed(mall, there)
    there.answer = lambda _: 500
    await mall.order(("notebook", 1))
    started = mall.tenant.store.clock()
    for minutes in (0, 20):
        now = started + timedelta(minutes=minutes)
        mall.tenant.store.clock = lambda now=now: now
        await told(mall)
    answer = await mall.get("/v1/troubles", **ADMINISTRATOR)
    (trouble,) = [one for one in answer.json()["troubles"] if one["kind"] == "webhook"]
    assert trouble["age_seconds"] == 20 * 60
    assert datetime.fromisoformat(trouble["since"]) == started
    assert trouble["about"]["failed_tries"] == 2
    shown = (await mall.get(f"{PATH}/{made['id']}", **CRM)).json()
    assert datetime.fromisoformat(shown["troubled_since"]) == started
