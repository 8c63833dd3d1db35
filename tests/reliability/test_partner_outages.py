"""Each partner is away for a while, by the sandbox's script: seen, nothing lost (M2, M3).

The sandbox plays all of them behind the guarded way that the service has, and a script takes one of
them away. Time is moved by hand: for the house and its partners alike, and for the script.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from pydantic_core import from_json

from api.sandbox.agora import signalling
from api.sandbox.behaviour import PARTNERS
from api.sandbox.carriers import ACCOUNTS
from api.sandbox.partners import create_sandbox
from api.sandbox.sf import CHECK_WORD, PARTNER
from api.sandbox.third_party import third_parties
from api.sandbox.wecom import robot
from application.asking_partners import Asking
from application.consigning import CONSIGN
from application.dispatching import Dispatcher
from application.gateways.guarded import Guarded, OwnPace
from application.gateways.payment import PaymentProvider
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import sweep
from application.pushing_consignments import Consignments
from application.querying import Querying
from application.settings import Settings
from application.signaling import Signals
from application.telling_staff import TellingStaff
from projections.troubles import troubles
from tests.api.conftest import Mall, running
from tests.api.test_crm import Line
from tests.conftest import MallDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120)]

URL = "http://partners"
OPERATIONS: dict[str, Any] = {"role": "operations", "subject": "ops"}
CRM: dict[str, Any] = {"role": "service", "subject": "crm"}
DEPOT = "shaanxi"
CARRIERS = {"zto": "zhongtong", "yto": "yuantong", "sto": "shentong"}
OUTAGE_SECONDS = 60.0


class Town:
    """A mall and its partners."""

    def __init__(self, mall: Mall) -> None:
        self.mall, self.tenant = mall, mall.tenant
        self.later = timedelta()
        self.script_seconds = 0.0
        self.tenant.store.clock = self.clock
        there = httpx2.ASGITransport(app=mall.app)
        self.app = create_sandbox(mall.settings.payment_key, mall=there, clock=self.clock)
        self.app.state.sandbox.stage.clock = lambda: self.script_seconds
        reached = httpx2.ASGITransport(app=self.app)
        self.by_hand = httpx2.AsyncClient(transport=reached, base_url=URL)
        way = Guarded(
            note=self.tenant.partner_calls.note,
            pace=OwnPace(1_000),
            away_seconds=0.01,
            transport=reached,
        )
        self.client = httpx2.AsyncClient(transport=way)
        self.tenant.payments = PaymentProvider(URL, secret=mall.settings.payment_key, transport=way)
        self.asking = Asking(self.tenant, self.client)
        self.telling = TellingStaff(self.tenant, self.client, partial(troubles, self.tenant))
        self.signals = Signals(self.tenant, self.client)
        self.dispatcher = Dispatcher(self.tenant, Line(self.by_hand))

    def clock(self) -> datetime:
        """The house's time, and its partners'."""
        return datetime.now(UTC) + self.later

    async def send(self, path: str, body: Any) -> None:
        """Tell the sandbox something."""
        answer = await self.by_hand.post(path, json=body)
        assert answer.is_success, answer.text

    async def change(self, path: str, body: Any, **who: Any) -> Any:
        """A change, by staff unless somebody else is named, seen by the views."""
        answer = await self.mall.post(path, body, **(who or OPERATIONS))
        assert answer.is_success, answer.text
        await self.mall.views()
        return answer.json()

    async def order(self, sku: str = "notebook") -> str:
        """An order of one unit."""
        number: str = (await self.mall.order((sku, 1)))["number"]
        await self.mall.views()
        return number

    async def sent(self, waybill: str, carrier: str = "shunfeng") -> str:
        """An order whose parcel is with its carrier."""
        number = await self.order()
        packed = await self.change("/v1/parcels", {"order": number, "part": 1})
        label = {"carrier": carrier, "waybill": waybill, "reason": "their account"}
        for step, body in (("waybill", label), ("handover", {})):
            await self.change(f"/v1/parcels/{packed['parcel']}/{step}", body)
        return number

    async def refunds(self, number: str) -> list[str]:
        """How the cash of an order that goes back is."""
        seen = await self.mall.read(number, role="support", subject="sue")
        return [one["state"] for one in seen["cash_refunds"]]

    async def parcel(self, number: str) -> str:
        """How an order's parcel is."""
        order = await self.mall.read(number, role="support", subject="sue")
        return str(order["parcels"][0]["state"])

    async def stuck(self) -> set[tuple[str, str]]:
        """What staff are told to look at: (kind, whom it is about)."""
        await self.tenant.partner_calls.look()
        listed = (await self.mall.get("/v1/troubles", **OPERATIONS)).json()["troubles"]
        return {(one["kind"], str(one["about"].get("partner", ""))) for one in listed}


class Need(NamedTuple):
    """What the house wants of a partner, and how it sees to it by itself."""

    begin: Callable[[Town], Awaitable[str]]
    """While the partner is away; names what is wanted."""
    ask: Callable[[Town], Awaitable[object]]
    """What the worker does again and again."""
    done: Callable[[Town, str], Awaitable[bool]]
    every: timedelta
    """How long the worker waits in between."""
    trouble: tuple[str, str]
    asks: int = 8
    before: Callable[[Town], Awaitable[str]] | None = None
    """While all is well yet."""


