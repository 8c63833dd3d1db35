"""What a parcel's scans mean together, in whatever order and how often they come."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.anomalies import AnomalyKind
from domain.known_scans import TrackState, track
from domain.scans import (
    BEIJING,
    Coordinates,
    Scan,
    ScanKind,
    best_tellings,
    chronological,
    classify,
    normalise_text,
)
from domain.tracking import Onward, ParcelState, Track, TrackingLimits

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=BEIJING).astimezone(UTC)


def scan(hours: float, text: str, *, hint: ScanKind | None = None, **more: Any) -> Scan:
    """A scan so many hours after noon, read as a gateway would read it."""
    return Scan(
        number=more.pop("number", "YT0000000000001"),
        time=NOON + timedelta(hours=hours),
        text=normalise_text(text),
        carrier=more.pop("carrier", "yuantong"),
        kind=classify(text, hint=hint),
        **more,
    )


JOURNEY = (
    scan(1, "【杭州市西湖公司】 已揽收"),
    scan(3, "【杭州转运中心】 已发出 下一站 【上海转运中心公司】"),
    scan(9, "【上海转运中心公司】 已收入"),
    scan(20, "【上海市浦东公司】 派件中 派件人: * 电话 *"),
)
SIGNED = scan(22, "客户 签收人: 本人签收 已签收 感谢使用圆通速递，期待再次为您服务")


def read(*scans: Scan, **more: Any) -> Track:
    return track(scans, **{"handed_over_at": NOON, **more})


# --- states ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scans", "state"),
    [
        ([], "handed_over"),
        (JOURNEY[:1], "handed_over"),
        (JOURNEY[:2], "in_transit"),
        (JOURNEY, "out_for_delivery"),
        ([*JOURNEY, scan(21, "【上海市浦东公司】 已收入")], "out_for_delivery"),
        ([*JOURNEY, scan(21, "已发出 下一站 【上海市杨浦公司】")], "in_transit"),
        ([*JOURNEY[:2], scan(5, "快件清关中")], "customs"),
        ([*JOURNEY[:2], scan(5, "快件清关中"), scan(6, "已清关")], "in_transit"),
        ([*JOURNEY, scan(21, "快件派送不成功")], "delivery_failed"),
        ([*JOURNEY, scan(21, "已与收方客户约定新派送时间")], "delivery_failed"),
        ([*JOURNEY, scan(21, "派送不成功"), scan(30, "正在派件")], "out_for_delivery"),
        ([*JOURNEY, scan(21, "收件人拒收")], "delivery_failed"),
        ([*JOURNEY, scan(21, "已到达【浦东菜鸟驿站】")], "awaiting_pickup"),
        ([*JOURNEY, scan(21, "已放入快递柜"), scan(50, "快件被快递员取出")], "out_for_delivery"),
        ([*JOURNEY, scan(21, "已放入快递柜"), scan(30, "取件成功")], "signed"),
        ([*JOURNEY, SIGNED], "signed"),
        ([*JOURNEY, scan(21, "快件丢失")], "lost"),
        ([*JOURNEY, scan(21, "快件丢失"), scan(40, "到达【上海】")], "in_transit"),
        ([*JOURNEY, scan(21, "快件滞留")], "delivery_failed"),
        ([*JOURNEY[:2], scan(5, "快件滞留")], "in_transit"),
        ([*JOURNEY[:2], scan(5, "感谢您的支持")], "in_transit"),
    ],
)
def test_state_follows_when_scans_add_up(scans: list[Scan], state: str) -> None:
    """T2: a parcel's state is a function of the set of its scans."""
    assert read(*scans).state == state


def test_parcel_is_labelled_when_nobody_has_it() -> None:
    """T2: an order for a label is no hand-over, a carrier's pick-up scan is one."""
    assert read(handed_over_at=None).state is ParcelState.LABELLED
    assert read(scan(0, "等待揽收"), handed_over_at=None).state is ParcelState.LABELLED
    assert read(JOURNEY[0], handed_over_at=None).state is ParcelState.HANDED_OVER


@pytest.mark.parametrize(
    "text",
    [
        "【上海转运中心】 已发出 下一站 【浦东】",
        "【上海市浦东公司】 已收入",
        "正在第2次派件",
        "快件派送不成功",
        "快件已放入【丰巢快递柜】",
        "收件人拒收",
        "快件清关中",
        "快件丢失",
        "订单已取消",
        "快件滞留",
        "等待揽收",
        "感谢您的支持",
    ],
)
@pytest.mark.parametrize("hours", [0.5, 21, 22, 30])
def test_delivery_stands_when_a_late_scan_comes(text: str, hours: float) -> None:
    """T2: a late scan never takes back a delivery, early or late by its own time."""
    seen = read(*JOURNEY, SIGNED, scan(hours, text))
    assert (seen.state, seen.signed_at) == (ParcelState.SIGNED, SIGNED.time)


