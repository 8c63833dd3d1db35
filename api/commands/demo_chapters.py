"""章节 The chapters of the demo, in order: from an achievement to an auditor's proof."""

import json
import threading
import time
from typing import Any

import httpx2

from api.auth import Role
from api.commands.demo_story import LEARNER, PATIENCE_SECONDS, Story, awaited, in_words
from api.pages import WORDS
from application.callback_links import CallbackLinks
from application.checking import check
from application.gateways.kuaidi100 import compact_json, sign_push
from application.heads import SignedHead
from application.settings import Settings

RECIPIENT = {
    "name": "梅若雪",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 90 号 3 幢 2 单元 501",
}


RENTED: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "/v1/warehouses",
        {
            "code": "rented",
            "name": "租赁仓",
            "province": "陕西省",
            "city": "西安市",
            "serves": ["*"],
            "third_party": True,
        },
    ),
    (
        "/v1/items",
        {
            "sku": "paper-fan",
            "name": "折扇 Paper fan",
            "kind": "parcel",
            "points": 60,
            "market_value_fen": 3_900,
            "weight_grams": 120,
            "on_sale": True,
        },
    ),
    ("/v1/stock/receipts", {"sku": "paper-fan", "warehouse": "rented", "quantity": 20}),
)
"""A warehouse that the sandbox plays, with goods that nobody else has."""


def grant(story: Story) -> None:
    """L1: points for an achievement, once."""
    story.tell("A course is completed: points are granted", "the platform sends it twice")
    earned = {
        "learner": LEARNER,
        "points": 3_000,
        "reason": "course_completed",
        "source": "PY-101",
    }
    for _ in range(2):
        answer = story.done("/v1/points/grants", {"grants": [earned]}, role=Role.SERVICE)
        story.show(f"the answer: {answer['results'][0]['status']}")
    balance = story.get(f"/v1/learners/{LEARNER}/balance", min_position=answer["position"])
    story.page("/ → Points", f"{balance['available']:,} points, one entry on the statement")


def redeem(story: Story) -> str:
    """O1, L2: refused whole with every reason; then in one commit."""
    story.tell(
        "A wish that cannot be fulfilled is refused whole, with every reason",
        "two ink stones, where one is allowed, and far too many mugs",
    )
    wish: dict[str, Any] = {
        "learner": LEARNER,
        "lines": [{"sku": "ink-stone", "quantity": 2}, {"sku": "enamel-mug", "quantity": 900}],
        "recipient": RECIPIENT,
    }
    _, answer = story.post("/v1/orders", wish)
    for failure in answer["failures"]:
        story.show(f"refused: {failure['message']}")
    story.tell("She redeems a pair of bookends and four mugs", "points, stock, order: one commit")
    wish["lines"] = [{"sku": "enamel-mug", "quantity": 4}, {"sku": "walnut-bookend", "quantity": 1}]
    placed = story.done("/v1/orders", wish)
    number: str = placed["number"]
    balance = story.get(f"/v1/learners/{LEARNER}/balance", min_position=placed["position"])
    story.show(f"order {number}: {placed['points']:,} points; {balance['available']:,} are left")
    story.get(f"/v1/orders/{number}", min_position=placed["position"])
    story.page("/ → Orders", f"promised by {placed['promised_by'][:10]}")
    return number


def review(story: Story, number: str) -> None:
    """O7, S5: a human looks at what is dear before anything is packed."""
    story.tell("The order is worth more than ¥300: a human looks at it first")
    order = story.get(f"/v1/orders/{number}", role=Role.OPERATIONS)
    reasons = ", ".join(WORDS["en"][f"review.{one}"] for one in order["review"])
    story.page("/operations → Reviews", f"{number}: {reasons}")
    story.approve(number, reason="known learner, address checked")
    story.show("approved, with actor and reason in the log")


def split(story: Story, number: str) -> list[dict[str, Any]]:
    """S1: which warehouse sends what, by which carrier."""
    story.tell("No warehouse has everything: the order was split when it was placed")
    order = story.get(f"/v1/orders/{number}", role=Role.OPERATIONS)
    parts: list[dict[str, Any]] = order["parts"]
    for part in parts:
        units = ", ".join(
            f"{unit['quantity']} × {order['lines'][unit['line'] - 1]['sku']}"
            for unit in part["units"]
        )
        carrier = _carrier(part)
        story.show(f"part {part['part']}: {units} from {part['warehouse']}, by {carrier}")
    story.page(f"/operations → Packing → {number}", "each part with its next step")
    return parts


