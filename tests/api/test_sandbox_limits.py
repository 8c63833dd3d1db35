"""The sandbox holds its callers to what the real partners allow (M3; wire/carriers.md)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.sandbox.kuaidi100 import CUSTOMER
from api.sandbox.labels import KEY, SECRET
from api.sandbox.limits import Limits
from api.sandbox.partners import create_sandbox
from api.sandbox.sf import CHECK_WORD, PARTNER
from application.gateways.kuaidi100 import compact_json, sign_label, sign_query
from application.gateways.kuaidi100_calls import query_form, read_query_reply, subscribe_form
from application.gateways.trackers.sf import SEARCH_ROUTES, Sf
from application.gateways.tracking import PartnerRefused, Retry

pytestmark = pytest.mark.anyio

NUMBER = "YT0000000000001"


class Counter:
    """Somebody who asks partners, and a clock moved by hand."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now = datetime(2026, 11, 22, 8, tzinfo=UTC)
        self.app = create_sandbox(b"known", limits=limits, clock=lambda: self.now)
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url="http://sandbox"
        )

    async def post(self, path: str, form: dict[str, str]) -> bytes:
        """What a partner says, always with 200."""
        answer = await self.client.post(path, data=form)
        assert answer.status_code == 200, answer.text
        return answer.content

    async def query(self, number: str = NUMBER) -> str:
        """Ask where a parcel is; the code of the answer."""
        form = query_form(number, carrier="yuantong", key=KEY, customer=CUSTOMER)
        answer = json.loads(await self.post("/poll/query.do", form))
        return str(answer.get("returnCode", answer.get("status")))

    async def asked(self, **param: str) -> str:
        """A query as it is given, whatever the house would send."""
        text = compact_json(param)
        sign = sign_query(text, key=KEY, customer=CUSTOMER)
        form = {"customer": CUSTOMER, "sign": sign, "param": text.decode()}
        return str(json.loads(await self.post("/poll/query.do", form))["returnCode"])

    async def watch(self) -> None:
        """Let Kuaidi100 know a parcel."""
        form = subscribe_form(
            NUMBER, carrier="yuantong", key=KEY, callback_url="http://mall/x", salt="s" * 32
        )
        await self.client.post("/poll", data=form)

    async def sf(self, numbers: list[str]) -> str:
        """Ask SF for routes; the code of the answer."""
        one = Sf("", partner=PARTNER, check_word=CHECK_WORD)
        asked: dict[str, Any] = {"trackingNumber": numbers, "trackingType": 1}
        call = one._call(SEARCH_ROUTES, asked, about="x", now=self.now)
        answer = json.loads(await self.post("/sf/std/service", dict(call.form)))
        inner = json.loads(answer["apiResultData"] or "{}")
        return str(inner.get("errorCode") or answer["apiResultCode"])

    async def label(self, name: str) -> str:
        """Order a label under a name; its number."""
        param = compact_json(
            {
                "orderId": name, "reorder": False, "kuaidicom": "jd", "partnerId": "p",
                "recMan": {"printAddr": "x"}, "sendMan": {"name": "y"},
            }
        ).decode()  # fmt: skip
        sign = sign_label(param.encode(), t="1", key=KEY, secret=SECRET)
        form = {"method": "order", "key": KEY, "t": "1", "sign": sign, "param": param}
        return str(json.loads(await self.post("/label/order", form))["data"]["kuaidinum"])


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    counter = Counter()
    yield counter
    for line in counter.app.state.sandbox.lines.values():
        line.stop()
    await counter.client.aclose()


def test_the_limits_are_the_partners_own() -> None:
    """M3: 30 minutes a waybill (1.3), 48 hours (1.8), SF's 30 and 3000 (2), 20 (4), 500 (5)."""
    own = Limits()
    assert own.query_again == timedelta(minutes=30)
    assert own.order_known == timedelta(hours=48)
    assert (own.sf_a_second, own.sf_a_day) == (30, 3_000)
    assert (own.robot_a_minute, own.signals_a_second) == (20, 500)


async def test_a_waybill_that_is_asked_about_too_soon_is_locked(counter: Counter) -> None:
    """M3, rule 23: for half an hour from the last question, whatever that was answered."""
    await counter.watch()
    counter.app.state.kuaidi100.subscriptions[NUMBER]["seen"] = 1
    assert await counter.query() == "200"
    for minutes in (10, 29):
        counter.now += timedelta(minutes=minutes)
        assert await counter.query() == "504"
    assert await counter.query("YT0000000000002") == "500"  # of another nothing is known
    counter.now += timedelta(minutes=30)
    assert await counter.query() == "200"


