"""扫描 One scan of a parcel: what its words mean, whoever carries it (T1, rules.md 21, 22).

Chinese carriers agree on no codes, and their codes lag behind their words (wire/carriers.md 1.3),
so the words decide and a code only refines or fills in.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Carriers write Beijing time without a zone (wire/carriers.md, general traps)."""
AHEAD_AT_MOST: Final = timedelta(hours=6)
"""Clocks differ, and carriers abroad write their own time: New Zealand's is five hours ahead."""
ScanIdentity = tuple[str, datetime, str]
"""Number, time as its source wrote it, and normalised text."""


class ScanKind(StrEnum):
    """What a scan says, the same for all carriers; listed in the order of a parcel's life."""

    UNKNOWN = "unknown"
    ORDERED = "ordered"
    CANCELLED = "cancelled"
    PICKED_UP = "picked_up"
    ARRIVED = "arrived"
    DEPARTED = "departed"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    CUSTOMS_CLEARED = "customs_cleared"
    OUT_FOR_DELIVERY = "out_for_delivery"
    PROBLEM = "problem"
    FAILED_ATTEMPT = "failed_attempt"
    RESCHEDULED = "rescheduled"
    TAKEN_BACK = "taken_back"
    """The courier took it out of the locker again; the recipient has nothing."""
    AWAITING_PICKUP = "awaiting_pickup"
    """In a locker or at a station, which is not receipt (rules.md 22)."""
    REFUSED = "refused"
    PICKUP_CONFIRMED = "pickup_confirmed"
    SIGNED = "signed"
    HANDED_ON = "handed_on"
    """Another carrier has it now, even where the words begin with 已签收 (rules.md 21)."""
    FORWARDED = "forwarded"
    """It goes on to another address, usually under a new number."""
    RETURNING = "returning"
    RETURNED = "returned"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A point on the map in degrees, as the source gives it."""

    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One line of a parcel's tracking. Its identity is (number, time, text) (rules.md 21)."""

    number: str
    time: datetime
    text: str
    """As `normalise_text` leaves it."""
    carrier: str
    """Its code, the same whatever the source (`shunfeng`): corrections void scans by it."""
    kind: ScanKind
    division: str | None = None
    """Six-digit GB/T 2260 code of the place."""
    coordinates: Coordinates | None = None
    status: str | None = None
    code: str | None = None
    """The source's own status name and code, kept as evidence."""
    dated: datetime | None = None
    """What its source wrote for a time, where that was far ahead of the telling (T6)."""

    @property
    def written(self) -> datetime:
        """The time that its source wrote."""
        return self.dated or self.time

    @property
    def identity(self) -> ScanIdentity:
        """Two scans with the same identity are one scan told twice."""
        return (self.number, self.written, self.text)

    def as_told(self, at: datetime) -> "Scan":
        """It as of when it was told: nobody can have seen the parcel later than that (T6)."""
        if self.time <= at + AHEAD_AT_MOST:
            return self
        return replace(self, time=at, dated=self.time)


@dataclass(frozen=True, slots=True)
class PickupNotice:
    """What a locker or station says about collecting a parcel; None where it says nothing (T8)."""

    station: str | None = None
    code: str | None = None
    deadline: datetime | None = None


_RANK = {kind: rank for rank, kind in enumerate(ScanKind)}


def chronological(scan: Scan) -> tuple[datetime, int, tuple[str, ...]]:
    """Sort key of scans: by time, within one second by the order of a parcel's life."""
    return (scan.time, _RANK[scan.kind], (scan.text, scan.number, scan.carrier))


def _how_well_informed(scan: Scan) -> tuple[Any, ...]:
    """A total order on tellings of one scan, so that the choice needs no order of arrival.

    One that was told once its time had come counts for more than what was told ahead of it.
    """
    return (
        scan.dated is None,
        -scan.time.timestamp(),
        scan.division is not None,
        scan.coordinates is not None,
        scan.code is not None,
        scan.status is not None,
        scan.code or "",
        scan.status or "",
        scan.division or "",
        _RANK[scan.kind],
        repr(scan.coordinates),
        scan.carrier,
    )


def best_tellings(scans: Iterable[Scan], *, by_carrier: bool) -> Iterable[Scan]:
    """Each scan once, in its best informed telling; `by_carrier`: once for each carrier."""
    best: dict[tuple[object, ...], Scan] = {}
    for scan in scans:
        key = (*scan.identity, scan.carrier if by_carrier else None)
        known = best.get(key)
        if known is None or _how_well_informed(scan) > _how_well_informed(known):
            best[key] = scan
    return best.values()


