"""签收人 Who signed, as the carrier tells, against the recipient (D1, D5); it names nobody."""

import re

from domain.dispute_facts import SignerMatch

_HERSELF = re.compile(r"本人|收件人|客户签收")
_PLACE = re.compile(
    r"柜|驿站|丰巢|蜂巢|菜鸟|代收点|代办点|自提|货栈|兔喜|速递易|近邻宝|超市|便利店|商店|店|快递点"
    r"|服务点|服务站|邮局|网点"
)
_HOUSEHOLD = re.compile(
    r"家人|家属|亲属|亲友|父母|父亲|母亲|丈夫|妻子|配偶|子女|朋友|门卫|保安|物业|管家|前台|同事|邻居"
    r"|他人|室友|同学|老师|收发|传达|单位|公司|学校|代收|代签"
)
_HIDDEN = re.compile(r"[*＊xX某]+")


def match_signer(signer: str | None, recipient: str | None) -> SignerMatch:
    """How the signer goes with the recipient's name; carriers often mask all but the surname.

    >>> match_signer("林*", "林小满"), match_signer("门卫", "林小满")
    (<SignerMatch.RECIPIENT: 'recipient'>, <SignerMatch.HOUSEHOLD: 'household'>)
    """
    words = (signer or "").strip(" .。,，")
    if not _HIDDEN.sub("", words):
        return SignerMatch.UNTOLD
    if _HERSELF.search(words):
        return SignerMatch.RECIPIENT
    if recipient is not None and recipient in words:
        return SignerMatch.RECIPIENT
    if _PLACE.search(words):
        return SignerMatch.PLACE
    if _HOUSEHOLD.search(words):
        return SignerMatch.HOUSEHOLD
    if recipient is None:
        return SignerMatch.UNTOLD
    fits = _masked_fits(words, recipient)
    return SignerMatch.RECIPIENT if fits else SignerMatch.ANOTHER


def _masked_fits(words: str, recipient: str) -> bool:
    """Whether `林*`, `*小满` or `林先生` may be the recipient; a whole other name may not."""
    bare = re.sub(r"先生|女士|小姐|同学$", "*", words)
    if not _HIDDEN.search(bare):
        return False
    pattern = ".*".join(re.escape(piece) for piece in _HIDDEN.split(bare))
    return re.fullmatch(pattern, recipient) is not None
