"""第三方仓 A third party's warehouse in our own documented format (W2; docs/third-parties.md).

Both ways JSON, signed on its raw bytes as Standard Webhooks are. A wish is PUT, all of it, under a
revision: sent again it is the same one, and the answer may tell what the warehouse would push.
Pure. Requests carry a recipient and never belong in a log.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import to_json

from application.gateways.tracking import ForgedPush, UnreadableReply
from application.webhooks import PREFIX, signed_headers
from domain.consignments import FoundUnits, Report, Step
from domain.days import Moment

TOLERANCE = timedelta(minutes=5)
"""How old a message may be, or how far ahead its clock (R34)."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Carrier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,40}$")]
Waybill = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{6,32}$")]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64)]
PACKED = (Step.PACKED, Step.SHIPPED)


class Asked(BaseModel):
    """Units of an item that are to be in a parcel."""

    sku: Sku
    name: str
    quantity: int


class RecipientAsked(BaseModel):
    """Whom a parcel goes to."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    address: str


class Wish(BaseModel):
    """What the house wants of a parcel: all of it, by revision; no units: nothing is to be sent."""

    parcel: str
    revision: int
    held: bool = Field(description="it must not leave yet")
    hand_over_by: AwareDatetime
    carrier: str | None = Field(description="whom the house would choose; the warehouse decides")
    units: list[Asked]
    recipient: RecipientAsked | None = Field(description="null where nothing is to be sent")
    reason: str
    callback_url: str = Field(description="where the warehouse tells of its parcels")


class FoundIn(BaseModel):
    """Units of an item that the warehouse has."""

    model_config = ConfigDict(extra="forbid")
    sku: Sku
    quantity: int = Field(ge=0, le=1_000_000)


class ParcelIn(BaseModel):
    """How far a parcel is: the whole of it, whatever was told before."""

    model_config = ConfigDict(extra="forbid")
    parcel: str = Field(min_length=1, max_length=100)
    revision: int = Field(ge=1, le=1_000_000, description="the newest wish that it knew")
    units: list[FoundIn] | None = Field(
        default=None, max_length=200, description="what is in it, or will be"
    )
    weight_grams: int | None = Field(default=None, ge=0, le=1_000_000)
    carrier: Carrier | None = Field(
        default=None, description="as Kuaidi100 writes it, e.g. shunfeng"
    )
    waybill: Waybill | None = None
    code: Code | None = Field(default=None, description="why it refuses: `shipped`, `packed`, …")
    words: str = Field(default="", max_length=500)


class CountIn(BaseModel):
    """What the warehouse has on its shelves, promised or not."""

    model_config = ConfigDict(extra="forbid")
    counted_at: Moment
    lines: list[FoundIn] = Field(min_length=1, max_length=500)


Steps = Literal[
    "parcel.accepted", "parcel.picking", "parcel.short", "parcel.packed", "parcel.cancelled",
    "parcel.shipped", "parcel.refused",
]  # fmt: skip


class ParcelMessage(BaseModel):
    """The warehouse tells of a parcel."""

    model_config = ConfigDict(extra="forbid")
    type: Steps
    timestamp: Moment = Field(description="when it came about")
    data: ParcelIn

    @model_validator(mode="after")
    def _whole(self) -> "ParcelMessage":
        told = self.data
        if self.step in PACKED and (told.units is None or told.weight_grams is None):
            raise ValueError("units and weight_grams belong to it")
        if self.step is Step.SHIPPED and not (told.carrier and told.waybill):
            raise ValueError("carrier and waybill belong to it")
        if self.step is Step.SHORT and told.units is None:
            raise ValueError("units belong to it")
        if self.step is Step.REFUSED and not told.code:
            raise ValueError("a code belongs to it")
        return self

    @property
    def step(self) -> Step:
        """What it tells."""
        return Step(self.type.removeprefix("parcel."))


class CountMessage(BaseModel):
    """The warehouse tells what it has, to be compared with the house's books (C3)."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["stock.counted"]
    timestamp: Moment
    data: CountIn


Message = Annotated[ParcelMessage | CountMessage, Field(discriminator="type")]


def wish_body(wish: Wish) -> bytes:
    """The request's body; its bytes are what is signed."""
    return wish.model_dump_json().encode()


def wish_headers(
    secret: SecretStr, *, parcel: str, revision: int, at: datetime, body: bytes
) -> dict[str, str]:
    """Headers with a signature for this moment; the id is the same on every try."""
    named = f"wish_{parcel}_{revision}"
    headers = signed_headers(secret.get_secret_value(), id=named, at=at, body=body)
    return {**headers, "Content-Type": "application/json"}


def verify(
    body: bytes, headers: Mapping[str, str], *, secrets: Sequence[SecretStr], now: datetime
) -> str:
    """The message's id, if it is signed with one of the secrets and fresh; raises `ForgedPush`.

    Compared in constant time, on bytes; each of the signatures that the header lists may fit.
    """
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    listed = headers.get("webhook-signature", "").split()[:10]
    if not (0 < len(name) <= 200 and name.isascii() and name.isprintable()):
        raise ForgedPush
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise ForgedPush
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise ForgedPush
    signed = b".".join((name.encode(), stamp.encode(), body))
    fits = False
    for secret in secrets:
        right = hmac.digest(_key(secret), signed, hashlib.sha256)
        for one in listed:
            version, _, told = one.partition(",")
            fits |= hmac.compare_digest(_bytes(told), right) and version == "v1"
    if not fits:
        raise ForgedPush
    return name


def _key(secret: SecretStr) -> bytes:
    return base64.b64decode(secret.get_secret_value().removeprefix(PREFIX))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def report_of(message: ParcelMessage, *, words: str) -> Report:
    """What a message tells; `words` are the warehouse's, blotted out."""
    told = message.data
    found = None
    if told.units is not None:
        counts: dict[str, int] = {}
        for one in told.units:
            counts[one.sku] = counts.get(one.sku, 0) + one.quantity
        found = tuple(FoundUnits(sku=sku, quantity=n) for sku, n in sorted(counts.items()))
    return Report(
        step=message.step,
        revision=told.revision,
        units=found,
        weight_grams=told.weight_grams,
        carrier=told.carrier,
        waybill=told.waybill,
        code=told.code or "",
        words=words,
    )


def read_answer(body: bytes, *, parcel: str) -> ParcelMessage | None:
    """What the answer to a wish tells of the parcel; None: nothing yet.

    Raises `UnreadableReply`.
    """
    if not body.strip() or body.strip() == b"{}":
        return None
    try:
        message = ParcelMessage.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableReply("not an answer of ours") from error
    if message.data.parcel != parcel:
        raise UnreadableReply("an answer about another parcel")
    return message


def signed_message(
    secret: SecretStr, message: ParcelMessage | CountMessage, *, name: str, at: datetime
) -> tuple[bytes, dict[str, str]]:
    """A message as the warehouse pushes it, and its headers; the sandbox plays with it."""
    body = to_json(message, exclude_none=True)
    headers = signed_headers(secret.get_secret_value(), id=name, at=at, body=body)
    return body, {**headers, "Content-Type": "application/json"}
