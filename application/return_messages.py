"""退货答复 What a learner is told when a return is over, unless staff write it themselves (D6)."""

from application.sealed_words import Message
from domain.return_facts import Remedy

REFUNDED = Message(
    "退货已验收，{refunded} 积分已原路退回。",
    "We inspected what came back and refunded {refunded} points to where they came from.",
)
ONLY_REFUNDED = Message(
    "退款申请已通过，{refunded} 积分已原路退回，商品无需寄回。",
    "We refunded {refunded} points to where they came from; you keep the goods.",
)
EXCHANGED = Message(
    "退货已验收，换货订单号 {replacement}，不收取积分。",
    "We inspected what came back and send the same as order {replacement}, at no points.",
)
NOTHING = Message(
    "退货未通过验收，商品将寄回给您。",
    "What came back does not meet the criteria; it is on its way to you again.",
)
AND_KEPT = Message(
    "已扣除退货运费 {kept} 积分。", " {kept} points of it paid for the return freight."
)
AND_PAID = Message(
    "已从您的账户扣除退货运费 {kept} 积分。",
    " {kept} points of your balance paid for the return freight.",
)
AND_REFUSED = Message(
    "其中 {refused} 件未通过验收，将寄回给您。",
    " {refused} of the units do not meet the criteria and are on their way to you again.",
)
REJECTED = Message(
    "很抱歉，您的仅退款申请未通过。您可以寄回商品申请退货退款。",
    "We could not agree to a refund without the goods. You can send them back for one.",
)


def message_for(
    remedy: Remedy, *, refunded: int, kept: int, replacement: str | None, taken: int, refused: int
) -> Message:
    """The house's own words for what became of a return."""
    if not taken:
        return NOTHING
    words = {
        Remedy.REFUND: REFUNDED,
        Remedy.REFUND_ONLY: ONLY_REFUNDED,
        Remedy.EXCHANGE: EXCHANGED,
    }[remedy]
    freight = AND_PAID if remedy is Remedy.EXCHANGE else AND_KEPT
    parts = [words, *([freight] if kept else []), *([AND_REFUSED] if refused else [])]
    figures = {"refunded": refunded, "kept": kept, "replacement": replacement, "refused": refused}
    zh, en = ("".join(one[at] for one in parts).format(**figures) for at in (0, 1))
    return Message(zh, en)
