"""Points: what a learner's account allows, and what then happens to it (L1–L5; rules.md 14–18)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import ACCOUNT
from domain.clawing_back import DebtRefused, claw_back
from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.ledger import postings
from domain.lots import refund_shares, returned
from domain.point_facts import (
    AccountFrozen,
    AccountUnfrozen,
    Counted,
    GrantClawedBack,
    HoldCaptured,
    HoldVoided,
    LearnerErased,
    LearnerRegistered,
    LotExpired,
    LotShare,
    PointsDeducted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsRestored,
    Reason,
)
from domain.points import (
    Account,
    AccountNotActive,
    InsufficientPoints,
    LearnerUnknown,
)
from domain.refusals import NotPossible
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = HouseRules()


def granted(
    points: int, lot: str = "a", *, nth: int = 0, expires: float | None = None, debt_paid: int = 0
) -> PointsGranted:
    """A grant whose lot expires so many days after noon."""
    return PointsGranted(
        points=points,
        reason=Reason.TASK,
        source=lot,
        lot=lot,
        nth=nth,
        debt_paid=debt_paid,
        expires_at=None if expires is None else NOON + expires * DAY,
    )


def share(points: int, lot: str = "a", *, nth: int = 0, expires: float | None = None) -> LotShare:
    """Points of a lot as they are spent or come back."""
    return LotShare(
        lot=lot,
        points=points,
        nth=nth,
        expires_at=None if expires is None else NOON + expires * DAY,
    )


def account(*facts: Fact) -> Account:
    return given(ACCOUNT, *facts)


# --- granting --------------------------------------------------------------------------------


def test_a_lot_is_made_when_points_are_granted() -> None:
    """L1: the lot is named after its grant and knows its age and its expiry."""
    facts = Account().grant(
        50, reason=Reason.CAMPAIGN, source="s1", expires_at=NOON + DAY, when=NOON
    )
    assert facts == [
        PointsGranted(
            points=50,
            reason=Reason.CAMPAIGN,
            source="s1",
            lot="campaign:s1",
            nth=0,
            expires_at=NOON + DAY,
        )
    ]
    after = account(*facts)
    assert (after.status, after.available(NOON), after.grants) == ("active", 50, 1)


def test_debt_is_paid_first_when_points_are_granted() -> None:
    """L5: a later grant pays what is owed before anything becomes available."""
    history = (granted(30), GrantClawedBack(lot="a", points=30, lots=(share(10),), debt=20))
    (some,) = account(*history).grant(
        12, reason=Reason.TASK, source="b", expires_at=None, when=NOON
    )
    assert isinstance(some, PointsGranted)
    assert (some.points, some.debt_paid) == (12, 12)
    (rest,) = account(*history, some).grant(
        12, reason=Reason.TASK, source="c", expires_at=None, when=NOON
    )
    after = account(*history, some, rest)
    assert (after.debt, after.grants, after.available(NOON)) == (0, 3, 20 + 4)


def test_a_grant_is_refused_when_the_learner_is_erased() -> None:
    """A4: nobody is left to give to."""
    with pytest.raises(AccountNotActive) as refused:
        account(granted(5), LearnerErased(reason="asked")).grant(
            1, reason=Reason.TASK, source="x", expires_at=None, when=NOON
        )
    assert refused.value.figures == {"status": "erased"}


# --- spending --------------------------------------------------------------------------------


def test_what_expires_first_is_spent_first_when_points_are_redeemed() -> None:
    """L4: soonest expiry, then oldest; what never expires goes last (rules.md 15)."""
    rich = account(
        granted(10, "never", nth=0),
        granted(10, "late", nth=1, expires=9),
        granted(10, "young", nth=3, expires=5),
        granted(10, "old", nth=2, expires=5),
    )
    assert rich.redeem(35, order="o", when=NOON) == [
        PointsRedeemed(
            order="o",
            points=35,
            lots=(
                share(10, "old", nth=2, expires=5),
                share(10, "young", nth=3, expires=5),
                share(10, "late", nth=1, expires=9),
                share(5, "never"),
            ),
        )
    ]


@pytest.mark.parametrize(
    ("microseconds", "available"), [(-1, 15), (0, 5), (1, 5)], ids=["before", "at", "after"]
)
def test_a_lot_is_not_available_when_its_instant_has_come(
    microseconds: int, available: int
) -> None:
    """L4: from the instant of expiry, whenever the expiry is recorded (rules.md 15)."""
    holder = account(granted(10, "a", expires=1), granted(5, "b", nth=1))
    when = NOON + DAY + timedelta(microseconds=microseconds)
    assert holder.available(when) == available
    assert [one.code for one in holder.spending_failures(15, when=when)] == (
        [] if available == 15 else ["insufficient_points"]
    )


def test_expired_points_stay_where_they_are_when_others_are_spent() -> None:
    """L4: redeeming leaves an expired lot to its own fact."""
    holder = account(granted(10, "a", expires=1), granted(5, "b", nth=1))
    (fact,) = holder.redeem(5, order="o", when=NOON + DAY)
    assert isinstance(fact, PointsRedeemed)
    assert fact.lots == (share(5, "b", nth=1),)
    with pytest.raises(InsufficientPoints) as refused:
        holder.redeem(6, order="o", when=NOON + DAY)
    assert refused.value.figures == {"needed": 6, "available": 5}


def test_every_reason_is_named_when_points_cannot_be_spent() -> None:
    """O1: unknown or frozen and too poor, with the figures that decided."""
    unknown = Account().spending_failures(1, when=NOON)
    assert [type(one) for one in unknown] == [LearnerUnknown, InsufficientPoints]
    assert unknown[1].figures == {"needed": 1, "available": 0}
    frozen = account(granted(5), AccountFrozen(reason="fraud")).spending_failures(6, when=NOON)
    assert [one.as_failure()["code"] for one in frozen] == [
        "account_not_active",
        "insufficient_points",
    ]
    assert "5" in frozen[1].message("zh-CN")
    assert account(granted(5)).spending_failures(5, when=NOON) == []


def test_units_of_a_free_item_count_when_it_has_a_limit() -> None:
    """O1: a price of nothing does not lift a limit (rules.md 12)."""
    one = Counted(sku="sticker", quantity=1)
    facts = account(granted(5)).redeem(0, order="o", counted=(one,), when=NOON)
    assert facts == [PointsRedeemed(order="o", points=0, lots=(), counted=(one,))]
    assert account(granted(5), *facts).taken("sticker") == 1
    assert account(granted(5)).redeem(0, order="o", when=NOON) == []


def test_nothing_expires_twice_when_expiry_is_recorded() -> None:
    """L4: each lot leaves once, by a fact, with what was left of it."""
    holder = account(
        granted(10, "a", expires=1),
        granted(7, "b", nth=1, expires=2),
        PointsRedeemed(order="o", points=4, lots=(share(4, "a", expires=1),)),
    )
    facts = holder.expire(when=NOON + DAY)
    assert facts == [LotExpired(lot="a", points=6, expired_at=NOON + DAY)]
    after = given(ACCOUNT, granted(10, "a", expires=1), granted(7, "b", nth=1, expires=2), *facts)
    assert after.expire(when=NOON + DAY) == []
    assert holder.expire(when=NOON) == []


# --- holds -----------------------------------------------------------------------------------


HELD = (
    granted(10, "a", expires=1),
    granted(10, "b", nth=1),
    PointsHeld(
        order="o",
        points=12,
        lots=(share(10, "a", expires=1), share(2, "b", nth=1)),
        counted=(Counted(sku="mug", quantity=1),),
    ),
)


def test_points_are_set_aside_when_an_order_waits_for_its_payment() -> None:
    """L3: held points are not available and the units count already."""
    holder = account(*HELD[:2])
    counted = (Counted(sku="mug", quantity=1),)
    assert holder.hold(12, order="o", counted=counted, when=NOON) == [HELD[2]]
    after = account(*HELD)
    assert (after.available(NOON), after.taken("mug")) == (8, 1)


def test_held_points_do_not_expire_when_their_lot_does() -> None:
    """L3: what is held is spent in full, also after its lot's expiry (rules.md 15)."""
    holder = account(*HELD)
    assert holder.expire(when=NOON + 2 * DAY) == []
    assert holder.capture("o") == [HoldCaptured(order="o", points=12)]
    after = account(*HELD, HoldCaptured(order="o", points=12))
    assert (after.holds, after.available(NOON), after.taken("mug")) == ((), 8, 1)