def test_odd_scans_are_named_when_a_parcel_travels_after_signing() -> None:
    """T2: the delivery stands, and whoever decides a dispute sees what came after it."""
    after = scan(30, "快件已放入【丰巢快递柜】")
    seen = read(*JOURNEY, SIGNED, after)
    assert [(a.kind, a.scans) for a in seen.anomalies] == [(AnomalyKind.AFTER_SIGNING, (after,))]
    assert read(*JOURNEY, SIGNED, scan(30, "取件成功")).anomalies == ()


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("客户要求退回，快件退回中", "returning"),
        ("快件已退签", "returned"),
        ("快件已转寄，新单号为SF1234567890123", "forwarded"),
        ("已签收,签收人是: 转EMS*", "handed_over"),
    ],
)
def test_delivery_is_undone_when_the_parcel_really_goes_on(text: str, state: str) -> None:
    """T2, rules.md 21: a return or a hand-over after 已签收 is no late scan."""
    seen = read(*JOURNEY, SIGNED, scan(40, text))
    assert (seen.state, seen.signed_at) == (state, None)


def test_sign_off_is_the_senders_when_the_parcel_travelled_back() -> None:
    """T2: 已签收 at the end of a return is the sender's, not the learner's."""
    back = (scan(40, "快件退回中"), scan(42, "【上海】已发出 下一站 【杭州】"))
    assert read(*JOURNEY, *back).state is ParcelState.RETURNING
    assert read(*JOURNEY, *back, scan(60, "派件中 派件员")).state is ParcelState.RETURNING
    assert read(*JOURNEY, *back, scan(61, "已签收")).state is ParcelState.RETURNED
    assert read(*JOURNEY, *back, scan(61, "已签收"), scan(70, "已发出")).state == "returned"


def test_return_is_seen_when_only_codes_tell_it() -> None:
    """T2: state 6 behind ordinary words makes the later 已签收 the sender's."""
    back = [
        scan(40, "【上海】已收入", hint=ScanKind.RETURNING),
        scan(42, "【上海】已发出", hint=ScanKind.RETURNING),
    ]
    assert read(*JOURNEY, *back, scan(61, "已签收")).state is ParcelState.RETURNED


def test_delivery_stands_when_an_announced_return_never_left() -> None:
    """T2: a return called off at the destination ends in an ordinary delivery."""
    called_off = scan(21, "快件退回中")
    assert read(*JOURNEY, called_off, SIGNED).state is ParcelState.SIGNED
    again = read(*JOURNEY, called_off, scan(21.5, "正在派件"))
    assert again.state is ParcelState.OUT_FOR_DELIVERY


def test_scans_are_void_when_their_carrier_was_corrected() -> None:
    """T2, rules.md 21: a corrected carrier's scans do not count, but stay in sight."""
    wrong = scan(23, "已签收", carrier="shentong")
    seen = read(*JOURNEY, wrong, voided_carriers=["shentong"])
    assert seen.state is ParcelState.OUT_FOR_DELIVERY
    assert [(a.kind, a.scans) for a in seen.anomalies] == [(AnomalyKind.VOID_CARRIER, (wrong,))]


def test_scans_are_foreign_when_over_a_day_before_hand_over() -> None:
    """T2, rules.md 21: 24 hours and no more belong to this parcel."""
    foreign, mine = scan(-24.01, "已签收"), scan(-24, "已揽收")
    seen = read(foreign, mine)
    assert (seen.state, seen.scans) == (ParcelState.HANDED_OVER, (mine,))
    assert [(a.kind, a.scans) for a in seen.anomalies] == [(AnomalyKind.ANOTHER_PARCEL, (foreign,))]
    wider = TrackingLimits(another_parcel_before=timedelta(hours=48))
    assert read(foreign, mine, limits=wider).state is ParcelState.SIGNED


def test_order_is_the_parcels_life_when_scans_share_a_second() -> None:
    """T2: arrival before departure, whichever came first; the guess is named."""
    arrived, left = scan(5, "快件到达【深圳】"), scan(5, "快件在【深圳】已装车，准备发往【南京】")
    for pair in ((arrived, left), (left, arrived)):
        seen = read(*pair)
        assert seen.scans == (arrived, left)
        assert [(a.kind, a.scans) for a in seen.anomalies] == [
            (AnomalyKind.SAME_SECOND, (arrived, left))
        ]


