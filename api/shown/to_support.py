"""What the support desk gets: for the API's description alone (R45)."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import FactName, HappenedAt, LearnerId, OrderNumber, Position, example

_ORDER = "T261103A1B2C3D4E5F6"
_PARCEL = f"{_ORDER}-P1"

Kind = Literal[
    "order", "ledger", "stock", "parcel", "scan", "dispute", "claim", "approval", "privacy",
    "message", "note", "return", "webhook", "query",
]  # fmt: skip


class InBothOut(BaseModel):
    """The same in both languages."""

    zh: str = Field(description="in Chinese")
    en: str = Field(description="in English")


class SaidMaskedOut(BaseModel):
    """What somebody said, without what names people (A4)."""

    text: str | None = Field(description="null: erased, gone by time, or under a legal hold")
    reveal: str | None = Field(description="where to POST a reason to see it as it was written")


class EntryOfOrderOut(BaseModel):
    """One thing that happened."""

    id: Annotated[str, Field(description="its name in this list", examples=["e57"])]
    kind: Kind = Field(description="what it is about")
    position: Annotated[int, Field(ge=1, description="of the event that it is, or is about")]
    happened_at: HappenedAt
    recorded_at: AwareDatetime = Field(description="when it was known here (A5)")
    actor: str = Field(description="whose doing it is", examples=["support:wang"])
    fact: FactName | None = Field(description="null: a message, a webhook, a query: not facts")
    stream: str | None = Field(description="whose history it is from")
    words: InBothOut = Field(description="what happened")
    details: InBothOut | None = Field(description="its figures; a message's own words")
    said: SaidMaskedOut | None = Field(description="what somebody said with it")
    because_of: str | None = Field(description="`id` of the entry that it came of")


def _entry(position: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"e{position}",
        "kind": "dispute",
        "position": position,
        "happened_at": "2026-11-08T02:14:08.120931Z",
        "recorded_at": "2026-11-08T02:14:08.121804Z",
        "actor": "learner:lin",
        "fact": "disputes.DisputeOpened",
        "stream": f"dispute:D-{_PARCEL}",
        "words": {"zh": "争议已提交", "en": "Dispute opened"},
        "details": {"zh": "未收到", "en": "Not received"},
        "said": None,
        "because_of": None,
        **more,
    }


class AheadOut(BaseModel):
    """One thing that the house will do by itself, or that is stuck (D1, M5)."""

    id: Annotated[str, Field(description="its name in this list", examples=["n1"])]
    work: Annotated[
        str,
        Field(
            description="a policy's name, or what a partner is asked for",
            examples=["complete_orders", "push_third_party", "confirm_receipt"],
        ),
    ]
    standing: Literal["planned", "retrying", "stuck"] = Field(
        description="retrying: it failed and is tried again by itself; stuck: late, given up, or "
        "not to be had without somebody"
    )
    at: AwareDatetime | None = Field(
        description="when it is done or tried next if nothing else happens, or should have been; "
        "null: nobody can say"
    )
    tries: int = Field(ge=0, description="that failed so far")
    words: InBothOut = Field(description="what it is")
    details: InBothOut = Field(description="what it is about, and what the last try said")
    because_of: str | None = Field(description="`id` of the entry that it comes of")


class OrderTimelineOut(BaseModel):
    """All that concerns an order, oldest first, and what is still to come (D1)."""

    model_config = example(
        order=_ORDER,
        entries=[
            _entry(57, said={"text": "显示已签收,但我没有收到。", "reveal": None}),
            _entry(
                58,
                fact="disputes.EvidenceGathered",
                words={"zh": "已自动取证", "en": "Evidence gathered"},
                details={"zh": "已签收", "en": "Signed for"},
                because_of="e57",
            ),
        ],
        ahead=[
            {
                "id": "n1",
                "work": "note_overdue_cases",
                "standing": "planned",
                "at": "2026-11-22T02:14:08.120931Z",
                "tries": 0,
                "words": {"zh": "届时未裁决则记为逾期", "en": "Overdue if not decided by then"},
                "details": {"zh": f"D-{_PARCEL}", "en": f"D-{_PARCEL}"},
                "because_of": "e58",
            }
        ],
        position=58,
    )
    order: OrderNumber
    entries: list[EntryOfOrderOut] = Field(description="by the time at which it happened")
    ahead: list[AheadOut] = Field(description="what is stuck first, then by time")
    position: Position


class OwnEntryOut(BaseModel):
    """One thing that a learner is told of their case or return."""

    position: Annotated[int, Field(ge=1, description="of its event")]
    at: HappenedAt
    kind: Literal["dispute", "return", "parcel", "claim", "scan"] = Field(
        description="what it is about; `scan`: a carrier saw the parcel on its way back"
    )
    fact: FactName
    about: str = Field(description="the case or the return", examples=[f"D-{_PARCEL}"])
    words: InBothOut = Field(description="what happened")
    details: InBothOut | None = Field(description="its figures; of a scan the carrier's words")


class OwnStoryOut(BaseModel):
    """What became of an order's cases and returns, oldest first (D1, D3)."""

    model_config = example(
        order=_ORDER,
        entries=[
            {
                "position": 58,
                "at": "2026-11-08T02:14:08.120931Z",
                "kind": "dispute",
                "fact": "disputes.DisputeOpened",
                "about": f"D-{_PARCEL}",
                "words": {"zh": "已反映问题", "en": "A problem was reported"},
                "details": {"zh": "未收到", "en": "Never received"},
            }
        ],
        position=58,
    )
    order: OrderNumber
    entries: list[OwnEntryOut] = Field(description="by the time at which it happened")
    position: Position


class NotedOut(BaseModel):
    """A note stands beside the order."""

    model_config = example(order=_ORDER, notes=1, position=60)
    order: OrderNumber
    notes: int = Field(ge=1, description="how many it has")
    position: NewPosition


class NoteInClearOut(BaseModel):
    """A note unmasked; that it was shown is recorded (A4)."""

    model_config = example(
        order=_ORDER,
        card="0123456789abcdef0123456789abcdef",
        learner="lin",
        text="王女士说放在物业前台。",
        shown_until="2026-11-08T02:24:08.120931Z",
        position=61,
    )
    order: OrderNumber
    card: str = Field(description="id of the card in the vault")
    learner: LearnerId
    text: str = Field(description="as it was written")
    shown_until: AwareDatetime = Field(description="until then the same key shows it again")
    position: NewPosition
