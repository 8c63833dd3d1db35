"""What may go abroad: coverage by name, and what a human looks at first (T7)."""

from functools import partial
from typing import Any

import pytest

from application import readdressing, releasing, shipping, stocking
from application.addressing import addressed
from application.cleaning import Unusable
from application.recipients import Digests, Recipient
from application.streams import ORDER
from domain.compliance import Exported, is_objection, objections, words_of
from domain.countries import country_of, is_abroad, region_of
from domain.customs_terms import CustomsTerms
from domain.destinations import Destination
from domain.house_rules import CustomsLimit, HouseRules
from domain.order_facts import State
from domain.parcel_facts import Content, ParcelPlanned
from domain.parcel_fold import evolve
from domain.parcels import Parcel
from domain.refusals import InvalidRequest, NotPossible
from domain.release_facts import ReviewReason, ReviewRequired
from tests.domain.test_joining import NOON, RULES, Mall

DIGESTS = Digests(b"p" * 32, b"t" * 32, b"a" * 32)
MUG = CustomsTerms(hs_code="691110", english_name="Mug", origin="CN")
TOKYO = Recipient(name="Aoi", phone="+81352964120", city="Tokyo", address="1-1", country="JP")


def placed(*serves: str, to: Recipient = TOKYO, **item: Any) -> Mall:
    """An order N1 of one mug to an address abroad, from a warehouse that serves these regions."""
    mall = Mall()
    mall.do(partial(stocking.put_warehouse, warehouse=mall.warehouse("a", serves=serves)))
    mall.item("mug", "a", **item)
    mall.place("N1", ("mug", 1), to=to)
    return mall


def reviewed(mall: Mall) -> list[tuple[tuple[ReviewReason, ...], tuple[str, ...]]]:
    facts = mall.log.facts(ORDER, "N1")
    return [(one.reasons, one.details) for one in facts if isinstance(one, ReviewRequired)]


def test_nothing_goes_abroad_when_no_warehouse_says_so() -> None:
    """T7: everywhere is everywhere at home; refused by the country's name, in both languages."""
    mall = Mall()
    mall.item("mug", "a")
    for to, name in ((TOKYO, "日本"), (addressed_in("HK"), "香港")):
        assert mall.refused("N1", ("mug", 1), to=to) == ["country_not_served"]
        quoted = mall.failures("N1", ("mug", 1), to=to)
        assert name in quoted[0]["message_zh"]
    assert "Hong Kong" in quoted[0]["message"]
    open_hk = mall.warehouse("a", serves=("*", "HK"))
    mall.do(partial(stocking.put_warehouse, warehouse=open_hk))
    assert mall.place("N1", ("mug", 1), to=addressed_in("HK"))["status"] == "pending_shipment"
    assert mall.refused("N2", ("mug", 1), to=TOKYO) == ["country_not_served"]


def addressed_in(territory: str) -> Recipient:
    words = {"name": "王小明", "phone": "21234567" if territory == "HK" else "28281234"}
    return addressed(
        Recipient.cleaned(**words, address="弥敦道 600 号 12 楼", country=territory)
    ).recipient


def test_what_is_classified_and_allowed_goes_without_a_human() -> None:
    """T7: the control: nothing stands against it, and the destination knows its country."""
    mall = placed("JP", customs=MUG)
    assert reviewed(mall) == []
    destination = mall.log.state(ORDER, "N1").destination
    assert destination is not None
    assert (destination.country, destination.region, destination.abroad) == ("JP", "JP", True)


@pytest.mark.parametrize(
    ("item", "detail"),
    [
        ({}, "hs_code_missing:mug"),
        ({"customs": CustomsTerms(english_name="Mug")}, "hs_code_missing:mug"),
        ({"customs": MUG.model_copy(update={"barred_from": ("JP",)})}, "barred_abroad:mug"),
        ({"customs": MUG.model_copy(update={"barred_from": ("*",)})}, "barred_abroad:mug"),
        (
            {"customs": MUG, "market_value_fen": 100_001, "freight_override": "gift"},
            "over_customs_limit:100001:100000",
        ),
    ],
)
def test_a_human_looks_first_when_customs_might_object(item: dict[str, Any], detail: str) -> None:
    """T7: no HS code, not allowed there, or over the limit: to the queue, with the reason."""
    mall = placed("JP", **item)
    ((reasons, details),) = reviewed(mall)
    assert ReviewReason(detail.split(":", maxsplit=1)[0]) in reasons
    assert detail in details
    assert is_objection(detail)
    assert words_of(detail).zh != words_of(detail).en
    packed = partial(shipping.pack_part, order="N1", part=1, weight_grams=300)
    with pytest.raises(NotPossible, match="review"):
        mall.do(packed)


def test_nothing_is_looked_at_when_the_same_order_stays_at_home() -> None:
    """T7: the control: what would be stopped at the border concerns no address at home."""
    mall = Mall()
    mall.item("mug", "a", customs=CustomsTerms(barred_from=("*",)))
    mall.place("N1", ("mug", 1))
    assert reviewed(mall) == []


