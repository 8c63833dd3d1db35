"""What callers send about orders and points, and what all bodies share.

Edge models are distinct from events; whatever a body has that is not asked for is refused.
"""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.shown.fields import example
from domain.blotting import blot, has_phone
from domain.countries import HOME, Country
from domain.customs_terms import in_latin
from domain.days import Day, Moment
from domain.order_facts import Channel, Fault, Upgrade
from domain.point_facts import Reason

FIELDS_MAX = 200
"""Fields of an object: each one that is not asked for would be refused by itself, and a body of a
megabyte has room for 100,000, which would take seconds and hundreds of megabytes (R52)."""
FEN_MAX = 10_000_000_000
"""Most money in one figure: a hundred million yuan. What is above was mistyped."""
POINTS_MAX = 1_000_000_000
"""Most points in one figure, those of a grant and of a price."""
GRAMS_MAX = 1_000_000
"""Heaviest unit and parcel: a ton."""
MILLIMETRES_MAX = 10_000
"""Longest edge: ten metres."""
SHELF_MAX = 10_000_000
"""Most units of an item that are counted on one shelf."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.@+/=-]+$")]
"""An id somebody else made: letters, digits and `._@+/=-`."""
Sku = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Source = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
OutsideNumber = Annotated[
    str, StringConstraints(min_length=4, max_length=60, pattern=r"^[\w.@+/=-]+$")
]
"""What somebody else calls their order: as long as a search takes it."""
EnglishName = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(in_latin)
]
"""What customs abroad are told that something is."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
Whole = Annotated[int, Field(strict=True)]
"""An integer as JSON writes it: `true`, `"1"` and `1.0` are none."""
Fen = Annotated[Whole, Field(ge=0, le=FEN_MAX)]
Points = Annotated[Whole, Field(ge=0, le=POINTS_MAX)]
Grams = Annotated[Whole, Field(ge=0, le=GRAMS_MAX)]
Millimetres = Annotated[Whole, Field(ge=1, le=MILLIMETRES_MAX)]
Quantity = Annotated[Whole, Field(ge=1, le=1_000_000)]

Learner = Annotated[Id, Field(description="the learner's id on the platform")]
ItemSku = Annotated[Sku, Field(description="the item's SKU")]


def _naming_nobody(text: str) -> str:
    if has_phone(unicodedata.normalize("NFKC", text)):
        raise PydanticCustomError(
            "names_somebody", "has a phone number in it; it is kept for ever and names nobody"
        )
    return blot(text)


Why = Annotated[
    Words,
    AfterValidator(_naming_nobody),
    Field(
        description="why: kept with the event, names that are found are not; refused with a phone "
        "number in it. A learner's own words are a note, and the event says `own_words` (A4)"
    ),
]
HappenedAt = Annotated[Moment | None, Field(description="when it happened, if not now (A5)")]


class Body(BaseModel):
    """Whatever a body has that is not asked for is refused (R43)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) > FIELDS_MAX:
            raise PydanticCustomError(
                "too_many_fields", "has more than {most} fields", {"most": FIELDS_MAX}
            )
        return value


class GrantIn(Body):
    """Points for one achievement (L1)."""

    learner: Learner
    points: Annotated[Whole, Field(ge=1, le=POINTS_MAX, description="how many points")]
    reason: Reason
    source: Source = Field(
        description="what it is for; learner, reason and source make it the same grant"
    )
    happened_at: HappenedAt = None
    expires_at: Moment | None = Field(
        default=None, description="from then on the points cannot be spent; never, if left out"
    )
    carried_over: bool = Field(
        default=False, description="an achievement of an earlier attempt: refused (rules.md 14)"
    )


class GrantsIn(Body):
    """Up to 10,000 grants, each answered on its own."""

    model_config = example(
        grants=[{"learner": "lin", "points": 120, "reason": "course_completed", "source": "PY-101"}]
    )
    grants: Annotated[
        list[GrantIn], Field(min_length=1, max_length=10_000, description="a row for each grant")
    ]


class ClawbackIn(Body):
    """A mistaken grant, named by its reason and source (L5)."""

    model_config = example(
        learner="lin", reason="course_completed", source="PY-101", why="graded by mistake"
    )
    learner: Learner
    reason: Reason
    source: Source = Field(description="of the grant that is taken back")
    why: Why
    happened_at: HappenedAt = Field(default=None, description="services only, not before the grant")


class AdjustmentIn(Body):
    """Points added or taken by hand (L5)."""

    model_config = example(learner="lin", points=300, source="CASE-7", why="parcel was late")
    learner: Learner
    points: Annotated[
        Whole,
        Field(ge=-POINTS_MAX, le=POINTS_MAX, description="added if positive, taken if negative"),
    ]
    source: Source = Field(description="the case or list that it is for")
    why: Why


class DecisionIn(Body):
    """What the second person says (A8)."""

    model_config = example(decision="allow", reason="checked with the course's list")
    decision: Literal["allow", "deny"] = Field(description="allowed, it happens at once")
    reason: Why


class LearnerIn(Body):
    """A learner's account: active or frozen; a minor's or not."""

    model_config = example(status="frozen", reason="account was taken over")
    status: Annotated[
        str, Field(pattern="^(active|frozen)$", description="frozen accounts redeem nothing")
    ]
    minor: bool | None = Field(
        default=None,
        description="whether they are under age: their data is shown to staff after four eyes "
        "alone; only services say that somebody is of age; left out: as it was",
    )
    reason: Why = "as the platform asks"


class LineIn(Body):
    """One item of a wish; `points_expected` is the unit price the caller saw."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]
    points_expected: Points | None = Field(
        default=None, description="points a unit as the caller saw it; another price is refused"
    )


