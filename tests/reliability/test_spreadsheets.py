"""R53: no file harms the service or is granted in part; each is refused with its reason."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from application import sheet_reader
from application.importing import Imported, Refused, import_grants
from application.spreadsheets import Unreadable, table
from application.store import Store
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules
from tests.conftest import MallDatabase
from tests.reliability.table_files import GRANTED, REFUSED, ROW_REFUSED, Make, written

GROWTH_BYTES = 20 * 2**20


class Importing:
    """Imports into a mall of the test's own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self._folder = folder
        self.kept: list[Refused] = []

    def write(self, name: str, make: Make) -> Path:
        """Write the file."""
        return written(self._folder, name, make)

    async def read(self, name: str, make: Make) -> Imported:
        """Write the file and import it."""
        return await self.read_file(self.write(name, make))

    async def read_file(self, path: Path) -> Imported:
        """Import the file."""
        return await import_grants(
            path, self.store, rules=HouseRules(), actor="operations:wu", keep=self.kept.append
        )


@pytest.fixture
async def importing(database: MallDatabase, tmp_path: Path) -> Any:
    vault = Vault(MasterKeys.new(), tenant=database.schema)
    async with Store(database.service_url, schema=database.schema, vault=vault) as store:
        yield Importing(store, tmp_path)


def test_the_corpus_is_large_enough() -> None:
    assert len(REFUSED) + len(GRANTED) + len(ROW_REFUSED) >= 40


@pytest.mark.anyio
async def test_files_are_refused_with_their_reason_when_they_cannot_be_read(
    importing: Importing,
) -> None:
    """R53: the process that imports grows by less than 20 MB, and nothing is granted."""
    files = {name: (codes, importing.write(name, make)) for name, (codes, make) in REFUSED.items()}
    before = psutil.Process().memory_info().rss
    for name, (codes, path) in files.items():
        with pytest.raises(Unreadable) as unreadable:
            await importing.read_file(path)
        assert unreadable.value.code in codes.split("|"), f"{name}: {unreadable.value}"
        assert psutil.Process().memory_info().rss - before < GROWTH_BYTES, name
    assert importing.kept == []
    assert importing.store.position == 0


@pytest.mark.anyio
@pytest.mark.parametrize("name", GRANTED)
async def test_row_is_granted_when_the_file_is_sound(importing: Importing, name: str) -> None:
    """R53: encodings, separators, number formats, date systems, names of no meaning."""
    imported = await importing.read(name, GRANTED[name])
    assert (imported.granted, imported.refused.total()) == (1, 0), importing.kept


@pytest.mark.anyio
@pytest.mark.parametrize("name", ROW_REFUSED)
async def test_only_the_bad_row_is_refused_when_one_is(importing: Importing, name: str) -> None:
    """R53: wrong types, long cells, empty and surplus cells."""
    code, make = ROW_REFUSED[name]
    imported = await importing.read(name, make)
    assert (imported.granted, dict(imported.refused)) == (1, {code: 1})
    assert [(one.row, one.code) for one in importing.kept] == [(3, code)]


def test_reader_is_killed_when_it_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R53: the child's time is limited from outside, too."""
    monkeypatch.setattr(sheet_reader, "__file__", _reader(tmp_path, "time.sleep(60)"))
    path = written(tmp_path, "plain.csv", GRANTED["plain.csv"])
    with pytest.raises(Unreadable) as unreadable, table(path, seconds=0.5):
        pass
    assert unreadable.value.code == "too_slow"
    assert not psutil.Process().children()


def test_reader_dies_alone_when_it_needs_too_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R53: 512 MB are the child's own limit; this process does not notice."""
    monkeypatch.setattr(sheet_reader, "__file__", _reader(tmp_path, "bytearray(600 * 2**20)"))
    path = written(tmp_path, "plain.csv", GRANTED["plain.csv"])
    before = psutil.Process().memory_info().rss
    with pytest.raises(Unreadable) as unreadable, table(path):
        pass
    assert unreadable.value.code == "too_large"
    assert psutil.Process().memory_info().rss - before < GROWTH_BYTES


def _reader(folder: Path, does: str) -> str:
    """The reader, with something else to do once it has limited itself."""
    source = Path(sheet_reader.__file__).read_text(encoding="utf-8")
    assert "        written = 0\n" in source
    changed = source.replace("        written = 0\n", f"        import time; written = 0; {does}\n")
    path = folder / "reader.py"
    path.write_text(changed, encoding="utf-8")
    return str(path)
