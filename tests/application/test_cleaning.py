import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.cleaning import (
    ADDRESS_LENGTH,
    NAME_LENGTH,
    Unusable,
    clean_address,
    clean_name,
    clean_region,
    normalise_phone,
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("张三", "张三"),
        (" 张　三 ", "张三"),
        ("张\u200b三", "张三"),
        ("\ufeff张三\r\n", "张三"),
        ("张\x07三", "张三"),
        ("\u202e张三\u202c", "张三"),
        ("Ｊｏｈｎ  Ｓｍｉｔｈ", "John Smith"),
        ("Mary\t王", "Mary 王"),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("𠮷田\U000e0100", "𠮷田"),
        ("〇〇七", "〇〇七"),
        ("O'Brien", "O'Brien"),
        ("e\u0301va", "éva"),
    ],
)
def test_name_is_cleaned_when_the_meaning_is_plain(written: str, name: str) -> None:
    """M4"""
    assert clean_name(written) == name


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "missing"),
        (" \u200b\u3164\u2800 ", "missing"),
        ("张三😀", "emoji"),
        ("👨‍👩‍👧", "emoji"),
        ("张三1️⃣", "emoji"),
        ("🇨🇳", "emoji"),
        ("张三❤", "emoji"),
        ("张三\x00", "nul"),
        ("张\ud83d三", "damaged"),
        ("\ufffd张三", "damaged"),
        ("张\uffff三", "damaged"),
        ("12345", "no_letters"),
        ("---", "no_letters"),
        ("张" * (NAME_LENGTH + 1), "too_long"),
        ("\ufdfa" * NAME_LENGTH, "too_long"),
        ("张" * 1_000_000, "too_long"),
    ],
)
def test_name_is_refused_when_it_cannot_be_one(written: str, reason: str) -> None:
    """M4"""
    with pytest.raises(Unusable) as refused:
        clean_name(written)
    assert (refused.value.field, refused.value.reason) == ("name", reason)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("文三路１３８号　５０２室", "文三路138号 502室"),
        ("文三路138号🏠502室", "文三路138号 502室"),
        ("文三路3️⃣号楼", "文三路3号楼"),
        ("文三路❸号⓫室①门", "文三路3号11室1门"),
        ("\n文三路\r\n138号\t502", "文三路 138号 502"),
        ("文三路\u200d138号\u2028后门", "文三路138号 后门"),
        ("ＳＯＨＯ Ａ座１２０５", "SOHO A座1205"),
        ("文三路138号（后门）", "文三路138号(后门)"),
        ("文三路138号♥→左转", "文三路138号 左转"),
    ],
)
def test_address_is_cleaned_when_the_meaning_is_plain(written: str, address: str) -> None:
    """M4"""
    assert clean_address(written) == address


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "missing"),
        ("🏠🏠", "missing"),
        ("138", "no_letters"),
        ("文三路\x00", "nul"),
        ("文三路\udc80", "damaged"),
        ("路" * (ADDRESS_LENGTH + 1), "too_long"),
    ],
)
def test_address_is_refused_when_it_cannot_be_one(written: str, reason: str) -> None:
    """M4"""
    with pytest.raises(Unusable) as refused:
        clean_address(written)
    assert (refused.value.field, refused.value.reason) == ("address", reason)


def test_region_is_none_when_nothing_is_left_of_it() -> None:
    """M4"""
    assert clean_region(None, field="city") is None
    assert clean_region(" \u200b", field="city") is None
    assert clean_region("浙 江　省", field="province") == "浙江省"
    with pytest.raises(Unusable) as refused:
        clean_region("省" * 33, field="province")
    assert refused.value.field == "province"


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("86-138-0013-8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("（＋８６）１３８００１３８０００", "+8613800138000"),
        ("138—0013—8000", "+8613800138000"),
        ("138\u200b0013\u00a08000", "+8613800138000"),
        ("138.0013.8000\n", "+8613800138000"),
        ("\u202a13800138000\u202c", "+8613800138000"),
        ("0571-88888888", "+8657188888888"),
        ("(010) 6552 9988", "+861065529988"),
        ("400-820-8888", "+864008208888"),
        ("+852 9123 4567", "+85291234567"),
        ("0085291234567", "+85291234567"),
        ("+1 (202) 555-0123", "+12025550123"),
    ],
)
def test_phone_is_in_one_form_when_written_in_any(written: str, phone: str) -> None:
    """M4, A4"""
    assert normalise_phone(written) == phone
    assert normalise_phone(phone) == phone


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("张三", "not_a_phone"),
        ("1380013800", "not_a_phone"),
        ("138001380001", "not_a_phone"),
        ("10086", "not_a_phone"),
        ("110", "not_a_phone"),
        ("1-800-FLOWERS", "not_a_phone"),
        ("13800138000/13900139000", "not_a_phone"),
        ("13800138000 13900139000", "not_a_phone"),
        ("138****8000", "not_a_phone"),
        ("+", "not_a_phone"),
        ("+999123456789", "not_a_phone"),
        ("١٣٨٠٠١٣٨٠٠٠", "not_a_phone"),
        ("18412345678-1234", "phone_extension"),
        ("18412345678转1234", "phone_extension"),
        ("0571-88888888 ext. 801", "phone_extension"),
        ("0571-88888888#801", "phone_extension"),
        ("13800138000\x00", "nul"),
        ("1380013800\ud800", "damaged"),
        ("1" * 65, "not_a_phone"),
        ("1" * 1000, "too_long"),
    ],
)
def test_phone_is_refused_when_it_cannot_be_dialled(written: str, reason: str) -> None:
    """M4"""
    with pytest.raises(Unusable) as refused:
        normalise_phone(written)
    assert (refused.value.field, refused.value.reason) == ("phone", reason)


def test_both_languages_name_field_and_reason_when_text_is_refused() -> None:
    """M4"""
    with pytest.raises(ValueError, match=r"^name: it holds emoji or pictures$") as refused:
        clean_name("张三😀")
    assert isinstance(refused.value, Unusable)
    assert refused.value.zh == "姓名：不能含有表情符号或图形"
    assert "张三" not in f"{refused.value!r}{refused.value.en}{refused.value.zh}"


TRICKY = "e\u0301\u200d\u20e3\ufe0f\u3164\u115f3❸🏠①ｅ　 \x85张\u3099か\ud800\U000e0100ﷺ"


@given(st.text(st.characters(codec=None), max_size=80) | st.text(st.sampled_from(TRICKY)))
def test_clean_text_stays_when_it_is_cleaned_again(text: str) -> None:
    """M4: cleaning is total, final, and leaves nothing that cannot be stored or seen."""
    for clean in (clean_name, clean_address):
        try:
            cleaned = clean(text)
        except Unusable:
            continue
        assert clean(cleaned) == cleaned
        assert cleaned.encode()
        assert cleaned == cleaned.strip()
        assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in cleaned)


@given(st.text(max_size=80))
def test_phone_is_e164_or_refused_when_the_text_is_anything(text: str) -> None:
    """M4"""
    try:
        phone = normalise_phone(text)
    except Unusable:
        return
    assert phone[0] == "+"
    assert phone[1:].isascii()
    assert phone[1:].isdecimal()
    assert len(phone) <= 16


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "0086", "86"]))
def test_mobile_is_the_same_when_its_prefix_varies(mobile: str, prefix: str) -> None:
    """M4"""
    assert normalise_phone(f"{prefix} {mobile[:3]}-{mobile[3:7]} {mobile[7:]}") == f"+86{mobile}"
