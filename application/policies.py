"""策略 What the house does by itself when time has passed (O3, O4, L4; design.md, Reactions).

A deadline is a fact (`pay_by`, `window_until`, a lot's expiry), so nothing has to be scheduled:
what is due is found on the views and becomes a command (`application/sweeping.py`). A rebuild never
runs any of this.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from application import claiming, disputing, goodwill, granting, ordering, replanning, returning
from application.consigning import CONSIGN
from application.delays import DELAYS, TELL_NOT_SENT
from application.following import FOLLOW
from application.house import House
from application.intercepting import INTERCEPTS
from application.issuing import NotYet
from application.labelling import WANT_LABELS
from application.screening import unscreened
from application.streams import ACCOUNT, CLAIM, DISPUTE, ORDER, RETURN
from application.sweeping import (
    LATE_AFTER,
    Due,
    Overdue,
    Policy,
    Swept,
    command_of,
    overdue_of,
    ripe,
    sweep,
    timed,
)
from application.unit import Command, Unit
from domain.house_rules import HouseRules

__all__ = ["ALL", "BY_THE_HOUR", "BY_THE_SECOND", "Overdue", "Policy", "Swept", "overdue", "sweep"]


def when_pay_by_is_over_then_cancel_order(due: Due, rules: HouseRules) -> Command:
    """Unpaid at `pay_by`: cancelled, points and stock back (O4; rules.md 8)."""
    return timed(
        "cancel_unpaid_orders",
        ORDER.stream(due.key),
        due,
        partial(ordering.cancel_unpaid, number=due.key, rules=rules),
    )


def when_window_is_over_then_complete_order(due: Due, rules: HouseRules) -> Command:
    """Service window over: that part is completed, with the last one the order (O4)."""
    # It ended when its window did, however late we notice (A5).
    return timed(
        "complete_orders",
        ORDER.stream(due.key),
        due,
        partial(ordering.complete_order, number=due.key, rules=rules),
        happened_at=due.at,
    )


def when_promise_is_broken_then_make_it_good(due: Due, rules: HouseRules) -> Command:
    """The promised time passed and the order is late: points, once (rules.md 10)."""
    at = due.at + rules.late_points_after
    return timed(
        "settle_promises",
        ORDER.stream(due.key),
        due,
        partial(goodwill.settle_promise, number=due.key, rules=rules),
        at=at,
    )


def when_lots_are_over_then_expire_them(due: Due, rules: HouseRules) -> Command:
    """A lot's time is over: what is left of it leaves by an event (L4)."""
    return timed(
        "expire_lots", ACCOUNT.stream(due.key), due, partial(granting.expire_lots, learner=due.key)
    )


def when_ended_long_ago_then_expire_order(due: Due, rules: HouseRules) -> Command:
    """Two years after its end: out of the customer's sight, still there for audit (O3)."""
    hidden_from = due.at + rules.kept_visible

    def decide(unit: Unit) -> dict[str, Any]:
        until = ordering.existing(unit, due.key).visible_until
        ripe(unit, until or hidden_from)
        return ordering.expire_order(unit, number=due.key)

    stream = ORDER.stream(due.key)
    return command_of("expire_orders", stream, due, decide, happened_at=hidden_from)


def when_stock_received_then_send_what_waited(due: Due, rules: HouseRules) -> Command:
    """There is enough for units that fell short: first come, first served (rules.md 1)."""
    number, _, part = due.key.rpartition("/")

    def decide(unit: Unit) -> dict[str, Any]:
        sent = replanning.send_what_waited(unit, number=number, part=int(part), rules=rules)
        if sent is None:  # somebody was faster than the view
            raise NotYet
        return sent

    return command_of("send_what_waited", ORDER.stream(number), due, decide)


def when_cash_refund_failed_then_ask_again(due: Due, rules: HouseRules) -> Command:
    """The pause after a failure is over: the provider is asked once more (rules.md 8)."""
    number, _, refund = due.key.partition("/")
    return timed(
        "ask_refunds_again",
        ORDER.stream(number),
        due,
        partial(ordering.ask_cash_refund_again, number=number, refund=refund),
    )


def when_answer_by_is_over_then_time_out_questions(due: Due, rules: HouseRules) -> Command:
    """The learner did not answer in time: the case goes on without (D1)."""
    return timed(
        "time_out_questions",
        DISPUTE.stream(due.key),
        due,
        partial(disputing.time_out_questions, case=due.key),
    )


def when_decide_by_is_over_then_note_overdue(due: Due, rules: HouseRules) -> Command:
    """A case was not decided in time: it is noted, and staff see it first (D1)."""
    return timed(
        "note_overdue_cases",
        DISPUTE.stream(due.key),
        due,
        partial(disputing.note_overdue, case=due.key),
    )


def when_carrier_is_silent_then_time_out_inquiry(due: Due, rules: HouseRules) -> Command:
    """The carrier did not answer in time: it may be asked again, and cases go on (D1)."""
    return timed(
        "time_out_inquiries",
        CLAIM.stream(due.key),
        due,
        partial(claiming.time_out_inquiry, parcel=due.key),
    )


