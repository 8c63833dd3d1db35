"""事件文字 What happened, as people say it, in both languages: a fact's name and its figures (D1).

Words are those of the pages (`api/pages/words`), so that a timeline read over HTTP and one on a
screen say the same. What a fact has that no person asks for (digests, plans, card ids) is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.pages import LANGUAGES, WORDS
from application.alert_words import in_one
from application.country_names import country_name
from application.envelope import Envelope
from application.streams import STOCK
from domain.dispute_facts import Decision
from domain.facts import Fact
from domain.parcel_facts import ParcelScanned
from domain.splitting import Shipping

BETWEEN = " · "
NAMELESS: Final[Mapping[str, str]] = {}
"""No item is called by a name, or no warehouse."""

FIGURES: Final[dict[str, str]] = {
    "approvals.ApprovalDenied": "checker reason",
    "approvals.ApprovalGiven": "checker",
    "approvals.ApprovalRequested": "kind points cash_fen maker reason",
    "claims.ClaimAccepted": "accepted_fen",
    "claims.ClaimAcknowledged": "reference",
    "claims.ClaimCorrected": "before_fen claimed_fen reason",
    "claims.ClaimFiled": "carrier reason claimed_fen",
    "claims.ClaimPaid": "paid_fen",
    "claims.ClaimRejected": "reason",
    "claims.ClaimWrittenOff": "lost_fen reason",
    "claims.InquiryAnswered": "result reference",
    "claims.InquiryOpened": "carrier waybill answer_by",
    "claims.InquiryTimedOut": "",
    "consignments.ConsignmentAsked": "warehouse reason",
    "consignments.ConsignmentFollowed": "step",
    "consignments.ConsignmentTold": "step code",
    "disputes.ClaimWindowMoved": "file_claim_by carrier",
    "disputes.DecisionDeclined": "reason",
    "disputes.DecisionOverdue": "decide_by",
    "disputes.DecisionProposed": "outcome points maker reason",
    "disputes.DisputeDecided": "outcome points_refunded points replacement reason",
    "disputes.DisputeOpened": "reason",
    "disputes.DisputeReopened": "decide_by",
    "disputes.DisputeWithdrawn": "",
    "disputes.EvidenceAdded": "file",
    "disputes.EvidenceGathered": "state signed_at signer_match",
    "disputes.QuestionAnswered": "question answer",
    "disputes.QuestionTimedOut": "question",
    "disputes.QuestionsAsked": "questions answer_by",
    "intercepts.GoodsTakenBack": "sent_again_in",
    "intercepts.ParcelTurnedBack": "state",
    "intercepts.InterceptAsked": "carrier waybill reason answer_by",
    "intercepts.InterceptDone": "state",
    "intercepts.InterceptFailed": "why",
    "intercepts.InterceptGivenUp": "",
    "intercepts.InterceptRefused": "code words",
    "intercepts.InterceptTaken": "answer_by",
    "intercepts.InterceptTimedOut": "",
    "intercepts.InterceptTold": "",
    "ledger.DebtPaid": "points",
    "ledger.HoldCaptured": "points",
    "ledger.HoldVoided": "points",
    "ledger.PointsGranted": "points reason source",
    "ledger.PointsHeld": "points",
    "ledger.PointsRedeemed": "points",
    "ledger.PointsRestored": "points",
    "notes.NoteAdded": "",
    "orders.AddressAcknowledged": "part by",
    "orders.AddressChanged": "destination",
    "orders.CancellationOvertaken": "part",
    "orders.CancelledUnitsSent": "part parcel",
    "orders.CancelledUnitsGivenUp": "parcel reason",
    "orders.CashRefundAskedAgain": "",
    "orders.CashRefundConfirmed": "",
    "orders.CashRefundFailed": "cause",
    "orders.CashRefundRequested": "amount_fen reason",
    "orders.CourseProgressed": "sku percent",
    "orders.EntitlementGranted": "sku quantity",
    "orders.EntitlementRevoked": "sku quantity",
    "orders.GoodsCameBack": "parcel",
    "orders.LatenessExcused": "promised_by excuse",
    "orders.LatenessMadeGood": "points promised_by arrived_at",
    "orders.LineRated": "sku goods delivery",
    "orders.OrderApproved": "reasons note",
    "orders.OrderCancelled": "reason",
    "orders.OrderClosed": "reason",
    "orders.OrderCompleted": "",
    "orders.OrderExpired": "",
    "orders.OrderLinked": "original",
    "orders.OrderPlaced": "points cash_fen promised_by",
    "orders.OrderRejected": "reasons reason",
    "orders.OrderSplit": "reason promised_by",
    "orders.PartCompleted": "part",
    "orders.PartHandedOver": "part parcel",
    "orders.PartMoved": "part parcel reason",
    "orders.PartPacked": "part parcel",
    "orders.PartPicked": "part parcel",
    "orders.PartUnpacked": "part parcel reason",
    "orders.PartReceived": "part window_until",
    "orders.PartEntrusted": "part warehouse",
    "orders.PartReleased": "part hand_over_by",
    "orders.PaymentCaptured": "amount_fen",
    "orders.PaymentFailed": "cause",
    "orders.RefundAllowed": "",
    "orders.RefundDeclined": "reason",
    "orders.RefundProposed": "points cash_fen fault maker reason",
    "orders.ReplacementOrdered": "replacement",
    "orders.ReplacementReleased": "replacement reason",
    "orders.ReplacementReserved": "replacement",
    "orders.ReturnEnded": "",
    "orders.ReviewRequired": "reasons",
    "orders.SendingDelayed": "promised_by",
    "orders.UnitsCancelled": "points cash_fen reason",
    "orders.UnitsCancelling": "part reason",
    "orders.UnitsFellShort": "sku quantity reason",
    "orders.UnitsUnderReturn": "",
    "orders.UnitsRefunded": "points cash_fen fault reason",
    "orders.WaitChosen": "part",
    "orders.WaitEnded": "part",
    "orders.WaitMoved": "part reason",
    "orders.WindowPaused": "part",
    "orders.WindowResumed": "part window_until",
    "parcels.ArrivalEstimated": "earliest latest",
    "parcels.CarrierCorrected": "carrier",
    "parcels.CarrierChosen": "shipping apart_fen",
    "parcels.ContentRemoved": "order to_parcel reason",
    "parcels.StrayContentSent": "order part",
    "parcels.DeliveryDelayed": "cause since",
    "parcels.CustomsCleared": "reference",
    "parcels.CustomsStopped": "reason",
    "parcels.DeclarationCompleted": "",
    "parcels.DeclarationDrawnUp": "country",
    "parcels.DeclarationSubmitted": "reference",
    "parcels.LabelCancelled": "label",
    "parcels.LabelIssued": "issuer waybill",
    "parcels.LabelRefused": "label words",
    "parcels.LabelUnanswered": "label",
    "parcels.LabelUnwanted": "label reason",
    "parcels.LabelWanted": "label carrier grams",
    "parcels.OddityDecided": "kind decision reason",
    "parcels.ParcelAwaited": "warehouse",
    "parcels.ParcelDissolved": "reason",
    "parcels.ParcelHandedOver": "",
    "parcels.ParcelPacked": "warehouse weight_grams",
    "parcels.ParcelPicked": "",
    "parcels.ParcelPlanned": "warehouse hand_over_by kept_apart",
    "parcels.ParcelRedirected": "redirected_at",
    "parcels.ParcelScanned": "text",
    "parcels.PickingStarted": "",
    "parcels.PushUnreadable": "source",
    "parcels.ReceiptConfirmedByHand": "received_at reason",
    "parcels.ReceiptProved": "source digest",
    "parcels.SecondNumberTakenBack": "waybill reason",
    "parcels.SecondNumberTold": "waybill carrier beside",
    "parcels.TrackConfirmed": "source",
    "parcels.TrackFlagged": "kind",
    "parcels.TrackingSubscribed": "partner",
    "parcels.WatchEnded": "partner words",
    "parcels.UnitsPutBack": "sent",
    "parcels.UnitsToPutBack": "reason",
    "parcels.UnreadablePushesSettled": "pushes",
    "parcels.WaybillCorrected": "was carrier waybill reason",
    "parcels.WaybillIssued": "carrier waybill reason",
    "privacy.CardRevealed": "case why",
    "privacy.PackRevealed": "case why",
    "returns.AgreementDeclined": "reason",
    "returns.AgreementProposed": "points cash_fen maker reason",
    "returns.GoodsArrived": "",
    "returns.GoodsInspected": "payer note",
    "returns.GoodsLost": "reason",
    "returns.GoodsSent": "",
    "returns.ReturnLapsed": "send_by",
    "returns.ReturnOpened": "remedy reason payer send_by",
    "returns.ReturnRejected": "reason",
    "returns.ReturnSettled": "remedy points_refunded cash_fen_refunded replacement reason",
    "returns.ReturnWithdrawn": "",
    "single_handed.PointsMovedAlone": "points",
    "stock.StockPicked": "warehouse sku quantity",
    "stock.StockPutBack": "warehouse sku quantity",
    "stock.StockReleased": "warehouse sku quantity reason",
    "stock.StockReserved": "warehouse sku quantity",
    "stock.StockReturned": "warehouse sku quantity",
}
"""The figures of each fact that an order's history may have, in the order they are told in."""

