"""What is dated back is paid with what was there and is left (A5; rules.md 19)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from application.streams import ACCOUNT
from domain.clawing_back import DebtRefused, claw_back, pay_debt
from domain.house_rules import DEFAULT_RULES
from domain.ledger import postings
from domain.past_balances import LeftSince, left_since, lot_changes
from domain.point_facts import (
    AccountFact,
    DebtPaid,
    GrantClawedBack,
    LotExpired,
    PointsGranted,
    PointsRedeemed,
    PointsRestored,
    Reason,
)
from domain.points import Account, InsufficientPoints
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = NOON + 100 * DAY

History = list[tuple[datetime, AccountFact]]


def account(history: History) -> Account:
    """As it stands now."""
    return given(ACCOUNT, *(fact for _, fact in history))


def granted(
    history: History, points: int, *, day: float, days: int | None = None, then: bool = True
) -> History:
    """After a grant that happened on a day, and is recorded after all the rest.

    `then`: it pays what was owed on its day, and what is owed since now; else all of it on its day.
    """
    at = NOON + day * DAY
    expires = None if days is None else at + days * DAY
    facts = account(history).grant(
        points,
        reason=Reason.TASK,
        source=f"g{len(history)}",
        expires_at=expires,
        when=at if then else NOW,
    )
    return credited(history, at, facts)


def credited(history: History, at: datetime, facts: Iterable[AccountFact]) -> History:
    """After what happened at a time, and what it leaves owing was paid now."""
    history = [*history, *((at, fact) for fact in facts)]
    return [*history, *((NOW, fact) for fact in pay_debt(account(history), when=NOW))]


def refunded(history: History, spent: PointsRedeemed, *, day: float, then: bool = True) -> History:
    """After an order's points went back, as of a day."""
    at = NOON + day * DAY
    facts = account(history).restore(
        spent.lots, order=spent.order, when=at if then else NOW, rules=DEFAULT_RULES
    )
    return credited(history, at, facts)


def redeemed(history: History, points: int, *, day: float, then: bool = True) -> History:
    """After an order that is dated to a day; `then`: decided on what was there. It may refuse."""
    at = NOON + day * DAY
    payer = account(history)
    payer = payer.since(left_since(history, at)) if then else payer
    facts = payer.redeem(points, order=f"o{len(history)}", when=at)
    return [*history, *((at, fact) for fact in facts)]


def clawed_back(history: History, *, lot: str, day: float, then: bool = True) -> History:
    """After a grant is taken back as of a day, and the debt that leaves is paid now."""
    at = NOON + day * DAY
    holder, points = account(history), dict(_granted(history))[lot]
    there = holder.since(left_since(history, at)) if then else None
    taken = claw_back(holder, points, lot=lot, when=at, rules=DEFAULT_RULES, there=there, now=NOW)
    return credited(history, at, taken)


def _granted(history: History) -> Iterator[tuple[str, int]]:
    return ((one.lot, one.points) for _, one in history if isinstance(one, PointsGranted))


def owed(history: History, *, day: float) -> int:
    """What was owed as of a day."""
    at = NOON + day * DAY
    return -sum(postings(fact).get("owed", 0) for told, fact in history if told <= at)


def least_owed(history: History) -> int:
    """The least that was owed as of any moment: below nothing, more was paid than was owed."""
    running, least = 0, 0
    for at in sorted({at for at, _ in history}):
        running = -sum(postings(fact).get("owed", 0) for told, fact in history if told <= at)
        least = min(least, running)
    assert running == account(history).debt
    return least


def sums_at_every_moment(history: History) -> set[int]:
    """What all postings add up to as of each moment: nothing is made or lost."""
    moments = {at for at, _ in history}
    return {
        sum(sum(postings(fact).values()) for told, fact in history if told <= at) for at in moments
    }


def lowest(history: History) -> int:
    """The least that any lot had at any moment of the past."""
    lots: Counter[tuple[str, datetime | None]] = Counter()
    least = 0
    for _, fact in sorted(history, key=lambda one: one[0]):
        for lot, expires_at, points in lot_changes(fact):
            lots[lot, expires_at] += points
            least = min(least, lots[lot, expires_at])
    return least


def test_points_that_came_later_pay_nothing_that_was_before_them() -> None:
    """A5, rules.md 19: the balance of then is what there was, whatever there is today."""
    history = granted(granted([], 30, day=1), 500, day=50)
    assert left_since(history, NOON) == LeftSince({}, 2)
    assert left_since(history, NOON + DAY).lots == {("task:g0", None): 30}
    with pytest.raises(InsufficientPoints):
        redeemed(history, 31, day=2)
    assert lowest(redeemed(history, 30, day=2)) == 0
    assert lowest(redeemed(history, 530, day=50)) == 0


def test_the_balance_of_then_is_below_zero_when_today_s_decides() -> None:
    """A5 CONTROL: the points of day 50 pay an order of day 2."""
    history = granted(granted([], 30, day=1), 500, day=50)
    assert lowest(redeemed(history, 500, day=2, then=False)) < 0


