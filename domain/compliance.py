"""合规 Whether what is ordered may go abroad as it is: what a human has to look at first (T7)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from domain.address_doubts import Words
from domain.countries import HOME
from domain.customs_terms import CustomsTerms
from domain.house_rules import HouseRules
from domain.release_facts import ReviewReason


class Exported(NamedTuple):
    """Units of one item that are to cross the border."""

    sku: str
    value_fen: int
    """Market value of all of them."""
    customs: CustomsTerms | None


class Objection(NamedTuple):
    """What stands against sending it, until a human says otherwise."""

    reason: ReviewReason
    detail: str
    """The reason once more and what it is about, e.g. `barred_abroad:mug`."""


def objections(
    country: str, goods: Iterable[Exported], *, rules: HouseRules
) -> tuple[Objection, ...]:
    """Everything that stands against sending goods to a country; nothing at home.

    The limit is of a personal parcel, and of all goods of the order: who splits an order into
    parcels to stay under it has declared less than there is.
    """
    if country == HOME:
        return ()
    goods = list(goods)
    found = [
        *(_about(ReviewReason.HS_CODE_MISSING, one) for one in goods if _unclassified(one)),
        *(
            _about(ReviewReason.BARRED_ABROAD, one)
            for one in goods
            if one.customs is not None and one.customs.barred(country)
        ),
    ]
    limit = rules.customs_limit_fen(country)
    value = sum(one.value_fen for one in goods)
    if value > limit:
        reason = ReviewReason.OVER_CUSTOMS_LIMIT
        found.append(Objection(reason, f"{reason}:{value}:{limit}"))
    return tuple(found)


_WORDS: Final[dict[str, Words]] = {
    ReviewReason.HS_CODE_MISSING: Words(
        "{0} goes abroad and has no HS code: add it to the item.",
        "{0} 寄往境外，但未填海关编码(HS)，请在商品中补充。",
    ),
    ReviewReason.BARRED_ABROAD: Words(
        "{0} must not be sent to that country.", "{0} 禁止寄往该国家或地区。"
    ),
    ReviewReason.OVER_CUSTOMS_LIMIT: Words(
        "The goods are worth {0} yuan; a personal parcel there may be worth {1}.",
        "货值 {0} 元，超过寄往该地个人物品限值 {1} 元。",
    ),
}


def words_of(detail: str) -> Words:
    """An objection's detail as people read it."""
    reason, *about = detail.split(":")
    if reason == ReviewReason.OVER_CUSTOMS_LIMIT:
        about = [f"{int(fen) / 100:.2f}" for fen in about]
    words = _WORDS[reason]
    return Words(words.en.format(*about), words.zh.format(*about))


def is_objection(detail: str) -> bool:
    """Whether a detail of a review is about customs rather than about the address."""
    return detail.split(":", maxsplit=1)[0] in _WORDS


def _unclassified(one: Exported) -> bool:
    return one.customs is None or one.customs.hs_code is None


def _about(reason: ReviewReason, one: Exported) -> Objection:
    return Objection(reason, f"{reason}:{one.sku}")
