"""Warehouses: whom they reach and what they keep (C2; rules.md 9)."""

from typing import Any

import pytest

from application.streams import NETWORK
from domain.catalogue import StorageClass
from domain.warehouses import (
    EVERYWHERE,
    Network,
    Warehouse,
    WarehouseOpened,
    WarehouseRevised,
    WarehouseUnknown,
)
from tests.in_memory import given


def warehouse(code: str, province: str, **more: Any) -> Warehouse:
    return Warehouse(
        **{
            "code": code,
            "name": code,
            "province": province,
            "city": "",
            "serves": (EVERYWHERE,),
            **more,
        }
    )


ZHEJIANG = warehouse("zhejiang", "浙江省", stores=(StorageClass.STONE, StorageClass.GENERAL))
HENAN = warehouse("henan", "河南省", max_weight_grams=10_000)
SHAANXI = warehouse("shaanxi", "陕西省", serves=("陕西省", "甘肃省"))


def network() -> Network:
    return given(NETWORK, *(WarehouseOpened(warehouse=one) for one in (ZHEJIANG, HENAN, SHAANXI)))


def test_a_warehouse_is_opened_once_and_revised_when_it_differs() -> None:
    """C2: an upsert by code."""
    assert network().open_or_revise(HENAN) == []
    moved = HENAN.model_copy(update={"city": "郑州市"})
    assert network().open_or_revise(moved) == [WarehouseRevised(warehouse=moved)]
    new = warehouse("hubei", "湖北省")
    assert network().open_or_revise(new) == [WarehouseOpened(warehouse=new)]


@pytest.mark.parametrize(
    ("province", "storage_class", "grams", "codes"),
    [
        ("浙江省", StorageClass.GENERAL, 0, ("zhejiang", "henan")),
        ("河南省", StorageClass.GENERAL, 0, ("henan", "zhejiang")),
        ("甘肃省", StorageClass.WOOD, 0, ("henan", "shaanxi")),
        ("陕西省", StorageClass.WOOD, 0, ("shaanxi", "henan")),
        ("广东省", StorageClass.WOOD, 10_000, ("henan",)),
        ("广东省", StorageClass.WOOD, 10_001, ()),
        ("陕西省", StorageClass.WOOD, 10_001, ("shaanxi",)),
    ],
)
def test_warehouses_serve_when_they_keep_reach_and_lift_it(
    province: str, storage_class: StorageClass, grams: int, codes: tuple[str, ...]
) -> None:
    """C2: near ones first, then as they were opened; too heavy goods are not sent from there."""
    serving = network()
    for _ in range(2):  # the second answer is the remembered one
        assert serving.serving(province, storage_class, weight_grams=grams) == codes


def test_a_revision_counts_when_an_answer_was_given_before() -> None:
    """C2: what is remembered belongs to one state of the network."""
    before = network()
    assert before.serving("浙江省", StorageClass.STONE) == ("zhejiang", "henan")
    closed = HENAN.model_copy(update={"serves": ("河南省",)})
    after = NETWORK.evolve(before, WarehouseRevised(warehouse=closed))
    assert after.serving("浙江省", StorageClass.STONE) == ("zhejiang",)
    assert list(after.warehouses) == ["zhejiang", "henan", "shaanxi"]


def test_an_unknown_code_is_refused() -> None:
    """C2: with its name in the figures."""
    with pytest.raises(WarehouseUnknown) as refused:
        network().named("atlantis")
    assert refused.value.figures == {"warehouse": "atlantis"}


def test_what_is_remembered_is_not_kept_when_the_network_is_stored() -> None:
    """A2: a snapshot holds the state, not the answers it gave."""
    asked = network()
    asked.serving("浙江省", StorageClass.STONE, weight_grams=5)
    stored = NETWORK.states.dump_json(asked)
    assert stored == NETWORK.states.dump_json(network())
    assert NETWORK.states.validate_json(stored) == asked
