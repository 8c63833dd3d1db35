"""拦截处理 Parcels that are called back or sent elsewhere (O8; rules.md 3, 5, 27)."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from application.addressing import Addressed, destination_of
from application.issuing import NotYet
from application.merging import existing_parcel
from application.ordering import existing, must_have_recipient
from application.recipients import Digests
from application.routing import ProvinceMissing
from application.sent_again import due_in
from application.streams import ACCOUNT, INTERCEPT, ORDER, PARCEL, PRIVACY
from application.sweeping import Due, Policy, command_of
from application.unit import Command, Unit
from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.intercept_facts import InterceptTold, Way
from domain.intercepts import Intercept
from domain.order_facts import State
from domain.orders import Order
from domain.parcels import Parcel
from domain.refusals import NotPossible
from domain.tracking import ParcelState


def intercept_parcel(
    unit: Unit,
    *,
    parcel: str,
    orders: Collection[str],
    reason: str,
    rules: HouseRules,
    found: Addressed | None = None,
    digests: Digests | None = None,
    destination: Destination | None = None,
) -> dict[str, Any]:
    """Ask the carrier to bring a parcel back, or with an address to take it there (O8).

    `orders` are those that want it: all that have something in the parcel (rules.md 27). The
    address is one that was `found`, or a `destination` that is known already.
    """
    box = existing_parcel(unit, parcel)
    live = orders_in(unit, box) or set(box.orders)  # goods that are paid back come back, too
    if not box.handed_over or box.back_of is not None:
        raise NotPossible(action="intercept", why="no carrier has the parcel")
    order = existing(unit, min(live))
    must_have_recipient(unit, order, "intercept")
    before = unit.read(INTERCEPT, parcel)
    if found is not None:
        destination = _sealed(unit, order, found, digests)
    facts = before.ask(
        parcel,
        track=box.track(),
        carrier=box.carrier or "",
        waybill=box.waybill or "",
        live=live,
        wanted=orders,
        way=Way.RETURN if destination is None else Way.REDIRECT,
        destination=destination,
        reason=reason,
        when=unit.now,
        rules=rules,
        due=is_due(unit, parcel, box),
    )
    unit.record(INTERCEPT, parcel, facts)
    return told(unit, parcel)


def ask_again(unit: Unit, *, parcel: str, reason: str, rules: HouseRules) -> dict[str, Any]:
    """Ask the carrier for the same once more, after it refused, failed or said nothing (O8)."""
    before = unit.read(INTERCEPT, parcel)
    if before.state is None:
        raise NotPossible(action="intercept", why="nothing is asked of the carrier")
    return intercept_parcel(
        unit,
        parcel=parcel,
        orders=before.orders,
        reason=reason,
        rules=rules,
        destination=before.destination,
    )


def give_up(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """Let a parcel go on that was not stopped; what it brings about is its track's (O8)."""
    existing_parcel(unit, parcel)
    unit.record(INTERCEPT, parcel, unit.read(INTERCEPT, parcel).give_up())
    return told(unit, parcel)


def intercept_order(
    unit: Unit,
    *,
    number: str,
    reason: str,
    rules: HouseRules,
    found: Addressed | None = None,
    digests: Digests | None = None,
) -> dict[str, Any]:
    """A cancel or a new address after hand-over: its parcels are to be stopped (rules.md 5)."""
    order = existing(unit, number)
    answers = [
        intercept_parcel(
            unit, parcel=parcel, orders=[number], reason=reason, rules=rules, found=found,
            digests=digests,
        )
        for parcel in parcels_of(order)
    ]  # fmt: skip
    return {"number": number, "status": State.PENDING_RECEIPT, "intercepts": answers}


def call_back_unwanted(unit: Unit, *, parcel: str, reason: str, rules: HouseRules) -> None:
    """Have a parcel brought back that left though nothing in it is to be had (rules.md 5)."""
    box = existing_parcel(unit, parcel)
    facts = unit.read(INTERCEPT, parcel).call_back(
        parcel,
        orders=box.orders,
        carrier=box.carrier or "",
        waybill=box.waybill or "",
        reason=reason,
        when=unit.now,
        rules=rules,
    )
    unit.record(INTERCEPT, parcel, facts)


UNDER_WAY: Final = frozenset(
    {
        ParcelState.HANDED_OVER,
        ParcelState.IN_TRANSIT,
        ParcelState.CUSTOMS,
        ParcelState.OUT_FOR_DELIVERY,
        ParcelState.AWAITING_PICKUP,
        ParcelState.DELIVERY_FAILED,
    }
)
"""States of a parcel that would still reach its learner."""


