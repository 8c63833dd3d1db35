"""退货了结 What follows from an inspection, or from agreeing without one, at once (D3, D4).

All of it in one commit: shelves, points, cash, the linked order, the parcel with what was refused,
the claim against the carrier.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application import approval_requests, refund_chain
from application.blaming import by_loss, by_return, claim_all
from application.composing import Amount
from application.intercepting import call_back_given_up
from application.ordering import existing
from application.reshipping import reship
from application.return_messages import Came, message_for
from application.returning import close_up, existing_return, told
from application.sealed_words import Message, seal_words
from application.sent_again import by_parcel, next_parcel, pack_again
from application.shelving import scrap_returned, shelve
from application.single_handed import moved_alone
from application.streams import ACCOUNT, ORDER, RETURN
from application.unit import Unit
from domain.approvals import ApprovalRequested, Kind
from domain.house_rules import HouseRules
from domain.order_facts import Fault, GoodsCameBack, ReturnEnded, Units
from domain.orders import Order
from domain.part_fold import still_out
from domain.refusals import InvalidRequest
from domain.replacing import linked_number
from domain.return_facts import (
    AgreementProposed,
    Criterion,
    Inspected,
    Payer,
    Remedy,
    ReturnSettled,
    Verdict,
)
from domain.returns import (
    Return,
    ReturnState,
    missing,
    refused,
    scrapped,
    taken_back,
)
from domain.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Found:
    """What an inspection found of some units of an item."""

    sku: str
    quantity: int
    verdict: Verdict
    failed: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inspection came to."""

    goods: tuple[Found, ...]
    reason: str
    payer: Payer | None = None
    """Who is at fault after all; None: as the reason says."""
    instead: Remedy | None = None
    """A refund where an exchange was asked for and the goods are nowhere."""
    message: Message | None = None
    """None: the house's own words."""


def inspect(unit: Unit, *, name: str, inspection: Inspection, rules: HouseRules) -> dict[str, Any]:
    """Hold the goods against the criteria; refund, exchange and send back what follows (D3)."""
    back = existing_return(unit, name)
    back.must_be("inspect", ReturnState.TO_INSPECT)
    goods = _allotted(existing(unit, back.order), back, inspection.goods)
    facts = back.inspect(goods, payer=inspection.payer, note=inspection.reason)
    if back.settled is not None and (inspection.instead or inspection.message):
        why = "they were paid back as lost: nothing else follows"
        raise InvalidRequest(field="message" if inspection.message else "instead", reason=why)
    after = unit.record(RETURN, name, facts)
    if back.settled is not None:
        return _take_in(unit, name, after)
    remedy = back.remedy
    if inspection.instead is not None:
        if (back.remedy, inspection.instead) != (Remedy.EXCHANGE, Remedy.REFUND):
            raise InvalidRequest(field="instead", reason="only an exchange becomes a refund")
        remedy = inspection.instead
    words = _sealed(unit, after, inspection.message)
    return _settle(unit, name, after, remedy, reason=inspection.reason, words=words, rules=rules)


def _take_in(unit: Unit, name: str, back: Return) -> dict[str, Any]:
    """What came after it was refunded as lost is on its shelf, or scrapped; nothing else (D4)."""
    units = taken_back(back.goods)
    shelve(unit, back.order, units)
    if units:
        unit.record(ORDER, back.order, [GoodsCameBack(parcel=name, units=units)])
    broken = _unsellable(existing(unit, back.order), back)
    scrap_returned(unit, broken, warehouse=back.warehouse or "", came_in=name)
    return {**told(name, back), "points": 0, "cash_fen": 0, "points_kept": 0, "claims": []}


def agree(
    unit: Unit, *, name: str, reason: str, message: Message | None, rules: HouseRules
) -> dict[str, Any]:
    """Staff agree to a refund without the goods: a decision with an actor (rules.md 3).

    They are to stay where they are, or were lost on their way back: nothing is kept for that way.
    What stays counts as moved alone; over the limit it waits, whole, for a second person, and
    nobody agrees to a return of their own (A8).
    """
    back = existing_return(unit, name)
    facts = back.decide(reason)
    points = _on_word(unit, back, rules=rules)
    words = _sealed(unit, back, message)
    if not moved_alone(unit, learner=back.learner, points=points, subject=name, rules=rules):
        return _ask(unit, name, back, reason=reason, words=words, rules=rules)
    back = unit.record(RETURN, name, facts)
    return _settle(unit, name, back, Remedy.REFUND_ONLY, reason=reason, words=words, rules=rules)


