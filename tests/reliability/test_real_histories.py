"""Twenty real histories through the signed callback, in order, reversed, shuffled, twice (T2)."""

from pathlib import Path

import httpx2
import pytest

from api.app import create_app
from api.auth import Role, Tokens
from application.callback_links import CallbackLinks
from application.rules_of import rules_of
from application.settings import Settings
from projections.runner import Reader
from projections.verifying import verify
from projections.views import all_views
from tests.bench.histories import WAYS, read, run_all
from tests.bench.service import REAL_DATA
from tests.bench.wire import Headers, Mall
from tests.conftest import MallDatabase

HISTORIES = read(REAL_DATA)


class InProcess:
    """Sends requests to an application in this process."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def send(
        self, method: str, path: str, *, headers: Headers, body: bytes | None
    ) -> tuple[int, bytes]:
        """Send one request."""
        answer = await self._client.request(method, path, headers=dict(headers), content=body)
        return answer.status_code, answer.content


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.skipif(not HISTORIES, reason="the real histories are not here")
async def test_parcel_ends_as_it_ended_and_the_order_follows_when_pushes_come_any_way(
    database: MallDatabase, tmp_path: Path
) -> None:
    """T2, O3: 80 parcels, 860 signed pushes; nobody ends the service windows here."""
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    app = create_app(settings, database.service_url)
    views = all_views(rules_of(settings))
    reader = Reader(database.service_url, schema=database.schema, views=views)
    tokens = Tokens.in_folder(settings.key_folder)
    issued = {role.value: tokens.issue(role, "test", tenant=settings.tenant) for role in Role}
    links = CallbackLinks.in_folder(
        settings.key_folder, tenant=settings.tenant, public_url=settings.public_url
    )
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://mall") as client,
    ):
        mall = Mall(InProcess(client), issued)
        try:
            found, pushed = await run_all(mall, links, HISTORIES, views=reader.catch_up)
        finally:
            await reader.close()
    assert len(found) == len(HISTORIES) * len(WAYS) == 80
    assert [one for one in found if not one.as_expected] == []
    assert {one.order for one in found if one.expected == "signed"} == {"pending_end"}
    assert {one.order for one in found if one.expected != "signed"} == {"pending_receipt"}
    assert len({(one.history, one.scans) for one in found}) == len(HISTORIES)
    assert pushed > 800
    verified = await verify(database.owner_url, schema=database.schema, views=views)
    assert verified.differences == []
