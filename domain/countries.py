"""国家 Countries and customs territories by their codes (ISO 3166-1), and what is abroad (T7)."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

HOME: Final = "CN"
"""Where the house is; nothing is declared on the way to an address there."""

TERRITORIES: Final = {
    "HK": "香港特别行政区", "MO": "澳门特别行政区", "TW": "台湾省",
}  # fmt: skip
"""Customs territories of their own whose addresses are divisions of the first level, too."""

_CODES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
    ZW
"""
COUNTRIES: Final = frozenset(_CODES.split())
"""Every officially assigned code."""


def _assigned(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("no_country", "is no country's code (ISO 3166-1 alpha-2)")
    return code


Country = Annotated[str, AfterValidator(_assigned), Field(description="ISO 3166-1 alpha-2")]

_NAMES: Final = {name: code for code, name in TERRITORIES.items()}


def country_of(region: str) -> str:
    """The country or customs territory that a region lies in.

    >>> country_of("浙江省"), country_of("香港特别行政区"), country_of("US")
    ('CN', 'HK', 'US')
    """
    return region if region in COUNTRIES else _NAMES.get(region, HOME)


def region_of(country: str, province: str) -> str:
    """What coverage and rates name a place by: its province at home, its country abroad.

    Hong Kong, Macao and Taiwan are named as the divisions that they are, like in rate cards.
    """
    return province if country == HOME else TERRITORIES.get(country, country)


def is_abroad(region: str) -> bool:
    """Whether a parcel to this region passes customs; "everywhere" never means such a region."""
    return country_of(region) != HOME
