"""Processes of their own: sellers beside each other, and what can be killed."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from application.outcomes import Outcome
from application.store import Store
from application.vault import MasterKeys, Vault
from domain.refusals import Refusal
from tests.conftest import MallDatabase
from tests.reliability.workload import MASTER, in_parallel, redemption, tried


def run_together(database: MallDatabase, learners: Sequence[Sequence[str]]) -> list[dict[str, int]]:
    """One process for each list of learners, each of whom redeems once; what became of it."""
    keys = Path(tempfile.mkdtemp()) / "master.json"
    MASTER.save(keys)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.processes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in learners
    ]
    orders = [
        {
            "url": database.service_url,
            "schema": database.schema,
            "master": str(keys),
            "learners": list(some),
        }
        for some in learners
    ]
    for child, order in zip(children, orders, strict=True):
        assert child.stdin is not None
        child.stdin.write(json.dumps(order) + "\n")
        child.stdin.flush()
    return [json.loads(child.communicate(timeout=60)[0]) for child in children]


async def _sell(order: dict[str, Any]) -> dict[str, int]:
    vault = Vault(MasterKeys.load(Path(order["master"])), tenant=order["schema"])
    async with Store(order["url"], schema=order["schema"], vault=vault) as store:
        results = await in_parallel(
            [tried(store, redemption(store, learner)) for learner in order["learners"]]
        )
    return {
        "sold": sum(isinstance(one, Outcome) for one in results),
        "refused": sum(isinstance(one, Refusal) for one in results),
        "errors": sum(not isinstance(one, Outcome | Refusal) for one in results),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_sell(json.loads(sys.stdin.readline())))))
