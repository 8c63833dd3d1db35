"""Staff are told by their robot, which the sandbox plays: limits, refusals, lost answers (N1)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.sandbox.partners import create_sandbox
from api.sandbox.wecom import KEY, RobotSandbox
from application.asking_partners import Asking
from application.faults import ARMED
from application.gateways.wecom import PATH, Answer, Outcome
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.rules_of import rules_of
from application.telling_staff import TellingStaff
from application.troubles import Trouble, Troubles
from projections.rebuilding import rebuild
from projections.troubles import troubles
from projections.views import all_views
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OPERATIONS = {"role": "operations", "subject": "ops"}
URL = "http://group"


class Group:
    """The staff's group with its robot, and a mall that tells it."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        self.app: FastAPI = create_sandbox(mall.settings.payment_key)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=URL)
        tenant = mall.tenant
        tenant.settings.wecom_url = URL
        tenant.settings.wecom_key = SecretStr(KEY)
        tenant.partners = self.client
        self.now = tenant.store.clock()
        tenant.store.clock = lambda: self.now
        self.telling = self.another()

    def another(self) -> TellingStaff:
        """One more teller, as in another process."""
        tenant = self.mall.tenant
        return TellingStaff(tenant, self.client, partial(troubles, tenant))

    @property
    def robot(self) -> RobotSandbox:
        """What the sandbox knows."""
        robot: RobotSandbox = self.app.state.robot
        return robot

    @property
    def said(self) -> list[str]:
        """What the group read."""
        return [one.markdown for one in self.robot.said]

    async def tell(self, *, after: timedelta = timedelta()) -> Answer | None:
        """Let time pass, then tell."""
        self.now += after
        return await self.telling.tell()

    async def behave(self, **behaviour: object) -> None:
        """Make the robot misbehave."""
        assert (await self.client.post("/behaviour", json=behaviour)).status_code == 200

    async def seen(self) -> Any:
        """What staff see of it."""
        answer = await self.mall.get("/v1/staff-alerts", **OPERATIONS)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def group(mall: Mall, database: MallDatabase) -> AsyncIterator[Group]:
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    real = mall.tenant.partners
    group = Group(mall)
    yield group
    await group.client.aclose()
    mall.tenant.partners = real


