"""OULAD's passes through a real service: granted, redeemed, clawed back, and sent again.

`python -m tests.bench.oulad [--limit N]`; needs the data of `TALLYPOST_DATA` or `../shared/data`.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import uvloop

from tests.bench.oulad_data import Enrolment, Oulad, Pass, at, is_here, read
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

PER_CALL = 10_000
CANCELLED_EVERY = 25
"""One redemption in so many is cancelled the same day: points come back, also into debts."""
SAMPLE = 200
"""Learners whose balance of a day long past is asked for at the end."""

PRICES: Final = {
    "bookmark": 120, "enamel-mug": 180, "notebook": 240, "tea-towel": 320, "ink-set": 450,
    "desk-lamp": 700, "reading-course": 380, "writing-course": 900,
}  # fmt: skip
RECIPIENT: Final = {
    "name": "林小满",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号 2 单元 301",
}


@dataclass
class Replay:
    """The replay and what it expects: each learner's points less what they spent and lost."""

    mall: Mall
    data: Oulad
    points: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Below zero it is debt."""
    granted: dict[Enrolment, list[Pass]] = field(default_factory=lambda: defaultdict(list))
    figures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    indebted: set[str] = field(default_factory=set)
    most_owed: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    """How many each learner placed: all that is chosen follows from it, so that runs are alike."""
    then: tuple[datetime, dict[str, int]] | None = None
    """What some learners had at the end of a day, to be asked for later."""

    async def open_mall(self) -> None:
        """One warehouse, goods and courses at prices that learners reach."""
        warehouse = {
            "code": "zhejiang",
            "name": "浙江仓",
            "province": "浙江省",
            "city": "杭州市",
            "serves": ["*"],
        }
        await self.mall.done("/v1/warehouses", warehouse, key="oulad-warehouse")
        for sku, points in PRICES.items():
            course = sku.endswith("-course")
            item = {
                "sku": sku,
                "name": sku,
                "kind": "course" if course else "parcel",
                "points": points,
                "market_value_fen": points * 100,
                "weight_grams": 0 if course else 300,
            }
            await self.mall.done("/v1/items", item, key=f"oulad-{sku}")
            if not course:
                receipt = {"sku": sku, "warehouse": "zhejiang", "quantity": 1_000_000}
                await self.mall.done("/v1/stock/receipts", receipt, key=f"oulad-stock-{sku}")

    async def run(self) -> None:
        """All days in order: grants in the morning, redemptions, cancellations, claw-backs."""
        days = self.data.days
        snapshot_on = days[len(days) * 3 // 5]
        for number, day in enumerate(days):
            await self._grant(day)
            await self._redeem(day)
            await self._claw_back(day)
            if day == snapshot_on:
                some = sorted(self.points)[:: max(1, len(self.points) // SAMPLE)]
                self.then = at(day, 23), {learner: self.points[learner] for learner in some}
            if number % 100 == 99:
                done = f"{number + 1} of {len(days)} days, {self.figures['granted']:,} granted"
                print(f"  {day}: {done}, {self.figures['redeemed']:,} redeemed", flush=True)

    async def _grant(self, day: date) -> None:
        passes = self.data.passes.get(day, [])
        for start in range(0, len(passes), PER_CALL):
            chunk = passes[start : start + PER_CALL]
            for one, result in zip(chunk, await self._send(chunk, f"{day}-{start}"), strict=True):
                if result["status"] == "granted":
                    self.points[one.learner] += one.points
                    self.granted[one.enrolment].append(one)

    async def _send(self, passes: Sequence[Pass], key: str) -> list[dict[str, Any]]:
        started = time.perf_counter()
        body = {"grants": [one.as_grant() for one in passes]}
        answer = await self.mall.done("/v1/points/grants", body, key=f"oulad-{key}")
        self.seconds["granting"] += time.perf_counter() - started
        self.figures["grant calls"] += 1
        for result in answer["results"]:
            refused = f"refused: {result['code']}" if result["status"] == "refused" else None
            self.figures[refused or result["status"]] += 1
        results: list[dict[str, Any]] = answer["results"]
        return results

    async def send_again(self) -> None:
        """Every pass once more, under other request keys: nothing may be granted."""
        passes = self.data.in_order
        for start in range(0, len(passes), PER_CALL):
            await self._send(passes[start : start + PER_CALL], f"again-{start}")

    async def _redeem(self, day: date) -> None:
        """Whoever got points today redeems while they have enough for what they wish for."""
        started = time.perf_counter()
        learners = {p.learner for p in self.data.passes.get(day, []) if p.learner in self.points}
        await asyncio.gather(*(self._redeem_for(learner, day) for learner in sorted(learners)))
        self.seconds["redeeming"] += time.perf_counter() - started

    async def _redeem_for(self, learner: str, day: date) -> None:
        while True:
            sku = self._wish(learner)
            if self.points[learner] < PRICES[sku]:
                return
            self.orders[learner] += 1
            order = f"{learner}-{self.orders[learner]}"
            wish = {
                "learner": learner,
                "lines": [{"sku": sku, "quantity": 1, "points_expected": PRICES[sku]}],
                "happened_at": at(day, 14).isoformat(),
                **({} if sku.endswith("-course") else {"recipient": RECIPIENT}),
            }
            placed = await self.mall.done("/v1/orders", wish, key=f"oulad-order-{order}")
            self.points[learner] -= PRICES[sku]
            self.figures["redeemed"] += 1
            self.figures["points redeemed"] += PRICES[sku]
            cancels = (int(learner) + self.orders[learner]) % CANCELLED_EVERY == 0
            if cancels and not sku.endswith("-course"):
                body = {"reason": "changed my mind", "happened_at": at(day, 16).isoformat()}
                path = f"/v1/orders/{placed['number']}/cancellation"
                await self.mall.done(path, body, key=f"oulad-cancel-{order}")
                self.points[learner] += PRICES[sku]
                self.figures["cancelled"] += 1
                return  # or they would redeem the same thing once more today

    def _wish(self, learner: str) -> str:
        """What a learner saves for: it follows from who they are and how much they spent."""
        skus = list(PRICES)
        return skus[(int(learner) + self.points[learner] // 100) % len(skus)]

    async def _claw_back(self, day: date) -> None:
        """All grants of who withdraws today, and today's of who withdrew before."""
        started = time.perf_counter()
        taken = [p for enrolment in self.data.withdrawals.get(day, []) for p in self._of(enrolment)]
        taken += [
            one
            for one in self.data.passes.get(day, [])
            if self.data.withdrawn.get(one.enrolment, day) < day and not one.banked
        ]
        by_learner: dict[str, list[Pass]] = defaultdict(list)
        for one in taken:
            by_learner[one.learner].append(one)
        await asyncio.gather(*(self._claw_back_from(day, some) for some in by_learner.values()))
        self.seconds["clawing back"] += time.perf_counter() - started

    def _of(self, enrolment: Enrolment) -> list[Pass]:
        return self.granted.get(enrolment, [])

    async def _claw_back_from(self, day: date, passes: Sequence[Pass]) -> None:
        for one in passes:
            body = {
                "learner": one.learner,
                "reason": one.reason,
                "source": one.assessment,
                "why": "withdrawn from the presentation",
                "happened_at": at(day, 20).isoformat(),
            }
            key = f"oulad-back-{one.learner}-{one.assessment}"
            answer = await self.mall.done("/v1/points/clawbacks", body, key=key)
            self.points[one.learner] -= one.points
            self.figures["clawed back"] += 1
            self.figures["points clawed back"] += one.points
            owed = max(0, -self.points[one.learner])
            if answer["debt"] != owed:
                raise Unexpected(f"{one.learner} owes {answer['debt']}, {owed} were expected")
            if owed:
                self.figures["claw-backs that left a debt"] += 1
                self.indebted.add(one.learner)
                self.most_owed = max(self.most_owed, owed)

    async def compare(self) -> int:
        """Ask for every balance, and for some of long ago; returns how many differ."""
        started = time.perf_counter()
        asked = [(learner, "", self.points[learner]) for learner in self.points]
        if self.then is not None:
            moment, balances = self.then
            text = moment.isoformat().replace("+", "%2B")
            asked += [(learner, f"?as_of={text}", had) for learner, had in balances.items()]
        wrong = sum(await asyncio.gather(*(self._differs(*one) for one in asked)))
        self.seconds["asking"] += time.perf_counter() - started
        self.figures["balances asked for"] = len(asked)
        return wrong

    async def _differs(self, learner: str, query: str, expected: int) -> bool:
        answer = await self.mall.get(f"/v1/learners/{learner}/balance{query}")
        if answer["available"] - answer["debt"] == expected and not answer["held"]:
            return False
        print(f"  {learner}{query}: {answer}, {expected} were expected")
        return True


