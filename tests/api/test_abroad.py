"""Orders abroad through the API: coverage, addresses, and what is looked at first (T7)."""

from typing import Any

import pytest

from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

STAFF: dict[str, Any] = {"role": "operations", "subject": "ops"}
TOKYO = {
    "name": "Aoi Sato", "phone": "03-5296-4120", "country": "JP", "postcode": "100-0001",
    "province": "Tokyo-to", "city": "Chiyoda", "address": "1-1 Marunouchi, room 1204",
}  # fmt: skip
MUG = {"hs_code": "482010", "english_name": "Paper notebook", "origin": "CN"}
NOT_TERMS = {"sku", "on_sale", "available", "stock", "position"}


async def changed(mall: Mall, path: str, body: Any, **more: Any) -> Any:
    """A change by staff that has to succeed, seen by the views."""
    answer = await mall.post(path, body, **{**STAFF, **more})
    assert answer.status_code in (200, 201), answer.text
    await mall.views()
    return answer.json()


async def open_abroad(mall: Mall, *countries: str) -> None:
    """The hall in Zhejiang serves these countries, and EMS takes its parcels there."""
    houses = (await mall.get("/v1/warehouses", **STAFF)).json()["warehouses"]
    hall = next(one for one in houses if one["code"] == "zhejiang")
    await changed(mall, "/v1/warehouses", {**hall, "serves": [*hall["serves"], *countries]})
    rate = {"first_fen": 9_000, "additional_fen": 3_000, "hours": 240}
    card = {
        "carrier": "ems", "effective_from": "2026-01-01T00:00:00+08:00", "name": "abroad",
        "service": "economical", "volume_divisor": 6_000, "max_parcel_grams": 30_000,
        "lanes": [{"origin": "浙江省", "destinations": list(countries), "rate": rate}],
        "risk": {"lost_per_million": 500, "damaged_per_million": 500, "late_per_thousand": 50},
    }  # fmt: skip
    await changed(mall, "/v1/rate-cards", card)


async def classify(mall: Mall, sku: str, **customs: Any) -> None:
    """Say what an item is to customs."""
    item = (await mall.get(f"/v1/items/{sku}", **STAFF)).json()
    terms = {name: value for name, value in item.items() if name not in NOT_TERMS}
    await changed(mall, "/v1/items", {**terms, "sku": sku, "customs": {**MUG, **customs}})


def wish(recipient: dict[str, Any] = TOKYO) -> dict[str, Any]:
    return {
        "learner": "lin",
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": recipient,
    }


async def test_an_order_abroad_is_refused_until_the_mall_opens_the_country(mall: Mall) -> None:
    """T7, O1: by name and in both languages; then quoted with the carrier that serves it."""
    refused = await mall.post("/v1/orders", wish())
    assert refused.status_code == 409
    (failure,) = refused.json()["failures"]
    assert (failure["code"], failure["country"]) == ("country_not_served", "JP")
    assert "Japan" in failure["message"]
    assert "日本" in failure["message_zh"]
    assert (await mall.get("/v1/addresses/countries")).json() == {"countries": []}
    await open_abroad(mall, "JP", "HK")
    served = (await mall.get("/v1/addresses/countries")).json()["countries"]
    assert [one["code"] for one in served] == ["HK", "JP"]
    houses = (await mall.get("/v1/warehouses", **STAFF)).json()["warehouses"]
    hall = next(one for one in houses if one["code"] == "zhejiang")
    await changed(mall, "/v1/warehouses", {**hall, "serves": [*hall["serves"], "FR"]})
    other = next(one for one in houses if one["code"] == "henan")
    await changed(mall, "/v1/warehouses", {**other, "serves": [*other["serves"], "JP"]})
    # No card goes to France, and none from Henan: neither the mall nor that warehouse sends there.
    assert (await mall.get("/v1/addresses/countries")).json()["countries"] == served
    assert {tuple(one["warehouses"]) for one in served} == {("zhejiang",)}
    quoted = (await mall.post("/v1/quotes", wish())).json()
    assert (quoted["ok"], quoted["parts"][0]["carrier"]) == (True, "ems")
    elsewhere = await mall.post(
        "/v1/orders", wish({**TOKYO, "country": "US", "phone": "2025550143"})
    )
    assert [one["code"] for one in elsewhere.json()["failures"]] == ["country_not_served"]


