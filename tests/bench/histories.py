"""Twenty real parcel histories pushed through the callback: in order, reversed, shuffled, twice.

`python -m tests.bench.histories`; needs the data of `TALLYPOST_DATA` or `../shared/data`. Every
history goes through four parcels of their own and ends in its `final` each time (T2).
"""

import asyncio
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import uvloop

from application.callback_links import CallbackLinks
from application.gateways.kuaidi100 import compact_json, sign_push
from domain.scans import BEIJING
from tests.bench.service import (
    REAL_DATA,
    rate,
    service,
    told,
    trial_balance,
    verified,
    views_caught_up,
)
from tests.bench.wire import Mall, Unexpected

CARRIERS: Final = {
    "SF": "shunfeng", "YTO": "yuantong", "ZTO": "zhongtong", "STO": "shentong",
    "HTKY": "huitongkuaidi", "EMS": "ems", "YUNDA": "yunda", "TTKDEX": "tiantian",
}  # fmt: skip
"""Kuaidi100's names of the carriers in the data."""
WAYS: Final = ("in order", "reversed", "shuffled", "twice")
AFTER_SIGNING = frozenset({"pending_end", "completed"})
"""A worker may have ended the service window already: it was over years ago."""
LEARNER = "history-learner"
RECIPIENT: Final = {
    "name": "林小满",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号 2 单元 301",
}

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """How one history ended that was pushed one way."""

    history: int
    way: str
    expected: str
    parcel: str
    order: str
    scans: int

    @property
    def as_expected(self) -> bool:
        """The parcel stands where it stood, and the order followed it."""
        signed = self.order in AFTER_SIGNING
        return self.parcel == self.expected and signed == (self.expected == "signed")


def read(data: Path) -> list[dict[str, Any]]:
    """The histories; none where the folder is absent."""
    path = data / "tracking" / "histories.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pushes(scans: Sequence[Line], way: str, *, chance: random.Random) -> list[list[Line]]:
    """What the carrier's messages tell: each scan alone, and then all of them once more."""
    one_by_one = {
        "in order": list(scans),
        "reversed": list(reversed(scans)),
        "shuffled": chance.sample(list(scans), len(scans)),
        "twice": [scan for scan in scans for _ in range(2)],
    }[way]
    return [[scan] for scan in one_by_one] + [one_by_one]


def as_wire(scan: Line) -> Line:
    """A scan as Kuaidi100 writes it; no `statusCode`, as in many real pushes."""
    line = {
        "time": scan["t"],
        "ftime": scan["t"],
        "context": scan["text"],
        "status": scan["status_text"],
    }
    place = scan["code"] or ""
    return {**line, "areaCode": place} if place.startswith("CN") else line


def signed_push(scans: Sequence[Line], *, carrier: str, waybill: str, salt: str) -> bytes:
    """A push's form, signed with the parcel's salt."""
    last = {
        "message": "ok",
        "nu": waybill,
        "com": carrier,
        "ischeck": "0",
        "data": [as_wire(scan) for scan in scans],
    }
    param = compact_json({"status": "polling", "message": "", "lastResult": last})
    return urlencode({"param": param, "sign": sign_push(param, salt.encode())}).encode()