async def watched(town: Town) -> str:
    return await town.sent("YT0000000000001", "yuantong")


async def is_completed(town: Town, number: str) -> bool:
    await town.mall.views()
    return bool((await town.mall.read(number))["status"] == "completed")


async def subscribed(town: Town) -> None:
    await town.asking.ask()
    await asyncio.sleep(0.2)  # its carrier pushes


async def travelling(town: Town) -> str:
    """SF has a parcel, whose routes it would push."""
    number = await town.sent("SF0000000000001")
    push_url = town.tenant.callback_links.carrier_url("sf")
    journey = {"mailno": "SF0000000000001", "push_url": push_url, "phone": "8000"}
    await town.send("/sf/journeys", journey)
    return number


async def queried(town: Town) -> None:
    asking = Querying(town.tenant, town.client)
    await asking.query()
    await asking.compare()


async def is_signed(town: Town, number: str) -> bool:
    await asyncio.sleep(0.02)  # what was kept is pushed
    await town.mall.views()
    return await town.parcel(number) == "signed"


def carried(carrier: str) -> Callable[[Town], Awaitable[str]]:
    async def begin(town: Town) -> str:
        number = await town.sent("73100000000001", CARRIERS[carrier])
        await town.send(f"/carriers/{carrier}/journeys", {"mailno": "73100000000001"})
        return number

    return begin


async def consigned(town: Town) -> str:
    """A third party's warehouse is to send an order."""
    number = await town.order("enamel-mug")
    await town.change("/v1/waves", {"warehouse": DEPOT, "orders": [number]})
    await sweep(town.tenant, CONSIGN)
    await town.mall.views()
    return number


async def is_taken(town: Town, number: str) -> bool:
    await asyncio.sleep(0.02)  # the warehouse tells
    await town.mall.views()
    listed = (await town.mall.get("/v1/consignments", all=True, **OPERATIONS)).json()
    states = [one["state"] for one in listed["consignments"] if one["parcel"].startswith(number)]
    return states in (["accepted"], ["picking"], ["packed"], ["shipped"])


async def paid(town: Town) -> str:
    number = await town.order("tea-set")
    started = await town.mall.post(f"/v1/orders/{number}/payments", {})
    await town.by_hand.post(started.json()["pay_url"], data={"outcome": "succeeded"})
    await town.mall.views()
    return number


async def cancelled(town: Town) -> str:
    number = town.app.state.payment.charges.popitem()[1].order
    await town.change(
        f"/v1/orders/{number}/cancellation", {"reason": "不要了"}, role="learner", subject="lin"
    )
    return str(number)


async def is_paid_back(town: Town, number: str) -> bool:
    await asyncio.sleep(0.02)  # the provider tells
    return await town.refunds(number) == ["confirmed"]


async def unwatched(town: Town) -> str:
    """Something that staff have to hear of."""
    number = await town.sent("SF0000000000009")
    town.later += timedelta(minutes=30)
    return number


async def is_told(town: Town, number: str) -> bool:
    return any(number in one.markdown for one in town.app.state.robot.said)


async def begun(town: Town) -> str:
    """Whoever begins to listen hears of what comes from then on."""
    await town.signals.push()
    return ""


async def is_signalled(town: Town, number: str) -> bool:
    heard = [from_json(one.payload)["order"] for one in town.app.state.agora.signals]
    assert heard.count(number) <= 1
    return number in heard


async def listening(town: Town) -> str:
    body = {"url": "https://crm.example/crm/hook", "facts": ["orders.*"]}
    made = await town.change("/v1/webhooks", body, **CRM)
    await town.by_hand.post("/crm/secrets", data={"secret": made["secret"]})
    return ""


async def is_heard(town: Town, number: str) -> bool:
    heard = [one for one in town.app.state.crm.heard.values() if one.ids.get("order") == number]
    assert all(one.times == 1 for one in heard)
    return bool(heard)


DAY_AND_MORE, MINUTES, SECONDS = timedelta(hours=25), timedelta(minutes=31), timedelta(seconds=31)
NEEDS = {
    "kuaidi100": Need(watched, subscribed, is_completed, MINUTES, ("partner_away", "kuaidi100")),
    "sf": Need(travelling, queried, is_signed, DAY_AND_MORE, ("partner_away", "sf")),
    "third_party": Need(
        consigned, lambda town: Consignments(town.tenant, town.client).ask(), is_taken, MINUTES,
        ("partner_away", f"third-party:{DEPOT}"),
    ),
    "payment": Need(
        cancelled, lambda town: town.asking.ask(), is_paid_back, MINUTES,
        ("cash_refund", ""), before=paid,
    ),
    "wecom": Need(
        unwatched, lambda town: town.telling.tell(), is_told, MINUTES, ("partner_away", "wecom"),
    ),
    "agora": Need(
        lambda town: town.order(), lambda town: town.signals.push(), is_signalled, SECONDS,
        ("partner_away", "agora"), before=begun,
    ),
    "crm": Need(
        lambda town: town.order(), lambda town: town.dispatcher.step(), is_heard,
        timedelta(seconds=6), ("webhook", ""), asks=1, before=listening,
    ),
    **{
        carrier: Need(
            carried(carrier), queried, is_signed, DAY_AND_MORE, ("partner_away", carrier)
        )
        for carrier in CARRIERS
    },
}  # fmt: skip


