"""Figures of the business that a deployment changes by its environment."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from application.rules_of import rules_of
from application.settings import Settings
from domain.house_rules import HouseRules, Peak


def test_the_peak_calendar_is_read_when_the_environment_names_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """O6, rules 10: spans and single days, each with its hours; nothing by default."""
    assert rules_of(Settings()).peaks == ()
    monkeypatch.setenv("TALLYPOST_PEAKS", "2026-11-01..2026-11-20=48,2026-12-12=24")
    assert rules_of(Settings()).peaks == (
        Peak(date(2026, 11, 1), date(2026, 11, 20), 48),
        Peak(date(2026, 12, 12), date(2026, 12, 12), 24),
    )


def test_a_calendar_is_refused_when_it_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """O6: at the start, not at the first order."""
    for text in ("soon=4", "2026-11-01", "2026-11-01=many"):
        monkeypatch.setenv("TALLYPOST_PEAKS", text)
        with pytest.raises(ValidationError):
            Settings()


def test_the_clocks_of_disputes_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D1, D2: 48 h, 48 h, 72 h, 30 days and one window for all carriers by default; each set apart,
    carriers' own beside the one for all others."""
    rules = rules_of(Settings())
    assert rules == replace(HouseRules(), excluded_regions=rules.excluded_regions)
    for name, value in (
        ("LEARNER_ANSWER_HOURS", "24"),
        ("CARRIER_ANSWER_HOURS", "36"),
        ("DECIDE_HOURS", "96"),
        ("DISPUTABLE_DAYS", "15"),
        ("FILING_WINDOWS", "shunfeng=15/60, yuantong=3/20"),
    ):
        monkeypatch.setenv(f"TALLYPOST_{name}", value)
    rules = rules_of(Settings())
    assert rules.learner_answers_within == timedelta(hours=24)
    assert rules.carrier_answers_within == timedelta(hours=36)
    assert rules.decide_within == timedelta(hours=96)
    assert rules.disputable_for == timedelta(days=15)
    windows = [rules.filing_window(one) for one in ("shunfeng", "yuantong", "ems", None)]
    assert [one.after_signing.days for one in windows] == [15, 3, 7, 7]
    assert [one.after_hand_over.days for one in windows] == [60, 20, 30, 30]
    monkeypatch.setenv("TALLYPOST_FILING_WINDOWS", "*=10/40")
    assert rules_of(Settings()).filing_window("ems").after_signing.days == 10


def test_a_filing_window_is_refused_when_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """D2: at the start, not at the first claim."""
    for text in ("shunfeng", "shunfeng=15", "=1/2", "shunfeng=0/3", "shunfeng=a/b"):
        monkeypatch.setenv("TALLYPOST_FILING_WINDOWS", text)
        with pytest.raises(ValidationError):
            Settings()
