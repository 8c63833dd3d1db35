"""The figures of rules.md, one value per tenant; facts record the ones that decided them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from domain.addresses import SettledPlace
from domain.countries import COUNTRIES, is_abroad

SHANGHAI = ZoneInfo("Asia/Shanghai")


Time = Annotated[timedelta, Field(gt=timedelta())]
Amount = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Percent = Annotated[int, Field(ge=0, le=100)]


class Peak(NamedTuple):
    """Days on which warehouses and carriers take longer, first and last one included."""

    first: date
    last: date
    hours: Amount
    """How much longer what is released on such a day takes."""


def peak_hours(peaks: Iterable[Peak], zone: ZoneInfo, since: datetime, until: datetime) -> int:
    """How much longer what is on its way in between takes: as in the longest of its peaks."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    return max([one.hours for one in peaks if one.first <= last and first <= one.last], default=0)


class FilingWindow(NamedTuple):
    """How long a carrier takes claims (D2)."""

    carrier: str
    """Its code; `*` stands for all that are not named."""
    after_signing: Time
    after_hand_over: Time
    """Counts for parcels that were never signed for."""


class CustomsLimit(NamedTuple):
    """What a personal parcel to a country may be worth (T7)."""

    country: str
    """Its code; `*` stands for all that are not named."""
    fen: Amount


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Defaults as rules.md states them; a tenant's settings may change each of them.

    A deadline that follows from a figure is written into the fact (`pay_by`, `window_until`),
    so that a later change of settings never moves it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,60}$")] = "mall-2026"
    """Name of this set of figures, recorded in every order."""
    zone: ZoneInfo = SHANGHAI
    """In which days of the business begin and end."""
    pay_within: Time = timedelta(minutes=3)
    """Rule 8: unpaid after this long is cancelled."""
    service_window: Time = timedelta(days=7)
    """Rule 2: how long after receipt each part stays returnable."""
    kept_visible: Time = timedelta(days=730)
    """Rule 3: how long after its end an order stays visible to its customer."""
    payloads_kept: Time = timedelta(days=730)
    """Rule 30: how long what carriers pushed is kept as it came."""
    evidence_kept: Time = timedelta(days=1_095)
    """Rule 30: how long words and files of cases are kept: three years, in which claims lapse."""
    refund_grace: Time = timedelta(days=30)
    """Rule 16: life of points that come back into an expired lot."""
    max_parts: Count = 4
    """Rule 1: how many parts an order is split into at most."""
    max_freight_share_percent: Percent = 20
    """Rule 9: freight above this share of an item's market value keeps it out of the mall."""
    valuable_fen: Amount = 30_000
    """W4: goods worth as much as this go by a fast carrier."""
    carrier_gain_percent: Percent = 10
    """W4: a lane keeps its carrier unless another one is cheaper by more than this share."""
    late_parcel_fen: Amount = 500
    """W4: what a late parcel costs the house, in goodwill and questions."""
    excluded_regions: frozenset[str] = frozenset()
    """Rule 9: regions nobody ships to (the demo mall excludes the remote ones): full names of
    provinces, and codes of six digits of any division."""
    lane_time: Time = timedelta(days=3)
    """Rule 10: default travel time when no lane has been measured."""
    lane_time_abroad: Time = timedelta(days=14)
    """Rule 10: the same where customs are passed on the way."""
    late_points: Amount = 0
    """Rule 10: given once for an order that comes later than promised, fewer than
    `four_eyes_points`; 0: nothing is."""
    late_points_after: Time = timedelta(hours=24)
    """Rules 10, 23: so long after the promised time; every source was asked once more by then."""
    peaks: tuple[Peak, ...] = ()
    """Rule 10: the peak calendar, `["2026-11-01", "2026-11-20", 48]` each: what is released on
    these days takes so many hours longer."""
    debt_limit: Amount | None = None
    """L5: most points a claw-back may leave owing; None = no limit, 0 = refuse any debt."""
    four_eyes_points: Count = 5_000
    """Rule 26, A8: from here manual points, claw-backs, and refunds on somebody's word alone need a
    second person."""
    four_eyes_within: Time = timedelta(hours=24)
    """A8: what one person gives and takes by hand for one learner is added up for so long."""
    confirm_receipts: bool = False
    """Rule 23: whether a pushed receipt waits for a query before anything of value follows."""
    confirmed_carriers: frozenset[str] = frozenset()
    """Rule 23: carriers that are asked themselves, where nobody can be asked about the others."""
    review_value_fen: Amount = 30_000
    """Rule 26: orders whose goods are worth more than this are looked at before release."""
    review_orders_a_day: Count = 3
    """Rule 26: a learner's further orders within 24 hours are looked at."""
    review_accounts_at_address: Annotated[int, Field(ge=2)] = 5
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
    intercept_answers_within: Time = timedelta(hours=24)
    """O8: how long the house waits to hear of a parcel that is called back."""
    order_labels: bool = False
    """W5: whether waybills of released parcels are ordered of an aggregator by themselves."""
    stock_tolerance_units: Amount = 2
    """C3: so many units that a third party lacks of an item, all together since somebody looked,
    are booked by themselves; 0: none."""
    third_parties: frozenset[str] = frozenset()
    """W2: third parties' warehouses that are asked to send their parcels by themselves."""
    default_carrier: str = "zhongtong"
    """W4: takes a parcel whose plan names no carrier, because there are no rate cards."""
    packaging_grams: Amount = 100
    """W3, W5: what a parcel's packaging is reckoned to weigh before it is weighed."""
    parcel_grams: Count = 30_000
    """S4: heaviest parcel that orders are merged into."""
    minors_shown_for: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=7))] = (
        timedelta(hours=4)
    )
    """A9: how long a minor's card may be looked at once a second person allowed it."""
    course_refund_percent: Percent = 20
    """Rule 7: a course is refundable below this progress."""
    first_scan_within: Time = timedelta(hours=24)
    """Rule 25: a parcel handed over and not seen by its carrier for so long is silent."""
    movement_within: Time = timedelta(hours=48)
    """Rule 25: a parcel under way without a scan for so long is silent."""
    customs_within: Time = timedelta(hours=24)
    """Rule 25: a parcel in customs without a scan for so long is silent."""
    inquire_after: Time = timedelta(hours=72)
    """T5: a parcel that nobody saw for so long, or that is so late, has its carrier asked."""
    province_crossing: Time = timedelta(minutes=20)
    """T6: no parcel gets through a province in less, from the last scan before it to the first one
    after it: the narrowest by road, or any by air. Where partners are played, parcels fly."""
    disputable_for: Time = timedelta(days=30)
    """Rule 27: how long after signing a parcel can be disputed."""
    learner_answers_within: Time = timedelta(hours=48)
    """D1: then a question to the learner times out."""
    carrier_answers_within: Time = timedelta(hours=48)
    """D1: then an inquiry times out and may be asked again."""
    decide_within: Time = timedelta(hours=72)
    """D1: then a case is overdue."""
    return_within: Time = timedelta(days=7)
    """D3: goods that are to come back are sent within this time."""
    return_arrives_within: Time = timedelta(days=14)
    """D3: after the time to send them, goods on their way back are missed when this is over."""
    return_freight_points: Amount = 100
    """D3: what a learner at fault pays of a refund for the way back; never more than it is."""
    return_freight_fen: Amount = 1_000
    """D3: the same where only cash was paid, and what the way back is stated to cost."""
    filing_windows: tuple[FilingWindow, ...] = (
        FilingWindow("*", timedelta(days=7), timedelta(days=30)),
    )
    """D2: how long carriers take claims, as the contracts with them say, from signing and, never
    signed for, from hand-over: `["shunfeng", "P15D", "P60D"]`; `*` is all that are not named."""

    def __post_init__(self) -> None:
        """Raises `ValueError` where a list leaves out what all others get."""
        if "*" not in {one.carrier for one in self.filing_windows}:
            raise ValueError(
                "filing_windows says nothing of `*`, all carriers that it does not name"
            )
        if self.late_points >= self.four_eyes_points:
            raise ValueError(
                "late_points are given by nobody's hand: fewer than four_eyes_points (A8)"
            )
        countries = {one.country for one in self.customs_limits}
        if "*" not in countries:
            raise ValueError("customs_limits says nothing of `*`, all countries it does not name")
        if unknown := countries - {"*", *COUNTRIES}:
            raise ValueError(f"customs_limits names no country: {', '.join(sorted(unknown))}")

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


FOLLOWING: Final = frozenset({
    "confirm_receipts", "confirmed_carriers", "order_labels", "third_parties", "excluded_regions",
})  # fmt: skip
"""What follows from which partners there are and which regions are left out: not said apart."""

DEFAULT_RULES = HouseRules()
"""The figures as rules.md states them."""
