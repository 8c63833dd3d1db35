"""What callers send about disputes and claims (D1, D2)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.bodies import Body, ItemSku, Whole, Why
from api.shown.fields import example
from domain.claims import InquiryResult
from domain.dispute_facts import Answer, Outcome, Question
from domain.order_facts import Fault

Said = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00]+$")]
"""Free words: they are sealed in the vault and never enter an event (A4)."""
Fen = Annotated[Whole, Field(ge=1, le=10_000_000_000)]
Parcel = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$")]
Unconfirmed = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=500,
        pattern=r"^[^\x00]+$",
        description="why the track counts though no query confirmed it (rules.md 23)",
    ),
]


class DisputeIn(Body):
    """What is wrong with a parcel (rules.md 28)."""

    model_config = example(reason="not_received", words="显示已签收,但我没有收到。")
    parcel: Parcel | None = Field(
        default=None, description="number of the parcel; may be left out where there is only one"
    )
    reason: Fault
    words: Said | None = Field(default=None, description="what happened; sealed, never in a fact")


class QuestionsIn(Body):
    """What the learner is asked, also once more what timed out."""

    model_config = example(questions=["locker"])
    questions: Annotated[
        list[Question], Field(min_length=1, max_length=3, description="what is asked")
    ]


class AnswerIn(Body):
    """An answer of the learner."""

    question: Question
    answer: Answer
    words: Said | None = Field(default=None, description="more of it; sealed, never in a fact")


class AnswersIn(Body):
    """Answers of the learner, or what they told staff."""

    model_config = example(
        answers=[
            {"question": "family", "answer": "no"},
            {"question": "door", "answer": "no", "words": "门口和电表箱都看过了"},
        ]
    )
    answers: Annotated[
        list[AnswerIn], Field(min_length=1, max_length=3, description="one a question")
    ]


class WordsIn(Body):
    """Words of who takes a case back, or asks to look at it once more."""

    model_config = example(words="在邻居家找到了")
    words: Said | None = Field(default=None, description="sealed, never in a fact")


class ReopeningIn(WordsIn):
    """Why a case is to be looked at once more."""

    model_config = example(reason="damaged", words="补偿后才发现杯子碎了")
    reason: Fault | None = Field(default=None, description="what is wrong; as before, if left out")


class NoteIn(Body):
    """Something to be noted beside an order."""

    model_config = example(words="学员来电:物业前台说没有收到,已请承运商核实。")
    words: Said = Field(description="sealed, never in a fact")


class InquiryAnswerIn(Body):
    """What the carrier answered."""

    model_config = example(result="misdelivered", reference="YT-Q-7781", words="投递员误送隔壁")
    result: InquiryResult
    reference: Annotated[str, StringConstraints(max_length=60, pattern=r"^[\w.:/-]*$")] = Field(
        default="", description="the carrier's own number of the inquiry"
    )
    words: Said | None = Field(default=None, description="its words; sealed, they may name people")


class MessageIn(Body):
    """What the learner is told, in both languages (D6)."""

    zh: Said = Field(description="in Chinese; sealed, never in a fact")
    en: Said = Field(description="in English; sealed, never in a fact")


class DisputedUnitsIn(Body):
    """Units of an item that are refunded or sent once more."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]


class CaseDecisionIn(Body):
    """What is decided of a case."""

    model_config = example(
        outcome="refund", reason="the carrier lost it", points=100, unconfirmed_because="by phone"
    )
    outcome: Outcome
    reason: Why
    lines: (
        Annotated[
            list[DisputedUnitsIn],
            Field(min_length=1, max_length=50, description="for `refund` and `reship`"),
        ]
        | None
    ) = Field(default=None, description="units of the case's parcel; all of them, if left out")
    points: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = Field(
        default=0, description="compensation, alone or beside a refund or a linked order"
    )
    message: MessageIn | None = Field(
        default=None, description="to the learner; the house's own words, if left out"
    )
    unconfirmed_because: Unconfirmed = None


class ClaimIn(Body):
    """Money that is claimed of a carrier for a parcel (D2)."""

    model_config = example(parcel="T261103A1B2C3D4E5F6-P1", reason="lost", claimed_fen=11_800)
    parcel: Parcel = Field(description="number of the parcel")
    reason: Fault
    claimed_fen: Fen | None = Field(
        default=None, description="what is asked; what the goods are worth, if left out"
    )
    unconfirmed_because: Unconfirmed = None


class ClaimStepIn(Body):
    """What the carrier said or paid, or that nothing more is expected of it."""

    model_config = example(step="accepted", amount_fen=10_000, reason="by mail")
    step: Literal["corrected", "acknowledged", "accepted", "rejected", "paid", "written_off"] = (
        Field(description="what happened")
    )
    amount_fen: Fen | None = Field(
        default=None,
        description="accepted or paid, all of it, if left out; corrected: what is claimed",
    )
    reference: Annotated[str, StringConstraints(max_length=60, pattern=r"^[\w.:/-]*$")] = Field(
        default="", description="the carrier's own number of the claim"
    )
    reason: Why


class CaseRevealIn(Body):
    """Why it has to be seen unmasked."""

    model_config = example(reason="the learner says that the picture shows the door")
    reason: Why


class PackIn(Body):
    """Why the evidence of a case is given out unmasked, and in which form."""

    model_config = example(reason="the carrier asks for our evidence", format="zip")
    reason: Why
    format: Literal["zip", "json", "html"] = Field(
        default="zip", description="html: to read and print"
    )
    position: Annotated[Whole, Field(ge=0, le=2**62)] | None = Field(
        default=None, description="as the log stood there; as it stands, if left out"
    )
    since: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        default=None, description="a head kept before: prove that the log only grew from it"
    )
