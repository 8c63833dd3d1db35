"""答复 What a learner is told when their case is decided, unless staff write it themselves (D6)."""

from application.composing import Amount, composed
from application.sealed_words import Message
from domain.dispute_facts import Outcome

WORDS: dict[Outcome, Message] = {
    Outcome.FOUND: Message(
        "您反映的包裹已找到，请留意收取。如仍未收到，可申请复核。",
        "Your parcel was found. If it still does not reach you, ask us to look at it once more.",
    ),
    Outcome.RESHIP: Message(
        "我们将为您补发商品，补发订单号 {replacement}，不收取积分和费用。",
        "We send the goods once more as order {replacement}, at no points and no cost.",
    ),
    Outcome.REFUND: Message(
        "我们已为您退还 {refunded}，原路退回。",
        "We refunded {refunded} the way it was paid.",
    ),
    Outcome.COMPENSATION: Message(
        "非常抱歉给您带来不便，我们已补偿 {points} 积分。",
        "We are sorry for the trouble and gave you {points} points.",
    ),
    Outcome.REJECTED: Message(
        "经核实，我们未能支持您的申请。如有新的凭证，可申请复核一次。",
        "We could not support your case. With new evidence you can ask once more.",
    ),
}
_AND_POINTS = Message("另补偿 {points} 积分。", " We also gave you {points} points.")


def message_for(
    outcome: Outcome, *, points: int, refunded: Amount, replacement: str | None
) -> Message:
    """The house's own words for a decision."""
    more = points and outcome is not Outcome.COMPENSATION
    return composed(
        [WORDS[outcome], *([_AND_POINTS] if more else [])],
        points=points,
        refunded=refunded,
        replacement=replacement,
    )
