"""The story that `tallypost demo` tells (contract.md, Commands)."""

import os
import re
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CHAPTERS = (
    "points are granted",
    "refused whole",
    "She redeems",
    "a human looks at it first",
    "split",
    "A warehouse that somebody else runs",
    "she watches live",
    "is asked by itself to bring it back",
    "she says so at its parcel",
    "Support decides",
    "She changes her mind",
    "puts both into one parcel",
    "she never got it",
    "claimed, by itself",
    "An auditor replays",
    "checks it without us",
)


def test_the_whole_story_is_told_in_plain_english_when_somebody_asks() -> None:
    """contract.md: grant, redeem, review, split, ship, live, dispute, compensation, audit; and
    what comes back, is merged, or never arrives and is claimed."""
    environment = {**os.environ, "COLUMNS": "200"}
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-m", "api.command_line", "demo"],
        capture_output=True,
        text=True,
        timeout=200,
        env=environment,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert time.monotonic() - began < 150  # a minute, on a machine that does other things
    places = [told.stdout.find(words) for words in CHAPTERS]
    assert places == sorted(places)
    assert -1 not in places
    refused = re.findall(r"refused: (.+)", told.stdout)
    assert len(refused) == 3
    assert not any(re.search("[\u4e00-\u9fff]", line) for line in refused)
    assert not re.search(r"\b(orders|ledger|parcels|disputes)\.[A-Z]", told.stdout)
    for page in ("/operations", "/support", "/audit"):
        assert f"→ on {page}" in told.stdout