def test_held_points_come_back_when_the_order_is_not_paid() -> None:
    """L3: into their lots, with grace where these expired meanwhile; the limit is free again."""
    holder = account(*HELD)
    (early,) = holder.void("o", when=NOON, rules=RULES)
    assert isinstance(early, HoldVoided)
    assert early.lots == (share(10, "a", expires=1), share(2, "b", nth=1))
    after = account(*HELD, early)
    assert (after.available(NOON), after.taken("mug"), after.holds) == (20, 0, ())
    assert {lot.id: lot.points for lot in after.lots} == {"a": 10, "b": 10}
    (late,) = holder.void("o", when=NOON + DAY, rules=RULES)
    assert isinstance(late, HoldVoided)
    assert late.lots[0] == share(10, "a", expires=31)


def test_nothing_is_settled_when_nothing_is_held() -> None:
    """L3: a hold is captured or voided once."""
    holder = account(*HELD, HoldCaptured(order="o", points=12))
    with pytest.raises(NotPossible) as refused:
        holder.capture("o")
    assert refused.value.figures == {"action": "capture", "why": "nothing is held for o"}
    with pytest.raises(NotPossible):
        holder.void("o", when=NOON, rules=RULES)


# --- refunds ---------------------------------------------------------------------------------


def test_what_was_spent_last_comes_back_first_when_a_part_is_refunded() -> None:
    """L4: so that the latest expiry survives (rules.md 16)."""
    spent = (share(10, "a", expires=1), share(10, "b", nth=1, expires=5), share(5, "c", nth=2))
    back, stay = refund_shares(spent, 8)
    assert back == (share(5, "c", nth=2), share(3, "b", nth=1, expires=5))
    assert stay == (share(10, "a", expires=1), share(7, "b", nth=1, expires=5))


