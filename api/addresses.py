"""地址 What an address is understood as, and the divisions to choose from (M4, O1).

For whoever fills in a form: nothing that is sent here is kept or logged.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import Asked, Caller, Role, allow, store_of
from api.bodies import Body
from api.changing import answered
from api.reading import json_answer, with_etag
from api.shown.fields import example
from application.cleaning import clean_address, clean_region
from application.country_names import country_name
from application.divisions import address_reader
from application.planning import planner_for
from application.streams import MALL, NETWORK, RATES
from application.unit import Unit
from domain.address_doubts import HARMLESS, WORDS, Doubt
from domain.address_reading import Fields, Reading
from domain.divisions import Chain, Division
from domain.refusals import NotFound

router = APIRouter(prefix="/v1/addresses", tags=["orders"])

Writer = Annotated[
    Caller,
    allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR),
]
Region = Annotated[str, Field(max_length=40)]


class AddressIn(Body):
    """An address as somebody wrote it; fields count more than the text."""

    model_config = example(address="杭州西湖区文三路 1 号 2 单元 301")
    address: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="all of it, or what comes after the fields"
    )
    province: Region | None = Field(default=None, description="if it is known, by any name")
    city: Region | None = Field(default=None, description="city or prefecture, by any name")
    district: Region | None = Field(default=None, description="district or county, by any name")


class DivisionOut(BaseModel):
    """A province, city or district."""

    code: str = Field(description="GB/T 2260, six digits", examples=["330106"])
    name: str = Field(description="in full", examples=["西湖区"])


class DividedOut(DivisionOut):
    """A division to choose, and whether it is divided further."""

    divided: bool = Field(description="whether there are others below it to choose from")


class DivisionsOut(BaseModel):
    """What a division is divided into."""

    model_config = example(divisions=[{"code": "330106", "name": "西湖区", "divided": False}])
    divisions: list[DividedOut] = Field(description="by code")


class PlaceOut(BaseModel):
    """A place as a label says it; what is not settled, or what it doesn't have, is empty."""

    province: str = Field(description="its full name")
    city: str = Field(description="city or prefecture; a municipality is its own city")
    district: str = Field(description="district or county")


class DoubtOut(BaseModel):
    """Why the address is doubtful."""

    code: str = Field(description="stable, for programs", examples=["address_incomplete"])
    message: str = Field(description="in English")
    message_zh: str = Field(description="in Chinese")
    review: bool = Field(description="whether staff would look at an order with it first")


class CountryOut(BaseModel):
    """A country or customs territory."""

    code: str = Field(description="ISO 3166-1 alpha-2")
    name: str = Field(description="in English")
    name_zh: str = Field(description="in Chinese")
    warehouses: list[str] = Field(description="codes of those that send there, each by a rate card")


class CountriesOut(BaseModel):
    """Where the mall sends anything, apart from home."""

    model_config = example(
        countries=[
            {
                "code": "HK",
                "name": "Hong Kong SAR China",
                "name_zh": "中国香港特别行政区",
                "warehouses": ["zhejiang"],
            }
        ]
    )
    countries: list[CountryOut] = Field(description="in the order of their codes")


class UnderstoodOut(PlaceOut):
    """What an address is understood as: nothing is guessed."""

    model_config = example(
        province="浙江省",
        city="杭州市",
        district="西湖区",
        division="330106",
        detail="文三路 1 号 2 单元 301",
        doubts=[],
        candidates=[],
    )
    division: str | None = Field(description="code of the smallest division that is settled")
    detail: str = Field(description="street, house and room")
    doubts: list[DoubtOut] = Field(description="what is missing, unclear or contradicts itself")
    candidates: list[PlaceOut] = Field(description="places that can be meant, where several can")


@router.get(
    "/divisions",
    response_model=DivisionsOut,
    responses={304: {"description": "The caller has them already (`If-None-Match`)"}},
    summary="Provinces, or what a province or city is divided into",
)
async def divisions(
    request: Request,
    caller: Writer,
    of: Annotated[
        str | None,
        Query(
            pattern=r"^\d{6}$",
            description="Code of the province or city that is divided; without it the provinces.",
        ),
    ] = None,
) -> Response:
    """Official divisions; a municipality has districts at once, 东莞市 has none (M4)."""
    known = address_reader().divisions
    if of is None:
        found = known.provinces()
    elif (divided := known.by_code.get(of)) is not None:
        found = known.below(divided)
    else:
        raise NotFound(what="division")
    shown = [
        {"code": one.code, "name": one.name, "divided": bool(known.below(one))} for one in found
    ]
    return with_etag(request, {"divisions": sorted(shown, key=lambda one: str(one["code"]))})


@router.get(
    "/countries", response_model=CountriesOut, summary="Where the mall sends anything, but home"
)
async def countries(request: Request, caller: Writer) -> Response:
    """Those that a warehouse serves and, where rate cards are, one goes to from there (T7)."""
    rules = request.state.tenant.rules

    def answer(unit: Unit) -> dict[str, Any]:
        served = planner_for(unit, rules=rules).countries()
        return {
            "countries": [
                {
                    "code": one,
                    "name": country_name(one, "en"),
                    "name_zh": country_name(one, "zh"),
                    "warehouses": codes,
                }
                for one, codes in sorted(served.items())
            ]
        }

    question = Asked(request, caller, "countries", b"").question(
        answer, streams=[NETWORK.stream(MALL), RATES.stream(MALL)]
    )
    return answered(await store_of(request).execute(question))


@router.post(
    "/parsed", response_model=UnderstoodOut, summary="What an address would be understood as"
)
async def parsed(request: Request, caller: Writer, body: AddressIn) -> Response:
    """A question, which changes nothing, needs no key and is not kept (M4, A4)."""
    fields = (
        clean_region(getattr(body, name), field=name) or ""
        for name in ("province", "city", "district")
    )
    reading = address_reader().read(clean_address(body.address), Fields(*fields))
    return json_answer(_shown(reading))


def _shown(reading: Reading) -> dict[str, object]:
    division = reading.division
    return {
        **_place(reading.names),
        "division": division.code if division else None,
        "detail": reading.detail,
        "doubts": [doubt_told(doubt) for doubt in reading.doubts],
        "candidates": [_place(_names(chain)) for chain in reading.candidates],
    }


def doubt_told(doubt: Doubt) -> dict[str, object]:
    """A doubt about an address, as its readers get it."""
    return {
        "code": doubt.value,
        "message": WORDS[doubt].en,
        "message_zh": WORDS[doubt].zh,
        "review": doubt not in HARMLESS,
    }


def _place(names: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("province", "city", "district"), names, strict=True))


def _names(chain: Chain) -> tuple[str, str, str]:
    city = chain.city or (chain.province if chain.province.is_municipality else None)
    return _name(chain.province), _name(city), _name(chain.county)


def _name(division: Division | None) -> str:
    return division.name if division else ""
