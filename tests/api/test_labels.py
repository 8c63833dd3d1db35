"""Labels ordered of the sandbox, whatever it does, and printed (W5; M2, M3; rule 29)."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from api.sandbox.labels import LabelService, account
from application import ordering_labels
from application.jobs import apply_jobs_schema
from application.labelling import WANT_LABELS
from application.migrating import SERVICE_ROLE
from application.ordering_labels import LabelOrders, sender_of
from application.policies import sweep
from application.settings import Settings
from tests.api.conftest import RECIPIENT, Mall, running
from tests.api.test_partners import Partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
HALL = "zhejiang"


class Desk:
    """A mall that orders its labels of the sandbox."""

    def __init__(self, mall: Mall, partners: Partners) -> None:
        self.mall, self.partners = mall, partners
        self.later = timedelta()
        mall.tenant.store.clock = lambda: datetime.now(UTC) + self.later

    @property
    def service(self) -> LabelService:
        """What the sandbox knows."""
        found: LabelService = self.partners.app.state.labels
        return found

    def orders(self) -> LabelOrders:
        """Somebody who asks for labels."""
        return LabelOrders(self.mall.tenant, self.partners.client)

    async def ask(self) -> None:
        """Want what is due, ask for it, and let the views see it."""
        await self.mall.views()
        await sweep(self.mall.tenant, WANT_LABELS)
        await self.mall.views()
        await self.orders().ask()
        await self.mall.views()

    async def released(self, *lines: tuple[str, int], **more: Any) -> tuple[str, str]:
        """An order in a wave: (its number, its parcel)."""
        number = (await self.mall.order(*(lines or (("notebook", 1),)), **more))["number"]
        ran = await self.change("/v1/waves", {"warehouse": HALL, "orders": [number]})
        return number, ran["parcels"][0]

    async def change(self, path: str, body: Any, status: int = 200) -> Any:
        """A change by staff, seen by the views."""
        answer = await self.mall.post(path, body, **STAFF)
        assert answer.status_code == status, answer.text
        await self.mall.views()
        return answer.json()

    async def seen(self, parcel: str) -> Any:
        """The parcel as the desk lists it."""
        found = (await self.mall.get("/v1/parcels", limit=100, **STAFF)).json()["parcels"]
        return next(one for one in found if one["number"] == parcel)

    async def facts(self, parcel: str) -> list[str]:
        """What happened to the parcel."""
        path = f"/v1/audit/streams/parcel:{parcel}"
        answer = await self.mall.get(path, role="auditor", subject="eve")
        return [one["fact"].removeprefix("parcels.") for one in answer.json()["events"]]

    async def troubles(self) -> list[Any]:
        """Labels that somebody has to see to."""
        found = (await self.mall.get("/v1/troubles", **STAFF)).json()["troubles"]
        return [one for one in found if one["kind"] == "label"]


@pytest.fixture
async def desk(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    """The desk of a mall with a label service."""
    set_up: dict[str, Any] = {
        name.lower(): value for name, value in account("http://partners").items()
    }
    for name in ("kuaidi100_accounts", "senders"):
        set_up[name] = json.loads(set_up[name])
    settings = Settings.model_validate(
        {"tenant": database.schema, "keys": tmp_path / "keys", "data": tmp_path, **set_up}
    )
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # `/v1/troubles` looks at them
    async with running(settings, database) as mall:
        partners = Partners(mall)
        yield Desk(mall, partners)
        await partners.client.aclose()
        await mall.tenant.payments.aclose()


async def test_what_a_wave_releases_gets_its_waybill_by_itself(desk: Desk) -> None:
    """W5: once, however many workers ask; who issued it is a fact; then nothing is asked for."""
    _, parcel = await desk.released()
    await desk.mall.views()
    await asyncio.gather(*(sweep(desk.mall.tenant, WANT_LABELS) for _ in range(3)))
    await desk.mall.views()
    await asyncio.gather(*(desk.orders().ask() for _ in range(3)))
    await desk.mall.views()
    seen = await desk.seen(parcel)
    assert seen["waybill"] == desk.service.issued[f"{parcel}-L1"]["kuaidinum"]
    assert (seen["label"]["state"], desk.service.ordered) == ("issued", 1)
    await desk.ask()
    assert await desk.facts(parcel) == [
        "ParcelPlanned", "LabelWanted", "LabelIssued", "WaybillIssued",
    ]  # fmt: skip
    assert desk.service.ordered == 1


async def test_an_answer_that_got_lost_is_asked_for_again_not_ordered_again(desk: Desk) -> None:
    """W5, M2: unknown is not no; asked later under the same name it is the first number."""
    _, parcel = await desk.released()
    await desk.partners.behave(lose_answers=True)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] is None
    assert desk.service.ordered == 1
    await desk.partners.behave()
    await desk.ask()  # too soon: the pause holds
    assert (await desk.seen(parcel))["waybill"] is None
    desk.later = timedelta(seconds=20)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] is not None
    assert desk.service.ordered == 1


async def test_the_control_orders_twice_when_the_name_is_not_kept(desk: Desk) -> None:
    """W5 CONTROL: the same loss with `reorder` on, as it is by default, is two orders."""
    asked = {"orderId": "X", "kuaidicom": "zhongtong"}
    desk.service.order(asked)
    desk.service.order(asked)
    assert desk.service.ordered == 2


async def test_nobody_asks_when_it_might_be_a_second_order(desk: Desk) -> None:
    """W5: theirs is one order for 48 hours; after 47 a human sees to it, and may ask anew."""
    _, parcel = await desk.released()
    await desk.partners.behave(lose_answers=True)
    await desk.ask()
    desk.later = timedelta(hours=48)
    await desk.ask()
    assert (await desk.seen(parcel))["label"]["state"] == "unanswered"
    assert [one["about"]["parcel"] for one in await desk.troubles()] == [parcel]
    await desk.partners.behave()
    desk.later = timedelta(hours=60)
    await desk.ask()
    assert (desk.service.ordered, (await desk.seen(parcel))["waybill"]) == (1, None)
    await desk.change(f"/v1/parcels/{parcel}/label", {})
    await desk.ask()
    assert (await desk.seen(parcel))["label"]["label"] == f"{parcel}-L2"
    assert await desk.troubles() == []


async def test_their_trouble_passes_and_their_refusal_is_for_a_human(desk: Desk) -> None:
    """W5, M2, M5: 500 is tried again; a refusal is told without the phone in it."""
    _, parcel = await desk.released()
    await desk.partners.behave(refuse=True)
    for seconds in (0, 20, 60, 130):
        desk.later = timedelta(seconds=seconds)
        await desk.ask()
    assert (await desk.seen(parcel))["label"]["state"] == "wanted"
    assert [one["about"]["state"] for one in await desk.troubles()] == ["wanted"]
    await desk.partners.behave(reject=True)
    desk.later = timedelta(hours=1)
    await desk.ask()
    label = (await desk.seen(parcel))["label"]
    assert (label["state"], label["why"][:5]) == ("refused", "30002")
    assert "13800138000" not in label["why"]
    desk.later = timedelta(hours=3)
    await desk.partners.behave()
    await desk.ask()
    assert desk.service.ordered == 0  # nobody asks again by himself
    other = await desk.change(f"/v1/parcels/{parcel}/label", {"carrier": "ems"})
    assert (other["state"], other["carrier"]) == ("wanted", "ems")
    await desk.ask()
    assert (await desk.seen(parcel))["carrier"] == "ems"


async def test_a_number_of_another_parcel_is_given_back_and_a_human_sees_to_it(
    desk: Desk,
) -> None:
    """W5, T2, M5: it is on the first parcel alone; asked once more, the second gets another."""
    other = (await desk.mall.order(("notebook", 1)))["number"]
    packed = await desk.change("/v1/parcels", {"order": other, "part": 1}, 201)
    first = packed["parcel"]
    _, parcel = await desk.released()
    await sweep(desk.mall.tenant, WANT_LABELS)
    await desk.mall.views()
    carrier = (await desk.seen(parcel))["label"]["carrier"]
    coming = LabelService().order({"orderId": f"{parcel}-L1", "kuaidicom": carrier})["kuaidinum"]
    taken = {"carrier": carrier, "waybill": coming, "reason": "a slip of the pen"}
    await desk.change(f"/v1/parcels/{first}/waybill", taken)
    await desk.ask()
    seen = await desk.seen(parcel)
    assert (seen["waybill"], seen["label"]["state"]) == (None, "refused")
    assert seen["label"]["why"] == f"waybill_taken: {coming}, {first}"
    assert [one["cause"] for one in await desk.troubles()] == [seen["label"]["why"]]
    await desk.ask()
    assert desk.service.cancelled == {coming}
    for minutes in (5, 60):  # it waits for a human, and nobody asks by himself
        desk.later = timedelta(minutes=minutes)
        await desk.ask()
    assert (await desk.facts(parcel))[1:] == [
        "LabelWanted", "LabelIssued", "LabelRefused", "LabelCancelled",
    ]  # fmt: skip
    assert len(await desk.troubles()) == 1
    await desk.change(f"/v1/parcels/{parcel}/label", {})
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] not in (None, coming)
    assert (await desk.seen(first))["waybill"] == coming
    assert await desk.troubles() == []


async def test_one_label_that_fails_stops_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W5, M5: the others of its batch and the batches after it are asked; its cause is told."""
    parcels = [(await desk.released())[1] for _ in range(3)]
    await sweep(desk.mall.tenant, WANT_LABELS)
    await desk.mall.views()

    def sender(settings: Settings, one: Any) -> Any:
        if one.parcel == parcels[0]:
            raise LookupError(one.parcel)
        return sender_of(settings, one)

    monkeypatch.setattr(ordering_labels, "sender_of", sender)
    monkeypatch.setattr(ordering_labels, "BATCH", 1)
    for seconds in (0, 20, 80, 200):
        desk.later = timedelta(seconds=seconds)
        await desk.ask()
    numbers = [(await desk.seen(one))["waybill"] for one in parcels]
    assert numbers[0] is None
    assert None not in numbers[1:]
    assert [one["cause"] for one in await desk.troubles()] == ["LookupError"]


