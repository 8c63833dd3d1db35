"""Many tenants on one PostgreSQL: a schema each, found by host name (M7)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from api.auth import Role, Tokens
from application.migrating import migrate
from application.settings import Settings
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def other(database: MallDatabase) -> Iterator[str]:
    """The schema of a second tenant."""
    other = f"{database.schema}_b"
    migrate(database.owner_url, other)
    yield other
    with psycopg.connect(database.owner_url) as connection:
        for name in (other, f"{other}_keys"):
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path, other: str) -> AsyncIterator[Mall]:
    """Two malls: the default one, and one that a host name leads to."""
    settings = Settings(
        tenant=database.schema,
        tenants={"books.example": other},
        keys=tmp_path / "keys",
        data=tmp_path,
    )
    async with running(settings, database) as mall:
        yield mall


async def test_nothing_is_shared_when_two_tenants_use_the_same_ids(mall: Mall) -> None:
    """M7: the same learner and key in another tenant are somebody and something else."""
    other = mall.settings.tenants["books.example"]
    token = Tokens.in_folder(mall.settings.key_folder).issue(Role.SERVICE, "s", tenant=other)
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": "one",
        "Host": "books.example",
    }
    grant = {"learner": "lin", "points": 7, "reason": "task", "source": "demo-course"}
    answer = await mall.client.post("/v1/points/grants", json={"grants": [grant]}, headers=headers)
    assert answer.json()["results"][0]["status"] == "granted"
    assert answer.json()["position"] == 1
    assert (await mall.balance())["available"] == 5_600


async def test_a_tenant_goes_by_its_own_figures(
    database: MallDatabase, tmp_path: Path, other: str
) -> None:
    """M7, A8, rules.md: what is said of one tenant is nobody else's."""
    settings = Settings(
        tenant=database.schema,
        tenants={"books.example": other},
        tenant_settings={other: {"rules": {"four_eyes_points": 10}}},
        keys=tmp_path / "keys",
        data=tmp_path,
    )
    gift = {"learner": "lin", "points": 10, "source": "x", "why": "lent a hand"}
    async with running(settings, database) as mall:
        here = await mall.post("/v1/points/adjustments", gift, role="operations", subject="zhao")
        token = Tokens.in_folder(settings.key_folder).issue(Role.OPERATIONS, "zhao", tenant=other)
        headers = {
            "Authorization": f"Bearer {token}", "Idempotency-Key": "one", "Host": "books.example",
        }  # fmt: skip
        there = await mall.client.post("/v1/points/adjustments", json=gift, headers=headers)
    assert (here.status_code, there.status_code) == (200, 202)


async def test_a_token_is_refused_when_it_is_of_another_tenant(mall: Mall) -> None:
    """A10, M7: a token opens the tenant it was issued for, and no other."""
    headers = {**mall.headers("learner", "lin"), "Host": "books.example"}
    answer = await mall.client.get("/v1/orders", headers=headers)
    assert answer.status_code == 401
