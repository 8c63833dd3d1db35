"""Figures of the business that a deployment, or one tenant of it, changes by its environment."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from application.rules_of import rules_of
from application.settings import Settings
from domain.house_rules import HouseRules, Peak
from tests import list_of_settings


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets a variable of the environment to what stands for the value in JSON."""
    return lambda name, value: monkeypatch.setenv(f"TALLYPOST_{name}", json.dumps(value))


def test_every_figure_is_that_of_the_rules_until_somebody_says_another(said: Any) -> None:
    """rules.md, first paragraph: each one a default, each to be changed apart."""
    rules = rules_of(Settings())
    assert rules == replace(HouseRules(), excluded_regions=rules.excluded_regions)
    said("RULES", {
        "pay_within": "PT10M",
        "four_eyes_points": 3_000,
        "debt_limit": 0,
        "filing_windows": [["shunfeng", "P15D", "P60D"], ["*", "P7D", "P30D"]],
        "peaks": [["2026-11-01", "2026-11-20", 48], ["2026-12-12", "2026-12-12", 24]],
    })  # fmt: skip
    changed = rules_of(Settings())
    assert changed.pay_within == timedelta(minutes=10)
    assert (changed.four_eyes_points, changed.debt_limit) == (3_000, 0)
    windows = [changed.filing_window(one) for one in ("shunfeng", "ems", None)]
    assert [one.after_signing.days for one in windows] == [15, 7, 7]
    assert [one.after_hand_over.days for one in windows] == [60, 30, 30]
    assert changed.peaks == (
        Peak(date(2026, 11, 1), date(2026, 11, 20), 48),
        Peak(date(2026, 12, 12), date(2026, 12, 12), 24),
    )
    assert changed.service_window == rules.service_window


def test_the_page_of_settings_is_what_the_settings_say_of_themselves() -> None:
    """Every variable and figure is documented; `make docs` writes the page anew."""
    assert list_of_settings.PAGE.read_text() == list_of_settings.page()


@pytest.mark.parametrize(
    ("figures", "where"),
    [
        ({"pay_within": "soon"}, ("rules", "pay_within")),
        ({"pay_within": "-PT1M"}, ("rules", "pay_within")),
        ({"pay_withn": "PT1M"}, ("rules", "pay_withn")),
        ({"max_freight_share_percent": 101}, ("rules", "max_freight_share_percent")),
        ({"four_eyes_points": "many"}, ("rules", "four_eyes_points")),
        ({"peaks": [["2026-11-01"]]}, ("rules", "peaks", 0)),
        ({"policy": "what it is"}, ("rules", "policy")),
        ({"filing_windows": [["shunfeng", "P15D", "P60D"]]}, ("rules",)),
        ({"customs_limits": [["*", 1], ["XX", 2]]}, ("rules",)),
        ({"third_parties": ["shaanxi"]}, ("rules",)),
    ],
)
def test_a_figure_is_refused_at_the_start_when_it_cannot_be_used(
    said: Any, figures: dict[str, Any], where: tuple[str | int, ...]
) -> None:
    """Not at the first order that needs it; the error says where it is."""
    said("RULES", figures)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert refused.value.errors()[0]["loc"][: len(where)] == where


def test_a_tenant_has_what_is_said_of_it_and_else_what_all_have(
    monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    """rules.md, M7: figures, accounts and addresses a tenant; the others' stay as they are."""
    monkeypatch.setenv("TALLYPOST_TENANTS", "school.example=school")
    monkeypatch.setenv("TALLYPOST_PAYMENT_SECRET", "of-all")
    said("RULES", {"four_eyes_points": 3_000, "return_within": "P9D"})
    said("TENANT_SETTINGS", {
        "school": {
            "rules": {"return_within": "P14D"},
            "payment_secret": "of-the-school",
            "public_url": "https://school.example",
        }
    })  # fmt: skip
    settings = Settings()
    assert settings.payment_keys == (b"of-all",)
    school, mall = settings.of("school"), settings.of("mall")
    assert (school.tenant, mall.tenant) == ("school", "mall")
    assert (school.payment_keys, mall.payment_keys) == ((b"of-the-school",), (b"of-all",))
    assert school.public_url == "https://school.example"
    assert school.rules == replace(mall.rules, return_within=timedelta(days=14))
    assert mall.rules.return_within == timedelta(days=9)
    assert mall.rules.four_eyes_points == 3_000


@pytest.mark.parametrize(
    "own",
    [
        {"schule": {}},
        {"school": {"keys": "/elsewhere"}},
        {"school": {"retrun_days": 3}},
        {"school": {"rules": {"return_within": "soon"}}},
        {"school": {"rules": {"order_labels": True}}},
        {"school": {"alert_language": "fr"}},
    ],
)
def test_a_tenants_settings_are_refused_at_the_start_when_they_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, said: Any, own: dict[str, Any]
) -> None:
    """M7: a tenant that nobody knows, what all tenants share, what is none, what is wrong."""
    monkeypatch.setenv("TALLYPOST_TENANTS", "school.example=school")
    said("TENANT_SETTINGS", own)
    with pytest.raises(ValidationError):
        Settings()
