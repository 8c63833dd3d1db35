"""Real traffic by share: two partners are played, one in place of the real one (M3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from api.sandbox.behaviour import Behaviour
from api.sandbox.kuaidi100 import CUSTOMER
from api.sandbox.labels import KEY
from api.sandbox.partners import create_sandbox
from api.sandbox.sf import CHECK_WORD, PARTNER
from application.asking_partners import Asking
from application.gateways.payment import PaymentProvider
from application.settings import Settings
from application.traffic import way_of
from domain.traffic import goes_real
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OPERATIONS = {"role": "operations", "subject": "wang"}
REAL, PLAYED = "http://real", "http://played"
SECRET = "the-sandbox-may-be-known"


class Partners:
    """The real ones and the sandbox, each played, and a mall that knows both."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        there = httpx2.ASGITransport(app=mall.app)
        self.real = create_sandbox(mall.settings.payment_key, mall=there)
        self.played = create_sandbox(SECRET.encode(), mall=there)
        transports: dict[str, httpx2.AsyncBaseTransport] = {
            REAL: httpx2.ASGITransport(app=self.real),
            PLAYED: httpx2.ASGITransport(app=self.played),
        }
        self.client = httpx2.AsyncClient(mounts=transports)
        tenant = mall.tenant
        tenant.rules = replace(tenant.rules, review_orders_a_day=1_000)
        tenant.payments = PaymentProvider(
            REAL, secret=mall.settings.payment_key, transport=transports[REAL]
        )
        tenant.rehearsed_payments = PaymentProvider(
            PLAYED, secret=SECRET.encode(), transport=transports[PLAYED], partner="payment_sandbox"
        )
        self.asking = Asking(tenant, self.client)

    async def shift(self, partner: str, percent: int) -> None:
        """Make a share real."""
        body = {"percent": percent, "reason": "one after the other"}
        answer = await self.mall.post(f"/v1/traffic/{partner}", body, **OPERATIONS)
        assert answer.status_code == 200, answer.text

    async def watched(self, *, orders: int) -> list[str]:
        """Send so many parcels and have them watched."""
        parcels = []
        for _ in range(orders):
            number = (await self.mall.order(("notebook", 1)))["number"]
            parcel = await self.mall.ship(number, number_on_it=f"YT{number}"[:20])
            parcels.append(parcel)
        await self.mall.views()
        await Asking(self.mall.tenant, self.client).ask()
        return parcels

    @property
    def counts(self) -> tuple[int, int]:
        """Parcels that the real one and the sandbox watch."""
        return len(self.real.state.kuaidi100.subscriptions), len(
            self.played.state.kuaidi100.subscriptions
        )

    async def share(self, partner: str) -> Any:
        """What staff see of it."""
        answer = await self.mall.get("/v1/traffic", **OPERATIONS)
        assert answer.status_code == 200, answer.text
        (found,) = [one for one in answer.json()["partners"] if one["partner"] == partner]
        return found


@pytest.fixture
async def partners(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Partners]:
    settings = Settings(
        tenant=database.schema,
        keys=tmp_path / "keys",
        data=tmp_path,
        kuaidi100_url=REAL,
        kuaidi100_key="the-real-key",
        payment_url=REAL,
        rehearsal={
            "kuaidi100": {"kuaidi100_url": PLAYED, "kuaidi100_key": KEY},
            "payment": {"payment_url": PLAYED, "payment_secret": SECRET},
        },
    )
    async with running(settings, database) as mall:
        partners = Partners(mall)
        for app in (partners.real, partners.played):
            app.state.sandbox.behave(Behaviour(pace_seconds=60))
        yield partners
        await partners.client.aclose()


async def test_all_goes_to_the_sandbox_until_somebody_switches(partners: Partners) -> None:
    """M3: and every parcel to the real one once all of it is real."""
    await partners.watched(orders=2)
    assert partners.counts == (0, 2)
    await partners.shift("kuaidi100", 100)
    await partners.watched(orders=2)
    assert partners.counts == (2, 2)
    seen = await partners.share("kuaidi100")
    assert (seen["percent"], seen["real"], seen["sandbox"]) == (100, 2, 2)
    (shift,) = seen["shifts"]
    assert (shift["actor"], shift["reason"]) == ("operations:wang", "one after the other")


async def test_a_parcel_goes_the_way_of_its_number(partners: Partners) -> None:
    """M3: at half, exactly those that the number decides for; asked twice, the same."""
    await partners.shift("kuaidi100", 50)
    parcels = await partners.watched(orders=8)
    real = {one for one in parcels if goes_real("kuaidi100", one, percent=50)}
    assert partners.counts == (len(real), 8 - len(real))
    tenant = partners.mall.tenant
    for parcel in parcels:
        assert (await way_of(tenant, "kuaidi100", parcel)).real is (parcel in real)