def call_back_given_up(
    unit: Unit, *, parcels: Iterable[str], reason: str, rules: HouseRules
) -> None:
    """Have parcels under way brought back once nothing in them is to be had any more (O8, D2).

    What was paid back or is sent once more would reach its learner all the same; one that does is
    listed as not stopped.
    """
    for parcel in parcels:
        box = existing_parcel(unit, parcel)
        if box.handed_over and box.track().state in UNDER_WAY and not is_due(unit, parcel, box):
            call_back_unwanted(unit, parcel=parcel, reason=reason, rules=rules)


def comes_too_late(order: Order) -> bool:
    """Whether all that is left of an order is with its carriers: stopping it is what is left."""
    live = [part for part in order.parts if part.live]
    sent = all(part.state is State.PENDING_RECEIPT and part.parcel for part in live)
    return bool(live) and order.ended is None and sent


def parcels_of(order: Order) -> list[str]:
    """The parcels of an order that are with their carriers."""
    return list(
        dict.fromkeys(
            part.parcel
            for part in order.parts
            if part.live and part.parcel and part.state is State.PENDING_RECEIPT
        )
    )


def orders_in(unit: Unit, box: Parcel) -> set[str]:
    """The orders that have something in a parcel."""
    found: set[str] = set()
    for content in box.contents:
        part = unit.read(ORDER, content.order).part(content.part)
        if part is not None and box.carried(part).live:
            found.add(content.order)
    return found


def _sealed(unit: Unit, order: Order, found: Addressed, digests: Digests | None) -> Destination:
    """Where it goes instead: its own card; any province, the carrier says whether it can."""
    recipient = found.recipient
    unit.read(PRIVACY, order.learner).usable()
    if not recipient.region:
        raise ProvinceMissing(found.candidates)
    card = unit.seal(order.learner, "recipient", recipient.to_bytes(), digests=digests)
    return destination_of(recipient, card=card)


def note_taken(unit: Unit, *, parcel: str, intercept: str) -> dict[str, Any]:
    """The carrier has the request."""
    unit.record(INTERCEPT, parcel, unit.read(INTERCEPT, parcel).take(intercept))
    return told(unit, parcel)


def note_refused(
    unit: Unit, *, parcel: str, intercept: str, code: str, words: str
) -> dict[str, Any]:
    """The carrier does not take the request."""
    facts = unit.read(INTERCEPT, parcel).refuse(intercept, code=code, words=words)
    unit.record(INTERCEPT, parcel, facts)
    return told(unit, parcel)


def note_said(unit: Unit, *, parcel: str, taken: bool, rules: HouseRules) -> dict[str, Any]:
    """What the carrier said by phone of a parcel that is to be stopped (O8)."""
    existing_parcel(unit, parcel)
    state = unit.read(INTERCEPT, parcel)
    unit.record(INTERCEPT, parcel, state.note_said(taken=taken, when=unit.now, rules=rules))
    return told(unit, parcel)


def note_word(
    unit: Unit, *, parcel: str, intercept: str, raw: bytes, failed: bool
) -> dict[str, Any]:
    """Keep what the carrier sent of a request; only that it could not is believed at once (1.9).

    Of an earlier request it is kept alone: it says nothing of the one that was asked since.
    """
    box, state = existing_parcel(unit, parcel), unit.read(INTERCEPT, parcel)
    if state.state is None:
        return told(unit, parcel)
    learner = existing(unit, box.contents[0].order).learner
    erased = unit.read(ACCOUNT, learner).status == "erased"
    card = None if erased else unit.seal(learner, "payload", raw)
    unit.record(INTERCEPT, parcel, [InterceptTold(intercept=intercept, card=card)])
    if failed and intercept == state.name:
        unit.record(INTERCEPT, parcel, state.fail("the carrier could not"))
    return told(unit, parcel)


