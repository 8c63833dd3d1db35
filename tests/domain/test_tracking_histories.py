"""Twenty real histories end as they ended; they stay outside of the repository."""

import gzip
import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.anomalies import AnomalyKind
from domain.known_scans import TrackState, track
from domain.scans import BEIJING, Scan, classify, normalise_text
from domain.tracking import ParcelState

DATA = Path(os.environ.get("TALLYPOST_DATA") or Path(__file__).parents[2] / "../shared/data")
HISTORIES = DATA / "tracking" / "histories.jsonl.gz"


def _histories() -> list[dict[str, Any]]:
    if not HISTORIES.exists():
        return []
    with gzip.open(HISTORIES, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.skipif(not HISTORIES.exists(), reason="the real histories are not here")
def test_real_histories_end_as_they_ended_when_fed_in_any_way() -> None:
    """T2: 20 histories, in order, reversed, shuffled, each twice, whole and piece by piece."""
    histories = _histories()
    assert len(histories) == 20
    shuffler = random.Random(21)
    for history in histories:
        scans = [_real_scan(history, line) for line in history["scans"]]
        shuffled = shuffler.sample(scans * 2, len(scans) * 2)
        handed_over = min(one.time for one in scans) if history["complete"] == "full" else None
        whole = track(scans, handed_over_at=handed_over)
        assert whole.state == history["final"], history["history"]
        for order in (scans[::-1], shuffled, scans * 2):
            assert track(order, handed_over_at=handed_over) == whole
        numbers = frozenset({history["waybill_scrambled"]})
        state = TrackState(handed_over_at=handed_over, numbers=numbers)
        for one in shuffled:
            state = state.with_scans(state.fresh([one]))
        assert state.track() == whole


@pytest.mark.skipif(not HISTORIES.exists(), reason="the real histories are not here")
def test_a_reused_number_is_cut_when_the_hand_over_is_known() -> None:
    """T2, rules.md 21: 16 months of other people's parcels under one made-up number."""
    history = next(one for one in _histories() if one["history"] == 9)
    scans = [_real_scan(history, line) for line in history["scans"]]
    seen = track(scans, handed_over_at=scans[-2].time)
    assert (seen.state, len(seen.scans)) == (ParcelState.SIGNED, 2)
    assert [(a.kind, len(a.scans)) for a in seen.anomalies] == [(AnomalyKind.ANOTHER_PARCEL, 6)]


def _real_scan(history: dict[str, Any], line: dict[str, Any]) -> Scan:
    return Scan(
        number=history["waybill_scrambled"],
        time=datetime.fromisoformat(line["t"]).replace(tzinfo=BEIJING).astimezone(UTC),
        text=normalise_text(line["text"]),
        carrier=history["carrier"],
        kind=classify(line["text"], status_name=line["status_text"]),
        status=line["status_text"],
    )