async def test_what_has_begun_stays_where_it_is_when_the_share_changes(partners: Partners) -> None:
    """M3: raised, a rehearsed parcel is not asked of the real one; taken back, a real one is."""
    (rehearsed,) = await partners.watched(orders=1)
    tenant = partners.mall.tenant
    await partners.shift("kuaidi100", 100)
    (really,) = await partners.watched(orders=1)
    for percent in (100, 0, 50):
        await partners.shift("kuaidi100", percent)
        ways = [await way_of(tenant, "kuaidi100", one) for one in (rehearsed, really)]
        assert [one.real for one in ways] == [False, True]
        assert [one.settings.kuaidi100_url for one in ways] == [PLAYED, REAL]
        assert [one.settings.kuaidi100_key for one in ways] == [KEY, "the-real-key"]
        assert [one.called("kuaidi100") for one in ways] == ["kuaidi100_sandbox", "kuaidi100"]


async def test_one_way_is_chosen_when_many_ask_while_the_share_changes(partners: Partners) -> None:
    """M3: in any number of processes."""
    tenant = partners.mall.tenant

    async def ask(number: int) -> list[bool]:
        ways = await asyncio.gather(
            *(way_of(tenant, "kuaidi100", f"T{number}-P1") for _ in range(3))
        )
        return [one.real for one in ways]

    asked, _ = await asyncio.gather(
        asyncio.gather(*(ask(number) for number in range(20))), partners.shift("kuaidi100", 100)
    )
    assert all(len(set(ways)) == 1 for ways in asked)


async def test_money_goes_back_where_it_was_paid(partners: Partners) -> None:
    """M3, O5: charged and refunded at the same one; the sandbox's secret pays nothing real."""
    mall = partners.mall
    rehearsed = (await mall.order(("tea-set", 1)))["number"]
    started = (await mall.post(f"/v1/orders/{rehearsed}/payments", {})).json()
    assert started["pay_url"].startswith(PLAYED)
    await partners.shift("payment", 100)
    await mall.post(f"/v1/orders/{rehearsed}/cancellation", {"reason": "不要了"})
    really = (await mall.order(("tea-set", 1)))["number"]
    started_really = (await mall.post(f"/v1/orders/{really}/payments", {})).json()
    assert started_really["pay_url"].startswith(REAL)
    # The sandbox pretends to be the provider, for the real order.
    played = partners.played.state.payment
    charge = next(iter(partners.real.state.payment.charges.values()))
    played.charges[charge.attempt] = charge
    await partners.client.post(started_really["pay_url"].replace(REAL, PLAYED))
    await mall.views()
    assert (await mall.read(really))["status"] == "pending_payment"
    await partners.client.post(started_really["pay_url"])
    await partners.client.post(started["pay_url"])  # too late: it goes back by itself
    await mall.views()
    assert (await mall.read(really))["status"] == "pending_shipment"
    await mall.post(f"/v1/orders/{really}/cancellation", {"reason": "不要了"})
    await mall.views()
    await partners.asking.ask()
    for number in (rehearsed, really):
        order = await mall.read(number, role="support", subject="sue")
        assert [one["state"] for one in order["cash_refunds"]] == ["confirmed"]


async def test_a_share_is_switched_by_people_with_a_reason(partners: Partners) -> None:
    """M3: an event in the partner's stream; the same again changes nothing; others may not."""
    mall = partners.mall
    await partners.shift("kuaidi100", 5)
    stream = await mall.get("/v1/audit/streams/traffic:kuaidi100", role="auditor", subject="au")
    (event,) = stream.json()["events"]
    assert event["data"]["percent"] == 5
    assert (event["actor"], event["reason"]) == ("operations:wang", "one after the other")
    before = mall.tenant.store.position
    await partners.shift("kuaidi100", 5)
    assert mall.tenant.store.position == before
    body = {"percent": 5, "reason": "x"}
    unknown = await mall.post("/v1/traffic/sf", body, **OPERATIONS)
    assert unknown.status_code == 404
    for wrong in ({"percent": 101}, {"percent": -1}, {"percent": 5.5}, {"reason": ""}):
        answer = await mall.post("/v1/traffic/kuaidi100", {**body, **wrong}, **OPERATIONS)
        assert answer.status_code == 422
    for role in ("service", "support", "auditor", "learner"):
        answer = await mall.post("/v1/traffic/kuaidi100", body, role=role, subject="lin")
        assert answer.status_code == 403


