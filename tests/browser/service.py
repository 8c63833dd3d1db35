"""The real service on its embedded PostgreSQL, as partners and staff speak to it."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.auth import Role, Tokens
from application.gateways.kuaidi100 import sign_push
from domain.house_rules import SHANGHAI

START_SECONDS = 90
RECIPIENT = {
    "name": "林小满",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
}
DOORS = itertools.count(1)
OPS = {"role": "operations", "subject": "ops"}


def recipient() -> dict[str, str]:
    """Somebody at an address of their own: many accounts at one address are looked at (O7)."""
    return {**RECIPIENT, "address": f"文三路 {next(DOORS)} 号 2 单元 301"}


@dataclass
class Service:
    """A running service, spoken to as its partners and staff would."""

    url: str
    data: Path
    keys: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def token(self, role: str, subject: str) -> str:
        """A bearer token."""
        return Tokens.in_folder(self.data / "keys").issue(Role(role), subject, tenant="mall")

    def call(self, method: str, path: str, body: Any = None, *, role: str, subject: str) -> Any:
        """A request of somebody's; the answer has to be good."""
        headers = {
            "Authorization": f"Bearer {self.token(role, subject)}",
            "Idempotency-Key": f"browser-test-{next(self.keys)}",
        }
        answer = httpx2.request(method, self.url + path, json=body, headers=headers, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def grant(self, learner: str, points: int = 20_000, *, at: datetime | None = None) -> None:
        """Points to spend, now or since a moment that is over."""
        source = "browser" if at is None else f"browser-{at:%Y%m%d%H%M%S}"
        row = {"learner": learner, "points": points, "reason": "campaign", "source": source}
        row |= {} if at is None else {"happened_at": at.isoformat()}
        self.call("POST", "/v1/points/grants", {"grants": [row]}, role="service", subject="lms")

    def order(
        self, learner: str, *lines: tuple[str, int], placed_at: datetime | None = None
    ) -> str:
        """Place an order, or note one that was placed before; its number."""
        wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
        body: dict[str, Any] = {"learner": learner, "lines": wanted, "recipient": recipient()}
        who = {"role": "learner", "subject": learner}
        if placed_at is not None:
            self.grant(learner, 5_000, at=placed_at)  # it is paid with what was there then
            body["happened_at"] = placed_at.isoformat()
            who = {"role": "service", "subject": "lms"}
        said = self.call("POST", "/v1/orders", body, **who)
        seen = f"/v1/orders/{said['number']}?min_position={said['position']}"
        self.call("GET", seen, role="learner", subject=learner)  # until the views have it
        return str(said["number"])

    @property
    def sandbox(self) -> str:
        """Where the partners are played: on the next port."""
        front, port = self.url.rsplit(":", 1)
        return f"{front}:{int(port) + 1}"

    @contextmanager
    def partners(self, **behaviour: object) -> Iterator[None]:
        """Let the sandbox's partners behave otherwise for a while."""
        address = f"{self.sandbox}/behaviour"
        assert httpx2.post(address, json=behaviour, timeout=30).status_code == 200
        try:
            yield
        finally:
            httpx2.post(address, json={}, timeout=30)

    def ship(self, number: str, *, handed_over_at: datetime | None = None) -> str:
        """Pack, label and hand over the first part; its parcel."""
        part = self.call("GET", f"/v1/orders/{number}", **OPS)["parts"][0]["part"]
        packed = self.call("POST", "/v1/parcels", {"order": number, "part": part}, **OPS)
        parcel = packed["parcel"]
        waybill = {"carrier": "shunfeng", "waybill": f"SF{int(time.time() * 1000)}"}
        self.call("POST", f"/v1/parcels/{parcel}/waybill", waybill, **OPS)
        when = {} if handed_over_at is None else {"happened_at": handed_over_at.isoformat()}
        told = self.call("POST", f"/v1/parcels/{parcel}/handover", when, **OPS)
        # Whoever looks next finds it there.
        self.call("GET", f"/v1/orders/{number}?min_position={told['position']}", **OPS)
        return str(parcel)

    def push(
        self, number: str, parcel: str, text: str, code: str, *, when: datetime | None = None
    ) -> None:
        """What Kuaidi100 would send for one scan, signed with the parcel's salt."""
        who = {"role": "administrator", "subject": "boss"}
        link = self.call("GET", f"/v1/parcels/{parcel}/callback", **who)
        found = self.call("GET", f"/v1/orders/{number}", **OPS)["parcels"][0]
        at = (when or datetime.now(SHANGHAI)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        scan = {"time": at, "ftime": at, "context": text, "status": "", "statusCode": code}
        result = {
            "message": "ok", "state": code, "status": "200", "ischeck": "0",
            "com": found["carrier"], "nu": found["waybill"], "data": [scan],
        }  # fmt: skip
        param = json.dumps({"status": "polling", "message": "", "lastResult": result})
        form = {"param": param, "sign": sign_push(param.encode(), link["salt"].encode())}
        answer = httpx2.post(link["callback_url"], data=form, timeout=30)
        assert answer.json()["result"] is True, answer.text


@contextmanager
def serving() -> Iterator[Service]:
    """`tallypost serve` with its demo mall, in processes of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tallypost-"))
    folder.chmod(0o711)  # the server account of PostgreSQL has to get through
    port = _free_port()
    log = (folder / "log").open("wb")
    environment = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}
    command = [
        sys.executable, "-m", "api.command_line", "serve",
        "--port", str(port), "--data", str(folder / "data"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        found = Service(f"http://127.0.0.1:{port}", folder / "data")
        _wait_for(found, process, folder / "log")
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()
        shutil.rmtree(folder)


def _free_port() -> int:
    """A port that is free together with the next one, where `serve` puts the sandbox."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def _wait_for(service: Service, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx2.get(service.url + "/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.3)
    pytest.fail(f"the service did not start: {log.read_text()[-3000:]}")
