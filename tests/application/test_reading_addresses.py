"""Addresses are read against the official divisions, and nothing is guessed (M4, O1, O7)."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.divisions import address_reader
from domain.address_doubts import Doubt
from domain.address_reading import Fields
from domain.division_names import forms_of
from domain.divisions import Chain, Level
from domain.former_divisions import also_under, former_names
from domain.namesakes import NEEDS
from domain.regions import PROVINCES
from tests.bench import addresses

READER = address_reader()
DIVISIONS = READER.divisions
SETTLED = {
    # every usual way to write one place
    "浙江省杭州市西湖区文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "浙江杭州西湖区文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "杭州西湖文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "浙江省-杭州市-西湖区-文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "收货地址:中国 浙江省 杭州市 西湖区 文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "杭州市西湖区杭州市西湖区文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "西湖区杭州市浙江省文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    "浙 江 省 杭 州 市西湖区文三路138号": ("浙江省", "杭州市", "西湖区", "文三路138号"),
    # municipalities are their own city
    "安徽合肥巢湖市人民路1号": ("安徽省", "合肥市", "巢湖市", "人民路1号"),
    "上海市市辖区浦东新区世纪大道1号": ("上海市", "上海市", "浦东新区", "世纪大道1号"),
    "北京朝阳区建国路88号": ("北京市", "北京市", "朝阳区", "建国路88号"),
    "重庆市忠县忠州街道1号": ("重庆市", "重庆市", "忠县", "忠州街道1号"),
    # autonomous regions, prefectures, counties and banners by their customary names
    "广西省南宁市青秀区民族大道1号": ("广西壮族自治区", "南宁市", "青秀区", "民族大道1号"),
    "内蒙呼伦贝尔鄂温克旗巴彦托海镇1号": (
        "内蒙古自治区", "呼伦贝尔市", "鄂温克族自治旗", "巴彦托海镇1号",
    ),
    "恩施州利川市清江大道1号": ("湖北省", "恩施土家族苗族自治州", "利川市", "清江大道1号"),
    "石柱县南宾街道1号": ("重庆市", "重庆市", "石柱土家族自治县", "南宾街道1号"),
    "辽宁阜新阜蒙县文化路1号": ("辽宁省", "阜新市", "阜新蒙古族自治县", "文化路1号"),
    # counties straight under their province, cities without districts, places without cities
    "湖北省仙桃市沔州大道1号": ("湖北省", "", "仙桃市", "沔州大道1号"),
    "湖北省省直辖县级行政区划潜江市章华路1号": ("湖北省", "", "潜江市", "章华路1号"),
    "新疆石河子市北一路1号": ("新疆维吾尔自治区", "", "石河子市", "北一路1号"),
    "广东省东莞市虎门镇连升路1号": ("广东省", "东莞市", "", "虎门镇连升路1号"),
    "香港九龙弥敦道1号": ("香港特别行政区", "", "", "九龙弥敦道1号"),
    # names that begin or end like others
    "吉林吉林市船营区北京路1号": ("吉林省", "吉林市", "船营区", "北京路1号"),
    "济南市中区经七路1号": ("山东省", "济南市", "市中区", "经七路1号"),
    "台州路桥区路桥街道1号": ("浙江省", "台州市", "路桥区", "路桥街道1号"),
    "青海海南州共和县青海湖路1号": ("青海省", "海南藏族自治州", "共和县", "青海湖路1号"),
    "乌鲁木齐新市区北京路1号": ("新疆维吾尔自治区", "乌鲁木齐市", "新市区", "北京路1号"),
    # same-named districts that the context settles
    "南京鼓楼区中山路1号": ("江苏省", "南京市", "鼓楼区", "中山路1号"),
    "福建福州鼓楼区五四路1号": ("福建省", "福州市", "鼓楼区", "五四路1号"),
    # words out of order
    "文三路138号,西湖区,杭州市": ("浙江省", "杭州市", "西湖区", "文三路138号,西湖区,杭州市"),
    # slips of the pen
    "安微省阜阳市颖上县管仲路1号": ("安徽省", "阜阳市", "颍上县", "管仲路1号"),
}  # fmt: skip


@pytest.mark.parametrize("text", SETTLED)
def test_an_address_is_read_when_its_words_settle_it(text: str) -> None:
    """M4: province, city, district and the rest, however it is written."""
    reading = READER.read(text)
    assert (*reading.names, reading.detail) == SETTLED[text]
    assert reading.doubts == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("浙江省宁波市江东区彩虹北路1号", "330212"),
        ("上海市闸北区天目西路1号", "310106"),
        ("上海卢湾区淮海中路1号", "310101"),
        ("北京市宣武区广安门内大街1号", "110102"),
        ("杭州市下城区延安路1号", "330105"),
        ("杭州市江干区下沙2号大街1号", "330114"),
        ("杭州市江干区采荷街道凤起东路1号", "330102"),
        ("绍兴县柯桥街道1号", "330603"),
        ("绍兴县孙端镇1号", "330602"),
        ("重庆市渝北区龙溪街道1号", "500157"),
        ("重庆市渝北区统景镇1号", "500109"),
        ("山东省莱芜市莱城区1号", "370116"),
        ("江苏苏州平江区观前街1号", "320508"),
        ("湖北省襄樊市襄阳区航空路1号", "420607"),
        ("河北省邢台市桥西区中兴西大街1号", "130503"),
        ("山西省大同市矿区新平旺1号", "140214"),
        ("安徽省巢湖市含山县环峰镇1号", "340522"),
        ("广东顺德市大良1号", "440606"),
        ("深圳市光明新区公明街道1号", "440311"),
        ("四川省资阳市简阳市石桥街道1号", "510185"),
        ("吉林省四平市公主岭市东三街1号", "220184"),
    ],
)
def test_a_former_name_means_what_it_became(text: str, code: str) -> None:
    """M4: renamed, merged and moved divisions are today's, where one of them is meant."""
    reading = READER.read(text)
    assert reading.division is not None
    assert reading.division.code == code
    assert set(reading.doubts) <= {Doubt.FORMER_NAME}