def test_an_expired_lot_gets_thirty_days_when_points_come_back_to_it() -> None:
    """L4: the grace is recorded in the fact; living lots keep their expiry (rules.md 16)."""
    holder = account(granted(10, "a", expires=1), granted(10, "b", nth=1, expires=50))
    back = (share(10, "b", nth=1, expires=50), share(4, "a", expires=1))
    (fact,) = holder.restore(back, order="o", when=NOON + DAY, rules=RULES)
    assert fact == PointsRestored(
        order="o",
        points=14,
        lots=(share(4, "a", expires=31), share(10, "b", nth=1, expires=50)),
    )


def test_points_join_the_rest_of_their_lot_when_they_come_back_in_time() -> None:
    """L4: one lot, not two, and the spending order as before."""
    spent = PointsRedeemed(order="o", points=4, lots=(share(4, "a", expires=1),))
    before = account(granted(10, "a", expires=1), granted(10, "b", nth=1))
    (fact,) = account(granted(10, "a", expires=1), granted(10, "b", nth=1), spent).restore(
        spent.lots, order="o", when=NOON, rules=RULES
    )
    after = account(granted(10, "a", expires=1), granted(10, "b", nth=1), spent, fact)
    assert after == before


def test_grace_and_rest_are_two_lots_when_the_lot_expired_unrecorded() -> None:
    """L4: what is back under grace does not revive what expired."""
    spent = PointsRedeemed(order="o", points=4, lots=(share(4, "a", expires=1),))
    holder = account(granted(10, "a", expires=1), spent)
    when = NOON + 2 * DAY
    (back,) = holder.restore(spent.lots, order="o", when=when, rules=RULES)
    after = account(granted(10, "a", expires=1), spent, back)
    assert after.available(when) == 4
    (gone,) = after.expire(when=when)
    assert gone == LotExpired(lot="a", points=6, expired_at=NOON + DAY)
    assert account(granted(10, "a", expires=1), spent, back, gone).available(when) == 4


def test_debt_is_paid_with_what_expires_soonest_when_points_come_back() -> None:
    """L5: restored points pay debt first, the latest expiry survives (rules.md 16)."""
    owing = replace(account(granted(1)), debt=6)
    shares = (share(5, "c", nth=2), share(3, "b", nth=1, expires=5), share(2, expires=-1))
    (fact,) = owing.restore(shares, order="o", when=NOON, rules=RULES)
    assert isinstance(fact, PointsRestored)
    assert (fact.points, fact.debt_paid) == (10, 6)
    assert fact.lots == (share(4, "c", nth=2),)


def test_a_limit_is_freed_when_units_come_back() -> None:
    """O1: also when they cost nothing (rules.md 12)."""
    taken = (Counted(sku="mug", quantity=2),)
    spent = PointsRedeemed(order="o", points=4, lots=(share(4),), counted=taken)
    holder = account(granted(10), spent)
    (fact,) = holder.restore(
        (), order="o", freed=(Counted(sku="mug", quantity=1),), when=NOON, rules=RULES
    )
    assert account(granted(10), spent, fact).taken("mug") == 1
    assert holder.restore((), order="o", when=NOON, rules=RULES) == []


SHARES = st.lists(
    st.tuples(st.integers(1, 9), st.none() | st.integers(-5, 40)), min_size=1, max_size=5
).map(
    lambda rows: tuple(
        share(points, f"l{nth}", nth=nth, expires=days) for nth, (points, days) in enumerate(rows)
    )
)


