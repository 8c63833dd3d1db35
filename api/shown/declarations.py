"""What readers get of declarations to customs: for the API's description alone (T7)."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.cases import CaseActionOut
from api.shown.fields import OrderNumber, ParcelNumber, example
from domain.declarations import Standing

_PARCEL = "T261103A1B2C3D4E5F6-P1"
_DECLARED: dict[str, Any] = {
    "parcel": _PARCEL,
    "country": "JP",
    "standing": "stopped",
    "since": "2026-11-03T02:14:08Z",
    "age_seconds": 3_600,
    "warehouse": "zhejiang",
    "carrier": "ems",
    "waybill": "EM123456789CN",
    "orders": ["T261103A1B2C3D4E5F6"],
    "lines": [
        {
            "sku": "mug", "name": "搪瓷杯 Enamel mug", "quantity": 2, "unit_value_fen": 4_900,
            "net_weight_grams": 600, "hs_code": "732394", "english_name": "Enamel mug",
            "origin": None,
        }
    ],
    "missing": ["lines.0.origin"],
    "gross_weight_grams": 900,
    "reference": "CN-2026-000123",
    "reason": "country of origin is missing",
    "handed_over": False,
    "outdated": False,
}  # fmt: skip


class DeclaredLineOut(BaseModel):
    """Units of one item, as customs are told of them."""

    sku: str = Field(description="the item's SKU")
    name: str = Field(description="as learners read it")
    quantity: int = Field(description="units in the parcel")
    unit_value_fen: int = Field(description="worth of a unit, fen")
    net_weight_grams: int = Field(description="of all units without packaging")
    hs_code: str | None = Field(description="of the Harmonized System")
    english_name: str | None = Field(description="what it is")
    origin: str | None = Field(description="where it was made (ISO 3166-1 alpha-2)")


class DeclaredOut(BaseModel):
    """The declaration of a parcel that goes abroad; it names nobody."""

    parcel: ParcelNumber
    country: str = Field(description="where it goes (ISO 3166-1 alpha-2)")
    standing: Standing = Field(description="draft, submitted, cleared or stopped")
    since: AwareDatetime = Field(description="when it came to that")
    age_seconds: int = Field(description="for how long it is that")
    warehouse: str = Field(description="where the parcel is")
    carrier: str | None = Field(description="whose number is on it")
    waybill: str | None = Field(description="that number")
    orders: list[OrderNumber] = Field(description="orders in it")
    lines: list[DeclaredLineOut] = Field(description="an item each")
    missing: list[str] = Field(description="fields that are to be filled in before it is submitted")
    gross_weight_grams: int = Field(description="of the parcel as it was weighed")
    reference: str = Field(description="of the declaration, or of its release; empty: none yet")
    reason: str = Field(description="why customs stopped it; else empty")
    handed_over: bool = Field(description="its carrier has it: customs stopped it on its way")
    outdated: bool = Field(description="something else is in the parcel than customs were told")


class DeclarationsOut(BaseModel):
    """Declarations of parcels that are in the house, or that customs stopped on their way."""

    model_config = example(declarations=[_DECLARED], next=None)
    declarations: list[DeclaredOut] = Field(description="the longest first")
    next: str | None = Field(description="cursor of the next page; null: there is none")


class DeclarationOut(DeclaredOut):
    """One declaration, and what can be done about it now."""

    model_config = example(
        **_DECLARED,
        actions={
            "hand_over": {
                "possible": False,
                "code": "not_cleared",
                "why": "declaration: customs have not cleared the parcel; …",
                "why_zh": "申报：海关尚未放行该包裹…",
            }
        },
    )
    actions: dict[str, CaseActionOut] = Field(
        description="complete, submit, clear, stop and hand_over: by the commands themselves (D6)"
    )


class DeclarationChangedOut(BaseModel):
    """What became of a parcel's declaration."""

    model_config = example(parcel=_PARCEL, standing="submitted", missing=[], position=42)
    parcel: ParcelNumber
    standing: Standing = Field(description="draft, submitted, cleared or stopped")
    missing: list[str] = Field(description="fields that are to be filled in before it is submitted")
    position: NewPosition


class TakenBackOut(BaseModel):
    """What a parcel goes by once a second number turned out not to be its own."""

    model_config = example(
        parcel=_PARCEL, taken_back="RR123456798JP", carrier="japanposten", waybill="RR123456789JP",
        state="customs", position=42,
    )  # fmt: skip
    parcel: ParcelNumber
    taken_back: str = Field(description="the number that counts no more")
    carrier: str | None = Field(description="who has it abroad now; null: nobody told")
    waybill: str | None = Field(description="its number there; null: nobody told")
    state: str = Field(description="where the parcel is by the scans of the numbers it has now")
    position: NewPosition


class CarriedOnOut(BaseModel):
    """Who has a parcel abroad."""

    model_config = example(
        parcel=_PARCEL, carrier="japanposten", waybill="RR123456789JP", state="customs", position=42
    )
    parcel: ParcelNumber
    carrier: str = Field(description="its code")
    waybill: str = Field(description="its number there")
    state: str = Field(description="where the parcel is by the scans of both numbers")
    position: NewPosition