async def test_a_new_address_is_a_new_label(desk: Desk) -> None:
    """Rule 29, O8: the old number goes back to the carrier, the new one follows by itself."""
    number, parcel = await desk.released()
    await desk.ask()
    first = (await desk.seen(parcel))["waybill"]
    moved = {**RECIPIENT, "address": "中山路 9 号 101"}
    answer = await desk.mall.post(f"/v1/orders/{number}/address", moved)
    assert answer.status_code == 200, answer.text
    await desk.mall.views()
    assert (await desk.seen(parcel))["waybill"] is None
    await desk.ask()
    second = (await desk.seen(parcel))["waybill"]
    assert second not in (None, first)
    assert desk.service.cancelled == {first}


async def test_cancelled_and_separated_parcels_give_their_numbers_back(desk: Desk) -> None:
    """W5, S4: nothing is left at the carrier for what will not be sent, asked for or not yet."""
    first = (await desk.mall.order(("notebook", 1)))["number"]
    second = (await desk.mall.order(("notebook", 2)))["number"]
    (shared,) = (await desk.change("/v1/waves", {"warehouse": HALL}))["parcels"]
    await desk.ask()
    kept = (await desk.seen(shared))["waybill"]
    apart = await desk.change(f"/v1/parcels/{shared}/separation", {"reason": "two trips"})
    await desk.ask()
    alone = next(one for one in apart["parcels"] if one != shared)
    other = (await desk.seen(alone))["waybill"]
    assert (await desk.seen(shared))["waybill"] == kept
    assert other not in (None, kept)
    merged = await desk.change(
        "/v1/parcels/merges", {"parcels": [shared, alone], "reason": "one trip after all"}
    )
    await desk.ask()
    assert desk.service.cancelled == {kept, other}
    for number in (first, second):
        answer = await desk.mall.post(f"/v1/orders/{number}/cancellation", {"reason": "x"})
        assert answer.status_code == 200
    await desk.ask()
    assert len(desk.service.cancelled) == 3
    assert "LabelCancelled" in await desk.facts(merged["parcel"])


