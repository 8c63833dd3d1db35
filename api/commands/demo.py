"""演示 `tallypost demo`: the story of the house, told on a service of its own (about a minute)."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from rich.console import Console

from api.commands import demo_after_sales, demo_chapters
from api.commands.demo_story import Story
from application.settings import Settings

START_SECONDS = 90


def tell(console: Console) -> None:
    """Start a service in a folder of its own, tell the story, and stop it again.

    Grant, redeem, review, split, a third party's warehouse, ship with live tracking, dispute,
    compensation, return, merge, a lost delivery and its claim, audit. Ends with status 1 at the
    first step that does not do what it says.
    """
    console.print("[bold]Tallypost[/bold] — a service of its own starts, on its own PostgreSQL …")
    with _service() as (url, settings), httpx2.Client(base_url=url, timeout=30) as client:
        story = Story(client, settings, console)
        demo_chapters.grant(story)
        number = demo_chapters.redeem(story)
        demo_chapters.review(story, number)
        parts = demo_chapters.split(story, number)
        sent, cancelled = demo_chapters.entrust(story, settings)
        parcels = demo_chapters.ship(story, number, parts, settings)
        demo_chapters.entrusted(story, sent, cancelled)
        case = demo_chapters.dispute(story, number, parcels[0])
        demo_chapters.compensate(story, case)
        demo_after_sales.give_back(story, number, "walnut-bookend")
        parcel, orders = demo_after_sales.merge(story, settings, demo_chapters.RECIPIENT)
        demo_after_sales.not_received(story, parcel, orders)
        demo_chapters.audit(story, number)
    console.print(
        "\n[bold]That was the story.[/bold] `make serve` gives you a mall to play with.\n"
    )


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
