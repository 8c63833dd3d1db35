"""The alerts that docs/alerts.yml brings to Prometheus, against what is measured (M1)."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import api.app  # noqa: F401  measuring begins where the service is put together
from application.targets import CALLS_MIN, ERRORS_SHARE, MISSES_MIN, QUICK_SHARE, SYNC_LAG_SECONDS

RULES = (Path(__file__).parents[2] / "docs" / "alerts.yml").read_text()
NAMES = sorted(set(re.findall(r"tallypost_[a-z0-9_]+", RULES)))


def measured() -> dict[str, frozenset[str]]:
    """Labels of each series that this service tells, by its name."""
    found: dict[str, frozenset[str]] = {}
    for of in REGISTRY._collector_to_names:
        labels = frozenset(getattr(of, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[of]:
            found[name] = labels
    return found


def test_there_are_rules() -> None:
    """M1: a file without any would be consistent, too."""
    assert RULES.count("- alert: ") >= 14
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_every_series_that_alarms_is_measured(name: str) -> None:
    """M1: an alert on a name that nobody tells never rings."""
    assert name in measured()


def test_every_label_that_alerts_go_by_is_told() -> None:
    """M1: what is summed by, matched or named has to be a label of that series."""
    labels = measured()
    for expression in re.findall(
        r"expr: (?:\|\n)?(.+?)\n        (?:for|annotations):", RULES, re.DOTALL
    ):
        known = {"le"}.union(*(labels[one] for one in re.findall(r"tallypost_\w+", expression)))
        used = {one for group in re.findall(r"by \(([^)]*)\)", expression) for one in
                group.split(", ")}  # fmt: skip
        used |= set(re.findall(r"[{,](\w+)=", expression))
        assert used <= known, expression


def test_the_targets_are_the_ones_that_are_promised() -> None:
    """M1: 200 ms (p99), errors 0.1 %, sync lag 5 s: here, on the page and to staff alike."""
    assert f"tallypost_view_lag_seconds) > {SYNC_LAG_SECONDS:g}\n" in RULES
    assert f"[5m])) > {ERRORS_SHARE:g}\n" in RULES
    assert f"histogram_quantile({QUICK_SHARE:g}, " in RULES
    assert f"tallypost_partner_quick_share_1h) < {QUICK_SHARE:g}\n" in RULES
    assert f"tallypost_partner_failed_share_1h) > {ERRORS_SHARE:g}\n" in RULES
    assert RULES.count(f"tallypost_partner_calls_1h) >= {CALLS_MIN}\n") == 2
    assert RULES.count(f") >= {MISSES_MIN}\n") == 2
