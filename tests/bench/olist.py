"""Olist's 10,000 orders through a real service: placed, paid, split, handed over, signed for.

`python -m tests.bench.olist [--limit N]`; needs the data of `TALLYPOST_DATA` or `../shared/data`.
Everything happens at its own time, under the policy `olist-import`.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, TypeVar
from urllib.parse import quote

import uvloop

from application.callback_links import CallbackLinks
from application.rules_of import rules_of
from domain.scans import BEIJING
from tests.bench.histories import signed_push
from tests.bench.olist_data import CITY_OF, PROVINCE_OF, Item, Olist, Sale, is_here, read
from tests.bench.service import (
    REAL_DATA,
    Running,
    rate,
    service,
    told,
    trial_balance,
    verified,
    views_caught_up,
)
from tests.bench.wire import Mall, Unexpected

FIGURES: Final = {
    "policy": "olist-import",
    # Outside orders are paid: no review holds them back (rules.md 13).
    "review_value_fen": 10**9,
    "review_orders_a_day": 10**6,
    "review_accounts_at_address": 10**6,
    # Their approvals take days, and the deadlines of 2017 are over by the time we import.
    "pay_within": "P50Y",
    "kept_visible": "P50Y",
}
POLICY: Final = {"TALLYPOST_RULES": json.dumps(FIGURES)}
AT_ONCE = 48
GRANTED_AT = "2016-12-01T00:00:00+08:00"
ANOTHER_PARCEL_BEFORE = timedelta(hours=24)
WINDOW = timedelta(days=7)
SAMPLE = 200
"""Orders asked for as of past moments, besides those with times out of order."""
EXPECTED: Final = {
    "delivered": "completed",
    "shipped": "pending_receipt",
    "processing": "pending_shipment",
    "invoiced": "pending_shipment",
    "canceled": "cancelled",
}
T = TypeVar("T")


def counted_as_another_parcel(sale: Sale) -> bool:
    """Signed for more than a day before hand-over: another parcel's scan (rules.md 21)."""
    return (
        sale.signed_at is not None
        and sale.handed_over_at is not None
        and sale.signed_at < sale.handed_over_at - ANOTHER_PARCEL_BEFORE
    )


def expected_state(sale: Sale) -> str:
    """Where the order has to end."""
    if sale.status == "delivered" and (sale.signed_at is None or counted_as_another_parcel(sale)):
        return "pending_receipt"
    return EXPECTED[sale.status]


def expected_at(sale: Sale, moment: datetime, *, paid_at: datetime) -> str | None:
    """The state the order was in at a moment, in the order in which things happened."""
    if moment < sale.placed_at:
        return None
    ended = sale.paid_at or sale.placed_at
    if sale.status == "canceled" and moment >= ended:
        return "cancelled"
    signed = None if expected_state(sale) == "pending_receipt" else sale.signed_at
    if signed is not None and moment >= max(signed, paid_at):
        return "completed" if moment >= signed + WINDOW else "pending_end"
    if moment < paid_at:
        return "pending_payment"
    given = sale.handed_over_at
    return "pending_receipt" if given is not None and moment >= given else "pending_shipment"


