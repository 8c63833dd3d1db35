"""Pushes at the door: forged, repeated, out of order, weakly signed (R33-R36)."""

import asyncio
import hashlib
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from application.envelope import decode_fact
from application.gateways import kuaidi100, tracking
from domain.known_scans import TrackState
from domain.parcel_facts import ParcelScanned
from tests.api.conftest import RECIPIENT, Mall
from tests.reliability.test_hostile import log_of_mall

pytestmark = pytest.mark.anyio

WAYBILL = "SF10000100001"


def _ago(hours: float) -> str:
    """Some hours ago, in Beijing, as they write it."""
    then = datetime.now(UTC) + timedelta(hours=8 - hours)
    return f"{then:%Y-%m-%d %H:%M:%S}"


LINES = (
    (_ago(20), "【杭州市】快件已被 顺丰速运 收取", "0"),
    (_ago(15), "【杭州市】快件离开【杭州转运中心】,已发往【上海转运中心】", "0"),
    (_ago(9), "【上海市】快件正在派送途中,请您准备签收", "5"),
    (_ago(5), "【上海市】已签收,签收人:本人", "3"),
    (_ago(4.5), "【上海市】您的快件已由本人签收,如有疑问请联系快递员", "3"),
)


NOTEBOOK = {"sku": "notebook", "quantity": 1}
COLLIDING = tuple(
    f"d131dd02c5e6eec4693d9a0698aff95c2fcab5{a}12467eab4004583eb8fb7f89"
    f"55ad340609f4b30283e4888325{b}415a085125e8f7cdc99fd91dbd{c}80373c5b"
    f"d8823e3156348f5bae6dacd436c919c6dd53e2{d}87da03fd02396306d248cda0"
    f"e99f33420f577ee8ce54b67080{e}80d1ec69821bcb6a8839396f965{f}6ff72a70"
    for a, b, c, d, e, f in (
        ("87", "71", "f2", "b4", "a", "2b"),
        ("07", "f1", "72", "34", "2", "ab"),
    )
)
"""Wang and Yu's pair of 2004: different bytes, one MD5."""


class Pushing:
    """One parcel and its carrier's aggregator."""

    def __init__(self, mall: Mall, parcel: str) -> None:
        self.mall = mall
        self.parcel = parcel
        links = mall.tenant.callback_links
        self.key = links.key(parcel)
        self.salt = links.salt(parcel).encode()

    def param(
        self, *lines: tuple[str, str, str], nu: str = WAYBILL, dest: dict[str, Any] | None = None
    ) -> bytes:
        """What they say of it, or of another number; `dest`: of its number abroad, too."""
        data = [
            {"time": time, "ftime": time, "context": text, "statusCode": code}
            for time, text, code in lines
        ]
        last = {"nu": nu, "com": "shunfeng", "state": "0", "ischeck": "0", "data": data}
        push = {"status": "polling", "lastResult": last, **({"destResult": dest} if dest else {})}
        return json.dumps(push, ensure_ascii=False).encode()

    async def tell(self, param: bytes) -> tuple[str, str, list[str]]:
        """Push it; where order and parcel stand then, and which foreign numbers are flagged."""
        answer = await self.send(self.signed(param))
        assert answer.json()["result"] is True
        await self.mall.views()
        order = await self.mall.read(self.parcel.partition("-P")[0])
        listed = await self.mall.get("/v1/oddities", role="support", subject="sue")
        odd = [one for one in listed.json()["oddities"] if one["kind"] == "foreign_number"]
        return order["status"], order["parcels"][0]["state"], [one["number"] for one in odd]

    def signed(self, param: bytes, *, salt: bytes | None = None) -> bytes:
        """The form they send."""
        sign = kuaidi100.sign_push(param, salt or self.salt)
        return urlencode({"param": param, "sign": sign}).encode()

    async def send(self, body: bytes, *, key: str | None = None) -> Any:
        """Their request."""
        return await self.mall.client.post(
            f"/v1/callbacks/kuaidi100/{key or self.key}",
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )


async def shipped(mall: Mall, *, number_on_it: str = WAYBILL) -> Pushing:
    """An order on its way."""
    placed = await mall.order(("notebook", 1))
    return Pushing(mall, await mall.ship(placed["number"], number_on_it=number_on_it))


