"""演示 `tallypost demo`: the story of the house, told on a service of its own (about a minute)."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from api.auth import Role, Tokens
from application.callback_links import CallbackLinks
from application.gateways.kuaidi100 import compact_json, sign_push
from application.settings import Settings

START_SECONDS = 90
PATIENCE_SECONDS = 40
LEARNER = "mei"
RECIPIENT = {
    "name": "梅若雪",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 90 号 3 幢 2 单元 501",
}


class Story:
    """Tells each step, does it over HTTP, and shows what came of it."""

    def __init__(self, client: httpx2.Client, settings: Settings, console: Console) -> None:
        self.client = client
        self.console = console
        self._tokens = Tokens.in_folder(settings.key_folder)
        self._tenant = settings.tenant
        self._told = 0

    def tell(self, title: str, said: str = "") -> None:
        """A heading of the story."""
        self._told += 1
        self.console.print(f"\n[bold]{self._told}. {title}[/bold]")
        if said:
            self.console.print(f"   {said}", style="dim")

    def show(self, text: str) -> None:
        """What came of a step."""
        self.console.print(f"   {text}", highlight=False)

    def headers(self, role: Role, subject: str) -> dict[str, str]:
        """The bearer token of somebody."""
        token = self._tokens.issue(role, subject, tenant=self._tenant)
        return {"Authorization": f"Bearer {token}"}

    def get(self, path: str, *, role: Role = Role.LEARNER, **query: Any) -> dict[str, Any]:
        """Ask, and fail loudly where the answer is no."""
        subject = LEARNER if role is Role.LEARNER else "demo"
        answer = self.client.get(path, params=query, headers=self.headers(role, subject))
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def post(
        self, path: str, body: dict[str, Any], *, role: Role = Role.LEARNER
    ) -> tuple[int, dict[str, Any]]:
        """Change something; returns status and answer."""
        subject = LEARNER if role is Role.LEARNER else "demo"
        headers = {**self.headers(role, subject), "Idempotency-Key": str(uuid.uuid4())}
        answer = self.client.post(path, json=body, headers=headers)
        return answer.status_code, answer.json()


def tell(console: Console) -> None:
    """Start a service in a folder of its own, tell the story, and stop it again."""
    console.print("[bold]Tallypost[/bold] — a service of its own starts, on its own PostgreSQL …")
    with _service() as (url, settings), httpx2.Client(base_url=url, timeout=30) as client:
        story = Story(client, settings, console)
        _grant(story)
        number = _redeem(story)
        _ship(story, number, settings)
        _cancel_another(story)
        _audit(story, number)
    console.print(
        "\n[bold]That was the story.[/bold] `make serve` gives you a mall to play with.\n"
    )


def _grant(story: Story) -> None:
    story.tell("A course is completed, points are granted", "sent twice: one grant")
    grant = {
        "learner": LEARNER,
        "points": 3_000,
        "reason": "course_completed",
        "source": "PY-101",
    }
    for _ in range(2):
        _, answer = story.post("/v1/points/grants", {"grants": [grant]}, role=Role.SERVICE)
        story.show(f"{answer['results'][0]['status']}, log position {answer['position']}")


def _redeem(story: Story) -> str:
    story.tell(
        "A wish that cannot be fulfilled is refused whole, with every reason",
        "two ink stones (one a learner) and far too many mugs",
    )
    wish = {
        "learner": LEARNER,
        "lines": [{"sku": "ink-stone", "quantity": 2}, {"sku": "enamel-mug", "quantity": 900}],
        "recipient": RECIPIENT,
    }
    status, answer = story.post("/v1/orders", wish)
    for failure in answer["failures"]:
        story.show(f"{status} {failure['code']}: {failure['message_zh']}")
    story.tell("Redeeming: points, stock and order in one commit, split by warehouse")
    wish["lines"] = [{"sku": "enamel-mug", "quantity": 1}, {"sku": "walnut-bookend", "quantity": 1}]
    _, placed = story.post("/v1/orders", wish)
    number: str = placed["number"]
    order = story.get(f"/v1/orders/{number}", min_position=placed["position"])
    balance = story.get(f"/v1/learners/{LEARNER}/balance", min_position=placed["position"])
    parts = ", ".join(f"part {p['part']} from {p['warehouse']}" for p in order["parts"])
    story.show(f"{number}: {placed['points']} points, {parts}")
    story.show(f"promised by {placed['promised_by']}; {balance['available']} points are left")
    return number


def _ship(story: Story, number: str, settings: Settings) -> None:
    story.tell(
        "Both parts are packed, labelled and handed over; the learner watches live",
        "the carrier (our sandbox) is asked to watch them, and pushes every scan twice, signed",
    )
    news: list[str] = []
    threading.Thread(target=_watch, args=(story, number, news), daemon=True).start()
    sandbox = settings.kuaidi100_url
    httpx2.post(f"{sandbox}/behaviour", json={"pace_seconds": 1.2}).raise_for_status()
    parcels = []
    for part in (1, 2):
        _, packed = story.post(
            "/v1/parcels",
            {"order": number, "part": part, "weight_grams": 700},
            role=Role.OPERATIONS,
        )
        parcel = packed["parcel"]
        labelled = {"carrier": "shunfeng", "waybill": f"SF100000000{part}"}
        story.post(f"/v1/parcels/{parcel}/waybill", labelled, role=Role.OPERATIONS)
        story.post(f"/v1/parcels/{parcel}/handover", {}, role=Role.OPERATIONS)
        parcels.append(parcel)
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = 0
    while time.monotonic() < deadline and news.count("orders.PartReceived") < len(parcels):
        time.sleep(0.2)
        for fact in news[told:]:
            story.show(f"live: {fact}")
            told += 1
    links = CallbackLinks.in_folder(
        settings.key_folder, tenant=settings.tenant, public_url=settings.public_url
    )
    param = compact_json({"status": "polling", "lastResult": {"nu": "SF1000000001", "data": []}})
    forged = {"param": param.decode(), "sign": sign_push(param, b"0" * 32)}
    answer = story.client.post(links.url(parcels[0]), data=forged)
    story.show(f"a forged push is answered {answer.status_code}")
    order = story.get(f"/v1/orders/{number}")
    states = ", ".join(f"{p['number']} {p['state']}" for p in order["parcels"])
    story.show(f"{states}; the learner sees: {order['status']}")


def _watch(story: Story, number: str, news: list[str]) -> None:
    headers = story.headers(Role.LEARNER, LEARNER)
    try:
        with story.client.stream("GET", f"/v1/orders/{number}/live", headers=headers) as stream:
            news.extend(
                json.loads(line[6:])["fact"]
                for line in stream.iter_lines()
                if line.startswith("data: ")
            )
    except httpx2.HTTPError:
        return  # the story is over and the service stops


def _cancel_another(story: Story) -> None:
    story.tell("Another order is cancelled: the points are back in the lots they came from")
    wish = {
        "learner": LEARNER,
        "lines": [{"sku": "notebook", "quantity": 2}],
        "recipient": RECIPIENT,
    }
    _, placed = story.post("/v1/orders", wish)
    _, answer = story.post(f"/v1/orders/{placed['number']}/cancellation", {"reason": "想换一件"})
    statement = story.get(
        f"/v1/learners/{LEARNER}/statement", limit=3, min_position=answer["position"]
    )
    for entry in statement["entries"]:
        story.show(f"{entry['fact']:<26} {entry['points']:>6}   balance {entry['balance']:>6}")


def _audit(story: Story, number: str) -> None:
    story.tell("An auditor replays the order: who, when, why, what changed")
    answer = story.client.get(
        f"/v1/audit/orders/{number}", headers=story.headers(Role.AUDITOR, "demo")
    )
    answer.raise_for_status()
    for event in answer.json()["events"]:
        story.show(f"{event['position']:>4}  {event['fact']:<26} {event['actor']}")


@contextmanager
def _service() -> Iterator[tuple[str, Settings]]:
    folder = Path(tempfile.mkdtemp(prefix="tallypost-demo-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL for root has to pass
    data = folder / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TALLYPOST_PUBLIC_URL": url}
    environment.pop("DATABASE_URL", None)
    command = ["serve", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(
        [sys.executable, "-m", "api.command_line", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        _await(url, process)
        yield url, Settings(data=data, public_url=url, kuaidi100_url=f"http://127.0.0.1:{port + 1}")
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{url}/ready", timeout=2).status_code == httpx2.codes.OK:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    raise SystemExit("The demo's service did not start.")
