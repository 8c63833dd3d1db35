"""拦截 Calling a parcel back, or sending it elsewhere, after hand-over (O8; rules.md 5, 27).

A carrier that takes a request promises nothing (wire 1.9): the parcel's own track says what became
of it. What a learner gets back waits for the goods, or for a decision with an actor (rules.md 3).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.intercept_facts import (
    GoodsTakenBack,
    InterceptAsked,
    InterceptDone,
    InterceptFact,
    InterceptFailed,
    InterceptGivenUp,
    InterceptRefused,
    InterceptTaken,
    InterceptTimedOut,
    InterceptTold,
    ParcelTurnedBack,
    Way,
)
from domain.refusals import NotPossible
from domain.scans import ScanKind
from domain.tracking import ParcelState, Track


class InterceptState(StrEnum):
    """How far a request is."""

    ASKED = "asked"
    TAKEN = "taken"
    """The carrier has it, which is no promise."""
    REFUSED = "refused"
    DONE = "done"
    """The track says so: on its way back, or to the other address."""
    FAILED = "failed"
    """It was delivered all the same, or the carrier could not."""
    TIMED_OUT = "timed_out"
    GIVEN_UP = "given_up"
    """Nobody tries any more: it goes on to whom it was sent to."""
    TURNED_BACK = "turned_back"
    """Its carrier brings it back, though nobody asked for that."""
    LIES_HERE = "lies_here"
    """Goods of a return that were refused came back from their learner: somebody decides."""
    SENT_AGAIN = "sent_again"
    """Goods of a return that were refused came back, and left for their learner once more."""
    CAME_BACK = "came_back"
    """The goods are in the house again, and were paid back."""


def name_of(parcel: str, nth: int) -> str:
    """What the nth request about a parcel is called."""
    return f"{parcel}-X{nth}"


def parcel_of(intercept: str) -> str:
    """The parcel that a request is about."""
    return intercept.rpartition("-X")[0]


def forwards(track: Track) -> int:
    """Times that a track tells of its parcel's going elsewhere."""
    return sum(scan.kind is ScanKind.FORWARDED for scan in track.scans)


OPEN = frozenset({InterceptState.ASKED, InterceptState.TAKEN})
"""While the carrier may still stop it."""
UNSTOPPED = frozenset({InterceptState.REFUSED, InterceptState.FAILED, InterceptState.TIMED_OUT})
"""Where a human sees to it: asks again, or gives it up."""
BY_PHONE = "by_phone"
"""The code of what a carrier said to somebody, and not to the service."""
STOPPABLE = frozenset(
    {
        ParcelState.HANDED_OVER,
        ParcelState.IN_TRANSIT,
        ParcelState.CUSTOMS,
        ParcelState.OUT_FOR_DELIVERY,
        ParcelState.DELIVERY_FAILED,
        ParcelState.AWAITING_PICKUP,
    }
)
_ADRIFT = frozenset({ParcelState.RETURNING, ParcelState.RETURNED, ParcelState.LOST})
_COMING = frozenset({*OPEN, InterceptState.DONE, InterceptState.TURNED_BACK})
_BACK = frozenset({ParcelState.RETURNING, ParcelState.RETURNED})
_MISSED = frozenset({ParcelState.SIGNED, ParcelState.LOST})


