"""学员时间线 What became of an order's cases and returns, in its learner's words (D1, D3).

The same events as on support's timeline, without what is between the house, its staff and its
carriers; how the order and its parcels go on is told by the order itself.
"""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.fact_words import details, titles
from api.pages import WORDS
from application.envelope import Envelope
from application.streams import CLAIM, DISPUTE, PARCEL, RETURN
from domain.disputes import case_id
from domain.parcel_facts import ParcelScanned

TOLD: Final[dict[str, str]] = {
    "claims.InquiryAnswered": "result",
    "claims.InquiryOpened": "carrier",
    "claims.InquiryTimedOut": "",
    "disputes.DisputeDecided": "outcome points_refunded cash_fen_refunded points replacement",
    "disputes.DisputeOpened": "reason",
    "disputes.DisputeReopened": "",
    "disputes.DisputeWithdrawn": "",
    "disputes.EvidenceAdded": "",
    "disputes.EvidenceGathered": "",
    "disputes.QuestionAnswered": "question answer",
    "disputes.QuestionTimedOut": "question",
    "disputes.QuestionsAsked": "answer_by",
    "parcels.ParcelScanned": "text",
    "parcels.WaybillIssued": "carrier waybill",
    "returns.GoodsArrived": "",
    "returns.GoodsInspected": "",
    "returns.GoodsLost": "",
    "returns.GoodsSent": "",
    "returns.ReturnLapsed": "",
    "returns.ReturnOpened": "remedy send_by",
    "returns.ReturnRejected": "",
    "returns.ReturnSettled": "remedy points_refunded cash_fen_refunded replacement",
    "returns.ReturnWithdrawn": "",
}
"""What a learner is told of, and with which figures; its words are `mine.` and the fact's name."""


def own_story(events: Sequence[Envelope], *, order: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The entries, by the time at which they happened; parcels are told of on their way back."""
    cases = {one.key for one in events if one.category == DISPUTE.name}
    returns = {one.key for one in events if one.category == RETURN.name}

    def about(event: Envelope) -> str | None:
        if event.category in (DISPUTE.name, RETURN.name):
            return event.key
        if event.category == CLAIM.name:
            case = case_id(order, event.key)
            return case if case in cases else None
        return event.key if event.category == PARCEL.name and event.key in returns else None

    told = [
        {
            "position": one.position,
            "at": one.happened_at,
            "kind": "scan" if isinstance(one.fact, ParcelScanned) else one.category,
            "fact": one.fact.fact_name,
            "about": about(one),
            "words": _words(one),
            "details": details(one, zone=zone, figures=TOLD[one.fact.fact_name]),
        }
        for one in events
        if one.fact.fact_name in TOLD and about(one)
    ]
    return sorted(told, key=lambda one: (one["at"], one["position"]))


def _words(event: Envelope) -> dict[str, str]:
    if isinstance(event.fact, ParcelScanned):
        return titles(event.fact)
    return {code: words[f"mine.{event.fact.fact_name}"] for code, words in WORDS.items()}