def mutations(pushing: Pushing, count: int) -> Iterator[bytes]:
    """What forgers try: flips, cuts, doubled or missing parts, other bytes for the same text."""
    param = pushing.param(*LINES)
    right = pushing.signed(param)
    sign = kuaidi100.sign_push(param, pushing.salt)
    value = json.loads(param)
    yield b""
    yield b"param="
    yield urlencode({"param": param}).encode()
    yield urlencode({"sign": sign}).encode()
    yield right + b"&" + right
    yield right + b"&param=%7B%7D"
    yield urlencode({"param": param, "sign": sign.lower()}).encode()
    yield urlencode({"param": param, "sign": "签名"}).encode()
    yield urlencode({"param": param, "sign": sign + "\n"}).encode()
    yield json.dumps({"param": param.decode(), "sign": sign}).encode()
    for changed in (
        json.dumps(value).encode(),
        json.dumps(value, ensure_ascii=False, indent=1).encode(),
        json.dumps(value, ensure_ascii=False, sort_keys=True).encode(),
        json.dumps(value, ensure_ascii=False).encode("gbk"),
        json.dumps(value).encode("utf-16"),
        param[:-1] + b',"status":"abort"}',
        b" " + param,
        param + b"\0",
    ):
        if changed != param:
            yield urlencode({"param": changed, "sign": sign}).encode()
    yield f"sign={sign}&param={quote(param).replace('%20', '%2B')}".encode()
    chance = random.Random(33)
    for _ in range(count):
        at = chance.randrange(len(right))
        match chance.randrange(4):
            case 0:
                flipped = bytes([right[at] ^ (1 << chance.randrange(8))])
                mutated = right[:at] + flipped + right[at + 1 :]
            case 1:
                mutated = right[:at]
            case 2:
                mutated = right[:at] + bytes([chance.randrange(256)]) + right[at:]
            case _:
                mutated = right[at:] + right[:at]
        yield mutated


async def forged(pushing: Pushing, count: int) -> tuple[int, list[tuple[int, bytes]]]:
    """How many forgeries were sent, and those that were not refused as such."""
    right = pushing.signed(pushing.param(*LINES))
    same = {right, right.replace(b"+", b"%20")}
    sent, taken = 0, []
    for body in mutations(pushing, count):
        if body in same or _reads_alike(body, right):
            continue
        answer = await pushing.send(body)
        sent += 1
        if answer.status_code != 401:
            taken.append((answer.status_code, body))
        else:
            assert answer.json()["detail_zh"] == "签名不符。"  # and nothing of a token
    return sent, taken


async def test_no_forgery_is_accepted(mall: Mall) -> None:
    """R33: 1,000 mutations of one valid push: each 401, nothing recorded, none 5xx."""
    pushing = await shipped(mall)
    before = len(log_of_mall(mall))
    sent, taken = await forged(pushing, 1_000)
    assert taken == []
    assert sent > 900
    assert len(log_of_mall(mall)) == before
    right = pushing.signed(pushing.param(*LINES))
    assert (await pushing.send(right)).json()["result"] is True
    assert len(log_of_mall(mall)) > before


def _reads_alike(body: bytes, right: bytes) -> bool:
    """Another spelling of the very bytes that were signed, such as %2f for %2F."""
    try:
        return kuaidi100._form_fields(body) == kuaidi100._form_fields(right)
    except tracking.ForgedPush:
        return False


