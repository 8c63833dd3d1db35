"""Labels whose carrier knows no address name it, for a reason that is kept (W5, A4, A9)."""

from typing import Any

import pytest

from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_labels import STAFF, Desk, desk, text_of
from tests.api.test_minors import decide, mark

pytestmark = pytest.mark.anyio

__all__ = ["desk"]
WHY = {"reason": "the carrier's shop takes it by hand"}
REVEALED = "privacy.CardRevealed"


async def packed(mall: Mall, *, waybill: str | None = "SF1000000000001") -> tuple[str, str]:
    """An order, and its parcel with a waybill that was written by hand."""
    number: str = (await mall.order(("notebook", 1)))["number"]
    parcel: str = (await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)).json()[
        "parcel"
    ]
    if waybill is not None:
        body = {"carrier": "shunfeng", "waybill": waybill}
        assert (await mall.post(f"/v1/parcels/{parcel}/waybill", body, **STAFF)).status_code == 200
    await mall.views()
    return number, parcel


async def reveals(mall: Mall) -> list[Any]:
    """What was noted of cards that were shown: (actor, reason)."""
    query = "SELECT convert_from(state, 'UTF8')::json FROM {s}.tallypost_events WHERE topic = %s"
    async with mall.tenant.pool.connection() as connection:
        text = query.replace("{s}", mall.tenant.schema)
        rows = await (await connection.execute(text, (REVEALED,))).fetchall()
    return [(one["actor"], one["reason"], one["fact"]["order"]) for (one,) in rows]


async def test_a_waybill_by_hand_has_a_label_that_names_its_recipient(mall: Mall) -> None:
    """W5, A4: name and address whole, phone masked; recorded, and the same key prints it again."""
    number, parcel = await packed(mall)
    path = f"/v1/parcels/{parcel}/label"
    (masked,) = text_of(await mall.get(f"{path}.pdf", **STAFF))
    assert RECIPIENT["name"] not in masked  # CONTROL: a GET opens no card
    first, again = [await mall.post(f"{path}/reveals", WHY, key="print", **STAFF) for _ in "12"]
    assert first.content == again.content
    (page,) = text_of(first)
    for shown in (RECIPIENT["name"], "文三路", "301", parcel, "SF1000000000001"):
        assert shown in page, shown
    assert RECIPIENT["phone"] not in page
    assert await reveals(mall) == [("operations:ops", WHY["reason"], number)]
    assert (await mall.post(f"{path}/reveals", {}, **STAFF)).status_code == 422
    await mall.post(f"{path}/reveals", WHY, key="torn", **STAFF)
    assert len(await reveals(mall)) == 2


async def test_nobody_sees_whom_an_ordered_label_goes_to(desk: Desk) -> None:
    """W5: its carrier was told with the waybill; nothing is opened or noted."""
    _, parcel = await desk.released()
    await desk.ask()
    answer = await desk.mall.post(f"/v1/parcels/{parcel}/label/reveals", WHY, **STAFF)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")
    assert "承运商已随运单获知地址" in answer.json()["detail_zh"]
    assert await reveals(desk.mall) == []


async def test_it_is_printed_while_the_parcel_is_here_and_by_its_staff_alone(mall: Mall) -> None:
    """W5, A10: without a waybill there is none, and none once it left; support prints none."""
    _, bare = await packed(mall, waybill=None)
    _, parcel = await packed(mall)
    for one in (bare, "T0-P1"):
        assert (await mall.post(f"/v1/parcels/{one}/label/reveals", WHY, **STAFF)).status_code in (
            404, 409,
        )  # fmt: skip
    path = f"/v1/parcels/{parcel}/label/reveals"
    for role in ("support", "service", "learner"):
        assert (await mall.post(path, WHY, role=role, subject="x")).status_code == 403
    assert (await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)).status_code == 200
    assert (await mall.post(path, WHY, **STAFF)).status_code == 409
    assert await reveals(mall) == []


async def test_a_minors_label_takes_four_eyes(mall: Mall) -> None:
    """A9: a second person is asked first, and nothing is printed before they allowed it."""
    _, parcel = await packed(mall)
    assert (await mark(mall, minor=True)).status_code == 200
    path = f"/v1/parcels/{parcel}/label/reveals"
    asked = await mall.post(path, WHY, **STAFF)
    assert asked.status_code == 202, asked.text
    assert await reveals(mall) == []
    assert (await decide(mall, asked.json()["approval"])).status_code == 200
    (page,) = text_of(await mall.post(path, WHY, **STAFF))
    assert RECIPIENT["name"] in page
