"""收件地址 A recipient's place, settled where it comes in against the official divisions (M4, O1).

Fields are filled from the text where it settles them, official names take the place of short and
former ones, and the address keeps what comes after them. What was written stays in `raw`.
"""

from typing import Any, NamedTuple

from application.divisions import address_reader
from application.recipients import Recipient
from domain.address_doubts import Doubt, for_review, name_looks_made_up, phone_looks_made_up
from domain.address_reading import Fields, Reading
from domain.countries import HOME, TERRITORIES, country_of
from domain.destinations import Destination

_TEXT_STAYS = frozenset({Doubt.CONTRADICTION, Doubt.AMBIGUOUS, Doubt.UNKNOWN_DIVISION})
"""Whoever looks at such an address has to see what was written."""


class Addressed(NamedTuple):
    """A recipient whose place was read, and what is doubtful about it."""

    recipient: Recipient
    doubts: tuple[str, ...] = ()
    """Codes of the reasons for which a human should look first (O7)."""
    candidates: tuple[str, ...] = ()
    """Places that can be meant, where the words don't settle it."""


def addressed(recipient: Recipient) -> Addressed:
    """The recipient with province, city and district as far as they are settled.

    A province that is not settled is None: it is asked for. City and district that no division
    is named by stay as they were written, and are doubted. Abroad there is nothing to read by.
    """
    if recipient.country in TERRITORIES:
        return _in_territory(recipient)
    if recipient.country != HOME:
        doubts = _of_person(recipient)
        return Addressed(recipient, for_review(doubts))
    found = _read(recipient)
    # Whoever names Hong Kong as the province sends to its customs territory all the same (T7).
    country = country_of(found.recipient.province or "")
    if country == HOME:
        return found
    return _in_territory(recipient.model_copy(update={"country": country}))


def destination_of(recipient: Recipient, *, card: str) -> Destination:
    """Where parcels go, as far as it names nobody; the person is on the card (A4)."""
    return Destination(
        card=card,
        province=recipient.province or "",
        city=recipient.city or "",
        district=recipient.district or "",
        division=recipient.division,
        country=recipient.country,
    )


def _in_territory(recipient: Recipient) -> Addressed:
    """An address in Hong Kong, Macao or Taiwan: what lies in them no list of ours knows."""
    name = TERRITORIES[recipient.country]
    found = _read(recipient.model_copy(update={"province": recipient.province or name}))
    doubts = tuple([one for one in found.doubts if one != Doubt.UNKNOWN_DIVISION])
    if found.recipient.province == name:
        return Addressed(found.recipient, doubts)
    settled = recipient.model_copy(update={"province": name})
    return Addressed(settled, tuple(dict.fromkeys((*doubts, Doubt.CONTRADICTION.value))))


def _of_person(recipient: Recipient) -> tuple[Doubt, ...]:
    doubts: tuple[Doubt, ...] = ()
    if name_looks_made_up(recipient.name):
        doubts = (*doubts, Doubt.NAME)
    if phone_looks_made_up(recipient.phone):
        doubts = (*doubts, Doubt.PHONE)
    return doubts


def _read(recipient: Recipient) -> Addressed:
    province, city, district = recipient.province, recipient.city, recipient.district
    fields = Fields(province or "", city or "", district or "")
    reading = address_reader().read(recipient.address, fields)
    doubts = (*reading.doubts, *_of_person(recipient))
    division = reading.division.code if reading.division else None
    if reading.names == fields and reading.detail == recipient.address:
        settled = recipient.model_copy(update={"division": division})
    else:
        settled = recipient.model_copy(
            update={**_settled(recipient, reading), "division": division}
        )
    if not doubts:
        return Addressed(settled)
    return Addressed(settled, for_review(doubts), candidates_of(reading))


class Said(NamedTuple):
    """A place that somebody may mean, as far as they say it."""

    province: str
    city: str
    district: str
    address: str


def places_meant(text: str) -> list[Said]:
    """The places that an address can mean which names its district, however roughly; else none."""
    reading = address_reader().read(text)
    detail = reading.detail
    if reading.county is not None:
        return [Said(*reading.names, detail)]
    return [
        Said(province.name, (city or province).name, county.name, detail)
        for province, city, county in reading.candidates
        if county is not None
    ]


def candidates_of(reading: Reading) -> tuple[str, ...]:
    """The places that can be meant, in words."""
    return tuple(["".join([part.name for part in chain if part]) for chain in reading.candidates])


def _settled(recipient: Recipient, reading: Reading) -> dict[str, Any]:
    """The fields that differ from what was written, and what was written there."""
    province, city, district = reading.names
    place: dict[str, Any] = {
        "province": province or None,
        "city": city or _kept(recipient.city, reading),
        "district": district or _kept(recipient.district, reading),
    }
    if reading.detail and _TEXT_STAYS.isdisjoint(reading.doubts):
        place["address"] = reading.detail
    raw = {
        part: written
        for part, text in place.items()
        if (written := getattr(recipient, part)) and written != text
    }
    if raw:
        # What came in is older than what cleaning made of it.
        place["raw"] = raw | (recipient.raw or {})
    return place


def _kept(written: str | None, reading: Reading) -> str | None:
    """What a caller wrote and nobody understood; 市辖区 and the like say nothing."""
    return None if _TEXT_STAYS.isdisjoint(reading.doubts) else written