async def test_a_forgery_is_accepted_when_it_is_parsed_before_it_is_verified(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R33 CONTROL: what is signed is what was parsed and written again, not what came."""

    def careless(raw_body: bytes, *, salt: bytes) -> bytes:
        try:
            param, sign = kuaidi100._form_fields(raw_body)
            again = json.dumps(json.loads(param), ensure_ascii=False).encode()
        except ValueError as wrong:
            raise tracking.ForgedPush("unreadable") from wrong
        if sign.decode("latin-1") != kuaidi100.sign_push(again, salt):
            raise tracking.ForgedPush("the signature differs")
        return again

    monkeypatch.setattr(kuaidi100, "verified_param", careless)
    _, taken = await forged(await shipped(mall), 0)
    assert len(taken) > 2
    assert {status for status, _ in taken} == {200}


@pytest.mark.timeout(90)
async def test_a_push_counts_once_when_it_comes_a_thousand_times(mall: Mall) -> None:
    """R34: one valid push 1,000 times, 50 at once, spelled in two ways: one effect."""
    pushing = await shipped(mall)
    param = pushing.param(*LINES)
    sign = kuaidi100.sign_push(param, pushing.salt)
    bodies = [
        urlencode({"param": param, "sign": sign}).encode(),
        f"sign={sign}&param={quote_plus(param)}".encode(),
    ]
    before = len(log_of_mall(mall))
    gate = asyncio.Semaphore(50)

    async def once(number: int) -> int:
        async with gate:
            return int((await pushing.send(bodies[number % 2])).status_code)

    statuses = await asyncio.gather(*(once(number) for number in range(1_000)))
    assert set(statuses) == {200}
    recorded = [row.name for row in log_of_mall(mall)[before:]]
    assert recorded.count("parcels.ParcelScanned") == len(LINES)
    assert len(recorded) == len(set(recorded)) + len(LINES) - 1


async def test_a_push_counts_twice_when_only_its_bytes_are_known(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R34 CONTROL: a house that does not compare what is told with what it knows."""
    monkeypatch.setattr(TrackState, "fresh", lambda _, new: tuple(new))
    pushing = await shipped(mall)
    param = pushing.param(*LINES)
    before = len(log_of_mall(mall))
    other = f"sign={kuaidi100.sign_push(param, pushing.salt)}&param={quote_plus(param)}".encode()
    for body in (pushing.signed(param), other, other):
        assert (await pushing.send(body)).status_code == 200
    recorded = [row.name for row in log_of_mall(mall)[before:]]
    assert recorded.count("parcels.ParcelScanned") == 2 * len(LINES)


async def ends_of(mall: Mall, orders: Sequence[Sequence[tuple[str, str, str]]]) -> set[Any]:
    """What becomes of orders whose parcels are pushed so, one scan a push, two of them twice."""
    grant = {"learner": "lin", "points": 900_000, "reason": "task", "source": "R35"}
    await mall.post("/v1/points/grants", {"grants": [grant]}, role="service", subject="s")
    stock = {"sku": "notebook", "warehouse": "zhejiang", "quantity": 500}
    await mall.post("/v1/stock/receipts", stock, role="operations", subject="o")
    mall.tenant.rules = replace(mall.tenant.rules, review_orders_a_day=1_000)
    chance = random.Random(35)
    numbers = []
    for order in orders:
        wish = {"learner": "lin", "lines": [NOTEBOOK], "recipient": RECIPIENT}
        placed = await mall.post("/v1/orders", wish, role="service", subject="s")
        await mall.views()
        numbers.append(placed.json()["number"])
        pushing = Pushing(mall, await mall.ship(numbers[-1]))
        for line in [*order[:3], *chance.sample(order[:3], 2), *order[3:]]:
            answer = await pushing.send(pushing.signed(pushing.param(line)))
            assert answer.json()["result"] is True
    await mall.views()
    ends = set()
    for number in numbers:
        seen = await mall.read(number)
        parcel = seen["parcels"][0]
        scans = json.dumps(parcel["scans"], sort_keys=True, ensure_ascii=False)
        ends.add((seen["status"], parcel["state"], parcel["signed_at"], parcel["since"], scans))
    return ends


@pytest.mark.slow
@pytest.mark.timeout(110)
async def test_the_end_is_the_same_when_pushes_come_in_any_order(mall: Mall) -> None:
    """R35: 5 scans in each of their 120 orders, a parcel each, some twice: one end state.

    Thousands of random orders with duplicates are tests/domain/test_tracking.py's.
    """
    ends = await ends_of(mall, list(itertools.permutations(LINES)))
    assert len(ends) == 1, ends
    assert next(iter(ends))[:2] == ("completed", "signed")


async def test_the_end_differs_when_the_last_push_wins(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R35 CONTROL: a house that goes by what it was told last."""

    def last_only(self: TrackState, new: Any) -> TrackState:
        return replace(self, scans=frozenset(new))

    monkeypatch.setattr(TrackState, "with_scans", last_only)
    assert len(await ends_of(mall, [LINES, LINES[::-1]])) > 1


async def test_weak_signatures_prove_nothing(mall: Mall) -> None:
    """R36: none, an empty salt's, a short salt's, another parcel's, another address: 401."""
    first, second = await shipped(mall), await shipped(mall, number_on_it="SF1000000002")
    param = first.param(*LINES)
    before = len(log_of_mall(mall))
    empty = hashlib.md5(param).hexdigest().upper()
    for sign in ("", empty, hashlib.md5(param + b"1").hexdigest().upper(), "0" * 32):
        answer = await first.send(urlencode({"param": param, "sign": sign}).encode())
        assert answer.status_code == 401
    theirs = first.signed(param, salt=second.salt)
    assert (await first.send(theirs)).status_code == 401
    assert (await second.send(first.signed(param))).status_code == 401
    parcel, _, tag = first.key.rpartition(".")
    for key in (
        parcel, f"{parcel}.", f"{parcel}.{tag[:-1]}", f"{second.parcel}.{tag}", f".{tag}",
        f"{parcel}.{tag.upper() if tag.upper() != tag else tag[::-1]}", "x" * 200, "%00", "签.名",
    ):  # fmt: skip
        answer = await first.send(first.signed(param), key=key)
        assert answer.status_code in (401, 422), key
    assert len(log_of_mall(mall)) == before
    assert first.salt != second.salt
    assert min(len(first.salt), len(second.salt)) >= 16


async def test_a_twin_of_a_signed_push_has_no_effect(mall: Mall) -> None:
    """R36: two texts of one MD5 have one signature, whatever the salt behind them: the twin is
    taken for theirs, kept for a human, and moves nothing. What a readable twin could say counts
    no more than any push: a receipt waits for a query (tests/api/test_querying.py)."""
    text, twin = (bytes.fromhex(hexes) for hexes in COLLIDING)
    assert text != twin
    pushing = await shipped(mall)
    sign = kuaidi100.sign_push(text, pushing.salt)
    assert kuaidi100.sign_push(twin, pushing.salt) == sign
    before = len(log_of_mall(mall))
    answer = await pushing.send(urlencode({"param": twin, "sign": sign}).encode())
    assert (answer.status_code, answer.json()["result"]) == (200, True)
    assert [one.name for one in log_of_mall(mall)[before:]] == ["parcels.PushUnreadable"]
    await mall.views()
    order = await mall.read(pushing.parcel.partition("-P")[0])
    assert (order["status"], order["parcels"][0]["state"]) == ("pending_receipt", "handed_over")
    listed = await mall.get("/v1/troubles", role="operations", subject="ops")
    assert "unreadable_push" in {one["kind"] for one in listed.json()["troubles"]}


async def test_another_parcels_push_is_accepted_when_salts_are_shared(mall: Mall) -> None:
    """R36 CONTROL: one salt for all parcels."""
    first, second = await shipped(mall), await shipped(mall, number_on_it="SF1000000002")
    second.salt = first.salt
    param = first.param(*LINES)
    assert kuaidi100.verify_push(second.signed(param), salt=first.salt).scans


FOREIGN = "SF1777777777777"


async def test_a_signed_push_of_another_number_moves_nothing_until_the_number_is_named(
    mall: Mall,
) -> None:
    """T2, T6, R36: kept and flagged; a hand-over scan that names it brings parcel and order on."""
    pushing = await shipped(mall)
    on_its_way = ("pending_receipt", "in_transit")
    assert await pushing.tell(pushing.param(*LINES[:2])) == (*on_its_way, [])
    theirs = pushing.param(*LINES[3:], nu=FOREIGN)
    assert await pushing.tell(theirs) == (*on_its_way, [FOREIGN])
    recorded = log_of_mall(mall)
    assert await pushing.tell(theirs) == (*on_its_way, [FOREIGN])
    assert len(log_of_mall(mall)) == len(recorded)
    names = (_ago(12), f"快件已转寄,新单号为{FOREIGN}", "7")
    assert await pushing.tell(pushing.param(names)) == ("completed", "signed", [])


async def test_a_number_abroad_is_the_parcels_when_it_is_told_with_its_own(mall: Mall) -> None:
    """T1, T2, wire 1.6: `destResult`; the same scans told alone, before it, waited for that."""
    pushing = await shipped(mall)
    abroad = {
        "nu": "LX123456789US",
        "com": "usps",
        "data": [{"time": _ago(5), "context": "已签收", "statusCode": "3"}],
    }
    theirs = pushing.param(nu="SF1999999999999", dest=abroad)
    on_its_way = ("pending_receipt", "handed_over")
    assert await pushing.tell(theirs) == (*on_its_way, ["LX123456789US"])
    assert await pushing.tell(pushing.param(dest=abroad)) == ("completed", "signed", [])


async def test_a_human_says_that_a_foreign_number_is_the_parcels(mall: Mall) -> None:
    """T6: the order follows in the decision's own commit."""
    pushing = await shipped(mall)
    await pushing.tell(pushing.param(*LINES[3:], nu=FOREIGN))
    listed = await mall.get("/v1/oddities", role="support", subject="sue")
    (odd,) = listed.json()["oddities"]
    path = f"/v1/parcels/{pushing.parcel}/oddities/{odd['oddity']}"
    body = {"decision": "accepted", "reason": "the depot forwarded it"}
    answer = await mall.post(path, body, role="operations", subject="ops")
    assert (answer.status_code, answer.json()["state"]) == (200, "signed")
    assert await pushing.tell(pushing.param(*LINES[:1])) == ("completed", "signed", [])


async def test_a_foreign_receipt_proves_nothing_in_a_dispute(mall: Mall) -> None:
    """T2, D1: the proof of delivery is the first receipt that counts."""
    pushing = await shipped(mall)
    await pushing.tell(pushing.param((_ago(9), "已签收,签收人:门卫", "3"), nu=FOREIGN))
    await pushing.tell(pushing.param(LINES[3]))
    opened = await mall.post(
        f"/v1/orders/{pushing.parcel.partition('-P')[0]}/disputes", {"reason": "damaged"}
    )
    assert opened.status_code == 201, opened.text
    await mall.views()
    staff = {"role": "support", "subject": "sue"}
    case = (await mall.get(f"/v1/disputes/{opened.json()['case']}", **staff)).json()
    stream, _, version = case["evidence"]["proof_of_delivery"].partition("@")
    row = next(r for r in log_of_mall(mall) if (r.stream, r.version) == (stream, int(version)))
    fact = decode_fact(row.name, bytes(row.state))
    assert isinstance(fact, ParcelScanned)
    assert fact.waybill == WAYBILL


async def test_the_wrong_parcel_is_delivered_when_any_number_counts(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T2 CONTROL: the house before the rule: what comes to its address is told of the parcel."""
    pushing = await shipped(mall)

    def whatever_it_names(*_: Any, scans: Any, **__: Any) -> frozenset[str]:
        return frozenset(scan.number for scan in scans)

    monkeypatch.setattr("domain.known_scans.own_numbers", whatever_it_names)
    theirs = pushing.param(*LINES[3:], nu=FOREIGN)
    assert await pushing.tell(theirs) == ("completed", "signed", [])


async def test_payment_notices_are_checked_on_their_raw_bytes(mall: Mall) -> None:
    """R33: mutations of a signed payment notice: 401 each; the right one counts once."""
    placed = await mall.order(("tea-set", 1))
    number = placed["number"]
    key = mall.tenant.callback_links.key(number)
    notice = {
        "order": number, "attempt": "A-1", "outcome": "succeeded", "amount_fen": 1_900,
        "at": "2026-03-01T00:00:00Z",
    }  # fmt: skip
    raw = json.dumps(notice).encode()
    secret = mall.settings.payment_key

    from application.gateways.payment import SIGNATURE, sign

    async def send(body: bytes, signature: str) -> int:
        answer = await mall.client.post(
            f"/v1/callbacks/payment/{key}",
            content=body,
            headers={SIGNATURE.encode(): signature.encode("latin-1")},
        )
        return int(answer.status_code)

    right = sign(raw, secret)
    chance = random.Random(34)
    for _ in range(200):
        at = chance.randrange(len(raw))
        flipped = raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :]
        assert await send(flipped, right) == 401
    for signature in ("", right[:-1], right.upper(), right + "0", "\xff" * 64, "0" * 64):
        assert await send(raw, signature) == 401
    doubled = raw[:-1] + b', "amount_fen": 1}'
    assert await send(doubled, sign(doubled, secret)) == 422
    before = len(log_of_mall(mall))
    assert {await send(raw, right) for _ in range(5)} == {200}
    assert len(log_of_mall(mall)) == before + 2
