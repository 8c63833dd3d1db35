import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from application.cleaning import Unusable
from application.key_files import KeyFileRefused
from application.recipients import Recipient
from application.vault import (
    MasterKeys,
    Unreadable,
    Vault,
    phone_digest,
    phone_tail_digest,
    seal,
    unseal,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
MASTER = MasterKeys("k1", {"k1": b"1" * 32}, b"s" * 32)
VAULT = Vault(MASTER, tenant="mall")
PERSON = Recipient(
    name="张三丰",
    phone="+8613800138000",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    address="文三路138号3幢502室 张三丰收",
)


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=20))
def test_card_opens_when_key_subject_and_field_are_the_same(
    plaintext: bytes, subject: str, field: str
) -> None:
    """A4"""
    try:
        (subject + field).encode()
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            seal(KEY, subject, field, plaintext)
        return
    sealed = seal(KEY, subject, field, plaintext)
    assert unseal(KEY, subject, field, sealed) == plaintext
    assert len(sealed) == len(plaintext) + 29
    assert seal(KEY, subject, field, plaintext) != sealed


@pytest.mark.parametrize(
    ("key", "subject", "field"),
    [
        (OTHER_KEY, "ada", "recipient"),
        (KEY, "bob", "recipient"),
        (KEY, "ada", "evidence"),
        (KEY, "adar", "ecipient"),
        (KEY, "", "adarecipient"),
    ],
)
def test_card_stays_closed_when_key_subject_or_field_is_another(
    key: bytes, subject: str, field: str
) -> None:
    """A4"""
    with pytest.raises(Unreadable):
        unseal(key, subject, field, seal(KEY, "ada", "recipient", b"secret"))


def test_card_stays_closed_when_one_byte_is_flipped_or_missing() -> None:
    """A4"""
    sealed = seal(KEY, "ada", "recipient", b"secret")
    for at in range(len(sealed)):
        with pytest.raises(Unreadable):
            unseal(
                KEY, "ada", "recipient", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            )
        with pytest.raises(Unreadable):
            unseal(KEY, "ada", "recipient", sealed[:at])


