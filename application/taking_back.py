"""退回入库 Goods that came back: inspected, paid back, on their shelf (O8; rules.md 3)."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from application.blaming import by_coming_back, claim_all
from application.intercepting import is_due, told, turned_back
from application.merging import existing_parcel
from application.ordering import (
    existing,
    given_elsewhere,
    linked_orders,
    must_have_recipient,
)
from application.refund_chain import Terms, by_sku, levels, worth
from application.refund_chain import refund as refund_all
from application.sent_again import (
    due_of_sent_again,
    goods_sent_again,
    next_parcel,
    pack_again,
)
from application.shelving import scrap_returned, shelve
from application.streams import DISPUTE, INTERCEPT, ORDER
from application.unit import Unit
from domain.choosing import both, without
from domain.disputes import case_id
from domain.house_rules import HouseRules
from domain.order_facts import Fault, GoodsCameBack, Units
from domain.refunding import freight_back
from domain.refusals import InvalidRequest, NotPossible
from domain.replacing import replaced, still_due


def take_back(
    unit: Unit,
    *,
    parcel: str,
    intact: bool,
    reason: str,
    rules: HouseRules,
    scrap: Sequence[tuple[str, int]] = (),
    in_hand: bool = False,
    refund: bool = False,
    send_again: bool = False,
    fault: Fault = Fault.CHANGED_MIND,
) -> dict[str, Any]:
    """The goods are in the house again: inspected, paid back, on their shelf if intact (rule 3).

    Whether they were called back, or their carrier brings them by itself, also after a new address;
    `in_hand`: whoever takes them in says so, whatever the track says. What was paid back before, by
    a decision or a cancel that came too late, or is sent once more instead, is on its shelf again,
    too, and nothing is paid for it (D4). `scrap` names units as (sku, quantity) that nobody can
    sell again; without it that is none of intact goods, and all of others.

    `fault` says whether the freight there goes back, too (rules.md 8); that freight, and what is
    broken, is claimed of the carrier where it is at fault, once a parcel (D2).

    Goods of a return that were refused (D3) lie here until something is decided of them: a case of
    their parcel, a `refund` of them here and now, or that they are to `send_again` in a parcel of
    their own. They alone are in it, not their part's others.
    """
    box = existing_parcel(unit, parcel)
    state = turned_back(unit, parcel, box, in_hand=in_hand)
    again, due = goods_sent_again(unit, parcel), is_due(unit, parcel, box)
    field = "refund" if refund else "send_again"
    if (refund or send_again) and again is None:
        raise InvalidRequest(field=field, reason="only goods that were refused wait for that")
    if refund and send_again:
        raise InvalidRequest(field=field, reason="they are paid back, or sent again: not both")
    left = None if again is None else due_of_sent_again(unit, parcel, again)
    goes_in = next_parcel(parcel) if send_again else None
    lies_here = again is not None and due and not (refund or send_again)
    facts = state.take_back(
        track=box.track(), intact=intact, due=due, undecided=lies_here, sent_again_in=goes_in
    )
    if goes_in is not None:
        _must_be_sendable(unit, parcel, box.orders[0], due=due)
    unit.record(INTERCEPT, parcel, facts)
    points, freight_fen, shelved = 0, 0, Counter[str]()
    for number in () if lies_here else box.orders:
        mine = {one.part for one in box.carries if one.order == number}
        came = None if left is None or again is None else without(again, left)
        terms = Terms(fault, reason, goods_back=True, came_in=True)
        if goes_in is None:
            back = _paid_back(unit, number, mine, left, terms, rules=rules, shelved=shelved)
            points, freight_fen = points + back.points, freight_fen + back.freight_fen
        _restock(unit, number, mine, came, parcel=parcel, shelved=shelved)
    broken = _unsellable(shelved, scrap, intact=intact)
    scrap_returned(unit, broken, warehouse=box.warehouse, came_in=parcel)
    if goes_in is not None and left:
        pack_again(unit, goes_in, order=box.orders[0], warehouse=box.warehouse, goods=left)
    blames = by_coming_back(unit, parcel, fault=fault, broken=broken, freight_fen=freight_fen)
    claims = claim_all(unit, blames, rules=rules)
    return {**told(unit, parcel), "points": points, "sent_again_in": goes_in, "claims": claims}


class PaidBack(NamedTuple):
    """What went back for goods that came in."""

    points: int = 0
    freight_fen: int = 0


def _must_be_sendable(unit: Unit, parcel: str, number: str, *, due: bool) -> None:
    """Refuse to send goods again of which nothing is to be had, or that a case decides of (D4)."""
    if not due:
        raise NotPossible(action="send_again", why="nothing in the parcel is to be had")
    must_have_recipient(unit, existing(unit, number), "send_again")
    case = case_id(number, parcel)
    if unit.read(DISPUTE, case).live:
        raise NotPossible(action="send_again", why=f"dispute {case} is open for it")


def _paid_back(
    unit: Unit,
    number: str,
    parts: Collection[int],
    left: Sequence[Units] | None,
    terms: Terms,
    *,
    rules: HouseRules,
    shelved: Counter[str],
) -> PaidBack:
    """Refund what of these parts is still due, or is `left` of it; its goods are on their shelf.

    What replaces other units cost nothing: the points are those of its originals (D4).
    """
    order = existing(unit, number)
    due = still_due(order, linked_orders(unit, order), parts) if left is None else left
    if not due:
        return PaidBack()
    wanted = None if left is None else by_sku(order, left)
    units = order.refundable(wanted, parts=parts, kept=given_elsewhere(unit, order))
    for one in units:
        shelved[order.line(one.line).sku] += one.quantity
    chain = levels(unit, number, units, parts=parts)
    points, _ = worth(unit, chain, terms, rules=rules)
    freight = sum(freight_back(one.order, one.units, fault=terms.fault) for one in chain)
    refund_all(unit, chain, terms, rules=rules)
    return PaidBack(points, freight)


def _restock(
    unit: Unit,
    number: str,
    parts: Collection[int],
    came: Sequence[Units] | None,
    *,
    parcel: str,
    shelved: Counter[str],
) -> None:
    """Goods that were out for no price, or are sent once more, are on their shelf, and out no more.

    What is in the house already, because it was exchanged, is not put there twice; `came`: no more
    than that was in the parcel.
    """
    order = existing(unit, number)
    again = replaced(order, linked_orders(unit, order), parts)
    back = (*(one for one in order.out if one.part in parts), *without(again, order.home))
    if came is not None:
        back = tuple(both(back, came))
    if not back:
        return
    for one in back:
        shelved[order.line(one.line).sku] += one.quantity
    shelve(unit, number, back)
    unit.record(ORDER, number, [GoodsCameBack(parcel=parcel, units=back)])


def _unsellable(
    shelved: Counter[str], scrap: Sequence[tuple[str, int]], *, intact: bool
) -> Counter[str]:
    """What of the goods is thrown away; raises `InvalidRequest` for what did not come back."""
    broken = Counter[str]()
    for sku, quantity in scrap:
        broken[sku] += quantity
    if intact and broken:
        raise InvalidRequest(field="scrap", reason="intact goods are sold again, all of them")
    if not broken <= shelved:
        raise InvalidRequest(field="scrap", reason="only what came back can be thrown away")
    return broken if intact or broken else shelved