@dataclass(frozen=True, slots=True)
class Intercept:
    """The newest request about one parcel, and how many there were."""

    asked: int = 0
    name: str = ""
    orders: tuple[str, ...] = ()
    way: Way = Way.RETURN
    destination: Destination | None = None
    state: InterceptState | None = None
    answer_by: datetime | None = None
    code: str = ""
    words: str = ""
    forwarded: int | None = None
    """Times that its track had told of its going elsewhere when this was asked."""
    sent_to: Destination | None = None
    """Where its carrier took it last instead, as it was asked to."""

    @property
    def open(self) -> bool:
        """Whether the carrier may still stop the parcel."""
        return self.state in OPEN

    @property
    def left_alone(self) -> bool:
        """Whether nobody is stopping it, though it was asked for: its carrier may turn it yet."""
        return self.state in UNSTOPPED or self.state is InterceptState.GIVEN_UP

    def may_be_asked_again(self, track: Track) -> bool:
        """Whether its carrier can still be asked for the same once more."""
        return self.state in UNSTOPPED and track.state in STOPPABLE

    @property
    def over(self) -> bool:
        """Whether nothing is in the parcel any more: its goods came back, and were decided of."""
        return self.state in (InterceptState.CAME_BACK, InterceptState.SENT_AGAIN)

    @property
    def coming(self) -> bool:
        """Whether the parcel may still be brought back."""
        return self.way is Way.RETURN and self.state in _COMING

    def ask(
        self,
        parcel: str,
        *,
        track: Track,
        carrier: str,
        waybill: str,
        live: Collection[str],
        wanted: Collection[str],
        way: Way,
        destination: Destination | None,
        reason: str,
        when: datetime,
        rules: HouseRules,
        due: bool = True,
    ) -> list[InterceptFact]:
        """Have it called back or sent elsewhere; while that is asked for, asking is once.

        `live` are the orders with something in it, `wanted` those whose learner wants it: all of
        them, or it travels on (rules.md 27). If nothing in it is still `due` to anybody, it can be
        called back from where nobody received it, too: lost and found, or turned round by itself.
        """
        if self.open and self.way is way and way is Way.RETURN:
            return []
        if self.open:
            raise NotPossible(action="intercept", why="the carrier is asked already")
        adrift = not due and way is Way.RETURN and self.state is None and track.state in _ADRIFT
        if track.state not in STOPPABLE and not adrift:
            raise NotPossible(action="intercept", why=f"the parcel is {track.state}")
        others = sorted(set(live) - set(wanted))
        if others:
            raise NotPossible(action="intercept", why=f"{others[0]} travels in it, too")
        return [
            InterceptAsked(
                intercept=name_of(parcel, self.asked + 1),
                orders=tuple(sorted(live)),
                carrier=carrier,
                waybill=waybill,
                way=way,
                destination=destination,
                reason=reason,
                answer_by=when + rules.intercept_answers_within,
                forwarded=forwards(track) if way is Way.REDIRECT else None,
            )
        ]

    def call_back(
        self,
        parcel: str,
        *,
        orders: Collection[str],
        carrier: str,
        waybill: str,
        reason: str,
        when: datetime,
        rules: HouseRules,
    ) -> list[InterceptFact]:
        """Have a parcel brought back in which nothing is wanted, wherever it is by now; once.

        One that was delivered before anybody could ask is listed as not stopped, until its goods
        are back: they were paid back already.
        """
        if self.state is not None:
            return []
        return [
            InterceptAsked(
                intercept=name_of(parcel, 1),
                orders=tuple(sorted(orders)),
                carrier=carrier,
                waybill=waybill,
                way=Way.RETURN,
                reason=reason,
                answer_by=when + rules.intercept_answers_within,
            )
        ]

    def take(self, name: str) -> list[InterceptFact]:
        """Note that the carrier has the request."""
        asked = self.name == name and self.state is InterceptState.ASKED
        return [InterceptTaken(intercept=name)] if asked else []

    def refuse(self, name: str, *, code: str, words: str) -> list[InterceptFact]:
        """Note that the carrier does not take it."""
        asked = self.name == name and self.state is InterceptState.ASKED
        return [InterceptRefused(intercept=name, code=code, words=words)] if asked else []

    def note_said(self, *, taken: bool, when: datetime, rules: HouseRules) -> list[InterceptFact]:
        """Somebody of the house asked the carrier: it takes the request, or it does not.

        A yes counts after a refusal or a silence, too, and the track is waited for anew.
        """
        known = {InterceptState.REFUSED} if not taken else {InterceptState.TAKEN}
        if self.state not in {*OPEN, InterceptState.REFUSED, InterceptState.TIMED_OUT} - known:
            why = "nothing is asked of the carrier" if self.state is None else self._is()
            raise NotPossible(action="note_said", why=why)
        if not taken:
            return [InterceptRefused(intercept=self.name, code=BY_PHONE)]
        return [
            InterceptTaken(intercept=self.name, answer_by=when + rules.intercept_answers_within)
        ]

    def _is(self) -> str:
        return f"the request is {self.state}"

    def fail(self, why: str) -> list[InterceptFact]:
        """Note that it was not stopped."""
        return [InterceptFailed(intercept=self.name, why=why)] if self.open else []

    def note_track(self, track: Track) -> list[InterceptFact]:
        """What the scans since it was asked say of it; nothing while they say nothing (wire 1.9).

        The same whenever, and however often, somebody looks: what went on to the other place was
        stopped, whoever signed for it since; what turned round and was delivered all the same was
        not.
        """
        went_on = self.sent_on(track) is not None
        if went_on or track.state in _BACK:
            state = ParcelState.FORWARDED if went_on else track.state
            done = InterceptDone(intercept=self.name, state=state)
            return [done] if self.open or self.left_alone else []
        # Of requests of the time before nobody knows whether they went on.
        known = self.way is Way.RETURN or self.forwarded is not None
        taken_for_done = self.state is InterceptState.DONE and known
        if track.state in _MISSED and (self.open or taken_for_done):
            return [InterceptFailed(intercept=self.name, why=f"the parcel is {track.state}")]
        return []

    def sent_on(self, track: Track) -> datetime | None:
        """When its track said that it goes to the other place; None: it does not say so."""
        if self.way is not Way.REDIRECT:
            return None
        if self.forwarded is None:
            return track.since if track.state is ParcelState.FORWARDED else None
        told = [scan.time for scan in track.scans if scan.kind is ScanKind.FORWARDED]
        return told[self.forwarded] if len(told) > self.forwarded else None

    def give_up(self) -> list[InterceptFact]:
        """Stop nothing any more that was not stopped; asked once more it is another request."""
        if self.state not in UNSTOPPED:
            why = "nothing is asked of the carrier" if self.state is None else self._is()
            raise NotPossible(action="give_up_intercept", why=why)
        return [InterceptGivenUp(intercept=self.name)]

    def turn_back(
        self,
        parcel: str,
        *,
        track: Track,
        orders: Collection[str],
        carrier: str,
        waybill: str,
        in_hand: bool = False,
    ) -> list[InterceptFact]:
        """Note that a parcel comes back that nobody called back, or went elsewhere first; once.

        Its track says so, or somebody has its goods `in_hand`.
        """
        called_back = self.state is not None and self.way is Way.RETURN
        if called_back or not (in_hand or track.state in _BACK):
            return []
        return [
            ParcelTurnedBack(
                intercept=f"{parcel}-X{self.asked + 1}",
                orders=tuple(sorted(orders)),
                carrier=carrier,
                waybill=waybill,
                state=track.state,
            )
        ]

    def time_out(self, *, when: datetime) -> list[InterceptFact]:
        """Wait no longer for word of it."""
        over = self.open and self.answer_by is not None and when >= self.answer_by
        return [InterceptTimedOut(intercept=self.name)] if over else []

    def take_back(
        self,
        *,
        track: Track,
        intact: bool,
        due: bool = True,
        undecided: bool = False,
        sent_again_in: str | None = None,
    ) -> list[InterceptFact]:
        """The goods of a parcel that was called back are in the house again, once.

        Also from a recipient who has it, where nothing of it is `due` to anybody any more. What
        lies here `undecided` is taken in once more, when something was decided of it, or it is
        `sent_again_in` another parcel (D3).
        """
        if self.state is None or self.way is not Way.RETURN:
            raise NotPossible(action="take_back", why="the parcel was not called back")
        if self.over:
            raise NotPossible(action="take_back", why="its goods were taken back already")
        here = self.state is InterceptState.LIES_HERE
        if here and undecided:
            raise NotPossible(action="take_back", why="its goods lie here, to be decided of")
        if track.state is ParcelState.SIGNED and due and not here:
            raise NotPossible(action="take_back", why="the parcel is signed")
        return [
            GoodsTakenBack(
                intercept=self.name,
                intact=intact,
                undecided=undecided,
                sent_again_in=sent_again_in,
            )
        ]


