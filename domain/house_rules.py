"""The figures of rules.md, one value per tenant; facts record the ones that decided them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.addresses import SettledPlace
from domain.countries import is_abroad

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Peak(NamedTuple):
    """Days on which warehouses and carriers take longer, first and last one included."""

    first: date
    last: date
    hours: int
    """How much longer what is released on such a day takes."""


def peak_hours(peaks: Iterable[Peak], zone: ZoneInfo, since: datetime, until: datetime) -> int:
    """How much longer what is on its way in between takes: as in the longest of its peaks."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    return max([one.hours for one in peaks if one.first <= last and first <= one.last], default=0)


class FilingWindow(NamedTuple):
    """How long a carrier takes claims (D2)."""

    carrier: str
    """Its code; `*` stands for all that are not named."""
    after_signing: timedelta
    after_hand_over: timedelta
    """Counts for parcels that were never signed for."""


class CustomsLimit(NamedTuple):
    """What a personal parcel to a country may be worth (T7)."""

    country: str
    """Its code; `*` stands for all that are not named."""
    fen: int


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Defaults as rules.md states them; a tenant's settings may change each of them.

    A deadline that follows from a figure is written into the fact (`pay_by`, `window_until`),
    so that a later change of settings never moves it.
    """

    policy: str = "mall-2026"
    """Name of this set of figures, recorded in every order."""
    zone: ZoneInfo = SHANGHAI
    pay_within: timedelta = timedelta(minutes=3)
    """Rule 8: unpaid after this long is cancelled."""
    service_window: timedelta = timedelta(days=7)
    """Rule 2: how long after receipt each part stays returnable."""
    kept_visible: timedelta = timedelta(days=730)
    """Rule 3: how long after its end an order stays visible to its customer."""
    payloads_kept: timedelta = timedelta(days=730)
    """Rule 30: how long what carriers pushed is kept as it came."""
    evidence_kept: timedelta = timedelta(days=1_095)
    """Rule 30: how long words and files of cases are kept: three years, in which claims lapse."""
    refund_grace: timedelta = timedelta(days=30)
    """Rule 16: life of points that come back into an expired lot."""
    max_parts: int = 4
    """Rule 1."""
    max_freight_share_percent: int = 20
    """Rule 9: freight above this share of an item's market value keeps it out of the mall."""
    valuable_fen: int = 30_000
    """W4: goods worth as much as this go by a fast carrier."""
    carrier_gain_percent: int = 10
    """W4: a lane keeps its carrier unless another one is cheaper by more than this share."""
    late_parcel_fen: int = 500
    """W4: what a late parcel costs the house, in goodwill and questions."""
    excluded_regions: frozenset[str] = frozenset()
    """Rule 9: regions nobody ships to (the demo mall excludes the remote ones): full names of
    provinces, and codes of six digits of any division."""
    lane_time: timedelta = timedelta(days=3)
    """Rule 10: default travel time when no lane has been measured."""
    lane_time_abroad: timedelta = timedelta(days=14)
    """Rule 10: the same where customs are passed on the way."""
    peaks: tuple[Peak, ...] = ()
    """Rule 10: the peak calendar, in the business time zone."""
    debt_limit: int | None = None
    """L5: most points a claw-back may leave owing; None = no limit, 0 = refuse any debt."""
    four_eyes_points: int = 5_000
    """Rule 26, A8: from here manual points and claw-backs need a second person."""
    four_eyes_within: timedelta = timedelta(hours=24)
    """A8: what one person gives and takes by hand for one learner is added up for so long."""
    confirm_receipts: bool = False
    """Rule 23: whether a pushed receipt waits for a query before anything of value follows."""
    confirmed_carriers: frozenset[str] = frozenset()
    """Rule 23: carriers that are asked themselves, where nobody can be asked about the others."""
    review_value_fen: int = 30_000
    """Rule 26: orders whose goods are worth more than this are looked at before release."""
    review_orders_a_day: int = 3
    """Rule 26: a learner's further orders within 24 hours are looked at."""
    review_accounts_at_address: int = 5
    """Rule 26: from so many accounts that send to one address within 30 days."""
    review_every_order: bool = False
    """O7: nothing is released before a human looked at it."""
    customs_limits: tuple[CustomsLimit, ...] = (
        CustomsLimit("*", 100_000),
        CustomsLimit("HK", 80_000),
        CustomsLimit("MO", 80_000),
        CustomsLimit("TW", 80_000),
    )
    """T7: a personal parcel abroad that is worth more is looked at: the limits that China's
    customs set for what private people send by post."""
    intercept_answers_within: timedelta = timedelta(hours=24)
    """O8: how long the house waits to hear of a parcel that is called back."""
    order_labels: bool = False
    """W5: whether waybills of released parcels are ordered of an aggregator by themselves."""
    third_parties: frozenset[str] = frozenset()
    """W2: third parties' warehouses that are asked to send their parcels by themselves."""
    default_carrier: str = "zhongtong"
    """W4: takes a parcel whose plan names no carrier, because there are no rate cards."""
    packaging_grams: int = 100
    """W5: what a parcel's packaging is reckoned to weigh before it is weighed."""
    parcel_grams: int = 30_000
    """S4: heaviest parcel that orders are merged into."""
    minors_shown_for: timedelta = timedelta(hours=4)
    """A9: how long a minor's card may be looked at once a second person allowed it."""
    course_refund_percent: int = 20
    """Rule 7: a course is refundable below this progress."""
    first_scan_within: timedelta = timedelta(hours=24)
    """Rule 25: a parcel handed over and not seen by its carrier for so long is silent."""
    movement_within: timedelta = timedelta(hours=48)
    """Rule 25: a parcel under way without a scan for so long is silent."""
    customs_within: timedelta = timedelta(hours=24)
    """Rule 25: a parcel in customs without a scan for so long is silent."""
    inquire_after: timedelta = timedelta(hours=72)
    """T5: a parcel that nobody saw for so long, or that is so late, has its carrier asked."""
    disputable_for: timedelta = timedelta(days=30)
    """Rule 27: how long after signing a parcel can be disputed."""
    learner_answers_within: timedelta = timedelta(hours=48)
    """D1: then a question to the learner times out."""
    carrier_answers_within: timedelta = timedelta(hours=48)
    """D1: then an inquiry times out and may be asked again."""
    decide_within: timedelta = timedelta(hours=72)
    """D1: then a case is overdue."""
    return_within: timedelta = timedelta(days=7)
    """D3: goods that are to come back are sent within this time."""
    return_freight_points: int = 100
    """D3: what a learner at fault pays of a refund for the way back; never more than it is."""
    return_freight_fen: int = 1_000
    """D3: the same where only cash was paid, and what the way back is stated to cost."""
    filing_windows: tuple[FilingWindow, ...] = (
        FilingWindow("*", timedelta(days=7), timedelta(days=30)),
    )
    """D2: figures of the house, to be set to what its contracts with carriers say."""

    def confirms(self, carrier: str | None) -> bool:
        """Whether a receipt that this carrier pushed waits for a query (rule 23)."""
        return self.confirm_receipts or carrier in self.confirmed_carriers

    def filing_window(self, carrier: str | None) -> FilingWindow:
        """How long this carrier takes claims."""
        for one in self.filing_windows:
            if one.carrier == carrier:
                return one
        return next(one for one in self.filing_windows if one.carrier == "*")

    def travel_time(self, region: str) -> timedelta:
        """Rule 10: how long parcels to a region take where no carrier says so."""
        return self.lane_time_abroad if is_abroad(region) else self.lane_time

    def customs_limit_fen(self, country: str) -> int:
        """What a personal parcel to this country may be worth, in fen."""
        limits = dict(self.customs_limits)
        return limits.get(country, limits["*"])

    def excluded_region(self, place: SettledPlace) -> str | None:
        """The region that the place lies in and nobody ships to, in words; None: there is none."""
        excluded = self.excluded_regions
        if not excluded:
            return None
        province, code = place.province or "", place.division or ""
        if province in excluded:
            return province
        if code[:2] + "0000" in excluded:
            return province
        if code[:4] + "00" in excluded:
            return f"{province}{place.city or place.district}"
        if code in excluded:
            return f"{province}{place.city or ''}{place.district or ''}"
        return None


DEFAULT_RULES = HouseRules()
"""The figures as rules.md states them."""