def test_sealing_is_refused_when_the_key_was_cut() -> None:
    """A4"""
    for size in (0, 16, 24, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            seal(b"k" * size, "ada", "recipient", b"secret")


def test_person_is_unreadable_when_the_key_was_erased() -> None:
    """A4, R59: everything that a backup of the cards still has opens with nothing else."""
    key, wrapped = VAULT.new_subject_key("ada")
    card = seal(key, "ada", "recipient", PERSON.to_bytes())
    assert "张三丰".encode() not in card
    assert PERSON.phone.encode() not in card
    opened = unseal(VAULT.unwrap("ada", wrapped), "ada", "recipient", card)
    assert Recipient.from_bytes(opened) == PERSON
    del key, wrapped
    key_made_later, _ = VAULT.new_subject_key("ada")
    for living in (key_made_later, VAULT.lookup_key, *MASTER.keys.values(), MASTER.lookup_secret):
        with pytest.raises(Unreadable):
            unseal(living, "ada", "recipient", card)


def test_subject_key_unwraps_when_vault_is_opened_again() -> None:
    """A4"""
    key, wrapped = VAULT.new_subject_key("ada")
    assert Vault(MASTER, tenant="mall").unwrap("ada", wrapped) == key
    assert key not in wrapped
    assert len(key) == 32
    assert VAULT.new_subject_key("ada")[0] != key


def test_subject_key_stays_wrapped_when_subject_tenant_or_master_is_another() -> None:
    """A4"""
    _, wrapped = VAULT.new_subject_key("ada")
    with pytest.raises(Unreadable):
        VAULT.unwrap("bob", wrapped)
    with pytest.raises(Unreadable):
        Vault(MASTER, tenant="mall2").unwrap("ada", wrapped)
    with pytest.raises(Unreadable):
        Vault(MasterKeys.new(), tenant="mall").unwrap("ada", wrapped)
    with pytest.raises(Unreadable):
        Vault(MasterKeys("k1", {"k1": b"2" * 32}, b"s" * 32), tenant="mall").unwrap("ada", wrapped)


def test_subject_key_stays_wrapped_when_one_byte_is_flipped_or_missing() -> None:
    """A4"""
    _, wrapped = VAULT.new_subject_key("ada")
    for at in range(len(wrapped)):
        for mask in (1, 0x80):
            bad = wrapped[:at] + bytes([wrapped[at] ^ mask]) + wrapped[at + 1 :]
            with pytest.raises(Unreadable):
                VAULT.unwrap("ada", bad)
        with pytest.raises(Unreadable):
            VAULT.unwrap("ada", wrapped[:at])


def test_old_keys_still_unwrap_when_the_master_key_was_rotated() -> None:
    """A4"""
    key, wrapped = VAULT.new_subject_key("ada")
    rotated = MASTER.rotated()
    vault = Vault(rotated, tenant="mall")
    assert rotated.current != MASTER.current
    assert vault.unwrap("ada", wrapped) == key
    rewrapped = vault.rewrap("ada", wrapped)
    assert rewrapped != wrapped
    assert vault.rewrap("ada", rewrapped) == rewrapped
    only_new = MasterKeys(
        rotated.current, {rotated.current: rotated.keys[rotated.current]}, rotated.lookup_secret
    )
    assert Vault(only_new, tenant="mall").unwrap("ada", rewrapped) == key
    with pytest.raises(Unreadable):
        Vault(only_new, tenant="mall").unwrap("ada", wrapped)
    with pytest.raises(Unreadable):
        VAULT.unwrap("ada", rewrapped)


def test_phones_are_found_as_before_when_the_master_key_was_rotated() -> None:
    """A4"""
    assert Vault(MASTER.rotated(), tenant="mall").lookup_key == VAULT.lookup_key
    assert Vault(MASTER, tenant="mall2").lookup_key != VAULT.lookup_key
    assert VAULT.lookup_key not in (MASTER.lookup_secret, *MASTER.keys.values())


def test_phone_is_found_when_it_is_written_in_another_way() -> None:
    """A4"""
    digest = phone_digest(VAULT.lookup_key, "13800138000")
    assert len(digest) == 32
    for same in ("+86 138 0013 8000", "0086-138-0013-8000", "１３８００１３８０００"):
        assert phone_digest(VAULT.lookup_key, same) == digest
    assert phone_digest(VAULT.lookup_key, "13800138001") != digest
    assert phone_digest(OTHER_KEY, "13800138000") != digest
    with pytest.raises(Unusable):
        phone_digest(VAULT.lookup_key, "张三")


def test_phone_tail_is_found_when_it_is_four_digits() -> None:
    """A4"""
    digest = phone_tail_digest(VAULT.lookup_key, "8000")
    assert digest == phone_tail_digest(VAULT.lookup_key, "8000")
    assert digest != phone_tail_digest(VAULT.lookup_key, "8001")
    assert digest != phone_tail_digest(OTHER_KEY, "8000")
    for bad in ("", "800", "80000", "８０００", "80 0", "-800", "²³¹²"):
        with pytest.raises(ValueError, match="four digits"):
            phone_tail_digest(VAULT.lookup_key, bad)


def test_ring_is_made_once_when_there_is_no_file(tmp_path: Path) -> None:
    """A4"""
    path = tmp_path / "keys" / "master.json"
    ring = MasterKeys.load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert MasterKeys.load(path) == ring
    assert [entry.name for entry in path.parent.iterdir()] == ["master.json"]


def test_all_have_the_same_ring_when_they_start_together(tmp_path: Path) -> None:
    """A4"""
    path, together = tmp_path / "keys" / "master.json", Barrier(8)

    def load(_: int) -> MasterKeys:
        together.wait(10)
        return MasterKeys.load(path)

    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(load, range(8)))
    assert all(ring == MasterKeys.load(path) for ring in rings)
    assert [entry.name for entry in path.parent.iterdir()] == ["master.json"]


