"""What readers get of disputes and claims: for the API's description alone (R45)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import ClaimedOut, NewPosition
from api.shown.fields import (
    EventPosition,
    FactName,
    HappenedAt,
    LearnerId,
    Next,
    OrderNumber,
    ParcelNumber,
    example,
)
from api.shown.parcels import ParcelOut
from api.shown.to_auditors import HEAD, SEAL, SealedOut
from domain.claims import ClaimState, InquiryResult
from domain.dispute_facts import Answer, Outcome, Question, Side, SignerMatch
from domain.disputes import CaseState
from domain.order_facts import Fault

CaseId = Annotated[str, Field(description="the case's id", examples=["D-T261103A1B2C3D4E5F6-P1"])]
_CASE = "D-T261103A1B2C3D4E5F6-P1"
_ORDER = "T261103A1B2C3D4E5F6"
_LISTED: dict[str, Any] = {
    "id": _CASE,
    "order": _ORDER,
    "parcel": f"{_ORDER}-P1",
    "learner": "lin",
    "reason": "not_received",
    "state": "open",
    "outcome": None,
    "opened_at": "2026-11-08T02:14:08.120931Z",
    "closed_at": None,
    "answer_by": "2026-11-10T02:14:08.120931Z",
    "decide_by": "2026-11-11T02:14:08.120931Z",
    "next_deadline": "2026-11-10T02:14:08.120931Z",
    "overdue": False,
    "file_claim_by": "2026-11-13T07:30:00Z",
    "waits_for": "learner",
    "inquiry": None,
    "claim": None,
}


class CaseListedOut(BaseModel):
    """A case in a list."""

    id: CaseId
    order: OrderNumber
    parcel: ParcelNumber
    learner: LearnerId
    reason: Fault
    state: CaseState
    outcome: Outcome | None = Field(description="once it was decided")
    opened_at: AwareDatetime = Field(description="when it was opened")
    closed_at: AwareDatetime | None = Field(description="when it was decided or withdrawn")
    answer_by: AwareDatetime | None = Field(description="while the learner has something to answer")
    decide_by: AwareDatetime | None = Field(description="while it is to be decided")
    next_deadline: AwareDatetime | None = Field(description="the nearest of its clocks")
    overdue: bool = Field(description="it was not decided in time")
    file_claim_by: AwareDatetime | None = Field(description="end of the carrier's time for claims")
    waits_for: str | None = Field(description="learner, carrier, approval or staff; null: over")
    inquiry: str | None = Field(default=None, description="open, answered, timed_out; for staff")
    claim: ClaimState | None = Field(default=None, description="of the parcel; for staff")


class CasesOut(BaseModel):
    """A page of cases."""

    model_config = example(disputes=[_LISTED], next=None)
    disputes: list[CaseListedOut] = Field(description="in the order that was asked for")
    next: Next


class AskedOut(BaseModel):
    """A question to the learner."""

    question: Question
    answer: Answer | None = Field(description="null until it is answered")
    timed_out: bool = Field(description="nobody answered in time")


class FileOut(BaseModel):
    """A file of the case; its content is shown apart."""

    file: str = Field(description="its name in the case", examples=["F1"])
    media_type: str = Field(description="what it is", examples=["image/jpeg"])
    size_bytes: int = Field(description="how big it is")
    digest: str = Field(description="salted SHA-256, as the log has it")
    by: Side


class SaidOut(BaseModel):
    """Words of the learner or the carrier."""

    position: EventPosition
    about: str = Field(description="opening, answer, withdrawal, reopening or inquiry")
    text: str | None = Field(description="staff see no names; null: erased or held")


class CaseMessageOut(BaseModel):
    """What the learner was told."""

    position: EventPosition
    zh: str | None = Field(description="in Chinese; null: erased or held")
    en: str | None = Field(description="in English; null: erased or held")


class SameAddressOut(BaseModel):
    """What happened at the same address before."""

    days: int = Field(description="how far back was looked")
    orders: int = Field(description="orders that went there")
    accounts: int = Field(description="learners that they were of")
    disputes: int = Field(description="cases of these orders")
    not_received: int = Field(description="of the cases, those of that reason")


class EvidenceOut(BaseModel):
    """What was gathered by itself when the case was opened (D1)."""

    track: str = Field(description="the parcel's history as of then, as stream@version")
    carrier: str | None = Field(description="its code")
    waybill: str | None = Field(description="the carrier's number")
    state: str = Field(description="the parcel's state")
    since: AwareDatetime | None = Field(description="when that state began")
    scans: int = Field(description="how many counted")
    signed_at: AwareDatetime | None = Field(description="when it was signed for, as told")
    signer: str | None = Field(description="in the carrier's words, without names")
    signer_match: SignerMatch
    proof_of_delivery: str | None = Field(description="the event that told of the receipt")
    confirmed: bool = Field(description="whether a query had confirmed the track")
    same_address: SameAddressOut | None = Field(description="null: not known")


class InquiryOut(BaseModel):
    """What the carrier was asked about the parcel."""

    state: str = Field(description="open, answered or timed_out")
    answer_by: AwareDatetime | None = Field(description="then it times out")
    result: InquiryResult | None = Field(description="what it answered")


class DecisionOut(BaseModel):
    """What was decided, or is proposed."""

    outcome: Outcome
    points: int = Field(description="compensation")
    reason: str | None = Field(default=None, description="for staff")
    units: list[dict[str, int]] = Field(description="part, line, quantity")
    unconfirmed_because: str | None = Field(default=None, description="for staff")


class ProposedOut(DecisionOut):
    """A decision that waits for a second person (A8)."""

    approval: str = Field(description="where they decide: `/v1/approvals/{approval}`")
    maker: str = Field(description="who asked for it: somebody else has to decide")
    alone_points: int = Field(
        description="what the maker gave and took alone before, for the same learner, as far as it"
        " adds to this; either counted up"
    )
    alone_times: int = Field(description="in how many amounts")


class CaseMomentOut(BaseModel):
    """One line of the case's timeline."""

    position: EventPosition
    at: HappenedAt
    fact: FactName
    stream: str = Field(description="whose history it is from")
    actor: str = Field(description="for learners the role alone", examples=["support:wang"])
    because_of: int | None = Field(description="position of the event it came of")
    details: dict[str, Any] | None = Field(default=None, description="the fact's fields; for staff")


