"""Rate cards as files, and what a parcel costs by them, over HTTP and by the command (W3)."""

import csv
import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.command_line import app
from application.rate_files import read_rate_cards
from application.streams import MALL, RATES
from domain.house_rules import SHANGHAI
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
HEADS = "carrier,effective_from,kind,origin,destinations,first_yuan,additional_yuan,hours\n"
LANES = "ems,2026-01-01,,浙江,广东,9,3,80\nems,2026-01-01,same_city,浙江,广东,8,2,70\n"
_SERIAL = itertools.count(1)


async def upload(mall: Mall, content: bytes | str, *, key: str | None = None, **query: Any) -> Any:
    """Send a file."""
    text = content.encode() if isinstance(content, str) else content
    headers = {
        **mall.headers("operations", "ops"),
        "Idempotency-Key": key or f"sheet-{next(_SERIAL)}",
        "Content-Type": "text/csv",
    }
    return await mall.client.post(
        "/v1/rate-cards/files", content=text, headers=headers, params=query
    )


async def carriers(mall: Mall) -> dict[str, int]:
    """How many cards each carrier has."""
    cards = (await mall.get("/v1/rate-cards", **OPS)).json()["cards"]
    names = [one["carrier"] for one in cards]
    return {name: names.count(name) for name in names}


async def test_cards_are_published_when_every_row_is_sound(mall: Mall) -> None:
    """W3: looked at first, then published, and again nothing new; orders are priced by it."""
    before, position = await carriers(mall), mall.tenant.store.position
    looked = (await upload(mall, HEADS + LANES, dry_run=True)).json()
    assert (looked["dry_run"], [one["changed"] for one in looked["cards"]]) == (True, [True])
    assert (await carriers(mall), mall.tenant.store.position) == (before, position)
    first = await upload(mall, HEADS + LANES, key="once")
    again = await upload(mall, HEADS + LANES, key="once")
    assert (first.status_code, first.content) == (200, again.content)
    assert first.json()["refused"] == 0
    later = (await upload(mall, HEADS + LANES)).json()
    assert [one["changed"] for one in later["cards"]] == [False]
    assert mall.tenant.store.position == position + 1


async def test_a_card_is_held_back_when_a_row_is_refused(mall: Mall) -> None:
    """W3: the answer has the rows with their reasons; the sound card of the file is published."""
    rows = f"{LANES}jtexpress,2026-01-01,,浙江,广东,6,2,60\n,,,浙江,火星,6,2,60\n"
    answer = (await upload(mall, HEADS + rows)).json()
    assert [one["carrier"] for one in answer["cards"]] == ["ems"]
    assert (answer["rows"], answer["held_back"], answer["refused"]) == (4, 1, 2)
    assert [(one["row"], one["column"], one["code"]) for one in answer["refused_rows"]] == [
        (4, "", "held_back"), (5, "destinations", "unusable"),
    ]  # fmt: skip
    unreadable = await upload(mall, b"\x00\x01")
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "file_unreadable")


async def test_the_sheet_is_the_cards_when_it_is_sent_back(mall: Mall, tmp_path: Path) -> None:
    """W3: what counts now, in the columns that an import reads; each card the same, to the fen."""
    answer = await mall.get("/v1/rate-cards/sheet", **SUPPORT)
    assert answer.headers["content-type"].startswith("text/csv")
    path = tmp_path / "rates.csv"
    path.write_bytes(answer.content)
    read = read_rate_cards(path, zone=SHANGHAI)
    rates = mall.tenant.store.peek(RATES, MALL)
    now = mall.tenant.store.clock()
    assert read.refused == []
    assert tuple(read.cards) == rates.at(now, zone=SHANGHAI).cards
    position = mall.tenant.store.position
    sent = (await upload(mall, answer.content)).json()
    assert not any(one["changed"] for one in sent["cards"])
    assert mall.tenant.store.position == position
    mine = await mall.get("/v1/rate-cards/sheet", **SUPPORT, carrier="yunda")
    rows = list(csv.DictReader(io.StringIO(mine.content.decode("utf-8-sig"))))
    assert {row["carrier"] for row in rows} == {"yunda"}


