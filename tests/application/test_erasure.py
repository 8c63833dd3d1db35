"""Erased once is erased for ever: nothing that comes late makes a key or a card again (A4)."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from application import privacy, readdressing, shipping, watched_parcels
from application.addressing import Addressed
from application.unit import Unit
from domain.house_rules import DEFAULT_RULES
from domain.parcels import Parcel
from domain.refusals import NotPossible
from domain.scans import Scan, classify
from domain.sealed import Sealed
from tests.application.house import RECIPIENT, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

RAW = "签收人:欧阳若兰,电话13912345678".encode()


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 20_000, "PY-1")
        yield one


async def _erase(house: House) -> None:
    def decide(unit: Unit) -> dict[str, Any]:
        return privacy.erase_person(unit, learner="mei", reason="asked for it", under_way=())

    await house.do(decide)


def _push(house: House, parcel: str, text: str) -> Callable[[Unit], dict[str, Any]]:
    scan = Scan(
        number=f"SF{parcel.removesuffix('-P1')}",
        time=house.now - timedelta(minutes=1),
        text=text,
        carrier="shunfeng",
        kind=classify(text),
    )
    return lambda unit: shipping.record_scans(
        unit,
        parcel=parcel,
        scans=[scan],
        source="kuaidi100.push",
        raw=RAW,
        corrected_to=None,
        rules=house.rules,
    )


async def _personal(house: House) -> tuple[int, int]:
    """(keys, cards) of the learner."""
    ((keys,),) = await house.rows("SELECT count(*) FROM {s}_keys.subject_keys")
    ((cards,),) = await house.rows("SELECT count(*) FROM {s}.cards")
    return keys, cards


async def _pushes_after_erasure(house: House) -> tuple[int, int]:
    """A parcel that is signed for, its owner erased, and two more pushes of its carrier."""
    await house.order("mei", "T1", notebook=1)
    parcel = await house.ship("T1")
    house.wait(hours=1)
    await house.do(_push(house, parcel, "快件正在派送途中"))
    assert await _personal(house) == (1, 2)  # the recipient's card and the payload's
    await _erase(house)
    assert await _personal(house) == (0, 0)
    house.wait(hours=1)
    scanned = await house.do(_push(house, parcel, "已签收,签收人:欧阳若兰,电话13912345678"))
    assert scanned["new_scans"] == 1
    kept = await house.do(
        lambda unit: watched_parcels.keep_unreadable(unit, parcel=parcel, raw=RAW)
    )
    assert kept["parcel"] == parcel
    return await _personal(house)


async def test_no_key_comes_back_when_a_carrier_pushes_after_the_erasure(house: House) -> None:
    """A4, R59: the scans are told, redacted and without a card; the order moves on."""
    assert await _pushes_after_erasure(house) == (0, 0)
    facts = await house.facts("parcel:T1-P1")
    assert facts[-2:] == ["parcels.ParcelScanned", "parcels.PushUnreadable"]
    events = await house.rows("SELECT convert_from(state, 'UTF8') FROM {s}.tallypost_events")
    assert not [event for (event,) in events if "若兰" in event or "13912345678" in event]
    assert await house.rows("SELECT state FROM {s}.orders") == [("pending_end",)]


async def test_a_key_comes_back_when_payloads_are_sealed_for_anybody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4 CONTROL: sealing without a look at the account."""

    def careless(unit: Unit, parcel: Parcel, raw: bytes) -> Sealed:
        return Sealed(card=unit.seal("mei", "payload", raw), digest="")

    for room in (shipping, watched_parcels):
        monkeypatch.setattr(room, "kept_payload", careless)
    assert await _pushes_after_erasure(house) == (1, 2)


async def _moved(house: House) -> None:
    await house.order("mei", "T1", notebook=1)
    await _erase(house)
    await house.do(
        lambda unit: readdressing.change_address(
            unit,
            number="T1",
            found=Addressed(RECIPIENT),
            digests=RECIPIENT.digests(b"k" * 32),
            rules=DEFAULT_RULES,
        )
    )


async def test_the_address_stays_when_the_learner_was_erased(house: House) -> None:
    """A4, O8: refused by name, and no card is made; the view that let it through was late."""
    with pytest.raises(NotPossible, match="the recipient was erased"):
        await _moved(house)
    assert await _personal(house) == (0, 0)


async def test_the_address_moves_when_nobody_asks_whether_they_were_erased(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4 CONTROL: without the look at the account the erased learner has a new card."""
    monkeypatch.setattr(readdressing, "must_have_recipient", lambda *_: None)
    await _moved(house)
    assert await _personal(house) == (1, 1)
