"""Rate cards from a file: every row answered, a card whole or not at all (W3)."""

from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from application.importing import Report
from application.rate_files import COLUMNS, ReadCards, read_rate_cards
from application.spreadsheets import Unreadable
from domain.house_rules import SHANGHAI
from domain.rate_facts import Lane, Rate, RateCard, Risk, Service, Surcharge, SurchargeKind, Tier

HEADS = (
    "carrier,effective_from,kind,origin,destinations,served,first_kg,first_yuan,additional_kg,"
    "additional_yuan,hours"
)
LANE = "zhongtong,2026-11-01,,浙江,江苏,,,5.2,,2,64"


def read(folder: Path, *rows: str, heads: str = HEADS) -> ReadCards:
    path = folder / "rates.csv"
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return read_rate_cards(path, zone=SHANGHAI)


def refused(found: ReadCards) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.code) for one in found.refused]


def test_a_sheet_becomes_the_cards_that_it_says(tmp_path: Path) -> None:
    """W3: lanes, prices within a city, lanes that are not served, surcharges, tiers, risk; cards
    of two carriers, rows that go on, short names of provinces, Chinese words."""
    path = tmp_path / "价目.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    names = [
        "承运商", "生效日期", "价目表", "服务类型", "抛比", "限重", "行类型", "始发", "目的",
        "是否送达", "首重价", "续重价", "时效", "附加费", "超长", "每件", "月件数", "折扣百分比",
        "late_per_thousand",
    ]  # fmt: skip
    empty: list[object] = [None] * len(names)

    def row(**cells: object) -> list[object]:
        return [cells.get(name, value) for name, value in zip(names, empty, strict=True)]

    card = {"承运商": "zhongtong", "生效日期": date(2026, 11, 1), "抛比": 8000, "限重": 50}
    for one in (
        names,
        row(**card, 价目表="2026 H2", 始发="浙江", 目的="浙江", 首重价=3.8, 续重价=0.8, 时效=40),
        row(行类型="同城", 始发="浙江", 目的="浙江省", 首重价=3.5, 续重价=0.6, 时效=30),
        row(始发="浙江省", 目的="江苏、上海", 首重价=5.2, 续重价=2, 时效=64),
        row(始发="浙江", 目的="*", 首重价="6.00", 续重价=2.5, 时效=72),
        row(始发="浙江", 目的="西藏", 是否送达="否"),
        row(行类型="附加费", 附加费="超长", 超长=120, 每件=10),
        row(行类型="量级", 月件数=3000, 折扣百分比=3),
        row(行类型="风险", late_per_thousand=25),
        row(承运商="SHUNFENG", 生效日期="2026/11/1", 服务类型="快速", 始发="*", 目的="其他",
            首重价=12, 续重价=5, 时效=24),
    ):  # fmt: skip
        sheet.append(one)
    book.save(path)
    found = read_rate_cards(path, zone=SHANGHAI)
    first = datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert found.refused == []
    assert (found.rows, found.held_back) == (9, 0)
    assert found.cards == [
        RateCard(
            carrier="zhongtong",
            effective_from=first,
            name="2026 H2",
            volume_divisor=8_000,
            max_parcel_grams=50_000,
            lanes=(
                Lane(
                    origin="浙江省",
                    destinations=("浙江省",),
                    rate=Rate(first_fen=380, additional_fen=80, hours=40),
                    same_city=Rate(first_fen=350, additional_fen=60, hours=30),
                ),
                Lane(
                    origin="浙江省",
                    destinations=("江苏省", "上海市"),
                    rate=Rate(first_fen=520, additional_fen=200, hours=64),
                ),
                Lane(
                    origin="浙江省",
                    destinations=("*",),
                    rate=Rate(first_fen=600, additional_fen=250, hours=72),
                ),
                Lane(origin="浙江省", destinations=("西藏自治区",), rate=None),
            ),
            surcharges=(Surcharge(kind=SurchargeKind.OVERSIZE, over_longest_mm=1_200, fen=1_000),),
            tiers=(Tier(parcels=3_000, percent_off=3),),
            risk=Risk(late_per_thousand=25),
        ),
        RateCard(
            carrier="shunfeng",
            effective_from=first,
            service=Service.FAST,
            lanes=(
                Lane(
                    origin="*",
                    destinations=("*",),
                    rate=Rate(first_fen=1_200, additional_fen=500, hours=24),
                ),
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("zhongtong,2026-11-01,,浙江,火星,,,5,,2,64", "destinations", "unusable"),
        ("zhongtong,2026-11-01,,浙江 江苏,上海,,,5,,2,64", "origin", "unusable"),
        ("zhongtong,2026-11-01,,浙江,,,,5,,2,64", "destinations", "empty"),
        ("zhongtong,2026-11-01,,浙江,上海 上海,,,5,,2,64", "destinations", "twice"),
        ("zhongtong,2026-11-01,,浙江,江苏,,,5,,2,64", "destinations", "twice"),
        ("zhongtong,2026-11-01,,浙江,上海,maybe,,5,,2,64", "served", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,5.005,,2,64", "first_yuan", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,-5,,2,64", "first_yuan", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,NaN,,2,64", "first_yuan", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,1e9,,2,64", "first_yuan", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,five,,2,64", "first_yuan", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,,,2,64", "first_yuan", "empty"),
        ("zhongtong,2026-11-01,,浙江,上海,,0,5,,2,64", "first_kg", "unusable"),
        ("zhongtong,2026-11-01,,浙江,上海,,,5,,2,0", "hours", "unusable"),
        ("zhongtong,2026-11-01,sea,浙江,上海,,,5,,2,64", "kind", "unusable"),
        ("zhongtong,2026-11-01,same_city,浙江,上海,,,5,,2,64", "destinations", "no_lane"),
        ("zhongtong,2026-11-01,surcharge,,,,,,,,", "surcharge", "empty"),
    ],
)
def test_a_card_is_held_back_when_one_of_its_rows_is_refused(
    tmp_path: Path, row: str, column: str, code: str
) -> None:
    """W3: a lane that is missing would be a price nobody means; CONTROL: another card is read."""
    other = "ems,2026-11-01,,浙江,江苏,,,9,,3,80"
    found = read(tmp_path, LANE, row, other)
    assert refused(found) == [(2, "", "held_back"), (3, column, code)]
    assert [one.carrier for one in found.cards] == ["ems"]
    assert (found.rows, found.held_back) == (3, 1)


@pytest.mark.parametrize(
    "row",
    [
        "中通,2026-11-01,,浙江,上海,,,5,,2,64",
        "zhongtong,soon,,浙江,上海,,,5,,2,64",
        "zhongtong,,,浙江,上海,,,5,,2,64",
        ",2026-11-01,,浙江,上海,,,5,,2,64",
    ],
)
def test_every_card_is_held_back_when_nobody_knows_whose_a_row_is(tmp_path: Path, row: str) -> None:
    """W3: any of them may be the one that it is missing in."""
    found = read(tmp_path, LANE, row)
    assert [one[2] for one in refused(found)] in (
        ["held_back", "unusable"], ["held_back", "empty"],
    )  # fmt: skip
    assert found.cards == []


def test_terms_of_a_card_are_refused_when_its_rows_differ(tmp_path: Path) -> None:
    """W3: nobody guesses which of two divisors is meant; said twice alike is said once."""
    heads = f"{HEADS},volume_divisor"
    alike = read(tmp_path, f"{LANE},8000", ",,,浙江,上海,,,5,,2,64,8000", heads=heads)
    assert alike.cards[0].volume_divisor == 8_000
    differ = read(tmp_path, f"{LANE},8000", ",,,浙江,上海,,,5,,2,64,6000", heads=heads)
    assert refused(differ) == [(2, "", "held_back"), (3, "volume_divisor", "differs")]


def test_corrected_rows_are_read_from_the_report_when_they_are_sent_again(tmp_path: Path) -> None:
    """W3: the report has all rows of a card that was held back, in the columns of a sheet."""
    found = read(tmp_path, LANE, ",,,浙江,火星,,,5,,2,64")
    report = Report(tmp_path / "refused.csv", columns=tuple(COLUMNS))
    for one in found.refused:
        report.keep(one)
    report.write()
    text = report.path.read_text(encoding="utf-8-sig")
    report.path.write_text(text.replace("火星", "上海"), encoding="utf-8")
    again = read_rate_cards(report.path, zone=SHANGHAI)
    assert again.refused == []
    assert [lane.destinations for lane in again.cards[0].lanes] == [("江苏省",), ("上海市",)]


@pytest.mark.parametrize(
    ("heads", "code"),
    [
        ("carrier,origin", "column_missing"),
        (f"{HEADS},hours", "column_twice"),
        (f"{HEADS},volume_devisor", "unknown_column"),
        (HEADS, "empty"),
    ],
)
def test_a_file_is_refused_when_no_card_could_be_made_of_it(
    tmp_path: Path, heads: str, code: str
) -> None:
    """W3, R53: before anything is read of it."""
    with pytest.raises(Unreadable) as unreadable:
        read(tmp_path, heads=heads)
    assert unreadable.value.code == code


@pytest.mark.parametrize("day", ["1999-12-31", "9999-12-31", "0001-01-01T00:00:00+14:00"])
def test_a_card_is_of_a_day_that_somebody_can_mean(tmp_path: Path, day: str) -> None:
    """M4: none counts from the calendar's edge on."""
    found = read(tmp_path, LANE.replace("2026-11-01", day))
    assert (found.cards, refused(found)) == ([], [(2, "effective_from", "unusable")])
    assert "2199-12-31" in found.refused[0].why_zh
