"""What can happen to goods that were sent: called back, disputed, returned (R19; D1, D3, O8)."""

from functools import partial
from typing import Any

from application import (
    deciding,
    disputing,
    intercepting,
    returning,
    settling,
    shipping,
    taking_back,
)
from application.gathering import Gathered
from application.streams import RETURN
from application.unit import Unit
from domain.dispute_facts import Outcome, Side
from domain.disputes import case_id
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from domain.return_facts import Criterion, Remedy, Verdict
from domain.returns import return_id
from domain.scans import Scan, ScanKind
from tests.application.cases import Case, Commands


def commands(rules: HouseRules) -> Commands:
    """Each by its name; they speak of the newest return and of the one case there can be."""
    return {
        "call_back": lambda unit, case: intercepting.intercept_order(
            unit, number=case.number, reason="x", rules=rules
        ),
        "turn_round": partial(_turn_round, rules=rules),
        "note_track": lambda unit, case: intercepting.note_track(unit, parcel=case.parcel(unit)),
        "take_back": lambda unit, case: taking_back.take_back(
            unit, parcel=case.parcel(unit), intact=True, reason="x", rules=rules
        ),
        "dispute": lambda unit, case: disputing.open_dispute(
            unit,
            number=case.number,
            parcel=None,
            reason=Fault.NOT_RECEIVED,
            by=Side.STAFF,
            words=None,
            gathered=Gathered(),
            rules=rules,
        ),
        "found": partial(_decide, outcome=Outcome.FOUND, rules=rules),
        "reship": partial(_decide, outcome=Outcome.RESHIP, rules=rules),
        "pay_out": partial(_decide, outcome=Outcome.REFUND, rules=rules),
        "withdraw": lambda unit, case: disputing.withdraw(unit, case=_case(unit, case), words=None),
        "return": partial(_open_return, remedy=Remedy.REFUND, rules=rules),
        "exchange": partial(_open_return, remedy=Remedy.EXCHANGE, rules=rules),
        "send_back": _send_back,
        "arrive": lambda unit, case: returning.arrive(unit, name=_return(unit, case)),
        "inspect": partial(_inspect, verdict=Verdict.RESTOCK, rules=rules),
        "inspect_scrap": partial(_inspect, verdict=Verdict.SCRAP, rules=rules),
        "inspect_refuse": partial(_inspect, verdict=Verdict.REFUSE, rules=rules),
        "withdraw_return": lambda unit, case: returning.withdraw(unit, name=_return(unit, case)),
        "lapse": lambda unit, case: returning.lapse(unit, name=_return(unit, case)),
    }


def _case(unit: Unit, case: Case) -> str:
    return case_id(case.number, case.parcel(unit))


def _return(unit: Unit, case: Case) -> str:
    names = [return_id(case.number, nth) for nth in range(case.order(unit).returns, 0, -1)]
    opened = (name for name in names if unit.read(RETURN, name).opened)
    return next(opened, return_id(case.number, 1))


def _turn_round(unit: Unit, case: Case, *, rules: HouseRules) -> dict[str, Any]:
    parcel = case.parcel(unit)
    scan = Scan(f"SF{parcel}", unit.now, "退回件已被寄件人签收", "shunfeng", ScanKind.RETURNED)
    return shipping.record_scans(
        unit, parcel=parcel, scans=[scan], source="kuaidi100.push", raw=b"{}", corrected_to=None,
        rules=rules,
    )  # fmt: skip


def _decide(unit: Unit, case: Case, *, outcome: Outcome, rules: HouseRules) -> dict[str, Any]:
    wanted = deciding.Wanted(outcome, "x", unconfirmed_because="nobody can be asked")
    return deciding.decide(
        unit, case=_case(unit, case), wanted=wanted, maker="ops", key="k", rules=rules
    )


def _open_return(unit: Unit, case: Case, *, remedy: Remedy, rules: HouseRules) -> dict[str, Any]:
    # At the mall's fault: the way back costs the learner nothing.
    wanted = returning.Wanted(remedy, Fault.NOT_AS_DESCRIBED)
    return returning.open_return(
        unit, number=case.number, wanted=wanted, by=Side.STAFF, rules=rules
    )


def _send_back(unit: Unit, case: Case) -> dict[str, Any]:
    name = _return(unit, case)
    return returning.send(unit, name=name, carrier="zhongtong", waybill=f"ZT{name}")


def _inspect(unit: Unit, case: Case, *, verdict: Verdict, rules: HouseRules) -> dict[str, Any]:
    name = _return(unit, case)
    units = sum(one.quantity for one in unit.read(RETURN, name).units)
    failed = () if verdict is Verdict.RESTOCK else (Criterion.UNDAMAGED,)
    goods = (settling.Found(case.sku, units, verdict, failed),)
    inspection = settling.Inspection(goods, "x")
    return settling.inspect(unit, name=name, inspection=inspection, rules=rules)