Say = Callable[["Language", Any], str]


class Language:
    """The words of one language, times in the business zone."""

    def __init__(self, code: str, zone: ZoneInfo) -> None:
        self.code = code
        self._words = WORDS[code]
        self._zone = zone

    def say(self, key: str, **figures: object) -> str:
        """The words for a key; `n` chooses between one and several."""
        found = self._words[key]
        if not isinstance(found, str):
            found = found["one" if figures.get("n") in (1, "1") else "other"]
        return str(found).format_map(figures) if figures else str(found)

    def of(self, lists: Sequence[str], value: Any) -> str:
        """The word for a value of one of these lists; one that has none stays as it is."""
        keys = (f"{name}.{value}" for name in lists)
        return str(next((self._words[key] for key in keys if key in self._words), value))

    def half(self, name: str) -> str:
        """What something with a name in both languages is called in this one."""
        return in_one(name, "zh" if self.code == "zh" else "en")

    def country(self, code: str) -> str:
        """A country or territory by its name."""
        return country_name(code, "zh" if self.code == "zh" else "en")

    def moment(self, at: datetime) -> str:
        """A time on the business's own clocks."""
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"


def _points(language: Language, points: int) -> str:
    return f"{points:,} {language.say('unit.points', n=points)}"


def _fen(_: Language, fen: int) -> str:
    return f"¥{fen / 100:,.2f}"