# --- words ---------------------------------------------------------------------------------

_DROPPED = {"Cc", "Cf", "Cs"}
_GAP_BESIDE_CJK = re.compile(r"\s+(?=[^0-9A-Za-z])|(?<=[^0-9A-Za-z])\s+")


def normalise_text(text: str) -> str:
    """The one spelling of a text that sources write in several (rules.md 21); idempotent.

    Full-width forms and compatibility characters fold (NFKC), invisible characters and lone
    surrogates go (PostgreSQL stores neither), and blanks stay only between Latin words: sources
    disagree on blanks between Chinese words and even between two answers of one API.
    """
    before = None
    while text != before:  # each further turn only shortens, so this ends
        before = text
        kept = "".join(
            " " if char.isspace() else char
            for char in text
            if char.isspace() or unicodedata.category(char) not in _DROPPED
        )
        text = _GAP_BESIDE_CJK.sub("", unicodedata.normalize("NFKC", kept)).strip()
        text = re.sub(r"\s+", " ", text)
    return text


_CARRIER = (
    r"(?:EMS|邮政|邮局|顺丰|中通|圆通|申通|韵达|百世|极兔|京东|德邦|天天|宅急送|跨越|安能|丹鸟)"
)
_LOCKER = (
    r"(?:丰巢|蜂巢|柜|驿站|自提|代收点|代办点|货栈|兔喜|妈妈店|速递易|近邻宝|便利店|合作点"
    r"|取[件货]码|提货码|取件)"
)
_HOUSEHOLD = r"(?:家人|家属|门卫|保安|物业|前台|同事|邻居|他人|收发室|传达室|单位)"
_COLLECTED = (
    r"签收人在.{0,20}领取|已领取|(?:已|被).{0,12}取[走出]|取件成功|取件完成|完成取件|已自提"
    r"|自提成功|已提取|驿?站.{0,4}已?出库|凭[取提][件货]码签收"
)
_NOT_YET = r"(?<!将)(?<!将被)(?<!会)(?<!会被)(?<!取消)(?<!如需)(?<!申请)"

