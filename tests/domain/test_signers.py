"""Who signed, against the recipient: same, household, place, another (D1, D5)."""

import pytest

from domain.dispute_facts import SignerMatch
from domain.signers import match_signer


@pytest.mark.parametrize(
    ("signer", "match"),
    [
        ("本人", SignerMatch.RECIPIENT),
        ("林小满", SignerMatch.RECIPIENT),
        ("林小满(本人签收)", SignerMatch.RECIPIENT),
        ("林*", SignerMatch.RECIPIENT),
        ("林**", SignerMatch.RECIPIENT),
        ("*小满", SignerMatch.RECIPIENT),
        ("林先生", SignerMatch.RECIPIENT),
        ("林女士", SignerMatch.RECIPIENT),
        ("王*", SignerMatch.ANOTHER),
        ("王先生", SignerMatch.ANOTHER),
        ("林大海", SignerMatch.ANOTHER),
        ("张三", SignerMatch.ANOTHER),
        ("门卫", SignerMatch.HOUSEHOLD),
        ("家人代签", SignerMatch.HOUSEHOLD),
        ("物业前台", SignerMatch.HOUSEHOLD),
        ("菜鸟驿站", SignerMatch.PLACE),
        ("丰巢智能柜", SignerMatch.PLACE),
        ("楼下便利店", SignerMatch.PLACE),
        ("*", SignerMatch.UNTOLD),
        ("", SignerMatch.UNTOLD),
        (None, SignerMatch.UNTOLD),
    ],
)
def test_a_signer_is_compared_as_carriers_write_it(signer: str | None, match: SignerMatch) -> None:
    """D1: masked names count as the recipient's where they fit."""
    assert match_signer(signer, "林小满") is match


def test_a_name_says_nothing_when_the_recipient_is_gone() -> None:
    """A4: after an erasure nobody can be compared; places and roles still are what they are."""
    assert match_signer("林小满", None) is SignerMatch.UNTOLD
    assert match_signer("本人", None) is SignerMatch.RECIPIENT
    assert match_signer("门卫", None) is SignerMatch.HOUSEHOLD