def entrust(story: Story, settings: Settings) -> tuple[str, str]:
    """W2, rules.md 5: a warehouse of somebody else's; a cancel waits for its acknowledgement."""
    story.tell(
        "A warehouse that somebody else runs gets two orders by itself",
        "asked and told, signed (our sandbox plays it); then she cancels one of them",
    )
    behaviour = {"pace_seconds": 2.0, "ship_cancelled": True}
    httpx2.post(f"{settings.kuaidi100_url}/behaviour", json=behaviour).raise_for_status()
    for path, body in RENTED:
        story.done(path, body, role=Role.OPERATIONS)
    sent, cancelled = _rented_order(story), _rented_order(story)
    awaited(
        "What the other warehouse was to send was not taken.",
        lambda: _consigned(story, cancelled)["acknowledged"] == 1,
    )
    answer = story.done(f"/v1/orders/{cancelled}/cancellation", {"reason": "changed_mind"})
    story.show(f"cancelled: {answer['points']} points come back before the warehouse agrees")
    awaited(
        "What the other warehouse was to send was not cancelled.",
        lambda: _status(story, cancelled) == "cancelled",
    )
    spent = story.get(f"/v1/orders/{cancelled}")["points"]
    story.show(f"the warehouse agrees: {spent} points come back")
    return sent, cancelled


def entrusted(story: Story, sent: str, cancelled: str) -> None:
    """W2, rules.md 5: by whom it was sent; what was sent by mistake is called back by itself."""
    story.tell(
        "The other warehouse sent one order, and the cancelled one by mistake",
        "its points are back already: its carrier is asked by itself to bring it back",
    )
    awaited(
        "What the other warehouse was to send was not sent.",
        lambda: _consigned(story, sent)["state"] == "shipped",
    )
    awaited(
        "What the other warehouse was to send was not called back.",
        lambda: _stopped(story, cancelled) is not None,
    )
    for number in (sent, cancelled):
        one = _consigned(story, number)
        carrier = WORDS["en"][f"carrier.{one['carrier']}"]
        status = WORDS["en"][f"status.{_status(story, number)}"]
        story.show(f"{one['parcel']}: {carrier} {one['waybill']}; the order: {status}")
    story.page(
        "/operations → Third parties", "each wish with its answer; tick those that left, too"
    )
    back = _stopped(story, cancelled) or {}
    state = WORDS["en"][f"intercept_state.{back['state']}"]
    story.page("/operations → Delays", f"whether {back['parcel']} comes back: {state}")


def _rented_order(story: Story) -> str:
    """An order that is released in the rented warehouse; its number."""
    number = story.ordered("paper-fan", 1, recipient=RECIPIENT)
    wave = {"warehouse": "rented", "orders": [number]}
    story.done("/v1/waves", wave, role=Role.OPERATIONS)
    return number


def _status(story: Story, number: str) -> str:
    return str(story.get(f"/v1/orders/{number}")["status"])


def _consigned(story: Story, number: str) -> dict[str, Any]:
    """The order's parcel as the third party was asked for it; no state: it was not yet."""
    rows = story.get("/v1/consignments", role=Role.OPERATIONS, all=True)["consignments"]
    none = {"state": None, "acknowledged": 0}
    return next((one for one in rows if one["orders"] == [number]), none)


def _stopped(story: Story, number: str) -> dict[str, Any] | None:
    """The order's parcel among those that are to be stopped."""
    rows = story.get("/v1/intercepts", role=Role.OPERATIONS)["intercepts"]
    return next((one for one in rows if one["orders"] == [number]), None)


