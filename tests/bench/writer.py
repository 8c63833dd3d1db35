"""One writer process of its own: `python -m tests.bench.writer URL SCHEMA KEYS` prints its rate."""

import sys
from pathlib import Path

import uvloop

from application.store import Store
from application.tuning import tune
from tests.bench.mall import Redeeming, vault_of


async def _rate(url: str, schema: str, keys: Path) -> float:
    async with Store(url, schema=schema, vault=vault_of(schema, keys)) as store:
        redeeming = Redeeming(store, keys)
        await redeeming.rate(seconds=1)
        return await redeeming.rate()


if __name__ == "__main__":
    tune()
    print(uvloop.run(_rate(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