def agree_allowed(unit: Unit, *, name: str, approval: str, rules: HouseRules) -> dict[str, Any]:
    """A second person allowed it: it is refunded as was proposed, at what it is worth now (A8)."""
    back = existing_return(unit, name)
    asked = back.allowed(approval)
    done = _settle(
        unit,
        name,
        back,
        Remedy.REFUND_ONLY,
        reason=asked.reason,
        words=asked.message,
        rules=rules,
        approval=approval,
    )
    told_of = ("return", "order", "state", "points", "claims")
    return {"learner": back.learner, **{one: done[one] for one in told_of}}


def decline(unit: Unit, *, name: str, approval: str, reason: str) -> None:
    """A second person did not allow it: the return is to be decided again."""
    back = existing_return(unit, name)
    unit.record(RETURN, name, back.decline(approval=approval, reason=reason))


def _on_word(unit: Unit, back: Return, *, rules: HouseRules) -> int:
    """What is given without the goods, in points, on the word of whoever agrees (A8).

    What a carrier has is not given on somebody's word alone: there is a waybill for it.
    """
    if back.state is not ReturnState.REQUESTED:
        return 0
    stays = still_out(existing(unit, back.order), back.units)
    return _worth(unit, back, stays, rules=rules)[0] if stays else 0


def _worth(
    unit: Unit, back: Return, units: Sequence[Units], *, rules: HouseRules
) -> tuple[int, int]:
    """(points, fen) that agreeing gives back for these units."""
    parts = {one.part for one in units}
    chain = refund_chain.levels(unit, back.order, units, parts=parts)
    terms = _terms(back, Remedy.REFUND_ONLY, "")
    return refund_chain.worth(unit, chain, terms, rules=rules)


def _ask(
    unit: Unit, name: str, back: Return, *, reason: str, words: Sealed | None, rules: HouseRules
) -> dict[str, Any]:
    """Ask for the second person."""
    points, fen = _worth(unit, back, back.units, rules=rules)
    request = ApprovalRequested(
        kind=Kind.RETURN,
        learner=back.learner,
        points=points,
        cash_fen=fen,
        goods=approval_requests.goods_of(existing(unit, back.order), back.units),
        subject=name,
        about=ORDER.stream(back.order),
        maker=unit.command.context.subject,
        reason=reason,
    )
    approval = approval_requests.new_id(unit, request)
    proposed = AgreementProposed(
        points=points,
        cash_fen=fen,
        approval=approval,
        maker=request.maker,
        reason=reason,
        message=words,
    )
    after = unit.record(RETURN, name, back.propose(proposed))
    asked = approval_requests.ask(unit, approval=approval, request=request)
    return {**told(name, after), **asked}


def _sealed(unit: Unit, back: Return, message: Message | None) -> Sealed | None:
    return None if message is None else seal_words(unit, back.learner, message.to_bytes())


