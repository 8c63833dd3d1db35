"""本店规则 The house's figures with this deployment's changes (rules.md, first paragraph)."""

from dataclasses import replace

from application.settings import Settings
from application.trackers import Trackers
from domain.house_rules import HouseRules
from domain.regions import REMOTE_PROVINCES


def rules_of(settings: Settings) -> HouseRules:
    """What the settings make of rules.md; asked again, an equal value."""
    remote = REMOTE_PROVINCES if settings.exclude_remote else frozenset()
    return replace(
        settings.rules,
        confirm_receipts=settings.queries_are_possible,
        confirmed_carriers=_asked_directly(settings),
        order_labels=settings.labels_are_possible,
        third_parties=frozenset(settings.third_parties),
        excluded_regions=frozenset(settings.exclude_regions) | remote,
    )


def _asked_directly(settings: Settings) -> frozenset[str]:
    """Carriers that are asked themselves where their parcels are (T1)."""
    if not settings.trackers:
        return frozenset()
    found = (one.carriers for one in Trackers(settings).all if one.carriers is not None)
    return frozenset().union(*found)