async def test_a_quote_tells_how_the_freight_comes_about(mall: Mall) -> None:
    """W3: weight against volume, started weights, the tier, surcharges; who does not take it."""
    terms = {
        "carrier": "ems", "effective_from": "2026-01-01T00:00:00+08:00", "volume_divisor": 6_000,
        "max_parcel_grams": 5_000,
        "lanes": [
            {"origin": "浙江省", "destinations": ["广东省"],
             "rate": {"first_fen": 900, "additional_fen": 300, "hours": 80}},
        ],
        "surcharges": [{"kind": "insured", "permille_of_value": 10},
                       {"kind": "fragile", "fragile": True, "fen": 500}],
    }  # fmt: skip
    assert (await mall.post("/v1/rate-cards", terms, **OPS)).status_code == 200
    parcel = {"origin": "浙江省", "destination": "广东省", "grams": 1_200, "value_fen": 20_000}
    edges = {"length_mm": 300, "width_mm": 200, "height_mm": 250}
    answer = await mall.post("/v1/rate-cards/quotes", {**parcel, **edges}, **SUPPORT)
    offers = answer.json()["offers"]
    assert [one["fen"] for one in offers] == sorted(one["fen"] for one in offers)
    assert len(offers) > 3
    (mine,) = [one for one in offers if one["carrier"] == "ems"]
    assert mine == {
        "carrier": "ems", "service": "economical", "hours": 80, "fen": 1_700,
        "chargeable_grams": 2_500, "by_volume": True, "first_fen": 900, "additional_weights": 2,
        "additional_fen": 600, "percent_off": 0, "off_fen": 0,
        "surcharges": [{"kind": "insured", "fen": 200}],
    }  # fmt: skip
    heavy = await mall.post("/v1/rate-cards/quotes", {**parcel, "grams": 6_000}, **SUPPORT)
    assert {"carrier": "ems", "why": "too_heavy"} in heavy.json()["refused"]
    away = {**parcel, "destination": "湖南省"}
    nobody = await mall.post("/v1/rate-cards/quotes", away, **SUPPORT)
    assert {"carrier": "ems", "why": "not_served"} in nobody.json()["refused"]
    short = await mall.post("/v1/rate-cards/quotes", {**parcel, "origin": "浙江"}, **SUPPORT)
    assert (short.status_code, short.json()["failures"][0]["field"]) == (422, "origin")


async def test_who_says_what_was_sent_is_told(mall: Mall) -> None:
    """W3: noted by staff, it is the carrier's bill."""
    body = {"carrier": "yunda", "month": "2026-03", "parcels": 3_000}
    assert (await mall.post("/v1/rate-cards/volumes", body, **OPS)).json()["changed"] is True
    known = (await mall.get("/v1/rate-cards", **OPS)).json()["volumes"]
    assert {**body, "counted": False} in known


@pytest.fixture
def run(database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    return Command(tmp_path)


class Command:
    """Runs `tallypost import rates` on a file of these rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, rows: str, *more: str) -> tuple[int, str]:
        """Exit status, and what it said in one line."""
        file = self.folder / "rates.csv"
        file.write_text(rows, encoding="utf-8")
        arguments = ["import", "rates", str(file), "--data", str(self.folder), "--by", "wu", *more]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, " ".join(result.stderr.split())


def test_status_is_0_when_every_card_is_published(run: Command) -> None:
    """W3: looked at, published, and sent once more."""
    status, said = run(HEADS + LANES, "--dry-run")
    assert status == 0
    assert said == (
        "Only looked, nothing was kept: 2 rows: 1 cards published, 0 known already, 0 held back;"
        " 0 rows refused"
    )
    for new, known in ((1, 0), (0, 1)):
        status, said = run(HEADS + LANES)
        assert (status, said) == (
            0, f"2 rows: {new} cards published, {known} known already, 0 held back; 0 rows refused",
        )  # fmt: skip


def test_status_is_1_when_a_card_is_held_back(run: Command) -> None:
    """W3: its rows are in the report, which can be corrected and sent."""
    status, said = run(f"{HEADS}{LANES},,,浙江,火星,6,2,60\n")
    assert status == 1
    assert "1 held back; 3 rows refused" in said
    report = run.folder / "rates.csv.refused.csv"
    status, said = run(report.read_text(encoding="utf-8-sig").replace("火星", "上海"))
    assert (status, "1 cards published" in said) == (0, True)


def test_status_is_2_when_the_file_cannot_be_used(run: Command) -> None:
    """W3: nothing is published."""
    status, said = run("nothing\n")
    assert status == 2
    assert "“nothing” is none of carrier" in said