def test_what_was_spent_since_and_came_back_was_not_there_all_the_time() -> None:
    """A5: spent on day 10, back on day 20: nothing of it is left for an order of day 5."""
    history = redeemed(granted([], 30, day=1), 30, day=10)
    spent = history[-1][1]
    assert isinstance(spent, PointsRedeemed)
    back = account(history).restore(
        spent.lots, order="o1", when=NOON + 20 * DAY, rules=DEFAULT_RULES
    )
    history += [(NOON + 20 * DAY, fact) for fact in back]
    assert account(history).available(NOW) == 30
    assert left_since(history, NOON + 5 * DAY).lots == {}
    assert left_since(history, NOON + 20 * DAY).lots == {("task:g0", None): 30}


def test_a_lot_pays_though_one_that_came_later_expires_sooner() -> None:
    """L4, rules.md 15: soonest expiry first, of what was there."""
    history = granted(granted([], 30, day=1), 30, day=50, days=60)
    assert [lot.id for lot in account(history).lots] == ["task:g1", "task:g0"]
    paid = redeemed(history, 30, day=2)[-1][1]
    assert isinstance(paid, PointsRedeemed)
    assert [share.lot for share in paid.lots] == ["task:g0"]


def test_debt_is_paid_before_anything_is_left() -> None:
    """L5: what a grant paid of a debt was never there."""
    owing = given(ACCOUNT, *(fact for _, fact in granted([], 30, day=1)))
    taken = claw_back(owing, 50, lot="task:gone", when=NOON + 2 * DAY, rules=DEFAULT_RULES)
    history: History = [*granted([], 30, day=1), *((NOON + 2 * DAY, fact) for fact in taken)]
    history = granted(history, 25, day=3)
    assert isinstance(history[-1][1], PointsGranted)
    assert left_since(history, NOON + 3 * DAY).lots == {("task:g2", None): 5}


def test_what_is_taken_back_as_of_then_is_what_was_there_and_the_rest_is_owed() -> None:
    """A5, L5, rules.md 17, 19: spent by then, it is owed from then on; what came since pays now."""
    history = redeemed(granted([], 30, day=1), 20, day=2)
    history = granted(history, 500, day=50)
    history = clawed_back(history, lot="task:g0", day=3)
    taken, paid = (fact for _, fact in history[-2:])
    assert isinstance(taken, GrantClawedBack)
    assert (taken.points, taken.debt, [one.points for one in taken.lots]) == (30, 20, [10])
    assert isinstance(paid, DebtPaid)
    assert (paid.points, [one.lot for one in paid.lots]) == (20, ["task:g2"])
    assert [owed(history, day=day) for day in (2, 3, 60, 100)] == [0, 20, 20, 0]
    assert (account(history).debt, account(history).available(NOW)) == (0, 480)
    assert lowest(history) == 0


def test_what_is_taken_back_as_of_then_is_below_zero_when_today_s_lots_decide() -> None:
    """A5 CONTROL: the points of day 50 pay on day 3."""
    history = redeemed(granted([], 30, day=1), 20, day=2)
    history = granted(history, 500, day=50)
    assert lowest(clawed_back(history, lot="task:g0", day=3, then=False)) < 0


def test_a_policy_against_debt_looks_at_what_is_owed_once_it_is_paid() -> None:
    """L5: what came since pays it, so nothing is left owing; without that it is refused."""
    strict = replace(DEFAULT_RULES, debt_limit=0)
    spent = redeemed(granted([], 30, day=1), 20, day=2)
    for since, refused in ((20, False), (19, True)):
        history = granted(spent, since, day=50)
        then = NOON + 3 * DAY
        take_back = partial(
            claw_back, account(history), 30, lot="task:g0", when=then, rules=strict,
            there=account(history).since(left_since(history, then)), now=NOW,
        )  # fmt: skip
        if refused:
            with pytest.raises(DebtRefused, match="1 points owing; 0"):
                take_back()
        else:
            assert take_back()[0].debt == 20


moments = st.integers(0, 99)
steps = st.lists(
    st.tuples(
        st.sampled_from(["grant", "grant", "order", "order", "claw_back", "expire", "refund"]),
        st.integers(1, 40),
        moments,
        st.none() | st.integers(1, 60),
    ),
    max_size=12,
)