def _settle(
    unit: Unit,
    name: str,
    back: Return,
    remedy: Remedy,
    *,
    reason: str,
    words: Sealed | None,
    rules: HouseRules,
    approval: str | None = None,
) -> dict[str, Any]:
    """Carry out what was agreed to: the return's own fact first, all else is because of it.

    `words` are staff's to the learner; None: the house's own.
    """
    units, to_send = taken_back(back.goods), refused(back.goods)
    if remedy is Remedy.REFUND_ONLY:
        units = back.units
    exchanged = remedy is Remedy.EXCHANGE and bool(units)
    chain: list[refund_chain.Level] = []
    terms = _terms(back, remedy, reason)
    if units and not exchanged:
        parts = {one.part for one in units}
        chain = refund_chain.levels(unit, back.order, units, parts=parts)
        root = chain[-1]
        price = root.order.price(root.units)
        kept = back.kept_for_freight(remedy, points=price[0], fen=price[1])
        terms = terms._replace(kept=kept)
    came_in = by_parcel(unit, back.order, back.units)  # before they are paid back
    owed = back.owed_for_exchange() if exchanged else 0
    if owed:
        terms = terms._replace(kept=(owed, 0))
    points, fen = refund_chain.worth(unit, chain, terms, rules=rules)
    replacement = None
    if exchanged:
        order, case = existing(unit, back.order), RETURN.stream(name)
        replacement = linked_number(back.order, order, units, case=case)
    sent_back = _sent_back(unit, name, back) if to_send else None
    came = Came(
        _count(units),
        _count(to_send),
        _count(missing(back.goods)),
        lost=back.state is ReturnState.LOST,
    )
    own = message_for(
        remedy,
        came,
        refunded=Amount(points, fen),
        kept=Amount(*terms.kept),
        replacement=replacement,
    )
    account = unit.read(ACCOUNT, back.learner)
    source, when = RETURN.stream(name), unit.happened_at
    paying = account.deduct(owed, source=source, when=when) if owed else []
    settled = ReturnSettled(
        remedy=remedy,
        points_refunded=points,
        cash_fen_refunded=fen,
        points_kept=terms.kept[0],
        cash_fen_kept=terms.kept[1],
        replacement=replacement,
        sent_back_in=sent_back,
        reason=reason,
        message=words or _sealed(unit, back, own),
        approval=approval,
    )
    after = unit.record(RETURN, name, [settled])
    unit.record(ORDER, back.order, [ReturnEnded(by=RETURN.stream(name))])
    unit.record(ACCOUNT, back.learner, paying)
    refund_chain.refund(unit, chain, terms, rules=rules)
    if exchanged:
        shelve(unit, back.order, units)
        unit.record(ORDER, back.order, [GoodsCameBack(parcel=name, units=units)])
    # Before anything is sent instead: not what came back broken.
    broken = _unsellable(existing(unit, back.order), back)
    scrap_returned(unit, broken, warehouse=back.warehouse or "", came_in=name)
    if exchanged:
        case = RETURN.stream(name)
        sent = reship(unit, number=back.order, units=units, case=case, rules=rules)
        assert sent == replacement  # by the same rule
    if sent_back is not None:
        place = back.warehouse or ""
        pack_again(unit, sent_back, order=back.order, warehouse=place, goods=to_send)
    if remedy is Remedy.REFUND_ONLY:
        call_back_given_up(unit, parcels=came_in, reason=reason, rules=rules)
    blames = [*by_return(unit, back, remedy=remedy), *by_loss(unit, name, back)]
    claims = claim_all(unit, blames, rules=rules)
    close_up(unit, name, after, reason=f"settled: {remedy}")
    return {
        **told(name, after),
        "points": points,
        "cash_fen": fen,
        "points_kept": terms.kept[0],
        "replacement": replacement,
        "sent_back_in": sent_back,
        "claims": claims,
    }


def _count(units: Sequence[Units]) -> int:
    return sum(one.quantity for one in units)


def _terms(back: Return, remedy: Remedy, reason: str) -> refund_chain.Terms:
    """Whose fault it is after all says whether the freight of the way there goes back (rule 8)."""
    fault = Fault.CHANGED_MIND if back.payer is Payer.LEARNER else back.reason
    return refund_chain.Terms(fault, reason, goods_back=remedy is Remedy.REFUND)


def _sent_back(unit: Unit, name: str, back: Return) -> str | None:
    """The parcel that refused goods go back in; none for who was erased meanwhile (A4)."""
    erased = unit.read(ACCOUNT, back.learner).status == "erased"
    return None if erased else next_parcel(name)


def _unsellable(order: Order, back: Return) -> Counter[str]:
    """What was taken back and cannot be sold again, by SKU."""
    broken = Counter[str]()
    for one in scrapped(back.goods):
        broken[order.line(one.line).sku] += one.quantity
    return broken


def _allotted(order: Order, back: Return, found: Sequence[Found]) -> list[Inspected]:
    """What was found of each item, unit by unit of the return, in their order."""
    left = {(one.part, one.line): one.quantity for one in back.units}
    goods: list[Inspected] = []
    for one in found:
        missing = one.quantity
        for (part, line), there in left.items():
            taken = min(missing, there) if order.line(line).sku == one.sku else 0
            if taken:
                left[part, line] -= taken
                missing -= taken
                goods.append(
                    Inspected(
                        part=part,
                        line=line,
                        quantity=taken,
                        verdict=one.verdict,
                        failed=one.failed,
                    )
                )
        if missing:
            raise InvalidRequest(field="goods", reason="name every unit of the return once")
    return goods
