"""What was once written is read for ever, and folds to the same state everywhere (R26, R28)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from application.envelope import (
    UnknownFact,
    decode,
    decode_fact,
    encode,
    encode_tail,
)
from application.streams import CATEGORIES
from application.upcasting import UPCASTERS
from domain.facts import FACTS
from tests.corpus import GOLDEN, STORY, folded, readable, released, shape, shapes

CORPUS = [pytest.param(*one, id=f"{one[0]}.v{one[1]}") for one in released()]
HOW = "see tests/corpus.py"


def test_every_fact_has_a_golden_file() -> None:
    """R26: each name and version ever released; facts of today at their version of today."""
    there = {(name, version) for name, version, _ in released()}
    assert not {(name, cls.schema_version) for name, cls in FACTS.items()} - there, HOW
    for name, version in there:  # and each older one is one upcaster away from the next
        assert name in FACTS, f"{name} was released: it may not go"
        assert all((name, old) in UPCASTERS for old in range(version, FACTS[name].schema_version))


@pytest.mark.parametrize(("name", "version", "stored"), CORPUS)
def test_a_released_fact_is_read_and_written_as_it_was(
    name: str, version: int, stored: bytes
) -> None:
    """R26: decoded with its envelope, encoded again to the same content in the same order."""
    event = decode(7, "order:T1", 3, name, stored)
    assert event.fact.fact_name == name
    assert from_json(stored)["schema"] == version
    if version == event.fact.schema_version:
        again = encode(
            event.fact,
            encode_tail(
                event.context, happened_at=event.happened_at, recorded_at=event.recorded_at
            ),
        )
        assert to_json(from_json(again)["fact"]) == to_json(from_json(stored)["fact"])
        assert decode(7, "order:T1", 3, name, again) == event


@pytest.mark.parametrize(("name", "cls"), FACTS.items(), ids=FACTS)
def test_a_shape_stays_when_it_was_released(name: str, cls: type) -> None:
    """R26: a changed shape is a decision, never an accident."""
    key = f"{name}.v{cls.schema_version}"  # type: ignore[attr-defined]
    assert shapes().get(key) == shape(cls), f"{key} has another shape than was noted: {HOW}"


def test_a_renamed_field_is_found() -> None:
    """R26, control: the digest and the golden file both notice it."""
    cls = FACTS["ledger.LotExpired"]
    renamed = {"lot": "a", "amount": 5, "expired_at": "2026-03-02T04:00:00Z"}
    with pytest.raises(ValidationError):
        cls.model_validate(renamed)
    other = FACTS["ledger.HoldCaptured"]
    assert shape(cls) != shape(other)


def test_an_unknown_name_fails_loudly() -> None:
    """R26: this code is older than the log, and must not go on as if nothing were there."""
    stored = (GOLDEN / "orders.OrderExpired.v1.json").read_bytes()
    for name in ("orders.OrderTeleported", "domain.order_facts.OrderExpired", ""):
        with pytest.raises(UnknownFact):
            decode_fact(name, stored)


def test_the_corpus_folds_in_every_category() -> None:
    """R26: all facts of a category's story, each of them once, and the states survive storing."""
    states = dict(folded())
    for category, state in states.items():
        adapter = CATEGORIES[category].states
        assert adapter.validate_json(adapter.dump_json(state)) == state
    told = {name for names in STORY.values() for name in names.split()}
    apart = ("approvals.", "privacy.")
    assert {name.partition(".")[2] for name in FACTS if not name.startswith(apart)} == told


PLACES = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/New_York", "LC_ALL": "tr_TR.UTF-8"},
]


def test_states_are_the_same_wherever_they_are_folded() -> None:
    """R28: another hash seed, time zone and locale, the same bytes."""
    here = "\n".join(f"{category} {readable(state)}" for category, state in folded())
    code = (
        "import sys; from tests.corpus import folded, readable;"
        "sys.stdout.buffer.write('\\n'.join(f'{c} {readable(s)}' for c, s in folded()).encode())"
    )
    for place in PLACES:
        there = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **place},
            capture_output=True,
            check=True,
        )
        assert there.stdout.decode() == here, place
