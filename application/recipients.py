"""收件人 Who gets a parcel and where: a card's content, and what it is found by (O2, A4)."""

import hmac
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from application.cleaning import (
    Unusable,
    clean_address,
    clean_name,
    clean_postcode,
    clean_region,
    normalise_phone,
)
from application.masking import mask_address, mask_name, mask_numbers, mask_phone
from application.vault import phone_digest, phone_tail_digest
from domain.addresses import Place, canonical_compound, canonical_name, canonical_place
from domain.countries import HOME, TERRITORIES, region_of


class Digests(NamedTuple):
    """What a recipient's card is found by: keyed hashes, 32 bytes each (A4, O7)."""

    phone: bytes
    tail: bytes
    place: bytes
    """The same for one physical address, whoever lives there and however it is written."""


def name_digest(lookup_key: bytes, name: str) -> bytes:
    """What a recipient is looked up by who says their whole name: 32 bytes, HMAC-SHA256 (A4)."""
    return hmac.digest(lookup_key, b"name\x00" + canonical_name(name).encode(), "sha256")


def compound_digest(lookup_key: bytes, place: Place) -> bytes | None:
    """What a compound or a house is known by: 32 bytes, HMAC-SHA256; None: there is none (A4)."""
    compound = canonical_compound(place)
    if compound is None:
        return None
    return hmac.digest(lookup_key, b"compound\x00" + compound.encode(), "sha256")


class Recipient(BaseModel):
    """Who gets the parcel and where: the content of a recipient's card (O2, A4).

    Made from people's words by `cleaned`. Neither `repr` nor a validation error shows content.
    """

    # Cards stay for ever: one that was written by a later version has to be readable, too.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    name: str = Field(repr=False)
    phone: str = Field(repr=False, description="E.164")
    province: str | None = None
    city: str | None = None
    district: str | None = None
    address: str = Field(repr=False, description="street, house and room")
    division: str | None = Field(
        default=None, description="code of the smallest division that is settled"
    )
    country: str = Field(
        default=HOME, exclude_if=lambda code: code == HOME, description="ISO 3166-1 alpha-2"
    )
    postcode: str | None = Field(default=None, repr=False)
    raw: dict[str, str] | None = Field(
        default=None, repr=False, description="fields as they were written, where cleaning changed"
    )

    @classmethod
    def cleaned(
        cls,
        *,
        name: str,
        phone: str,
        address: str,
        province: str | None = None,
        city: str | None = None,
        district: str | None = None,
        country: str = HOME,
        postcode: str | None = None,
    ) -> "Recipient":
        """A recipient from words as people write them; what they wrote is kept in `raw` (M4).

        Abroad nothing can be read from a list of divisions: the city is asked for (T7). Raises
        `Unusable`, a `ValueError` that names the field and the reason in two languages.
        """
        written = {
            "name": name,
            "phone": phone,
            "province": province,
            "city": city,
            "district": district,
            "address": address,
            "postcode": postcode,
        }
        clean: dict[str, Any] = {
            "name": clean_name(name),
            "phone": normalise_phone(phone, country=country),
            "province": clean_region(province, field="province"),
            "city": clean_region(city, field="city"),
            "district": clean_region(district, field="district"),
            "address": clean_address(address),
            "postcode": clean_postcode(postcode),
        }
        if clean["city"] is None and country not in {HOME, *TERRITORIES}:
            raise Unusable("city", reason="missing")
        raw = {
            part: text
            for part, text in written.items()
            if text and text != clean[part] and f"+86{text}" != clean[part]
        }
        return cls(**clean, country=country, raw=raw or None)

    @property
    def region(self) -> str:
        """What coverage and rates name the place by; empty: its province is not settled."""
        return region_of(self.country, self.province or "")

    def digests(self, lookup_key: bytes) -> Digests:
        """What the card is found by: the phone, its last four digits, and the address."""
        digits = [character for character in self.phone if character.isdecimal()]
        place = canonical_place(self).encode()
        if self.country != HOME:
            place = self.country.encode() + b"|" + place
        return Digests(
            phone=phone_digest(lookup_key, self.phone),
            tail=phone_tail_digest(lookup_key, "".join(digits[-4:])),
            place=hmac.digest(lookup_key, b"place\x00" + place, "sha256"),
        )

    def to_bytes(self) -> bytes:
        """The card's content, JSON in UTF-8."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Recipient":
        """Read what `to_bytes` wrote. Raises pydantic's `ValidationError` for anything else."""
        return cls.model_validate_json(content)

    def on_whole_label(self) -> "Recipient":
        """As a label names them whose carrier knows no address: the phone alone hidden (W5)."""
        return self.model_copy(update={"phone": mask_phone(self.phone), "raw": None})

    def masked(self) -> "Recipient":
        """The recipient as screens show it: name, phone and house hidden, raw text left out (A4).

        Country, province, city and district stay, but for numbers somebody wrote into them; a
        postcode goes, because abroad it may be one of a single house.
        """
        address = self.address
        if len(self.name) > 1:
            address = address.replace(self.name, mask_name(self.name))
        return Recipient(
            name=mask_name(self.name),
            phone=mask_phone(self.phone),
            province=self.province and mask_numbers(self.province),
            city=self.city and mask_numbers(self.city),
            district=self.district and mask_numbers(self.district),
            address=mask_address(address),
            division=self.division,
            country=self.country,
        )