@forall(SHARES, st.lists(st.integers(0, 12), max_size=6))
def test_partial_refunds_add_up_when_asked_for_in_any_portions(
    spent: tuple[LotShare, ...], portions: list[int]
) -> None:
    """D4: never more than was spent of each lot, and all of it in the end."""
    stay, back = spent, list[LotShare]()
    for points in [*portions, 999]:
        some, stay = refund_shares(stay, points)
        back += some
        assert sum(s.points for s in (*back, *stay)) == sum(s.points for s in spent)
    assert stay == ()
    for one in spent:
        assert sum(s.points for s in back if s.lot == one.lot) == one.points


@forall(SHARES, st.integers(0, 50))
def test_nothing_is_lost_when_debt_is_paid_from_what_comes_back(
    shares: tuple[LotShare, ...], owed: int
) -> None:
    """L5: what comes back plus what pays debt is what was spent; nothing comes back expired."""
    total = sum(one.points for one in shares)
    back = returned(shares, owed=owed, when=NOON, grace=RULES.refund_grace)
    assert sum(one.points for one in back) == total - min(owed, total)
    assert all(one.expires_at is None or one.expires_at > NOON for one in back)


# --- taking back -----------------------------------------------------------------------------


def test_a_claw_back_takes_its_own_lot_then_the_soonest_then_debt() -> None:
    """L5: the rest of that lot, other lots by soonest expiry, debt; never held (rules.md 17)."""
    holder = account(
        granted(10, "bad", nth=0, expires=90),
        granted(10, "late", nth=1),
        granted(10, "soon", nth=2, expires=5),
        PointsRedeemed(order="o", points=7, lots=(share(7, "bad", expires=90),)),
        PointsHeld(order="p", points=8, lots=(share(8, "soon", nth=2, expires=5),)),
    )
    (fact,) = claw_back(holder, 20, lot="bad", when=NOON, rules=RULES)
    assert fact == GrantClawedBack(
        lot="bad",
        points=20,
        lots=(
            share(3, "bad", expires=90),
            share(2, "soon", nth=2, expires=5),
            share(10, "late", nth=1),
        ),
        debt=5,
        owed_from=NOON,
    )
    after = ACCOUNT.evolve(holder, fact)
    assert (after.debt, after.lots, len(after.holds)) == (5, (), 1)


def test_a_claw_back_is_the_same_when_an_expiry_is_recorded_before_or_after_it() -> None:
    """L4: a lot is gone from its instant on, whenever its `LotExpired` is recorded."""
    facts = (granted(10, "bad", expires=1), granted(6, "b", nth=1))
    when = NOON + DAY
    unrecorded, expiry = account(*facts), LotExpired(lot="bad", points=10, expired_at=when)
    recorded = account(*facts, expiry)
    first = claw_back(unrecorded, 10, lot="bad", when=when, rules=RULES)
    assert first == claw_back(recorded, 10, lot="bad", when=when, rules=RULES)
    assert account(*facts, *first, expiry) == account(*facts, expiry, *first)


@pytest.mark.parametrize("recorded", [True, False])
def test_nothing_is_owed_of_what_expired_unspent_when_its_grant_is_clawed_back(
    recorded: bool,
) -> None:
    """L4, L5: it was never used (rules.md 15, 17); CONTROL: what was used of it is owed."""
    lot = granted(40, "bad", expires=1)
    facts = [lot, PointsRedeemed(order="o", points=15, lots=(share(15, "bad", expires=1),))]
    if recorded:
        facts.append(LotExpired(lot="bad", points=25, expired_at=NOON + DAY))
    (fact,) = claw_back(account(*facts), 40, lot="bad", when=NOON + 2 * DAY, rules=RULES)
    owed_from = fact.owed_from
    assert fact == GrantClawedBack(
        lot="bad", points=15, lots=(), debt=15, expired=25, owed_from=owed_from
    )
    unused = account(lot)
    (fact,) = claw_back(unused, 40, lot="bad", when=NOON + 2 * DAY, rules=RULES)
    assert fact == GrantClawedBack(lot="bad", points=0, lots=(), debt=0, expired=40)
    later = granted(40, "b", nth=1)
    assert account(lot, fact, later).available(NOON + 2 * DAY) == 40


