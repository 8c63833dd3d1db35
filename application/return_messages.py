"""退货答复 What a learner is told when a return is over, unless staff write it themselves (D6)."""

from typing import NamedTuple

from application.composing import Amount, composed
from application.sealed_words import Message
from domain.return_facts import Remedy

REFUNDED = Message(
    "退货已验收，已退还 {refunded}，原路退回。",
    "We inspected what came back and refunded {refunded} the way it was paid.",
)
ONLY_REFUNDED = Message(
    "退款申请已通过，已退还 {refunded}，原路退回，商品无需寄回。",
    "We refunded {refunded} the way it was paid; you keep the goods.",
)
LOST = Message(
    "您寄回的商品在途中遗失，我们已为您退还 {refunded}，原路退回。",
    "What you sent was lost on its way back; we refunded {refunded} the way it was paid.",
)
EXCHANGED = Message(
    "退货已验收，换货订单号 {replacement}，不收取积分。",
    "We inspected what came back and send the same as order {replacement}, at no points.",
)
NOTHING = Message(
    "退货未通过验收，商品将寄回给您。",
    "What came back does not meet the criteria; it is on its way to you again.",
)
AND_KEPT = Message("已扣除退货运费 {kept}。", " {kept} of the price paid for the return freight.")
AND_PAID = Message(
    "已从您的账户扣除退货运费 {kept}。",
    " {kept} of your balance paid for the return freight.",
)
AND_REFUSED = Message(
    "其中 {refused} 件未通过验收，将寄回给您。",
    " {refused} of the units do not meet the criteria and are on their way to you again.",
)
NONE_CAME = Message(
    "退货包裹中没有申请退回的商品，暂无法退款。如有疑问请联系客服。",
    "Nothing of what was to come back was in the parcel, so nothing was refunded. Contact us if"
    " that cannot be.",
)
AND_MISSING = Message(
    "其中 {missing} 件未随包裹寄到，未予退还。",
    " {missing} of the units were not in the parcel; nothing was given back for them.",
)
NEVER_CAME = Message(
    "很抱歉，您寄回的包裹未到达仓库，暂无法退款。如有寄件凭证，请联系客服。",
    "What you sent back never reached us, so we could not refund it. Contact us with a proof that"
    " it was sent.",
)
REJECTED = Message(
    "很抱歉，您的仅退款申请未通过。您可以寄回商品申请退货退款。",
    "We could not agree to a refund without the goods. You can send them back for one.",
)


class Came(NamedTuple):
    """How many units came back, and what became of them."""

    taken: int
    refused: int = 0
    missing: int = 0
    lost: bool = False
    """Whether all of them were lost on their way."""


def message_for(
    remedy: Remedy, came: Came, *, refunded: Amount, kept: Amount, replacement: str | None
) -> Message:
    """The house's own words for what became of a return."""
    missing = [AND_MISSING] if came.missing else []
    if not came.taken:
        return composed([NOTHING, *missing] if came.refused else [NONE_CAME], missing=came.missing)
    words = {
        Remedy.REFUND: REFUNDED,
        Remedy.REFUND_ONLY: LOST if came.lost else ONLY_REFUNDED,
        Remedy.EXCHANGE: EXCHANGED,
    }[remedy]
    freight = AND_PAID if remedy is Remedy.EXCHANGE else AND_KEPT
    return composed(
        [
            words,
            *([freight] if any(kept) else []),
            *([AND_REFUSED] if came.refused else []),
            *missing,
        ],
        refunded=refunded,
        kept=kept,
        replacement=replacement,
        refused=came.refused,
        missing=came.missing,
    )
