"""The whole service in one process: the real API, a real PostgreSQL, the real views."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.auth import Role, Tokens
from application.demo_mall import open_demo_mall
from application.rules_of import rules_of
from application.settings import Settings
from projections.runner import Reader
from projections.views import all_views
from tests.api.described import closed, route_of
from tests.conftest import MallDatabase

RECIPIENT = {
    "name": "林小满",
    "phone": "138 0013 8000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号 2 单元 301",
}


class Mall:
    """Somebody who talks to the service; `views()` lets the read models catch up."""

    def __init__(
        self, app: FastAPI, client: httpx2.AsyncClient, reader: Reader, settings: Settings
    ) -> None:
        self.app = app
        self.client = client
        self.settings = settings
        self._reader = reader
        self._tokens = Tokens.in_folder(settings.key_folder)
        self._keys = itertools.count(1)

    @property
    def tenant(self) -> Any:
        """What the process keeps for the tenant."""
        return self.app.state.tenants.opened[0]

    async def views(self) -> None:
        """Fold everything there is into the views."""
        await self._reader.catch_up()

    def headers(self, role: str, subject: str) -> dict[str, str]:
        """Somebody's bearer token."""
        token = self._tokens.issue(Role(role), subject, tenant=self.settings.tenant)
        return {"Authorization": f"Bearer {token}"}

    async def get(
        self, path: str, *, role: str = "learner", subject: str = "lin", **query: Any
    ) -> httpx2.Response:
        """Ask."""
        headers = self.headers(role, subject)
        return await self.client.get(path, params=query, headers=headers)

    async def post(
        self,
        path: str,
        body: Any,
        *,
        role: str = "learner",
        subject: str = "lin",
        key: str | None = None,
        method: str = "POST",
    ) -> httpx2.Response:
        """Change something; each call under a key of its own unless one is given."""
        key = key or f"test-{next(self._keys)}"
        headers = {**self.headers(role, subject), "Idempotency-Key": key}
        return await self.client.request(method, path, json=body, headers=headers)

    async def order(self, *lines: tuple[str, int], key: str | None = None, **more: Any) -> Any:
        """Place an order of the learner lin; returns the answer's fields."""
        wish = {
            "learner": "lin",
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            "recipient": RECIPIENT,
            **more,
        }
        answer = await self.post("/v1/orders", wish, key=key)
        assert answer.status_code == 201, answer.text
        await self.views()
        return answer.json()

    async def read(self, number: str, *, role: str = "learner", subject: str = "lin") -> Any:
        """An order as somebody sees it."""
        await self.views()
        answer = await self.get(f"/v1/orders/{number}", role=role, subject=subject)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def balance(self, learner: str = "lin") -> Any:
        """A learner's balance."""
        await self.views()
        answer = await self.get(f"/v1/learners/{learner}/balance", role="service", subject="s")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ship(self, number: str, part: int = 1, *, number_on_it: str | None = None) -> str:
        """Pack, label and hand over a part; returns the parcel's number."""
        staff = {"role": "operations", "subject": "ops"}
        packed = await self.post("/v1/parcels", {"order": number, "part": part}, **staff)
        assert packed.status_code == 201, packed.text
        parcel: str = packed.json()["parcel"]
        waybill = {"carrier": "shunfeng", "waybill": number_on_it or f"SF10000{part}00001"}
        for step, body in (("waybill", waybill), ("handover", {})):
            answer = await self.post(f"/v1/parcels/{parcel}/{step}", body, **staff)
            assert answer.status_code == 200, answer.text
        return parcel


@asynccontextmanager
async def running(settings: Settings, database: MallDatabase) -> AsyncIterator[Mall]:
    """The service for one schema, filled with the demo mall."""
    app = create_app(settings, database.service_url)
    async with app.router.lifespan_context(app):
        reader = Reader(
            database.service_url, schema=database.schema, views=all_views(rules_of(settings))
        )
        await open_demo_mall(app.state.tenants.opened[0].store, rules_of(settings))
        transport = httpx2.ASGITransport(app=app)

        async def as_described(response: httpx2.Response) -> None:
            await _hold_against_description(app, response)

        async with httpx2.AsyncClient(
            transport=transport,
            base_url="http://mall",
            event_hooks={"response": [as_described]},
        ) as client:
            mall = Mall(app, client, reader, settings)
            await mall.views()
            yield mall
        await reader.close()


async def _hold_against_description(app: FastAPI, response: httpx2.Response) -> None:
    """R45: whatever a test asks, an answer in JSON has what the API's document says, no more."""
    asked = response.request
    path = route_of(asked.method, asked.url.path)
    if path is None or "json" not in response.headers.get("content-type", ""):
        return
    await response.aread()
    found = closed(app).differences(asked.method, path, response.status_code, response.json())
    assert not found, "\n".join(found[:5])


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """The demo mall, open for a test."""
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    async with running(settings, database) as mall:
        yield mall
