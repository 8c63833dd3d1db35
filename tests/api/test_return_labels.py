"""The label of goods that come back, as it is printed: masked, while they may come (D3)."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from domain.warehouses import Office
from tests.api.conftest import Mall
from tests.api.test_disputes import BOSS, OPS, SUPPORT, signed
from tests.api.test_returns import CHEN, Counter

pytestmark = pytest.mark.anyio

PLACE = {
    "name": "浙江仓退货组",
    "phone": "0571-12345678",
    "address": "浙江省杭州市余杭区仓前路 8 号",
}


async def says(mall: Mall, office: dict[str, str] | None) -> None:
    """The warehouse says whom returns are sent to, or does not."""
    found = (await mall.get("/v1/warehouses", **BOSS)).json()["warehouses"]
    terms = next(one for one in found if one["code"] == "zhejiang")
    answer = await mall.post("/v1/warehouses", {**terms, "office": office}, **BOSS)
    assert answer.status_code == 200, answer.text
    await mall.views()


@pytest.fixture
async def counter(mall: Mall) -> Counter:
    """Two notebooks that were signed for, and whose learner gives them back."""
    one = Counter(await signed(mall, confirmed=True))
    await says(mall, PLACE)
    await one.ask()
    return one


async def printed(counter: Counter, **who: Any) -> Any:
    return await counter.mall.get(f"{counter.path}/label.pdf", **who)


def text_of(answer: Any) -> str:
    """The one page's text without its spaces and line breaks."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    (page,) = PdfReader(io.BytesIO(answer.content)).pages
    return "".join(page.extract_text().split())


async def test_a_return_s_label_is_printed_masked_and_the_same_every_time(
    counter: Counter,
) -> None:
    """D3, W5, A4, rules.md 28: where to, what is in it, by when; who sends it is masked."""
    first, again = await printed(counter), await printed(counter, **SUPPORT)
    assert first.content == again.content
    page = text_of(first)
    told = (await counter.seen())["send_by"][:4]
    for shown in (
        counter.id, counter.number, PLACE["name"], PLACE["phone"], "仓前路8号", "林**", "8000",
        "线装笔记本", "x2", "waybill", f"请在{told}",
    ):  # fmt: skip
        assert shown in page, shown
    for hidden in ("林小满", "13800138000", "301", "1号2单元"):
        assert hidden not in page, hidden


async def test_the_carrier_s_number_is_on_it_once_there_is_one(counter: Counter) -> None:
    """D3: also where neither the warehouse nor the settings say more than its place."""
    await says(counter.mall, None)
    number = {"carrier": "shunfeng", "waybill": "SF10000100001"}
    assert (await counter.post("sending", number)).status_code == 200
    page = text_of(await printed(counter))
    for shown in ("SF10000100001", "顺丰", "浙江仓", "浙江省杭州市"):
        assert shown in page, shown
    assert "waybill" not in page


async def told(counter: Counter) -> dict[str, str | None]:
    """Where the learner reads that it goes."""
    label = (await counter.seen())["label"]
    return {"name": label["contact"], "phone": label["phone"], "address": label["address"]}


async def test_the_learner_reads_where_to_send_it(counter: Counter) -> None:
    """D3, C2: as the warehouse says; what is set up for it counts where it says nothing."""
    assert await told(counter) == PLACE
    await says(counter.mall, None)
    assert set((await told(counter)).values()) == {None}
    other = {**PLACE, "name": "积分商城退货"}
    counter.mall.tenant.settings.senders["zhejiang"] = Office(**other)
    assert await told(counter) == other
    assert "积分商城退货" in text_of(await printed(counter))
    half = {"name": "浙江仓", "phone": "1", "address": "路"}
    terms = {"code": "zhejiang", "name": "x", "province": "浙江省", "city": "", "serves": ["*"]}
    refused = await counter.mall.post("/v1/warehouses", {**terms, "office": half}, **BOSS)
    assert refused.status_code == 422


async def test_every_demo_warehouse_says_where_returns_go(mall: Mall) -> None:
    """C2, D3: with street, phone and contact."""
    found = (await mall.get("/v1/warehouses", **BOSS)).json()["warehouses"]
    assert len(found) == 3
    for one in found:
        assert one["office"]["address"].startswith(one["province"] + one["city"])


async def test_there_is_no_label_for_others_nor_once_the_goods_are_here(counter: Counter) -> None:
    """A10, D3: somebody else's and none answer alike; what stays, or came, needs none."""
    stranger = await printed(counter, **CHEN)
    absent = await counter.mall.get(f"/v1/returns/{counter.number}-B9/label.pdf", **CHEN)
    assert (stranger.status_code, absent.status_code) == (404, 404)
    assert stranger.json()["detail"] == absent.json()["detail"]
    await counter.come_back()
    assert (await printed(counter)).status_code == 404
    assert (await counter.inspect()).status_code == 200
    assert (await printed(counter, **OPS)).status_code == 404


async def test_nothing_to_print_where_the_goods_stay(mall: Mall) -> None:
    """D3: a refund without the goods has no parcel."""
    counter = Counter(await signed(mall, confirmed=True))
    assert (await counter.ask("refund_only", "damaged")).status_code == 201
    assert (await printed(counter)).status_code == 404


async def test_whom_a_legal_hold_covers_is_on_no_label(counter: Counter) -> None:
    """A4, rule 30: the parcel's label is still printed, without its sender."""
    assert "林" in text_of(await printed(counter, **OPS))
    hold = {"matter": "2026-17", "reason": "court"}
    held = await counter.mall.post("/v1/learners/lin/legal-holds", hold, **BOSS)
    assert held.status_code == 200, held.text
    page = text_of(await printed(counter, **OPS))
    assert counter.id in page
    assert "林" not in page
    assert "8000" not in page
