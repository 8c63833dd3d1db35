"""What README.md tells a newcomer to type, typed (M6)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

README = Path(__file__).resolve().parents[2] / "README.md"


def example() -> str:
    """The commands under "A redemption by curl"."""
    found = re.search(r"## A redemption by curl\n\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def available(service: Service) -> int:
    """What lin has before anything is typed, once the views are there."""
    path = f"{service.url}/v1/learners/lin/balance?min_position=1"
    give_up_at = time.monotonic() + 30
    while True:
        asked = httpx2.get(path, headers=service.headers("learner", "lin"), trust_env=False)
        if asked.status_code == 200 or time.monotonic() > give_up_at:
            return int(asked.json()["available"])
        time.sleep(0.1)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_balance_knows_of_the_order_when_readme_is_typed(
    database: MallDatabase, tmp_path: Path
) -> None:
    """M6: word for word, apart from where the service and its keys are; twice, as it says."""
    with service_on(database, tmp_path, worker=True) as service:
        commands = example()
        for told, here in (
            ("http://127.0.0.1:8000", service.url),
            (".venv/bin/tallypost", str(Path(sys.executable).with_name("tallypost"))),
        ):
            assert told in commands
            commands = commands.replace(told, here)
        environment = {
            **os.environ,
            "TALLYPOST_KEYS": str(service.settings.key_folder),
            "TALLYPOST_TENANT": database.schema,
        }
        answers = []
        before = available(service)
        for _ in range(2):
            done = subprocess.run(
                ["sh", "-euc", commands],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            order, balance = map(json.loads, done.stdout.splitlines())
            assert balance["position"] >= order["position"]
            answers.append((order, balance["available"]))
    (first, left), again = answers
    assert again == (first, left)
    assert left + first["points"] == before
