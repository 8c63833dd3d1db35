"""Bills come from partners that the house has, and what differs is asked of bills it has (W6)."""

import pytest

from tests.api.conftest import Mall
from tests.api.test_bills import KEY, WAYBILL, sent, shipped

pytestmark = pytest.mark.anyio

ROWS = f"单号,金额\n{WAYBILL},10.00\n"
STAFF = {"role": "support", "subject": "sue"}


@pytest.mark.parametrize(
    ("kind", "unknown", "known"), [("carrier", "sf", "shunfeng"), ("warehouse", "mars", "zhejiang")]
)
async def test_a_bill_is_refused_when_nobody_bills_by_that_name(
    mall: Mall, kind: str, unknown: str, known: str
) -> None:
    """W6, M4: by its field, in both languages, also where it is only looked at; nothing is kept."""
    for dry_run in (True, False):
        refused = await sent(mall, ROWS, kind=kind, dry_run=dry_run, **{"from": unknown})
        assert refused.status_code == 422, refused.text
        (failure,) = refused.json()["failures"]
        assert failure["field"] == "from"
        assert known in failure["reason"]
        assert "应为其中之一" in failure["message_zh"]
    listed = await mall.get("/v1/bills", **STAFF)
    assert listed.json()["bills"] == []
    assert (await sent(mall, ROWS, kind=kind, **{"from": known})).status_code == 200


async def test_a_carrier_bills_when_it_has_a_rate_card_of_the_house_alone(mall: Mall) -> None:
    """W6, W3: no aggregator need know it; means of payment and shops have names of their own."""
    card = {
        "carrier": "villagepost",
        "effective_from": "2026-01-01T00:00:00+08:00",
        "lanes": [
            {
                "origin": "浙江省",
                "destinations": ["浙江省"],
                "rate": {"first_fen": 500, "additional_fen": 100, "hours": 48},
            }
        ],
    }
    here = {"kind": "carrier", "from": "villagepost"}
    assert (await sent(mall, ROWS, **here)).status_code == 422
    published = await mall.post("/v1/rate-cards", card, role="operations", subject="wu")
    assert published.status_code == 200, published.text
    assert (await sent(mall, ROWS, **here)).status_code == 200
    for kind, partner in (("payment", "wechat"), ("channel", "taobao")):
        taken = await sent(mall, ROWS, kind=kind, **{"from": partner})
        assert taken.status_code == 200, taken.text


async def test_differences_are_not_found_when_the_bill_is_not(mall: Mall) -> None:
    """W6: as the bill itself; one that is not compared yet has none."""
    path = f"/v1/bills/{KEY}/differences"
    for unknown in (path, f"/v1/bills/{KEY}"):
        assert (await mall.get(unknown, **STAFF)).status_code == 404
    await shipped(mall)
    await sent(mall, ROWS)
    there = await mall.get(path, **STAFF)
    assert (there.status_code, there.json()["differences"]) == (200, [])