async def test_personal_data_abroad_stay_on_the_card(mall: Mall) -> None:
    """T7, A4: the fact knows the country and no more of the person; screens mask the rest."""
    await open_abroad(mall, "JP")
    number = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    audited = {"role": "auditor", "subject": "audit"}
    stream = await mall.get(f"/v1/audit/streams/order:{number}", **audited)
    for word in ("Aoi", "4120", "Marunouchi", "100-0001"):
        assert word not in stream.text
    placed = stream.json()["events"][0]["data"]["destination"]
    assert (placed["country"], placed["city"]) == ("JP", "Chiyoda")
    seen = (await mall.get(f"/v1/orders/{number}/recipient")).json()["recipient"]
    assert (seen["country"], "postcode" in seen) == ("JP", False)
    assert "1204" not in seen["address"]
    moved = {**TOKYO, "city": "Osaka", "phone": "06-6208-3181"}
    assert (await mall.post(f"/v1/orders/{number}/address", moved)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"country": "JPN"}, "country"),
        ({"country": "ZZ"}, "country"),
        ({"city": None}, "city"),
        ({"phone": "13800138000"}, "phone"),
        ({"postcode": "〒(100)"}, "postcode"),
    ],
)
async def test_an_address_abroad_is_refused_with_its_field(
    mall: Mall, wrong: dict[str, Any], where: str
) -> None:
    """T7, M4: what cannot be used is named, in both languages."""
    answer = await mall.post("/v1/quotes", wish({**TOKYO, **wrong}))
    assert answer.status_code == 422
    (failure,) = answer.json()["failures"]
    assert failure["field"] == f"recipient.{where}"
    assert failure["message"] != failure["message_zh"]


async def test_an_order_that_customs_may_object_to_waits_for_a_human(mall: Mall) -> None:
    """T7, O7: with the item named; once it is classified the next order needs nobody."""
    await open_abroad(mall, "JP")
    number = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    await mall.views()
    (waiting,) = (await mall.get("/v1/reviews", **STAFF)).json()["orders"]
    assert (waiting["number"], waiting["reasons"]) == (number, ["hs_code_missing"])
    assert (waiting["province"], waiting["country"]) == ("JP", "JP")
    (doubt,) = waiting["doubts"]
    assert doubt["code"] == "hs_code_missing"
    assert "notebook" in doubt["message"]
    assert "海关编码" in doubt["message_zh"]
    ran = await changed(mall, "/v1/waves", {"warehouse": "zhejiang"})
    assert ran["parcels"] == []
    decided = {"decision": "approve", "reason": "code is known"}
    await changed(mall, f"/v1/orders/{number}/review", decided)
    ran = await changed(mall, "/v1/waves", {"warehouse": "zhejiang"})
    assert len(ran["parcels"]) == 1
    await classify(mall, "notebook")
    clean = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    assert (await mall.get("/v1/reviews", **STAFF)).json()["orders"] == []
    await classify(mall, "notebook", barred_from=["JP"])
    stopped = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    before = (await mall.balance())["available"]
    paid = (await mall.read(stopped))["points"]
    decided = {"decision": "reject", "reason": "may not be sent there"}
    await changed(mall, f"/v1/orders/{stopped}/review", decided)
    assert (await mall.balance())["available"] == before + paid
    assert (await mall.read(stopped))["status"] == "cancelled"
    assert (await mall.read(clean))["status"] == "pending_shipment"