class CaseActionOut(BaseModel):
    """Whether a command is possible now and what it would do exactly, or why it is not (D6)."""

    model_config = example(
        possible=True,
        points=[{"lot": "course_completed:PY-101", "points": 480, "expires_at": None}],
        stock=[],
        cash_fen=0,
        orders=[],
        needs_second_person=False,
        message={"zh": "我们已为您退还 480 积分，原路退回。", "en": "We refunded 480 points; …"},
        facts=["disputes.DisputeDecided", "orders.UnitsRefunded", "ledger.PointsRestored"],
        window_until=None,
    )
    possible: bool = Field(description="whether it would be taken now")
    code: str | None = Field(default=None, description="of the refusal")
    why: str | None = Field(default=None, description="it is not possible, in English")
    why_zh: str | None = Field(default=None, description="it is not possible, in Chinese")
    points: list[dict[str, Any]] | None = Field(
        default=None, description="what would come to which lot, with its expiry"
    )
    stock: list[dict[str, Any]] | None = Field(
        default=None, description="what would be reserved or released where"
    )
    cash_fen: int | None = Field(default=None, description="that would go back, in fen")
    orders: list[str] | None = Field(default=None, description="linked orders that would stand")
    claims: list[dict[str, Any]] | None = Field(
        default=None, description="parcel, carrier and claimed_fen of what would be claimed (D2)"
    )
    needs_second_person: bool | None = Field(
        default=None, description="it would only be proposed (A8)"
    )
    message: dict[str, str] | None = Field(default=None, description="what the learner is told")
    facts: list[str] | None = Field(default=None, description="what would be recorded")
    window_until: AwareDatetime | None = Field(
        default=None, description="until then it would be returnable"
    )


_ACTION = {"possible": False, "code": "not_possible", "why": "the case is decided",
           "why_zh": "争议已裁决"}  # fmt: skip


class CaseOut(CaseListedOut):
    """Everything of a case, for one screen (D1, D6)."""

    model_config = example(
        **_LISTED,
        disputable_until="2026-12-06T07:30:00Z",
        value_fen=5_900,
        questions=[{"question": "door", "answer": "no", "timed_out": False}],
        files=[],
        evidence=None,
        said=[{"position": 57, "about": "opening", "text": "显示已签收，但我没有收到。"}],
        messages=[],
        inquiry_about=None,
        decision=None,
        proposed=None,
        track=None,
        timeline=[
            {
                "position": 57,
                "at": "2026-11-08T02:14:08.120931Z",
                "fact": "disputes.DisputeOpened",
                "stream": f"dispute:{_CASE}",
                "actor": "learner",
                "because_of": None,
            }
        ],
        actions={"reopen": _ACTION},
        position=57,
        version=3,
    )
    disputable_until: AwareDatetime | None = Field(description="null: not signed for")
    value_fen: int = Field(description="market value of what the order has in the parcel")
    questions: list[AskedOut] = Field(description="what the learner was asked")
    files: list[FileOut] = Field(description="evidence")
    evidence: EvidenceOut | None = Field(description="gathered last; null for learners")
    said: list[SaidOut] = Field(description="oldest first; learners see their own words")
    messages: list[CaseMessageOut] = Field(description="to the learner, oldest first")
    inquiry_about: InquiryOut | None = Field(description="null: the carrier was not asked")
    decision: DecisionOut | None = Field(description="null: not decided")
    proposed: ProposedOut | None = Field(description="what waits for a second person; for staff")
    track: ParcelOut | None = Field(description="the parcel and its way")
    timeline: list[CaseMomentOut] = Field(description="oldest first")
    actions: dict[str, CaseActionOut] = Field(description="by name, for who asks")
    position: int = Field(description="of the case's last change")
    version: int = Field(description="events of the case's own stream")


