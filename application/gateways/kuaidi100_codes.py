"""快递100's tables: its parcel states, and its carriers' codes (wire/carriers.md 1.4, 1.7).

快递鸟 uses look-alike numbers with other meanings: never read its codes with this table.
"""

from domain.scans import ScanKind

STATES: dict[str, ScanKind] = {
    "0": ScanKind.IN_TRANSIT,
    "1001": ScanKind.ARRIVED,
    "1002": ScanKind.IN_TRANSIT,
    "1003": ScanKind.IN_TRANSIT,
    "1": ScanKind.PICKED_UP,
    "101": ScanKind.ORDERED,
    "102": ScanKind.ORDERED,
    "103": ScanKind.PICKED_UP,
    "2": ScanKind.PROBLEM,
    "201": ScanKind.PROBLEM,
    "202": ScanKind.PROBLEM,
    "203": ScanKind.REFUSED,
    "204": ScanKind.FAILED_ATTEMPT,
    "205": ScanKind.AWAITING_PICKUP,
    "206": ScanKind.FAILED_ATTEMPT,
    "207": ScanKind.PROBLEM,
    "208": ScanKind.PROBLEM,
    "209": ScanKind.PROBLEM,
    "210": ScanKind.CANCELLED,
    "3": ScanKind.SIGNED,
    "301": ScanKind.SIGNED,
    "302": ScanKind.SIGNED,
    "303": ScanKind.SIGNED,
    # They count a locker as signed; this house does not (rules.md 22).
    "304": ScanKind.AWAITING_PICKUP,
    "4": ScanKind.RETURNED,
    "401": ScanKind.CANCELLED,
    "5": ScanKind.OUT_FOR_DELIVERY,
    "501": ScanKind.AWAITING_PICKUP,
    "6": ScanKind.RETURNING,
    "7": ScanKind.FORWARDED,
    "8": ScanKind.CUSTOMS,
    "10": ScanKind.CUSTOMS,
    "11": ScanKind.CUSTOMS,
    "12": ScanKind.CUSTOMS_CLEARED,
    "13": ScanKind.CUSTOMS,
    "14": ScanKind.REFUSED,
}
"""Basic and advanced states. By exact look-up: 10-13 are no kind of 1, 14 is no kind of 4."""

_COM_OF_CARRIER = {
    "SF": "shunfeng",
    "SF_FREIGHT": "shunfengkuaiyun",
    "SF_CITY": "shunfengtongcheng",
    "ZTO": "zhongtong",
    "ZTO_FREIGHT": "zhongtongkuaiyun",
    "YTO": "yuantong",
    "STO": "shentong",
    "YUNDA": "yunda",
    "JT": "jtexpress",
    "JD": "jd",
    "JD_FREIGHT": "jingdongkuaiyun",
    "EMS": "ems",
    "POST": "youzhengguonei",
    "DEPPON": "debangkuaidi",
    "DEPPON_FREIGHT": "debangwuliu",
    "HTKY": "huitongkuaidi",
    "BEST_FREIGHT": "baishiwuliu",
    "DANNIAO": "danniao",
    "ANNENG": "annengwuliu",
    "KYE": "kuayue",
    "ZJS": "zhaijisong",
    "FENGWANG": "fengwang",
    "TTKDEX": "tiantian",
    "UC": "youshuwuliu",
    "SXJD": "sxjdfreight",
    "SHANSONG": "shansong",
    "KFW": "kfw",
}
_CARRIER_OF_COM = {com: carrier for carrier, com in _COM_OF_CARRIER.items()}

PHONE_TO_SUBSCRIBE = frozenset({"SF", "SF_FREIGHT"})
PHONE_TO_QUERY = PHONE_TO_SUBSCRIBE | {"ZTO"}
"""Carriers they answer for only with a phone, or its last four digits (1.3, 1.5)."""


def com_of(carrier: str) -> str:
    """Their code for one of our carriers; a carrier without one goes by its lower-case name."""
    return _COM_OF_CARRIER.get(carrier, carrier.lower())


def carrier_of(com: str) -> str:
    """Our name for their code; one that the table lacks keeps their name, never fails."""
    return _CARRIER_OF_COM.get(com.lower(), com.lower())


def kind_of(code: str | None) -> ScanKind | None:
    """What a state or node code hints at; None for none or an unknown one."""
    return STATES.get(code) if code is not None else None
