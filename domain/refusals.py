"""How the house says no: a stable code, the figures behind it, and words in two languages."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from domain.reason_names import STATES, action_zh, thing_zh
from domain.reasons import customers_words, reason_zh

Figure = str | int | bool | None | list[str]


class Refusal(Exception):
    """A rule refused a command; nothing of it was recorded.

    `code` is stable and meant for programs; `figures` are the numbers that decided;
    `message("zh" | "en")` is meant for people.
    """

    code: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]

    def __init__(self, **figures: Figure) -> None:
        self.figures: Mapping[str, Figure] = figures
        super().__init__(self.message("en"))

    def message(self, language: str = "en") -> str:
        """The refusal in words; unknown languages get English."""
        if language.startswith("zh"):
            return self.zh.format(
                **{name: _in_chinese(name, it) for name, it in self.figures.items()}
            )
        return self.en.format(**self.figures)

    def as_failure(self) -> dict[str, object]:
        """The refusal as callers see it in `failures` (contract.md, Errors)."""
        return {
            "code": self.code,
            "message": self.message("en"),
            "message_zh": self.message("zh"),
            **self.figures,
        }


def for_customers(failure: Mapping[str, object]) -> dict[str, object]:
    """A failure, as `as_failure` gives it, in the words that customers know (rules.md 4).

    Works on what was kept of an earlier refusal, too, whose texts cannot be made anew.
    """
    failure = _withheld(failure)
    told: dict[str, object] = {}
    chinese = str(failure["message_zh"])
    for name, figure in failure.items():
        told[name] = customers_words(figure) if isinstance(figure, str) else figure
        if told[name] != figure:
            chinese = chinese.replace(
                str(_in_chinese(name, str(figure))), str(_in_chinese(name, str(told[name])))
            )
    return {**told, "message_zh": chinese}


WITHHELD: Mapping[str, tuple[str, str, str]] = {
    "waybill_taken": ("parcel", "another parcel", "另一个包裹"),
}
"""By code, the figure that names what is somebody else's, and what customers read instead (A10)."""


def _withheld(failure: Mapping[str, object]) -> Mapping[str, object]:
    name, english, chinese = WITHHELD.get(str(failure["code"]), ("", "", ""))
    if name not in failure:
        return failure
    figure = str(failure[name])
    return {
        **{one: value for one, value in failure.items() if one != name},
        "message": str(failure["message"]).replace(figure, english),
        "message_zh": str(failure["message_zh"]).replace(f" {figure} ", chinese),
    }


def _in_chinese(name: str, figure: Figure) -> Figure:
    match name, figure:
        case "what", str():
            return thing_zh(figure)
        case "action", str():
            return action_zh(figure)
        case "why" | "reason", str():
            return reason_zh(figure)
        case "status" | "standing", str():
            return STATES.get(figure, figure)
        case _:
            return figure


class OrderRefused(Refusal):
    """Placing found one or more reasons against the order, all of them listed (O1)."""

    code = "order_refused"
    en = "The order was refused."
    zh = "订单未被接受。"

    def __init__(self, failures: Sequence[Refusal]) -> None:
        self.failures = tuple(failures)
        super().__init__()


class NotFound(Refusal):
    """What was named does not exist, or is somebody else's (the two answer alike, A10)."""

    code = "not_found"
    en = "There is no such {what}."
    zh = "未找到该{what}。"


class NotPossible(Refusal):
    """The thing exists but its state does not allow the command (D6)."""

    code = "not_possible"
    en = "{action} is not possible: {why}"
    zh = "无法{action}：{why}"


class InvalidRequest(Refusal):
    """The request contradicts itself or the house's figures; the field and reason are named."""

    code = "invalid"
    en = "{field}: {reason}"
    zh = "{field}：{reason}"
