"""What is known of a parcel is written down alike by every process, or `verify` sees drift."""

import os
import subprocess
import sys

_WRITE = """
from datetime import UTC, datetime, timedelta
from pydantic import TypeAdapter
from domain.known_scans import TrackState
from domain.scans import Scan, ScanKind
start = datetime(2026, 3, 1, tzinfo=UTC)
scans = [
    Scan(number="SF1", time=start + timedelta(hours=n), text=f"到达 {n}", carrier="shunfeng",
         kind=ScanKind.ARRIVED)
    for n in range(12)
]
state = TrackState().with_scans(scans).with_voided("ems").with_voided("yunda").with_voided("sf")
adapter = TypeAdapter(TrackState)
written = adapter.dump_json(state)
assert adapter.validate_json(written) == state
print(written.decode())
"""


def test_state_is_written_alike_when_processes_hash_differently() -> None:
    """A2, M5: sets of scans have no order of their own."""
    written = {
        subprocess.run(
            [sys.executable, "-c", _WRITE],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1
