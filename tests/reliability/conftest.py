"""The service in this process, open for a test; `service.py` has real processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.settings import Settings
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """The demo mall, open for a test, with its queue of jobs."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    async with running(settings, database) as opened:
        yield opened
