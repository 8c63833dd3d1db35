"""沙箱第三方仓 A third party's warehouse as the sandbox plays it (M3; docs/third-parties.md).

It takes wishes, works at the pace that is set, and tells of each step, signed. What it is asked
twice it does once; what has left is not cancelled.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, SecretStr, ValidationError

from api.sandbox.line import ByHand, Line, believes
from application.gateways.third_party import (
    CountIn,
    CountMessage,
    FoundIn,
    ParcelIn,
    ParcelMessage,
    Steps,
    Wish,
    signed_message,
    verify,
)
from application.gateways.tracking import ForgedPush

logger = logging.getLogger(__name__)

SECRET = SecretStr("whsec_dGFsbHlwb3N0LXNhbmRib3gtdGhpcmQtcGFydHktMDE=")
"""Everybody may know it."""
FORGED = SecretStr("whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLTAwMDE=")
WAREHOUSES = ("shaanxi", "rented")
"""Whom it can play: the demo mall's, once that is run by a third party, and one to be opened."""
WORK: tuple[Steps, ...] = ("parcel.picking", "parcel.packed", "parcel.shipped")
GRAMS = 500
WITH_UNITS: tuple[Steps, ...] = ("parcel.short", "parcel.packed")
BY_HAND: dict[str, Steps] = {
    "picking": "parcel.picking",
    "short": "parcel.short",
    "packed": "parcel.packed",
    "shipped": "parcel.shipped",
    "refused": "parcel.refused",
}
"""What somebody lets it tell."""


def third_parties(url: str) -> dict[str, str]:
    """Settings with which a house asks this warehouse."""
    one = {"url": f"{url}/third-party", "secrets": [SECRET.get_secret_value()]}
    return {"THIRD_PARTIES": json.dumps(dict.fromkeys(WAREHOUSES, one))}


class Counted(BaseModel):
    """What the warehouse is to say that it has."""

    callback_url: str = Field(max_length=2_000)
    lines: list[FoundIn] = Field(min_length=1, max_length=500)
    counted_at: AwareDatetime | None = None


