"""Rehearsals over HTTP: asked for, run by a worker's own process, read, cancelled (M6)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner, Result

from api.command_line import app
from projections import rehearsing
from projections.rehearsals import RUNS_MAX, Rehearsals, note_progress
from projections.rehearsing import Rehearser
from projections.what_if import Change, what_if
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
AUDITOR: dict[str, Any] = {"role": "auditor", "subject": "audit"}
PATH = "/v1/what-if"


class Stage:
    """Who asks for rehearsals, and the worker that runs them."""

    def __init__(self, mall: Mall, database: MallDatabase) -> None:
        self.mall = mall
        self.database = database
        self.stop = asyncio.Event()
        self.worker = Rehearser(mall.tenant, database.service_url, self.stop)
        self.rehearsals = Rehearsals(mall.tenant.pool, schema=database.schema)

    async def ask(self, key: str | None = None, **change: Any) -> Any:
        return await self.mall.post(PATH, change, key=key, **OPS)

    async def asked(self, **change: Any) -> str:
        answer = await self.ask(**change)
        assert answer.status_code == 202, answer.text
        name: str = answer.json()["id"]
        return name

    async def read(self, name: str, **who: Any) -> Any:
        answer = await self.mall.get(f"{PATH}/{name}", **(who or OPS))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def cancel(self, name: str) -> Any:
        return await self.mall.post(f"{PATH}/{name}", None, method="DELETE", **OPS)

    async def set(self, text: str) -> None:
        """Change a row as time, or a fault, would."""
        async with await AsyncConnection.connect(
            self.database.owner_url, autocommit=True
        ) as connection:
            await connection.execute(
                f"UPDATE {self.database.schema}.rehearsals SET {text}".encode()
            )


@pytest.fixture
async def stage(mall: Mall, database: MallDatabase) -> AsyncIterator[Stage]:
    made = Stage(mall, database)
    yield made
    made.stop.set()


async def test_a_worker_tells_what_would_have_differed(stage: Stage) -> None:
    """M6: asked for, run by a process of its own, kept; the command gives the same answer."""
    placed = await stage.mall.order(("ink-stone", 1), ("walnut-bookend", 1))
    assert await stage.worker.run() is False  # nothing was asked for
    name = await stage.asked(max_parts=1)
    waiting = await stage.read(name)
    assert (waiting["state"], waiting["change"], waiting["result"]) == (
        "waiting", {"max_parts": 1}, None,
    )  # fmt: skip
    before = stage.mall.tenant.store.position
    assert await stage.worker.run() is True
    done = await stage.read(name, **AUDITOR)
    assert (done["state"], done["asked_by"], done["why"]) == ("done", "operations:ops", None)
    assert done["position"] == done["of"] == before == stage.mall.tenant.store.position
    assert done["result"]["deliveries"]["impossible_orders"] == [placed["number"]]
    async with stage.mall.tenant.pool.connection() as connection:
        again = await what_if(
            connection, stage.database.schema, Change(max_parts=1), rules=stage.mall.tenant.rules
        )
    assert done["result"] == json.loads(json.dumps(again))
    listed = (await stage.mall.get(PATH, **AUDITOR)).json()["rehearsals"]
    assert [(one["id"], one["state"]) for one in listed] == [(name, "done")]


async def test_the_answer_is_the_same_when_it_is_asked_for_twice(stage: Stage) -> None:
    """M6, R16: one rehearsal a key; another change under it is refused."""
    first = await stage.ask("once", max_parts=1)
    again = await stage.ask("once", max_parts=1)
    assert (first.status_code, first.content) == (202, again.content)
    assert again.headers["Idempotent-Replay"] == "true"
    other = await stage.ask("once", max_parts=2)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    await stage.worker.run()
    assert (await stage.ask("once", max_parts=1)).content == first.content
    assert len((await stage.mall.get(PATH, **OPS)).json()["rehearsals"]) == 1


async def test_another_one_waits_until_this_one_is_over(stage: Stage) -> None:
    """M6: one at a time, also of two that are asked for at once; cancelled, the next one may."""
    both = await asyncio.gather(stage.ask(max_parts=1), stage.ask(max_parts=2))
    assert sorted(one.status_code for one in both) == [202, 409]
    refused = next(one for one in both if one.status_code == 409).json()
    name = next(one for one in both if one.status_code == 202).json()["id"]
    assert refused["code"] == "rehearsal_running"
    (failure,) = refused["failures"]  # programs are told which one, people see it below
    assert (failure["rehearsal"], name in refused["detail"]) == (name, False)
    cancelled = await stage.cancel(name)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await stage.cancel(name)).status_code == 200
    assert (await stage.ask(max_parts=2)).status_code == 202
    assert await stage.worker.run() is True
    over = next(one for one in (await stage.rehearsals.listed()) if one.state == "done")
    late = await stage.cancel(over.id)
    assert (late.status_code, late.json()["code"]) == (409, "not_possible")
    assert (await stage.read(name))["result"] is None


async def test_it_ends_when_it_is_cancelled_while_it_runs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: the process sees it at its next batch, and nothing comes of it."""
    monkeypatch.setattr(rehearsing, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr("projections.what_if.BATCH_EVENTS", 5)
    name = await stage.asked(max_parts=1)
    taken = await stage.rehearsals.take()
    assert taken is not None
    job = rehearsing.Job(
        url=stage.database.service_url,
        schema_name=stage.database.schema,
        name=name,
        runner=taken[1],
        rules=stage.mall.tenant.rules,
    )
    await stage.cancel(name)
    with pytest.raises(rehearsing.Taken):
        await rehearsing.rehearse(job)
    assert (await stage.read(name))["state"] == "cancelled"


async def test_progress_is_seen_while_it_runs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: the position it has reached, and the one that is its end."""
    monkeypatch.setattr(rehearsing, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr("projections.what_if.BATCH_EVENTS", 5)
    name = await stage.asked()
    taken = await stage.rehearsals.take()
    assert taken is not None
    seen: list[tuple[int, int]] = []
    noted = note_progress

    async def noting(*given: Any, **named: Any) -> bool:
        kept = await noted(*given, **named)
        told = await stage.read(name)
        seen.append((told["position"], told["of"]))
        return kept

    monkeypatch.setattr(rehearsing, "note_progress", noting)
    job = rehearsing.Job(
        url=stage.database.service_url,
        schema_name=stage.database.schema,
        name=name,
        runner=taken[1],
        rules=stage.mall.tenant.rules,
    )
    await rehearsing.rehearse(job)
    end = stage.mall.tenant.store.position
    assert seen[0] == (5, end)
    assert seen[-1] == (end, end)


async def test_another_worker_takes_it_when_its_own_dies(stage: Stage) -> None:
    """M6, R08: it is begun anew; CONTROL: not while its runner is heard of."""
    name = await stage.asked(max_parts=1)
    first = await stage.rehearsals.take()
    assert first is not None
    assert await stage.rehearsals.take() is None
    await stage.set("seen_at = seen_at - interval '2 minutes'")
    assert await stage.worker.run() is True
    assert (await stage.read(name))["state"] == "done"
    await stage.rehearsals.fail(name, first[1], why="failed")
    await stage.rehearsals.hand_back(name, first[1])
    assert (await stage.read(name))["state"] == "done"


async def test_it_is_given_up_when_it_ends_its_process_again_and_again(stage: Stage) -> None:
    """M6: what kills whoever runs it does so three times."""
    name = await stage.asked(max_parts=1)
    for _ in range(RUNS_MAX):
        assert await stage.rehearsals.take() is not None
        await stage.set("seen_at = seen_at - interval '2 minutes'")
    assert await stage.rehearsals.take() is None
    told = await stage.read(name)
    assert (told["state"], told["why"]) == ("failed", "died")


async def test_it_fails_visibly_when_its_process_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: bounded memory ends it, and the next one may be asked for."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    name = await stage.asked(max_parts=1)
    assert await stage.worker.run() is True
    told = await stage.read(name)
    assert (told["state"], told["why"], told["result"]) == ("failed", "failed", None)
    assert (await stage.ask(max_parts=1)).status_code == 202


@pytest.mark.parametrize("told_to_stop", [True, False])
async def test_it_is_handed_back_when_the_worker_stops(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, told_to_stop: bool
) -> None:
    """M6, R08: within seconds, to be begun anew; CONTROL: what takes too long fails."""
    hangs = stage.mall.settings.data / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(hangs))
    name = await stage.asked(max_parts=1)
    if told_to_stop:
        stage.stop.set()
    else:
        monkeypatch.setattr(rehearsing, "RUN_SECONDS", 0.2)
    async with asyncio.timeout(10):
        assert await stage.worker.run() is True
    told = await stage.read(name)
    assert (told["state"], told["why"]) == (
        ("waiting", None) if told_to_stop else ("failed", "too_long")
    )


async def test_a_change_is_refused_when_it_makes_no_sense(stage: Stage) -> None:
    """M6: shares that are not the whole, a period that ends before it begins, what is unknown."""
    for change in (
        {"placement": {"notebook": {"zhejiang": 60, "henan": 30}}},
        {"since": "2026-10-31", "until": "2026-10-01"},
        {"max_parts": 0},
        {"colour": "red"},
    ):
        assert (await stage.ask(**change)).status_code == 422, change
    assert (await stage.mall.get(f"{PATH}/{'0' * 20}", **OPS)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field", "message", "chinese"),
    [
        (
            {"placement": {"notebook": {"zhejiang": 60, "henan": 30}}}, "placement",
            "shares of notebook add up to 90, not to 100", "notebook 的比例合计 90，应为 100",
        ),
        (
            {"since": "2026-10-31", "until": "2026-10-01"}, "until",
            "is before since, 2026-10-31", "早于首日 2026-10-31",
        ),
        (
            {"until": "2026-11-23T10:00:00"}, "until",
            "Datetimes provided to dates should have zero time - e.g. be exact dates",
            "应为日期，不带时间，例如 2026-01-31",
        ),
    ],
)  # fmt: skip
async def test_a_change_that_makes_no_sense_is_refused_with_its_field(
    stage: Stage, change: dict[str, Any], field: str, message: str, chinese: str
) -> None:
    """M4, M6: and the reason in both languages."""
    (failure,) = (await stage.ask(**change)).json()["failures"]
    assert (failure["field"], failure["message"]) == (field, message)
    assert failure["message_zh"] == chinese


WAREHOUSE = {
    "code": "mars",
    "name": "火星仓",
    "province": "湖南省",
    "city": "长沙市",
    "serves": ["*"],
}
CARD: dict[str, Any] = {
    "carrier": "yunda",
    "effective_from": "2026-01-01T00:00:00+08:00",
    "lanes": [
        {
            "origin": "浙江省",
            "destinations": ["浙江省"],
            "rate": {"first_fen": 500, "additional_fen": 100, "hours": 48},
        }
    ],
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("warehouses", {**WAREHOUSE, "province": "Nowhere"}),
        ("warehouses", {**WAREHOUSE, "serves": ["Nowhere"]}),
        ("rate-cards", {**CARD, "lanes": CARD["lanes"] * 2}),
        ("rate-cards", {**CARD, "lanes": [{**CARD["lanes"][0], "destinations": ["Nowhere"]}]}),
    ],
)
async def test_what_could_not_be_put_into_force_is_not_rehearsed(
    stage: Stage, path: str, body: dict[str, Any]
) -> None:
    """M6: refused as the real command refuses it, by its field, in both languages."""
    real = await stage.mall.post(f"/v1/{path}", body, **OPS)
    (real_failure,) = real.json()["failures"]
    name = path.replace("-", "_")
    (refused,) = (await stage.ask(None, **{name: [body]})).json()["failures"]
    assert real.status_code == 422
    assert refused["field"] == f"{name}.0.{real_failure['field']}"
    assert refused["reason"] == real_failure["reason"]
    assert refused["reason"] not in refused["message_zh"]
    assert (await stage.mall.get(PATH, **OPS)).json()["rehearsals"] == []


@pytest.mark.parametrize(
    ("placement", "field", "reason", "chinese"),
    [
        ({"nonesuch": {"henan": 100}}, "placement.nonesuch.henan", "an item", "不存在"),
        ({"notebook": {"mars": 100}}, "placement.notebook.mars", "a warehouse", "不存在"),
        (
            {"ink-stone": {"henan": 40, "zhejiang": 60}}, "placement.ink-stone.henan",
            "does not store", "不存放",
        ),
    ],
)  # fmt: skip
async def test_a_typo_in_a_placement_is_no_result(
    stage: Stage, placement: dict[str, Any], field: str, reason: str, chinese: str
) -> None:
    """M6, C2: unknown items and warehouses, and goods where they cannot be, by their field."""
    answer = await stage.ask(placement=placement)
    assert answer.status_code == 422, answer.text
    (refused,) = answer.json()["failures"]
    assert refused["field"] == field
    assert reason in refused["reason"]
    assert chinese in refused["message_zh"]


async def test_a_warehouse_that_is_supposed_may_have_goods_placed_in_it(stage: Stage) -> None:
    """M6: regions are rehearsed by their full names, as they would be recorded; once a key."""
    wanted = {
        "warehouses": [{**WAREHOUSE, "serves": ["HK"]}],
        "placement": {"notebook": {"mars": 100}},
    }
    first = await stage.ask("mars", **wanted)
    assert first.status_code == 202, first.text
    change = (await stage.read(first.json()["id"]))["change"]
    assert change["warehouses"][0]["serves"] == ["香港特别行政区"]
    again = await stage.ask("mars", **wanted)
    assert (again.status_code, again.content) == (202, first.content)
    # CONTROL: nothing of it is in force.
    found = (await stage.mall.get("/v1/warehouses", **OPS)).json()["warehouses"]
    assert "mars" not in {one["code"] for one in found}


async def test_the_command_rehearses_nothing_that_could_not_be_put_into_force(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: status 2 and the reason; CONTROL: what can be is rehearsed."""
    monkeypatch.setenv("DATABASE_URL", stage.database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", stage.database.schema)
    file = tmp_path / "change.json"

    def typed(change: dict[str, Any]) -> Result:
        file.write_text(json.dumps(change), encoding="utf-8")
        asked = ["what-if", str(file), "--data", str(tmp_path), "--json"]
        return CliRunner().invoke(app, asked)

    wrong = await asyncio.to_thread(typed, {"placement": {"nonesuch": {"henan": 100}}})
    assert wrong.exit_code == 2
    said = " ".join(wrong.stderr.split())
    assert "placement.nonesuch.henan: nonesuch is not an item of this mall" in said
    good = await asyncio.to_thread(typed, {"placement": {"notebook": {"zhejiang": 100}}})
    assert good.exit_code == 0, good.stderr
    assert "deliveries" in json.loads(good.stdout)
