"""Many tenants on one PostgreSQL: a schema each, found by host name (M7)."""

from collections.abc import AsyncIterator
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
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """Two malls: the default one, and one that a host name leads to."""
    other = f"{database.schema}_b"
    migrate(database.owner_url, other)
    settings = Settings(
        tenant=database.schema,
        tenants={"books.example": other},
        keys=tmp_path / "keys",
        data=tmp_path,
    )
    async with running(settings, database) as mall:
        yield mall
    with psycopg.connect(database.owner_url) as connection:
        for name in (other, f"{other}_keys"):
            connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())


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


async def test_a_token_is_refused_when_it_is_of_another_tenant(mall: Mall) -> None:
    """A10, M7: a token opens the tenant it was issued for, and no other."""
    headers = {**mall.headers("learner", "lin"), "Host": "books.example"}
    answer = await mall.client.get("/v1/orders", headers=headers)
    assert answer.status_code == 401
