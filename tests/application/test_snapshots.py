"""Snapshots: loading a long stream stays short, and never gives a state that no replay gives."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from application import log
from application.store import Store
from application.streams import ACCOUNT
from application.unit import Unit
from domain.clawing_back import claw_back
from domain.house_rules import HouseRules
from domain.point_facts import AccountFact, LotShare, PointsRedeemed, Reason
from domain.points import Account
from tests.conftest import MallDatabase
from tests.projections.busy_mall import BusyMall, busy_mall

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RULES = HouseRules()


def random_history(rng: random.Random) -> list[AccountFact]:
    """What may happen to an account in some weeks, decided by the account itself."""
    account, when = ACCOUNT.initial, START
    history: list[AccountFact] = []
    spent: list[tuple[str, tuple[LotShare, ...]]] = []
    held: list[str] = []
    for number in range(rng.randint(5, 40)):
        when += timedelta(hours=rng.randint(1, 96))
        facts = _something(rng, account, number, when, spent, held)
        for fact in facts:
            account = ACCOUNT.evolve(account, fact)
            if isinstance(fact, PointsRedeemed):
                spent.append((fact.order, fact.lots))
        history += facts
    return history


def _something(
    rng: random.Random,
    account: Account,
    number: int,
    when: datetime,
    spent: list[tuple[str, tuple[LotShare, ...]]],
    held: list[str],
) -> Sequence[AccountFact]:
    available = account.available(when)
    match rng.choice(["grant", "grant", "spend", "hold", "void", "restore", "expire", "claw"]):
        case "spend" if available and account.status == "active":
            return account.redeem(rng.randint(1, available), order=f"T{number}", when=when)
        case "hold" if available:
            held.append(f"H{number}")
            return account.hold(rng.randint(1, available), order=f"H{number}", when=when)
        case "void" if held:
            return account.void(held.pop(), when=when, rules=RULES)
        case "restore" if spent:
            order, lots = spent.pop()
            return account.restore(lots, order=order, when=when, rules=RULES)
        case "expire":
            return account.expire(when=when)
        case "claw" if account.lots:
            lot = rng.choice(account.lots)
            return claw_back(account, lot.points + 7, lot=lot.id, when=when, rules=RULES)
        case _:
            expires = when + timedelta(days=rng.randint(1, 30)) if rng.random() < 0.6 else None
            points, source = rng.randint(1, 500), f"S{number}"
            return account.grant(
                points, reason=Reason.TASK, source=source, expires_at=expires, when=when
            )


def test_state_is_the_same_when_folded_on_from_a_snapshot() -> None:
    """R27: 1,000 random accounts, each kept and read again at a random place."""
    rng = random.Random(27)
    for _ in range(1_000):
        history = random_history(rng)
        cut = rng.randint(0, len(history))
        whole = ACCOUNT.initial
        for fact in history:
            whole = ACCOUNT.evolve(whole, fact)
        kept: Account = ACCOUNT.initial
        for fact in history[:cut]:
            kept = ACCOUNT.evolve(kept, fact)
        kept = ACCOUNT.states.validate_json(ACCOUNT.states.dump_json(kept))
        for fact in history[cut:]:
            kept = ACCOUNT.evolve(kept, fact)
        assert kept == whole
        assert ACCOUNT.states.dump_json(kept) == ACCOUNT.states.dump_json(whole)


@pytest.mark.anyio
async def test_snapshot_is_ignored_when_the_fold_has_changed(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R27: with the control: a wrong snapshot of the same fold would be believed."""
    async with busy_mall(database) as mall:
        for number in range(210):
            await mall.grant("long", 1, f"S{number}")
        assert await available(mall, "long") == 210
        table = Identifier(database.schema, "snapshots")
        with psycopg.connect(database.owner_url) as connection:
            kept = connection.execute(SQL("SELECT stream, version FROM {}").format(table))
            assert kept.fetchall() == [("account:long", 210)]
            wrong = ACCOUNT.states.dump_json(ACCOUNT.initial)
            connection.execute(SQL("UPDATE {} SET state = %s").format(table), (wrong,))
        assert await available(mall, "long") == 0

        monkeypatch.setattr(log, "fold_fingerprint", lambda: "another")
        assert await available(mall, "long") == 210


async def available(mall: BusyMall, learner: str) -> int:
    """What a process that has just started sees."""
    database = mall.database
    async with Store(database.service_url, schema=database.schema, vault=mall.vault) as store:
        mall.store = store
        seen: list[Any] = []

        def look(unit: Unit) -> dict[str, Any]:
            seen.append(unit.read(ACCOUNT, learner).available(unit.now))
            return {}

        await mall.do(look)
    found: int = seen[-1]
    return found