def when_send_by_is_over_then_lapse_return(due: Due, rules: HouseRules) -> Command:
    """The goods were not sent in time: the return is over, the window runs on (D3)."""
    return timed(
        "lapse_returns", RETURN.stream(due.key), due, partial(returning.lapse, name=due.key)
    )


CANCEL_UNPAID = Policy(
    "cancel_unpaid_orders",
    """
    SELECT number, version, pay_by FROM {orders}
    WHERE state = 'pending_payment' AND pay_by IS NOT NULL
    """,
    when_pay_by_is_over_then_cancel_order,
)
COMPLETE = Policy(
    "complete_orders",
    """
    SELECT o.number, o.version, o.window_until FROM {orders} o
    WHERE o.window_until IS NOT NULL
      AND NOT EXISTS (SELECT FROM {parcels} p WHERE p.orders @> ARRAY[o.number] AND p.unconfirmed)
    """,
    when_window_is_over_then_complete_order,
)
SETTLE_PROMISES = Policy(
    "settle_promises",
    """
    SELECT o.number, o.version, o.late_from FROM {orders} o
    WHERE o.late_from IS NOT NULL
      AND NOT EXISTS (SELECT FROM {parcels} p WHERE p.orders @> ARRAY[o.number] AND p.unconfirmed)
    """,
    when_promise_is_broken_then_make_it_good,
    grace=lambda rules: rules.late_points_after,
)
EXPIRE_LOTS = Policy(
    "expire_lots",
    """
    SELECT l.learner, (
        SELECT e.originator_version FROM {balances} b
        JOIN {tallypost_events} e ON e.notification_id = b.position WHERE b.learner = l.learner
    ), l.expires_at FROM {lots} l WHERE l.points > 0
    """,
    when_lots_are_over_then_expire_them,
)
EXPIRE_ORDERS = Policy(
    "expire_orders",
    """
    SELECT number, version, ended_at FROM {orders}
    WHERE ended_at IS NOT NULL AND state <> 'expired'
    """,
    when_ended_long_ago_then_expire_order,
    grace=lambda rules: rules.kept_visible,
    every=timedelta(hours=1),
)

SEND_WHAT_WAITED = Policy(
    "send_what_waited",
    """
    SELECT w.order_number || '/' || w.part, w.version, w.since FROM {waiting_units} w
    WHERE w.quantity <= (
        SELECT coalesce(sum(s.free), 0) FROM {stock_levels} s
        WHERE s.sku = w.sku AND s.free > 0
          AND s.warehouse = ANY(string_to_array(w.sources, ',')))
    """,
    when_stock_received_then_send_what_waited,
)
ASK_REFUNDS_AGAIN = Policy(
    "ask_refunds_again",
    """
    SELECT order_number || '/' || refund, version, ask_again_at FROM {cash_refunds}
    WHERE state = 'failed' AND ask_again_at IS NOT NULL
    """,
    when_cash_refund_failed_then_ask_again,
)

TIME_OUT_QUESTIONS = Policy(
    "time_out_questions",
    """
    SELECT id, version, answer_by FROM {disputes} WHERE answer_by IS NOT NULL
    """,
    when_answer_by_is_over_then_time_out_questions,
)
NOTE_OVERDUE_CASES = Policy(
    "note_overdue_cases",
    """
    SELECT id, version, decide_by FROM {disputes} WHERE NOT overdue AND decide_by IS NOT NULL
    """,
    when_decide_by_is_over_then_note_overdue,
)
TIME_OUT_INQUIRIES = Policy(
    "time_out_inquiries",
    """
    SELECT parcel, version, inquiry_answer_by FROM {claims} WHERE inquiry = 'open'
    """,
    when_carrier_is_silent_then_time_out_inquiry,
)

LAPSE_RETURNS = Policy(
    "lapse_returns",
    """
    SELECT id, version, send_by FROM {returns} WHERE send_by IS NOT NULL
    """,
    when_send_by_is_over_then_lapse_return,
)

BY_THE_SECOND = (
    CANCEL_UNPAID, COMPLETE, TELL_NOT_SENT, SETTLE_PROMISES, EXPIRE_LOTS, SEND_WHAT_WAITED,
    ASK_REFUNDS_AGAIN, TIME_OUT_QUESTIONS, NOTE_OVERDUE_CASES, TIME_OUT_INQUIRIES, LAPSE_RETURNS,
    WANT_LABELS, *INTERCEPTS, CONSIGN, FOLLOW,
)  # fmt: skip
"""Somebody may be waiting for these: `application/reactions.py` sweeps them every second."""
BY_THE_HOUR = (EXPIRE_ORDERS,)
"""Nobody waits for these: jobs sweep them (`application/jobs.py`), as they do `DELAYS`."""
ALL = (*BY_THE_SECOND, *BY_THE_HOUR, *DELAYS)


async def overdue(house: House, *, late_after: timedelta = LATE_AFTER) -> list[Overdue]:
    """Policies with something due for longer than that: refused, stuck, or nobody sweeps (M5)."""
    late = await overdue_of(house, ALL, late_after=late_after)
    return late + await unscreened(house, late_after=late_after)