async def test_a_parcel_that_is_gone_before_anybody_asked_is_never_ordered(desk: Desk) -> None:
    """W5: wanted, cancelled, and only then does a worker come by."""
    number, parcel = await desk.released()
    await desk.mall.views()
    await sweep(desk.mall.tenant, WANT_LABELS)
    await desk.mall.post(f"/v1/orders/{number}/cancellation", {"reason": "x"})
    await desk.ask()
    assert (desk.service.ordered, (await desk.facts(parcel))[-1]) == (0, "LabelCancelled")


async def test_a_lost_answer_for_what_was_cancelled_meanwhile_leaves_no_label_there(
    desk: Desk,
) -> None:
    """W5: the number is asked for only to be given back."""
    number, _ = await desk.released()
    await desk.partners.behave(lose_answers=True)
    await desk.ask()
    await desk.mall.post(f"/v1/orders/{number}/cancellation", {"reason": "x"})
    await desk.partners.behave()
    for seconds in (20, 60):
        desk.later = timedelta(seconds=seconds)
        await desk.ask()
    given = {one["kuaidinum"] for one in desk.service.issued.values()}
    assert (desk.service.ordered, desk.service.cancelled) == (1, given)


async def test_a_forged_account_is_refused_and_nothing_is_lost(desk: Desk) -> None:
    """M3: the sandbox checks signatures; with the right secret the same request goes through."""
    _, parcel = await desk.released()
    right = desk.mall.settings.kuaidi100_secret
    desk.mall.tenant.settings.kuaidi100_secret = type(right)("wrong")
    await desk.ask()
    assert (await desk.seen(parcel))["label"]["state"] == "wanted"
    assert desk.service.ordered == 0
    desk.mall.tenant.settings.kuaidi100_secret = right
    desk.later = timedelta(seconds=20)
    await desk.ask()
    assert (await desk.seen(parcel))["waybill"] is not None


