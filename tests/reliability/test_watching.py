"""The worker compares views with the log by itself, once it runs (M5)."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on

pytestmark = pytest.mark.slow


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """API and worker of their own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


def test_a_worker_walks_over_the_streams_when_it_runs(service: Service) -> None:
    """M5: begun at once, as the service login, with nothing to tell of a mall left alone."""
    schema = service.database.schema
    give_up_at = time.monotonic() + 30
    with psycopg.connect(service.database.owner_url, autocommit=True) as connection:
        while True:
            walk = f"SELECT after, begun_at FROM {schema}.drift_walk"
            ((after, begun),) = connection.execute(walk.encode()).fetchall()
            if after:
                break
            assert time.monotonic() < give_up_at, service.log.read_text()[-3_000:]
            time.sleep(0.1)
        assert begun is not None
        told = connection.execute(f"SELECT place, what FROM {schema}.drift".encode()).fetchall()
        assert told == []
    assert "comparing views" not in service.log.read_text()
