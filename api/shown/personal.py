"""What readers get of people, and of what carriers wrote, for the API's description (A4)."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import EventPosition, OrderNumber, ParcelNumber, example
from domain.countries import HOME


class RecipientOut(BaseModel):
    """Who gets the parcels, and where."""

    name: str = Field(description="of the person")
    phone: str = Field(description="E.164; masked, at most its last four digits")
    province: str | None = Field(default=None, description="its full name")
    city: str | None = Field(default=None, description="city or prefecture")
    district: str | None = Field(default=None, description="district or county")
    address: str = Field(description="street, house and room; masked, what stands before them")
    division: str | None = Field(
        default=None, description="code (GB/T 2260) of the smallest division that is settled"
    )
    country: str = Field(default=HOME, description="ISO 3166-1 alpha-2")
    postcode: str | None = Field(default=None, description="unmasked alone")


class RecipientSeenOut(BaseModel):
    """An order's recipient, masked (A4)."""

    model_config = example(
        order="T261103A1B2C3D4E5F6",
        recipient={
            "name": "林**",
            "phone": "1******0000",
            "province": "浙江省",
            "city": "杭州市",
            "district": "西湖区",
            "address": "文三路***",
        },
    )
    order: OrderNumber
    recipient: RecipientOut
    minor: bool | None = Field(
        default=None, description="for staff: to see it unmasked, a second person is asked first"
    )


class PayloadOut(BaseModel):
    """One push of a carrier, sealed as it came."""

    card: str | None = Field(description="id of its card; null where nothing could be kept")
    digest: str | None = Field(description="salted SHA-256, as the log has it; null: of before")
    source: str = Field(description="who pushed it", examples=["kuaidi100.push"])
    read: bool = Field(description="false: it could not be understood")
    scans: int = Field(description="scans that were recorded from it")
    position: EventPosition
    recorded_at: AwareDatetime = Field(description="when it was taken in")
    kept: str = Field(description="sealed; deleted (its time was over); or erased")
    bytes: int | None = Field(description="how long it is, while it is kept")


class PayloadsOut(BaseModel):
    """What carriers pushed about a parcel, without what is in it (rules.md 30)."""

    model_config = example(
        parcel="T261103A1B2C3D4E5F6-P1",
        payloads=[
            {
                "card": "0123456789abcdef0123456789abcdef",
                "digest": "9f" * 32,
                "source": "kuaidi100.push",
                "read": True,
                "scans": 2,
                "position": 42,
                "recorded_at": "2026-11-03T02:14:08.120931Z",
                "kept": "sealed",
                "bytes": 812,
            }
        ],
    )
    parcel: ParcelNumber
    payloads: list[PayloadOut] = Field(description="oldest first")
