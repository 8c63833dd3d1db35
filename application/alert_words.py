"""提醒文字 The words of what is told to staff, Chinese and English, for each kind of trouble (N1).

A line names what is stuck by numbers of the house alone. What people typed, learners' ids and
subscribers' addresses are on the page, for whoever may see them.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from application.delays import INQUIRED
from application.sealed_words import Message

Language = Literal["zh", "en"]
_BOTH = re.compile(r"(?P<zh>.*[\u3400-\u9fff])\s+(?P<en>[A-Za-z].*)")

KINDS: Mapping[str, Message] = {
    "parked_event": Message("搁置的事件", "Parked events"),
    "drift": Message("与日志不一致的行", "Rows that differ from the log"),
    "missed_target": Message("未达标的指标", "Targets missed"),
    "late_policy": Message("延误的策略", "Late policies"),
    "dead_job": Message("失败的任务", "Dead jobs"),
    "partner_away": Message("合作方无应答", "Partners that do not answer"),
    "webhook": Message("回调订阅", "Webhooks"),
    "robot_refused": Message("企业微信机器人", "WeChat Work robot"),
    "signals_closed": Message("声网推送", "Agora signaling"),
    "cash_refund": Message("现金退款", "Cash refunds"),
    "standing_wave": Message("未完成的波次", "Waves that do not close"),
    "warehouse_load": Message("仓库繁忙", "Busy warehouses"),
    "late_order": Message("逾期未发的订单", "Promised by now and not sent"),
    "late_parcel": Message("超时未出库", "Late in their warehouse"),
    "put_back_late": Message("超时未归位", "Not put back in time"),
    "third_party": Message("第三方仓", "Third parties' warehouses"),
    "stock_difference": Message("盘点差异", "Counted otherwise than booked"),
    "waiting_declaration": Message("报关久未放行", "Declarations that wait"),
    "label": Message("面单异常", "Labels in trouble"),
    "uncompared_bill": Message("未能对账的账单", "Bills not compared"),
    "unreadable_push": Message("无法解析的推送", "Unreadable pushes"),
    "unclaimed_push": Message("未知运单的推送", "Pushes of unknown waybills"),
    "unwatched_parcel": Message("无物流跟踪的包裹", "Parcels without tracking"),
    "shared_waybill": Message("一单号多包裹", "One number on several parcels"),
    "delayed_parcel": Message("停滞或延误的包裹", "Silent or delayed parcels"),
    "contradicted_receipt": Message("未经查询证实的签收", "Receipts that a query contradicts"),
    "waiting_return": Message("退换货待处理", "Returns that wait"),
    "overdue_case": Message("争议逾期未裁决", "Overdue cases"),
    "claim_window": Message("理赔期限将至", "Claims to be filed soon"),
    "delivered_claim": Message("索赔后又签收", "Delivered after it was claimed"),
    "arrived_after_all": Message("赔付后又签收", "Delivered after it was made good"),
    "approval": Message("待第二人审批", "Waiting for a second person"),
}  # fmt: skip
"""Every kind, the gravest first: in this order they are told."""

LINES: Mapping[str, Message] = {
    "parked_event": Message("视图 {view} · 位置 {position}", "view {view} · position {position}"),
    "drift": Message("{place}", "{place}"),
    "missed_target": Message("{whose} · {target}", "{whose} · {target}"),
    "late_policy": Message("{policy} · {waiting} 件等待", "{policy} · {waiting} waiting"),
    "dead_job": Message("{task} #{job} · 已试 {attempts} 次", "{task} #{job} · {attempts} tries"),
    "partner_away": Message("{partner}", "{partner}"),
    "webhook": Message("{webhook}", "{webhook}"),
    "robot_refused": Message("", ""),
    "signals_closed": Message("不接受我们的应用或令牌", "does not take our app or token"),
    "cash_refund": Message("订单 {order} · {amount_fen}", "order {order} · {amount_fen}"),
    "standing_wave": Message("{warehouse} · {wave}", "{warehouse} · {wave}"),
    "warehouse_load": Message(
        "{warehouse} · 待发 {waiting}，日处理 {capacity}",
        "{warehouse} · {waiting} wait, {capacity} a day",
    ),
    "late_order": Message("{order} · {stages}", "{order} · {stages}"),
    "late_parcel": Message("{parcel} · {warehouse}", "{parcel} · {warehouse}"),
    "put_back_late": Message("{parcel} · {warehouse}", "{parcel} · {warehouse}"),
    "third_party": Message("{parcel} · {warehouse}", "{parcel} · {warehouse}"),
    "stock_difference": Message(
        "{warehouse} · {name} · 实盘 {counted}，账面 {expected}",
        "{warehouse} · {name} · {counted} counted, {expected} booked",
    ),
    "waiting_declaration": Message("{parcel} · {standing}", "{parcel} · {standing}"),
    "label": Message("{parcel} · {label}", "{parcel} · {label}"),
    "uncompared_bill": Message("{bill}", "{bill}"),
    "unreadable_push": Message("{parcel} · {pushes} 条", "{parcel} · {pushes} pushes"),
    "unclaimed_push": Message("{partner} · {waybills} 个运单", "{partner} · {waybills} waybills"),
    "unwatched_parcel": Message("{parcel}", "{parcel}"),
    "shared_waybill": Message("{parcel}", "{parcel}"),
    "delayed_parcel": Message("{parcel} · {causes}", "{parcel} · {causes}"),
    "contradicted_receipt": Message("{parcel}", "{parcel}"),
    "waiting_return": Message("{back}", "{back}"),
    "overdue_case": Message("{case}", "{case}"),
    "claim_window": Message("{parcel}", "{parcel}"),
    "delivered_claim": Message("{parcel}", "{parcel}"),
    "arrived_after_all": Message("{parcel}", "{parcel}"),
    "approval": Message("{approval}", "{approval}"),
}  # fmt: skip
"""What a line says, of figures that name nobody."""

VALUES: Mapping[str, Mapping[str, Message]] = {
    "causes": {
        "no_first_scan": Message("交寄后无揽收", "no first scan"),
        "no_movement": Message("久无动静", "no movement"),
        "customs_stall": Message("清关停滞", "held in customs"),
        "not_collected": Message("逾期未取件", "not picked up in time"),
        "eta_passed": Message("超过预计时间", "past its window"),
        "ping_pong": Message("来回转运", "to and fro"),
        "returned": Message("已转退回", "turned back"),
        "lost": Message("承运商报遗失", "lost by its carrier"),
        "pickup_ending": Message("取件期将尽", "pick-up ends soon"),
    },
    "stages": {
        "in_review": Message("待审核", "in review"),
        "waiting_for_stock": Message("缺货", "short of stock"),
        "waiting_for_wave": Message("待波次放行", "waits for a wave"),
        "released": Message("待拣货", "to be picked"),
        "in_parcel": Message("待交运", "to be handed over"),
        "at_third_party": Message("在第三方仓", "at a third party"),
        "address_pending": Message("新地址待确认", "new address not acknowledged"),
    },
    "standing": {
        "draft": Message("待申报", "to be declared"),
        "submitted": Message("待海关放行", "waits for customs"),
        "stopped": Message("被海关拦下", "stopped by customs"),
    },
    "target": {
        "answers_within_200_ms": Message("99% 在 200 毫秒内应答", "99 % within 200 ms"),
        "errors": Message("错误率不超过 0.1%", "errors below 0.1 %"),
        "sync_lag_seconds": Message("同步延迟不超过 5 秒", "sync lag below 5 s"),
    },
}
POLICIES: Mapping[str, Message] = {
    "cancel_unpaid_orders": Message("取消未付款订单", "cancelling unpaid orders"),
    "complete_orders": Message("完成服务期已满的订单", "completing orders"),
    "tell_not_sent": Message(
        "告知学员：逾期未发", "telling learners: not sent by the promised time"
    ),
    "settle_promises": Message("补偿晚到订单的积分", "points for late orders"),
    "expire_lots": Message("积分到期", "expiring points"),
    "expire_orders": Message("隐藏过期订单", "hiding old orders"),
    "send_what_waited": Message("到货补发", "sending what waited for stock"),
    "ask_refunds_again": Message("重试现金退款", "asking for cash refunds again"),
    "time_out_questions": Message("结束逾期未答的提问", "ending unanswered questions"),
    "note_overdue_cases": Message("记录逾期的争议", "noting overdue cases"),
    "time_out_inquiries": Message("结束逾期的查件", "ending unanswered inquiries"),
    "lapse_returns": Message("退货逾期失效", "lapsing returns"),
    "want_labels": Message("申请面单", "asking for waybills"),
    "note_turned_back": Message("记录退回的包裹", "noting parcels that come back"),
    "note_intercepted": Message("记录拦截结果", "noting how interceptions ended"),
    "time_out_intercepts": Message("结束逾期的拦截", "ending unanswered interceptions"),
    "consign_parcels": Message("交第三方仓发货", "asking third parties to send"),
    "follow_third_parties": Message("执行第三方仓回报", "doing what third parties told"),
    "screen_orders": Message("自动审核订单", "screening orders"),
    **{
        f"tell_{cause}": Message(f"告知学员：{one.zh}", f"telling learners: {one.en}")
        for cause, one in VALUES["causes"].items()
    },
    **{
        f"inquire_{cause}": Message(f"向承运商查件：{one.zh}", f"asking carriers: {one.en}")
        for cause, one in VALUES["causes"].items()
        if cause in INQUIRED
    },
}
"""What each policy does: a late one is told by it, as nobody knows its code by heart."""
PARTNERS: Mapping[str, Message] = {
    "tallypost": Message("本系统", "our API"),
    "kuaidi100": Message("快递100", "Kuaidi100"),
    "kuaidi100_labels": Message("快递100 面单", "Kuaidi100 labels"),
    "sf": Message("顺丰", "SF Express"),
    "payment": Message("支付平台", "payment provider"),
    "agora": Message("声网", "Agora"),
    "wecom": Message("企业微信", "WeChat Work"),
}
"""Whom calls go to, and we ourselves; others by their short names."""

PHRASES: Mapping[str, Message] = {
    "top": Message("### 积分商城 {mall}", "### Points mall {mall}"),
    "fresh": Message(
        '<font color="warning">新问题 {n} 项</font>', '<font color="warning">New: {n}</font>'
    ),
    "older": Message(
        '<font color="comment">仍未解决 {n} 项</font>',
        '<font color="comment">Still there: {n}</font>',
    ),
    "solved": Message(
        '<font color="info">已解决 {n} 项</font>', '<font color="info">Solved: {n}</font>'
    ),
    "more": Message("另有 {n} 项", "and {n} more"),
    "link": Message("[打开待处理]({page})", "[Open what waits]({page})"),
    "days": Message("{n} 天", "{n} d"),
    "hours": Message("{n} 小时", "{n} h"),
    "minutes": Message("{n} 分钟", "{n} min"),
    "test": Message("测试消息：机器人可用", "A test: the robot is reached"),
}


def phrase(name: str, language: Language, **values: object) -> str:
    """One of the phrases around the lines."""
    return said(PHRASES[name], language).format(**values)


def kind_words(kind: str, language: Language) -> str:
    """What a kind of trouble is called."""
    return said(KINDS[kind], language)


def line_of(kind: str, about: Mapping[str, Any], language: Language) -> str:
    """What is stuck, in one line."""
    words = {name: _word(name, value, language) for name, value in about.items()}
    if "warehouse_name" in words:
        words["warehouse"] = in_one(words["warehouse_name"], language)
    return said(LINES[kind], language).format(**words)


def said(words: Message, language: Language) -> str:
    """Words in one of the two languages."""
    return words.zh if language == "zh" else words.en


def in_one(name: str, language: Language) -> str:
    """The half of a name like "河南仓 Henan" that is in a language; all of it where it is one."""
    both = _BOTH.fullmatch(name)
    return name if both is None else both["zh" if language == "zh" else "en"]


def _word(name: str, value: object, language: Language) -> str:
    if name.endswith("_fen") and isinstance(value, int):
        return f"¥{value / 100:,.2f}"
    if name == "place":  # a row: its table's name is enough, its key may be a learner's id
        return str(value).partition(",")[0]
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(
            _word(name, one, language) for one in value
        )
    named = {"partner": PARTNERS, "whose": PARTNERS, "policy": POLICIES}.get(
        name, VALUES.get(name, {})
    )
    known = named.get(str(value))
    return str(value) if known is None else said(known, language)