@dataclass
class Replay:
    """The orders on their way."""

    mall: Mall
    links: CallbackLinks
    data: Olist
    items: dict[str, Item]
    figures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    """Orders without a cash part: nothing was to be paid."""

    async def timed(self, what: str, work: Awaitable[T]) -> T:
        """Do it and note how long it took."""
        started = time.perf_counter()
        result = await work
        self.seconds[what] = time.perf_counter() - started
        return result

    async def open_mall(self) -> None:
        """A warehouse for each state, items on sale, stock where sellers are."""
        for state in sorted({state for item in self.data.items for state in item.stock}):
            province = PROVINCE_OF[state]
            warehouse = {
                "code": f"br-{state.lower()}",
                "name": f"{province}仓 ({state})",
                "province": province,
                "city": state,
                "serves": ["*"],
            }
            await self.mall.done("/v1/warehouses", warehouse, key=f"olist-{state}")
            self.figures["warehouses"] += 1
        await each(self.data.items, self._list)

    async def _list(self, item: Item) -> None:
        body: dict[str, Any] = {
            "sku": item.sku,
            "name": f"{item.category} {item.sku}",
            "kind": "parcel",
            "points": item.points,
            "cash_fen": item.cash_fen,
            "market_value_fen": item.value_fen,
            "weight_grams": item.weight_grams,
            "size_millimetres": item.size_millimetres,
        }
        answer = await self.mall.post("/v1/items", body, key=f"olist-{item.sku}")
        if answer.code == "freight_too_dear":
            self.figures["items with dear freight, by override"] += 1
            body["freight_override"] = "Olist sold it at this price"
            await self.mall.done("/v1/items", body, key=f"olist-{item.sku}-override")
        elif answer.status not in (200, 201):
            raise Unexpected(str(answer.body))
        self.figures["items"] += 1
        for state, units in item.stock.items():
            receipt = {"sku": item.sku, "warehouse": f"br-{state.lower()}", "quantity": units}
            key = f"olist-stock-{item.sku}-{state}"
            await self.mall.done("/v1/stock/receipts", receipt, key=key)
            self.figures["stock receipts"] += 1

    async def grant(self) -> None:
        """Every customer gets as many points as their orders cost."""
        owed: Counter[str] = Counter()
        for sale in self.data.sales:
            for sku, units in sale.units.items():
                owed[sale.learner] += units * self.items[sku].points
        grants = [
            {
                "learner": learner,
                "points": points,
                "reason": "campaign",
                "source": "olist",
                "happened_at": GRANTED_AT,
            }
            for learner, points in owed.items()
        ]
        for start in range(0, len(grants), 10_000):
            body = {"grants": grants[start : start + 10_000]}
            answer = await self.mall.done("/v1/points/grants", body, key=f"olist-grants-{start}")
            self.figures["customers"] += len(answer["results"])

    async def process(self, sale: Sale) -> None:
        """One order from its placing to its end, each step at its own time."""
        key = f"olist-{sale.id}"
        wish = {
            "learner": sale.learner,
            "lines": [{"sku": sku, "quantity": units} for sku, units in sale.units.items()],
            "happened_at": sale.placed_at.isoformat(),
            "recipient": {
                "name": "客户",
                "phone": "13800138000",
                "province": PROVINCE_OF[sale.state],
                "city": CITY_OF[PROVINCE_OF[sale.state]],
                "address": f"Rua das Flores 1, {sale.city}",
            },
        }
        placed = await self.mall.post("/v1/orders", wish, key=key)
        if not sale.units and placed.status == 422:
            self.figures["orders without lines, refused"] += 1
            return
        if placed.status != 201:
            raise Unexpected(f"{sale}: {placed.body}")
        number = self.numbers[sale.id] = placed.body["number"]
        self.figures["orders placed"] += 1
        if placed.body["cash_fen"]:
            await self._pay(sale, number, placed.body["cash_fen"])
        else:
            self.free.add(sale.id)
        if sale.status == "canceled":
            when = sale.paid_at or sale.placed_at
            body = {"reason": "cancelled at Olist", "happened_at": when.isoformat()}
            await self.mall.done(f"/v1/orders/{number}/cancellation", body, key=f"{key}-cancel")
            self.figures["orders cancelled"] += 1
        elif sale.handed_over_at is not None:
            await self._ship(sale, number, placed.body["position"])

    async def _pay(self, sale: Sale, number: str, fen: int) -> None:
        if sale.paid_at is None and sale.status == "canceled":
            return
        body = {
            "attempt": f"olist-{sale.id}",
            "means": "olist",
            "amount_fen": fen,
            "paid_at": (sale.paid_at or sale.placed_at).isoformat(),
        }
        await self.mall.done(f"/v1/orders/{number}/payments", body, key=f"olist-{sale.id}-pay")
        self.figures["payments"] += 1
        self.figures["payments, fen"] += fen

    async def _ship(self, sale: Sale, number: str, position: int) -> None:
        assert sale.handed_over_at is not None
        order = await self.mall.get(f"/v1/orders/{number}?min_position={position}")
        self.figures["orders with several sellers"] += sale.sellers > 1
        self.figures["orders with sellers in several states"] += sale.seller_states > 1
        self.figures["orders split"] += len(order["parts"]) > 1
        parcels = [await self._hand_over(sale, number, part["part"]) for part in order["parts"]]
        for parcel, waybill in parcels if sale.signed_at is not None else ():
            await self._sign(sale, parcel, waybill)

    async def _hand_over(self, sale: Sale, number: str, part: int) -> tuple[str, str]:
        assert sale.handed_over_at is not None
        given, key = sale.handed_over_at.isoformat(), f"olist-{sale.id}-{part}"
        weight = sum(units * self.items[sku].weight_grams for sku, units in sale.units.items())
        pack = {"order": number, "part": part, "weight_grams": weight, "happened_at": given}
        packed = await self.mall.done("/v1/parcels", pack, key=f"{key}-pack")
        parcel, waybill = packed["parcel"], f"BR{sale.id.upper()}{part}"
        label = {"carrier": "ems", "waybill": waybill, "happened_at": given}
        await self.mall.done(f"/v1/parcels/{parcel}/waybill", label, key=f"{key}-waybill")
        body = {"happened_at": given}
        await self.mall.done(f"/v1/parcels/{parcel}/handover", body, key=f"{key}-handover")
        self.figures["parcels handed over"] += 1
        return parcel, waybill

    async def _sign(self, sale: Sale, parcel: str, waybill: str) -> None:
        assert sale.handed_over_at is not None
        assert sale.signed_at is not None
        given, signed = _wire(sale.handed_over_at), _wire(sale.signed_at)
        scans = [
            {"t": given, "status_text": "揽收", "text": "已揽收", "code": None},
            {"t": signed, "status_text": "签收", "text": "已签收", "code": None},
        ]
        path = f"/v1/callbacks/kuaidi100/{self.links.key(parcel)}"
        salt = self.links.salt(parcel)
        form = signed_push(scans, carrier="ems", waybill=waybill, salt=salt)
        answer = await self.mall.push(path, form)
        if answer.body.get("result") is not True:
            raise Unexpected(f"{sale}: {answer.body}")
        self.figures["parcels signed for"] += 1

    async def compare(self) -> int:
        """Ask where every order stands, and where some stood; returns how many differ."""
        placed = [sale for sale in self.data.sales if sale.id in self.numbers]
        wrong: list[str] = []

        async def now(sale: Sale) -> None:
            order = await self.mall.get(f"/v1/orders/{self.numbers[sale.id]}")
            self.figures[f"now {order['state']}"] += 1
            if order["state"] != expected_state(sale):
                wrong.append(f"{sale}: {order['state']}, not {expected_state(sale)}")

        async def then(sale: Sale) -> None:
            for moment in _moments(sale):
                state = await self._state_at(sale, moment)
                paid_at = sale.placed_at if sale.id in self.free else _paid_at(sale)
                expected = expected_at(sale, moment, paid_at=paid_at)
                self.figures["lists as of a moment"] += 1
                if state != expected:
                    wrong.append(f"{sale} at {moment}: {state}, not {expected}")

        await each(placed, now)
        odd = [sale for sale in placed if not sale.in_order]
        some = random.Random(7).sample(placed, min(SAMPLE, len(placed)))
        await each([*odd, *some], then)
        self.figures["orders with times out of order"] = len(odd)
        self.figures["signed for a day before hand-over: another parcel's scan"] = sum(
            counted_as_another_parcel(sale) for sale in placed
        )
        for one in wrong[:20]:
            print(f"  NOT as expected: {one}")
        return len(wrong)

    async def _state_at(self, sale: Sale, moment: datetime) -> str | None:
        path = f"/v1/orders?learner={sale.learner}&as_of={quote(moment.isoformat())}"
        listed = (await self.mall.get(path))["orders"]
        mine = [one["state"] for one in listed if one["number"] == self.numbers[sale.id]]
        return mine[0] if mine else None