def test_rotated_ring_is_kept_when_it_is_saved(tmp_path: Path) -> None:
    """A4"""
    path = tmp_path / "master.json"
    first = MasterKeys.load(path)
    rotated = first.rotated()
    rotated.save(path)
    assert MasterKeys.load(path) == rotated
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(first.keys) < set(rotated.keys)


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604, 0o602])
def test_ring_is_refused_when_others_may_read_it(tmp_path: Path, mode: int) -> None:
    """A4"""
    path = tmp_path / "master.json"
    MasterKeys.load(path)
    path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        MasterKeys.load(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"current": "a", "keys": [], "lookup_secret": ""}',
        json.dumps({"current": "a", "keys": {"a": "00"}, "lookup_secret": "00" * 32}),
        json.dumps({"current": "b", "keys": {"a": "00" * 32}, "lookup_secret": "00" * 32}),
        json.dumps({"current": "a", "keys": {"a": "00" * 32}, "lookup_secret": "00"}),
        json.dumps({"current": "", "keys": {"": "00" * 32}, "lookup_secret": "00" * 32}),
        json.dumps({"current": "a", "keys": {"a": "secret"}, "lookup_secret": "00" * 32}),
        " " * (1 << 20) + "{}",
    ],
)
def test_ring_is_refused_when_the_file_holds_something_else(tmp_path: Path, content: str) -> None:
    """A4"""
    path = tmp_path / "master.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused) as refused:
        MasterKeys.load(path)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_secrets_are_not_shown_when_a_ring_is_printed() -> None:
    """A4, R58"""
    assert "1111" not in repr(MASTER)
    assert "ssss" not in repr(MASTER)
    assert "1111" not in repr(VAULT)


def test_card_reads_back_when_it_was_written() -> None:
    """A4"""
    assert Recipient.from_bytes(PERSON.to_bytes()) == PERSON
    small = Recipient(name="李四", phone="+8613800138001", address="文三路1号")
    assert Recipient.from_bytes(small.to_bytes()) == small
    assert b"province" not in small.to_bytes()


def test_card_reads_back_when_a_later_version_wrote_more() -> None:
    """A4"""
    later = PERSON.to_bytes()[:-1] + b',"floor":"3"}'
    assert Recipient.from_bytes(later) == PERSON


def test_nothing_is_told_when_a_recipient_is_printed_or_invalid() -> None:
    """A4, R58"""
    for shown in (repr(PERSON), str(PERSON), repr([PERSON])):
        assert not any(secret in shown for secret in ("张三", "13800138000", "文三路"))
    with pytest.raises(ValidationError) as invalid:
        Recipient.from_bytes(b'{"name": 13800138000, "phone": "13800138000"}')
    assert "13800138000" not in str(invalid.value)


def test_raw_text_is_kept_on_the_card_when_cleaning_changed_it() -> None:
    """M4"""
    person = Recipient.cleaned(
        name="张　三",
        phone="13800138000",
        province=" 浙江省",
        city=None,
        district="",
        address="文三路１３８号🏠",
    )
    assert person == Recipient(
        name="张三",
        phone="+8613800138000",
        province="浙江省",
        address="文三路138号",
        raw={"name": "张　三", "province": " 浙江省", "address": "文三路１３８号🏠"},
    )
    assert Recipient.from_bytes(person.to_bytes()) == person


def test_raw_text_is_absent_when_nothing_was_cleaned() -> None:
    """M4"""
    for phone in ("13800138000", "+8613800138000"):
        assert Recipient.cleaned(name="张三", phone=phone, address="文三路138号").raw is None


@pytest.mark.parametrize("field", ["name", "phone", "address"])
def test_recipient_is_refused_when_a_field_cannot_be_used(field: str) -> None:
    """M4"""
    given = {"name": "张三", "phone": "13800138000", "address": "文三路138号"} | {field: "\x00"}
    with pytest.raises(Unusable) as refused:
        Recipient.cleaned(**given)
    assert (refused.value.field, refused.value.reason) == (field, "nul")


def test_recipient_is_masked_when_shown() -> None:
    """A4"""
    person = PERSON.model_copy(update={"raw": {"name": "张三丰"}})
    assert person.masked() == Recipient(
        name="张**",
        phone="1******8000",
        province="浙江省",
        city="杭州市",
        district="西湖区",
        address="文三路***",
    )


def test_name_and_house_are_hidden_when_they_stand_in_other_fields() -> None:
    """A4"""
    person = Recipient(
        name="李小龙",
        phone="+8613800138000",
        province="浙江省",
        city="杭州市西湖区文三路138号",
        district="二七区",
        address="李小龙,文三路138号",
    )
    masked = person.masked()
    assert masked.address == "李**,文三路***"
    assert masked.city == "杭州市西湖区文三路***"
    assert masked.district == "二七区"
