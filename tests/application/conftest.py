"""Fixtures of several tests of the application."""

from collections.abc import Iterator

import pytest

from application import faults, store


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two commands at once are two groups: the second is decided while the first is committed."""
    monkeypatch.setattr(store, "BATCH_MIN", 1)
    yield
    faults.ARMED.clear()