async def test_a_house_without_a_label_service_writes_numbers_by_hand(mall: Mall) -> None:
    """W5: nothing is wanted by itself, and the button says why not."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    parcel = packed.json()["parcel"]
    refused = await mall.post(f"/v1/parcels/{parcel}/label", {}, **STAFF)
    assert (refused.status_code, "label service" in refused.json()["detail"]) == (409, True)
    waybill = {"carrier": "shunfeng", "waybill": "SF1000000000001"}
    by_hand = await mall.post(f"/v1/parcels/{parcel}/waybill", waybill, **STAFF)
    assert by_hand.status_code == 200


def text_of(answer: Any) -> list[str]:
    """The text of each page of a PDF that was answered, without its spaces and line breaks."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return ["".join(page.extract_text().split()) for page in pages]


async def test_labels_are_printed_masked_the_same_every_time(desk: Desk) -> None:
    """W5, A4: number, parcel, orders, warehouse are on it; name, phone and house are not."""
    number, parcel = await desk.released(("notebook", 2))
    assert (await desk.mall.get(f"/v1/parcels/{parcel}/label.pdf", **STAFF)).status_code == 404
    await desk.ask()
    waybill = (await desk.seen(parcel))["waybill"]
    first, again = [
        await desk.mall.get(f"/v1/parcels/{parcel}/label.pdf", **STAFF) for _ in range(2)
    ]
    assert first.content == again.content
    (page,) = text_of(first)
    for shown in (waybill, parcel, number, "浙江仓", "林**", "8000", "文三路", "线装笔记本"):
        assert shown in page, shown
    for hidden in ("林小满", "13800138000", "301", "1号2单元"):
        assert hidden not in page, hidden
    assert (await desk.mall.get(f"/v1/parcels/{parcel}/label.pdf")).status_code == 403


async def test_a_whole_wave_is_one_document(desk: Desk) -> None:
    """W5: a page a parcel; those without a number yet are counted, not printed."""
    for nth in range(3):
        place = {**RECIPIENT, "address": f"文三路 {nth + 30} 号 101"}
        await desk.mall.order(("notebook", 1), recipient=place)
    ran = await desk.change("/v1/waves", {"warehouse": HALL})
    await desk.ask()
    await desk.change(f"/v1/parcels/{ran['parcels'][0]}/label/cancellation", {"reason": "torn"})
    counted = (await desk.mall.get(f"/v1/waves/{ran['wave']}/labels", **STAFF)).json()
    assert (counted["parcels"], counted["labelled"], counted["documents"]) == (3, 2, 1)
    pages = text_of(await desk.mall.get(f"/v1/waves/{ran['wave']}/labels.pdf", **STAFF))
    assert [sum(parcel in page for parcel in ran["parcels"]) for page in pages] == [1, 1]
    none = await desk.mall.get(f"/v1/waves/{ran['wave']}/labels.pdf", part=2, **STAFF)
    assert none.status_code == 404


async def test_a_pick_list_is_printed_with_what_to_fetch(desk: Desk) -> None:
    """W1: sums by item, then parcel by parcel; nobody is named on it."""
    number, parcel = await desk.released(("notebook", 3))
    listed = await desk.change("/v1/pick-lists", {"warehouse": HALL})
    path = f"/v1/pick-lists/{listed['pick_list']}/sheet.pdf"
    (page,) = text_of(await desk.mall.get(path, **STAFF))
    for shown in (listed["pick_list"], parcel, number, "notebook", "x3"):
        assert shown in page, shown
    assert "林" not in page