@pytest.mark.parametrize(
    ("text", "doubt", "candidates"),
    [
        ("鼓楼区中山路1号", Doubt.AMBIGUOUS, {"320106", "320302", "350102", "410204"}),
        ("朝阳区建设街1号", Doubt.AMBIGUOUS, {"110105", "220104"}),
        ("江北区建新路1号", Doubt.AMBIGUOUS, {"330205", "500157"}),
        ("江苏省苏州市吴县市木渎镇1号", Doubt.AMBIGUOUS, {"320506", "320507"}),
        ("广东省杭州市西湖区文三路1号", Doubt.CONTRADICTION, {"440000", "330106"}),
        ("宁波市江北区 杭州市余杭区文一西路1号", Doubt.CONTRADICTION, {"330205", "330110"}),
        ("金华 八一南街1号", Doubt.AMBIGUOUS, {"330700"}),
    ],
)
def test_it_is_asked_with_candidates_when_several_can_be_meant(
    text: str, doubt: Doubt, candidates: set[str]
) -> None:
    """M4: what the words don't settle is asked for, not guessed."""
    reading = READER.read(text)
    assert doubt in reading.doubts
    assert reading.county is None
    assert {chain.last.code for chain in reading.candidates} == candidates


def test_what_contradicting_names_share_is_settled() -> None:
    """M4: two districts of one city are no doubt about the city."""
    reading = READER.read("宁波市鄞州区江北区中山路1号")
    assert reading.names == ("浙江省", "宁波市", "")
    assert Doubt.CONTRADICTION in reading.doubts


def test_the_most_of_a_divided_district_is_filled_in_and_doubted() -> None:
    """O7: 江干区 is mostly 上城区 today; without a town somebody should look."""
    reading = READER.read("杭州市江干区庆春东路1号")
    assert reading.names == ("浙江省", "杭州市", "上城区")
    assert {chain.last.name for chain in reading.candidates} == {"上城区", "钱塘区"}
    assert Doubt.AMBIGUOUS in reading.doubts


@pytest.mark.parametrize(
    "text",
    [
        "上海路128号", "北京西路12号", "南京东路3号", "中山路88号", "浙江中路9号", "长安镇1号",
        "河南岸街道1号", "西湖文化广场1号", "朝阳门大街1号", "香港财富广场2楼", "江口上辇开发区1号",
        "仁和河南村1号", "西乡固戍一路1号", "文三路138号", "朝阳 建设街1号", "皇姑山路1号",
        "古县镇1号", "北京大厦1号", "上海花园3幢", "深圳大学2号", "城区玉树路1号",
        "安阳万松东路1号",
    ],
)  # fmt: skip
def test_nothing_is_settled_when_a_name_is_part_of_another(text: str) -> None:
    """M4: roads, towns and buildings bear the names of cities that they don't lie in."""
    assert READER.read(text).division is None


