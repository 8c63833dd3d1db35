"""Names and phones are taken out of what carriers write before it is recorded (rules.md 30)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.blotting import blot
from domain.scans import classify, normalise_text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("派件人: 张三 派件中 派件员电话13800138000", "派件人:*派件中派件员电话*"),
        (
            "派件中 派件人: 王小明 电话 13912345678 如有疑问，请联系：0571-88886666",
            "派件中派件人:*电话*如有疑问,请联系:*",
        ),
        (
            "快件交给李四，正在派送途中（联系电话：138 0013 8000）",
            "快件交给*,正在派送途中(联系电话:*)",
        ),
        ("请您准备签收(派件人:欧阳娜娜,电话:138-0013-8000)", "请您准备签收(派件人:*,电话:*)"),
        ("客户 签收人: 张三 已签收  感谢使用", "客户签收人:*已签收感谢使用"),
        ("客户 签收人: John Smith", "客户签收人:*"),
        ("签收人是：门卫王师傅", "签收人是:门卫*"),
        ("签收人：张三家人", "签收人:*家人"),
        ("签收人：李女士代收", "签收人:*代收"),
        ("快件被快递员李雷取出，请等待快递员与您联系", "快件被快递员*取出,请等待快递员与您联系"),
        (
            "【北京公司】的【刘洋】正在派件,扫描员是【韩梅梅】",
            "【北京公司】的【*】正在派件,扫描员是【*】",
        ),
        (
            "【苏州市】 【常熟】 的陈小春（13800138000） 正在第1次派件",
            "【苏州市】【常熟】的*(*)正在第1次派件",
        ),
        ("如有问题请电联业务员：张三【13800138000】", "如有问题请电联业务员:*【*】"),
        ("投递员姓名：王五;联系电话：62345678", "投递员姓名:*;联系电话:*"),
        ("揽投员姓名：买买提·阿卜杜拉,联系电话:(0991)1234567", "揽投员姓名:*,联系电话:*"),
        ("派件员张三正在为您派件", "派件员*正在为您派件"),
        ("收件人张三拒收", "收件人*拒收"),
        ("您的快件已由王建国签收", "您的快件已由*签收"),
        ("联系人王经理", "联系人*"),
        ("取件人: 赵云 (+86 13800138000)", "取件人:*(*)"),
        ("联系 138****8000", "联系*"),
        ("他人代收:王五 13911112222", "他人代收:**"),
        ("本人签收：张三", "本人签收:*"),
        ("快件已由 李四 签收", "快件已由*签收"),
        ("已被王五代收", "已被*代收"),
        ("已被客户王五拒收", "已被客户*拒收"),
        ("客户李复核要求改派", "客户*要求改派"),
        ("已通知收件人李复核自提", "已通知收件人*自提"),
        ("已由【李复核】代签收", "已由【*】代签收"),
        ("请联系张美丽电话13800138000", "请联系*电话*"),
        ("(李先生的妻子陈芳)", "(*先生的妻子*)"),
        ("客户石女士已取走", "客户*女士已取走"),
        ("业务员 张三丰 正在派件", "业务员*正在派件"),
        (
            "收件人 王五 要求改派至 北京市朝阳区建国路 88 号 3 单元 502",
            "收件人*要求改派至北京市朝阳区建国路*",
        ),
    ],
)
def test_people_are_blotted_out_when_a_carrier_names_them(text: str, left: str) -> None:
    """A4: couriers and signers, mobile and fixed numbers, masked ones, too (rules.md 30)."""
    assert blot(normalise_text(text)) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("他人代收: 王五 13911112222", "他人代收: * *"),
        ("快件已由 李四 签收", "快件已由 * 签收"),
        ("业务员 张三丰 派件", "业务员 * 派件"),
        ("改派至 建国路 88 号 3 单元 502", "改派至 建国路 *"),
    ],
)
def test_people_are_blotted_out_of_words_as_they_came(text: str, left: str) -> None:
    """A4: a partner's refusal is told as it is written, with its blanks (rules.md 30)."""
    assert blot(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "客户签收人: 本人签收 已签收",
        "投递并签收，签收人：他人收 草签",
        "签收人: 家人",
        "签收人：前台",
        "签收人:菜鸟驿站西湖店",
        "快件已签收，签收人是【丰巢智能柜】",
        "客户 签收人: 邮件收发章 已签收",
        "已签收，签收人凭取货码签收。",
        "您的快递已签收, 签收人在【丰巢智能快递柜】领取。",
        "已签收,签收人是: 转EMS1074321870550",
        "快件已由南通崇川*菜鸟驿站代收，请及时取件",
        "快递员正在派件",
        "由【丰巢】代收",
        "由【本人】签收",
        "客户向快递员要求改约",
        "收件人自提",
        "联系客户方便时派送",
        "快递员安排投递",
        "收件人不在",
        "收件人拒收",
        "取件码12345678,请凭取件码1-2-3001",
        "客服电话95338,投诉请拨打400-820-8820",
        "新单号为13800138000",
        "单号YT1234567890123已揽收",
        "已与收方客户约定新派送时间 201806301010,待派送",
        "快件在【北京中转部】由【市内274】扫描发往【北京双桥公司】",
        "已被他人代收",
        "已被丰巢智能柜代收",
        "他人代收:门卫",
        "家人代收:丰巢柜",
        "快件已由 物业 签收",
        "由张家港公司签收",
        "收件人要求改派",
        "收件人申请改派至杭州驿站",
        "建国路88号3单元502菜鸟驿站",
        "快件到达宁波(0574)，上一站是宁波分拨中心扫描员是**",
    ],
)
def test_a_text_stays_when_it_names_nobody(text: str) -> None:
    """T8: generic signers, lockers, codes, hot lines and numbers of parcels are no persons."""
    normal = normalise_text(text)
    assert blot(normal) == normal


PIECES = st.sampled_from(
    (
        "派件人",
        "快递员",
        "签收人",
        "签收人是",
        ":",
        "张三",
        "李",
        "本人",
        "门卫",
        "13800138000",
        "电话",
        "0571-88886666",
        "已签收",
        "派件中",
        "【",
        "】",
        "(",
        ")",
        "*",
        "的",
        "由",
        "驿站",
        ",",
        "单号",
        "取件码",
        "123456",
        "姓名",
        "Smith",
        "交给",
        "代收",
        "退回",
        "发往",
        " ",
        "被",
        "客户",
        "代收:",
        "要求",
        "88号",
        "3单元",
        "502",
    )
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_text_is_as_it_was_when_blotted_twice(text: str) -> None:
    """T2: sources that repeat a scan repeat its identity; no mobile number is ever left."""
    once = blot(normalise_text(text))
    assert blot(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "派件人:张三派件中电话13800138000",
        "签收人:张三已签收",
        "快件被快递员李雷取出",
        "收件人张三拒收",
    ],
)
def test_the_meaning_stays_when_the_names_go(text: str) -> None:
    """T1: what a scan says does not hang on whom it names."""
    assert classify(blot(text)) == classify(text)