def _paid_at(sale: Sale) -> datetime:
    if sale.paid_at is None and sale.status == "canceled":
        return datetime.max.replace(tzinfo=BEIJING)
    return sale.paid_at or sale.placed_at


def _wire(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _moments(sale: Sale) -> list[datetime]:
    """Moments between the order's own times, where its state was one and then another."""
    known = [sale.placed_at, sale.paid_at, sale.handed_over_at, sale.signed_at]
    times = sorted({one for one in known if one is not None})
    between = [one + (after - one) / 2 for one, after in pairwise(times)]
    last = times[-1]
    return [times[0] - timedelta(days=1), *between, last + timedelta(hours=1), last + 2 * WINDOW]


async def each(things: Iterable[T], work: Callable[[T], Awaitable[Any]]) -> None:
    """Do the work for each of these, so many at once, begun in their order."""
    waiting = iter(things)

    async def worker() -> None:
        for one in waiting:
            await work(one)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def main() -> int:
    """Run it all; 0 when every order stands where it has to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="only the first so many orders")
    limit = parser.parse_args().limit
    if not is_here(REAL_DATA):
        print(f"skipped: Olist is not in {REAL_DATA}")
        return 0
    data = read(REAL_DATA, limit=limit)
    with service(POLICY) as running:
        return uvloop.run(_replay(running, data))


async def _replay(running: Running, data: Olist) -> int:
    print(f"{len(data.sales):,} orders under the policy {rules_of(running.settings).policy}")
    async with running.mall() as mall:
        replay = Replay(mall, running.links, data, {item.sku: item for item in data.items})
        await replay.timed("mall", replay.open_mall())
        await replay.timed("grants", replay.grant())
        await replay.timed("orders", each(data.sales, replay.process))
        behind = await views_caught_up(mall)
        await _ended(mall)
        wrong = await replay.timed("questions", replay.compare())
        told("What was done", dict(sorted(replay.figures.items())))
        steps = mall.requests["POST"]
        told(
            "Rates, over HTTP, with the views following",
            {
                "orders, whole": rate(replay.figures["orders placed"], replay.seconds["orders"]),
                "requests that change something": steps,
                "views caught up after": f"{behind:.1f} s",
                **{name: f"{seconds:.1f} s" for name, seconds in replay.seconds.items()},
            },
        )
    balanced = await asyncio.to_thread(trial_balance, running)
    clean = await asyncio.to_thread(verified, running)
    ok = not wrong and balanced and clean
    print(f"\n{'as expected' if ok else 'NOT as expected'}")
    return 0 if ok else 1


async def _ended(mall: Mall) -> None:
    """Wait until the worker has ended the service windows, which were over years ago."""
    for _ in range(600):
        page = await mall.get("/v1/orders?status=pending_end")
        if not page["orders"]:
            break
        await asyncio.sleep(0.5)
    await views_caught_up(mall)


if __name__ == "__main__":
    sys.exit(main())
