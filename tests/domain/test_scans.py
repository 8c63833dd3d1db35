"""What one scan means: its words, and what codes may add to them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scans import Scan, ScanKind, classify, normalise_text, read_pickup, read_words


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("卖家已下单，等待揽收", ScanKind.ORDERED),
        ("【某某菜鸟驿站】 已揽收", ScanKind.PICKED_UP),
        ("顺丰速运 已收取快件", ScanKind.PICKED_UP),
        ("派件中 请放心收寄快递", ScanKind.OUT_FOR_DELIVERY),
        ("到【青岛转运中心】", ScanKind.ARRIVED),
        ("【青岛转运中心】，正发往【广州番禺转运中心】", ScanKind.DEPARTED),
        ("离开中转邮政中心，发往北京", ScanKind.DEPARTED),
        ("快件到达 【韩国首尔(仁川)口岸】", ScanKind.ARRIVED),
        ("快件清关中，等待海关查验", ScanKind.CUSTOMS),
        ("清关完成", ScanKind.CUSTOMS_CLEARED),
        ("正在派送途中,请您准备签收(派件人:*)", ScanKind.OUT_FOR_DELIVERY),
        ("安排投递，预计14:30:00前投递（投递员姓名：*）", ScanKind.OUT_FOR_DELIVERY),
        ("正送往驿站", ScanKind.OUT_FOR_DELIVERY),
        ("快件派送不成功(已与收方客户约定新派送时间 ),待再次派送", ScanKind.FAILED_ATTEMPT),
        ("已与收方客户约定新派送时间 201806301010,待派送", ScanKind.RESCHEDULED),
        ("快件已送达【丰巢智能快递柜】, 如有问题请电联", ScanKind.AWAITING_PICKUP),
        ("快件已由某某路门店代收，请及时取件", ScanKind.AWAITING_PICKUP),
        ("请凭取件码12-3-4567到西湖菜鸟驿站领取", ScanKind.AWAITING_PICKUP),
        ("仍在【自提柜】未取，超期将退回", ScanKind.AWAITING_PICKUP),
        ("快件已签收，签收人是【丰巢智能柜】", ScanKind.AWAITING_PICKUP),
        ("快件被快递员*取出，请等待快递员与您联系", ScanKind.TAKEN_BACK),
        ("已签收，签收人凭取货码签收。", ScanKind.PICKUP_CONFIRMED),
        ("您的快递已签收, 签收人在【丰巢智能快递柜】领取。", ScanKind.PICKUP_CONFIRMED),
        ("您的快件已从【西湖驿站】出库", ScanKind.PICKUP_CONFIRMED),
        ("快件已被 代签收。", ScanKind.SIGNED),
        ("已签收，他人代收", ScanKind.SIGNED),
        ("投递并签收，签收人：他人收 草签", ScanKind.SIGNED),
        ("派件异常后签收", ScanKind.SIGNED),
        ("已签收,签收人是: 转EMS*", ScanKind.HANDED_ON),
        ("快件已转寄，新单号为SF1234567890123", ScanKind.FORWARDED),
        ("收件人拒收", ScanKind.REFUSED),
        ("客户拒收，快件退回中", ScanKind.RETURNING),
        ("退回件已签收", ScanKind.RETURNED),
        ("快件在运输途中丢失", ScanKind.LOST),
        ("订单已取消", ScanKind.CANCELLED),
        ("快件滞留，地址不详", ScanKind.PROBLEM),
        ("感谢您的支持", ScanKind.UNKNOWN),
    ],
)
def test_words_decide_when_no_code_is_given(text: str, kind: ScanKind) -> None:
    """T1: the same meanings for every carrier's phrases."""
    assert classify(text) is kind


@pytest.mark.parametrize(
    ("text", "hint", "kind"),
    [
        ("已签收,签收人是: 转EMS*", ScanKind.SIGNED, ScanKind.HANDED_ON),
        ("正在派送", ScanKind.IN_TRANSIT, ScanKind.OUT_FOR_DELIVERY),
        ("已签收", ScanKind.IN_TRANSIT, ScanKind.SIGNED),
        ("快件派送不成功", ScanKind.SIGNED, ScanKind.FAILED_ATTEMPT),
        ("已签收，本人签收", ScanKind.AWAITING_PICKUP, ScanKind.SIGNED),
        ("快件到达【杭州】", ScanKind.SIGNED, ScanKind.ARRIVED),
    ],
)
def test_words_win_when_a_code_contradicts_them(text: str, hint: ScanKind, kind: ScanKind) -> None:
    """T2, rules.md 21: text beats a code that contradicts it."""
    assert classify(text, hint=hint) is kind


