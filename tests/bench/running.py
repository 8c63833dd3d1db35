"""Runs benchmarks by name, each in a schema of its own on one embedded PostgreSQL."""

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from application.embedded import EmbeddedPostgres
from application.tuning import tune
from tests.bench import crowd_speed, http_speed, planning_speed, store_speed, view_speed
from tests.bench.mall import Arena
from tests.bench.table import TABLE, Benchmark

ROOMS = (store_speed, view_speed, http_speed, planning_speed, crowd_speed)
"""Importing a room fills the table."""

_TITLES = f"{'name':<18}{'ratio':>8}{'floor':>8}{'goal':>8}  {'ours':>12}{'theirs':>12}  unit"


def main(names: list[str], as_json: bool) -> int:
    """Run the named benchmarks, or all; print their lines; 1 when a floor is not met."""
    unknown = [name for name in names if name not in TABLE]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(TABLE)}",
              file=sys.stderr)  # fmt: skip
        return 2
    chosen = [TABLE[name] for name in names] or list(TABLE.values())
    folder = Path(tempfile.mkdtemp(prefix="tallypost-bench-"))
    # The embedded server runs under an account of its own where we are root.
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "data") as server:
            tune()
            return uvloop.run(_run(chosen, server, folder, as_json=as_json))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(
    chosen: list[Benchmark], server: EmbeddedPostgres, folder: Path, *, as_json: bool
) -> int:
    if not as_json:
        print(_TITLES)
    missed = 0
    for one in chosen:
        arena = Arena(server, folder)
        try:
            line = one.line(await one.run(arena))
        finally:
            await asyncio.to_thread(arena.close)
        missed += line["ratio"] < line["floor"]
        if as_json:
            print(json.dumps(line), flush=True)
        else:
            print(
                f"{line['name']:<18}{line['ratio']:>8}{line['floor']:>8}{line['goal']:>8}"
                f"  {line['ours']:>12,}{line['theirs']:>12,}  {line['unit']}",
                flush=True,
            )
    return 1 if missed else 0
