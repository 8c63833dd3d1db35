"""延误通知 What a learner is told when something keeps their parcel (T5, N3)."""

from typing import Final

from application.sealed_words import Message
from domain.delays import DelayCause

NOT_SENT: Final = "not_sent"
"""The promised time passed, and not all of the order was handed over (`orders.SendingDelayed`)."""
WORDS: dict[str, Message] = {
    NOT_SENT: Message(
        "您的订单已超过承诺的送达时间，仍有商品未发出，非常抱歉。我们正在催促仓库，暂时无需您操作。",
        "Your order was promised to be with you by now, and not all of it has been sent; we are"
        " sorry. We are seeing to it; you need do nothing.",
    ),
    DelayCause.NO_FIRST_SCAN: Message(
        "快递公司还没有扫描您的包裹，我们正在跟进，暂时无需您操作。",
        "The carrier has not scanned your parcel yet. We are looking into it; you need do nothing.",
    ),
    DelayCause.NO_MOVEMENT: Message(
        "您的包裹有一段时间没有新的物流信息，我们会催促快递公司。",
        "There has been no news of your parcel for a while. We are asking its carrier.",
    ),
    DelayCause.CUSTOMS_STALL: Message(
        "您的包裹仍在清关，放行后会继续配送。",
        "Your parcel is still in customs. It goes on as soon as it is released.",
    ),
    DelayCause.ETA_PASSED: Message(
        "您的包裹比预计时间晚了，非常抱歉。我们正在关注它的进展。",
        "Your parcel is later than we told you; we are sorry. We keep an eye on it.",
    ),
    DelayCause.PING_PONG: Message(
        "您的包裹可能被分错了方向，我们正请快递公司纠正。",
        "Your parcel seems to have been sorted the wrong way. We are having that put right.",
    ),
    DelayCause.RETURNED: Message(
        "您的包裹已转退回，如仍需要请联系我们。",
        "Your parcel was turned back. Please talk to us if you still want it.",
    ),
    DelayCause.LOST: Message(
        "快递公司告知您的包裹在途中遗失，非常抱歉。我们已向其查询；您可以申请重新寄出或退款。",
        "Its carrier says that it lost your parcel; we are sorry, and have asked it to search. You"
        " may ask for a new one or a refund.",
    ),
    DelayCause.PICKUP_ENDING: Message(
        "您的包裹还在自提点等您领取，请在截止时间前取件，逾期会被退回。",
        "Your parcel is still waiting to be picked up. Please fetch it before its time ends.",
    ),
    DelayCause.NOT_COLLECTED: Message(
        "您的包裹已超过自提点的保管期限。如已取件请忽略；如仍需要，请尽快联系我们。",
        "Your parcel's time at the pick-up point is over. If you have not fetched it and still want"
        " it, please talk to us.",
    ),
}


def message_for(cause: str) -> Message:
    """The house's words for what keeps a parcel, or an order."""
    return WORDS[cause]
