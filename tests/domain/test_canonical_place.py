"""One physical address has one text, whoever wrote it how (O7)."""

from typing import NamedTuple

import pytest

from domain.addresses import canonical_place


class Written(NamedTuple):
    address: str
    province: str | None = "浙江省"
    city: str | None = "杭州市"
    district: str | None = "西湖区"


@pytest.mark.parametrize(
    "address",
    [
        "文三路138号3幢b-502",
        "文三路138号,3幢 B-502",
        "文三路138号3幢B502",
        "浙江省杭州市西湖区文三路138号3幢B-502",
        "杭州市 西湖区 西湖区 文三路138号(3幢)B_502。",
    ],
)
def test_the_same_when_spaces_widths_or_repeated_divisions_differ(address: str) -> None:
    """O7: what differs in writing only is one address."""
    assert canonical_place(Written(address)) == "浙江省|杭州市|西湖区|文三路138号3幢b502"


@pytest.mark.parametrize(
    "other",
    [
        Written("文三路138号3幢502"),
        Written("文三路138号3幢b503"),
        Written("文三路一三八号3幢b502"),
        Written("文三路138号3幢b502", district="拱墅区"),
        Written("文三路138号3幢b502", district=None),
    ],
)
def test_another_when_the_place_differs(other: Written) -> None:
    """O7, control: other doors stay other doors; Chinese numerals are left as they are."""
    assert canonical_place(other) != canonical_place(Written("文三路138号3幢b502"))


def test_a_detail_that_is_only_a_division_stays() -> None:
    """O7: an address of nothing but its district is not an empty one."""
    assert canonical_place(Written("西湖区")) == "浙江省|杭州市|西湖区|西湖区"
