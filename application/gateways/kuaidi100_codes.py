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

CARRIERS: dict[str, str] = {
    "shunfeng": "顺丰速运",
    "shunfengkuaiyun": "顺丰快运",
    "shunfengtongcheng": "顺丰同城",
    "zhongtong": "中通快递",
    "zhongtongkuaiyun": "中通快运",
    "yuantong": "圆通速递",
    "shentong": "申通快递",
    "yunda": "韵达快递",
    "jtexpress": "极兔速递",
    "jd": "京东物流",
    "jingdongkuaiyun": "京东快运",
    "ems": "EMS",
    "youzhengguonei": "邮政快递包裹",
    "debangkuaidi": "德邦快递",
    "debangwuliu": "德邦物流",
    "huitongkuaidi": "百世快递",
    "baishiwuliu": "百世快运",
    "danniao": "菜鸟速递",
    "annengwuliu": "安能物流",
    "kuayue": "跨越速运",
    "zhaijisong": "宅急送",
    "fengwang": "丰网速运",
    "tiantian": "天天快递",
    "youshuwuliu": "优速快递",
    "sxjdfreight": "顺心捷达",
    "shansong": "闪送",
    "kfw": "快服务",
}
"""Their carrier codes (`com`) with the carriers' names. This house uses the same codes for every
source, so that a scan, a waybill and a correction name a carrier alike (1.7)."""

PHONE_TO_SUBSCRIBE = frozenset({"shunfeng", "shunfengkuaiyun"})
PHONE_TO_QUERY = PHONE_TO_SUBSCRIBE | {"zhongtong"}
"""Carriers they answer for only with a phone, or its last four digits (1.3, 1.5)."""


def kind_of(code: str | None) -> ScanKind | None:
    """What a state or node code hints at; None for none or an unknown one."""
    return STATES.get(code) if code is not None else None
