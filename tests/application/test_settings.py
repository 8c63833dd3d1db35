"""Figures of the business that a deployment changes by its environment."""

from datetime import date

import pytest
from pydantic import ValidationError

from application.settings import Settings
from domain.house_rules import Peak


def test_the_peak_calendar_is_read_when_the_environment_names_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """O6, rules 10: spans and single days, each with its hours; nothing by default."""
    assert Settings().rules.peaks == ()
    monkeypatch.setenv("TALLYPOST_PEAKS", "2026-11-01..2026-11-20=48,2026-12-12=24")
    assert Settings().rules.peaks == (
        Peak(date(2026, 11, 1), date(2026, 11, 20), 48),
        Peak(date(2026, 12, 12), date(2026, 12, 12), 24),
    )


def test_a_calendar_is_refused_when_it_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """O6: at the start, not at the first order."""
    for text in ("soon=4", "2026-11-01", "2026-11-01=many"):
        monkeypatch.setenv("TALLYPOST_PEAKS", text)
        with pytest.raises(ValidationError):
            Settings()
