"""单人经手 Doing alone what one may: whatever one person moves by hand is added up (A8)."""

from urllib.parse import quote

from application.envelope import Context
from application.streams import SINGLE_HANDED
from application.unit import Unit
from domain.approvals import OwnAccount
from domain.house_rules import HouseRules
from domain.single_handed import NOBODY, Before

_PERSONS = frozenset({"support", "operations", "administrator", "auditor", "operator"})
_ADDED_UP = _PERSONS | {"service"}
"""Whose steps are added up: what a service hands out by hand is somebody's decision, too. Others do
what they were made to do: each of their steps is weighed by itself."""
_AT_A_DESK = _PERSONS - {"operator"}
"""Who runs an import on the machine itself brings what a system wrote."""


def is_person(context: Context) -> bool:
    """Whether somebody decides here, and not a rule or the platform."""
    return context.role in _PERSONS


def is_at_a_desk(context: Context) -> bool:
    """Whether somebody decides by hand, whatever reason they choose."""
    return context.role in _AT_A_DESK


def key_of(*, role: str, subject: str, learner: str) -> str | None:
    """Under which key it is added up what somebody moves alone; None: it is not."""
    return f"{quote(subject, safe='')}:{learner}" if role in _ADDED_UP else None


def alone_before(unit: Unit, *, learner: str) -> Before:
    """What whoever acts moved alone for a learner, and still adds to what they do next (A8)."""
    context = unit.command.context
    key = key_of(role=context.role, subject=context.subject, learner=learner)
    moved = NOBODY if key is None else unit.read(SINGLE_HANDED, key)
    return moved.before(unit.now)


def moved_alone(
    unit: Unit, *, learner: str, points: int, subject: str, rules: HouseRules, by_rule: bool = False
) -> bool:
    """Whether whoever acts may give or take so many points without a second person.

    If so it is noted, and counts for what the same person or service does next for this learner,
    in whatever role. It has to be moved in the same commit. `by_rule`: it follows from a rule of
    the platform, which no person sees to. Raises `OwnAccount` where it is whoever acts.
    """
    context = unit.command.context
    if is_person(context) and context.subject == learner:
        raise OwnAccount(person=learner)
    key = key_of(role=context.role, subject=context.subject, learner=learner)
    if by_rule or key is None:
        return not NOBODY.before(unit.now).takes_two(points, rules=rules)
    moved = unit.read(SINGLE_HANDED, key)
    # By the time it is done, not the one it is dated to: that one can be chosen.
    if moved.before(unit.now).takes_two(points, rules=rules):
        return False
    unit.record(SINGLE_HANDED, key, moved.move(points, subject=subject, when=unit.now, rules=rules))
    return True