def evolve(one: Intercept, fact: InterceptFact) -> Intercept:
    """The requests about a parcel after one more fact."""
    match fact:
        case InterceptAsked():
            return Intercept(
                asked=one.asked + 1,
                name=fact.intercept,
                orders=fact.orders,
                way=fact.way,
                destination=fact.destination,
                state=InterceptState.ASKED,
                answer_by=fact.answer_by,
                forwarded=fact.forwarded,
                sent_to=one.sent_to,
            )
        case InterceptTaken():
            until = fact.answer_by or one.answer_by
            return replace(one, state=InterceptState.TAKEN, answer_by=until)
        case InterceptRefused():
            refused = InterceptState.REFUSED
            return replace(one, state=refused, code=fact.code, words=fact.words)
        case InterceptTold():
            return one
        case InterceptDone():
            went_on = one.way is Way.REDIRECT and fact.state == ParcelState.FORWARDED
            sent_to = one.destination if went_on else one.sent_to
            return replace(one, state=InterceptState.DONE, sent_to=sent_to)
        case InterceptFailed():
            return replace(one, state=InterceptState.FAILED, words=fact.why)
        case InterceptTimedOut():
            return replace(one, state=InterceptState.TIMED_OUT)
        case InterceptGivenUp():
            return replace(one, state=InterceptState.GIVEN_UP)
        case ParcelTurnedBack():
            return Intercept(
                asked=one.asked + 1,
                name=fact.intercept,
                orders=fact.orders,
                state=InterceptState.TURNED_BACK,
                sent_to=one.sent_to,
            )
        case GoodsTakenBack():
            if fact.sent_again_in is not None:
                return replace(one, state=InterceptState.SENT_AGAIN)
            lies = InterceptState.LIES_HERE
            return replace(one, state=lies if fact.undecided else InterceptState.CAME_BACK)
        case _:
            assert_never(fact)