def _in(*lists: str) -> Say:
    def say(language: Language, value: Any) -> str:
        many = value if isinstance(value, tuple) else (value,)
        return language.say("app.and").join(language.of(lists, one) for one in many)

    return say


def _each(name: str) -> Say:
    """Whole sentences, one beside the other."""
    return lambda language, values: BETWEEN.join(language.of((name,), one) for one in values)


def _at(key: str) -> Say:
    return lambda language, at: language.say(key, when=language.moment(at))


def _with(key: str) -> Say:
    return lambda language, value: language.say(key, n=value)


def _apart(language: Language, fen: int) -> str:
    return language.say("told.apart", n=_fen(language, fen))


def _kept_apart(language: Language, parcels: Sequence[Any]) -> str:
    return BETWEEN.join(
        language.say(
            "told.kept_apart",
            parcel=one.parcel,
            together=_fen(language, one.together_fen),
            apart=_fen(language, one.apart_fen),
        )
        for one in parcels
    )


def _place(_: Language, place: Any) -> str:
    return " ".join(dict.fromkeys(one for one in (place.province, place.city) if one))


def _sent(language: Language, shipping: Shipping) -> str:
    lists = (("carrier", shipping.carrier), ("wanted", shipping.wanted), ("why", shipping.why))
    return BETWEEN.join(language.of((name,), value) for name, value in lists)