# First match wins, so the order is the argument: what undoes a delivery stands before 签收, and
# what only mentions one ("请您准备签收", "派送不成功") before the plain words.
_WORDS: tuple[tuple[ScanKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            ScanKind.HANDED_ON,
            rf"签收人(?:是)?:?转|(?<!中)转(?:由|交|给|至)?{_CARRIER}|转第三方|转同行|(?<!中)转邮(?!局?编)",
        ),
        (ScanKind.FORWARDED, rf"转寄|新单号|改寄|转单|转投(?!.*{_LOCKER})"),
        (
            ScanKind.RETURNED,
            r"退签|退[回件货].{0,12}(?<!未)(?<!拒绝)签收|签收人(?:是)?:?(?:寄|发)件人"
            r"|已退[回还](?:给)?(?:寄件|发件|商家|卖家|客户)",
        ),
        (ScanKind.TAKEN_BACK, r"快递员.{0,12}取出|业务员.{0,12}取出|取消派件.*取出"),
        (
            ScanKind.RETURNING,
            rf"{_NOT_YET}退回(?!网点|站点|营业)|{_NOT_YET}(?:退件|退货|退往)|返回寄件|原[件路]返回",
        ),
        (ScanKind.REFUSED, r"拒收|拒签|拒绝[签接]?收"),
        (
            ScanKind.FAILED_ATTEMPT,
            r"(?:派[送件]|投递|配送)(?:不成功|失败|未成功)|未[能]?妥投|(?:派[送件])异常(?!后签收)"
            r"|无法联系|联系不上|无人接听|(?:收件人|收方|客户)不在",
        ),
        (
            ScanKind.RESCHEDULED,
            r"约定.{0,4}派送|改约|预约.{0,6}派送|改日派送|择日派送"
            r"|^(?!.*(?:签收|妥投|已送达|正在))"
            r".*(?:约定|预约)[^,。;\d]{0,10}\d[^,。;]{3,28}(?:派[送件]|配送|送[货达])",
        ),
        (ScanKind.LOST, r"(?<!如有)(?<!若)(?<!防止)(?:丢失|遗失|灭失)"),
        (ScanKind.CANCELLED, r"销单|取消寄件|订单已?取消|取消订单|取消揽收"),
        (ScanKind.PROBLEM, r"揽[收件货]失败|收件失败"),
        (ScanKind.ORDERED, r"已下单|(?:等待.{0,6}|待)揽[收件]|已接单|包装完成|寄方准备|仓库处理"),
        (ScanKind.PICKED_UP, r"揽收|已揽件|已收件|收取快件|揽件成功|已收寄|收寄成功|上门取件"),
        (ScanKind.OUT_FOR_DELIVERY, r"正在?.{0,8}(?:送往|派[往送件])(?!.*签收人)"),
        (ScanKind.PICKUP_CONFIRMED, rf"{_LOCKER}.*(?:{_COLLECTED})|{_COLLECTED}"),
        (ScanKind.SIGNED, rf"{_HOUSEHOLD}代(?:签)?收"),
        (
            ScanKind.AWAITING_PICKUP,
            rf"{_LOCKER}.*(?:代收|取[件走]|领取|未取|自提|存[放入]|签收|妥投)"
            rf"|(?:放入|存[放入]|送[达至到]|到达|已到|投[递放]|妥投|派[件送]至|签收|暂存).*{_LOCKER}"
            r"|代收.*取件|^(?!.*签收).*代收|投柜|入柜|到站待取",
        ),
        (
            ScanKind.SIGNED,
            r"(?<!未)(?<!待)(?<!准备)(?<!注意)(?<!及时)(?<!以便)签收|代签|妥投"
            r"|已送达(?!.{0,20}(?:网点|营业|中心|分[部拨]|公司))",
        ),
        (
            ScanKind.OUT_FOR_DELIVERY,
            r"派[件送]中|派[送件]途中|派[件送]员|派件人|安排(?:投递|派[送件])|投递员|配送中|正在配送"
            r"|开始派[送件]|外出投递|正在投递",
        ),
        (ScanKind.CUSTOMS_CLEARED, r"(?:清关|通关)(?:完成|完毕|结束|成功)|(?<!未)已清关|放行|结关"),
        (ScanKind.CUSTOMS, r"清关|海关|报关|查验|检疫|扣件|补税"),
        (ScanKind.PROBLEM, r"滞留|破损|超区|地址不详|问题件|疑难|延误|超时"),
        (
            ScanKind.DEPARTED,
            r"(?<!准备)(?<!即将)发往|已?发出|离开|装车|发车|装[袋包]|打包|起飞|封车",
        ),
        (ScanKind.ARRIVED, r"到达|已收入|^到【|抵达|落地|到件|卸车|入库"),
        (ScanKind.IN_TRANSIT, r"运输|在途|干线|转运|中转|转递"),
        (ScanKind.OUT_FOR_DELIVERY, r"^派件$"),
    )
)

_RECIPIENT_HERSELF = re.compile(rf"本人|{_COLLECTED}")
_MOVING = frozenset({ScanKind.ARRIVED, ScanKind.DEPARTED, ScanKind.IN_TRANSIT})
# What a code may add to words that leave it open: 304 to a bare 已签收, 4 and 7 likewise; 6 to a
# movement, because scans on the way back read like any other journey.
_REFINES = {
    ScanKind.SIGNED: frozenset(
        {ScanKind.AWAITING_PICKUP, ScanKind.RETURNED, ScanKind.FORWARDED, ScanKind.PICKUP_CONFIRMED}
    ),
    **dict.fromkeys(_MOVING, frozenset({ScanKind.RETURNING})),
}


def read_words(text: str) -> ScanKind:
    """The meaning of a normalised text alone; `UNKNOWN` where the words say nothing."""
    return next((kind for kind, words in _WORDS if words.search(text)), ScanKind.UNKNOWN)


def classify(
    text: str, *, status_name: str | None = None, hint: ScanKind | None = None
) -> ScanKind:
    """The meaning of a scan: its words, then the code's `hint`, then the status name.

    `hint` is what the gateway's own table makes of the source's code (look-alike codes mean
    other things elsewhere, wire/carriers.md 1.4). Words beat a code that contradicts them
    (rules.md 21); a code may only refine what they leave open: 304 makes a bare 已签收 wait in a
    locker (rules.md 22). Total: what nobody knows is `UNKNOWN`.
    """
    normal = normalise_text(text)
    spoken = read_words(normal)
    named = read_words(normalise_text(status_name)) if status_name else ScanKind.UNKNOWN
    told = hint if hint not in (None, ScanKind.UNKNOWN) else named
    if spoken is ScanKind.UNKNOWN:
        return told
    if told in _REFINES.get(spoken, ()) and not _RECIPIENT_HERSELF.search(normal):
        return told
    return spoken


# --- what else a text gives --------------------------------------------------------------------