@pytest.mark.parametrize(
    ("text", "city", "district"),
    [
        ("杭州西湖文化广场1号", "杭州市", ""),
        ("北京朝阳门外大街1号", "北京市", ""),
        ("杭州市民中心1号", "杭州市", ""),
        ("武汉江汉路1号", "武汉市", ""),
    ],
)
def test_a_sight_is_no_district(text: str, city: str, district: str) -> None:
    """M4: 西湖文化广场 lies elsewhere in 杭州."""
    assert READER.read(text).names[1:] == (city, district)


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("浙江省杭州市西湖区", {Doubt.NO_DETAIL}),
        ("浙江省杭州市西湖区三墩镇", {Doubt.NO_DETAIL}),
        ("浙江省杭州市西湖区无", {Doubt.NO_DETAIL}),
        ("浙江省杭州市文三路1号", {Doubt.NO_DISTRICT}),
        ("上海市世纪大道1号", {Doubt.NO_DISTRICT}),
        ("浙江省文三路1号", {Doubt.INCOMPLETE}),
        ("文三路1号", {Doubt.INCOMPLETE}),
        ("江苏省苏州市工业园区星湖街1号", set()),
        ("浙江省杭州市西湖区三墩镇下宅村", set()),
    ],
)
def test_what_is_missing_is_doubted(text: str, doubts: set[Doubt]) -> None:
    """O7: no district or no street is a reason to look; a zone stands for a district."""
    assert set(READER.read(text).doubts) == doubts


@pytest.mark.parametrize(
    ("fields", "text", "names", "doubts"),
    [
        (("浙江省", "杭州市", "西湖区"), "文三路1号", ("浙江省", "杭州市", "西湖区"), set()),
        (("浙江", "杭州", "西湖"), "文三路1号", ("浙江省", "杭州市", "西湖区"), set()),
        (("", "杭州市", "西湖区"), "文三路1号", ("浙江省", "杭州市", "西湖区"), set()),
        (("浙江省", "", "西湖区"), "杭州西湖区文三路1号", ("浙江省", "杭州市", "西湖区"), set()),
        (("浙江省", "", ""), "杭州西湖区文三路1号", ("浙江省", "杭州市", "西湖区"), set()),
        (("北京市", "市辖区", "东城区"), "东四1号", ("北京市", "北京市", "东城区"), set()),
        (("湖北省", "仙桃市", ""), "沔州大道1号", ("湖北省", "", "仙桃市"), set()),
        (("", "宁波", "江东区"), "彩虹路1号", ("浙江省", "宁波市", "鄞州区"), {Doubt.FORMER_NAME}),
        (
            ("浙江省", "杭州市", "西湖区"), "广东省深圳市南山区科苑路1号",
            ("浙江省", "杭州市", "西湖区"), {Doubt.CONTRADICTION},
        ),
        (("广东省", "杭州市", ""), "文三路1号", ("广东省", "", ""), {Doubt.CONTRADICTION}),
        (
            ("浙江省", "杭州市", "东湖区"), "文三路1号",
            ("浙江省", "杭州市", ""), {Doubt.CONTRADICTION},
        ),
        (
            ("浙江省", "杭州市", "阿斯加德"), "文三路1号",
            ("浙江省", "杭州市", ""), {Doubt.UNKNOWN_DIVISION},
        ),
        (("江苏省", "", "鼓楼区"), "中山路1号", ("江苏省", "", "鼓楼区"), {Doubt.AMBIGUOUS}),
    ],
)  # fmt: skip
def test_fields_win_over_the_text(
    fields: tuple[str, str, str], text: str, names: tuple[str, str, str], doubts: set[Doubt]
) -> None:
    """M4: what a caller says apart from the text counts; where the two differ is a doubt."""
    reading = READER.read(text, Fields(*fields))
    assert reading.names == names
    assert set(reading.doubts) == doubts


# --- laws ---

CHAINS = [DIVISIONS.chain(one) for one in DIVISIONS.by_code.values() if one.level is Level.COUNTY]


def _forms(chain: Chain) -> Iterator[tuple[str, str, str]]:
    """All usual ways to write it; the county in full, so that it says what it is."""
    province, city, county = chain
    assert county is not None
    provinces = forms_of(province.code, province.name)
    cities = forms_of(city.code, city.name) if city else None
    # 海南 is a prefecture, too, but alone it is always the province.
    bare = [form for form in cities.short if form not in PROVINCES] if cities else []
    return itertools.product(
        [*provinces.full, *provinces.short],
        [*cities.full, *bare] if cities else [""],
        forms_of(county.code, county.name).full,
    )