def test_waybill_is_cancelled_without_a_state_when_they_say_so() -> None:
    """T2: the contract has no such state, and the parcel may be moving all the same."""
    seen = read(JOURNEY[0], scan(2, "已销单"))
    assert (seen.state, seen.cancelled_at) == (ParcelState.HANDED_OVER, NOON + timedelta(hours=2))


# --- cards -----------------------------------------------------------------------------------


def test_pickup_card_is_filled_when_texts_give_it() -> None:
    """T8, rules.md 22: station, code and deadline, gathered from several scans."""
    first = scan(21, "快件已到达【浦东花园菜鸟驿站】,请及时取件")
    second = scan(22, "请凭取件码12-3-4567取件，请于3月5日20:00前取件")
    card = read(*JOURNEY, first, second).pickup
    assert card is not None
    assert (card.station, card.code) == ("浦东花园菜鸟驿站", "12-3-4567")
    assert card.since == first.time
    assert card.lapses_at == first.time + timedelta(days=7)
    assert card.deadline == datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("已放入快递柜，请24小时内取件", NOON + timedelta(hours=45)),
        ("已放入快递柜，请于2026-03-04 18:30前取件", datetime(2026, 3, 4, 10, 30, tzinfo=UTC)),
        ("已放入快递柜，请于1月2日前取件", datetime(2027, 1, 2, 15, 59, tzinfo=UTC)),
        ("已放入快递柜，请于2月30日前取件", None),
        ("已放入快递柜，请及时取件", None),
    ],
)
def test_deadline_is_read_when_the_text_gives_one(text: str, deadline: datetime | None) -> None:
    """T8: a date without a year is the next one; nonsense is no date."""
    card = read(*JOURNEY, scan(21, text)).pickup
    assert card is not None
    assert card.deadline == deadline


def test_card_is_gone_when_the_courier_took_the_parcel_back() -> None:
    """T8: nobody walks to a locker for nothing; after pick-up it stays as evidence."""
    waiting = scan(21, "快件已送达【丰巢快递柜】")
    assert read(*JOURNEY, waiting, scan(40, "快件被快递员取出")).pickup is None
    assert read(*JOURNEY, waiting, scan(40, "取件成功")).pickup is not None


@pytest.mark.parametrize(
    ("text", "signer"),
    [
        ("快件已签收,签收人是草签，签收网点是宁波海曙营业部", "草签"),
        ("客户 签收人: 邮件收发章 已签收", "邮件收发章"),
        ("客户签收人: 已签收，签收人凭取货码签收。", None),
        ("已签收,感谢使用顺丰", None),
    ],
)
def test_signer_is_read_when_the_text_names_one(text: str, signer: str | None) -> None:
    """T8: proof of delivery, in the carrier's words."""
    assert read(*JOURNEY, scan(22, text)).signer == signer


def test_next_carrier_is_read_when_handed_on() -> None:
    """T2, rules.md 21: who has it next and under which number."""
    assert read(scan(5, "已签收,签收人是: 转EMS1074321870550")).onward == Onward(
        "EMS", "1074321870550"
    )
    assert read(scan(5, "已签收,签收人是: 转EMS*")).onward == Onward("EMS", None)
    assert read(scan(5, "应客户要求转寄,新单号为SF1234567890123")).onward == Onward(
        None, "SF1234567890123"
    )


def test_movement_is_not_seen_when_only_paper_moves() -> None:
    """T2, rules.md 25: an order or a remark does not stop the clock of a stalled parcel."""
    seen = read(*JOURNEY[:2], scan(30, "快件滞留"), scan(31, "感谢您的支持"))
    assert seen.last_movement_at == JOURNEY[1].time
    assert seen.scans[-1].time > JOURNEY[1].time


# --- the set ---------------------------------------------------------------------------------

PHRASES = [
    "等待揽收", "已揽收", "到达【甲】", "离开【甲】，发往【乙】", "清关中", "已清关", "正在派件",
    "派送不成功", "已放入【丰巢快递柜】", "取件成功", "已签收", "拒收", "退回中", "退签",
    "已转寄", "签收人: 转EMS", "丢失", "滞留", "快件被快递员取出", "您好",
    "预约3月4日14:00-16:00派送", "改约至明天下午",
]  # fmt: skip
scans_of_a_parcel = st.lists(
    st.builds(
        scan,
        st.sampled_from([-30, 0, 1, 2, 3]),
        st.sampled_from(PHRASES),
        hint=st.sampled_from([None, *ScanKind]),
        carrier=st.sampled_from(["yuantong", "shentong", "zhongtong"]),
        number=st.sampled_from(["YT0000000000001", "YT0000000000002"]),
        division=st.sampled_from([None, "110000", "310000"]),
        coordinates=st.sampled_from([None, Coordinates(121.4, 31.2)]),
        status=st.sampled_from([None, "在途"]),
        code=st.sampled_from([None, "0", "304"]),
    ),
    max_size=12,
)


