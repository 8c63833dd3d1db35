"""Audit over HTTP: replays, who did what, heads, exports, sealed reports, closing the books."""

import csv
import io
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api import audit, tenancy
from application.checked import GOOD, REFUSED
from application.checking import check
from application.heads import SignedHead
from application.proof import root_from_inclusion
from application.rules_of import rules_of
from application.sealing import PUBLIC_KEY, rendered
from application.settings import Settings
from domain.house_rules import HouseRules
from tests.api import conftest
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

AUDITOR: dict[str, Any] = {"role": "auditor", "subject": "audit"}


async def ask(mall: Mall, path: str, **query: Any) -> Any:
    answer = await mall.get(f"/v1/audit/{path}", **AUDITOR, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_step_tells_what_it_changed_when_a_stream_is_replayed(mall: Mall) -> None:
    """A1, A2: who, when, why; the state after each event, and what was different before."""
    await mall.order(("enamel-mug", 1))
    told = await ask(mall, "streams/account:lin")
    granted, last = told["events"][1], told["events"][-1]
    assert [one["version"] for one in told["events"]] == [1, 2, 3]
    assert granted["actor"] == "policy:demo"
    assert granted["reason"] == "welcome"
    assert granted["changed"]["grants"] == [1, 2]
    assert last["fact"] == "ledger.PointsRedeemed"
    assert last["changed"].keys() == {"lots"}
    assert sum(lot["points"] for lot in last["state"]["lots"]) == 5_600 - 480
    assert told["state"] == last["state"]


async def test_long_stream_is_told_in_pages_when_it_is_replayed(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A2: every event once, in order, and always the newest state."""
    monkeypatch.setattr(audit, "STEPS_MAX", 3)
    rows = [
        {"learner": "lin", "points": 1, "reason": "task", "source": f"s{number}"}
        for number in range(6)
    ]
    await mall.post("/v1/points/grants", {"grants": rows}, role="service", subject="s")
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = await ask(mall, "streams/account:lin", after=after)
        seen += [one["version"] for one in page["events"]]
        assert page["state"]["grants"] == 8
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (await ask(mall, "streams/account:lin", after=50))["events"] == []


async def test_history_is_as_it_was_when_asked_for_an_earlier_moment(mall: Mall) -> None:
    """A2, A5: a late fact changes `as_of` and not what was known."""
    store = mall.tenant.store
    before_all = store.position
    late = store.clock() - timedelta(days=10)
    row = {"learner": "lin", "points": 70, "reason": "task", "source": "x"}
    body = {"grants": [{**row, "happened_at": late.isoformat()}]}
    granted = await mall.post("/v1/points/grants", body, role="service", subject="s")
    assert granted.json()["results"][0]["status"] == "granted"
    moment = (late + timedelta(days=1)).isoformat()

    as_of = await ask(mall, "streams/account:lin", as_of=moment)
    known = await ask(mall, "streams/account:lin", position=before_all)
    unknown = await ask(mall, "streams/account:lin", as_of=moment, position=before_all)
    assert [one["data"]["points"] for one in as_of["events"]] == [70]
    assert [one["data"]["points"] for one in known["events"]] == [600, 5_000]
    assert unknown["events"] == []
    both = await mall.get("/v1/audit/streams/account:lin", **AUDITOR, position=1, known_at=moment)
    assert both.status_code == 422


async def test_all_that_concerns_an_order_is_told_when_it_is_replayed(mall: Mall) -> None:
    """A2: ledger, stock and parcel with states of their whole streams, each with its proof."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    told = await ask(mall, f"orders/{number}", proofs=True)
    facts = [one["fact"] for one in told["events"]]
    assert {one["stream"].partition(":")[0] for one in told["events"]} == {
        "account", "order", "parcel", "stock"
    }  # fmt: skip
    assert {"orders.OrderPlaced", "stock.StockPicked", "parcels.WaybillIssued"} <= set(facts)
    redeemed = told["events"][facts.index("ledger.PointsRedeemed")]
    assert redeemed["changed"]["lots"][0]  # not folded from nothing
    assert any(one["stream"] == f"parcel:{parcel}" for one in told["events"])
    head = SignedHead.from_json(told["head"])
    for one in told["events"]:
        path = [bytes.fromhex(step) for step in one["proof"]["inclusion"]]
        leaf = bytes.fromhex(one["proof"]["leaf"])
        assert root_from_inclusion(leaf, one["position"] - 1, head.position, path) == head.root
    missing = await mall.get("/v1/audit/orders/T0", **AUDITOR)
    assert missing.status_code == 404


async def test_events_are_listed_by_who_did_them_when_asked_by_actor(mall: Mall) -> None:
    """A1: newest first, page by page, nothing twice."""
    rows = [
        {"learner": "lin", "points": 1, "reason": "task", "source": f"s{number}"}
        for number in range(120)
    ]
    await mall.post("/v1/points/grants", {"grants": rows}, role="service", subject="bot")
    await mall.views()
    seen: list[int] = []
    query: dict[str, Any] = {"actor": "service:bot"}
    while True:
        page = await ask(mall, "events", **query)
        seen += [one["position"] for one in page["events"]]
        assert all(one["actor"] == "service:bot" for one in page["events"])
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)
    everybody = await ask(mall, "events")
    assert everybody["events"][0]["position"] == mall.tenant.store.position


async def test_export_over_http_is_accepted_by_the_head_over_http(mall: Mall) -> None:
    """A3: also by a head kept before, when the growth is asked for."""
    kept = await ask(mall, "head")
    await mall.order(("enamel-mug", 1))
    newest = SignedHead.from_json(await ask(mall, "head"))
    since = json.dumps(kept)
    answer = await mall.get("/v1/audit/streams/account:lin/export", **AUDITOR, since=since)
    document = answer.content
    assert check(document, head=newest).status == GOOD
    assert check(document, head=SignedHead.from_json(kept)).status == GOOD
    again = await mall.get(
        "/v1/audit/streams/account:lin/export", **AUDITOR, since=since, position=newest.position
    )
    assert again.content == document
    assert (mall.settings.key_folder / PUBLIC_KEY).stat().st_mode & 0o777 == 0o644
    for stream, status in (("account:nobody", 404), ("nonsense:x", 404), ("bad", 422)):
        answer = await mall.get(f"/v1/audit/streams/{stream}/export", **AUDITOR)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "name", ["trial-balance", "liability", "breakage", "controls", "costs", "week"]
)
async def test_report_is_the_same_bytes_when_made_again_at_its_position(
    mall: Mall, name: str
) -> None:
    """A6: it says how it was made, sums itself up, and is refused once a figure is changed."""
    await mall.ship((await mall.order(("enamel-mug", 1)))["number"])
    await mall.views()
    path = f"/v1/audit/reports/{name}"
    first = await mall.get(path, **AUDITOR)
    made = first.json()
    await mall.order(("notebook", 2))
    again = await mall.get(path, **AUDITOR, position=made["position"])
    later = await mall.get(path, **AUDITOR)

    assert again.content == first.content
    assert later.content != first.content
    assert made["row_count"] == len(made["rows"]) > 0
    assert made["tool"].startswith("tallypost ")
    assert made["query"]
    assert made["parameters"]["position"] == made["position"] == made["head"]["position"]
    head = SignedHead.from_json(made["head"])
    assert check(first.content, head=head).status == GOOD
    changed = {**made, "rows": made["rows"][1:]}
    assert "row_count" in {one.place for one in check(rendered(changed), head=head).findings}
    assert check(rendered({**made, "tool": "other 1"}), head=head).status == REFUSED
    sheet = await mall.get(path, **AUDITOR, position=made["position"], format="csv")
    rows = list(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    about = dict(row for row in rows[: rows.index([])] if row)
    assert about["position"] == str(made["position"])
    assert about["head_root"] == made["head"]["root"]
    assert len(rows[rows.index([]) + 2 :]) == made["row_count"]


async def test_figures_agree_when_reports_are_compared_with_balances(mall: Mall) -> None:
    """A7, L6: the trial balance is zero; the liability is what learners could spend."""
    await mall.order(("enamel-mug", 1))
    trial = await ask(mall, "reports/trial-balance")
    liability = await ask(mall, "reports/liability")
    available = sum([(await mall.balance(who))["available"] for who in ("lin", "chen")])
    assert trial["sums"]["total"] == 0
    assert trial["sums"]["learner"] == available == liability["sums"]["points"]
    assert trial["sums"]["redeemed"] == 480
    assert {month for month, _ in liability["rows"]} > {"never"}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
async def test_points_are_owed_in_the_month_they_end_when_a_lot_ends_at_its_midnight(
    database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """A7, L4: the month of the last day in the business zone, as the balance names that day."""
    rules = HouseRules(zone=ZoneInfo(zone))
    for room in (tenancy, conftest):
        monkeypatch.setattr(room, "rules_of", lambda _: rules)
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    async with running(settings, database) as mall:
        first = datetime(mall.tenant.store.clock().year + 2, 3, 1, tzinfo=rules.zone)
        ends = {
            first - timedelta(microseconds=1): 1,
            first: 10,  # the end of February
            first + timedelta(microseconds=1): 100,
            first + timedelta(days=31): 1_000,  # the end of March
            first + timedelta(days=31, hours=1): 10_000,
        }
        for until, points in ends.items():
            row = {
                "learner": "new", "points": points, "reason": "task", "source": f"s{points}",
                "expires_at": until.isoformat(),
            }  # fmt: skip
            said = await mall.post(
                "/v1/points/grants", {"grants": [row]}, role="service", subject="lms"
            )
            assert said.json()["results"][0]["status"] == "granted", said.text
        report = await ask(mall, "reports/liability")
        rows = [row for row in report["rows"] if row[0].startswith(str(first.year))]
        expiring = (await mall.balance("new"))["expiring"]
    year = first.year
    assert rows == [[f"{year}-02", 11], [f"{year}-03", 1_100], [f"{year}-04", 10_000]]
    months: Counter[str] = Counter()
    for one in expiring:
        months[one["on"][:7]] += one["points"]
    assert sorted(months.items()) == [(month, points) for month, points in rows]


async def test_late_fact_is_booked_to_the_next_day_when_its_own_is_closed(mall: Mall) -> None:
    """A7: a closed day stays closed; auditors read, operations close."""
    today = mall.tenant.store.clock().astimezone(rules_of(mall.settings).zone).date()
    yesterday = today - timedelta(days=1)
    path, staff = "/v1/audit/books/closings", {"role": "operations", "subject": "ops"}
    early = await mall.post(path, {"until": today.isoformat()}, **staff)
    assert (early.status_code, early.json()["code"]) == (409, "not_possible")
    refused = await mall.post(path, {"until": yesterday.isoformat()}, **AUDITOR)
    assert refused.status_code == 403
    assert (await mall.post(path, {"until": "2026-02-30"}, **staff)).status_code == 422
    closed = await mall.post(path, {"until": yesterday.isoformat()}, **staff)
    assert closed.json()["closed_until"] == yesterday.isoformat()
    await mall.views()
    before = await ask(mall, "reports/trial-balance", until=yesterday.isoformat())

    late = mall.tenant.store.clock() - timedelta(days=3)
    row = {"learner": "lin", "points": 70, "reason": "task", "source": "late"}
    body = {"grants": [{**row, "happened_at": late.isoformat()}]}
    await mall.post("/v1/points/grants", body, role="service", subject="s")
    await mall.views()
    after = await ask(mall, "reports/trial-balance", until=yesterday.isoformat())
    whole = await ask(mall, "reports/trial-balance")
    assert after["rows"] == before["rows"]
    assert whole["rows"][-1][0] == today.isoformat()
    assert whole["sums"]["issuance"] == -2 * 5_600 - 70


@pytest.mark.parametrize("role", ["learner", "service", "support", "operations"])
async def test_audit_is_closed_when_another_role_asks(mall: Mall, role: str) -> None:
    """A10: replays of orders are for all staff, the rest for auditors and administrators."""
    for path in (
        "streams/account:lin",
        "streams/account:lin/export",
        "events",
        "head",
        "reports/liability",
    ):
        answer = await mall.get(f"/v1/audit/{path}", role=role, subject="lin")
        assert answer.status_code == 403, path
    status = 404 if role in ("support", "operations") else 403
    assert (await mall.get("/v1/audit/orders/T1", role=role)).status_code == status


async def test_every_value_of_a_state_has_its_name(mall: Mall) -> None:
    """A2, A3: parts and all else are told by name, in replays and in exports alike."""
    placed = await mall.order(("enamel-mug", 1))
    number = placed["number"]
    await mall.views()
    auditor = {"role": "auditor", "subject": "au"}
    told = (await mall.get(f"/v1/audit/orders/{number}", **auditor)).json()
    export = (await mall.get(f"/v1/audit/streams/order:{number}/export", **auditor)).json()
    stream = (await mall.get(f"/v1/audit/streams/order:{number}", **auditor)).json()
    assert export["format"] == "tallypost export 2"
    for state in (told["state"], stream["state"], export["events"][-1]["state"]):
        (part,) = state["parts"]
        assert part["state"] == "pending_shipment"
        assert part["units"] == [{"line": 1, "quantity": 1}]
        assert (part["number"], part["carrier"]) == (1, part["carrier"])
