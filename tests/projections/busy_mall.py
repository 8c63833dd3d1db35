"""A mall in which things happen, for tests that look at its history."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from application import (
    approval_requests,
    approving,
    billing,
    claiming,
    comparing,
    consigning,
    deciding,
    disputing,
    following,
    granting,
    intercepting,
    labelling,
    merging,
    ordering,
    rating,
    redeeming,
    releasing,
    returning,
    settling,
    shipping,
    stocking,
)
from application.bill_evidence import OpenBill
from application.comparing import Seen
from application.demo_mall import open_demo_mall
from application.envelope import Context
from application.gathering import Gathered
from application.granting import Grant, grant_command
from application.outcomes import Outcome
from application.recipients import Recipient
from application.store import Store
from application.streams import MALL, NETWORK, PARCEL, STOCK, WEEK
from application.unit import Command, Unit
from application.vault import MasterKeys, Vault
from domain.approvals import ApprovalRequested, Kind
from domain.arriving import estimate
from domain.bill_facts import BilledLine, BillKind, Charge, RefusedRow
from domain.bill_matching import compare
from domain.bills import BillFile
from domain.consignments import FoundUnits, Report, Step
from domain.dispute_facts import Answer, Question, Side
from domain.dispute_facts import Outcome as End
from domain.house_rules import HouseRules
from domain.labels import LabelIssued
from domain.lanes import Milestone
from domain.order_facts import Channel, Fault
from domain.parcel_facts import Content
from domain.rating import Rating
from domain.return_facts import Remedy, Verdict
from domain.scans import Scan, ScanKind
from domain.weeks import Figure, WeekReviewed
from projections.runner import Reader
from projections.views import all_views
from tests.conftest import MallDatabase
from tests.projections.abroad import send_abroad

RULES = HouseRules()
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RECIPIENT = Recipient.cleaned(
    name="欧阳若兰",
    phone="13912345678",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    address="文三路138号3幢2单元502室",
)


@dataclass
class BusyMall:
    """A store and its reader, with the things learners and staff do in a line each."""

    database: MallDatabase
    store: Store
    reader: Reader
    vault: Vault
    now: datetime = START
    serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """Its own time: a minute a look, so that runs are alike."""
        self.now += timedelta(minutes=1)
        return self.now

    async def do(
        self,
        decide: Callable[[Unit], dict[str, Any]],
        *,
        actor: str = "service:platform",
        reason: str = "",
        subject: str | None = None,
        happened_at: datetime | None = None,
    ) -> Outcome:
        """Decide something under a key of its own."""
        key = f"do-{next(self.serial)}"
        context = Context(actor=actor, command=key, reason=reason)
        digest = hashlib.sha256(key.encode()).digest()
        return await self.store.execute(
            Command(actor, key, digest, context, decide, subject=subject, happened_at=happened_at)
        )

    async def grant(self, learner: str, points: int, source: str, **more: Any) -> Outcome:
        """Points for a course."""
        context = Context(actor="service:platform", command=f"grant-{next(self.serial)}")
        one = Grant(learner, points, "course_completed", source, **more)  # type: ignore[arg-type]
        return await self.store.execute(grant_command(one, context))

    async def order(self, learner: str, number: str, **units: int) -> Outcome:
        """Redeem `enamel_mug=2`."""
        key = self.vault.lookup_key
        wish = redeeming.Wish(
            learner=learner,
            lines=tuple(
                redeeming.Wanted(sku.replace("_", "-"), quantity) for sku, quantity in units.items()
            ),
            recipient=RECIPIENT,
            channel=Channel.APP,
            digests=RECIPIENT.digests(key),
        )
        return await self.do(
            lambda unit: redeeming.place_order(unit, wish, number=number, rules=RULES),
            actor=f"learner:{learner}",
            subject=learner,
        )

    async def cancel(self, number: str) -> Outcome:
        """Cancel what was not sent."""
        return await self.do(
            lambda unit: ordering.cancel_order(
                unit, number=number, wanted=None, reason="changed my mind", rules=RULES
            )
        )

    async def refund(self, number: str) -> Outcome:
        """Give back what was granted or handed over."""
        return await self.do(
            lambda unit: ordering.refund_order(
                unit,
                number=number,
                wanted=None,
                fault=Fault.CHANGED_MIND,
                reason="changed my mind",
                goods_back=False,
                rules=RULES,
            ),
            actor="support:wang",
        )

    async def freeze(self, learner: str, *, status: str = "frozen") -> Outcome:
        """Freeze or unfreeze."""
        return await self.do(
            lambda unit: granting.put_learner(
                unit, learner=learner, status=status, reason="asked to"
            ),
            actor="operations:wu",
        )

    async def ship(self, number: str, *, part: int = 1) -> str:
        """Pack, label and hand over one part; returns the parcel."""
        parcel = merging.parcel_number(number, part)
        await self.do(
            lambda unit: shipping.pack_part(unit, order=number, part=part, weight_grams=500)
        )
        await self.do(
            lambda unit: shipping.issue_waybill(
                unit, parcel=parcel, carrier="shunfeng", waybill=f"SF{parcel}"
            )
        )
        await self.do(lambda unit: shipping.hand_over(unit, parcel=parcel, rules=RULES))
        await self.do(lambda unit: self._estimated(unit, parcel))
        return parcel

    def _estimated(self, unit: Unit, parcel: str) -> dict[str, Any]:
        box = unit.read(PARCEL, parcel)
        unit.record(PARCEL, parcel, estimate(box, Milestone.HANDED_OVER, [], rules=RULES))
        return {"parcel": parcel}

    async def sign(self, parcel: str, *, at: datetime) -> Outcome:
        """The carrier says it was signed for then."""
        return await self.scan(parcel, "已签收,签收人:本人", ScanKind.SIGNED, at=at)

    async def scan(self, parcel: str, text: str, kind: ScanKind, *, at: datetime) -> Outcome:
        """The carrier says that it saw a parcel then."""
        scan = Scan(number=f"SF{parcel}", time=at, text=text, carrier="shunfeng", kind=kind)
        return await self.do(
            lambda unit: shipping.record_scans(
                unit,
                parcel=parcel,
                scans=[scan],
                source="test",
                raw=None,
                corrected_to=None,
                rules=RULES,
            ),
            actor="carrier:shunfeng",
        )

    async def happenings(self, learners: int = 5, orders: int = 2) -> None:
        """A day in which each learner earns and redeems, and one in three cancels."""
        numbers = itertools.count(1)
        for who in range(learners):
            learner = f"learner{who}"
            await self.grant(learner, 3_000, f"C-{who}")
            await self.grant(learner, 900, f"D-{who}", expires_at=START + timedelta(days=40))
            for _ in range(orders):
                number = f"T{next(numbers):05}"
                await self.order(learner, number, enamel_mug=1, notebook=1)
                if int(number[1:]) % 3 == 0:
                    await self.cancel(number)
                elif int(number[1:]) % 3 == 1:
                    parcel = await self.ship(number)
                    signed = self.now + timedelta(hours=3)
                    await self.sign(parcel, at=signed)
                    stray = signed + timedelta(hours=2)
                    await self.scan(parcel, "到达【杭州】", ScanKind.ARRIVED, at=stray)
        await self.freeze("learner0")
        asked = ApprovalRequested(
            kind=Kind.ADJUSTMENT,
            learner="lin",
            points=6_000,
            subject=f"x{next(self.serial)}",
            maker="a",
            reason="y",
        )
        one = f"A{next(self.serial)}"
        await self.do(lambda unit: approval_requests.ask(unit, approval=one, request=asked))
        await self.do(lambda unit: approving.allow(unit, approval=one, checker="b", rules=RULES))
        await self.pay_and_cancel("learner1", f"T9{next(self.serial):04}")
        await self.dispute("T00001", "T00001-P1")
        await self.give_back("T00004")
        await self.label("learner1", f"T8{next(self.serial):04}")
        await self.rate("learner1", f"T7{next(self.serial):04}")
        await self.bill()
        figure = Figure(section="week", key="", name="arrived", value=7, before=5)
        first, last = date(2026, 2, 23), date(2026, 3, 1)
        told = WeekReviewed(
            week="2026-W09", first_day=first, last_day=last, upto=9, figures=(figure,)
        )
        await self.do(partial(self._reviewed, told=told), actor="policy:review_weeks")
        await self.consign("learner1", f"T6{next(self.serial):04}")
        number = f"T5{next(self.serial):04}"
        await send_abroad(self.do, self.vault.lookup_key, learner="learner1", number=number)
        await self.reader.catch_up()

    def _reviewed(self, unit: Unit, *, told: WeekReviewed) -> dict[str, Any]:
        unit.record(WEEK, told.week, unit.read(WEEK, told.week).review(told))
        return {"week": told.week}

    async def bill(self) -> None:
        """A carrier's bill, corrected once, compared, and of its differences one is decided."""
        first = BilledLine(row=2, number="SFT000011", charge=Charge.FREIGHT, fen=1_200)
        second = first.model_copy(update={"row": 3, "number": "SFX", "fen": 800})
        refused = (RefusedRow(row=4, column="amount", code="empty"),)
        bill = BillFile(BillKind.CARRIER, "shunfeng", "2026-03", "sf.csv", (first,), refused)
        for file in (bill, bill._replace(lines=(first, second))):
            await self.do(partial(billing.receive_bill, file=file), actor="operations:wu")
        found = compare((first, second), {}, kind=BillKind.CARRIER)
        noting = partial(
            billing.note_compared,
            bill=OpenBill(bill.key, bill.kind, bill.partner, 2, 0, None, None),
            compared=found,
        )
        await self.do(noting)
        deciding_it = partial(
            billing.decide_differences, differences=["unknown_number:freight:SFX"],
            decision="contested", reason="not ours",
        )  # fmt: skip
        await self.do(partial(deciding_it, bill=bill.key), actor="operations:wu")

    async def label(self, learner: str, number: str) -> None:
        """A waybill is ordered, comes too late, and is given back."""
        await self.order(learner, number, enamel_mug=1)
        parcel, label = f"{number}-P1", f"{number}-P1-L1"
        await self.do(partial(shipping.pack_part, order=number, part=1, weight_grams=400))
        await self.do(partial(labelling.want_label, parcel=parcel, rules=RULES))
        by_hand = partial(shipping.issue_waybill, carrier="ems", waybill=f"EM{number}")
        await self.do(partial(by_hand, parcel=parcel))
        issued = LabelIssued(label=label, issuer="kuaidi100", waybill=f"73{number}")
        await self.do(partial(labelling.take_number, parcel=parcel, issued=issued))
        await self.do(partial(labelling.note_cancelled, parcel=parcel, label=label))
        await self.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
        stopping = partial(intercepting.intercept_parcel, reason="changed my mind", rules=RULES)
        await self.do(partial(stopping, parcel=parcel, orders=[number]))

    async def consign(self, learner: str, number: str) -> None:
        """A third party's warehouse packs a parcel, and sends what was cancelled in it, too."""
        rules = replace(RULES, third_parties=frozenset({"shaanxi"}))
        await self.do(partial(self._run_by, third_party=True))
        await self.order(learner, number, enamel_mug=2)
        contents = [Content(order=number, part=1)]
        released = partial(releasing.release_together, contents=contents, wave="w", rules=rules)
        await self.do(released)
        parcel = f"{number}-P1"
        await self.do(partial(consigning.consign, parcel=parcel, rules=rules))
        some = [("enamel-mug", 1)]
        cancel = partial(ordering.cancel_order, number=number, wanted=some, reason="changed_mind")
        await self.do(partial(cancel, rules=rules))
        units = (FoundUnits(sku="enamel-mug", quantity=2),)
        left = {"carrier": "shunfeng", "waybill": f"SF{number}"}
        for step, more in ((Step.PACKED, {}), (Step.SHIPPED, left)):
            report = Report(step, 2, units=units, weight_grams=400, **more)
            told = partial(consigning.note_told, parcel=parcel, warehouse="shaanxi", report=report)
            await self.do(partial(told, raw=b"{}"), actor="partner:third-party:shaanxi")
            await self.do(partial(following.follow, parcel=parcel, rules=rules))
        await self.do(self._counted, actor="partner:third-party:shaanxi")
        settled = partial(comparing.settle, warehouse="shaanxi", difference=2, book=False)
        await self.do(partial(settled, sku="no-such-thing", reason="thrown away"))
        await self.do(partial(self._run_by, third_party=False))

    def _counted(self, unit: Unit) -> dict[str, Any]:
        """One item lacks three units, and something is there that is none of ours."""
        stock = unit.read(STOCK, "shaanxi:enamel-mug")
        seen = {"enamel-mug": Seen(unit.version(STOCK, "shaanxi:enamel-mug"), moved=False)}
        return comparing.compare(
            unit,
            warehouse="shaanxi",
            counted={"enamel-mug": stock.shelf - 3, "no-such-thing": 2},
            counted_at=unit.now,
            seen=seen,
            tolerance_units=RULES.stock_tolerance_units,
        )

    def _run_by(self, unit: Unit, *, third_party: bool) -> dict[str, Any]:
        terms = unit.read(NETWORK, MALL).named("shaanxi")
        changed = terms.model_copy(update={"third_party": third_party})
        return stocking.put_warehouse(unit, warehouse=changed)

    async def dispute(self, number: str, parcel: str) -> None:
        """A case of a signed parcel, with all that belongs to one."""
        case = f"D-{number}-P1"
        opening = partial(
            disputing.open_dispute,
            number=number,
            parcel=parcel,
            reason=Fault.NOT_RECEIVED,
            by=Side.LEARNER,
            words="我没有收到",
            gathered=Gathered(),
            rules=RULES,
        )
        await self.do(opening)
        answers = [(Question.DOOR, Answer.NO, "门口没有")]
        await self.do(
            partial(disputing.answer_questions, case=case, answers=answers, by=Side.LEARNER)
        )
        picture = partial(
            disputing.add_evidence, media_type="image/png", content=b"picture", by=Side.LEARNER
        )
        await self.do(partial(picture, case=case))
        await self.do(partial(claiming.open_inquiry, parcel=parcel, case=case, rules=RULES))
        wanted = deciding.Wanted(
            End.RESHIP, "lost", points=50, unconfirmed_because="the carrier phoned"
        )
        await self.do(
            partial(deciding.decide, case=case, wanted=wanted, maker="wang", key=case, rules=RULES),
            actor="support:wang",
        )
        acknowledged = partial(
            claiming.step,
            name="acknowledged",
            amount_fen=None,
            reference="C-1",
            reason="by mail",
            rules=RULES,
        )
        await self.do(partial(acknowledged, parcel=parcel), actor="operations:wu")

    async def rate(self, learner: str, number: str) -> None:
        """An order that was completed, and what its learner says of its line."""
        await self.order(learner, number, enamel_mug=1)
        await self.sign(await self.ship(number), at=self.now)
        until = self.now = self.now + timedelta(days=30)  # nothing is dated ahead
        complete = partial(ordering.complete_order, number=number, rules=RULES)
        await self.do(complete, happened_at=until)
        await self.do(
            partial(rating.rate_order, number=number, ratings=[Rating(1, 5, 4)]), happened_at=until
        )

    async def give_back(self, number: str) -> None:
        """A return of what was signed for, inspected and refunded."""
        name = f"{number}-B1"
        asked = returning.Wanted(Remedy.REFUND, Fault.DAMAGED, (("notebook", 1),), "破损")
        opening = partial(returning.open_return, number=number, wanted=asked, by=Side.STAFF)
        await self.do(partial(opening, rules=RULES))
        sent = partial(returning.send, carrier="yuantong", waybill=f"YT{name}")
        await self.do(partial(sent, name=name))
        await self.do(partial(returning.arrive, name=name))
        found = settling.Found("notebook", 1, Verdict.SCRAP)
        inspection = settling.Inspection((found,), "torn")
        inspect = partial(settling.inspect, inspection=inspection, rules=RULES)
        await self.do(partial(inspect, name=name), actor="operations:wu")

    async def pay_and_cancel(self, learner: str, number: str) -> None:
        """An order with a cash part is paid, then cancelled: the cash is on its way back."""
        await self.order(learner, number, tea_set=1)
        payment = ordering.Payment("attempt-1", "sandbox", 1_900, self.now)
        await self.do(
            lambda unit: ordering.take_payment(unit, number=number, payment=payment, rules=RULES)
        )
        await self.cancel(number)

    async def happenings_again(self, times: int) -> None:
        """More of it, for a longer log."""
        for _ in range(times):
            for who in range(8):
                await self.grant(f"learner{who}", 5, f"E-{next(self.serial)}")
        await self.reader.catch_up()


@asynccontextmanager
async def busy_mall(database: MallDatabase) -> AsyncIterator[BusyMall]:
    """The demo mall, open for business."""
    vault = Vault(MasterKeys.new(), tenant=database.schema)
    reader = Reader(database.service_url, schema=database.schema, views=all_views(RULES))
    store = Store(database.service_url, schema=database.schema, vault=vault)
    mall = BusyMall(database, store, reader, vault)
    store.clock = mall.clock
    async with store:
        await open_demo_mall(store, RULES)
        await reader.catch_up()
        try:
            yield mall
        finally:
            await reader.close()