@dataclass
class Job:
    """A parcel as the warehouse has it."""

    wish: Wish
    first: Wish
    """What its floor has in hand: where that hears of nothing, all of it leaves."""
    told: list[ParcelMessage] = field(default_factory=list)
    """Everything that it had to tell, oldest first."""
    work: asyncio.Task[None] | None = None
    free: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it may go on."""

    @property
    def shipped(self) -> ParcelMessage | None:
        """What was to be told when it left; None: it is here."""
        return next((one for one in self.told if one.type == "parcel.shipped"), None)

    @property
    def newest(self) -> ParcelMessage | None:
        """What is to be said of it now."""
        return self.told[-1] if self.told else None


@dataclass
class ThirdParty:
    """What the warehouse knows."""

    line: Line
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    secret: SecretStr = SECRET
    jobs: dict[str, Job] = field(default_factory=dict)
    shipped: int = 0
    """Parcels that ever left: more than there are jobs if one was sent twice."""

    def take(self, wish: Wish) -> ParcelMessage | None:
        """Do what is wanted of a parcel now; an older wish than the newest is history."""
        job = self.jobs.setdefault(wish.parcel, Job(wish, wish))
        if job.told and wish.revision <= job.wish.revision:
            return job.shipped or job.newest
        job.wish = wish
        (job.free.clear if wish.held else job.free.set)()
        if self.line.happens("reject"):
            self._tell(job, "parcel.refused", code="closed", words="盘点中,请联系张三13800138000")
        elif job.shipped is not None:
            self._tell(job, "parcel.refused", code="shipped")
            self.line.start(self._push(wish.callback_url, job.shipped, len(job.told) + 1))
        elif not wish.units:
            self._stop(job)
            self._tell(job, "parcel.cancelled")
            if self.line.behaviour.ship_cancelled:
                job.work = self.line.start(self._ship_later(job, self._units(job.first)))
        else:
            self._tell(job, "parcel.accepted")
            if job.work is None or job.work.done():
                job.work = self.line.start(self._do(job))
        return job.newest

    async def _do(self, job: Job) -> None:
        """Pick, pack and ship, a step at a time; a parcel that is held waits."""
        for step in WORK:
            await asyncio.sleep(self.line.behaviour.pace_seconds)
            await job.free.wait()
            if self.line.behaviour.short and step == "parcel.picking":
                self._tell(job, "parcel.short", units=self._units(job.wish))
                continue
            if step == "parcel.picking":
                self._tell(job, step)
                continue
            deaf = self.line.behaviour.ship_cancelled
            units = self._units(job.first if deaf else job.wish)
            if step == "parcel.shipped":
                self._ship(job, units)
            else:
                self._tell(job, step, units=units, weight_grams=GRAMS)

    async def _ship_later(self, job: Job, units: list[FoundIn]) -> None:
        """Nobody on the floor heard of the cancel."""
        await asyncio.sleep(self.line.behaviour.pace_seconds)
        self._ship(job, units)

    def _ship(self, job: Job, units: list[FoundIn]) -> None:
        self.shipped += 1
        digits = int(hashlib.sha256(job.wish.parcel.encode()).hexdigest(), 16) % 10**13
        self._tell(
            job,
            "parcel.shipped",
            units=units,
            weight_grams=GRAMS,
            carrier=job.wish.carrier or "shunfeng",
            waybill=f"TP{digits:013d}",
        )

    def _units(self, wish: Wish) -> list[FoundIn]:
        """What is in it: where it is short, one unit less of the first item."""
        less = int(self.line.behaviour.short)
        return [
            FoundIn(sku=one.sku, quantity=max(0, one.quantity - (less if place == 0 else 0)))
            for place, one in enumerate(wish.units)
        ]

    def _tell(self, job: Job, step: Steps, **more: Any) -> None:
        data = ParcelIn(parcel=job.wish.parcel, revision=job.wish.revision, **more)
        message = ParcelMessage(type=step, timestamp=self.clock(), data=data)
        job.told.append(message)
        if not self.line.behaviour.newest_first:
            self.line.start(self._push(job.wish.callback_url, message, len(job.told)))
        elif step in ("parcel.shipped", "parcel.cancelled", "parcel.refused"):
            self.line.start(self._push_backwards(job))

    async def _push_backwards(self, job: Job) -> None:
        for number in range(len(job.told), 0, -1):
            await self._push(job.wish.callback_url, job.told[number - 1], number)

    async def _push(self, url: str, message: ParcelMessage | CountMessage, number: int) -> None:
        about = message.data.parcel if isinstance(message, ParcelMessage) else "stock"
        forged = self.line.happens("forge")
        secret = FORGED if forged else self.secret
        name = f"msg_{about}_{number}"

        def made() -> dict[str, Any]:
            body, headers = signed_message(secret, message, name=name, at=self.clock())
            return {"content": body, "headers": headers}

        await self.line.push(url, made, forged=forged)

    def count(self, asked: Counted) -> None:
        """Say what is on the shelves."""
        now = self.clock()
        data = CountIn(counted_at=asked.counted_at or now, lines=asked.lines)
        message = CountMessage(type="stock.counted", timestamp=now, data=data)
        self.line.start(self._push(asked.callback_url, message, int(now.timestamp() * 1_000)))

    def _stop(self, job: Job) -> None:
        if job.work is not None:
            job.work.cancel()

    async def by_hand(self, parcel: str, event: str) -> None:
        """Tell something of a parcel, whatever its floor does."""
        job, step = self.jobs[parcel], BY_HAND[event]
        if step == "parcel.shipped":
            self._ship(job, self._units(job.wish))
        elif step == "parcel.refused":
            self._tell(job, step, code="closed", words="盘点中")
        else:
            units = {"units": self._units(job.wish)} if step in WITH_UNITS else {}
            weight = {"weight_grams": GRAMS} if step == "parcel.packed" else {}
            self._tell(job, step, **units, **weight)


def third_party_routes(warehouse: ThirdParty) -> APIRouter:
    """The routes at which the warehouse is reached."""
    line, control = warehouse.line, APIRouter(prefix="/third-party")
    line.by_hand = ByHand(
        about=lambda: list(warehouse.jobs),
        events=tuple(BY_HAND),
        tell=warehouse.by_hand,
    )
    router = line.router(
        refused=lambda: Response(status_code=503), unreadable=lambda: Response(status_code=422)
    )

    @router.put("/parcels/{parcel}", summary="Third party: what is wanted of a parcel, by revision")
    async def wanted(parcel: str, request: Request) -> Response:
        body = await request.body()
        try:
            verify(body, request.headers, secrets=[warehouse.secret], now=warehouse.clock())
        except ForgedPush:
            believes(request, fits=False)
            return Response(status_code=401)
        believes(request, fits=True)
        try:
            wish = Wish.model_validate_json(body)
        except ValidationError:
            return Response(status_code=422)
        if wish.parcel != parcel:
            return Response(status_code=422)
        newest = warehouse.take(wish)
        content = b"{}" if newest is None else newest.model_dump_json(exclude_none=True).encode()
        return Response(content, media_type="application/json")

    @control.post("/counts", status_code=202, summary="Third party: let it tell what it has (C3)")
    async def count(asked: Counted) -> Response:
        warehouse.count(asked)
        return Response(status_code=202)

    control.include_router(router)
    return control