def test_nothing_is_owed_when_what_came_back_in_grace_expired_as_well() -> None:
    """L4: points that a refund gave back are of their lot, whenever they end (rules.md 16)."""
    spent = share(30, "bad", expires=1)
    late = NOON + 2 * DAY
    history = [
        granted(40, "bad", expires=1),
        PointsRedeemed(order="o", points=30, lots=(spent,)),
        LotExpired(lot="bad", points=10, expired_at=NOON + DAY),
    ]
    (back,) = account(*history).restore([spent], order="o", when=late, rules=RULES)
    in_grace = account(*history, back)
    (fact,) = claw_back(in_grace, 40, lot="bad", when=late, rules=RULES)
    assert isinstance(fact, GrantClawedBack)
    assert (fact.points, fact.debt, fact.expired) == (30, 0, 10)
    over = late + RULES.refund_grace
    gone = account(*history, back, *in_grace.expire(when=over))
    (fact,) = claw_back(gone, 40, lot="bad", when=over, rules=RULES)
    assert isinstance(fact, GrantClawedBack)
    assert (fact.points, fact.debt, fact.expired) == (0, 0, 40)


def test_a_claw_back_is_refused_when_it_would_leave_more_debt_than_allowed() -> None:
    """L5: a policy may limit debt, or refuse it; one that leaves none is never refused."""
    strict = replace(RULES, debt_limit=4)
    holder = account(granted(10), PointsRedeemed(order="o", points=5, lots=(share(5),)))
    with pytest.raises(DebtRefused) as refused:
        claw_back(holder, 10, lot="a", when=NOON, rules=strict)
    assert refused.value.figures == {"debt": 5, "limit": 4}
    (fact,) = claw_back(holder, 9, lot="a", when=NOON, rules=strict)
    assert isinstance(fact, GrantClawedBack)
    assert (fact.debt, fact.debt_limit) == (4, 4)
    owing = replace(holder, debt=9)
    assert claw_back(owing, 5, lot="a", when=NOON, rules=replace(RULES, debt_limit=0))


def test_points_are_deducted_when_they_are_there_and_refused_when_not() -> None:
    """L5: an adjustment by hand never overdraws."""
    holder = account(granted(5, expires=3), granted(5, "b", nth=1))
    (fact,) = holder.deduct(7, source="ticket-1", when=NOON)
    assert fact == PointsDeducted(
        points=7, lots=(share(5, expires=3), share(2, "b", nth=1)), source="ticket-1"
    )
    with pytest.raises(InsufficientPoints) as refused:
        holder.deduct(11, source="x", when=NOON)
    assert refused.value.figures == {"needed": 11, "available": 10}


# --- status ----------------------------------------------------------------------------------


def test_freezing_is_one_freeze_when_sent_twice() -> None:
    """L5: and unfreezing likewise; the empty list says that nothing had to change."""
    active = account(LearnerRegistered())
    assert active.status == "active"
    assert active.freeze("fraud") == [AccountFrozen(reason="fraud")]
    assert active.unfreeze("ok") == []
    frozen = account(LearnerRegistered(), AccountFrozen(reason="fraud"))
    assert frozen.freeze("fraud") == []
    assert frozen.unfreeze("ok") == [AccountUnfrozen(reason="ok")]
    assert account(LearnerRegistered(), AccountFrozen(reason="f"), granted(5)).status == "frozen"


def test_an_erased_account_stays_erased_when_anything_is_asked() -> None:
    """A4: figures stay, the account never opens again."""
    erased = account(granted(5), LearnerErased(reason="asked"))
    assert erased.erase("asked") == []
    for change in (erased.freeze, erased.unfreeze):
        with pytest.raises(AccountNotActive):
            change("x")
    assert (
        account(granted(5), LearnerErased(reason="asked"), granted(5, "b", nth=1)).status
        == "erased"
    )
    assert [one.code for one in erased.spending_failures(1, when=NOON)] == ["account_not_active"]


# --- the double entry ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fact",
    [
        granted(10, debt_paid=4),
        *HELD,
        HoldCaptured(order="o", points=12),
        HoldVoided(order="o", points=12, lots=(share(9),), debt_paid=3),
        PointsRedeemed(order="o", points=4, lots=(share(4),)),
        PointsRestored(order="o", points=4, lots=(share(1),), debt_paid=3),
        LotExpired(lot="a", points=4, expired_at=NOON),
        GrantClawedBack(lot="a", points=10, lots=(share(4),), debt=6, expired=3),
        GrantClawedBack(lot="a", points=0, lots=(), debt=0, expired=3),
        PointsDeducted(points=4, lots=(share(4),), source="x"),
        AccountFrozen(reason="x"),
        AccountUnfrozen(reason="x"),
        LearnerRegistered(),
        LearnerErased(reason="x"),
    ],
    ids=lambda fact: fact.fact_name,
)
def test_every_fact_posts_to_zero(fact: Fact) -> None:
    """L6: the double entry of each fact is balanced (rules.md 18)."""
    entry = postings(fact)  # type: ignore[arg-type]
    assert sum(entry.values()) == 0
