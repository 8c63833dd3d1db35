"""A rotation of master keys while processes run: nobody has to be started again (A4)."""

import logging
import os
from pathlib import Path

import pytest

from application.key_rotation import MASTER_KEYS, add_master_key
from application.vault import MasterKeys, Unreadable, Vault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ring's file."""
    MasterKeys.load(tmp_path / MASTER_KEYS)
    return tmp_path / MASTER_KEYS


def _rotated(path: Path) -> tuple[bytes, bytes]:
    """A key and how a process that knows the new master wraps it."""
    ring = add_master_key(path.parent)
    return Vault(ring, tenant="mall").new_subject_key("lin")


def test_a_key_opens_when_its_master_is_newer_than_the_process(path: Path) -> None:
    """A4: an unknown master has the ring read again, once."""
    running = Vault(MasterKeys.load(path), tenant="mall", source=path)
    _, old = running.new_subject_key("chen")
    key, wrapped = _rotated(path)
    assert running.unwrap("lin", wrapped) == key
    assert running.rewrap("chen", old) != old  # the new master is its own by now
    assert running.unwrap("chen", old)
    # Secrets of the running process that do not rotate.
    assert running.lookup_key == Vault(MasterKeys.load(path), tenant="mall").lookup_key


def test_a_key_stays_shut_when_the_ring_is_read_at_start_alone(path: Path) -> None:
    """A4 CONTROL: a process that keeps the ring it started with."""
    running = Vault(MasterKeys.load(path), tenant="mall")
    _, wrapped = _rotated(path)
    with pytest.raises(Unreadable):
        running.unwrap("lin", wrapped)


def test_new_keys_are_under_the_new_master_when_it_looks_by_and_by(
    path: Path,
) -> None:
    """A4: a process that never meets a key of the new master uses it all the same."""
    running = Vault(MasterKeys.load(path), tenant="mall", source=path)
    ring = add_master_key(path.parent)
    only_new = Vault(
        MasterKeys(ring.current, {ring.current: ring.keys[ring.current]}, ring.lookup_secret),
        tenant="mall",
    )
    _, soon = running.new_subject_key("lin")
    with pytest.raises(Unreadable):
        only_new.unwrap("lin", soon)
    running._look_at = 0  # ten seconds later
    key, later = running.new_subject_key("lin")
    assert only_new.unwrap("lin", later) == key


def test_the_ring_stays_when_its_file_is_gone_exposed_or_another(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A4: an unknown master then is what it was, unreadable; nothing is made in its place."""
    ring = MasterKeys.load(path)
    running = Vault(ring, tenant="mall", source=path)
    key, mine = running.new_subject_key("lin")
    foreign = MasterKeys.new()
    _, theirs = Vault(foreign, tenant="mall").new_subject_key("lin")
    caplog.set_level(logging.ERROR)

    def refused() -> None:
        with pytest.raises(Unreadable):
            running.unwrap("lin", theirs)
        assert running.unwrap("lin", mine) == key

    foreign.save(path)
    refused()
    path.chmod(0o644)
    refused()
    path.unlink()
    refused()
    assert not path.exists()
    assert len(caplog.records) == 3
    assert foreign.keys[foreign.current].hex() not in caplog.text
    ring.save(path)
    assert os.access(path, os.R_OK)
    refused()
