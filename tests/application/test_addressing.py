"""A recipient's place is settled at the edge: fields filled, text kept, doubts told (M4, O7)."""

import pytest

from application.addressing import addressed
from application.divisions import division_named
from application.recipients import Recipient
from application.rules_of import rules_of
from application.settings import Settings
from domain.addresses import canonical_place
from domain.destinations import Destination
from domain.house_rules import HouseRules

CLEAN = {"name": "林小满", "phone": "13800138000"}
PLACE = {"province": "浙江省", "city": "杭州市", "district": "西湖区"}


def recipient(**fields: str) -> Recipient:
    return Recipient.cleaned(**{**CLEAN, **fields})


def test_a_whole_line_becomes_fields_and_the_line_is_kept() -> None:
    """M4: province, city and district come out of the text; what was written stays in `raw`."""
    found = addressed(recipient(address="浙江杭州西湖区 文三路１３８号🏠3幢"))
    assert found.doubts == ()
    settled = found.recipient
    assert (settled.province, settled.city, settled.district) == tuple(PLACE.values())
    assert settled.address == "文三路138号 3幢"
    assert settled.division == "330106"
    assert settled.raw == {"address": "浙江杭州西湖区 文三路１３８号🏠3幢"}


def test_short_and_former_names_become_official_ones() -> None:
    """M4: 宁波's 江东区 is 鄞州区 today, which is certain and no reason to look."""
    found = addressed(recipient(city="宁波", district="江东区", address="彩虹北路1号"))
    assert found.doubts == ()
    assert found.recipient.province == "浙江省"
    assert (found.recipient.city, found.recipient.district) == ("宁波市", "鄞州区")
    assert found.recipient.raw == {"city": "宁波", "district": "江东区"}


def test_official_fields_stay_as_they_are() -> None:
    """M4: nothing is kept twice where nothing changed."""
    given = recipient(**PLACE, address="文三路 1 号 2 单元 301")
    found = addressed(given)
    assert found == (given.model_copy(update={"division": "330106"}), (), ())


@pytest.mark.parametrize(
    ("fields", "doubts"),
    [
        ({**PLACE, "address": "广东省深圳市南山区科苑路1号"}, ("address_contradiction",)),
        ({**PLACE, "district": "东湖新城", "address": "1号"}, ("address_unknown_division",)),
        ({"province": "江苏省", "address": "鼓楼区中山路1号"}, ("address_ambiguous",)),
        ({"province": "浙江省", "address": "文三路1号"}, ("address_incomplete",)),
        ({"city": "杭州市", "address": "文三路1号"}, ()),
        ({**PLACE, "address": "三墩镇"}, ("address_no_detail",)),
        ({**PLACE, "address": "文三路1号", "name": "测试"}, ("name_doubtful",)),
        ({**PLACE, "address": "文三路1号", "phone": "13000000000"}, ("phone_doubtful",)),
    ],
)
def test_what_is_doubtful_has_its_code(fields: dict[str, str], doubts: tuple[str, ...]) -> None:
    """O7: each reason to look has a stable code."""
    assert addressed(recipient(**fields)).doubts == doubts


def test_the_text_stays_whole_when_it_is_doubtful() -> None:
    """O7: whoever looks sees what was written, and fields that nobody understood stay."""
    found = addressed(recipient(**PLACE, address="广东省深圳市南山区科苑路1号")).recipient
    assert found.address == "广东省深圳市南山区科苑路1号"
    strange = addressed(recipient(**PLACE | {"district": "东湖新城"}, address="文三路1号"))
    assert strange.recipient.district == "东湖新城"
    assert strange.recipient.division == "330100"


def test_a_province_that_is_not_settled_is_asked_for_with_candidates() -> None:
    """O1: nothing is guessed."""
    found = addressed(recipient(address="鼓楼区中山路1号"))
    assert found.recipient.province is None
    assert found.candidates == (
        "江苏省南京市鼓楼区", "江苏省徐州市鼓楼区", "福建省福州市鼓楼区", "河南省开封市鼓楼区",
    )  # fmt: skip


def test_one_address_has_one_text_however_it_came_in() -> None:
    """O7: many accounts to one address are found though each writes it in her own way."""
    ways = [
        recipient(**PLACE, address="文三路138号3幢502室"),
        recipient(address="浙江省杭州市西湖区文三路138号3幢502室"),
        recipient(city="杭州", address="西湖区 文三路１３８号，3幢 502 室"),
        recipient(address="西湖区杭州市,文三路138号3幢502室"),
    ]
    assert len({canonical_place(addressed(way).recipient) for way in ways}) == 1


def test_a_place_has_its_code_in_the_fact_and_old_facts_have_none() -> None:
    """R26: the field came later; facts without it are read, and written again as they were."""
    old = {"card": "c1", "province": "浙江省", "city": "杭州市", "district": "西湖区"}
    assert Destination.model_validate(old).model_dump(mode="json") == old
    new = {**old, "division": "330106"}
    assert Destination.model_validate(new).model_dump(mode="json") == new


# --- excluded regions (rules.md 9) ---


@pytest.mark.parametrize(
    ("regions", "excluded"),
    [
        ("浙江省", "浙江省"),
        ("330000", "浙江省"),
        ("杭州市", "浙江省杭州市"),
        ("浙江省杭州市西湖区", "浙江省杭州市西湖区"),
        ("330106,460300", "浙江省杭州市西湖区"),
        ("浙江省宁波市,上海市", None),
        ("", None),
    ],
)
def test_any_division_can_be_excluded(regions: str, excluded: str | None) -> None:
    """O1, rule 9: a province, a city or a district, by name or by code."""
    settings = Settings.model_validate({"exclude_regions": regions, "exclude_remote": False})
    place = addressed(recipient(**PLACE, address="文三路1号")).recipient
    assert rules_of(settings).excluded_region(place) == excluded


def test_a_county_under_its_province_is_excluded_by_code() -> None:
    """Rule 9: 三沙市 and the like, which lie straight under a province or have no districts."""
    rules = HouseRules(excluded_regions=frozenset({"429004"}))
    place = addressed(recipient(address="湖北省仙桃市沔州大道1号")).recipient
    assert rules.excluded_region(place) == "湖北省仙桃市"


@pytest.mark.parametrize("text", ["鼓楼区", "阿斯加德", "浙江省杭州市文三路"])
def test_a_region_that_is_no_division_is_refused(text: str) -> None:
    """Rule 9: a slip in the settings is told, not ignored."""
    with pytest.raises(ValueError, match=text):
        division_named(text)