_SIGNER = re.compile(r"签收人(?:是)?:?(.+?)(?:[,。;!]|(?<!^)已签收|签收网点|感谢|如有|$)")
_PLACE = r"(?:驿站|货栈|超市|便利店|妈妈店|[代自][收办提]点|近邻宝|速递易|兔喜|丰巢|蜂巢|柜)"
_STATION = (
    # Put, sent or brought to a place whose own name may go on after what kind of place it is.
    re.compile(
        r"(?:存放?|放|送|投[递放]|派[送件]|妥投|到|仍)[达入]?[至到在于]?(?![员出])"
        rf"([^,。;!:【】()或从]{{0,20}}?{_PLACE}(?:[^,。;!:【】()或\d]|\d{{1,3}}(?!\d)){{0,12}}?"
        r"(?:【[^】]{0,20}[店站点柜号]】|\([^)]{0,20}[店站点柜号]\))?)"
        r"(?=[,。;!:【(]|$|\d{5}|请|凭|取|领|未|等候|等待|待|保管|代(?![收办]点))"
    ),
    re.compile(rf"【([^】]*{_LOCKER}[^】]*)】"),
    re.compile(r"由(?:【)?([^,。]+?)(?:】)?代(?:签)?收"),
    re.compile(
        r"(?:到达|送达|送至|放入|存放在?|投递到|存[放入]|仍在)([^,。【】]+?(?:驿站|柜|点|店|货栈))"
    ),
    re.compile(r"^([^,。【】]{2,30}?(?:驿站|柜|代收点|货栈))已"),
)
_PICKUP_CODE = re.compile(
    r"(?:[取提][件货][码号]|货号|凭码?)(?:为|是)?[:\[【]?([0-9A-Z][0-9A-Z-]{2,15})"
)
_DEADLINE = re.compile(
    r"(?:(\d{4})[-年/.])?(\d{1,2})[-月/.](\d{1,2})日?\s?(?:(\d{1,2}):(\d{2})(?::\d{2})?)?(?:之?前|截止)"
)
_WITHIN = re.compile(r"(\d{1,3})(?:个)?(小时|天|日)(?:之?内)")
_ONWARD_NUMBER = re.compile(
    rf"单号(?:为|是)?:?([0-9A-Z]{{8,32}})|转(?:由|交|给|至)?{_CARRIER}[^0-9A-Z]{{0,6}}([0-9A-Z]{{8,32}})"
)
_ONWARD_CARRIER = re.compile(rf"(?<!中)转(?:由|交|给|至)?({_CARRIER})")


def read_signer(scan: Scan) -> str | None:
    """Who signed, in the carrier's words (T8); may name a person, so it belongs in the vault."""
    found = _SIGNER.search(scan.text)
    words = found.group(1).strip() if found else ""
    hidden = not words.strip("* ") or words.startswith(("凭", "在", "已签收"))
    return None if hidden else words


def read_pickup(scan: Scan) -> PickupNotice:
    """Station, code and deadline as far as the scan's text gives them (T8, rules.md 22)."""
    station = next((found.group(1) for rule in _STATION if (found := rule.search(scan.text))), None)
    code = _PICKUP_CODE.search(scan.text)
    return PickupNotice(
        station=station.strip(" *") or None if station else None,
        code=code.group(1) if code else None,
        deadline=_read_deadline(scan),
    )


def _read_deadline(scan: Scan) -> datetime | None:
    if within := _WITHIN.search(scan.text):
        amount = int(within.group(1))
        return scan.time + (
            timedelta(hours=amount) if within.group(2) == "小时" else timedelta(days=amount)
        )
    found = _DEADLINE.search(scan.text)
    if not found:
        return None
    written = scan.time.astimezone(BEIJING)
    year, month, day, hour, minute = found.groups()
    try:
        # A day without an hour lasts until its end; a date without a year is the next such date.
        deadline = datetime(
            int(year or written.year),
            int(month),
            int(day),
            int(hour or 23),
            int(minute or 59),
            tzinfo=BEIJING,
        )
        if not year and deadline < written:
            deadline = deadline.replace(year=deadline.year + 1)
    except ValueError:  # 30 February, or 25:70: the carrier wrote nonsense, so it gave no date
        return None
    return deadline.astimezone(scan.time.tzinfo)


def read_onward(scan: Scan) -> tuple[str | None, str | None]:
    """Carrier (in its Chinese name) and number under which the parcel goes on, where given."""
    carrier = _ONWARD_CARRIER.search(scan.text)
    number = _ONWARD_NUMBER.search(scan.text)
    return (
        carrier.group(1) if carrier else None,
        (number.group(1) or number.group(2)) if number else None,
    )