def main() -> int:
    """Run it all; 0 when every figure is as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="only the first so many passes")
    limit = parser.parse_args().limit
    if not is_here(REAL_DATA):
        print(f"skipped: OULAD is not in {REAL_DATA}")
        return 0
    data = read(REAL_DATA, limit=limit)
    with service() as running:
        return uvloop.run(_replay(running, data))


async def _replay(running: Running, data: Oulad) -> int:
    passes = data.in_order
    banked = sum(one.banked for one in passes)
    print(f"{len(passes):,} passes, {banked:,} of them carried over, {len(data.days)} days")
    async with running.mall() as mall:
        replay = Replay(mall, data)
        await replay.open_mall()
        started = time.perf_counter()
        await replay.run()
        whole = time.perf_counter() - started
        first, once = Counter(replay.figures), dict(replay.seconds)
        await replay.send_again()
        again = replay.figures - first
        behind = await views_caught_up(mall)
        wrong = await replay.compare()
    _report(replay, first, once, again, whole=whole, behind=behind)
    ok = all(
        (
            first["granted"] == len(passes) - banked,
            first["refused: carried_over"] == banked,
            again["granted"] == 0,
            again["duplicate"] == len(passes) - banked,
            wrong == 0,
        )
    )
    balanced = await asyncio.to_thread(trial_balance, running)
    clean = await asyncio.to_thread(verified, running)
    print(f"\n{'as expected' if ok and balanced and clean else 'NOT as expected'}")
    return 0 if ok and balanced and clean else 1


def _report(
    replay: Replay,
    first: Counter[str],
    once: dict[str, float],
    again: Counter[str],
    *,
    whole: float,
    behind: float,
) -> None:
    sent = first["granted"] + first["refused: carried_over"] + first["duplicate"]
    owing = [-points for points in replay.points.values() if points < 0]
    told(
        "First time",
        {
            **dict(sorted(first.items())),
            "learners": len(replay.points),
            "learners ever in debt": len(replay.indebted),
            "most owed by one": replay.most_owed,
            "learners in debt at the end": len(owing),
            "points owed at the end": sum(owing),
        },
    )
    told("All of them sent again", {"granted": 0, **dict(sorted(again.items()))})
    told(
        "Rates, over HTTP, with the views following",
        {
            "grants": rate(sent, once["granting"]),
            "grants sent again": rate(
                sum(again.values()) - again["grant calls"],
                replay.seconds["granting"] - once["granting"],
            ),
            "redemptions and cancellations": rate(
                first["redeemed"] + first["cancelled"], once["redeeming"]
            ),
            "claw-backs": rate(first["clawed back"], once["clawing back"]),
            "whole story": f"{whole:.1f} s",
            "views caught up after": f"{behind:.1f} s",
            "balances": rate(replay.figures["balances asked for"], replay.seconds["asking"]),
        },
    )


if __name__ == "__main__":
    sys.exit(main())