def ship(story: Story, number: str, parts: list[dict[str, Any]], settings: Settings) -> list[str]:
    """W1, T1–T3: packed, labelled, handed over; scans come in live, forged ones do not."""
    story.tell(
        "Both parts are packed, labelled and handed over; she watches live",
        "the carrier (our sandbox) pushes every scan twice, signed",
    )
    news: list[str] = []
    threading.Thread(target=_watch, args=(story, number, news), daemon=True).start()
    sandbox = settings.kuaidi100_url
    httpx2.post(f"{sandbox}/behaviour", json={"pace_seconds": 1.0}).raise_for_status()
    parcels = []
    for part in parts:
        packing = {"order": number, "part": part["part"], "weight_grams": 900}
        parcel = story.done("/v1/parcels", packing, role=Role.OPERATIONS)["parcel"]
        label = {"carrier": part["carrier"] or "shunfeng", "waybill": f"SF100000000{part['part']}"}
        story.done(f"/v1/parcels/{parcel}/waybill", label, role=Role.OPERATIONS)
        story.done(f"/v1/parcels/{parcel}/handover", {}, role=Role.OPERATIONS)
        parcels.append(parcel)
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = 0
    while news.count("orders.PartReceived") < len(parcels):
        if time.monotonic() > deadline:
            raise SystemExit("The parcels did not arrive.")
        time.sleep(0.2)
        # What comes at once is told once.
        for fact in dict.fromkeys(news[told:]):
            story.show(f"live: {in_words(fact)}")
        told = len(news)
    order = story.get(f"/v1/orders/{number}")
    story.page(f"/ → Orders → {number}", WORDS["en"][f"status.{order['status']}"])
    for parcel in order["parcels"]:
        state = WORDS["en"][f"parcel.{parcel['state']}"]
        story.show(f"{parcel['number']}: {state}, {len(parcel['scans'])} scans")
    links = CallbackLinks.in_folder(
        settings.key_folder, tenant=settings.tenant, public_url=settings.public_url
    )
    param = compact_json({"status": "polling", "lastResult": {"nu": "SF1000000001", "data": []}})
    forged = {"param": param.decode(), "sign": sign_push(param, b"0" * 32)}
    answer = story.client.post(links.url(parcels[0]), data=forged)
    story.show(f"a forged push is answered {answer.status_code} and changes nothing")
    return parcels


def _carrier(part: dict[str, Any]) -> str:
    code = part["carrier"] or "shunfeng"
    return str(WORDS["en"].get(f"carrier.{code}", code))


def _watch(story: Story, number: str, news: list[str]) -> None:
    headers = story.headers(Role.LEARNER, LEARNER)
    try:
        with story.client.stream("GET", f"/v1/orders/{number}/live", headers=headers) as stream:
            news.extend(
                json.loads(line[6:])["fact"]
                for line in stream.iter_lines()
                if line.startswith("data: ")
            )
    except httpx2.HTTPError:
        return  # the story is over and the service stops


def dispute(story: Story, number: str, parcel: str) -> str:
    """D1: a case on one screen, with the evidence gathered by itself."""
    story.tell("A mug arrived chipped: she says so at its parcel")
    opening = {"parcel": parcel, "reason": "damaged", "words": "有一只杯子磕掉了瓷。"}
    case: str = story.done(f"/v1/orders/{number}/disputes", opening)["case"]
    story.page("/support → Cases", f"{case}: track, signer, questions and her words on one screen")
    story.show("her words are sealed in the vault; the log has their digest alone")
    return case


def compensate(story: Story, case: str) -> None:
    """D2, D6: what a decision would do is told by the decision itself, then it is done."""
    story.tell("Support decides: 240 points for the chipped mug, and she is told why")
    decision = {
        "outcome": "compensation",
        "points": 240,
        "reason": "one mug of four is chipped",
        "unconfirmed_because": "she has the parcel in her hands",
    }
    foretold = story.done(f"/v1/disputes/{case}/decision/preview", decision, role=Role.SUPPORT)
    points = sum(one["points"] for one in foretold["points"])
    story.show(f"before: it would give {points} points")
    answer = story.done(f"/v1/disputes/{case}/decision", decision, role=Role.SUPPORT)
    story.page("/ → Points", "the newest entries")
    story.statement(3, position=answer["position"])


def audit(story: Story, number: str) -> None:
    """A2, A3: who, when and why; and a proof that needs nobody's word."""
    story.tell("An auditor replays the order: who did what, and why")
    told = story.get(f"/v1/audit/orders/{number}", role=Role.AUDITOR)["events"]
    own = [one for one in told if one["fact"].partition(".")[0] in ("orders", "disputes", "ledger")]
    for event in own:
        why = f" ({event['reason']})" if event["reason"] else ""
        story.show(f"{event['position']:>4}  {in_words(event['fact'])}, {event['actor']}{why}")
    story.page(f"/audit → {number}", f"{len(told)} events, each with the state after it")
    story.tell("The auditor takes the history home and checks it without us")
    headers = story.headers(Role.AUDITOR, "demo")
    head = story.get("/v1/audit/head", role=Role.AUDITOR)
    export = story.client.get(f"/v1/audit/streams/order:{number}/export", headers=headers)
    export.raise_for_status()
    kept = SignedHead.from_json(head)
    found = check(export.content, head=kept)
    if found.findings:
        raise SystemExit(f"The export is not as sealed: {found.findings[0]}")
    story.show("tallypost audit check: genuine, included in the log, signed")
    changed = export.content.replace(b"pending_receipt", b"pending_end    ", 1)
    refused = check(changed, head=kept).findings
    story.show(f"with one word changed: refused, {refused[0].place}")