@asynccontextmanager
async def opened(database: MallDatabase, folder: Path, partner: str) -> AsyncIterator[Town]:
    """A mall with an account at one partner: whom it does not need, it does not ask."""
    accounts: dict[str, Any] = {
        "kuaidi100": {"kuaidi100_url": URL},
        "sf": {
            "trackers": {
                "sf": {
                    "url": f"{URL}/sf", "partner": PARTNER, "check_word": CHECK_WORD,
                    "signed": "yes",
                }
            }
        },
        "third_party": {"third_parties": json.loads(third_parties(URL)["THIRD_PARTIES"])},
        "wecom": robot(URL),
        "agora": signalling(URL),
        **{
            name: {"trackers": {name: {**one, "url": f"{URL}/{name}"}}}
            for name, one in ACCOUNTS.items()
        },
    }  # fmt: skip
    given = {name.lower(): value for name, value in accounts.get(partner, {}).items()}
    settings = Settings.model_validate(
        {"tenant": database.schema, "keys": folder / "keys", "data": folder, **given}
    )
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    async with running(settings, database) as mall:
        real = mall.tenant.payments
        town = Town(mall)
        await town.send("/behaviour", {"pace_seconds": 0})
        yield town
        for line in town.app.state.sandbox.lines.values():
            line.stop()
        await town.client.aclose()
        await town.by_hand.aclose()
        await town.tenant.payments.aclose()
        mall.tenant.payments = real


@pytest.mark.parametrize("partner", PARTNERS)
async def test_an_outage_is_seen_loses_nothing_and_is_caught_up_with(
    database: MallDatabase, tmp_path: Path, partner: str
) -> None:
    """M2, M3, M5: orders are taken meanwhile; nobody does anything once the partner is back."""
    need = NEEDS[partner]
    async with opened(database, tmp_path, partner) as town:
        if partner == "third_party":
            await run_by_a_third_party(town)
        if need.before is not None:
            await need.before(town)
        script = f"from 0s to {OUTAGE_SECONDS:.0f}s {partner} outage"
        await town.send("/script", {"script": script})
        wanted = await need.begin(town)
        for _ in range(need.asks):
            await need.ask(town)
            town.later += need.every
            await asyncio.sleep(0.02)  # until it is asked again after so many failures
        assert not await need.done(town, wanted)
        assert need.trouble in await town.stuck()
        meanwhile = await town.order()
        assert (await town.mall.read(meanwhile))["status"] == "pending_shipment"

        town.script_seconds = OUTAGE_SECONDS
        told = (await town.by_hand.get("/state")).json()["script"]
        assert [step["state"] for step in told["steps"]] == ["done"]
        for _ in range(12):
            await need.ask(town)
            if await need.done(town, wanted) and need.trouble not in await town.stuck():
                break
            town.later += need.every
            await asyncio.sleep(0.02)
        assert await need.done(town, wanted)
        assert need.trouble not in await town.stuck()


async def test_money_goes_back_once_when_nothing_is_heard_of_it(
    database: MallDatabase, tmp_path: Path
) -> None:
    """M2, O5: the provider does what it is asked, its answers and notices get lost: it is asked
    again and again for one and the same refund."""
    need = NEEDS["payment"]
    async with opened(database, tmp_path, "payment") as town:
        assert need.before is not None
        await need.before(town)
        provider, asked = town.app.state.payment, []
        give_back = provider.give_back

        async def noted(one: Any) -> None:
            asked.append((one.refund, one.attempt, one.amount_fen))
            await give_back(one)

        provider.give_back = noted
        behaviour = "/partners/payment/behaviour"
        await town.send(behaviour, {"lose_answers": True, "lose": True})
        wanted = await need.begin(town)
        for _ in range(need.asks):
            await need.ask(town)
            town.later += need.every
            await asyncio.sleep(0.02)
        assert len(asked) > 2
        assert not await need.done(town, wanted)
        assert need.trouble in await town.stuck()

        await town.send(behaviour, {"lose_answers": False, "lose": False})
        for _ in range(12):
            await need.ask(town)
            if await need.done(town, wanted):
                break
            town.later += need.every
            await asyncio.sleep(0.02)
        assert await need.done(town, wanted)
        assert need.trouble not in await town.stuck()
        assert len(set(asked)) == 1


async def run_by_a_third_party(town: Town) -> None:
    """The warehouse in Shaanxi is somebody else's."""
    listed = (await town.mall.get("/v1/warehouses", **OPERATIONS)).json()["warehouses"]
    terms = next(one for one in listed if one["code"] == DEPOT)
    await town.change("/v1/warehouses", {**terms, "third_party": True})
