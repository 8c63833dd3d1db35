"""The free words of a refusal in Chinese: reasons are written once, in English, and read here."""

import re

ACTIONS = {
    "ask": "申请",
    "ask_again": "再次申请退款",
    "cancel": "取消",
    "change_address": "修改地址",
    "close": "关账",
    "decide": "审批",
    "erase": "注销",
    "give_up": "退还缺货商品",
    "hand_over": "交运",
    "lift": "解除",
    "note_progress": "登记学习进度",
    "pack": "打包",
    "pay": "支付",
    "refund": "退款",
    "reship": "补发",
    "reveal": "查看",
    "settle_refund": "确认退款",
    "short_pick": "登记缺货",
    "wait": "等待到货",
}
THINGS = {
    "approval": "审批",
    "card": "收件信息",
    "item": "商品",
    "learner": "学员",
    "order": "订单",
    "parcel": "包裹",
    "recipient": "收件人",
    "report": "报表",
    "stream": "事件流",
    "webhook": "回调订阅",
}
STATES = {
    "pending_payment": "待支付",
    "pending_shipment": "待发货",
    "pending_receipt": "待收货",
    "pending_end": "已签收",
    "completed": "已完成",
    "cancelled": "已取消",
    "closed": "已关闭",
    "expired": "已过期",
    "given": "通过",
    "denied": "驳回",
    "frozen": "冻结",
    "erased": "注销",
}
REASONS = {
    r"the order is (\w+)": "订单{0}",
    r"the order has no parcel part (\S+)": "订单没有第 {0} 个包裹部分",
    r"orders are under way: (.+)": "仍有进行中的订单:{0}",
    r"the recipient was erased": "收件人信息已删除",
    r"the order has no recipient": "订单没有收件人",
    r"part (\S+) is in parcel (\S+)": "第 {0} 部分已装入包裹 {1}",
    r"part (\S+) is not packed": "第 {0} 部分尚未打包",
    r"part (\S+) is (\w+)": "第 {0} 部分{1}",
    r"(\S+): (\S+) of (\S+) units are open to it": "{0}:要求 {2} 件,其中 {1} 件可以",
    r"an unpaid order is cancelled as a whole": "未支付的订单只能整单取消",
    r"no refund (\S+) was requested": "没有申请过退款 {0}",
    r"the refund (\S+) has arrived": "退款 {0} 已到账",
    r"part (\S+) waits for stock": "第 {0} 部分正在等待到货",
    r"(\S+) are planned: nothing is missing": "计划 {0} 件,没有缺货",
    r"nothing is missing from the order": "订单没有缺货",
    r"the missing units are waited for already": "已选择等待到货",
    r"an order has at most (\S+) parts": "一个订单最多 {0} 个部分",
    r"(\S+): the time to return the course is over": "{0}:课程退款期限已过",
    r"(\S+): (\S+) % of the course are done, (\S+) % are too much": "{0}:已学 {1}%,达 {2}% 不可退",
    r"nothing of it can be sent once more": "没有可以补发的商品",
    r"the order has no course (\S+)": "订单没有课程 {0}",
    r"the course (\S+) was not granted yet": "课程 {0} 尚未开通",
    r"nothing is held for (\S+)": "{0} 没有冻结的积分",
    r"the plan was made for another province": "配送方案是按另一省份安排的",
    r"the parcel has no waybill": "包裹没有运单号",
    r"the parcel was unpacked": "包裹已拆开",
    r"the parcel is with the carrier": "包裹已交给承运商",
    r"no hold is there for (.+)": "没有针对 {0} 的保留",
    r"(\S+) is not over": "{0} 尚未结束",
    r"this was asked for and is (\w+)": "该申请已提出,状态:{0}",
    r"nobody asked for this": "没有人提出过该申请",
    r"it was (\w+) already": "已{0}",
    r"name at least one unit of each": "每种商品至少一件",
    r"name at least one unit": "至少一件商品",
    r"name at least one item": "至少一种商品",
    r"at least 1": "至少为 1",
    r"named twice": "重复",
    r"(\S+) is not a province's full name": "{0} 不是省份全称",
    r"seats of (\S+) are not counted": "{0} 的席位不限量",
    r"is over when the grant happens": "早于发放时间",
    r"must not be zero": "不能为零",
    r"no fact that is told is named (\S+)": "没有名为 {0} 的可订阅事件",
    r"holds NUL or half of a surrogate pair": "含有空字符或不完整的代理对",
    r"an object names a field twice": "同一对象中字段重复",
    r"give a card or an order": "请给出收件信息或订单",
    r"not a log position": "不是日志位置",
    r"not one of ours": "不是本服务给出的",
    r"give it or known_at, not both": "不能与 known_at 同时给出",
    r"is no day": "不是日期",
    r"not a status of an order": "不是订单状态",
    r"only services may say when": "仅服务可以指定时间",
    r"a phone number goes into the body of a POST": "完整手机号须用 POST 放在请求体中",
    r"goes together with amount_fen": "须与 amount_fen 一起给出",
    r"is later than the export": "晚于导出位置",
    r"is between 0 and 500": "应在 0 到 500 之间",
    r"this header is needed": "缺少该请求头",
    r"only https is called": "只支持 https",
    r"the URL cannot be read": "网址无法解析",
    r"the URL has characters that do not belong there, or too many": "网址含有非法字符或过长",
    r"the URL names no host": "网址没有主机名",
    r"the URL carries a user name": "网址不能带用户名",
    r"the URL has a fragment": "网址不能带片段",
    r"the port belongs to another service": "该端口属于其他服务",
    r"the address is not a public one": "不是公网地址",
    r"the host is a number in disguise": "主机名是变相的数字地址",
    r"the name only exists inside": "该域名只在内网存在",
    r"sockets of this machine are not called": "不能是本机的套接字",
}
"""English reason, as a pattern over the whole text, and its Chinese."""


def thing_zh(name: str) -> str:
    """What was not found."""
    return THINGS.get(name, name)


def action_zh(name: str) -> str:
    """What was not possible."""
    return ACTIONS.get(name, name)


def reason_zh(text: str) -> str:
    """A reason in Chinese; one that nobody translated stays as it is."""
    for pattern, chinese in REASONS.items():
        if found := re.fullmatch(pattern, text):
            return chinese.format(*(STATES.get(one, one) for one in found.groups()))
    return text