async def untracked(mall: Mall) -> str:
    """A parcel that nobody watches."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number, number_on_it=f"SF{number}"[:20])
    await mall.views()
    return parcel


async def test_a_trouble_is_told_when_it_comes_when_it_is_old_and_when_it_is_over(
    mall: Mall, group: Group
) -> None:
    """N1: once, however often it is looked; again after a day; solved once."""
    assert await group.tell() is None
    parcel = await untracked(mall)
    told = await group.tell(after=timedelta(minutes=10))
    assert told is not None
    assert told.outcome is Outcome.DELIVERED
    assert f"> [{parcel}](" in group.said[0]
    for _ in range(3):
        assert await group.tell(after=timedelta(minutes=1)) is None
    (known,) = (await group.seen())["told"]
    assert (known["kind"], known["about"]["parcel"]) == ("unwatched_parcel", parcel)
    await group.tell(after=timedelta(hours=24))
    assert "仍未解决" in group.said[1]
    group.mall.tenant.settings.kuaidi100_url = URL
    await Asking(mall.tenant, group.client).ask()
    await mall.views()
    await group.tell(after=timedelta(minutes=1))
    assert "已解决" in group.said[2]
    assert f"> {parcel}" in group.said[2]
    known = (await group.seen())["told"]  # others came with the days
    assert not [one for one in known if one["kind"] == "unwatched_parcel"]


async def test_what_passes_at_once_is_not_told(mall: Mall, group: Group) -> None:
    """N1, M1: a lag of one look is none; one that lasts is told, and told to be over."""
    found: list[Trouble] = []

    async def find() -> Troubles:
        return Troubles(found)

    telling = TellingStaff(mall.tenant, group.client, find)
    about = {"whose": "tallypost", "target": "sync_lag_seconds", "value": 9.0, "aim": 5.0}
    lag = Trouble("missed_target", "", None, None, about)
    for standing in ([lag], [], [lag]):
        found[:] = standing
        assert await telling.tell() is None
    assert await telling.tell() is not None
    assert "本系统 · 同步延迟不超过 5 秒" in group.said[0]
    found[:] = []
    assert await telling.tell() is not None
    assert "已解决 1 项" in group.said[1]


async def test_one_message_tells_all_that_came_up_and_two_tellers_tell_it_once(
    mall: Mall, group: Group
) -> None:
    """N1: grouped; in any number of processes."""
    parcels = [await untracked(mall) for _ in range(2)]
    group.now += timedelta(minutes=10)
    tellers = [group.telling, *(group.another() for _ in range(4))]
    said = await asyncio.gather(*(one.tell() for one in tellers))
    assert [one.outcome for one in said if one] == [Outcome.DELIVERED]
    (message,) = group.said
    assert "(2)" in message
    assert all(parcel in message for parcel in parcels)


async def test_a_minute_is_waited_when_the_robot_hears_too_much(mall: Mall, group: Group) -> None:
    """N1: 45009; sixty seconds at least; what came up meanwhile is in the one message."""
    for _ in range(20):
        assert group.robot.take(b'{"msgtype":"markdown","markdown":{"content":"x"}}')[0] == 0
    await untracked(mall)
    refused = await group.tell(after=timedelta(minutes=10))
    assert refused is not None
    assert refused.code == 45009
    group.robot.clock = lambda: (
        datetime.now(UTC) + timedelta(days=1)
    )  # a minute later, for the robot
    assert await group.tell(after=timedelta(seconds=59)) is None
    other = await untracked(mall)
    assert (await group.seen())["robot"] == "waiting"
    told = await group.tell(after=timedelta(minutes=10))
    assert told is not None
    assert told.outcome is Outcome.DELIVERED
    assert other in group.said[-1]
    assert (await group.seen())["robot"] == "ok"


async def test_no_more_than_twenty_messages_leave_in_a_minute(mall: Mall, group: Group) -> None:
    """N1: counted by rows, so by all processes; the twenty-first waits its time."""
    for _ in range(20):
        assert (await mall.post("/v1/staff-alerts/test", {}, **OPERATIONS)).json()["delivered"]
    answer = await mall.post("/v1/staff-alerts/test", {}, **OPERATIONS)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    await untracked(mall)
    assert await group.tell(after=timedelta(seconds=59)) is None
    group.robot.clock = lambda: datetime.now(UTC) + timedelta(days=1)
    assert await group.tell(after=timedelta(minutes=10)) is not None
    assert len(group.said) == 21


async def test_a_robot_that_is_gone_is_left_alone_and_shown(mall: Mall, group: Group) -> None:
    """N1: 93000 is for good: one try, on the page and in the list, until a test or another key."""
    await group.behave(dismiss=True)
    await untracked(mall)
    refused = await group.tell(after=timedelta(minutes=10))
    assert refused is not None
    assert refused.outcome is Outcome.REFUSED
    for _ in range(3):
        assert await group.tell(after=timedelta(days=1)) is None
    seen = await group.seen()
    assert seen["robot"] == "refused"
    assert seen["cause"].startswith("93000 invalid webhook url")
    listed = (await mall.get("/v1/troubles", **OPERATIONS)).json()["troubles"]
    assert [one["kind"] for one in listed if one["kind"] == "robot_refused"]
    await group.behave()
    assert await group.tell(after=timedelta(days=1)) is None  # nobody said that it is back
    tested = await mall.post("/v1/staff-alerts/test", {}, **OPERATIONS)
    assert tested.json()["delivered"]
    assert await group.tell(after=timedelta(minutes=1)) is not None
    await group.behave(dismiss=True)
    await group.tell(after=timedelta(days=2))
    await group.behave()
    mall.tenant.settings.wecom_key = SecretStr("another")
    assert await group.tell(after=timedelta(minutes=1)) is not None  # asked anew, in vain
    assert (await group.seen())["robot"] == "refused"


@pytest.mark.parametrize("trouble", ["refuse", "lose_answers"])
async def test_it_is_told_again_when_nobody_knows_whether_it_arrived(
    mall: Mall, group: Group, trouble: str
) -> None:
    """N1, M2: errcode -1, a lost answer: longer and longer pauses, nothing lost."""
    await group.behave(**{trouble: True})
    parcel = await untracked(mall)
    first = await group.tell(after=timedelta(minutes=10))
    assert first is not None
    assert first.outcome is Outcome.FAILED
    assert await group.tell(after=timedelta(seconds=14)) is None
    assert await group.tell(after=timedelta(seconds=1)) is not None
    assert await group.tell(after=timedelta(seconds=29)) is None
    assert (await group.seen())["told"] == []
    await group.behave()
    assert await group.tell(after=timedelta(seconds=1)) is not None
    assert parcel in group.said[-1]
    assert len((await group.seen())["messages"]) == 3


async def test_it_is_told_again_when_the_teller_died_before_noting_it(
    mall: Mall, group: Group
) -> None:
    """N1, R02: at least once: the lease runs out, the same message comes twice, then no more."""
    parcel = await untracked(mall)
    group.now += timedelta(minutes=10)

    def die() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        raise asyncio.CancelledError

    ARMED["staff_told"] = die
    try:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(group.telling.tell())
    finally:
        del ARMED["staff_told"]
    assert (await group.seen())["told"] == []
    async with mall.tenant.pool.connection() as connection:
        await connection.execute(
            f"UPDATE {mall.tenant.schema}.alert_robot SET claimed_until = now() - interval '1 s'"
        )
    again = group.another()
    assert await again.tell() is not None
    assert await again.tell() is None
    assert [parcel in said for said in group.said] == [True, True]


async def test_the_key_is_said_nowhere(
    mall: Mall, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    """N1: not in logs, answers or rows, also where the partner repeats it or cannot be reached."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # as `configure_logs` does
    secret = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    mall.tenant.settings.wecom_key = SecretStr(secret)
    heard: list[httpx2.Request] = []

    async def repeats(request: httpx2.Request) -> httpx2.Response:
        heard.append(request)
        if len(heard) == 1:
            raise httpx2.ConnectError(f"nobody at {request.url}", request=request)
        return httpx2.Response(200, json={"errcode": 93000, "errmsg": f"no robot {request.url}"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(repeats)) as client:
        mall.tenant.partners = client
        answers = [await mall.post("/v1/staff-alerts/test", {}, **OPERATIONS) for _ in range(2)]
    assert heard[0].url.path == PATH
    assert heard[0].url.params["key"] == secret
    assert [one.json()["code"] for one in answers] == [None, 93000]
    said = [one.text for one in answers] + [str(await group.seen()), caplog.text]
    async with mall.tenant.pool.connection() as connection:
        for table in ("alert_robot", "alert_messages", "alerts"):
            rows = await connection.execute(f"SELECT * FROM {mall.tenant.schema}.{table}".encode())
            said.append(str(await rows.fetchall()))
    assert not [one for one in said if secret in one]
    assert secret not in repr(mall.tenant.settings)


async def test_nothing_is_told_when_no_robot_is_set(mall: Mall, group: Group) -> None:
    """N1: off by itself; the page says so; a test is refused with what to set."""
    mall.tenant.settings.wecom_key = None
    await untracked(mall)
    assert await group.tell(after=timedelta(minutes=10)) is None
    assert (await group.seen())["robot"] == "off"
    refused = await mall.post("/v1/staff-alerts/test", {}, **OPERATIONS)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_robot")


async def test_what_was_told_stays_told_when_the_views_are_folded_anew(
    mall: Mall, group: Group, database: MallDatabase
) -> None:
    """N1: a rebuild finds the same troubles, and tells nothing of them."""
    await untracked(mall)
    assert await group.tell(after=timedelta(minutes=10)) is not None
    await rebuild(
        database.owner_url,
        schema=database.schema,
        views=all_views(rules_of(mall.settings)),
        progress=lambda done, of: None,
    )
    assert await group.tell(after=timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 40008),
        (b'{"msgtype":"text","text":{"content":"x"}}', 40008),
        ('{"msgtype":"markdown","markdown":{"content":"%s"}}' % ("包" * 1366), 40058),
        ('{"msgtype":"markdown","markdown":{"content":"%s"}}' % ("包" * 1365), 0),
    ],
)
async def test_the_sandbox_takes_what_the_robot_would(
    group: Group, body: str | bytes, code: int
) -> None:
    """M3 CONTROL: format and length are checked; 200 whatever it says (wire 4)."""
    answer = await group.client.post(PATH, params={"key": KEY}, content=body)
    assert (answer.status_code, answer.json()["errcode"]) == (200, code)
    gone = await group.client.post(PATH, params={"key": "none"}, content=body)
    assert (gone.status_code, gone.json()["errcode"]) == (200, 93000)