class RecipientIn(Body):
    """Who gets the parcels, and where."""

    model_config = example(
        name="林小满",
        phone="13800138000",
        province="浙江省",
        city="杭州市",
        district="西湖区",
        address="文三路 1 号 2 单元 301",
    )
    name: Annotated[str, Field(min_length=1, max_length=100, description="of the person")]
    phone: Annotated[
        str,
        Field(
            min_length=5,
            max_length=40,
            description="as people write it: spaces, +86, full-width digits; without extension",
        ),
    ]
    province: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="its full name; read from the address where it is left out"
    )
    city: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="city or prefecture"
    )
    district: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="district or county"
    )
    address: Annotated[
        str, Field(min_length=1, max_length=300, description="street, house and room")
    ]
    country: Country = Field(
        default=HOME,
        description="ISO 3166-1 alpha-2; abroad the city is needed, and no Chinese division (T7)",
    )
    postcode: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="letters, digits, spaces and dashes"
    )


class OrderIn(Body):
    """What a learner wants to redeem (L2)."""

    model_config = example(
        learner="lin",
        lines=[{"sku": "mug", "quantity": 1, "points_expected": 200}],
        recipient={
            "name": "林小满",
            "phone": "13800138000",
            "province": "浙江省",
            "city": "杭州市",
            "district": "西湖区",
            "address": "文三路 1 号 2 单元 301",
        },
    )
    learner: Learner
    lines: Annotated[
        list[LineIn], Field(min_length=1, max_length=50, description="items, each of them once")
    ]
    channel: Channel = Channel.APP
    external_number: OutsideNumber | None = Field(
        default=None,
        description="the order's number at an outside shop or partner; services only, with their "
        "channel. Staff find the order by it.",
    )
    happened_at: HappenedAt = Field(
        default=None, description="services only; paid with points that were there then (rule 19)"
    )
    recipient: RecipientIn | None = Field(
        default=None, description="left out for courses alone, needed for goods"
    )
    upgrade: Upgrade | None = Field(
        default=None, description="a better delivery that the quote offers, paid with the cash part"
    )
    freight_expected_fen: Fen | None = Field(
        default=None, description="freight that the caller saw, upgrade included; else is refused"
    )


class UnitsIn(Body):
    """Units of an item."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]


Lines = Annotated[
    Annotated[list[UnitsIn], Field(min_length=1, max_length=50)] | None,
    Field(description="which units; all that can be, if left out"),
]


class CancellationIn(Body):
    """Why, and which units if not all."""

    model_config = example(reason="changed my mind", lines=[{"sku": "mug", "quantity": 1}])
    reason: Why
    lines: Lines = None
    happened_at: HappenedAt = Field(default=None, description="services only")


class RefundIn(Body):
    """A decision to refund after shipping (rules.md 3)."""

    model_config = example(fault="damaged", reason="the handle is broken", goods_back=False)
    fault: Fault
    reason: Why
    goods_back: bool = Field(
        default=False, description="the units are back and inspected: they go to the shelf"
    )
    lines: Lines = None
    happened_at: HappenedAt = None


class PaymentIn(Body):
    """Nothing to start a payment; or a payment that a service took in itself."""

    model_config = example(means="wechat", attempt="pay-20261103-1", amount_fen=1_900)
    means: Words = Field(default="sandbox", description="how it is paid")
    attempt: Id | None = Field(default=None, description="services: the payment's own id")
    amount_fen: Annotated[Whole, Field(ge=1, le=FEN_MAX)] | None = Field(
        default=None, description="services: what was paid, in fen"
    )
    paid_at: Moment | None = Field(default=None, description="services: when, if not now")


class EraseIn(Body):
    """Why a learner is erased (A4)."""

    model_config = example(reason="asked to be forgotten")
    reason: Why


class CloseIn(Body):
    """The last day to close, in the business time zone (A7)."""

    model_config = example(until="2026-10-31")
    until: Day = Field(description="all days up to it are closed")