@pytest.mark.parametrize(
    ("text", "hint", "kind"),
    [
        ("已签收", ScanKind.AWAITING_PICKUP, ScanKind.AWAITING_PICKUP),
        ("已签收", ScanKind.RETURNED, ScanKind.RETURNED),
        ("快件到达【杭州】", ScanKind.RETURNING, ScanKind.RETURNING),
        ("感谢您的支持", ScanKind.CUSTOMS, ScanKind.CUSTOMS),
    ],
)
def test_codes_refine_when_words_leave_it_open(text: str, hint: ScanKind, kind: ScanKind) -> None:
    """T2, rules.md 22: 304 behind a bare 已签收 is a locker."""
    assert classify(text, hint=hint) is kind


def test_status_name_decides_when_neither_words_nor_code_do() -> None:
    """T1: many real pushes have no statusCode."""
    assert classify("*", status_name="投柜或驿站") is ScanKind.AWAITING_PICKUP
    assert classify("*", status_name="派件") is ScanKind.OUT_FOR_DELIVERY


def test_texts_are_one_when_only_spelling_differs() -> None:
    """T2, rules.md 21: the same scan comes in several spellings."""
    assert normalise_text(" 到【青岛】，\u200b签收人：A\u3000B ") == "到【青岛】,签收人:A B"
    assert normalise_text("客户 签收人: * 已签收  感谢") == normalise_text(
        "客户签收人：*已签收 感谢"
    )
    assert normalise_text("a\x00b\ud800c") == "abc"


@given(st.text())
def test_text_stays_when_normalised_again(text: str) -> None:
    """T2: identities never drift."""
    once = normalise_text(text)
    assert normalise_text(once) == once
    once.encode()
    assert classify(text) in ScanKind


def test_nothing_is_read_when_there_are_no_words() -> None:
    """T1: an empty text says nothing."""
    assert read_words("") is ScanKind.UNKNOWN


@pytest.mark.parametrize(
    ("text", "station", "code"),
    [
        ("快件已暂存至文三路菜鸟驿站,取件码 5-2-1107", "文三路菜鸟驿站", "5-2-1107"),
        (
            "已暂存在菜鸟驿站【文三路店】，请凭取件码3-1-2201领取",
            "菜鸟驿站【文三路店】",
            "3-1-2201",
        ),
        ("您的快件已送至兔喜生活超市，请及时取件", "兔喜生活超市", None),
        ("投递至妈妈驿站文三路店,凭货号3-4-5566取件", "妈妈驿站文三路店", "3-4-5566"),
        ("已到达菜鸟驿站（文三路店），取件号：A-12-3", "菜鸟驿站(文三路店)", "A-12-3"),
        ("请凭取件码12-3-4567到西湖菜鸟驿站领取", "西湖菜鸟驿站", "12-3-4567"),
        ("快件仍在GZ*格格货栈【自提柜】未取,请及时取件。", "GZ*格格货栈【自提柜】", None),
        ("快件存放在文三路菜鸟驿站代收点，请及时领取", "文三路菜鸟驿站代收点", None),
        ("快件已送达【丰巢智能快递柜】,如有问题请电联(*)", "丰巢智能快递柜", None),
        ("快件已由济南历城区*西门店代收,请及时取件", "济南历城区*西门店", None),
        ("已存放至菜鸟驿站13812345678", "菜鸟驿站", None),
        ("投递员从代收点取回再投", None, None),
        ("您的快件已签收，签收人凭取货码签收。", None, None),
    ],
)
def test_station_and_code_are_read_when_the_text_gives_them(
    text: str, station: str | None, code: str | None
) -> None:
    """T8: with the station's own name, and nothing that is no name of a station."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    normal = normalise_text(text)
    said = read_pickup(Scan("1", at, normal, "yuantong", classify(normal)))
    assert (said.station, said.code) == (station, code)
