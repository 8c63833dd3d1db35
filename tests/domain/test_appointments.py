"""When a delivery was agreed: read from carriers' words, and nothing is late before it (T5, T8)."""

from datetime import datetime, timedelta

import pytest

from domain.appointments import Appointment, read_appointment
from domain.delays import Delay, DelayCause, Window, awaited, tell, told_and_lasting, window
from domain.lanes import Milestone
from domain.parcel_facts import ArrivalEstimated, DeliveryDelayed, ParcelScanned
from domain.parcels import Parcel
from domain.recorded_scans import as_fact
from domain.scans import BEIJING, Scan, ScanKind, classify, normalise_text
from domain.silence import Quiet, Silence
from domain.tracking import ParcelState
from tests.domain.test_arriving import HOUR, parcel
from tests.domain.test_arriving import NOON as SENT_AT
from tests.domain.test_silence import heard
from tests.domain.test_tracking import JOURNEY, SIGNED, read, scan


def span(day: str, start: str, end: str) -> tuple[datetime, datetime]:
    """Both ends, in Beijing time; 24:00 ends the day."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=BEIJING)
    hours = [timedelta(hours=int(at[:2]), minutes=int(at[3:])) for at in (start, end)]
    return midnight + hours[0], midnight + hours[1]


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        ("预约11月24日14:00-16:00派送", span("2026-11-24", "14:00", "16:00")),
        ("预约2026年11月24日 14:00～16:00 配送", span("2026-11-24", "14:00", "16:00")),
        ("客户改约至11-24 9:00至11:30", span("2026-11-24", "09:00", "11:30")),
        ("约定于11月24日[15:00-19:00]送达", span("2026-11-24", "15:00", "19:00")),
        ("已预约11月24日(周二)14点-16点派件", span("2026-11-24", "14:00", "16:00")),
        ("预约11月24日下午2点-4点派送", span("2026-11-24", "14:00", "16:00")),
        ("预约11月24日上午派送", span("2026-11-24", "08:00", "12:00")),
        ("客户约定明天下午派送", span("2026-11-24", "12:00", "18:00")),
        ("预约11月24日送货,联系电话95338", span("2026-11-24", "00:00", "24:00")),
        ("预约11月24日22:00-24:00派送", span("2026-11-24", "22:00", "24:00")),
        ("预约11月24日16:00-14:00派送", span("2026-11-24", "16:00", "24:00")),
        # As carriers wrote it (histories): a start alone, which lasts until its day ends.
        ("已与收方客户约定新派送时间 202611241010,待派送", span("2026-11-24", "10:10", "24:00")),
        (
            "快件派送不成功(已与收方客户约定新派送时间 2026-11-24 11:55:00),待再次派送",
            span("2026-11-24", "11:55", "24:00"),
        ),
        ("预约11月23日14:00-16:00派送", span("2026-11-23", "14:00", "16:00")),  # it goes on
        ("预约1月3日派送", span("2027-01-03", "00:00", "24:00")),  # the next such day
        ("预约11月22日派送", None),  # of the year that passed, not of one to come
        ("预约2月30日派送", None),
        ("预约11月24日25:00-26:00派送", None),
        ("快件派送不成功(已与收方客户约定新派送时间 ),待再次派送", None),
        ("预约派送,联系电话13800138000", None),
        ("已预约11月24日14:00-16:00上门取件", None),  # at its sender's
        ("快件已到达驿站,预约11月24日取件", None),
    ],
)
def test_what_was_agreed_is_read_in_each_form(
    text: str, agreed: tuple[datetime, datetime] | None
) -> None:
    """T8: given a scan of 23 November at three, when it is read, then a half-open span."""
    normal = normalise_text(text)
    said = Scan(
        number="SF1", time=datetime(2026, 11, 23, 15, tzinfo=BEIJING), text=normal,
        carrier="shunfeng", kind=classify(normal),
    )  # fmt: skip
    assert read_appointment(said) == (agreed and Appointment(*agreed))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("快递员已与客户预约11月24日14:00-16:00派送", ScanKind.RESCHEDULED),
        ("您预约11月24日14:00配送的快件已签收", ScanKind.SIGNED),
        ("已按预约11月24日14:00-16:00送货,快递员正在派送", ScanKind.OUT_FOR_DELIVERY),
    ],
)
def test_an_agreement_hides_nothing_that_happened(text: str, kind: ScanKind) -> None:
    """T2, T8: a text that names the time and the receipt tells of the receipt."""
    assert classify(text) is kind


AGREED = scan(21, "已与收方客户约定3月5日14:00-16:00派送")
THEN = Appointment(*span("2026-03-05", "14:00", "16:00"))


def test_the_last_agreement_counts_until_the_parcel_came_or_turned_back() -> None:
    """T8: whoever has it, refused it or finds it at a station waits for no courier."""
    assert read(*JOURNEY, AGREED).appointment == THEN
    assert read(*JOURNEY, AGREED).state is ParcelState.DELIVERY_FAILED
    later = scan(22, "客户改约至3月6日14:00-16:00")
    moved = read(*JOURNEY, later, AGREED).appointment
    assert moved == Appointment(*span("2026-03-06", "14:00", "16:00"))
    for text in ("已签收", "拒收", "退回寄件人", "已放入【丰巢快递柜】"):
        assert read(*JOURNEY, AGREED, scan(23, text)).appointment is None
    taken_out = (scan(23, "已放入【丰巢快递柜】"), scan(24, "快件被快递员取出"))
    assert read(*JOURNEY, AGREED, *taken_out).appointment is None


def test_silence_counts_from_the_end_of_what_was_agreed() -> None:
    """T5, T8: and from a sight of the parcel after it, as ever."""
    assert heard(*JOURNEY, AGREED) == Quiet(Silence.NO_MOVEMENT, THEN.ends_at)
    seen = scan(90, "【上海市浦东公司】 派件中 派件人: * 电话 *")
    assert heard(*JOURNEY, AGREED, seen) == Quiet(Silence.NO_MOVEMENT, seen.time)
    assert heard(AGREED) == Quiet(Silence.NO_FIRST_SCAN, THEN.ends_at)
    assert heard(*JOURNEY, AGREED, SIGNED) is None


def estimated(latest: float) -> ArrivalEstimated:
    return ArrivalEstimated(
        milestone=Milestone.HANDED_OVER, reached_at=SENT_AT, earliest=SENT_AT + 5 * HOUR,
        latest=SENT_AT + latest * HOUR, basis="city", parcels=40,
    )  # fmt: skip


def agreed_by(latest: float, *facts: DeliveryDelayed | ParcelScanned) -> Parcel:
    """A parcel that was told to arrive within so many hours, and is put off to 5 March."""
    on_its_way = as_fact(JOURNEY[1], source="test", payload=None)
    put_off = as_fact(AGREED, source="test", payload=None)
    own = [one.model_copy(update={"waybill": "YT1"}) for one in (on_its_way, put_off)]
    return parcel(more=(estimated(latest), *own, *facts))


def test_nothing_is_late_or_silent_before_what_was_agreed() -> None:
    """T5, T8: given it was told as late, when it is put off, then that is over until then."""
    late = Delay(DelayCause.ETA_PASSED, SENT_AT + 10 * HOUR)
    silent = Delay(DelayCause.NO_MOVEMENT, JOURNEY[1].time)
    told = [DeliveryDelayed(cause=one.cause, since=one.since) for one in (late, silent)]
    box = agreed_by(10, *told)
    assert window(box, box.track()) == Window(THEN.starts_at, THEN.ends_at, "appointment")
    assert told_and_lasting(box) is None
    assert [tell(agreed_by(10), one, now=THEN.starts_at) for one in (late, silent)] == [[], []]
    for cause in (DelayCause.ETA_PASSED, DelayCause.NO_MOVEMENT):
        anew = Delay(cause, THEN.ends_at)
        (fact,) = tell(box, anew, now=THEN.ends_at + 48 * HOUR)
        assert fact == DeliveryDelayed(cause=cause, since=THEN.ends_at)


def test_an_estimate_that_ends_later_stays() -> None:
    """T4, T8: nobody is told of lateness before the time that the house itself named."""
    box = agreed_by(200)
    assert awaited(box, box.track()) == SENT_AT + 200 * HOUR
