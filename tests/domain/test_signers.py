"""Who signed, against the recipient: same, household, place, another (D1, D5)."""

from datetime import UTC, datetime

import pytest

from domain.dispute_facts import SignerMatch
from domain.scans import Scan, ScanKind, read_signer
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


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ("已签收,签收人:张**", SignerMatch.RECIPIENT),
        ("已签收,签收人:*三丰", SignerMatch.RECIPIENT),
        ("已签收,签收人:林**", SignerMatch.ANOTHER),
        ("已签收,签收人:***", SignerMatch.UNTOLD),
    ],
)
def test_a_masked_name_in_a_scan_is_compared_as_a_masked_one(told: str, match: SignerMatch) -> None:
    """D1, D5: the stars are the carrier's words: a surname alone would be somebody else's."""
    scan = Scan(
        number="YT1",
        time=datetime(2026, 3, 2, 12, tzinfo=UTC),
        text=told,
        carrier="yuantong",
        kind=ScanKind.SIGNED,
    )
    assert match_signer(read_signer(scan), "张三丰") == match