async def test_all_is_real_when_nothing_is_rehearsed(mall: Mall) -> None:
    """M3: a house with one account a partner has nothing to switch, and keeps no ways."""
    assert (await way_of(mall.tenant, "kuaidi100", "T1-P1")).real
    assert (await mall.get("/v1/traffic", **OPERATIONS)).json() == {"partners": []}
    async with mall.tenant.pool.connection() as connection:
        rows = await connection.execute(f"SELECT * FROM {mall.tenant.schema}.partner_ways")
        assert await rows.fetchall() == []


async def test_the_sandbox_pushes_for_its_own_parcels_alone(
    database: MallDatabase, tmp_path: Path
) -> None:
    """M3, T2: SF signs with one word, the sandbox with another: each speaks of what it has."""
    settings = Settings(
        tenant=database.schema,
        keys=tmp_path / "keys",
        data=tmp_path,
        trackers={"sf": {"url": REAL, "partner": "us", "check_word": "real-word", "signed": "yes"}},
        rehearsal={"sf": {"url": PLAYED, "partner": PARTNER, "check_word": CHECK_WORD}},
    )
    async with running(settings, database) as mall:
        played = create_sandbox(b"x", mall=httpx2.ASGITransport(app=mall.app))
        played.state.sandbox.behave(Behaviour(pace_seconds=0))
        url = mall.tenant.callback_links.carrier_url("sf").replace(settings.public_url, "http://m")
        scans = []
        for percent in (0, 100):
            body = {"percent": percent, "reason": "x"}
            await mall.post("/v1/traffic/sf", body, **OPERATIONS)
            number = (await mall.order(("notebook", 1)))["number"]
            parcel = await mall.ship(number, number_on_it=f"SF{number}"[:20])
            await mall.views()
            await way_of(mall.tenant, "sf", parcel)
            client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=played))
            journey = {"mailno": f"SF{number}"[:20], "push_url": url}
            await client.post(f"{PLAYED}/sf/journeys", json=journey)
            await asyncio.sleep(0.5)
            await client.aclose()
            scans.append(len((await mall.read(number))["parcels"][0]["scans"]))
        assert scans == [5, 0]


@pytest.mark.parametrize(
    "rehearsal",
    [
        {"nobody": {"url": PLAYED}},
        {"payment": {"payment_url": PLAYED}},
        {"payment": {"payment_url": PLAYED, "payment_secret": "x", "tenant": "other"}},
        {"sf": {"url": PLAYED, "partner": "p", "check_word": "w"}},
    ],
)
def test_a_rehearsal_is_refused_when_it_is_not_whole(
    rehearsal: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M3: named at the start; the sandbox of a payment needs a secret of its own."""
    monkeypatch.setenv("TALLYPOST_REHEARSAL", json.dumps(rehearsal))
    with pytest.raises(ValidationError, match="not rehearsed"):
        Settings()


@pytest.mark.parametrize("lacks", ["url", "app_key", "app_secret"])
def test_a_carrier_is_rehearsed_with_what_its_own_account_has(lacks: str) -> None:
    """M3: whichever carrier is asked itself; the real account has to be there, too."""
    own = {"url": REAL, "app_key": "k", "app_secret": "s"}
    played = {"url": PLAYED, "app_key": "p", "app_secret": "q"}
    settings = Settings(trackers={"zto": own}, rehearsal={"zto": played})
    assert settings.rehearsed("zto").trackers["zto"] == played
    assert settings.trackers["zto"] == own
    less = {name: value for name, value in played.items() if name != lacks}
    with pytest.raises(ValidationError, match="not rehearsed"):
        Settings(trackers={"zto": own}, rehearsal={"zto": less})


def test_the_sandboxs_account_takes_the_place_of_the_partners_own(tmp_path: Path) -> None:
    """M3: of that one alone."""
    settings = Settings(
        data=tmp_path,
        payment_url=REAL,
        kuaidi100_url=REAL,
        rehearsal={
            "kuaidi100": {
                "kuaidi100_url": PLAYED, "kuaidi100_key": KEY, "kuaidi100_customer": CUSTOMER,
                "kuaidi100_secret": "s",
            },
            "payment": {"payment_url": PLAYED, "payment_secret": SECRET},
        },
    )  # fmt: skip
    assert settings.payment_key != SECRET.encode()
    assert settings.rehearsed("payment").payment_key == SECRET.encode()
    found = settings.rehearsed("kuaidi100")
    assert (found.kuaidi100_url, found.kuaidi100_customer) == (PLAYED, CUSTOMER)
    assert found.kuaidi100_secret.get_secret_value() == "s"
    assert found.payment_url == REAL
    assert SECRET not in repr(settings)
