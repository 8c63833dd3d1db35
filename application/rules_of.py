"""本店规则 The house's figures with this deployment's changes (rules.md, first paragraph)."""

from datetime import timedelta

from application.settings import Settings
from application.trackers import Trackers
from domain.house_rules import HouseRules
from domain.regions import REMOTE_PROVINCES


def rules_of(settings: Settings) -> HouseRules:
    """What the settings make of rules.md; asked again, an equal value."""
    return HouseRules(
        policy=settings.policy,
        kept_visible=timedelta(days=settings.kept_visible_days),
        confirm_receipts=settings.queries_are_possible,
        confirmed_carriers=_asked_directly(settings),
        order_labels=settings.labels_are_possible,
        third_parties=frozenset(settings.third_parties),
        review_value_fen=settings.review_value_fen,
        review_orders_a_day=settings.review_orders_a_day,
        review_accounts_at_address=settings.review_accounts_at_address,
        review_every_order=settings.review_every_order,
        payloads_kept=timedelta(days=settings.payloads_kept_days),
        evidence_kept=timedelta(days=settings.evidence_kept_days),
        minors_shown_for=timedelta(seconds=settings.minors_shown_seconds),
        peaks=settings.peaks,
        lane_time_abroad=timedelta(days=settings.abroad_days),
        customs_limits=settings.customs_limits,
        pay_within=timedelta(seconds=settings.pay_within_seconds),
        service_window=timedelta(seconds=settings.service_window_seconds),
        first_scan_within=timedelta(hours=settings.first_scan_hours),
        movement_within=timedelta(hours=settings.movement_hours),
        customs_within=timedelta(hours=settings.customs_hours),
        disputable_for=timedelta(days=settings.disputable_days),
        learner_answers_within=timedelta(hours=settings.learner_answer_hours),
        carrier_answers_within=timedelta(hours=settings.carrier_answer_hours),
        decide_within=timedelta(hours=settings.decide_hours),
        filing_windows=settings.filing_windows,
        inquire_after=timedelta(hours=settings.inquire_hours),
        return_within=timedelta(days=settings.return_days),
        return_freight_points=settings.return_freight_points,
        return_freight_fen=settings.return_freight_fen,
        excluded_regions=frozenset(settings.exclude_regions)
        | (REMOTE_PROVINCES if settings.exclude_remote else frozenset()),
    )


def _asked_directly(settings: Settings) -> frozenset[str]:
    """Carriers that are asked themselves where their parcels are (T1)."""
    if not settings.trackers:
        return frozenset()
    found = (one.carriers for one in Trackers(settings).all if one.carriers is not None)
    return frozenset().union(*found)
