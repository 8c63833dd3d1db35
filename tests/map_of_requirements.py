"""Writes docs/requirements.md, which promise is shown by which tests: `make docs`.

A test says what it shows at the beginning of its docstring: `L2, O1: …` or `R16: …`.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "requirements.md"
IDS = re.compile(r"^((?:[A-Z]\d{1,2})(?:, ?[A-Z]\d{1,2})*)\b")

PROMISES = {
    "L1": "grants, each once",
    "L2": "redeeming is one commit",
    "L3": "hold, capture, void",
    "L4": "lots and their expiry",
    "L5": "claw-back, debt, freezing, adjustment",
    "L6": "double entry, balances, statement",
    "C1": "items",
    "C2": "warehouses",
    "C3": "stock",
    "O1": "placing checks",
    "O2": "what an order carries",
    "O3": "the eight states",
    "O4": "unpaid and completed by time",
    "O5": "payment port",
    "O6": "quotes and promises",
    "O8": "address, cancelling",
    "S1": "split at the least cost",
    "S2": "one order, every item's progress",
    "S3": "parts add up to the whole",
    "S4": "which parcels hold which orders",
    "W1": "packing and hand-over",
    "W3": "rate cards",
    "W4": "carrier choice",
    "T1": "tracking from carriers",
    "T2": "state is a function of the set of scans",
    "T3": "live stream",
    "T8": "pick-up card",
    "D1": "disputes, from opening to decision",
    "D2": "claims against carriers",
    "D4": "never more back than was taken",
    "D5": "evidence pack with an offline verifier",
    "D6": "what can be done now, and why not",
    "N2": "outgoing webhooks",
    "M1": "health, metrics, logs",
    "M2": "outbound calls",
    "M3": "sandbox",
    "M4": "dirty input",
    "M5": "self-check and repair",
    "M7": "many processes, many tenants",
    "A1": "append-only, who and why",
    "A2": "replay",
    "A3": "tamper evidence",
    "A4": "personal data in the vault",
    "A5": "two times on every fact",
    "A6": "sealed reports",
    "A7": "closing the books",
    "A8": "four eyes",
    "A9": "control report",
    "A10": "roles",
}
"""The rows that have parts in this project so far, in a few words of our own."""


def shown() -> dict[str, list[str]]:
    """The tests of each id, as `path::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            match = IDS.match(ast.get_docstring(node) or "")
            if match and node.name.lower().startswith("test"):
                for one in match.group(1).split(","):
                    name = f"{path.relative_to(TESTS.parent)}::{node.name}"
                    found[one.strip()].append(name)
    return found


def page() -> str:
    """The map as Markdown."""
    found = shown()
    lines = [
        "# Promises and the tests that show them",
        "",
        "Generated from the tests' docstrings (`make docs`). L points · C catalogue and stock ·",
        "O orders · S split and merge · W warehouse · T tracking · D disputes · N people told ·",
        "M running it · A audit and privacy · R reliability.",
        "",
        "| id | promise | tests |",
        "| --- | --- | --- |",
    ]
    for one in sorted({*PROMISES, *found}, key=lambda name: (name[0], int(name[1:]))):
        tests = found.get(one, [])
        names = "<br>".join(f"`{name}`" for name in tests) or "—"
        lines.append(f"| {one} | {PROMISES.get(one, '')} | {names} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