@pytest.mark.parametrize("lets_go", [True, False])
def test_a_human_has_the_last_word(lets_go: bool) -> None:
    """T7, O7: approved it goes on as it is; rejected all that it cost comes back."""
    mall = placed("JP")
    if lets_go:
        mall.do(partial(releasing.approve_order, number="N1", note="declared by hand"))
        order = mall.log.state(ORDER, "N1")
        assert (order.review, order.doubts, order.state) == ((), (), State.PENDING_SHIPMENT)
    else:
        mall.do(partial(releasing.reject_order, number="N1", reason="not allowed", rules=RULES))
        assert (mall.state("N1"), mall.available()) == (State.CANCELLED, 100)


def test_what_customs_object_to_stays_when_the_address_is_corrected() -> None:
    """T7, O8: another house in the same country; another country would need another plan."""
    mall = placed("JP", "HK")
    moved = Recipient(name="Aoi", phone="+81662083181", city="Osaka", address="9", country="JP")
    change = partial(readdressing.change_address, number="N1", rules=RULES, digests=DIGESTS)
    mall.do(partial(change, found=addressed(moved)))
    order = mall.log.state(ORDER, "N1")
    assert (order.review, order.doubts) == (("hs_code_missing",), ("hs_code_missing:mug",))
    with pytest.raises(NotPossible, match="another country"):
        mall.do(partial(change, found=addressed(addressed_in("HK"))))


def test_the_limit_is_the_countrys_own() -> None:
    """T7: of all goods together; the house's figure where the country has none of its own."""
    rules = HouseRules(customs_limits=(CustomsLimit("*", 900), CustomsLimit("US", 5_000)))
    goods = [Exported("a", 500, MUG), Exported("b", 500, MUG)]
    assert [one.detail for one in objections("JP", goods, rules=rules)] == [
        "over_customs_limit:1000:900"
    ]
    assert objections("US", goods, rules=rules) == ()
    assert objections("CN", goods, rules=rules) == ()


def test_a_third_partys_warehouse_serves_nobody_abroad() -> None:
    """T7: it hands over by itself, so that nobody there waits for customs."""
    mall = Mall()
    for serves, more, field in (
        (("JP",), {"third_party": True}, "hands over by itself"),
        (("ZZ",), {}, "neither a province's full name nor a country's code"),
        (("CN",), {}, "neither a province's full name nor a country's code"),
    ):
        house = mall.warehouse("b", serves=serves, **more)
        with pytest.raises(InvalidRequest, match=field):
            mall.do(partial(stocking.put_warehouse, warehouse=house))


def test_hong_kong_is_a_customs_territory_however_it_is_written() -> None:
    """T7: as a country, as the province, or in the address alone."""
    lines = {"name": "王小明", "phone": "+852 2123 4567"}
    for more in ({"country": "HK"}, {"province": "香港"}, {}):
        text = "弥敦道 600 号" if more else "香港九龙弥敦道 600 号"
        found = addressed(Recipient.cleaned(**lines, address=text, **more))
        assert (found.recipient.country, found.recipient.region) == ("HK", "香港特别行政区")
        assert found.doubts == ()
    wrong = {"address": "广东省深圳市南山区科技路 1 号", "country": "HK"}
    contradicting = addressed(Recipient.cleaned(**lines, **wrong))
    assert contradicting.recipient.region == "香港特别行政区"
    assert contradicting.doubts == ("address_contradiction",)
    assert [country_of(one) for one in ("台湾省", "浙江省", "US")] == ["TW", "CN", "US"]
    assert (region_of("MO", ""), is_abroad("浙江省")) == ("澳门特别行政区", False)


def test_an_address_abroad_is_written_as_people_write_it_there() -> None:
    """T7, M4: no Chinese division, the country's own phones, a postcode; a city has to be named."""
    lines = {"name": "Aoi Sato", "address": "1-1 Chiyoda", "country": "JP"}
    found = addressed(
        Recipient.cleaned(**lines, phone="03-5296-4120", city="Tokyo", postcode="100-0001")
    )
    assert (found.recipient.phone, found.recipient.postcode) == ("+81352964120", "100-0001")
    assert (found.recipient.division, found.doubts) == (None, ())
    assert found.recipient.masked().postcode is None
    for wrong, field in (
        ({"phone": "03-5296-4120"}, "city"),
        ({"phone": "13800138000", "city": "Tokyo"}, "phone"),
        ({"phone": "03-5296-4120", "city": "Tokyo", "postcode": "(100)"}, "postcode"),
    ):
        with pytest.raises(Unusable) as refused:
            Recipient.cleaned(**lines, **wrong)
        assert refused.value.field == field


def test_facts_at_home_are_written_as_they_were() -> None:
    """T7, R26: the country is left out of an address at home, in facts and on cards."""
    assert "country" not in Destination(card="c", province="浙江省").model_dump()
    assert b"country" not in Recipient(name="A", phone="1", address="x").to_bytes()


def test_no_label_of_home_is_ordered_for_a_parcel_abroad() -> None:
    """T7, W5: neither by itself nor by staff; the control at home is asked for at once."""
    planned: dict[str, Any] = {
        "warehouse": "a", "contents": (Content(order="N1", part=1),), "wave": "W1",
        "hand_over_by": NOON,
    }  # fmt: skip
    home = evolve(Parcel(), ParcelPlanned(**planned))
    abroad = evolve(Parcel(), ParcelPlanned(**planned, country="JP"))
    assert (home.label_due, abroad.label_due) == (True, False)
    assert home.want_label("N1-P1", carrier="ems", grams=300)
    with pytest.raises(NotPossible, match="written down by hand"):
        abroad.want_label("N1-P1", carrier="ems", grams=300)