def note_track(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """What the track says of an open request; raises `NotYet` while it says nothing."""
    state, box = unit.read(INTERCEPT, parcel), existing_parcel(unit, parcel)
    track = box.track()
    facts = state.note_track(track)
    if not facts and (state.open or state.left_alone):
        raise NotYet
    unit.record(INTERCEPT, parcel, facts)
    to, since = state.destination, state.sent_on(track)
    if facts and to is not None and since is not None:
        unit.record(PARCEL, parcel, box.redirect(to.card, at=since))
    return told(unit, parcel)


def note_turned_back(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """The carrier brings a parcel back by itself: somebody waits for its goods (O8, rules.md 3)."""
    turned_back(unit, parcel, existing_parcel(unit, parcel), in_hand=False)
    return told(unit, parcel)


def turned_back(unit: Unit, parcel: str, box: Parcel, *, in_hand: bool) -> Intercept:
    """What is known of a parcel's coming back, whoever wanted it to."""
    if not box.handed_over or box.back_of is not None:
        raise NotPossible(action="take_back", why="no carrier has the parcel")
    facts = unit.read(INTERCEPT, parcel).turn_back(
        parcel,
        track=box.track(),
        orders=box.orders,
        carrier=box.carrier or "",
        waybill=box.waybill or "",
        in_hand=in_hand,
    )
    return unit.record(INTERCEPT, parcel, facts)


def is_due(unit: Unit, parcel: str, box: Parcel) -> bool:
    """Whether anything in a parcel is still to be had by somebody who gets nothing in its place."""
    for number in box.orders:
        mine = {one.part for one in box.carries if one.order == number}
        if due_in(unit, parcel, order=number, parts=mine):
            return True
    return False


def told(unit: Unit, parcel: str) -> dict[str, Any]:
    """What a command on a parcel's interception answers."""
    state = unit.read(INTERCEPT, parcel)
    return {
        "parcel": parcel,
        "intercept": state.name or None,
        "way": state.way if state.state else None,
        "state": state.state,
        "answer_by": state.answer_by,
        "orders": list(state.orders),
    }


def when_track_tells_then_note_it(due: Due, rules: HouseRules) -> Command:
    """The parcel turned round, or was delivered all the same (O8)."""
    return command_of(
        "note_intercepted",
        INTERCEPT.stream(due.key),
        due,
        lambda unit: note_track(unit, parcel=due.key),
    )


def when_answer_by_is_over_then_time_out_intercept(due: Due, rules: HouseRules) -> Command:
    """Nothing was heard of a request in time: a human sees to it (O8, M5)."""

    def decide(unit: Unit) -> dict[str, Any]:
        state = unit.read(INTERCEPT, due.key)
        facts = state.time_out(when=unit.now)
        if not facts and state.open:
            raise NotYet
        unit.record(INTERCEPT, due.key, facts)
        return told(unit, due.key)

    return command_of("time_out_intercepts", INTERCEPT.stream(due.key), due, decide)


def when_parcel_turns_back_then_note_it(due: Due, rules: HouseRules) -> Command:
    """It comes back though nobody called it back: its goods are waited for (O8, rules.md 3)."""
    return command_of(
        "note_turned_back",
        PARCEL.stream(due.key),
        due,
        lambda unit: note_turned_back(unit, parcel=due.key),
    )


NOTE_INTERCEPTED = Policy(
    "note_intercepted",
    """
    SELECT i.parcel, i.version, i.changed_at FROM {intercepts} i
    JOIN {parcels} p ON p.number = i.parcel
    CROSS JOIN LATERAL (
        SELECT (convert_from(i.folded, 'UTF8')::jsonb ->> 'forwarded')::bigint AS before
    ) f
    CROSS JOIN LATERAL (
        SELECT i.way = 'redirect' AND coalesce(p.forwards > f.before, p.state = 'forwarded')
            AS on_its_way
    ) went
    WHERE i.state IN ('asked', 'taken', 'done') AND p.state IN ('signed', 'lost')
          AND NOT (i.state = 'done' AND i.way = 'redirect'
                   AND (went.on_its_way OR f.before IS NULL))
       OR i.state IN ('asked', 'taken', 'timed_out', 'refused', 'failed', 'given_up')
          AND (p.state IN ('returning', 'returned') OR went.on_its_way)
    """,
    when_track_tells_then_note_it,
)
TIME_OUT_INTERCEPTS = Policy(
    "time_out_intercepts",
    """
    SELECT parcel, version, answer_by FROM {intercepts} WHERE state IN ('asked', 'taken')
    """,
    when_answer_by_is_over_then_time_out_intercept,
)
NOTE_TURNED_BACK = Policy(
    "note_turned_back",
    """
    SELECT j.parcel, j.version, j.turned_since FROM {journeys} j
    LEFT JOIN {intercepts} i ON i.parcel = j.parcel
    WHERE j.turned_as = 'returned' AND (i.parcel IS NULL OR i.way = 'redirect')
    """,
    when_parcel_turns_back_then_note_it,
)
INTERCEPTS = (NOTE_INTERCEPTED, TIME_OUT_INTERCEPTS, NOTE_TURNED_BACK)
