"""延误处理 Telling of what keeps parcels, and asking carriers about them by itself (T5; rule 25).

A learner is told once a spell: it is a fact of the parcel, so their page, app and webhooks hear of
it as of any other. Who was told long ago, and still has nothing, has the carrier asked. Of what
passes its promised time in the house they are told once a promise, by a fact of the order.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString

from application.claiming import open_inquiry
from application.issuing import NotYet
from application.ordering import existing
from application.streams import CLAIM, ORDER, PARCEL
from application.sweeping import Due, Policy, timed
from application.unit import Command, Unit
from domain.delays import Delay, DelayCause, lasts, tell
from domain.house_rules import HouseRules
from domain.late_promises import tell_unsent
from domain.silence import Silence, patience

EVERY = timedelta(minutes=5)
"""How often it is looked: what took days to show may be told minutes later."""
Grace = Callable[[HouseRules], timedelta]


def when_parcel_is_kept_then_tell(
    cause: DelayCause, grace: Grace, due: Due, rules: HouseRules
) -> Command:
    """It has been kept for as long as the house waits: its recipient is told (T5)."""
    since, told_at = due.at, due.at + grace(rules)

    def decide(unit: Unit) -> dict[str, Any]:
        box = unit.read(PARCEL, due.key)
        facts = tell(box, Delay(cause, since), now=unit.now)
        if not facts and unit.version(PARCEL, due.key) != due.version:
            raise NotYet  # it was seen meanwhile, and the view will say so
        unit.record(PARCEL, due.key, facts)
        return {"parcel": due.key, "cause": cause}

    name = f"tell_{cause}"
    stream = PARCEL.stream(due.key)
    return timed(name, stream, due, decide, at=told_at, happened_at=told_at)


def when_parcel_is_kept_long_then_inquire(
    cause: DelayCause, grace: Grace, due: Due, rules: HouseRules
) -> Command:
    """It has been kept for far too long: its carrier is asked, once a parcel (T5; rules.md 27)."""

    def decide(unit: Unit) -> dict[str, Any]:
        box, asked = unit.read(PARCEL, due.key), unit.read(CLAIM, due.key).inquiry
        if asked is not None or not lasts(box, Delay(cause, due.at), now=unit.now):
            return {"parcel": due.key}
        return open_inquiry(unit, parcel=due.key, case=None, rules=rules)

    stream, at = PARCEL.stream(due.key), due.at + grace(rules)
    return timed(f"inquire_{cause}", stream, due, decide, at=at)


def when_promise_passes_in_the_house_then_tell(due: Due, rules: HouseRules) -> Command:
    """The promised time passed before all was handed over: its learner is told, once (T5, O6)."""

    def decide(unit: Unit) -> dict[str, Any]:
        # Handed over, or promised anew, meanwhile: nothing is told, and the view will say so.
        unit.record(ORDER, due.key, tell_unsent(existing(unit, due.key), now=unit.now))
        return {"number": due.key}

    return timed("tell_not_sent", ORDER.stream(due.key), due, decide)


TELL_NOT_SENT = Policy(
    "tell_not_sent",
    """
    SELECT number, version, unsent_by FROM {orders} WHERE unsent_by IS NOT NULL AND NOT unsent_told
    """,
    when_promise_passes_in_the_house_then_tell,
)
"""Swept by the second: its learner knows the moment, and looks."""
_WAITED_FOR: LiteralString = """
  AND EXISTS (SELECT FROM {parcels} p JOIN {orders} o ON o.number = ANY(p.orders)
              WHERE p.number = j.parcel
                AND o.state NOT IN ('completed', 'cancelled', 'closed', 'expired'))
"""
_NOT_ASKED: LiteralString = """
  AND NOT EXISTS (SELECT FROM {claims} c WHERE c.parcel = j.parcel AND c.inquiry IS NOT NULL)
"""


def _found(at: LiteralString, which: LiteralString) -> LiteralString:
    """The query of a policy: what is kept since `at`, and not told, or asked, yet."""
    return f"SELECT j.parcel, j.version, j.{at} FROM {{journeys}} j WHERE {which}{_WAITED_FOR}"


_AT: dict[DelayCause, tuple[LiteralString, LiteralString, LiteralString]] = {
    DelayCause.NO_FIRST_SCAN: ("quiet_since", "j.quiet_as = 'no_first_scan'", "j.quiet_told"),
    DelayCause.NO_MOVEMENT: ("quiet_since", "j.quiet_as = 'no_movement'", "j.quiet_told"),
    DelayCause.CUSTOMS_STALL: ("quiet_since", "j.quiet_as = 'customs_stall'", "j.quiet_told"),
    DelayCause.NOT_COLLECTED: ("quiet_since", "j.quiet_as = 'not_collected'", "j.quiet_told"),
    DelayCause.ETA_PASSED: ("late_at", "j.late_at IS NOT NULL", "j.late_told"),
    DelayCause.PING_PONG: ("turned_since", "j.turned_as = 'ping_pong'", "j.turned_told"),
    DelayCause.RETURNED: ("turned_since", "j.turned_as = 'returned'", "j.turned_told"),
    DelayCause.LOST: ("turned_since", "j.turned_as = 'lost'", "j.turned_told"),
    DelayCause.PICKUP_ENDING: ("turned_since", "j.turned_as = 'pickup_ending'", "j.turned_told"),
}
"""Where the view says since when, that it is so, and that it was told."""
INQUIRED = (
    DelayCause.NO_FIRST_SCAN,
    DelayCause.NO_MOVEMENT,
    DelayCause.NOT_COLLECTED,
    DelayCause.ETA_PASSED,
    DelayCause.LOST,
)
"""What a carrier is asked about; customs is not its to answer for, nor what it says itself, but
that it lost something: that is asked about at once."""


_SILENCES = {DelayCause(one.value): one for one in Silence}


def waits(cause: DelayCause) -> Grace:
    """How long the house waits before this counts as a delay (rules.md 25)."""
    kind = _SILENCES.get(cause)
    return (lambda rules: timedelta()) if kind is None else partial(_patience, kind)


def _patience(kind: Silence, rules: HouseRules) -> timedelta:
    return patience(kind, rules=rules)


def _inquire_after(rules: HouseRules) -> timedelta:
    return rules.inquire_after


def _telling(cause: DelayCause) -> Policy:
    at, which, told = _AT[cause]
    return Policy(
        f"tell_{cause}",
        _found(at, f"{which} AND NOT {told}"),
        partial(when_parcel_is_kept_then_tell, cause, waits(cause)),
        grace=waits(cause),
        every=EVERY,
    )


def _inquiring(cause: DelayCause) -> Policy:
    at, which, _ = _AT[cause]
    grace: Grace = waits(cause) if cause is DelayCause.LOST else _inquire_after
    return Policy(
        f"inquire_{cause}",
        _found(at, f"{which}{_NOT_ASKED}"),
        partial(when_parcel_is_kept_long_then_inquire, cause, grace),
        grace=grace,
        every=EVERY,
    )


DELAYS = (*map(_telling, DelayCause), *map(_inquiring, INQUIRED))
"""A job sweeps these (`application/jobs.py`)."""
