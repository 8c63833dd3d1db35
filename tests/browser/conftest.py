"""The real service in processes on its embedded PostgreSQL, and Chromium to look at it."""

import hashlib
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import api.pages as pages
from api.auth import Role, Tokens
from application.gateways.kuaidi100 import sign_push
from domain.house_rules import SHANGHAI

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 90
RECIPIENT = {
    "name": "林小满",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "address": "文三路 1 号 2 单元 301",
}
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}
LOOK = (Path(__file__).parent / "readable.js").read_text()
Newcomer = Callable[[], str]


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

    def grant(self, learner: str, points: int = 20_000) -> None:
        """Points to spend."""
        row = {"learner": learner, "points": points, "reason": "campaign", "source": "browser"}
        self.call("POST", "/v1/points/grants", {"grants": [row]}, role="service", subject="lms")

    def order(self, learner: str, *lines: tuple[str, int]) -> str:
        """Place an order; its number."""
        wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
        body = {"learner": learner, "lines": wanted, "recipient": RECIPIENT}
        said = self.call("POST", "/v1/orders", body, role="learner", subject=learner)
        return str(said["number"])

    def ship(self, number: str) -> str:
        """Pack, label and hand over the first part; its parcel."""
        ops = {"role": "operations", "subject": "ops"}
        parcel = self.call("POST", "/v1/parcels", {"order": number, "part": 1}, **ops)["parcel"]
        waybill = {"carrier": "shunfeng", "waybill": f"SF{int(time.time() * 1000)}"}
        self.call("POST", f"/v1/parcels/{parcel}/waybill", waybill, **ops)
        self.call("POST", f"/v1/parcels/{parcel}/handover", {}, **ops)
        return str(parcel)

    def push(self, number: str, parcel: str, text: str, code: str) -> None:
        """What Kuaidi100 would send for one scan, signed with the parcel's salt."""
        ops = {"role": "operations", "subject": "ops"}
        link = self.call("GET", f"/v1/parcels/{parcel}/callback", **ops)
        found = self.call("GET", f"/v1/orders/{number}", **ops)["parcels"][0]
        at = datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        scan = {"time": at, "ftime": at, "context": text, "status": "", "statusCode": code}
        result = {
            "message": "ok", "state": code, "status": "200", "ischeck": "0",
            "com": found["carrier"], "nu": found["waybill"], "data": [scan],
        }  # fmt: skip
        param = json.dumps({"status": "polling", "message": "", "lastResult": result})
        form = {"param": param, "sign": sign_push(param.encode(), link["salt"].encode())}
        answer = httpx2.post(link["callback_url"], data=form, timeout=30)
        assert answer.json()["result"] is True, answer.text


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser; the tests are skipped where there is none.

    Gone with this folder: while it is there, Playwright's loop lets no other test have one.
    """
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip(f"no Chromium here (looked for {', '.join(CHROMIUM)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service(chromium: Browser) -> Iterator[Service]:
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


@dataclass
class Visitor:
    """Somebody in front of a page; what the browser complains about is kept."""

    page: Page
    url: str
    complaints: list[str]
    addresses: list[str]

    def open(self, path: str) -> None:
        """Go to a page of the service."""
        self.page.goto(self.url + path)
        self.settled()

    def settled(self) -> None:
        """Wait until the view is drawn."""
        self.page.wait_for_selector("#view:not([aria-busy])")

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        wide, screen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen, f"{self.page.url} scrolls sideways: {wide} > {screen}"

    def content(self) -> None:
        """The browser had nothing to complain about, and the page fits."""
        self.fits()
        assert self.complaints == []


def words(language: str, key: str, **figures: object) -> str:
    """What a page says."""
    found = pages.WORDS[language][key]
    text = found if isinstance(found, str) else found["one" if figures.get("n") == 1 else "other"]
    for name, value in figures.items():
        text = text.replace(f"{{{name}}}", str(value))
    return str(text)


def tab_to(page: Page, found: str, most: int = 80) -> None:
    """Press Tab until the focus is where it should be."""
    for _ in range(most):
        if page.evaluate("selector => document.activeElement?.matches(selector)", found):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not reach {found}")


def assert_readable(visitor: Visitor, path: str) -> None:
    """What a reader of this page would stumble over."""
    found: dict[str, Any] = visitor.page.evaluate(LOOK)
    assert found == {"headings": 1, "unnamed": [], "pale": []}, path


@dataclass
class Browsing:
    """Opens browsers for people."""

    chromium: Browser
    service: Service

    @contextmanager
    def as_(
        self,
        role: str | None,
        subject: str = "lin",
        *,
        language: str = "en",
        theme: str = "light",
        screen: dict[str, int] | None = None,
    ) -> Iterator[Visitor]:
        """A browser of somebody who is logged in, or of nobody."""
        context = self.chromium.new_context(
            viewport=screen or DESK,  # type: ignore[arg-type]
            locale="zh-CN" if language == "zh" else "en-GB",
            color_scheme=theme,  # type: ignore[arg-type]
            has_touch=screen == PHONE,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(20_000)
        if role is not None:
            token = self.service.token(role, subject)
            session = {"name": "tallypost_session", "value": token, "url": self.service.url}
            context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        visitor = Visitor(page, self.service.url, [], [])
        page.on(
            "console",
            lambda said: (
                visitor.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("request", lambda one: visitor.addresses.append(one.url))
        try:
            yield visitor
        finally:
            context.close()


@pytest.fixture
def browsing(chromium: Browser, service: Service) -> Browsing:
    """Browsers for people."""
    return Browsing(chromium, service)


@pytest.fixture
def newcomer(service: Service, request: pytest.FixtureRequest) -> Callable[[], str]:
    """A learner of the test's own, with points."""
    made = itertools.count(1)

    def make() -> str:
        digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]
        name = f"learner-{digest}-{next(made)}"
        service.grant(name)
        return name

    return make
