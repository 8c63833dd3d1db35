"""States kept in memory: bounded, and forgotten in the order of their last use."""

import pytest

from application import states
from application.states import States


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> States:
    monkeypatch.setattr(states, "KEPT_MAX", 4)
    return States()


def test_streams_are_forgotten_when_others_were_used_since(kept: States) -> None:
    for number in range(9):
        kept[f"order:{number}"] = (1, number)
        kept.age()
    assert kept.known("order:8") == (1, 8)
    assert kept.known("order:0") is None
    assert sum(kept.known(f"order:{number}") is not None for number in range(9)) <= 6


def test_a_stream_stays_when_it_is_used_again_and_again(kept: States) -> None:
    kept["network:mall"] = (3, "warehouses")
    for number in range(50):
        assert kept["network:mall"] == (3, "warehouses")
        kept[f"order:{number}"] = (1, number)
        kept.age()
    assert kept.known("network:mall") == (3, "warehouses")


def test_only_what_is_not_kept_has_to_be_loaded_when_asked(kept: States) -> None:
    kept["account:lin"] = (2, "state")
    assert kept.missing(["account:lin", "account:wang"]) == ["account:wang"]


def test_the_older_state_does_not_come_back_when_the_newer_is_forgotten(kept: States) -> None:
    for number in range(3):
        kept[f"account:{number}"] = (1, "old")
    kept.age()
    assert kept.missing(["account:0"]) == []
    kept["account:0"] = (2, "believed")
    kept.forget(["account:0"])
    assert kept.known("account:0") is None
    assert kept.missing(["account:0"]) == ["account:0"]
    kept.forget_all()
    assert not kept
