"""Every route with who may use it and a body that is in order: a new route has to be added here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fastapi import FastAPI

from tests.api.conftest import RECIPIENT

LEARNER, SERVICE, SUPPORT = "learner", "service", "support"
OPERATIONS, AUDITOR, ADMINISTRATOR = "operations", "auditor", "administrator"
ROLES = (LEARNER, SERVICE, SUPPORT, OPERATIONS, AUDITOR, ADMINISTRATOR)
STAFF = (SUPPORT, OPERATIONS, AUDITOR, ADMINISTRATOR)
WRITERS = (LEARNER, SERVICE, SUPPORT, OPERATIONS, ADMINISTRATOR)
OPERATORS = (SERVICE, OPERATIONS, ADMINISTRATOR)
NOBODY: tuple[str, ...] = ()
"""Without a token: health, or the partner's signature."""

TIMES = {"happened_at": "2026-03-01T00:00:00Z"}
ORDER = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}
STOCK = {"sku": "notebook", "warehouse": "zhejiang"}
ITEM = {"sku": "new-item", "name": "新品", "kind": "parcel", "points": 5, "market_value_fen": 9_000}
WAREHOUSE = {
    "code": "hunan", "name": "湖南仓", "province": "湖南省", "city": "长沙市", "serves": ["*"],
}  # fmt: skip
RATE_CARD = {
    "carrier": "ems",
    "effective_from": "2026-11-01T00:00:00+08:00",
    "lanes": [
        {
            "origin": "浙江省",
            "destinations": ["*"],
            "rate": {"first_fen": 900, "additional_fen": 200, "hours": 72},
        }
    ],
}
GRANT = {"learner": "lin", "points": 1, "reason": "task", "source": "S-1"}
CLAWBACK = {"learner": "lin", "reason": "task", "source": "demo-streak", "why": "mistake"}
ADJUSTMENT = {"learner": "lin", "points": 1, "source": "S-2", "why": "made good"}
WEBHOOK = {"url": "https://example.com/hook", "events": ["orders.*"]}