@given(scans_of_a_parcel, st.data())
def test_track_is_the_same_when_scans_come_shuffled_and_again(
    scans: list[Scan], data: st.DataObject
) -> None:
    """T2, R35: any order, any repetition."""
    shuffled = data.draw(st.permutations(scans + scans[: len(scans) // 2]))
    voided = data.draw(st.sampled_from([[], ["shentong"]]))
    assert read(*shuffled, voided_carriers=voided) == read(*scans, voided_carriers=voided)


@given(scans_of_a_parcel, st.lists(st.integers(0, 12), max_size=4), st.booleans())
def test_pieces_are_the_whole_when_fed_as_they_come(
    scans: list[Scan], cuts: list[int], voided: bool
) -> None:
    """T2: the aggregate that records only what is fresh reads what `track` reads."""
    state = TrackState(numbers=frozenset(one.number for one in scans))
    edges = [0, *sorted(cuts), len(scans)]
    for start, end in pairwise(edges):
        recorded = state.fresh(scans[start:end])
        state = state.with_scans(recorded)
        assert state.fresh(scans[start:end]) == ()
    state = state.with_hand_over(NOON)
    state = state.with_voided("shentong") if voided else state
    assert state.track() == read(*scans, voided_carriers=["shentong"] if voided else [])


@given(scans_of_a_parcel)
def test_each_scan_counts_once_when_told_in_versions(scans: list[Scan]) -> None:
    """T2, rules.md 21: number, time and text are one scan, and it keeps its best telling."""
    seen = read(*scans).scans
    assert len({one.identity for one in seen}) == len(seen)
    assert list(seen) == sorted(seen, key=chronological)
    assert set(seen) <= set(best_tellings(scans, by_carrier=False))


def test_only_new_scans_are_fresh_when_the_full_list_comes_again() -> None:
    """T2, wire 1.6: every push holds the full list; nothing new, nothing recorded."""
    state = TrackState(handed_over_at=NOON).with_scans(JOURNEY[:3])
    assert state.fresh(reversed(JOURNEY)) == (JOURNEY[3],)
    assert state.fresh(JOURNEY[:3]) == ()


def test_a_known_scan_is_fresh_when_its_place_becomes_known() -> None:
    """T1: the route gains the place, and the scan is still one."""
    bare = scan(5, "到达【甲】")
    placed = scan(5, "到达【甲】", division="310000")
    state = TrackState().with_number(bare.number).with_scans([bare])
    assert state.fresh([placed]) == (placed,)
    assert state.with_scans([placed]).track().scans == (placed,)
    assert state.with_scans([placed]).fresh([bare]) == ()


def test_scans_are_not_fresh_when_their_carrier_is_void() -> None:
    """T2, rules.md 21: but the right carrier may tell the same scan, and that counts."""
    wrong, right = scan(5, "已签收", carrier="zhongtong"), scan(5, "已签收")
    known = TrackState(handed_over_at=NOON).with_number(wrong.number)
    state = known.with_scans([wrong]).with_voided("zhongtong")
    assert state.fresh([wrong, scan(6, "已签收", carrier="zhongtong")]) == ()
    assert state.fresh([right]) == (right,)
    assert state.with_scans([right]).track().state is ParcelState.SIGNED


def test_a_scan_counts_once_when_two_sources_tell_it() -> None:
    """T1, rules.md 21: number, time and text are the identity, whoever tells them."""
    assert len(read(scan(5, "到达【甲】"), scan(5, "到达【甲】", carrier="ems")).scans) == 1


@pytest.mark.parametrize("kind", list(ScanKind))
def test_every_kind_is_read_when_it_comes_alone(kind: ScanKind) -> None:
    """T2: total, so that replay never fails."""
    for start in (None, NOON):
        for before in ((), JOURNEY, (*JOURNEY, SIGNED)):
            one = Scan("YT0000000000001", NOON + timedelta(days=2), "*", "yuantong", kind)
            assert track([*before, one], handed_over_at=start).state in ParcelState