@dataclass
class Pushing:
    """The histories on their way through a mall."""

    mall: Mall
    links: CallbackLinks
    pushed: int = 0

    async def open_mall(self, orders: int) -> None:
        """One warehouse, one item and a learner with points for so many of it."""
        warehouse = {
            "code": "zhejiang",
            "name": "浙江仓",
            "province": "浙江省",
            "city": "杭州市",
            "serves": ["*"],
        }
        await self.mall.done("/v1/warehouses", warehouse, key="history-warehouse")
        item = {
            "sku": "book",
            "name": "书",
            "kind": "parcel",
            "points": 10,
            "market_value_fen": 5_000,
            "weight_grams": 300,
        }
        await self.mall.done("/v1/items", item, key="history-item")
        receipt = {"sku": "book", "warehouse": "zhejiang", "quantity": orders}
        await self.mall.done("/v1/stock/receipts", receipt, key="history-stock")
        grant = {
            "learner": LEARNER,
            "points": 10 * orders,
            "reason": "task",
            "source": "histories",
            "happened_at": "2014-01-01T00:00:00+08:00",
        }
        await self.mall.done("/v1/points/grants", {"grants": [grant]}, key="history-grant")

    async def run(self, history: dict[str, Any], way: str, *, seed: int = 21) -> str:
        """Send a parcel, push its history this way; returns the order's number."""
        key = f"history-{history['history']}-{way.replace(' ', '-')}"
        scans = history["scans"]
        first = min(datetime.fromisoformat(scan["t"]) for scan in scans).replace(tzinfo=BEIJING)
        given = (first - timedelta(hours=1)).isoformat()
        wish = {
            "learner": LEARNER,
            "lines": [{"sku": "book", "quantity": 1}],
            "happened_at": (first - timedelta(hours=5)).isoformat(),
            "recipient": RECIPIENT,
        }
        placed = await self.mall.done("/v1/orders", wish, key=key)
        pack = {"order": placed["number"], "happened_at": given}
        packed = await self.mall.done("/v1/parcels", pack, key=f"{key}-pack")
        parcel, carrier = packed["parcel"], CARRIERS[history["carrier"]]
        waybill = _waybill(history, way)
        label = {"carrier": carrier, "waybill": waybill, "happened_at": given}
        await self.mall.done(f"/v1/parcels/{parcel}/waybill", label, key=f"{key}-waybill")
        await self.mall.done(
            f"/v1/parcels/{parcel}/handover", {"happened_at": given}, key=f"{key}-handover"
        )
        path = f"/v1/callbacks/kuaidi100/{self.links.key(parcel)}"
        salt = self.links.salt(parcel)
        for told_scans in pushes(scans, way, chance=random.Random(f"{seed}-{key}")):
            form = signed_push(told_scans, carrier=carrier, waybill=waybill, salt=salt)
            answer = await self.mall.push(path, form)
            if answer.status != 200 or answer.body["result"] is not True:
                raise Unexpected(f"{key}: {answer.status} {answer.body}")
            self.pushed += 1
        return str(placed["number"])

    async def ended(self, history: dict[str, Any], way: str, number: str) -> Ended:
        """Where parcel and order stand now, as staff see them."""
        order = await self.mall.get(f"/v1/orders/{number}", role="operations")
        (parcel,) = order["parcels"]
        return Ended(
            history=history["history"],
            way=way,
            expected=history["final"],
            parcel=parcel["state"],
            order=order["state"],
            scans=len(parcel["scans"]),
        )


def _waybill(history: dict[str, Any], way: str) -> str:
    """The history's number, longer by a digit for each way: one is on one parcel at a time (T1)."""
    number = str(history["waybill_scrambled"])
    own = number if number.isalnum() else f"X{history['history']:08}"
    return f"{own}{WAYS.index(way)}"


async def run_all(
    mall: Mall,
    links: CallbackLinks,
    histories: Sequence[dict[str, Any]],
    *,
    views: Callable[[], Awaitable[Any]],
) -> tuple[list[Ended], int]:
    """Every history every way: how they ended, and how many pushes that took."""
    pushing = Pushing(mall, links)
    await pushing.open_mall(len(histories) * len(WAYS))
    pairs = [(history, way) for history in histories for way in WAYS]
    numbers = await asyncio.gather(*(pushing.run(history, way) for history, way in pairs))
    await views()
    found = [
        await pushing.ended(history, way, number)
        for (history, way), number in zip(pairs, numbers, strict=True)
    ]
    return found, pushing.pushed


def main() -> int:
    """Run it all; 0 when every parcel stands where it stood."""
    histories = read(REAL_DATA)
    if not histories:
        print(f"skipped: the histories are not in {REAL_DATA}")
        return 0

    async def story() -> tuple[list[Ended], int, float]:
        async with running.mall() as mall:
            started = time.perf_counter()
            found, pushed = await run_all(
                mall, running.links, histories, views=lambda: views_caught_up(mall)
            )
            return found, pushed, time.perf_counter() - started

    with service() as running:
        found, pushed, seconds = uvloop.run(story())
        wrong = [one for one in found if not one.as_expected]
        for one in wrong:
            print(f"  NOT as expected: {one}")
        told(
            f"{len(histories)} histories, each {', '.join(WAYS)}",
            {
                "parcels": len(found),
                "ended as they ended": len(found) - len(wrong),
                **{f"parcels {state}": n for state, n in Counter(o.parcel for o in found).items()},
                **{f"orders {state}": n for state, n in Counter(o.order for o in found).items()},
                "pushes": rate(pushed, seconds),
            },
        )
        balanced, clean = trial_balance(running), verified(running)
    return 0 if not wrong and balanced and clean else 1


if __name__ == "__main__":
    sys.exit(main())