WRITTEN = st.sampled_from([(chain, forms) for chain in CHAINS for forms in _forms(chain)])
NOISE = st.sampled_from(["", " ", "  ", "\u3000", ",", "-", "/", "🏠", "\u200b"])


def test_every_official_chain_is_read_as_itself() -> None:
    """M4: any division in any usual form, all of them; only its place names it, and no other."""
    for chain in CHAINS:
        for forms in _forms(chain):
            reading = READER.read("".join(forms) + "人民路12号")
            read = (reading.province, reading.city, reading.county, reading.detail)
            assert read == (*chain, "人民路12号"), forms


@given(WRITTEN, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_what_is_left_out_is_asked_for_and_never_wrong(
    written: tuple[Chain, tuple[str, str, str]], kept: tuple[bool, bool, bool]
) -> None:
    """M4: with parts missing, each part is right or None."""
    chain, forms = written
    text = "".join(form for form, keep in zip(forms, kept, strict=True) if keep)
    reading = READER.read(text + "人民路12号")
    for part, expected in zip((reading.province, reading.city, reading.county), chain, strict=True):
        assert part is None or part == expected


@given(WRITTEN, st.lists(NOISE, min_size=40, max_size=40))
def test_noise_changes_nothing(
    written: tuple[Chain, tuple[str, str, str]], noise: list[str]
) -> None:
    """M4: spaces, punctuation, emoji and invisible characters between any letters."""
    text = "".join(written[1])
    noisy = "".join(a + b for a, b in zip(text, noise, strict=False)) + text[len(noise) :]
    assert READER.read(noisy + "人民路12号").names == READER.read(text + "人民路12号").names


PIECES = st.sampled_from(sorted(DIVISIONS.names)) | st.sampled_from(
    ["路", "街道", "镇", "市", "区", "县", "号", " ", ",", "中", "1", "市民", "大厦", "x", "\u3000"]
)


@given(st.lists(PIECES, max_size=30).map("".join), st.tuples(*[st.just("") | PIECES] * 3))
def test_any_text_is_read(text: str, fields: tuple[str, str, str]) -> None:
    """M4: however names are thrown together; parts lie in each other, and the end is kept."""
    reading = READER.read(text, Fields(*fields))
    parts = [one for one in (reading.province, reading.city, reading.county) if one]
    assert all(above.covers(below) for above, below in itertools.pairwise(parts))
    assert text.strip(" ,\u3000").endswith(reading.detail.strip(" ,\u3000"))


@given(WRITTEN)
def test_official_fields_are_taken_as_they_are(
    written: tuple[Chain, tuple[str, str, str]],
) -> None:
    """M4: the short way for official names and the long way agree."""
    province, city, county = chain = written[0]
    assert county is not None
    fields = Fields(province.name, city.name if city else "", county.name)
    reading = READER.read("人民路12号", fields)
    assert (reading.province, reading.city, reading.county) == chain
    assert reading.doubts == ()


# --- the tables ---


def test_every_former_name_has_a_successor_of_today() -> None:
    """M4: the table of former names names codes that exist."""
    assert {one.code for one in former_names()} <= set(DIVISIONS.by_code)
    assert {*also_under(), *also_under().values()} <= set(DIVISIONS.by_code)
    assert set(NEEDS) <= set(DIVISIONS.by_code)


def test_every_code_lies_in_what_its_digits_say() -> None:
    """M4: codes nest, which is what reading rests on."""
    assert len(DIVISIONS.provinces()) == 34
    assert len(CHAINS) > 2_800
    for chain in CHAINS:
        assert chain.county is not None
        above = chain.city or chain.province
        assert above.covers(chain.county)
        assert chain.county in DIVISIONS.below(above)


@pytest.mark.skipif(not addresses.is_here(), reason=f"{addresses.FILE} is not there")
def test_real_addresses_are_read_as_they_are_labelled() -> None:
    """M4: of 2,786 addresses as people wrote them, ≥ 98 % right and ≤ 0.5 % wrong in each part."""
    measured = addresses.measure()
    for part in addresses.LEVELS:
        assert measured.share(part, "right") >= addresses.RIGHT_FLOOR
        assert measured.share(part, "wrong") <= addresses.WRONG_CEILING
    assert "wrong" not in measured.counts["province inferred"]