SAID: Final[dict[str, Say]] = {
    **dict.fromkeys(("points", "points_refunded"), _points),
    **dict.fromkeys(
        (
            "accepted_fen",
            "amount_fen",
            "cash_fen",
            "cash_fen_refunded",
            "claimed_fen",
            "lost_fen",
            "paid_fen",
        ),
        _fen,
    ),
    **dict.fromkeys(("reason", "fault"), _in("reason")),
    **dict.fromkeys(("answer_by", "decide_by", "hand_over_by", "send_by"), _at("told.by")),
    "answer": _in("answer"),
    "apart_fen": _apart,
    "arrived_at": _at("told.arrived"),
    "carrier": _in("carrier"),
    "cause": _in("delay"),
    "checker": _with("told.checker"),
    "delivery": _with("told.delivery"),
    "destination": _place,
    "goods": _with("told.goods"),
    "excuse": _in("excuse"),
    "earliest": _at("told.earliest"),
    "country": lambda language, code: language.country(code),
    "decision": _in("oddity"),
    "kind": _in("approval_kind", "oddity"),
    "kept_apart": _kept_apart,
    "latest": _at("told.latest"),
    "maker": _with("told.maker"),
    "outcome": _in("outcome"),
    "part": _with("packing.part"),
    **dict.fromkeys(("partner", "issuer"), _in("partner", "carrier")),
    "payer": _in("payer"),
    "percent": lambda _, percent: f"{percent}%",
    "promised_by": _at("told.promised"),
    "quantity": lambda _, quantity: f"× {quantity:,}",
    "question": _in("question"),
    "questions": _each("question"),
    "reasons": _in("review"),
    "received_at": _at("told.signed"),
    "remedy": _in("remedy"),
    "result": _in("inquiry_result"),
    "shipping": _sent,
    "sent_again_in": _with("told.sent_again_in"),
    "redirected_at": _at("told.redirected"),
    "signed_at": _at("told.signed"),
    "signer_match": _in("signer"),
    "since": _at("told.since"),
    "state": _in("parcel"),
    "step": _in("consigned_state"),
    **dict.fromkeys(("grams", "weight_grams"), lambda _, grams: f"{grams:,} g"),
    "window_until": _at("told.until"),
}
"""How a figure is told; one that is not here is told as it is."""


def in_both(say: Callable[[Language], str], zone: ZoneInfo) -> dict[str, str]:
    """The same in each language."""
    return {code: say(Language(code, zone)) for code in LANGUAGES}


def titles(fact: Fact) -> dict[str, str]:
    """What happened, in a word or two of each language; of a scan what its carrier saw."""
    name = f"fact.{fact.fact_name}"
    key = f"scan.{fact.kind}" if isinstance(fact, ParcelScanned) else name
    return {code: WORDS[code][key] for code in LANGUAGES}


def details(
    event: Envelope,
    *,
    zone: ZoneInfo,
    figures: str | None = None,
    names: Mapping[str, str] = NAMELESS,
    warehouses: Mapping[str, str] = NAMELESS,
) -> dict[str, str] | None:
    """The figures of what happened, in each language; None where it has none to tell.

    All that a history tells of, unless `figures` names fewer; items by their `names`, by SKU, and
    `warehouses` that the house has no words for by theirs, by code.
    """
    known = _fields(event)
    told = [
        (field, known[field])
        for field in (FIGURES.get(event.fact.fact_name, "") if figures is None else figures).split()
        if known.get(field) not in (None, "", 0, ())
    ]
    if not told:
        return None
    own = {"sku": names, "warehouse": warehouses}
    return in_both(
        lambda one: BETWEEN.join(
            _said(one, field, value, own.get(field, NAMELESS)) for field, value in told
        ).replace(f"{BETWEEN}×", " ×"),
        zone,
    )


def warehouse_name(language: Language, code: str, names: Mapping[str, str]) -> str:
    """What a warehouse is called: in the house's words, else by its own name; its code."""
    words = language.of(("warehouse",), code)
    return language.half(names[code]) if words == code and code in names else words


def _said(language: Language, field: str, value: Any, names: Mapping[str, str]) -> str:
    if field == "warehouse":
        return warehouse_name(language, value, names)
    if field == "sku" and value in names:
        return language.half(names[value])
    say = SAID.get(field)
    return str(value) if say is None else say(language, value)


def _fields(event: Envelope) -> Mapping[str, Any]:
    """A fact's fields, those of a decision in it, why it was done, and what a shelf's name says."""
    fields: Mapping[str, Any] = {"why": event.context.reason, **vars(event.fact)}
    decision = fields.get("decision")
    if isinstance(decision, Decision):
        fields = {**vars(decision), **fields}
    if event.category == STOCK.name:
        warehouse, _, sku = event.key.partition(":")
        fields = {**fields, "warehouse": warehouse, "sku": sku}
    return fields