class CaseChangedOut(BaseModel):
    """What a command on a case led to."""

    model_config = example(case=_CASE, order=_ORDER, state="open", position=58)
    case: CaseId
    order: OrderNumber
    state: CaseState
    decide_by: AwareDatetime | None = Field(default=None, description="when it is to be decided")
    answer_by: AwareDatetime | None = Field(default=None, description="what was asked times out")
    position: NewPosition


class FileAddedOut(CaseChangedOut):
    """A file that belongs to the case now."""

    model_config = example(
        case=_CASE, order=_ORDER, state="open", file="F1", digest="9f" * 32, position=58
    )
    file: str = Field(description="its name in the case")
    digest: str = Field(description="salted SHA-256, as the log has it")


class CaseDecidedOut(CaseChangedOut):
    """A decision, carried out or proposed (202)."""

    model_config = example(
        case=_CASE, order=_ORDER, state="decided", points=100, points_refunded=480, position=58
    )
    points: int | None = Field(default=None, description="compensation that was given")
    points_refunded: int | None = Field(default=None, description="that went back to their lots")
    replacement: str | None = Field(default=None, description="number of the linked order")
    approval: str | None = Field(default=None, description="where a second person decides (A8)")
    status: str | None = Field(default=None, description="pending_approval, where one has to")
    learner: str | None = Field(default=None, description="whose case waits for approval")
    claims: list[ClaimedOut] | None = Field(
        default=None, description="of the carrier, where it is at fault"
    )


class SaidInClearOut(BaseModel):
    """Words of a case unmasked; that they were shown is recorded (A4)."""

    model_config = example(
        case=_CASE,
        card="0123456789abcdef0123456789abcdef",
        learner="lin",
        about="opening",
        text="显示已签收，但我没有收到。",
        shown_until="2026-11-08T02:24:08.120931Z",
        position=60,
    )
    case: CaseId
    card: str = Field(description="id of the card in the vault")
    learner: LearnerId
    about: str = Field(description="opening, answer, withdrawal, reopening or inquiry")
    text: str = Field(description="as it was written")
    shown_until: AwareDatetime = Field(description="until then the same key shows it again")
    position: NewPosition


class PackOut(SealedOut):
    """A case's evidence pack as JSON, for `tallypost audit check` (D5)."""

    model_config = example(
        format="tallypost evidence pack 1",
        tool="tallypost 0.1.0",
        tenant="mall",
        case=_CASE,
        order=_ORDER,
        parcel=f"{_ORDER}-P1",
        teller="f00dbabe00112233",
        head=HEAD,
        consistency=[],
        events=[{"position": 42, "stream": f"dispute:{_CASE}", "version": 1}],
        told={"state": {"state": "open"}, "track": [], "messages": [], "ledger": []},
        cards=[{"card": "0123456789abcdef0123456789abcdef", "state": "withheld"}],
        files=[{"name": "page.html", "size": 9_120, "sha256": "9f" * 32}],
        seal=SEAL,
    )
    case: CaseId
    order: OrderNumber
    parcel: ParcelNumber
    teller: str = Field(description="fingerprint of the code that told it of the events")
    consistency: list[dict[str, Any]] = Field(
        description="for each head of `since`: the proof that the log only grew from it"
    )
    events: list[dict[str, Any]] = Field(
        description="of order, case, parcel, claim, points and stock; each with its proof"
    )
    told: dict[str, Any] = Field(description="track, signer, words, ledger, made of the events")
    cards: list[dict[str, Any]] = Field(
        description="what the vault keeps of it: included, withheld, erased, deleted or held"
    )
    files: list[dict[str, Any]] = Field(description="of the ZIP, by their digests")