class Route(NamedTuple):
    """What is expected of one operation."""

    roles: tuple[str, ...]
    body: Any = None
    owned: bool = False
    """Names somebody's order or account: learners reach their own alone."""
    asks: bool = False
    """Changes nothing although it is a POST: what is asked for belongs into no address."""


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/health"): Route(NOBODY),
    ("GET", "/ready"): Route(NOBODY),
    ("GET", "/metrics"): Route(NOBODY),
    ("POST", "/v1/callbacks/kuaidi100/{key}"): Route(NOBODY),
    ("POST", "/v1/callbacks/payment/{key}"): Route(NOBODY),
    ("POST", "/v1/callbacks/carriers/{key}"): Route(NOBODY),
    ("GET", "/v1/approvals"): Route((OPERATIONS, ADMINISTRATOR, AUDITOR)),
    ("POST", "/v1/approvals/{approval}"): Route(
        (OPERATIONS, ADMINISTRATOR), {"decision": "deny", "reason": "no"}
    ),
    ("GET", "/v1/audit/streams/{stream}/export"): Route((AUDITOR, ADMINISTRATOR)),
    ("GET", "/v1/audit/streams/{stream}"): Route((AUDITOR, ADMINISTRATOR)),
    ("GET", "/v1/audit/orders/{number}"): Route(STAFF),
    ("GET", "/v1/audit/events"): Route((AUDITOR, ADMINISTRATOR)),
    ("GET", "/v1/audit/head"): Route((AUDITOR, ADMINISTRATOR)),
    ("POST", "/v1/audit/books/closings"): Route(
        (OPERATIONS, ADMINISTRATOR), {"until": "2026-01-31"}
    ),
    ("GET", "/v1/audit/reports/{name}"): Route((AUDITOR, ADMINISTRATOR)),
    ("GET", "/v1/orders/{number}/live"): Route(ROLES, owned=True),
    ("POST", "/v1/items"): Route(OPERATORS, ITEM),
    ("GET", "/v1/items"): Route(ROLES),
    ("GET", "/v1/items/{sku}"): Route(ROLES),
    ("POST", "/v1/warehouses"): Route(OPERATORS, WAREHOUSE),
    ("GET", "/v1/warehouses"): Route(OPERATORS),
    ("POST", "/v1/rate-cards"): Route((OPERATIONS, ADMINISTRATOR), RATE_CARD),
    ("GET", "/v1/rate-cards"): Route(STAFF),
    ("POST", "/v1/what-if"): Route((OPERATIONS, ADMINISTRATOR), {"max_parts": 2}),
    ("GET", "/v1/what-if"): Route((OPERATIONS, AUDITOR, ADMINISTRATOR)),
    ("GET", "/v1/what-if/{rehearsal}"): Route((OPERATIONS, AUDITOR, ADMINISTRATOR)),
    ("DELETE", "/v1/what-if/{rehearsal}"): Route((OPERATIONS, ADMINISTRATOR)),
    ("POST", "/v1/rate-cards/files"): Route((OPERATIONS, ADMINISTRATOR)),
    ("GET", "/v1/rate-cards/sheet"): Route(STAFF),
    ("POST", "/v1/rate-cards/quotes"): Route(
        STAFF, {"origin": "浙江省", "destination": "广东省", "grams": 500}, asks=True
    ),
    ("POST", "/v1/rate-cards/volumes"): Route(
        (OPERATIONS, ADMINISTRATOR), {"carrier": "ems", "month": "2026-10", "parcels": 7}
    ),
    ("POST", "/v1/stock/receipts"): Route(OPERATORS, {**STOCK, "quantity": 1}),
    ("GET", "/v1/stock/differences"): Route(STAFF),
    ("POST", "/v1/stock/differences"): Route(
        OPERATORS, {**STOCK, "difference": -2, "decision": "book", "reason": "they looked twice"}
    ),
    ("POST", "/v1/stock/counts"): Route(OPERATORS, {**STOCK, "counted": 80, "reason": "count"}),
    ("POST", "/v1/stock/scrappings"): Route(OPERATORS, {**STOCK, "quantity": 1, "reason": "wet"}),
    ("POST", "/v1/stock/transfers"): Route(
        OPERATORS,
        {"sku": "notebook", "from_warehouse": "zhejiang", "to_warehouse": "shaanxi", "quantity": 1},
    ),
    ("POST", "/v1/parcels"): Route(OPERATORS, {"order": "T1", "part": 1, **TIMES}),
    ("POST", "/v1/parcels/{parcel}/waybill"): Route(
        OPERATORS, {"carrier": "shunfeng", "waybill": "SF1000000001", **TIMES}
    ),
    ("POST", "/v1/parcels/{parcel}/waybill/correction"): Route(
        OPERATORS, {"carrier": "shunfeng", "waybill": "SF1000000002", "reason": "two digits"}
    ),
    ("GET", "/v1/carriers/arrivals"): Route(STAFF),
    ("GET", "/v1/carriers/deliveries"): Route(STAFF),
    ("GET", "/v1/carriers/scorecards"): Route(STAFF),
    ("POST", "/v1/parcels/{parcel}/proofs"): Route(OPERATORS),
    ("POST", "/v1/parcels/{parcel}/receipt"): Route(
        (SUPPORT, ADMINISTRATOR), {"reason": "the recipient called"}
    ),
    ("GET", "/v1/oddities"): Route(STAFF),
    ("POST", "/v1/parcels/{parcel}/oddities/{oddity}"): Route(
        (OPERATIONS, ADMINISTRATOR), {"decision": "accepted", "reason": "it was so"}
    ),
    ("GET", "/v1/reviews"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/orders/{number}/review"): Route(
        (OPERATIONS, ADMINISTRATOR), {"decision": "approve", "reason": "known"}
    ),
    ("GET", "/v1/waves/next"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/waves/next/{warehouse}"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/parcels/{parcel}/label"): Route(OPERATORS, {"carrier": "zhongtong"}),
    ("POST", "/v1/parcels/{parcel}/label/cancellation"): Route(OPERATORS, {"reason": "torn"}),
    ("GET", "/v1/parcels/{parcel}/label.pdf"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/declarations"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/parcels/{parcel}/declaration"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/parcels/{parcel}/declaration.pdf"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/parcels/{parcel}/declaration"): Route(
        OPERATORS, {"lines": [{"sku": "mug", "unit_value_fen": 4_900, "net_weight_grams": 300}]}
    ),
    ("POST", "/v1/parcels/{parcel}/declaration/submission"): Route(
        OPERATORS, {"reference": "CN-1"}
    ),
    ("POST", "/v1/parcels/{parcel}/overseas"): Route(
        OPERATORS, {"carrier": "japanposten", "waybill": "RR123456789JP"}
    ),
    ("POST", "/v1/parcels/{parcel}/overseas/taking-back"): Route(
        OPERATORS, {"waybill": "RR123456798JP", "reason": "two digits were exchanged"}
    ),
    ("POST", "/v1/parcels/{parcel}/declaration/answer"): Route(OPERATORS, {"answer": "cleared"}),
    ("GET", "/v1/waves/{wave}/labels"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/waves/{wave}/labels.pdf"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/pick-lists/{pick_list}/sheet.pdf"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/callbacks/kuaidi100-intercepts/{key}"): Route(NOBODY),
    ("GET", "/v1/intercepts"): Route(STAFF),
    ("POST", "/v1/callbacks/third-party/{key}"): Route(NOBODY),
    ("GET", "/v1/consignments"): Route(STAFF),
    ("POST", "/v1/consignments/{parcel}/push"): Route(OPERATORS, {"reason": "asked"}),
    ("POST", "/v1/parcels/{parcel}/interception"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS), {"orders": ["T1"], "reason": "changed my mind"}
    ),
    ("POST", "/v1/parcels/{parcel}/interception/word"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"taken": True, "reason": "called them"}
    ),
    ("POST", "/v1/parcels/{parcel}/interception/again"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"reason": "they ask for it"}
    ),
    ("POST", "/v1/parcels/{parcel}/interception/end"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"reason": "it is theirs"}
    ),
    ("POST", "/v1/parcels/{parcel}/goods-back"): Route(
        OPERATORS, {"intact": True, "reason": "unopened"}
    ),
    ("POST", "/v1/parcels/{parcel}/strays"): Route(
        OPERATORS,
        {"order": "T1", "goods": [{"sku": "mug", "quantity": 1, "fate": "restock"}], "reason": "x"},
    ),
    ("GET", "/v1/pick-lists"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/pick-lists/{pick_list}"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/waves"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/waves"): Route(OPERATORS, {"warehouse": "zhejiang"}),
    ("GET", "/v1/parcels"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/parcels/{parcel}"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/pick-lists"): Route(OPERATORS, {"warehouse": "zhejiang"}),
    ("POST", "/v1/parcels/{parcel}/picking"): Route(OPERATORS, TIMES),
    ("POST", "/v1/parcels/{parcel}/packing"): Route(OPERATORS, {"weight_grams": 900, **TIMES}),
    ("GET", "/v1/put-backs"): Route((SERVICE, *STAFF)),
    ("POST", "/v1/parcels/{parcel}/put-back"): Route(OPERATORS, {"weight_grams": 500}),
    ("POST", "/v1/parcels/merges"): Route(
        OPERATORS, {"parcels": ["T1-P1", "T2-P1"], "reason": "one trip"}
    ),
    ("POST", "/v1/parcels/{parcel}/separation"): Route(OPERATORS, {"reason": "two trips"}),
    ("POST", "/v1/parcels/{parcel}/address-acknowledgement"): Route(OPERATORS, {"by": "henan"}),
    ("GET", "/v1/parcels/{parcel}/callback"): Route((ADMINISTRATOR,)),
    ("POST", "/v1/parcels/{parcel}/handover"): Route(OPERATORS, TIMES),
    ("POST", "/v1/quotes"): Route((LEARNER, SERVICE), ORDER, asks=True),
    ("POST", "/v1/orders"): Route((LEARNER, SERVICE), ORDER),
    ("GET", "/v1/orders"): Route(ROLES),
    ("GET", "/v1/orders/{number}"): Route(ROLES, owned=True),
    ("GET", "/v1/orders/{number}/story"): Route(ROLES, owned=True),
    ("POST", "/v1/orders/{number}/cancellation"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS),
        {"reason": "changed my mind", "lines": [{"sku": "notebook", "quantity": 1}]},
        owned=True,
    ),
    ("POST", "/v1/orders/{number}/cancellation/preview"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS),
        {"reason": "changed my mind", "lines": [{"sku": "notebook", "quantity": 1}]},
        owned=True,
        asks=True,
    ),
    ("POST", "/v1/orders/{number}/refunds"): Route(
        (SERVICE, SUPPORT, OPERATIONS, ADMINISTRATOR),
        {"fault": "lost", "reason": "lost", **TIMES},
    ),
    ("POST", "/v1/orders/{number}/payments"): Route(
        (SERVICE,), {"attempt": "A-1", "amount_fen": 1, "paid_at": "2026-03-01T00:00:00Z"}
    ),
    ("POST", "/v1/orders/{number}/address"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS), RECIPIENT, owned=True
    ),
    ("POST", "/v1/parcels/shortages"): Route(
        OPERATORS,
        {"order": "T1", "part": 1, "sku": "notebook", "found": 0, "reason": "wet", **TIMES},
    ),
    ("POST", "/v1/orders/{number}/shortage"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS), {"choice": "wait"}, owned=True
    ),
    ("PUT", "/v1/orders/{number}/courses/{sku}/progress"): Route(
        (SERVICE,), {"percent": 10, **TIMES}
    ),
    ("POST", "/v1/orders/{number}/cash-refunds/{refund}/retry"): Route((OPERATIONS, ADMINISTRATOR)),
    ("GET", "/v1/orders/{number}/recipient"): Route(ROLES, owned=True),
    ("POST", "/v1/points/grants"): Route(OPERATORS, {"grants": [{**GRANT, **TIMES}]}),
    ("POST", "/v1/points/clawbacks"): Route(OPERATORS, {**CLAWBACK, **TIMES}),
    ("POST", "/v1/points/adjustments"): Route(OPERATORS, ADJUSTMENT),
    ("PUT", "/v1/learners/{learner}"): Route(OPERATORS, {"status": "active", "reason": "asked"}),
    ("GET", "/v1/learners/{learner}/balance"): Route(ROLES, owned=True),
    ("GET", "/v1/learners/{learner}/statement"): Route(ROLES, owned=True),
    ("POST", "/v1/audit/reveals"): Route(
        (SUPPORT, ADMINISTRATOR), {"order": "T1", "fields": ["phone"], "reason": "called"}
    ),
    ("POST", "/v1/parcels/{parcel}/label/reveals"): Route(
        (OPERATIONS, ADMINISTRATOR), {"reason": "written by hand"}
    ),
    ("GET", "/v1/parcels/{parcel}/payloads"): Route(STAFF),
    ("POST", "/v1/parcels/{parcel}/payloads/{card}/reveals"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"reason": "cannot be read"}
    ),
    ("POST", "/v1/parcels/{parcel}/unreadable/settlement"): Route(
        (OPERATIONS, ADMINISTRATOR), {"reason": "a test message"}
    ),
    ("POST", "/v1/learners/{learner}/legal-holds"): Route(
        (ADMINISTRATOR,), {"matter": "case-1", "reason": "court"}
    ),
    ("POST", "/v1/learners/{learner}/legal-holds/{matter}/lifting"): Route(
        (ADMINISTRATOR,), {"reason": "over"}
    ),
    ("POST", "/v1/learners/{learner}/erasure"): Route((ADMINISTRATOR,), {"reason": "asked"}),
    ("GET", "/v1/addresses/countries"): Route(WRITERS),
    ("GET", "/v1/addresses/divisions"): Route(WRITERS),
    ("POST", "/v1/addresses/parsed"): Route(
        WRITERS, {"address": "杭州西湖区文三路 1 号"}, asks=True
    ),
    ("POST", "/v1/orders/{number}/disputes"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS), {"reason": "not_received"}, owned=True
    ),
    ("GET", "/v1/disputes"): Route(ROLES),
    ("GET", "/v1/disputes/{dispute}"): Route(ROLES, owned=True),
    ("POST", "/v1/disputes/{dispute}/questions"): Route(
        (SUPPORT, ADMINISTRATOR), {"questions": ["door"]}
    ),
    ("POST", "/v1/disputes/{dispute}/answers"): Route(
        (LEARNER, SERVICE, SUPPORT),
        {"answers": [{"question": "door", "answer": "no"}]},
        owned=True,
    ),
    ("POST", "/v1/disputes/{dispute}/withdrawal"): Route((LEARNER, SERVICE), {}, owned=True),
    ("POST", "/v1/disputes/{dispute}/reopening"): Route(
        (LEARNER, SERVICE, SUPPORT), {}, owned=True
    ),
    ("POST", "/v1/disputes/{dispute}/inquiry"): Route((SUPPORT, ADMINISTRATOR)),
    ("POST", "/v1/disputes/{dispute}/inquiry/answer"): Route(
        (SUPPORT, ADMINISTRATOR), {"result": "unknown"}
    ),
    ("POST", "/v1/disputes/{dispute}/decision"): Route(
        (SUPPORT, ADMINISTRATOR), {"outcome": "found", "reason": "at the door"}
    ),
    ("POST", "/v1/disputes/{dispute}/decision/preview"): Route(
        (SUPPORT, ADMINISTRATOR), {"outcome": "found", "reason": "at the door"}, asks=True
    ),
    ("POST", "/v1/disputes/{dispute}/evidence"): Route((LEARNER, SERVICE, SUPPORT)),
    ("GET", "/v1/disputes/{dispute}/evidence/{file}"): Route((LEARNER,), owned=True),
    ("POST", "/v1/disputes/{dispute}/evidence/{file}/reveals"): Route(
        (SUPPORT, ADMINISTRATOR), {"reason": "to decide"}
    ),
    ("POST", "/v1/disputes/{dispute}/words/{position}/reveals"): Route(
        (SUPPORT, ADMINISTRATOR), {"reason": "to decide"}
    ),
    ("GET", "/v1/disputes/{dispute}/pack"): Route((SUPPORT, AUDITOR, ADMINISTRATOR)),
    ("POST", "/v1/disputes/{dispute}/pack"): Route(
        (SUPPORT, ADMINISTRATOR), {"reason": "the carrier asks"}
    ),
    ("POST", "/v1/orders/{number}/returns"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS),
        {"remedy": "refund", "reason": "damaged"},
        owned=True,
    ),
    ("POST", "/v1/orders/{number}/ratings"): Route(
        (LEARNER, SERVICE), {"ratings": [{"line": 1, "goods": 5, "delivery": 4}]}, owned=True
    ),
    ("GET", "/v1/ratings"): Route((SERVICE, *STAFF)),
    ("GET", "/v1/returns"): Route(ROLES),
    ("GET", "/v1/returns/{return_id}"): Route(ROLES, owned=True),
    ("GET", "/v1/returns/{return_id}/label.pdf"): Route(ROLES, owned=True),
    ("POST", "/v1/returns/{return_id}/sending"): Route(
        (LEARNER, SERVICE, SUPPORT, OPERATIONS),
        {"carrier": "shunfeng", "waybill": "SF1234567890"},
        owned=True,
    ),
    ("POST", "/v1/returns/{return_id}/arrival"): Route(OPERATORS),
    ("POST", "/v1/returns/{return_id}/inspection"): Route(
        OPERATORS,
        {"goods": [{"sku": "notebook", "quantity": 1, "verdict": "restock"}], "reason": "as new"},
    ),
    ("POST", "/v1/returns/{return_id}/decision"): Route(
        (SUPPORT, ADMINISTRATOR), {"agree": False, "reason": "worn"}
    ),
    ("POST", "/v1/returns/{return_id}/withdrawal"): Route((LEARNER, SERVICE), owned=True),
    ("POST", "/v1/claims"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"parcel": "T1-P1", "reason": "lost"}
    ),
    ("POST", "/v1/bills"): Route((OPERATIONS, ADMINISTRATOR)),
    ("GET", "/v1/bills"): Route(STAFF),
    ("GET", "/v1/costs"): Route(STAFF),
    ("GET", "/v1/weeks"): Route(STAFF),
    ("GET", "/v1/weeks/{week}"): Route(STAFF),
    ("GET", "/v1/bills/{bill}"): Route(STAFF),
    ("GET", "/v1/bills/{bill}/differences"): Route(STAFF),
    ("POST", "/v1/bills/{bill}/decisions"): Route(
        (OPERATIONS, ADMINISTRATOR),
        {"differences": ["a:b:c"], "decision": "accepted", "reason": "by mail"},
    ),
    ("GET", "/v1/claims"): Route(STAFF),
    ("GET", "/v1/claims/{parcel}"): Route(STAFF),
    ("POST", "/v1/claims/{parcel}/steps"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"step": "rejected", "reason": "signed for"}
    ),
    ("GET", "/v1/search"): Route(STAFF),
    ("POST", "/v1/search"): Route(STAFF, {"q": "T100"}, asks=True),
    ("GET", "/v1/support/orders/{number}/timeline"): Route(STAFF),
    ("POST", "/v1/support/orders/{number}/notes"): Route(
        (SUPPORT, OPERATIONS, ADMINISTRATOR), {"words": "called back"}
    ),
    ("POST", "/v1/support/orders/{number}/notes/{position}/reveals"): Route(
        (SUPPORT, ADMINISTRATOR), {"reason": "to call them"}
    ),
    ("GET", "/v1/troubles"): Route(STAFF),
    ("GET", "/v1/targets"): Route(STAFF),
    ("GET", "/v1/traffic"): Route(STAFF),
    ("POST", "/v1/traffic/{partner}"): Route(
        (OPERATIONS, ADMINISTRATOR), {"percent": 5, "reason": "the first real ones"}
    ),
    ("GET", "/v1/staff-alerts"): Route(STAFF),
    ("GET", "/v1/learners/{learner}/signaling"): Route((LEARNER, SERVICE), owned=True),
    ("POST", "/v1/staff-alerts/test"): Route((OPERATIONS, ADMINISTRATOR)),
    ("POST", "/v1/webhooks"): Route((SERVICE, ADMINISTRATOR), WEBHOOK),
    ("GET", "/v1/webhooks"): Route((SERVICE, ADMINISTRATOR)),
    ("GET", "/v1/webhooks/{webhook}"): Route((SERVICE, ADMINISTRATOR)),
    ("DELETE", "/v1/webhooks/{webhook}"): Route((SERVICE, ADMINISTRATOR)),
    ("POST", "/v1/webhooks/{webhook}/replay"): Route((SERVICE, ADMINISTRATOR), {"position": 0}),
    ("POST", "/v1/webhooks/{webhook}/pause"): Route((SERVICE, ADMINISTRATOR)),
    ("POST", "/v1/webhooks/{webhook}/resume"): Route((SERVICE, ADMINISTRATOR)),
    ("GET", "/v1/webhooks/{webhook}/deliveries"): Route((SERVICE, ADMINISTRATOR)),
    ("POST", "/v1/webhooks/{webhook}/ping"): Route((SERVICE, ADMINISTRATOR)),
}

NAMES = {
    "number": "T1",
    "learner": "lin",
    "sku": "notebook",
    "parcel": "T1-P1",
    "stream": "account:lin",
    "approval": "A1",
    "name": "points",
    "partner": "kuaidi100",
    "matter": "case-1",
    "card": "0" * 32,
    "webhook": "W1",
    "refund": "T1-refund-1",
    "dispute": "D-T1-P1",
    "return_id": "T1-B1",
    "file": "F1",
    "position": "1",
    "key": "K1",
    "warehouse": "zhejiang",
    "pick_list": "L1b2c3d4e",
    "oddity": "9f86d081884c7d65",
    "wave": "zhejiang-1b2c3d4e",
    "rehearsal": "9f2c1ab04d5e6f708192",
    "bill": "carrier:zhongtong:2026-10",
    "week": "2026-W47",
}
"""What stands in a path where nothing else is asked for."""


def described(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, operation) of everything in the OpenAPI document."""
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def named(path: str, **names: str) -> str:
    """The path with names in it."""
    return path.format(**{**NAMES, **names})