@drawn(steps)
def test_no_balance_of_the_past_is_below_zero_whatever_is_dated_back(
    told: list[tuple[str, int, int, int | None]],
) -> None:
    """A5, L4, L5, rules.md 17, 19: in whatever order all of it is told, of whatever days.

    What every lot has is at least nothing, as of every moment, as is what is free, and what is
    owed; points are neither made nor lost; what stands is what the facts fold to; and nobody owes
    while they have something to pay with.
    """
    history = told_anyhow(told)
    stands = account(history)
    assert lowest(history) == 0
    assert least_owed(history) == 0
    assert sums_at_every_moment(history) <= {0}
    assert left_since(history, NOW).version == len(history)
    sums = Counter[str]()
    for _, fact in history:
        sums.update(postings(fact))
    assert (sums["learner"], -sums["owed"]) == (sum(x.points for x in stands.lots), stands.debt)
    assert stands.debt >= 0
    assert not (stands.debt and stands.available(NOW))
    assert sum(points for _, points in stands.debts) == stands.debt
    assert all(points > 0 for _, points in stands.debts)


def told_anyhow(told: list[tuple[str, int, int, int | None]], *, then: bool = True) -> History:
    """What becomes of all that is told; `then`: credits pay what was owed on their day."""
    history: History = []
    taken_back: set[str] = set()
    unpaid: list[tuple[PointsRedeemed, datetime]] = []
    for what, points, day, days in told:
        if what == "grant":
            history = granted(history, points, day=day, days=days, then=then)
            continue
        if what == "refund":
            if unpaid:
                spent, at = unpaid.pop(points % len(unpaid))
                day_of = max(float(day), (at - NOON) / DAY)
                history = refunded(history, spent, day=day_of, then=then)
            continue
        if what == "expire":
            for gone in account(history).expire(when=NOW):
                assert isinstance(gone, LotExpired)
                history = [*history, (gone.expired_at, gone)]
            continue
        if what == "claw_back":
            lots = [
                (one.lot, at) for at, one in history
                if isinstance(one, PointsGranted) and one.lot not in taken_back
            ]  # fmt: skip
            if lots:
                lot, at = lots[points % len(lots)]
                history = clawed_back(history, lot=lot, day=max(day, (at - NOON) / DAY))
                taken_back.add(lot)
            continue
        left = left_since(history, NOON + day * DAY)
        there = account(history).since(left).available(NOON + day * DAY)
        if there < points:
            with pytest.raises(InsufficientPoints):
                redeemed(history, points, day=day)
            continue
        history = redeemed(history, points, day=day)
        spent_at, paid = history[-1]
        assert isinstance(paid, PointsRedeemed)
        unpaid.append((paid, spent_at))
    return history


def test_what_is_given_as_of_before_a_debt_arose_pays_it_now() -> None:
    """A5, L5, rules.md 16: a grant, and a refund; as of no day more was paid than was owed."""
    history = redeemed(granted([], 30, day=1), 30, day=2)
    spent = history[-1][1]
    assert isinstance(spent, PointsRedeemed)
    history = clawed_back(history, lot="task:g0", day=50)
    assert account(history).debts == ((NOON + 50 * DAY, 30),)
    history = granted(history, 20, day=10)
    given_, paid = (fact for _, fact in history[-2:])
    assert isinstance(given_, PointsGranted)
    assert isinstance(paid, DebtPaid)
    assert (given_.debt_paid, paid.points) == (0, 20)
    history = refunded(history, spent, day=20)
    back, rest = (fact for _, fact in history[-2:])
    assert isinstance(back, PointsRestored)
    assert isinstance(rest, DebtPaid)
    assert (back.debt_paid, rest.points) == (0, 10)
    assert [owed(history, day=day) for day in (9, 10, 49, 50, 99, 100)] == [0, 0, 0, 30, 30, 0]
    assert (account(history).debt, account(history).available(NOW)) == (0, 20)
    assert (lowest(history), least_owed(history)) == (0, 0)


def test_what_is_given_after_a_debt_arose_pays_it_at_once() -> None:
    """L5: as of its own day, the oldest debt first."""
    history = redeemed(granted(granted([], 30, day=1), 30, day=1), 60, day=2)
    history = clawed_back(clawed_back(history, lot="task:g1", day=60), lot="task:g0", day=40)
    assert [points for _, points in account(history).debts] == [30, 30]
    history = granted(history, 50, day=50)
    given_ = [fact for _, fact in history if isinstance(fact, PointsGranted)][-1]
    assert given_.debt_paid == 30
    assert [owed(history, day=day) for day in (39, 40, 50, 60, 100)] == [0, 30, 0, 30, 10]
    assert account(history).debts == ((NOON + 60 * DAY, 10),)


def test_more_was_paid_than_was_owed_when_a_credit_pays_whatever_is_owed_today() -> None:
    """A5 CONTROL: as it was before; the property above finds it, too."""
    history = redeemed(granted([], 30, day=1), 30, day=2)
    history = clawed_back(history, lot="task:g0", day=50)
    assert least_owed(granted(history, 20, day=10, then=False)) == -20
    told: list[tuple[str, int, int, int | None]] = [
        ("grant", 30, 1, None), ("order", 30, 2, None), ("claw_back", 30, 50, None),
        ("refund", 1, 10, None),
    ]  # fmt: skip
    assert least_owed(told_anyhow(told, then=False)) == -30
    assert least_owed(told_anyhow(told)) == 0
