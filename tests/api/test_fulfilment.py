"""The house's own work over HTTP: review, wave, merge, pick, pack, hand over (O7, S4, S5, W1)."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from application.envelope import decode_fact
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from domain.house_rules import HouseRules
from domain.parcel_facts import CarrierChosen
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
HALL = "zhejiang"


async def changed(mall: Mall, path: str, body: Any, **more: Any) -> Any:
    """A change by staff that has to succeed, seen by the views."""
    answer = await mall.post(path, body, **{**STAFF, **more})
    assert answer.status_code == 200, answer.text
    await mall.views()
    return answer.json()


async def test_two_orders_go_through_the_house_as_one_parcel(mall: Mall) -> None:
    """S4, S5, W1: released by hand, merged, picked, packed, labelled, handed over."""
    first = (await mall.order(("notebook", 1)))["number"]
    second = (await mall.order(("notebook", 2)))["number"]
    ran = await changed(mall, "/v1/waves", {"warehouse": HALL}, key="w1")
    (parcel,) = ran["parcels"]
    assert (ran["parts"], ran["merged"]) == (2, 2)
    again = await mall.post("/v1/waves", {"warehouse": HALL}, key="w1", **STAFF)
    assert again.json() == {key: ran[key] for key in again.json()}
    seen = await mall.read(first, role="operations", subject="ops")
    assert (seen["parts"][0]["stage"], seen["parts"][0]["planned"]) == ("released", parcel)
    assert "planned" not in (await mall.read(first))["parts"][0]
    assert (await mall.read(first))["parcels"] == []  # nothing is packed yet
    listed = await changed(mall, "/v1/pick-lists", {"warehouse": HALL})
    assert [(one["order"], one["quantity"]) for one in listed["units"]] == [(first, 1), (second, 2)]
    refused = await mall.post(f"/v1/parcels/{parcel}/separation", {"reason": "x"}, **STAFF)
    assert refused.status_code == 409
    await changed(mall, f"/v1/parcels/{parcel}/picking", {})
    await changed(mall, f"/v1/parcels/{parcel}/packing", {"weight_grams": 1_200})
    waybill = {"carrier": "shunfeng", "waybill": "SF1000000000001"}
    await changed(mall, f"/v1/parcels/{parcel}/waybill", waybill)
    await changed(mall, f"/v1/parcels/{parcel}/handover", {})
    for number, other in ((first, second), (second, first)):
        order = await mall.read(number)
        assert order["status"] == "pending_receipt"
        assert [one["shared_with"] for one in order["parcels"]] == [[other]]
    whole = (await mall.get(f"/v1/parcels/{parcel}", **STAFF)).json()
    assert whole["stage"] == "handed_over"
    assert [one["order"] for one in whole["contents"]] == [first, second]
    waves = (await mall.get("/v1/waves", **STAFF)).json()["waves"]
    assert [(one["id"], one["merged"]) for one in waves] == [(ran["wave"], 2)]


async def test_a_wave_merges_what_is_cheaper_as_one_parcel_alone(mall: Mall) -> None:
    """S4, W4: two lamps are worth a fast carrier only together; a notebook goes with one."""
    for sku in ("desk-lamp", "desk-lamp", "notebook"):
        await mall.order((sku, 1))
    ran = await changed(mall, "/v1/waves", {"warehouse": HALL})
    assert (ran["parts"], len(ran["parcels"]), ran["merged"]) == (3, 2, 2)
    asked = "SELECT state FROM {}.tallypost_events WHERE topic = 'parcels.CarrierChosen'"
    async with mall.tenant.pool.connection() as connection:
        query = SQL(asked).format(Identifier(mall.tenant.schema))
        rows = await (await connection.execute(query)).fetchall()
    (told,) = [decode_fact("parcels.CarrierChosen", bytes(row[0])) for row in rows]
    assert isinstance(told, CarrierChosen)
    assert told.apart_fen is not None
    assert told.shipping.total_fen <= told.apart_fen


async def test_a_wave_by_hand_says_of_each_named_order_why_it_stays(mall: Mall) -> None:
    """S5: nothing is left without a word, and what was approved just now goes at once."""
    held = (await mall.order(("ink-stone", 1)))["number"]
    far = (await mall.order(("walnut-bookend", 1)))["number"]
    wish = {"warehouse": HALL, "orders": ["NOPE1", held, far]}
    ran = (await mall.post("/v1/waves", wish, **STAFF)).json()
    assert (ran["parts"], ran["parcels"]) == (0, [])
    assert [(one["order"], one["why"]) for one in ran["left"]] == [
        ("NOPE1", "unknown"),
        (held, "in_review"),
        (far, "not_from_here"),
    ]
    body = {"decision": "approve", "reason": "called the learner"}
    approved = await mall.post(f"/v1/orders/{held}/review", body, **STAFF)
    assert approved.status_code == 200, approved.text  # and no view has seen it
    ran = (await mall.post("/v1/waves", {"warehouse": HALL, "orders": [held]}, **STAFF)).json()
    assert (ran["parts"], ran["left"]) == (1, [])
    again = (await mall.post("/v1/waves", {"warehouse": HALL, "orders": [held]}, **STAFF)).json()
    assert [one["why"] for one in again["left"]] == ["released_before"]


async def test_a_merge_is_undone_and_made_again_until_picking(mall: Mall) -> None:
    """S4: parcels to one address alone; each order can still be cancelled by itself."""
    numbers = [(await mall.order(("notebook", 1)))["number"] for _ in range(2)]
    elsewhere = {**RECIPIENT, "address": "文三路 9 号 101"}
    numbers.append((await mall.order(("notebook", 1), recipient=elsewhere))["number"])
    ran = await changed(mall, "/v1/waves", {"warehouse": HALL})
    shared = next(one for one in ran["parcels"] if one.endswith("-M"))
    apart = await changed(mall, f"/v1/parcels/{shared}/separation", {"reason": "asked for"})
    assert len(apart["parcels"]) == 2
    other = next(one for one in ran["parcels"] if one != shared)
    wrong = {"parcels": [shared, other], "reason": "one trip"}
    refused = await mall.post("/v1/parcels/merges", wrong, **STAFF)
    assert (refused.status_code, "addresses" in refused.json()["detail"]) == (409, True)
    merged = await changed(
        mall, "/v1/parcels/merges", {"parcels": apart["parcels"], "reason": "one trip"}
    )
    cancelled = await mall.post(f"/v1/orders/{numbers[1]}/cancellation", {"reason": "x"})
    assert cancelled.json()["status"] == "cancelled"
    picked = await changed(mall, f"/v1/parcels/{merged['parcel']}/picking", {})
    assert [one["order"] for one in picked["contents"]] == [numbers[0]]


async def test_units_cancelled_after_packing_are_taken_out_before_it_leaves(mall: Mall) -> None:
    """W1, rule 5: listed for whoever brings them back; the parcel waits, and is weighed anew."""
    number = (await mall.order(("notebook", 3)))["number"]
    (parcel,) = (await changed(mall, "/v1/waves", {"warehouse": HALL}))["parcels"]
    await changed(mall, f"/v1/parcels/{parcel}/picking", {})
    await changed(mall, f"/v1/parcels/{parcel}/packing", {"weight_grams": 900})
    waybill = {"carrier": "shunfeng", "waybill": "SF1000000000001"}
    await changed(mall, f"/v1/parcels/{parcel}/waybill", waybill)
    assert (await mall.get("/v1/put-backs", **STAFF)).json() == {"parcels": []}
    less = {"reason": "too many", "lines": [{"sku": "notebook", "quantity": 1}]}
    await changed(mall, f"/v1/orders/{number}/cancellation", less)
    (listed,) = (await mall.get(f"/v1/put-backs?warehouse={HALL}", **STAFF)).json()["parcels"]
    assert (listed["number"], listed["reopen"], listed["waybill"]) == (
        parcel,
        True,
        "SF1000000000001",
    )
    assert [(one["order"], one["sku"], one["quantity"]) for one in listed["units"]] == [
        (number, "notebook", 1)
    ]
    held = await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)
    assert (held.status_code, held.json()["detail_zh"]) == (409, "无法交运：包裹中还有已取消的商品")
    done = await changed(mall, f"/v1/parcels/{parcel}/put-back", {"weight_grams": 600})
    assert done["units"] == 1
    assert (await mall.get("/v1/put-backs", **STAFF)).json() == {"parcels": []}
    await changed(mall, f"/v1/parcels/{parcel}/handover", {})
    assert (await mall.read(number))["status"] == "pending_receipt"


async def test_a_merge_is_refused_with_its_figures_when_it_is_too_heavy(mall: Mall) -> None:
    """C2, S4: by hand no heavier parcel is made than by a wave; both languages say how heavy."""
    mall.tenant.rules = HouseRules(parcel_grams=100)
    for _ in range(2):
        await mall.order(("notebook", 1))
    ran = await changed(mall, "/v1/waves", {"warehouse": HALL})
    assert (len(ran["parcels"]), ran["merged"]) == (2, 0)
    wish = {"parcels": ran["parcels"], "reason": "one trip"}
    refused = (await mall.post("/v1/parcels/merges", wish, **STAFF)).json()
    assert (refused["status"], refused["code"]) == (409, "parcel_too_heavy")
    assert "660 g" in refused["detail"]
    assert "100 g" in refused["detail"]


async def test_no_wave_is_noted_by_hand_where_nothing_can_be_released(mall: Mall) -> None:
    """S5: neither where nothing waits nor where a human looks at all that does; one that may is."""
    nothing = await changed(mall, "/v1/waves", {"warehouse": HALL}, key="none")
    assert (nothing["parts"], nothing["parcels"]) == (0, [])
    await mall.order(("notebook", 1), recipient={**RECIPIENT, "name": "测试"})
    await changed(mall, "/v1/waves", {"warehouse": HALL})
    assert (await mall.get("/v1/waves", **STAFF)).json()["waves"] == []
    await mall.order(("notebook", 1))
    again = await changed(mall, "/v1/waves", {"warehouse": HALL}, key="none")
    assert again["parts"] == 0  # the same call has the same answer
    ran = await changed(mall, "/v1/waves", {"warehouse": HALL})
    assert [one["id"] for one in (await mall.get("/v1/waves", **STAFF)).json()["waves"]] == [
        ran["wave"]
    ]
    unknown = await mall.post("/v1/waves", {"warehouse": "nowhere"}, **STAFF)
    assert unknown.json()["code"] == "warehouse_unknown"


async def test_a_human_decides_about_what_the_rules_hold_back(mall: Mall) -> None:
    """O7: in the queue with its reasons; approved it goes on, rejected all comes back."""
    mall.tenant.rules = HouseRules(review_every_order=True)
    before = (await mall.balance())["available"]
    kept = (await mall.order(("notebook", 1), recipient={**RECIPIENT, "name": "测试"}))["number"]
    stopped = (await mall.order(("notebook", 1)))["number"]
    queue = (await mall.get("/v1/reviews", **STAFF)).json()["orders"]
    assert [(one["number"], one["reasons"]) for one in queue] == [
        (kept, ["address_doubtful", "every_order"]),
        (stopped, ["every_order"]),
    ]
    assert [line["sku"] for line in queue[0]["lines"]] == ["notebook"]
    assert [[doubt["code"] for doubt in one["doubts"]] for one in queue] == [["name_doubtful"], []]
    page = (await mall.get("/v1/reviews", limit=1, **STAFF)).json()
    rest = (await mall.get("/v1/reviews", cursor=page["next"], **STAFF)).json()
    assert [one["number"] for one in rest["orders"]] == [stopped]
    packed = await mall.post("/v1/parcels", {"order": kept, "part": 1}, **STAFF)
    assert packed.status_code == 409
    approve = {"decision": "approve", "reason": "known"}
    assert (await changed(mall, f"/v1/orders/{kept}/review", approve))["review"] == []
    reject = {"decision": "reject", "reason": "resold"}
    await changed(mall, f"/v1/orders/{stopped}/review", reject)
    assert (await mall.read(stopped))["status"] == "cancelled"
    spent = (await mall.read(kept))["points"]
    assert (await mall.balance())["available"] == before - spent
    again = await mall.post(f"/v1/orders/{kept}/review", approve, **STAFF)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_review")
    assert (await mall.get("/v1/reviews", **STAFF)).json()["orders"] == []


async def test_what_the_warehouse_owes_is_listed_by_stage_and_lateness(mall: Mall) -> None:
    """W1: planned parcels are in the queue; those whose service level is over are late."""
    await mall.order(("notebook", 1))
    await changed(mall, "/v1/waves", {"warehouse": HALL})
    asked = {"warehouse": HALL, "stage": "planned", **STAFF}
    (one,) = (await mall.get("/v1/parcels", **asked)).json()["parcels"]
    assert one["hand_over_by"] is not None
    late = await mall.get("/v1/parcels", late="true", **STAFF)
    assert late.json()["parcels"] == []


async def test_what_the_next_wave_holds_is_told_before_it_comes(mall: Mall) -> None:
    """S5: by warehouse with its cut-off, order by order with what it sends; those in review too."""
    first = (await mall.order(("notebook", 2)))["number"]
    mall.tenant.rules = HouseRules(review_every_order=True)
    held = (await mall.order(("notebook", 1), ("rattan-basket", 1)))["number"]
    found = (await mall.get("/v1/waves/next", **STAFF)).json()["warehouses"]
    told = {one["warehouse"]: (one["orders"], one["in_review"]) for one in found}
    assert told == {"henan": (1, 1), HALL: (2, 1), "shaanxi": (0, 0)}
    assert {one["cut_off"][11:16] for one in found} == {"08:00"}  # 16:00 in the warehouses
    page = (await mall.get(f"/v1/waves/next/{HALL}", limit=1, **STAFF)).json()
    (one,) = page["orders"]
    assert (one["number"], one["urgent"], one["in_review"]) == (first, False, False)
    assert [(line["sku"], line["quantity"]) for line in one["lines"]] == [("notebook", 2)]
    rest = (await mall.get(f"/v1/waves/next/{HALL}", cursor=page["next"], **STAFF)).json()
    assert [(one["number"], one["in_review"]) for one in rest["orders"]] == [(held, True)]
    assert rest["next"] is None


async def test_a_pick_list_is_there_until_all_of_it_was_picked(mall: Mall) -> None:
    """W1: whoever lost the paper finds it again, with what is still to be taken for each parcel."""
    numbers = [(await mall.order(("notebook", nth)))["number"] for nth in (1, 2)]
    elsewhere = {**RECIPIENT, "address": "文三路 9 号 101"}
    numbers.append((await mall.order(("notebook", 3), recipient=elsewhere))["number"])
    shared, alone = sorted((await changed(mall, "/v1/waves", {"warehouse": HALL}))["parcels"])
    shared, alone = (shared, alone) if shared.endswith("-M") else (alone, shared)
    listed = await changed(mall, "/v1/pick-lists", {"warehouse": HALL})
    (one,) = (await mall.get("/v1/pick-lists", warehouse=HALL, **STAFF)).json()["pick_lists"]
    assert (one["pick_list"], one["parcels"], one["to_pick"]) == (listed["pick_list"], 2, 2)
    merged = (await mall.get("/v1/parcels", shared="true", **STAFF)).json()["parcels"]
    assert [one["number"] for one in merged] == [shared]
    assert [one["quantity"] for one in merged[0]["units"]] == [1, 2]
    cancelled = await mall.post(f"/v1/orders/{numbers[0]}/cancellation", {"reason": "x"})
    assert cancelled.status_code == 200
    await changed(mall, f"/v1/parcels/{alone}/picking", {})
    seen = (await mall.get(f"/v1/pick-lists/{listed['pick_list']}", **STAFF)).json()
    left = {parcel["number"]: (parcel["stage"], parcel["units"]) for parcel in seen["parcels"]}
    assert left[shared][0] == "picking"
    assert [unit["order"] for unit in left[shared][1]] == [numbers[1]]
    assert left[alone][0] == "picked"
    await changed(mall, f"/v1/parcels/{shared}/picking", {})
    assert (await mall.get("/v1/pick-lists", **STAFF)).json()["pick_lists"] == []
    gone = await mall.get("/v1/pick-lists/L00000000", **STAFF)
    assert gone.status_code == 404


async def test_parcels_are_listed_by_deadline_page_by_page(mall: Mall) -> None:
    """W1: soonest due first, those without a deadline last; a cursor loses and repeats none."""
    wanted = []
    for nth in range(3):
        place = {**RECIPIENT, "address": f"文三路 {nth + 20} 号 101"}
        wanted.append((await mall.order(("notebook", 1), recipient=place))["number"])
    packed = await mall.post("/v1/parcels", {"order": wanted[0], "part": 1}, **STAFF)
    assert packed.status_code == 201
    for number in wanted[:0:-1]:
        await changed(mall, "/v1/waves", {"warehouse": HALL, "orders": [number]})
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await mall.get("/v1/parcels", limit=1, **cursor, **STAFF)).json()
        found += [one["number"] for one in page["parcels"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == [f"{number}-P1" for number in (wanted[2], wanted[1], wanted[0])]


async def test_a_new_address_is_doubted_or_not_whatever_was_said_of_the_old_one(mall: Mall) -> None:
    """O7, O8: read anew; a doubtful one waits, also after an approval, and a clean one goes on."""
    number = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{number}/address"
    doubtful = {**RECIPIENT, "name": "测试"}

    async def waiting() -> list[list[str]]:
        await mall.views()
        queue = (await mall.get("/v1/reviews", **STAFF)).json()["orders"]
        return [[doubt["code"] for doubt in one["doubts"]] for one in queue]

    for _ in range(2):
        assert (await mall.post(path, doubtful)).status_code == 200
        assert await waiting() == [["name_doubtful"]]
        packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
        assert packed.status_code == 409
        approve = {"decision": "approve", "reason": "known"}
        await changed(mall, f"/v1/orders/{number}/review", approve)
        assert await waiting() == []
    assert (await mall.post(path, doubtful)).status_code == 200
    assert (await mall.post(path, {**RECIPIENT, "name": "林晓曼"})).status_code == 200
    assert await waiting() == []
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    assert packed.status_code == 201


async def test_what_is_to_be_put_back_for_long_is_among_the_troubles(
    mall: Mall, database: MallDatabase
) -> None:
    """W1, M5: with its warehouse and age, until somebody did it."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    number = (await mall.order(("notebook", 3)))["number"]
    (parcel,) = (await changed(mall, "/v1/waves", {"warehouse": HALL}))["parcels"]
    await changed(mall, f"/v1/parcels/{parcel}/picking", {})
    await changed(mall, f"/v1/parcels/{parcel}/packing", {"weight_grams": 900})
    less = {"reason": "too many", "lines": [{"sku": "notebook", "quantity": 1}]}
    await changed(mall, f"/v1/orders/{number}/cancellation", less)
    real = mall.tenant.store.clock

    async def stuck(hours: float) -> list[Any]:
        mall.tenant.store.clock = lambda: real() + timedelta(hours=hours)
        found = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
        return [one for one in found if one["kind"] == "put_back_late"]

    assert await stuck(23.9) == []
    (one,) = await stuck(24.1)
    assert (one["about"]["parcel"], one["about"]["order"]) == (parcel, number)
    assert one["about"]["warehouse"] == HALL
    assert one["about"]["warehouse_name"]
    await changed(mall, f"/v1/parcels/{parcel}/put-back", {"weight_grams": 600})
    assert await stuck(24.1) == []
