"""The pages' words and scripts: both languages whole, every key known, nothing inline."""

import re
from dataclasses import is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel

import api.pages as pages
from application.streams import ACCOUNT, CATEGORIES, ORDER, PARCEL, STOCK
from domain.facts import Fact
from domain.house_rules import DEFAULT_RULES
from domain.order_facts import State
from domain.orders import Order
from domain.tracking import ParcelState
from projections.order_actions import Now, actions
from projections.views import all_views

SCRIPTS = sorted((pages.HERE / "static").glob("*.js"))
TEMPLATES = sorted((pages.HERE / "templates").glob("*.html"))


def test_both_languages_say_everything_when_one_does() -> None:
    """N3: the same keys, the same figures in them, nothing left empty."""
    zh, en = pages.WORDS["zh"], pages.WORDS["en"]
    assert set(zh) == set(en)
    for key, words in zh.items():
        theirs = en[key] if isinstance(en[key], str) else en[key]["other"]
        assert words
        assert theirs
        assert set(re.findall(r"{(\w+)}", words)) == set(re.findall(r"{(\w+)}", theirs)), key


def used_keys() -> dict[str, Path]:
    """Every key that scripts and templates name in full."""
    found: dict[str, Path] = {}
    for path in (*SCRIPTS, *TEMPLATES):
        text = path.read_text()
        for key in re.findall(r"""\bt\(\s*["']([a-z_.0-9]+)["']\s*[),]""", text):
            found[key] = path
        for first, second in re.findall(r"""\bt\([^()"`]*\? "([^"]+)" : "([^"]+)"[,)]""", text):
            found[first] = found[second] = path
        for key in re.findall(r"""\bt\("([^"]+)" ~ """, text):
            assert any(one.startswith(key) for one in pages.WORDS["en"]), (path, key)
        for stem in re.findall(r"""\bt\(`([a-z_.]+)\$\{""", text):
            assert any(one.startswith(stem) for one in pages.WORDS["en"]), (path, stem)
    return found


def test_every_word_that_a_page_says_exists() -> None:
    """A key without words would be an error in somebody's browser."""
    keys = used_keys()
    assert len(keys) > 200
    spaces = {key.partition(".")[0] for key in pages.WORDS["en"]}
    for path in SCRIPTS:
        for key in re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text()):
            if key.partition(".")[0] in spaces:
                keys[key] = path
    missing = {key: path.name for key, path in keys.items() if key not in pages.WORDS["en"]}
    assert not missing


def test_every_state_and_fact_has_words() -> None:
    """O3, A2: nothing that can happen is shown by its code."""
    words = pages.WORDS["zh"]
    names = [one.fact_name for one in facts(Fact) if one.__module__.startswith("domain.")]
    wanted = [f"status.{state}" for state in State]
    wanted += [f"parcel.{state}" for state in ParcelState]
    wanted += [f"stream.{category}" for category in CATEGORIES]
    wanted += [f"fact.{name}" for name in names]
    wanted += [f"view.{view.name}" for view in all_views(DEFAULT_RULES)]
    now = Now(datetime.now(UTC), DEFAULT_RULES, owed=0)
    wanted += [f"action.{name}" for name in (*actions(Order(), now, staff=True), "dispute")]
    assert [key for key in wanted if key not in words] == []


def test_chinese_is_printed_with_chinese_punctuation() -> None:
    """N3: commas, colons, brackets beside Chinese are as wide as it is."""
    narrow = re.compile(r"[\u3400-\u9fff][,:;!?(]|[,:;!?)][\u3400-\u9fff]")
    assert {key: text for key, text in pages.WORDS["zh"].items() if narrow.search(text)} == {}


def facts(cls: type[Fact]) -> list[type[Fact]]:
    """All facts there are."""
    return [
        *(one for one in cls.__subclasses__() if hasattr(one, "fact_name")),
        *(deeper for one in cls.__subclasses__() for deeper in facts(one)),
    ]


def test_scripts_import_only_what_there_is() -> None:
    """A name that a module does not export would leave the whole page empty."""
    export = re.compile(r"^export (?:async )?(?:function|const|class) ([\w$]+)", re.MULTILINE)
    exported = {path.name: set(export.findall(path.read_text())) for path in SCRIPTS}
    for path in SCRIPTS:
        for names, module in re.findall(
            r'^import \{ ([^}]+) \} from "\./([^"]+)"', path.read_text(), re.MULTILINE
        ):
            missing = {name.split(" as ")[0].strip() for name in names.split(",")} - exported[
                module
            ]
            assert not missing, (path.name, module, missing)


def test_scripts_stay_small_and_bring_nothing_inline() -> None:
    """Files of one concept, and no way to markup from text."""
    for path in SCRIPTS:
        text = path.read_text()
        assert len(text.splitlines()) <= 400, path.name
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
            assert word not in text, (path.name, word)
        assert 'setAttribute("style"' not in text
        assert "https://" not in text, path.name


def test_fields_of_the_histories_that_are_read_most_have_words() -> None:
    """A2: an auditor reads words, not our names, of orders, accounts, shelves and parcels."""
    fields = {
        name
        for category in (ORDER, ACCOUNT, STOCK, PARCEL)
        for name in _names(type(category.initial), set())
    }
    assert len(fields) > 100
    assert {f"field.{name}" for name in fields} <= set(pages.WORDS["zh"])


def _names(kind: Any, seen: set[Any]) -> set[str]:
    """The names of all fields in a state of this type, however deep."""
    if kind in seen:
        return set()
    seen.add(kind)
    if get_origin(kind) is not None or isinstance(kind, UnionType):
        return {name for one in get_args(kind) for name in _names(one, seen)}
    is_row = isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    if not (is_row or is_model or is_dataclass(kind)):
        return set()
    hints = {
        name: hint
        for name, hint in get_type_hints(kind).items()
        if name[0] != "_" and name != "model_config" and get_origin(hint) is not ClassVar
    }
    return {*hints, *(name for one in hints.values() for name in _names(one, seen))}
