"""Walk the main path once against a running service, by what the contract promises and no more.

health → tokens → grant → balance → catalogue → quote → order → read → cancel → points back.
"""

import argparse
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2

LEARNER = "ci-learner"
POINTS = 100_000
START_SECONDS = 180
VIEW_SECONDS = 30
RECIPIENT = {
    "name": "王小明",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 478 号 3 幢 502 室",
}


class WrongTurn(Exception):
    """The service did something else than the contract says."""


def main() -> None:
    """Walk it; exits with 1 and the place where the service went astray."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--alive", type=int, help="process whose end means that waiting is vain")
    arguments = parser.parse_args()
    try:
        with httpx2.Client(base_url=arguments.url, timeout=30, trust_env=False) as client:
            await_health(client, arguments.alive)
            walk(client, arguments.data)
    except (WrongTurn, httpx2.HTTPError) as error:
        sys.exit(f"The walk failed: {error}")
    print("The main path holds.")


def walk(client: httpx2.Client, data: Path) -> None:
    """Grant, redeem, read, cancel."""
    learner = {"Authorization": f"Bearer {token(data, role='learner', subject=LEARNER)}"}
    service = {"Authorization": f"Bearer {token(data, role='service', subject='ci')}"}

    grant = {"learner": LEARNER, "points": POINTS, "reason": "campaign", "source": "ci-walk"}
    granted = post(client, service, "/v1/points/grants", {"grants": [grant]}, expected=200)
    expect(granted["results"][0]["status"] == "granted", "grant", granted)
    again = post(client, service, "/v1/points/grants", {"grants": [grant]}, expected=200)
    expect(again["results"][0]["status"] == "duplicate", "grant sent again", again)

    before = balance(client, learner, granted["position"])
    expect(before["available"] == POINTS, "balance after the grant", before)

    order, quote = redeemable(client, learner)
    key = str(uuid.uuid4())
    placed = post(client, learner, "/v1/orders", order, expected=201, key=key)
    expect(placed["points"] == quote["points"], "points of the order", placed)
    twin = post(client, learner, "/v1/orders", order, expected=201, key=key)
    expect(twin["number"] == placed["number"], "the same order sent again", twin)

    path = f"/v1/orders/{placed['number']}"
    seen = get(client, learner, path, min_position=placed["position"])
    expect(seen["status"] == "pending_shipment", "status after placing", seen)
    after = balance(client, learner, placed["position"])
    expect(after["available"] == POINTS - placed["points"], "balance after redeeming", after)

    reason = {"reason": "changed_mind"}
    cancelled = post(client, learner, f"{path}/cancellation", reason, expected=None)
    seen = get(client, learner, path, min_position=cancelled["position"])
    expect(seen["status"] == "cancelled", "status after cancelling", seen)
    restored = balance(client, learner, cancelled["position"])
    expect(restored["available"] == POINTS, "balance after cancelling", restored)


def await_health(client: httpx2.Client, service: int | None) -> None:
    """Wait until the service is well; a first start makes its database and the demo mall."""
    give_up_at = time.monotonic() + START_SECONDS
    last = "no answer"
    while time.monotonic() < give_up_at:
        try:
            answer = client.get("/ready")
        except httpx2.TransportError as error:
            last = repr(error)
        else:
            if answer.status_code == 200:
                expect(client.get("/health").status_code == 200, "/health", answer.text)
                return
            last = f"{answer.status_code} {answer.text[:300]}"
        if service is not None and not runs(service):
            raise WrongTurn("the service ended before it was ready")
        time.sleep(0.3)
    raise WrongTurn(f"not ready after {START_SECONDS} s: {last}")


def runs(process: int) -> bool:
    """Say whether the process is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def token(data: Path, *, role: str, subject: str) -> str:
    """Ask the command line for a bearer token."""
    tallypost = Path(sys.executable).with_name("tallypost")
    command = [str(tallypost), "token", "--role", role, "--subject", subject]
    done = subprocess.run(
        [*command, "--data", str(data)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise WrongTurn(f"`tallypost token` exited with {done.returncode}: {done.stderr}")
    return done.stdout.split()[0]


def redeemable(
    client: httpx2.Client, headers: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an order for the cheapest parcel that points alone pay, and its quote."""
    page = get(client, headers, "/v1/items", kind="parcel")
    items = page if isinstance(page, list) else page["items"]
    expect(bool(items), "the demo mall's items", page)
    quote: dict[str, Any] = {}
    for item in sorted(items, key=lambda item: item["points"]):
        line = {"sku": item["sku"], "quantity": 1, "points_expected": item["points"]}
        order = {"learner": LEARNER, "lines": [line], "recipient": RECIPIENT}
        quote = post(client, headers, "/v1/quotes", order, expected=200)
        if quote["ok"] and not quote.get("cash_fen"):
            return order, quote
    raise WrongTurn(f"none of {len(items)} items can be redeemed; the last quote: {quote}")


def balance(client: httpx2.Client, headers: dict[str, str], position: int) -> Any:
    """Return the learner's balance as of the position or later."""
    return get(client, headers, f"/v1/learners/{LEARNER}/balance", min_position=position)


def get(client: httpx2.Client, headers: dict[str, str], path: str, **query: Any) -> Any:
    """GET until the view is there: 202 says that it lags."""
    give_up_at = time.monotonic() + VIEW_SECONDS
    while True:
        answer = client.get(path, headers=headers, params=query)
        if answer.status_code != 202:
            break
        expect(time.monotonic() < give_up_at, f"the view behind {path}", answer.text)
        time.sleep(0.2)
    expect(answer.status_code == 200, f"GET {path}", f"{answer.status_code} {answer.text}")
    return answer.json()


def post(
    client: httpx2.Client,
    headers: dict[str, str],
    path: str,
    body: dict[str, Any],
    *,
    expected: int | None,
    key: str | None = None,
) -> Any:
    """POST under an idempotency key; without an expected status any success will do."""
    keyed = headers | {"Idempotency-Key": key or str(uuid.uuid4())}
    answer = client.post(path, headers=keyed, json=body)
    fine = answer.is_success if expected is None else answer.status_code == expected
    expect(fine, f"POST {path}", f"{answer.status_code} {answer.text}")
    return answer.json()


def expect(holds: bool, what: str, found: object) -> None:
    """Stop the walk where something doesn't hold."""
    if not holds:
        raise WrongTurn(f"{what}: {str(found)[:2000]}")


if __name__ == "__main__":
    main()
