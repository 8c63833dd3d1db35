"""讲述 How `tallypost demo` tells: headings, what came of each step, where one would see it."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx2
from rich.console import Console

from api.auth import Role, Tokens
from api.pages import WORDS
from application.settings import Settings

LEARNER = "mei"
PATIENCE_SECONDS = 40


def in_words(fact: str) -> str:
    """What happened, as the pages say it."""
    return str(WORDS["en"][f"fact.{fact}"])


def awaited(otherwise: str, seen: Callable[[], bool]) -> None:
    """Wait until it is seen; the story ends with `otherwise` where it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            raise SystemExit(otherwise)
        time.sleep(0.2)


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
            self.console.print(f"   {said}", style="dim", highlight=False)

    def show(self, text: str) -> None:
        """What came of a step."""
        self.console.print(f"   {text}", highlight=False)

    def page(self, path: str, seen: str) -> None:
        """Where one would see it."""
        self.console.print(f"   → on {path}: {seen}", style="green", highlight=False)

    def ordered(self, sku: str, quantity: int, *, recipient: dict[str, Any]) -> str:
        """An order of hers that the views know of; its number."""
        lines = [{"sku": sku, "quantity": quantity}]
        wish = {"learner": LEARNER, "lines": lines, "recipient": recipient}
        placed = self.done("/v1/orders", wish)
        number: str = placed["number"]
        self.get(f"/v1/orders/{number}", min_position=placed["position"])
        return number

    def approve(self, number: str, *, reason: str) -> None:
        """Let an order that is in review go."""
        decided = {"decision": "approve", "reason": reason}
        answer = self.done(f"/v1/orders/{number}/review", decided, role=Role.OPERATIONS)
        self.get(f"/v1/orders/{number}", min_position=answer["position"])

    def statement(self, entries: int, *, position: int) -> None:
        """The newest entries of her statement, once what is at a position of the log is in it."""
        path = f"/v1/learners/{LEARNER}/statement"
        for one in self.get(path, limit=entries, min_position=position)["entries"]:
            points = f"{one['points']:>+7,}   balance {one['balance']:>6,}"
            self.show(f"{in_words(one['fact']):<24} {points}")

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

    def done(self, path: str, body: dict[str, Any], *, role: Role = Role.LEARNER) -> dict[str, Any]:
        """Change something, and fail loudly where the answer is no."""
        status, answer = self.post(path, body, role=role)
        if status >= httpx2.codes.BAD_REQUEST:
            raise SystemExit(f"{path} was refused: {answer['detail']}")
        return answer
