"""The golden corpus: one stored event of every fact ever released, and the shape it had (R26).

`python -m tests.corpus` notes the shapes of facts that are new. The shape of a released fact
changes by decision only: when its golden file can still be read as it is, delete its line from
`schemas.json` and note it anew; else raise the fact's version, write an upcaster, and add the
golden file of the new version beside the old one, which stays for ever. A fact that got fields
later has a second file with these, `name@what.v1.json`.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from application.envelope import ROOMS, decode_fact
from application.streams import CATEGORIES
from domain.facts import FACTS, Fact

GOLDEN = Path(__file__).parent / "golden"
SHAPES = GOLDEN / "schemas.json"
assert ROOMS  # importing them registers every fact

STORY = {
    "account": """LearnerRegistered PointsGranted PointsHeld HoldVoided PointsRedeemed
        PointsRestored PointsDeducted GrantClawedBack DebtPaid LotExpired HoldCaptured AccountFrozen
        AccountUnfrozen LearnerErased""",
    "order": """OrderPlaced PaymentFailed PaymentCaptured AddressChanged EntitlementGranted
        CourseProgressed ReviewRequired OrderApproved OrderRejected PartReleased PartMoved
        PartPicked PartPacked AddressAcknowledged PartEntrusted UnitsCancelling
        CancellationOvertaken CancelledUnitsSent CancelledUnitsGivenUp PartHandedOver PartReceived
        UnitsCancelled OrderSplit UnitsFellShort WaitChosen WaitMoved WaitEnded PartUnpacked
        UnitsRefunded GoodsCameBack
        CashRefundRequested CashRefundFailed CashRefundAskedAgain CashRefundConfirmed
        EntitlementRevoked WindowPaused ReplacementReserved ReplacementReleased ReplacementOrdered
        OrderLinked UnitsUnderReturn ReturnEnded RefundProposed RefundAllowed
        RefundDeclined LineRated LatenessMadeGood LatenessExcused
        SendingDelayed WindowResumed PartCompleted
        OrderCompleted OrderClosed OrderCancelled OrderExpired""",
    "parcel": """ParcelAwaited ParcelPlanned CarrierChosen
        ContentRemoved PickingStarted ParcelPicked ParcelPacked UnitsToPutBack UnitsPutBack
        DeclarationDrawnUp DeclarationCompleted DeclarationSubmitted CustomsStopped CustomsCleared
        LabelWanted LabelRefused LabelUnanswered LabelIssued LabelUnwanted LabelCancelled
        WaybillIssued WaybillCorrected TrackingSubscribed WatchEnded ParcelHandedOver
        ParcelRedirected StrayContentSent
        ArrivalEstimated ParcelScanned DeliveryDelayed TrackFlagged OddityDecided ReceiptProved
        TrackConfirmed ReceiptConfirmedByHand PushUnreadable UnreadablePushesSettled
        SecondNumberTold SecondNumberTakenBack CarrierCorrected ParcelDissolved""",
    "stock": """StockReceived StockReserved StockPicked StockPutBack StockReturned StockReleased
        StockScrapped StockTransferredOut StockAdjusted StockWithheld StockOfferedAgain""",
    "item": "ItemListed ItemPutOnSale ItemRevised ItemTakenOffSale",
    "network": "WarehouseOpened WarehouseRevised",
    "rates": "RateCardPublished VolumeCounted LaneSettled",
    "books": "BooksClosed",
    "bill": """BillReceived LinesBilled RowsRefused DifferencesFound BillMatched DifferenceContested
        DifferenceAccepted DifferencesGone""",
    "dispute": """DisputeOpened EvidenceGathered QuestionsAsked QuestionAnswered QuestionTimedOut
        EvidenceAdded DecisionOverdue DecisionProposed DecisionDeclined DisputeWithdrawn
        DisputeReopened ClaimWindowMoved DisputeDecided""",
    "claim": """InquiryOpened InquiryTimedOut InquiryAnswered ClaimFiled ClaimCorrected
        ClaimAcknowledged ClaimRejected ClaimAccepted ClaimPaid ClaimWrittenOff""",
    "notes": "NoteAdded",
    "single_handed": "PointsMovedAlone",
    "return": """ReturnOpened GoodsSent GoodsLost GoodsArrived GoodsInspected AgreementProposed
        AgreementDeclined ReturnSettled
        ReturnRejected ReturnWithdrawn ReturnLapsed""",
    "intercept": """InterceptAsked InterceptRefused InterceptTaken InterceptTold InterceptFailed
        InterceptTimedOut InterceptGivenUp InterceptDone ParcelTurnedBack GoodsTakenBack""",
    "traffic": "TrafficShifted",
    "waybill": "WaybillBound",
    "wave": "WaveOpened WaveClosed",
    "week": "WeekReviewed",
    "consignment": "ConsignmentAsked ConsignmentTold ConsignmentFollowed",
    "stocktake": "StockCompared DifferenceSettled",
}
"""An order in which the corpus can be folded, by category of streams."""


def released() -> Iterator[tuple[str, int, bytes]]:
    """Every golden file: name of the fact, schema version, stored bytes."""
    for path in sorted(GOLDEN.glob("*.v*.json")):
        name, _, version = path.stem.rpartition(".v")
        yield name.partition("@")[0], int(version), path.read_bytes()


def shape(cls: type[Fact]) -> str:
    """Digest of a fact's JSON Schema without its words, which may change."""
    schema = _wordless(cls.model_json_schema())
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]


def _wordless(schema: Any) -> Any:
    if isinstance(schema, dict):
        words = {"title", "description"}
        return {
            key: _wordless(value)
            for key, value in schema.items()
            if key not in words or not isinstance(value, str)
        }
    return [_wordless(one) for one in schema] if isinstance(schema, list) else schema


def shapes() -> dict[str, str]:
    """The digests noted so far, by `name.vN`."""
    noted: dict[str, str] = json.loads(SHAPES.read_text()) if SHAPES.exists() else {}
    return noted


def folded() -> Iterator[tuple[str, Any]]:
    """Each category's state after its part of the corpus, in the order of `STORY`."""
    stored: dict[str, tuple[str, bytes]] = {}
    for name, _, data in released():  # the plain file comes first
        stored.setdefault(name.partition(".")[2], (name, data))
    for category, names in STORY.items():
        state = CATEGORIES[category].initial
        for name in names.split():
            state = CATEGORIES[category].evolve(state, decode_fact(*stored[name]))
        yield category, state


def readable(state: Any) -> str:
    """A state as text in which sets, which have no order, are sorted."""
    if isinstance(state, frozenset | set):
        return "{" + ", ".join(sorted(map(readable, state))) + "}"
    if isinstance(state, dict):
        return "{" + ", ".join(f"{key!r}: {readable(value)}" for key, value in state.items()) + "}"
    if isinstance(state, tuple | list):
        return "(" + ", ".join(map(readable, state)) + ")"
    fields = getattr(type(state), "__dataclass_fields__", None)
    if fields is None:
        return repr(state)
    shown = (f"{name}={readable(getattr(state, name))}" for name in fields)
    return f"{type(state).__name__}({', '.join(shown)})"


def main() -> None:
    """Note the shapes of facts that are new; those of known ones stay."""
    fresh = {f"{name}.v{cls.schema_version}": shape(cls) for name, cls in FACTS.items()}
    noted = dict(sorted((fresh | shapes()).items()))
    SHAPES.write_text(json.dumps(noted, indent=1) + "\n")


if __name__ == "__main__":
    main()