def test_the_house_asks_a_locked_number_no_sooner_than_in_half_an_hour() -> None:
    """M3 CONTROL: what the sandbox says of it is read as it is meant."""
    body = {"result": False, "returnCode": "504", "message": "x"}
    with pytest.raises(PartnerRefused) as refused:
        read_query_reply(json.dumps(body).encode())
    assert refused.value.retry is Retry.LATER


async def test_questions_end_when_the_day_s_are_used_up() -> None:
    """M3: 601, until a day after the first."""
    counter = Counter(Limits(queries_a_day=2))
    numbers = [f"YT000000000000{one}" for one in range(4)]
    assert [await counter.query(one) for one in numbers[:3]] == ["500", "500", "601"]
    counter.now += timedelta(days=1)
    assert await counter.query(numbers[3]) == "500"
    await counter.client.aclose()


async def test_questions_that_lack_something_are_refused_as_they_would_be(
    counter: Counter,
) -> None:
    """M3: a number of 6 to 32, a carrier, and the phone for SF and ZTO (1.3)."""
    assert await counter.asked(com="yuantong", num="12345") == "400"
    assert await counter.asked(com="yuantong", num="1" * 33) == "400"
    assert await counter.asked(com="", num=NUMBER) == "400"
    assert await counter.asked(num=NUMBER) == "400"
    for carrier in ("shunfeng", "zhongtong"):
        assert await counter.asked(com=carrier, num=NUMBER, phone="") == "408"
    assert await counter.asked(com="shunfeng", num=NUMBER, phone="0000") == "500"
    assert await counter.asked(com="yuantong", num="1" * 10_000) == "400"
    wrong = {"customer": CUSTOMER, "sign": "0", "param": "{}"}
    assert json.loads(await counter.post("/poll/query.do", wrong))["returnCode"] == "503"


async def test_subscriptions_that_lack_something_are_refused_as_they_would_be(
    counter: Counter,
) -> None:
    """M3: 700; SF's need a phone (1.5); a carrier, or to be guessed."""
    whole = {
        "company": "yuantong", "number": NUMBER,
        "parameters": {"callbackurl": "http://mall/x", "salt": "s" * 32},
    }  # fmt: skip
    lacking: list[dict[str, Any]] = [
        {"company": "shunfeng"}, {"company": ""}, {"number": "1"}, {"parameters": {}},
    ]  # fmt: skip
    for change in lacking:
        form = {"schema": "json", "param": json.dumps({**whole, **change})}
        assert json.loads(await counter.post("/poll", form))["returnCode"] == "700", change
    assert json.loads(await counter.post("/poll", {}))["returnCode"] == "700"
    taken = {"schema": "json", "param": json.dumps(whole)}
    assert json.loads(await counter.post("/poll", taken))["returnCode"] == "200"
    assert json.loads(await counter.post("/poll", taken))["returnCode"] == "501"


async def test_a_label_s_order_is_known_by_its_name_for_two_days(counter: Counter) -> None:
    """M3, W5: sent again it is the same number; after 48 hours it is another one (1.8)."""
    first = await counter.label("N1")
    counter.now += timedelta(hours=47)
    assert await counter.label("N1") == first
    counter.now += timedelta(hours=1)
    assert await counter.label("N1") != first


async def test_sf_takes_so_many_a_second_and_a_day(counter: Counter) -> None:
    """M3: then A1005 (2); ten numbers at once (2.1)."""
    assert [await counter.sf(["SF00000001"]) for _ in range(31)] == ["S0000"] * 30 + ["A1005"]
    counter.now += timedelta(seconds=1)
    assert await counter.sf(["SF00000001"] * 10) == "S0000"
    assert await counter.sf(["SF00000001"] * 11) == "8003"
    few = Counter(Limits(sf_a_day=2))
    codes = []
    for _ in range(3):
        few.now += timedelta(hours=1)
        codes.append(await few.sf(["SF00000001"]))
    assert codes == ["S0000", "S0000", "A1005"]
    few.now += timedelta(days=1)
    assert await few.sf(["SF00000001"]) == "S0000"
    await few.client.aclose()


async def test_sf_says_what_it_lacks(counter: Counter) -> None:
    """M3: A1001 for what is no whole form, or no JSON in it; A1006 for a signature (2)."""
    said = json.loads(await counter.post("/sf/std/service", {"partnerID": PARTNER}))
    assert said["apiResultCode"] == "A1001"
    form = {
        "partnerID": "p" * 65, "serviceCode": SEARCH_ROUTES, "timestamp": "1", "msgDigest": "x",
        "msgData": "{}",
    }  # fmt: skip
    assert json.loads(await counter.post("/sf/std/service", form))["apiResultCode"] == "A1001"
    form["partnerID"] = PARTNER
    assert json.loads(await counter.post("/sf/std/service", form))["apiResultCode"] == "A1006"
